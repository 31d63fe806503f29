/* alliance-settle reconcile and breaks, as a person meets them: what they print, what they write, their exit status. */
#include "settled_world.h"

#include "recon_correct.h"
#include "recon_three.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROGRAM BINARY_DIR "/bin/alliance-settle"

static char said[32768];

static int set_up(void **state)
{
    static struct world world;
    struct error err;

    world_make(&world);
    world_put_usual(&world);
    assert_int_equal(world_close_until(&world, "2017-01-31", &err), REASON_OK);
    setenv("ALLIANCE_DATABASE", world.conninfo, 1);
    setenv("ALLIANCE_STATEMENTS_DIR", world.dir, 1);
    assert_int_equal(chdir(world.dir), 0);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    assert_int_equal(chdir("/"), 0);
    world_drop(*state);
    return 0;
}

static void run(int status, const char *arguments)
{
    char command[512];

    snprintf(command, sizeof command, PROGRAM " %s 2>&1", arguments);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    said[fread(said, 1, sizeof said - 1, in)] = '\0';
    int ended = pclose(in);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
        fail_msg("%s: status %d\n%s", arguments, WEXITSTATUS(ended), said);
}

static void expect(int status, const char *arguments, const char *words)
{
    run(status, arguments);
    if (!strstr(said, words))
        fail_msg("%s:\n%s\nexpected \"%s\"", arguments, said, words);
}

/* The books of one party, made wrong by sed. */
static void write_file(struct world *world, const char *name, const char *where, const char *sed)
{
    char command[1024];
    char *rows =
        world_ask(world,
                  "SELECT redemption_id || '.' || left(member_id::text, 4) || ',' || business_date || ',' || "
                  "abs(gross_minor) || ',' || currency || ',' || CASE kind WHEN 4 THEN 'CONFIRM' ELSE 'REVERSE' END "
                  "FROM journal WHERE kind IN (4, 8) AND %s ORDER BY business_date, gross_minor DESC",
                  where);

    snprintf(command, sizeof command, "sed -e '%s' > %s", sed, name);
    FILE *out = popen(command, "w");
    assert_non_null(out);
    fprintf(out, "key,date,amount_minor,currency,state\n%s", rows);
    assert_int_equal(pclose(out), 0);
    free(rows);
}

static void wrong_use_is_explained(void **state)
{
    (void)state;
    expect(2, "breaks", "breaks needs one of: list, show");
    expect(2, "reconcile --programme demo --period 2017-01 --bank bank-a", "--file FILE is missing");
    expect(2, "reconcile --programme demo --period 2017-01 --file x",
           "either --bank or --merchant says whose file it is");
    expect(2, "reconcile --programme demo --period 2017-01 --bank a --file x --format xls",
           "--format must be one of csv|bai2");
    expect(2, "reconcile --programme demo --period 2017-01 --bank a --file x --tolerance -1",
           "--tolerance must be given once, as MINOR");
    expect(2, "breaks list --programme demo --period 2017-13", "--period must be given once, as YYYY-MM");
    expect(2, "breaks show --programme demo", "--break NUMBER is missing");
    expect(0, "reconcile --help", "alliance-settle reconcile --programme demo --period 2017-01 --bank bank-a");
    expect(0, "--help", "alliance-settle breaks correct");
    expect(1, "breaks show --programme demo --break 7", "error: FIELD_INVALID: there is no break 7");
    expect(1, "breaks dispute --programme demo --break 7 --by ann", "error: FIELD_INVALID: there is no break 7");
    expect(1, "reconcile --programme demo --period 2017-01 --bank bank-a --file nowhere",
           "error: FIELD_INVALID: nowhere cannot be read");
}

