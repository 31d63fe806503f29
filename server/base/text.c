#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* Length of the sequence that starts here, or 0 when it is not well-formed. */
static size_t sequence(const uint8_t *s, size_t left)
{
    uint32_t point, least;
    size_t more;

    if (s[0] == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if ((s[0] & 0xe0) == 0xc0)
        more = 1, point = s[0] & 0x1fu, least = 0x80;
    else if ((s[0] & 0xf0) == 0xe0)
        more = 2, point = s[0] & 0x0fu, least = 0x800;
    else if ((s[0] & 0xf8) == 0xf0)
        more = 3, point = s[0] & 0x07u, least = 0x10000;
    else
        return 0;
    if (left <= more)
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (s[i] & 0x3fu);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < least || point > 0x10ffff || surrogate ? 0 : more + 1;
}

bool text_utf8(const void *bytes, size_t n)
{
    const uint8_t *s = bytes;

    for (size_t i = 0, step; i < n; i += step) {
        step = sequence(s + i, n - i);
        if (step == 0)
            return false;
    }
    return true;
}

static bool made_of(const char *text, size_t max, bool upper, const char *also)
{
    size_t n = text ? strnlen(text, max + 1) : 0;

    if (n == 0 || n > max)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z');
        if (!plain && !strchr(also, c))
            return false;
    }
    return true;
}

bool text_is_id(const char *text, size_t max)
{
    return made_of(text, max, false, "-");
}

bool text_is_ref(const char *text, size_t max, const char *also)
{
    return made_of(text, max, true, also);
}

bool text_is_currency(const char *text)
{
    if (!text || strnlen(text, 4) != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (text[i] < 'A' || text[i] > 'Z')
            return false;
    }
    return true;
}

bool text_is_card_number(const char *text)
{
    int digits[20], sum = 0;
    size_t n = 0;

    for (const char *c = text; *c; c++) {
        if (*c == ' ' || *c == '-')
            continue;
        if (*c < '0' || *c > '9' || n == 19)
            return false;
        digits[n++] = *c - '0';
    }
    if (n < 12)
        return false;
    for (size_t i = 0; i < n; i++) {
        int digit = digits[n - 1 - i] * (i % 2 ? 2 : 1);
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

bool text_empty(const char *text)
{
    return !text || !*text;
}
