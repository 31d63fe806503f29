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

/* What is worked on: a bucket at a time. */
struct recovering {
    struct db *db;
    struct lanes *lanes;
    struct arena *arena;
    int32_t buckets, bucket;
};

/* A page of walks under way at once; the thread that began them waits for the last, and moves cards meanwhile. */
struct walks {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t running, to_move_count;
    struct walk *to_move[PAGE]; /* stand between their RECEIVE and their SETTLE */
    int64_t finished;
};

struct walk {
    struct transfer transfer;
    struct split_order split;
    struct member_profile profile; /* of the receiver of a split */
    const char *bank_id;
};

static void on_done(struct transfer *transfer)
{
    struct walks *walks = transfer->owner;

    pthread_mutex_lock(&walks->lock);
    walks->finished += transfer->ended;
    if (--walks->running == 0)
        pthread_cond_signal(&walks->changed);
    pthread_mutex_unlock(&walks->lock);
}

static void on_cards(struct transfer *transfer)
{
    struct walks *walks = transfer->owner;

    pthread_mutex_lock(&walks->lock);
    walks->to_move[walks->to_move_count++] = (struct walk *)(void *)transfer;
    pthread_cond_signal(&walks->changed);
    pthread_mutex_unlock(&walks->lock);
}

static bool read_mac(const struct bytes *stored, uint8_t mac[32], bool *there)
{
    *there = stored->size == 32;
    if (*there)
        memcpy(mac, stored->at, stored->size);
    return *there || stored->size == 0;
}

/* The receiver as it was to be; false when the row cannot be read. */
static bool take_split(const struct split_row *row, const struct transfer_open_row *of, struct walk *walk)
{
    struct member_profile *profile = &walk->profile;

    *profile = (struct member_profile){ .tokens = row->card_tokens.at,
                                        .card_count = row->card_tokens.count,
                                        .sealed = row->sealed.at,
                                        .sealed_size = row->sealed.size,
                                        .facts = row->facts,
                                        .hash = row->profile_hash.at };
    walk->split = (struct split_order){ .to_member_ref = of->to_member_ref, .changed_by = row->changed_by };
    walk->split.into = (struct member_order){ .has_tier = true, .tier = row->tier, .profile = profile };
    walk->split.into.credit = (struct credit_wish){
        row->by_tier,
        row->credit_limit,
        { .points = row->temporary_points, .first = row->temporary_first, .last = row->temporary_last }
    };
    walk->transfer.split = &walk->split;
    walk->bank_id = of->bank_id;
    return row->profile_hash.size == sizeof profile->sealed_mac && profile->card_count <= CARD_TOKENS_MAX &&
           read_mac(&row->phone_mac, profile->phone_mac, &profile->has_phone) &&
           read_mac(&row->email_mac, profile->email_mac, &profile->has_email);
}

/* *there: it is no split, or its row could be read. */
static bool read_split(struct db *db, int32_t bucket, const struct transfer_open_row *row, struct arena *arena,
                       struct walk *walk, bool *there, struct error *err)
{
    const struct transfer_split_params params = { bucket, row->id };
    struct split_row split;
    bool found = false;

    *there = true;
    if (row->split && !db_fetch_one(db, &transfer_find_split, &params, arena, &split, &found, err))
        return false;
    if (row->split)
        *there = found && take_split(&split, row, walk);
    return true;
}

static bool read_row(const struct transfer_open_row *row, struct lanes *lanes, struct walks *walks, struct walk *walk)
{
    struct transfer *transfer = &walk->transfer;

    *transfer = (struct transfer){
        .lanes = lanes,
        .id = row->id,
        .from_member_id = row->from_member_id,
        .to_member_id = row->to_member_id,
        .programme_no = row->programme_no,
        .bank_no = row->bank_no,
        .parcel = { .credit = row->credit, .status_before = row->status_before, .merge = row->merge },
        .move_cards = on_cards,
        .done = on_done,
        .owner = walks,
    };
    return unpack_lots(row->lots.at, row->lots.size, &transfer->parcel.lots) &&
           unpack_pending(row->pending_lots.at, row->pending_lots.size, &transfer->parcel.pending_lots);
}

static struct walk *next_to_move(struct walks *walks)
{
    struct walk *walk = NULL;

    pthread_mutex_lock(&walks->lock);
    while (walks->running > 0 && walks->to_move_count == 0)
        pthread_cond_wait(&walks->changed, &walks->lock);
    if (walks->to_move_count > 0)
        walk = walks->to_move[--walks->to_move_count];
    pthread_mutex_unlock(&walks->lock);
    return walk;
}

/* Until all have ended, or broken off. */
static void walk_all(struct walks *walks, struct db *db, int32_t buckets)
{
    struct walk *walk;
    struct error err;

    while ((walk = next_to_move(walks)) != NULL) {
        bool moved = transfer_move_cards(&walk->transfer, db, buckets, walk->bank_id, &err);
        transfer_go_on(&walk->transfer, moved ? NULL : &err);
    }
}

/* A row that cannot be read is for `alliance ledger verify` to find; the others do not wait for it. */
static bool walk_page(const struct recovering *on, const struct transfer_open_row *rows, size_t count,
                      int64_t *finished, struct error *err)
{
    struct walks walks = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    struct walk *all = arena_alloc(on->arena, count * sizeof *all);

    if (!all)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct walk *walk = &all[walks.running];
        bool there;
        if (!read_row(&rows[i], on->lanes, &walks, walk))
            continue;
        if (!read_split(on->db, on->bucket, &rows[i], on->arena, walk, &there, err))
            return false;
        walks.running += there;
    }
    for (size_t i = 0, readable = walks.running; i < readable; i++)
        transfer_resume(&all[i].transfer);
    walk_all(&walks, on->db, on->buckets);
    pthread_cond_destroy(&walks.changed);
    pthread_mutex_destroy(&walks.lock);
    *finished += walks.finished;
    return true;
}

/* One that cannot be ended stays behind: the next page begins after it. */
static bool recover_bucket(const struct recovering *on, struct transfer_open_params *params, int64_t *finished,
                           struct error *err)
{
    size_t count = PAGE;

    while (count == PAGE) {
        void *rows;
        arena_reset(on->arena);
        if (!db_fetch(on->db, &transfer_find_open, params, on->arena, &rows, &count, err))
            return false;
        if (count == 0)
            return true;
        const struct transfer_open_row *last = (const struct transfer_open_row *)rows + count - 1;
        params->after_at = last->sent_at;
        params->after_id = last->id;
        if (!walk_page(on, rows, count, finished, err))
            return false;
    }
    return true;
}

bool transfer_recover(struct db *db, struct lanes *lanes, int32_t buckets, int64_t older_than_us, int64_t *finished,
                      struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };

    *finished = 0;
    for (int32_t bucket = 0; bucket < buckets; bucket++) {
        const struct recovering on = { db, lanes, &arena, buckets, bucket };
        struct transfer_open_params params = { .bucket = bucket, .older_than_us = older_than_us, .limit = PAGE };
        if (!recover_bucket(&on, &params, finished, err))
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
