/*
 * batch_decide.c -- each command in turn is given to the rules of domain/ over the loaded state. No SQL, no I/O.
 *
 * Two commands of one member in a batch simply see each other. A repeat is answered from what the first one left.
 */
#include "engine/batch.h"

#include "base/exact.h"
#include "domain/member.h"
#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for what the next decision can write; the only place where entries may move. */
static bool make_room(struct batch *batch, size_t entries)
{
    size_t needed = batch->entries.count + entries;

    if (needed <= batch->entry_room)
        return true;
    size_t room = needed * 2;
    struct entry *at = realloc(batch->entries.at, room * sizeof *at);
    if (!at)
        return false;
    batch->entries.at = at;
    batch->entry_room = room;
    return true;
}

static void answer_reason(struct command *command, enum reason reason)
{
    command->answer = (struct answer){ .reason = reason, .outcome = OUTCOME_REFUSED };
}

static bool same_content(const struct command *command, const uint8_t *hash)
{
    return memcmp(command->content_hash, hash, sizeof command->content_hash) == 0;
}

/* Lots that are over and holds past their time end first, so that every answer is as if they had ended on the dot. */
static bool bring_up_to_date(struct batch *batch, struct batch_account *loaded)
{
    struct account *account = &loaded->account;

    if (!make_room(batch, 1))
        return false;
    for (size_t i = 0; i < account->hold_count;) {
        struct batch_redemption *hold = batch_redemption(batch, &account->holds[i].id);
        if (!hold || !redemption_overdue(&hold->redemption, loaded->moment.now)) {
            i++;
            continue;
        }
        if (!make_room(batch, DECISION_ENTRIES))
            return false;
        redemption_lapse(&hold->redemption, account, &loaded->moment, &batch->entries);
        hold->dirty = loaded->dirty = true;
    }
    if (!make_room(batch, 1))
        return false;
    if (member_expire(account, &loaded->moment, &batch->entries))
        loaded->dirty = true;
    return true;
}

static struct moment moment_for(struct batch *batch, const struct batch_account *loaded, int32_t merchant_no)
{
    struct moment moment = loaded->moment;
    const struct merchant *merchant = merchant_no ? reference_merchant_no(batch->reference, merchant_no) : NULL;

    if (merchant)
        moment.terms = terms_in_force(merchant->terms, merchant->terms_count, moment.now);
    return moment;
}

/* Members */

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
    const struct bank *bank = reference_bank_no(batch->reference, command->bank_no);
    added->moment.rules = bank ? rules_in_force(bank->rules, bank->rules_count, fence->now) : NULL;
    return added;
}

