/*
 * rule_set.h -- a bank's rule set: what spending earns and what a redemption costs, by where, when and who, and why.
 *
 * Pure: a rule set is a value, date and tier are arguments. Points are whole, money is in minor units; each division
 * names its rounding and is written down in a trace. At most one rule decides: the one of the highest priority that
 * matches; without one the general rates of the exchange rules do.
 */
#ifndef DOMAIN_RULE_SET_H
#define DOMAIN_RULE_SET_H

#include "domain/rules.h"

enum {
    EARN_RULES_MAX = 64,
    RATE_RULES_MAX = 64,
    MATCH_CATEGORIES_MAX = 16, /* ranges of one rule */
    MATCH_NAMES_MAX = 16,      /* merchants, and channels, of one rule */
    TIERS_MAX = 16,
    TIER_GOODS_MAX = 32,
    CATEGORY_MAX = 9999,
    CATEGORY_UNKNOWN = -1, /* only a rule without categories matches it */
    PRIORITY_MAX = 1000,
    RULE_STEPS_MAX = 16,
    RULE_DATE_FIRST = -719162, /* 0001-01-01 */
    RULE_DATE_LAST = 2932896,  /* 9999-12-31 */
    SHARE_ALL_BP = 10000,
};
#define LARGEST_MINOR_DEFAULT INT64_C(100000000000)

typedef char rule_name[ID_MAX + 1];

struct category_range {
    int32_t first, last; /* 0 to CATEGORY_MAX, both included */
};

/* All that is said must hold; what is not said (0, no entries) lets everything through. */
struct rule_match {
    uint32_t currencies; /* bit i: rates[i] of the set's exchange rules */
    struct category_range categories[MATCH_CATEGORIES_MAX];
    int32_t category_count;
    rule_name merchants[MATCH_NAMES_MAX], channels[MATCH_NAMES_MAX];
    int32_t merchant_count, channel_count;
    uint32_t goods_kinds;              /* bit k: GoodsKind k of operator_service.proto */
    int32_t first_tier, last_tier;     /* both included; always said */
    uint32_t month_days;               /* bits 1 to 31 */
    uint32_t weekdays;                 /* bits 1 (Monday) to 7 */
    struct date first_date, last_date; /* both included; always said */
};

/* The most points that may be earned; 0: no cap. */
struct earn_caps {
    int64_t per_transaction, per_day, per_month;
};

struct earn_rule {
    rule_name name;
    int32_t priority;
    struct rule_match match;
    bool excluded;         /* earns nothing */
    struct ratio rate;     /* points for one minor unit; rounded down, once, with the tier's multiplier */
    struct earn_caps caps; /* of what this rule gives */
};

/* den 0: as the exchange rules say. */
struct rate_rule {
    rule_name name;
    int32_t priority;
    struct rule_match match;
    struct ratio conversion, settlement;
};

/* Holds for members of that tier and higher ones, up to the next entry. */
struct tier {
    int32_t tier;
    rule_name name;
    char currency[CURRENCY_TEXT];
    int64_t qualifying_minor; /* spend within the period that makes a member one; 0: only by the bank's word */
    int32_t period_months, grace_months;
    struct ratio multiplier;         /* of points earned */
    struct ratio conversion;         /* factor on the points a price costs */
    rule_name goods[TIER_GOODS_MAX]; /* only this tier and higher ones may redeem them */
    int32_t goods_count;
};

enum accrual_base { BASE_WHOLE = 1, BASE_LESS_POINTS = 2 };

struct rule_set {
    struct exchange_rules rules; /* the general rates, the minimum, expiry, pending, caps of redeeming */
    int64_t largest_minor;       /* no amount above it is answered; validation proves that none below it overflows */
    int64_t maximum_points;      /* of a redemption; POINTS_MAX at most */
    int64_t step_points;         /* a redemption is a multiple of it; 1: any */
    int32_t least_points_bp, most_points_bp; /* what part of a price may be paid in points; both 10,000: all of it */
    enum accrual_base base;
    struct earn_caps earn_caps; /* of all that a member earns */
    struct earn_rule earn_rules[EARN_RULES_MAX];
    struct rate_rule rate_rules[RATE_RULES_MAX];
    struct tier tiers[TIERS_MAX]; /* ascending */
    int32_t earn_rule_count, rate_rule_count, tier_count;
};

/* Where, when and who: what rules are chosen by. Text may be "", for unknown. */
struct rule_case {
    const char *currency, *merchant_id, *channel;
    int32_t category, goods_kind, tier; /* goods_kind 0: no good */
    struct date date;
};

