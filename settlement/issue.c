#include "issue.h"

#include "base/arena.h"
#include "io/digest.h"
#include "new_file.h"
#include "progress.h"
#include "store/period_chain_store.h"
#include "store/period_state_store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST  "manifest.json"
#define SIGNATURE MANIFEST ".p7s"

enum { MANIFEST_MAX = 256 * 1024 * 1024, BLOCK = 64 * 1024 };

/* One period being issued: lives in period_issue's frame. */
struct work {
    struct close_run *run;
    const struct period *period;
    const struct cms_signer *signer;
    struct arena arena;
    struct period_state_row row;
    int directory;  /* -1: not open */
    char *manifest; /* all of it, with a NUL behind */
    size_t size;
    int64_t files;
    struct cms_signature signature;
};

static void work_release(struct work *work)
{
    arena_release(&work->arena);
    free(work->manifest);
    if (work->directory >= 0)
        close(work->directory);
}

static bool differs(const char *name, const char *how, struct error *err)
{
    return error_set(err, REASON_FILES_CHANGED, "%.100s %s; the approval is void: run period-close again", name, how);
}

/* Reads up to `most` bytes of a file of the folder; false when there is none or more. */
static bool read_whole(int directory, const char *name, void *bytes, size_t most, size_t *size)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = 1;

    *size = 0;
    while (fd >= 0 && n > 0 && *size < most) {
        n = read(fd, (char *)bytes + *size, most - *size);
        *size += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0 && n == 0;
}

static bool read_manifest(struct work *work, struct error *err)
{
    uint8_t hash[CRYPTO_HASH];
    struct stat about;

    if (fstatat(work->directory, MANIFEST, &about, AT_SYMLINK_NOFOLLOW) != 0 || about.st_size > MANIFEST_MAX)
        return differs(MANIFEST, "is not there", err);
    work->manifest = calloc(1, (size_t)about.st_size + 2);
    if (!work->manifest)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!read_whole(work->directory, MANIFEST, work->manifest, (size_t)about.st_size + 1, &work->size))
        return differs(MANIFEST, "cannot be read", err);
    crypto_sha256(work->manifest, work->size, hash);
    return memcmp(hash, work->row.manifest_sha256.at, sizeof hash) == 0 ||
           differs(MANIFEST, "is not the one that was approved", err);
}

/* The file's size and SHA-256; false when it cannot be read. */
static bool hash_file(int directory, const char *name, int64_t *size, uint8_t content[CRYPTO_HASH])
{
    uint8_t block[BLOCK];
    struct digest digest = { 0 };
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = -1;

    *size = 0;
    digest_begin(&digest);
    while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0) {
        digest_add(&digest, block, (size_t)n);
        *size += n;
    }
    digest_end(&digest, content);
    digest_release(&digest);
    if (fd >= 0)
        close(fd);
    return n == 0;
}

/* One entry of the manifest, as files.c writes them: a line each. */
static bool check_file(struct work *work, const char *line, struct error *err)
{
    char name[NEW_FILE_NAME], hex[2 * CRYPTO_HASH + 1];
    uint8_t listed[CRYPTO_HASH], found[CRYPTO_HASH];
    int64_t size, is;

    if (sscanf(line, "{\"name\":\"%199[^\"/]\",\"size\":\"%" SCNd64 "\",\"sha256\":\"%64[0-9a-f]\"", name, &size,
               hex) != 3 ||
        !crypto_hex_decode(hex, CRYPTO_HASH, listed))
        return differs(MANIFEST, "has an entry that is none", err);
    if (!hash_file(work->directory, name, &is, found))
        return differs(name, "cannot be read", err);
    work->files++;
    return (is == size && memcmp(listed, found, sizeof found) == 0) ||
           differs(name, "is not as the manifest has it", err);
}

/* The entry behind the end of a line, or NULL. */
static const char *entry_at(const char *line_end)
{
    const char *entry = line_end + 1 + strspn(line_end + 1, ",");

    return *entry == '{' ? entry : NULL;
}

