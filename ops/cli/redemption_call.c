#include "redemption_call.h"

#include "advice.h"
#include "backoff.h"

#include <stdio.h>
#include <string.h>

typedef Alliance__V1__RedemptionWrite Write;
typedef Alliance__V1__RedemptionVerdict Verdict;
typedef Alliance__V1__WriteRedemptionsRequest Writes;
typedef Alliance__V1__WriteRedemptionsResponse Verdicts;

/* The calls, and which of them are not answered yet. */
struct sending {
    const struct redemption_sender *sender;
    const struct redemption_call *calls;
    struct redemption_answer *answers;
};

static char *unowned(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* Requests */

/* A write with room for each kind of request; the action says which is sent. */
struct room {
    Write write;
    union {
        Alliance__V1__HoldRedemptionRequest hold;
        Alliance__V1__ConfirmRedemptionRequest confirm;
        Alliance__V1__CancelRedemptionRequest cancel;
        Alliance__V1__ReverseRedemptionRequest reverse;
    };
    char request_id[UUID_TEXT];
};

static void fill_hold(struct room *room, const struct redemption_call *call)
{
    const struct batch_row *row = call->hold;

    alliance__v1__hold_redemption_request__init(&room->hold);
    room->hold.request_id = room->request_id;
    room->hold.merchant_id = unowned(row->merchant_id);
    room->hold.store_id = unowned(row->store_id);
    room->hold.bank_id = unowned(row->bank_id);
    room->hold.member_ref = unowned(row->member_ref);
    room->hold.goods_id = unowned(row->goods_id);
    room->hold.card_token = unowned(row->card_token);
    room->hold.points = row->points;
    room->hold.ship_to = *row->goods_id ? call->ship_to : NULL;
    room->write.action_case = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_HOLD;
    room->write.hold = &room->hold;
}

/* The same request, done in one step. */
static void fill_redeem(struct room *room, const struct redemption_call *call)
{
    fill_hold(room, call);
    room->write.action_case = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_REDEEM;
    room->write.redeem = &room->hold;
}

static void fill_confirm(struct room *room, const struct redemption_call *call)
{
    alliance__v1__confirm_redemption_request__init(&room->confirm);
    room->confirm.request_id = room->request_id;
    room->confirm.redemption_id = unowned(call->hold->redemption_id);
    room->confirm.points = call->row->points;
    room->write.action_case = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_CONFIRM;
    room->write.confirm = &room->confirm;
}

static void fill_cancel(struct room *room, const struct redemption_call *call)
{
    alliance__v1__cancel_redemption_request__init(&room->cancel);
    room->cancel.request_id = room->request_id;
    room->cancel.redemption_id = unowned(call->hold->redemption_id);
    room->write.action_case = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_CANCEL;
    room->write.cancel = &room->cancel;
}

static void fill_reverse(struct room *room, const struct redemption_call *call)
{
    alliance__v1__reverse_redemption_request__init(&room->reverse);
    room->reverse.request_id = room->request_id;
    room->reverse.redemption_id = unowned(call->hold->redemption_id);
    room->reverse.points = call->row->points;
    room->write.action_case = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_REVERSE;
    room->write.reverse = &room->reverse;
}

static void (*const fills[BATCH_ACTIONS])(struct room *room, const struct redemption_call *call) = {
    [BATCH_HOLD] = fill_hold,     [BATCH_REDEEM] = fill_redeem,   [BATCH_CONFIRM] = fill_confirm,
    [BATCH_CANCEL] = fill_cancel, [BATCH_REVERSE] = fill_reverse,
};

/* NULL when there is no memory. */
static Writes *make_request(const struct sending *sending, const size_t *which, size_t count, struct arena *arena)
{
    Writes *request = arena_alloc(arena, sizeof *request);
    struct room *rooms = arena_alloc(arena, count * sizeof *rooms);

    if (!request || !rooms)
        return NULL;
    alliance__v1__write_redemptions_request__init(request);
    request->writes = arena_alloc(arena, count * sizeof(void *));
    for (; request->writes && request->n_writes < count; request->n_writes++) {
        const struct redemption_call *call = &sending->calls[which[request->n_writes]];
        struct room *room = &rooms[request->n_writes];
        alliance__v1__redemption_write__init(&room->write);
        uuid_format(&call->request_id, room->request_id);
        fills[call->row->action](room, call);
        request->writes[request->n_writes] = &room->write;
    }
    return request->writes ? request : NULL;
}

/* Answers */

void redemption_refused(struct redemption_answer *answer, const char *reason, const char *detail)
{
    answer->outcome = REDEMPTION_REFUSED;
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
    snprintf(answer->detail, sizeof answer->detail, "%s", detail);
}

static void failed(struct redemption_answer *answer, const struct client_status *status)
{
    answer->outcome = REDEMPTION_FAILED;
    answer->failure = *status;
}

static void fail_all(const struct sending *sending, const size_t *which, size_t count,
                     const struct client_status *status)
{
    for (size_t i = 0; i < count; i++)
        failed(&sending->answers[which[i]], status);
}

static void done(struct redemption_answer *answer, const Alliance__V1__RedemptionReceipt *receipt)
{
    answer->outcome = REDEMPTION_DONE;
    answer->points = receipt->points;
    snprintf(answer->redemption_id, sizeof answer->redemption_id, "%s", receipt->redemption_id);
    snprintf(answer->reason, sizeof answer->reason, "OK");
}

/*
 * A refusal is of this row. What no other row would be spared of either (a certificate, a method, a server that cannot
 * be reached or is broken) stops the run.
 */
static bool is_refusal(int code)
{
    static const int refusals[] = { STATUS_INVALID_ARGUMENT,    STATUS_NOT_FOUND,    STATUS_ALREADY_EXISTS,
                                    STATUS_FAILED_PRECONDITION, STATUS_OUT_OF_RANGE, STATUS_PERMISSION_DENIED };

    for (size_t i = 0; i < COUNT(refusals); i++) {
        if (code == refusals[i])
            return true;
    }
    return false;
}

/* What the verdict would have been as the status of a call. A reason we do not know is taken for a refusal. */
static struct client_status status_of(const Verdict *verdict)
{
    enum reason reason = reason_by_name(verdict->reason);
    struct client_status status = { .retry_ms = -1 };

    status.code = verdict->retry ? STATUS_UNAVAILABLE
                                 : (int)(reason < REASON_COUNT ? reason_status(reason) : STATUS_FAILED_PRECONDITION);
    snprintf(status.reason, sizeof status.reason, "%s", verdict->reason);
    snprintf(status.message, sizeof status.message, "%s", verdict->detail);
    return status;
}

/* Leaves in `which` what is to be repeated, and says why in *status. */
static size_t take_verdicts(const struct sending *sending, size_t *which, size_t count, const Verdicts *response,
                            struct client_status *status)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        const Verdict *verdict = response->verdicts[i];
        struct redemption_answer *answer = &sending->answers[which[i]];
        if (verdict->receipt) {
            done(answer, verdict->receipt);
            continue;
        }
        struct client_status said = status_of(verdict);
        if (verdict->retry) {
            *status = said;
            which[left++] = which[i];
        } else if (is_refusal(said.code))
            redemption_refused(answer, verdict->reason, verdict->detail);
        else
            failed(answer, &said);
    }
    return left;
}

