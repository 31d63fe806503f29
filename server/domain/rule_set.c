/*
 * rule_set.c -- what a spend earns and what a redemption costs, step by step.
 */
#include "domain/rule_set.h"

#include "base/exact.h"

#include <string.h>

static const char DOWN[] = "rounded down", UP[] = "rounded up", HALF_EVEN[] = "rounded half to even", NONE[] = "";
static const struct ratio NO_RATIO = { 0, 0 };

static void note(struct rule_trace *trace, struct rule_step step)
{
    if (trace->count < RULE_STEPS_MAX)
        trace->steps[trace->count++] = step;
}

/* Both are at most RATIO_MAX, so that the products fit. */
static struct ratio times(struct ratio a, struct ratio b)
{
    return (struct ratio){ a.num * b.num, a.den * b.den };
}

static const char *tier_name(const struct tier *tier)
{
    return tier ? tier->name : NONE;
}

/* Earning */

static int64_t accrual_base(const struct rule_set *set, const struct spend *spend, struct rule_trace *trace)
{
    bool less = set->base == BASE_LESS_POINTS;
    int64_t base = spend->amount_minor - (less ? spend->paid_with_points_minor : 0);

    note(trace, (struct rule_step){ less ? "base of accrual: the amount without the part paid with points"
                                         : "base of accrual: the whole amount, the part paid with points too",
                                    NONE, spend->amount_minor, NO_RATIO, NONE, base });
    return base;
}

/* What is left of a cap after what was earned before; a cap of 0 leaves everything. */
static int64_t under_cap(int64_t points, int64_t cap, int64_t before, const char *what, const char *rule,
                         struct rule_trace *trace)
{
    int64_t room = cap > before ? cap - before : 0;

    if (cap == 0 || points <= room)
        return points;
    note(trace, (struct rule_step){ what, rule, points, NO_RATIO, NONE, room });
    return room;
}

static int64_t under_caps(const struct rule_set *set, const struct earn_rule *rule, const struct spend *spend,
                          int64_t points, struct rule_trace *trace)
{
    if (rule) {
        const struct earn_caps *caps = &rule->caps;
        points = under_cap(points, caps->per_transaction, 0, "the rule's cap of one transaction", rule->name, trace);
        points = under_cap(points, caps->per_day, spend->rule_today, "what is left of the rule's cap of a day",
                           rule->name, trace);
        points = under_cap(points, caps->per_month, spend->rule_this_month, "what is left of the rule's cap of a month",
                           rule->name, trace);
    }
    points = under_cap(points, set->earn_caps.per_transaction, 0, "the cap of one transaction", NONE, trace);
    points =
        under_cap(points, set->earn_caps.per_day, spend->earned_today, "what is left of the cap of a day", NONE, trace);
    return under_cap(points, set->earn_caps.per_month, spend->earned_this_month, "what is left of the cap of a month",
                     NONE, trace);
}

enum reason rule_set_earn(const struct rule_set *set, const struct spend *spend, int64_t *points,
                          struct rule_trace *trace)
{
    trace->count = 0;
    if (!rules_rate(&set->rules, spend->where.currency))
        return REASON_CURRENCY_NOT_EXCHANGED;
    if (spend->amount_minor > set->largest_minor)
        return REASON_AMOUNT_TOO_LARGE;
    int64_t base = accrual_base(set, spend, trace), earned;
    const struct earn_rule *rule = rule_set_earn_rule(set, &spend->where);
    if (rule && rule->excluded) {
        note(trace, (struct rule_step){ "the rule excludes it", rule->name, base, NO_RATIO, NONE, 0 });
        return REASON_NOTHING_EARNED;
    }
    const struct tier *tier = rule_set_tier(set, spend->where.tier);
    struct ratio rate = rule ? rule->rate : set->rules.accrual;
    note(trace, (struct rule_step){ rule ? "rate of the rule of the highest priority that matches"
                                         : "no rule matches: the general accrual rate",
                                    rule ? rule->name : NONE, 0, rate, NONE, 0 });
    if (tier) {
        note(trace, (struct rule_step){ "multiplier of the tier", tier_name(tier), 0, tier->multiplier, NONE, 0 });
        rate = times(rate, tier->multiplier);
    }
    if (!exact_ratio_floor(base, rate.num, rate.den, &earned) || earned > POINTS_MAX)
        return REASON_AMOUNT_TOO_LARGE;
    note(trace, (struct rule_step){ "points earned", NONE, base, rate, DOWN, earned });
    earned = under_caps(set, rule, spend, earned, trace);
    if (earned < 1)
        return REASON_NOTHING_EARNED;
    *points = earned;
    return REASON_OK;
}

