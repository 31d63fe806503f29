/* tests/unit/test_decode.c -- messages that would hurt protobuf-c, each refused before it sees them. */
#include "rpc/decode.h"

#include "base/limits.h"

#include "alliance/v1/bank_service.pb-c.h"
#include "alliance/v1/diagnostics_service.pb-c.h"
#include "alliance/v1/operator_service.pb-c.h"
#include "google/protobuf/descriptor.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define BALANCE  &alliance__v1__get_balance_request__descriptor
#define MEMBERS  &alliance__v1__push_members_request__descriptor
#define MERCHANT &alliance__v1__register_merchant_request__descriptor
#define PING     &alliance__v1__ping_request__descriptor
#define RULES    &alliance__v1__exchange_rules__descriptor

/* The reason, and the field into field when that is wanted; what memory it took into used. */
static enum reason decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size, char *field,
                          size_t *used)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    ProtobufCMessage *message = NULL;
    struct error err = { .field = "from before" };
    /* A copy of the exact size, so that a sanitizer sees a byte read too many. */
    uint8_t *copy = malloc(size ? size : 1);

    memcpy(copy, bytes, size);
    bool good = decode_message(type, copy, size, &arena, &message, &err);
    free(copy);
    assert_int_equal(good, message != NULL);
    if (field)
        strcpy(field, err.field);
    if (used)
        *used = arena.used;
    return good ? REASON_OK : err.reason;
}

static const struct {
    const char *story;
    const ProtobufCMessageDescriptor *type;
    const char *bytes;
    size_t size;
    enum reason expected;
    const char *field;
} cases[] = {
    { "nothing at all", BALANCE, "", 0, REASON_OK, "" },
    { "two texts", BALANCE,
      "\x0a\x01"
      "a"
      "\x12\x01"
      "b",
      6, REASON_OK, "" },
    { "the last of two equal texts counts", BALANCE,
      "\x0a\x01"
      "a"
      "\x0a\x01"
      "b",
      6, REASON_OK, "" },
    { "UTF-8 of four bytes", BALANCE, "\x0a\x04\xf0\x9f\x92\xb3", 6, REASON_OK, "" },
    { "bytes may be anything", PING, "\x0a\x03\x00\xff\xfe", 5, REASON_OK, "" },
    { "a field from the future", BALANCE, "\x7a\x02\xff\x00", 4, REASON_OK, "" },
    { "cut after a key", BALANCE, "\x0a", 1, REASON_MESSAGE_MALFORMED, "bank_id" },
    { "cut in a text", BALANCE,
      "\x0a\x05"
      "ab",
      4, REASON_MESSAGE_MALFORMED, "bank_id" },
    { "cut in a key", BALANCE, "\x8a", 1, REASON_MESSAGE_MALFORMED, "" },
    { "a length near 2^64", BALANCE, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, REASON_MESSAGE_MALFORMED,
      "bank_id" },
    { "a varint of eleven bytes", BALANCE, "\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12,
      REASON_MESSAGE_MALFORMED, "" },
    { "a key past 32 bits", BALANCE, "\x80\x80\x80\x80\x80\x01", 6, REASON_MESSAGE_MALFORMED, "" },
    { "field number 0", BALANCE, "\x02\x00", 2, REASON_MESSAGE_MALFORMED, "" },
    { "a group", BALANCE, "\x7b\x7c", 2, REASON_MESSAGE_MALFORMED, "" },
    { "wire type 7", BALANCE, "\x7f\x00", 2, REASON_MESSAGE_MALFORMED, "" },
    { "eight bytes that are seven", BALANCE,
      "\x79"
      "1234567",
      8, REASON_MESSAGE_MALFORMED, "" },
    { "four bytes that are three", BALANCE,
      "\x7d"
      "123",
      4, REASON_MESSAGE_MALFORMED, "" },
    { "a number for a text", BALANCE, "\x08\x01", 2, REASON_MESSAGE_MALFORMED, "" },
    { "NUL in a text", BALANCE,
      "\x0a\x03"
      "a\0b",
      5, REASON_MESSAGE_MALFORMED, "bank_id" },
    { "NUL at the end of a text", BALANCE,
      "\x0a\x02"
      "a\0",
      4, REASON_MESSAGE_MALFORMED, "bank_id" },
    { "Latin-1", BALANCE,
      "\x12\x02\xe9"
      "a",
      4, REASON_MESSAGE_MALFORMED, "member_ref" },
    { "overlong", BALANCE, "\x12\x02\xc0\xaf", 4, REASON_MESSAGE_MALFORMED, "member_ref" },
    { "a surrogate", BALANCE, "\x12\x03\xed\xa0\x80", 5, REASON_MESSAGE_MALFORMED, "member_ref" },
    { "a character cut at the end", BALANCE, "\x12\x02\xe4\xb8", 4, REASON_MESSAGE_MALFORMED, "member_ref" },
    { "bad text deep inside", MEMBERS, "\x12\x05\x12\x03\x0a\x01\xff", 7, REASON_MESSAGE_MALFORMED,
      "rows.member.member_ref" },
    { "rows may come often", MEMBERS, "\x12\x00\x12\x00\x12\x00", 6, REASON_OK, "" },
    { "a merchant only once", MERCHANT, "\x0a\x00\x0a\x00", 4, REASON_MESSAGE_MALFORMED, "merchant" },
    { "also when others stand between", RULES, "\x1a\x00\x42\x00\x1a\x00", 6, REASON_MESSAGE_MALFORMED,
      "effective_from" },
};

