/*
 * transfer_recovery.c -- finishing the transfers that somebody began and nobody ended.
 */
#include "domain/packed.h"
#include "engine/transfer.h"
#include "store/db.h"
#include "store/transfer_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE = 64 };

/* A page of walks under way at once; the thread that began them waits for the last. */
struct walks {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t running;
    int64_t finished;
};

static void on_done(struct transfer *transfer)
{
    struct walks *walks = transfer->owner;

    pthread_mutex_lock(&walks->lock);
    walks->finished += transfer->ended;
    if (--walks->running == 0)
        pthread_cond_signal(&walks->ended);
    pthread_mutex_unlock(&walks->lock);
}

static bool read_row(const struct transfer_open_row *row, struct lanes *lanes, struct walks *walks,
                     struct transfer *transfer)
{
    *transfer = (struct transfer){
        .lanes = lanes,
        .id = row->id,
        .from_member_id = row->from_member_id,
        .to_member_id = row->to_member_id,
        .programme_no = row->programme_no,
        .bank_no = row->bank_no,
        .parcel = { .credit = row->credit, .status_before = row->status_before, .merge = row->merge },
        .done = on_done,
        .owner = walks,
    };
    return unpack_lots(row->lots.at, row->lots.size, &transfer->parcel.lots) &&
           unpack_pending(row->pending_lots.at, row->pending_lots.size, &transfer->parcel.pending_lots);
}

/* A row that cannot be read is for `alliance ledger verify` to find; the others do not wait for it. */
static bool walk_page(struct lanes *lanes, const struct transfer_open_row *rows, size_t count, struct arena *arena,
                      int64_t *finished, struct error *err)
{
    struct walks walks = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
    struct transfer *transfers = arena_alloc(arena, count * sizeof *transfers);

    if (!transfers)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++)
        walks.running += read_row(&rows[i], lanes, &walks, &transfers[walks.running]);
    for (size_t i = 0, readable = walks.running; i < readable; i++)
        transfer_resume(&transfers[i]);
    pthread_mutex_lock(&walks.lock);
    while (walks.running > 0)
        pthread_cond_wait(&walks.ended, &walks.lock);
    pthread_mutex_unlock(&walks.lock);
    pthread_cond_destroy(&walks.ended);
    pthread_mutex_destroy(&walks.lock);
    *finished += walks.finished;
    return true;
}

/* One that cannot be ended stays behind: the next page begins after it. */
static bool recover_bucket(struct db *db, struct lanes *lanes, struct transfer_open_params *params, int64_t *finished,
                           struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    size_t count = PAGE;

    while (count == PAGE) {
        void *rows;
        arena_reset(&arena);
        if (!db_fetch(db, &transfer_find_open, params, &arena, &rows, &count, err))
            return false;
        if (count == 0)
            return true;
        const struct transfer_open_row *last = (const struct transfer_open_row *)rows + count - 1;
        params->after_at = last->sent_at;
        params->after_id = last->id;
        if (!walk_page(lanes, rows, count, &arena, finished, err))
            return false;
    }
    return true;
}

bool transfer_recover(struct db *db, struct lanes *lanes, int32_t buckets, int64_t older_than_us, int64_t *finished,
                      struct error *err)
{
    *finished = 0;
    for (int32_t bucket = 0; bucket < buckets; bucket++) {
        struct transfer_open_params params = { .bucket = bucket, .older_than_us = older_than_us, .limit = PAGE };
        if (!recover_bucket(db, lanes, &params, finished, err))
            return false;
    }
    return true;
}

/* The thread */

struct transfer_recovery {
    struct transfer_recovery_options options;
    char *conninfo;
    pthread_mutex_t lock; /* guards closing */
    pthread_cond_t wake;
    bool closing;
    pthread_t thread;
};

/* true when it is time to end. */
static bool rest(struct transfer_recovery *recovery)
{
    struct timespec until;
    bool closing;

    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + recovery->options.every_us % US_PER_SECOND * 1000;
    until.tv_sec += recovery->options.every_us / US_PER_SECOND + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&recovery->lock);
    while (!recovery->closing && pthread_cond_timedwait(&recovery->wake, &recovery->lock, &until) == 0)
        continue;
    closing = recovery->closing;
    pthread_mutex_unlock(&recovery->lock);
    return closing;
}

/* What cannot be done now is done the next time; the server's health says when the database is away. */
static void *recovery_main(void *argument)
{
    struct transfer_recovery *recovery = argument;
    const struct transfer_recovery_options *options = &recovery->options;
    struct db *db = NULL;

    while (!rest(recovery)) {
        struct error ignored;
        int64_t finished;
        bool there = db ? db_connected(db) || db_reconnect(db, &ignored) : db_open(recovery->conninfo, &db, &ignored);
        if (there &&
            !transfer_recover(db, options->lanes, options->buckets, options->older_than_us, &finished, &ignored))
            continue;
    }
    db_close(db);
    return NULL;
}

static void release(struct transfer_recovery *recovery)
{
    pthread_cond_destroy(&recovery->wake);
    pthread_mutex_destroy(&recovery->lock);
    free(recovery->conninfo);
    free(recovery);
}

bool transfer_recovery_open(const struct transfer_recovery_options *options, struct transfer_recovery **out,
                            struct error *err)
{
    struct transfer_recovery *recovery = calloc(1, sizeof *recovery);
    pthread_condattr_t monotonic;

    *out = NULL;
    if (!recovery || !(recovery->conninfo = strdup(options->conninfo))) {
        free(recovery);
        return error_set(err, REASON_INTERNAL, "out of memory");
    }
    recovery->options = *options;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&recovery->lock, NULL);
    pthread_cond_init(&recovery->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&recovery->thread, NULL, recovery_main, recovery) != 0) {
        release(recovery);
        return error_set(err, REASON_INTERNAL, "no thread for the recovery of transfers");
    }
    *out = recovery;
    return true;
}

void transfer_recovery_close(struct transfer_recovery *recovery)
{
    if (!recovery)
        return;
    pthread_mutex_lock(&recovery->lock);
    recovery->closing = true;
    pthread_cond_signal(&recovery->wake);
    pthread_mutex_unlock(&recovery->lock);
    pthread_join(recovery->thread, NULL);
    release(recovery);
}
