/*
 * tests/unit/test_model.c -- the rules against a naive telling of one member, over long random lives with fixed seeds.
 *
 * In the model a point is a thing of its own: a number in an array that says when it is over. A hold picks single
 * points by looking at all of them; what goes back is popped off the redemption's pile. Slow, and too simple to be
 * wrong in the way lots, draws and merges could be. It shares nothing with domain/ but the words for states and
 * reasons.
 */
#include "domain/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LIVES = 40, STEPS = 5000, SLOTS = 8, POINTS = 20000, LENT = INT32_MIN, START = 20000 };

/* The model */

struct pile {
    int count;
    int32_t over_on[POINTS]; /* LENT: the point is the bank's, drawn on the credit limit */
};

struct model_redemption {
    enum redemption_state state;
    int asked, confirmed, reversed;
    int64_t gross, commission, gross_back, commission_back;
    int64_t lapse_at;
    int32_t held_on;   /* holds live less than a day here, so they lapse on that date too */
    struct pile drawn; /* in the order they were picked */
};

struct model {
    struct pile points;
    int held, credit_limit, credit_used, status;
    struct model_redemption redemptions[SLOTS];
};

/* What both are told about the world. */
struct circumstances {
    int32_t today;
    int64_t now;
    bool rules, terms, rate;
    int minimum, grace, months;
    int accrual_num, accrual_den, settle_num, settle_den, commission_bp;
};

static void pile_push(struct pile *pile, int32_t over_on)
{
    assert_true(pile->count < POINTS);
    pile->over_on[pile->count++] = over_on;
}

static int32_t pile_pop(struct pile *pile)
{
    assert_true(pile->count > 0);
    return pile->over_on[--pile->count];
}

/* Takes out one of the points that are over first. */
static int32_t pile_take_first(struct pile *pile)
{
    int first = 0;

    for (int i = 1; i < pile->count; i++) {
        if (pile->over_on[i] < pile->over_on[first])
            first = i;
    }
    int32_t over_on = pile->over_on[first];
    pile->over_on[first] = pile->over_on[--pile->count];
    return over_on;
}

static int pile_count_of(const struct pile *pile, int32_t over_on)
{
    int n = 0;

    for (int i = 0; i < pile->count; i++)
        n += pile->over_on[i] == over_on;
    return n;
}

/* Walks a calendar month by month; no division. Without rules, new points last a year. */
static int32_t model_expiry(const struct circumstances *facts)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = 1970, month = 1;
    int ahead = -1, months = facts->rules ? facts->months : 12;
    int32_t start = 0;

    while (ahead < months) {
        int leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        start += lengths[month - 1] + leap;
        ahead += start > facts->today;
        year += month == 12;
        month = month % 12 + 1;
    }
    return start;
}

static int64_t half_even(int64_t value, int64_t num, int64_t den)
{
    int64_t low = value * num / den, twice = 2 * (value * num - low * den);

    return low + (twice > den || (twice == den && low % 2 == 1));
}

static int model_spendable(const struct model *model)
{
    int left = model->credit_limit - model->credit_used;

    return model->points.count + (left < 0 ? 0 : left);
}

static int model_open_holds(const struct model *model)
{
    int n = 0;

    for (int i = 0; i < SLOTS; i++)
        n += model->redemptions[i].state == REDEMPTION_HELD;
    return n;
}

static enum reason model_world_allows(const struct model *model, const struct circumstances *facts)
{
    if (!facts->rules)
        return REASON_NO_RULES_IN_FORCE;
    if (!facts->terms)
        return REASON_NO_TERMS_IN_FORCE;
    if (!facts->rate)
        return REASON_CURRENCY_NOT_EXCHANGED;
    return model->status == MEMBER_CLOSED   ? REASON_MEMBER_CLOSED
           : model->status == MEMBER_FROZEN ? REASON_MEMBER_FROZEN
                                            : REASON_OK;
}

