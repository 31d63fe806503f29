/*
 * Arithmetic that must not wrap. 24 bytes are value, numerator and denominator.
 *
 * The oracle multiplies back and never divides: floor is the one integer with 0 <= value*num - floor*den < den, and so
 * on for the other roundings; what is refused does not fit.
 */
#include "fuzz.h"

#include "base/exact.h"

__extension__ typedef __int128 wide;

static bool fits(wide value)
{
    return value >= INT64_MIN && value <= INT64_MAX;
}

static void sums(int64_t a, int64_t b)
{
    int64_t out = 0;

    CLAIM(exact_add(a, b, &out) == fits((wide)a + b));
    CLAIM(!fits((wide)a + b) || out == (wide)a + b);
    CLAIM(exact_sub(a, b, &out) == fits((wide)a - b));
    CLAIM(!fits((wide)a - b) || out == (wide)a - b);
}

/* A refusal is right when even the least or the greatest number is still on the wrong side of what was asked for. */
static bool beyond(wide product, int64_t den)
{
    wide greatest = (wide)INT64_MAX * den, least = (wide)INT64_MIN * den;

    return product > greatest || product < least;
}

static void ratios(int64_t value, int64_t num, int64_t den)
{
    wide product = (wide)value * num, rest;
    int64_t floor = 0, ceil = 0, even = 0;

    if (exact_ratio_floor(value, num, den, &floor)) {
        rest = product - (wide)floor * den;
        CLAIM(rest >= 0 && rest < den);
    } else {
        CLAIM(beyond(product, den));
    }
    if (exact_ratio_ceil(value, num, den, &ceil)) {
        rest = (wide)ceil * den - product;
        CLAIM(rest >= 0 && rest < den);
    } else {
        CLAIM(beyond(product, den));
    }
    if (exact_ratio_half_even(value, num, den, &even)) {
        rest = product - (wide)even * den;
        CLAIM(rest * 2 <= den && rest * 2 >= -(wide)den);
        CLAIM((rest * 2 != den && rest * 2 != -(wide)den) || even % 2 == 0);
    } else {
        CLAIM(beyond(product, den));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct feed feed = { bytes, size };
    int64_t value = feed_int64(&feed), num = feed_int64(&feed), den = feed_int64(&feed), out = 7;

    sums(value, num);
    if (den > 0)
        ratios(value, num, den);
    else
        CLAIM(!exact_ratio_floor(value, num, den, &out) && !exact_ratio_ceil(value, num, den, &out) &&
              !exact_ratio_half_even(value, num, den, &out) && out == 7);
    return 0;
}
