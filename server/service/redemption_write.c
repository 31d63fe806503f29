/*
 * redemption_write.c -- what the writes of a redemption share, and confirm, cancel, reverse and extend: shape in, a
 * command to the member's lane, its answer out as a receipt. Whether it may be done the lane decides.
 */
#include "service/redemption_handlers.h"

#include "base/text.h"
#include "engine/lanes.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"
#include "service/redemption_receipt.h"
#include "service/shape.h"

typedef Alliance__V1__ConfirmRedemptionRequest Confirm;
typedef Alliance__V1__CancelRedemptionRequest Cancel;
typedef Alliance__V1__ReverseRedemptionRequest Reverse;
typedef Alliance__V1__ExtendHoldRequest Extend;

static const int64_t LAPSE_MIN_US = US_PER_SECOND;
static const int64_t LAPSE_MAX_US = INT64_C(30) * 86400 * US_PER_SECOND;

/* What writes share */

const struct reference *redemption_reference(struct redemption_desk *desk)
{
    if (!desk->reference)
        desk->reference = reference_acquire(desk->call->office->reference);
    return desk->reference;
}

void redemption_close_desk(struct redemption_desk *desk)
{
    if (desk->reference)
        reference_release(desk->reference);
    desk->reference = NULL;
}

bool redemption_begin(struct redemption_desk *desk, const struct redemption_kind *kind, const ProtobufCMessage *request,
                      const char *request_id, struct command *command, struct error *err)
{
    command->kind = kind->command;
    command->deadline_us = desk->call->deadline_us;
    return check_request_id(request_id, clock_now(), &command->request_id, err) &&
           shape_hash_as(desk->call, kind->method, request, command->content_hash, err);
}

bool redemption_check_lapse(const Google__Protobuf__Duration *lapse_after, int64_t *out_us, struct error *err)
{
    return check_duration("lapse_after", lapse_after, LAPSE_MIN_US, LAPSE_MAX_US, out_us, err);
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

/* These name the redemption; the lane answers REDEMPTION_NOT_FOUND for another caller's. */
static bool aim(struct redemption_desk *desk, struct command *command, const char *redemption_id, struct error *err)
{
    const struct call *call = desk->call;

    if (!redemption_id_parse(redemption_id, &command->redemption_id, &command->hash16))
        return error_field(err, REASON_REDEMPTION_NOT_FOUND, "redemption_id", "%s", "");
    const struct merchant *merchant = reference_merchant(redemption_reference(desk), call->principal.id);
    if (!merchant || !redemption_reach(call, merchant, &command->store_no))
        return error_field(err, REASON_REDEMPTION_NOT_FOUND, "redemption_id", "%s", "");
    command->merchant_no = merchant->no;
    command->programme_no = merchant->programme_no;
    return true;
}

/* The kinds */

static bool fill_confirm(struct redemption_desk *desk, const struct redemption_kind *kind,
                         const ProtobufCMessage *request, struct command *command, struct error *err)
{
    const Confirm *asked = (const Confirm *)request;

    command->part.points = asked->points;
    return redemption_begin(desk, kind, request, asked->request_id, command, err) &&
           check_points_or_all("points", asked->points, err) && aim(desk, command, asked->redemption_id, err);
}

static bool fill_cancel(struct redemption_desk *desk, const struct redemption_kind *kind,
                        const ProtobufCMessage *request, struct command *command, struct error *err)
{
    const Cancel *asked = (const Cancel *)request;

    return redemption_begin(desk, kind, request, asked->request_id, command, err) &&
           aim(desk, command, asked->redemption_id, err);
}

static bool fill_reverse(struct redemption_desk *desk, const struct redemption_kind *kind,
                         const ProtobufCMessage *request, struct command *command, struct error *err)
{
    const Reverse *asked = (const Reverse *)request;

    if (!text_empty(asked->line_id) && !text_is_ref(asked->line_id, LINE_ID_MAX, "_-"))
        return error_field(err, REASON_FIELD_INVALID, "line_id",
                           "must be at most %d letters, digits, \"_\" and \"-\", or empty for all lines", LINE_ID_MAX);
    command->part.points = asked->points;
    command->part.line_id = asked->line_id;
    return redemption_begin(desk, kind, request, asked->request_id, command, err) &&
           check_points_or_all("points", asked->points, err) && aim(desk, command, asked->redemption_id, err);
}

static bool fill_extend(struct redemption_desk *desk, const struct redemption_kind *kind,
                        const ProtobufCMessage *request, struct command *command, struct error *err)
{
    const Extend *asked = (const Extend *)request;

    return check_set("lapse_after", asked->lapse_after, err) &&
           redemption_check_lapse(asked->lapse_after, &command->extend.lapse_after_us, err) &&
           redemption_begin(desk, kind, request, asked->request_id, command, err) &&
           aim(desk, command, asked->redemption_id, err);
}

#define ACTION(name) ALLIANCE__V1__REDEMPTION_WRITE__ACTION_##name
const struct redemption_kind redemption_kinds[REDEMPTION_KINDS] = {
    [ACTION(HOLD)] = { "HoldRedemption", COMMAND_HOLD, redemption_fill_hold },
    [ACTION(CONFIRM)] = { "ConfirmRedemption", COMMAND_CONFIRM, fill_confirm },
    [ACTION(CANCEL)] = { "CancelRedemption", COMMAND_CANCEL, fill_cancel },
    [ACTION(REVERSE)] = { "ReverseRedemption", COMMAND_REVERSE, fill_reverse },
    [ACTION(REDEEM)] = { "RedeemPoints", COMMAND_REDEEM, redemption_fill_hold },
    [ACTION(EXTEND)] = { "ExtendHold", COMMAND_EXTEND, fill_extend },
};

/* A write alone */

/* On a lane's thread. The command lives in the call's arena: nothing of it is touched after the release. */
static void answer_call(struct command *command)
{
    struct call *call = command->owner;

    if (command->answer.reason == REASON_OK) {
        struct receipt receipt;
        receipt_write(&receipt, command);
        call_reply(call, &receipt.message.base);
    } else {
        struct error err;
        error_set(&err, command->answer.reason, "%s", command->answer.detail);
        call_fail(call, &err);
    }
    call_release(call);
}

/* The call is held until the lane has answered it. */
static bool submit(struct call *call, struct command *command, struct error *err)
{
    command->done = answer_call;
    command->owner = call;
    call_hold(call);
    if (lanes_submit(call->office->lanes, command, err))
        return true;
    call_release(call);
    return false;
}

static bool write_one(struct call *call, const ProtobufCMessage *request, int action, struct error *err)
{
    const struct redemption_kind *kind = &redemption_kinds[action];
    CLEANUP(redemption_close_desk) struct redemption_desk desk = { .call = call };

    if (!office_is_open(call->office, err))
        return false;
    struct command *command = arena_alloc(&call->arena, sizeof *command);
    if (!command)
        return errand_no_room(err);
    return kind->fill(&desk, kind, request, command, err) && submit(call, command, err);
}

bool redemption_hold_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return write_one(call, request, ACTION(HOLD), err);
}

bool redemption_redeem_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return write_one(call, request, ACTION(REDEEM), err);
}

bool redemption_confirm_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return write_one(call, request, ACTION(CONFIRM), err);
}

bool redemption_cancel_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return write_one(call, request, ACTION(CANCEL), err);
}

bool redemption_reverse_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return write_one(call, request, ACTION(REVERSE), err);
}

bool redemption_extend_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return write_one(call, request, ACTION(EXTEND), err);
}