static enum reason model_hold(struct model *model, struct model_redemption *redemption,
                              const struct circumstances *facts, int points, int64_t lapse_after)
{
    enum reason reason = model_world_allows(model, facts);

    *redemption =
        (struct model_redemption){ .asked = points, .lapse_at = facts->now + lapse_after, .held_on = facts->today };
    if (reason != REASON_OK)
        return reason;
    if (points < facts->minimum)
        return REASON_BELOW_MINIMUM;
    if (points > model_spendable(model))
        return REASON_INSUFFICIENT_POINTS;
    for (int i = 0; i < points; i++) {
        bool lent = model->points.count == 0;
        pile_push(&redemption->drawn, lent ? LENT : pile_take_first(&model->points));
        model->credit_used += lent;
    }
    model->held += points;
    redemption->state = REDEMPTION_HELD;
    return REASON_OK;
}

/* Returns how many are forfeited. */
static int model_give_back(struct model *model, struct pile *drawn, const struct circumstances *facts, int points)
{
    int grace = facts->rules ? facts->grace : 0, forfeited = 0;

    for (int i = 0; i < points; i++) {
        int32_t over_on = pile_pop(drawn);
        if (over_on == LENT && model->credit_used > 0)
            model->credit_used--;
        else if (over_on == LENT)
            pile_push(&model->points, model_expiry(facts));
        else if (over_on > facts->today)
            pile_push(&model->points, over_on);
        else if (grace > 0)
            pile_push(&model->points, facts->today + grace);
        else
            forfeited++;
    }
    return forfeited;
}

static enum reason model_ended(const struct model_redemption *redemption)
{
    return redemption->state == REDEMPTION_HELD     ? REASON_OK
           : redemption->state == REDEMPTION_LAPSED ? REASON_HOLD_LAPSED
                                                    : REASON_REDEMPTION_ENDED;
}

static enum reason model_confirm(struct model *model, struct model_redemption *redemption,
                                 const struct circumstances *facts, int points)
{
    enum reason reason = model_ended(redemption);
    int all = points == 0 ? redemption->asked : points;

    if (reason == REASON_OK)
        reason = model_world_allows(model, facts);
    if (reason != REASON_OK)
        return reason;
    if (all > redemption->asked)
        return REASON_BEYOND_HOLD;
    redemption->state = REDEMPTION_CONFIRMED;
    redemption->confirmed = all;
    redemption->gross = half_even(all, facts->settle_num, facts->settle_den);
    redemption->commission = half_even(redemption->gross, facts->commission_bp, 10000);
    model->held -= redemption->asked;
    model_give_back(model, &redemption->drawn, facts, redemption->asked - all);
    return REASON_OK;
}

static enum reason model_end(struct model *model, struct model_redemption *redemption,
                             const struct circumstances *facts, enum redemption_state end)
{
    enum reason reason = model_ended(redemption);

    if (reason != REASON_OK)
        return reason;
    redemption->state = end;
    model->held -= redemption->asked;
    model_give_back(model, &redemption->drawn, facts, redemption->asked);
    return REASON_OK;
}

static enum reason model_reverse(struct model *model, struct model_redemption *redemption,
                                 const struct circumstances *facts, int points)
{
    int left = redemption->confirmed - redemption->reversed, all = points == 0 ? left : points;

    if (redemption->state == REDEMPTION_REVERSED)
        return REASON_REDEMPTION_ENDED;
    if (redemption->state != REDEMPTION_CONFIRMED)
        return REASON_REDEMPTION_NOT_CONFIRMED;
    if (all > left)
        return REASON_BEYOND_CONFIRMED;
    redemption->reversed += all;
    redemption->state = all == left ? REDEMPTION_REVERSED : REDEMPTION_CONFIRMED;
    redemption->gross_back = redemption->gross * redemption->reversed / redemption->confirmed;
    redemption->commission_back = redemption->commission * redemption->reversed / redemption->confirmed;
    model_give_back(model, &redemption->drawn, facts, all);
    return REASON_OK;
}

