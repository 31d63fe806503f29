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

struct date rules_expiry(const struct exchange_rules *rules, struct date earned_on)
{
    /* "The end of the month N months later" is the first day of the month after that. */
    return date_month_start(earned_on, rules->expiry_months + 1);
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

struct settlement_amounts rules_reversed_part(struct settlement_amounts confirmed, int64_t confirmed_points,
                                              int64_t reversed_points)
{
    return (struct settlement_amounts){
        .gross_minor = part_floor(confirmed.gross_minor, reversed_points, confirmed_points),
        .commission_minor = part_floor(confirmed.commission_minor, reversed_points, confirmed_points),
    };
}
