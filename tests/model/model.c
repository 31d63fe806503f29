/* model.c -- which command is new, which is a repeat, and who decides it. */
#include "model.h"

#include "domain/redemption_id.h"

#include <stdlib.h>
#include <string.h>

void model_clear(struct model *model)
{
    for (size_t i = 0; i < model->member_count; i++)
        model->members[i].entries.count = model->members[i].entry_heaps.count = 0;
    model->member_count = 0;
    model->redemptions.count = model->accruals.count = model->transfers.count = model->operations.count = 0;
    memset(model->exposures, 0, sizeof model->exposures);
}

void model_release(struct model *model)
{
    for (size_t i = 0; i < MODEL_MEMBERS; i++) {
        free(model->members[i].entries.at);
        free(model->members[i].entry_heaps.at);
    }
    free(model->redemptions.at);
    free(model->accruals.at);
    free(model->transfers.at);
    free(model->operations.at);
    *model = (struct model){ 0 };
}

int model_member(const struct model *model, const struct uuid *id)
{
    for (size_t i = 0; i < model->member_count; i++) {
        if (uuid_compare(&model->members[i].id, id) == 0)
            return (int)i;
    }
    return -1;
}

/* The newest first: it is what a test asks for most. */
#define FIND(list, wanted)                                                                                             \
    for (size_t i = (list).count; i > 0; i--) {                                                                        \
        if (uuid_compare(&(list).at[i - 1].id, (wanted)) == 0)                                                         \
            return &(list).at[i - 1];                                                                                  \
    }                                                                                                                  \
    return NULL

struct model_redemption *model_redemption(struct model *model, const struct uuid *id)
{
    FIND(model->redemptions, id);
}

struct model_accrual *model_accrual(struct model *model, const struct uuid *id)
{
    FIND(model->accruals, id);
}

struct model_transfer *model_transfer(struct model *model, const struct uuid *id)
{
    FIND(model->transfers, id);
}

/* Request ids are known bucket by bucket. */
static struct model_redemption *opened_in(struct model *model, int32_t bucket, const struct uuid *id)
{
    for (size_t i = model->redemptions.count; i > 0; i--) {
        struct model_redemption *redemption = &model->redemptions.at[i - 1];
        if (uuid_compare(&redemption->id, id) == 0 && model->members[redemption->member].bucket == bucket)
            return redemption;
    }
    return NULL;
}

static struct model_operation *operation_in(struct model *model, int32_t bucket, const struct uuid *id)
{
    for (size_t i = model->operations.count; i > 0; i--) {
        struct model_operation *operation = &model->operations.at[i - 1];
        if (uuid_compare(&operation->id, id) == 0 && operation->bucket == bucket)
            return operation;
    }
    return NULL;
}

static void refuse(struct answer *answer, enum reason reason)
{
    *answer = (struct answer){ .reason = reason, .outcome = OUTCOME_REFUSED };
}

static void answer_opened(const struct model_redemption *redemption, struct answer *answer)
{
    bool held = redemption->reason == REASON_OK, confirmed = held && redemption->one_step;

    *answer = (struct answer){ .reason = redemption->reason,
                               .state = confirmed ? REDEMPTION_CONFIRMED
                                        : held    ? REDEMPTION_HELD
                                                  : REDEMPTION_NONE,
                               .points = held ? redemption->asked : 0,
                               .spendable = redemption->spendable_after,
                               .gross_minor = confirmed ? redemption->gross : 0,
                               .commission_minor = confirmed ? redemption->commission : 0,
                               .business_date = { redemption->held_on },
                               .time = { redemption->held_at },
                               .lapse_at = { redemption->first_lapse_at } };
}

static bool opens(const struct command *command)
{
    return command->kind == COMMAND_HOLD || command->kind == COMMAND_REDEEM;
}

static bool same(const struct command *command, const uint8_t content[32])
{
    return memcmp(command->content_hash, content, 32) == 0;
}

