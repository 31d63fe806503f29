#include "domain/exposure.h"

const int32_t exposure_levels[EXPOSURE_LEVELS] = { 80, 90, 100 };

enum { LEAVE_PERCENT = 5 };

/* limit * percent / 100, rounded up; limit is 0 or more, percent at most 100. */
static int64_t part_of(int64_t limit, int32_t percent)
{
    return limit / 100 * percent + (limit % 100 * percent + 99) / 100;
}

int32_t exposure_level(int64_t used, int64_t limit, int32_t before)
{
    for (size_t i = EXPOSURE_LEVELS; i > 0 && used > 0; i--) {
        int32_t level = exposure_levels[i - 1];
        if (used >= part_of(limit, level <= before ? level - LEAVE_PERCENT : level))
            return level;
    }
    return 0;
}

int64_t exposure_used(const struct exposure_part *parts, size_t count)
{
    int64_t used = 0;

    for (size_t i = 0; i < count; i++)
        used += parts[i].used;
    return used;
}

int64_t exposure_spread(struct exposure_part *parts, size_t count, int64_t limit, size_t first, int64_t need)
{
    int64_t left = limit - exposure_used(parts, count);

    if (left < 0) {
        for (size_t i = 0; i < count; i++)
            parts[i].allotted = parts[i].used + left;
        return left;
    }
    int64_t own = need < left ? need : left;
    int64_t share = (left - own) / (int64_t)count, rest = (left - own) % (int64_t)count;
    for (size_t i = 0; i < count; i++)
        parts[i].allotted = parts[i].used + share + (i == 0 ? rest : 0) + (i == first ? own : 0);
    return left;
}

void exposure_settle(struct exposure_part *parts, size_t count, int64_t minor)
{
    for (size_t i = 0; i < count && minor > 0; i++) {
        int64_t taken = parts[i].used < minor ? parts[i].used : minor;
        if (taken <= 0)
            continue;
        parts[i].used -= taken;
        minor -= taken;
    }
}
