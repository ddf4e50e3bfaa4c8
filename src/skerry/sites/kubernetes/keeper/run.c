/* `keeper run`: process 1 of a task's container, from its start to its end.

   It starts the task's command, keeps its log, checks its health, starts it again as its policy
   says, and ends with its exit code. Should the kernel end it (a container out of memory may be
   killed whole) the kubelet starts the container again and this goes on where it was: what it must
   know then is in the notes `state` and `told`. */
#include "common.h"
#include <sys/prctl.h>
#include <sys/signalfd.h>

enum { MINUTE = 60000000, SECOND = 1000000, NEVER = -1 };

static Spec *spec;
static pid_t child, checker;
static int outputs[2] = {-1, -1}, verdict = -1, signals;
static int restarts, tries, failures, unready, ill, late, code;
static int64_t first, began, resume = NEVER, term = NEVER, next = NEVER, hid = NEVER, kills;
static char message[512], reason[32];

/* The kubelet looks once a second: what it is to notice must last for longer. */
static void show(void) {
    if (unready || resume != NEVER || (hid != NEVER && ticks() - hid < 1500000)) return;
    hid = NEVER;
    note("ready", "");
}

static void save(void) {
    char text[1024];
    snprintf(text, sizeof text,
             "run=%d\nrestarts=%d\nunready=%d\nstarted=%lld\nreason=%s\nmessage=%s\n", tries,
             restarts, unready, (long long)first, reason, message);
    note("state", text);
    if (unready || resume != NEVER) {
        unlink(RUN "/ready");
        hid = ticks();
    }
    show();
}

static int64_t number(const char *text, const char *name) {
    const char *at = text ? strstr(text, name) : NULL;
    return at ? atoll(at + strlen(name)) : 0;
}

/* How often the kernel ended something here for its memory. */
static int64_t oom_kills(void) {
    static const char *places[] = {"/sys/fs/cgroup/memory.events",
                                   "/sys/fs/cgroup/memory/memory.oom_control"};
    for (int i = 0; i < 2; i++) {
        char text[1024];
        int fd = open(places[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = 0;
        return number(text, "oom_kill ");
    }
    return 0;
}

static void finish(void) {
    char text[1024];
    note("end", "");
    unlink(RUN "/ready");
    snprintf(text, sizeof text,
             "code=%d\nrestarts=%d\nstarted=%lld\nended=%lld\nreason=%s\nmessage=%s\n", code,
             restarts, (long long)first, (long long)now(), reason, message);
    int fd = open(MESSAGE, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) spill(fd, text, strlen(text));
    /* The kubelet must not start it again: it can only be told so by a success. */
    _exit(spec->policy == 'n' ? code : 0);
}

static void start(void) {
    int out[2], err[2], fault[2], error = 0;
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || pipe2(fault, O_CLOEXEC)) _exit(125);
    tries++, began = ticks(), kills = oom_kills();
    resume = term = NEVER, failures = ill = late = 0, *reason = *message = 0;
    if (!first) first = now();
    if (spec->wait) meet(spec);
    unready = spec->port || spec->check;
    child = fork();
    if (child == 0) {
        sigset_t none;
        setsid(), prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigemptyset(&none), sigprocmask(SIG_SETMASK, &none, NULL);
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, 0), dup2(out[1], OUT), dup2(err[1], ERR);
        execvp(spec->command[0], spec->command);
        error = errno;
        spill(fault[1], &error, sizeof error);
        _exit(127);
    }
    char text[32];
    snprintf(text, sizeof text, "%d", child);
    note("pid", text);
    close(out[1]), close(err[1]), close(fault[1]);
    outputs[0] = out[0], outputs[1] = err[0];
    for (int i = 0; i < 2; i++) fcntl(outputs[i], F_SETFL, O_NONBLOCK);
    if (fill(fault[0], &error, sizeof error)) ill = refused(spec, error, message, sizeof message);
    close(fault[0]);
    next = unready ? began + SECOND / 10 : NEVER;
    save();
}

/* All that can be read now; children left behind may hold an output open for ever. */
static void drain(int i, int most) {
    static char data[PIECE];
    while (outputs[i] >= 0 && most-- > 0) {
        ssize_t n = read(outputs[i], data, sizeof data);
        if (n > 0) log_write(i ? ERR : OUT, data, (size_t)n);
        else {
            if (n == 0) close(outputs[i]), outputs[i] = -1;
            else if (errno == EINTR) continue;
            break;
        }
    }
}

static void decide(void) {
    int was_told = access(RUN "/told", F_OK) == 0, failed = code || *reason;
    int again = !was_told && !late && restarts < spec->most &&
                (spec->policy == 'a' || (spec->policy == 'f' && failed));
    if (!again) finish();
    static int step;
    step = ticks() - began > MINUTE ? 0 : step;
    int64_t pause = step < 12 ? (SECOND / 10) << step : 300LL * SECOND;
    step++, restarts++, unready = 1;
    resume = ticks() + (pause > 300LL * SECOND ? 300LL * SECOND : pause);
    if (!*message) snprintf(message, sizeof message, "it ended with %d", code);
    save();
}

