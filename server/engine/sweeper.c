#include "engine/sweeper.h"

#include "domain/packed.h"
#include "domain/tier_review.h"
#include "engine/command.h"
#include "engine/exposure_watch.h"
#include "engine/lanes.h"
#include "engine/reference.h"
#include "engine/routine.h"
#include "io/clock.h"
#include "io/log.h"
#include "store/sweep_store.h"

#include <pthread.h>
#include <stdlib.h>

enum { NOTICES_AT_ONCE = 1024, PRUNED_AT_ONCE = 2 * SWEEP_CHUNK };

static const int32_t notice_days[] = { 30, 7, 1 }; /* the longest first */
static const int64_t turn_us = US_PER_SECOND / 10; /* until the next bucket is tried when another server has this one */
static const int64_t tidy_deadline_us = INT64_C(30) * US_PER_SECOND;

/* Tidying: a few commands are given to the lanes and waited for, then the next few. */

struct crew {
    pthread_mutex_t lock; /* guards working */
    pthread_cond_t home;
    size_t working;
};

static void come_home(struct command *command)
{
    struct crew *crew = command->owner;

    pthread_mutex_lock(&crew->lock);
    if (--crew->working == 0)
        pthread_cond_signal(&crew->home);
    pthread_mutex_unlock(&crew->lock);
}

static struct command tidy_command(const struct sweep_member *member, struct crew *crew)
{
    return (struct command){
        .kind = COMMAND_TIDY,
        .member_id = member->member_id,
        .hash16 = member_hash16(&member->member_id),
        .programme_no = member->programme_no,
        .bank_no = member->bank_no,
        .deadline_us = clock_monotonic_us() + tidy_deadline_us,
        .done = come_home,
        .owner = crew,
    };
}

/* What is wrong with one member must not stop the walk. */
static void say_failed(const struct uuid *member_id, struct sweep_done *done)
{
    done->failed++;
    LOG(LOG_ERROR, "sweep_failed", log_uuid("member", member_id));
}

static bool take_answer(const struct command *command, struct sweep_done *done, struct error *err)
{
    enum reason reason = command->answer.reason;

    done->tidied += reason == REASON_OK;
    if (reason == REASON_INTERNAL)
        say_failed(&command->member_id, done);
    return reason == REASON_OK || reason == REASON_INTERNAL || reason == REASON_MEMBER_NOT_FOUND ||
           error_set(err, reason, "%s", "");
}

/* At most SWEEP_OUTSTANDING members. */
static bool tidy_some(struct lanes *lanes, const struct sweep_member *const *members, size_t count,
                      struct sweep_done *done, struct error *err)
{
    struct crew crew = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, count };
    struct command commands[SWEEP_OUTSTANDING];
    size_t sent = 0;
    bool good = true;

    while (sent < count && good) {
        commands[sent] = tidy_command(members[sent], &crew);
        good = lanes_submit(lanes, &commands[sent], err);
        sent += good;
    }
    pthread_mutex_lock(&crew.lock);
    crew.working -= count - sent;
    while (crew.working > 0)
        pthread_cond_wait(&crew.home, &crew.lock);
    pthread_mutex_unlock(&crew.lock);
    pthread_cond_destroy(&crew.home);
    pthread_mutex_destroy(&crew.lock);
    for (size_t i = 0; i < sent; i++)
        good = take_answer(&commands[i], done, err) && good;
    return good;
}

/* A chunk */

struct chunk {
    struct db *db;
    struct lanes *lanes;
    int32_t bucket;
    struct sweep_claim claim;
    struct arena *arena; /* dies with the chunk */
    struct sweep_done *done;
};

/* A tier that is to be looked at by another version than it was: a new one, or the first that asks for spend. */
static bool is_to_review(const struct chunk *chunk, const struct reference *reference,
                         const struct sweep_member *member)
{
    if (member->status == MEMBER_CLOSED || (member->tier == 0 && member->reviewed_by == 0))
        return false;
    const struct bank *bank = reference_bank_no(reference, member->bank_no);
    const struct exchange_rules *rules = bank ? rules_in_force(bank->rules, bank->rules_count, chunk->claim.now) : NULL;
    return rules && rules->version != member->reviewed_by && tier_reviews(rules->set);
}

static bool is_due(const struct chunk *chunk, const struct reference *reference, const struct sweep_member *member)
{
    return member->programme_no == chunk->claim.programme_no &&
           (member->next_due.days <= chunk->claim.today.days || is_to_review(chunk, reference, member));
}

