/*
 * rule_set_match.c -- which rule decides.
 */
#include "domain/rule_set.h"

#include <string.h>

static bool has_category(const struct rule_match *match, const struct exchange_rules *rules,
                         const struct rule_case *where)
{
    (void)rules;
    for (int32_t i = 0; i < match->category_count; i++) {
        if (where->category >= match->categories[i].first && where->category <= match->categories[i].last)
            return true;
    }
    return match->category_count == 0;
}

static bool has_name(const rule_name *names, int32_t count, const char *name)
{
    for (int32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return count == 0;
}

static bool has_bit(uint32_t bits, int bit)
{
    return bits == 0 || (bits >> bit & 1) != 0;
}

/* 1970-01-01 was a Thursday. */
static int weekday(struct date date)
{
    return (int)(((date.days % 7) + 7 + 3) % 7) + 1;
}

static bool has_date(const struct rule_match *match, const struct exchange_rules *rules, const struct rule_case *where)
{
    int year, month, day;

    (void)rules;
    if (where->date.days < match->first_date.days || where->date.days > match->last_date.days ||
        !has_bit(match->weekdays, weekday(where->date)))
        return false;
    date_split(where->date, &year, &month, &day);
    return has_bit(match->month_days, day);
}

static bool has_currency(const struct rule_match *match, const struct exchange_rules *rules,
                         const struct rule_case *where)
{
    const struct currency_rate *rate = rules_rate(rules, where->currency);

    return rate && has_bit(match->currencies, (int)(rate - rules->rates));
}

static bool has_tier(const struct rule_match *match, const struct exchange_rules *rules, const struct rule_case *where)
{
    (void)rules;
    return where->tier >= match->first_tier && where->tier <= match->last_tier;
}

static bool has_kind(const struct rule_match *match, const struct exchange_rules *rules, const struct rule_case *where)
{
    (void)rules;
    return has_bit(match->goods_kinds, where->goods_kind);
}

static bool has_channel(const struct rule_match *match, const struct exchange_rules *rules,
                        const struct rule_case *where)
{
    (void)rules;
    return has_name(match->channels, match->channel_count, where->channel);
}

static bool has_merchant(const struct rule_match *match, const struct exchange_rules *rules,
                         const struct rule_case *where)
{
    (void)rules;
    return has_name(match->merchants, match->merchant_count, where->merchant_id);
}

rule_condition *const rule_conditions[RULE_CONDITIONS] = {
    [CONDITION_TIER] = has_tier,         [CONDITION_KIND] = has_kind,       [CONDITION_CURRENCY] = has_currency,
    [CONDITION_CATEGORY] = has_category, [CONDITION_CHANNEL] = has_channel, [CONDITION_MERCHANT] = has_merchant,
    [CONDITION_DATE] = has_date,
};

bool rule_match_holds(const struct rule_match *match, const struct exchange_rules *rules, const struct rule_case *where)
{
    for (int i = 0; i < RULE_CONDITIONS; i++) {
        if (!rule_conditions[i](match, rules, where))
            return false;
    }
    return true;
}

const struct earn_rule *rule_set_earn_rule(const struct rule_set *set, const struct rule_case *where)
{
    const struct earn_rule *best = NULL;

    for (int32_t i = 0; i < set->earn_rule_count; i++) {
        const struct earn_rule *rule = &set->earn_rules[i];
        if ((!best || rule->priority > best->priority) && rule_match_holds(&rule->match, &set->rules, where))
            best = rule;
    }
    return best;
}

const struct rate_rule *rule_set_rate_rule(const struct rule_set *set, const struct rule_case *where)
{
    const struct rate_rule *best = NULL;

    for (int32_t i = 0; i < set->rate_rule_count; i++) {
        const struct rate_rule *rule = &set->rate_rules[i];
        if ((!best || rule->priority > best->priority) && rule_match_holds(&rule->match, &set->rules, where))
            best = rule;
    }
    return best;
}

const struct tier *rule_set_tier(const struct rule_set *set, int32_t tier)
{
    const struct tier *found = NULL;

    for (int32_t i = 0; i < set->tier_count && set->tiers[i].tier <= tier; i++)
        found = &set->tiers[i];
    return found;
}