struct spend {
    struct rule_case where;
    int64_t amount_minor, paid_with_points_minor;
    /* Earned before by the same member: in all, and by the rule that decides. */
    int64_t earned_today, earned_this_month, rule_today, rule_this_month;
};

struct redemption_ask {
    struct rule_case where;
    const char *goods_id; /* "": none */
    int64_t price_minor;
    int64_t points; /* the member offers, the rest in cash; 0: as many as may be */
};

struct redemption_price {
    int64_t full_points; /* what the whole price costs */
    int64_t points, cash_minor;
    int64_t settled_minor; /* what the bank owes for the points */
};

/* One step of an explanation: `value` became `result`. */
struct rule_step {
    const char *what; /* a sentence for people */
    const char *rule; /* of the set; "" for none */
    int64_t value;
    struct ratio ratio;   /* den 0: no multiplication */
    const char *rounding; /* "" for none */
    int64_t result;
};
/* Lives no longer than the set. */
struct rule_trace {
    struct rule_step steps[RULE_STEPS_MAX];
    size_t count;
};

/* The rule that decides, or NULL: the general rates do. */
const struct earn_rule *rule_set_earn_rule(const struct rule_set *set, const struct rule_case *where);
const struct rate_rule *rule_set_rate_rule(const struct rule_set *set, const struct rule_case *where);
/* The entry with the highest tier not above that one, or NULL. */
const struct tier *rule_set_tier(const struct rule_set *set, int32_t tier);
/* A rule matches when each of its conditions holds; no condition looks at what another is about. */
enum {
    CONDITION_TIER,
    CONDITION_KIND,
    CONDITION_CURRENCY,
    CONDITION_CATEGORY,
    CONDITION_CHANNEL,
    CONDITION_MERCHANT,
    CONDITION_DATE,
    RULE_CONDITIONS,
};
typedef bool rule_condition(const struct rule_match *match, const struct exchange_rules *rules,
                            const struct rule_case *where);
extern rule_condition *const rule_conditions[RULE_CONDITIONS];
bool rule_match_holds(const struct rule_match *match, const struct exchange_rules *rules,
                      const struct rule_case *where);

/*
 * Points a spend earns: base * rate * multiplier, rounded down once, then the caps. NOTHING_EARNED,
 * CURRENCY_NOT_EXCHANGED, AMOUNT_TOO_LARGE. The trace says what was done so far, also when it is refused.
 */
enum reason rule_set_earn(const struct rule_set *set, const struct spend *spend, int64_t *points,
                          struct rule_trace *trace) MUST_USE;
/*
 * What a price costs: price * conversion * the tier's factor, rounded up once, then up to a whole step. Of a part, the
 * points pay for price * points / full points, rounded down, and the rest is cash. What the bank owes is
 * points * settlement, half to even.
 */
enum reason rule_set_price(const struct rule_set *set, const struct redemption_ask *ask, struct redemption_price *price,
                           struct rule_trace *trace) MUST_USE;

/*
 * The parts of that for a lane, which knows some of it only step by step. The currency's rates there: what the rule
 * that decides says, the general ones otherwise; false when there are none.
 */
bool rule_set_rates(const struct rule_set *set, const struct rule_case *where, struct currency_rate *rates) MUST_USE;
/* What the whole price costs. CURRENCY_NOT_EXCHANGED, AMOUNT_TOO_LARGE. */
enum reason rule_set_full_points(const struct rule_set *set, const struct rule_case *where, int64_t price_minor,
                                 int64_t *points) MUST_USE;
/*
 * Of a price that costs that many points whole (1 to POINTS_MAX), how many of them may be redeemed at least and at
 * most: most is a whole number of steps, and may be less than least. false when it is too much to say.
 */
bool rule_set_bounds(const struct rule_set *set, int64_t full, int64_t *least, int64_t *most) MUST_USE;
/* The price less what points / full points of it pay, rounded down; price * points must fit, else -1. */
int64_t rule_set_cash(int64_t price_minor, int64_t full, int64_t points);
/* Whom a good is for, and how many points may be redeemed at a time: TIER_TOO_LOW, BELOW_MINIMUM, ABOVE_MAXIMUM,
 * NOT_A_STEP. */
enum reason rule_set_may_redeem(const struct rule_set *set, int32_t tier, const char *goods_id,
                                int64_t points) MUST_USE;

#endif