/* Redeeming */

static bool names_good(const struct tier *tier, const char *goods_id)
{
    for (int32_t i = 0; i < tier->goods_count; i++) {
        if (strcmp(tier->goods[i], goods_id) == 0)
            return true;
    }
    return false;
}

/* A good that tiers name is for the lowest of them and for higher ones. */
static enum reason check_good(const struct rule_set *set, int32_t of, const char *goods_id, struct rule_trace *trace)
{
    for (int32_t i = 0; i < set->tier_count && goods_id[0]; i++) {
        const struct tier *tier = &set->tiers[i];
        if (!names_good(tier, goods_id))
            continue;
        note(trace, (struct rule_step){ "the good is for this tier and higher ones", tier->name, of, NO_RATIO, NONE,
                                        tier->tier });
        return of >= tier->tier ? REASON_OK : REASON_TIER_TOO_LOW;
    }
    return REASON_OK;
}

/* Points rounded up to a whole number of steps. */
static bool up_to_step(int64_t points, int64_t step, int64_t *out)
{
    int64_t steps;

    return exact_ratio_ceil(points, 1, step, &steps) && exact_ratio_floor(steps, step, 1, out);
}

static bool full_points(const struct rule_set *set, int32_t of, int64_t price_minor, struct ratio conversion,
                        int64_t *full, struct rule_trace *trace)
{
    const struct tier *tier = rule_set_tier(set, of);
    int64_t points;

    if (tier) {
        note(trace, (struct rule_step){ "the tier's factor on the conversion rate", tier->name, 0, tier->conversion,
                                        NONE, 0 });
        conversion = times(conversion, tier->conversion);
    }
    if (!exact_ratio_ceil(price_minor, conversion.num, conversion.den, &points) || points > POINTS_MAX)
        return false;
    note(trace, (struct rule_step){ "points for the whole price", NONE, price_minor, conversion, UP, points });
    if (!up_to_step(points, set->step_points, full) || *full > POINTS_MAX)
        return false;
    if (*full != points)
        note(trace, (struct rule_step){ "a whole number of steps", NONE, points, { set->step_points, 1 }, UP, *full });
    return true;
}

/* full <= POINTS_MAX, so nothing overflows. */
bool rule_set_bounds(const struct rule_set *set, int64_t full, int64_t *least, int64_t *most)
{
    if (!exact_ratio_ceil(full, set->least_points_bp, SHARE_ALL_BP, least) ||
        !exact_ratio_floor(full, set->most_points_bp, SHARE_ALL_BP, most))
        return false;
    if (*least < set->rules.minimum_points)
        *least = set->rules.minimum_points;
    if (*most > set->maximum_points)
        *most = set->maximum_points;
    *most -= *most % set->step_points;
    return true;
}

int64_t rule_set_cash(int64_t price_minor, int64_t full, int64_t points)
{
    int64_t paid;

    return exact_ratio_floor(price_minor, points, full, &paid) ? price_minor - paid : -1;
}

static enum reason check_count(const struct rule_set *set, int64_t points)
{
    if (points < set->rules.minimum_points)
        return REASON_BELOW_MINIMUM;
    if (points > set->maximum_points)
        return REASON_ABOVE_MAXIMUM;
    return points % set->step_points == 0 ? REASON_OK : REASON_NOT_A_STEP;
}

/* Cash is allowed when the share of points may be less than all. */
static enum reason choose_points(const struct rule_set *set, int64_t full, int64_t asked, int64_t *points,
                                 struct rule_trace *trace)
{
    int64_t least, most;

