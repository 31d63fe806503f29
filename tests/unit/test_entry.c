/* tests/unit/test_entry.c -- the bytes a hash covers: their number, their layout, and that nothing is left out. */
#include "domain/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

/* Each field has bytes of its own: 0x11 repeated, 0x12 repeated, ... */
static const struct entry sample = {
    .member_id = { { 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11 } },
    .seq = INT64_C(0x1212121212121212),
    .business_date = { 0x13131313 },
    .at = { INT64_C(0x1414141414141414) },
    .kind = 0x1515,
    .points = INT64_C(0x1616161616161616),
    .available_after = INT64_C(0x1717171717171717),
    .held_after = INT64_C(0x1818181818181818),
    .credit_used_after = INT64_C(0x1919191919191919),
    .credit_limit_after = INT64_C(0x1a1a1a1a1a1a1a1a),
    .ref = { { 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b } },
    .redemption_id = { { 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c, 0x1c,
                         0x1c } },
    .programme_no = 0x1d1d1d1d,
    .bank_no = 0x1e1e1e1e,
    .merchant_no = 0x1f1f1f1f,
    .store_no = 0x20202020,
    .rules_version = 0x21212121,
    .terms_version = 0x22222222,
    .currency = { 0x23, 0x23, 0x23, 0x23 },
    .gross_minor = INT64_C(0x2424242424242424),
    .commission_minor = INT64_C(0x2525252525252525),
    .pending_after = INT64_C(0x2626262626262626),
    .first_lot = 7,
    .lot_count = 9,
};

#define FIELD(field)                                                                                                   \
    {                                                                                                                  \
#field, offsetof(struct entry, field), sizeof sample.field                                                     \
    }

/* In the order of the bytes. */
static const struct {
    const char *name;
    size_t offset, size;
} fields[] = {
    FIELD(member_id),
    FIELD(seq),
    FIELD(business_date),
    FIELD(at),
    FIELD(kind),
    FIELD(points),
    FIELD(available_after),
    FIELD(held_after),
    FIELD(credit_used_after),
    FIELD(credit_limit_after),
    FIELD(ref),
    FIELD(redemption_id),
    FIELD(programme_no),
    FIELD(bank_no),
    FIELD(merchant_no),
    FIELD(store_no),
    FIELD(rules_version),
    FIELD(terms_version),
    FIELD(currency),
    FIELD(gross_minor),
    FIELD(commission_minor),
};

static void fields_lie_one_behind_the_other(void **state)
{
    uint8_t out[ENTRY_BYTES + 1];
    size_t at = 0;

    (void)state;
    out[ENTRY_BYTES] = 0xee;
    entry_encode(&sample, out);
    for (size_t i = 0; i < COUNT(fields); i++) {
        for (size_t j = 0; j < fields[i].size; j++, at++) {
            if (out[at] != 0x11 + i)
                fail_msg("byte %zu is not of %s", at, fields[i].name);
        }
    }
    assert_int_equal(at, ENTRY_BYTES);
    assert_int_equal(out[ENTRY_BYTES], 0xee);
}

/* A byte of a field changed in memory changes exactly one byte of what is hashed. */
static void every_byte_of_every_field_counts(void **state)
{
    uint8_t before[ENTRY_BYTES], after[ENTRY_BYTES];

    (void)state;
    entry_encode(&sample, before);
    for (size_t i = 0; i < COUNT(fields); i++) {
        for (size_t j = 0; j < fields[i].size; j++) {
            struct entry changed = sample;
            ((uint8_t *)&changed)[fields[i].offset + j] ^= 0x80;
            entry_encode(&changed, after);
            size_t differences = 0;
            for (size_t k = 0; k < ENTRY_BYTES; k++)
                differences += before[k] != after[k];
            if (differences != 1)
                fail_msg("%s, byte %zu: %zu differences", fields[i].name, j, differences);
        }
    }
}

/* A field added to the struct must be added here and to what is hashed. */
static void no_field_is_left_out(void **state)
{
    size_t size = sizeof sample.hash + sizeof sample.pending_after + sizeof sample.first_lot + sizeof sample.lot_count;
    const size_t others = size;

    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++)
        size += fields[i].size;
    assert_int_equal(size, ENTRY_BYTES + others);
    assert_true(sizeof sample - size < 2 * sizeof(int64_t)); /* padding */
}

/* What came with migration 0003 is hashed behind the old bytes, so that old entries keep their hashes. */
static void later_fields_have_bytes_of_their_own(void **state)
{
    uint8_t before[ENTRY_BYTES], after[ENTRY_BYTES], pending[9] = { [8] = 0xee };
    struct entry changed = sample;

    (void)state;
    entry_encode_pending(&sample, pending);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pending[i], 0x26);
    assert_int_equal(pending[8], 0xee);
    changed.pending_after = INT64_C(0x0102030405060708);
    changed.first_lot = changed.lot_count = 1;
    entry_encode_pending(&changed, pending);
    for (uint8_t i = 0; i < 8; i++)
        assert_int_equal(pending[i], i + 1);
    entry_encode(&sample, before);
    entry_encode(&changed, after);
    assert_memory_equal(before, after, ENTRY_BYTES);
}

