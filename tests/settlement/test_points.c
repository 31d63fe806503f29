/* A bank's points page: roll-forward, what is outstanding and by what it is held to be so, breakage, drawn credit. */
#include "settled_world.h"

#include "points_line.h"

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

static void every_kind_stands_in_one_line(void **state)
{
    (void)state;
    for (int kind = 1; kind < ENTRY_KIND_COUNT; kind++) {
        enum points_line line = points_line_of(kind);
        assert_int_not_equal(line, POINTS_NO_LINE);
        /* what changes nothing outstanding is WITHIN, and nothing else is */
        assert_int_equal(points_effect(kind) == 0, line == POINTS_WITHIN);
    }
    assert_int_equal(points_line_of(0), POINTS_NO_LINE);
    assert_int_equal(points_line_of(ENTRY_KIND_COUNT), POINTS_NO_LINE);
    assert_string_equal(points_line_name(POINTS_CLOSED), "CLOSED");
}

static void the_lines_lead_from_opening_to_closing(void **state)
{
    struct points_roll roll = { 0 };
    int64_t sum = 0;

    (void)state;
    for (int16_t kind = 1; kind < ENTRY_KIND_COUNT; kind++) {
        const struct points_kind all = { kind, 1, 1 << kind, 3, (1 << kind) + (INT64_C(1) << (27 + kind)) };
        assert_true(points_roll_add(&roll, &all));
    }
    for (int line = 0; line < POINTS_LINES; line++)
        sum += roll.lines[line];
    assert_int_equal(roll.opening + sum, roll.closing);
    assert_int_equal(roll.at_end.spendable + roll.at_end.held + roll.at_end.pending, roll.closing);
    assert_false(points_roll_add(&roll, &(struct points_kind){ ENTRY_KIND_COUNT, 0, 0, 1, 1 }));
    assert_false(points_roll_add(&roll, &(struct points_kind){ ENTRY_ACCRUE, 0, 0, 1, INT64_MAX }));
}

/* An entry with one lot: expires on the day, of that funding. */
static void put(struct world *world, const char *date, int seq, int kind, int points, const char *expires, int funding)
{
    const struct world_entry entry = { 2, 7, seq, date, NULL, kind, points, 2, 0, 0, "", 0, 0 };

    world_put(world, &entry, 1);
    world_do(
        world,
        "UPDATE journal SET lots = int4send('%s'::date - '1970-01-01') || int4send(%d) || int8send(%d) WHERE bucket "
        "= 2 AND seq = %d",
        expires, funding, points, seq);
}

/* The named parts of the page of bank-b, without rows that say nothing. */
static char *page(struct world *world, const char *period, const char *currency, const char *parts)
{
    char command[320], *text = NULL, piece[512];
    size_t size;

    snprintf(
        command, sizeof command,
        "cd %s/demo/%s && tr -d '\\r' <bank_bank-b_%s_%s.points.csv | grep -E '^(%s),' | grep -v ',0,0,,,$' | cut -d, "
        "-f2-",
        world->dir, period, period, currency, parts);
    FILE *in = popen(command, "r"), *out = open_memstream(&text, &size);
    assert_non_null(in);
    while (fgets(piece, sizeof piece, in))
        fputs(piece, out);
    fclose(out);
    assert_int_equal(pclose(in), 0);
    return text;
}

static void assert_page(struct world *world, const char *period, const char *currency, const char *parts,
                        const char *expected)
{
    char *text = page(world, period, currency, parts);

    assert_string_equal(text, expected);
    free(text);
}

/* 1000 earned, half of a funding; 100 of it over in January, but nobody has looked at the member since. */
static void put_story(struct world *world)
{
    world_do(world, "INSERT INTO funding (bank_no, funding_id, cost_num, cost_den, currency, content_hash) VALUES (2, "
                    "'spring', 3, 4, 'CNY', ''); INSERT INTO exchange_rules (bank_no, version, effective_from, "
                    "minimum_points, expiry_months, reinstate_grace_days, accrual_num, accrual_den, request_id, "
                    "content_hash) VALUES (2, 1, '2016-01-01', 1, 1, 0, 1, 1, gen_random_uuid(), ''); INSERT INTO "
                    "exchange_rate VALUES (2, 1, 'CNY', 1, 1, 7, 10)");
    put(world, "2017-01-01", 1, ENTRY_ACCRUE, 100, "2017-01-31", 0);
    put(world, "2017-01-02", 2, ENTRY_ACCRUE, 400, "2017-12-31", 0);
    put(world, "2017-01-03", 3, ENTRY_ACCRUE, 500, "2017-12-31", 1);
}

