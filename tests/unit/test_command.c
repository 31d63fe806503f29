/* tests/unit/test_command.c -- names made of names, and redemption ids there and back. */
#include "engine/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

#define TEN "rrrrrrrrrr"

static struct uuid accrual_of_m1(const char *bank_id, const char *ref)
{
    return command_accrual_id(bank_id, "m1", ref);
}

/* SHA-256 computed elsewhere over the kind, NUL, the bank, NUL, the reference; the first 16 bytes marked version 8. */
static const struct {
    const char *story;
    struct uuid (*name)(const char *bank_id, const char *ref);
    const char *bank_id, *ref, *expected;
} names[] = {
    { "a member", command_member_id, "bank-a", "m1", "77a07531-cd82-8659-9594-4515ae3b7745" },
    { "an accrual", accrual_of_m1, "bank-a", "t1", "33712a93-31d0-8efe-8b50-a1f29df83802" },
    { "the border between bank and member counts", command_member_id, "ab", "c",
      "79d2da77-bbdf-894b-b35c-6c9e264c8224" },
    { "and is here another", command_member_id, "a", "bc", "0b5d7026-d1cd-857f-aa7e-657502f2cb1f" },
    { "the longest there may be", command_member_id, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", TEN TEN TEN TEN TEN TEN "rrrr",
      "26c09b0b-3cfb-8f7d-9ed8-d653c131c47f" },
};

/* Stored for ever: another way of making them would lose every member. */
static void names_are_made_the_same_for_ever(void **state)
{
    char text[UUID_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct uuid uuid = names[i].name(names[i].bank_id, names[i].ref);
        uuid_format(&uuid, text);
        if (strcmp(text, names[i].expected) != 0)
            fail_msg("%s: %s", names[i].story, text);
        assert_int_equal(uuid_version(&uuid), 8);
    }
}

static void a_member_is_routed_by_its_first_two_bytes(void **state)
{
    struct uuid uuid = { { 0xfe, 0xdc, 0xba } };

    (void)state;
    assert_int_equal(member_hash16(&uuid), 0xfedc);
}

static const struct {
    const char *text;
    uint16_t hash16;
} ids[] = {
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.0000", 0 },
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.ffff", 0xffff },
    { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.00a1", 0xa1 },
    { "00000000-0000-0000-0000-000000000000.beef", 0xbeef },
};

static void redemption_ids_there_and_back(void **state)
{
    char text[REDEMPTION_ID_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct uuid id;
        uint16_t hash16 = 0x5555;
        assert_true(redemption_id_parse(ids[i].text, &id, &hash16));
        assert_int_equal(hash16, ids[i].hash16);
        redemption_id_format(&id, hash16, text);
        assert_string_equal(text, ids[i].text);
    }
}

static void every_hash_there_and_back(void **state)
{
    struct uuid id = { { 1, 2, 3 } }, back;
    char text[REDEMPTION_ID_TEXT];

    (void)state;
    for (uint32_t hash = 0; hash <= UINT16_MAX; hash++) {
        uint16_t hash16;
        redemption_id_format(&id, (uint16_t)hash, text);
        assert_true(redemption_id_parse(text, &back, &hash16));
        assert_true(hash16 == hash && uuid_compare(&id, &back) == 0);
    }
}

static void capitals_are_read_too(void **state)
{
    struct uuid id;
    uint16_t hash16;

    (void)state;
    assert_true(redemption_id_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F.ABCD", &id, &hash16));
    assert_int_equal(hash16, 0xabcd);
}

#define ID "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

static const struct {
    const char *story, *text;
} no_ids[] = {
    { "none", NULL },
    { "empty", "" },
    { "the uuid alone", ID },
    { "the point alone", ID "." },
    { "three digits", ID ".00a" },
    { "five digits", ID ".000a1" },
    { "no point", ID "000a1" },
    { "another sign", ID ":00a1" },
    { "a hexadecimal prefix", ID ".0x12" },
    { "a sign", ID ".+0a1" },
    { "a minus", ID ".-0a1" },
    { "a blank", ID ". 0a1" },
    { "the letter after f", ID ".00g1" },
    { "a line end", ID ".0a1\n" },
    { "something behind", ID ".00a1 " },
    { "a second id behind", ID ".00a1" ID ".00a1" },
    { "a uuid without dashes", "017f22e279b07cc398c4dc0c0c07398f0000.00a1" },
    { "a letter in the uuid", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g.00a1" },
    { "an injection", "' OR '1'='1" },
};

static void what_is_no_redemption_id_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_ids); i++) {
        struct uuid id;
        uint16_t hash16;
        if (redemption_id_parse(no_ids[i].text, &id, &hash16))
            fail_msg("%s", no_ids[i].story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_made_the_same_for_ever),
        cmocka_unit_test(a_member_is_routed_by_its_first_two_bytes),
        cmocka_unit_test(redemption_ids_there_and_back),
        cmocka_unit_test(every_hash_there_and_back),
        cmocka_unit_test(capitals_are_read_too),
        cmocka_unit_test(what_is_no_redemption_id_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
