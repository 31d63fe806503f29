/*
 * adjustment.c -- AdjustPoints and ApproveAdjustment: a correction by hand is a row first, with its reason and who
 * asked for it; above a limit it waits there for a second person.
 *
 * Both walk the same way: the row, the command whose request_id is the row's id, the row's end. Each step bears
 * repeating, so whoever asks again, after a lost answer or a server that died, finishes what was left.
 */
#include "engine/lanes.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/member_write.h"
#include "service/office.h"
#include "service/operator_handlers.h"
#include "service/shape.h"
#include "store/adjustment_store.h"
#include "store/db.h"
#include "store/member_operation_store.h"

#include <alliance/v1/operator_service.pb-c.h>
#include <stddef.h>
#include <string.h>

typedef Alliance__V1__AdjustPointsRequest Adjust;
typedef Alliance__V1__ApproveAdjustmentRequest Approve;

_Static_assert(offsetof(Approve, bank_id) == offsetof(struct member_request, bank_id) &&
                   offsetof(Approve, member_ref) == offsetof(struct member_request, member_ref),
               "an approval names its member as other requests do");

enum { REASON_CODE_MAX = 32, NOTE_MAX = 200 };
enum { WAITING = 1, APPROVED = 2, DONE = 3, REFUSED = 4 }; /* AdjustmentState */

/* A call's own, in its arena. */
struct adjustment {
    struct errand *errand;
    struct command *command;
    struct member_request *asked;
    int32_t bucket;
    struct adjustment_row row;
};

/* The answer, and the way to it */

static bool reply(struct errand *errand, const struct adjustment *of, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    Alliance__V1__Adjustment *shaped = errand_reply(errand, &alliance__v1__adjustment__descriptor, err);
    char id[UUID_TEXT];

    if (!shaped)
        return false;
    uuid_format(&of->command->request_id, id);
    shaped->adjustment_id = shape_text(arena, id);
    shaped->state = (Alliance__V1__AdjustmentState)of->row.state;
    shaped->proposed_by = shape_text(arena, of->row.proposed_by);
    shaped->approved_by = shape_text(arena, of->row.approved_by);
    if (of->row.state == DONE)
        shaped->receipt = member_shape_receipt(arena, of->asked->member_ref, &of->command->answer);
    return (shaped->adjustment_id && shaped->proposed_by && shaped->approved_by &&
            !shaped->receipt == (of->row.state != DONE)) ||
           errand_no_room(err);
}

/* What says nothing of whether the points have moved, or will. */
static bool is_final(enum reason reason)
{
    enum status status = reason_status(reason);

    return status == STATUS_OK || status == STATUS_FAILED_PRECONDITION || status == STATUS_OUT_OF_RANGE ||
           status == STATUS_ALREADY_EXISTS;
}

/* The lane has answered: the row says so, then the caller hears it. */
static bool end_work(struct errand *errand, struct error *err)
{
    struct adjustment *of = errand->call->state;
    const struct answer *answer = &of->command->answer;
    struct adjustment_end_params params = { of->bucket, of->command->request_id,
                                            answer->reason == REASON_OK ? DONE : REFUSED };

    if (is_final(answer->reason) && !db_execute(errand->db, &adjustment_end, &params, NULL, err))
        return false;
    if (answer->reason != REASON_OK)
        return error_set(err, answer->reason, "%s", answer->detail);
    of->row.state = DONE;
    return reply(errand, of, err);
}

/* On a lane's thread. */
static void on_adjusted(struct command *command)
{
    struct adjustment *of = command->owner;

    errand_resume(of->errand, end_work);
}

static void adjust(struct errand *errand)
{
    struct call *call = errand->call;
    struct adjustment *of = call->state;
    struct command *command = of->command;
    struct error err;

    of->errand = errand;
    command->kind = COMMAND_ADJUST;
    command->adjust.points = of->row.points;
    command->adjust.funding_no = of->row.funding_no;
    memcpy(command->content_hash, of->row.content_hash.at, sizeof command->content_hash);
    command->done = on_adjusted;
    command->owner = of;
    if (lanes_submit(call->office->lanes, command, &err))
        return;
    call_fail(call, &err);
    call_release(call);
}

static bool find(struct errand *errand, struct adjustment *of, bool *found, struct error *err)
{
    struct adjustment_id_params id = { of->bucket, of->command->request_id };

    if (!db_fetch_one(errand->db, &adjustment_find, &id, &errand->call->arena, &of->row, found, err))
        return false;
    return !*found || of->row.content_hash.size == sizeof of->command->content_hash ||
           error_set(err, REASON_INTERNAL, "an adjustment's row cannot be read");
}

/* One that waits is answered so; any other is done, or its answer repeated. */
static bool go_on(struct errand *errand, struct adjustment *of, struct error *err)
{
    if (of->row.state == WAITING)
        return reply(errand, of, err);
    errand->hand_over = adjust;
    return true;
}

/* Propose */

static bool find_funding(const struct reference *reference, const Adjust *asked, int32_t *funding_no, struct error *err)
{
    const struct bank *bank = reference_bank(reference, asked->bank_id);
    const struct funding *funding = bank ? reference_funding(bank, asked->funding_id) : NULL;

    *funding_no = funding ? funding->no : 0;
    return funding || !asked->funding_id[0] || error_field(err, REASON_FUNDING_NOT_FOUND, "funding_id", "%s", "");
}

static bool is_member(struct errand *errand, const struct adjustment *of, struct error *err)
{
    struct member_operation_params params = { of->bucket, of->command->member_id };
    struct member_operation_row member = { 0 };
    bool found;

    if (!db_fetch_one(errand->db, &member_exists, &params, &errand->call->arena, &member, &found, err))
        return false;
    return member.present || error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
}

