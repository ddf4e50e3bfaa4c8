/* NVIDIA's management library as far as Skerry calls it, for machines without its devices.

   What it says stands in the file that SKERRY_TEST_NVML names, read anew at every call, a line for
   each fact: "DEVICE KEY VALUE". A handle is the device's number plus one; slices of device N have
   the numbers 100 * (N + 1) and up. Device -1 is the driver itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, MISSING = 6, SMALL = 7, UNLOADED = 9, LATE = 10,
       LOST = 15 };
typedef void *handle;

static int fact(long device, const char *key, char *out, size_t size) {
  char line[4096], name[256], value[4000];
  long number;
  const char *file = getenv("SKERRY_TEST_NVML");
  FILE *f = file ? fopen(file, "r") : NULL;
  int found = 0;
  if (!f) return 0;
  while (fgets(line, sizeof line, f)) {
    value[0] = 0;
    if (sscanf(line, "%ld %255s %3999[^\n]", &number, name, value) < 2) continue;
    if (number == device && !strcmp(name, key)) {
      snprintf(out, size, "%s", value);
      found = 1;
    }
  }
  fclose(f);
  return found;
}

static int number(long device, const char *key, unsigned long long *out) {
  char text[4000];
  if (fact(device, "lost", text, sizeof text)) return LOST;
  if (!fact(device, key, text, sizeof text)) return UNSUPPORTED;
  *out = strtoull(text, NULL, 0);
  return OK;
}
static int small(long device, const char *key, unsigned *out) {
  unsigned long long found = 0;
  int said = number(device, key, &found);
  *out = (unsigned)found;
  return said;
}
static int text(long device, const char *key, char *out, unsigned size) {
  char lost[8];
  if (fact(device, "lost", lost, sizeof lost)) return LOST;
  return fact(device, key, out, size) ? OK : UNSUPPORTED;
}
static long of(handle h) { return (long)h - 1; }

int nvmlInitWithFlags(unsigned flags) {
  char ignored[64];
  (void)flags;
  return fact(-1, "driver", ignored, sizeof ignored) ? OK : UNLOADED;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) {
  return code == LOST ? "GPU is lost" : code == UNLOADED ? "Driver Not Loaded" : "An error";
}
int nvmlSystemGetDriverVersion(char *out, unsigned size) { return text(-1, "driver", out, size); }
int nvmlDeviceGetCount_v2(unsigned *out) { return small(-1, "count", out); }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, handle *out) {
  *out = (handle)(long)(index + 1);
  return OK;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, handle *out) {
  char said[256];
  for (long device = 0; device < 2000; device++)
    if (fact(device, "uuid", said, sizeof said) && !strcmp(said, uuid)) {
      *out = (handle)(device + 1);
      return fact(device, "lost", said, sizeof said) ? LOST : OK;
    }
  return MISSING;
}
int nvmlDeviceGetUUID(handle h, char *out, unsigned size) { return text(of(h), "uuid", out, size); }
int nvmlDeviceGetName(handle h, char *out, unsigned size) { return text(of(h), "name", out, size); }
int nvmlDeviceGetMinorNumber(handle h, unsigned *out) { return small(of(h), "minor", out); }
int nvmlDeviceGetMigMode(handle h, unsigned *now, unsigned *next) {
  int said = small(of(h), "mig", now);
  *now = *next = *now > 0;
  return said;
}
int nvmlDeviceGetMaxMigDeviceCount(handle h, unsigned *out) { return small(of(h), "mig", out); }
int nvmlDeviceGetMigDeviceHandleByIndex(handle h, unsigned index, handle *out) {
  *out = (handle)(100 * (long)h + (long)index + 1);
  return OK;
}
int nvmlDeviceGetGpuInstanceId(handle h, unsigned *out) { return small(of(h), "gi", out); }
int nvmlDeviceGetComputeInstanceId(handle h, unsigned *out) { return small(of(h), "ci", out); }

struct memory { unsigned long long total, free, used; };
int nvmlDeviceGetMemoryInfo(handle h, struct memory *out) {
  int said = number(of(h), "total", &out->total);
  if (said == OK && number(of(h), "used", &out->used) != OK) out->used = 0;
  out->free = out->total - out->used;
  return said;
}
struct use { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(handle h, struct use *out) {
  out->memory = 0;
  return small(of(h), "busy", &out->gpu);
}
int nvmlDeviceGetPowerUsage(handle h, unsigned *out) { return small(of(h), "milliwatts", out); }
int nvmlDeviceGetTemperature(handle h, int sensor, unsigned *out) {
  (void)sensor;
  return small(of(h), "celsius", out);
}
int nvmlDeviceGetTotalEccErrors(handle h, int type, int counter, unsigned long long *out) {
  (void)counter;
  return number(of(h), type == 1 ? "uncorrected" : "corrected", out);
}
int nvmlDeviceGetRemappedRows(handle h, unsigned *good, unsigned *bad, unsigned *pending,
                              unsigned *failed) {
  *good = *bad = 0;
  int said = small(of(h), "pending", pending);
  small(of(h), "failed", failed);
  return said;
}
int nvmlDeviceGetRetiredPagesPendingStatus(handle h, int *out) {
  return small(of(h), "retiring", (unsigned *)out);
}
int nvmlDeviceGetCurrentClocksThrottleReasons(handle h, unsigned long long *out) {
  return number(of(h), "throttled", out);
}

struct process { unsigned pid; unsigned long long used; unsigned gi, ci; };
int nvmlDeviceGetComputeRunningProcesses_v3(handle h, unsigned *count, struct process *out) {
  char pids[4000], *rest = pids;
  unsigned found = 0, room = *count;
  if (text(of(h), "pids", pids, sizeof pids) != OK) return *count = 0, OK;
  for (char *word; (word = strsep(&rest, " "));)
    if (*word) {
      if (out && found < room) {
        memset(&out[found], 0, sizeof *out);
        out[found].pid = (unsigned)atoi(word);
      }
      found++;
    }
  *count = found;
  return found > room || (found && !out) ? SMALL : OK;
}

/* An event is told once: the file "<facts>.event" is removed as it is read. */
struct event { handle device; unsigned long long type, data; unsigned gi, ci; };
int nvmlEventSetCreate(handle *out) { *out = (handle)1; return OK; }
int nvmlEventSetFree(handle set) { (void)set; return OK; }
int nvmlDeviceRegisterEvents(handle h, unsigned long long types, handle set) {
  (void)h; (void)types; (void)set;
  return OK;
}
int nvmlEventSetWait_v2(handle set, struct event *out, unsigned wait) {
  char path[4096];
  long device, xid;
  (void)set; (void)wait;
  snprintf(path, sizeof path, "%s.event", getenv("SKERRY_TEST_NVML"));
  FILE *f = fopen(path, "r");
  if (!f) return LATE;
  int read = fscanf(f, "%ld %ld", &device, &xid);
  fclose(f);
  remove(path);
  if (read != 2) return LATE;
  memset(out, 0, sizeof *out);
  out->device = (handle)(device + 1);
  out->type = 8;
  out->data = (unsigned long long)xid;
  return OK;
}
