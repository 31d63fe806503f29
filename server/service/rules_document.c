#include "service/rules_document.h"

#include "domain/tier_review.h"
#include "service/bank_rules_shape.h"
#include "service/check.h"
#include "service/shape.h"

#include <stdio.h>
#include <string.h>

typedef Alliance__V1__RuleSetDocument Document;
typedef Alliance__V1__Match Match;
typedef Alliance__V1__AccrualRule AccrualRule;
typedef Alliance__V1__RateRule RateRule;
typedef Alliance__V1__TierRule TierRule;

enum { MONTH_DAYS = 31, WEEK_DAYS = 7 };

static bool check_count(const char *field, size_t count, size_t max, struct error *err)
{
    return count <= max || error_field(err, REASON_FIELD_INVALID, field, "must have at most %zu entries", max);
}

/* Unset: as it was. */
static bool read_ratio(const char *field, const Alliance__V1__Ratio *asked, struct ratio *ratio, struct error *err)
{
    if (!asked)
        return true;
    if (!check_ratio(field, asked, err))
        return false;
    *ratio = (struct ratio){ asked->num, asked->den };
    return true;
}

static bool read_caps(const char *field, const Alliance__V1__EarnCaps *asked, struct earn_caps *caps, struct error *err)
{
    if (!asked)
        return true;
    *caps = (struct earn_caps){ asked->per_transaction, asked->per_day, asked->per_month };
    return (check_range("per_transaction", asked->per_transaction, 0, POINTS_MAX, err) &&
            check_range("per_day", asked->per_day, 0, POINTS_MAX, err) &&
            check_range("per_month", asked->per_month, 0, POINTS_MAX, err)) ||
           check_within(err, "%s", field);
}

/* Match */

static bool read_names(const char *field, char **asked, size_t count, size_t max, rule_name *names, int32_t *read,
                       struct error *err)
{
    if (!check_count(field, count, max, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!check_id("", asked[i], err))
            return check_within(err, "%s[%zu]", field, i);
        strcpy(names[(*read)++], asked[i]);
    }
    return true;
}

static bool read_currencies(const Match *asked, const struct exchange_rules *rules, struct rule_match *match,
                            struct error *err)
{
    if (!check_count("currency_codes", asked->n_currency_codes, RATES_MAX, err))
        return false;
    for (size_t i = 0; i < asked->n_currency_codes; i++) {
        const struct currency_rate *rate = rules_rate(rules, asked->currency_codes[i]);
        if (!rate) {
            error_field(err, REASON_FIELD_INVALID, "", "must be a currency of rules.rates");
            return check_within(err, "currency_codes[%zu]", i);
        }
        match->currencies |= 1U << (rate - rules->rates);
    }
    return true;
}

static bool read_categories(const Match *asked, struct rule_match *match, struct error *err)
{
    if (!check_count("categories", asked->n_categories, MATCH_CATEGORIES_MAX, err))
        return false;
    for (size_t i = 0; i < asked->n_categories; i++) {
        const Alliance__V1__CategoryRange *range = asked->categories[i];
        if (!check_range("first", range->first, 0, CATEGORY_MAX, err) ||
            !check_range("last", range->last, range->first, CATEGORY_MAX, err))
            return check_within(err, "categories[%zu]", i);
        match->categories[match->category_count++] = (struct category_range){ range->first, range->last };
    }
    return true;
}

static bool read_kinds(const Match *asked, bool redeems, struct rule_match *match, struct error *err)
{
    if (!redeems && asked->n_goods_kinds)
        return error_field(err, REASON_FIELD_INVALID, "goods_kinds", "must be empty in an accrual rule");
    for (size_t i = 0; i < asked->n_goods_kinds; i++) {
        int kind = (int)asked->goods_kinds[i];
        if (kind < 1 || !protobuf_c_enum_descriptor_get_value(&alliance__v1__goods_kind__descriptor, kind)) {
            error_field(err, REASON_FIELD_INVALID, "", "must be a GoodsKind");
            return check_within(err, "goods_kinds[%zu]", i);
        }
        match->goods_kinds |= 1U << kind;
    }
    return true;
}

