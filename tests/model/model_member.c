/* model_member.c -- a member's own matters, told naively: earning, maturing, taking back, corrections, transfers. */
#include "model.h"

#include <string.h>

static const struct uuid nobody = { { 0 } };

int64_t model_available(const struct model_member *member)
{
    return heaps_points(&member->heaps);
}

int64_t model_pending(const struct model_member *member)
{
    return waits_points(&member->waits);
}

int64_t model_spendable(const struct model_member *member)
{
    int64_t left = member->credit_limit - member->credit_used;

    return model_available(member) + (left > 0 ? left : 0);
}

/* What came back pays the youngest debt, what was earned the oldest; of too many the two oldest are one. */
static void tell_debts(struct model_member *whose, int kind, int32_t today)
{
    bool back = kind == ENTRY_CANCEL || kind == ENTRY_LAPSE || kind == ENTRY_RELEASE || kind == ENTRY_REVERSE;
    int64_t known = 0;

    for (size_t i = 0; i < whose->debt_count; i++)
        known += whose->debts[i].points;
    if (whose->credit_used > known)
        whose->debts[whose->debt_count++] = (struct model_debt){ today, whose->credit_used - known };
    for (; whose->credit_used < known; known--) { /* point by point */
        size_t which = back ? whose->debt_count - 1 : 0;
        int64_t most = known - whose->credit_used - 1;
        int64_t at_once = most < whose->debts[which].points - 1 ? most : whose->debts[which].points - 1;
        whose->debts[which].points -= 1 + at_once;
        known -= at_once;
        if (whose->debts[which].points == 0) {
            for (size_t i = which + 1; i < whose->debt_count; i++)
                whose->debts[i - 1] = whose->debts[i];
            whose->debt_count--;
        }
    }
    for (size_t i = 1; i < whose->debt_count; i++) {
        bool same_day = whose->debts[i].day == whose->debts[i - 1].day;
        if (!same_day && (i > 1 || whose->debt_count <= DRAWN_DAYS_MAX))
            continue;
        whose->debts[i - 1].points += whose->debts[i].points;
        for (size_t k = i + 1; k < whose->debt_count; k++)
            whose->debts[k - 1] = whose->debts[k];
        whose->debt_count--;
        i--;
    }
}

void model_note(struct model *model, int member, int kind, int64_t points, const struct uuid *ref,
                const struct uuid *redemption_id, const struct heaps *heaps)
{
    struct model_member *whose = &model->members[member];
    struct model_entry *entry = LIST_ADD(&whose->entries);

    tell_debts(whose, kind, model->facts.today);
    *entry = (struct model_entry){
        .kind = (int16_t)kind,
        .business_date = model->facts.today,
        .at = model->facts.now,
        .points = points,
        .available = model_available(whose),
        .held = model_held(model, member),
        .pending = model_pending(whose),
        .credit_used = whose->credit_used,
        .credit_limit = whose->credit_limit,
        .ref = *ref,
        .redemption_id = *redemption_id,
        .first_heap = whose->entry_heaps.count,
    };
    for (size_t i = 0; heaps && i < heaps->count; i++) {
        if (heaps->at[i].points > 0)
            *LIST_ADD(&whose->entry_heaps) = heaps->at[i];
    }
    entry->heap_count = whose->entry_heaps.count - entry->first_heap;
}

int64_t model_repay(struct model_member *member, int64_t points)
{
    int64_t repaid = points < member->credit_used ? points : member->credit_used;

    member->credit_used -= repaid;
    return points - repaid;
}

/* Earns a heap after repaying credit used; one more heap than there may be is refused. */
static enum reason earn_heap(struct model_member *member, struct heap heap, struct heaps *made)
{
    bool repays_all = heap.points <= member->credit_used;
    int64_t room = INT64_MAX - model_available(member);

    if (!repays_all && member->heaps.count == LOTS_MAX &&
        heaps_find(&member->heaps, heap.expires_on, heap.funding_no) < 0)
        return REASON_TOO_MANY_LOTS;
    if (!repays_all && heap.points - member->credit_used > room)
        return REASON_AMOUNT_TOO_LARGE;
    heap.points = model_repay(member, heap.points);
    made->count = 1;
    made->at[0] = heap;
    if (heap.points > 0)
        heaps_add(&member->heaps, heap);
    return REASON_OK;
}

