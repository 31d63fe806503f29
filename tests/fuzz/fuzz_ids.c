/*
 * Request ids and redemption ids. Eight bytes are the server's clock, the rest is the text.
 *
 * What is read is written back as it was, letters' case aside; a request id is taken exactly when it is a UUID of
 * version 7 whose millisecond lies within 35 days back and 5 minutes ahead, reckoned here anew from its digits.
 */
#include "fuzz.h"

#include "domain/redemption_id.h"
#include "service/check.h"

#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

__extension__ typedef __int128 wide;

static bool all_hex(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

/* By its groups, where uuid.c goes by positions. */
static bool looks_like_uuid(const char *text)
{
    static const size_t groups[] = { 8, 4, 4, 4, 12 };

    for (size_t i = 0; i < COUNT(groups); i++) {
        if (strnlen(text, groups[i]) < groups[i] || !all_hex(text, groups[i]))
            return false;
        text += groups[i];
        if (i + 1 < COUNT(groups) && *text++ != '-')
            return false;
    }
    return *text == '\0';
}

static int64_t milliseconds_of(const char *text)
{
    char digits[13];

    memcpy(digits, text, 8);
    memcpy(digits + 8, text + 9, 4);
    digits[12] = '\0';
    return (int64_t)strtoull(digits, NULL, 16);
}

static bool should_be_taken(const char *text, int64_t now_us)
{
    if (!looks_like_uuid(text) || text[14] != '7' || !strchr("89abAB", text[19]))
        return false;
    wide off_us = (wide)milliseconds_of(text) * 1000 - now_us;
    return off_us >= -(wide)35 * 86400 * 1000000 && off_us <= (wide)300 * 1000000;
}

static void request_id(const char *text, int64_t now_us)
{
    struct error err = { 0 };
    struct uuid id;
    char again[UUID_TEXT];

    CLAIM(uuid_parse(text, &id) == looks_like_uuid(text));
    if (looks_like_uuid(text)) {
        uuid_format(&id, again);
        CLAIM(strcasecmp(text, again) == 0);
    }
    bool taken = check_request_id(text, (struct instant){ now_us }, &id, &err);
    CLAIM(taken == should_be_taken(text, now_us));
    CLAIM(taken || err.reason == REASON_REQUEST_ID_INVALID || err.reason == REASON_REQUEST_ID_TIME);
    CLAIM(taken || strcmp(err.field, "request_id") == 0);
}

static void redemption_id(const char *text)
{
    char again[REDEMPTION_ID_TEXT];
    struct uuid id;
    uint16_t hash16;

    if (!redemption_id_parse(text, &id, &hash16))
        return;
    redemption_id_format(&id, hash16, again);
    CLAIM(strcasecmp(text, again) == 0);
}

/* Any 16 bytes have a text that is read as those bytes. */
static void bytes_come_back(struct feed feed)
{
    char text[REDEMPTION_ID_TEXT];
    struct uuid id, again;
    uint16_t hash16 = 0;

    feed_bytes(&feed, id.bytes, sizeof id.bytes);
    redemption_id_format(&id, member_hash16(&id), text);
    CLAIM(redemption_id_parse(text, &again, &hash16));
    CLAIM(uuid_compare(&id, &again) == 0 && hash16 == member_hash16(&id));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct feed feed = { bytes, size };
    /* Clocks of the years 1970 to 9999: what a machine can say. */
    int64_t now_us = (int64_t)((uint64_t)feed_int64(&feed) % UINT64_C(253402300800000000));

    bytes_come_back(feed);
    const char *text = feed_text(&feed, &arena);
    request_id(text, now_us);
    redemption_id(text);
    return 0;
}
