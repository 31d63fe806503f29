/*
 * transfer.c -- TransferPoints and MergeMembers: the engine's chain of steps, begun by a clerk who has seen that the
 * receiver is there.
 */
#include "engine/transfer.h"

#include "service/bank_handlers.h"
#include "service/check.h"
#include "service/member_write.h"
#include "service/office.h"
#include "store/db.h"
#include "store/member_operation_store.h"

#include <string.h>

typedef Alliance__V1__TransferPointsRequest Transfer;
typedef Alliance__V1__MergeMembersRequest Merge;

/* A call's own, in its arena. */
struct transfer_call {
    struct transfer transfer;
    struct command *send;
    struct member_request *asked;
    const char *to_field;
};

/* On a lane's thread, or on the clerk's. Nothing of the arena is touched after the release. */
static void on_done(struct transfer *transfer)
{
    struct call *call = transfer->owner;
    const struct transfer_call *of = call->state;

    member_answer(call, of->asked->member_ref, &transfer->answer);
    call_release(call);
}

static void begin(struct errand *errand)
{
    struct call *call = errand->call;
    struct transfer_call *of = call->state;
    struct error err;

    of->transfer.lanes = call->office->lanes;
    of->transfer.done = on_done;
    of->transfer.owner = call;
    if (transfer_begin(&of->transfer, of->send, &err))
        return;
    call_fail(call, &err);
    call_release(call);
}

/* What was begun goes on, whatever became of the receiver; otherwise nothing moves towards one who is not there. */
static bool transfer_work(struct errand *errand, struct error *err)
{
    const struct transfer_call *of = errand->call->state;
    const struct uuid *to = &of->send->send.to_member_id;
    bool begun, there;

    if (!member_aim(errand->reference, of->asked, of->send, err) ||
        !member_look_up(errand, &member_operation_exists, of->send->hash16, &of->send->request_id, &begun, err) ||
        !member_look_up(errand, &member_exists, member_hash16(to), to, &there, err))
        return false;
    if (!begun && !there)
        return error_field(err, REASON_MEMBER_NOT_FOUND, of->to_field, "%s", "");
    errand->hand_over = begin;
    return true;
}

static bool start(struct call *call, const ProtobufCMessage *request, const char *to_field, const char *to_member_ref,
                  int64_t points, struct error *err)
{
    struct member_request *asked = (struct member_request *)(uintptr_t)request;

    if (!check_member_ref(to_field, to_member_ref, err) || !check_no_card_number(to_field, to_member_ref, err))
        return false;
    struct command *send = member_command(call, request, "from_member_ref", err);
    struct transfer_call *of = send ? arena_alloc(&call->arena, sizeof *of) : NULL;
    if (!send)
        return false;
    if (!of)
        return errand_no_room(err);
    if (strcmp(asked->member_ref, to_member_ref) == 0)
        return error_field(err, REASON_SAME_MEMBER, to_field, "%s", "");
    send->kind = COMMAND_SEND;
    send->send.points = points;
    send->send.merge = points == 0;
    send->send.to_member_id = command_member_id(asked->bank_id, to_member_ref);
    send->send.to_member_ref = to_member_ref;
    of->send = send;
    of->asked = asked;
    of->to_field = to_field;
    call->state = of;
    return errand_read(call, request, transfer_work, err);
}

bool bank_transfer_points(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Transfer *asked = (const Transfer *)request;

    return check_points("points", asked->points, err) &&
           start(call, request, "to_member_ref", asked->to_member_ref, asked->points, err);
}

bool bank_merge_members(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Merge *asked = (const Merge *)request;

    return start(call, request, "into_member_ref", asked->into_member_ref, 0, err);
}
