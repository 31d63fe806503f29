/*
 * redemption_batch.c -- WriteRedemptions and StreamRedemptions: each write is checked by itself as its own rpc would,
 * and those that are right go to their lanes in the order they came in; the last verdict answers the message.
 *
 * A message's writes live in the call's arena, about 1 KiB each, until it is answered.
 */
#include "service/redemption_handlers.h"

#include "engine/lanes.h"
#include "io/clock.h"
#include "io/log.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"
#include "service/redemption_receipt.h"

#include <stdatomic.h>
#include <stdio.h>

typedef Alliance__V1__RedemptionWrite Write;
typedef Alliance__V1__RedemptionVerdict Verdict;

struct batch;

/* One write: its command and what will be said of it. */
struct write {
    struct command command;
    struct batch *batch;
    Verdict verdict;
    union {
        struct receipt receipt;                              /* done */
        char detail[ERROR_FIELD_MAX + ERROR_DETAIL_MAX + 4]; /* not done */
    };
};

/* One message. */
struct batch {
    struct call *call;
    void (*answer)(struct call *call, const ProtobufCMessage *message); /* call_reply or call_write */
    int64_t began_us;
    atomic_size_t undone; /* writes in lanes, and one for the handler until it has seen all writes */
    size_t count;
    struct write *writes;
    Verdict **verdicts;
};

/* One line a message: how many writes would be a line each if they had come alone. */
static void tell(const struct batch *batch)
{
    int64_t done = 0, again = 0;

    for (size_t i = 0; i < batch->count; i++) {
        done += batch->verdicts[i]->receipt != NULL;
        again += batch->verdicts[i]->retry;
    }
    LOG(LOG_INFO, "redemptions", log_text("principal", batch->call->principal.uri),
        log_int("writes", (int64_t)batch->count), log_int("done", done),
        log_int("refused", (int64_t)batch->count - done - again), log_int("retry", again),
        log_int("us", clock_monotonic_us() - batch->began_us));
}

/* The verdicts are packed before the answer returns; nothing in the arena is touched after it. */
static void done_one(struct batch *batch)
{
    struct call *call = batch->call;
    Alliance__V1__WriteRedemptionsResponse response = ALLIANCE__V1__WRITE_REDEMPTIONS_RESPONSE__INIT;

    if (atomic_fetch_sub(&batch->undone, 1) != 1)
        return;
    response.verdicts = batch->verdicts;
    response.n_verdicts = batch->count;
    tell(batch);
    batch->answer(call, &response.base);
    call_release(call);
}

static void refuse(struct write *write, const struct error *err)
{
    snprintf(write->detail, sizeof write->detail, "%s%s%s", err->field, err->field[0] ? ": " : "", error_text(err));
    write->verdict.detail = write->detail;
    write->verdict.reason = (char *)(uintptr_t)reason_name(err->reason);
    write->verdict.retry = reason_retryable(err->reason);
}

/* On a lane's thread. */
static void on_done(struct command *command)
{
    struct write *write = command->owner;
    struct error err;

    if (command->answer.reason == REASON_OK) {
        receipt_write(&write->receipt, command);
        write->verdict.receipt = &write->receipt.message;
    } else {
        error_set(&err, command->answer.reason, "%s", command->answer.detail);
        refuse(write, &err);
    }
    done_one(write->batch);
}

static bool fill(struct redemption_desk *desk, struct write *write, const Write *asked, struct error *err)
{
    const struct redemption_kind *kind = &redemption_kinds[asked->action_case];

    if (!kind->fill)
        return error_field(err, REASON_FIELD_INVALID, "action",
                           "must be one of hold, confirm, cancel, reverse, redeem and extend");
    return kind->fill(desk, kind, &asked->hold->base, &write->command, err);
}

static void submit(struct redemption_desk *desk, struct write *write, const Write *asked)
{
    struct batch *batch = write->batch;
    struct error err = { 0 };

    write->command.done = on_done;
    write->command.owner = write;
    if (!fill(desk, write, asked, &err)) {
        refuse(write, &err);
        return;
    }
    atomic_fetch_add(&batch->undone, 1);
    if (!lanes_submit(desk->call->office->lanes, &write->command, &err)) {
        refuse(write, &err);
        atomic_fetch_sub(&batch->undone, 1); /* never to 0: the handler's own is left */
    }
}

static struct batch *make(struct call *call, size_t count)
{
    struct batch *batch = arena_alloc(&call->arena, sizeof *batch);

    if (!batch)
        return NULL;
    batch->call = call;
    batch->began_us = clock_monotonic_us();
    batch->count = count;
    batch->writes = arena_alloc(&call->arena, count * sizeof *batch->writes);
    batch->verdicts = arena_alloc(&call->arena, count * sizeof(Verdict *));
    if (!batch->writes || !batch->verdicts)
        return NULL;
    atomic_init(&batch->undone, 1);
    for (size_t i = 0; i < count; i++) {
        batch->writes[i].batch = batch;
        alliance__v1__redemption_verdict__init(&batch->writes[i].verdict);
        batch->verdicts[i] = &batch->writes[i].verdict;
    }
    return batch;
}

static bool write_all(struct call *call, const Alliance__V1__WriteRedemptionsRequest *asked,
                      void (*answer)(struct call *call, const ProtobufCMessage *message), struct error *err)
{
    CLEANUP(redemption_close_desk) struct redemption_desk desk = { .call = call };

    if (!office_is_open(call->office, err))
        return false;
    if (asked->n_writes < 1 || asked->n_writes > WRITES_MAX)
        return error_field(err, REASON_FIELD_INVALID, "writes", "must be 1 to %d", WRITES_MAX);
    struct batch *batch = make(call, asked->n_writes);
    if (!batch)
        return errand_no_room(err);
    batch->answer = answer;
    call_hold(call);
    for (size_t i = 0; i < batch->count; i++)
        submit(&desk, &batch->writes[i], asked->writes[i]);
    done_one(batch);
    return true;
}

bool redemption_batch_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return write_all(call, (const Alliance__V1__WriteRedemptionsRequest *)request, call_reply, err);
}

bool redemption_stream_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    if (request)
        return write_all(call, (const Alliance__V1__WriteRedemptionsRequest *)request, call_write, err);
    call_finish(call);
    return true;
}
