/* What paying late costs: the rule, each span once, and a second telling of it in another language. */
#include "settled_world.h"

#include "late_fee.h"
#include "pay_commands.h"
#include "store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *story;
    int64_t asked, received, disputed, charged;
    int32_t bp;
    int64_t unpaid, fee;
} cases[] = {
    { "nothing came in", 100000, 0, 0, 0, 50, 100000, 500 },
    { "a part came in", 100000, 40000, 0, 0, 50, 60000, 300 },
    { "all came in", 100000, 100000, 0, 0, 50, 0, 0 },
    { "more came in than was asked for", 100000, 100001, 0, 0, 50, 0, 0 },
    { "more was taken back than came in", 100000, -1, 0, 0, 10000, 100001, 100000 },
    { "a part is contested", 100000, 0, 100, 0, 50, 99900, 500 },
    { "what is left is contested", 100000, 40000, 60000, 0, 50, 0, 0 },
    { "half to even, down", 100, 0, 0, 0, 50, 100, 0 },
    { "half to even, up", 300, 0, 0, 0, 50, 300, 2 },
    { "just over the half", 101, 0, 0, 0, 50, 101, 1 },
    { "no fee", 100000, 0, 0, 0, 0, 100000, 0 },
    { "as much as is asked for", 1000, 0, 0, 0, 10000, 1000, 1000 },
    { "no more than is left of it", 1000, 0, 0, 700, 5000, 1000, 300 },
    { "nothing is left of it", 1000, 0, 0, 1000, 5000, 1000, 0 },
    { "the largest there is", INT64_MAX, 0, 0, 0, 10000, INT64_MAX, INT64_MAX },
};

static void a_span_costs_by_what_was_unpaid(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct late_span span = { cases[i].asked, cases[i].received, cases[i].disputed, cases[i].charged,
                                        cases[i].bp };
        int64_t unpaid = -1, fee = -1;
        struct error err = { 0 };
        if (!late_fee_of(&span, &unpaid, &fee, &err) || unpaid != cases[i].unpaid || fee != cases[i].fee)
            fail_msg("%s: %lld of %lld %s", cases[i].story, (long long)fee, (long long)unpaid, error_text(&err));
    }
    const struct late_span wide = { .asked_minor = INT64_MAX, .received_minor = -1, .late_fee_bp = 1 };
    int64_t unpaid, fee;
    struct error err = { 0 };
    assert_false(late_fee_of(&wide, &unpaid, &fee, &err));
    assert_int_equal(err.reason, REASON_DOES_NOT_TIE);
}

/* January asks bank-a for 11.50 USD (B1-000002) and 12 JPY (B1-000001), bank-b for 3.33 USD; due on 15 February. */
static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    world_put_usual(&world);
    world_contract(&world, &(struct world_contract){ .party = 1, .no = 1 });
    world_contract(&world, &(struct world_contract){ .party = 1, .no = 1, .currency = "JPY" });
    world_do(&world, "UPDATE settlement_contract SET late_fee_bp = CASE currency WHEN 'USD' THEN 130 ELSE 1000 END");
    world_settle(&world, "2017-01-31", "2017-01");
    world_do(&world, "UPDATE settlement_period SET state = 3, approver = 'bob', signature_sha256 = sha256('s'), "
                     "issued_on = '2017-02-01'; UPDATE fence SET business_date = '2017-06-01'");
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static char *type(struct world *world, struct date as_of, bool propose)
{
    struct pay_options options = { .command = PAY_LATE_FEES, .on = as_of, .propose = propose, .by = "ann" };
    struct close_run run = { 0 };
    struct error err = { 0 };
    struct db *db;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(close_begin(&run, db, "demo", &err));
    if (!pay_command_run(&run, &options, "", out, &err))
        fprintf(out, "%s %s: %s\n", reason_name(err.reason), err.field, error_text(&err));
    close_end(&run);
    db_close(db);
    fclose(out);
    return text;
}

static void assert_typed(struct world *world, struct date as_of, bool propose, const char *expected)
{
    char *text = type(world, as_of, propose);

    if (!strstr(text, expected))
        fail_msg("no \"%s\" in: %s", expected, text);
    free(text);
}

static void assert_asked(struct world *world, const char *sql, const char *expected)
{
    char *text = world_ask(world, "%s", sql);

    assert_string_equal(text, expected);
    free(text);
}

