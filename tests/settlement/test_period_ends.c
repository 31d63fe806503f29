/* What is left in an account whose kind of period a contract has left, what other periods' statements take along, and
 * what a close may not leave out. */
#include "due.h"
#include "settled_world.h"
#include "store/db.h"

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
    world_do(&world, "UPDATE fence SET business_date = '2017-02-01'");
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static void until(struct world *world, const char *last_day)
{
    struct error err;

    if (world_close_until(world, last_day, &err) != REASON_OK)
        fail_msg("%s: %s", last_day, error_text(&err));
}

/* Closed, and computed again by the script. */
static void close_one(struct world *world, const char *period)
{
    char command[TEST_CONNINFO + 512], said[512];
    struct error err;

    if (world_close_period(world, period, &err) != REASON_OK)
        fail_msg("%s: %s", period, error_text(&err));
    snprintf(command, sizeof command,
             "bash -o pipefail -c \"python3 %s/tests/settlement/recompute.py '%s' %s demo %s 2>&1 | tail -n 3\"",
             SOURCE_DIR, world->conninfo, world->dir, period);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    said[fread(said, 1, sizeof said - 1, in)] = '\0';
    if (pclose(in) != 0)
        fail_msg("%s: %s", period, said);
}

static void expect_refused(struct world *world, const char *period, enum reason reason, const char *told)
{
    struct error err;

    assert_int_equal(world_close_period(world, period, &err), reason);
    if (!strstr(error_text(&err), told))
        fail_msg("%s: %s", period, error_text(&err));
}

/* What is due of one kind, as told: "WEEK    2017-W09\n". */
static void expect_due(struct world *world, const char *kind, const char *told)
{
    char *text = NULL, all[2048] = "", *rest, *line;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct db *db;
    struct error err;

    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(due_show(db, "demo", out, &err));
    db_close(db);
    fclose(out);
    for (rest = text; (line = strsep(&rest, "\n"));) {
        if (strncmp(line, kind, strlen(kind)) == 0)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", line + strlen("CUSTOM  "));
    }
    free(text);
    assert_string_equal(all, told);
}

/* Opening, movement, payable, carried, held back and disputed of the shop's or carrier's own statement. */
static void expect_position(struct world *world, int type, int no, const char *period, const char *told)
{
    char *text = world_ask(world,
                           "SELECT concat_ws(' ', opening_minor, movement_minor, payable_minor, carried_minor, "
                           "held_back_minor, disputed_minor) FROM statement JOIN statement_position USING "
                           "(statement_no) WHERE type = %d AND merchant_no + carrier_no = %d AND period = '%s'",
                           type, no, period);

    text[strcspn(text, "\n")] = '\0';
    assert_string_equal(text, told);
    free(text);
}

static void redeem(struct world *world, int shop, const char *date, int64_t gross)
{
    static int64_t seq;
    struct world_entry entry = { .bucket = 1,
                                 .member = 1,
                                 .seq = ++seq,
                                 .date = date,
                                 .kind = gross > 0 ? 4 : 8,
                                 .points = 10,
                                 .bank = 1,
                                 .merchant = shop,
                                 .store = shop,
                                 .gross = gross };

    world_put(world, &entry, 1);
}

static void deliver(struct world *world, int shop, const char *date)
{
    world_do(world,
             "INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) SELECT 'swift', 1, 'S', 'x', '' "
             "WHERE NOT EXISTS (SELECT FROM carrier); INSERT INTO goods (programme_no, goods_id, merchant_no, name, "
             "kind, price_minor, currency, carrier_no) VALUES (1, 'mug' || %1$d, %1$d, 'm', 1, 1, 'USD', 1) ON "
             "CONFLICT DO NOTHING; INSERT INTO shipment (bucket, id, programme_no, carrier_no, merchant_no, goods_no, "
             "quantity, state, head_at) SELECT 1, gen_random_uuid(), 1, 1, %1$d, goods_no, 1, 6, '%2$s 12:00+08' FROM "
             "goods WHERE merchant_no = %1$d",
             shop, date);
}

