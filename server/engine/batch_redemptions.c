/* batch_redemptions.c -- commands that open a redemption, and those on one that is there. */
#include "engine/batch.h"

#include "base/exact.h"
#include "engine/pace.h"

#include <string.h>

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
    added->redemption.card = command->hold.card;
    if (command->hold.lines)
        added->redemption.lines = *command->hold.lines;
    return added;
}

/* What the order costs now; a product that does not fit can be no points' price. */
static const struct price *price_of(struct batch *batch, const struct command *command, struct price *price)
{
    const struct good *good = reference_good_no(batch->reference, command->hold.goods_no);

    *price = (struct price){ .minor = command->hold.price_minor, .cash_minor = command->hold.cash_minor };
    memcpy(price->currency, command->hold.price_currency, CURRENCY_TEXT);
    if (!good)
        return price->minor ? price : NULL;
    if (!exact_ratio_floor(good->price_minor, command->hold.quantity, 1, &price->minor))
        price->minor = INT64_MAX;
    memcpy(price->currency, good->currency, CURRENCY_TEXT);
    return price;
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

/* Terminals and merchants are counted as the holds are decided, and given back when one is refused after all. */
static enum reason take_pace(struct batch *batch, const struct command *command, const struct moment *moment)
{
    if (!batch->pace || !moment->terms)
        return REASON_OK;
    enum reason reason = pace_take(batch->pace, command->merchant_no, command->hold.terminal_id, moment->terms,
                                   command->hold.points, moment->now);
    if (reason == REASON_OK)
        batch->paced[batch->paced_count++] = (struct paced){ command->merchant_no, command->hold.terminal_id,
                                                             moment->terms, command->hold.points, moment->now };
    return reason;
}

void batch_give_back_pace(struct batch *batch, size_t from)
{
    for (size_t i = from; i < batch->paced_count; i++) {
        const struct paced *paced = &batch->paced[i];
        pace_give_back(batch->pace, paced->merchant_no, paced->terminal_id, paced->terms, paced->points, paced->now);
    }
    batch->paced_count = from;
}

static enum reason open_redemption(struct batch *batch, struct command *command, struct batch_account *loaded,
                                   struct batch_redemption *added)
{
    struct price price;
    struct moment moment = batch_moment(batch, loaded, command->merchant_no, command->hold.goods_no);
    const struct price *asked = price_of(batch, command, &price);
    size_t paced = batch->paced_count;

    moment.pace = take_pace(batch, command, &moment);
    enum reason reason = command->kind == COMMAND_REDEEM
                             ? redemption_redeem(&added->redemption, &loaded->account, &moment, asked, &batch->entries)
                             : redemption_hold(&added->redemption, &loaded->account, &moment, asked,
                                               command->hold.lapse_after_us, &batch->entries);
    if (reason != REASON_OK)
        batch_give_back_pace(batch, paced);
    if (reason == REASON_EXPOSURE_LIMIT)
        batch_need_exposure(batch, command, &moment);
    return reason;
}

void batch_decide_hold(struct batch *batch, struct command *command)
{
    struct batch_account *loaded = batch_account(batch, &command->member_id);

    if (batch_answer_repeat(batch, command))
        return;
    struct batch_redemption *added = loaded ? new_redemption(batch, command) : NULL;
    if (!added) {
        batch_refuse(command, loaded ? REASON_TRY_AGAIN : REASON_MEMBER_NOT_FOUND);
        return;
    }
    if (open_redemption(batch, command, loaded, added) == REASON_OK) {
        loaded->dirty = true;
        if (command->kind == COMMAND_REDEEM)
            tell_others(batch, added, &command->request_id);
    } else {
        added->ship_to_size = 0; /* no parcel will ever need it */
    }
    /* What a repeat would be answered from. */
    batch_answer_repeat(batch, command);
}

/* What the operations on a redemption have in common, and what they will say. */
struct operating {
    struct batch *batch;
    const struct command *command;
    struct batch_redemption *target;
    struct batch_account *loaded;
    struct moment moment;
    int64_t points;
    struct settlement_amounts amounts; /* signed as the bank owes them */
    int64_t cash_minor;                /* likewise, at the till */
};

static enum reason confirm(struct operating *on)
{
    struct redemption *redemption = &on->target->redemption;
    enum reason reason = redemption_confirm(redemption, &on->loaded->account, &on->moment, &on->command->request_id,
                                            on->command->part.points, &on->points, &on->batch->entries);

    if (reason == REASON_OK) {
        on->amounts = redemption->confirmed;
        on->cash_minor = redemption_confirmed_cash(redemption);
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

static enum reason extend(struct operating *on)
{
    return redemption_extend(&on->target->redemption, &on->loaded->account, &on->moment,
                             on->command->extend.lapse_after_us);
}

static enum reason reverse(struct operating *on)
{
    struct redemption *redemption = &on->target->redemption;
    struct settlement_amounts amounts = { 0 };
    int64_t before = redemption_reversed_cash(redemption);
    const char *line_id = on->command->part.line_id;
    int line = line_id && line_id[0] ? order_lines_find(&redemption->lines, line_id) : -1;

    if (line_id && line_id[0] && line < 0)
        return REASON_LINE_NOT_FOUND;
    enum reason reason = redemption_reverse(redemption, &on->loaded->account, &on->moment, &on->command->request_id,
                                            on->command->part.points, line, &on->points, &amounts, &on->batch->entries);
    on->amounts = (struct settlement_amounts){ -amounts.gross_minor, -amounts.commission_minor };
    on->cash_minor = before - redemption_reversed_cash(redemption);
    return reason;
}

static const struct {
    enum entry_kind kind;
    enum reason (*decide)(struct operating *on);
} operations[COMMAND_KIND_COUNT] = {
    [COMMAND_CONFIRM] = { ENTRY_CONFIRM, confirm },
    [COMMAND_CANCEL] = { ENTRY_CANCEL, cancel },
    [COMMAND_REVERSE] = { ENTRY_REVERSE, reverse },
    [COMMAND_EXTEND] = { ENTRY_HOLD, extend },
};

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

void batch_decide_on_redemption(struct batch *batch, struct command *command)
{
    if (batch_answer_repeat(batch, command))
        return;
    struct operating on = { .batch = batch, .command = command, .target = target_of(batch, command) };
    on.loaded = on.target ? batch_account(batch, &on.target->redemption.member_id) : NULL;
    if (!on.loaded) {
        batch_refuse(command, REASON_REDEMPTION_NOT_FOUND);
        return;
    }
    struct redemption *redemption = &on.target->redemption;
    on.moment = batch_moment(batch, on.loaded, redemption->merchant_no, on.target->goods_no);
    enum reason reason = operations[command->kind].decide(&on);
    if (reason == REASON_OK)
        on.target->dirty = on.loaded->dirty = true;
    batch_keep_operation(batch, command, on.loaded,
                         &(struct operation_facts){
                             .kind = operations[command->kind].kind,
                             .reason = reason,
                             .redemption_id = redemption->id,
                             .state_after = redemption->state,
                             .points = on.points,
                             .currency = redemption->currency,
                             .amounts = on.amounts,
                             .cash_minor = on.cash_minor,
                             .lapse_at = command->kind == COMMAND_EXTEND ? redemption->lapse_at : (struct instant){ 0 },
                         });
}
