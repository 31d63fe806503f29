/*
 * webhook.h -- signatures of Standard Webhooks 1.0.0 (symmetric, "v1"). Pure: time is an argument.
 *
 * What is signed is "id.timestamp.body", with HMAC-SHA256 under the merchant's key; the header holds "v1," and the
 * base64 of it. Not here: sending, keeping keys, asymmetric signatures.
 */
#ifndef MERCHANTS_WEBHOOK_H
#define MERCHANTS_WEBHOOK_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    WEBHOOK_KEY_MIN = 24, /* bytes */
    WEBHOOK_KEY_MAX = 64,
    WEBHOOK_SIGNATURE = 3 + 44 + 1, /* "v1,", base64 of 32 bytes, NUL */
    WEBHOOK_TOLERANCE_S = 300,      /* how far a timestamp may be off, both ways */
    WEBHOOK_ID_MAX = 64,            /* characters */
    WEBHOOK_BODY_MAX = 20 * 1024,   /* bytes; larger ones are refused before they are signed */
};

struct webhook_key {
    uint8_t bytes[WEBHOOK_KEY_MAX];
    size_t size;
};

/* "whsec_" and base64, or the base64 alone, of 24 to 64 bytes. The error quotes nothing of it. */
bool webhook_key_parse(const char *secret, struct webhook_key *key, struct error *err) MUST_USE;
void webhook_key_clear(struct webhook_key *key);

/* id: 1 to WEBHOOK_ID_MAX characters without ".". False when id or body are too long. */
bool webhook_sign(const struct webhook_key *key, const char *id, int64_t timestamp_s, const void *body,
                  size_t body_size, char signature[WEBHOOK_SIGNATURE]) MUST_USE;

/* The three headers as they arrived; NULL for a missing one. */
struct webhook_headers {
    const char *id, *timestamp, *signature; /* signature: a list of "version,base64" with blanks between */
};
/* As a receiver checks: all headers there, the time within the tolerance of now_s, one v1 signature right. */
bool webhook_verify(const struct webhook_key *key, const struct webhook_headers *headers, const void *body,
                    size_t body_size, int64_t now_s) MUST_USE;

#endif
