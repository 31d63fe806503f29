/* tests/unit/test_wire.c -- every kind of value to PostgreSQL's bytes and back, and bytes that are none. */
#include "store/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    int16_t int16;
    int32_t int32;
    int64_t int64;
    bool boolean;
    const char *text;
    struct bytes bytes;
    struct uuid uuid;
    struct date date;
    struct instant instant;
    struct int64_array int64s;
    struct date_array dates;
    struct instant_array instants;
    struct uuid_array uuids;
    struct text_array texts;
};

static const struct column columns[] = {
    COLUMN(struct row, int16),   COLUMN(struct row, int32),  COLUMN(struct row, int64), COLUMN(struct row, boolean),
    COLUMN(struct row, text),    COLUMN(struct row, bytes),  COLUMN(struct row, uuid),  COLUMN(struct row, date),
    COLUMN(struct row, instant), COLUMN(struct row, int64s), COLUMN(struct row, dates), COLUMN(struct row, instants),
    COLUMN(struct row, uuids),   COLUMN(struct row, texts),
};

static const struct column *column_of(enum kind kind)
{
    for (size_t i = 0; i < COUNT(columns); i++) {
        if (columns[i].kind == kind)
            return &columns[i];
    }
    fail_msg("no column of kind %d", (int)kind);
    return NULL;
}

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        (const uint8_t *)(text), sizeof(text) - 1                                                                      \
    }

/* The bytes of PostgreSQL's own send functions, written by hand. */
static const struct {
    const char *story;
    enum kind kind;
    struct row row;
    struct bytes bytes;
} known[] = {
    { "int2", KIND_INT16, { .int16 = 0x0102 }, BYTES("\1\2") },
    { "int2, the least", KIND_INT16, { .int16 = INT16_MIN }, BYTES("\x80\0") },
    { "int4", KIND_INT32, { .int32 = 0x01020304 }, BYTES("\1\2\3\4") },
    { "int4, less than nothing", KIND_INT32, { .int32 = -1 }, BYTES("\377\377\377\377") },
    { "int8", KIND_INT64, { .int64 = INT64_C(0x0102030405060708) }, BYTES("\1\2\3\4\5\6\7\10") },
    { "int8, the least", KIND_INT64, { .int64 = INT64_MIN }, BYTES("\x80\0\0\0\0\0\0\0") },
    { "bool, yes", KIND_BOOL, { .boolean = true }, BYTES("\1") },
    { "bool, no", KIND_BOOL, { .boolean = false }, BYTES("\0") },
    { "text", KIND_TEXT, { .text = "\xe7\xa7\xaf z" }, BYTES("\xe7\xa7\xaf z") },
    { "text, empty", KIND_TEXT, { .text = "" }, BYTES("") },
    { "bytea", KIND_BYTES, { .bytes = BYTES("a\0b") }, BYTES("a\0b") },
    { "bytea, empty", KIND_BYTES, { .bytes = { NULL, 0 } }, BYTES("") },
    { "uuid", KIND_UUID, { .uuid = { "0123456789abcdef" } }, BYTES("0123456789abcdef") },
    { "date, 2000-01-01", KIND_DATE, { .date = { 10957 } }, BYTES("\0\0\0\0") },
    { "date, the epoch", KIND_DATE, { .date = { 0 } }, BYTES("\377\377\325\63") },
    { "timestamptz, 2000-01-01", KIND_INSTANT, { .instant = { INT64_C(946684800000000) } }, BYTES("\0\0\0\0\0\0\0\0") },
    { "timestamptz, a microsecond before",
      KIND_INSTANT,
      { .instant = { INT64_C(946684799999999) } },
      BYTES("\377\377\377\377\377\377\377\377") },
    { "no int8s", KIND_INT64_ARRAY, { .int64s = { NULL, 0 } }, BYTES("\0\0\0\0\0\0\0\0\0\0\0\24") },
    { "int8s",
      KIND_INT64_ARRAY,
      { .int64s = { (const int64_t[]){ 1, -1 }, 2 } },
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\24\0\0\0\2\0\0\0\1"
            "\0\0\0\10\0\0\0\0\0\0\0\1\0\0\0\10\377\377\377\377\377\377\377\377") },
    { "no dates", KIND_DATE_ARRAY, { .dates = { NULL, 0 } }, BYTES("\0\0\0\0\0\0\0\0\0\0\4\72") },
    { "dates",
      KIND_DATE_ARRAY,
      { .dates = { (const struct date[]){ { 10958 } }, 1 } },
      BYTES("\0\0\0\1\0\0\0\0\0\0\4\72\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\1") },
    { "no instants", KIND_INSTANT_ARRAY, { .instants = { NULL, 0 } }, BYTES("\0\0\0\0\0\0\0\0\0\0\4\240") },
    { "instants",
      KIND_INSTANT_ARRAY,
      { .instants = { (const struct instant[]){ { INT64_C(946684800000001) } }, 1 } },
      BYTES("\0\0\0\1\0\0\0\0\0\0\4\240\0\0\0\1\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\1") },
    { "no uuids", KIND_UUID_ARRAY, { .uuids = { NULL, 0 } }, BYTES("\0\0\0\0\0\0\0\0\0\0\13\206") },
    { "uuids",
      KIND_UUID_ARRAY,
      { .uuids = { (const struct uuid[]){ { "0123456789abcdef" } }, 1 } },
      BYTES("\0\0\0\1\0\0\0\0\0\0\13\206\0\0\0\1\0\0\0\1\0\0\0\20"
            "0123456789abcdef") },
    { "no texts", KIND_TEXT_ARRAY, { .texts = { NULL, 0 } }, BYTES("\0\0\0\0\0\0\0\0\0\0\0\31") },
    { "texts, an empty one too",
      KIND_TEXT_ARRAY,
      { .texts = { (const char *const[]){ "ab", "", "c" }, 3 } },
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\3\0\0\0\1\0\0\0\2"
            "ab\0\0\0\0\0\0\0\1c") },
};

