/* batch_members.c -- commands on a member: what the bank says it is, earning, corrections, transfers. */
#include "engine/batch.h"
#include "engine/batch_before.h"
#include "engine/batch_review.h"
#include "engine/batch_spend.h"

#include "domain/packed.h"
#include "io/crypto.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct batch_account *new_member(struct batch *batch, const struct command *command)
{
    const struct fence_row *fence = batch_fence(batch, command->programme_no);
    struct batch_account *added = fence ? batch_add_account(batch, &command->member_id) : NULL;

    if (!added)
        return NULL;
    added->is_new = true;
    added->account.programme_no = command->programme_no;
    added->account.bank_no = command->bank_no;
    added->account.member_ref = command->member_ref;
    added->moment.now = fence->now;
    added->moment.business_date = fence->business_date;
    added->moment.exposures = &batch->exposures;
    const struct bank *bank = reference_bank_no(batch->reference, command->bank_no);
    added->moment.rules = bank ? rules_to_decide_by(bank->rules, bank->rules_count, fence->now) : NULL;
    return added;
}

static const struct member_profile no_profile;

/* The profile the command brings when it is another than the member's, whose hash becomes its own; otherwise NULL. */
static const struct member_profile *new_profile(const struct batch_account *loaded, const struct command *command,
                                                uint8_t hash[CRYPTO_HASH])
{
    const struct member_profile *profile = command->member.profile;

    batch_profile_hash(profile, hash);
    if (memcmp(hash, loaded->account.profile_hash, CRYPTO_HASH) == 0)
        return NULL;
    return profile ? profile : &no_profile;
}

void batch_decide_set_member(struct batch *batch, struct command *command)
{
    struct batch_account *loaded = batch_account(batch, &command->member_id);
    bool is_there = loaded != NULL, is_new = !is_there || member_is_withdrawn(&loaded->account);
    struct member_wish wish = { .status = command->member.status,
                                .has_tier = command->member.has_tier,
                                .tier = command->member.tier,
                                .credit = command->member.credit };
    bool changed;
    int64_t moved;

    if (!is_there)
        loaded = new_member(batch, command);
    if (!loaded) {
        batch_refuse(command, REASON_PROGRAMME_NOT_FOUND);
        return;
    }
    if (loaded->erased || loaded->lessened) { /* in this very batch, and what leaves it is written last */
        batch_refuse(command, REASON_TRY_AGAIN);
        return;
    }
    if (!batch_review_ready(batch, loaded) || (is_there && !batch_look_before(batch, command, loaded))) {
        batch_refuse(command, REASON_INTERNAL);
        return;
    }
    const struct member_facts before = batch_facts(&loaded->account);
    const struct member_profile *profile = new_profile(loaded, command, wish.profile_hash);
    enum reason reason =
        member_set(&loaded->account, &wish, &loaded->moment, &command->request_id, &changed, &moved, &batch->entries);
    if (reason != REASON_OK) {
        batch_refuse(command, reason);
        return;
    }
    if (changed && (!batch_keep_change(batch, command, loaded, is_new ? NULL : &before, profile) ||
                    (is_there && !batch_keep_before(batch, command, loaded, profile != NULL)))) {
        batch_refuse(command, REASON_INTERNAL);
        return;
    }
    if (profile)
        loaded->profile = profile;
    loaded->dirty |= changed;
    if (wish.has_tier && (is_new ? wish.tier > 0 : wish.tier != before.tier))
        batch_review_word(loaded);
    command->answer = (struct answer){
        .outcome = is_new    ? OUTCOME_CREATED
                   : changed ? OUTCOME_CHANGED
                             : OUTCOME_UNCHANGED,
        .points = moved,
        .spendable = account_spendable(&loaded->account),
        .business_date = loaded->moment.business_date,
        .time = loaded->moment.now,
        .change_seq = profile ? loaded->account.journal_seq : 0,
    };
    if (changed && loaded->account.credit_used > loaded->account.credit_limit)
        snprintf(command->answer.detail, sizeof command->answer.detail,
                 "credit_limit: %" PRId64 " points beyond it are used; nothing more can be drawn",
                 loaded->account.credit_used - loaded->account.credit_limit);
}

