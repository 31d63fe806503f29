/*
 * exact.h -- integer arithmetic that says no instead of wrapping, and division that names its rounding.
 *
 * Every function returns false, with *out untouched, when the result does not fit in int64_t or den is not positive.
 */
#ifndef BASE_EXACT_H
#define BASE_EXACT_H

#include "base/error.h"

#include <stdint.h>

bool exact_add(int64_t a, int64_t b, int64_t *out) MUST_USE;
bool exact_sub(int64_t a, int64_t b, int64_t *out) MUST_USE;
/* value * num / den with the product exact (128 bits) and one rounding at the end. */
bool exact_ratio_floor(int64_t value, int64_t num, int64_t den, int64_t *out) MUST_USE;
bool exact_ratio_ceil(int64_t value, int64_t num, int64_t den, int64_t *out) MUST_USE;
bool exact_ratio_half_even(int64_t value, int64_t num, int64_t den, int64_t *out) MUST_USE;

#endif
