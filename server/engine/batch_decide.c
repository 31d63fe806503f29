/*
 * batch_decide.c -- each command in turn is given to the rules of domain/ over the loaded state. No SQL, no I/O.
 *
 * Two commands of one member in a batch simply see each other. A repeat is answered from what the first one left. What
 * is decided over members is in batch_members.c, over redemptions in batch_redemptions.c.
 */
#include "engine/batch.h"
#include "engine/batch_review.h"

#include "domain/packed.h"
#include "io/crypto.h"

#include <stdlib.h>
#include <string.h>

static bool more_entries(struct batch *batch, size_t needed)
{
    size_t room = needed * 2;
    struct entry *at = realloc(batch->entries.at, room * sizeof *at);

    if (!at)
        return false;
    batch->entries.at = at;
    batch->entry_room = room;
    return true;
}

static bool more_lots(struct batch *batch, size_t needed)
{
    size_t room = needed * 2;
    struct lot *at = realloc(batch->entries.lots, room * sizeof *at);

    if (!at)
        return false;
    batch->entries.lots = at;
    batch->lot_room = room;
    return true;
}

/* Room for what the next decision can write; the only place where entries may move. */
static bool make_room(struct batch *batch)
{
    size_t entries = batch->entries.count + DECISION_ENTRIES, lots = batch->entries.lot_count + DECISION_LOTS;

    return (entries <= batch->entry_room || more_entries(batch, entries)) &&
           (lots <= batch->lot_room || more_lots(batch, lots));
}

void batch_refuse(struct command *command, enum reason reason)
{
    command->answer = (struct answer){ .reason = reason, .outcome = OUTCOME_REFUSED };
}

bool batch_same_content(const struct command *command, const uint8_t *hash)
{
    return memcmp(command->content_hash, hash, sizeof command->content_hash) == 0;
}

/* What time did first, so that every answer is as if it had been done on the dot: holds lapse, points mature, expire.
 */
static bool bring_up_to_date(struct batch *batch, struct batch_account *loaded)
{
    struct account *account = &loaded->account;

    for (size_t i = 0; i < account->hold_count;) {
        struct batch_redemption *hold = batch_redemption(batch, &account->holds[i].id);
        if (!hold || !redemption_overdue(&hold->redemption, loaded->moment.now)) {
            i++;
            continue;
        }
        if (!make_room(batch))
            return false;
        redemption_lapse(&hold->redemption, account, &loaded->moment, &batch->entries);
        hold->dirty = loaded->dirty = true;
    }
    if (!make_room(batch) || !batch_review_time(batch, loaded))
        return false;
    const struct member_facts before = batch_facts(account);
    if (!make_room(batch))
        return false;
    bool moved = member_catch_up(account, &loaded->moment, &batch->entries);
    loaded->seq_due = account->journal_seq;
    if (!moved)
        return true;
    loaded->dirty = true;
    return batch_keep_change(batch, NULL, loaded, &before, NULL);
}

struct moment batch_moment(struct batch *batch, const struct batch_account *loaded, int32_t merchant_no,
                           int32_t goods_no)
{
    struct moment moment = loaded->moment;
    const struct merchant *merchant = merchant_no ? reference_merchant_no(batch->reference, merchant_no) : NULL;
    const struct good *good = goods_no ? reference_good_no(batch->reference, goods_no) : NULL;

    if (merchant) {
        moment.terms = terms_in_force(merchant->terms, merchant->terms_count, moment.now);
        moment.place.merchant_id = merchant->id;
    }
    if (good) {
        moment.place.goods_id = good->id;
        moment.place.goods_kind = good->kind;
    }
    return moment;
}

/* Repeats and what is kept for them */

static bool opens(const struct command *command)
{
    return command->kind == COMMAND_HOLD || command->kind == COMMAND_REDEEM;
}

