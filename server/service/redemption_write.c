/*
 * redemption_write.c -- what the writes of a redemption share, and confirm, cancel and reverse: shape in, a command to
 * the member's lane, its answer out as a receipt. Whether it may be done the lane decides.
 */
#include "service/redemption_handlers.h"

#include "base/text.h"
#include "engine/command.h"
#include "engine/lanes.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/office.h"
#include "service/shape.h"

#include <alliance/v1/redemption_service.pb-c.h>
#include <string.h>

static const struct uuid *redemption_of(const struct command *command)
{
    return command->kind == COMMAND_HOLD ? &command->request_id : &command->redemption_id;
}

/* Everything a receipt points to, so that it can be packed from the stack of a lane's thread. */
struct receipt {
    Alliance__V1__RedemptionReceipt message;
    Alliance__V1__Money gross, commission;
    Google__Protobuf__Timestamp time, lapse_time;
    char redemption_id[REDEMPTION_ID_TEXT], business_date[DATE_TEXT];
};

static void add_money(struct receipt *receipt, struct answer *answer)
{
    alliance__v1__money__init(&receipt->gross);
    alliance__v1__money__init(&receipt->commission);
    receipt->gross.currency_code = receipt->commission.currency_code = answer->currency;
    receipt->gross.amount_minor = answer->gross_minor;
    receipt->commission.amount_minor = answer->commission_minor;
    receipt->message.gross = &receipt->gross;
    receipt->message.commission = &receipt->commission;
}

static void write_receipt(struct receipt *receipt, struct command *command)
{
    struct answer *answer = &command->answer;

    alliance__v1__redemption_receipt__init(&receipt->message);
    redemption_id_format(redemption_of(command), command->hash16, receipt->redemption_id);
    date_format(answer->business_date, receipt->business_date);
    receipt->time = shape_timestamp(answer->time);
    receipt->message.redemption_id = receipt->redemption_id;
    receipt->message.state = (Alliance__V1__RedemptionState)answer->state;
    receipt->message.points = answer->points;
    receipt->message.spendable_points = answer->spendable;
    receipt->message.business_date = receipt->business_date;
    receipt->message.time = &receipt->time;
    if (command->kind == COMMAND_HOLD) {
        receipt->lapse_time = shape_timestamp(answer->lapse_at);
        receipt->message.lapse_time = &receipt->lapse_time;
    }
    if (answer->currency[0])
        add_money(receipt, answer);
}

/* On a lane's thread. The command lives in the call's arena: nothing of it is touched after the release. */
static void answer_call(struct command *command)
{
    struct call *call = command->owner;

    if (command->answer.reason == REASON_OK) {
        struct receipt receipt;
        write_receipt(&receipt, command);
        call_reply(call, &receipt.message.base);
    } else {
        struct error err;
        error_set(&err, command->answer.reason, "%s", command->answer.detail);
        call_fail(call, &err);
    }
    call_release(call);
}

struct command *redemption_command(struct call *call, const ProtobufCMessage *request, const char *request_id,
                                   struct error *err)
{
    struct command *command = arena_alloc(&call->arena, sizeof *command);

    if (!command) {
        error_set(err, REASON_INTERNAL, "out of memory");
        return NULL;
    }
    command->deadline_us = call->deadline_us;
    command->done = answer_call;
    command->owner = call;
    if (!check_request_id(request_id, clock_now(), &command->request_id, err) ||
        !shape_hash_call(call, request, command->content_hash, err))
        return NULL;
    return command;
}

bool redemption_submit(struct call *call, struct command *command, struct error *err)
{
    call_hold(call);
    if (lanes_submit(call->office->lanes, command, err))
        return true;
    call_release(call);
    return false;
}

bool redemption_parties(const struct reference *reference, const char *merchant_id, const char *bank_id,
                        const struct merchant **merchant, const struct bank **bank, struct error *err)
{
    *bank = reference_bank(reference, bank_id);
    *merchant = reference_merchant(reference, merchant_id);
    if (!*bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    return (*merchant && (*merchant)->programme_no == (*bank)->programme_no) ||
           error_field(err, REASON_MERCHANT_NOT_FOUND, "merchant_id", "%s", "");
}

/* A certificate of one store reaches that store's redemptions only; false when the merchant has no such store. */
bool redemption_reach(const struct call *call, const struct merchant *merchant, int32_t *store_no)
{
    const struct store_place *store = reference_store(merchant, call->principal.store_id);

    *store_no = store ? store->no : 0;
    return store || text_empty(call->principal.store_id);
}

/* Confirm, cancel and reverse name the redemption; the lane answers REDEMPTION_NOT_FOUND for another caller's. */
static bool aim(struct call *call, struct command *command, const char *redemption_id, struct error *err)
{
    if (!redemption_id_parse(redemption_id, &command->redemption_id, &command->hash16))
        return error_field(err, REASON_REDEMPTION_NOT_FOUND, "redemption_id", "%s", "");
    const struct reference *reference = reference_acquire(call->office->reference);
    const struct merchant *merchant = reference_merchant(reference, call->principal.id);
    bool reaches = merchant && redemption_reach(call, merchant, &command->store_no);
    if (reaches) {
        command->merchant_no = merchant->no;
        command->programme_no = merchant->programme_no;
    }
    reference_release(reference);
    return reaches || error_field(err, REASON_REDEMPTION_NOT_FOUND, "redemption_id", "%s", "");
}

static bool submit_operation(struct call *call, const ProtobufCMessage *request, enum command_kind kind,
                             const char *request_id, const char *redemption_id, int64_t points, struct error *err)
{
    if (!office_is_open(call->office, err))
        return false;
    struct command *command = redemption_command(call, request, request_id, err);
    if (!command || !check_points_or_all("points", points, err) || !aim(call, command, redemption_id, err))
        return false;
    command->kind = kind;
    command->part.points = points;
    return redemption_submit(call, command, err);
}

bool redemption_confirm_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ConfirmRedemptionRequest *asked = (const Alliance__V1__ConfirmRedemptionRequest *)request;

    return submit_operation(call, request, COMMAND_CONFIRM, asked->request_id, asked->redemption_id, asked->points,
                            err);
}

bool redemption_cancel_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__CancelRedemptionRequest *asked = (const Alliance__V1__CancelRedemptionRequest *)request;

    return submit_operation(call, request, COMMAND_CANCEL, asked->request_id, asked->redemption_id, 0, err);
}

bool redemption_reverse_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ReverseRedemptionRequest *asked = (const Alliance__V1__ReverseRedemptionRequest *)request;

    return submit_operation(call, request, COMMAND_REVERSE, asked->request_id, asked->redemption_id, asked->points,
                            err);
}