/* Accruals */

static bool repeat_of_accrual(struct batch *batch, struct command *command)
{
    int place = uuid_index_find(&batch->accrual_index, &command->request_id);

    if (uuid_index_find(&batch->operation_index, &command->request_id) >= 0) { /* a reversal has that name */
        batch_refuse(command, REASON_TRANSACTION_REUSED);
        return true;
    }
    if (place < 0)
        return false;
    const struct accrual_row *row = &batch->accruals[place].row;
    if (!batch_same_content(command, row->content_hash.at)) {
        batch_refuse(command, REASON_TRANSACTION_REUSED);
        return true;
    }
    command->answer = (struct answer){
        .outcome = OUTCOME_UNCHANGED, .points = row->points, .business_date = row->business_date, .time = row->at
    };
    return true;
}

static void keep_accrual(struct batch *batch, const struct command *command, const struct batch_account *loaded,
                         const struct earned *earned)
{
    struct batch_accrual *kept = &batch->accruals[batch->accrual_count];

    kept->is_new = true;
    kept->dirty = false;
    kept->row = (struct accrual_row){
        .id = command->request_id,
        .member_id = command->member_id,
        .bank_no = command->bank_no,
        .transaction_ref = command->accrue.transaction_ref,
        .content_hash = { command->content_hash, sizeof command->content_hash },
        .amount_minor = command->accrue.amount_minor,
        .currency = command->accrue.currency,
        .transaction_time = command->accrue.transaction_time,
        .points = earned->points,
        .rules_version = loaded->moment.rules->version,
        .business_date = loaded->moment.business_date,
        .at = loaded->moment.now,
        .pending_points = earned->pending,
        .lot_expires = earned->lot_expires,
        .matures_on = earned->matures_on,
        .funding_no = earned->funding_no,
        .fixed_points = command->accrue.fixed_points > 0,
        .category = command->accrue.category,
        .place = command->accrue.place,
        .merchant_id = command->accrue.merchant_id,
        .channel = command->accrue.channel,
        .paid_with_points_minor = command->accrue.paid_with_points_minor,
        .spent_on = command->accrue.spent_on,
        .tier = loaded->account.tier,
        .earn_rule = earned->rule ? earned->rule : "",
    };
    uuid_index_add(&batch->accrual_index, &command->request_id, (int)batch->accrual_count++);
}

/* What the bank fixes is not counted. */
static bool find_counts(struct batch *batch, const struct command *command, struct batch_account *loaded,
                        struct earn_counts **counts)
{
    *counts = NULL;
    if (!loaded || command->accrue.fixed_points > 0 ||
        !batch_counts_spend(reference_bank_no(batch->reference, command->bank_no)))
        return true;
    if (!loaded->counts) /* of a member that this batch made */
        loaded->counts = arena_alloc(&batch->arena, sizeof *loaded->counts);
    *counts = loaded->counts;
    return *counts != NULL;
}

