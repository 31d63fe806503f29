#include "io/card_token.h"

#include "io/crypto.h"

#include <string.h>

enum { DIGITS_MIN = 8, DIGITS_MAX = 19, TOKEN_CHARACTERS = 26 };

/* Five bits a character, most significant first: RFC 4648 with small letters. */
static void write_base32(const uint8_t *bytes, char *out)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

    for (size_t i = 0; i < TOKEN_CHARACTERS; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        out[i] = alphabet[pair >> (11 - bit % 8) & 31];
    }
    out[TOKEN_CHARACTERS] = '\0';
}

bool card_token(const char *number, const void *key, size_t key_size, char token[CARD_TOKEN], struct error *err)
{
    char digits[DIGITS_MAX];
    uint8_t hash[CRYPTO_HASH];
    size_t n = 0;

    for (const char *at = number; *at; at++) {
        if (*at == ' ' || *at == '-')
            continue;
        if (*at < '0' || *at > '9' || n == DIGITS_MAX)
            return error_set(err, REASON_FIELD_INVALID, "is no card number: 8 to 19 digits, blanks and dashes");
        digits[n++] = *at;
    }
    if (n < DIGITS_MIN)
        return error_set(err, REASON_FIELD_INVALID, "is no card number: 8 to 19 digits, blanks and dashes");
    crypto_hmac_sha256(key, key_size, digits, n, hash);
    memcpy(token, "tok_", 4);
    write_base32(hash, token + 4);
    return true;
}
