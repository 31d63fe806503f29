/*
 * tests/model/test_domain_model.c -- the rules of server/domain against the naive model, over short random lives.
 *
 * Each life is a world of its own: rules, terms, a few members, then some dozens of commands; after each command the
 * answer, the member, what it touched and every entry it wrote are compared. ALLIANCE_MODEL_LIVES says how many lives
 * (by default a million, a tenth of that under a sanitizer), ALLIANCE_MODEL_SEED where to begin: life 17 of seed 1 is
 * life 0 of seed 18.
 */
#include "domain/member.h"
#include "generate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { LIVES = 40000 };
#else
enum { LIVES = 1000000 };
#endif
enum { NAMES = 3, BANKS = 2, OURS_MAX = 512, CROWD = 160 };

/* What the domain keeps, in the plainest storage. */
struct ours {
    struct account accounts[NAMES];
    struct redemption redemptions[OURS_MAX];
    size_t redemption_count;
    struct earned earned[OURS_MAX];
    int64_t clawed[OURS_MAX];
    struct uuid earned_ids[OURS_MAX];
    size_t earned_count;
    struct parcel parcels[OURS_MAX];
    struct uuid parcel_ids[OURS_MAX];
    int16_t parcel_states[OURS_MAX];
    size_t parcel_count;
    struct exposure exposure_rows[BANKS];
    struct exposures exposures;
    struct entry written[64 * DECISION_ENTRIES];
    struct lot written_lots[64 * DECISION_LOTS];
    struct entries entries;
};

struct life {
    uint64_t seed;
    size_t step;
    struct command command;
    struct generator generator;
    struct model model;
    struct ours ours;
    struct exchange_rules rules[MODEL_BANKS];
    struct rule_set sets[MODEL_BANKS];
    struct terms terms[MODEL_MERCHANTS];
    struct price price;
    int64_t ledger[NAMES][LEDGER_COUNT];
    int64_t met[REASON_COUNT];
    int64_t commands, so; /* so: pushes of what was so already */
    struct parcel sent;
};

#define SAME(what, ours, theirs)                                                                                       \
    do {                                                                                                               \
        if ((int64_t)(ours) != (int64_t)(theirs))                                                                      \
            fail_msg("seed %llu, step %zu, command %d: %s is %lld, the model says %lld",                               \
                     (unsigned long long)life->seed, life->step, (int)life->command.kind, what, (long long)(ours),     \
                     (long long)(theirs));                                                                             \
    } while (0)

/* Deciding with the domain */

static struct moment moment_of(struct life *life, int member, int32_t merchant_no, bool of_good)
{
    static const char *const merchants[MODEL_MERCHANTS] = { NULL, "m1", "m2", "m3" };
    const struct model_facts *facts = &life->model.facts;

    return (struct moment){ .now = { facts->now },
                            .business_date = { facts->today },
                            .rules = facts->rules[life->ours.accounts[member].bank_no],
                            .terms = merchant_no ? facts->terms[merchant_no] : NULL,
                            .exposures = &life->ours.exposures,
                            .pace = facts->pace,
                            .place = { merchants[merchant_no], of_good ? MODEL_GOODS_ID : NULL,
                                       of_good ? MODEL_GOODS_KIND : 0 } };
}

static struct redemption *redemption_of(struct ours *ours, const struct uuid *id)
{
    for (size_t i = ours->redemption_count; i > 0; i--) {
        if (uuid_compare(&ours->redemptions[i - 1].id, id) == 0)
            return &ours->redemptions[i - 1];
    }
    return NULL;
}

static int account_of(const struct life *life, const struct uuid *member_id)
{
    return model_member(&life->model, member_id); /* both make members in the same order */
}

static void catch_up(struct life *life, int member)
{
    struct account *account = &life->ours.accounts[member];
    const struct moment moment = moment_of(life, member, 0, false);

    for (size_t i = 0; i < account->hold_count;) {
        struct redemption *hold = redemption_of(&life->ours, &account->holds[i].id);
        if (redemption_overdue(hold, moment.now))
            redemption_lapse(hold, account, &moment, &life->ours.entries);
        else
            i++;
    }
    (void)member_catch_up(account, &moment, &life->ours.entries);
}

static enum reason ours_open(struct life *life, int member)
{
    const struct command *command = &life->command;
    struct ours *ours = &life->ours;
    struct account *account = &ours->accounts[member];
    const struct moment moment = moment_of(life, member, command->merchant_no, command->hold.goods_no != 0);
    struct redemption *opened = &ours->redemptions[ours->redemption_count++];
    struct price price = life->price;

    assert_true(ours->redemption_count < OURS_MAX);
    price.minor *= command->hold.quantity;
    memset(opened, 0, offsetof(struct redemption, lines));
    opened->lines.count = 0;
    opened->id = command->request_id;
    opened->member_id = account->member_id;
    opened->bank_no = account->bank_no;
    opened->merchant_no = command->merchant_no;
    opened->points = command->hold.points;
    opened->whole = command->hold.goods_no != 0;
    opened->card = command->hold.card;
    if (command->hold.lines)
        opened->lines = *command->hold.lines;
    const struct price *asked = command->hold.goods_no ? &price : NULL;
    return command->kind == COMMAND_REDEEM
               ? redemption_redeem(opened, account, &moment, asked, &ours->entries)
               : redemption_hold(opened, account, &moment, asked, command->hold.lapse_after_us, &ours->entries);
}