/* A refused row is not kept: the bank may mend what was wrong and push it again. */
void batch_decide_accrue(struct batch *batch, struct command *command)
{
    struct batch_account *loaded = batch_account(batch, &command->member_id);
    struct earning earning = {
        .amount_minor = command->accrue.amount_minor,
        .currency = command->accrue.currency,
        .fixed_points = command->accrue.fixed_points,
        .funding_no = command->accrue.funding_no,
        .by_event = command->accrue.by_event,
        .pending_until = command->accrue.pending_until,
        .merchant_id = command->accrue.merchant_id,
        .channel = command->accrue.channel,
        .category = command->accrue.category ? command->accrue.category : CATEGORY_UNKNOWN,
        .spent_on = command->accrue.spent_on,
        .paid_with_points_minor = command->accrue.paid_with_points_minor,
    };
    struct earned earned;

    if (repeat_of_accrual(batch, command))
        return;
    if (!find_counts(batch, command, loaded, &earning.counts) || !batch_review_ready(batch, loaded)) {
        batch_refuse(command, REASON_INTERNAL);
        return;
    }
    enum reason reason = loaded ? member_earn(&loaded->account, &loaded->moment, &earning, &command->request_id,
                                              &earned, &batch->entries)
                                : REASON_MEMBER_NOT_FOUND;
    if (reason != REASON_OK) {
        batch_refuse(command, reason);
        return;
    }
    loaded->dirty |= earned.points > 0;
    loaded->counted |= earned.points > 0 && earning.counts && !earning.fixed_points;
    keep_accrual(batch, command, loaded, &earned);
    batch_review_spend(batch, command, loaded);
    command->answer = (struct answer){ .outcome = OUTCOME_CREATED,
                                       .points = earned.points,
                                       .spendable = account_spendable(&loaded->account),
                                       .business_date = loaded->moment.business_date,
                                       .time = loaded->moment.now };
}

/* Reversals of card transactions */

static bool repeat_of_reversal(struct batch *batch, struct command *command)
{
    bool purchase = uuid_index_find(&batch->accrual_index, &command->request_id) >= 0;
    int place = uuid_index_find(&batch->operation_index, &command->request_id);

    if (!purchase && place < 0)
        return false;
    if (purchase || !batch_same_content(command, batch->operations[place].row.content_hash.at)) {
        batch_refuse(command, REASON_TRANSACTION_REUSED);
        return true;
    }
    batch_answer_repeat(batch, command);
    command->answer.outcome = OUTCOME_UNCHANGED;
    return true;
}

/* The points of that part, whatever the rules are now; less when the bank took some back by hand. */
static enum reason spend_back(struct batch_accrual *accrual, struct batch_account *loaded,
                              const struct command *command, int64_t *moved, struct entries *entries)
{
    struct accrual_row *row = &accrual->row;
    const struct spend_back_order *order = &command->spend_back;
    struct earned earned = {
        row->points, row->pending_points, row->matures_on, row->lot_expires, row->funding_no, NULL
    };
    int64_t left = row->points - row->clawed_points;

    *moved = 0;
    if (strcmp(row->currency, order->currency) != 0)
        return REASON_CURRENCY_DIFFERS;
    if (order->amount_minor > row->amount_minor - row->reversed_minor)
        return REASON_BEYOND_SPEND;
    int64_t points = rules_points_reversed(row->points, row->amount_minor, row->reversed_minor, order->amount_minor);
    if (points > left)
        points = left;
    enum reason reason = points == 0 ? REASON_OK
                                     : member_claw_back(&loaded->account, &loaded->moment, &earned, left, points,
                                                        &command->request_id, moved, entries);
    if (reason != REASON_OK)
        return reason;
    row->pending_points = earned.pending;
    row->lot_expires = earned.lot_expires;
    row->clawed_points += *moved;
    row->reversed_minor += order->amount_minor;
    accrual->dirty = true;
    return REASON_OK;
}

/* As of accruals, a refused row is not kept: the purchase may come after its reversal, and then it is pushed again. */
void batch_decide_reverse_accrual(struct batch *batch, struct command *command)
{
    struct batch_account *loaded = batch_account(batch, &command->member_id);
    int place = uuid_index_find(&batch->accrual_index, &command->accrual_id);
    enum reason reason = REASON_OK;
    int64_t moved = 0;

    if (repeat_of_reversal(batch, command))
        return;
    if (!loaded || loaded->account.bank_no != command->bank_no)
        reason = REASON_MEMBER_NOT_FOUND;
    else if (place < 0)
        reason = REASON_ACCRUAL_NOT_FOUND;
    else
        reason = spend_back(&batch->accruals[place], loaded, command, &moved, &batch->entries);
    if (reason != REASON_OK) {
        batch_refuse(command, reason);
        return;
    }
    loaded->dirty = true;
    batch_review_return(command, loaded, &batch->accruals[place].row);
    batch_keep_operation(batch, command, loaded,
                         &(struct operation_facts){ .kind = ENTRY_CLAWBACK,
                                                    .state_after = loaded->account.status,
                                                    .points = moved,
                                                    .reason = REASON_OK,
                                                    .currency = "" });
    command->answer.outcome = OUTCOME_CREATED;
}

