#include "domain/earn_count.h"

#include <endian.h>
#include <string.h>

void earn_counts_begin(struct earn_counts *counts, struct date today)
{
    if (counts->counted_on.days == today.days)
        return;
    if (date_month_start(counts->counted_on, 0).days != date_month_start(today, 0).days) {
        *counts = (struct earn_counts){ .counted_on = today };
        return;
    }
    counts->counted_on = today;
    counts->day_points = 0;
    for (int32_t i = 0; i < counts->rule_count; i++)
        counts->rules[i].day_points = 0;
}

static const struct earn_count *count_of(const struct earn_counts *counts, const char *rule)
{
    for (int32_t i = 0; i < counts->rule_count; i++) {
        if (strcmp(counts->rules[i].rule, rule) == 0)
            return &counts->rules[i];
    }
    return NULL;
}

void earn_counts_look(const struct earn_counts *counts, const struct earn_rule *rule, struct spend *spend)
{
    const struct earn_count *count = rule ? count_of(counts, rule->name) : NULL;

    spend->earned_today = counts->day_points;
    spend->earned_this_month = counts->month_points;
    spend->rule_today = count ? count->day_points : 0;
    spend->rule_this_month = count ? count->month_points : 0;
}

static bool has_rule(const struct rule_set *set, const char *name)
{
    for (int32_t i = 0; i < set->earn_rule_count; i++) {
        if (strcmp(set->earn_rules[i].name, name) == 0)
            return true;
    }
    return false;
}

static void make_room(struct earn_counts *counts, const struct rule_set *set)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < counts->rule_count; i++) {
        if (has_rule(set, counts->rules[i].rule))
            counts->rules[kept++] = counts->rules[i];
    }
    counts->rule_count = kept;
}

void earn_counts_add(struct earn_counts *counts, const struct rule_set *set, const struct earn_rule *rule,
                     int64_t points)
{
    counts->day_points += points;
    counts->month_points += points;
    if (!rule)
        return;
    struct earn_count *count = (struct earn_count *)(uintptr_t)count_of(counts, rule->name);
    if (!count) {
        if (counts->rule_count == EARN_COUNTS_MAX)
            make_room(counts, set);
        count = &counts->rules[counts->rule_count++];
        *count = (struct earn_count){ 0 };
        memcpy(count->rule, rule->name, sizeof count->rule);
    }
    count->day_points += points;
    count->month_points += points;
}

static void put(uint8_t *out, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    memcpy(out, &big, sizeof big);
}

static int64_t get(const uint8_t *bytes)
{
    uint64_t big;

    memcpy(&big, bytes, sizeof big);
    return (int64_t)be64toh(big);
}

size_t packed_earn_counts(const struct earn_counts *counts, uint8_t *out)
{
    for (int32_t i = 0; i < counts->rule_count; i++, out += PACKED_EARN_COUNT) {
        memset(out, 0, ID_MAX);
        memcpy(out, counts->rules[i].rule, strnlen(counts->rules[i].rule, ID_MAX));
        put(out + ID_MAX, counts->rules[i].day_points);
        put(out + ID_MAX + 8, counts->rules[i].month_points);
    }
    return (size_t)counts->rule_count * PACKED_EARN_COUNT;
}

bool unpack_earn_counts(const uint8_t *bytes, size_t size, struct earn_counts *counts)
{
    counts->rule_count = 0;
    if (size % PACKED_EARN_COUNT != 0 || size > (size_t)EARN_COUNTS_MAX * PACKED_EARN_COUNT)
        return false;
    for (; size > 0; size -= PACKED_EARN_COUNT, bytes += PACKED_EARN_COUNT) {
        struct earn_count *count = &counts->rules[counts->rule_count++];
        memcpy(count->rule, bytes, ID_MAX);
        count->rule[ID_MAX] = '\0';
        count->day_points = get(bytes + ID_MAX);
        count->month_points = get(bytes + ID_MAX + 8);
        if (count->rule[0] == '\0' || count->day_points < 0 || count->month_points < count->day_points)
            return false;
    }
    return true;
}
