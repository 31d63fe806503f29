/*
 * rule_set_overflow.c -- the largest amounts a rule set allows, tried with each rate and each tier's factor: what they
 * come to grows with the amount, so that no smaller one can fail where these do not.
 */
#include "base/exact.h"
#include "domain/rule_set_proof.h"

static void find(struct rule_findings *findings, struct rule_finding finding)
{
    if (findings->count < FINDINGS_MAX)
        findings->at[findings->count++] = finding;
}

static struct ratio times(struct ratio a, struct ratio b)
{
    return (struct ratio){ a.num * b.num, a.den * b.den };
}

static bool earning_fits(const struct rule_set *set, struct ratio rate)
{
    int64_t points;

    return exact_ratio_floor(set->largest_minor, rate.num, rate.den, &points) && points <= POINTS_MAX;
}

static bool price_fits(const struct rule_set *set, struct ratio conversion)
{
    int64_t points, steps;

    return exact_ratio_ceil(set->largest_minor, conversion.num, conversion.den, &points) && points <= POINTS_MAX &&
           exact_ratio_ceil(points, 1, set->step_points, &steps) &&
           exact_ratio_floor(steps, set->step_points, 1, &points) && points <= POINTS_MAX;
}

/* Does the tier's entry stand for any of those tiers? */
static bool tier_within(const struct rule_set *set, int32_t i, int32_t first, int32_t last)
{
    int32_t end = i + 1 < set->tier_count ? set->tiers[i + 1].tier - 1 : TIER_MAX;

    return set->tiers[i].tier <= last && end >= first;
}

/* One rate, without a tier and with each that may meet it. */
struct rate_case {
    enum finding_about about;
    struct ratio rate;
    int32_t rule, currency, first_tier, last_tier;
};

static void try_rate(const struct rule_set *set, const struct rate_case *of, struct rule_findings *findings)
{
    bool (*fits)(const struct rule_set *, struct ratio) = of->about == ABOUT_EARNING ? earning_fits : price_fits;
    bool bare = set->tier_count == 0 || of->first_tier < set->tiers[0].tier;

    if (bare && !fits(set, of->rate))
        find(findings, (struct rule_finding){ FINDING_OVERFLOW, of->about, of->rule, -1, -1, of->currency });
    for (int32_t i = 0; i < set->tier_count; i++) {
        const struct tier *tier = &set->tiers[i];
        struct ratio factor = of->about == ABOUT_EARNING ? tier->multiplier : tier->conversion;
        if (tier_within(set, i, of->first_tier, of->last_tier) && !fits(set, times(of->rate, factor)))
            find(findings, (struct rule_finding){ FINDING_OVERFLOW, of->about, of->rule, -1, i, of->currency });
    }
}

static void try_settlement(const struct rule_set *set, struct ratio settlement, int32_t rule, int32_t currency,
                           struct rule_findings *findings)
{
    int64_t minor;

    if (!exact_ratio_half_even(set->maximum_points, settlement.num, settlement.den, &minor) || minor > AMOUNT_MINOR_MAX)
        find(findings, (struct rule_finding){ FINDING_OVERFLOW, ABOUT_SETTLEMENT, rule, -1, -1, currency });
}

void rule_set_find_overflows(const struct rule_set *set, struct rule_findings *findings)
{
    struct rate_case general = { ABOUT_EARNING, set->rules.accrual, -1, -1, 0, TIER_MAX };

    try_rate(set, &general, findings);
    for (int32_t i = 0; i < set->earn_rule_count; i++) {
        const struct earn_rule *rule = &set->earn_rules[i];
        struct rate_case of = { ABOUT_EARNING, rule->rate, i, -1, rule->match.first_tier, rule->match.last_tier };
        if (!rule->excluded)
            try_rate(set, &of, findings);
    }
    for (int32_t i = 0; i < set->rules.rate_count; i++) {
        struct rate_case of = { ABOUT_PRICE, set->rules.rates[i].conversion, -1, i, 0, TIER_MAX };
        try_rate(set, &of, findings);
        try_settlement(set, set->rules.rates[i].settlement, -1, i, findings);
    }
    for (int32_t i = 0; i < set->rate_rule_count; i++) {
        const struct rate_rule *rule = &set->rate_rules[i];
        struct rate_case of = { ABOUT_PRICE, rule->conversion, i, -1, rule->match.first_tier, rule->match.last_tier };
        if (rule->conversion.den)
            try_rate(set, &of, findings);
        if (rule->settlement.den)
            try_settlement(set, rule->settlement, i, -1, findings);
    }
}
