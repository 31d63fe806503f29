#include "io/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looked up once: a lookup by name in each call costs more than the hash. Constant after the first use. */
static struct {
    EVP_MD *sha256;
    EVP_MAC *hmac;
    EVP_CIPHER *aes_256_gcm;
} algorithms;
static pthread_once_t looked_up = PTHREAD_ONCE_INIT;

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "crypto: %s failed; the system's OpenSSL cannot be worked with\n", what);
    abort();
}

static void look_up(void)
{
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    algorithms.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    must(algorithms.sha256 && algorithms.hmac && algorithms.aes_256_gcm, "looking up SHA-256, HMAC and AES-256-GCM");
}

static void ready(void)
{
    pthread_once(&looked_up, look_up);
}

static void digest_context_free(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void mac_context_free(EVP_MAC_CTX **context)
{
    EVP_MAC_CTX_free(*context);
}

static void cipher_context_free(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

void crypto_sha256(const void *data, size_t size, uint8_t out[CRYPTO_HASH])
{
    ready();
    must(EVP_Digest(data, size, out, NULL, algorithms.sha256, NULL) == 1, "SHA-256");
}

void crypto_sha256_two(const void *prefix, size_t prefix_size, const void *data, size_t size, uint8_t out[CRYPTO_HASH])
{
    ready();
    CLEANUP(digest_context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context && EVP_DigestInit_ex2(context, algorithms.sha256, NULL) == 1 &&
             EVP_DigestUpdate(context, prefix, prefix_size) == 1 && EVP_DigestUpdate(context, data, size) == 1 &&
             EVP_DigestFinal_ex(context, out, NULL) == 1,
         "SHA-256");
}

void crypto_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t out[CRYPTO_HASH])
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                  OSSL_PARAM_construct_end() };
    const uint8_t *secret = key_size ? key : (const uint8_t *)""; /* NULL would mean "the key set before" */

    ready();
    CLEANUP(mac_context_free) EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithms.hmac);
    must(context && EVP_MAC_init(context, secret, key_size, params) == 1 && EVP_MAC_update(context, data, size) == 1 &&
             EVP_MAC_final(context, out, NULL, CRYPTO_HASH) == 1,
         "HMAC");
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void crypto_random(void *out, size_t size)
{
    static _Thread_local struct {
        uint8_t bytes[1024];
        size_t left;
    } pool;

    if (size > sizeof pool.bytes) {
        must(RAND_bytes(out, (int)size) == 1, "drawing random bytes");
        return;
    }
    if (size > pool.left) {
        must(RAND_bytes(pool.bytes, sizeof pool.bytes) == 1, "drawing random bytes");
        pool.left = sizeof pool.bytes;
    }
    uint8_t *taken = pool.bytes + pool.left - size;
    memcpy(out, taken, size);
    OPENSSL_cleanse(taken, size);
    pool.left -= size;
}

struct uuid crypto_uuid_v7(struct instant time)
{
    uint8_t random[10];

    crypto_random(random, sizeof random);
    return uuid_v7(time, random);
}

void crypto_key_init(struct crypto_key *key, const uint8_t secret[32])
{
    uint8_t hash[CRYPTO_HASH];

    memcpy(key->secret, secret, sizeof key->secret);
    crypto_sha256(key->secret, sizeof key->secret, hash);
    memcpy(key->id, hash, sizeof key->id);
}

void crypto_key_clear(struct crypto_key *key)
{
    OPENSSL_cleanse(key, sizeof *key);
}

static bool encrypt(const struct crypto_key *key, const uint8_t *nonce, const void *aad, size_t aad_size,
                    const void *plain, size_t size, uint8_t *cipher, uint8_t *tag)
{
    CLEANUP(cipher_context_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done;

    return context && EVP_EncryptInit_ex2(context, algorithms.aes_256_gcm, key->secret, nonce, NULL) == 1 &&
           EVP_EncryptUpdate(context, NULL, &done, aad, (int)aad_size) == 1 &&
           EVP_EncryptUpdate(context, cipher, &done, plain, (int)size) == 1 &&
           EVP_EncryptFinal_ex(context, cipher + done, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG, tag) == 1;
}

static bool decrypt(const struct crypto_key *key, const uint8_t *nonce, const void *aad, size_t aad_size,
                    const uint8_t *cipher, size_t size, const uint8_t *tag, uint8_t *plain)
{
    CLEANUP(cipher_context_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t expected[CRYPTO_TAG];
    int done;

    memcpy(expected, tag, sizeof expected);
    return context && EVP_DecryptInit_ex2(context, algorithms.aes_256_gcm, key->secret, nonce, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG, expected) == 1 &&
           EVP_DecryptUpdate(context, NULL, &done, aad, (int)aad_size) == 1 &&
           EVP_DecryptUpdate(context, plain, &done, cipher, (int)size) == 1 &&
           EVP_DecryptFinal_ex(context, plain + done, &done) == 1;
}

bool crypto_seal(const struct crypto_key *key, struct arena *arena, const void *plain, size_t plain_size,
                 const void *aad, size_t aad_size, struct crypto_bytes *out, struct error *err)
{
    if (plain_size > CRYPTO_OPEN_MAX || aad_size > CRYPTO_OPEN_MAX)
        return error_set(err, REASON_INTERNAL, "too many bytes to seal");
    uint8_t *sealed = arena_alloc(arena, plain_size + CRYPTO_SEAL_OVERHEAD);
    if (!sealed)
        return error_set(err, REASON_OVERLOADED, "no memory to seal data");
    uint8_t *nonce = sealed + CRYPTO_KEY_ID, *cipher = nonce + CRYPTO_NONCE;

    ready();
    memcpy(sealed, key->id, CRYPTO_KEY_ID);
    crypto_random(nonce, CRYPTO_NONCE);
    must(encrypt(key, nonce, aad, aad_size, plain, plain_size, cipher, cipher + plain_size), "AES-256-GCM");
    *out = (struct crypto_bytes){ sealed, plain_size + CRYPTO_SEAL_OVERHEAD };
    return true;
}

bool crypto_open(const struct crypto_key *key, struct arena *arena, const void *sealed, size_t sealed_size,
                 const void *aad, size_t aad_size, struct crypto_bytes *out, struct error *err)
{
    const uint8_t *nonce = (const uint8_t *)sealed + CRYPTO_KEY_ID, *cipher = nonce + CRYPTO_NONCE;

    if (sealed_size < CRYPTO_SEAL_OVERHEAD || sealed_size > CRYPTO_OPEN_MAX + CRYPTO_SEAL_OVERHEAD)
        return error_set(err, REASON_INTERNAL, "sealed data is cut");
    if (memcmp(sealed, key->id, CRYPTO_KEY_ID) != 0)
        return error_set(err, REASON_INTERNAL, "sealed data was made with another key");
    size_t size = sealed_size - CRYPTO_SEAL_OVERHEAD;
    uint8_t *plain = arena_alloc(arena, size + 1);
    if (!plain)
        return error_set(err, REASON_OVERLOADED, "no memory to open sealed data");
    ready();
    if (!decrypt(key, nonce, aad, aad_size, cipher, size, cipher + size, plain)) {
        OPENSSL_cleanse(plain, size);
        return error_set(err, REASON_INTERNAL, "sealed data was changed or belongs to another row");
    }
    *out = (struct crypto_bytes){ plain, size };
    return true;
}