static enum reason ours_on_redemption(struct life *life, struct redemption *redemption, int64_t *points,
                                      struct settlement_amounts *amounts)
{
    const struct command *command = &life->command;
    int member = account_of(life, &redemption->member_id);
    struct account *account = &life->ours.accounts[member];
    const struct moment moment = moment_of(life, member, redemption->merchant_no, redemption->whole);
    struct entries *entries = &life->ours.entries;
    int line = -1;
    enum reason reason;

    if (command->kind == COMMAND_CONFIRM) {
        reason = redemption_confirm(redemption, account, &moment, &command->request_id, command->part.points, points,
                                    entries);
        *amounts = reason == REASON_OK ? redemption->confirmed : *amounts;
        return reason;
    }
    if (command->kind == COMMAND_EXTEND)
        return redemption_extend(redemption, account, &moment, command->extend.lapse_after_us);
    if (command->kind == COMMAND_CANCEL) {
        reason = redemption_cancel(redemption, account, &moment, &command->request_id, entries);
        *points = reason == REASON_OK ? redemption->points : 0;
        return reason;
    }
    if (command->part.line_id && (line = order_lines_find(&redemption->lines, command->part.line_id)) < 0)
        return REASON_LINE_NOT_FOUND;
    reason = redemption_reverse(redemption, account, &moment, &command->request_id, command->part.points, line, points,
                                amounts, entries);
    *amounts = (struct settlement_amounts){ -amounts->gross_minor, -amounts->commission_minor };
    return reason;
}

static size_t place_of(const struct uuid *ids, size_t count, const struct uuid *id)
{
    size_t place = 0;

    while (place < count && uuid_compare(&ids[place], id) != 0)
        place++;
    return place;
}

static enum reason ours_earn(struct life *life, int member, int64_t *points)
{
    const struct command *command = &life->command;
    struct ours *ours = &life->ours;
    const struct moment moment = moment_of(life, member, 0, false);
    const struct earning earning = {
        .amount_minor = command->accrue.amount_minor,
        .currency = command->accrue.currency,
        .fixed_points = command->accrue.fixed_points,
        .funding_no = command->accrue.funding_no,
        .by_event = command->accrue.by_event,
        .pending_until = command->accrue.pending_until,
    };
    struct earned earned;
    enum reason reason =
        member_earn(&ours->accounts[member], &moment, &earning, &command->request_id, &earned, &ours->entries);

    if (reason != REASON_OK)
        return reason;
    assert_true(ours->earned_count < OURS_MAX);
    ours->earned_ids[ours->earned_count] = command->request_id;
    ours->clawed[ours->earned_count] = 0;
    ours->earned[ours->earned_count++] = earned;
    *points = earned.points;
    return reason;
}

static enum reason ours_send(struct life *life, int member, int64_t *points)
{
    const struct command *command = &life->command;
    struct ours *ours = &life->ours;
    const struct moment moment = moment_of(life, member, 0, false);
    enum reason reason = member_send(&ours->accounts[member], &moment, command->send.points, command->send.merge,
                                     &command->request_id, &ours->parcels[ours->parcel_count], points, &ours->entries);

    if (reason != REASON_OK)
        return reason;
    assert_true(ours->parcel_count + 1 < OURS_MAX);
    ours->parcel_ids[ours->parcel_count] = command->request_id;
    ours->parcel_states[ours->parcel_count++] = 1;
    return reason;
}

static enum reason ours_transfer(struct life *life, int member, int64_t *points)
{
    const struct command *command = &life->command;
    struct ours *ours = &life->ours;
    const struct moment moment = moment_of(life, member, 0, false);
    size_t place = place_of(ours->parcel_ids, ours->parcel_count, &command->transfer.transfer_id);
    bool received = command->transfer.reason == REASON_OK;

    assert_true(place < ours->parcel_count);
    if (command->kind == COMMAND_RECEIVE)
        return member_receive(&ours->accounts[member], &moment, &ours->parcels[place], &command->request_id, points,
                              &ours->entries);
    if (ours->parcel_states[place] != 1)
        return REASON_OK;
    ours->parcel_states[place] = received ? 2 : 3;
    if (!received)
        member_take_back(&ours->accounts[member], &moment, &ours->parcels[place], &command->request_id, points,
                         &ours->entries);
    return REASON_OK;
}

static enum reason ours_of_accrual(struct life *life, int member, int64_t *points)
{
    const struct command *command = &life->command;
    struct ours *ours = &life->ours;
    struct account *account = &ours->accounts[member];
    const struct moment moment = moment_of(life, member, 0, false);
    size_t place = place_of(ours->earned_ids, ours->earned_count, &command->accrual_id);

