/* tests/unit/test_arena.c -- zeroed, aligned, bounded, and given back in one go. */
#include "base/arena.h"
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdalign.h>
#include <string.h>

#include <cmocka.h>

static bool zeroed(const uint8_t *bytes, size_t n)
{
    size_t i = 0;

    while (i < n && bytes[i] == 0)
        i++;
    return i == n;
}

/* Sizes round the alignment and round a block, each filled to the last byte: none may touch another. */
static const size_t sizes[] = { 1,
                                alignof(max_align_t) - 1,
                                alignof(max_align_t),
                                alignof(max_align_t) + 1,
                                100,
                                ARENA_BLOCK - 1,
                                ARENA_BLOCK,
                                ARENA_BLOCK + 1,
                                5 * ARENA_BLOCK,
                                3 };

static void what_is_handed_out_is_zeroed_aligned_and_apart(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };

    (void)state;
    for (int round = 0; round < 3; round++) {
        uint8_t *given[2 * COUNT(sizes)];
        for (size_t i = 0; i < COUNT(given); i++) {
            size_t size = sizes[i % COUNT(sizes)];
            given[i] = arena_alloc(&arena, size);
            assert_non_null(given[i]);
            assert_int_equal((uintptr_t)given[i] % alignof(max_align_t), 0);
            assert_true(zeroed(given[i], size));
            memset(given[i], (int)i + 1, size);
        }
        for (size_t i = 0; i < COUNT(given); i++) {
            for (size_t j = 0; j < sizes[i % COUNT(sizes)]; j++)
                assert_int_equal(given[i][j], i + 1);
        }
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
}

static const struct {
    const char *story;
    size_t limit, before, size;
    bool given;
} limits[] = {
    { "all of it", 4096, 0, 4096, true },
    { "one byte more", 4096, 0, 4097, false },
    { "the rest", 4096, 4000, 96, true },
    { "more than the rest", 4096, 4000, 97, false },
    { "nothing at the limit", 4096, 4096, 0, true },
    { "a byte at the limit", 4096, 4096, 1, false },
    { "a limit below a block", 1, 0, 1, true },
    { "past a limit below a block", 1, 0, 2, false },
    { "past a limit that was rounded past", 1, 1, 1, false },
    { "the most there can be", 4096, 0, SIZE_MAX, false },
    { "nearly the most there can be", 4096, 16, SIZE_MAX - 16, false },
    { "the limit of limits, in one", 0, 0, ARENA_LIMIT, true },
    { "past the limit of limits", 0, 0, (size_t)ARENA_LIMIT + 1, false },
    { "the most there can be, without a limit of its own", 0, 16, SIZE_MAX, false },
};

static void the_limit_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        CLEANUP(arena_release) struct arena arena = { .limit = limits[i].limit };
        if (limits[i].before)
            assert_non_null(arena_alloc(&arena, limits[i].before));
        size_t used = arena.used;
        bool given = arena_alloc(&arena, limits[i].size) != NULL;
        if (given != limits[i].given)
            fail_msg("%s", limits[i].story);
        if (!given)
            assert_int_equal(arena.used, used);
    }
}

static void many_small_ones_reach_the_limit_too(void **state)
{
    CLEANUP(arena_release) struct arena arena = { .limit = 100 * ARENA_BLOCK };
    size_t n = 0;

    (void)state;
    while (arena_alloc(&arena, 64))
        n++;
    assert_int_equal(n, 100 * ARENA_BLOCK / 64);
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 64));
}

static void a_reset_keeps_one_block_and_its_bytes_are_zeroed_again(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };

    (void)state;
    void *first = arena_alloc(&arena, 100);
    assert_non_null(first);
    memset(first, 0xa5, 100);
    assert_non_null(arena_alloc(&arena, 3 * ARENA_BLOCK));
    arena_reset(&arena);
    void *again = arena_alloc(&arena, 100);
    assert_ptr_equal(again, first);
    assert_true(zeroed(again, 100));
}

static void a_copy_ends_with_nul(void **state)
{
    CLEANUP(arena_release) struct arena arena = { .limit = 64 };

    (void)state;
    assert_string_equal(arena_copy(&arena, "points and more", 6), "points");
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
    assert_memory_equal(arena_copy(&arena, "a\0b", 3), "a\0b", 4);
    assert_null(arena_copy(&arena, "no room for this one any more", 29));
}

/* The NUL behind it must not turn the largest size into the smallest. */
static void a_copy_of_everything_is_refused(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    volatile size_t everything = SIZE_MAX;

    (void)state;
    assert_null(arena_copy(&arena, "x", everything));
}

static void releasing_twice_or_nothing_is_safe(void **state)
{
    struct arena arena = { .limit = 1000 };

    (void)state;
    arena_reset(&arena);
    arena_release(&arena);
    assert_non_null(arena_alloc(&arena, 1));
    arena_release(&arena);
    arena_release(&arena);
    assert_null(arena.blocks);
    assert_int_equal(arena.used, 0);
    assert_null(arena_alloc(&arena, 1001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_handed_out_is_zeroed_aligned_and_apart),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(many_small_ones_reach_the_limit_too),
        cmocka_unit_test(a_reset_keeps_one_block_and_its_bytes_are_zeroed_again),
        cmocka_unit_test(a_copy_ends_with_nul),
        cmocka_unit_test(a_copy_of_everything_is_refused),
        cmocka_unit_test(releasing_twice_or_nothing_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