static enum reason model_earn(struct model *model, const struct circumstances *facts, int amount)
{
    int points = facts->rules ? amount * facts->accrual_num / facts->accrual_den : 0;

    if (!facts->rules)
        return REASON_NO_RULES_IN_FORCE;
    if (!facts->rate)
        return REASON_CURRENCY_NOT_EXCHANGED;
    if (model->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (points == 0)
        return REASON_NOTHING_EARNED;
    for (int i = 0; i < points; i++) {
        if (model->credit_used > 0)
            model->credit_used--;
        else
            pile_push(&model->points, model_expiry(facts));
    }
    return REASON_OK;
}

static int model_expire(struct model *model, int32_t today)
{
    int expired = 0;

    for (int i = 0; i < model->points.count;) {
        if (model->points.over_on[i] > today) {
            i++;
            continue;
        }
        model->points.over_on[i] = pile_pop(&model->points);
        expired++;
    }
    return expired;
}

/* Both side by side */

struct life {
    uint64_t seed;
    int number, steps;
    const char *act;
    struct circumstances facts;
    struct exchange_rules rules;
    struct terms terms;
    struct model model;
    struct account account;
    struct redemption redemptions[SLOTS];
    struct entry written[DECISION_ENTRIES];
    struct entries entries;
    int64_t ledger[LEDGER_COUNT];
    int *met; /* how often each reason was met, over all lives */
};

static int chance(struct life *life, int n)
{
    life->seed = life->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((life->seed >> 33) % (uint64_t)n);
}

static struct moment moment_of(struct life *life)
{
    const struct circumstances *facts = &life->facts;