/* Each token with a NUL behind it, so that no two lists look alike. */
static void hash_tokens(const struct member_order *order, uint8_t hash[CRYPTO_HASH])
{
    char text[CARD_TOKENS_MAX * 65];
    size_t n = 0;

    for (size_t i = 0; i < order->card_token_count && i < CARD_TOKENS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%.64s", order->card_tokens[i]) + 1;
    crypto_sha256(text, n, hash);
}

static void decide_set_member(struct batch *batch, struct command *command)
{
    struct batch_account *loaded = batch_account(batch, &command->member_id);
    bool is_new = loaded == NULL;
    struct member_wish wish = { .status = command->member.status, .credit_limit = command->member.credit_limit };

    if (is_new)
        loaded = new_member(batch, command);
    if (!loaded) {
        answer_reason(command, REASON_PROGRAMME_NOT_FOUND);
        return;
    }
    hash_tokens(&command->member, wish.profile_hash);
    bool profile = memcmp(wish.profile_hash, loaded->account.profile_hash, sizeof wish.profile_hash) != 0;
    bool changed = member_set(&loaded->account, &wish, &loaded->moment, &command->request_id, &batch->entries);
    if (changed && profile) {
        loaded->profile_dirty = true;
        loaded->card_tokens = command->member.card_tokens;
        loaded->card_token_count = command->member.card_token_count;
    }
    loaded->dirty |= changed;
    command->answer = (struct answer){
        .outcome = is_new    ? OUTCOME_CREATED
                   : changed ? OUTCOME_CHANGED
                             : OUTCOME_UNCHANGED,
        .spendable = account_spendable(&loaded->account),
        .business_date = loaded->moment.business_date,
        .time = loaded->moment.now,
    };
}

/* Accruals */

static bool repeat_of_accrual(struct batch *batch, struct command *command)
{
    int place = uuid_index_find(&batch->accrual_index, &command->request_id);

    if (place < 0)
        return false;
    const struct accrual_row *row = &batch->accruals[place].row;
    if (!same_content(command, row->content_hash.at)) {
        answer_reason(command, REASON_TRANSACTION_REUSED);
        return true;
    }
    command->answer = (struct answer){
        .outcome = OUTCOME_UNCHANGED, .points = row->points, .business_date = row->business_date, .time = row->at
    };
    return true;
}

static void keep_accrual(struct batch *batch, const struct command *command, const struct batch_account *loaded,
                         int64_t points)
{
    struct batch_accrual *kept = &batch->accruals[batch->accrual_count];

    kept->is_new = true;
    kept->row = (struct accrual_row){
        .id = command->request_id,
        .member_id = command->member_id,
        .bank_no = command->bank_no,
        .transaction_ref = command->accrue.transaction_ref,
        .content_hash = { command->content_hash, sizeof command->content_hash },
        .amount_minor = command->accrue.amount_minor,
        .currency = command->accrue.currency,
        .transaction_time = command->accrue.transaction_time,
        .points = points,
        .rules_version = loaded->moment.rules->version,
        .business_date = loaded->moment.business_date,
        .at = loaded->moment.now,
    };
    uuid_index_add(&batch->accrual_index, &command->request_id, (int)batch->accrual_count++);
}

/* A refused row is not kept: the bank may mend what was wrong and push it again. */
static void decide_accrue(struct batch *batch, struct command *command)
{
    struct batch_account *loaded = batch_account(batch, &command->member_id);
    int64_t points;

    if (repeat_of_accrual(batch, command))
        return;
    enum reason reason = loaded ? member_earn(&loaded->account, &loaded->moment, command->accrue.amount_minor,
                                              command->accrue.currency, &command->request_id, &points, &batch->entries)
                                : REASON_MEMBER_NOT_FOUND;
    if (reason != REASON_OK) {
        answer_reason(command, reason);
        return;
    }
    loaded->dirty = true;
    keep_accrual(batch, command, loaded, points);
    command->answer = (struct answer){ .outcome = OUTCOME_CREATED,
                                       .points = points,
                                       .spendable = account_spendable(&loaded->account),
                                       .business_date = loaded->moment.business_date,
                                       .time = loaded->moment.now };
}

/* Redemptions */

static void answer_hold(struct command *command, const struct redemption *redemption)
{
    bool held = redemption->reason == REASON_OK;

    command->answer = (struct answer){
        .reason = redemption->reason,
        .state = held ? REDEMPTION_HELD : REDEMPTION_NONE,
        .points = held ? redemption->points : 0,
        .spendable = redemption->spendable_after,
        .business_date = redemption->business_date,
        .time = redemption->held_at,
        .lapse_at = redemption->lapse_at,
    };
}

static void answer_operation(struct command *command, const struct operation_row *row)
{
    command->answer = (struct answer){
        .reason = reason_by_name(row->reason),
        .state = row->state_after,
        .points = row->points,
        .spendable = row->spendable_after,
        .gross_minor = row->gross_minor,
        .commission_minor = row->commission_minor,
        .business_date = row->business_date,
        .time = row->at,
    };
    memcpy(command->answer.currency, row->currency, strnlen(row->currency, CURRENCY_TEXT - 1));
}

/* true when the request was seen before: it is answered as then, or refused because it says something else now. */
static bool repeat_of_request(struct batch *batch, struct command *command)
{
    const struct batch_redemption *hold = batch_redemption(batch, &command->request_id);
    int place = uuid_index_find(&batch->operation_index, &command->request_id);
    const struct operation_row *operation = place < 0 ? NULL : &batch->operations[place].row;

    if (!hold && !operation)
        return false;
    if (hold && command->kind == COMMAND_HOLD && same_content(command, hold->content_hash))
        answer_hold(command, &hold->redemption);
    else if (operation && same_content(command, operation->content_hash.at))
        answer_operation(command, operation);
    else
        answer_reason(command, REASON_REQUEST_ID_REUSED);
    return true;
}

static struct batch_redemption *new_redemption(struct batch *batch, const struct command *command)
{
    struct batch_redemption *added = batch_add_redemption(batch, &command->request_id);

    if (!added)
        return NULL;
    added->is_new = true;
    added->goods_no = command->hold.goods_no;
    added->quantity = command->hold.quantity;
    added->terminal_id = command->hold.terminal_id;
    added->ship_to = command->hold.ship_to;
    added->ship_to_size = command->hold.ship_to_size;
    memcpy(added->content_hash, command->content_hash, sizeof added->content_hash);
    added->redemption.member_id = command->member_id;
    added->redemption.programme_no = command->programme_no;
    added->redemption.bank_no = command->bank_no;
    added->redemption.merchant_no = command->merchant_no;
    added->redemption.store_no = command->store_no;
    added->redemption.whole = command->hold.goods_no != 0;
    added->redemption.points = command->hold.points;
    return added;
}

/* What the order costs now; a product that does not fit can be no points' price. */
static const struct price *price_of(struct batch *batch, const struct command *command, struct price *price)
{
    const struct good *good = reference_good_no(batch->reference, command->hold.goods_no);

    if (!good)
        return NULL;
    if (!exact_ratio_floor(good->price_minor, command->hold.quantity, 1, &price->minor))
        price->minor = INT64_MAX;
    memcpy(price->currency, good->currency, CURRENCY_TEXT);
    return price;
}

static void decide_hold(struct batch *batch, struct command *command)
{
    struct batch_account *loaded = batch_account(batch, &command->member_id);
    struct price price;

    if (repeat_of_request(batch, command))
        return;
    struct batch_redemption *added = loaded ? new_redemption(batch, command) : NULL;
    if (!added) {
        answer_reason(command, loaded ? REASON_TRY_AGAIN : REASON_MEMBER_NOT_FOUND);
        return;
    }
    struct moment moment = moment_for(batch, loaded, command->merchant_no);
    enum reason reason =
        redemption_hold(&added->redemption, &loaded->account, &moment, price_of(batch, command, &price),
                        command->hold.lapse_after_us, &batch->entries);
    loaded->dirty |= reason == REASON_OK;
    answer_hold(command, &added->redemption);
}

static void add_outbox(struct batch *batch, const struct batch_redemption *confirmed, const struct uuid *ref,
                       enum outbox_topic topic)
{
    batch->outbox[batch->outbox_count++] = (struct outbox_row){
        .id = *ref,
        .topic = (int16_t)topic,
        .programme_no = confirmed->redemption.programme_no,
        .merchant_no = confirmed->redemption.merchant_no,
        .redemption_id = confirmed->redemption.id,
    };
}

static void tell_others(struct batch *batch, const struct batch_redemption *confirmed, const struct uuid *ref)
{
    const struct merchant *merchant = reference_merchant_no(batch->reference, confirmed->redemption.merchant_no);

    if (merchant && merchant->has_webhook)
        add_outbox(batch, confirmed, ref, OUTBOX_WEBHOOK);
    if (confirmed->goods_no)
        add_outbox(batch, confirmed, ref, OUTBOX_SHIPMENT);
}

/* What confirm, cancel and reverse have in common: the redemption, its member, and what the operation will say. */
struct operating {
    struct batch *batch;
    const struct command *command;
    struct batch_redemption *target;
    struct batch_account *loaded;
    struct moment moment;
    int64_t points;
    struct settlement_amounts amounts; /* signed as the bank owes them */
};

static enum reason confirm(struct operating *on)
{
    struct redemption *redemption = &on->target->redemption;
    enum reason reason = redemption_confirm(redemption, &on->loaded->account, &on->moment, &on->command->request_id,
                                            on->command->part.points, &on->points, &on->batch->entries);

    if (reason == REASON_OK) {
        on->amounts = redemption->confirmed;
        tell_others(on->batch, on->target, &on->command->request_id);
    }
    return reason;
}

static enum reason cancel(struct operating *on)
{
    struct redemption *redemption = &on->target->redemption;
    enum reason reason =
        redemption_cancel(redemption, &on->loaded->account, &on->moment, &on->command->request_id, &on->batch->entries);

    if (reason == REASON_OK)
        on->points = redemption->points;
    return reason;
}

static enum reason reverse(struct operating *on)
{
    struct settlement_amounts amounts = { 0 };
    enum reason reason =
        redemption_reverse(&on->target->redemption, &on->loaded->account, &on->moment, &on->command->request_id,
                           on->command->part.points, &on->points, &amounts, &on->batch->entries);

    on->amounts = (struct settlement_amounts){ -amounts.gross_minor, -amounts.commission_minor };
    return reason;
}

static const struct {
    enum entry_kind kind;
    enum reason (*decide)(struct operating *on);
} operations[] = {
    [COMMAND_CONFIRM] = { ENTRY_CONFIRM, confirm },
    [COMMAND_CANCEL] = { ENTRY_CANCEL, cancel },
    [COMMAND_REVERSE] = { ENTRY_REVERSE, reverse },
};

static const struct operation_row *keep_operation(struct operating *on, enum reason reason)
{
    struct batch *batch = on->batch;
    struct batch_operation *kept = &batch->operations[batch->operation_count];

    kept->is_new = true;
    kept->row = (struct operation_row){
        .id = on->command->request_id,
        .member_id = on->target->redemption.member_id,
        .redemption_id = on->target->redemption.id,
        .kind = (int16_t)operations[on->command->kind].kind,
        .content_hash = { on->command->content_hash, sizeof on->command->content_hash },
        .reason = reason_name(reason),
        .state_after = on->target->redemption.state,
        .points = on->points,
        .spendable_after = account_spendable(&on->loaded->account),
        .currency = on->amounts.gross_minor || on->amounts.commission_minor ? on->target->redemption.currency : "",
        .gross_minor = on->amounts.gross_minor,
        .commission_minor = on->amounts.commission_minor,
        .business_date = on->moment.business_date,
        .at = on->moment.now,
    };
    uuid_index_add(&batch->operation_index, &kept->row.id, (int)batch->operation_count++);
    return &kept->row;
}

static bool is_callers(const struct command *command, const struct redemption *redemption)
{
    return (command->merchant_no == 0 || redemption->merchant_no == command->merchant_no) &&
           (command->store_no == 0 || redemption->store_no == command->store_no);
}

/*
 * The redemption as this caller may see it: another merchant's or store's, a refused hold, and one under a name that
 * was never given out, are not there.
 */
static struct batch_redemption *target_of(struct batch *batch, const struct command *command)
{
    struct batch_redemption *target = batch_redemption(batch, &command->redemption_id);
    const struct redemption *redemption = target ? &target->redemption : NULL;

    if (!target || redemption->state == REDEMPTION_NONE)
        return NULL;
    return member_hash16(&redemption->member_id) == command->hash16 && is_callers(command, redemption) ? target : NULL;
}

static void decide_operation(struct batch *batch, struct command *command)
{
    if (repeat_of_request(batch, command))
        return;
    struct operating on = { .batch = batch, .command = command, .target = target_of(batch, command) };
    on.loaded = on.target ? batch_account(batch, &on.target->redemption.member_id) : NULL;
    if (!on.loaded) {
        answer_reason(command, REASON_REDEMPTION_NOT_FOUND);
        return;
    }
    on.moment = moment_for(batch, on.loaded, on.target->redemption.merchant_no);
    enum reason reason = operations[command->kind].decide(&on);
    if (reason == REASON_OK)
        on.target->dirty = on.loaded->dirty = true;
    answer_operation(command, keep_operation(&on, reason));
}

/* Bringing the account up to date has done it. */
static void decide_lapse(struct batch *batch, struct command *command)
{
    (void)batch;
    command->answer = (struct answer){ .reason = REASON_OK };
}

static void (*const deciders[])(struct batch *batch, struct command *command) = {
    [COMMAND_SET_MEMBER] = decide_set_member, [COMMAND_ACCRUE] = decide_accrue,    [COMMAND_HOLD] = decide_hold,
    [COMMAND_CONFIRM] = decide_operation,     [COMMAND_CANCEL] = decide_operation, [COMMAND_REVERSE] = decide_operation,
    [COMMAND_LAPSE] = decide_lapse,
};

/* Entries are in order within each member, which is all a member's chain needs. */
static void chain_entries(struct batch *batch)
{
    uint8_t bytes[ENTRY_BYTES];

    for (size_t i = 0; i < batch->entries.count; i++) {
        struct entry *entry = &batch->entries.at[i];
        struct account *account = &batch_account(batch, &entry->member_id)->account;
        entry_encode(entry, bytes);
        crypto_sha256_two(account->chain, sizeof account->chain, bytes, sizeof bytes, entry->hash);
        memcpy(account->chain, entry->hash, sizeof account->chain);
    }
}

bool batch_decide(struct batch *batch, struct error *err)
{
    for (size_t i = 0; i < batch->account_count; i++) {
        if (!bring_up_to_date(batch, &batch->accounts[i]))
            return error_set(err, REASON_INTERNAL, "out of memory");
    }
    for (size_t i = 0; i < batch->command_count; i++) {
        if (!make_room(batch, DECISION_ENTRIES))
            return error_set(err, REASON_INTERNAL, "out of memory");
        deciders[batch->commands[i]->kind](batch, batch->commands[i]);
    }
    chain_entries(batch);
    return true;
}
