#include "base/uuid.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool dash_at(size_t position)
{
    return position == 8 || position == 13 || position == 18 || position == 23;
}

bool uuid_parse(const char *text, struct uuid *out)
{
    struct uuid uuid = { 0 };
    size_t nibble = 0;

    if (strnlen(text, UUID_TEXT) != UUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < UUID_TEXT - 1; i++) {
        int digit = hex_digit(text[i]);
        if (dash_at(i) ? text[i] != '-' : digit < 0)
            return false;
        if (dash_at(i))
            continue;
        uuid.bytes[nibble / 2] = (uint8_t)(uuid.bytes[nibble / 2] << 4 | digit);
        nibble++;
    }
    *out = uuid;
    return true;
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    static const uint8_t place[] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };

    text[8] = text[13] = text[18] = text[23] = '-';
    for (size_t i = 0; i < sizeof place; i++) {
        text[place[i]] = digits[uuid->bytes[i] >> 4];
        text[place[i] + 1] = digits[uuid->bytes[i] & 15];
    }
    text[UUID_TEXT - 1] = '\0';
}

int uuid_version(const struct uuid *uuid)
{
    return (uuid->bytes[8] & 0xc0) == 0x80 ? uuid->bytes[6] >> 4 : 0;
}

struct instant uuid_v7_time(const struct uuid *uuid)
{
    int64_t ms = 0;

    for (size_t i = 0; i < 6; i++)
        ms = ms << 8 | uuid->bytes[i];
    return (struct instant){ ms * 1000 };
}

static struct uuid marked(struct uuid uuid, int version)
{
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | version << 4);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

struct uuid uuid_v7(struct instant time, const uint8_t random[10])
{
    struct uuid uuid;
    uint64_t ms = (uint64_t)(time.us / 1000);

    for (size_t i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(uuid.bytes + 6, random, 10);
    return marked(uuid, 7);
}

struct uuid uuid_v8(const uint8_t hash[16])
{
    struct uuid uuid;

    memcpy(uuid.bytes, hash, 16);
    return marked(uuid, 8);
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool uuid_is_zero(const struct uuid *uuid)
{
    static const struct uuid zero;

    return uuid_compare(uuid, &zero) == 0;
}