static bool read_days(const char *field, const int32_t *days, size_t count, int last, uint32_t *bits, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_range("", days[i], 1, last, err))
            return check_within(err, "%s[%zu]", field, i);
        *bits |= 1U << days[i];
    }
    return true;
}

static bool read_dates(const Match *asked, struct rule_match *match, struct error *err)
{
    match->first_date = (struct date){ RULE_DATE_FIRST };
    match->last_date = (struct date){ RULE_DATE_LAST };
    if ((*asked->first_date && !check_date("first_date", asked->first_date, &match->first_date, err)) ||
        (*asked->last_date && !check_date("last_date", asked->last_date, &match->last_date, err)))
        return false;
    return match->first_date.days <= match->last_date.days ||
           error_field(err, REASON_FIELD_INVALID, "last_date", "must not be before first_date");
}

static bool read_match(const Match *asked, const struct exchange_rules *rules, bool redeems, struct rule_match *match,
                       struct error *err)
{
    static const Match everywhere = ALLIANCE__V1__MATCH__INIT;

    asked = asked ? asked : &everywhere;
    match->first_tier = asked->lowest_tier;
    match->last_tier = asked->below_tier ? asked->below_tier - 1 : TIER_MAX;
    return (read_currencies(asked, rules, match, err) && read_categories(asked, match, err) &&
            read_names("merchant_ids", asked->merchant_ids, asked->n_merchant_ids, MATCH_NAMES_MAX, match->merchants,
                       &match->merchant_count, err) &&
            read_names("channels", asked->channels, asked->n_channels, MATCH_NAMES_MAX, match->channels,
                       &match->channel_count, err) &&
            read_kinds(asked, redeems, match, err) &&
            check_range("lowest_tier", asked->lowest_tier, 0, TIER_MAX, err) &&
            check_range("below_tier", match->last_tier + 1, match->first_tier + 1, TIER_MAX + 1, err) &&
            read_days("days_of_month", asked->days_of_month, asked->n_days_of_month, MONTH_DAYS, &match->month_days,
                      err) &&
            read_days("weekdays", asked->weekdays, asked->n_weekdays, WEEK_DAYS, &match->weekdays, err) &&
            read_dates(asked, match, err)) ||
           check_within(err, "match");
}

/* Rules */

static bool read_name(const char *name, int32_t priority, rule_name to, struct error *err)
{
    if (!check_id("name", name, err) || !check_range("priority", priority, 0, PRIORITY_MAX, err))
        return false;
    strcpy(to, name);
    return true;
}

static bool read_excluded(const AccrualRule *asked, struct earn_rule *rule, struct error *err)
{
    rule->excluded = asked->excluded;
    if (!asked->excluded)
        return check_ratio("rate", asked->rate, err) && read_ratio("rate", asked->rate, &rule->rate, err) &&
               read_caps("caps", asked->caps, &rule->caps, err);
    return (!asked->rate && !asked->caps) ||
           error_field(err, REASON_FIELD_INVALID, "excluded", "what is excluded must have neither rate nor caps");
}

static bool twice(struct error *err)
{
    return error_field(err, REASON_FIELD_INVALID, "name", "must not be there twice");
}

static bool read_accrual_rules(const Document *asked, struct rule_set *set, struct error *err)
{
    if (!check_count("accrual_rules", asked->n_accrual_rules, EARN_RULES_MAX, err))
        return false;
    for (size_t i = 0; i < asked->n_accrual_rules; i++) {
        const AccrualRule *from = asked->accrual_rules[i];
        struct earn_rule *rule = &set->earn_rules[i];
        rule->priority = from->priority;
        bool good = read_name(from->name, from->priority, rule->name, err) &&
                    read_match(from->match, &set->rules, false, &rule->match, err) && read_excluded(from, rule, err);
        for (size_t k = 0; good && k < i; k++)
            good = strcmp(set->earn_rules[k].name, rule->name) != 0 || twice(err);
        if (!good)
            return check_within(err, "accrual_rules[%zu]", i);
        set->earn_rule_count++;
    }
    return true;
}

