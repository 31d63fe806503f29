/*
 * roster_close.c -- closes the members who are not on a full list, once all its rows are applied.
 */
#include "service/roster_work.h"

#include "base/limits.h"
#include "engine/reference.h"
#include "io/crypto.h"
#include "service/roster_crew.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 256 };

struct closing {
    struct roster_work *work;
    struct db *db;
    struct roster_batch *batch;
    struct arena arena;
    struct crew crew;
    struct roster_closing *rows;
    struct command *commands;
    size_t count;
};

static void release(struct closing *closing)
{
    crew_wait(&closing->crew, NULL, NULL);
    crew_release(&closing->crew);
    arena_release(&closing->arena);
}

/* The same batch names the same step, so that one that is done again gets its first answer. */
static struct command close_command(const struct roster_batch *batch, int32_t programme_no,
                                    const struct roster_closing *row)
{
    char step[40];
    struct command command = {
        .kind = COMMAND_CLOSE,
        .member_id = row->member_id,
        .programme_no = programme_no,
        .bank_no = batch->bank_no,
        .changed_by = batch->released_by[0] ? batch->released_by : batch->pushed_by,
        .batch_number = batch->batch_number,
    };

    snprintf(step, sizeof step, "roster close %" PRId64, batch->batch_number);
    command.request_id = command_transfer_step(&row->member_id, step);
    crypto_sha256(step, strlen(step), command.content_hash);
    return command;
}

static void renew(void *owner)
{
    struct closing *closing = owner;

    roster_work_renew(closing->work, closing->db, closing->batch);
}

static bool ask(struct closing *closing, struct error *err)
{
    const struct reference *reference = reference_acquire(closing->work->reference);
    const struct bank *bank = reference_bank_no(reference, closing->batch->bank_no);
    int32_t programme_no = bank ? bank->programme_no : 0;

    reference_release(reference);
    if (!programme_no)
        return error_set(err, REASON_TRY_AGAIN, "the bank is not known here yet");
    closing->commands = arena_alloc(&closing->arena, AT_ONCE * sizeof *closing->commands);
    if (!closing->commands)
        return error_set(err, REASON_INTERNAL, "no memory for closing members");
    for (size_t i = 0; i < closing->count; i++) {
        closing->commands[i] = close_command(closing->batch, programme_no, &closing->rows[i]);
        crew_send(&closing->crew, closing->work->lanes, &closing->commands[i]);
    }
    crew_wait(&closing->crew, renew, closing);
    return true;
}

/* A member that was closed meanwhile is as the list wants it. */
static bool take_answers(struct closing *closing, struct error *err)
{
    for (size_t i = 0; i < closing->count; i++) {
        enum reason reason = closing->commands[i].answer.reason;
        bool closed = reason == REASON_OK || reason == REASON_MEMBER_CLOSED;
        if (crew_is_passing(reason))
            return error_set(err, reason, "%s", "");
        closing->rows[i].reason = closed ? "" : reason_name(reason);
        closing->batch->closed += closed;
        closing->batch->close_refused += !closed;
    }
    return true;
}

static bool put(struct closing *closing, struct db *db, const struct roster_key *key, struct error *err)
{
    if (closing->count > 0 && !roster_put_closings(db, key, closing->rows, closing->count, err))
        return false;
    if (closing->count < AT_ONCE) {
        closing->batch->state = ROSTER_APPLIED;
        if (!roster_clear(db, key, true, ROSTER_KEPT, err))
            return false;
    }
    return roster_keep(db, closing->batch, &closing->work->lease, err);
}

bool roster_close(struct roster_work *work, struct db *db, struct roster_batch *batch, struct error *err)
{
    CLEANUP(release) struct closing closing = { .work = work, .db = db, .batch = batch };
    const struct roster_key key = { batch->bank_no, batch->batch_number };
    const struct uuid first = { { 0 } };

    crew_init(&closing.crew, &work->held_until_us);
    if (!roster_closings(db, &key, &first, true, AT_ONCE, &closing.arena, &closing.rows, &closing.count, err))
        return false;
    if (closing.count > 0 && (!ask(&closing, err) || !take_answers(&closing, err)))
        return false;
    if (!db_begin(db, err))
        return false;
    if (put(&closing, db, &key, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}
