/*
 * card_token.h -- a card number becomes a token before anything leaves the machine. Pure.
 */
#ifndef IO_CARD_TOKEN_H
#define IO_CARD_TOKEN_H

#include "base/error.h"

#include <stddef.h>

enum { CARD_TOKEN = 4 + 26 + 1 };

/*
 * "tok_" and the first 26 characters (130 bits), in lower-case base32, of HMAC-SHA256(key, digits). Blanks and dashes
 * do not count. FIELD_INVALID when there are fewer than 8 or more than 19 digits, or anything else.
 */
bool card_token(const char *number, const void *key, size_t key_size, char token[CARD_TOKEN],
                struct error *err) MUST_USE;

#endif
