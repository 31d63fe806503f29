/* model_points.c -- heaps of points, days and sums, told as plainly as they can be. */
#include "model.h"

#include <stdlib.h>

__extension__ typedef __int128 wide;

void *model_grow(void *at, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return at;
    *room = *room ? 2 * *room : 16;
    at = realloc(at, *room * size);
    if (!at)
        abort();
    return at;
}

/* Heaps */

static bool comes_before(const struct heap *a, const struct heap *b)
{
    return a->expires_on < b->expires_on || (a->expires_on == b->expires_on && a->funding_no < b->funding_no);
}

int heaps_find(const struct heaps *heaps, int32_t expires_on, int32_t funding_no)
{
    for (size_t i = 0; i < heaps->count; i++) {
        if (heaps->at[i].expires_on == expires_on && heaps->at[i].funding_no == funding_no)
            return (int)i;
    }
    return -1;
}

void heaps_remove(struct heaps *heaps, int place)
{
    heaps->at[place] = heaps->at[--heaps->count];
}

/* Of those not before (or, with behind false, before) that heap the nearest; any_funding: whoever pays. */
static int nearest(const struct heaps *heaps, const struct heap *heap, bool behind, bool any_funding)
{
    int found = -1;

    for (size_t i = 0; i < heaps->count; i++) {
        const struct heap *other = &heaps->at[i];
        if (comes_before(other, heap) == behind || (!any_funding && other->funding_no != heap->funding_no))
            continue;
        bool nearer =
            found < 0 || (behind ? comes_before(other, &heaps->at[found]) : comes_before(&heaps->at[found], other));
        found = nearer ? (int)i : found;
    }
    return found;
}

struct heap heaps_add(struct heaps *heaps, struct heap heap)
{
    int place = heaps_find(heaps, heap.expires_on, heap.funding_no);

    if (place < 0 && heaps->count < LOTS_MAX) {
        heaps->at[heaps->count++] = heap;
        return heap;
    }
    for (int any = 0; place < 0; any++) {
        place = nearest(heaps, &heap, true, any);
        if (place < 0)
            place = nearest(heaps, &heap, false, any);
    }
    struct heap *joined = &heaps->at[place];
    joined->points += heap.points;
    if (joined->expires_on < heap.expires_on)
        joined->expires_on = heap.expires_on;
    return (struct heap){ joined->expires_on, joined->funding_no, heap.points };
}

void heaps_take_first(struct heaps *heaps, int64_t points, struct heaps *taken)
{
    while (points > 0) {
        int first = 0;
        for (size_t i = 1; i < heaps->count; i++) {
            if (comes_before(&heaps->at[i], &heaps->at[first]))
                first = (int)i;
        }
        struct heap part = heaps->at[first];
        part.points = points < part.points ? points : part.points;
        heaps->at[first].points -= part.points;
        points -= part.points;
        taken->at[taken->count++] = part;
        if (heaps->at[first].points == 0)
            heaps_remove(heaps, first);
    }
}

int heaps_last(const struct heaps *heaps)
{
    int last = 0;

    for (size_t i = 1; i < heaps->count; i++) {
        if (comes_before(&heaps->at[last], &heaps->at[i]))
            last = (int)i;
    }
    return last;
}

int64_t heaps_points(const struct heaps *heaps)
{
    int64_t points = 0;

    for (size_t i = 0; i < heaps->count; i++)
        points += heaps->at[i].points;
    return points;
}

/* Points that wait */

int waits_find(const struct waits *waits, int32_t matures_on, int32_t expires_on, int32_t funding_no)
{
    for (size_t i = 0; i < waits->count; i++) {
        const struct wait *wait = &waits->at[i];
        if (wait->matures_on == matures_on && wait->expires_on == expires_on && wait->funding_no == funding_no)
            return (int)i;
    }
    return -1;
}

bool waits_add(struct waits *waits, struct wait wait)
{
    int place = waits_find(waits, wait.matures_on, wait.expires_on, wait.funding_no);

    if (place < 0 && waits->count == PENDING_MAX)
        return false;
    if (place < 0)
        waits->at[waits->count++] = wait;
    else
        waits->at[place].points += wait.points;
    return true;
}

