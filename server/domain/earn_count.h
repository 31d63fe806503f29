/*
 * earn_count.h -- what a member has earned by the rules today and this month: what caps of a rule set look at. Pure.
 *
 * Days and months are business dates on which points are booked. What is taken back later frees nothing.
 */
#ifndef DOMAIN_EARN_COUNT_H
#define DOMAIN_EARN_COUNT_H

#include "domain/rule_set.h"

enum { EARN_COUNTS_MAX = EARN_RULES_MAX, PACKED_EARN_COUNT = ID_MAX + 2 * 8 };

/* Of one rule; kept only for rules with a cap of a day or a month. */
struct earn_count {
    rule_name rule;
    int64_t day_points, month_points;
};

/* Zeroed: nothing yet. */
struct earn_counts {
    struct date counted_on; /* the day, and its month, that is counted */
    int64_t day_points, month_points;
    struct earn_count rules[EARN_COUNTS_MAX];
    int32_t rule_count;
};

/* Whether spending of this set's bank is counted at all: without caps of a day or month there is nothing to look at. */
bool earn_counts_wanted(const struct rule_set *set);
/* What is over is counted no more. */
void earn_counts_begin(struct earn_counts *counts, struct date today);
/* Fills in what was earned before; rule NULL: the general rate decides. To be called after earn_counts_begin. */
void earn_counts_look(const struct earn_counts *counts, const struct earn_rule *rule, struct spend *spend);
/* Points more, by that rule of that set. Rules that the set does not have make room, so there always is some. */
void earn_counts_add(struct earn_counts *counts, const struct rule_set *set, const struct earn_rule *rule,
                     int64_t points);

/* PACKED_EARN_COUNT bytes each: the rule's name padded with zeros, int8 day, int8 month, big-endian. */
size_t packed_earn_counts(const struct earn_counts *counts, uint8_t *out);
bool unpack_earn_counts(const uint8_t *bytes, size_t size, struct earn_counts *counts) MUST_USE;

#endif