    life->rules = (struct exchange_rules){
        .version = 1,
        .minimum_points = facts->minimum,
        .expiry_months = facts->months,
        .reinstate_grace_days = facts->grace,
        .accrual = { facts->accrual_num, facts->accrual_den },
        .rates = { { "CNY", { 1, 1 }, { facts->settle_num, facts->settle_den } } },
        .rate_count = facts->rate,
    };
    life->terms = (struct terms){ .version = 1, .commission_bp = facts->commission_bp, .currency = "CNY" };
    return (struct moment){
        { facts->now }, { facts->today }, facts->rules ? &life->rules : NULL, facts->terms ? &life->terms : NULL
    };
}

#define SAME(what, ours, theirs)                                                                                       \
    do {                                                                                                               \
        if ((int64_t)(ours) != (int64_t)(theirs))                                                                      \
            fail_msg("life %d, step %d, %s: %s is %lld, the model says %lld", life->number, life->steps, life->act,    \
                     what, (long long)(ours), (long long)(theirs));                                                    \
    } while (0)

static void compare_lots(struct life *life)
{
    const struct lots *lots = &life->account.lots;
    int64_t sum = 0;

    assert_true(lots->count < LOTS_MAX); /* merging for want of room is test_account's matter */
    for (size_t i = 0; i < lots->count; i++) {
        SAME("a lot", lots->at[i].points, pile_count_of(&life->model.points, lots->at[i].expires_on.days));
        sum += lots->at[i].points;
    }
    SAME("the sum of lots", sum, life->model.points.count);
}

static void compare_redemptions(struct life *life)
{
    for (int i = 0; i < SLOTS; i++) {
        const struct redemption *ours = &life->redemptions[i];
        const struct model_redemption *theirs = &life->model.redemptions[i];
        SAME("a redemption's state", ours->state, theirs->state);
        SAME("what is drawn", draws_points(&ours->draws), theirs->drawn.count);
        if (theirs->state != REDEMPTION_CONFIRMED && theirs->state != REDEMPTION_REVERSED)
            continue;
        SAME("what is confirmed", ours->confirmed_points, theirs->confirmed);
        SAME("what is reversed", ours->reversed_points, theirs->reversed);
        SAME("gross", ours->confirmed.gross_minor, theirs->gross);
        SAME("commission", ours->confirmed.commission_minor, theirs->commission);
        SAME("gross reversed", ours->reversed.gross_minor, theirs->gross_back);
        SAME("commission reversed", ours->reversed.commission_minor, theirs->commission_back);
    }
}

/* The entries alone must tell where every point is, and the last one what the member has. */
static void post_entries(struct life *life)
{
    for (size_t i = 0; i < life->entries.count; i++) {
        const struct entry *entry = &life->written[i];
        enum ledger_account from, to;
        entry_accounts(entry->kind, &from, &to);
        life->ledger[from] -= entry->points;
        life->ledger[to] += entry->points;
        SAME("available less credit used after an entry", entry->available_after - entry->credit_used_after,
             life->ledger[LEDGER_SPENDABLE]);
        SAME("held after an entry", entry->held_after, life->ledger[LEDGER_HELD]);
    }
    life->entries.count = 0;
}

static void compare(struct life *life, enum reason ours, enum reason theirs)
{
    if (ours != theirs)
        fail_msg("life %d, step %d, %s: %s, the model says %s", life->number, life->steps, life->act, reason_name(ours),
                 reason_name(theirs));
    life->met[ours]++;
    if (ours != REASON_OK)
        SAME("entries of a refusal", life->entries.count, 0);
    post_entries(life);
    SAME("available", life->account.available, life->model.points.count);
    SAME("held", life->account.held, life->model.held);
    SAME("credit used", life->account.credit_used, life->model.credit_used);
    SAME("spendable", account_spendable(&life->account), model_spendable(&life->model));
    SAME("open holds", life->account.hold_count, model_open_holds(&life->model));
    SAME("the ledger's spendable", life->ledger[LEDGER_SPENDABLE], life->account.available - life->account.credit_used);
    compare_lots(life);
    compare_redemptions(life);
}

static const struct uuid request = { { 1 } };

/* 1, all, one too many, one less than all, or anything between: where mistakes live. */
static int nasty(struct life *life, int all)
{
    switch (chance(life, 6)) {
    case 0:
        return 1;
    case 1:
        return all > 0 ? all : 1;
    case 2:
        return all + 1;
    case 3:
        return all > 1 ? all - 1 : 1;
    default:
        return 1 + chance(life, all > 0 ? all : 1);
    }
}

static void act_earn(struct life *life)
{
    const struct moment moment = moment_of(life);
    int amount = 1 + chance(life, chance(life, 3) ? 12 : 60);
    int64_t points;

    life->act = "earn";
    enum reason ours = member_earn(&life->account, &moment, amount, "CNY", &request, &points, &life->entries);
    compare(life, ours, model_earn(&life->model, &life->facts, amount));
}

static int slot_for_hold(struct life *life)
{
    for (int i = 0; i < SLOTS; i++) {
        if (life->model.redemptions[i].state == REDEMPTION_NONE)
            return i;
    }
    int slot = chance(life, SLOTS);
    return life->model.redemptions[slot].state == REDEMPTION_HELD ? -1 : slot;
}

static void act_hold(struct life *life)
{
    const struct moment moment = moment_of(life);
    int slot = slot_for_hold(life), points = nasty(life, model_spendable(&life->model)),
        lapse_after = 1 + chance(life, 9);

    if (slot < 0)
        return;
    life->act = "hold";
    struct redemption *redemption = &life->redemptions[slot];
    *redemption = (struct redemption){ .id = { { 9, (uint8_t)slot } }, .points = points };
    enum reason ours = redemption_hold(redemption, &life->account, &moment, NULL, lapse_after, &life->entries);
    SAME("the reason kept", redemption->reason, ours);
    compare(life, ours, model_hold(&life->model, &life->model.redemptions[slot], &life->facts, points, lapse_after));
}

static void act_confirm(struct life *life)
{
    const struct moment moment = moment_of(life);
    int slot = chance(life, SLOTS);
    struct redemption *redemption = &life->redemptions[slot];
    struct model_redemption *told = &life->model.redemptions[slot];
    int points = chance(life, 3) ? nasty(life, told->asked) : 0;
    int64_t moved = 0;

    life->act = "confirm";
    if (told->state == REDEMPTION_NONE)
        return;
    enum reason ours =
        redemption_confirm(redemption, &life->account, &moment, &request, points, &moved, &life->entries);
    compare(life, ours, model_confirm(&life->model, told, &life->facts, points));
    SAME("what was moved", moved, ours == REASON_OK ? told->confirmed : 0);
}

static void act_cancel(struct life *life)
{
    const struct moment moment = moment_of(life);
    int slot = chance(life, SLOTS);
    struct model_redemption *told = &life->model.redemptions[slot];

    life->act = "cancel";
    if (told->state == REDEMPTION_NONE)
        return;
    enum reason ours = redemption_cancel(&life->redemptions[slot], &life->account, &moment, &request, &life->entries);
    compare(life, ours, model_end(&life->model, told, &life->facts, REDEMPTION_CANCELLED));
}

static void act_reverse(struct life *life)
{
    const struct moment moment = moment_of(life);
    int slot = chance(life, SLOTS);
    struct model_redemption *told = &life->model.redemptions[slot];
    int before = told->reversed, points = chance(life, 4) ? nasty(life, told->confirmed - before) : 0;
    int64_t moved = 0, gross = told->gross_back;
    struct settlement_amounts amounts = { 0 };

    life->act = "reverse";
    enum reason ours = redemption_reverse(&life->redemptions[slot], &life->account, &moment, &request, points, &moved,
                                          &amounts, &life->entries);
    compare(life, ours, model_reverse(&life->model, told, &life->facts, points));
    SAME("what was moved", moved, told->reversed - before);
    SAME("what was owed for it", amounts.gross_minor, told->gross_back - gross);
}

static void act_lapse(struct life *life)
{
    const struct moment moment = moment_of(life);

    life->act = "lapse";
    for (int i = 0; i < SLOTS; i++) {
        struct model_redemption *told = &life->model.redemptions[i];
        bool overdue = told->state == REDEMPTION_HELD && told->lapse_at <= life->facts.now;
        SAME("overdue", redemption_overdue(&life->redemptions[i], moment.now), overdue);
        if (!overdue)
            continue;
        redemption_lapse(&life->redemptions[i], &life->account, &moment, &life->entries);
        struct circumstances then = life->facts;
        then.today = told->held_on;
        compare(life, REASON_OK, model_end(&life->model, told, &then, REDEMPTION_LAPSED));
    }
}

static void act_expire(struct life *life)
{
    const struct moment moment = moment_of(life);

    life->act = "expire";
    int theirs = model_expire(&life->model, life->facts.today);
    SAME("that something expired", member_expire(&life->account, &moment, &life->entries), theirs > 0);
    if (theirs > 0)
        SAME("what expired", life->written[0].points, theirs);
    compare(life, REASON_OK, REASON_OK);
}

/* To the very day the next points are over, or the day before it, or a little way. */
static void act_wait(struct life *life)
{
    int32_t next = INT32_MAX;

    for (int i = 0; i < life->model.points.count; i++)
        next = life->model.points.over_on[i] < next ? life->model.points.over_on[i] : next;
    int32_t edge = next - chance(life, 2);
    bool to_edge = next != INT32_MAX && edge > life->facts.today && chance(life, 4) == 0;
    life->facts.today = to_edge ? edge : life->facts.today + chance(life, 4);
    life->facts.now += chance(life, 6);
}

static void act_change_rules(struct life *life)
{
    static const int ratios[][2] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 3 }, { 5, 4 }, { 1, 10 } };
    int earn = chance(life, COUNT(ratios)), settle = chance(life, COUNT(ratios));
    struct circumstances *facts = &life->facts;

    facts->rules = chance(life, 20) > 0;
    facts->terms = chance(life, 20) > 0;
    facts->rate = chance(life, 20) > 0;
    facts->minimum = chance(life, 2) * chance(life, 5);
    facts->grace = chance(life, 2) * (1 + chance(life, 40));
    facts->months = chance(life, 3);
    facts->accrual_num = ratios[earn][0];
    facts->accrual_den = ratios[earn][1];
    facts->settle_num = ratios[settle][0];
    facts->settle_den = ratios[settle][1];
    facts->commission_bp = chance(life, 10001);
}