static bool check_files(struct work *work, struct error *err)
{
    struct progress *progress = work->run->progress;
    int64_t total = 0;

    for (const char *line = strchr(work->manifest, '\n'); line; line = strchr(line + 1, '\n'))
        total += entry_at(line) != NULL;
    progress_begin(progress, "checking files", total);
    for (const char *line = strchr(work->manifest, '\n'); line; line = strchr(line + 1, '\n')) {
        if (entry_at(line) && !check_file(work, entry_at(line), err))
            return false;
        progress_add(progress, entry_at(line) != NULL);
    }
    progress_end(progress);
    return work->files > 0 || differs(MANIFEST, "names no files", err);
}

static bool find_period(struct work *work, struct error *err)
{
    struct period_state_params params = { work->run->programme_no, work->period->text };
    bool found;

    if (!db_fetch_one(work->run->db, &period_state_find, &params, &work->arena, &work->row, &found, err))
        return false;
    if (!found)
        return error_set(err, REASON_PERIOD_NOT_FOUND, "%s was not calculated yet; run period-close first",
                         work->period->text);
    return work->row.state != PERIOD_CALCULATED ||
           error_set(err, REASON_PERIOD_NOT_APPROVED,
                     "%s waits for a second person: alliance settlement approve %s %s HASH", work->period->text,
                     work->run->programme_id, work->period->text);
}

/* An approval of files that are no more is none. */
static bool void_approval(struct work *work, const struct error *why, struct error *err)
{
    struct period_state_params params = { work->run->programme_no, work->period->text };

    if (why->reason == REASON_FILES_CHANGED && !db_execute(work->run->db, &period_state_void, &params, NULL, err))
        return false;
    *err = *why;
    return false;
}

static bool is_signed(struct work *work)
{
    struct error ignored;

    return read_whole(work->directory, SIGNATURE, work->signature.bytes, sizeof work->signature.bytes,
                      &work->signature.size) &&
           cms_verify(work->signer->chain, work->manifest, work->size, &work->signature, &ignored);
}

static bool publish_signature(struct work *work, struct error *err)
{
    struct new_file file = { 0 };
    uint8_t content[CRYPTO_HASH];

    if (!new_file_open(&file, work->directory, SIGNATURE, err))
        return false;
    new_file_write(&file, work->signature.bytes, work->signature.size);
    return new_file_finish(&file, content, err) && new_file_publish(work->directory, SIGNATURE, err) &&
           new_file_sync_directory(work->directory, err);
}

/* Nothing is published that does not verify. */
static bool sign(struct work *work, struct error *err)
{
    if (is_signed(work))
        return true;
    return cms_sign(work->signer, work->manifest, work->size, work->row.approved_at, &work->signature, err) &&
           cms_verify(work->signer->chain, work->manifest, work->size, &work->signature, err) &&
           publish_signature(work, err);
}

static bool set_issued(struct work *work, struct error *err)
{
    uint8_t hash[CRYPTO_HASH];
    struct period_state_issue_params params = {
        work->run->programme_no, work->period->text, work->row.manifest_sha256, { hash, sizeof hash }
    };
    int64_t changed;

    crypto_sha256(work->signature.bytes, work->signature.size, hash);
    if (!db_execute(work->run->db, &period_state_issue, &params, &changed, err))
        return false;
    return changed == 1 || error_set(err, REASON_PERIOD_NOT_APPROVED, "%s was approved no more", work->period->text);
}

bool period_issue(struct close_run *run, const struct period *period, const char *statements_dir,
                  const struct cms_signer *signer, struct period_issued *issued, struct error *err)
{
    CLEANUP(work_release)
    struct work work = { .run = run, .period = period, .signer = signer, .directory = -1 };
    char path[PATH_MAX];
    struct error why;

    snprintf(path, sizeof path, "%.3000s/%s/%s", statements_dir, run->programme_id, period->text);
    if (!find_period(&work, err) || !new_file_directory(path, &work.directory, err))
        return false;
    if (!read_manifest(&work, &why) || !check_files(&work, &why))
        return void_approval(&work, &why, err);
    close_step(run);
    *issued = (struct period_issued){ work.row.state == PERIOD_ISSUED, work.files };
    if (issued->already)
        return is_signed(&work) || error_set(err, REASON_FILES_CHANGED,
                                             "%s does not verify: bring the one that was issued back", SIGNATURE);
    if (!period_chain_check(run->db, run->programme_no, period->text, err) || !sign(&work, err))
        return false;
    close_step(run);
    if (!set_issued(&work, err))
        return false;
    close_step(run);
    return true;
}