static void each_case_is_decided(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char field[ERROR_FIELD_MAX];
        enum reason reason = decode(cases[i].type, cases[i].bytes, cases[i].size, field, NULL);
        if (reason != cases[i].expected)
            fail_msg("%s: %s", cases[i].story, reason_name(reason));
        if (strcmp(field, cases[i].field) != 0)
            fail_msg("%s: field \"%s\"", cases[i].story, field);
    }
}

static void a_good_message_comes_back_whole(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    Alliance__V1__Member member = ALLIANCE__V1__MEMBER__INIT;
    Alliance__V1__MemberRow row = ALLIANCE__V1__MEMBER_ROW__INIT, *rows[ROWS_MAX];
    Alliance__V1__PushMembersRequest request = ALLIANCE__V1__PUSH_MEMBERS_REQUEST__INIT;
    ProtobufCMessage *message = NULL;
    struct error err = { 0 };
    char *tokens[CARD_TOKENS_MAX];

    (void)state;
    for (size_t i = 0; i < CARD_TOKENS_MAX; i++)
        tokens[i] = (char *)(uintptr_t) "token_0123456789012345678901234567890123456789012345678901234567";
    for (size_t i = 0; i < ROWS_MAX; i++)
        rows[i] = &row;
    member.member_ref = (char *)(uintptr_t) "会员-1";
    member.credit_limit = -1;
    member.n_card_tokens = 28;
    member.card_tokens = tokens;
    row.member = &member;
    row.row_number = INT64_MIN;
    request.bank_id = (char *)(uintptr_t) "a";
    request.n_rows = ROWS_MAX; /* the largest message the contract allows must not meet the bound */
    request.rows = rows;
    size_t size = protobuf_c_message_get_packed_size(&request.base);
    uint8_t *bytes = malloc(size), *again = malloc(size);
    protobuf_c_message_pack(&request.base, bytes);
    assert_true(decode_message(MEMBERS, bytes, size, &arena, &message, &err));
    assert_int_equal(protobuf_c_message_get_packed_size(message), size);
    protobuf_c_message_pack(message, again);
    assert_memory_equal(again, bytes, size);
    free(again);
    free(bytes);
}

static void every_cut_of_a_good_message_is_harmless(void **state)
{
    static const char good[] = "\x0a\x01"
                               "a\x12\x0b\x08\x07\x12\x07\x0a\x01"
                               "b\x22\x02xy";
    enum { SIZE = sizeof good - 1 };

    (void)state;
    assert_int_equal(decode(MEMBERS, good, SIZE, NULL, NULL), REASON_OK);
    for (size_t size = 0; size < SIZE; size++) {
        enum reason reason = decode(MEMBERS, good, size, NULL, NULL);
        assert_int_equal(reason, size == 0 || size == 3 ? REASON_OK : REASON_MESSAGE_MALFORMED);
    }
}