    if (place == ours->earned_count)
        return REASON_ACCRUAL_NOT_FOUND;
    struct earned *earned = &ours->earned[place];
    if (command->kind == COMMAND_MATURE)
        return member_mature(account, &moment, earned, command->part.points, &command->request_id, points,
                             &ours->entries);
    enum reason reason = member_claw_back(account, &moment, earned, earned->points - ours->clawed[place],
                                          command->part.points, &command->request_id, points, &ours->entries);
    ours->clawed[place] += reason == REASON_OK ? *points : 0;
    return reason;
}

static enum reason ours_by_hand(struct life *life, int member, int64_t *points)
{
    const struct command *command = &life->command;
    struct account *account = &life->ours.accounts[member];
    struct entries *entries = &life->ours.entries;
    const struct moment moment = moment_of(life, member, 0, false);
    const struct uuid *ref = &command->request_id;

    if (command->kind == COMMAND_ADJUST) {
        enum reason reason =
            member_adjust(account, &moment, command->adjust.points, command->adjust.funding_no, ref, entries);
        *points = reason != REASON_OK          ? 0
                  : command->adjust.points < 0 ? -command->adjust.points
                                               : command->adjust.points;
        return reason;
    }
    if (command->kind == COMMAND_REINSTATE) {
        *points = command->reinstate.points;
        return member_reinstate(account, &moment, *points, command->reinstate.expires_on, ref, entries);
    }
    if (command->kind == COMMAND_SET_STATUS)
        return member_set_status(account, &moment, (int16_t)command->number, ref, entries);
    if (command->kind == COMMAND_SET_CREDIT_LIMIT)
        return member_set_credit_limit(account, &moment, command->number, ref, entries);
    if (command->kind == COMMAND_SET_TIER)
        return member_set_tier(account, &moment, (int16_t)command->number, ref, entries);
    return member_close(account, &moment, ref, points, entries);
}

static enum reason (*const on_members[COMMAND_KIND_COUNT])(struct life *life, int member, int64_t *points) = {
    [COMMAND_ACCRUE] = ours_earn,    [COMMAND_MATURE] = ours_of_accrual,        [COMMAND_CLAW_BACK] = ours_of_accrual,
    [COMMAND_ADJUST] = ours_by_hand, [COMMAND_REINSTATE] = ours_by_hand,        [COMMAND_SET_STATUS] = ours_by_hand,
    [COMMAND_CLOSE] = ours_by_hand,  [COMMAND_SET_CREDIT_LIMIT] = ours_by_hand, [COMMAND_SET_TIER] = ours_by_hand,
    [COMMAND_SEND] = ours_send,      [COMMAND_RECEIVE] = ours_transfer,         [COMMAND_SETTLE] = ours_transfer,
};

static enum reason ours_set_member(struct life *life, int member, int64_t *points)
{
    const struct command *command = &life->command;
    const struct member_wish wish = { .status = command->member.status,
                                      .has_tier = command->member.has_tier,
                                      .tier = command->member.tier,
                                      .credit = command->member.credit };
    struct account *account = &life->ours.accounts[member];
    const struct moment moment = moment_of(life, member, 0, false);

    bool so = account->journal_seq > 0 && member_is_so(account, &wish), changed;

    enum reason reason =
        member_set(account, &wish, &moment, &command->request_id, &changed, points, &life->ours.entries);
    life->so += so;
    if (so && (reason != REASON_OK || changed))
        fail_msg("member_is_so, and yet member_set says %s and %d", reason_name(reason), changed);
    return reason;
}

/* Comparing */

static int64_t points_like(const struct heaps *heaps, int32_t expires_on, int32_t funding_no)
{
    int64_t points = 0;

    for (size_t i = 0; i < heaps->count; i++) {
        if (heaps->at[i].expires_on == expires_on && heaps->at[i].funding_no == funding_no)
            points += heaps->at[i].points;
    }
    return points;
}

static void compare_lots(struct life *life, const char *what, const struct lots *lots, const struct heaps *heaps)
{
    SAME(what, lots->count, heaps->count);
    for (size_t i = 0; i < lots->count; i++) {
        const struct lot *lot = &lots->at[i];
        SAME(what, lot->points, points_like(heaps, lot->expires_on.days, lot->funding_no));
        if (i > 0)
            SAME("the order of lots",
                 lot[-1].expires_on.days < lot->expires_on.days ||
                     (lot[-1].expires_on.days == lot->expires_on.days && lot[-1].funding_no < lot->funding_no),
                 1);
    }
}

