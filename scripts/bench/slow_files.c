/* Makes calls on the files of one folder as slow as on a network file system: what goes to the server there waits
 * SLOW_FILES_US microseconds first. Used by many_workers.py as LD_PRELOAD.
 *
 * Slow: open, stat, rename, link, unlink, mkdir, opendir, flock; fsync and the close of a file below SLOW_FILES_PREFIX.
 * Reading and writing stay fast, since a client of NFS keeps both in its cache. The number of slow calls of a process is
 * appended to SLOW_FILES_LOG when it ends. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 65536
static char slow_fd[MAX_FD];
static atomic_long calls;

static int below(const char *path) {
    const char *prefix = getenv("SLOW_FILES_PREFIX");
    if (!prefix || !path) return 0;
    if (path[0] == '/') return !strncmp(path, prefix, strlen(prefix));
    char folder[PATH_MAX];
    return getcwd(folder, sizeof folder) && !strncmp(folder, prefix, strlen(prefix));
}

static void wait_once(void) {
    const char *us = getenv("SLOW_FILES_US");
    struct timespec pause = {0, 1000L * (us ? atol(us) : 2000)};
    atomic_fetch_add(&calls, 1);
    nanosleep(&pause, NULL);
}

static int slowed(const char *path) {
    if (!below(path)) return 0;
    wait_once();
    return 1;
}

static int keep(int fd, int slow) {
    if (fd >= 0 && fd < MAX_FD) slow_fd[fd] = (char)slow;
    return fd;
}

static int is_slow(int fd) { return fd >= 0 && fd < MAX_FD && slow_fd[fd]; }

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, #name, const char *, int, ...); MODE(flags, mode) int slow = slowed(path); \
        return keep(real(path, flags, mode), slow); }
#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        REAL(int, #name, int, const char *, int, ...); MODE(flags, mode) int slow = slowed(path); \
        return keep(real(at, path, flags, mode), slow); }
#define ON_PATH(name, struct_type) \
    int name(const char *path, struct struct_type *found) { \
        REAL(int, #name, const char *, struct struct_type *); slowed(path); return real(path, found); }
#define ON_AT(name, struct_type) \
    int name(int at, const char *path, struct struct_type *found, int flags) { \
        REAL(int, #name, int, const char *, struct struct_type *, int); \
        slowed(path); return real(at, path, found, flags); }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
ON_PATH(stat, stat)
ON_PATH(lstat, stat)
ON_PATH(stat64, stat64)
ON_PATH(lstat64, stat64)
ON_AT(fstatat, stat)
ON_AT(fstatat64, stat64)

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *); slowed(to); return real(from, to); }
int link(const char *from, const char *to) {
    REAL(int, "link", const char *, const char *); slowed(to); return real(from, to); }
int unlink(const char *path) { REAL(int, "unlink", const char *); slowed(path); return real(path); }
int mkdir(const char *path, mode_t mode) { REAL(int, "mkdir", const char *, mode_t); slowed(path); return real(path, mode); }
DIR *opendir(const char *path) { REAL(DIR *, "opendir", const char *); slowed(path); return real(path); }
int fsync(int fd) { REAL(int, "fsync", int); if (is_slow(fd)) wait_once(); return real(fd); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); if (is_slow(fd)) wait_once(); return real(fd); }
int flock(int fd, int what) { REAL(int, "flock", int, int); if (is_slow(fd)) wait_once(); return real(fd, what); }
int close(int fd) { REAL(int, "close", int); if (is_slow(fd)) wait_once(); keep(fd, 0); return real(fd); }

__attribute__((destructor)) static void tell(void) {
    const char *log = getenv("SLOW_FILES_LOG");
    FILE *file = log ? fopen(log, "a") : NULL;
    if (file) { fprintf(file, "%ld\n", (long)calls); fclose(file); }
}
