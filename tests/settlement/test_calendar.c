/* The calendar where money goes by it: due days, days of payment, clocks of parties; and that C and SQL say the same.
 */
#include "settled_world.h"

#include "base/limits.h"
#include "calendar.h"
#include "domain/business_days.h"
#include "pay_commands.h"
#include "store/db.h"
#include "store/dispute_store.h"
#include "store/statement_answer_store.h"

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
    world_put_usual(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

/* Days as SQL has them: "('2017-02-15', false), ..." */
static void publish(struct world *world, int version, const char *from, const char *days)
{
    world_do(world, "INSERT INTO calendar VALUES (1, %d, '%s', gen_random_uuid(), '', 'olga')", version, from);
    if (*days)
        world_do(world,
                 "INSERT INTO holiday (programme_no, version, on_date, working, name) SELECT 1, %d, d::date, w, 'x' "
                 "FROM (VALUES %s) v (d, w)",
                 version, days);
}

static void assert_asked(struct world *world, const char *sql, const char *expected)
{
    char *text = world_ask(world, "%s", sql);

    assert_string_equal(text, expected);
    free(text);
}

static const char due[] = "SELECT DISTINCT due_on FROM statement_position ORDER BY 1";

/* A file of the month has that text. */
static void assert_file_has(struct world *world, const char *name, const char *text)
{
    char command[400];

    snprintf(command, sizeof command, "grep -qF '%s' %s/demo/2017-01/%s", text, world->dir, name);
    if (system(command) != 0)
        fail_msg("no %s in %s", text, name);
}

/* January is due on 15 February, a Wednesday. */
static const struct {
    const char *story, *from, *days, *due;
} cases[] = {
    { "weekends only", "2017-01-01", "", "2017-02-15\n" },
    { "the day itself is off", "2017-01-01", "('2017-02-15', false)", "2017-02-16\n" },
    { "off until a weekend", "2017-01-01", "('2017-02-15', false), ('2017-02-16', false), ('2017-02-17', false)",
      "2017-02-20\n" },
    { "the Saturday is worked", "2017-01-01",
      "('2017-02-15', false), ('2017-02-16', false), ('2017-02-17', false), ('2017-02-18', true)", "2017-02-18\n" },
    { "the Sunday is worked", "2017-01-01",
      "('2017-02-15', false), ('2017-02-16', false), ('2017-02-17', false), ('2017-02-19', true)", "2017-02-19\n" },
    { "a calendar that begins just then", "2017-02-15", "('2017-02-15', false)", "2017-02-16\n" },
    { "one that begins later", "2017-02-16", "('2017-02-16', false)", "2017-02-15\n" },
};

/* Each version replaces the one before; the same input gives the same bytes again. */
static void what_is_due_on_a_day_off_is_due_later(void **state)
{
    struct world *world = *state;
    char expected[80];

    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world, due, "2017-02-15\n");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err;
        print_message("           %s\n", cases[i].story);
        world_do(world, "DELETE FROM holiday; DELETE FROM calendar");
        publish(world, 7, cases[i].from, cases[i].days);
        if (world_close_period(world, "2017-01", &err) != REASON_OK)
            fail_msg("%s", error_text(&err));
        assert_asked(world, due, cases[i].due);
        snprintf(expected, sizeof expected, "\"dueDate\":\"%.10s\"", cases[i].due);
        assert_file_has(world, "bank_bank-a_2017-01_USD.json", expected);
        assert_file_has(world, "manifest.json", "],\"calendarVersion\":7}");
        char *before = world_files(world);
        assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
        char *after = world_files(world);
        assert_string_equal(before, after);
        free(before);
        free(after);
    }
}

/* What nobody changed stays as it was: the earlier version goes on governing the days before the later one. */
static void a_later_version_leaves_earlier_days_alone(void **state)
{
    struct world *world = *state;

    publish(world, 1, "2017-01-01", "('2017-02-15', false), ('2017-02-16', false)");
    publish(world, 2, "2017-02-16", "");
    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world, due, "2017-02-16\n");
}

