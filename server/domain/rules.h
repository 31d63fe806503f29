/*
 * rules.h -- what points are worth: a bank's exchange rules and a merchant's terms, and the sums they lead to.
 *
 * Pure: versions are values, time is an argument. Each sum names its rounding; money is in minor units, points are
 * whole.
 */
#ifndef DOMAIN_RULES_H
#define DOMAIN_RULES_H

#include "base/error.h"
#include "base/limits.h"
#include "base/when.h"

#include <stddef.h>
#include <stdint.h>

enum { RATES_MAX = 16, CURRENCY_TEXT = 4 };

struct ratio {
    int64_t num, den; /* 1 to RATIO_MAX */
};

struct currency_rate {
    char currency[CURRENCY_TEXT];
    struct ratio conversion; /* points for one minor unit of price; rounded up */
    struct ratio settlement; /* minor units owed for one point; rounded half to even */
};

/* ExpiryKind of bank_service.proto. */
enum expiry_kind { EXPIRY_END_OF_MONTH = 1, EXPIRY_TO_THE_DAY = 2, EXPIRY_FIXED_DAY = 3 };

/* Bounds within any window of that length; window_us 0: no bound at all; a maximum of 0: not that one. */
struct velocity {
    int64_t window_us;
    int32_t max_holds;
    int64_t max_points;
};

/* What a member of that tier or a higher one may redeem; 0: no cap. */
struct caps {
    int32_t tier;
    int64_t per_redemption, per_day, per_month;
};

/* What the bank lends a member of that tier or a higher one. */
struct tier_limit {
    int32_t tier;
    int64_t points;
};

struct rule_set;

/* One version of a bank's exchange rules. */
struct exchange_rules {
    int32_t version; /* from 1 */
    struct instant effective_from;
    int64_t minimum_points;
    int32_t expiry_months;
    int32_t reinstate_grace_days; /* 0: points given back to an expired lot are forfeited */
    struct ratio accrual;         /* points for one minor unit spent; rounded down */
    struct currency_rate rates[RATES_MAX];
    int32_t rate_count;
    int16_t expiry_kind;              /* enum expiry_kind */
    int32_t expiry_month, expiry_day; /* of EXPIRY_FIXED_DAY */
    int32_t pending_days;             /* 0: points are spendable at once */
    struct velocity member_velocity, card_velocity;
    struct caps caps[CAPS_MAX]; /* ascending by tier */
    int32_t cap_count;
    struct tier_limit tier_limits[CAPS_MAX]; /* ascending by tier */
    int32_t tier_limit_count;
    bool by_set;                /* a rule set decides, and nothing without it */
    const struct rule_set *set; /* what spending earns, by where and how; NULL: none, or of by_set: not loaded */
};

/* One version of a merchant's terms. */
struct terms {
    int32_t version; /* from 1 */
    struct instant effective_from;
    int32_t commission_bp; /* basis points of gross */
    char currency[CURRENCY_TEXT];
    struct velocity terminal_velocity, merchant_velocity;
    int32_t category; /* merchant category code; 0: not known */
};

/* What a confirmation costs the bank and leaves the operator. */
struct settlement_amounts {
    int64_t gross_minor;
    int64_t commission_minor;
};

/* The version in force at that instant (the last whose effective_from is not after it), or NULL. Ascending versions. */
const struct exchange_rules *rules_in_force(const struct exchange_rules *versions, size_t count, struct instant now);
const struct terms *terms_in_force(const struct terms *versions, size_t count, struct instant now);
/* Likewise, what can be decided by: NULL when that version's rule set is not there, since others were not approved. */
const struct exchange_rules *rules_to_decide_by(const struct exchange_rules *versions, size_t count,
                                                struct instant now);
/* NULL when the rules have no rate for the currency. */
const struct currency_rate *rules_rate(const struct exchange_rules *rules, const char *currency);

/* The entry with the highest tier not above that one; NULL when there is no cap for it. */
const struct caps *rules_caps(const struct exchange_rules *rules, int32_t tier);
/* The credit limit of the highest tier not above that one; 0 when there is none, and without rules. */
int64_t rules_tier_limit(const struct exchange_rules *rules, int32_t tier);

/* Points a price costs: price * conversion, rounded up. AMOUNT_TOO_LARGE when more than POINTS_MAX. */
enum reason rules_price_in_points(const struct currency_rate *rate, int64_t price_minor, int64_t *points) MUST_USE;
/* Points spending earns: amount * accrual, rounded down. NOTHING_EARNED for 0, AMOUNT_TOO_LARGE past POINTS_MAX. */
enum reason rules_points_earned(const struct exchange_rules *rules, int64_t amount_minor, int64_t *points) MUST_USE;
/*
 * Of the points a card transaction of that amount earned, those that stand for the part `now` when `before` of it was
 * taken back already: the difference of two sums rounded down, so that the parts add up to all of them.
 * 0 <= before, 0 < now, before + now <= amount.
 */
int64_t rules_points_reversed(int64_t points, int64_t amount_minor, int64_t before_minor, int64_t now_minor);
/* The first business date on which points that became spendable on that date can no longer be redeemed. */
struct date rules_expiry(const struct exchange_rules *rules, struct date spendable_on);
/* gross = points * settlement rate, half to even; commission = gross * bp / 10,000, half to even. */
enum reason rules_settle(const struct currency_rate *rate, const struct terms *terms, int64_t points,
                         struct settlement_amounts *out) MUST_USE;
/*
 * The part of the confirmed amounts that reversed_points of confirmed_points stand for, rounded down; all of it when
 * they are equal. A reversal moves the difference between two such sums, so that the last one takes the residue.
 */
struct settlement_amounts rules_reversed_part(struct settlement_amounts confirmed, int64_t confirmed_points,
                                              int64_t reversed_points);

#endif