static void compare_member(struct life *life, int member)
{
    const struct account *account = &life->ours.accounts[member];
    const struct model_member *theirs = &life->model.members[member];
    int32_t today = life->model.facts.today;

    SAME("status", account->status, theirs->status);
    SAME("tier", account->tier, theirs->tier);
    SAME("available", account->available, model_available(theirs));
    SAME("held", account->held, model_held(&life->model, member));
    SAME("pending", account->pending, model_pending(theirs));
    SAME("the credit limit", account->credit_limit, theirs->credit_limit);
    SAME("credit used", account->credit_used, theirs->credit_used);
    SAME("days of drawn credit", account->drawn.count, theirs->debt_count);
    for (size_t i = 0; i < account->drawn.count; i++) {
        SAME("a day of drawn credit", account->drawn.at[i].drawn_on.days, theirs->debts[i].day);
        SAME("what was drawn on it", account->drawn.at[i].points, theirs->debts[i].points);
    }
    SAME("expired", account->expired, theirs->expired);
    SAME("spendable", account_spendable(account), model_spendable(theirs));
    compare_lots(life, "a lot", &account->lots, &theirs->heaps);
    SAME("pending lots", account->pending_lots.count, theirs->waits.count);
    for (size_t i = 0; i < account->pending_lots.count; i++) {
        const struct pending_lot *lot = &account->pending_lots.at[i];
        int place = waits_find(&theirs->waits, lot->matures_on.days, lot->expires_on.days, lot->funding_no);
        SAME("a pending lot", lot->points, place < 0 ? -1 : theirs->waits.at[place].points);
    }
    SAME("open holds", account->hold_count, theirs->open_count);
    for (size_t i = 0; i < account->hold_count; i++) {
        SAME("an open hold", uuid_compare(&account->holds[i].id, &theirs->open[i]), 0);
        SAME("when it lapses", account->holds[i].lapse_at.us,
             model_redemption(&life->model, &theirs->open[i])->lapse_at);
    }
    SAME("points of the day", account_day_points(account, (struct date){ today }),
         model_points_held_on(&life->model, member, today, today));
    SAME("points of the month", account_month_points(account, (struct date){ today }),
         model_points_held_on(&life->model, member, model_month_start(today, 0), today));
    SAME("recent holds", account->recent.count, theirs->recent_count);
    SAME("the journal's length", account->journal_seq, theirs->entries.count);
}

static void compare_redemption(struct life *life, const struct redemption *ours, const struct model_redemption *theirs)
{
    SAME("a redemption's state", ours->state, theirs->state);
    SAME("its reason", ours->reason, theirs->reason);
    SAME("what is confirmed", ours->confirmed_points, theirs->confirmed);
    SAME("what is reversed", ours->reversed_points, theirs->reversed);
    SAME("gross", ours->confirmed.gross_minor, theirs->gross);
    SAME("commission", ours->confirmed.commission_minor, theirs->commission);
    SAME("gross reversed", ours->reversed.gross_minor, theirs->gross_back);
    SAME("commission reversed", ours->reversed.commission_minor, theirs->commission_back);
    SAME("its lapse", ours->lapse_at.us, theirs->lapse_at);
    SAME("its rules", ours->rules_version, theirs->rules_version);
    SAME("its terms", ours->terms_version, theirs->terms_version);
    SAME("spendable after it", ours->spendable_after, theirs->spendable_after);
    SAME("its exposure", ours->exposure_minor, theirs->exposure);
    SAME("what is lent", ours->draws.credit, theirs->lent);
    compare_lots(life, "what is drawn", &ours->draws.lots, &theirs->drawn);
    SAME("its lines", ours->lines.count, theirs->line_count);
    for (size_t i = 0; i < theirs->line_count; i++)
        SAME("a line",
             memcmp(&ours->lines.at[i].points, &theirs->lines[i].points,
                    sizeof ours->lines.at[i] - offsetof(struct order_line, points)),
             0);
}

static void compare_entry(struct life *life, const struct entry *entry, const struct model_member *member)
{
    const struct model_entry *theirs = &member->entries.at[entry->seq - 1];
    struct heaps named = { 0 };
    const struct lot *lots = &life->ours.entries.lots[entry->first_lot];
    int64_t ours_points = 0, theirs_points = 0;

    SAME("an entry's kind", entry->kind, theirs->kind);
    SAME("its points", entry->points, theirs->points);
    SAME("available after it", entry->available_after, theirs->available);
    SAME("held after it", entry->held_after, theirs->held);
    SAME("pending after it", entry->pending_after, theirs->pending);
    SAME("credit used after it", entry->credit_used_after, theirs->credit_used);
    SAME("the credit limit after it", entry->credit_limit_after, theirs->credit_limit);
    SAME("its gross", entry->gross_minor, theirs->gross_minor);
    SAME("its commission", entry->commission_minor, theirs->commission_minor);
    SAME("its date", entry->business_date.days, theirs->business_date);
    SAME("its time", entry->at.us, theirs->at);
    SAME("its cause", uuid_compare(&entry->ref, &theirs->ref), 0);
    SAME("its redemption", uuid_compare(&entry->redemption_id, &theirs->redemption_id), 0);
    for (; named.count < theirs->heap_count; named.count++)
        named.at[named.count] = member->entry_heaps.at[theirs->first_heap + named.count];
    /* One more than a list of lots holds: the last of them speaks for two. */
    for (size_t i = 0; i < entry->lot_count && named.count <= LOTS_MAX; i++) {
        struct heaps same = { 0 };
        for (size_t k = 0; k < entry->lot_count; k++)
            same.at[same.count++] = (struct heap){ lots[k].expires_on.days, lots[k].funding_no, lots[k].points };
        SAME("a lot of an entry", points_like(&same, lots[i].expires_on.days, lots[i].funding_no),
             points_like(&named, lots[i].expires_on.days, lots[i].funding_no));
    }
    for (size_t i = 0; i < entry->lot_count; i++)
        ours_points += lots[i].points;
    for (size_t i = 0; i < named.count; i++)
        theirs_points += named.at[i].points;
    SAME("the lots of an entry", ours_points, theirs_points);
}

