/* Ways in which settlements are known to go wrong elsewhere; each is a test. */
#include "settled_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void assert_asked(struct world *world, const char *expected, const char *sql)
{
    char *text = world_ask(world, "%s", sql);

    assert_string_equal(text, expected);
    free(text);
}

/* A month with these entries from its first day on, closed. */
static void settle(struct world *world, const char *first, const char *last, const char *period,
                   const struct world_entry *entries, size_t count)
{
    world_put(world, entries, count);
    world_do(world, "UPDATE fence SET business_date = '%s'", first);
    world_settle(world, last, period);
}

#define SETTLE(world, first, last, period, entries) settle(world, first, last, period, entries, COUNT(entries))

static const char shop_1[] =
    "SELECT gross_minor, commission_minor, net_minor, payable_minor, closing_minor FROM "
    "statement JOIN statement_position USING (statement_no) WHERE type = 3 AND merchant_no = 1 "
    "AND currency = 'USD' ORDER BY period";

static void a_net_knows_its_refunds(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-30", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 },
        { 0, 1, 2, "2017-01-31", NULL, 8, 400, 1, 1, 1, NULL, -400, -10 },
    };

    SETTLE(*state, "2017-01-30", "2017-01-31", "2017-01", entries);
    assert_asked(*state, "600|15|585|585|0\n", shop_1);
}

/* And the merchant that owes because of it is not asked for the money: the next month takes it off. */
static void a_refund_after_the_close_is_in_the_next_report(void **state)
{
    static const struct world_entry january[] = { { 0, 1, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 } };
    static const struct world_entry february[] = { { 0, 1, 2, "2017-02-01", NULL, 8, 1000, 1, 1, 1, NULL, -1000,
                                                     -25 } };
    static const struct world_entry march[] = { { 0, 2, 1, "2017-03-01", NULL, 4, 2000, 1, 1, 1, NULL, 2000, 50 } };

    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", january);
    world_put(*state, february, COUNT(february));
    world_settle(*state, "2017-02-28", "2017-02");
    world_put(*state, march, COUNT(march));
    world_settle(*state, "2017-03-31", "2017-03");
    assert_asked(*state, "1000|25|975|975|0\n-1000|-25|-975|0|-975\n2000|50|1950|975|0\n", shop_1);
    /* nobody's money is lost on the way: in all, the parties were paid what they are owed */
    assert_int_equal(world_number(*state, "SELECT sum(payable_minor) FROM statement_position"), 0);
}

/* The commission was 2.5 percent at the sale and is another now; the reversal has the one of the sale, as frozen. */
static void a_reversal_has_the_rate_of_its_sale(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-30", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 },
        { 0, 2, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 900, 90 },
        { 0, 1, 2, "2017-01-31", NULL, 8, 1000, 1, 1, 1, NULL, -1000, -25 },
    };

    SETTLE(*state, "2017-01-30", "2017-01-31", "2017-01", entries);
    assert_asked(*state, "900|90|810|810|0\n", shop_1);
}

static void a_refunds_line_has_its_sign_in_every_column(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-30", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 },
        { 0, 1, 2, "2017-01-31", NULL, 8, 400, 1, 1, 1, NULL, -400, -10 },
    };

    SETTLE(*state, "2017-01-30", "2017-01-31", "2017-01", entries);
    assert_asked(*state, "-400|-400|-10|-390\n",
                 "SELECT points, gross_minor, commission_minor, net_minor FROM statement_entry WHERE kind = 8");
    char command[256];
    snprintf(command, sizeof command, "grep -q 'REVERSE,.*,-400,USD,-4.00,-0.10,-3.90,1,1' %s/demo/2017-01/pair_*.csv",
             ((struct world *)*state)->dir);
    assert_int_equal(system(command), 0);
}

/* Three sales of which each has a commission of 33.3 hundredths: the tier's commission of the month is that of the sum.
 */
static void roundings_do_not_add_up(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", NULL, 4, 333, 1, 1, 1, NULL, 333, 3 },
        { 0, 2, 1, "2017-01-31", NULL, 4, 333, 1, 1, 1, NULL, 333, 3 },
        { 0, 3, 1, "2017-01-31", NULL, 4, 334, 2, 1, 1, NULL, 334, 3 },
    };

    world_contract(*state, &(struct world_contract){ .party = 2, .no = 1, .tiers = "0:100" });
    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    assert_asked(*state, "1|1|1\n", "SELECT kind, amount_minor, bank_no FROM settlement_posting"); /* 10, not 9 */
    assert_asked(*state, "1000|9|991|990|0\n", shop_1);
}

