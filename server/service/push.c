#include "service/push.h"

#include "base/text.h"
#include "engine/lanes.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"

#include <stdio.h>
#include <string.h>

/* The verdicts are packed before call_write returns; nothing in the arena is touched after it. */
void push_send(struct push *push)
{
    struct call *call = push->call;

    push->answer(call, push->verdicts, push->count);
    call_release(call);
}

static void done_one(struct push *push)
{
    if (atomic_fetch_sub(&push->undone, 1) != 1)
        return;
    if (push->finish)
        push->finish(push);
    else
        push_send(push);
}

static void refuse(struct push_row *row, enum reason reason, const char *field, const char *text)
{
    row->verdict.outcome = ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED;
    row->verdict.reason = (char *)(uintptr_t)reason_name(reason);
    snprintf(row->detail, sizeof row->detail, "%s%s%s", field, field[0] ? ": " : "", text);
    row->verdict.detail = row->detail;
}

/* On a lane's thread. */
static void on_done(struct command *command)
{
    struct push_row *row = command->owner;
    const struct answer *answer = &command->answer;

    if (answer->reason != REASON_OK) {
        refuse(row, answer->reason, "", answer->detail[0] ? answer->detail : reason_text(answer->reason));
    } else {
        row->verdict.outcome = (Alliance__V1__RowOutcome)answer->outcome;
        row->verdict.points = answer->points;
        snprintf(row->detail, sizeof row->detail, "%s", answer->detail);
        row->verdict.detail = row->detail;
    }
    done_one(row->push);
}

static struct push *make(struct call *call, size_t count, push_answer *answer)
{
    struct push *push = arena_alloc(&call->arena, sizeof *push);

    if (!push)
        return NULL;
    push->call = call;
    push->answer = answer;
    push->count = count;
    push->rows = arena_alloc(&call->arena, count * sizeof *push->rows);
    push->verdicts = arena_alloc(&call->arena, count * sizeof(Alliance__V1__RowVerdict *));
    atomic_init(&push->undone, 1);
    return push->rows && push->verdicts ? push : NULL;
}

static bool find_bank(struct push *push, const char *bank_id, struct error *err)
{
    const struct reference *reference = reference_acquire(push->call->office->reference);
    const struct bank *bank = reference_bank(reference, bank_id);

    if (bank) {
        push->bank_no = bank->no;
        push->programme_no = bank->programme_no;
        push->bank_id = bank_id;
    }
    reference_release(reference);
    return bank || error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
}

bool push_begin(struct call *call, const char *bank_id, size_t row_count, push_answer *answer, struct push **push,
                struct error *err)
{
    *push = NULL;
    if (!office_is_open(call->office, err) || !check_own(call, "bank_id", bank_id, err))
        return false;
    if (row_count < 1 || row_count > ROWS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "rows", "must be 1 to %d", ROWS_MAX);
    struct push *made = make(call, row_count, answer);
    if (!made)
        return errand_no_room(err);
    if (!find_bank(made, bank_id, err))
        return false;
    call_hold(call);
    *push = made;
    return true;
}

struct push_row *push_row(struct push *push, size_t index, int64_t row_number)
{
    struct push_row *row = &push->rows[index];

    row->push = push;
    alliance__v1__row_verdict__init(&row->verdict);
    row->verdict.row_number = row_number;
    push->verdicts[index] = &row->verdict;
    row->command.programme_no = push->programme_no;
    row->command.bank_no = push->bank_no;
    row->command.changed_by = push->call->principal.uri;
    row->command.deadline_us = push->call->deadline_us;
    row->command.done = on_done;
    row->command.owner = row;
    return row;
}

void push_submit(struct push_row *row)
{
    struct push *push = row->push;
    struct error err;

    row->command.hash16 = member_hash16(&row->command.member_id);
    atomic_fetch_add(&push->undone, 1);
    if (!lanes_submit(push->call->office->lanes, &row->command, &err)) {
        push_refuse(row, &err);
        done_one(push);
    }
}

void push_refuse(struct push_row *row, const struct error *err)
{
    refuse(row, err->reason, err->field, error_text(err));
}

void push_also(struct push *push)
{
    atomic_fetch_add(&push->undone, 1);
}

void push_end(struct push *push)
{
    done_one(push);
}
