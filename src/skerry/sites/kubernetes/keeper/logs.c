/* The log of a task: segments called log.<offset>, each a row of frames.

   There are about four of them, so that dropping the oldest keeps most of what is allowed. */
#include "common.h"

static char folder[200];
static int64_t bases[64];
static int count, fd = -1;
static int64_t total, most;

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int segments(const char *directory, int64_t *into, int room) {
    int found = 0;
    DIR *dir = opendir(directory);
    for (struct dirent *one; dir && (one = readdir(dir));)
        if (!strncmp(one->d_name, "log.", 4) && found < room) into[found++] = atoll(one->d_name + 4);
    if (dir) closedir(dir);
    qsort(into, (size_t)found, sizeof *into, by_size);
    return found;
}

static int segment(const char *directory, int64_t base, int how) {
    char path[256];
    snprintf(path, sizeof path, "%s/log.%020lld", directory, (long long)base);
    return open(path, how | O_CLOEXEC, 0644);
}

static void turn(void) {
    if (fd >= 0) close(fd);
    fd = segment(folder, total, O_WRONLY | O_CREAT | O_APPEND);
    bases[count++] = total;
    while (count > 1 && (total - bases[0] > most - most / 4 || count == 64)) {
        char path[256];
        snprintf(path, sizeof path, "%s/log.%020lld", folder, (long long)bases[0]);
        unlink(path);
        memmove(bases, bases + 1, (size_t)--count * sizeof *bases);
    }
}

/* Goes on where a log ended; half a frame at its end is cut off. */
void log_open(const char *directory, int64_t limit) {
    snprintf(folder, sizeof folder, "%s", directory);
    most = limit < 4096 ? 4096 : limit;
    count = segments(folder, bases, 62);
    if (!count) {
        turn();
        return;
    }
    total = bases[count - 1];
    fd = segment(folder, total, O_RDWR);
    off_t good = 0, size = lseek(fd, 0, SEEK_END);
    for (Frame frame; pread(fd, &frame, sizeof frame, good) == sizeof frame;) {
        off_t next = good + (off_t)sizeof frame + (off_t)frame.size;
        if (next > size) break;
        good = next, total = (int64_t)frame.offset + frame.size;
    }
    if (ftruncate(fd, good) < 0 || lseek(fd, good, SEEK_SET) < 0) turn();
}

void log_write(int stream, const char *from, size_t size) {
    static char both[sizeof(Frame) + PIECE];
    while (size > 0) {
        int64_t room = most / 4 - (total - bases[count - 1]);
        if (room <= 0) {
            turn();
            continue;
        }
        size_t piece = size < PIECE ? size : PIECE;
        if ((int64_t)piece > room) piece = (size_t)room;
        Frame frame = {(uint64_t)total, (uint64_t)now(), (uint32_t)piece, (uint32_t)stream};
        memcpy(both, &frame, sizeof frame), memcpy(both + sizeof frame, from, piece);
        spill(fd, both, sizeof frame + piece);
        total += (int64_t)piece, from += piece, size -= piece;
    }
}

static int show(Frame frame, const char *data, int64_t offset) {
    if ((int64_t)frame.offset + frame.size <= offset) return 1;
    if ((int64_t)frame.offset < offset) {
        uint32_t skip = (uint32_t)(offset - (int64_t)frame.offset);
        frame.offset += skip, frame.size -= skip, data += skip;
    }
    return spill(1, &frame, sizeof frame) && spill(1, data, frame.size);
}

/* The segment to read after `current`, or the one that holds `offset` if none was read yet. */
static int64_t following(const char *directory, int64_t current, int64_t offset) {
    int64_t known[64], chosen = -1;
    int there = segments(directory, known, 64);
    for (int i = there - 1; i >= 0; i--)
        if (current >= 0 ? known[i] > current : chosen < 0 || known[i + 1] > offset)
            chosen = known[i];
    return chosen;
}

/* Frames from `offset` on, or from the oldest kept. Following, it ends when the task has. */
int log_show(const char *directory, int64_t offset, int follow) {
    static char data[PIECE];
    int64_t current = -1;
    int in = -1, pause = 20;
    for (off_t place = 0;;) {
        struct stat found;
        int over = !follow || access(RUN "/end", F_OK) == 0, seen = 0;
        int64_t newer = following(directory, current, offset);
        for (Frame frame; in >= 0 && pread(in, &frame, sizeof frame, place) == sizeof frame;) {
            off_t start = place + (off_t)sizeof frame, next = start + (off_t)frame.size;
            if (frame.size > PIECE || fstat(in, &found) < 0 || found.st_size < next) break;
            if (pread(in, data, frame.size, start) != (ssize_t)frame.size) break;
            if (!show(frame, data, offset)) return 0;
            place = next, seen = 1;
        }
        if (seen) {
            pause = 20;
        } else if (newer >= 0) {
            if (in >= 0) close(in);
            in = segment(directory, newer, O_RDONLY), current = newer, place = 0;
        } else if (over) {
            return 0;
        } else {
            struct pollfd left = {.fd = 1}; /* a reader that has gone is noticed */
            if (poll(&left, 1, pause) > 0 && left.revents & (POLLERR | POLLHUP)) return 0;
            pause = pause < 160 ? pause * 2 : 160;
        }
    }
}
