/* A month of random entries, closed by us and calculated again by a program that shares no code with ours. */
#include "settled_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two thirds are lines: 100,000 confirmations of redemptions and 33,000 reversals; fewer where every access is watched.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MONTH_ENTRIES = 20000 };
#else
enum { MONTH_ENTRIES = 205000 };
#endif
enum { ENTRIES = 5000 };

/* Exit status of the checker; said receives what it printed. */
static int recompute(struct world *world, const char *period, char said[512])
{
    char command[TEST_CONNINFO + 512];

    snprintf(command, sizeof command, "python3 %s/tests/settlement/recompute.py '%s' %s demo %s 2>&1 | tail -n 3",
             SOURCE_DIR, world->conninfo, world->dir, period);
    char whole[sizeof command + 64];
    snprintf(whole, sizeof whole, "bash -o pipefail -c \"%s\"", command);
    FILE *in = popen(whole, "r");
    assert_non_null(in);
    size_t n = fread(said, 1, 511, in);
    said[n] = '\0';
    return pclose(in);
}

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

static void a_random_month_is_the_same_calculated_otherwise(void **state)
{
    struct world *world = *state;
    char said[512];

    world_put_random(world, "2017-02", MONTH_ENTRIES, 42);
    world_do(world, "UPDATE fence SET business_date = '2017-02-01'");
    world_settle(world, "2017-02-28", "2017-02");
    assert_true(world_number(world, "SELECT sum(confirmed_count) FROM statement WHERE type = 4") >
                MONTH_ENTRIES * 49 / 100);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT currency) FROM statement"), 3);
    if (recompute(world, "2017-02", said) != 0)
        fail_msg("%s", said);
}

/* Every kind of charge, in three currencies, and a correction; then the month after, which opens with what is kept. */
static void put_contracts(struct world *world)
{
    static const struct world_contract contracts[] = {
        { .party = 2,
          .no = 1,
          .tiers = "0:300 10000:175 900000:120",
          .tax_bp = 600,
          .residue_limit = 5,
          .fee_redemption = 3,
          .eligibility = 2,
          .hold_back_bp = 1000,
          .hold_back_periods = 2 },
        { .party = 2,
          .no = 2,
          .tiers = "500:99",
          .tax_bp = 1300,
          .tax_rounding = 2,
          .tax_bearer = 4,
          .residue_limit = 3,
          .min_payout = 100000000 },
        { .party = 2,
          .no = 3,
          .currency = "JPY",
          .tax_bp = 777,
          .tax_rounding = 1,
          .residue_limit = 3,
          .fee_period = 5000 },
        { .party = 1, .no = 1, .fee_period = 100000, .fee_redemption = 1, .payment_days = 7 },
        { .party = 1, .no = 2, .currency = "KWD", .from = "2017-02-28", .fee_period = 12345 },
    };

    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(world, &contracts[i]);
    world_do(world, "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
                    "to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, business_date) VALUES "
                    "(1, gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 1234, 'twice', 'demo/2017-01', 2, 'ann', 'bob', "
                    "'2017-02-03'), (1, gen_random_uuid(), 'EUR', 8, 1, 2, 4, 0, 55, 'late, by \"12\" days', '=x', 2, "
                    "'ann', 'bob', '2017-02-28'), (1, gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 999, 'not yet', 'x', 1, "
                    "'ann', '', '2017-02-03')");
    world_do(world, "INSERT INTO settlement_hold (programme_no, merchant_no, currency, kind, amount_minor, refers_to, "
                    "begun_on, release_on) VALUES (1, 1, 'USD', 2, 700, 'dispute 1', '2017-02-10', '9999-12-31'), "
                    "(1, 3, 'USD', 2, 300, 'dispute 2', '2017-02-11', '2017-03-05'), "
                    "(1, 3, 'USD', 2, 300, 'dispute 3', '2017-02-11', '2017-02-20')");
}

/* February is due on 15 March, of bank-a on the 7th: both are off, the 18th is a Saturday of work. */
static void put_calendar(struct world *world)
{
    world_do(world, "INSERT INTO calendar VALUES (1, 1, '2017-02-20', gen_random_uuid(), '', 'olga'), "
                    "(1, 2, '2017-03-10', gen_random_uuid(), '', 'olga'); INSERT INTO holiday (programme_no, version, "
                    "on_date, working, name) VALUES (1, 1, '2017-03-07', false, 'a'), (1, 1, '2017-03-18', false, "
                    "'not any more'), (1, 2, '2017-03-15', false, 'b'), (1, 2, '2017-03-16', false, 'c'), (1, 2, "
                    "'2017-03-17', false, 'd'), (1, 2, '2017-03-18', true, 'for the 17th')");
}

