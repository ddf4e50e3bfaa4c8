/* Ports and health checks of the task, from inside. */
#include "common.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int64_t left(int64_t until) {
    int64_t rest = (until - ticks()) / 1000;
    return rest > 0 ? rest : 0;
}

static int reach(struct sockaddr *to, socklen_t size, int64_t patience) {
    int s = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
    if (s < 0) return -1;
    struct pollfd ready = {.fd = s, .events = POLLOUT};
    socklen_t length = sizeof error;
    if (connect(s, to, size) < 0) {
        if (errno != EINPROGRESS) error = errno;
        else if (poll(&ready, 1, (int)(patience / 1000)) <= 0) error = ETIMEDOUT;
        else getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    if (error) {
        close(s), errno = error;
        return -1;
    }
    fcntl(s, F_SETFL, fcntl(s, F_GETFL) & ~O_NONBLOCK);
    return s;
}

int dial(int port, int64_t patience) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK), six.sin6_addr = in6addr_loopback;
    int s = reach((struct sockaddr *)&four, sizeof four, patience), error = errno;
    if (s < 0 && error == ECONNREFUSED)
        s = reach((struct sockaddr *)&six, sizeof six, patience);
    if (s < 0) errno = error;
    return s;
}

static int ask(Spec *spec, int64_t until, char *why, size_t size) {
    char text[4096];
    int s = dial(spec->port, left(until) * 1000);
    if (s < 0) {
        snprintf(why, size, "port %d: %s", spec->port, strerror(errno));
        return 1;
    }
    if (!spec->path) return 0;
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: skerry\r\n"
                     "Connection: close\r\n\r\n", spec->path, spec->port);
    if (n < 0 || n >= (int)sizeof text || !spill(s, text, (size_t)n)) n = -1;
    size_t have = 0;
    for (struct pollfd ready = {.fd = s, .events = POLLIN}; n >= 0 && have < sizeof text - 1;) {
        if (poll(&ready, 1, (int)left(until)) <= 0) {
            snprintf(why, size, "%s: no answer in time", spec->path);
            return 1;
        }
        ssize_t got = read(s, text + have, sizeof text - 1 - have);
        if (got <= 0) break;
        have += (size_t)got;
        if (memchr(text, '\n', have)) break;
    }
    text[have] = 0;
    int status = 0;
    if (sscanf(text, "HTTP/%*[0-9.] %3d", &status) != 1) {
        snprintf(why, size, "%s: that was no HTTP", spec->path);
        return 1;
    }
    if (status >= 400) snprintf(why, size, "%s answered %d", spec->path, status);
    return status >= 400;
}

int check(Spec *spec, char *why, size_t size) {
    int64_t until = ticks() + spec->timeout;
    *why = 0;
    if (spec->port) return ask(spec, until, why, size);
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++) dup2(nowhere, fd);
        setsid();
        execvp(spec->check[0], spec->check);
        _exit(errno == ENOENT ? 127 : 126);
    }
    for (int status = 0;; usleep(5000)) {
        pid_t over = waitpid(child, &status, WNOHANG);
        if (over == child) {
            int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            if (code) snprintf(why, size, "its check ended with %d", code);
            return code != 0;
        }
        if (ticks() > until) {
            kill(-child, SIGKILL), kill(child, SIGKILL), waitpid(child, &status, 0);
            snprintf(why, size, "its check took longer than %g seconds", (double)spec->timeout / 1e6);
            return 1;
        }
    }
}

/* Between standard input and output and a socket, each way until its end. */
int pump(int s) {
    static char data[PIECE];
    for (int in = 1, out = 1; out;) {
        struct pollfd two[2] = {{.fd = in ? 0 : -1, .events = POLLIN}, {.fd = s, .events = POLLIN}};
        if (poll(two, 2, -1) < 0 && errno != EINTR) return 1;
        if (in && two[0].revents) {
            ssize_t n = read(0, data, sizeof data);
            if (n > 0) {
                /* The other way must not wait for this one: what echoes would stand still. */
                for (ssize_t at = 0; at < n;) {
                    ssize_t went = send(s, data + at, (size_t)(n - at), MSG_DONTWAIT | MSG_NOSIGNAL);
                    if (went > 0) at += went;
                    else if (went < 0 && errno != EAGAIN && errno != EINTR) return 0;
                    else {
                        static char back[PIECE];
                        struct pollfd both = {.fd = s, .events = POLLIN | POLLOUT};
                        poll(&both, 1, -1);
                        if (both.revents & POLLIN) {
                            ssize_t got = recv(s, back, sizeof back, MSG_DONTWAIT);
                            if (got > 0 && !spill(1, back, (size_t)got)) return 0;
                            if (got == 0) return 0;
                        } else if (both.revents & (POLLERR | POLLHUP)) return 0;
                    }
                }
            } else if (n == 0) shutdown(s, SHUT_WR), in = 0;
            else if (errno != EINTR) in = 0;
        }
        if (two[1].revents) {
            ssize_t n = read(s, data, sizeof data);
            if (n > 0 && !spill(1, data, (size_t)n)) return 0;
            if (n == 0 || (n < 0 && errno != EINTR)) out = 0;
        }
    }
    return 0;
}
