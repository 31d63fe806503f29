/* RESTORE in the lanes: once, whoever asks again, and only while the member is as its maker has read it. */
#include "members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct alliance *alliance = calloc(1, sizeof *alliance);

    alliance_open(alliance);
    *state = alliance;
    return 0;
}

static int teardown(void **state)
{
    alliance_close(*state);
    free(*state);
    return 0;
}

static const struct member_before before = { .was_there = true, .status = MEMBER_FROZEN, .credit_limit = 9 };

static struct command restore(const struct alliance *alliance, int64_t seq)
{
    struct command command = command_of_member(alliance, COMMAND_RESTORE, "ann");

    command.request_id = command_transfer_step(&command.member_id, "roster roll back 1");
    command.restore = (struct restore_order){ .before = &before, .seq = seq };
    return command;
}

static int64_t entries(struct alliance *alliance)
{
    return alliance_count(alliance, "SELECT count(*) FROM journal");
}

static void a_repeat_changes_nothing(void **state)
{
    struct alliance *alliance = *state;
    struct command made = command_set_member(alliance, "ann", 5), undone = restore(alliance, 1);

    alliance_run(alliance, &made);
    alliance_run(alliance, &undone);
    assert_int_equal(undone.answer.reason, REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM account WHERE status = 2 AND credit_limit = 9"), 1);
    made = command_set_member(alliance, "ann", 7);
    alliance_run(alliance, &made);
    struct command again = restore(alliance, 1);
    alliance_run(alliance, &again);
    assert_int_equal(again.answer.reason, REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT credit_limit FROM account"), 7);
    assert_int_equal(entries(alliance), 3);
    alliance_check(alliance);
}

/* Whoever was faster: in a batch before, or in the very same one. */
static void a_member_that_has_moved_on_is_read_again(void **state)
{
    struct alliance *alliance = *state;
    struct command made = command_set_member(alliance, "ann", 5), late = restore(alliance, 0);

    alliance_run(alliance, &made);
    alliance_run(alliance, &late);
    assert_int_equal(late.answer.reason, REASON_TRY_AGAIN);
    struct command both[] = { command_set_member(alliance, "ann", 6), restore(alliance, 1) };
    alliance_run_all(alliance, both, 2);
    assert_int_equal(both[1].answer.reason, REASON_TRY_AGAIN);
    assert_int_equal(alliance_count(alliance, "SELECT credit_limit FROM account"), 6);
    struct command read_again = restore(alliance, 2);
    alliance_run(alliance, &read_again);
    assert_int_equal(read_again.answer.reason, REASON_OK);
    assert_int_equal(entries(alliance), 3);
    alliance_check(alliance);
}

/* What time does in the same transaction is nothing that anybody has done. */
static void time_does_not_stop_it(void **state)
{
    struct alliance *alliance = *state;
    struct command made = command_set_member(alliance, "ann", 5), earned = command_accrue(alliance, "ann", "t", 1000);

    alliance_run(alliance, &made);
    alliance_run(alliance, &earned);
    alliance_business_date(alliance, "2036-01-15");
    struct command undone = restore(alliance, 2);
    alliance_run(alliance, &undone);
    assert_int_equal(undone.answer.reason, REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT available FROM account"), 0);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM journal WHERE kind = 9"), 1);
    alliance_check(alliance);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_repeat_changes_nothing),
        TEST(a_member_that_has_moved_on_is_read_again),
        TEST(time_does_not_stop_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
