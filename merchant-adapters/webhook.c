#include "webhook.h"

#include "base/text.h"
#include "io/crypto.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "whsec_";

bool webhook_key_parse(const char *secret, struct webhook_key *key, struct error *err)
{
    const char *text = strncmp(secret, prefix, sizeof prefix - 1) == 0 ? secret + sizeof prefix - 1 : secret;

    if (crypto_base64_decode(text, strlen(text), key->bytes, sizeof key->bytes, &key->size) &&
        key->size >= WEBHOOK_KEY_MIN)
        return true;
    webhook_key_clear(key);
    return error_set(err, REASON_FIELD_INVALID, "a webhook secret is \"whsec_\" and the base64 of 24 to 64 bytes");
}

void webhook_key_clear(struct webhook_key *key)
{
    OPENSSL_cleanse(key, sizeof *key);
}

bool webhook_sign(const struct webhook_key *key, const char *id, int64_t timestamp_s, const void *body,
                  size_t body_size, char signature[WEBHOOK_SIGNATURE])
{
    char content[WEBHOOK_ID_MAX + 24 + WEBHOOK_BODY_MAX];
    uint8_t hash[CRYPTO_HASH];

    if (!text_is_ref(id, WEBHOOK_ID_MAX, "-_") || body_size > WEBHOOK_BODY_MAX)
        return false;
    int n = snprintf(content, sizeof content, "%s.%" PRId64 ".", id, timestamp_s);
    memcpy(content + n, body, body_size);
    crypto_hmac_sha256(key->bytes, key->size, content, (size_t)n + body_size, hash);
    memcpy(signature, "v1,", 3);
    crypto_base64(hash, sizeof hash, signature + 3);
    return true;
}

/* Decimal digits only: what strtoll would forgive is refused. */
static bool parse_timestamp(const char *text, int64_t *timestamp_s)
{
    size_t n = strspn(text, "0123456789");

    if (n == 0 || n > 15 || text[n])
        return false;
    *timestamp_s = strtoll(text, NULL, 10);
    return true;
}

/* Every entry is compared, so that the time taken does not tell which one was right. */
static bool list_holds(const char *list, const char expected[WEBHOOK_SIGNATURE])
{
    bool right = false;

    while (*list) {
        size_t n = strcspn(list, " ");
        if (n == WEBHOOK_SIGNATURE - 1 && crypto_equal(list, expected, n))
            right = true;
        list += n + (list[n] == ' ');
    }
    return right;
}

bool webhook_verify(const struct webhook_key *key, const struct webhook_headers *headers, const void *body,
                    size_t body_size, int64_t now_s)
{
    char expected[WEBHOOK_SIGNATURE];
    int64_t timestamp_s;

    if (!headers->id || !headers->timestamp || !headers->signature)
        return false;
    if (!parse_timestamp(headers->timestamp, &timestamp_s))
        return false;
    if (timestamp_s < now_s - WEBHOOK_TOLERANCE_S || timestamp_s > now_s + WEBHOOK_TOLERANCE_S)
        return false;
    return webhook_sign(key, headers->id, timestamp_s, body, body_size, expected) &&
           list_holds(headers->signature, expected);
}