static bool tidy_all(struct chunk *chunk, const struct reference *reference, const struct sweep_member *members,
                     size_t count, struct error *err)
{
    const struct sweep_member *due[SWEEP_OUTSTANDING];
    size_t dues = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_due(chunk, reference, &members[i]))
            due[dues++] = &members[i];
        if (dues < SWEEP_OUTSTANDING && i + 1 < count)
            continue;
        if (!tidy_some(chunk->lanes, due, dues, chunk->done, err))
            return false;
        dues = 0;
    }
    return true;
}

static bool tidy_due(struct chunk *chunk, const struct sweep_member *members, size_t count, struct error *err)
{
    const struct reference *reference = reference_acquire(lanes_reference(chunk->lanes));
    bool good = tidy_all(chunk, reference, members, count, err);

    reference_release(reference);
    return good;
}

/* Notices on their way to the table. */
struct notices {
    struct sweep_notice at[NOTICES_AT_ONCE];
    size_t count;
};

static bool write_notices(struct chunk *chunk, struct notices *notices, struct error *err)
{
    int64_t written = 0;
    bool good = notices->count == 0 || sweep_store_notices(chunk->db, chunk->bucket, chunk->claim.today, notices->at,
                                                           notices->count, &written, err);

    chunk->done->noticed += written;
    notices->count = 0;
    return good;
}

/* The notices that are due for points which expire on that day. */
static void add_notices(const struct chunk *chunk, const struct sweep_lots *member, struct date expires_on,
                        int64_t points, struct notices *notices)
{
    int32_t days_left = expires_on.days - chunk->claim.today.days;

    for (size_t i = 0; i < COUNT(notice_days) && days_left > 0; i++) {
        if (days_left <= notice_days[i])
            notices->at[notices->count++] = (struct sweep_notice){
                .bank_no = member->bank_no,
                .member_id = member->member_id,
                .member_ref = member->member_ref,
                .expires_on = expires_on,
                .days_ahead = notice_days[i],
                .points = points,
            };
    }
}

static bool notice_member(struct chunk *chunk, const struct sweep_lots *member, struct notices *notices,
                          struct error *err)
{
    struct lots lots;

    if (!unpack_lots(member->lots.at, member->lots.size, &lots)) {
        say_failed(&member->member_id, chunk->done);
        return true;
    }
    for (size_t i = 0; i < lots.count;) {
        struct date expires_on = lots.at[i].expires_on;
        int64_t points = 0;
        for (; i < lots.count && lots.at[i].expires_on.days == expires_on.days; i++)
            points += lots.at[i].points; /* whoever pays for them */
        if (NOTICES_AT_ONCE - notices->count < COUNT(notice_days) && !write_notices(chunk, notices, err))
            return false;
        add_notices(chunk, member, expires_on, points, notices);
    }
    return true;
}

/* After tidying, so that what matured today is seen and what expired today is not. */
static bool notice_members(struct chunk *chunk, const struct uuid *last, struct error *err)
{
    struct date horizon = { chunk->claim.today.days + notice_days[0] };
    struct notices *notices = arena_alloc(chunk->arena, sizeof *notices);
    struct sweep_lots *members;
    size_t count;

    if (!notices)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!sweep_store_lots(chunk->db, chunk->bucket, &chunk->claim, last, horizon, chunk->arena, &members, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!notice_member(chunk, &members[i], notices, err))
            return false;
    }
    return write_notices(chunk, notices, err);
}

static bool walk_on(struct chunk *chunk, int32_t limit, struct error *err)
{
    struct sweep_claim *claim = &chunk->claim;
    struct sweep_member *members;
    size_t count;

    if (claim->finished) { /* with an earlier day */
        claim->business_date = claim->today;
        claim->after_member_id = (struct uuid){ { 0 } };
    }
    if (!sweep_store_members(chunk->db, chunk->bucket, &claim->after_member_id, limit, chunk->arena, &members, &count,
                             err))
        return false;
    chunk->done->walked = (int64_t)count;
    claim->finished = count < (size_t)limit;
    if (count > 0) {
        struct uuid last = members[count - 1].member_id;
        if (!tidy_due(chunk, members, count, err) || !notice_members(chunk, &last, err))
            return false;
        claim->after_member_id = last;
    }
    return sweep_store_prune(chunk->db, chunk->bucket, claim->programme_no,
                             (struct date){ claim->today.days - NOTICE_KEPT_DAYS }, PRUNED_AT_ONCE, err) &&
           sweep_store_move(chunk->db, chunk->bucket, claim, err);
}