static void receive(struct world *world, const char *number, const char *currency, int amount, const char *booked)
{
    world_do(world,
             "INSERT INTO payment_notice (programme_no, file_sha256, line, part, file_kind, end_to_end_id, status, "
             "reason, currency, amount_minor, booked, reference, outcome) SELECT 1, sha256('f'), count(*), 1, 'CAMT', "
             "'%s', 'BOOK', '', '%s', %d, '%s', '', 'RECEIPT' FROM payment_notice",
             number, currency, amount, booked);
}

/* By bank-a, of its January. */
static void contest(struct world *world, int amount, const char *opened, int state, int agreed, const char *ended)
{
    world_do(world,
             "INSERT INTO dispute (programme_no, request_id, content_hash, statement_id, period, line_number, "
             "bank_no, merchant_no, currency, opener, opener_no, other, other_no, line_minor, amount_minor, "
             "withheld_minor, reason_code, evidence, evidence_sha256, state, opened_by, opened_on, expires_on, "
             "agreed_minor, ended_on, correction_no) VALUES (1, gen_random_uuid(), '', "
             "'demo/2017-01/PAIR/bank-a/shop-1/USD', '2017-01', 1, 1, 1, 'USD', 1, 1, 2, 1, 1000, %d, 0, 'X', '', '', "
             "%d, 'a', '%s', '2017-12-31', %d, '%s', %d)",
             amount, state, opened, agreed, ended, state == 3 ? 7 : 0);
}

static const char proposed[] = "SELECT refers_to, amount_minor, currency, maker, approver, state FROM "
                               "settlement_correction WHERE kind = 8 ORDER BY 1";

static void who_pays_in_time_pays_nothing(void **state)
{
    struct world *world = *state;

    assert_typed(world, date_of(2017, 2, 15), true, "CORRECTION\n0 late fees: 0 proposed before, 0 now, 0 not yet\n");
    receive(world, "B1-000002", "USD", 1150, "2017-02-15");
    receive(world, "B1-000001", "JPY", 12, "2017-02-14");
    assert_typed(world, date_of(2017, 5, 31), true, "CORRECTION\n0 late fees: 0 proposed before, 0 now, 0 not yet\n");
}

/* 1.3 % of 11.50 is 14.95 cents; 10 % of 12 yen 1.2. bank-b's contract has no fee, because it has none. */
static void each_span_is_proposed_once(void **state)
{
    struct world *world = *state;

    assert_typed(
        world, date_of(2017, 2, 16), false,
        "B1-000002         bank-a                    1-30       2017-02-16             11.50              0.00  "
        "  130              0.15  USD  -\n");
    assert_typed(world, date_of(2017, 2, 16), false, "2 late fees: 0 proposed before, 0 now, 2 not yet\n");
    assert_asked(world, proposed, "");
    assert_typed(world, date_of(2017, 2, 16), true, "2 late fees: 0 proposed before, 2 now, 0 not yet\n");
    assert_typed(world, date_of(2017, 3, 17), true, "2 late fees: 2 proposed before, 0 now, 0 not yet\n");
    assert_typed(world, date_of(2017, 3, 18), false, "4 late fees: 2 proposed before, 0 now, 2 not yet\n");
    assert_typed(world, date_of(2017, 3, 18), true, "4 late fees: 2 proposed before, 2 now, 0 not yet\n");
    assert_asked(world, proposed,
                 "demo/2017-01/BANK/bank-a/JPY days 1-30|1|JPY|ann||1\n"
                 "demo/2017-01/BANK/bank-a/JPY days 31-60|1|JPY|ann||1\n"
                 "demo/2017-01/BANK/bank-a/USD days 1-30|15|USD|ann||1\n"
                 "demo/2017-01/BANK/bank-a/USD days 31-60|15|USD|ann||1\n");
    /* What was proposed stays, though it turns out that all had been paid. */
    receive(world, "B1-000002", "USD", 1150, "2017-02-10");
    assert_typed(world, date_of(2017, 5, 31), true, "31-60      2017-03-18              0.00");
    assert_asked(world, "SELECT count(*), sum(amount_minor) FROM settlement_correction WHERE currency = 'USD'",
                 "2|30\n");
}