static void a_close_run_twice_pays_once(void **state)
{
    static const struct world_entry entries[] = { { 0, 1, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 } };
    struct error err;

    world_contract(*state, &(struct world_contract){
                               .party = 2, .no = 1, .hold_back_bp = 1000, .hold_back_periods = 1, .fee_period = 100 });
    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    char *kept = world_kept(*state), *files = world_files(*state);
    assert_int_equal(world_close_period(*state, "2017-01", &err), REASON_OK);
    char *kept_again = world_kept(*state), *files_again = world_files(*state);
    assert_string_equal(kept_again, kept);
    assert_string_equal(files_again, files);
    world_settle(*state, "2017-02-28", "2017-02");
    /* 975 less a fee of 100, of which a tenth, 87, waits a month; February takes its fee and gives that back */
    assert_asked(*state, "1000|25|975|788|87\n0|0|0|0|-13\n", shop_1);
    free(kept);
    free(files);
    free(kept_again);
    free(files_again);
}

/* A commission of 1.25 percent is that, not 1 or 1.3. */
static void percentages_keep_their_digits(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", NULL, 4, 1000000, 1, 1, 1, NULL, 1000000, 10000 },
    };

    world_contract(*state, &(struct world_contract){ .party = 2, .no = 1, .tiers = "0:125" });
    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    assert_asked(*state, "1000000|10000|990000|987500|0\n", shop_1);
}

/* What was confirmed and then changed in the database stops the next close, which says where. */
static void what_is_edited_later_stops_the_close(void **state)
{
    static const struct world_entry entries[] = { { 0, 1, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 } };
    struct error err;

    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    world_do(*state, "UPDATE journal SET gross_minor = 1100 WHERE kind = 4");
    assert_int_equal(world_close_period(*state, "2017-01", &err), REASON_PERIOD_CHANGED);
    assert_non_null(strstr(error_text(&err), "bucket 0 of 2017-01-31"));
}

/* 16:30 UTC on the 31st is the 1st in Shanghai; the day's fence decides, and so does the period. */
static void a_period_is_that_of_the_programmes_days(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", "2017-01-31 15:59:59.999999Z", 4, 100, 1, 1, 1, NULL, 100, 1 },
        { 0, 1, 2, "2017-02-01", "2017-01-31 16:30:00Z", 4, 200, 1, 1, 1, NULL, 200, 2 },
    };

    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    world_settle(*state, "2017-02-28", "2017-02");
    assert_asked(*state, "100|1|99|99|0\n200|2|198|198|0\n", shop_1);
}

static void an_empty_month_has_a_statement(void **state)
{
    world_do(*state, "UPDATE fence SET business_date = '2017-01-31'");
    world_settle(*state, "2017-01-31", "2017-01");
    assert_asked(*state, "demo/2017-01/OPERATOR/XXX|0|0\n",
                 "SELECT statement_id, gross_minor, closing_minor FROM statement JOIN statement_position USING "
                 "(statement_no)");
}

/* The bank is paid, the merchant owes and carries, the operator gives its commission back. */
static void a_month_of_reversals_ties_and_asks_no_merchant(void **state)
{
    static const struct world_entry entries[] = { { 0, 1, 2, "2017-01-31", NULL, 8, 400, 1, 1, 1, NULL, -400, -10 } };

    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    assert_asked(*state, "BANK|400|0\nMERCHANT|0|-390\nOPERATOR|-10|0\n",
                 "SELECT split_part(statement_id, '/', 3), payable_minor, closing_minor FROM statement JOIN "
                 "statement_position USING (statement_no) ORDER BY statement_id");
}

/* Its last statement is for the days it was there; what was too little to be paid stays its own, month after month. */
static void a_merchant_that_left_keeps_its_money(void **state)
{
    static const struct world_entry entries[] = { { 0, 1, 1, "2017-01-30", NULL, 4, 500, 1, 1, 1, NULL, 500, 10 } };

    world_contract(*state, &(struct world_contract){ .party = 2, .no = 1, .min_payout = 1000 });
    SETTLE(*state, "2017-01-30", "2017-01-31", "2017-01", entries);
    world_settle(*state, "2017-02-28", "2017-02");
    assert_asked(*state, "500|10|490|0|490\n0|0|0|0|490\n", shop_1);
    world_contract(*state, &(struct world_contract){ .party = 2, .no = 1, .from = "2017-03-01" });
    world_settle(*state, "2017-03-31", "2017-03");
    world_settle(*state, "2017-04-30", "2017-04");
    assert_asked(*state, "500|10|490|0|490\n0|0|0|0|490\n0|0|0|490|0\n", shop_1); /* and is done in April */
}