/* What the operations on a member have in common, and how many points they moved. */
struct operating {
    struct batch *batch;
    const struct command *command;
    struct batch_account *loaded;
    struct account *account;
    struct moment *moment;
    struct entries *entries;
    int64_t points;
    bool is_made;     /* by this command: the receiver of a split */
    bool is_lessened; /* likewise: the giver, by its cards */
};

static struct batch_accrual *accrual_of(const struct operating *on)
{
    int place = uuid_index_find(&on->batch->accrual_index, &on->command->accrual_id);

    return place < 0 ? NULL : &on->batch->accruals[place];
}

static struct earned earned_of(const struct accrual_row *row)
{
    return (
        struct earned){ row->points, row->pending_points, row->matures_on, row->lot_expires, row->funding_no, NULL };
}

static enum reason mature(struct operating *on)
{
    struct batch_accrual *accrual = accrual_of(on);
    struct earned earned = earned_of(&accrual->row);
    enum reason reason = member_mature(on->account, on->moment, &earned, on->command->part.points,
                                       &on->command->request_id, &on->points, on->entries);

    if (reason == REASON_OK) {
        accrual->row.pending_points = earned.pending;
        accrual->row.lot_expires = earned.lot_expires;
        accrual->dirty = true;
    }
    return reason;
}

static enum reason claw_back(struct operating *on)
{
    struct batch_accrual *accrual = accrual_of(on);
    struct earned earned = earned_of(&accrual->row);
    enum reason reason =
        member_claw_back(on->account, on->moment, &earned, accrual->row.points - accrual->row.clawed_points,
                         on->command->part.points, &on->command->request_id, &on->points, on->entries);

    if (reason == REASON_OK) {
        accrual->row.pending_points = earned.pending;
        accrual->row.lot_expires = earned.lot_expires;
        accrual->row.clawed_points += on->points;
        accrual->dirty = true;
    }
    return reason;
}

static enum reason adjust(struct operating *on)
{
    int64_t points = on->command->adjust.points;

    on->points = points < 0 ? -points : points;
    return member_adjust(on->account, on->moment, points, on->command->adjust.funding_no, &on->command->request_id,
                         on->entries);
}

static enum reason reinstate(struct operating *on)
{
    on->points = on->command->reinstate.points;
    return member_reinstate(on->account, on->moment, on->points, on->command->reinstate.expires_on,
                            &on->command->request_id, on->entries);
}

static enum reason set_status(struct operating *on)
{
    return member_set_status(on->account, on->moment, (int16_t)on->command->number, &on->command->request_id,
                             on->entries);
}

static enum reason close_member(struct operating *on)
{
    return member_close(on->account, on->moment, &on->command->request_id, &on->points, on->entries);
}

static enum reason set_credit_limit(struct operating *on)
{
    return member_set_credit_limit(on->account, on->moment, on->command->number, &on->command->request_id, on->entries);
}

static enum reason set_temporary_limit(struct operating *on)
{
    return member_set_temporary_limit(on->account, on->moment, &on->command->temporary, &on->command->request_id,
                                      on->entries);
}

static enum reason set_tier(struct operating *on)
{
    if (!batch_review_ready(on->batch, on->loaded))
        return REASON_INTERNAL;
    enum reason reason =
        member_set_tier(on->account, on->moment, (int16_t)on->command->number, &on->command->request_id, on->entries);
    if (reason == REASON_OK)
        batch_review_word(on->loaded);
    return reason;
}