/* Known elsewhere: the report knows what was earned and redeemed, and the points that expired are in no line. */
static void expired_points_are_in_the_report(void **state)
{
    struct world *world = *state;

    put_story(world);
    world_settle(world, "2017-01-31", "2017-01");
    /* no redemption: the statement is there all the same, in the currency of the bank's rules */
    assert_page(world, "2017-01", "CNY", "ROLL_FORWARD",
                "OPENING,,,,,0,,,\nISSUED,,,,3,1000,,,\nCLOSING,,,,,1000,,,\n");
    assert_page(world, "2017-01", "CNY", "OUTSTANDING",
                "LOTS,,,,,900,,,\nPAST_NOT_BOOKED,,,,,100,,,\nHELD,,,,,0,,,\nPENDING,,,,,0,,,\nDRAWN_CREDIT,,,,,0,,,\n"
                "CLOSING,,,,,1000,,,\n");
    /* 900 live ones, 400 of them at 0.7 fen and 500 at 0.75 */
    assert_page(world, "2017-01", "CNY", "LIABILITY",
                "LOTS,,0,30,,400,7/10,CNY,2.80\nLOTS,spring,0,30,,500,3/4,CNY,3.75\nTOTAL,,,,,900,,CNY,6.55\n");
    put(world, "2017-02-01", 4, ENTRY_EXPIRE, 100, "2017-01-31", 0);
    put(world, "2017-02-05", 5, ENTRY_EXPIRE, 50, "2017-12-31", 1);
    put(world, "2017-02-06", 6, ENTRY_REINSTATE, 30, "2018-01-31", 0);
    put(world, "2017-02-07", 7, ENTRY_HOLD, 100, "2017-12-31", 0);
    world_put(world,
              (struct world_entry[]){ { 2, 7, 8, "2017-02-08", NULL, ENTRY_CONFIRM, 100, 2, 1, 1, NULL, 70, 1 } }, 1);
    world_settle(world, "2017-02-28", "2017-02");
    assert_page(world, "2017-02", "USD", "ROLL_FORWARD",
                "OPENING,,,,,1000,,,\nREDEEMED,,,,1,-100,,,\nEXPIRED,,,,2,-150,,,\nREINSTATED,,,,1,30,,,\n"
                "WITHIN,,,,1,0,,,\nCLOSING,,,,,780,,,\n");
    /* 120 lapsed and 100 were redeemed: of what leaves, 120 in 220 lapse; in dollars the bank names no rate */
    assert_page(world, "2017-02", "USD", "LIABILITY|BREAKAGE",
                "LOTS,,0,30,,30,,,\nLOTS,,31,90,,300,,,\nLOTS,spring,31,90,,450,3/4,CNY,3.38\nTOTAL,,,,,780,,USD,0.00\n"
                "REALISED,,,,,70,,,\nEXPECTED,,,,,180,,,\nREALISED,spring,,,,50,3/4,CNY,0.38\n"
                "EXPECTED,spring,,,,245,3/4,CNY,1.84\nEXPECTED_RATE,,,,,0,120/220,,\n");
}

/* A list closed a member, and was rolled back: what was lost is not, in the same period or a later one. */
static void a_closing_that_was_rolled_back_is_none(void **state)
{
    struct world *world = *state;

    put_story(world);
    put(world, "2017-01-20", 4, ENTRY_CLOSE, 500, "2017-12-31", 1);
    put(world, "2017-01-21", 5, ENTRY_REOPEN, 500, "2017-12-31", 1);
    put(world, "2017-01-22", 6, ENTRY_CLOSE, 400, "2017-12-31", 0);
    world_settle(world, "2017-01-31", "2017-01");
    assert_page(world, "2017-01", "CNY", "ROLL_FORWARD",
                "OPENING,,,,,0,,,\nISSUED,,,,3,1000,,,\nCLOSED,,,,3,-400,,,\nCLOSING,,,,,600,,,\n");
    assert_page(world, "2017-01", "CNY", "LIABILITY|BREAKAGE",
                "LOTS,spring,0,30,,500,3/4,CNY,3.75\nTOTAL,,,,,500,,CNY,3.75\nREALISED,,,,,400,7/10,CNY,2.80\n"
                "EXPECTED,spring,,,,500,3/4,CNY,3.75\nEXPECTED_RATE,,,,,0,400/400,,\n");
    put(world, "2017-02-03", 7, ENTRY_REOPEN, 400, "2017-12-31", 0);
    world_settle(world, "2017-02-28", "2017-02");
    assert_page(world, "2017-02", "CNY", "ROLL_FORWARD",
                "OPENING,,,,,600,,,\nCLOSED,,,,1,400,,,\nCLOSING,,,,,1000,,,\n");
}