/* Often below what is used: the limit is the bank's to lower at any time. */
static void act_set_member(struct life *life)
{
    const struct moment moment = moment_of(life);
    const int status = chance(life, 3) ? MEMBER_ACTIVE : 1 + chance(life, 3);
    const int limit = chance(life, 2) * chance(life, 30);
    const struct member_wish wish = { .status = (int16_t)status, .credit_limit = limit };
    struct model *model = &life->model;

    life->act = "set member";
    bool changed = model->status != status || model->credit_limit != limit;
    SAME("that something changed", member_set(&life->account, &wish, &moment, &request, &life->entries), changed);
    model->status = status;
    model->credit_limit = limit;
    compare(life, REASON_OK, REASON_OK);
}

/* How often of 100. */
static const struct {
    int weight;
    void (*act)(struct life *life);
} acts[] = {
    { 22, act_earn }, { 22, act_hold },  { 13, act_confirm }, { 7, act_cancel },       { 14, act_reverse },
    { 6, act_lapse }, { 6, act_expire }, { 6, act_wait },     { 2, act_change_rules }, { 2, act_set_member },
};

static void begin(struct life *life, int number, int *met)
{
    static const struct uuid member = { { 3 } };
    const struct member_wish wish = { .status = MEMBER_ACTIVE, .credit_limit = 10 * (number % 3) };

    *life = (struct life){ .seed = (uint64_t)number, .number = number, .facts = { .today = START }, .met = met };
    life->entries.at = life->written;
    life->account.member_id = member;
    act_change_rules(life);
    const struct moment moment = moment_of(life);
    assert_true(member_set(&life->account, &wish, &moment, &request, &life->entries));
    life->model.status = wish.status;
    life->model.credit_limit = (int)wish.credit_limit;
    compare(life, REASON_OK, REASON_OK);
}