/* Transfers */

static bool pack_parcel(struct batch *batch, const struct parcel *parcel, struct transfer_row *row)
{
    size_t lots = parcel->lots.count * PACKED_LOT, pending = parcel->pending_lots.count * PACKED_PENDING;
    uint8_t *at = arena_alloc(&batch->arena, lots + pending);

    if (!at)
        return false;
    packed_lots(parcel->lots.at, parcel->lots.count, at);
    packed_pending(&parcel->pending_lots, at + lots);
    row->lots = (struct bytes){ at, lots };
    row->pending_lots = (struct bytes){ at + lots, pending };
    row->credit = parcel->credit;
    row->status_before = parcel->status_before;
    row->merge = parcel->merge;
    return true;
}

static bool unpack_parcel(const struct transfer_row *row, struct parcel *parcel)
{
    parcel->credit = row->credit;
    parcel->status_before = row->status_before;
    parcel->merge = row->merge;
    return unpack_lots(row->lots.at, row->lots.size, &parcel->lots) &&
           unpack_pending(row->pending_lots.at, row->pending_lots.size, &parcel->pending_lots);
}

/* Two of one member might name one card, which stays in its profile until a split is over. */
static bool is_splitting(const struct operating *on)
{
    for (size_t i = 0; i < on->batch->transfer_count; i++) {
        const struct batch_transfer *transfer = &on->batch->transfers[i];
        if ((transfer->row.split || transfer->split) && transfer->row.state == TRANSFER_SENT &&
            uuid_compare(&transfer->row.from_member_id, &on->account->member_id) == 0)
            return true;
    }
    return false;
}

static enum reason send(struct operating *on)
{
    const struct send_order *order = &on->command->send;
    struct batch_transfer *added = &on->batch->transfers[on->batch->transfer_count];

    if (order->split && is_splitting(on))
        return REASON_SPLIT_UNDER_WAY;
    enum reason reason = order->split ? member_split(on->account, on->moment, order->points, &on->command->request_id,
                                                     order->parcel, &on->points, on->entries)
                                      : member_send(on->account, on->moment, order->points, order->merge,
                                                    &on->command->request_id, order->parcel, &on->points, on->entries);

    if (reason != REASON_OK)
        return reason;
    *added = (struct batch_transfer){ .is_new = true };
    added->row = (struct transfer_row){
        .id = on->command->request_id,
        .programme_no = on->account->programme_no,
        .bank_no = on->account->bank_no,
        .from_member_id = on->account->member_id,
        .to_member_id = order->to_member_id,
        .to_member_ref = order->to_member_ref,
        .state = TRANSFER_SENT,
        .reason = reason_name(REASON_OK),
    };
    if (!pack_parcel(on->batch, order->parcel, &added->row) ||
        (order->split && !batch_keep_split(on->batch, order->split, added)))
        return REASON_INTERNAL;
    uuid_index_add(&on->batch->transfer_index, &added->row.id, (int)on->batch->transfer_count++);
    return REASON_OK;
}

/* The receiver of a split is made by it: one that was there before is another member. */
static enum reason receive(struct operating *on)
{
    if (on->command->transfer.split) {
        enum reason reason = on->is_made ? batch_make_second(on->batch, on->loaded, on->command) : REASON_MEMBER_EXISTS;
        if (reason != REASON_OK)
            return reason;
    }
    return member_receive(on->account, on->moment, on->command->transfer.parcel, &on->command->request_id, &on->points,
                          on->entries);
}

/* The receiver's answer decides; the row's state says that it has been heard. */
static enum reason settle(struct operating *on)
{
    enum reason answer = on->command->transfer.reason;
    int place = uuid_index_find(&on->batch->transfer_index, &on->command->transfer.transfer_id);
    struct batch_transfer *transfer = &on->batch->transfers[place];
    struct parcel parcel;