static void ended(int status) {
    unlink(RUN "/pid");
    for (int i = 0; i < 2; i++) {
        drain(i, 1 << 20);
        if (outputs[i] >= 0) close(outputs[i]), outputs[i] = -1;
    }
    kill(-child, SIGKILL);
    if (checker > 0) kill(checker, SIGKILL);
    child = 0, next = term = NEVER;
    code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (late) snprintf(reason, sizeof reason, "TimeLimit");
    else if (ill == 1) snprintf(reason, sizeof reason, "Unhealthy");
    else if (ill > 1) code = ill, snprintf(reason, sizeof reason, "NoCommand");
    else if (code == 128 + SIGKILL && oom_kills() > kills)
        snprintf(reason, sizeof reason, "OutOfMemory");
    decide();
}

static void begin_check(void) {
    int way[2];
    if (pipe2(way, O_CLOEXEC)) return;
    checker = fork();
    if (checker == 0) {
        char why[400];
        sigset_t none;
        sigemptyset(&none), sigprocmask(SIG_SETMASK, &none, NULL);
        setpgid(0, 0), prctl(PR_SET_PDEATHSIG, SIGKILL);
        int bad = check(spec, why, sizeof why);
        spill(way[1], why, strlen(why));
        _exit(bad);
    }
    close(way[1]);
    verdict = way[0], next = NEVER;
}

static void judged(int status) {
    char why[400];
    ssize_t n = read(verdict, why, sizeof why - 1);
    close(verdict), verdict = -1, checker = 0;
    why[n > 0 ? n : 0] = 0;
    if (!child || late || ill) return;
    int64_t age = ticks() - began;
    next = ticks() + (unready && age < spec->every * 10 && age < spec->every ? age : spec->every);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        failures = 0;
        if (unready) unready = 0, *message = 0, save();
        return;
    }
    failures++;
    if (unready || failures >= spec->failures) {
        int fresh = !unready || strcmp(message, why);
        unready = 1, snprintf(message, sizeof message, "%s", why);
        if (fresh) save();
    }
    if (spec->heal && failures >= spec->failures && age > spec->start) {
        ill = 1, next = NEVER, term = ticks() + spec->grace;
        kill(child, SIGTERM);
    }
}

static void reap(void) {
    int status;
    for (pid_t one; (one = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (one == child) ended(status);
        else if (one == checker) judged(status);
    }
}

static void heard(void) {
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info) {
        int number = (int)info.ssi_signo;
        if (number == SIGCHLD) continue;
        if (number == SIGTERM || number == SIGINT) note("told", number == SIGTERM ? "15" : "2");
        if (child > 0 && number != SIGUSR2) kill(child, number);
    }
    reap();
    char *asked = child ? NULL : told("told");
    if (asked) { /* before it began, or between two runs */
        if (!tries) code = 128 + atoi(asked);
        finish();
    }
}

static int64_t sooner(int64_t a, int64_t b) {
    return b == NEVER || (a != NEVER && a < b) ? a : b;
}

static void act(void) {
    int64_t t = ticks(), limit = NEVER;
    if (child && spec->limit && !late) {
        limit = spec->limit - (now() - first);
        if (limit <= 0) late = 1, term = t + spec->grace, kill(child, SIGTERM);
    }
    if (term != NEVER && t >= term) kill(-1, SIGKILL), term = NEVER;
    if (resume != NEVER && t >= resume) start();
    if (!child && !tries && access(RUN "/go", F_OK) == 0) start();
    if (next != NEVER && t >= next && verdict < 0) begin_check();
    if (hid != NEVER) show();
}

static int patience(void) {
    int64_t t = ticks(), until = sooner(sooner(term, resume), next);
    int64_t rest = until == NEVER ? NEVER : until - t;
    if (child && spec->limit && !late) rest = sooner(rest, spec->limit - (now() - first));
    if ((!child && !tries) || (hid != NEVER && !unready)) rest = sooner(rest, SECOND / 20);
    return rest == NEVER ? -1 : rest <= 0 ? 0 : (int)(rest / 1000) + 1;
}

int run(void) {
    sigset_t all;
    spec = read_spec();
    if (!spec || !spec->command) return 125;
    enter(spec);
    umask(022);
    sigfillset(&all), sigprocmask(SIG_BLOCK, &all, NULL);
    signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    log_open(RUN, spec->log);
    char *before = told("state");
    tries = (int)number(before, "run="), restarts = (int)number(before, "restarts=");
    first = number(before, "started=");
    if (tries) { /* killed with all there was, most likely for its memory */
        began = ticks(), code = 128 + SIGKILL, snprintf(reason, sizeof reason, "OutOfMemory");
        decide();
    } else if (spec->wait) note("state", "run=0\n");
    else start();
    for (;;) {
        struct pollfd three[3] = {{.fd = signals, .events = POLLIN},
                                  {.fd = outputs[0], .events = POLLIN},
                                  {.fd = outputs[1], .events = POLLIN}};
        if (poll(three, 3, patience()) < 0 && errno != EINTR) return 125;
        for (int i = 0; i < 2; i++)
            if (three[i + 1].revents) drain(i, 16);
        heard();
        act();
    }
}