    if (!rule_set_bounds(set, full, &least, &most))
        return REASON_AMOUNT_TOO_LARGE;
    bool cash = set->least_points_bp < SHARE_ALL_BP;
    *points = asked ? asked : cash ? most : full;
    note(trace,
         (struct rule_step){
             "the least points of this redemption", NONE, full, { set->least_points_bp, SHARE_ALL_BP }, UP, least });
    note(trace,
         (struct rule_step){
             "the most points of this redemption", NONE, full, { set->most_points_bp, SHARE_ALL_BP }, DOWN, most });
    note(trace, (struct rule_step){ asked ? "points as offered" : "points as many as may be", NONE, full, NO_RATIO,
                                    NONE, *points });
    enum reason reason = check_count(set, *points);
    return reason != REASON_OK || (*points >= least && *points <= most) ? reason : REASON_CASH_BOUNDS;
}

static enum reason settle(const struct redemption_ask *ask, struct ratio settlement, struct redemption_price *price,
                          struct rule_trace *trace)
{
    int64_t paid;

    if (!exact_ratio_floor(ask->price_minor, price->points, price->full_points, &paid) ||
        !exact_ratio_half_even(price->points, settlement.num, settlement.den, &price->settled_minor))
        return REASON_AMOUNT_TOO_LARGE;
    price->cash_minor = ask->price_minor - paid;
    note(trace, (struct rule_step){ "what the points pay of the price",
                                    NONE,
                                    ask->price_minor,
                                    { price->points, price->full_points },
                                    DOWN,
                                    paid });
    note(trace, (struct rule_step){ "what is left to pay in cash", NONE, ask->price_minor, NO_RATIO, NONE,
                                    price->cash_minor });
    note(trace, (struct rule_step){ "what the bank owes for the points", NONE, price->points, settlement, HALF_EVEN,
                                    price->settled_minor });
    return REASON_OK;
}

static struct currency_rate by_rule(const struct rate_rule *rule, const struct currency_rate *general)
{
    struct currency_rate rates = *general;

    if (rule && rule->conversion.den)
        rates.conversion = rule->conversion;
    if (rule && rule->settlement.den)
        rates.settlement = rule->settlement;
    return rates;
}

enum reason rule_set_price(const struct rule_set *set, const struct redemption_ask *ask, struct redemption_price *price,
                           struct rule_trace *trace)
{
    const struct currency_rate *general = rules_rate(&set->rules, ask->where.currency);

    trace->count = 0;
    *price = (struct redemption_price){ 0 };
    if (!general)
        return REASON_CURRENCY_NOT_EXCHANGED;
    if (ask->price_minor > set->largest_minor)
        return REASON_AMOUNT_TOO_LARGE;
    enum reason reason = check_good(set, ask->where.tier, ask->goods_id, trace);
    if (reason != REASON_OK)
        return reason;
    const struct rate_rule *rule = rule_set_rate_rule(set, &ask->where);
    const struct currency_rate rates = by_rule(rule, general);
    note(trace, (struct rule_step){ rule ? "conversion rate of the rule of the highest priority that matches"
                                         : "no rule matches: the currency's general conversion rate",
                                    rule ? rule->name : NONE, 0, rates.conversion, NONE, 0 });
    if (!full_points(set, ask->where.tier, ask->price_minor, rates.conversion, &price->full_points, trace))
        return REASON_AMOUNT_TOO_LARGE;
    reason = choose_points(set, price->full_points, ask->points, &price->points, trace);
    return reason == REASON_OK ? settle(ask, rates.settlement, price, trace) : reason;
}

bool rule_set_rates(const struct rule_set *set, const struct rule_case *where, struct currency_rate *rates)
{
    const struct currency_rate *general = rules_rate(&set->rules, where->currency);

    if (general)
        *rates = by_rule(rule_set_rate_rule(set, where), general);
    return general != NULL;
}

enum reason rule_set_full_points(const struct rule_set *set, const struct rule_case *where, int64_t price_minor,
                                 int64_t *points)
{
    struct rule_trace trace = { .count = 0 };
    struct currency_rate rates;

    if (!rule_set_rates(set, where, &rates))
        return REASON_CURRENCY_NOT_EXCHANGED;
    bool good = price_minor <= set->largest_minor &&
                full_points(set, where->tier, price_minor, rates.conversion, points, &trace);
    return good ? REASON_OK : REASON_AMOUNT_TOO_LARGE;
}

enum reason rule_set_may_redeem(const struct rule_set *set, int32_t tier, const char *goods_id, int64_t points)
{
    struct rule_trace trace = { .count = 0 };
    enum reason reason = check_good(set, tier, goods_id, &trace);

    return reason == REASON_OK ? check_count(set, points) : reason;
}
