#include "redemption_call.h"

#include "advice.h"
#include "backoff.h"

#include <stdio.h>
#include <string.h>

static char *unowned(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* The four requests; each is filled whatever the action, one is sent. */
struct requests {
    Alliance__V1__HoldRedemptionRequest hold;
    Alliance__V1__ConfirmRedemptionRequest confirm;
    Alliance__V1__CancelRedemptionRequest cancel;
    Alliance__V1__ReverseRedemptionRequest reverse;
};

static void fill_hold(Alliance__V1__HoldRedemptionRequest *request, const struct redemption_call *call)
{
    const struct batch_row *row = call->hold;

    alliance__v1__hold_redemption_request__init(request);
    request->merchant_id = unowned(row->merchant_id);
    request->store_id = unowned(row->store_id);
    request->bank_id = unowned(row->bank_id);
    request->member_ref = unowned(row->member_ref);
    request->goods_id = unowned(row->goods_id);
    request->points = row->points;
    request->ship_to = *row->goods_id ? call->ship_to : NULL;
}

static void fill(struct requests *requests, const struct redemption_call *call, char *request_id)
{
    char *redemption_id = unowned(call->hold->redemption_id ? call->hold->redemption_id : "");

    fill_hold(&requests->hold, call);
    requests->hold.request_id = request_id;
    alliance__v1__confirm_redemption_request__init(&requests->confirm);
    requests->confirm.request_id = request_id;
    requests->confirm.redemption_id = redemption_id;
    requests->confirm.points = call->row->points;
    alliance__v1__cancel_redemption_request__init(&requests->cancel);
    requests->cancel.request_id = request_id;
    requests->cancel.redemption_id = redemption_id;
    alliance__v1__reverse_redemption_request__init(&requests->reverse);
    requests->reverse.request_id = request_id;
    requests->reverse.redemption_id = redemption_id;
    requests->reverse.points = call->row->points;
}

void redemption_refused(struct redemption_answer *answer, const char *reason, const char *detail)
{
    answer->outcome = REDEMPTION_REFUSED;
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
    snprintf(answer->detail, sizeof answer->detail, "%s", detail);
}

static void take_receipt(struct redemption_answer *answer, const ProtobufCMessage *reply)
{
    const Alliance__V1__RedemptionReceipt *receipt = (const Alliance__V1__RedemptionReceipt *)reply;

    answer->outcome = REDEMPTION_DONE;
    answer->points = receipt->points;
    snprintf(answer->redemption_id, sizeof answer->redemption_id, "%s", receipt->redemption_id);
    snprintf(answer->reason, sizeof answer->reason, "OK");
}

/*
 * A refusal is of this row. What no other row would be spared of either (a certificate, a method, a server that cannot
 * be reached or is broken) stops the run.
 */
static bool is_refusal(const struct client_status *status)
{
    static const int refusals[] = { STATUS_INVALID_ARGUMENT,    STATUS_NOT_FOUND,    STATUS_ALREADY_EXISTS,
                                    STATUS_FAILED_PRECONDITION, STATUS_OUT_OF_RANGE, STATUS_PERMISSION_DENIED };

    for (size_t i = 0; i < COUNT(refusals); i++) {
        if (status->code == refusals[i])
            return *status->reason != '\0';
    }
    return false;
}

static void take_failure(struct redemption_answer *answer, const struct client_status *status)
{
    if (is_refusal(status)) {
        redemption_refused(answer, status->reason, status->message);
        return;
    }
    answer->outcome = REDEMPTION_FAILED;
    answer->failure = *status;
}

void redemption_call(const struct redemption_call *call, struct client *client, struct redemption_answer *answer)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client_status status;
    struct requests requests;
    ProtobufCMessage *reply;
    char request_id[UUID_TEXT];
    const struct {
        const char *method;
        const ProtobufCMessage *request;
    } by_action[BATCH_ACTIONS] = {
        [BATCH_HOLD] = { "HoldRedemption", &requests.hold.base },
        [BATCH_CONFIRM] = { "ConfirmRedemption", &requests.confirm.base },
        [BATCH_CANCEL] = { "CancelRedemption", &requests.cancel.base },
        [BATCH_REVERSE] = { "ReverseRedemption", &requests.reverse.base },
    };

    if (!call->hold->redemption_id && call->row->action != BATCH_HOLD) {
        redemption_refused(answer, reason_name(REASON_REDEMPTION_NOT_FOUND), "the hold of this key was refused");
        return;
    }
    uuid_format(&call->request_id, request_id);
    fill(&requests, call, request_id);
    for (int attempt = 0;; attempt++) {
        if (client_call_status(client, &alliance__v1__redemption_service__descriptor,
                               by_action[call->row->action].method, by_action[call->row->action].request,
                               call->timeout_ms, &arena, &reply, &status)) {
            take_receipt(answer, reply);
            return;
        }
        if (!advice_may_repeat(status.code) || attempt >= call->attempts) {
            take_failure(answer, &status);
            return;
        }
        backoff_wait(attempt, status.retry_ms);
    }
}
