/*
 * slow_fsync.c -- a disk that needs a millisecond longer: preloaded into PostgreSQL, every fsync and fdatasync of it
 * sleeps FSYNC_SLOWER_US microseconds (1000 unless set) after the real one. For ops/bench, which compares on a fast
 * disk and on an ordinary one.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int sync_function(int fd);

static void sleep_longer(void)
{
    const char *asked = getenv("FSYNC_SLOWER_US");
    long us = asked ? strtol(asked, NULL, 10) : 1000;
    struct timespec pause = { us / 1000000, us % 1000000 * 1000 };

    nanosleep(&pause, NULL);
}

/* dlsym gives an object's address; POSIX promises that a function's fits. */
static int really(const char *name, int fd)
{
    union {
        void *object;
        sync_function *function;
    } found = { .object = dlsym(RTLD_NEXT, name) };
    int result = found.function(fd);

    sleep_longer();
    return result;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    return really("fsync", fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return really("fdatasync", fd);
}