static void answer_opened(struct command *command, const struct redemption *redemption)
{
    bool held = redemption->reason == REASON_OK;

    command->answer = (struct answer){
        .reason = redemption->reason,
        .state = held ? REDEMPTION_HELD : REDEMPTION_NONE,
        .points = held ? redemption->points : 0,
        .spendable = redemption->spendable_after,
        .business_date = redemption->business_date,
        .time = redemption->held_at,
        .lapse_at = { redemption->held_at.us + redemption->lapse_after_us },
        .cash_minor = redemption->cash_minor,
    };
    if (redemption->cash_minor)
        memcpy(command->answer.cash_currency, redemption->price_currency, CURRENCY_TEXT);
    if (!held || !redemption->one_step)
        return;
    command->answer.state = REDEMPTION_CONFIRMED;
    memcpy(command->answer.currency, redemption->currency, CURRENCY_TEXT);
    command->answer.gross_minor = redemption->confirmed.gross_minor;
    command->answer.commission_minor = redemption->confirmed.commission_minor;
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
        .lapse_at = row->lapse_at,
        .cash_minor = row->cash_minor,
    };
    memcpy(command->answer.currency, row->currency, strnlen(row->currency, CURRENCY_TEXT - 1));
    if (row->cash_minor)
        memcpy(command->answer.cash_currency, command->answer.currency, CURRENCY_TEXT);
}

bool batch_answer_repeat(struct batch *batch, struct command *command)
{
    const struct batch_redemption *opened = batch_redemption(batch, &command->request_id);
    int place = uuid_index_find(&batch->operation_index, &command->request_id);
    const struct operation_row *operation = place < 0 ? NULL : &batch->operations[place].row;

    if (!opened && !operation)
        return false;
    if (opened && opens(command) && batch_same_content(command, opened->content_hash))
        answer_opened(command, &opened->redemption);
    else if (operation && batch_same_content(command, operation->content_hash.at))
        answer_operation(command, operation);
    else
        batch_refuse(command, REASON_REQUEST_ID_REUSED);
    return true;
}

void batch_keep_operation(struct batch *batch, struct command *command, const struct batch_account *loaded,
                          const struct operation_facts *facts)
{
    struct batch_operation *kept = &batch->operations[batch->operation_count];
    bool money = facts->amounts.gross_minor || facts->amounts.commission_minor || facts->cash_minor;

    kept->is_new = true;
    kept->row = (struct operation_row){
        .id = command->request_id,
        .member_id = loaded->account.member_id,
        .redemption_id = facts->redemption_id,
        .kind = (int16_t)facts->kind,
        .content_hash = { command->content_hash, sizeof command->content_hash },
        .reason = reason_name(facts->reason),
        .state_after = facts->state_after,
        .points = facts->points,
        .spendable_after = account_spendable(&loaded->account),
        .currency = money ? facts->currency : "",
        .gross_minor = facts->amounts.gross_minor,
        .commission_minor = facts->amounts.commission_minor,
        .business_date = loaded->moment.business_date,
        .at = loaded->moment.now,
        .lapse_at = facts->lapse_at,
        .cash_minor = facts->cash_minor,
    };
    uuid_index_add(&batch->operation_index, &kept->row.id, (int)batch->operation_count++);
    answer_operation(command, &kept->row);
}

/* Bringing the account up to date has done it. */
static void decide_nothing(struct batch *batch, struct command *command)
{
    (void)batch;
    command->answer = (struct answer){ .reason = REASON_OK };
}

