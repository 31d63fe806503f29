/* tests/unit/test_packed.c -- what is packed comes back, the bytes are as the schema says, and nothing else is taken.
 */
#include "domain/packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Numbers whose every byte matters. */
static int64_t number(uint64_t i)
{
    static const int64_t edges[] = { 0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(0x0102030405060708) };

    return i < COUNT(edges) ? edges[i] : (int64_t)(i * UINT64_C(0x9e3779b97f4a7c15));
}

static void lots_come_back(void **state)
{
    static struct lots lots, back;
    static uint8_t bytes[LOTS_MAX * PACKED_LOT];

    (void)state;
    for (size_t count = 0; count <= LOTS_MAX; count += count < 3 ? 1 : 25) {
        lots.count = count;
        for (size_t i = 0; i < count; i++)
            lots.at[i] = (struct lot){ { (int32_t)number(i) }, (int32_t)number(i + 3), number(i) };
        memset(&back, 0x5a, sizeof back);
        assert_int_equal(packed_lots(lots.at, count, bytes), count * PACKED_LOT);
        assert_true(unpack_lots(bytes, count * PACKED_LOT, &back));
        assert_int_equal(back.count, count);
        assert_memory_equal(back.at, lots.at, count * sizeof lots.at[0]);
    }
}

static void pending_lots_come_back(void **state)
{
    static struct pending_lots lots, back;
    static uint8_t bytes[PENDING_MAX * PACKED_PENDING];

    (void)state;
    lots.count = PENDING_MAX;
    for (size_t i = 0; i < lots.count; i++)
        lots.at[i] =
            (struct pending_lot){ { (int32_t)number(i + 1) }, { (int32_t)number(i) }, (int32_t)number(i), number(i) };
    assert_int_equal(packed_pending(&lots, bytes), sizeof bytes);
    assert_true(unpack_pending(bytes, sizeof bytes, &back));
    assert_int_equal(back.count, lots.count);
    for (size_t i = 0; i < lots.count; i++) {
        assert_int_equal(back.at[i].matures_on.days, lots.at[i].matures_on.days);
        assert_int_equal(back.at[i].expires_on.days, lots.at[i].expires_on.days);
        assert_int_equal(back.at[i].funding_no, lots.at[i].funding_no);
        assert_int_equal(back.at[i].points, lots.at[i].points);
    }
}

static void holds_come_back(void **state)
{
    static struct open_hold holds[OPEN_HOLDS_MAX], back[OPEN_HOLDS_MAX];
    static uint8_t bytes[OPEN_HOLDS_MAX * PACKED_HOLD];
    size_t count;

    (void)state;
    for (size_t i = 0; i < OPEN_HOLDS_MAX; i++) {
        memset(holds[i].id.bytes, (int)i + 1, sizeof holds[i].id.bytes);
        holds[i].id.bytes[15] = (uint8_t)(200 + i);
        holds[i].lapse_at.us = number(i);
    }
    assert_int_equal(packed_holds(holds, OPEN_HOLDS_MAX, bytes), sizeof bytes);
    assert_true(unpack_holds(bytes, sizeof bytes, back, &count));
    assert_int_equal(count, OPEN_HOLDS_MAX);
    assert_memory_equal(back, holds, sizeof holds);
}

static void recent_holds_come_back(void **state)
{
    static struct recent_holds recent, back;
    static uint8_t bytes[RECENT_MAX * PACKED_RECENT];

    (void)state;
    recent.count = RECENT_MAX;
    for (size_t i = 0; i < RECENT_MAX; i++)
        recent.at[i] = (struct recent_hold){ { number(i) }, number(i + 2), (uint64_t)number(i + 4) };
    assert_int_equal(packed_recent(&recent, bytes), sizeof bytes);
    assert_true(unpack_recent(bytes, sizeof bytes, &back));
    assert_int_equal(back.count, RECENT_MAX);
    assert_memory_equal(back.at, recent.at, sizeof recent.at);
}

static void lines_come_back(void **state)
{
    static struct order_lines lines, back;
    static uint8_t bytes[LINES_MAX * PACKED_LINE];

    (void)state;
    lines.count = LINES_MAX;
    for (size_t i = 0; i < LINES_MAX; i++) {
        memset(lines.at[i].id, 0, sizeof lines.at[i].id);
        memset(lines.at[i].id, 'a' + (int)i, i == 0 ? LINE_ID_MAX : i); /* the longest name fills its place */
        lines.at[i].points = number(i);
        lines.at[i].amounts = (struct settlement_amounts){ number(i + 1), number(i + 2) };
        lines.at[i].reversed_points = number(i + 3);
        lines.at[i].reversed = (struct settlement_amounts){ number(i + 4), number(i + 5) };
    }
    memset(&back, 0x5a, sizeof back);
    assert_int_equal(packed_lines(&lines, bytes), sizeof bytes);
    assert_true(unpack_lines(bytes, sizeof bytes, &back));
    assert_int_equal(back.count, LINES_MAX);
    for (size_t i = 0; i < LINES_MAX; i++) {
        assert_string_equal(back.at[i].id, lines.at[i].id);
        assert_memory_equal(&back.at[i].points, &lines.at[i].points,
                            sizeof lines.at[i] - offsetof(struct order_line, points));
    }
}

