/*
 * credit.h -- what a bank lends a member: the limit in force, the plan it follows, and since when what is used of it
 * has been drawn.
 *
 * account.credit_limit is the limit in force, which every entry of the journal repeats. The plan says what it becomes,
 * and when: it is the member's own, or the bank's for the member's tier, and one temporary limit takes its place from
 * one business date to another. A plan of zeros is the member's own limit, for good. Pure.
 */
#ifndef DOMAIN_CREDIT_H
#define DOMAIN_CREDIT_H

#include "base/limits.h"
#include "base/when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct exchange_rules;

/* In force from the first to the last business date, both included; last 0: there is none. */
struct temporary_limit {
    int64_t points; /* 0 to POINTS_MAX; may be less than the other limit */
    struct date first, last;
};

struct credit_plan {
    bool by_tier; /* the rules say how much, by the member's tier */
    bool begun;   /* the temporary limit is the one in force */
    int64_t base; /* the member's own limit, kept beside a temporary one; 0 when there is none, or by_tier */
    struct temporary_limit temporary;
};

/* What is used of the credit, by the business date it was drawn on: ascending, one each, together credit_used. */
struct drawn_day {
    struct date drawn_on;
    int64_t points; /* > 0 */
};
struct drawn_days {
    size_t count;
    struct drawn_day at[DRAWN_DAYS_MAX];
};

/* What the bank wants the limit to be. */
struct credit_wish {
    bool by_tier;
    int64_t limit;                    /* the member's own; not looked at when by_tier */
    struct temporary_limit temporary; /* one that is over is none */
};

bool credit_same_plan(const struct credit_plan *a, const struct credit_plan *b);
/* Makes the plan and the limit in force what is wanted; true when either changed. tier_limit: of the member's tier. */
bool credit_set(struct account *account, const struct credit_wish *wish, struct date today, int64_t tier_limit);
/* A limit of the member's own; a temporary one stays. true when something changed. */
bool credit_set_own(struct account *account, int64_t limit);
/* A temporary limit beside the other one, which stays; one that is over is none. true when something changed. */
bool credit_set_temporary(struct account *account, const struct temporary_limit *temporary, struct date today,
                          int64_t tier_limit);
/*
 * What the rules in force say for that tier. NULL, as when they cannot be read now: a limit by tier stays what it is,
 * and there is none for whom it is not known.
 */
int64_t credit_tier_limit(const struct account *account, const struct exchange_rules *rules, int32_t tier);
/* What time, tier and rules alone do to the limit; nothing when the member is closed. true when something changed. */
bool credit_follow(struct account *account, struct date today, int64_t tier_limit);
/* The business date on which a temporary limit begins or has ended; 9999-12-31 when there is none. */
struct date credit_next_due(const struct account *account);
/*
 * Brings the days up to credit_used: what is more was drawn today; what is less was repaid, first what was drawn first,
 * or given back, first what was drawn last. When there are too many days the two oldest become one, the older.
 */
void credit_note(struct account *account, struct date today, bool given_back);
int64_t drawn_points(const struct drawn_days *drawn);

#endif
