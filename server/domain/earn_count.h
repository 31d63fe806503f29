/*
 * earn_count.h -- what a member has earned by the rules today and this month: what caps of a rule set look at. Pure.
 *
 * Caps come with a version, and a version comes within a month: so everything is counted, also by rules that have no
 * cap yet, and by the general rates of a bank whose first rule set is still to come. Rules of two versions are the same
 * one when they have the same name.
 * Days and months are business dates on which points are booked. What is taken back later frees nothing.
 */
#ifndef DOMAIN_EARN_COUNT_H
#define DOMAIN_EARN_COUNT_H

#include "domain/rule_set.h"

enum { EARN_COUNTS_MAX = EARN_RULES_MAX, PACKED_EARN_COUNT = ID_MAX + 2 * 8 };

/* Of one rule. */
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

/* What is over is counted no more. */
void earn_counts_begin(struct earn_counts *counts, struct date today);
/* Fills in what was earned before; rule NULL: the general rate decides. To be called after earn_counts_begin. */
void earn_counts_look(const struct earn_counts *counts, const struct earn_rule *rule, struct spend *spend);
/*
 * Points more, by that rule of that set; both NULL: by the general rates of a bank without one. Rules that the set does
 * not have make room, so there always is some.
 */
void earn_counts_add(struct earn_counts *counts, const struct rule_set *set, const struct earn_rule *rule,
                     int64_t points);

/* PACKED_EARN_COUNT bytes each: the rule's name padded with zeros, int8 day, int8 month, big-endian. */
size_t packed_earn_counts(const struct earn_counts *counts, uint8_t *out);
bool unpack_earn_counts(const uint8_t *bytes, size_t size, struct earn_counts *counts) MUST_USE;

#endif
