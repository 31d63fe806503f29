/*
 * member_write.c -- freeze, unfreeze, close, limit, tier, mature, claw back, reinstate: a row each.
 */
#include "service/member_write.h"

#include "base/text.h"
#include "engine/lanes.h"
#include "io/clock.h"
#include "service/bank_handlers.h"
#include "service/check.h"
#include "service/member_row.h"
#include "service/office.h"
#include "service/operator_handlers.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/member_operation_store.h"
#include "store/registry_store.h"

#include <alliance/v1/member_service.pb-c.h>
#include <alliance/v1/operator_service.pb-c.h>
#include <stddef.h>
#include <string.h>

typedef Alliance__V1__AccrualRequest AccrualRequest;
typedef Alliance__V1__ReinstatePointsRequest ReinstateRequest;

#define BEGINS_ALIKE(type, third)                                                                                      \
    _Static_assert(offsetof(type, request_id) == offsetof(struct member_request, request_id) &&                        \
                       offsetof(type, bank_id) == offsetof(struct member_request, bank_id) &&                          \
                       offsetof(type, third) == offsetof(struct member_request, member_ref),                           \
                   "a request on a member begins with request_id, bank_id and the member")
BEGINS_ALIKE(Alliance__V1__MemberRequest, member_ref);
BEGINS_ALIKE(Alliance__V1__SetCreditLimitRequest, member_ref);
BEGINS_ALIKE(Alliance__V1__SetTierRequest, member_ref);
BEGINS_ALIKE(Alliance__V1__AccrualRequest, member_ref);
BEGINS_ALIKE(Alliance__V1__ReinstatePointsRequest, member_ref);
BEGINS_ALIKE(Alliance__V1__AdjustPointsRequest, member_ref);
BEGINS_ALIKE(Alliance__V1__TransferPointsRequest, from_member_ref);
BEGINS_ALIKE(Alliance__V1__MergeMembersRequest, from_member_ref);
BEGINS_ALIKE(Alliance__V1__SplitMemberRequest, from_member_ref);

/* Receipts */

/* Everything a receipt points to, so that it can be packed from the stack of a lane's thread. */
struct receipt {
    Alliance__V1__MemberReceipt message;
    Google__Protobuf__Timestamp time;
    char business_date[DATE_TEXT];
};

static void write_receipt(struct receipt *receipt, char *member_ref, const struct answer *answer)
{
    alliance__v1__member_receipt__init(&receipt->message);
    date_format(answer->business_date, receipt->business_date);
    receipt->time = shape_timestamp(answer->time);
    receipt->message.member_ref = member_ref;
    receipt->message.points = answer->points;
    receipt->message.spendable_points = answer->spendable;
    receipt->message.status = (Alliance__V1__MemberStatus)answer->state;
    receipt->message.business_date = receipt->business_date;
    receipt->message.time = &receipt->time;
}

Alliance__V1__MemberReceipt *member_shape_receipt(struct arena *arena, char *member_ref, const struct answer *answer)
{
    struct receipt *receipt = arena_alloc(arena, sizeof *receipt);

    if (receipt)
        write_receipt(receipt, member_ref, answer);
    return receipt ? &receipt->message : NULL;
}

void member_answer(struct call *call, char *member_ref, const struct answer *answer)
{
    if (answer->reason == REASON_OK) {
        struct receipt receipt;
        write_receipt(&receipt, member_ref, answer);
        call_reply(call, &receipt.message.base);
    } else {
        struct error err;
        error_set(&err, answer->reason, "%s", answer->detail);
        call_fail(call, &err);
    }
}

/* Commands */

struct command *member_command(struct call *call, const ProtobufCMessage *request, const char *member_field,
                               struct error *err)
{
    const struct member_request *asked = (const struct member_request *)(const void *)request;