static void from_a_file_to_a_correction(void **state)
{
    struct world *world = *state;

    /* Three in January with shop-1: 1000 and 400 confirmed, 250 reversed; and 12 yen with =shop. */
    write_file(world, "bank.csv", "bank_no = 1", "s/,1000,/,900,/; /,250,/d");
    expect(0, "reconcile --programme demo --period 2017-01 --bank bank-a --file bank.csv --report breaks.csv",
           "bank bank-a 2017-01: compared\nclass                  ours       theirs\nMATCHED                   2       "
           "     2\n"
           "AMOUNT                    1            1\nMISSING_THERE             1            0\nall                    "
           "   4            3\n");
    expect(0, "reconcile --programme demo --period 2017-01 --bank bank-a --file bank.csv",
           "this file was compared before");
    expect(0, "breaks list --programme demo --bank bank-a", "2 breaks; days since the period's end: under 30 2,");
    assert_non_null(strstr(said, "2017-01-01 CONFIRM 10.00 USD         2017-01-01 CONFIRM 9.00 USD"));
    char *amount = world_ask(world, "SELECT break_no FROM recon_break WHERE class = 4");
    char arguments[256];
    amount[strcspn(amount, "\n")] = '\0';
    snprintf(arguments, sizeof arguments, "breaks show --programme demo --break %s", amount);
    expect(0, arguments, "difference   -1.00\nfile         bank.csv, line ");
    /* The bank says less than we do: it is paid back. */
    snprintf(arguments, sizeof arguments,
             "breaks correct --programme demo --break %s --by ann --reason 'the bank is right'", amount);
    expect(0, arguments, "proposed: MERCHANT shop-1 pays BANK bank-a 1.00 USD (break ");
    expect(0, arguments, "proposed: MERCHANT shop-1 pays BANK bank-a 1.00 USD (break "); /* the same again */
    assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_correction"), 1);
    snprintf(arguments, sizeof arguments, "breaks approve --programme demo --break %s --by ann", amount);
    expect(1, arguments, "error: SECOND_PERSON_NEEDED: ");
    assert_int_equal(world_number(world, "SELECT state FROM recon_break WHERE class = 4"), 3);
    snprintf(arguments, sizeof arguments, "breaks approve --programme demo --break %s --by bob", amount);
    expect(0, arguments, "approved: MERCHANT shop-1 pays BANK bank-a 1.00 USD");
    expect(0, arguments, "approved: "); /* the same again */
    assert_int_equal(world_number(world, "SELECT state FROM recon_break WHERE class = 4 AND correction_no > 0"), 4);
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM settlement_correction WHERE amount_minor = 100 AND from_party = 2 "
                            "AND from_no = 1 AND to_party = 1 AND to_no = 1 AND approver = 'bob'"),
        1);
    snprintf(arguments, sizeof arguments, "breaks correct --programme demo --break %s --by ann --reason again", amount);
    expect(1, arguments, "the break is CORRECTED");
    snprintf(arguments, sizeof arguments, "breaks accept --programme demo --break %s --by ann --note no", amount);
    expect(1, arguments, "only a break of the programme that is OPEN or DISPUTABLE");
    /* The period that is open takes it, and nothing else is on anybody's statement of that month. */
    expect(0, "day-close --programme demo --until 2017-02-28", "2017-02-28 closed");
    expect(0, "period-close --programme demo --period 2017-01", "all tie");
    expect(0, "period-close --programme demo --period 2017-02", "all tie");
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM settlement_correction WHERE state = 3 AND taken_period = '2017-02'"),
        1);
    free(amount);
    /* A corrected file does not undo what people decided. */
    write_file(world, "bank.csv", "bank_no = 1", "");
    expect(0, "reconcile --programme demo --period 2017-01 --bank bank-a --file bank.csv",
           "MATCHED                   4            4\n");
    expect(0, "breaks list --programme demo --all", "RESOLVED");
    assert_non_null(strstr(said, "CORRECTED"));
    expect(0, "breaks list --programme demo", "0 breaks;");
}

static void a_report_is_csv_that_no_spreadsheet_runs(void **state)
{
    struct world *world = *state;
    char line[1024];

    write_file(world, "shop.csv", "merchant_no = 3", "s/,12,/,13,/");
    FILE *more = fopen("shop.csv", "a");
    assert_non_null(more);
    fputs("cmd|x,2017-01-05,7,USD,CONFIRM\n", more);
    assert_int_equal(fclose(more), 0);
    world_do(world, "UPDATE merchant SET merchant_id = 'shop-3' WHERE merchant_no = 3");
    expect(0, "reconcile --programme demo --period 2017-01 --merchant shop-3 --file shop.csv --report out.csv",
           "MISSING_HERE              0            1\n");
    FILE *in = fopen("out.csv", "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    assert_string_equal(
        line, "break,class,state,party_type,party_id,period,key,bank_id,merchant_id,our_date,our_state,our_amount,"
              "our_currency,our_points,their_date,their_state,their_amount,their_currency,their_points,difference,"
              "file_name,line,retries,age_days,other_half,correction,note,dispute\r\n");
    assert_non_null(fgets(line, sizeof line, in));
    assert_non_null(strstr(
        line, ",bank-a,shop-3,2017-01-31,CONFIRM,12,JPY,10,2017-01-31,CONFIRM,13,JPY,,1,shop.csv,2,0,1,0,0,,0\r\n"));
    assert_non_null(fgets(line, sizeof line, in));
    assert_non_null(strstr(line, ",cmd|x,,shop-3,,,,,,2017-01-05,CONFIRM,0.07,USD,,0.07,shop.csv,3,"));
    assert_null(fgets(line, sizeof line, in));
    fclose(in);
    expect(1, "breaks list --programme demo --report /nowhere/x.csv", "/nowhere/x.csv cannot be written");
}

