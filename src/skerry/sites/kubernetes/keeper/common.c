/* Small words. */
#include "common.h"

int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int64_t ticks(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int fill(int fd, void *into, size_t size) {
    char *at = into;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        at += n, size -= (size_t)n;
    }
    return 1;
}

int spill(int fd, const void *from, size_t size) {
    const char *at = from;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return 0;
        at += n, size -= (size_t)n;
    }
    return 1;
}

char *last(char *path) {
    char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The folder of `path` below `base`, followed through no link; -1 if there is none. */
int beneath(int base, const char *path, int make) {
    int at = dup(base);
    while (at >= 0) {
        const char *slash = strchr(path, '/');
        if (!slash) return at;
        char name[256];
        size_t size = (size_t)(slash - path);
        int next = -1;
        if (size > 0 && size < sizeof name) {
            memcpy(name, path, size), name[size] = 0;
            if (strcmp(name, "..") && strcmp(name, ".")) {
                if (make) mkdirat(at, name, 0755);
                next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            }
        }
        close(at), at = next, path = slash + 1;
    }
    return -1;
}

void note(const char *name, const char *text) {
    char path[256], fresh[256];
    snprintf(path, sizeof path, RUN "/%s", name);
    snprintf(fresh, sizeof fresh, RUN "/.%s.%d", name, getpid());
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return;
    spill(fd, text, strlen(text));
    close(fd);
    rename(fresh, path);
}

char *told(const char *name) {
    static char text[8192];
    char path[256];
    snprintf(path, sizeof path, RUN "/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void add(char ***list, char *item) {
    size_t n = 0;
    if (*list)
        while ((*list)[n]) n++;
    *list = realloc(*list, (n + 2) * sizeof(char *));
    if (!*list) exit(125);
    (*list)[n] = item, (*list)[n + 1] = NULL;
}

/* `key=value` after `key=value`, each ended by NUL: what ../spec.py writes. */
Spec *read_spec(void) {
    static Spec spec;
    struct stat found;
    int fd = open(SPEC, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &found) < 0) return NULL;
    char *text = calloc(1, (size_t)found.st_size + 1);
    if (!text || !fill(fd, text, (size_t)found.st_size)) return NULL;
    close(fd);
    spec.policy = 'n', spec.failures = 3, spec.log = 64 << 20;
    for (char *at = text, *end = text + found.st_size; at < end; at += strlen(at) + 1) {
        char *value = strchr(at, '=');
        if (!value) continue;
        size_t key = (size_t)(value++ - at);
#define IS(word) (key == sizeof word - 1 && !memcmp(at, word, key))
        if (IS("command")) add(&spec.command, value);
        else if (IS("env")) add(&spec.env, value);
        else if (IS("check")) add(&spec.check, value);
        else if (IS("directory")) spec.directory = value;
        else if (IS("path")) spec.path = value;
        else if (IS("policy")) spec.policy = *value;
        else if (IS("wait")) spec.wait = atoi(value);
        else if (IS("port")) spec.port = atoi(value);
        else if (IS("failures")) spec.failures = atoi(value);
        else if (IS("heal")) spec.heal = atoi(value);
        else if (IS("most")) spec.most = atoll(value);
        else if (IS("limit")) spec.limit = atoll(value);
        else if (IS("grace")) spec.grace = atoll(value);
        else if (IS("every")) spec.every = atoll(value);
        else if (IS("timeout")) spec.timeout = atoll(value);
        else if (IS("start")) spec.start = atoll(value);
        else if (IS("log")) spec.log = atoll(value);
    }
    return &spec;
}

void enter(Spec *spec) {
    for (char **item = spec->env; item && *item; item++) putenv(*item);
    if (!getenv("PATH")) putenv("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (spec->directory && chdir(spec->directory) < 0) _exit(126);
}

/* What the tasks of a gang learn when they are told to go. The workload's own variables win. */
void meet(Spec *spec) {
    char *text = told("go");
    for (char *at = text ? strdup(text) : NULL, *end; at && *at; at = end + 1) {
        char *value = strchr(at, '=');
        end = strchr(at, '\n');
        if (!end) return;
        *end = 0;
        int own = 0;
        for (char **item = spec->env; value && item && *item; item++)
            own |= !strncmp(*item, at, (size_t)(value - at) + 1);
        if (value && !own) putenv(at);
    }
}

int refused(Spec *spec, int error, char *into, size_t size) {
    snprintf(into, size, "%s: %s", spec->command[0], strerror(error));
    return error == ENOENT || error == ENOTDIR ? 127 : 126;
}