static void issue(struct world *world, const char *on)
{
    world_do(world,
             "UPDATE settlement_period SET state = 3, approver = 'bob', signature_sha256 = sha256('s'), "
             "issued_on = '%s'",
             on);
}

static void assert_paid_out(struct world *world, struct date on, const char *expected)
{
    struct pay_options options = { .command = PAY_PAYOUT, .on = on, .by = "tester" };
    struct close_run run = { 0 };
    struct error err = { 0 };
    struct db *db;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_true(period_parse("2017-01", &options.period));
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(close_begin(&run, db, "demo", &err));
    if (!pay_command_run(&run, &options, world->dir, out, &err))
        fprintf(out, "%s %s: %s\n", reason_name(err.reason), err.field, error_text(&err));
    close_end(&run);
    db_close(db);
    fclose(out);
    if (strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("not \"%s\" but: %s", expected, text);
    free(text);
}

/* Nothing is asked for before it is due, nor on a day on which banks do not pay. */
static void payouts_are_asked_for_on_business_days(void **state)
{
    struct world *world = *state;

    publish(world, 3, "2017-01-01", "('2017-02-15', false), ('2017-02-18', true)");
    world_contract(world, &(struct world_contract){ .party = 2, .no = 1, .payment_days = 18 });
    world_settle(world, "2017-01-31", "2017-01");
    issue(world, "2017-02-01");
    assert_asked(world, due, "2017-02-16\n2017-02-18\n");
    assert_paid_out(world, date_of(2017, 2, 15),
                    "FIELD_INVALID --on: 2017-02-15 is no business day of version 3 of the programme's calendar; the "
                    "next is 2017-02-16\n");
    assert_paid_out(world, date_of(2017, 2, 19),
                    "FIELD_INVALID --on: 2017-02-19 is no business day of version 3 of the programme's calendar; the "
                    "next is 2017-02-20\n");
    assert_paid_out(world, date_of(2017, 2, 14),
                    "2017-01: 0 payments to make\n2017-01: 3 more to be paid later, the first are due on 2017-02-16\n");
    assert_asked(world, "SELECT count(*) FROM payout_batch", "0\n");
    assert_paid_out(world, date_of(2017, 2, 16),
                    "2017-01: 2 payments to make\n2017-01: 1 more to be paid later, the first are due on 2017-02-18\n");
    assert_paid_out(world, date_of(2017, 2, 18), "2017-01: 1 payments to make\n/");
    assert_paid_out(world, date_of(2017, 2, 20), "2017-01: 0 payments to make\n");
    assert_asked(world, "SELECT end_to_end_id, execute_on FROM payout JOIN payout_batch USING (batch_no) ORDER BY 1",
                 "M1-000001|2017-02-18\nM2-000001|2017-02-16\nM3-000001|2017-02-16\n");
}

static int64_t silent_on(struct world *world, struct date today)
{
    const struct statement_silence_params params = { 1, today };
    struct error err = { 0 };
    int64_t confirmed;
    struct db *db;

    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(db_execute(db, &statement_silence, &params, &confirmed, &err));
    db_close(db);
    return confirmed;
}

/* Has bank-a spoken, as who opens a dispute is told on that day? */
static bool bank_has_spoken(struct world *world, const char *today)
{
    struct dispute_line_params params = { .line_number = 1, .opener = 1 };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct dispute_line_row row = { 0 };
    struct error err = { 0 };
    struct db *db;
    bool found;

    world_do(world, "UPDATE fence SET business_date = '%s'", today);
    params.statement_no = world_number(
        world, "SELECT statement_no FROM statement WHERE statement_id = 'demo/2017-01/PAIR/bank-a/shop-1/USD'");
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(db_fetch_one(db, &dispute_line, &params, &arena, &row, &found, &err));
    db_close(db);
    return row.answered;
}

/* Issued on 1 February: the 16th is the last of 15 days, but it is off, and so is the 17th; the Saturday is worked. */
static void who_is_silent_has_until_a_business_day(void **state)
{
    struct world *world = *state;

    publish(world, 1, "2017-02-01", "('2017-02-16', false), ('2017-02-17', false), ('2017-02-18', true)");
    world_settle(world, "2017-01-31", "2017-01");
    issue(world, "2017-02-01");
    assert_false(bank_has_spoken(world, "2017-02-17"));
    assert_int_equal(silent_on(world, date_of(2017, 2, 17)), 0);
    assert_false(bank_has_spoken(world, "2017-02-18"));
    assert_int_equal(silent_on(world, date_of(2017, 2, 18)), 0);
    assert_true(bank_has_spoken(world, "2017-02-19"));
    assert_true(silent_on(world, date_of(2017, 2, 19)) > 0);
    assert_asked(world, "SELECT DISTINCT answered_on FROM statement WHERE type IN (2, 3)", "2017-02-19\n");
}

static void a_dispute_ends_on_a_business_day(void **state)
{
    struct world *world = *state;
    struct dispute_open_params params = {
        .line_number = 1,
        .opener = 1,
        .line_minor = 1000,
        .amount_minor = 10,
        .reason_code = "TWICE",
        .evidence = "the till rang twice",
        .by = "bank-a",
        .default_days = SETTLE_DAYS_USUAL,
    };
    struct error err = { 0 };
    struct db *db;

    publish(world, 1, "2017-02-01", "('2017-02-17', false)");
    world_settle(world, "2017-01-31", "2017-01");
    issue(world, "2017-02-01");
    world_do(world, "UPDATE fence SET business_date = '2017-02-02'");
    params.statement_no = world_number(
        world, "SELECT statement_no FROM statement WHERE statement_id = 'demo/2017-01/PAIR/bank-a/shop-1/USD'");
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(db_execute(db, &dispute_open, &params, NULL, &err));
    db_close(db);
    assert_asked(world, "SELECT opened_on, expires_on FROM dispute", "2017-02-02|2017-02-20\n");
}

/* The rule is told twice, for what SQL decides alone: both must say the same of every day, whatever was published. */
static void c_and_sql_say_the_same(void **state)
{
    struct world *world = *state;
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct calendar calendar;
    struct error err = { 0 };
    struct db *db;
    char day[DATE_TEXT];

    world_do(world, "SELECT setseed(0.42); INSERT INTO calendar SELECT 1, v, '2017-01-01'::date + "
                    "(random() * 500)::int, gen_random_uuid(), '', 'olga' FROM generate_series(1, 5) v; INSERT INTO "
                    "holiday (programme_no, version, on_date, working, name) SELECT 1, version, d, "
                    "extract(isodow FROM d) > 5 AND random() < 0.5, 'x' FROM calendar, generate_series(0, 600) n, "
                    "LATERAL (SELECT effective_from + n AS d) x WHERE random() < 0.3");
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(calendar_load(db, 1, &arena, &calendar, &err));
    db_close(db);
    assert_int_equal(calendar.version, 5);
    assert_true(business_calendar_check(&calendar.days, &err));
    char *all = world_ask(world, "SELECT business_day(1, '2016-12-01'::date + n) FROM generate_series(0, 1499) n");
    const char *at = all;
    for (int i = 0; i < 1500; i++, at += DATE_TEXT) {
        struct date next;
        assert_true(business_day_from(&calendar.days, (struct date){ date_of(2016, 12, 1).days + i }, &next, &err));
        date_format(next, day);
        if (strncmp(at, day, DATE_TEXT - 1) != 0)
            fail_msg("day %d: %s in C, %.10s in SQL", i, day, at);
    }
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_due_on_a_day_off_is_due_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_version_leaves_earlier_days_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(payouts_are_asked_for_on_business_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_silent_has_until_a_business_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dispute_ends_on_a_business_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(c_and_sql_say_the_same, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
