/* Statement numbers: one a statement, without gaps, the same after any failure; a cancelled one is kept. */
#include "settled_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static const char numbers[] = "SELECT party || '-' || lpad(number::text, 6, '0'), statement_id, state FROM "
                              "statement_number ORDER BY party, number";

static void assert_asked(struct world *world, const char *expected, const char *sql)
{
    char *text = world_ask(world, "%s", sql);

    assert_string_equal(text, expected);
    free(text);
}

static const char january[] = "B1-000001|demo/2017-01/BANK/bank-a/JPY|1\n"
                              "B1-000002|demo/2017-01/BANK/bank-a/USD|1\n"
                              "B2-000001|demo/2017-01/BANK/bank-b/USD|1\n"
                              "M1-000001|demo/2017-01/MERCHANT/shop-1/USD|1\n"
                              "M2-000001|demo/2017-01/MERCHANT/shop-2/USD|1\n"
                              "M3-000001|demo/2017-01/MERCHANT/=shop/JPY|1\n"
                              "O1-000001|demo/2017-01/OPERATOR/JPY|1\n"
                              "O1-000002|demo/2017-01/OPERATOR/USD|1\n"
                              "P1.1-000001|demo/2017-01/PAIR/bank-a/shop-1/USD|1\n"
                              "P1.3-000001|demo/2017-01/PAIR/bank-a/=shop/JPY|1\n"
                              "P2.2-000001|demo/2017-01/PAIR/bank-b/shop-2/USD|1\n";

static void each_party_counts_its_statements(void **state)
{
    static const struct world_entry february = { 0, 1, 9, "2017-02-01", NULL, 4, 10, 1, 1, 1, NULL, 10, 0 };
    struct world *world = *state;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world, january, numbers);
    world_put(world, &february, 1);
    world_settle(world, "2017-02-28", "2017-02");
    assert_asked(world,
                 "B1-000003|demo/2017-02/BANK/bank-a/USD\nB2-000002|demo/2017-02/BANK/bank-b/USD\nM1-000002|demo/"
                 "2017-02/MERCHANT/shop-1/USD\n"
                 "O1-000003|demo/2017-02/OPERATOR/USD\nP1.1-000002|demo/2017-02/PAIR/bank-a/shop-1/USD\n",
                 "SELECT party || '-' || lpad(number::text, 6, '0'), statement_id FROM statement_number WHERE period = "
                 "'2017-02' ORDER BY party");
}

static void killed_anywhere_and_run_again_it_draws_one(void **state)
{
    struct world *world = *state;
    struct error err;
    bool killed = true;

    world_put_usual(world);
    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_OK);
    for (int step = 1; killed; step++) {
        killed = world_killed_after(world, step, world_period_work);
        assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
        assert_asked(world, january, numbers);
    }
}

static void two_closes_at_once_draw_one(void **state)
{
    struct world *world = *state;
    struct error err;
    pid_t children[3];
    int status;

    world_put_usual(world);
    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_OK);
    for (size_t i = 0; i < COUNT(children); i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(world_close_period(world, "2017-01", &err) == REASON_OK ? 0 : 1);
    }
    for (size_t i = 0; i < COUNT(children); i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_asked(world, january, numbers);
}

/* An empty month has a statement without currency; once the month has entries after all, that one is no more. */
static void a_statement_that_is_gone_leaves_its_number_cancelled(void **state)
{
    struct world *world = *state;
    struct error err;

    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world, "O1-000001|demo/2017-01/OPERATOR/XXX|1\n", numbers);
    world_put_usual(world);
    world_do(world, "TRUNCATE settlement_step, day_rollup, day_seal, " POINTS_TABLES
                    "; UPDATE fence SET business_date = '2017-01-01'");
    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world, "1|demo/2017-01/OPERATOR/XXX|2\n2|demo/2017-01/OPERATOR/JPY|1\n3|demo/2017-01/OPERATOR/USD|1\n",
                 "SELECT number, statement_id, state FROM statement_number WHERE party = 'O1' ORDER BY number");
    world_do(world, "TRUNCATE journal, settlement_step, day_rollup, day_seal, " POINTS_TABLES
                    "; UPDATE fence SET business_date = '2017-01-01'");
    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world, "1|2\n2|2\n3|2\n4|1\n",
                 "SELECT number, state FROM statement_number WHERE party = 'O1' ORDER BY number");
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement_number WHERE state = 1"), 1);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement_number WHERE party = 'O1'"), 4);
}

static void numbers_cannot_be_deleted(void **state)
{
    struct world *world = *state;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    PGresult *result = PQexec(world->sql, "DELETE FROM statement_number WHERE party = 'O1'");
    assert_string_equal(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME), "settlement_stays");
    PQclear(result);
    assert_asked(world, january, numbers);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(each_party_counts_its_statements), STORY(killed_anywhere_and_run_again_it_draws_one),
        STORY(two_closes_at_once_draw_one),      STORY(a_statement_that_is_gone_leaves_its_number_cancelled),
        STORY(numbers_cannot_be_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
