/*
 * text.h -- checks on text that came from outside.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 without NUL and without surrogates (RFC 3629). */
bool text_utf8(const void *bytes, size_t n);
/* 1 to max characters of a-z, 0-9, "-": ids the operator gives. NULL is false. */
bool text_is_id(const char *text, size_t max);
/* 1 to max characters of A-Z, a-z, 0-9 and those in `also`: names a party gives. NULL is false. */
bool text_is_ref(const char *text, size_t max, const char *also);
/* ISO 4217 shape: three capital letters. NULL is false. */
bool text_is_currency(const char *text);
/* 12 to 19 digits, blanks and dashes aside, with a valid Luhn check digit: what must never be stored. */
bool text_is_card_number(const char *text);
/* true for NULL and "". */
bool text_empty(const char *text);

#endif
