#include "totals.h"

#include "base/exact.h"

#include <stddef.h>

static const struct {
    const char *name;
    size_t offset;
} figures[] = {
    { "confirmed count", offsetof(struct totals, confirmed_count) },
    { "confirmed points", offsetof(struct totals, confirmed_points) },
    { "reversed count", offsetof(struct totals, reversed_count) },
    { "reversed points", offsetof(struct totals, reversed_points) },
    { "gross", offsetof(struct totals, gross_minor) },
    { "commission", offsetof(struct totals, commission_minor) },
    { "net", offsetof(struct totals, net_minor) },
};

static int64_t figure(const struct totals *totals, size_t i)
{
    return *(const int64_t *)(const void *)((const char *)totals + figures[i].offset);
}

bool totals_add(struct totals *totals, const struct totals *more)
{
    for (size_t i = 0; i < COUNT(figures); i++) {
        int64_t *sum = (int64_t *)(void *)((char *)totals + figures[i].offset);
        if (!exact_add(*sum, figure(more, i), sum))
            return false;
    }
    return true;
}

bool totals_add_entry(struct totals *totals, bool reversal, int64_t points, int64_t gross_minor,
                      int64_t commission_minor)
{
    struct totals one = { .gross_minor = gross_minor, .commission_minor = commission_minor };

    *(reversal ? &one.reversed_count : &one.confirmed_count) = 1;
    *(reversal ? &one.reversed_points : &one.confirmed_points) = points;
    return exact_sub(gross_minor, commission_minor, &one.net_minor) && totals_add(totals, &one);
}

const char *totals_difference(const struct totals *a, const struct totals *b, int64_t *in_a, int64_t *in_b)
{
    for (size_t i = 0; i < COUNT(figures); i++) {
        *in_a = figure(a, i);
        *in_b = figure(b, i);
        if (*in_a != *in_b)
            return figures[i].name;
    }
    return NULL;
}
