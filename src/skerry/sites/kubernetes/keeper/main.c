/* The keeper: one static program that is in every container of a task, whatever its image.

   run     process 1 of the task's container (run.c)
   hold    process 1 of the container beside it: there to be entered, until it is told to end
   others  what the driver does by exec, in one of the two */
#include "common.h"

static int hold(void) {
    sigset_t all;
    int number;
    sigfillset(&all), sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        sigwait(&all, &number);
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
        if (number == SIGTERM || number == SIGINT) return 0;
    }
}

/* To the task. What tells it to end is noted first, so that nothing starts it again. */
static int to_task(int number) {
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    if (number == SIGTERM || number == SIGINT || number == SIGKILL) note("told", text);
    char *pid = told("pid");
    if (pid && atoi(pid) > 1 && kill(atoi(pid), number) == 0) return 0;
    return kill(1, SIGUSR2) != 0;
}

static long long read_number(const char *path, const char *name) {
    char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    char *at = *name ? strstr(text, name) : text;
    return at ? atoll(at + strlen(name)) : -1;
}

#define CGROUP "/sys/fs/cgroup/"

/* Microseconds of processor time, bytes now, at most, droppable, and processes, by its cgroup. */
static int stats(void) {
    int two = access(CGROUP "cgroup.controllers", F_OK) == 0;
    long long cpu = two ? read_number(CGROUP "cpu.stat", "usage_usec ")
                        : read_number(CGROUP "cpuacct/cpuacct.usage", "") / 1000;
    const char *now = two ? CGROUP "memory.current" : CGROUP "memory/memory.usage_in_bytes";
    const char *peak = two ? CGROUP "memory.peak" : CGROUP "memory/memory.max_usage_in_bytes";
    const char *all = two ? CGROUP "memory.stat" : CGROUP "memory/memory.stat";
    const char *pids = two ? CGROUP "pids.current" : CGROUP "pids/pids.current";
    printf("%lld %lld %lld %lld %lld\n", cpu, read_number(now, ""), read_number(peak, ""),
           read_number(all, two ? "\ninactive_file " : "total_inactive_file "),
           read_number(pids, ""));
    return 0;
}

/* Beside the task, with its variables. */
static int enter_and(char **command) {
    Spec *spec = read_spec();
    if (spec) enter(spec), meet(spec);
    execvp(command[0], command);
    fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

static int tunnel(int port) {
    int s = dial(port, 5000000);
    if (s < 0) {
        fprintf(stderr, "%s\n", strerror(errno));
        return 61;
    }
    if (!spill(ERR, "+", 1)) return 1; /* it stands */
    return pump(s);
}

static int go(void) {
    char text[8000];
    size_t n = fread(text, 1, sizeof text - 1, stdin);
    text[n] = 0;
    note("go", text);
    return 0;
}

static int say(const char *name) {
    char *text = told(name);
    if (text) fputs(text, stdout);
    return !text;
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(verb, "run")) return run();
    if (!strcmp(verb, "hold")) return hold();
    if (!strcmp(verb, "ready")) return access(RUN "/ready", F_OK) != 0;
    if (!strcmp(verb, "state")) return say("state");
    if (!strcmp(verb, "go")) return go();
    if (!strcmp(verb, "stats")) return stats();
    if (!strcmp(verb, "signal") && argc == 3) return to_task(atoi(argv[2]));
    if (!strcmp(verb, "dial") && argc == 3) return tunnel(atoi(argv[2]));
    if (!strcmp(verb, "enter") && argc > 2) return enter_and(argv + 2);
    if (!strcmp(verb, "log") && argc == 5)
        return log_show(argv[2], atoll(argv[3]), atoi(argv[4]));
    if (argc > 1) return files(argc, argv);
    return 64;
}