static void what_came_in_before_a_span_bears_no_fee(void **state)
{
    struct world *world = *state;

    receive(world, "B1-000002", "USD", 150, "2017-02-15");
    receive(world, "B1-000002", "USD", 500, "2017-02-16");  /* late by a day: the span had begun */
    receive(world, "B1-000002", "USD", 500, "2017-03-18");  /* and the next */
    receive(world, "B1-000002", "USD", -500, "2017-04-10"); /* taken back */
    receive(world, "B1-000001", "USD", 9999, "2017-02-01"); /* another currency's */
    assert_typed(world, date_of(2017, 5, 31), true, "");
    assert_asked(world,
                 "SELECT substring(refers_to from ' days .*'), amount_minor, reason FROM settlement_correction "
                 "WHERE currency = 'USD' ORDER BY correction_no",
                 " days 1-30|13|days 1-30 late: 130 bp of 10.00 USD\n"
                 " days 31-60|6|days 31-60 late: 130 bp of 5.00 USD\n"
                 " days 61-90|6|days 61-90 late: 130 bp of 5.00 USD\n"
                 " days 91-120|6|days 91-120 late: 130 bp of 5.00 USD\n");
}

static void what_is_contested_bears_no_fee(void **state)
{
    struct world *world = *state;

    contest(world, 400, "2017-02-16", 4, 0, "2017-03-01");   /* on the first day; it fell: the first span is without */
    contest(world, 300, "2017-03-01", 3, 200, "2017-03-20"); /* granted in part: all of the second, 2.00 of each */
    contest(world, 50, "2017-04-18", 1, 0, "9999-12-31");    /* open, since the third span is under way */
    assert_typed(world, date_of(2017, 5, 31), true, "");
    assert_asked(world,
                 "SELECT substring(reason from ' of .*') FROM settlement_correction WHERE currency = 'USD' "
                 "ORDER BY correction_no",
                 " of 5.50 USD\n of 8.50 USD\n of 9.50 USD\n of 9.00 USD\n");
}

/* 100 % for 30 days: the statement's own amount is the most. */
static void fees_never_exceed_what_was_asked_for(void **state)
{
    struct world *world = *state;

    world_do(world, "UPDATE settlement_contract SET late_fee_bp = 6000");
    assert_typed(world, date_of(2017, 5, 31), true, "4 late fees");
    assert_asked(world, proposed,
                 "demo/2017-01/BANK/bank-a/JPY days 1-30|7|JPY|ann||1\n"
                 "demo/2017-01/BANK/bank-a/JPY days 31-60|5|JPY|ann||1\n"
                 "demo/2017-01/BANK/bank-a/USD days 1-30|690|USD|ann||1\n"
                 "demo/2017-01/BANK/bank-a/USD days 31-60|460|USD|ann||1\n");
}

static void days_that_are_not_over_are_not_charged(void **state)
{
    struct world *world = *state;

    assert_typed(world, date_of(2017, 6, 2), true,
                 "FIELD_INVALID --as-of: must not be later than 2017-06-01, the open business date, when fees are "
                 "proposed\n");
    assert_typed(world, date_of(2017, 8, 1), false, " not yet\n");
    assert_asked(world, proposed, "");
}

/* Nothing of a statement that is not issued, or of a contract that has no fee. */
static void without_a_contract_or_an_issue_there_is_none(void **state)
{
    struct world *world = *state;

    world_do(world, "UPDATE settlement_contract SET effective_from = '2017-02-01' WHERE currency = 'USD'");
    assert_typed(world, date_of(2017, 2, 20), false, "1 late fees");
    world_do(world, "UPDATE settlement_contract SET late_fee_bp = 0");
    assert_typed(world, date_of(2017, 2, 20), false, "0 late fees");
}

/* A second person agrees, and the next close has the line on both statements. */
static void the_next_close_takes_what_was_approved(void **state)
{
    struct world *world = *state;
    struct error err;

    world_do(world, "UPDATE fence SET business_date = '2017-02-16'");
    assert_typed(world, date_of(2017, 2, 16), true, "2 now");
    world_do(world, "UPDATE fence SET business_date = '2017-02-01'; UPDATE settlement_correction SET state = 2, "
                    "approver = 'bob' WHERE currency = 'USD'");
    if (world_close_until(world, "2017-02-28", &err) != REASON_OK ||
        world_close_period(world, "2017-02", &err) != REASON_OK)
        fail_msg("%s", error_text(&err));
    assert_asked(world,
                 "SELECT kind, from_party, from_no, to_party, amount_minor, refers_to, note FROM "
                 "settlement_posting WHERE period = '2017-02'",
                 "8|1|1|4|15|demo/2017-01/BANK/bank-a/USD days 1-30|days 1-30 late: 130 bp of 11.50 USD\n");
    assert_asked(world,
                 "SELECT payable_minor FROM statement_position JOIN statement USING (statement_no) WHERE "
                 "statement_id = 'demo/2017-02/BANK/bank-a/USD'",
                 "-15\n");
    assert_typed(world, date_of(2017, 2, 16), false, "USD  2 TAKEN\n");
}

