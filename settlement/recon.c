#include "recon.h"

#include "close.h"
#include "close_store.h"
#include "io/digest.h"
#include "period_check.h"
#include "recon_break_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One reconciliation; lives in reconcile's frame. */
struct work {
    struct db *db;
    const struct recon_order *order;
    struct recon_scope scope;
    struct recon_record *records; /* the next to be staged; RECON_CHUNK of them, owned */
    size_t waiting;
    int64_t staged;
    char settings[96];
    uint8_t content[CRYPTO_HASH]; /* of the file */
};

static void work_release(struct work *work)
{
    free(work->records);
}

/* ---- the file ---- */

static void close_descriptor(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void release_digest(struct digest *digest)
{
    digest_release(digest);
}

static bool hash_file(const char *path, uint8_t out[CRYPTO_HASH], struct error *err)
{
    CLEANUP(close_descriptor) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    CLEANUP(release_digest) struct digest digest = { 0 };
    char block[64 * 1024];
    ssize_t n;

    if (fd < 0)
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read", path);
    digest_begin(&digest);
    while ((n = read(fd, block, sizeof block)) > 0)
        digest_add(&digest, block, (size_t)n);
    digest_end(&digest, out);
    return n == 0 || error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read further", path);
}

static bool stage_waiting(struct work *work, struct error *err)
{
    size_t count = work->waiting;

    work->waiting = 0;
    work->staged += (int64_t)count;
    return recon_store_add_theirs(work->db, work->records, work->staged - (int64_t)count + 1, count, err);
}

static bool stage_record(void *owner, const struct recon_record *record, struct error *err)
{
    struct work *work = owner;

    work->records[work->waiting++] = *record;
    return work->waiting < RECON_CHUNK || stage_waiting(work, err);
}

static bool stage_file(struct work *work, struct error *err)
{
    const struct recon_file *file = &work->order->file;
    int64_t line;

    work->records = calloc(RECON_CHUNK, sizeof *work->records);
    if (!work->records)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!recon_store_stage(work->db, err) || !work->order->read(file, stage_record, work, err) ||
        !stage_waiting(work, err) || !recon_store_unknown_party(work->db, &work->scope, &line, err))
        return false;
    return line == 0 || error_set(err, REASON_FIELD_INVALID, "%.60s:%lld: party is none of the programme's", file->path,
                                  (long long)line);
}

/* ---- the run ---- */

/* With other settings the same bytes say something else. */
static void describe(struct work *work)
{
    const struct recon_order *order = work->order;

    snprintf(work->settings, sizeof work->settings, "%s %s %s tolerance %lld days %d", order->format,
             order->net ? "net" : "gross", order->file.confirm_debits ? "debit" : "credit",
             (long long)order->rules.tolerance_minor, order->rules.days);
}

static void take_counts(int64_t to[RECON_CLASS_COUNT], const struct int64_array *from)
{
    for (size_t i = 0; i < from->count && i < RECON_CLASS_COUNT; i++)
        to[i] = from->at[i];
}

/* Is the newest run of that period this very file? */
static bool look_back(struct work *work, struct recon_result *result, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct recon_run_row last;

    if (!recon_store_last_run(work->db, &work->scope, work->order->period->text, &arena, &last, err))
        return false;
    result->already = last.run_no > 0 && last.file_sha256.size == CRYPTO_HASH &&
                      memcmp(last.file_sha256.at, work->content, CRYPTO_HASH) == 0 &&
                      strcmp(last.settings, work->settings) == 0;
    if (!result->already)
        return true;
    result->run_no = last.run_no;
    take_counts(result->ours, &last.our_counts);
    take_counts(result->theirs, &last.their_counts);
    return true;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool keep(struct work *work, struct recon_result *result, struct error *err)
{
    struct recon_run_row run = {
        .period = work->order->period->text,
        .file_name = name_of(work->order->file.path),
        .settings = work->settings,
        .file_sha256 = { work->content, CRYPTO_HASH },
        .our_counts = { result->ours, RECON_CLASS_COUNT },
        .their_counts = { result->theirs, RECON_CLASS_COUNT },
    };

    if (!recon_store_put_run(work->db, &work->scope, &run, err) ||
        !recon_store_put_breaks(work->db, &work->scope, &run, &result->breaks, err))
        return false;
    result->run_no = run.run_no;
    return recon_store_retry(work->db, &work->scope, &result->paired, err) &&
           recon_store_age(work->db, &work->scope, err);
}

static bool compare(struct work *work, struct recon_result *result, struct error *err)
{
    return stage_file(work, err) && recon_compare(work->db, &work->scope, &work->order->rules, err) &&
           recon_store_counts(work->db, result->ours, result->theirs, err) && keep(work, result, err);
}

static bool run_locked(struct work *work, struct recon_result *result, struct error *err)
{
    bool taken;

    if (!recon_store_lock(work->db, &work->scope, &taken, err))
        return false;
    if (!taken)
        return error_set(err, REASON_CLOSE_RUNNING, "another file of this party is being compared; wait for it");
    return look_back(work, result, err) && (result->already || compare(work, result, err));
}

/* The journal of closed days does not change any more, so what is found now stays true. */
static bool find_scope(struct work *work, struct error *err)
{
    const struct recon_order *order = work->order;
    struct close_run run = { .db = work->db };

    if (!close_store_programme(work->db, order->programme_id, &run.programme_no, err) ||
        !period_check_days(&run, order->period, &work->scope.first, err))
        return false;
    work->scope.programme_no = run.programme_no;
    work->scope.party_type = (int16_t)order->side;
    work->scope.last = order->period->last;
    work->scope.net = order->net;
    return recon_store_party(work->db, run.programme_no, order->side, order->party_id, &work->scope.party_no, err);
}

bool reconcile(struct db *db, const struct recon_order *order, struct recon_result *result, struct error *err)
{
    CLEANUP(work_release) struct work work = { .db = db, .order = order };

    *result = (struct recon_result){ 0 };
    describe(&work);
    if (!find_scope(&work, err) || !hash_file(order->file.path, work.content, err) || !db_begin(db, err))
        return false;
    if (run_locked(&work, result, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}