/* The shop goes from weeks to days: its weeks are due until what they kept is paid. */
static void what_weeks_kept_is_paid_when_they_are_over(void **state)
{
    static const struct world_contract contracts[] = {
        { .party = 2,
          .no = 1,
          .from = "2017-02-01",
          .kind = PERIOD_WEEK,
          .min_payout = 50000,
          .hold_back_bp = 1000,
          .hold_back_periods = 4 },
        { .party = 2, .no = 1, .from = "2017-02-10", .kind = PERIOD_DAY }
    };
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(world, &contracts[i]);
    redeem(world, 1, "2017-02-02", 100000);
    redeem(world, 1, "2017-02-07", 30000);
    until(world, "2017-03-26");
    expect_due(world, "WEEK", "2017-W05 2017-W06 ");
    close_one(world, "2017-W05");
    close_one(world, "2017-W06");
    expect_position(world, 3, 1, "2017-W06", "10000 30000 0 27000 13000 0");
    expect_due(world, "WEEK", "2017-W07 ");
    close_one(world, "2017-W07");
    expect_position(world, 3, 1, "2017-W07", "40000 0 27000 0 13000 0"); /* the least of a payout was a week's */
    expect_due(world, "WEEK", "2017-W08 ");
    close_one(world, "2017-W08");
    close_one(world, "2017-W09"); /* four later than the fifth */
    expect_position(world, 3, 1, "2017-W09", "13000 0 10000 0 3000 0");
    close_one(world, "2017-W10");
    expect_position(world, 3, 1, "2017-W10", "3000 0 3000 0 0 0");
    expect_due(world, "WEEK", "");
}

/* After the last custom end there are months; what the custom periods kept goes on in custom ones as long. */
static void what_custom_periods_kept_is_paid_after_the_last(void **state)
{
    static const struct world_contract contract = { .party = 2,
                                                    .no = 1,
                                                    .from = "2017-02-01",
                                                    .kind = PERIOD_CUSTOM,
                                                    .ends = "2017-02-10,2017-02-28",
                                                    .hold_back_bp = 1000,
                                                    .hold_back_periods = 1 };
    struct world *world = *state;

    world_contract(world, &contract);
    redeem(world, 1, "2017-02-05", 50000);
    redeem(world, 1, "2017-02-20", 20000);
    until(world, "2017-03-30");
    expect_refused(world, "2017-02-11--2017-02-28", REASON_PERIOD_LEFT_OUT,
                   "period-close --period 2017-02-01--2017-02-10");
    expect_refused(world, "2017-02-03--2017-02-20", REASON_FIELD_INVALID, "no contract");
    close_one(world, "2017-02-01--2017-02-10");
    close_one(world, "2017-02-11--2017-02-28");
    expect_position(world, 3, 1, "2017-02-11--2017-02-28", "5000 20000 23000 0 2000 0");
    expect_due(world, "CUSTOM", "");
    until(world, "2017-03-31");
    expect_due(world, "CUSTOM", "2017-03-01--2017-03-31 ");
    close_one(world, "2017-03-01--2017-03-31");
    expect_position(world, 3, 1, "2017-03-01--2017-03-31", "2000 0 2000 0 0 0");
    close_one(world, "2017-03-01--2017-03-31"); /* once more */
    expect_due(world, "CUSTOM", "");
}

/* A shop by weeks and its carrier by months: the freight is asked for, for no later week would set it off. */
static void who_is_settled_elsewhere_is_asked_to_pay(void **state)
{
    static const struct world_contract contracts[] = {
        { .party = 2, .no = 1, .from = "2017-02-01", .kind = PERIOD_WEEK },
        { .party = 3, .no = 1, .from = "2017-02-01", .freight = 800 },
    };
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(world, &contracts[i]);
    redeem(world, 1, "2017-02-02", 1000);
    redeem(world, 1, "2017-02-07", -300);
    deliver(world, 1, "2017-02-09");
    deliver(world, 2, "2017-02-09");
    until(world, "2017-02-28");
    close_one(world, "2017-W05");
    close_one(world, "2017-W06");
    close_one(world, "2017-02");
    expect_position(world, 3, 1, "2017-W06", "0 -300 0 -300 0 0");
    expect_position(world, 3, 1, "2017-02", "0 -800 -800 0 0 0");
    expect_position(world, 3, 2, "2017-02", "0 -800 0 -800 0 0"); /* by months: the next one sets it off */
    expect_position(world, 5, 1, "2017-02", "0 1600 1600 0 0 0");
}