    if (!check_own(call, "bank_id", asked->bank_id, err) || !check_id("bank_id", asked->bank_id, err) ||
        !check_member_ref(member_field, asked->member_ref, err) ||
        !check_no_card_number(member_field, asked->member_ref, err))
        return NULL;
    struct command *command = arena_alloc(&call->arena, sizeof *command);
    if (!command) {
        errand_no_room(err);
        return NULL;
    }
    command->deadline_us = call->deadline_us;
    command->changed_by = call->principal.uri;
    command->member_ref = asked->member_ref;
    command->member_id = command_member_id(asked->bank_id, asked->member_ref);
    command->hash16 = member_hash16(&command->member_id);
    if (!check_request_id(asked->request_id, clock_now(), &command->request_id, err) ||
        !shape_hash_call(call, request, command->content_hash, err))
        return NULL;
    return command;
}

bool member_aim(const struct reference *reference, const struct member_request *asked, struct command *command,
                struct error *err)
{
    const struct bank *bank = reference_bank(reference, asked->bank_id);

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    command->bank_no = bank->no;
    command->programme_no = bank->programme_no;
    return true;
}

bool member_look_up(struct errand *errand, const struct statement *statement, uint16_t hash16, const struct uuid *id,
                    bool *there, struct error *err)
{
    struct member_operation_params params = { hash16 % errand->reference->buckets, *id };
    struct member_operation_row row = { 0 };
    bool found;

    bool good = db_fetch_one(errand->db, statement, &params, &errand->call->arena, &row, &found, err);
    *there = row.present;
    return good;
}

/* On a lane's thread. The command lives in the call's arena: nothing of it is touched after the release. */
static void on_done(struct command *command)
{
    struct call *call = command->owner;

    member_answer(call, (char *)(uintptr_t)command->member_ref, &command->answer);
    call_release(call);
}

/* What each operation needs beyond the member */

static bool fill_frozen(struct command *command, const ProtobufCMessage *request, struct error *err)
{
    (void)request;
    (void)err;
    command->number = MEMBER_FROZEN;
    return true;
}

static bool fill_active(struct command *command, const ProtobufCMessage *request, struct error *err)
{
    (void)request;
    (void)err;
    command->number = MEMBER_ACTIVE;
    return true;
}

static bool fill_nothing(struct command *command, const ProtobufCMessage *request, struct error *err)
{
    (void)command;
    (void)request;
    (void)err;
    return true;
}

/* One of the two limits, never both: what is not said stays. */
static bool fill_limit(struct command *command, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__SetCreditLimitRequest *asked = (const Alliance__V1__SetCreditLimitRequest *)request;

    if (!asked->temporary_limit && !asked->end_temporary_limit) {
        command->number = asked->credit_limit;
        return check_range("credit_limit", command->number, 0, POINTS_MAX, err);
    }
    command->kind = COMMAND_SET_TEMPORARY_LIMIT;
    if (asked->credit_limit != 0)
        return error_field(err, REASON_FIELD_INVALID, "credit_limit",
                           "must be 0 when a temporary limit is set or ended");
    if (asked->temporary_limit && asked->end_temporary_limit)
        return error_field(err, REASON_FIELD_INVALID, "end_temporary_limit", "must not be set with temporary_limit");
    return member_row_temporary(asked->temporary_limit, &command->temporary, err) ||
           check_within(err, "temporary_limit");
}

static bool fill_tier(struct command *command, const ProtobufCMessage *request, struct error *err)
{
    command->number = ((const Alliance__V1__SetTierRequest *)request)->tier;
    return check_range("tier", command->number, 0, TIER_MAX, err);
}

static bool fill_accrual(struct command *command, const ProtobufCMessage *request, struct error *err)
{
    const AccrualRequest *asked = (const AccrualRequest *)request;

    if (!text_is_ref(asked->transaction_ref, TRANSACTION_REF_MAX, "._:-"))
        return error_field(err, REASON_FIELD_INVALID, "transaction_ref",
                           "must be 1 to %d letters, digits and \". _ : -\"", TRANSACTION_REF_MAX);
    command->accrual_id = command_accrual_id(asked->bank_id, asked->member_ref, asked->transaction_ref);
    command->part.points = asked->points;
    return check_points_or_all("points", asked->points, err);
}

