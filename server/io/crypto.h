/*
 * crypto.h -- hashes, random bytes, and sealing of personal data, over OpenSSL's EVP.
 *
 * Not for TLS, and no protocol of our own: only named standards (SHA-256, HMAC, AES-256-GCM, base64 of RFC 4648).
 * Any thread may call any function. Algorithms are looked up once a process; a system without them, or without random
 * bytes, cannot be worked with: the process ends with a sentence on standard error.
 */
#ifndef IO_CRYPTO_H
#define IO_CRYPTO_H

#include "base/arena.h"
#include "base/error.h"
#include "base/uuid.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CRYPTO_HASH = 32,  /* bytes of SHA-256 and of its HMAC */
    CRYPTO_KEY_ID = 4, /* bytes that say which key sealed something */
    CRYPTO_NONCE = 12, /* bytes */
    CRYPTO_TAG = 16,   /* bytes */
    CRYPTO_SEAL_OVERHEAD = CRYPTO_KEY_ID + CRYPTO_NONCE + CRYPTO_TAG,
    CRYPTO_OPEN_MAX = 1 << 20, /* bytes of plain text that can be sealed */
};

/* Bytes in an arena. */
struct crypto_bytes {
    uint8_t *at;
    size_t size;
};

/* A sealing key in memory; clear it when done. */
struct crypto_key {
    uint8_t id[CRYPTO_KEY_ID]; /* the first bytes of SHA-256 of the key */
    uint8_t secret[32];
};

void crypto_sha256(const void *data, size_t size, uint8_t out[CRYPTO_HASH]);
/* SHA-256 of prefix followed by data. */
void crypto_sha256_two(const void *prefix, size_t prefix_size, const void *data, size_t size, uint8_t out[CRYPTO_HASH]);
void crypto_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t out[CRYPTO_HASH]);
/* Compares in a time that does not depend on where the difference is. */
bool crypto_equal(const void *a, const void *b, size_t size) MUST_USE;

/* Unpredictable bytes, drawn ahead a thread. Not to be used in a child after fork without exec. */
void crypto_random(void *out, size_t size);
struct uuid crypto_uuid_v7(struct instant time);

/* Characters of n bytes in base64, the NUL included. */
#define CRYPTO_BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
/* With padding; returns the length without the NUL. */
size_t crypto_base64(const void *data, size_t size, char *out);
/* Strict: padded, no blanks, unused bits zero. False when malformed or larger than capacity. */
bool crypto_base64_decode(const char *text, size_t length, uint8_t *out, size_t capacity, size_t *size) MUST_USE;
/* 2 * size lower-case digits and a NUL. */
void crypto_hex(const void *data, size_t size, char *out);
/* Exactly 2 * size digits of either case at text. */
bool crypto_hex_decode(const char *text, size_t size, uint8_t *out) MUST_USE;

/* Reads 64 hexadecimal digits. A file that others than its owner may read or write is refused with SETTING_INVALID. */
bool crypto_key_load(const char *path, struct crypto_key *key, struct error *err) MUST_USE;
/* The key of those 32 bytes. */
void crypto_key_init(struct crypto_key *key, const uint8_t secret[32]);
void crypto_key_clear(struct crypto_key *key);

/*
 * AES-256-GCM: key id, nonce, cipher text, tag, one after the other in *out, which lives in the arena. aad is what the
 * sealed bytes belong to (the row's id): they open only with the same aad. False only when memory or the limit is
 * short.
 */
bool crypto_seal(const struct crypto_key *key, struct arena *arena, const void *plain, size_t plain_size,
                 const void *aad, size_t aad_size, struct crypto_bytes *out, struct error *err) MUST_USE;
/* The plain text, with a NUL after it, in the arena. False when another key sealed it or a bit of it has changed. */
bool crypto_open(const struct crypto_key *key, struct arena *arena, const void *sealed, size_t sealed_size,
                 const void *aad, size_t aad_size, struct crypto_bytes *out, struct error *err) MUST_USE;

#endif