/* The entries alone must tell where every point is. */
static void post_entries(struct life *life)
{
    struct entries *entries = &life->ours.entries;

    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->at[i];
        int member = account_of(life, &entry->member_id);
        int64_t *ledger = life->ledger[member];
        enum ledger_account from, to;
        entry_accounts(entry->kind, &from, &to);
        ledger[from] -= entry->points;
        ledger[to] += entry->points;
        SAME("available less credit used, posted", ledger[LEDGER_SPENDABLE],
             entry->available_after - entry->credit_used_after);
        SAME("held, posted", ledger[LEDGER_HELD], entry->held_after);
        SAME("pending, posted", ledger[LEDGER_PENDING], entry->pending_after);
        compare_entry(life, entry, &life->model.members[member]);
    }
    entries->count = entries->lot_count = 0;
}

static void compare_answer(struct life *life, enum reason reason, int64_t points,
                           const struct settlement_amounts *amounts, const struct answer *theirs)
{
    if (reason != theirs->reason)
        fail_msg("seed %llu, step %zu, command %d: %s, the model says %s", (unsigned long long)life->seed, life->step,
                 (int)life->command.kind, reason_name(reason), reason_name(theirs->reason));
    life->met[reason]++;
    SAME("what was moved", reason == REASON_OK ? points : 0, theirs->points);
    SAME("what is owed for it", reason == REASON_OK ? amounts->gross_minor : 0, theirs->gross_minor);
    SAME("commission", reason == REASON_OK ? amounts->commission_minor : 0, theirs->commission_minor);
}

static bool of_redemption(const struct command *command)
{
    return command->kind >= COMMAND_CONFIRM && command->kind <= COMMAND_EXTEND;
}

static bool opens(const struct command *command)
{
    return command->kind == COMMAND_HOLD || command->kind == COMMAND_REDEEM;
}

/* Who is not there, or another merchant's redemption, is for the engine to refuse. */
static bool is_for_the_domain(const struct life *life, int member, const struct redemption *redemption)
{
    const struct command *command = &life->command;

    if (of_redemption(command))
        return redemption && redemption->state != REDEMPTION_NONE && command->merchant_no == redemption->merchant_no;
    return member >= 0;
}

static void step(struct life *life)
{
    struct command *command = &life->command;
    struct redemption *redemption = of_redemption(command) ? redemption_of(&life->ours, &command->redemption_id) : NULL;
    int member = account_of(life, redemption ? &redemption->member_id : &command->member_id);
    struct settlement_amounts amounts = { 0 };
    struct answer theirs;
    enum reason reason = REASON_OK;
    int64_t points = 0;

    if (member >= 0)
        catch_up(life, member);
    model_decide(&life->model, command, &theirs);
    life->commands++;
    if (!is_for_the_domain(life, member, redemption) && command->kind != COMMAND_SET_MEMBER)
        return;
    if (member < 0) {
        member = (int)life->model.member_count - 1;
        struct account *account = &life->ours.accounts[member];
        memset(account, 0, offsetof(struct account, recent));
        account->recent.count = account->pending_lots.count = account->lots.count = 0;
        account->member_id = command->member_id;
        account->bank_no = command->bank_no;
    }
    if (command->kind == COMMAND_SET_MEMBER) {
        reason = ours_set_member(life, member, &points);
    } else if (opens(command)) {
        reason = ours_open(life, member);
        redemption = &life->ours.redemptions[life->ours.redemption_count - 1];
        points = redemption->points;
        amounts = redemption->confirmed;
    } else if (of_redemption(command)) {
        reason = ours_on_redemption(life, redemption, &points, &amounts);
    } else if (on_members[command->kind]) {
        reason = on_members[command->kind](life, member, &points);
    }
    compare_answer(life, reason, points, &amounts, &theirs);
    post_entries(life);
    compare_member(life, member);
    if (redemption)
        compare_redemption(life, redemption, model_redemption(&life->model, &redemption->id));
}

/* Worlds */

static int64_t pick(struct life *life, const int64_t *from, size_t count)
{
    return from[chance(&life->generator, (int64_t)count)];
}

