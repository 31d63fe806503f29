#include "service/bank_rules_shape.h"

#include "base/text.h"
#include "service/check.h"
#include "service/shape.h"
#include "service/velocity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__ExchangeRules Rules;
typedef Alliance__V1__CurrencyRate Rate;
typedef Alliance__V1__Caps Caps;
typedef Alliance__V1__TierCreditLimit TierLimit;

enum { EXPIRY_MONTHS_MAX = 60, GRACE_DAYS_MAX = 366, PENDING_DAYS_MAX = 366, DAY_TEXT = sizeof "MM-DD" };

/* Reading */

static bool read_rate(const Rate *asked, struct currency_rate *rate, struct error *err)
{
    if (!check_currency("currency_code", asked->currency_code, err) ||
        !check_ratio("conversion_rate", asked->conversion_rate, err) ||
        !check_ratio("settlement_rate", asked->settlement_rate, err))
        return false;
    *rate = (struct currency_rate){
        .conversion = { asked->conversion_rate->num, asked->conversion_rate->den },
        .settlement = { asked->settlement_rate->num, asked->settlement_rate->den },
    };
    memcpy(rate->currency, asked->currency_code, CURRENCY_TEXT - 1);
    return true;
}

static int by_currency(const void *a, const void *b)
{
    return strcmp(((const struct currency_rate *)a)->currency, ((const struct currency_rate *)b)->currency);
}

static bool read_rates(const Rules *asked, struct exchange_rules *rules, struct error *err)
{
    if (asked->n_rates < 1 || asked->n_rates > RATES_MAX)
        return error_field(err, REASON_FIELD_INVALID, "rates", "must be 1 to %d", RATES_MAX);
    for (size_t i = 0; i < asked->n_rates; i++) {
        if (!read_rate(asked->rates[i], &rules->rates[i], err))
            return check_within(err, "rates[%zu]", i);
        if (rules_rate(rules, rules->rates[i].currency)) {
            error_field(err, REASON_FIELD_INVALID, "currency_code", "must not be there twice");
            return check_within(err, "rates[%zu]", i);
        }
        rules->rate_count++;
    }
    qsort(rules->rates, asked->n_rates, sizeof rules->rates[0], by_currency);
    return true;
}

static bool read_cap(const Caps *asked, struct caps *caps, struct error *err)
{
    *caps = (struct caps){ asked->tier, asked->per_redemption, asked->per_day, asked->per_month };
    return check_range("tier", asked->tier, 0, TIER_MAX, err) &&
           check_range("per_redemption", asked->per_redemption, 0, POINTS_MAX, err) &&
           check_range("per_day", asked->per_day, 0, POINTS_MAX, err) &&
           check_range("per_month", asked->per_month, 0, POINTS_MAX, err);
}

static bool read_caps(const Rules *asked, struct exchange_rules *rules, struct error *err)
{
    if (asked->n_caps > CAPS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "caps", "must be at most %d", CAPS_MAX);
    for (size_t i = 0; i < asked->n_caps; i++) {
        if (!read_cap(asked->caps[i], &rules->caps[i], err))
            return check_within(err, "caps[%zu]", i);
        if (i > 0 && rules->caps[i].tier <= rules->caps[i - 1].tier) {
            error_field(err, REASON_FIELD_INVALID, "tier", "must be higher than that of the entry before");
            return check_within(err, "caps[%zu]", i);
        }
        rules->cap_count++;
    }
    return true;
}

static bool read_tier_limits(const Rules *asked, struct exchange_rules *rules, struct error *err)
{
    if (asked->n_tier_credit_limits > CAPS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "tier_credit_limits", "must be at most %d", CAPS_MAX);
    for (size_t i = 0; i < asked->n_tier_credit_limits; i++) {
        const TierLimit *limit = asked->tier_credit_limits[i];
        bool good = check_range("tier", limit->tier, 0, TIER_MAX, err) &&
                    check_range("points", limit->points, 0, POINTS_MAX, err) &&
                    (i == 0 || limit->tier > rules->tier_limits[i - 1].tier ||
                     error_field(err, REASON_FIELD_INVALID, "tier", "must be higher than that of the entry before"));
        if (!good)
            return check_within(err, "tier_credit_limits[%zu]", i);
        rules->tier_limits[rules->tier_limit_count++] = (struct tier_limit){ limit->tier, limit->points };
    }
    return true;
}

