/* tests/unit/test_credit.c -- which limit is in force on which day, and since when what is used of it has been drawn.
 */
#include "domain/account.h"
#include "domain/packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

enum { TODAY = 20000, BY_TIER = 70 };

#define OWN(points)                                                                                                    \
    {                                                                                                                  \
        .limit = (points)                                                                                              \
    }
#define FOR_A_TIME(by, own, points, from, to)                                                                          \
    {                                                                                                                  \
        .by_tier = (by), .limit = (own), .temporary = {(points), { (from) }, { (to) } }                                \
    }

static const struct {
    const char *story;
    struct credit_wish wish;
    int32_t days_later; /* when it is looked at */
    int64_t expected;
    int32_t next_due; /* days since 1970; 0: none */
} plans[] = {
    { "the member's own", OWN(50), 0, 50, 0 },
    { "for good", OWN(50), 10000, 50, 0 },
    { "by tier", { .by_tier = true }, 0, BY_TIER, 0 },
    { "a temporary one from today", FOR_A_TIME(false, 50, 90, TODAY, TODAY + 2), 0, 90, TODAY + 3 },
    { "its last day", FOR_A_TIME(false, 50, 90, TODAY, TODAY + 2), 2, 90, TODAY + 3 },
    { "the day after", FOR_A_TIME(false, 50, 90, TODAY, TODAY + 2), 3, 50, 0 },
    { "of one day", FOR_A_TIME(false, 50, 90, TODAY, TODAY), 0, 90, TODAY + 1 },
    { "not yet", FOR_A_TIME(false, 50, 90, TODAY + 1, TODAY + 2), 0, 50, TODAY + 1 },
    { "its first day", FOR_A_TIME(false, 50, 90, TODAY + 1, TODAY + 2), 1, 90, TODAY + 3 },
    { "missed altogether", FOR_A_TIME(false, 50, 90, TODAY + 1, TODAY + 2), 9, 50, 0 },
    { "over before it was asked for", FOR_A_TIME(false, 50, 90, TODAY - 9, TODAY - 1), 0, 50, 0 },
    { "begun before it was asked for", FOR_A_TIME(false, 50, 90, TODAY - 9, TODAY), 0, 90, TODAY + 1 },
    { "from ever", FOR_A_TIME(false, 50, 90, 0, TODAY), 0, 90, TODAY + 1 },
    { "less than the other", FOR_A_TIME(false, 50, 0, TODAY, TODAY), 0, 0, TODAY + 1 },
    { "beside one by tier", FOR_A_TIME(true, 0, 90, TODAY, TODAY + 2), 2, 90, TODAY + 3 },
    { "then by tier again", FOR_A_TIME(true, 0, 90, TODAY, TODAY + 2), 3, BY_TIER, 0 },
};

/* A temporary limit by itself: whatever the other limit is, it is as before when the time is over. */
static void a_temporary_limit_leaves_the_other_as_it_is(void **state)
{
    static const struct credit_wish before[] = { OWN(50),
                                                 { .by_tier = true },
                                                 FOR_A_TIME(false, 50, 10, TODAY, TODAY + 9),
                                                 FOR_A_TIME(true, 0, 10, TODAY + 1, TODAY + 9) };
    static const struct temporary_limit first = { 90, { TODAY }, { TODAY + 2 } }, none = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(before); i++) {
        struct account account = { .status = MEMBER_ACTIVE, .credit_limit = 5 };
        int64_t lasting = before[i].by_tier ? BY_TIER : 50;
        assert_true(credit_set(&account, &before[i], (struct date){ TODAY }, BY_TIER));
        assert_true(credit_set_temporary(&account, &first, (struct date){ TODAY }, BY_TIER));
        assert_false(credit_set_temporary(&account, &first, (struct date){ TODAY }, BY_TIER));
        assert_int_equal(account.credit_limit, 90);
        struct account later = account;
        assert_true(credit_follow(&later, (struct date){ TODAY + 3 }, BY_TIER));
        assert_int_equal(later.credit_limit, lasting);
        assert_int_equal(later.plan.by_tier, before[i].by_tier);
        assert_true(credit_set_temporary(&account, &none, (struct date){ TODAY }, BY_TIER));
        assert_false(credit_set_temporary(&account, &none, (struct date){ TODAY }, BY_TIER));
        assert_int_equal(account.credit_limit, lasting);
        assert_int_equal(account.plan.by_tier, before[i].by_tier);
    }
}