/* What a redemption looks at; spending earns as the general rates have it. */
static void add_set(struct life *life, int32_t bank_no)
{
    static const int64_t ratios[][2] = { { 1, 1 }, { 1, 2 }, { 3, 2 }, { 2, 3 }, { 1, 7 }, { 2, 1 } };
    struct generator *g = &life->generator;
    struct rule_set *set = &life->sets[bank_no];
    struct exchange_rules *rules = &life->rules[bank_no];

    *set = (struct rule_set){ .rules = *rules,
                              .largest_minor = INT64_MAX,
                              .maximum_points = chance(g, 2) ? POINTS_MAX : 1 + chance(g, 30),
                              .step_points = chance(g, 2) ? 1 : 1 + chance(g, 4),
                              .least_points_bp = SHARE_ALL_BP,
                              .most_points_bp = SHARE_ALL_BP,
                              .base = BASE_WHOLE };
    for (int32_t i = 0, count = (int32_t)chance(g, 4); i < count; i++) {
        const int64_t *conversion = ratios[chance(g, COUNT(ratios))], *settle = ratios[chance(g, COUNT(ratios))];
        struct rate_rule *rule = &set->rate_rules[set->rate_rule_count++];
        *rule = (struct rate_rule){ .priority = (i + 1) * 7 % 11,
                                    .match = { .first_tier = (int32_t)chance(g, 3),
                                               .last_tier = (int32_t)(chance(g, 2) ? TIER_MAX : chance(g, 4)),
                                               .goods_kinds = (uint32_t)chance(g, 4),
                                               .month_days = chance(g, 3) ? 0 : (uint32_t)chance(g, INT64_C(1) << 32),
                                               .first_date = { RULE_DATE_FIRST },
                                               .last_date = { RULE_DATE_LAST } } };
        if (chance(g, 2))
            rule->conversion = (struct ratio){ conversion[0], conversion[1] };
        if (chance(g, 2))
            rule->settlement = (struct ratio){ settle[0], settle[1] };
        if (chance(g, 3) == 0)
            rule->match.categories[rule->match.category_count++] = (struct category_range){ 0, 4999 };
        if (chance(g, 3) == 0)
            memcpy(rule->match.merchants[rule->match.merchant_count++], chance(g, 2) ? "m1" : "m2", 3);
    }
    for (int32_t number = 1; number < 4; number++) {
        const int64_t *factor = ratios[chance(g, COUNT(ratios))];
        if (chance(g, 2))
            continue;
        struct tier *tier = &set->tiers[set->tier_count++];
        *tier = (struct tier){ .tier = number, .multiplier = { 1, 1 }, .conversion = { factor[0], factor[1] } };
        if (chance(g, 2))
            memcpy(tier->goods[tier->goods_count++], MODEL_GOODS_ID, sizeof MODEL_GOODS_ID);
    }
    rules->set = set;
}

static void change_rules(struct life *life, int32_t bank_no)
{
    static const int64_t ratios[][2] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 3 }, { 5, 4 }, { 1, 10 }, { 7, 10 } };
    static const int64_t windows[] = { 0, 0, 0, 10, 3600000000, 20 * INT64_C(3600000000) };
    struct generator *g = &life->generator;
    const int64_t *earn = ratios[chance(g, COUNT(ratios))], *settle = ratios[chance(g, COUNT(ratios))];
    struct exchange_rules *rules = &life->rules[bank_no];

    *rules = (struct exchange_rules){
        .version = rules->version + 1,
        .minimum_points = chance(g, 3) ? 1 : chance(g, 6),
        .expiry_months = (int32_t)chance(g, 4),
        .reinstate_grace_days = (int32_t)(chance(g, 2) * (1 + chance(g, 40))),
        .accrual = { earn[0], earn[1] },
        .rates = { { "CNY", { 1, 1 }, { settle[0], settle[1] } } },
        .rate_count = chance(g, 30) > 0,
        .expiry_kind = (int16_t)(1 + chance(g, 3)),
        .expiry_month = (int32_t)(1 + chance(g, 12)),
        .expiry_day = (int32_t)(1 + chance(g, 28)),
        .pending_days = (int32_t)(chance(g, 3) ? 0 : chance(g, 4)),
        .member_velocity = { pick(life, windows, COUNT(windows)), (int32_t)chance(g, 5), chance(g, 2) * chance(g, 60) },
        .card_velocity = { pick(life, windows, COUNT(windows)), (int32_t)chance(g, 4), chance(g, 2) * chance(g, 40) },
    };
    if (chance(g, 4) == 0) {
        rules->expiry_month = 2;
        rules->expiry_day = 29;
    }
    for (int32_t tier = 0; tier < 4; tier++) {
        if (chance(g, 3) == 0)
            rules->caps[rules->cap_count++] =
                (struct caps){ tier, chance(g, 2) * (1 + chance(g, 20)), chance(g, 2) * (1 + chance(g, 40)),
                               chance(g, 2) * (1 + chance(g, 60)) };
    }
    for (int32_t tier = 0; tier < 4; tier++) {
        if (chance(g, 2) == 0)
            rules->tier_limits[rules->tier_limit_count++] = (struct tier_limit){ tier, chance(g, 2) * chance(g, 50) };
    }
    if (rules->rate_count && chance(g, 2))
        add_set(life, bank_no);
    life->model.facts.rules[bank_no] = chance(g, 40) ? rules : NULL;
}