    if (transfer->row.state != TRANSFER_SENT)
        return REASON_OK;
    if (answer != REASON_OK && !unpack_parcel(&transfer->row, &parcel))
        return REASON_INTERNAL;
    if (answer != REASON_OK)
        member_take_back(on->account, on->moment, &parcel, &on->command->request_id, &on->points, on->entries);
    transfer->row.state = answer == REASON_OK ? TRANSFER_RECEIVED : TRANSFER_GIVEN_BACK;
    transfer->row.reason = reason_name(answer);
    transfer->dirty = true;
    transfer->split_ended = transfer->row.split;
    on->is_lessened = transfer->row.split && answer == REASON_OK;
    if (on->is_lessened)
        batch_end_split(on->batch, on->loaded, transfer, &on->command->request_id);
    return REASON_OK;
}

static enum reason erase(struct operating *on)
{
    member_erase(on->account, on->moment, &on->command->request_id, on->entries);
    on->loaded->erased = true;
    return REASON_OK;
}

static enum reason restore(struct operating *on)
{
    return batch_restore(on->batch, on->command, on->loaded, &on->points);
}

static const struct {
    enum entry_kind kind;
    enum reason (*decide)(struct operating *on);
} operations[COMMAND_KIND_COUNT] = {
    [COMMAND_MATURE] = { ENTRY_MATURE, mature },
    [COMMAND_CLAW_BACK] = { ENTRY_CLAWBACK, claw_back },
    [COMMAND_ADJUST] = { ENTRY_ADJUST_ADD, adjust },
    [COMMAND_REINSTATE] = { ENTRY_REINSTATE, reinstate },
    [COMMAND_SET_STATUS] = { ENTRY_MEMBER, set_status },
    [COMMAND_CLOSE] = { ENTRY_CLOSE, close_member },
    [COMMAND_SET_CREDIT_LIMIT] = { ENTRY_MEMBER, set_credit_limit },
    [COMMAND_SET_TEMPORARY_LIMIT] = { ENTRY_MEMBER, set_temporary_limit },
    [COMMAND_SET_TIER] = { ENTRY_MEMBER, set_tier },
    [COMMAND_SEND] = { ENTRY_TRANSFER_OUT, send },
    [COMMAND_RECEIVE] = { ENTRY_TRANSFER_IN, receive },
    [COMMAND_SETTLE] = { ENTRY_TRANSFER_BACK, settle },
    [COMMAND_ERASE] = { ENTRY_MEMBER, erase },
    [COMMAND_RESTORE] = { ENTRY_REOPEN, restore },
};

/* What is named and not there is no state of the member's: such a refusal is not kept. */
static enum reason what_is_missing(const struct operating *on)
{
    bool of_accrual = on->command->kind == COMMAND_MATURE || on->command->kind == COMMAND_CLAW_BACK;

    if (!on->loaded || on->loaded->account.bank_no != on->command->bank_no)
        return REASON_MEMBER_NOT_FOUND;
    if (of_accrual && !accrual_of(on))
        return REASON_ACCRUAL_NOT_FOUND;
    if (on->command->kind == COMMAND_SETTLE &&
        uuid_index_find(&on->batch->transfer_index, &on->command->transfer.transfer_id) < 0)
        return REASON_INTERNAL;
    /* One split's end a batch: the profile is written once. */
    if (on->command->kind == COMMAND_SETTLE && on->loaded->lessened)
        return REASON_TRY_AGAIN;
    if (on->command->kind == COMMAND_RESTORE && (on->loaded->lessened || !batch_is_as_read(on->command, on->loaded)))
        return REASON_TRY_AGAIN;
    /* Its cards may be others than those the split was made of: whoever asks again reads them again. */
    if (on->command->kind == COMMAND_SEND && on->command->send.split &&
        (on->loaded->lessened || memcmp(on->loaded->account.profile_hash, on->command->send.split->hash_before,
                                        sizeof on->loaded->account.profile_hash) != 0))
        return REASON_TRY_AGAIN;
    return REASON_OK;
}