static void the_limit_in_force_follows_its_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plans); i++) {
        struct account account = { .status = MEMBER_ACTIVE, .credit_limit = 5 };
        const struct date day = { TODAY + plans[i].days_later };
        if (!credit_set(&account, &plans[i].wish, (struct date){ TODAY }, BY_TIER))
            fail_msg("%s: nothing changed", plans[i].story);
        if (credit_set(&account, &plans[i].wish, (struct date){ TODAY }, BY_TIER))
            fail_msg("%s: the same again changes", plans[i].story);
        (void)credit_follow(&account, day, BY_TIER);
        if (account.credit_limit != plans[i].expected)
            fail_msg("%s: %lld", plans[i].story, (long long)account.credit_limit);
        if (credit_follow(&account, day, BY_TIER))
            fail_msg("%s: a day changes it twice", plans[i].story);
        struct date due = account_next_due(&account);
        if (due.days != (plans[i].next_due ? plans[i].next_due : MATURES_BY_EVENT.days))
            fail_msg("%s: due on %d", plans[i].story, (int)due.days);
    }
}

static void rules_and_tiers_move_only_a_limit_by_tier(void **state)
{
    struct account account = { .status = MEMBER_ACTIVE, .credit_limit = 50 };
    const struct credit_wish by_tier = { .by_tier = true };

    (void)state;
    assert_false(credit_follow(&account, (struct date){ TODAY }, 90));
    assert_true(credit_set(&account, &by_tier, (struct date){ TODAY }, 50)); /* nothing moves, but it will */
    assert_int_equal(account.credit_limit, 50);
    assert_true(credit_follow(&account, (struct date){ TODAY }, 90));
    assert_int_equal(account.credit_limit, 90);
    account.status = MEMBER_CLOSED;
    assert_false(credit_follow(&account, (struct date){ TODAY }, 100));
    assert_int_equal(account.credit_limit, 90);
}

static void a_limit_of_ones_own_waits_for_the_temporary_one_to_end(void **state)
{
    static const struct credit_wish wish = FOR_A_TIME(true, 0, 90, TODAY, TODAY + 2);
    struct account account = { .status = MEMBER_ACTIVE };

    (void)state;
    assert_true(credit_set(&account, &wish, (struct date){ TODAY }, BY_TIER));
    assert_true(credit_set_own(&account, 30));
    assert_false(credit_set_own(&account, 30));
    assert_int_equal(account.credit_limit, 90);
    assert_true(credit_follow(&account, (struct date){ TODAY + 3 }, BY_TIER));
    assert_int_equal(account.credit_limit, 30);
    assert_false(credit_set_own(&account, 30));
    assert_true(credit_set_own(&account, 31));
    assert_int_equal(account.credit_limit, 31);
}

/* Day, what is used then, and whether it was given back. */
static const struct {
    const char *story;
    struct {
        int32_t day;
        int64_t used;
        bool given_back;
    } steps[4];
    struct drawn_days expected;
} histories[] = {
    { "drawn", { { 1, 10, false } }, { 1, { { { 1 }, 10 } } } },
    { "twice a day", { { 1, 10, false }, { 1, 15, false } }, { 1, { { { 1 }, 15 } } } },
    { "on two days", { { 1, 10, false }, { 3, 15, false } }, { 2, { { { 1 }, 10 }, { { 3 }, 5 } } } },
    { "repaid: the oldest first", { { 1, 10, false }, { 3, 15, false }, { 4, 4, false } }, { 1, { { { 3 }, 4 } } } },
    { "given back: the youngest first",
      { { 1, 10, false }, { 3, 15, false }, { 4, 8, true } },
      { 1, { { { 1 }, 8 } } } },
    { "repaid in part",
      { { 1, 10, false }, { 3, 15, false }, { 4, 9, false } },
      { 2, { { { 1 }, 4 }, { { 3 }, 5 } } } },
    { "all of it", { { 1, 10, false }, { 3, 15, false }, { 3, 0, true } }, { 0, { { { 0 }, 0 } } } },
    { "and again", { { 1, 10, false }, { 3, 0, false }, { 3, 2, false } }, { 1, { { { 3 }, 2 } } } },
};

