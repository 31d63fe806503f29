/* tests/adapters/test_webhook.c -- Standard Webhooks: the published vector passes, every changed bit fails. */
#include "webhook.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID        "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define TIME      1614265330
#define TIME_TEXT "1614265330"
#define BODY      "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct webhook_key key_of(const char *secret)
{
    struct webhook_key key = { 0 };
    struct error err;

    assert_true(webhook_key_parse(secret, &key, &err));
    return key;
}

static void the_published_vector_is_met(void **state)
{
    struct webhook_key key = key_of(SECRET);
    char signature[WEBHOOK_SIGNATURE];

    (void)state;
    assert_true(webhook_sign(&key, ID, TIME, BODY, strlen(BODY), signature));
    assert_string_equal(signature, SIGNATURE);
}

static bool verify(const struct webhook_key *key, const char *id, const char *timestamp, const char *signature,
                   const void *body, size_t size)
{
    const struct webhook_headers headers = { id, timestamp, signature };

    return webhook_verify(key, &headers, body, size, TIME);
}

/* Flips each bit of text in turn; none may verify. */
#define EACH_BIT(text, expression)                                                                                     \
    for (size_t bit = 0; bit < strlen(text) * 8; bit++) {                                                              \
        char changed[128];                                                                                             \
        snprintf(changed, sizeof changed, "%s", text);                                                                 \
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));                                                  \
        if (expression)                                                                                                \
            fail_msg("bit %zu of %s does not matter", bit, text);                                                      \
    }

static void every_changed_bit_is_found(void **state)
{
    struct webhook_key key = key_of(SECRET);

    (void)state;
    assert_true(verify(&key, ID, TIME_TEXT, SIGNATURE, BODY, strlen(BODY)));
    EACH_BIT(ID, verify(&key, changed, TIME_TEXT, SIGNATURE, BODY, strlen(BODY)));
    EACH_BIT(TIME_TEXT, verify(&key, ID, changed, SIGNATURE, BODY, strlen(BODY)));
    EACH_BIT(SIGNATURE, verify(&key, ID, TIME_TEXT, changed, BODY, strlen(BODY)));
    EACH_BIT(BODY, verify(&key, ID, TIME_TEXT, SIGNATURE, changed, strlen(BODY)));
    for (size_t bit = 0; bit < key.size * 8; bit++) {
        key.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(verify(&key, ID, TIME_TEXT, SIGNATURE, BODY, strlen(BODY)));
        key.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < strlen(BODY); size++)
        assert_false(verify(&key, ID, TIME_TEXT, SIGNATURE, BODY, size));
}

static const struct {
    const char *story, *id, *timestamp, *signature;
    bool good;
} headers[] = {
    { "as it should be", ID, TIME_TEXT, SIGNATURE, true },
    { "no id", NULL, TIME_TEXT, SIGNATURE, false },
    { "no timestamp", ID, NULL, SIGNATURE, false },
    { "no signature", ID, TIME_TEXT, NULL, false },
    { "an empty id", "", TIME_TEXT, SIGNATURE, false },
    { "a dot in the id", "msg.1", TIME_TEXT, SIGNATURE, false },
    { "a timestamp that is no number", ID, "yesterday", SIGNATURE, false },
    { "an empty timestamp", ID, "", SIGNATURE, false },
    { "a signed timestamp", ID, "+1614265330", SIGNATURE, false },
    { "a timestamp with a fraction", ID, "1614265330.0", SIGNATURE, false },
    { "a huge timestamp", ID, "99999999999999999999", SIGNATURE, false },
    { "another time within the tolerance", ID, "1614265331", SIGNATURE, false },
    { "only the version", ID, TIME_TEXT, "v1,", false },
    { "half a signature", ID, TIME_TEXT, "v1,g0hM9SsE+OTPJTGt/tmIKtSy", false },
    { "no version", ID, TIME_TEXT, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false },
    { "another version", ID, TIME_TEXT, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false },
    { "an empty list", ID, TIME_TEXT, "", false },
    { "wrong ones around the right one", ID, TIME_TEXT,
      "v1,AAAM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1a,abc " SIGNATURE " v2,x", true },
};

static void headers_are_checked(void **state)
{
    struct webhook_key key = key_of(SECRET);

    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        bool good = verify(&key, headers[i].id, headers[i].timestamp, headers[i].signature, BODY, strlen(BODY));
        if (good != headers[i].good)
            fail_msg("%s", headers[i].story);
    }
}

static void an_old_or_early_message_is_refused(void **state)
{
    const struct webhook_headers sent = { ID, TIME_TEXT, SIGNATURE };
    struct webhook_key key = key_of(SECRET);

    (void)state;
    assert_true(webhook_verify(&key, &sent, BODY, strlen(BODY), TIME + WEBHOOK_TOLERANCE_S));
    assert_false(webhook_verify(&key, &sent, BODY, strlen(BODY), TIME + WEBHOOK_TOLERANCE_S + 1));
    assert_true(webhook_verify(&key, &sent, BODY, strlen(BODY), TIME - WEBHOOK_TOLERANCE_S));
    assert_false(webhook_verify(&key, &sent, BODY, strlen(BODY), TIME - WEBHOOK_TOLERANCE_S - 1));
}

static const struct {
    const char *secret;
    bool good;
} secrets[] = {
    { SECRET, true },
    { "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true },        /* without the prefix */
    { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false },  /* not base64 */
    { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", false }, /* 22 bytes */
    { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", true }, /* 64 */
    { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      false }, /* 65 */
    { "whsec_", false },
    { "", false },
};

static void secrets_are_checked_and_never_quoted(void **state)
{
    struct webhook_key key;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT(secrets); i++) {
        bool good = webhook_key_parse(secrets[i].secret, &key, &err);
        if (good != secrets[i].good)
            fail_msg("%s", secrets[i].secret);
        if (!good)
            assert_null(strstr(error_text(&err), "MfKQ"));
    }
}

static void what_is_too_long_is_not_signed(void **state)
{
    static char large[WEBHOOK_BODY_MAX + 1];
    struct webhook_key key = key_of(SECRET);
    char signature[WEBHOOK_SIGNATURE];

    (void)state;
    assert_true(webhook_sign(&key, ID, TIME, large, WEBHOOK_BODY_MAX, signature));
    assert_false(webhook_sign(&key, ID, TIME, large, WEBHOOK_BODY_MAX + 1, signature));
    memset(large, 'a', WEBHOOK_ID_MAX + 1);
    assert_false(webhook_sign(&key, large, TIME, BODY, strlen(BODY), signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vector_is_met),
        cmocka_unit_test(every_changed_bit_is_found),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(an_old_or_early_message_is_refused),
        cmocka_unit_test(secrets_are_checked_and_never_quoted),
        cmocka_unit_test(what_is_too_long_is_not_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