/* Orders of shop-1, some delivered, some late, some not at all; and points of two campaigns. */
static void put_facts(struct world *world)
{
    static const struct world_contract contracts[] = {
        { .party = 3, .no = 1, .freight = 800 },
        { .party = 3, .no = 1, .from = "2017-02-15", .freight = 850 },
        { .party = 3, .no = 1, .currency = "JPY", .from = "2017-02-15", .freight = 90 },
    };

    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(world, &contracts[i]);
    world_do(world, "INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) VALUES ('swift', 1, 'S', "
                    "'x', ''); INSERT INTO goods (programme_no, goods_id, merchant_no, name, kind, price_minor, "
                    "currency, carrier_no) VALUES (1, 'mug', 1, 'm', 1, 1, 'USD', 1), (1, 'cup', 1, 'c', 1, 1, 'JPY', "
                    "1)");
    world_do(world, "INSERT INTO redemption (bucket, id, member_id, programme_no, bank_no, merchant_no, store_no, "
                    "terminal_id, content_hash, reason, state, points, currency, rules_version, terms_version, "
                    "goods_no, quantity, ship_to, spendable_after, business_date, held_at, lapse_at, draw_credit) "
                    "SELECT bucket, redemption_id, member_id, 1, bank_no, 1, 1, '', '', 'OK', 2, points, currency, 1, "
                    "1, CASE currency WHEN 'USD' THEN 1 ELSE 2 END, 1, '', 0, business_date, at, at, 0 FROM journal "
                    "WHERE kind = 4 AND merchant_no = 1 AND currency IN ('USD', 'JPY') AND seq %% 2 = 0");
    world_do(world,
             "INSERT INTO shipment (bucket, id, programme_no, carrier_no, merchant_no, goods_no, quantity, "
             "state, head_at) SELECT bucket, id, 1, 1, 1, goods_no, 1, CASE WHEN get_byte(uuid_send(id), 1) %% 5 "
             "= 0 THEN 4 ELSE 6 END, held_at + get_byte(uuid_send(id), 2) * interval '3 hours' FROM redemption");
    world_do(world, "INSERT INTO funding (bank_no, funding_id, cost_num, cost_den, currency, content_hash) VALUES "
                    "(1, 'spring', 1, 3, 'USD', ''), (2, 'tea', 7, 10, 'KWD', ''), (1, 'own', 1, 1, 'USD', ''); INSERT "
                    "INTO funding_share VALUES (1, 1, 0, 3333), (1, 2, 0, 3333), (1, 3, 2, 3334), (2, 3, 1, 10000), "
                    "(3, 1, 0, 10000)");
    world_do(world, "UPDATE journal SET lots = int4send(18000) || int4send((seq %% 4)::int) || int8send(points) || "
                    "int4send(18001) || int4send(1) || int8send(points / 3) WHERE kind IN (3, 5, 6, 7, 8)");
}

static void contracts_are_the_same_calculated_otherwise(void **state)
{
    struct world *world = *state;
    char said[512];

    world_put_random(world, "2017-02", ENTRIES, 43);
    put_contracts(world);
    put_facts(world);
    put_calendar(world);
    world_do(world, "UPDATE fence SET business_date = '2017-02-01'");
    world_settle(world, "2017-02-28", "2017-02");
    assert_int_equal(world_number(world, "SELECT count(DISTINCT kind) FROM settlement_posting"), 8);
    assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_correction WHERE state = 3"), 2);
    if (recompute(world, "2017-02", said) != 0)
        fail_msg("%s", said);
    char *due = world_ask(world, "SELECT DISTINCT due_on FROM statement_position ORDER BY 1");
    assert_string_equal(due, "2017-03-08\n2017-03-18\n");
    free(due);
    world_settle(world, "2017-03-31", "2017-03");
    world_settle(world, "2017-04-30", "2017-04");
    assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_hold WHERE kind = 1 AND "
                                         "from_period = '2017-02' AND release_on = '2017-04-01'"),
                     1);
    for (int month = 3; month <= 4; month++) {
        char period[24];
        snprintf(period, sizeof period, "2017-%02d", month);
        if (recompute(world, period, said) != 0)
            fail_msg("%s", said);
    }
}

static void an_empty_month_is_the_same_too(void **state)
{
    struct world *world = *state;
    char said[512];

    world_settle(world, "2017-01-31", "2017-01");
    if (recompute(world, "2017-01", said) != 0)
        fail_msg("%s", said);
}

/* The checker must be able to say no. */
static void the_checker_sees_one_minor_unit(void **state)
{
    static const char *const damages[] = {
        "sed -i 's/,11.21,PAIR/,11.22,PAIR/' %s/demo/2017-01/operator_demo_2017-01_USD.csv",
        "sed -i 's/\"netMinor\":\"1121\"/\"netMinor\":\"1120\"/' %s/demo/2017-01/pair_bank-a_shop-1_2017-01_USD.json",
        "rm %s/demo/2017-01/bank_bank-b_2017-01_USD.json",
    };
    struct world *world = *state;
    struct error err;
    char said[512], command[256];

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    assert_int_equal(recompute(world, "2017-01", said), 0);
    for (size_t i = 0; i < COUNT(damages); i++) {
        snprintf(command, sizeof command, damages[i], world->dir);
        assert_int_equal(system(command), 0);
        assert_int_not_equal(recompute(world, "2017-01", said), 0);
        assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    }
    world_do(world, "UPDATE statement SET gross_minor = gross_minor + 1, net_minor = net_minor + 1 WHERE type = 2");
    assert_int_not_equal(recompute(world, "2017-01", said), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_random_month_is_the_same_calculated_otherwise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(contracts_are_the_same_calculated_otherwise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_month_is_the_same_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_checker_sees_one_minor_unit, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
