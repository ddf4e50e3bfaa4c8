/* Files in and out, by exec: `list`, `give`, `take`, `has`, `drop` below a folder.

   A file on the way is a head (length of its path, mode, size), its path and its content; a head
   whose path has no length ends them. No link is ever followed. */
#include "common.h"
#include <ftw.h>

typedef struct {
    uint32_t length, mode;
    uint64_t size;
} Head;

static int base = -1;

static int top(const char *path, int make) {
    if (make) {
        char each[4096];
        snprintf(each, sizeof each, "%s", path);
        for (char *at = each + 1; (at = strchr(at, '/')); *at++ = '/') *at = 0, mkdir(each, 0755);
        mkdir(each, 0755);
    }
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void walk(int at, char *path, size_t length) {
    DIR *dir = fdopendir(at);
    if (!dir) return;
    for (struct dirent *one; (one = readdir(dir));) {
        struct stat found;
        size_t more = strlen(one->d_name);
        if (!strcmp(one->d_name, ".") || !strcmp(one->d_name, "..")) continue;
        if (length + more + 2 > 4096) continue;
        if (fstatat(dirfd(dir), one->d_name, &found, AT_SYMLINK_NOFOLLOW) < 0) continue;
        memcpy(path + length, one->d_name, more + 1);
        if (S_ISREG(found.st_mode)) {
            printf("%s", path), putchar(0);
            printf("%lld %o %lld.%09ld", (long long)found.st_size, found.st_mode & 07777,
                   (long long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
            putchar(0);
        } else if (S_ISDIR(found.st_mode)) {
            int below = openat(dirfd(dir), one->d_name,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            path[length + more] = '/', path[length + more + 1] = 0;
            if (below >= 0) walk(below, path, length + more + 1);
        }
        path[length] = 0;
    }
    closedir(dir);
}

static int give_one(char *path) {
    static char data[PIECE];
    struct stat found;
    int folder = beneath(base, path, 0);
    int fd = folder < 0 ? -1 : openat(folder, last(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (folder >= 0) close(folder);
    if (fd < 0 || fstat(fd, &found) < 0 || !S_ISREG(found.st_mode)) {
        if (fd >= 0) close(fd);
        return 0;
    }
    Head head = {(uint32_t)strlen(path), found.st_mode & 07777, (uint64_t)found.st_size};
    int good = spill(1, &head, sizeof head) && spill(1, path, head.length);
    for (uint64_t left = head.size; good && left > 0;) {
        size_t piece = left < sizeof data ? (size_t)left : sizeof data;
        ssize_t n = read(fd, data, piece);
        if (n <= 0) memset(data, 0, piece), n = (ssize_t)piece; /* it was cut meanwhile */
        good = spill(1, data, (size_t)n), left -= (uint64_t)n;
    }
    close(fd);
    return good;
}

static int take_one(Head head) {
    static char data[PIECE];
    char path[4097], fresh[64];
    if (head.length > 4096 || !fill(0, path, head.length)) return 0;
    path[head.length] = 0;
    snprintf(fresh, sizeof fresh, ".skerry-%d", getpid());
    int folder = beneath(base, path, 1);
    if (folder < 0) return 0;
    int fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), good = fd >= 0;
    for (uint64_t left = head.size; good && left > 0;) {
        size_t piece = left < sizeof data ? (size_t)left : sizeof data;
        good = fill(0, data, piece) && spill(fd, data, piece), left -= piece;
    }
    good = good && fchmod(fd, head.mode & 07777) == 0 && close(fd) == 0 &&
           renameat(folder, fresh, folder, last(path)) == 0;
    if (!good) unlinkat(folder, fresh, 0);
    close(folder);
    return good;
}

static int take(void) {
    for (Head head; fill(0, &head, sizeof head);) {
        if (!head.length) return puts("ok") < 0;
        if (!take_one(head)) break;
    }
    fprintf(stderr, "%s\n", strerror(errno));
    return 1;
}

static int gone(const char *path, const struct stat *found, int kind, struct FTW *where) {
    (void)found, (void)kind, (void)where;
    return remove(path) && errno != ENOENT;
}

/* Paths, each ended by NUL, from standard input. */
static int each(int (*done)(char *)) {
    char path[4097];
    size_t n = 0;
    for (int c; (c = getchar()) != EOF;) {
        if (n == sizeof path) return 1;
        path[n++] = (char)c;
        if (c == 0) done(path), n = 0;
    }
    return 0;
}

static int is_there(char *path) {
    struct stat found;
    if (fstatat(base, path, &found, AT_SYMLINK_NOFOLLOW) == 0) printf("%s", path), putchar(0);
    return 1;
}

int files(int argc, char **argv) {
    char path[4097] = "";
    const char *verb = argv[1], *folder = argc > 2 ? argv[2] : ".";
    if (!strcmp(verb, "drop")) {
        nftw(folder, gone, 16, FTW_DEPTH | FTW_PHYS);
        return access(folder, F_OK) == 0;
    }
    base = top(folder, !strcmp(verb, "take"));
    if (base < 0) return strcmp(verb, "take") ? 0 : 1;
    if (!strcmp(verb, "list")) walk(dup(base), path, 0);
    else if (!strcmp(verb, "has")) each(is_there);
    else if (!strcmp(verb, "take")) return take();
    else if (!strcmp(verb, "give")) {
        Head end = {0, 0, 0};
        each(give_one);
        return !spill(1, &end, sizeof end);
    }
    return 0;
}