static void the_hash_itself_is_not_covered(void **state)
{
    uint8_t before[ENTRY_BYTES], after[ENTRY_BYTES];
    struct entry changed = sample;

    (void)state;
    memset(changed.hash, 0xff, sizeof changed.hash);
    entry_encode(&sample, before);
    entry_encode(&changed, after);
    assert_memory_equal(before, after, ENTRY_BYTES);
}

static const struct {
    const char *story;
    int64_t points;
    uint8_t bytes[8];
} numbers[] = {
    { "big-endian", INT64_C(0x0102030405060708), { 1, 2, 3, 4, 5, 6, 7, 8 } },
    { "one", 1, { 0, 0, 0, 0, 0, 0, 0, 1 } },
    { "less than nothing", -1, { 255, 255, 255, 255, 255, 255, 255, 255 } },
    { "the least", INT64_MIN, { 128, 0, 0, 0, 0, 0, 0, 0 } },
};

static void numbers_are_big_endian(void **state)
{
    uint8_t out[ENTRY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct entry entry = { .points = numbers[i].points };
        entry_encode(&entry, out);
        if (memcmp(out + 16 + 8 + 4 + 8 + 2, numbers[i].bytes, 8) != 0)
            fail_msg("%s", numbers[i].story);
    }
}

static const struct {
    int kind;
    const char *name, *from, *to;
} kinds[] = {
    { 1, "MEMBER", "none", "none" },
    { 2, "ACCRUE", "issuer.issued", "member.available" },
    { 3, "HOLD", "member.available", "member.held" },
    { 4, "CONFIRM", "member.held", "clearing.redeemed" },
    { 5, "CANCEL", "member.held", "member.available" },
    { 6, "LAPSE", "member.held", "member.available" },
    { 7, "RELEASE", "member.held", "member.available" },
    { 8, "REVERSE", "clearing.redeemed", "member.available" },
    { 9, "EXPIRE", "member.available", "lapsed.expired" },
    { 10, "FORFEIT", "member.available", "lapsed.forfeited" },
    { 11, "PEND", "issuer.issued", "member.pending" },
    { 12, "MATURE", "member.pending", "member.available" },
    { 13, "CLAWBACK", "member.available", "issuer.issued" },
    { 14, "CLAWBACK_PENDING", "member.pending", "issuer.issued" },
    { 15, "ADJUST_ADD", "issuer.adjusted", "member.available" },
    { 16, "ADJUST_TAKE", "member.available", "issuer.adjusted" },
    { 17, "TRANSFER_OUT", "member.available", "clearing.transfer" },
    { 18, "TRANSFER_IN", "clearing.transfer", "member.available" },
    { 19, "TRANSFER_BACK", "clearing.transfer", "member.available" },
    { 20, "REINSTATE", "lapsed.expired", "member.available" },
    { 21, "CLOSE", "member.available", "lapsed.closed" },
    { 22, "CLOSE_PENDING", "member.pending", "lapsed.closed" },
    { 23, "PENDING_OUT", "member.pending", "clearing.transfer" },
    { 24, "PENDING_IN", "clearing.transfer", "member.pending" },
    { 25, "CREDIT_OUT", "clearing.transfer", "member.available" },
    { 26, "CREDIT_IN", "member.available", "clearing.transfer" },
    { 27, "REOPEN", "lapsed.closed", "member.available" },
    { 28, "REOPEN_PENDING", "lapsed.closed", "member.pending" },
    { 0, "?", "none", "none" },
    { ENTRY_KIND_COUNT, "?", "none", "none" },
    { -1, "?", "none", "none" },
    { INT32_MAX, "?", "none", "none" },
};

/* Numbers are stored: the table is written out here so that nobody renumbers them unnoticed. */
static void kinds_have_their_numbers_for_ever(void **state)
{
    (void)state;
    assert_int_equal(ENTRY_KIND_COUNT, 29);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        enum ledger_account from, to;
        entry_accounts(kinds[i].kind, &from, &to);
        assert_string_equal(entry_kind_name(kinds[i].kind), kinds[i].name);
        assert_string_equal(ledger_account_name(from), kinds[i].from);
        assert_string_equal(ledger_account_name(to), kinds[i].to);
        assert_int_equal(from == to, from == LEDGER_NONE);
    }
    assert_string_equal(ledger_account_name(LEDGER_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_lie_one_behind_the_other),
        cmocka_unit_test(every_byte_of_every_field_counts),
        cmocka_unit_test(no_field_is_left_out),
        cmocka_unit_test(later_fields_have_bytes_of_their_own),
        cmocka_unit_test(the_hash_itself_is_not_covered),
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(kinds_have_their_numbers_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
