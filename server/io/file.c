#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void close_file(int *file)
{
    if (*file >= 0)
        close(*file);
}

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(file, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

bool file_replace(const char *path, const void *bytes, size_t size, struct error *err)
{
    char beside[512];
    int n = snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());

    if (n < 0 || (size_t)n >= sizeof beside)
        return error_set(err, REASON_SETTING_INVALID, "the path %.60s... is too long", path);
    CLEANUP(close_file) int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return error_set(err, REASON_SETTING_INVALID, "%.120s cannot be made: %s", beside, strerror(errno));
    if (write_all(file, bytes, size) && fsync(file) == 0 && rename(beside, path) == 0)
        return true;
    error_set(err, REASON_SETTING_INVALID, "%.120s cannot be written: %s", path, strerror(errno));
    unlink(beside);
    return false;
}

bool file_write_port(const char *path, uint16_t port, struct error *err)
{
    char text[8];

    if (!*path)
        return true;
    int n = snprintf(text, sizeof text, "%u\n", (unsigned)port);
    return file_replace(path, text, (size_t)n, err);
}
