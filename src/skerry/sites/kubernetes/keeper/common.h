/* What the parts of the keeper share. See ../__init__.py for what the keeper is. */
#ifndef KEEPER_H
#define KEEPER_H
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN "/.skerry/run"
#define SPEC "/.skerry/spec/spec"
#define MESSAGE "/dev/termination-log"
enum { OUT = 1, ERR = 2, PIECE = 65536 };

typedef struct {
    char **command, **env, **check; /* each ends with NULL */
    char *directory, *path;
    int policy; /* 'n'ever, on-'f'ailure, 'a'lways */
    int wait, port, failures, heal;
    int64_t most, limit, grace, every, timeout, start, log; /* microseconds; bytes */
} Spec;

/* Before each piece of a log; the same on disk and to a reader. */
typedef struct {
    uint64_t offset, micros;
    uint32_t size, stream;
} Frame;

int64_t now(void);                                 /* microseconds since 1970 */
int64_t ticks(void);                               /* microseconds that only grow */
int fill(int fd, void *into, size_t size);         /* read it all: 1, or 0 at the end */
int spill(int fd, const void *from, size_t size);  /* write it all: 1, or 0 */
int beneath(int base, const char *path, int make); /* its folder, without links; name after it */
char *last(char *path);
void note(const char *name, const char *text); /* a small file in RUN, at once */
char *told(const char *name);                  /* its content, or NULL */
Spec *read_spec(void);
void meet(Spec *spec);  /* variables that came with `go` */
void enter(Spec *spec); /* its variables and directory */
int refused(Spec *spec, int error, char *into, size_t size);

void log_open(const char *directory, int64_t limit);
void log_write(int stream, const char *from, size_t size);
int log_show(const char *directory, int64_t offset, int follow);

int check(Spec *spec, char *why, size_t size); /* 0: well */
int dial(int port, int64_t patience);          /* a socket, or -1 */
int pump(int fd);

int run(void);
int files(int argc, char **argv);
#endif
