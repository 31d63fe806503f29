/* tests/unit/test_uuid.c -- names of 128 bits: what is one, what it says, and what is only nearly one. */
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

static const struct {
    const char *story, *text;
    int version;
    const char *written; /* NULL: as it was read */
} names[] = {
    { "nil", "00000000-0000-0000-0000-000000000000", 0, NULL },
    { "max is of no RFC variant", "ffffffff-ffff-ffff-ffff-ffffffffffff", 0, NULL },
    { "version 4 of RFC 9562", "919108f7-52d1-4320-9bac-f847db4148a8", 4, NULL },
    { "version 7 of RFC 9562", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", 7, NULL },
    { "version 8 of RFC 9562", "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0", 8, NULL },
    { "capitals", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", 7, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" },
    { "variant 0xxx: no version", "017f22e2-79b0-7cc3-78c4-dc0c0c07398f", 0, NULL },
    { "variant 110x: no version", "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f", 0, NULL },
    { "the last variant nibble that counts", "017f22e2-79b0-7cc3-b8c4-dc0c0c07398f", 7, NULL },
};

static void names_there_and_back(void **state)
{
    char text[UUID_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct uuid uuid;
        if (!uuid_parse(names[i].text, &uuid) || uuid_version(&uuid) != names[i].version)
            fail_msg("%s: %s", names[i].story, names[i].text);
        uuid_format(&uuid, text);
        assert_string_equal(text, names[i].written ? names[i].written : names[i].text);
    }
}

static const struct {
    const char *story, *text;
} no_names[] = {
    { "empty", "" },
    { "a digit short", "017f22e2-79b0-7cc3-98c4-dc0c0c07398" },
    { "a digit more", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0" },
    { "no dashes", "017f22e279b07cc398c4dc0c0c07398f" },
    { "no dashes, but as long", "017f22e279b07cc398c4dc0c0c07398f0000" },
    { "a dash off its place", "017f22e27-9b0-7cc3-98c4-dc0c0c07398f" },
    { "a dash too many", "017f22e2-79b0-7cc3-98c4-dc0c0c-7398f" },
    { "braces", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}" },
    { "a blank before", " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f" },
    { "a line end behind", "017f22e2-79b0-7cc3-98c4-dc0c0c07398\n" },
    { "the letter after f", "017g22e2-79b0-7cc3-98c4-dc0c0c07398f" },
    { "the letter after F", "017G22e2-79b0-7cc3-98c4-dc0c0c07398f" },
    { "the character before a", "017`22e2-79b0-7cc3-98c4-dc0c0c07398f" },
    { "the character after 9", "017:22e2-79b0-7cc3-98c4-dc0c0c07398f" },
    { "a hexadecimal prefix", "0x7f22e2-79b0-7cc3-98c4-dc0c0c07398f" },
    { "a byte past ASCII", "017\xe9"
                           "22e2-79b0-7cc3-98c4-dc0c0c07398f" },
};

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_names); i++) {
        struct uuid uuid = { { 1, 2, 3 } }, same = uuid;
        if (uuid_parse(no_names[i].text, &uuid))
            fail_msg("%s: %s was taken", no_names[i].story, no_names[i].text);
        assert_int_equal(uuid_compare(&uuid, &same), 0);
    }
}

static const struct {
    const char *story;
    int64_t us, told_us;
} times[] = {
    { "the epoch", 0, 0 },
    { "a millisecond", 1000, 1000 },
    { "what is less is cut", 1999, 1000 },
    { "RFC 9562's example", INT64_C(1645557742000000), INT64_C(1645557742000000) },
    { "now", INT64_C(1795320306789123), INT64_C(1795320306789000) },
    { "the last millisecond there is room for", INT64_C(281474976710655999), INT64_C(281474976710655000) },
};

static void version_7_tells_its_millisecond(void **state)
{
    static const uint8_t chance[][10] = { { 0 }, { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 } };

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        for (size_t j = 0; j < COUNT(chance); j++) {
            struct uuid uuid = uuid_v7((struct instant){ times[i].us }, chance[j]);
            if (uuid_version(&uuid) != 7 || uuid_v7_time(&uuid).us != times[i].told_us)
                fail_msg("%s: %lld", times[i].story, (long long)uuid_v7_time(&uuid).us);
        }
    }
}

static void version_7_keeps_74_random_bits(void **state)
{
    static const uint8_t none[10], all[10] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
    struct uuid zeros = uuid_v7((struct instant){ 0 }, none), ones = uuid_v7((struct instant){ 0 }, all);
    char text[UUID_TEXT];

    (void)state;
    uuid_format(&zeros, text);
    assert_string_equal(text, "00000000-0000-7000-8000-000000000000");
    uuid_format(&ones, text);
    assert_string_equal(text, "00000000-0000-7fff-bfff-ffffffffffff");
}

static void version_8_keeps_all_but_six_bits(void **state)
{
    uint8_t hash[16];
    char text[UUID_TEXT];

    (void)state;
    memset(hash, 255, sizeof hash);
    struct uuid uuid = uuid_v8(hash);
    uuid_format(&uuid, text);
    assert_string_equal(text, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    assert_int_equal(uuid_version(&uuid), 8);
    memset(hash, 0, sizeof hash);
    uuid = uuid_v8(hash);
    uuid_format(&uuid, text);
    assert_string_equal(text, "00000000-0000-8000-8000-000000000000");
}

static void order_is_that_of_bytes(void **state)
{
    struct uuid low = { { 0x7f } }, high = { { 0x80 } }, last = { { 0x7f, [15] = 1 } };

    (void)state;
    assert_true(uuid_compare(&low, &high) < 0);
    assert_true(uuid_compare(&high, &low) > 0);
    assert_true(uuid_compare(&low, &last) < 0);
    assert_int_equal(uuid_compare(&low, &low), 0);
}

static void only_all_zeros_is_zero(void **state)
{
    struct uuid uuid = { { 0 } };

    (void)state;
    assert_true(uuid_is_zero(&uuid));
    for (size_t i = 0; i < sizeof uuid.bytes; i++) {
        uuid = (struct uuid){ { 0 } };
        uuid.bytes[i] = 1;
        assert_false(uuid_is_zero(&uuid));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_there_and_back),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(version_7_tells_its_millisecond),
        cmocka_unit_test(version_7_keeps_74_random_bits),
        cmocka_unit_test(version_8_keeps_all_but_six_bits),
        cmocka_unit_test(order_is_that_of_bytes),
        cmocka_unit_test(only_all_zeros_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