static bool read_rates(const RateRule *from, struct rate_rule *rule, struct error *err)
{
    return read_ratio("conversion_rate", from->conversion_rate, &rule->conversion, err) &&
           read_ratio("settlement_rate", from->settlement_rate, &rule->settlement, err) &&
           (from->conversion_rate || from->settlement_rate ||
            error_field(err, REASON_FIELD_INVALID, "conversion_rate",
                        "must be set when settlement_rate is not: the rule changes nothing"));
}

static bool read_rate_rules(const Document *asked, struct rule_set *set, struct error *err)
{
    if (!check_count("rate_rules", asked->n_rate_rules, RATE_RULES_MAX, err))
        return false;
    for (size_t i = 0; i < asked->n_rate_rules; i++) {
        const RateRule *from = asked->rate_rules[i];
        struct rate_rule *rule = &set->rate_rules[i];
        rule->priority = from->priority;
        bool good = read_name(from->name, from->priority, rule->name, err) &&
                    read_match(from->match, &set->rules, true, &rule->match, err) && read_rates(from, rule, err);
        for (size_t k = 0; good && k < i; k++)
            good = strcmp(set->rate_rules[k].name, rule->name) != 0 || twice(err);
        if (!good)
            return check_within(err, "rate_rules[%zu]", i);
        set->rate_rule_count++;
    }
    return true;
}

static bool read_qualifying(const TierRule *from, struct tier *tier, struct error *err)
{
    const Alliance__V1__Money *spend = from->qualifying_spend;

    tier->period_months = from->period_months;
    tier->grace_months = from->grace_months;
    if (!check_range("period_months", from->period_months, spend ? 1 : 0, spend ? PERIOD_MONTHS_MAX : 0, err) ||
        !check_range("grace_months", from->grace_months, 0, PERIOD_MONTHS_MAX, err))
        return false;
    if (!spend)
        return true;
    if (!check_money("qualifying_spend", spend, AMOUNT_MINOR_MAX, err))
        return false;
    tier->qualifying_minor = spend->amount_minor;
    memcpy(tier->currency, spend->currency_code, CURRENCY_TEXT - 1);
    return true;
}

static bool read_tier(const TierRule *from, struct tier *tier, struct error *err)
{
    *tier = (struct tier){ .tier = from->tier, .multiplier = { 1, 1 }, .conversion = { 1, 1 } };
    return check_range("tier", from->tier, 0, TIER_MAX, err) && read_name(from->name, 0, tier->name, err) &&
           read_qualifying(from, tier, err) && read_ratio("multiplier", from->multiplier, &tier->multiplier, err) &&
           read_ratio("conversion_factor", from->conversion_factor, &tier->conversion, err) &&
           read_names("exclusive_goods_ids", from->exclusive_goods_ids, from->n_exclusive_goods_ids, TIER_GOODS_MAX,
                      tier->goods, &tier->goods_count, err);
}

static bool read_tiers(const Document *asked, struct rule_set *set, struct error *err)
{
    if (!check_count("tiers", asked->n_tiers, TIERS_MAX, err))
        return false;
    for (size_t i = 0; i < asked->n_tiers; i++) {
        if (!read_tier(asked->tiers[i], &set->tiers[i], err))
            return check_within(err, "tiers[%zu]", i);
        if (i > 0 && set->tiers[i].tier <= set->tiers[i - 1].tier) {
            error_field(err, REASON_FIELD_INVALID, "tier", "must be higher than that of the entry before");
            return check_within(err, "tiers[%zu]", i);
        }
        set->tier_count++;
    }
    return true;
}

/* The whole */

static bool read_shares(const Alliance__V1__PointsAndCash *asked, struct rule_set *set, struct error *err)
{
    set->least_points_bp = set->most_points_bp = SHARE_ALL_BP;
    if (!asked)
        return true;
    set->least_points_bp = asked->least_points_bp;
    set->most_points_bp = asked->most_points_bp ? asked->most_points_bp : SHARE_ALL_BP;
    return (check_range("least_points_bp", asked->least_points_bp, 0, SHARE_ALL_BP, err) &&
            check_range("most_points_bp", set->most_points_bp, asked->least_points_bp, SHARE_ALL_BP, err)) ||
           check_within(err, "points_and_cash");
}