static bool has_rate(const struct exchange_rules *rules, const char *currency)
{
    for (int32_t i = 0; i < rules->rate_count; i++) {
        if (strcmp(rules->rates[i].currency, currency) == 0)
            return true;
    }
    return false;
}

static void keep_accrual(struct model *model, int member, const struct command *command, int64_t points,
                         int32_t matures_on, int32_t lot_expires)
{
    struct model_accrual *kept = LIST_ADD(&model->accruals);
    bool later = matures_on > model->facts.today;

    *kept = (struct model_accrual){ .id = command->request_id,
                                    .member = member,
                                    .transaction_ref = command->accrue.transaction_ref,
                                    .amount_minor = command->accrue.amount_minor,
                                    .points = points,
                                    .pending = later ? points : 0,
                                    .matures_on = later ? matures_on : 0,
                                    .lot_expires = lot_expires,
                                    .funding_no = command->accrue.funding_no,
                                    .business_date = model->facts.today,
                                    .at = model->facts.now };
    memcpy(kept->content, command->content_hash, sizeof kept->content);
    memcpy(kept->currency, command->accrue.currency, sizeof kept->currency);
}

static enum reason earn_later(struct model *model, int member, struct wait wait)
{
    struct model_member *whose = &model->members[member];

    if (waits_find(&whose->waits, wait.matures_on, wait.expires_on, wait.funding_no) < 0 &&
        whose->waits.count == PENDING_MAX)
        return REASON_TOO_MANY_PENDING;
    if (wait.points > INT64_MAX - model_pending(whose))
        return REASON_AMOUNT_TOO_LARGE;
    waits_add(&whose->waits, wait);
    return REASON_OK;
}

enum reason model_earn(struct model *model, int member, const struct command *command, struct answer *answer)
{
    struct model_member *whose = &model->members[member];
    const struct exchange_rules *rules = model->facts.rules[whose->bank_no];
    const struct accrue_order *order = &command->accrue;
    int32_t today = model->facts.today, event = MATURES_BY_EVENT.days;
    int64_t points;