/*
 * A receiver that is not there stays so for this transfer, whoever asks again: the giver gets its points back because
 * of it, and a member of that name may be made in the meantime.
 */
static void keep_no_receiver(struct batch *batch, struct command *command)
{
    const struct fence_row *fence = batch_fence(batch, command->programme_no);
    struct batch_account nobody = { .account.member_id = command->member_id };

    if (fence)
        nobody.moment = (struct moment){ .now = fence->now, .business_date = fence->business_date };
    batch_keep_operation(
        batch, command, &nobody,
        &(struct operation_facts){ .kind = ENTRY_TRANSFER_IN, .reason = REASON_MEMBER_NOT_FOUND, .currency = "" });
}

/* The caller of a SEND goes on with what was sent, then as now. */
static void hand_over_parcel(struct batch *batch, struct command *command)
{
    int place = uuid_index_find(&batch->transfer_index, &command->request_id);
    const struct batch_transfer *transfer = place >= 0 ? &batch->transfers[place] : NULL;

    if (transfer && !unpack_parcel(&transfer->row, command->send.parcel))
        batch_refuse(command, REASON_INTERNAL);
    if (!transfer || transfer->split_ended || !(transfer->split || transfer->row.split))
        command->send.split = NULL;
}

/* The log says what a profile became by a later statement, where it is not known here. */
static const struct member_profile *profile_of(const struct operating *on)
{
    if (on->is_made)
        return on->command->transfer.split->into.profile;
    if (on->command->kind == COMMAND_RESTORE)
        return on->command->restore.profile;
    return on->command->kind == COMMAND_ERASE || on->is_lessened ? &no_profile : NULL;
}

void batch_decide_on_member(struct batch *batch, struct command *command)
{
    struct operating on = { .batch = batch,
                            .command = command,
                            .loaded = batch_account(batch, &command->member_id),
                            .entries = &batch->entries };

    if (batch_answer_repeat(batch, command)) {
        if (command->kind == COMMAND_SEND && command->answer.reason == REASON_OK)
            hand_over_parcel(batch, command);
        return;
    }
    enum reason reason = what_is_missing(&on);
    if (reason == REASON_MEMBER_NOT_FOUND && command->kind == COMMAND_RECEIVE && !command->transfer.split) {
        keep_no_receiver(batch, command);
        return;
    }
    if (!on.loaded && command->kind == COMMAND_RECEIVE) {
        on.loaded = new_member(batch, command);
        on.is_made = on.loaded != NULL;
        reason = on.loaded ? REASON_OK : REASON_PROGRAMME_NOT_FOUND;
    }
    if (reason != REASON_OK) {
        batch_refuse(command, reason);
        return;
    }
    const struct member_facts before = batch_facts(&on.loaded->account);
    on.account = &on.loaded->account;
    on.moment = &on.loaded->moment;
    bool closing = command->kind == COMMAND_CLOSE;
    if (closing && !batch_look_before(batch, command, on.loaded)) {
        batch_refuse(command, REASON_INTERNAL);
        return;
    }
    reason = operations[command->kind].decide(&on);
    if (reason == REASON_OK)
        on.loaded->dirty = true;
    const struct member_profile *profile = profile_of(&on);
    if (!batch_keep_change(batch, command, on.loaded, on.is_made ? NULL : &before, profile) ||
        (closing && reason == REASON_OK && !batch_keep_before(batch, command, on.loaded, false))) {
        batch_refuse(command, REASON_INTERNAL);
        return;
    }
    if (on.is_made || (command->kind == COMMAND_RESTORE && profile))
        on.loaded->profile = profile;
    batch_keep_operation(batch, command, on.loaded,
                         &(struct operation_facts){
                             .kind = operations[command->kind].kind,
                             .reason = reason,
                             .state_after = on.account->status,
                             .points = reason == REASON_OK ? on.points : 0,
                             .currency = "",
                         });
}