/* `levels` messages, each the nested_type (field 3) of the one around it. */
static uint8_t *nest(int levels, size_t *size)
{
    size_t room = (size_t)levels * 5 + 1;
    uint8_t *bytes = malloc(room), *end = bytes + room, *at = end;

    for (int level = 1; level < levels; level++) {
        uint8_t length[5];
        size_t count = 0;
        for (size_t rest = (size_t)(end - at); count == 0 || rest; rest >>= 7)
            length[count++] = (uint8_t)((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
        at -= count;
        memcpy(at, length, count);
        *--at = 0x1a;
    }
    *size = (size_t)(end - at);
    memmove(bytes, at, *size);
    return bytes;
}

static enum reason decode_nested(int levels)
{
    size_t size;
    uint8_t *bytes = nest(levels, &size);
    enum reason reason = decode(&google__protobuf__descriptor_proto__descriptor, bytes, size, NULL, NULL);

    free(bytes);
    return reason;
}

static void nesting_ends_at_the_limit(void **state)
{
    (void)state;
    assert_int_equal(decode_nested(NESTING_MAX), REASON_OK);
    assert_int_equal(decode_nested(NESTING_MAX + 1), REASON_MESSAGE_MALFORMED);
    assert_int_equal(decode_nested(100000), REASON_MESSAGE_MALFORMED); /* would overflow the stack */
}

/* `unit` again and again, up to MESSAGE_MAX bytes. */
static enum reason decode_repeated(const ProtobufCMessageDescriptor *type, const char *unit, size_t unit_size,
                                   size_t *used)
{
    size_t count = MESSAGE_MAX / unit_size;
    uint8_t *bytes = malloc(count * unit_size);

    for (size_t i = 0; i < count; i++)
        memcpy(bytes + i * unit_size, unit, unit_size);
    enum reason reason = decode(type, bytes, count * unit_size, NULL, used);
    free(bytes);
    return reason;
}

static void memory_is_bounded_however_it_is_asked_for(void **state)
{
    static const struct {
        const char *story;
        const ProtobufCMessageDescriptor *type;
        const char *unit;
        size_t size;
    } blowups[] = {
        { "empty sub-messages", MEMBERS, "\x12\x00", 2 },
        { "empty texts", &alliance__v1__member__descriptor, "\x22\x00", 2 },
        { "unknown numbers", BALANCE, "\x78\x00", 2 },
        { "unknown texts", BALANCE, "\x7a\x00", 2 },
        { "packed numbers", &google__protobuf__file_descriptor_proto__descriptor, "\x50\x01", 2 },
        { "the same text again", BALANCE,
          "\x0a\x01"
          "a",
          3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(blowups); i++) {
        size_t used;
        enum reason reason = decode_repeated(blowups[i].type, blowups[i].unit, blowups[i].size, &used);
        if (reason != REASON_MESSAGE_MALFORMED || used != 0)
            fail_msg("%s: %s after %zu bytes", blowups[i].story, reason_name(reason), used);
    }
}

/* What is let through never takes more than was budgeted: the charge is an upper bound of what protobuf-c does. */
static void what_is_accepted_stays_within_the_budget(void **state)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *unit;
        size_t size;
    } units[] = {
        { MEMBERS, "\x12\x00", 2 },
        { &alliance__v1__member__descriptor,
          "\x22\x01"
          "a",
          3 },
        { BALANCE, "\x78\x00", 2 },
        { BALANCE,
          "\x7a\x01"
          "a",
          3 },
        { BALANCE,
          "\x0a\x01"
          "a",
          3 },
        { &google__protobuf__file_descriptor_proto__descriptor, "\x50\x01", 2 },
        { &google__protobuf__file_descriptor_proto__descriptor,
          "\x52\x08"
          "12345678",
          10 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(units); i++) {
        size_t accepted = 0;
        for (size_t count = 1; count < MESSAGE_MAX / 2; count *= 2) {
            size_t size = count * units[i].size, used;
            uint8_t *bytes = malloc(size);
            for (size_t k = 0; k < count; k++)
                memcpy(bytes + k * units[i].size, units[i].unit, units[i].size);
            if (decode(units[i].type, bytes, size, NULL, &used) == REASON_OK)
                accepted = count;
            assert_true(used <= DECODE_MAX);
            free(bytes);
        }
        assert_true(accepted >= 1024); /* the bound does not bite where it should not */
    }
}

static void a_message_too_large_says_so(void **state)
{
    uint8_t *bytes = calloc(1, MESSAGE_MAX + 1);
    static const uint8_t head[] = { 0x0a, 0xfc, 0xff, 0x3f }; /* payload of MESSAGE_MAX - 4 bytes */

    (void)state;
    memcpy(bytes, head, sizeof head);
    assert_int_equal(decode(PING, bytes, MESSAGE_MAX, NULL, NULL), REASON_OK);
    assert_int_equal(decode(PING, bytes, MESSAGE_MAX + 1, NULL, NULL), REASON_MESSAGE_TOO_LARGE);
    free(bytes);
}

/* `size` zero bytes, compressed; malloc'd. */
static uint8_t *deflate_zeros(size_t size, int window, size_t *compressed)
{
    uint8_t *zeros = calloc(1, size + 1), *out = malloc(size / 500 + 4096);
    z_stream stream = { .next_in = zeros, .avail_in = (uInt)size, .next_out = out };

    stream.avail_out = (uInt)(size / 500 + 4096);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *compressed = stream.total_out;
    deflateEnd(&stream);
    free(zeros);
    return out;
}

static enum reason inflate_zeros(size_t size, int window, enum decode_coding coding)
{
    size_t compressed, got;
    uint8_t *bytes = deflate_zeros(size, window, &compressed), *out;
    struct error err = { 0 };
    bool good = decode_inflate(coding, bytes, compressed, &out, &got, &err);

    assert_int_equal(good, out != NULL);
    assert_int_equal(got, good ? size : 0);
    free(out);
    free(bytes);
    return good ? REASON_OK : err.reason;
}

static void inflating_ends_at_the_limit(void **state)
{
    (void)state;
    assert_int_equal(inflate_zeros(0, 31, DECODE_GZIP), REASON_OK);
    assert_int_equal(inflate_zeros(1, 31, DECODE_GZIP), REASON_OK);
    assert_int_equal(inflate_zeros(4096, 31, DECODE_GZIP), REASON_OK);
    assert_int_equal(inflate_zeros(MESSAGE_MAX, 31, DECODE_GZIP), REASON_OK);
    assert_int_equal(inflate_zeros(MESSAGE_MAX + 1, 31, DECODE_GZIP), REASON_MESSAGE_TOO_LARGE);
    assert_int_equal(inflate_zeros(64 * MESSAGE_MAX, 31, DECODE_GZIP), REASON_MESSAGE_TOO_LARGE);
    assert_int_equal(inflate_zeros(MESSAGE_MAX, 15, DECODE_DEFLATE), REASON_OK);
    assert_int_equal(inflate_zeros(MESSAGE_MAX + 1, 15, DECODE_DEFLATE), REASON_MESSAGE_TOO_LARGE);
    assert_int_equal(inflate_zeros(100, 15, DECODE_GZIP), REASON_MESSAGE_MALFORMED); /* not what it says it is */
}

static void damaged_compression_is_malformed(void **state)
{
    size_t size, got;
    uint8_t *bytes = deflate_zeros(100000, 31, &size), *out;
    struct error err = { 0 };

    (void)state;
    for (size_t cut = 0; cut < size; cut++) {
        assert_false(decode_inflate(DECODE_GZIP, bytes, cut, &out, &got, &err));
        assert_int_equal(err.reason, REASON_MESSAGE_MALFORMED);
        assert_null(out);
    }
    bytes[size - 6] ^= 1; /* the checksum */
    assert_false(decode_inflate(DECODE_GZIP, bytes, size, &out, &got, &err));
    assert_int_equal(err.reason, REASON_MESSAGE_MALFORMED);
    free(bytes);
}

static void nothing_may_follow_the_compressed_message(void **state)
{
    size_t size, got;
    uint8_t *bytes = deflate_zeros(1000, 31, &size), *out;
    struct error err = { 0 };

    (void)state;
    bytes = realloc(bytes, 2 * size);
    memcpy(bytes + size, bytes, size);
    for (size_t more = 1; more <= size; more++) {
        assert_false(decode_inflate(DECODE_GZIP, bytes, size + more, &out, &got, &err));
        assert_int_equal(err.reason, REASON_MESSAGE_MALFORMED);
        assert_null(out);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_is_decided),
        cmocka_unit_test(a_good_message_comes_back_whole),
        cmocka_unit_test(every_cut_of_a_good_message_is_harmless),
        cmocka_unit_test(nesting_ends_at_the_limit),
        cmocka_unit_test(memory_is_bounded_however_it_is_asked_for),
        cmocka_unit_test(what_is_accepted_stays_within_the_budget),
        cmocka_unit_test(a_message_too_large_says_so),
        cmocka_unit_test(inflating_ends_at_the_limit),
        cmocka_unit_test(damaged_compression_is_malformed),
        cmocka_unit_test(nothing_may_follow_the_compressed_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
