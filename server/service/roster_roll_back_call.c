/* roster_roll_back_call.c -- RollBackRosterBatch: one person of the bank wants it, a second one agrees. */
#include "service/roster_shape.h"

#include "base/text.h"
#include "service/check.h"
#include "service/shape.h"
#include "store/roster_roll_back_store.h"

#include <inttypes.h>
#include <string.h>

typedef Alliance__V1__RollBackRosterBatchRequest Asked;

enum { WHY_MAX = 200 };

bool roster_shape_roll_back(struct arena *arena, const struct roll_back *roll, Alliance__V1__RosterBatch *batch)
{
    Alliance__V1__RosterRollBack *shown = shape_new(arena, &alliance__v1__roster_roll_back__descriptor);

    if (!shown)
        return false;
    shown->reason = shape_text(arena, roll->wanted_because);
    shown->requested_by = shape_text(arena, roll->requested_by);
    shown->requested_at = shape_instant(arena, roll->requested_at);
    shown->released_by = shape_text(arena, roll->released_by);
    shown->refused = shape_text(arena, roll->refused);
    shown->detail = shape_text(arena, roll->detail);
    shown->built_on = roll->found;
    shown->restored = roll->restored;
    shown->withdrawn = roll->withdrawn;
    shown->reopened = roll->reopened;
    shown->points_back = roll->points_back;
    if (roll->phase != ROLL_BACK_WANTED && !(shown->released_at = shape_instant(arena, roll->released_at)))
        return false;
    batch->roll_back = shown;
    return shown->reason && shown->requested_by && shown->requested_at && shown->released_by && shown->refused &&
           shown->detail;
}

static bool is_open(const struct roster_batch *newest, const struct roster_batch *batch)
{
    return newest->batch_number == batch->batch_number || newest->state == ROSTER_REFUSED;
}

/* Whoever says again what was done already gets the batch as it is. */
static bool is_repeat(const struct call *call, const struct roll_back *roll, bool found, const Asked *asked)
{
    if (!found || asked->withdraw)
        return false;
    return roll->phase == ROLL_BACK_WANTED
               ? strcmp(roll->requested_by, call->principal.uri) == 0 &&
                     strcmp(roll->wanted_because, asked->reason) == 0
               : roll->phase != ROLL_BACK_REFUSED && strcmp(roll->released_by, call->principal.uri) == 0;
}

static bool want(struct errand *errand, const struct roster_key *key, const Asked *asked, struct error *err)
{
    const struct principal *caller = &errand->call->principal;
    const struct roll_back roll = { .bank_no = key->bank_no,
                                    .batch_number = key->batch_number,
                                    .wanted_because = asked->reason,
                                    .requested_by = caller->uri,
                                    .requested_person = caller->person };

    if (asked->withdraw)
        return error_field(err, REASON_ROSTER_BATCH_STATE, "withdraw", "nobody wants the batch rolled back");
    return check_text("reason", asked->reason, 1, WHY_MAX, err) && roll_back_want(errand->db, &roll, err);
}

static bool agree(struct errand *errand, const struct roster_key *key, struct roll_back *roll, const Asked *asked,
                  struct error *err)
{
    if (asked->withdraw)
        return roll_back_drop(errand->db, key, err);
    roll->released_by = errand->call->principal.uri;
    return check_second_person(errand->call, roll->requested_person, err) && roll_back_release(errand->db, roll, err);
}

static bool take(struct errand *errand, const struct roster_key *key, const struct roster_batch *newest,
                 const struct roster_batch *batch, const Asked *asked, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct roll_back roll = { 0 };
    bool found;

    if (!roll_back_find(errand->db, key, arena, &roll, &found, err))
        return false;
    if (is_repeat(errand->call, &roll, found, asked))
        return true;
    if (batch->state != ROSTER_APPLIED)
        return error_field(err, REASON_ROSTER_BATCH_STATE, "batch_number", "only an applied batch can be rolled back");
    if (!is_open(newest, batch))
        return error_field(err, REASON_ROSTER_NOT_NEWEST, "batch_number", "batch %" PRId64 " came after it",
                           newest->batch_number);
    return found && roll.phase == ROLL_BACK_WANTED ? agree(errand, key, &roll, asked, err)
                                                   : want(errand, key, asked, err);
}

static bool roll_back_work(struct errand *errand, struct error *err)
{
    const Asked *asked = (const void *)errand->request;
    struct roster_batch newest, batch;
    struct roster_key key = { .batch_number = asked->batch_number }, last = { .batch_number = 0 };

    if (!roster_bank(errand, asked->bank_id, &key.bank_no, err))
        return false;
    last.bank_no = key.bank_no;
    if (!roster_must_find(errand, &last, true, &newest, err) || !roster_must_find(errand, &key, true, &batch, err) ||
        !check_second_person(errand->call, "", err) || !take(errand, &key, &newest, &batch, asked, err))
        return false;
    return roster_must_find(errand, &key, false, &batch, err) && roster_reply(errand, &batch, asked->bank_id, err);
}

bool roster_roll_back_batch(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const void *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_range("batch_number", asked->batch_number, 1, INT64_MAX, err) &&
           check_text("reason", asked->reason, 0, WHY_MAX, err) && errand_write(call, request, roll_back_work, err);
}