static int recheck(struct world *world, const char *as_of, char said[1024])
{
    char command[TEST_CONNINFO + 512];

    snprintf(command, sizeof command, "python3 " SOURCE_DIR "/tests/settlement/recheck_late_fees.py '%s' %s 2>&1",
             world->conninfo, as_of);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    size_t n = fread(said, 1, 1023, in);
    said[n] = '\0';
    while (fgetc(in) != EOF)
        ;
    return pclose(in);
}

/* Years of statements in three currencies, paid in parts, late, twice, contested; proposed in three goes. */
static void put_random(struct world *world)
{
    world_do(world,
             "SELECT setseed(0.7); DELETE FROM settlement_contract; INSERT INTO settlement_contract SELECT 1, 1, b, c, "
             "v, ('{2013-01-01,2014-06-15}'::date[])[v], 3, '{}', '{}', '{}', 0, 0, 0, 0, 0, 0, 3, 2, 0, 1, 15, 15, "
             "('{0,37,150,2500}'::int[])[1 + (random() * 3)::int], 15, 0, gen_random_uuid(), '', 'x' FROM "
             "generate_series(1, 2) b, unnest('{USD,JPY,KWD}'::text[]) c, generate_series(1, 2) v");
    world_do(world,
             "INSERT INTO statement (statement_id, programme_no, period, type, bank_no, merchant_no, currency, "
             "confirmed_count, confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, "
             "net_minor, line_count, content_sha256, calculated_at, first_day, last_day) SELECT 'demo/' || p || "
             "'/BANK/' || b || '/' || c, 1, p, 2, b, 0, c, 0, 0, 0, 0, 0, 0, 0, 0, sha256('x'), now(), d, (d + "
             "interval '1 month')::date - 1 FROM generate_series(0, 29) n, LATERAL (SELECT ('2013-06-01'::date + n * "
             "interval '1 month')::date AS d) x, LATERAL (SELECT to_char(d, 'YYYY-MM') AS p) y, generate_series(1, 2) "
             "b, unnest('{USD,JPY,KWD}'::text[]) c; INSERT INTO statement_position SELECT statement_no, 0, m, m, 0, 0, "
             "0, 0, last_day + 15 FROM statement, LATERAL (SELECT -(1 + random() * 100000)::int + 2000 + 0 * "
             "statement_no AS m) x WHERE first_day < '2016-01-01'; INSERT INTO statement_number (party, number, "
             "statement_id, programme_no, period) SELECT 'B' || bank_no, 100 + row_number() OVER (PARTITION BY bank_no "
             "ORDER BY statement_id), statement_id, 1, period FROM statement WHERE first_day < '2016-01-01'");
    world_do(world,
             "INSERT INTO payment_notice (programme_no, file_sha256, line, part, file_kind, end_to_end_id, status, "
             "reason, currency, amount_minor, booked, reference, outcome) SELECT 1, sha256('f'), row_number() OVER (), "
             "1, 'CAMT', n.party || '-' || lpad(n.number::text, 6, '0'), 'BOOK', '', currency, -payable_minor / (1 + "
             "(random() * 3)::int), due_on + (random() * 200)::int - 30, '', CASE WHEN random() < 0.9 THEN 'RECEIPT' "
             "ELSE 'NOTHING' END FROM statement JOIN statement_position USING (statement_no) JOIN statement_number n "
             "USING (statement_id), generate_series(1, 2) g WHERE first_day < '2016-01-01' AND random() < 0.6");
    world_do(world,
             "INSERT INTO dispute (programme_no, request_id, content_hash, statement_id, period, line_number, "
             "bank_no, merchant_no, currency, opener, opener_no, other, other_no, line_minor, amount_minor, "
             "withheld_minor, reason_code, evidence, evidence_sha256, state, opened_by, opened_on, expires_on, "
             "agreed_minor, ended_on, correction_no) SELECT 1, gen_random_uuid(), '', 'x', period, 1, bank_no, 1, "
             "currency, CASE WHEN random() < 0.8 THEN 1 ELSE 2 END, bank_no, 2, 9, 100000, a, 0, 'X', '', '', s, 'a', "
             "o, o + 15, CASE s WHEN 3 THEN 1 + a / 3 ELSE 0 END, CASE WHEN s IN (3, 4, 6) THEN o + (random() * "
             "100)::int ELSE '9999-12-31' END, CASE s WHEN 3 THEN 7 ELSE 0 END FROM statement, LATERAL (SELECT "
             "1 + (random() * 20000)::int AS a, 1 + (random() * 5)::int AS s, last_day + (random() * 60)::int AS o) y "
             "WHERE first_day < '2016-01-01' AND random() < 0.5");
    world_do(world, "INSERT INTO settlement_period (programme_no, period, first_day, last_day, maker, manifest_sha256, "
                    "statement_count, calculated_at, state, approver, signature_sha256, issued_on) SELECT 1, period, "
                    "min(first_day), min(last_day), 'a', sha256('x'), 1, now(), 3, 'b', sha256('s'), min(last_day) "
                    "FROM statement WHERE first_day < '2016-01-01' GROUP BY period");
}