static bool run_chunk(struct chunk *chunk, int32_t limit, struct error *err)
{
    if (!sweep_store_claim(chunk->db, chunk->bucket, &chunk->claim, &chunk->done->worked, err))
        return false;
    return !chunk->done->worked || walk_on(chunk, limit, err);
}

bool sweeper_run(struct db *db, struct lanes *lanes, int32_t bucket, int32_t limit, struct sweep_done *done,
                 struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct chunk chunk = { .db = db, .lanes = lanes, .bucket = bucket, .arena = &arena, .done = done };

    *done = (struct sweep_done){ 0 };
    if (!db_begin(db, err))
        return false;
    if (run_chunk(&chunk, limit, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    done->walked = done->noticed = 0; /* what was tidied stays so */
    return false;
}

/* The thread */

struct sweeper {
    struct sweeper_options options;
    struct routine *routine;
    int32_t next_bucket; /* the buckets take turns */
    int64_t watched_us;  /* when exposure limits were last looked at */
};

static void observe(struct sweeper *sweeper, const struct sweep_behind *behind, size_t count,
                    const struct sweep_done *done, int64_t warned)
{
    struct sweep_report report = { .done = *done, .buckets_behind = (int32_t)count, .warned = warned };

    for (size_t i = 0; i < count; i++)
        report.days_behind = behind[i].days > report.days_behind ? behind[i].days : report.days_behind;
    if (sweeper->options.observer)
        sweeper->options.observer(sweeper->options.observer_owner, &report);
}

static int32_t take_turn(struct sweeper *sweeper, const struct sweep_behind *behind, size_t count)
{
    int32_t bucket = behind[0].bucket;

    for (size_t i = 0; i < count; i++) {
        if (behind[i].bucket >= sweeper->next_bucket) {
            bucket = behind[i].bucket;
            break;
        }
    }
    sweeper->next_bucket = bucket + 1;
    return bucket;
}

/* Online calls come first: when the lanes are full the walk waits. */
static bool sweep_once(struct sweeper *sweeper, struct db *db, int32_t bucket, struct sweep_done *done,
                       int64_t *wait_us, struct error *err)
{
    int64_t rate = sweeper->options.members_per_second, began_us = clock_monotonic_us();
    int32_t limit = rate < SWEEP_CHUNK ? (int32_t)rate : SWEEP_CHUNK;

    *wait_us = SWEEP_POLL_US;
    if (!sweeper_run(db, sweeper->options.lanes, bucket, limit, done, err))
        return err->reason == REASON_OVERLOADED;
    *wait_us = turn_us;
    if (done->worked) {
        int64_t pause_us = done->walked * US_PER_SECOND / rate - (clock_monotonic_us() - began_us);
        *wait_us = pause_us > 0 ? pause_us : 0;
    }
    return true;
}

static bool watch_exposure(struct sweeper *sweeper, struct db *db, int64_t *warned, struct error *err)
{
    int64_t now_us = clock_monotonic_us();

    if (sweeper->watched_us != 0 && now_us - sweeper->watched_us < SWEEP_POLL_US)
        return true;
    sweeper->watched_us = now_us;
    return exposure_watch_run(db, warned, err);
}

static bool run(void *owner, struct db *db, int64_t *wait_us, struct error *err)
{
    struct sweeper *sweeper = owner;
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct sweep_done done = { 0 };
    struct sweep_behind *behind;
    int64_t warned = 0;
    size_t count;

    *wait_us = SWEEP_POLL_US;
    if (!watch_exposure(sweeper, db, &warned, err) || !sweep_store_behind(db, &arena, &behind, &count, err))
        return false;
    bool good = count == 0 || sweep_once(sweeper, db, take_turn(sweeper, behind, count), &done, wait_us, err);
    observe(sweeper, behind, count, &done, warned);
    return good;
}

bool sweeper_open(const struct sweeper_options *options, struct sweeper **out, struct error *err)
{
    struct sweeper *sweeper = calloc(1, sizeof *sweeper);
    const struct routine_options routine = { .name = "sweeper",
                                             .conninfo = options->conninfo,
                                             .session_sql = sweep_session_sql,
                                             .run = run,
                                             .owner = sweeper,
                                             .retry_us = SWEEP_POLL_US };

    *out = NULL;
    if (!sweeper)
        return error_set(err, REASON_INTERNAL, "out of memory");
    sweeper->options = *options;
    if (!routine_start(&routine, &sweeper->routine, err)) {
        free(sweeper);
        return false;
    }
    *out = sweeper;
    return true;
}

void sweeper_close(struct sweeper *sweeper)
{
    if (!sweeper)
        return;
    routine_stop(sweeper->routine);
    free(sweeper);
}
