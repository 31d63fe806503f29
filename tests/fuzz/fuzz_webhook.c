/*
 * A webhook as a merchant's server sees it, and the secret as a person types it. Lines: secret, id, timestamp,
 * signature; the rest is the body. What we sign is right, and wrong once anything of it is another.
 */
#include "fuzz.h"

#include "merchant-adapters/webhook.h"

enum { NOW_S = 1800000000 };

static void own_signature(const struct webhook_key *key, const char *id, struct feed body)
{
    char signature[WEBHOOK_SIGNATURE], list[WEBHOOK_SIGNATURE + 16];
    struct webhook_headers headers = { id, "1800000000", list };

    if (!webhook_sign(key, id, NOW_S, body.at, body.size, signature))
        return;
    snprintf(list, sizeof list, "v1,other v2,x %s", signature);
    CLAIM(webhook_verify(key, &headers, body.at, body.size, NOW_S));
    CLAIM(webhook_verify(key, &headers, body.at, body.size, NOW_S + WEBHOOK_TOLERANCE_S));
    CLAIM(!webhook_verify(key, &headers, body.at, body.size, NOW_S + WEBHOOK_TOLERANCE_S + 1));
    CLAIM(body.size == 0 || !webhook_verify(key, &headers, body.at, body.size - 1, NOW_S));
    headers.timestamp = "1800000001";
    CLAIM(!webhook_verify(key, &headers, body.at, body.size, NOW_S));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char usual[] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct feed feed = { bytes, size };
    const char *secret = feed_text(&feed, &arena);
    struct webhook_key key = { 0 };
    struct error err = { 0 };

    if (!webhook_key_parse(secret, &key, &err)) {
        CLAIM(err.reason == REASON_FIELD_INVALID && webhook_key_parse(usual, &key, &err));
    }
    CLAIM(key.size >= WEBHOOK_KEY_MIN && key.size <= WEBHOOK_KEY_MAX);
    struct webhook_headers headers = { .id = feed_text(&feed, &arena) };
    headers.timestamp = feed_text(&feed, &arena);
    headers.signature = feed_text(&feed, &arena);
    /* 2^256 to one that nobody guesses it: a signature that is taken without its key is a mistake. */
    CLAIM(!webhook_verify(&key, &headers, feed.at, feed.size, NOW_S));
    own_signature(&key, headers.id, feed);
    return 0;
}
