#include "domain/bank_account.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Letters count as 10 to 35, and the first four characters come last. */
static int remainder_97(const char *iban, size_t length)
{
    int rest = 0;

    for (size_t i = 0; i < length; i++) {
        char c = iban[(i + 4) % length];
        rest = is_digit(c) ? (rest * 10 + (c - '0')) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
    }
    return rest;
}

bool iban_valid(const char *iban)
{
    size_t length = strlen(iban);

    if (length < 15 || length > IBAN_MAX || !is_capital(iban[0]) || !is_capital(iban[1]) || !is_digit(iban[2]) ||
        !is_digit(iban[3]))
        return false;
    for (size_t i = 4; i < length; i++) {
        if (!is_digit(iban[i]) && !is_capital(iban[i]))
            return false;
    }
    return remainder_97(iban, length) == 1;
}

bool bic_valid(const char *bic)
{
    size_t length = strlen(bic);

    if (length != 8 && length != BIC_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool letter_only = i == 4 || i == 5;
        if (!is_capital(bic[i]) && (letter_only || !is_digit(bic[i])))
            return false;
    }
    return true;
}
