/*
 * exposure.h -- how a bank's exposure limit is shared out over the buckets.
 *
 * A bucket lets a hold through when its part has room for it: allotted less used. So that all buckets together never
 * exceed the limit, the room of all parts together is never more than the limit less all that is used. Pure.
 */
#ifndef DOMAIN_EXPOSURE_H
#define DOMAIN_EXPOSURE_H

#include <stddef.h>
#include <stdint.h>

/* In minor units. used is negative where more was given back than is still counted. */
struct exposure_part {
    int32_t bucket;
    int64_t allotted, used;
};

/* Percent of a limit at which its bank is warned, ascending. */
enum { EXPOSURE_LEVELS = 3 };
extern const int32_t exposure_levels[EXPOSURE_LEVELS];
/*
 * The highest level that is reached; 0: none. A level is reached when so much is used, and left only when 5 percent
 * less are, so that a limit at its edge is not told of again and again: `before` is the level up to now.
 */
int32_t exposure_level(int64_t used, int64_t limit, int32_t before);

int64_t exposure_used(const struct exposure_part *parts, size_t count);
/*
 * Shares the limit out anew: each part is allotted what it uses; of what is left, the part `first` gets `need` (all
 * there is, when that is less), and the rest is split evenly, its remainder to the first part. When more is used than
 * the limit, a part has room only once it has itself given back what all together are over. Returns what was left.
 */
int64_t exposure_spread(struct exposure_part *parts, size_t count, int64_t limit, size_t first, int64_t need);
/* Takes what was settled off the parts that use something, in their order; at most exposure_used. */
void exposure_settle(struct exposure_part *parts, size_t count, int64_t minor);

#endif