static void live(struct life *life)
{
    for (life->steps = 1; life->steps <= STEPS; life->steps++) {
        int drawn = chance(life, 100);
        size_t i = 0;
        while (drawn >= acts[i].weight)
            drawn -= acts[i++].weight;
        acts[i].act(life);
    }
    int64_t sum = 0;
    for (enum ledger_account account = LEDGER_NONE; account < LEDGER_COUNT; account++)
        sum += life->ledger[account];
    SAME("the sum over all ledger accounts", sum, 0);
}

static void the_rules_agree_with_the_naive_telling(void **state)
{
    static const enum reason all[] = {
        REASON_NO_RULES_IN_FORCE, REASON_NO_TERMS_IN_FORCE,   REASON_CURRENCY_NOT_EXCHANGED,   REASON_MEMBER_CLOSED,
        REASON_MEMBER_FROZEN,     REASON_HOLD_LAPSED,         REASON_REDEMPTION_ENDED,         REASON_BELOW_MINIMUM,
        REASON_BEYOND_HOLD,       REASON_INSUFFICIENT_POINTS, REASON_REDEMPTION_NOT_CONFIRMED, REASON_BEYOND_CONFIRMED,
        REASON_NOTHING_EARNED,
    };
    static struct life life;
    int met[REASON_COUNT] = { 0 };

    (void)state;
    for (int number = 1; number <= LIVES; number++) {
        begin(&life, number, met);
        live(&life);
    }
    for (size_t i = 0; i < COUNT(all); i++) {
        if (met[all[i]] < LIVES)
            fail_msg("%s was met only %d times", reason_name(all[i]), met[all[i]]);
    }
    assert_true(met[REASON_OK] > LIVES * STEPS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_rules_agree_with_the_naive_telling) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
