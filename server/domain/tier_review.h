/*
 * tier_review.h -- which tier a member's spend makes it: what counts, what was reached when, and until when it is kept.
 * Pure.
 *
 * Spend is kept by calendar month. A tier's period is its period_months up to and including the present one, so it
 * moves on with every month; a tier is *reached* in a month when, at some time in it, the spend of the period was what
 * the tier asks for. It is kept in that month and the grace_months after it, and lost on the first day of the next.
 * Whatever months pass without a look come to the same, so it does not matter who looks, or when.
 */
#ifndef DOMAIN_TIER_REVIEW_H
#define DOMAIN_TIER_REVIEW_H

#include "domain/rule_set.h"

enum {
    PERIOD_MONTHS_MAX = 60,
    TIER_MONTHS_MAX = PERIOD_MONTHS_MAX * TIERS_MAX, /* a tier has one currency */
    TIER_FOR_GOOD = 12 * 9999,
};
#define TIER_MONTH_MINOR_MAX INT64_C(100000000000000000) /* more in one month is as good as this */

/* Months are counted from the year 0: 12 * year + month - 1. */
int32_t tier_month_of(struct date date);
struct date tier_month_start(int32_t month);

struct tier_month {
    int32_t month;
    char currency[CURRENCY_TEXT];
    int64_t minor; /* > 0 */
};

/* The last month in which a tier was reached, as far as it is known; TIER_FOR_GOOD: the bank said so, and it asks for
 * no spend. */
struct tier_mark {
    int32_t tier, month;
    int32_t ahead; /* what `month` will be if nothing more is spent: another version does not undo it */
};

/* Zeroed: nothing was ever spent or said. */
struct tier_review {
    int32_t rules_version; /* whose tiers it was looked at by */
    int32_t month;         /* that it is brought up to; 0: none */
    int32_t mark_count, month_count;
    struct tier_mark marks[TIERS_MAX];
    struct tier_month months[TIER_MONTHS_MAX]; /* of the PERIOD_MONTHS_MAX months up to `month` */
};

/* Whether spend makes tiers at all. */
bool tier_reviews(const struct rule_set *set);

/* A card transaction that was booked, as far as it matters here. */
struct tier_spend {
    const char *currency, *earn_rule; /* "": no rule decided */
    int64_t amount_minor, paid_with_points_minor;
};
/*
 * What of it counts: the base that points are earned of. 0 for a rule that excludes it, for a currency no tier asks
 * for, and without a set.
 */
int64_t tier_qualifying(const struct rule_set *set, const struct tier_spend *spend);
/* The month it counts in: of the purchase, or of the business date it was booked on when that is before. */
int32_t tier_spend_month(struct date spent_on, struct date booked_on);

/* A version that reviews, and from when on. */
struct tier_rules {
    const struct rule_set *set;
    int32_t version;
    struct date since;
};
struct tier_rules tier_rules_of(const struct exchange_rules *rules);
/*
 * Brings it up to today; to be called before anything below. A tier the member has and of which nothing is known yet
 * counts as the bank's word of today. What an earlier version said holds until the month this one began in.
 */
void tier_review_look(struct tier_review *review, const struct tier_rules *rules, int32_t tier, struct date today);
/*
 * Likewise, and what time has made of the tier; due: the day tier_review_lost_on said when it was looked at last. One
 * that was lost before this version began is lost.
 */
int32_t tier_review_time(struct tier_review *review, const struct tier_rules *rules, int32_t tier, struct date due,
                         struct date today);
/* More, or less (a return; also without a set that reviews), in that month. A month older than any period is not kept,
 * and nothing goes below 0. */
void tier_review_add(struct tier_review *review, const struct rule_set *set, int32_t month, const char *currency,
                     int64_t minor);
/*
 * The bank made the member one of that tier: as if its spend were reached for one whole period from this month on, or,
 * when it asks for none, for good. What was known of higher tiers is forgotten.
 */
void tier_review_say(struct tier_review *review, const struct rule_set *set, int32_t tier);

/* The spend of that tier's period up to this month. */
int64_t tier_review_spent(const struct tier_review *review, const struct tier *tier);
/* The highest tier whose spend is reached now, or NULL. */
const struct tier *tier_review_reached(const struct tier_review *review, const struct rule_set *set);
/* The first day on which a member of that tier no longer has it if nothing more is spent; 0 when it is no tier that
 * asks for spend. */
struct date tier_review_lost_on(const struct tier_review *review, const struct rule_set *set, int32_t tier);
/* What a member who has lost that tier is then: the next one below that is still kept, or 0. */
int32_t tier_review_next(const struct tier_review *review, const struct rule_set *set, int32_t tier, struct date today);

#endif
