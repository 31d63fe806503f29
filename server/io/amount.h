/*
 * amount.h -- money as people write it, exactly: "12.34" and 1234 minor units. No floating point. Pure.
 */
#ifndef IO_AMOUNT_H
#define IO_AMOUNT_H

#include "base/error.h"

#include <stdint.h>

enum { AMOUNT_TEXT = 32 };

/* Digits after the point of an ISO 4217 currency: 2 unless the standard says otherwise. */
int amount_exponent(const char *currency);
/*
 * Digits, then perhaps a point and as many digits as the currency has or fewer. Refused with a sentence: signs, blanks,
 * exponents, separators, more decimals, zero, more than AMOUNT_MINOR_MAX.
 */
bool amount_parse(const char *text, const char *currency, int64_t *minor, struct error *err) MUST_USE;
/* "12.34"; negative with a minus sign. */
void amount_format(int64_t minor, const char *currency, char out[AMOUNT_TEXT]);
/* Digits only, within [least, most]; `what` names the value in the error. */
bool whole_parse(const char *text, const char *what, int64_t least, int64_t most, int64_t *out,
                 struct error *err) MUST_USE;

#endif