/* As migration 0003 reads them: big-endian, in this order. */
static void bytes_are_as_the_schema_says(void **state)
{
    const struct lot lot = { { 0x01020304 }, 0x05060708, INT64_C(0x090a0b0c0d0e0f10) };
    const struct pending_lots pending = { 1, { { { 1 }, { 2 }, 3, 4 } } };
    const struct open_hold hold = { { { 0xaa, [15] = 0xbb } }, { 5 } };
    const struct recent_holds recent = { 1, { { { -1 }, 2, 3 } } };
    const struct order_lines lines = { 1, { { "ab", 1, { 2, 3 }, 4, { 5, 6 } } } };
    uint8_t bytes[PACKED_LINE];

    (void)state;
    packed_lots(&lot, 1, bytes);
    for (uint8_t i = 0; i < PACKED_LOT; i++)
        assert_int_equal(bytes[i], i + 1);
    packed_pending(&pending, bytes);
    static const uint8_t as_pending[PACKED_PENDING] = { [3] = 1, [7] = 2, [11] = 3, [23] = 4 };
    assert_memory_equal(bytes, as_pending, sizeof as_pending);
    packed_holds(&hold, 1, bytes);
    static const uint8_t as_hold[PACKED_HOLD] = { 0xaa, [15] = 0xbb, [23] = 5 };
    assert_memory_equal(bytes, as_hold, sizeof as_hold);
    packed_recent(&recent, bytes);
    static const uint8_t as_recent[PACKED_RECENT] = { 255, 255, 255, 255, 255, 255, 255, 255, [15] = 2, [23] = 3 };
    assert_memory_equal(bytes, as_recent, sizeof as_recent);
    packed_lines(&lines, bytes);
    static const uint8_t as_line[PACKED_LINE] = {
        'a', 'b', [39] = 1, [47] = 2, [55] = 3, [63] = 4, [71] = 5, [79] = 6
    };
    assert_memory_equal(bytes, as_line, sizeof as_line);
}

/* Each list of bytes lies in memory of just its length, so that one byte read too many is found. */
static bool unpacks(int which, size_t size)
{
    static struct lots lots;
    static struct pending_lots pending;
    static struct open_hold holds[OPEN_HOLDS_MAX];
    static struct recent_holds recent;
    static struct order_lines lines;
    uint8_t *bytes = calloc(1, size ? size : 1);
    size_t count;
    bool good = false;

    assert_non_null(bytes);
    good = which == 0   ? unpack_lots(bytes, size, &lots)
           : which == 1 ? unpack_pending(bytes, size, &pending)
           : which == 2 ? unpack_holds(bytes, size, holds, &count)
           : which == 3 ? unpack_recent(bytes, size, &recent)
                        : unpack_lines(bytes, size, &lines);
    free(bytes);
    return good;
}

static void what_no_packing_makes_is_refused(void **state)
{
    static const struct {
        size_t each, max;
    } kinds[] = { { PACKED_LOT, LOTS_MAX },
                  { PACKED_PENDING, PENDING_MAX },
                  { PACKED_HOLD, OPEN_HOLDS_MAX },
                  { PACKED_RECENT, RECENT_MAX },
                  { PACKED_LINE, LINES_MAX } };

    (void)state;
    for (int which = 0; which < (int)COUNT(kinds); which++) {
        size_t each = kinds[which].each, max = kinds[which].max;
        for (size_t size = 0; size <= 3 * each; size++)
            assert_int_equal(unpacks(which, size), size % each == 0);
        assert_true(unpacks(which, max * each));
        assert_false(unpacks(which, max * each - 1));
        assert_false(unpacks(which, max * each + 1));
        assert_false(unpacks(which, (max + 1) * each));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lots_come_back),
        cmocka_unit_test(pending_lots_come_back),
        cmocka_unit_test(holds_come_back),
        cmocka_unit_test(recent_holds_come_back),
        cmocka_unit_test(lines_come_back),
        cmocka_unit_test(bytes_are_as_the_schema_says),
        cmocka_unit_test(what_no_packing_makes_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