static void values_become_the_bytes_of_postgresql(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        CLEANUP(wire_release) struct wire wire = { 0 };
        wire_put(&wire, column_of(known[i].kind), &known[i].row, NULL, NULL);
        assert_false(wire.failed);
        if (wire.size != known[i].bytes.size || (wire.size && memcmp(wire.at, known[i].bytes.at, wire.size) != 0))
            fail_msg("%s", known[i].story);
    }
}

/* Read from a block of their very size, so that a sanitizer sees a byte read too far. */
static bool get(enum kind kind, struct bytes bytes, struct row *row, struct arena *arena)
{
    uint8_t *exact = malloc(bytes.size + !bytes.size);

    assert_non_null(exact);
    memcpy(exact, bytes.at, bytes.size);
    bool ok = wire_get(column_of(kind), exact, bytes.size, row, arena);
    free(exact);
    return ok;
}

/* The comparison is by writing again what was read. */
static void bytes_become_values_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        CLEANUP(wire_release) struct wire again = { 0 };
        CLEANUP(arena_release) struct arena arena = { 0 };
        struct row row;
        memset(&row, 0x5a, sizeof row);
        if (!get(known[i].kind, known[i].bytes, &row, &arena))
            fail_msg("%s was refused", known[i].story);
        wire_put(&again, column_of(known[i].kind), &row, NULL, NULL);
        if (again.size != known[i].bytes.size || (again.size && memcmp(again.at, known[i].bytes.at, again.size) != 0))
            fail_msg("%s", known[i].story);
    }
}

static void every_shorter_or_longer_value_is_refused(void **state)
{
    uint8_t longer[128];

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        struct row row;
        if (known[i].kind == KIND_TEXT || known[i].kind == KIND_BYTES)
            continue;
        for (size_t size = 0; size < known[i].bytes.size; size++) {
            if (get(known[i].kind, (struct bytes){ known[i].bytes.at, size }, &row, &arena))
                fail_msg("%s was taken though cut after %zu bytes", known[i].story, size);
        }
        memset(longer, 0, sizeof longer);
        memcpy(longer, known[i].bytes.at, known[i].bytes.size);
        if (get(known[i].kind, (struct bytes){ longer, known[i].bytes.size + 1 }, &row, &arena))
            fail_msg("%s was taken with a byte behind it", known[i].story);
    }
}