static void two_currencies_never_meet(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", NULL, 4, 100, 1, 1, 1, "USD", 100, 1 },
        { 0, 1, 2, "2017-01-31", NULL, 4, 100, 1, 1, 1, "JPY", 15000, 150 },
    };

    world_contract(*state, &(struct world_contract){ .party = 2, .no = 1, .currency = "JPY", .fee_period = 7 });
    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    assert_asked(*state, "JPY|14843|0\nUSD|99|0\n",
                 "SELECT currency, payable_minor, closing_minor FROM statement JOIN statement_position USING "
                 "(statement_no) WHERE type = 3 ORDER BY 1");
}

/* Terms changed at noon: each sale has what was frozen on it, and the lines say which version. */
static void a_change_at_noon_of_the_last_day_splits_the_day(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", "2017-01-31 03:59:59.999999Z", 4, 1000, 1, 1, 1, NULL, 1000, 25 },
        { 0, 1, 2, "2017-01-31", "2017-01-31 04:00:00Z", 4, 1000, 1, 1, 1, NULL, 1000, 50 },
    };

    world_put(*state, entries, COUNT(entries));
    world_do(*state, "UPDATE journal SET terms_version = seq; UPDATE fence SET business_date = '2017-01-31'");
    world_settle(*state, "2017-01-31", "2017-01");
    assert_asked(*state, "1|25|1\n2|50|2\n",
                 "SELECT line_number, commission_minor, terms_version FROM statement_entry ORDER BY 1");
    assert_asked(*state, "2000|75|1925|1925|0\n", shop_1);
}

static void a_leap_day_is_a_day_of_its_month(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2016-02-29", NULL, 4, 100, 1, 1, 1, NULL, 100, 1 },
        { 0, 1, 2, "2016-03-01", NULL, 4, 200, 1, 1, 1, NULL, 200, 2 },
    };

    SETTLE(*state, "2016-02-29", "2016-02-29", "2016-02", entries);
    assert_asked(*state, "100|1|99|99|0\n", shop_1);
    assert_asked(*state, "2016-02-29\n", "SELECT DISTINCT last_day FROM statement");
}

/* A day that ends half an hour after midnight is not over a moment before that, and is at that moment. */
static void the_cut_off_is_exact(void **state)
{
    struct error err;

    world_do(*state, "UPDATE programme SET cut_off_minutes = 30; UPDATE fence SET test_clock = "
                     "'2017-01-01 16:29:59.999999Z'");
    assert_int_equal(world_close_day(*state, "2017-01-01", &err), REASON_DAY_NOT_OVER);
    assert_non_null(strstr(error_text(&err), "2017-01-01T16:30:00Z"));
    world_do(*state, "UPDATE fence SET test_clock = '2017-01-01 16:30Z'");
    assert_int_equal(world_close_day(*state, "2017-01-01", &err), REASON_OK);
}

static void a_late_entry_is_named(void **state)
{
    static const struct world_entry entries[] = { { 0, 1, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 } };
    static const struct world_entry late = { 2, 5, 1, "2017-01-31", NULL, 4, 50, 1, 1, 1, NULL, 50, 1 };
    struct error err;

    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    world_put(*state, &late, 1);
    assert_int_equal(world_close_period(*state, "2017-01", &err), REASON_PERIOD_CHANGED);
    assert_non_null(strstr(error_text(&err), "bucket 2 of 2017-01-31"));
}

static void roll_ups_that_are_not_the_journals_are_named(void **state)
{
    static const struct world_entry entries[] = { { 0, 1, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 } };
    struct error err;

    SETTLE(*state, "2017-01-31", "2017-01-31", "2017-01", entries);
    world_do(*state, "UPDATE day_rollup SET commission_minor = 24 WHERE kind = 4");
    assert_int_equal(world_close_period(*state, "2017-01", &err), REASON_DOES_NOT_TIE);
    assert_non_null(strstr(error_text(&err), "commission of PAIR bank-a shop-1 USD"));
}

static void a_missing_day_is_named(void **state)
{
    struct error err;

    world_do(*state, "UPDATE fence SET business_date = '2017-01-30'");
    assert_int_equal(world_close_day(*state, "2017-01-30", &err), REASON_OK);
    assert_int_equal(world_close_period(*state, "2017-01", &err), REASON_DAY_NOT_SEALED);
    assert_non_null(strstr(error_text(&err), "2017-01-31"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_net_knows_its_refunds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refund_after_the_close_is_in_the_next_report, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reversal_has_the_rate_of_its_sale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refunds_line_has_its_sign_in_every_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(roundings_do_not_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_close_run_twice_pays_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(percentages_keep_their_digits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_edited_later_stops_the_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_period_is_that_of_the_programmes_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_month_has_a_statement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_month_of_reversals_ties_and_asks_no_merchant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_merchant_that_left_keeps_its_money, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_currencies_never_meet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_at_noon_of_the_last_day_splits_the_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_leap_day_is_a_day_of_its_month, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_cut_off_is_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_late_entry_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(roll_ups_that_are_not_the_journals_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_day_is_named, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