static bool add_row(struct errand *errand, const struct adjustment *of, struct error *err)
{
    const Adjust *asked = (const Adjust *)errand->request;
    const struct command *command = of->command;
    int64_t limit = errand->call->office->adjust_limit_points;
    struct adjustment_params params = {
        .bucket = of->bucket,
        .id = command->request_id,
        .member_id = command->member_id,
        .programme_no = command->programme_no,
        .bank_no = command->bank_no,
        .member_ref = asked->member_ref,
        .points = asked->points,
        .reason_code = asked->reason_code,
        .note = asked->note,
        .content_hash = { command->content_hash, sizeof command->content_hash },
        .state = asked->points > limit || asked->points < -limit ? WAITING : APPROVED,
        .proposed_by = errand->call->principal.id,
    };

    return find_funding(errand->reference, asked, &params.funding_no, err) && is_member(errand, of, err) &&
           db_execute(errand->db, &adjustment_add, &params, NULL, err);
}

static bool adjust_work(struct errand *errand, struct error *err)
{
    struct adjustment *of = errand->call->state;
    bool found;

    if (!member_aim(errand->reference, of->asked, of->command, err))
        return false;
    of->bucket = of->command->hash16 % errand->reference->buckets;
    if (!find(errand, of, &found, err) || (!found && (!add_row(errand, of, err) || !find(errand, of, &found, err))))
        return false;
    if (!found)
        return error_set(err, REASON_TRY_AGAIN, "%s", "");
    if (memcmp(of->row.content_hash.at, of->command->content_hash, sizeof of->command->content_hash) != 0)
        return error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
    return go_on(errand, of, err);
}

static bool check_reason_code(const char *code, struct error *err)
{
    size_t n = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return (n >= 1 && n <= REASON_CODE_MAX && code[n] == '\0') ||
           error_field(err, REASON_FIELD_INVALID, "reason_code", "must be 1 to %d capital letters, digits and \"_\"",
                       REASON_CODE_MAX);
}

static bool check_adjust(const Adjust *asked, struct error *err)
{
    if (asked->points == 0 || asked->points > POINTS_MAX || asked->points < -POINTS_MAX)
        return error_field(err, asked->points ? REASON_POINTS_TOO_MANY : REASON_POINTS_NOT_POSITIVE, "points",
                           "must not be 0 and be at most %lld either way", (long long)POINTS_MAX);
    if (asked->points < 0 && asked->funding_id[0])
        return error_field(err, REASON_FIELD_INVALID, "funding_id", "must be empty when points are taken");
    return check_reason_code(asked->reason_code, err) && check_text("note", asked->note, 0, NOTE_MAX, err) &&
           check_id_or_none("funding_id", asked->funding_id, err);
}

static struct adjustment *start(struct call *call, struct command *command, const ProtobufCMessage *request,
                                struct error *err)
{
    struct adjustment *of = arena_alloc(&call->arena, sizeof *of);

    if (!of) {
        errand_no_room(err);
        return NULL;
    }
    of->command = command;
    of->asked = (struct member_request *)(uintptr_t)request;
    call->state = of;
    return of;
}

bool operator_adjust_points(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    struct command *command = member_command(call, request, "member_ref", err);

    return command && check_adjust((const Adjust *)request, err) && start(call, command, request, err) &&
           errand_read(call, request, adjust_work, err);
}

/* Approve */

static bool may_approve(const struct adjustment *of, const struct principal *approver, const Approve *asked,
                        struct error *err)
{
    if (strcmp(of->row.proposed_by, approver->id) == 0)
        return error_set(err, REASON_SECOND_PERSON_NEEDED, "%s", "");
    return of->row.points == asked->points ||
           error_field(err, REASON_APPROVAL_DIFFERS, "points", "must be the points proposed");
}

static bool approve_work(struct errand *errand, struct error *err)
{
    const Approve *asked = (const Approve *)errand->request;
    struct adjustment *of = errand->call->state;
    struct adjustment_approve_params params = { .id = of->command->request_id,
                                                .approved_by = errand->call->principal.id };
    bool found;

    if (!member_aim(errand->reference, of->asked, of->command, err))
        return false;
    params.bucket = of->bucket = of->command->hash16 % errand->reference->buckets;
    if (!find(errand, of, &found, err))
        return false;
    if (!found || uuid_compare(&of->row.member_id, &of->command->member_id) != 0)
        return error_field(err, REASON_ADJUSTMENT_NOT_FOUND, "adjustment_id", "%s", "");
    if (!may_approve(of, &errand->call->principal, asked, err))
        return false;
    if (of->row.state == WAITING &&
        (!db_execute(errand->db, &adjustment_approve, &params, NULL, err) || !find(errand, of, &found, err)))
        return false;
    return go_on(errand, of, err);
}

/* The id is of any age: it was checked when the adjustment was proposed. */
bool operator_approve_adjustment(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Approve *asked = (const Approve *)request;
    struct command *command = arena_alloc(&call->arena, sizeof *command);

    if (!command)
        return errand_no_room(err);
    if (!check_id("bank_id", asked->bank_id, err) || !check_member_ref("member_ref", asked->member_ref, err) ||
        !check_no_card_number("member_ref", asked->member_ref, err))
        return false;
    if (!uuid_parse(asked->adjustment_id, &command->request_id))
        return error_field(err, REASON_ADJUSTMENT_NOT_FOUND, "adjustment_id", "%s", "");
    command->deadline_us = call->deadline_us;
    command->member_id = command_member_id(asked->bank_id, asked->member_ref);
    command->hash16 = member_hash16(&command->member_id);
    return start(call, command, request, err) && errand_read(call, request, approve_work, err);
}