static void (*const deciders[COMMAND_KIND_COUNT])(struct batch *batch, struct command *command) = {
    [COMMAND_SET_MEMBER] = batch_decide_set_member,
    [COMMAND_ACCRUE] = batch_decide_accrue,
    [COMMAND_REVERSE_ACCRUAL] = batch_decide_reverse_accrual,
    [COMMAND_HOLD] = batch_decide_hold,
    [COMMAND_REDEEM] = batch_decide_hold,
    [COMMAND_CONFIRM] = batch_decide_on_redemption,
    [COMMAND_CANCEL] = batch_decide_on_redemption,
    [COMMAND_REVERSE] = batch_decide_on_redemption,
    [COMMAND_EXTEND] = batch_decide_on_redemption,
    [COMMAND_MATURE] = batch_decide_on_member,
    [COMMAND_CLAW_BACK] = batch_decide_on_member,
    [COMMAND_ADJUST] = batch_decide_on_member,
    [COMMAND_REINSTATE] = batch_decide_on_member,
    [COMMAND_SET_STATUS] = batch_decide_on_member,
    [COMMAND_CLOSE] = batch_decide_on_member,
    [COMMAND_SET_CREDIT_LIMIT] = batch_decide_on_member,
    [COMMAND_SET_TEMPORARY_LIMIT] = batch_decide_on_member,
    [COMMAND_SET_TIER] = batch_decide_on_member,
    [COMMAND_SEND] = batch_decide_on_member,
    [COMMAND_RECEIVE] = batch_decide_on_member,
    [COMMAND_SETTLE] = batch_decide_on_member,
    [COMMAND_ERASE] = batch_decide_on_member,
    [COMMAND_RESTORE] = batch_decide_on_member,
    [COMMAND_TIDY] = decide_nothing,
    [COMMAND_LAPSE] = decide_nothing,
};

/* previous hash, fixed part, and, when there is something to say, pending_after and lots: as domain/entry.h has it. */
static bool chain_entry(struct batch *batch, struct entry *entry, struct bytes *lots)
{
    struct account *account = &batch_account(batch, &entry->member_id)->account;
    uint8_t *bytes = arena_alloc(&batch->arena, CRYPTO_HASH + ENTRY_BYTES + 8 + entry->lot_count * PACKED_LOT);
    size_t size = CRYPTO_HASH + ENTRY_BYTES;

    if (!bytes)
        return false;
    memcpy(bytes, account->chain, CRYPTO_HASH);
    entry_encode(entry, bytes + CRYPTO_HASH);
    *lots = (struct bytes){ bytes + size + 8, entry->lot_count * PACKED_LOT };
    if (entry->pending_after != 0 || entry->lot_count > 0) {
        entry_encode_pending(entry, bytes + size);
        size += 8 + packed_lots(&batch->entries.lots[entry->first_lot], entry->lot_count, bytes + size + 8);
    }
    crypto_sha256(bytes, size, entry->hash);
    memcpy(account->chain, entry->hash, sizeof account->chain);
    return true;
}

/* Entries are in order within each member, which is all a member's chain needs. */
static bool chain_entries(struct batch *batch)
{
    bool good = true;

    batch->entry_lots = arena_alloc(&batch->arena, batch->entries.count * sizeof *batch->entry_lots);
    for (size_t i = 0; batch->entry_lots && good && i < batch->entries.count; i++)
        good = chain_entry(batch, &batch->entries.at[i], &batch->entry_lots[i]);
    return batch->entry_lots && good;
}

bool batch_decide(struct batch *batch, struct error *err)
{
    for (size_t i = 0; i < batch->account_count; i++) {
        if (!bring_up_to_date(batch, &batch->accounts[i]))
            return error_set(err, REASON_INTERNAL, "out of memory");
    }
    for (size_t i = 0; i < batch->command_count; i++) {
        if (!make_room(batch))
            return error_set(err, REASON_INTERNAL, "out of memory");
        deciders[batch->commands[i]->kind](batch, batch->commands[i]);
        if (batch->out_of_memory)
            return error_set(err, REASON_INTERNAL, "out of memory");
        if (batch->lacking)
            return error_set(err, REASON_TRY_AGAIN, "this bucket's part of an exposure limit is used up");
    }
    return chain_entries(batch) || error_set(err, REASON_INTERNAL, "out of memory");
}
