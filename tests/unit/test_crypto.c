/* tests/unit/test_crypto.c -- published vectors pass, and whatever was tampered with is refused. */
#include "io/clock.h"
#include "io/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_hex(const void *bytes, size_t size, const char *expected)
{
    char hex[2 * 64 + 1];

    assert_true(size <= 64);
    crypto_hex(bytes, size, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4 and RFC 4231. */
static void hashes_match_their_vectors(void **state)
{
    uint8_t hash[CRYPTO_HASH], key[20];

    (void)state;
    crypto_sha256("abc", 3, hash);
    assert_hex(hash, sizeof hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_sha256("", 0, hash);
    assert_hex(hash, sizeof hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    crypto_sha256_two("a", 1, "bc", 2, hash);
    assert_hex(hash, sizeof hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, hash);
    assert_hex(hash, sizeof hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0x0b, sizeof key);
    crypto_hmac_sha256(key, sizeof key, "Hi There", 8, hash);
    assert_hex(hash, sizeof hash, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    crypto_hmac_sha256("", 0, "", 0, hash);
    assert_hex(hash, sizeof hash, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void equal_looks_at_every_byte(void **state)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };

    (void)state;
    assert_true(crypto_equal(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 1;
        assert_false(crypto_equal(a, b, sizeof a));
        b[i] = 0;
    }
}

/* RFC 4648, section 10. */
static const struct {
    const char *plain, *text;
} base64[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};

static void base64_goes_there_and_back(void **state)
{
    char text[32];
    uint8_t bytes[32];
    size_t size;

    (void)state;
    for (size_t i = 0; i < COUNT(base64); i++) {
        assert_int_equal(crypto_base64(base64[i].plain, strlen(base64[i].plain), text), strlen(base64[i].text));
        assert_string_equal(text, base64[i].text);
        assert_true(crypto_base64_decode(text, strlen(text), bytes, sizeof bytes, &size));
        assert_int_equal(size, strlen(base64[i].plain));
        assert_memory_equal(bytes, base64[i].plain, size);
    }
}

static void base64_is_strict(void **state)
{
    static const char *const refused[] = { "Zg=",  "Zg",       "Zg===",    "Zh==",     "Zm9=",     "Z===",
                                           "====", "Zg==Zg==", " Zg==   ", "Zm9v\nZm", "Zm-_Zm9v", "Zm9v Zm9" };
    uint8_t bytes[32];
    size_t size;

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (crypto_base64_decode(refused[i], strlen(refused[i]), bytes, sizeof bytes, &size))
            fail_msg("\"%s\" was decoded", refused[i]);
    }
    assert_false(crypto_base64_decode("Zm9vYmFy", 8, bytes, 5, &size));
}

static void hex_is_checked(void **state)
{
    uint8_t bytes[2];

    (void)state;
    assert_true(crypto_hex_decode("0aFf", 2, bytes));
    assert_int_equal(bytes[0], 0x0a);
    assert_int_equal(bytes[1], 0xff);
    assert_false(crypto_hex_decode("0aFg", 2, bytes));
}

/* NIST GCM test case 14: key, nonce and plain text all zero. */
static void gcm_matches_its_vector(void **state)
{
    static const char cipher_and_tag[] = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
    uint8_t sealed[CRYPTO_SEAL_OVERHEAD + 16] = { 0 };
    const uint8_t zero[32] = { 0 };
    struct arena arena = { 0 };
    struct crypto_bytes plain;
    struct crypto_key key;
    struct error err;

    (void)state;
    crypto_key_init(&key, zero);
    memcpy(sealed, key.id, sizeof key.id);
    assert_true(crypto_hex_decode(cipher_and_tag, 32, sealed + CRYPTO_KEY_ID + CRYPTO_NONCE));
    assert_true(crypto_open(&key, &arena, sealed, sizeof sealed, "", 0, &plain, &err));
    assert_int_equal(plain.size, 16);
    assert_memory_equal(plain.at, zero, 16);
    arena_release(&arena);
}

static void a_sealed_text_opens_only_as_it_was(void **state)
{
    const uint8_t secret[32] = { 1, 2, 3 }, other_secret[32] = { 1, 2, 4 };
    struct arena arena = { 0 };
    struct crypto_bytes sealed, again, plain;
    struct crypto_key key, other;
    struct error err;

    (void)state;
    crypto_key_init(&key, secret);
    crypto_key_init(&other, other_secret);
    assert_true(crypto_seal(&key, &arena, "1 Main Street", 13, "row-1", 5, &sealed, &err));
    assert_int_equal(sealed.size, 13 + CRYPTO_SEAL_OVERHEAD);
    assert_true(crypto_seal(&key, &arena, "1 Main Street", 13, "row-1", 5, &again, &err));
    assert_memory_not_equal(sealed.at, again.at, sealed.size);
    assert_true(crypto_open(&key, &arena, sealed.at, sealed.size, "row-1", 5, &plain, &err));
    assert_string_equal((char *)plain.at, "1 Main Street");

    assert_false(crypto_open(&key, &arena, sealed.at, sealed.size, "row-2", 5, &plain, &err));
    assert_false(crypto_open(&other, &arena, sealed.at, sealed.size, "row-1", 5, &plain, &err));
    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        sealed.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(crypto_open(&key, &arena, sealed.at, sealed.size, "row-1", 5, &plain, &err));
        sealed.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < sealed.size; size++)
        assert_false(crypto_open(&key, &arena, sealed.at, size, "row-1", 5, &plain, &err));
    assert_true(crypto_open(&key, &arena, sealed.at, sealed.size, "row-1", 5, &plain, &err));
    arena_release(&arena);
}

static void an_empty_text_can_be_sealed(void **state)
{
    const uint8_t secret[32] = { 9 };
    struct arena arena = { 0 };
    struct crypto_bytes sealed, plain;
    struct crypto_key key;
    struct error err;

    (void)state;
    crypto_key_init(&key, secret);
    assert_true(crypto_seal(&key, &arena, NULL, 0, NULL, 0, &sealed, &err));
    assert_true(crypto_open(&key, &arena, sealed.at, sealed.size, NULL, 0, &plain, &err));
    assert_int_equal(plain.size, 0);
    assert_false(crypto_open(&key, &arena, sealed.at, sealed.size, "x", 1, &plain, &err));
    arena_release(&arena);
}

static char key_path[] = "/tmp/alliance-key-XXXXXX";

/* Writes text as a key file of that mode and loads it. */
static bool load(const char *text, mode_t mode, struct crypto_key *key, struct error *err)
{
    unlink(key_path);
    FILE *file = fopen(key_path, "we");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(key_path, mode), 0);
    bool loaded = crypto_key_load(key_path, key, err);
    return loaded;
}

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

static void a_key_file_is_private_and_whole(void **state)
{
    struct crypto_key key;
    struct error err;
    int file = mkstemp(key_path);

    (void)state;
    close(file);
    assert_true(load(DIGITS, 0600, &key, &err));
    assert_true(load(DIGITS "\n", 0400, &key, &err));
    assert_int_equal(key.secret[31], 0x1f);
    assert_hex(key.id, sizeof key.id, "630dcd29");
    assert_false(load(DIGITS "00", 0600, &key, &err));
    assert_false(load(DIGITS "\n\n", 0600, &key, &err));
    assert_false(load("00", 0600, &key, &err));
    assert_false(load("", 0600, &key, &err));
    assert_false(load("g" DIGITS, 0600, &key, &err));
    assert_false(load(DIGITS, 0640, &key, &err));
    assert_non_null(strstr(error_text(&err), "may be read by others"));
    assert_false(load(DIGITS, 0604, &key, &err));
    unlink(key_path);
    assert_false(crypto_key_load(key_path, &key, &err));
    assert_false(crypto_key_load("/tmp", &key, &err));
}

static void *draw(void *out)
{
    crypto_random(out, 1024);
    return NULL;
}

static void random_bytes_are_never_the_same_twice(void **state)
{
    static uint8_t drawn[4][1024], large[5000];
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, drawn[i]), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 1; i < COUNT(threads); i++)
        assert_memory_not_equal(drawn[0], drawn[i], sizeof drawn[0]);
    crypto_random(large, sizeof large);
    assert_memory_not_equal(large, large + 2500, 2500);
}

static void a_uuid_carries_its_time(void **state)
{
    struct instant time = { INT64_C(1795320306789000) };
    struct uuid previous = crypto_uuid_v7(time);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct uuid uuid = crypto_uuid_v7(time);
        assert_int_equal(uuid_version(&uuid), 7);
        assert_int_equal(uuid_v7_time(&uuid).us, time.us);
        assert_int_not_equal(uuid_compare(&uuid, &previous), 0);
        previous = uuid;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match_their_vectors),
        cmocka_unit_test(equal_looks_at_every_byte),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(hex_is_checked),
        cmocka_unit_test(gcm_matches_its_vector),
        cmocka_unit_test(a_sealed_text_opens_only_as_it_was),
        cmocka_unit_test(an_empty_text_can_be_sealed),
        cmocka_unit_test(a_key_file_is_private_and_whole),
        cmocka_unit_test(random_bytes_are_never_the_same_twice),
        cmocka_unit_test(a_uuid_carries_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