static const struct {
    const char *story;
    enum kind kind;
    struct bytes bytes;
} malformed[] = {
    { "nothing at all", KIND_INT64_ARRAY, BYTES("") },
    { "two dimensions", KIND_INT64_ARRAY,
      BYTES("\0\0\0\2\0\0\0\0\0\0\0\24\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\1") },
    { "a negative dimension", KIND_INT64_ARRAY, BYTES("\377\377\377\377\0\0\0\0\0\0\0\24\0\0\0\0\0\0\0\1") },
    { "it may hold nulls", KIND_INT64_ARRAY,
      BYTES("\0\0\0\1\0\0\0\1\0\0\0\24\0\0\0\1\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\1") },
    { "it holds a null", KIND_INT64_ARRAY, BYTES("\0\0\0\1\0\0\0\0\0\0\0\24\0\0\0\1\0\0\0\1\377\377\377\377") },
    { "elements of another type", KIND_INT64_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\27\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\1") },
    { "no elements of another type", KIND_INT64_ARRAY, BYTES("\0\0\0\0\0\0\0\0\0\0\0\27") },
    { "bytes for texts", KIND_TEXT_ARRAY, BYTES("\0\0\0\1\0\0\0\0\0\0\0\21\0\0\0\1\0\0\0\1\0\0\0\1a") },
    { "a negative count", KIND_INT64_ARRAY, BYTES("\0\0\0\1\0\0\0\0\0\0\0\24\377\377\377\377\0\0\0\1") },
    { "the least count", KIND_INT64_ARRAY, BYTES("\0\0\0\1\0\0\0\0\0\0\0\24\x80\0\0\0\0\0\0\1") },
    { "a huge count", KIND_INT64_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\24\177\377\377\377\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\1") },
    { "a count of uuids past all memory", KIND_UUID_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\13\206\177\377\377\377\0\0\0\1\0\0\0\20"
            "0123456789abcdef") },
    { "one more than there are", KIND_INT64_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\1") },
    { "one fewer than there are", KIND_TEXT_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\1\0\0\0\1\0\0\0\1a\0\0\0\1b") },
    { "an element longer than the rest", KIND_TEXT_ARRAY, BYTES("\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\1\0\0\0\1\0\0\0\2a") },
    { "an element of a huge length", KIND_TEXT_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\1\0\0\0\1\177\377\377\377a") },
    { "an element of a negative length", KIND_TEXT_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\1\0\0\0\1\377\377\377\376a") },
    { "an element of another size", KIND_INT64_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\24\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\1") },
    { "no dimension, but elements", KIND_INT64_ARRAY,
      BYTES("\0\0\0\0\0\0\0\0\0\0\0\24\0\0\0\1\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\1") },
    { "date infinity", KIND_DATE, BYTES("\177\377\377\377") },
    { "date -infinity", KIND_DATE, BYTES("\x80\0\0\0") },
    { "timestamptz infinity", KIND_INSTANT, BYTES("\177\377\377\377\377\377\377\377") },
    { "timestamptz -infinity", KIND_INSTANT, BYTES("\x80\0\0\0\0\0\0\0") },
    { "a date infinity among others", KIND_DATE_ARRAY,
      BYTES("\0\0\0\1\0\0\0\0\0\0\4\72\0\0\0\1\0\0\0\1\0\0\0\4\177\377\377\377") },
};

static void malformed_bytes_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        struct row row = { 0 };
        if (get(malformed[i].kind, malformed[i].bytes, &row, &arena))
            fail_msg("%s was taken", malformed[i].story);
        assert_int_equal(row.int64s.count + row.uuids.count + row.texts.count + row.dates.count, 0);
    }
}

/* Whatever single byte of an array goes wrong: refused, or a whole array of the same size, and never a wild read. */
static void any_wrong_byte_is_survived(void **state)
{
    uint8_t wrong[128];

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        for (size_t at = 0; at < known[i].bytes.size; at++) {
            for (int flip = 1; flip < 256; flip++) {
                CLEANUP(arena_release) struct arena arena = { .limit = 1 << 20 };
                struct row row = { 0 };
                memcpy(wrong, known[i].bytes.at, known[i].bytes.size);
                wrong[at] ^= (uint8_t)flip;
                (void)!get(known[i].kind, (struct bytes){ wrong, known[i].bytes.size }, &row, &arena);
                assert_true(row.texts.count <= 3 && row.int64s.count <= 2 && row.uuids.count <= 1);
            }
        }
    }
}

static void no_memory_is_a_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        struct arena arena = { .limit = 1 };
        struct row row = { 0 };
        bool needs_some = known[i].row.int64s.count || known[i].row.dates.count || known[i].row.instants.count ||
                          known[i].row.uuids.count || known[i].row.texts.count || known[i].bytes.size > 1;
        assert_non_null(arena_alloc(&arena, 1));
        if ((known[i].kind >= KIND_INT64_ARRAY || known[i].kind == KIND_TEXT || known[i].kind == KIND_BYTES) &&
            needs_some && known[i].bytes.size != 12)
            assert_false(get(known[i].kind, known[i].bytes, &row, &arena));
        arena_release(&arena);
    }
}

static void what_is_read_outlives_the_bytes(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct row row;

    (void)state;
    assert_true(get(KIND_TEXT, (struct bytes)BYTES("abc"), &row, &arena));
    assert_string_equal(row.text, "abc");
    assert_true(get(KIND_BYTES, (struct bytes)BYTES(""), &row, &arena));
    assert_int_equal(row.bytes.size, 0);
    assert_non_null(row.bytes.at);
    const struct bytes texts = BYTES("\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\2\0\0\0\1\0\0\0\2"
                                     "ab\0\0\0\0");
    assert_true(get(KIND_TEXT_ARRAY, texts, &row, &arena));
    assert_int_equal(row.texts.count, 2);
    assert_string_equal(row.texts.at[0], "ab");
    assert_string_equal(row.texts.at[1], "");
}

static void no_text_is_an_empty_one(void **state)
{
    CLEANUP(wire_release) struct wire wire = { 0 };
    const struct row row = { 0 };

    (void)state;
    wire_put(&wire, column_of(KIND_TEXT), &row, NULL, NULL);
    assert_int_equal(wire.size, 0);
    assert_false(wire.failed);
}

/* Composite types */

struct lot_row {
    struct date expires_on;
    int64_t points;
    struct int64_array parts;
};

static const struct column lot_columns[] = { COLUMN(struct lot_row, expires_on), COLUMN(struct lot_row, points),
                                             COLUMN(struct lot_row, parts) };
static const struct record_type lot_type = { "lot_row", lot_columns, COUNT(lot_columns), sizeof(struct lot_row) };

struct params {
    struct record_array lots;
};

static const struct column lots_column = RECORDS(struct params, lots, &lot_type);

static uint32_t look_up(void *owner, const struct record_type *record)
{
    assert_ptr_equal(record, &lot_type);
    return *(uint32_t *)owner;
}

static void records_go_as_arrays_of_a_composite_type(void **state)
{
    static const char expected[] = "\0\0\0\1\0\0\0\0\0\1\2\3\0\0\0\2\0\0\0\1"
                                   /* length, 3 fields; date, int8, int8[] */
                                   "\0\0\0\64\0\0\0\3\0\0\4\72\0\0\0\4\0\0\0\1\0\0\0\24\0\0\0\10\0\0\0\0\0\0\0\7"
                                   "\0\0\3\370\0\0\0\14\0\0\0\0\0\0\0\0\0\0\0\24"
                                   "\0\0\0\110\0\0\0\3\0\0\4\72\0\0\0\4\0\0\0\2\0\0\0\24\0\0\0\10\0\0\0\0\0\0\0\10"
                                   "\0\0\3\370\0\0\0\40\0\0\0\1\0\0\0\0\0\0\0\24\0\0\0\1\0\0\0\1"
                                   "\0\0\0\10\0\0\0\0\0\0\0\11";
    static const int64_t parts[] = { 9 };
    const struct lot_row lots[] = { { { 10958 }, 7, { NULL, 0 } }, { { 10959 }, 8, { parts, 1 } } };
    const struct params params = { { lots, 2 } };
    CLEANUP(wire_release) struct wire wire = { 0 };
    uint32_t oid = 0x010203;

    (void)state;
    wire_put(&wire, &lots_column, &params, look_up, &oid);
    assert_int_equal(wire.size, sizeof expected - 1);
    assert_memory_equal(wire.at, expected, sizeof expected - 1);
}

static void no_records_are_an_empty_array(void **state)
{
    const struct params params = { { NULL, 0 } };
    CLEANUP(wire_release) struct wire wire = { 0 };
    uint32_t oid = 0x010203;

    (void)state;
    wire_put(&wire, &lots_column, &params, look_up, &oid);
    assert_int_equal(wire.size, 12);
    assert_memory_equal(wire.at, "\0\0\0\0\0\0\0\0\0\1\2\3", 12);
}

static void records_are_parameters_only(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct params params = { { NULL, 0 } };

    (void)state;
    assert_false(wire_get(&lots_column, (const uint8_t *)"\0\0\0\0\0\0\0\0\0\1\2\3", 12, &params, &arena));
}

static void a_buffer_grows_and_keeps_what_it_has(void **state)
{
    CLEANUP(wire_release) struct wire wire = { 0 };
    static char large[10000];

    (void)state;
    memset(large, 'x', sizeof large);
    for (int64_t i = 0; i < 20000; i++)
        wire_put(&wire, column_of(KIND_INT64), &(struct row){ .int64 = i }, NULL, NULL);
    wire_put(&wire, column_of(KIND_BYTES), &(struct row){ .bytes = { (uint8_t *)large, sizeof large } }, NULL, NULL);
    assert_int_equal(wire.size, 20000 * 8 + sizeof large);
    for (int64_t i = 0; i < 20000; i++) {
        struct row row;
        assert_true(wire_get(column_of(KIND_INT64), wire.at + 8 * i, 8, &row, NULL));
        assert_true(row.int64 == i);
    }
    assert_memory_equal(wire.at + 20000 * 8, large, sizeof large);
    wire_release(&wire);
    assert_null(wire.at);
}

/* pg_type.dat of PostgreSQL 15. */
static const struct {
    enum kind kind;
    uint32_t oid;
} oids[] = {
    { KIND_INT16, 21 },
    { KIND_INT32, 23 },
    { KIND_INT64, 20 },
    { KIND_BOOL, 16 },
    { KIND_TEXT, 25 },
    { KIND_BYTES, 17 },
    { KIND_UUID, 2950 },
    { KIND_PLACE, 27 },
    { KIND_DATE, 1082 },
    { KIND_INSTANT, 1184 },
    { KIND_INT64_ARRAY, 1016 },
    { KIND_DATE_ARRAY, 1182 },
    { KIND_INSTANT_ARRAY, 1185 },
    { KIND_UUID_ARRAY, 2951 },
    { KIND_TEXT_ARRAY, 1009 },
    { KIND_RECORD_ARRAY, 0 },
};

static void kinds_have_the_oids_of_postgresql(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(oids); i++)
        assert_int_equal(wire_oid(oids[i].kind), oids[i].oid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_the_bytes_of_postgresql),
        cmocka_unit_test(bytes_become_values_again),
        cmocka_unit_test(every_shorter_or_longer_value_is_refused),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(any_wrong_byte_is_survived),
        cmocka_unit_test(no_memory_is_a_refusal),
        cmocka_unit_test(what_is_read_outlives_the_bytes),
        cmocka_unit_test(no_text_is_an_empty_one),
        cmocka_unit_test(records_go_as_arrays_of_a_composite_type),
        cmocka_unit_test(no_records_are_an_empty_array),
        cmocka_unit_test(records_are_parameters_only),
        cmocka_unit_test(a_buffer_grows_and_keeps_what_it_has),
        cmocka_unit_test(kinds_have_the_oids_of_postgresql),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