/* The freight of a carrier with other custom ends comes off what the shop has coming, and nothing of what is kept. */
static void what_is_kept_stays_kept_in_others_periods(void **state)
{
    static const struct world_contract contracts[] = {
        { .party = 2,
          .no = 1,
          .from = "2017-02-01",
          .kind = PERIOD_CUSTOM,
          .ends = "2017-02-10,2017-02-28",
          .hold_back_bp = 1000,
          .hold_back_periods = 2 },
        { .party = 3,
          .no = 1,
          .from = "2017-02-01",
          .kind = PERIOD_CUSTOM,
          .ends = "2017-02-15,2017-02-28",
          .freight = 800 },
    };
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(world, &contracts[i]);
    redeem(world, 1, "2017-02-05", 50000);
    redeem(world, 1, "2017-02-20", 7000);
    deliver(world, 1, "2017-02-09");
    until(world, "2017-02-28");
    expect_due(world, "CUSTOM",
               "2017-02-01--2017-02-10 2017-02-01--2017-02-15 2017-02-11--2017-02-28 2017-02-16--2017-02-28 ");
    close_one(world, "2017-02-01--2017-02-10");
    close_one(world, "2017-02-01--2017-02-15");
    close_one(world, "2017-02-11--2017-02-28");
    expect_position(world, 3, 1, "2017-02-01--2017-02-10", "0 50000 45000 0 5000 0");
    expect_position(world, 3, 1, "2017-02-01--2017-02-15", "5000 -800 0 -800 5000 0");
    expect_position(world, 3, 1, "2017-02-11--2017-02-28", "4200 7000 5500 0 5700 0");
    close_one(world, "2017-02-16--2017-02-28");
    expect_due(world, "CUSTOM", "");
}

/* Fees, shares and points of a bank are in weeks without redemptions, too. */
static void a_week_without_redemptions_is_not_left_out(void **state)
{
    static const struct world_contract contract = {
        .party = 1, .no = 1, .from = "2017-02-01", .kind = PERIOD_WEEK, .fee_period = 1000
    };
    struct world *world = *state;

    world_contract(world, &contract);
    until(world, "2017-02-12");
    expect_refused(world, "2017-W06", REASON_PERIOD_LEFT_OUT, "2017-W05");
    close_one(world, "2017-W05");
    close_one(world, "2017-W06");
    close_one(world, "2017-W05"); /* the earlier one again */
    assert_int_equal(world_number(world, "SELECT sum(amount_minor) FROM settlement_posting"), 2000);
}

/* The page stands on one currency's statement, whatever else the bank has. */
static void the_points_are_in_a_statement_of_their_own_periods(void **state)
{
    static const struct world_contract contract = {
        .party = 1, .no = 1, .from = "2017-02-01", .currency = "JPY", .kind = PERIOD_WEEK
    };
    struct world *world = *state;

    world_contract(world, &contract);
    world_put(world,
              &(struct world_entry){ 1, 1, 100, "2017-02-03", NULL, 4, 10, 1, 1, 1, .currency = "JPY", .gross = 5 }, 1);
    until(world, "2017-02-28");
    close_one(world, "2017-02");
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement WHERE type = 2 AND currency = 'XXX'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_weeks_kept_is_paid_when_they_are_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_custom_periods_kept_is_paid_after_the_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_settled_elsewhere_is_asked_to_pay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_kept_stays_kept_in_others_periods, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_week_without_redemptions_is_not_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_points_are_in_a_statement_of_their_own_periods, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