static bool is_repeat(struct model *model, const struct command *command, struct answer *answer)
{
    int32_t bucket = command->hash16 % model->buckets;
    const struct model_redemption *opened = opened_in(model, bucket, &command->request_id);
    const struct model_operation *operation = operation_in(model, bucket, &command->request_id);

    if (opened && opens(command) && same(command, opened->content))
        answer_opened(opened, answer);
    else if (operation && same(command, operation->content))
        *answer = operation->answer;
    else if (opened || operation)
        refuse(answer, REASON_REQUEST_ID_REUSED);
    return opened || operation;
}

static void keep(struct model *model, int member, const struct command *command, const struct uuid *redemption_id,
                 int kind, struct answer *answer)
{
    struct model_operation *kept = LIST_ADD(&model->operations);

    answer->spendable = member < 0 ? 0 : model_spendable(&model->members[member]);
    answer->business_date.days = model->facts.today;
    answer->time.us = model->facts.now;
    *kept = (struct model_operation){ .id = command->request_id,
                                      .member_id = member < 0 ? command->member_id : model->members[member].id,
                                      .redemption_id = *redemption_id,
                                      .bucket = command->hash16 % model->buckets,
                                      .kind = (int16_t)kind,
                                      .answer = *answer };
    memcpy(kept->content, command->content_hash, sizeof kept->content);
}

static void set_member(struct model *model, int member, const struct command *command, struct answer *answer)
{
    bool is_new = member < 0, changed;
    int64_t points;

    if (is_new) {
        member = (int)model->member_count++;
        struct model_member *added = &model->members[member];
        added->id = command->member_id;
        added->bank_no = command->bank_no;
        added->bucket = command->hash16 % model->buckets;
        added->status = added->tier = 0;
        added->credit_limit = added->credit_used = added->expired = added->own_limit = 0;
        added->by_tier = added->other_begun = false;
        added->other.last.days = 0;
        added->debt_count = 0;
        added->heaps.count = added->waits.count = added->open_count = added->recent_count = 0;
        added->last_hold_on = 0;
    }
    enum reason reason = model_set_member(model, member, command, is_new, &changed, &points);
    if (reason != REASON_OK) {
        refuse(answer, reason);
        return;
    }
    *answer = (struct answer){ .outcome = is_new    ? OUTCOME_CREATED
                                          : changed ? OUTCOME_CHANGED
                                                    : OUTCOME_UNCHANGED,
                               .points = points,
                               .spendable = model_spendable(&model->members[member]),
                               .business_date = { model->facts.today },
                               .time = { model->facts.now } };
}

static void accrue(struct model *model, int member, const struct command *command, struct answer *answer)
{
    const struct model_accrual *earlier = model_accrual(model, &command->request_id);

    if (operation_in(model, command->hash16 % model->buckets, &command->request_id) ||
        (earlier && !same(command, earlier->content))) {
        refuse(answer, REASON_TRANSACTION_REUSED);
        return;
    }
    if (earlier) {
        *answer = (struct answer){ .outcome = OUTCOME_UNCHANGED,
                                   .points = earlier->points,
                                   .business_date = { earlier->business_date },
                                   .time = { earlier->at } };
        return;
    }
    *answer = (struct answer){ .outcome = OUTCOME_CREATED };
    enum reason reason = member < 0 ? REASON_MEMBER_NOT_FOUND : model_earn(model, member, command, answer);
    if (reason != REASON_OK) {
        refuse(answer, reason);
        return;
    }
    answer->spendable = model_spendable(&model->members[member]);
    answer->business_date.days = model->facts.today;
    answer->time.us = model->facts.now;
}

static void give_back_spend(struct model *model, int member, const struct command *command, struct answer *answer)
{
    const struct model_operation *earlier = operation_in(model, command->hash16 % model->buckets, &command->request_id);
    int64_t points = 0;
    enum reason reason;

    if (model_accrual(model, &command->request_id) || (earlier && !same(command, earlier->content))) {
        refuse(answer, REASON_TRANSACTION_REUSED);
        return;
    }
    if (earlier) {
        *answer = earlier->answer;
        answer->outcome = OUTCOME_UNCHANGED;
        return;
    }
    if (member < 0 || model->members[member].bank_no != command->bank_no)
        reason = REASON_MEMBER_NOT_FOUND;
    else if (!model_accrual(model, &command->accrual_id))
        reason = REASON_ACCRUAL_NOT_FOUND;
    else
        reason = model_return(model, member, command, &points);
    if (reason != REASON_OK) {
        refuse(answer, reason);
        return;
    }
    *answer = (struct answer){ .state = model->members[member].status, .points = points };
    keep(model, member, command, &(struct uuid){ { 0 } }, ENTRY_CLAWBACK, answer);
    answer->outcome = OUTCOME_CREATED;
}