/* One attempt. false when the call as a whole came to nothing. */
static bool attempt_all(const struct sending *sending, size_t *which, size_t *count, struct client_status *status)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    Writes *request = make_request(sending, which, *count, &arena);
    ProtobufCMessage *reply;

    *status = (struct client_status){ .code = STATUS_INTERNAL, .message = "out of memory", .retry_ms = -1 };
    if (!request ||
        !client_call_status(sending->sender->client, &alliance__v1__redemption_service__descriptor, "WriteRedemptions",
                            &request->base, sending->sender->timeout_ms, &arena, &reply, status))
        return false;
    const Verdicts *response = (const Verdicts *)reply;
    if (response->n_verdicts == *count) {
        *count = take_verdicts(sending, which, *count, response, status);
        return true;
    }
    *status = (struct client_status){ .code = STATUS_INTERNAL, .retry_ms = -1 };
    snprintf(status->message, sizeof status->message, "%zu rows were sent and %zu verdicts came back", *count,
             response->n_verdicts);
    return false;
}

static void send_all(const struct sending *sending, size_t *which, size_t count);

/* Somewhere in it is a row that no message can have: text that is not UTF-8, or far too long. The others are spared. */
static void send_halves(const struct sending *sending, size_t *which, size_t count, const struct client_status *status)
{
    if (count == 1) {
        redemption_refused(&sending->answers[which[0]], status->reason, status->message);
        return;
    }
    send_all(sending, which, count / 2);
    send_all(sending, which + count / 2, count - count / 2);
}

static void send_all(const struct sending *sending, size_t *which, size_t count)
{
    struct client_status status;

    for (int attempt = 0; count > 0; attempt++) {
        size_t before = count;
        bool answered = attempt_all(sending, which, &count, &status);
        if (count == 0)
            return;
        if (!answered && *status.reason &&
            (is_refusal(status.code) || strcmp(status.reason, reason_name(REASON_MESSAGE_TOO_LARGE)) == 0)) {
            send_halves(sending, which, count, &status);
            return;
        }
        if (count < before)
            attempt = 0;
        if (!advice_may_repeat(status.code) || attempt >= sending->sender->attempts) {
            fail_all(sending, which, count, &status);
            return;
        }
        backoff_wait(attempt, status.retry_ms);
    }
}

void redemption_call(const struct redemption_sender *sender, const struct redemption_call *calls,
                     struct redemption_answer *answers, size_t count)
{
    struct sending sending = { sender, calls, answers };
    size_t which[REDEMPTION_CALL_ROWS], left = 0;

    for (size_t i = 0; i < count; i++) {
        if (calls[i].hold->redemption_id || batch_makes(calls[i].row->action))
            which[left++] = i;
        else
            redemption_refused(&answers[i], reason_name(REASON_REDEMPTION_NOT_FOUND),
                               "the hold of this key was refused");
    }
    send_all(&sending, which, left);
}
