/*
 * digits.h -- whole numbers as decimal digits, for rows of which a close writes millions. Pure.
 */
#ifndef SETTLEMENT_DIGITS_H
#define SETTLEMENT_DIGITS_H

#include <stdint.h>

enum { DIGITS_TEXT = 21 }; /* "-9223372036854775808" and its end */

/* The number, terminated; returns where its terminator stands, so that more can be written there. */
char *digits_int64(int64_t value, char *text);
/* The number with zeros in front up to that many digits. */
char *digits_padded(uint64_t value, int width, char *text);

#endif
