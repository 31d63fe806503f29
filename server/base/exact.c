#include "base/exact.h"

__extension__ typedef __int128 wide;

bool exact_add(int64_t a, int64_t b, int64_t *out)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

bool exact_sub(int64_t a, int64_t b, int64_t *out)
{
    int64_t difference;

    if (__builtin_sub_overflow(a, b, &difference))
        return false;
    *out = difference;
    return true;
}

static bool fits(wide value, int64_t *out)
{
    if (value > INT64_MAX || value < INT64_MIN)
        return false;
    *out = (int64_t)value;
    return true;
}

/* Rounds towards minus infinity and leaves 0 <= rest < den. */
static wide divide_floor(int64_t value, int64_t num, int64_t den, wide *rest)
{
    wide product = (wide)value * num;
    wide quotient = product / den;

    *rest = product % den;
    if (*rest < 0) {
        *rest += den;
        quotient--;
    }
    return quotient;
}

bool exact_ratio_floor(int64_t value, int64_t num, int64_t den, int64_t *out)
{
    wide rest;

    return den > 0 && fits(divide_floor(value, num, den, &rest), out);
}

bool exact_ratio_ceil(int64_t value, int64_t num, int64_t den, int64_t *out)
{
    wide rest;

    if (den <= 0)
        return false;
    wide quotient = divide_floor(value, num, den, &rest);
    return fits(quotient + (rest != 0), out);
}

bool exact_ratio_half_even(int64_t value, int64_t num, int64_t den, int64_t *out)
{
    wide rest;

    if (den <= 0)
        return false;
    wide quotient = divide_floor(value, num, den, &rest);
    wide twice = rest * 2;
    bool up = twice > den || (twice == den && (quotient & 1) != 0);
    return fits(quotient + up, out);
}
