/*
 * money.h -- minor units as people read them: a decimal point where the currency has one. Pure.
 */
#ifndef SETTLEMENT_MONEY_H
#define SETTLEMENT_MONEY_H

#include <stdbool.h>
#include <stdint.h>

enum { MONEY_TEXT = 32 };

/* Digits behind the decimal point, by ISO 4217: 0, 2, 3 or 4; 2 for a code that is not in the list. */
int money_exponent(const char *currency);
/* "-12.34", "1200" or "0.005": exact, without thousands signs. */
void money_format(int64_t minor, const char *currency, char text[MONEY_TEXT]);
/*
 * The other way round: digits with a point, a sign in front when negative. False for anything else, for what does not
 * fit, and for digits that are not 0 where the currency has none.
 */
bool money_parse(const char *text, const char *currency, int64_t *minor);

#endif