/* Calculated again after a later day moved the same lots and the same members' credit: the same bytes. */
static void a_period_closed_later_shows_what_was_then(void **state)
{
    struct world *world = *state;
    struct error err;

    put_story(world);
    world_do(world,
             "INSERT INTO journal SELECT 1, md5('x')::uuid, 1, '2017-01-05', '2017-01-05 12:00Z', 3, 50, 0, 50, 50, "
             "100, ref, redemption_id, 1, 2, 1, 1, 1, 1, '', 0, 0, hash FROM journal WHERE bucket = 2 AND seq = 1");
    world_settle(world, "2017-01-31", "2017-01");
    assert_page(world, "2017-01", "CNY", "DRAWN_CREDIT", "DRAWN,,0,30,,50,,,\nTOTAL,,,,,50,,,\n");
    char *before = world_files(world);
    put(world, "2017-02-01", 4, ENTRY_HOLD, 300, "2017-12-31", 0);
    world_do(world,
             "INSERT INTO journal SELECT 1, md5('x')::uuid, 2, '2017-02-01', '2017-02-01 12:00Z', 5, 50, 0, 0, 0, "
             "100, ref, redemption_id, 1, 2, 1, 1, 1, 1, '', 0, 0, hash FROM journal WHERE bucket = 2 AND seq = 1");
    assert_int_equal(world_close_until(world, "2017-02-02", &err), REASON_OK);
    assert_int_equal(world_number(world, "SELECT count(*) FROM member_drawn"), 0);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    char *after = world_files(world);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* As an installation that closed days before there was a points book. */
static void days_closed_before_get_their_points(void **state)
{
    struct world *world = *state;
    struct error err;

    put_story(world);
    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_OK);
    char *before = world_kept(world);
    world_do(world, "DELETE FROM settlement_step WHERE step = 'POINTS'; TRUNCATE " POINTS_TABLES);
    assert_int_equal(world_close_day(world, "2017-02-01", &err), REASON_OK);
    world_do(world,
             "DELETE FROM settlement_step WHERE business_date = '2017-02-01'; DELETE FROM day_points WHERE "
             "business_date = '2017-02-01'; DELETE FROM day_lot_age WHERE business_date = '2017-02-01'; DELETE FROM "
             "day_seal WHERE business_date = '2017-02-01'; UPDATE fence SET business_date = '2017-02-01'");
    char *after = world_kept(world);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static const struct {
    const char *damage, *told;
} damages[] = {
    { "UPDATE account SET available = available + 3 WHERE bank_no = 2",
      "outstanding points of BANK bank-b in bucket 2: accounts have 1003, the journal gives 1000" },
    { "UPDATE account SET pending = pending + 1, held = held + 1 WHERE bank_no = 1",
      "outstanding points of BANK bank-a in bucket 1: accounts have 12, the journal gives 10" },
    { "DELETE FROM account WHERE bank_no = 2", "BANK bank-b in bucket 2: accounts have 0" },
    { "UPDATE day_points SET points = points - 1 WHERE bank_no = 2 AND business_date = '2017-01-31'",
      "ACCRUE points of BANK bank-b: the points of the days give 999, their roll-ups give 1000" },
    { "DELETE FROM day_points WHERE bank_no = 1 AND business_date = '2017-01-31'", "PEND points of BANK bank-a" },
};

static void what_does_not_tie_stops_the_close(void **state)
{
    struct world *world = *state;
    struct error err;

    put_story(world);
    world_put(world, (struct world_entry[]){ { 1, 3, 1, "2017-01-09", NULL, ENTRY_PEND, 10, 1, 0, 0, "", 0, 0 } }, 1);
    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_OK);
    world_balance(world);
    world->unbalanced = true;
    world_do(world, "CREATE TABLE a AS SELECT * FROM account; CREATE TABLE p AS SELECT * FROM day_points");
    for (size_t i = 0; i < COUNT(damages); i++) {
        world_do(world,
                 "TRUNCATE account, day_points; INSERT INTO account SELECT * FROM a; INSERT INTO day_points SELECT "
                 "* FROM p");
        world_do(world, "%s", damages[i].damage);
        enum reason reason = world_close_period(world, "2017-01", &err);
        if (reason != REASON_DOES_NOT_TIE || !strstr(err.detail, damages[i].told))
            fail_msg("%s\n%s: %s", damages[i].damage, reason_name(reason), err.detail);
        assert_int_equal(world_number(world, "SELECT count(*) FROM statement"), 0);
    }
    world_do(world,
             "TRUNCATE account, day_points; INSERT INTO account SELECT * FROM a; INSERT INTO day_points SELECT * "
             "FROM p");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    world->unbalanced = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_stands_in_one_line),
        cmocka_unit_test(the_lines_lead_from_opening_to_closing),
        cmocka_unit_test_setup_teardown(expired_points_are_in_the_report, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closing_that_was_rolled_back_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_period_closed_later_shows_what_was_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_closed_before_get_their_points, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_tie_stops_the_close, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