static void what_is_drawn_keeps_its_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(histories); i++) {
        struct account account = { .status = MEMBER_ACTIVE };
        for (size_t k = 0; k < COUNT(histories[i].steps) && histories[i].steps[k].day; k++) {
            account.credit_used = histories[i].steps[k].used;
            credit_note(&account, (struct date){ histories[i].steps[k].day }, histories[i].steps[k].given_back);
        }
        if (account.drawn.count != histories[i].expected.count ||
            memcmp(account.drawn.at, histories[i].expected.at, account.drawn.count * sizeof account.drawn.at[0]) != 0)
            fail_msg("%s: %zu days", histories[i].story, account.drawn.count);
    }
}

static void too_many_days_are_one_day_less_and_no_point_less(void **state)
{
    struct account account = { .status = MEMBER_ACTIVE };

    (void)state;
    for (int32_t day = 1; day <= DRAWN_DAYS_MAX + 2; day++) {
        account.credit_used += day;
        credit_note(&account, (struct date){ day }, false);
    }
    assert_int_equal(account.drawn.count, DRAWN_DAYS_MAX);
    assert_int_equal(drawn_points(&account.drawn), account.credit_used);
    assert_int_equal(account.drawn.at[0].drawn_on.days, 1);
    assert_int_equal(account.drawn.at[0].points, 1 + 2 + 3);
    assert_int_equal(account.drawn.at[1].drawn_on.days, 4);
}

static void a_plan_is_read_as_it_was_written(void **state)
{
    const struct credit_plan plan = { true, true, 3, { 90, { TODAY }, { TODAY + 2 } } };
    const struct drawn_days drawn = { 2, { { { 7 }, 10 }, { { 8 }, INT64_MAX } } }, none = { 0 };
    uint8_t bytes[PACKED_CREDIT_MAX];
    struct credit_plan read;
    struct drawn_days days;

    (void)state;
    assert_int_equal(packed_credit(&(struct credit_plan){ 0 }, &none, bytes), 0);
    assert_int_equal(packed_credit(&plan, &drawn, bytes), PACKED_PLAN + 2 * PACKED_DRAWN);
    assert_true(unpack_credit(bytes, PACKED_PLAN + 2 * PACKED_DRAWN, &read, &days));
    assert_true(read.by_tier && read.begun);
    assert_int_equal(read.base, 3);
    assert_int_equal(read.temporary.points, 90);
    assert_int_equal(read.temporary.first.days, TODAY);
    assert_int_equal(read.temporary.last.days, TODAY + 2);
    assert_int_equal(days.count, 2);
    assert_memory_equal(days.at, drawn.at, 2 * sizeof days.at[0]);
    assert_false(unpack_credit(bytes, PACKED_PLAN - 1, &read, &days));
    assert_false(unpack_credit(bytes, PACKED_PLAN + PACKED_DRAWN + 1, &read, &days));
    bytes[3] |= 4;
    assert_false(unpack_credit(bytes, PACKED_PLAN, &read, &days));
    assert_false(unpack_credit((uint8_t[PACKED_PLAN]){ 0 }, PACKED_PLAN, &read, &days)); /* nothing says nothing */
    assert_true(unpack_credit(bytes, 0, &read, &days));
    assert_int_equal(days.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_in_force_follows_its_plan),
        cmocka_unit_test(a_temporary_limit_leaves_the_other_as_it_is),
        cmocka_unit_test(rules_and_tiers_move_only_a_limit_by_tier),
        cmocka_unit_test(a_limit_of_ones_own_waits_for_the_temporary_one_to_end),
        cmocka_unit_test(what_is_drawn_keeps_its_day),
        cmocka_unit_test(too_many_days_are_one_day_less_and_no_point_less),
        cmocka_unit_test(a_plan_is_read_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