static void change_terms(struct life *life, int32_t merchant_no)
{
    struct terms *terms = &life->terms[merchant_no];

    *terms = (struct terms){ .version = terms->version + 1,
                             .commission_bp = (int32_t)chance(&life->generator, 10001),
                             .currency = "CNY",
                             .category = (int32_t)(chance(&life->generator, 2) * chance(&life->generator, 10000)) };
    life->model.facts.terms[merchant_no] = chance(&life->generator, 40) ? terms : NULL;
}

static void change_exposure(struct life *life, int32_t bank_no)
{
    struct ours *ours = &life->ours;
    int64_t limit = chance(&life->generator, 60);

    life->model.exposures[bank_no] = (struct model_exposure){ true, "CNY", limit, 0 };
    ours->exposure_rows[ours->exposures.count++] = (struct exposure){ bank_no, "CNY", limit, 0, false };
}

/* Days on which months end, leap days among them. */
static const char *const first_days[] = { "2026-01-30", "2026-02-27", "2026-12-30", "2027-12-31", "2028-02-27",
                                          "2028-02-29", "2024-02-28", "2026-11-22", "2026-06-29", "2099-12-30" };

static void begin(struct life *life, uint64_t seed)
{
    struct generator *g = &life->generator;
    struct date today;

    life->seed = g->seed = seed;
    g->serial = 0;
    life->step = 0;
    model_clear(&life->model);
    memset(life->ledger, 0, sizeof life->ledger);
    memset(life->rules, 0, sizeof life->rules);
    memset(life->terms, 0, sizeof life->terms);
    struct ours *ours = &life->ours;
    ours->redemption_count = ours->earned_count = ours->parcel_count = 0;
    ours->entries = (struct entries){ .at = ours->written, .lots = ours->written_lots };
    ours->exposures = (struct exposures){ ours->exposure_rows, 0 };
    assert_true(date_parse(first_days[chance(g, COUNT(first_days))], &today));
    life->model.facts.today = today.days;
    life->model.facts.now = today.days * INT64_C(86400000000) + chance(g, 24) * INT64_C(3600000000);
    life->model.facts.pace = REASON_OK;
    for (int32_t bank_no = 1; bank_no <= BANKS; bank_no++) {
        change_rules(life, bank_no);
        if (chance(g, 3) == 0)
            change_exposure(life, bank_no);
    }
    for (int32_t merchant_no = 1; merchant_no <= 2; merchant_no++)
        change_terms(life, merchant_no);
    for (size_t name = 0; name + 1 < NAMES || (name < NAMES && chance(g, 2)); name++) {
        generate_set_member(g, &life->command, name);
        step(life);
    }
}

/* One member comes to the edge of what it may have: lots, pending lots, open holds or recent holds. */
static void crowd(struct life *life)
{
    struct generator *g = &life->generator;
    int64_t what = chance(g, 3);

    for (int i = 0; i < CROWD; i++, life->step++) {
        struct command *command = &life->command;
        generate(g, command);
        size_t name = 0;
        *command = (struct command){ .kind = COMMAND_ADJUST,
                                     .request_id = generate_id(g),
                                     .member_id = g->name[name].id,
                                     .hash16 = member_hash16(&g->name[name].id),
                                     .bank_no = g->name[name].bank_no,
                                     .adjust = { 1, i % 150 } };
        if (what == 1) {
            command->kind = COMMAND_ACCRUE;
            command->accrue = (struct accrue_order){ .transaction_ref = "",
                                                     .amount_minor = 20,
                                                     .currency = "CNY",
                                                     .funding_no = i % 75,
                                                     .pending_until = { life->model.facts.today + 9 } };
        } else if (what == 2) {
            command->kind = chance(g, 3) ? COMMAND_HOLD : COMMAND_ADJUST;
            command->merchant_no = 1;
            if (command->kind == COMMAND_HOLD)
                command->hold = (struct hold_order){ .points = 1, .lapse_after_us = 1 + chance(g, 1000000) };
        }
        step(life);
    }
}

static void live(struct life *life, uint64_t seed)
{
    struct generator *g = &life->generator;
    size_t steps = 8 + (size_t)chance(g, 24);

    begin(life, seed);
    if (seed % 512 == 0)
        crowd(life);
    for (size_t i = 0; i < steps; i++, life->step++) {
        if (chance(g, 4) == 0)
            generate_time(g);
        if (chance(g, 16) == 0)
            change_rules(life, 1 + (int32_t)chance(g, BANKS));
        if (chance(g, 24) == 0)
            change_terms(life, 1 + (int32_t)chance(g, 2));
        life->model.facts.pace = chance(g, 25)  ? REASON_OK
                                 : chance(g, 2) ? REASON_VELOCITY_TERMINAL
                                                : REASON_VELOCITY_MERCHANT;
        generate(g, &life->command);
        step(life);
    }
    for (int member = 0; member < (int)life->model.member_count; member++) {
        int64_t sum = 0;
        for (enum ledger_account account = LEDGER_NONE; account < LEDGER_COUNT; account++)
            sum += life->ledger[member][account];
        SAME("the sum over all ledger accounts", sum, 0);
    }
    for (size_t i = 0; i < life->ours.exposures.count; i++)
        SAME("used exposure", life->ours.exposure_rows[i].used,
             life->model.exposures[life->ours.exposure_rows[i].bank_no].used);
}

