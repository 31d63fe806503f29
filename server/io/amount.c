#include "io/amount.h"

#include "base/limits.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int amount_exponent(const char *currency)
{
    /* ISO 4217 list one, where it is not 2. */
    static const struct {
        char code[4];
        int exponent;
    } unusual[] = {
        { "BHD", 3 }, { "BIF", 0 }, { "CLF", 4 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "IQD", 3 },
        { "ISK", 0 }, { "JOD", 3 }, { "JPY", 0 }, { "KMF", 0 }, { "KRW", 0 }, { "KWD", 3 }, { "LYD", 3 },
        { "OMR", 3 }, { "PYG", 0 }, { "RWF", 0 }, { "TND", 3 }, { "UGX", 0 }, { "UYI", 0 }, { "UYW", 4 },
        { "VND", 0 }, { "VUV", 0 }, { "XAF", 0 }, { "XOF", 0 }, { "XPF", 0 },
    };

    for (size_t i = 0; i < COUNT(unusual); i++) {
        if (strcmp(unusual[i].code, currency) == 0)
            return unusual[i].exponent;
    }
    return 2;
}

/* Appends digits to *value; stops at the first other character. False when it no longer fits. */
static bool take_digits(const char **text, int64_t *value)
{
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, **text - '0', value))
            return false;
    }
    return true;
}

static bool not_an_amount(const char *text, struct error *err)
{
    if (*text == '-')
        return error_set(err, REASON_FIELD_INVALID, "must be more than zero, without a sign");
    if (strpbrk(text, "eE"))
        return error_set(err, REASON_FIELD_INVALID, "must be plain digits such as 12.34, without an exponent");
    if (strchr(text, ','))
        return error_set(err, REASON_FIELD_INVALID, "must be plain digits such as 12.34, without a comma");
    return error_set(err, REASON_FIELD_INVALID, "must be an amount such as 12.34");
}

static bool too_large(struct error *err)
{
    return error_set(err, REASON_FIELD_INVALID, "must be at most %" PRId64 " minor units", AMOUNT_MINOR_MAX);
}

bool amount_parse(const char *text, const char *currency, int64_t *minor, struct error *err)
{
    int exponent = amount_exponent(currency), decimals = 0;
    const char *at = text;
    int64_t value = 0;

    if (!text_is_currency(currency))
        return error_set(err, REASON_FIELD_INVALID, "needs a currency of three capital letters");
    if (!take_digits(&at, &value))
        return too_large(err);
    bool digits = at > text;
    if (*at == '.') {
        const char *point = at++;
        if (!take_digits(&at, &value))
            return too_large(err);
        decimals = (int)(at - point - 1);
        digits = digits && decimals > 0;
    }
    if (!digits || *at)
        return not_an_amount(text, err);
    if (decimals > exponent)
        return error_set(err, REASON_FIELD_INVALID, "has %d decimals, %s has %d", decimals, currency, exponent);
    for (; decimals < exponent; decimals++) {
        if (__builtin_mul_overflow(value, 10, &value))
            return too_large(err);
    }
    if (value == 0)
        return error_set(err, REASON_FIELD_INVALID, "must be more than zero");
    if (value > AMOUNT_MINOR_MAX)
        return too_large(err);
    *minor = value;
    return true;
}

void amount_format(int64_t minor, const char *currency, char out[AMOUNT_TEXT])
{
    uint64_t value = minor < 0 ? -(uint64_t)minor : (uint64_t)minor, scale = 1;
    int exponent = amount_exponent(currency);

    for (int i = 0; i < exponent; i++)
        scale *= 10;
    if (exponent == 0)
        snprintf(out, AMOUNT_TEXT, "%" PRId64, minor);
    else
        snprintf(out, AMOUNT_TEXT, "%s%" PRIu64 ".%0*" PRIu64, minor < 0 ? "-" : "", value / scale, exponent,
                 value % scale);
}

bool whole_parse(const char *text, const char *what, int64_t least, int64_t most, int64_t *out, struct error *err)
{
    const char *at = text;
    int64_t value = 0;

    if (!*text || !take_digits(&at, &value) || *at || value < least || value > most)
        return error_field(err, REASON_FIELD_INVALID, what, "must be a whole number from %" PRId64 " to %" PRId64,
                           least, most);
    *out = value;
    return true;
}