/* MM-DD is a day of a leap year. */
static bool read_day(const char *text, int32_t *month_out, int32_t *day_out)
{
    char full[DATE_TEXT + DAY_TEXT];
    int year, month, day;
    struct date date;

    if (strlen(text) != DAY_TEXT - 1)
        return false;
    snprintf(full, sizeof full, "2000-%.5s", text);
    if (!date_parse(full, &date))
        return false;
    date_split(date, &year, &month, &day);
    *month_out = month;
    *day_out = day;
    return true;
}

static bool read_expiry(const Rules *asked, struct exchange_rules *rules, struct error *err)
{
    if (!check_range("expiry_months", asked->expiry_months, 1, EXPIRY_MONTHS_MAX, err) ||
        !check_range("expiry_kind", asked->expiry_kind, 0, EXPIRY_FIXED_DAY, err))
        return false;
    rules->expiry_months = asked->expiry_months;
    rules->expiry_kind = (int16_t)(asked->expiry_kind ? (int)asked->expiry_kind : EXPIRY_END_OF_MONTH);
    if (rules->expiry_kind != EXPIRY_FIXED_DAY)
        return text_empty(asked->expiry_day) ||
               error_field(err, REASON_FIELD_INVALID, "expiry_day", "must be empty unless expiry_kind is FIXED_DAY");
    return read_day(asked->expiry_day, &rules->expiry_month, &rules->expiry_day) ||
           error_field(err, REASON_FIELD_INVALID, "expiry_day", "must be a day of the year as MM-DD");
}

static bool read_numbers(const Rules *asked, struct exchange_rules *rules, struct error *err)
{
    rules->minimum_points = asked->minimum_points ? asked->minimum_points : 1;
    rules->reinstate_grace_days = asked->reinstate_grace_days;
    rules->pending_days = asked->pending_days;
    return check_range("minimum_points", asked->minimum_points, 0, POINTS_MAX, err) && read_expiry(asked, rules, err) &&
           check_range("reinstate_grace_days", asked->reinstate_grace_days, 0, GRACE_DAYS_MAX, err) &&
           check_ratio("accrual_rate", asked->accrual_rate, err) &&
           check_range("pending_days", asked->pending_days, 0, PENDING_DAYS_MAX, err);
}

bool bank_rules_read(const Rules *asked, struct exchange_rules *rules, struct error *err)
{
    *rules = (struct exchange_rules){ 0 };
    if (!check_id("bank_id", asked->bank_id, err) || !check_range("version", asked->version, 0, 0, err) ||
        (asked->effective_from &&
         !check_timestamp("effective_from", asked->effective_from, &rules->effective_from, err)) ||
        !read_rates(asked, rules, err) || !read_numbers(asked, rules, err) || !read_caps(asked, rules, err) ||
        !read_tier_limits(asked, rules, err) ||
        !velocity_read("member_velocity", asked->member_velocity, VELOCITY_HOLDS_MAX, &rules->member_velocity, err) ||
        !velocity_read("card_velocity", asked->card_velocity, VELOCITY_HOLDS_MAX, &rules->card_velocity, err))
        return false;
    rules->accrual = (struct ratio){ asked->accrual_rate->num, asked->accrual_rate->den };
    return true;
}

/* Shaping */

static Alliance__V1__Ratio *shape_ratio(struct arena *arena, struct ratio ratio)
{
    Alliance__V1__Ratio *shaped = shape_new(arena, &alliance__v1__ratio__descriptor);

    if (shaped) {
        shaped->num = ratio.num;
        shaped->den = ratio.den;
    }
    return shaped;
}

