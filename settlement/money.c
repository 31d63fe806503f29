#include "money.h"

#include "base/error.h"
#include "base/exact.h"
#include "digits.h"

#include <string.h>

/* Those that do not have two digits. XXX is the code for "no currency". */
static const struct {
    char currency[4];
    int exponent;
} exponents[] = {
    { "BIF", 0 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "ISK", 0 }, { "JPY", 0 }, { "KMF", 0 },
    { "KRW", 0 }, { "PYG", 0 }, { "RWF", 0 }, { "UGX", 0 }, { "UYI", 0 }, { "VND", 0 }, { "VUV", 0 },
    { "XAF", 0 }, { "XOF", 0 }, { "XPF", 0 }, { "XXX", 0 }, { "BHD", 3 }, { "IQD", 3 }, { "JOD", 3 },
    { "KWD", 3 }, { "LYD", 3 }, { "OMR", 3 }, { "TND", 3 }, { "CLF", 4 }, { "UYW", 4 },
};

int money_exponent(const char *currency)
{
    for (size_t i = 0; i < COUNT(exponents); i++) {
        if (exponents[i].currency[0] == currency[0] && strcmp(exponents[i].currency, currency) == 0)
            return exponents[i].exponent;
    }
    return 2;
}

void money_format(int64_t minor, const char *currency, char text[MONEY_TEXT])
{
    int exponent = money_exponent(currency);
    uint64_t unit = 1, size = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;

    for (int i = 0; i < exponent; i++)
        unit *= 10;
    if (minor < 0)
        *text++ = '-';
    text = digits_padded(size / unit, 1, text);
    if (exponent > 0) {
        *text++ = '.';
        digits_padded(size % unit, exponent, text);
    }
}

bool money_parse(const char *text, const char *currency, int64_t *minor)
{
    bool negative = *text == '-';
    const char *at = text + (negative || *text == '+');
    int decimals = -1, exponent = money_exponent(currency);
    int64_t sum = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at; at++) {
        if (*at == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*at < '0' || *at > '9')
            return false;
        if (decimals >= exponent && *at != '0')
            return false;
        if (decimals >= exponent)
            continue;
        decimals += decimals >= 0;
        if (!exact_ratio_floor(sum, 10, 1, &sum) || !exact_add(sum, *at - '0', &sum))
            return false;
    }
    for (decimals = decimals < 0 ? 0 : decimals; decimals < exponent; decimals++) {
        if (!exact_ratio_floor(sum, 10, 1, &sum))
            return false;
    }
    *minor = negative ? -sum : sum;
    return true;
}