static const struct operation {
    const char *method;
    enum command_kind kind;
    bool (*fill)(struct command *command, const ProtobufCMessage *request, struct error *err);
} operations[] = {
    { "FreezeMember", COMMAND_SET_STATUS, fill_frozen }, { "UnfreezeMember", COMMAND_SET_STATUS, fill_active },
    { "CloseMember", COMMAND_CLOSE, fill_nothing },      { "SetCreditLimit", COMMAND_SET_CREDIT_LIMIT, fill_limit },
    { "SetTier", COMMAND_SET_TIER, fill_tier },          { "MatureAccrual", COMMAND_MATURE, fill_accrual },
    { "EraseMember", COMMAND_ERASE, fill_nothing },      { "ClawBackAccrual", COMMAND_CLAW_BACK, fill_accrual },
};

static const struct operation *operation_of(const struct call *call)
{
    for (size_t i = 0; i < COUNT(operations); i++) {
        if (strcmp(operations[i].method, call->method->name) == 0)
            return &operations[i];
    }
    return NULL;
}

static bool submit(struct call *call, struct command *command, struct error *err)
{
    command->done = on_done;
    command->owner = call;
    call_hold(call);
    if (lanes_submit(call->office->lanes, command, err))
        return true;
    call_release(call);
    return false;
}

bool bank_member_write(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const struct operation *operation = operation_of(call);

    if (!operation)
        return error_set(err, REASON_INTERNAL, "no operation is called as the method is");
    if (!office_is_open(call->office, err))
        return false;
    struct command *command = member_command(call, request, "member_ref", err);
    if (!command)
        return false;
    command->kind = operation->kind;
    if (!operation->fill(command, request, err))
        return false;
    const struct reference *reference = reference_acquire(call->office->reference);
    bool aimed = member_aim(reference, (const struct member_request *)(const void *)request, command, err);
    reference_release(reference);
    return aimed && submit(call, command, err);
}

/* Reinstatement: the day must lie ahead, which only the database knows */

static void reinstate(struct errand *errand)
{
    struct call *call = errand->call;
    struct error err;

    if (!submit(call, call->state, &err))
        call_fail(call, &err);
    call_release(call); /* the errand's own hold */
}

static bool lies_ahead(struct errand *errand, const struct command *command, struct error *err)
{
    struct registry_no_params programme = { command->programme_no };
    struct registry_now_row now;
    bool found;

    if (!db_fetch_one(errand->db, &registry_now, &programme, &errand->call->arena, &now, &found, err))
        return false;
    return command->reinstate.expires_on.days > now.business_date.days ||
           error_field(err, REASON_FIELD_INVALID, "expires_on", "must lie after the open business date");
}

/* A repeat may come when the day is past: it is answered as before. */
static bool reinstate_work(struct errand *errand, struct error *err)
{
    struct command *command = errand->call->state;
    struct member_operation_params params = { .id = command->request_id };
    struct member_operation_row operation;
    bool found;

    if (!member_aim(errand->reference, (const struct member_request *)(const void *)errand->request, command, err))
        return false;
    params.bucket = command->hash16 % errand->reference->buckets;
    if (!db_fetch_one(errand->db, &member_operation_exists, &params, &errand->call->arena, &operation, &found, err) ||
        (!operation.present && !lies_ahead(errand, command, err)))
        return false;
    errand->hand_over = reinstate;
    return true;
}

bool operator_reinstate_points(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const ReinstateRequest *asked = (const ReinstateRequest *)request;
    struct command *command = member_command(call, request, "member_ref", err);

    if (!command || !check_points("points", asked->points, err) ||
        !check_date("expires_on", asked->expires_on, &command->reinstate.expires_on, err))
        return false;
    command->kind = COMMAND_REINSTATE;
    command->reinstate.points = asked->points;
    call->state = command;
    return errand_read(call, request, reinstate_work, err);
}
