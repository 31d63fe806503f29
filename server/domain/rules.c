#include "domain/rules.h"

#include "base/exact.h"
#include "base/limits.h"

#include <string.h>

const struct exchange_rules *rules_in_force(const struct exchange_rules *versions, size_t count, struct instant now)
{
    while (count > 0 && versions[count - 1].effective_from.us > now.us)
        count--;
    return count > 0 ? &versions[count - 1] : NULL;
}

const struct exchange_rules *rules_to_decide_by(const struct exchange_rules *versions, size_t count, struct instant now)
{
    const struct exchange_rules *rules = rules_in_force(versions, count, now);

    return rules && rules->by_set && !rules->set ? NULL : rules;
}

const struct terms *terms_in_force(const struct terms *versions, size_t count, struct instant now)
{
    while (count > 0 && versions[count - 1].effective_from.us > now.us)
        count--;
    return count > 0 ? &versions[count - 1] : NULL;
}

const struct currency_rate *rules_rate(const struct exchange_rules *rules, const char *currency)
{
    for (int32_t i = 0; i < rules->rate_count; i++) {
        if (strcmp(rules->rates[i].currency, currency) == 0)
            return &rules->rates[i];
    }
    return NULL;
}

enum reason rules_price_in_points(const struct currency_rate *rate, int64_t price_minor, int64_t *points)
{
    int64_t result;

    if (!exact_ratio_ceil(price_minor, rate->conversion.num, rate->conversion.den, &result) || result > POINTS_MAX)
        return REASON_AMOUNT_TOO_LARGE;
    *points = result;
    return REASON_OK;
}

enum reason rules_points_earned(const struct exchange_rules *rules, int64_t amount_minor, int64_t *points)
{
    int64_t result;

    if (!exact_ratio_floor(amount_minor, rules->accrual.num, rules->accrual.den, &result) || result > POINTS_MAX)
        return REASON_AMOUNT_TOO_LARGE;
    if (result < 1)
        return REASON_NOTHING_EARNED;
    *points = result;
    return REASON_OK;
}

const struct caps *rules_caps(const struct exchange_rules *rules, int32_t tier)
{
    const struct caps *found = NULL;

    for (int32_t i = 0; i < rules->cap_count && rules->caps[i].tier <= tier; i++)
        found = &rules->caps[i];
    return found;
}

int64_t rules_tier_limit(const struct exchange_rules *rules, int32_t tier)
{
    int64_t points = 0;

    for (int32_t i = 0; rules && i < rules->tier_limit_count && rules->tier_limits[i].tier <= tier; i++)
        points = rules->tier_limits[i].points;
    return points;
}

/* The day of that number in the month, or the first day of the next month when the month is too short for it. */
static struct date day_in_month(struct date month_start, int day)
{
    struct date next = date_month_start(month_start, 1);
    struct date found = { month_start.days + day - 1 };

    return found.days < next.days ? found : next;
}

/* The same day of the month some months later, or the month's last day. */
static struct date months_later(struct date date, int months)
{
    int year, month, day;

    date_split(date, &year, &month, &day);
    struct date start = date_month_start(date, months), next = date_month_start(date, months + 1);
    struct date found = { start.days + day - 1 };
    return found.days < next.days ? found : (struct date){ next.days - 1 };
}

/* The first such day of a year that is not before the date. */
static struct date next_fixed_day(struct date from, int month, int day)
{
    int year, ignored;

    date_split(from, &year, &ignored, &ignored);
    struct date found = day_in_month(date_of(year, month, 1), day);
    return found.days >= from.days ? found : day_in_month(date_of(year + 1, month, 1), day);
}

struct date rules_expiry(const struct exchange_rules *rules, struct date spendable_on)
{
    if (rules->expiry_kind == EXPIRY_TO_THE_DAY)
        return months_later(spendable_on, rules->expiry_months);
    if (rules->expiry_kind == EXPIRY_FIXED_DAY)
        return next_fixed_day(months_later(spendable_on, rules->expiry_months), rules->expiry_month, rules->expiry_day);
    /* "The end of the month N months later" is the first day of the month after that. */
    return date_month_start(spendable_on, rules->expiry_months + 1);
}

enum reason rules_settle(const struct currency_rate *rate, const struct terms *terms, int64_t points,
                         struct settlement_amounts *out)
{
    struct settlement_amounts amounts;

    if (!exact_ratio_half_even(points, rate->settlement.num, rate->settlement.den, &amounts.gross_minor) ||
        !exact_ratio_half_even(amounts.gross_minor, terms->commission_bp, 10000, &amounts.commission_minor))
        return REASON_AMOUNT_TOO_LARGE;
    *out = amounts;
    return REASON_OK;
}

/* confirmed amounts fit in int64_t and reversed_points <= confirmed_points, so the product of the ratio does too. */
static int64_t part_floor(int64_t amount, int64_t reversed_points, int64_t confirmed_points)
{
    int64_t part = 0;

    return exact_ratio_floor(amount, reversed_points, confirmed_points, &part) ? part : 0;
}

int64_t rules_points_reversed(int64_t points, int64_t amount_minor, int64_t before_minor, int64_t now_minor)
{
    return part_floor(points, before_minor + now_minor, amount_minor) - part_floor(points, before_minor, amount_minor);
}

struct settlement_amounts rules_reversed_part(struct settlement_amounts confirmed, int64_t confirmed_points,
                                              int64_t reversed_points)
{
    return (struct settlement_amounts){
        .gross_minor = part_floor(confirmed.gross_minor, reversed_points, confirmed_points),
        .commission_minor = part_floor(confirmed.commission_minor, reversed_points, confirmed_points),
    };
}
