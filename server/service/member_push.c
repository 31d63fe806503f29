/*
 * member_push.c -- PushMembers: each row is checked by itself, so that a wrong one does not hinder the others.
 *
 * A message without cards goes straight to the lanes. One with cards takes a clerk first, who claims them; and when
 * somebody's cards became others, one before the answer, who settles them (service/cards.h). What a clerk cannot settle
 * now is settled by the next push of the member: the verdicts are true all the same.
 */
#include "service/bank_handlers.h"

#include "engine/clerks.h"
#include "io/log.h"
#include "service/cards.h"
#include "service/errand.h"
#include "service/member_row.h"
#include "service/office.h"
#include "service/push.h"

#include <alliance/v1/bank_service.pb-c.h>

typedef Alliance__V1__PushMembersRequest Asked;

/* A push of members, in the call's arena. */
struct member_push {
    struct clerk_job job;
    struct push *push;
    struct command **commands; /* of the rows that were well-formed */
    struct push_row **rows;    /* theirs */
    size_t count;
    bool with_cards;
};

static void answer_members(struct call *call, Alliance__V1__RowVerdict **verdicts, size_t count)
{
    Alliance__V1__PushMembersResponse response = ALLIANCE__V1__PUSH_MEMBERS_RESPONSE__INIT;

    response.verdicts = verdicts;
    response.n_verdicts = count;
    call_write(call, &response.base);
}

static struct member_push *of_job(struct clerk_job *job)
{
    return (struct member_push *)(void *)job;
}

static int32_t buckets_of(struct member_push *members)
{
    const struct reference *reference = reference_acquire(members->push->call->office->reference);
    int32_t buckets = reference->buckets;

    reference_release(reference);
    return buckets;
}

static void log_unsettled(const struct error *err)
{
    LOG(LOG_WARN, "cards are not settled", log_text("detail", error_text(err)));
}

static void settle(struct clerk_job *job, struct db *db, struct error *err)
{
    struct member_push *members = of_job(job);

    if (!db || !cards_settle(db, buckets_of(members), members->push->bank_id, members->commands, members->count, err))
        log_unsettled(err);
    push_send(members->push);
}

static void finish(struct push *push)
{
    struct member_push *members = push->owner;
    struct error err = { 0 };
    bool unsettled = false;

    for (size_t i = 0; !unsettled && i < members->count; i++)
        unsettled = cards_unsettled(members->commands[i]);
    if (!unsettled) {
        push_send(push);
        return;
    }
    members->job = (struct clerk_job){ .run = settle };
    if (clerks_submit(push->call->office->clerks, &members->job, &err))
        return;
    log_unsettled(&err);
    push_send(push);
}

static void submit_all(struct member_push *members)
{
    for (size_t i = 0; i < members->count; i++) {
        const struct answer *answer = &members->commands[i]->answer;
        struct error wrong = { .reason = answer->reason };
        if (answer->reason == REASON_OK) {
            push_submit(members->rows[i]);
            continue;
        }
        error_set(&wrong, answer->reason, "%s", answer->detail);
        push_refuse(members->rows[i], &wrong);
    }
}

static void refuse_all(struct member_push *members, const struct error *err)
{
    for (size_t i = 0; i < members->count; i++) {
        members->commands[i]->answer = (struct answer){ .reason = err->reason, .outcome = OUTCOME_REFUSED };
        push_refuse(members->rows[i], err);
    }
}

static void claim(struct clerk_job *job, struct db *db, struct error *err)
{
    struct member_push *members = of_job(job);
    const struct error inside = { .reason = REASON_INTERNAL };

    if (db && cards_claim(db, buckets_of(members), members->push->bank_id, members->commands, members->count, err)) {
        submit_all(members);
    } else {
        LOG(LOG_WARN, "cards are not claimed", log_text("detail", error_text(err)));
        refuse_all(members, err->reason == REASON_INTERNAL ? &inside : err);
    }
    push_end(members->push);
}

/* Rows with cards wait for a clerk, and so do the others of their message: their order is kept. */
static void begin(struct member_push *members)
{
    struct push *push = members->push;
    struct error err = { 0 };

    push->owner = members;
    push->finish = finish;
    if (!members->with_cards) {
        submit_all(members);
        return;
    }
    members->job = (struct clerk_job){ .run = claim };
    push_also(push);
    if (clerks_submit(push->call->office->clerks, &members->job, &err))
        return;
    refuse_all(members, &err);
    push_end(push);
}

static void take_row(struct member_push *members, struct push_row *row, const Alliance__V1__Member *member)
{
    struct call *call = members->push->call;
    struct error wrong = { 0 };

    if (!member_row_check(member, &wrong) ||
        !(member_row_command(&row->command, member, members->push->bank_id, call->office->data_key, &call->arena) ||
          errand_no_room(&wrong))) {
        push_refuse(row, &wrong);
        return;
    }
    members->with_cards |= row->command.member.profile->card_count > 0;
    members->rows[members->count] = row;
    members->commands[members->count++] = &row->command;
}

static struct member_push *make(struct push *push)
{
    struct arena *arena = &push->call->arena;
    struct member_push *members = arena_alloc(arena, sizeof *members);

    if (!members)
        return NULL;
    members->push = push;
    members->commands = arena_alloc(arena, push->count * sizeof *members->commands);
    members->rows = arena_alloc(arena, push->count * sizeof *members->rows);
    return members->commands && members->rows ? members : NULL;
}

bool bank_push_members(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;
    struct push *push;

    if (!asked) {
        call_finish(call);
        return true;
    }
    if (!push_begin(call, asked->bank_id, asked->n_rows, answer_members, &push, err))
        return false;
    struct member_push *members = make(push);
    for (size_t i = 0; i < asked->n_rows; i++) {
        struct push_row *row = push_row(push, i, asked->rows[i]->row_number);
        struct error full = { 0 };
        if (members) {
            take_row(members, row, asked->rows[i]->member);
        } else {
            errand_no_room(&full);
            push_refuse(row, &full);
        }
    }
    if (members)
        begin(members);
    push_end(push);
    return true;
}