static void open_redemption(struct model *model, int member, const struct command *command, struct answer *answer)
{
    if (member < 0) {
        refuse(answer, REASON_MEMBER_NOT_FOUND);
        return;
    }
    model_open(model, member, command);
    answer_opened(&model->redemptions.at[model->redemptions.count - 1], answer);
}

/* A redemption that this caller may not see, a refused hold, or a name never given out: not there. */
static void on_redemption(struct model *model, struct model_redemption *redemption, const struct command *command,
                          struct answer *answer)
{
    bool there = redemption && redemption->state != REDEMPTION_NONE &&
                 member_hash16(&model->members[redemption->member].id) == command->hash16 &&
                 (command->merchant_no == 0 || command->merchant_no == redemption->merchant_no) &&
                 (command->store_no == 0 || command->store_no == redemption->store_no);
    int kind;

    if (!there) {
        refuse(answer, REASON_REDEMPTION_NOT_FOUND);
        return;
    }
    *answer = (struct answer){ 0 };
    answer->reason = model_on_redemption(model, redemption, command, answer, &kind);
    answer->state = redemption->state;
    if (command->kind == COMMAND_EXTEND)
        answer->lapse_at.us = redemption->lapse_at;
    keep(model, redemption->member, command, &redemption->id, kind, answer);
}

static void on_member(struct model *model, int member, const struct command *command, struct answer *answer)
{
    bool of_accrual = command->kind == COMMAND_MATURE || command->kind == COMMAND_CLAW_BACK;
    int64_t points;
    int kind;

    if (member < 0 && command->kind == COMMAND_RECEIVE) { /* remembered, since the giver gets its points back for it */
        *answer = (struct answer){ .reason = REASON_MEMBER_NOT_FOUND };
        keep(model, member, command, &(struct uuid){ { 0 } }, ENTRY_TRANSFER_IN, answer);
        return;
    }
    if (member < 0 || model->members[member].bank_no != command->bank_no) {
        refuse(answer, REASON_MEMBER_NOT_FOUND);
        return;
    }
    if (of_accrual && !model_accrual(model, &command->accrual_id)) {
        refuse(answer, REASON_ACCRUAL_NOT_FOUND);
        return;
    }
    enum reason reason = model_operate(model, member, command, &points, &kind);
    *answer = (struct answer){ .reason = reason,
                               .state = model->members[member].status,
                               .points = reason == REASON_OK ? points : 0 };
    keep(model, member, command, &(struct uuid){ { 0 } }, kind, answer);
}

void model_decide(struct model *model, const struct command *command, struct answer *answer)
{
    bool of_redemption =
        (command->kind >= COMMAND_CONFIRM && command->kind <= COMMAND_EXTEND) || command->kind == COMMAND_LAPSE;
    struct model_redemption *redemption =
        of_redemption ? opened_in(model, command->hash16 % model->buckets, &command->redemption_id) : NULL;
    int member = of_redemption ? (redemption ? redemption->member : -1) : model_member(model, &command->member_id);

    if (member >= 0)
        model_catch_up(model, member);
    if (command->kind == COMMAND_SET_MEMBER)
        set_member(model, member, command, answer);
    else if (command->kind == COMMAND_ACCRUE)
        accrue(model, member, command, answer);
    else if (command->kind == COMMAND_REVERSE_ACCRUAL)
        give_back_spend(model, member, command, answer);
    else if (command->kind == COMMAND_TIDY || command->kind == COMMAND_LAPSE)
        *answer = (struct answer){ 0 };
    else if (is_repeat(model, command, answer))
        return;
    else if (of_redemption)
        on_redemption(model, redemption, command, answer);
    else if (opens(command))
        open_redemption(model, member, command, answer);
    else
        on_member(model, member, command, answer);
}