    if (!rules)
        return REASON_NO_RULES_IN_FORCE;
    if (order->fixed_points == 0 && !has_rate(rules, order->currency))
        return REASON_CURRENCY_NOT_EXCHANGED;
    if (whose->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (whose->status == MEMBER_DECEASED)
        return REASON_MEMBER_DECEASED;
    if (order->fixed_points) {
        points = order->fixed_points;
    } else {
        if (!model_ratio(order->amount_minor, rules->accrual.num, rules->accrual.den, -1, &points) ||
            points > POINTS_MAX)
            return REASON_AMOUNT_TOO_LARGE;
        if (points <= 0) {
            keep_accrual(model, member, command, 0, 0, 0);
            return REASON_OK;
        }
    }
    int32_t matures_on = order->by_event             ? event
                         : order->pending_until.days ? order->pending_until.days
                                                     : today + rules->pending_days;
    int32_t lot_expires = matures_on == event ? 0 : model_expiry(rules, matures_on > today ? matures_on : today);
    struct heaps made = { 0 };
    enum reason reason =
        matures_on > today
            ? earn_later(model, member, (struct wait){ matures_on, lot_expires, order->funding_no, points })
            : earn_heap(whose, (struct heap){ lot_expires, order->funding_no, points }, &made);
    if (reason != REASON_OK)
        return reason;
    model_note(model, member, matures_on > today ? ENTRY_PEND : ENTRY_ACCRUE, points, &command->request_id, &nobody,
               &made);
    keep_accrual(model, member, command, points, matures_on, lot_expires);
    answer->points = points;
    return REASON_OK;
}

static int64_t tier_default(const struct model *model, const struct model_member *whose)
{
    const struct exchange_rules *rules = model->facts.rules[whose->bank_no];
    int64_t points = 0;
    int32_t best = -1;

    for (int32_t i = 0; rules && i < rules->tier_limit_count; i++) {
        if (rules->tier_limits[i].tier <= whose->tier && rules->tier_limits[i].tier > best) {
            best = rules->tier_limits[i].tier;
            points = rules->tier_limits[i].points;
        }
    }
    return points;
}

bool model_limit(struct model *model, int member, bool by_tier_before)
{
    struct model_member *whose = &model->members[member];
    int64_t before = whose->credit_limit;
    int32_t today = model->facts.today;
    bool stays = by_tier_before && !whose->other_begun && !model->facts.rules[whose->bank_no];

    if (whose->status == MEMBER_CLOSED)
        return false;
    if (whose->other.last.days < today)
        whose->other = (struct temporary_limit){ 0 };
    whose->other_begun = whose->other.last.days && whose->other.first.days <= today;
    whose->credit_limit = whose->other_begun ? whose->other.points
                          : whose->by_tier   ? (stays ? before : tier_default(model, whose))
                                             : whose->own_limit;
    return whose->credit_limit != before;
}

static enum reason close_member(struct model *model, int member, const struct command *command, int64_t *points);

enum reason model_set_member(struct model *model, int member, const struct command *command, bool is_new, bool *changed,
                             int64_t *points)
{
    struct model_member *whose = &model->members[member];
    const struct credit_wish *credit = &command->member.credit;
    const struct temporary_limit before = whose->other;
    int16_t status = command->member.status ? command->member.status : is_new ? MEMBER_ACTIVE : whose->status;
    int16_t tier = command->member.has_tier ? command->member.tier : whose->tier;
    int64_t own = credit->by_tier ? 0 : credit->limit;
    bool by_tier_before = !is_new && whose->by_tier;

    *points = 0;
    *changed = false;
    if (!is_new && whose->status == MEMBER_CLOSED)
        return command->member.status == MEMBER_CLOSED ? REASON_OK : REASON_MEMBER_CLOSED;
    if (!is_new && status == MEMBER_CLOSED && whose->open_count > 0)
        return REASON_HOLDS_OPEN;
    *changed = is_new || whose->status != status || whose->tier != tier || whose->by_tier != credit->by_tier ||
               (!credit->by_tier && whose->own_limit != own);
    whose->tier = tier;
    whose->by_tier = credit->by_tier;
    whose->own_limit = own;
    whose->other = credit->temporary.last.days && credit->temporary.last.days >= model->facts.today
                       ? credit->temporary
                       : (struct temporary_limit){ 0 };
    *changed = *changed || whose->other.points != before.points || whose->other.first.days != before.first.days ||
               whose->other.last.days != before.last.days;
    if (is_new)
        whose->status = MEMBER_ACTIVE;
    *changed = model_limit(model, member, by_tier_before) || *changed;
    if (status == MEMBER_CLOSED && !is_new)
        return close_member(model, member, command, points);
    whose->status = status;
    if (*changed)
        model_note(model, member, ENTRY_MEMBER, 0, &command->request_id, &nobody, NULL);
    return REASON_OK;
}

/* Becomes spendable; joins another heap when there are too many. */
static void ripen(struct model_member *member, int place, int64_t points, int32_t expires_on, struct heaps *made)
{
    struct wait *wait = &member->waits.at[place];
    struct heap heap = { expires_on, wait->funding_no, model_repay(member, points) };

    wait->points -= points;
    if (wait->points == 0)
        waits_remove(&member->waits, place);
    made->at[made->count++] = heap.points > 0 ? heaps_add(&member->heaps, heap) : heap;
}

static enum reason mature(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_member *whose = &model->members[member];
    struct model_accrual *accrual = model_accrual(model, &command->accrual_id);
    int place = waits_find(&whose->waits, MATURES_BY_EVENT.days, 0, accrual->funding_no);
    int64_t asked = command->part.points ? command->part.points : accrual->pending;
    struct heaps made = { 0 };

    if (whose->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (accrual->pending == 0 || accrual->matures_on != MATURES_BY_EVENT.days || place < 0)
        return REASON_NOT_PENDING;
    if (asked > accrual->pending)
        return REASON_BEYOND_ACCRUAL;
    if (asked > whose->waits.at[place].points)
        return REASON_NOT_PENDING;
    ripen(whose, place, asked, model_expiry(model->facts.rules[whose->bank_no], model->facts.today), &made);
    accrual->pending -= asked;
    accrual->lot_expires = made.at[0].expires_on;
    model_note(model, member, ENTRY_MATURE, asked, &command->request_id, &nobody, &made);
    *points = asked;
    return REASON_OK;
}

/* Takes for good, first to expire first, and what is not there as credit used. */
static void take(struct model_member *member, int64_t points, struct heaps *taken)
{
    int64_t there = model_available(member);

    heaps_take_first(&member->heaps, points < there ? points : there, taken);
    member->credit_used += points < there ? 0 : points - there;
}

/* The accrual's own heap first. */
static void take_own(struct model_member *member, const struct model_accrual *accrual, int64_t points,
                     struct heaps *taken)
{
    int own = heaps_find(&member->heaps, accrual->lot_expires, accrual->funding_no);
    int64_t part = own < 0 ? 0 : member->heaps.at[own].points;

    part = part < points ? part : points;
    if (part > 0) {
        taken->at[taken->count++] = (struct heap){ accrual->lot_expires, accrual->funding_no, part };
        member->heaps.at[own].points -= part;
        if (member->heaps.at[own].points == 0)
            heaps_remove(&member->heaps, own);
    }
    take(member, points - part, taken);
}

static enum reason claw(struct model *model, int member, const struct command *command, int64_t wanted, int64_t *points)
{
    struct model_member *whose = &model->members[member];
    struct model_accrual *accrual = model_accrual(model, &command->accrual_id);
    bool by_event = accrual->matures_on == MATURES_BY_EVENT.days;
    int place =
        waits_find(&whose->waits, accrual->matures_on, by_event ? 0 : accrual->lot_expires, accrual->funding_no);
    int64_t left = accrual->points - accrual->clawed, asked = wanted ? wanted : left;
    int64_t waiting = place < 0 ? 0 : whose->waits.at[place].points;
    struct heaps taken = { 0 };

    if (left == 0 || asked > left)
        return REASON_BEYOND_ACCRUAL;
    waiting = waiting < accrual->pending ? waiting : accrual->pending;
    waiting = waiting < asked ? waiting : asked;
    if (waiting > 0) {
        whose->waits.at[place].points -= waiting;
        if (whose->waits.at[place].points == 0)
            waits_remove(&whose->waits, place);
        accrual->pending -= waiting;
        model_note(model, member, ENTRY_CLAWBACK_PENDING, waiting, &command->request_id, &nobody, NULL);
    }
    if (asked > waiting) {
        take_own(whose, accrual, asked - waiting, &taken);
        model_note(model, member, ENTRY_CLAWBACK, asked - waiting, &command->request_id, &nobody, &taken);
    }
    accrual->clawed += asked;
    *points = asked;
    return REASON_OK;
}

static enum reason claw_back(struct model *model, int member, const struct command *command, int64_t *points)
{
    return claw(model, member, command, command->part.points, points);
}

/* What all that was returned so far should have taken, less what the returns before it should have. */
enum reason model_return(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_accrual *accrual = model_accrual(model, &command->accrual_id);
    int64_t amount = command->spend_back.amount_minor, before, after;

    *points = 0;
    if (strcmp(accrual->currency, command->spend_back.currency) != 0)
        return REASON_CURRENCY_DIFFERS;
    if (amount > accrual->amount_minor - accrual->returned_minor)
        return REASON_BEYOND_SPEND;
    model_ratio(accrual->points, accrual->returned_minor, accrual->amount_minor, -1, &before);
    accrual->returned_minor += amount;
    model_ratio(accrual->points, accrual->returned_minor, accrual->amount_minor, -1, &after);
    int64_t left = accrual->points - accrual->clawed, wanted = after - before < left ? after - before : left;
    return wanted == 0 ? REASON_OK : claw(model, member, command, wanted, points);
}

static enum reason adjust(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_member *whose = &model->members[member];
    const struct exchange_rules *rules = model->facts.rules[whose->bank_no];
    int64_t asked = command->adjust.points;
    struct heaps moved = { 0 };

    if (whose->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    *points = asked < 0 ? -asked : asked;
    if (asked < 0) {
        take(whose, -asked, &moved);
        model_note(model, member, ENTRY_ADJUST_TAKE, -asked, &command->request_id, &nobody, &moved);
        return REASON_OK;
    }
    if (!rules)
        return REASON_NO_RULES_IN_FORCE;
    struct heap heap = { model_expiry(rules, model->facts.today), command->adjust.funding_no, asked };
    enum reason reason = earn_heap(whose, heap, &moved);
    if (reason == REASON_OK)
        model_note(model, member, ENTRY_ADJUST_ADD, asked, &command->request_id, &nobody, &moved);
    return reason;
}

static enum reason reinstate(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_member *whose = &model->members[member];
    struct heaps made = { 0 };

    *points = command->reinstate.points;
    if (whose->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (*points > whose->expired)
        return REASON_BEYOND_EXPIRED;
    enum reason reason = earn_heap(whose, (struct heap){ command->reinstate.expires_on.days, 0, *points }, &made);
    if (reason != REASON_OK)
        return reason;
    whose->expired -= *points;
    model_note(model, member, ENTRY_REINSTATE, *points, &command->request_id, &nobody, &made);
    return REASON_OK;
}

static enum reason set_state(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_member *whose = &model->members[member];
    int64_t number = command->number;
    bool same = command->kind == COMMAND_SET_STATUS         ? whose->status == number
                : command->kind == COMMAND_SET_CREDIT_LIMIT ? whose->own_limit == number && !whose->by_tier
                                                            : whose->tier == number;

    *points = 0;
    if (whose->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (whose->status == MEMBER_DECEASED && command->kind == COMMAND_SET_STATUS)
        return REASON_MEMBER_DECEASED;
    if (command->kind == COMMAND_SET_STATUS) {
        whose->status = (int16_t)number;
    } else if (command->kind == COMMAND_SET_CREDIT_LIMIT) {
        whose->own_limit = number;
        whose->by_tier = false;
    } else {
        whose->tier = (int16_t)number;
    }
    model_limit(model, member, whose->by_tier);
    if (!same)
        model_note(model, member, ENTRY_MEMBER, 0, &command->request_id, &nobody, NULL);
    return REASON_OK;
}

static enum reason close_member(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_member *whose = &model->members[member];
    int64_t available = model_available(whose), pending = model_pending(whose);
    struct heaps gone = whose->heaps;

    if (whose->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (whose->open_count > 0)
        return REASON_HOLDS_OPEN;
    whose->heaps.count = 0;
    if (available > 0)
        model_note(model, member, ENTRY_CLOSE, available, &command->request_id, &nobody, &gone);
    whose->waits.count = 0;
    if (pending > 0)
        model_note(model, member, ENTRY_CLOSE_PENDING, pending, &command->request_id, &nobody, NULL);
    whose->status = MEMBER_CLOSED;
    model_note(model, member, ENTRY_MEMBER, 0, &command->request_id, &nobody, NULL);
    *points = available + pending;
    return REASON_OK;
}

/* Transfers */

static enum reason send_points(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_member *whose = &model->members[member];
    const struct send_order *order = &command->send;
    int64_t asked = order->merge ? model_available(whose) : order->points;

    if (whose->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (whose->status == MEMBER_DECEASED && !order->merge)
        return REASON_MEMBER_DECEASED;
    if (whose->status == MEMBER_FROZEN && !order->merge)
        return REASON_MEMBER_FROZEN;
    if (order->merge && whose->open_count > 0)
        return REASON_HOLDS_OPEN;
    if (asked > model_available(whose))
        return REASON_INSUFFICIENT_POINTS;
    struct model_transfer *transfer = LIST_ADD(&model->transfers);
    *transfer = (struct model_transfer){ .id = command->request_id,
                                         .from = member,
                                         .to = order->to_member_id,
                                         .state = 1,
                                         .status_before = whose->status,
                                         .reason = REASON_OK,
                                         .merge = order->merge };
    heaps_take_first(&whose->heaps, asked, &transfer->heaps);
    if (asked > 0)
        model_note(model, member, ENTRY_TRANSFER_OUT, asked, &command->request_id, &nobody, &transfer->heaps);
    *points = asked;
    if (!order->merge)
        return REASON_OK;
    transfer->waits = whose->waits;
    transfer->credit = whose->credit_used;
    int64_t pending = model_pending(whose);
    whose->waits.count = 0;
    if (pending > 0)
        model_note(model, member, ENTRY_PENDING_OUT, pending, &command->request_id, &nobody, NULL);
    whose->credit_used = 0;
    if (transfer->credit > 0)
        model_note(model, member, ENTRY_CREDIT_OUT, transfer->credit, &command->request_id, &nobody, NULL);
    whose->status = MEMBER_CLOSED;
    model_note(model, member, ENTRY_MEMBER, 0, &command->request_id, &nobody, NULL);
    *points += pending;
    return REASON_OK;
}

/* Heap by heap from the one that expires first, as they would be read off a list. */
static int64_t unpack(struct model *model, int member, const struct model_transfer *transfer, int kind,
                      const struct uuid *ref)
{
    struct model_member *whose = &model->members[member];
    struct heaps left = transfer->heaps, in_order = { 0 };
    struct waits waits = transfer->waits;
    int64_t points = heaps_points(&left), pending = waits_points(&waits);

    heaps_take_first(&left, points, &in_order);
    for (size_t i = 0; i < in_order.count; i++)
        heaps_add(&whose->heaps, in_order.at[i]);
    if (points > 0)
        model_note(model, member, kind, points, ref, &nobody, &in_order);
    while (waits.count > 0) {
        int first = 0; /* the last of the others is one that waits longer */
        for (size_t i = 1; i < waits.count; i++) {
            struct waits two = { 2, { waits.at[first], waits.at[i] } };
            first = waits_last(&two) == 0 ? (int)i : first;
        }
        struct wait wait = waits.at[first];
        if (kind == ENTRY_TRANSFER_IN && wait.matures_on == MATURES_BY_EVENT.days) {
            wait.matures_on = model->facts.today; /* nobody could say when: the giver's accruals are nobody's now */
            wait.expires_on = model_expiry(model->facts.rules[whose->bank_no], model->facts.today);
        }
        if (!waits_add(&whose->waits, wait))
            whose->waits.at[waits_last(&whose->waits)].points += wait.points;
        waits_remove(&waits, first);
    }
    if (pending > 0)
        model_note(model, member, ENTRY_PENDING_IN, pending, ref, &nobody, NULL);
    whose->credit_used += transfer->credit;
    if (transfer->credit > 0)
        model_note(model, member, ENTRY_CREDIT_IN, transfer->credit, ref, &nobody, NULL);
    return points + pending;
}

static enum reason receive(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_transfer *transfer = model_transfer(model, &command->transfer.transfer_id);

    if (model->members[member].status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (model->members[member].status == MEMBER_DECEASED)
        return REASON_MEMBER_DECEASED;
    *points = unpack(model, member, transfer, ENTRY_TRANSFER_IN, &command->request_id);
    model_catch_up(model, member);
    return REASON_OK;
}

static enum reason settle(struct model *model, int member, const struct command *command, int64_t *points)
{
    struct model_transfer *transfer = model_transfer(model, &command->transfer.transfer_id);
    struct model_member *whose = &model->members[member];
    bool received = command->transfer.reason == REASON_OK;

    if (transfer->state != 1)
        return REASON_OK;
    transfer->state = received ? 2 : 3;
    transfer->reason = command->transfer.reason;
    if (received)
        return REASON_OK;
    bool reopened = transfer->merge && whose->status != transfer->status_before;
    if (reopened)
        whose->status = transfer->status_before;
    *points = unpack(model, member, transfer, ENTRY_TRANSFER_BACK, &command->request_id);
    if (reopened)
        model_note(model, member, ENTRY_MEMBER, 0, &command->request_id, &nobody, NULL);
    model_catch_up(model, member);
    return REASON_OK;
}

static const struct {
    int kind;
    enum reason (*decide)(struct model *model, int member, const struct command *command, int64_t *points);
} operations[COMMAND_KIND_COUNT] = {
    [COMMAND_MATURE] = { ENTRY_MATURE, mature },
    [COMMAND_CLAW_BACK] = { ENTRY_CLAWBACK, claw_back },
    [COMMAND_ADJUST] = { ENTRY_ADJUST_ADD, adjust },
    [COMMAND_REINSTATE] = { ENTRY_REINSTATE, reinstate },
    [COMMAND_SET_STATUS] = { ENTRY_MEMBER, set_state },
    [COMMAND_CLOSE] = { ENTRY_CLOSE, close_member },
    [COMMAND_SET_CREDIT_LIMIT] = { ENTRY_MEMBER, set_state },
    [COMMAND_SET_TIER] = { ENTRY_MEMBER, set_state },
    [COMMAND_SEND] = { ENTRY_TRANSFER_OUT, send_points },
    [COMMAND_RECEIVE] = { ENTRY_TRANSFER_IN, receive },
    [COMMAND_SETTLE] = { ENTRY_TRANSFER_BACK, settle },
};

/* Points that no caller can ask for are refused before anything else. */
static enum reason shape_of(const struct command *command)
{
    int64_t points = 1;
    bool zero_is_all = command->kind == COMMAND_MATURE || command->kind == COMMAND_CLAW_BACK;

    if (zero_is_all)
        points = command->part.points;
    else if (command->kind == COMMAND_ADJUST)
        points = command->adjust.points == INT64_MIN ? INT64_MIN
                 : command->adjust.points < 0        ? -command->adjust.points
                                                     : command->adjust.points;
    else if (command->kind == COMMAND_REINSTATE)
        points = command->reinstate.points;
    else if (command->kind == COMMAND_SEND && !command->send.merge)
        points = command->send.points;
    if (points < 0 || (points == 0 && !zero_is_all))
        return REASON_POINTS_NOT_POSITIVE;
    return points > POINTS_MAX ? REASON_POINTS_TOO_MANY : REASON_OK;
}

enum reason model_operate(struct model *model, int member, const struct command *command, int64_t *points, int *kind)
{
    enum reason shape = shape_of(command);

    *kind = operations[command->kind].kind;
    *points = 0;
    return shape != REASON_OK ? shape : operations[command->kind].decide(model, member, command, points);
}

/* Time */

void model_catch_up(struct model *model, int member)
{
    struct model_member *whose = &model->members[member];
    struct heaps made = { 0 }, gone = { 0 };
    int64_t matured = 0;

    for (size_t i = 0; i < whose->open_count;) {
        struct model_redemption *redemption = model_redemption(model, &whose->open[i]);
        if (redemption->lapse_at > model->facts.now)
            i++;
        else
            model_lapse(model, redemption);
    }
    for (bool more = true; more;) { /* the first to mature first */
        int first = -1;
        for (size_t i = 0; i < whose->waits.count; i++) {
            struct waits two = { 2, { whose->waits.at[first < 0 ? i : (size_t)first], whose->waits.at[i] } };
            if (whose->waits.at[i].matures_on <= model->facts.today && (first < 0 || waits_last(&two) == 0))
                first = (int)i;
        }
        more = first >= 0;
        if (more) {
            matured += whose->waits.at[first].points;
            ripen(whose, first, whose->waits.at[first].points, whose->waits.at[first].expires_on, &made);
        }
    }
    if (matured > 0)
        model_note(model, member, ENTRY_MATURE, matured, &nobody, &nobody, &made);
    for (size_t i = 0; i < whose->heaps.count;) {
        if (whose->heaps.at[i].expires_on > model->facts.today) {
            i++;
            continue;
        }
        gone.at[gone.count++] = whose->heaps.at[i];
        heaps_remove(&whose->heaps, (int)i);
    }
    whose->expired += heaps_points(&gone);
    if (gone.count > 0)
        model_note(model, member, ENTRY_EXPIRE, heaps_points(&gone), &nobody, &nobody, &gone);
    if (model_limit(model, member, model->members[member].by_tier))
        model_note(model, member, ENTRY_MEMBER, 0, &nobody, &nobody, NULL);
}
