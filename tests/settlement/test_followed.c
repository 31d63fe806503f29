/* Each figure of a statement follows, with a calculator, from what its files say. */
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

/* What a command says, run in the folder of all periods. */
static void assert_says(struct world *world, const char *run, const char *expected)
{
    char command[2048], text[4096];

    snprintf(command, sizeof command, "cd %s/demo && { %s; } 2>&1", world->dir, run);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    pclose(in);
    assert_string_equal(text, expected);
}

static void assert_recomputed(struct world *world, const char *period)
{
    char command[TEST_CONNINFO + 512], told[4096];

    snprintf(command, sizeof command, "python3 %s/tests/settlement/recompute.py '%s' %s demo %s 2>&1 | tail -n 3",
             SOURCE_DIR, world->conninfo, world->dir, period);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    told[fread(told, 1, sizeof told - 1, in)] = '\0';
    pclose(in);
    if (!strstr(told, " 0 differ\n"))
        fail_msg("%s", told);
}

/* A month's reserve is let go two months later, and the statement says so. */
static void a_reserve_is_seen_to_come_and_go(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 0 },
        { 0, 1, 2, "2017-02-10", NULL, 4, 1000, 1, 1, 1, NULL, 500, 0 },
    };
    struct world *world = *state;

    world_contract(world,
                   &(struct world_contract){ .party = 2, .no = 1, .hold_back_bp = 1000, .hold_back_periods = 2 });
    world_put(world, entries, COUNT(entries));
    world_settle(world, "2017-01-31", "2017-01");
    world_settle(world, "2017-02-28", "2017-02");
    world_settle(world, "2017-03-31", "2017-03");
    world_settle(world, "2017-04-30", "2017-04");
    assert_says(world, "cut -d, -f11- 2017-02/merchant_shop-1_2017-02_USD.csv | tail -n +2",
                "OPENING,,1.00,\r\nPAIR,,5.00,\r\nPAYABLE,,-4.50,\r\nHELD_BACK,2017-01,,1.00\r\n"
                "HELD_BACK,2017-02,,0.50\r\nCLOSING,,1.50,1.50\r\n");
    assert_says(world, "cut -d, -f11- 2017-03/merchant_shop-1_2017-03_USD.csv | tail -n +2",
                "OPENING,,1.50,\r\nPAYABLE,,-1.00,\r\nHELD_BACK,2017-01,,1.00\r\n"
                "HELD_BACK_RELEASED,2017-01,,-1.00\r\nHELD_BACK,2017-02,,0.50\r\nCLOSING,,0.50,0.50\r\n");
    assert_says(world, "cut -d, -f11- 2017-04/merchant_shop-1_2017-04_USD.csv | tail -n +2",
                "OPENING,,0.50,\r\nPAYABLE,,-0.50,\r\nHELD_BACK,2017-02,,0.50\r\n"
                "HELD_BACK_RELEASED,2017-02,,-0.50\r\nCLOSING,,0.00,0.00\r\n");
    assert_says(world, "pdftotext -layout 2017-03/merchant_shop-1_2017-03_USD.pdf - | tr -s ' ' | grep reserve",
                " 本期释放保证金 reserve released in the period: 2017-01 1.00\n");
    assert_says(world, "grep -c POSITION_PART_KIND_HELD_BACK_RELEASED 2017-03/merchant_shop-1_2017-03_USD.json", "1\n");
    assert_recomputed(world, "2017-02");
    assert_recomputed(world, "2017-03");
    assert_recomputed(world, "2017-04");
}

/* Two banks, a tier, a fee and tax: each posting says what of what it is, and the sums come out. */
static void a_posting_says_how_it_comes_about(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", NULL, 4, 1000, 1, 1, 1, NULL, 10049, 250 },
        { 0, 1, 2, "2017-01-31", NULL, 4, 1000, 2, 1, 1, NULL, 5025, 125 },
    };
    struct world *world = *state;

    world_contract(world, &(struct world_contract){ .party = 2,
                                                    .no = 1,
                                                    .tiers = "0:200",
                                                    .tax_bp = 600,
                                                    .tax_rounding = 3,
                                                    .fee_redemption = 7,
                                                    .residue_limit = 2 });
    world_put(world, entries, COUNT(entries));
    world_settle(world, "2017-01-31", "2017-01");
    assert_says(world, "grep -E 'TIER|FEE|TAX' 2017-01/merchant_shop-1_2017-01_USD.csv | cut -d, -f1,11-",
                "bank-a,COMMISSION_TIER,\"2.00 % of 100.49 = 2.01, less 2.50 charged\",0.49,\r\n"
                "bank-b,COMMISSION_TIER,\"2.00 % of 150.74 = 3.01, less 2.01 of the banks before, less 1.25 charged\","
                "0.25,\r\n"
                ",PARTNER_FEE,2 redemptions at 0.07,-0.14,\r\n"
                "bank-a,TAX,\"6.00 % of 2.01, rounded half to even\",-0.12,\r\n"
                "bank-b,TAX,\"6.00 % of 1.00, rounded half to even\",-0.06,\r\n"
                ",TAX,\"6.00 % of 0.14, rounded half to even\",-0.01,\r\n");
    assert_says(world,
                "pdftotext -layout 2017-01/merchant_shop-1_2017-01_USD.pdf - | grep -c '2.00 % of 150.74 = 3.01, less "
                "2.01 of the banks before, less 1.25 charged'",
                "1\n");
    assert_recomputed(world, "2017-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reserve_is_seen_to_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_posting_says_how_it_comes_about, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