static Rate *shape_rate(struct arena *arena, const struct currency_rate *rate)
{
    Rate *shaped = shape_new(arena, &alliance__v1__currency_rate__descriptor);

    if (!shaped)
        return NULL;
    shaped->currency_code = shape_text(arena, rate->currency);
    shaped->conversion_rate = shape_ratio(arena, rate->conversion);
    shaped->settlement_rate = shape_ratio(arena, rate->settlement);
    return shaped->currency_code && shaped->conversion_rate && shaped->settlement_rate ? shaped : NULL;
}

static bool shape_rates(struct arena *arena, const struct exchange_rules *rules, Rules *shaped)
{
    shaped->rates = arena_alloc(arena, (size_t)rules->rate_count * sizeof(Rate *));
    for (int32_t i = 0; shaped->rates && i < rules->rate_count; i++) {
        shaped->rates[i] = shape_rate(arena, &rules->rates[i]);
        if (!shaped->rates[i])
            return false;
        shaped->n_rates++;
    }
    return shaped->rates != NULL;
}

static bool shape_caps(struct arena *arena, const struct exchange_rules *rules, Rules *shaped)
{
    shaped->caps = arena_alloc(arena, (size_t)(rules->cap_count + 1) * sizeof(Caps *));
    for (int32_t i = 0; shaped->caps && i < rules->cap_count; i++) {
        Caps *caps = shape_new(arena, &alliance__v1__caps__descriptor);
        if (!caps)
            return false;
        caps->tier = rules->caps[i].tier;
        caps->per_redemption = rules->caps[i].per_redemption;
        caps->per_day = rules->caps[i].per_day;
        caps->per_month = rules->caps[i].per_month;
        shaped->caps[shaped->n_caps++] = caps;
    }
    return shaped->caps != NULL;
}

static bool shape_tier_limits(struct arena *arena, const struct exchange_rules *rules, Rules *shaped)
{
    shaped->tier_credit_limits = arena_alloc(arena, (size_t)(rules->tier_limit_count + 1) * sizeof(TierLimit *));
    for (int32_t i = 0; shaped->tier_credit_limits && i < rules->tier_limit_count; i++) {
        TierLimit *limit = shape_new(arena, &alliance__v1__tier_credit_limit__descriptor);
        if (!limit)
            return false;
        limit->tier = rules->tier_limits[i].tier;
        limit->points = rules->tier_limits[i].points;
        shaped->tier_credit_limits[shaped->n_tier_credit_limits++] = limit;
    }
    return shaped->tier_credit_limits != NULL;
}

static bool shape_expiry(struct arena *arena, const struct exchange_rules *rules, Rules *shaped)
{
    char day[32];

    shaped->expiry_kind = (Alliance__V1__ExpiryKind)rules->expiry_kind;
    if (rules->expiry_kind != EXPIRY_FIXED_DAY)
        return true;
    snprintf(day, sizeof day, "%02d-%02d", (int)rules->expiry_month, (int)rules->expiry_day);
    return (shaped->expiry_day = shape_text(arena, day)) != NULL;
}

bool bank_rules_shape(struct arena *arena, char *bank_id, const struct exchange_rules *rules, Rules *shaped)
{
    shaped->bank_id = bank_id;
    shaped->version = rules->version;
    shaped->effective_from = shape_instant(arena, rules->effective_from);
    shaped->minimum_points = rules->minimum_points;
    shaped->expiry_months = rules->expiry_months;
    shaped->reinstate_grace_days = rules->reinstate_grace_days;
    shaped->accrual_rate = shape_ratio(arena, rules->accrual);
    shaped->pending_days = rules->pending_days;
    return shaped->effective_from && shaped->accrual_rate && shape_rates(arena, rules, shaped) &&
           shape_expiry(arena, rules, shaped) && shape_caps(arena, rules, shaped) &&
           shape_tier_limits(arena, rules, shaped) &&
           velocity_shape(arena, &rules->member_velocity, &shaped->member_velocity) &&
           velocity_shape(arena, &rules->card_velocity, &shaped->card_velocity);
}
