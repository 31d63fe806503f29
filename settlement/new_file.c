#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void partial_name(const char *name, char partial[NEW_FILE_NAME + 16])
{
    snprintf(partial, NEW_FILE_NAME + 16, ".%s.partial", name);
}

static bool failed_to(const char *what, const char *name, struct error *err)
{
    return error_set(err, REASON_SETTING_INVALID, "cannot %s %.100s: %s; make room or choose another --out", what, name,
                     strerror(errno));
}

bool new_file_open(struct new_file *file, int directory, const char *name, struct error *err)
{
    char partial[NEW_FILE_NAME + 16];

    file->open = file->failed = false;
    file->size = 0;
    file->used = 0;
    snprintf(file->name, sizeof file->name, "%s", name);
    partial_name(name, partial);
    file->fd = openat(directory, partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (file->fd < 0)
        return failed_to("create", name, err);
    file->open = true;
    digest_begin(&file->digest);
    return true;
}

static void flush(struct new_file *file)
{
    const uint8_t *at = file->buffer;

    digest_add(&file->digest, file->buffer, file->used);
    while (file->used > 0 && !file->failed) {
        ssize_t n = write(file->fd, at, file->used);
        if (n < 0 && errno == EINTR)
            continue;
        file->failed = n <= 0;
        if (!file->failed) {
            at += n;
            file->used -= (size_t)n;
        }
    }
    file->used = 0;
}

void new_file_write(struct new_file *file, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    file->size += (int64_t)size;
    if (size < sizeof file->buffer - file->used) { /* nearly always */
        memcpy(file->buffer + file->used, bytes, size);
        file->used += size;
        return;
    }
    while (size > 0 && !file->failed) {
        size_t n = sizeof file->buffer - file->used < size ? sizeof file->buffer - file->used : size;
        memcpy(file->buffer + file->used, at, n);
        file->used += n;
        at += n;
        size -= n;
        if (file->used == sizeof file->buffer)
            flush(file);
    }
}

void new_file_text(struct new_file *file, const char *text)
{
    new_file_write(file, text, strlen(text));
}

void new_file_print(struct new_file *file, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0 || n >= (int)sizeof line) {
        file->failed = true;
        errno = EOVERFLOW;
        return;
    }
    new_file_write(file, line, (size_t)n);
}

static bool finish(struct new_file *file, bool sync, uint8_t content[CRYPTO_HASH], struct error *err)
{
    flush(file);
    digest_end(&file->digest, content);
    bool good = !file->failed && (!sync || fsync(file->fd) == 0);
    if (!good)
        failed_to("write", file->name, err);
    else if (!sync) /* a hint: whoever syncs it later shall find little left to wait for */
        (void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    new_file_release(file);
    return good;
}

bool new_file_finish(struct new_file *file, uint8_t content[CRYPTO_HASH], struct error *err)
{
    return finish(file, true, content, err);
}

bool new_file_finish_unsynced(struct new_file *file, uint8_t content[CRYPTO_HASH], struct error *err)
{
    return finish(file, false, content, err);
}

bool new_file_sync(int directory, const char *name, struct error *err)
{
    char partial[NEW_FILE_NAME + 16];

    partial_name(name, partial);
    int fd = openat(directory, partial, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (!good)
        failed_to("sync", name, err);
    if (fd >= 0)
        close(fd);
    return good;
}

void new_file_release(struct new_file *file)
{
    if (file->open)
        close(file->fd);
    file->open = false;
    digest_release(&file->digest);
}

bool new_file_publish(int directory, const char *name, struct error *err)
{
    char partial[NEW_FILE_NAME + 16];

    partial_name(name, partial);
    return renameat(directory, partial, directory, name) == 0 || failed_to("rename", name, err);
}

void new_file_discard(int directory, const char *name)
{
    char partial[NEW_FILE_NAME + 16];

    partial_name(name, partial);
    unlinkat(directory, partial, 0);
}

bool new_file_sync_directory(int directory, struct error *err)
{
    return fsync(directory) == 0 || failed_to("sync", "the directory", err);
}

static bool make_one(const char *path)
{
    return mkdir(path, 0750) == 0 || errno == EEXIST;
}

bool new_file_directory(const char *path, int *fd, struct error *err)
{
    char part[PATH_MAX];

    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return failed_to("make directory", path, err);
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_one(part))
            return failed_to("make directory", part, err);
        *slash = '/';
    }
    if (!make_one(part))
        return failed_to("make directory", path, err);
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0 || failed_to("open directory", path, err);
}
