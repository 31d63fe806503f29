/* tests/unit/test_uuid_index.c -- what was added is found, what was not is not, however keys collide. */
#include "engine/uuid_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

static struct uuid_index filled; /* too large for the stack */

static void key_random(struct uuid *key, uint32_t i)
{
    uint64_t mixed = (i + 1) * UINT64_C(0x2545f4914f6cdd1d);

    memcpy(key->bytes, &mixed, 8);
    mixed ^= mixed >> 29;
    mixed *= UINT64_C(0xbf58476d1ce4e5b9);
    memcpy(key->bytes + 8, &mixed, 8);
}

/* All land on one slot: the last eight bytes are those of a caller who wants to be slow. */
static void key_colliding(struct uuid *key, uint32_t i)
{
    memset(key->bytes, 0, sizeof key->bytes);
    memcpy(key->bytes, &i, sizeof i);
}

static void key_counting(struct uuid *key, uint32_t i)
{
    memset(key->bytes, 0x77, sizeof key->bytes);
    key->bytes[14] = (uint8_t)(i >> 8);
    key->bytes[15] = (uint8_t)i;
}

/* A key of zeros is a key, not a free place. */
static void key_from_zero(struct uuid *key, uint32_t i)
{
    memset(key->bytes, 0, sizeof key->bytes);
    key->bytes[14] = (uint8_t)(i >> 8);
    key->bytes[15] = (uint8_t)i;
}

static const struct {
    const char *story;
    void (*make)(struct uuid *key, uint32_t i);
    uint32_t count;
} ways[] = {
    { "random keys, to the limit", key_random, UUID_INDEX_MAX },
    { "keys that all collide", key_colliding, 600 },
    { "keys that differ in the last two bytes", key_counting, UUID_INDEX_MAX },
    { "from zero on", key_from_zero, UUID_INDEX_MAX },
    { "just one", key_random, 1 },
};

static void what_was_added_is_found(void **state)
{
    struct uuid key;

    (void)state;
    for (size_t way = 0; way < COUNT(ways); way++) {
        uuid_index_clear(&filled);
        for (uint32_t i = 0; i < ways[way].count; i++) {
            ways[way].make(&key, i);
            assert_int_equal(uuid_index_find(&filled, &key), -1);
            uuid_index_add(&filled, &key, (int)i);
        }
        assert_int_equal(filled.count, ways[way].count);
        for (uint32_t i = 0; i < ways[way].count; i++) {
            ways[way].make(&key, i);
            if (uuid_index_find(&filled, &key) != (int)i)
                fail_msg("%s: key %u", ways[way].story, i);
        }
        ways[way].make(&key, ways[way].count);
        assert_int_equal(uuid_index_find(&filled, &key), -1);
    }
}

static void cleared_is_empty_and_can_be_filled_again(void **state)
{
    struct uuid key;

    (void)state;
    for (int round = 0; round < 3; round++) {
        uuid_index_clear(&filled);
        assert_int_equal(filled.count, 0);
        for (uint32_t i = 0; i < 100; i++) {
            key_random(&key, i);
            assert_int_equal(uuid_index_find(&filled, &key), -1);
        }
        for (uint32_t i = 0; i < 100; i++) {
            key_random(&key, i);
            uuid_index_add(&filled, &key, (int)(1000 * (uint32_t)round + i));
        }
        key_random(&key, 50);
        assert_int_equal(uuid_index_find(&filled, &key), 1000 * round + 50);
    }
}

static void the_highest_place_is_kept(void **state)
{
    struct uuid key = { { 1 } };

    (void)state;
    uuid_index_clear(&filled);
    uuid_index_add(&filled, &key, UINT16_MAX - 1);
    assert_int_equal(uuid_index_find(&filled, &key), UINT16_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found),
        cmocka_unit_test(cleared_is_empty_and_can_be_filled_again),
        cmocka_unit_test(the_highest_place_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
