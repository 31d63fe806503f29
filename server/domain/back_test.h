/*
 * back_test.h -- a past month once more, as it would have been under another rule set, beside what it was. Pure.
 *
 * Member by member, each member's events in the order of time. What was taken back since counts on neither side: an
 * event is what is left of it. What a member has more or less than it had then decides whether a redemption could have
 * been paid, and what would have expired: first expire, first out, from the lots the redemption did take.
 */
#ifndef DOMAIN_BACK_TEST_H
#define DOMAIN_BACK_TEST_H

#include "domain/account.h"
#include "domain/rule_set.h"

enum { BACK_TEST_CURRENCIES = 16, BACK_TEST_DAYS = 32 };

/* One side of a group. Sums stop at INT64_MAX. */
struct back_test_sum {
    int64_t accruals, earned;      /* card transactions that earned; points */
    int64_t redemptions, redeemed; /* and points */
    int64_t refused;               /* redemptions the rule set would not have had, or the member could not have paid */
    int64_t expired;               /* points: expired, forfeited, or lost with a closed member */
    /* By the test's currencies: what the bank owes, what merchants get of it, what members pay beside points. */
    int64_t cost_minor[BACK_TEST_CURRENCIES], income_minor[BACK_TEST_CURRENCIES], cash_minor[BACK_TEST_CURRENCIES];
};

struct back_test_group {
    int64_t members;     /* who have an event in it */
    int64_t last_member; /* the one counted last, as struct back_test.member */
    struct back_test_sum was, would;
};

struct back_test {
    /* Set by the owner before the first member; the rest is zero then. */
    const struct rule_set *set;
    struct date first, last; /* of the month */

    int64_t entries;
    char currencies[BACK_TEST_CURRENCIES][CURRENCY_TEXT];
    int32_t currency_count;
    struct back_test_group total, tiers[TIER_MAX + 1];
    /* Of the member at hand: */
    int64_t member; /* counts from 1 */
    int32_t tier;
    struct date today;
    int64_t earned_today, earned_month; /* by the rules */
    int64_t rule_today[EARN_RULES_MAX], rule_month[EARN_RULES_MAX];
    int64_t ahead;                 /* points it would have beyond what it had; negative: less */
    int64_t lacking;               /* points it would have redeemed beyond what it did: gone from its next lots */
    int64_t saved[BACK_TEST_DAYS]; /* points it would not have redeemed, by the day of the month they expire on */
};

struct back_test_spend {
    struct rule_case where;
    struct date booked;             /* the business date that caps count */
    int64_t amount_minor;           /* what is left of it */
    int64_t paid_with_points_minor; /* and of this part of it */
    int64_t points;                 /* what is left of what it earned */
    int64_t kept, of;               /* when more points than money was taken back: the part of the points that stayed */
    bool fixed;                     /* the bank said how many points: so it would under any rules */
};

struct back_test_redemption {
    struct rule_case where;
    const char *goods_id; /* "": none */
    int64_t price_minor;  /* of what is left of it */
    int64_t points, cost_minor, commission_minor;
    int32_t commission_bp;
    int64_t spendable; /* what the member could have redeemed just before */
    const struct lots *lots;
};

/* The next member, of that tier; the one before is done with. */
void back_test_member(struct back_test *test, int32_t tier);
/* What was counted as the last member's is whole. */
void back_test_end(struct back_test *test);
/* merchant NULL: none that is known. */
void back_test_spend(struct back_test *test, const struct back_test_spend *spend, struct back_test_group *merchant);
/* false: the month has more than BACK_TEST_CURRENCIES currencies. */
bool back_test_redeem(struct back_test *test, const struct back_test_redemption *redemption,
                      struct back_test_group *merchant) MUST_USE;
/* Points that were gone unspent on that day; closed: with all the member had. */
void back_test_expire(struct back_test *test, struct date day, int64_t points, bool closed);

#endif