static void a_second_telling_says_the_same(void **state)
{
    static const struct {
        int year, month, day;
    } goes[] = { { 2014, 3, 3 }, { 2014, 12, 24 }, { 2016, 2, 29 }, { 2016, 2, 29 } };
    struct world *world = *state;
    char said[1024];

    put_random(world);
    for (size_t i = 0; i < COUNT(goes); i++)
        free(type(world, date_of(goes[i].year, goes[i].month, goes[i].day), true));
    assert_true(world_number(world, "SELECT count(*) FROM settlement_correction WHERE kind = 8") > 300);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT currency) FROM settlement_correction"), 3);
    if (recheck(world, "2016-02-29", said) != 0)
        fail_msg("%s", said);
    world_do(world, "UPDATE settlement_correction SET amount_minor = amount_minor + 1 WHERE correction_no = 77");
    assert_int_not_equal(recheck(world, "2016-02-29", said), 0); /* it must be able to say no */
}

/* What is said of lines that are refused; "" of those that are not. */
static const struct {
    const char *line, *says;
} typed[] = {
    { "late-fees --programme demo --as-of 2017-03-18", "" },
    { "late-fees --propose --by ann --as-of=2017-03-18 --programme demo", "" },
    { "late-fees --programme demo", "--as-of YYYY-MM-DD is missing" },
    { "late-fees --programme demo --as-of 2017-02-30", "--as-of must be given once, as YYYY-MM-DD" },
    { "late-fees --programme demo --as-of 2017-03-18 --propose=1", "--propose must be given once, without a value" },
    { "late-fees --programme demo --as-of 2017-03-18 --propose --propose",
      "--propose must be given once, without a value" },
    { "late-fees --programme demo --on 2017-03-18", "\"--on\" is no option of this command" },
    { "ageing --programme demo --on 2017-03-18 --propose", "\"--propose\" is no option of this command" },
    { "late-fees --programme demo --as-of 2017-03-18 --by", "--by must be given once, as NAME" },
};

static void it_is_typed_like_its_siblings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(typed); i++) {
        char line[160], *words[16] = { (char[]){ "alliance-settle" } };
        int count = 1;
        struct pay_options options;
        struct error err = { 0 };
        snprintf(line, sizeof line, "%s", typed[i].line);
        for (char *rest = line, *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
            words[count++] = word;
        bool good = pay_options_parse(count, words, &options, &err);
        if (good != (*typed[i].says == '\0') || (!good && !strstr(error_text(&err), typed[i].says)))
            fail_msg("%s: %s", typed[i].line, error_text(&err));
        assert_true(!good ||
                    (options.command == PAY_LATE_FEES && options.propose == !!strstr(typed[i].line, "--propose")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_costs_by_what_was_unpaid),
        cmocka_unit_test(it_is_typed_like_its_siblings),
        cmocka_unit_test_setup_teardown(who_pays_in_time_pays_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_span_is_proposed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_in_before_a_span_bears_no_fee, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_contested_bears_no_fee, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fees_never_exceed_what_was_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_that_are_not_over_are_not_charged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_contract_or_an_issue_there_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_close_takes_what_was_approved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_telling_says_the_same, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