static void three_ways_the_odd_one_is_named(void **state)
{
    struct world *world = *state;

    expect(1, "breaks compare --programme demo --period 2017-01 --bank bank-a --merchant shop-1",
           "compare the files of both");
    write_file(world, "bank.csv", "bank_no = 1", "s/,1000,/,900,/; s/,400,/,399,/");
    write_file(world, "shop.csv", "merchant_no = 1", "s/,1000,/,900,/; s/,250,/,249,/");
    run(0, "reconcile --programme demo --period 2017-01 --bank bank-a --file bank.csv");
    run(0, "reconcile --programme demo --period 2017-01 --merchant shop-1 --file shop.csv");
    expect(0, "breaks compare --programme demo --period 2017-01 --bank bank-a --merchant shop-1", "3 differences\n");
    assert_non_null(strstr(said, "JOURNAL_DIFFERS   2017-01-01 CONFIRM 9.00 USD          2017-01-01 CONFIRM 10.00 USD  "
                                 "       2017-01-01 CONFIRM 9.00 USD"));
    assert_non_null(strstr(said, "BANK_DIFFERS      2017-01-01 CONFIRM 3.99 USD          2017-01-01 CONFIRM 4.00 USD   "
                                 "       2017-01-01 CONFIRM 4.00 USD"));
    assert_non_null(strstr(said, "MERCHANT_DIFFERS  2017-01-31 REVERSE 2.50 USD          2017-01-31 REVERSE 2.50 USD   "
                                 "       2017-01-31 REVERSE 2.49 USD"));
}

static void a_break_may_be_accepted(void **state)
{
    struct world *world = *state;
    char arguments[128];

    write_file(world, "bank.csv", "bank_no = 2", "s/2017-01-01/2017-01-02/");
    expect(0, "reconcile --programme demo --period 2017-01 --bank bank-b --file bank.csv",
           "LATE                      1            1\n");
    int64_t number = world_number(world, "SELECT break_no FROM recon_break");
    snprintf(arguments, sizeof arguments, "breaks accept --programme demo --break %lld --by ann --note 'booked later'",
             (long long)number);
    expect(0, arguments, "state        ACCEPTED");
    assert_non_null(strstr(said, "note         ann: booked later"));
    expect(0, "breaks list --programme demo --state ACCEPTED --class LATE", "1 breaks;");
    expect(1, "breaks list --programme demo --class EARLY", "there is no class EARLY");
}

/* The party, theirs, ours: who pays how much. */
static void a_remedy_goes_the_right_way(void **state)
{
    static const struct {
        enum recon_side side;
        int our_state, their_state;
        int64_t ours, theirs;
        bool pays;
        int64_t minor; /* 0: none */
    } cases[] = {
        { RECON_BANK, RECON_CONFIRM, RECON_CONFIRM, 100, 90, false, 10 },
        { RECON_BANK, RECON_CONFIRM, RECON_CONFIRM, 100, 110, true, 10 },
        { RECON_BANK, RECON_CONFIRM, 0, 100, 0, false, 100 },
        { RECON_BANK, 0, RECON_CONFIRM, 0, 100, true, 100 },
        { RECON_BANK, RECON_CONFIRM, RECON_REVERSE, 100, 100, false, 100 }, /* undone, not owed the other way */
        { RECON_BANK, RECON_CONFIRM, RECON_REVERSE, 100, 40, false, 40 },
        { RECON_BANK, RECON_CONFIRM, RECON_REVERSE, 100, 140, false, 100 },
        { RECON_BANK, RECON_REVERSE, RECON_CONFIRM, 40, 100, true, 40 },
        { RECON_MERCHANT, RECON_REVERSE, RECON_CONFIRM, 100, 100, false, 100 },
        { RECON_BANK, RECON_REVERSE, 0, 30, 0, true, 30 },
        { RECON_MERCHANT, RECON_CONFIRM, RECON_CONFIRM, 100, 110, false, 10 },
        { RECON_MERCHANT, RECON_CONFIRM, 0, 100, 0, true, 100 },
        { RECON_MERCHANT, RECON_CONFIRM, RECON_CONFIRM, 100, 100, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct recon_remedy remedy = { 0 };
        struct recon_break_row row = { .party_type = (int16_t)cases[i].side,
                                       .our_state = (int16_t)cases[i].our_state,
                                       .their_state = (int16_t)cases[i].their_state,
                                       .our_minor = cases[i].ours,
                                       .their_minor = cases[i].theirs,
                                       .our_currency = cases[i].our_state ? "USD" : "",
                                       .their_currency = cases[i].their_state ? "USD" : "" };
        assert_int_equal(recon_remedy_of(&row, &remedy), cases[i].minor > 0);
        assert_int_equal(remedy.minor, cases[i].minor);
        assert_int_equal(remedy.pays, cases[i].pays);
    }
    struct recon_break_row mixed = { .our_state = 1,
                                     .their_state = 1,
                                     .our_minor = 1,
                                     .their_minor = 2,
                                     .our_currency = "USD",
                                     .their_currency = "JPY" };
    struct recon_remedy remedy;
    assert_false(recon_remedy_of(&mixed, &remedy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_use_is_explained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_a_file_to_a_correction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_report_is_csv_that_no_spreadsheet_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(three_ways_the_odd_one_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_break_may_be_accepted, set_up, tear_down),
        cmocka_unit_test(a_remedy_goes_the_right_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
