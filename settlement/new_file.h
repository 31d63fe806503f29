/*
 * new_file.h -- a file that is written beside its name, hashed on the way, synced, and renamed into place only when
 * everything else is ready too.
 *
 * Unlike io/file.h it takes any size with 64 KB of memory. Failures of writing are kept and told by new_file_finish, so
 * that the writers need no checks. A zeroed new_file is closed.
 */
#ifndef SETTLEMENT_NEW_FILE_H
#define SETTLEMENT_NEW_FILE_H

#include "base/error.h"
#include "io/digest.h"

#include <stddef.h>
#include <stdint.h>

enum { NEW_FILE_BUFFER = 64 * 1024, NEW_FILE_NAME = 200 };

struct new_file {
    bool open;
    bool failed;
    int fd;
    char name[NEW_FILE_NAME]; /* the final one */
    int64_t size;             /* bytes written so far */
    struct digest digest;
    size_t used;
    uint8_t buffer[NEW_FILE_BUFFER];
};

/* Creates ".<name>.partial" in the directory, emptying one that a killed run left. */
bool new_file_open(struct new_file *file, int directory, const char *name, struct error *err) MUST_USE;
void new_file_write(struct new_file *file, const void *bytes, size_t size);
void new_file_text(struct new_file *file, const char *text);
/* Lines of up to 1,000 bytes. */
void new_file_print(struct new_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Syncs and closes; content is the SHA-256 of all bytes. The file still has its partial name. */
bool new_file_finish(struct new_file *file, uint8_t content[CRYPTO_HASH], struct error *err) MUST_USE;
/*
 * As new_file_finish, but syncing is only begun: new_file_sync must follow before the file gets its name. When there
 * are thousands of files, the first of those syncs makes nearly all of them last.
 */
bool new_file_finish_unsynced(struct new_file *file, uint8_t content[CRYPTO_HASH], struct error *err) MUST_USE;
bool new_file_sync(int directory, const char *name, struct error *err) MUST_USE;
/* Closes without syncing; for the way out of a failure. */
void new_file_release(struct new_file *file);

/* From the partial name to the final one, and away with the partial one. */
bool new_file_publish(int directory, const char *name, struct error *err) MUST_USE;
void new_file_discard(int directory, const char *name);
/* Makes renames and removals last through a power cut. */
bool new_file_sync_directory(int directory, struct error *err) MUST_USE;
/* Makes the directories of the path that are missing and opens the last; *fd is the caller's to close. */
bool new_file_directory(const char *path, int *fd, struct error *err) MUST_USE;

#endif