void waits_remove(struct waits *waits, int place)
{
    waits->at[place] = waits->at[--waits->count];
}

static bool waits_longer(const struct wait *a, const struct wait *b)
{
    if (a->matures_on != b->matures_on)
        return a->matures_on > b->matures_on;
    return a->expires_on != b->expires_on ? a->expires_on > b->expires_on : a->funding_no > b->funding_no;
}

int waits_last(const struct waits *waits)
{
    int last = 0;

    for (size_t i = 1; i < waits->count; i++) {
        if (waits_longer(&waits->at[i], &waits->at[last]))
            last = (int)i;
    }
    return last;
}

int64_t waits_points(const struct waits *waits)
{
    int64_t points = 0;

    for (size_t i = 0; i < waits->count; i++)
        points += waits->at[i].points;
    return points;
}

/* Days: a calendar walked from a new year that is known, month by month. */

struct day {
    int year, month, day;
    int32_t start;  /* the first of its month */
    int32_t length; /* of its month */
};

static int length_of(int year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return lengths[month - 1] + (month == 2 && leap);
}

static void next_month(struct day *day)
{
    day->start += day->length;
    day->year += day->month == 12;
    day->month = day->month % 12 + 1;
    day->length = length_of(day->year, day->month);
}

/* From 2020-01-01 on, or, for earlier days, from 1970-01-01. */
static struct day day_of(int32_t days)
{
    struct day day = { 1970, 1, 1, 0, 31 };

    if (days >= 18262)
        day = (struct day){ 2020, 1, 1, 18262, 31 };
    while (day.start + day.length <= days)
        next_month(&day);
    day.day = days - day.start + 1;
    return day;
}

int32_t model_month_start(int32_t days, int months)
{
    struct day day = day_of(days);

    for (int i = 0; i < months; i++)
        next_month(&day);
    return day.start;
}

int32_t model_expiry(const struct exchange_rules *rules, int32_t spendable_on)
{
    if (!rules)
        return model_month_start(spendable_on, 13);
    if (rules->expiry_kind != EXPIRY_TO_THE_DAY && rules->expiry_kind != EXPIRY_FIXED_DAY)
        return model_month_start(spendable_on, rules->expiry_months + 1);
    struct day day = day_of(spendable_on);
    int wanted = day.day;
    for (int i = 0; i < rules->expiry_months; i++)
        next_month(&day);
    int32_t later = day.start + (wanted <= day.length ? wanted : day.length) - 1;
    if (rules->expiry_kind == EXPIRY_TO_THE_DAY)
        return later;
    /* A day that its month does not have is the first of the next: begin a month earlier. */
    for (day = day_of(later - 31);; next_month(&day)) {
        int32_t fixed = day.start + (rules->expiry_day <= day.length ? rules->expiry_day - 1 : day.length);
        if (day.month == rules->expiry_month && fixed >= later)
            return fixed;
    }
}

/* Sums */

bool model_ratio(int64_t value, int64_t num, int64_t den, int rounding, int64_t *out)
{
    wide product = (wide)value * num, low = product / den, twice = 2 * (product - low * den);

    if (rounding > 0)
        low += twice > 0;
    else if (rounding == 0)
        low += twice > den || (twice == den && low % 2 == 1);
    *out = (int64_t)low;
    return low <= INT64_MAX;
}

void model_share(int64_t total, const int64_t *weights, size_t count, int64_t *parts)
{
    bool more[LINES_MAX] = { false };
    int64_t left = total;
    wide sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    for (size_t i = 0; i < count; i++) {
        parts[i] = sum == 0 ? 0 : (int64_t)((wide)total * weights[i] / sum);
        left -= parts[i];
    }
    while (left > 0 && sum > 0) {
        size_t best = count;
        for (size_t i = 0; i < count; i++) {
            wide rest = (wide)total * weights[i] % sum;
            if (!more[i] && (best == count || rest > (wide)total * weights[best] % sum))
                best = i;
        }
        more[best] = true;
        parts[best]++;
        left--;
    }
}