static int64_t number_from(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoll(text, NULL, 10) : otherwise;
}

static void prepare(struct life *life)
{
    static const char *const bank_ids[MODEL_BANKS] = { "", "bank-a", "bank-b" };
    struct generator *g = &life->generator;

    life->model.buckets = 1;
    g->model = &life->model;
    g->bank_ids = bank_ids;
    g->names = NAMES;
    g->merchants = 2;
    g->goods = 1;
    g->fundings = 2;
    g->id_time_us = INT64_C(1768478400000000);
    g->wild = true;
    g->transfers_known = SIZE_MAX;
    g->texts = calloc(GENERATED_MAX, sizeof *g->texts);
    g->transactions = calloc(TRANSACTIONS_MAX, sizeof *g->transactions);
    assert_true(g->texts && g->transactions);
    for (size_t i = 0; i < GENERATED_MAX; i++)
        g->texts[i].sent = &life->sent;
    for (size_t name = 0; name < NAMES; name++) {
        g->name[name].bank_no = name < 2 ? 1 : 2;
        snprintf(g->name[name].ref, sizeof g->name[name].ref, "m%zu", name);
        g->name[name].id = command_member_id(bank_ids[g->name[name].bank_no], g->name[name].ref);
    }
    life->price = (struct price){ 5, "CNY", 0 };
    life->model.facts.prices[1] = &life->price;
}

/* Every word the domain can say was said, and no word was all that was said. */
static const enum reason all[] = {
    REASON_POINTS_NOT_POSITIVE,
    REASON_POINTS_TOO_MANY,
    REASON_NO_RULES_IN_FORCE,
    REASON_NO_TERMS_IN_FORCE,
    REASON_CURRENCY_NOT_EXCHANGED,
    REASON_MEMBER_CLOSED,
    REASON_MEMBER_FROZEN,
    REASON_MEMBER_DECEASED,
    REASON_HOLD_LAPSED,
    REASON_REDEMPTION_ENDED,
    REASON_REDEMPTION_NOT_CONFIRMED,
    REASON_HOLDS_OPEN,
    REASON_NOT_PENDING,
    REASON_BEYOND_ACCRUAL,
    REASON_BEYOND_EXPIRED,
    REASON_QUOTE_CHANGED,
    REASON_TIER_TOO_LOW,
    REASON_BELOW_MINIMUM,
    REASON_ABOVE_MAXIMUM,
    REASON_NOT_A_STEP,
    REASON_TOO_MANY_OPEN_HOLDS,
    REASON_TOO_MANY_LOTS,
    REASON_CAP_REDEMPTION,
    REASON_CAP_DAY,
    REASON_CAP_MONTH,
    REASON_VELOCITY_MEMBER,
    REASON_VELOCITY_CARD,
    REASON_VELOCITY_TERMINAL,
    REASON_VELOCITY_MERCHANT,
    REASON_TOO_MANY_PENDING,
    REASON_INSUFFICIENT_POINTS,
    REASON_EXPOSURE_LIMIT,
    REASON_BEYOND_HOLD,
    REASON_GOODS_NOT_DIVISIBLE,
    REASON_BEYOND_CONFIRMED,
    REASON_AMOUNT_TOO_LARGE,
    REASON_LINE_NOT_FOUND,
    REASON_ACCRUAL_NOT_FOUND,
};

static void the_rules_agree_with_the_naive_telling(void **state)
{
    struct life *life = calloc(1, sizeof *life);
    int64_t lives = number_from("ALLIANCE_MODEL_LIVES", LIVES), seed = number_from("ALLIANCE_MODEL_SEED", 1);

    (void)state;
    assert_non_null(life);
    prepare(life);
    for (int64_t i = 0; i < lives; i++)
        live(life, (uint64_t)(seed + i));
    print_message("%lld lives, %lld commands, %lld of them done, %lld members so already\n", (long long)lives,
                  (long long)life->commands, (long long)life->met[REASON_OK], (long long)life->so);
    for (size_t i = 0; lives >= LIVES && i < COUNT(all); i++) {
        if (life->met[all[i]] < 20)
            fail_msg("%s was met only %lld times", reason_name(all[i]), (long long)life->met[all[i]]);
    }
    assert_true(life->met[REASON_OK] > life->commands / 4);
    assert_true(lives < LIVES || life->so >= 20);
    model_release(&life->model);
    free(life->generator.earlier.at);
    free(life->generator.texts);
    free(life->generator.transactions);
    free(life);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_rules_agree_with_the_naive_telling) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