static bool read_numbers(const Document *asked, struct rule_set *set, struct error *err)
{
    set->largest_minor = asked->largest_amount_minor ? asked->largest_amount_minor : LARGEST_MINOR_DEFAULT;
    set->maximum_points = asked->maximum_points ? asked->maximum_points : POINTS_MAX;
    set->step_points = asked->step_points ? asked->step_points : 1;
    set->base = (enum accrual_base)asked->accrual_base;
    return check_range("largest_amount_minor", asked->largest_amount_minor, 0, AMOUNT_MINOR_MAX, err) &&
           check_range("maximum_points", set->maximum_points, set->rules.minimum_points, POINTS_MAX, err) &&
           check_range("step_points", set->step_points, 1, set->maximum_points, err) &&
           check_range("accrual_base", asked->accrual_base, BASE_WHOLE, BASE_LESS_POINTS, err) &&
           read_caps("earn_caps", asked->earn_caps, &set->earn_caps, err);
}

static bool read_general(Document *document, const char *bank_id, struct rule_set *set, struct error *err)
{
    if (!check_set("rules", document->rules, err))
        return false;
    if (!*document->rules->bank_id)
        document->rules->bank_id = (char *)(uintptr_t)bank_id; /* lives as long as the document */
    if (strcmp(document->rules->bank_id, bank_id) != 0)
        error_field(err, REASON_FIELD_INVALID, "bank_id", "must be empty or that of the request");
    else if (document->rules->effective_from)
        error_field(err, REASON_FIELD_INVALID, "effective_from", "must be unset: scheduling says from when it holds");
    else if (bank_rules_read(document->rules, &set->rules, err))
        return true;
    return check_within(err, "rules");
}

const struct rule_set *rules_document_read(Document *document, const char *bank_id, struct arena *arena,
                                           struct error *err)
{
    struct rule_set *set = arena_alloc(arena, sizeof *set);

    if (!set) {
        error_set(err, REASON_INTERNAL, "the call's memory is used up");
        return NULL;
    }
    bool good = read_general(document, bank_id, set, err) && read_numbers(document, set, err) &&
                read_shares(document->points_and_cash, set, err) && read_tiers(document, set, err) &&
                read_accrual_rules(document, set, err) && read_rate_rules(document, set, err);
    return good ? set : NULL;
}

Document *rules_document_shape(const struct exchange_rules *rules, const char *bank_id, struct arena *arena)
{
    Document *document = shape_new(arena, &alliance__v1__rule_set_document__descriptor);
    Alliance__V1__ExchangeRules *shaped = shape_new(arena, &alliance__v1__exchange_rules__descriptor);

    if (!document || !shaped || !bank_rules_shape(arena, (char *)(uintptr_t)bank_id, rules, shaped))
        return NULL;
    shaped->version = 0;
    shaped->effective_from = NULL;
    document->rules = shaped;
    document->largest_amount_minor = AMOUNT_MINOR_MAX;
    document->accrual_base = ALLIANCE__V1__ACCRUAL_BASE__ACCRUAL_BASE_WHOLE_AMOUNT;
    return document;
}

/* Bytes */

bool rules_document_pack(const Document *document, struct arena *arena, struct bytes *bytes, struct error *err)
{
    size_t size = protobuf_c_message_get_packed_size(&document->base);
    uint8_t *at = arena_alloc(arena, size + 1);

    if (!at)
        return error_set(err, REASON_INTERNAL, "the call's memory is used up");
    *bytes = (struct bytes){ at, protobuf_c_message_pack(&document->base, at) };
    return true;
}

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

Document *rules_document_unpack(struct bytes bytes, struct arena *arena, struct error *err)
{
    ProtobufCAllocator allocator = { .alloc = from_arena, .free = keep, .allocator_data = arena };
    Document *document = alliance__v1__rule_set_document__unpack(&allocator, bytes.size, bytes.at);

    if (!document)
        error_set(err, REASON_INTERNAL, "a rule set's document cannot be read");
    return document;
}

const struct rule_set *rules_document_compile(struct bytes document, const char *bank_id, struct arena *arena,
                                              struct error *err)
{
    Document *unpacked = rules_document_unpack(document, arena, err);

    return unpacked ? rules_document_read(unpacked, bank_id, arena, err) : NULL;
}
