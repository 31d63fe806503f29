/* Contested money over three periods: out of the payout or held once, paid when it is free, and everything ties. */
#include "settled_world.h"

#include "pay_commands.h"
#include "store/correction_store.h"
#include "store/dispute_store.h"
#include "store/period_chain_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* shop-1 is to be paid 11.21 USD for January; line 1 of its pair with bank-a is 10.00, line 2 is 4.00. */
static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    world_put_usual(&world);
    world_settle(&world, "2017-01-31", "2017-01");
    world_do(&world, "INSERT INTO settlement_period (programme_no, period, first_day, last_day, state, maker, "
                     "manifest_sha256, statement_count, calculated_at, approver, signature_sha256, issued_on) VALUES "
                     "(1, '2017-01', '2017-01-01', '2017-01-31', 3, 'a', sha256('m'), 11, now(), 'b', sha256('s'), "
                     "'2017-02-01') ON CONFLICT (programme_no, period) DO UPDATE SET state = 3, approver = 'b', "
                     "signature_sha256 = sha256('s'), issued_on = '2017-02-01'");
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

/* Whose lines are contested and paid: January, where a story does not say otherwise. */
static const char *settled = "2017-01";

/* What the command says of it. */
static void assert_payout(struct world *world, const char *expected)
{
    struct pay_options options = { .command = PAY_PAYOUT, .on = date_of(2017, 3, 20), .by = "tester" };
    struct close_run run = { 0 };
    struct error err = { 0 };
    char *text = NULL;
    struct db *db;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_true(period_parse(settled, &options.period));
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(close_begin(&run, db, "demo", &err));
    if (!pay_command_run(&run, &options, world->dir, out, &err))
        fail_msg("%s", error_text(&err));
    close_end(&run);
    db_close(db);
    fclose(out);
    if (strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("no \"%s\" in: %s", expected, text);
    free(text);
}

/* In one transaction as the service does it. */
static void open_dispute(struct world *world, const struct dispute_open_params *params)
{
    const struct dispute_request_params request = { 1, params->request_id };
    const struct dispute_programme_params programme = { 1 };
    struct error err = { 0 };
    struct db *db;

    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(db_execute(db, &dispute_open, params, NULL, &err));
    assert_true(db_execute(db, &dispute_hold, &request, NULL, &err));
    assert_true(db_execute(db, &dispute_mark_statements, &programme, NULL, &err));
    db_close(db);
}

/* By the bank. */
static void contest(struct world *world, int64_t line, int64_t amount)
{
    open_dispute(world, &(struct dispute_open_params){
                            .statement_no = world_number(world,
                                                         "SELECT statement_no FROM statement WHERE statement_id = "
                                                         "'demo/%s/PAIR/bank-a/shop-1/USD'",
                                                         settled),
                            .request_id = { { (uint8_t)line } },
                            .line_number = line,
                            .opener = 1,
                            .line_minor = 1000,
                            .amount_minor = amount,
                            .reason_code = "TWICE",
                            .evidence = "the till rang twice",
                            .by = "bank-a",
                            .default_days = 15,
                        });
}

/* By shop-1: what its January gave the carrier. */
static void contest_posting(struct world *world, int number, int64_t amount)
{
    open_dispute(
        world,
        &(struct dispute_open_params){
            .statement_no = world_number(world, "SELECT statement_no FROM statement WHERE statement_id = "
                                                "'demo/2017-01/MERCHANT/shop-1/USD'"),
            .request_id = { { (uint8_t)number } },
            .posting_no = (int32_t)world_number(world, "SELECT posting_no FROM settlement_posting WHERE to_party = 3"),
            .opener = 2,
            .line_minor = 500,
            .amount_minor = amount,
            .reason_code = "LATE",
            .evidence = "came too late",
            .by = "shop-1",
            .default_days = 15,
        });
}

static void assert_asked(struct world *world, const char *sql, const char *expected)
{
    char *text = world_ask(world, "%s", sql);

    assert_string_equal(text, expected);
    free(text);
}

static void assert_position(struct world *world, const char *period, const char *expected)
{
    char sql[400];

    snprintf(sql, sizeof sql,
             "SELECT opening_minor, movement_minor, payable_minor, closing_minor, carried_minor, disputed_minor FROM "
             "statement_position JOIN statement USING (statement_no) WHERE statement_id = "
             "'demo/%s/MERCHANT/shop-1/USD'",
             period);
    assert_asked(world, sql, expected);
}

static void assert_recomputed(struct world *world, const char *period)
{
    char command[TEST_CONNINFO + 512];

    snprintf(command, sizeof command,
             "/usr/bin/python3 " SOURCE_DIR "/tests/settlement/recompute.py '%s' %s demo %s >/dev/null",
             world->conninfo, world->dir, period);
    if (system(command) != 0)
        fail_msg("%s does not come to the same", period);
}

/* party: as its files are named. */
static void assert_line(struct world *world, const char *party, const char *period, const char *extension,
                        const char *expected)
{
    char path[256], text[16384];

    snprintf(path, sizeof path, "%s/demo/%s/%s_%s_USD.%s", world->dir, period, party, period, extension);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    if (!strstr(text, expected))
        fail_msg("no \"%s\" in: %s", expected, text);
}

static void assert_carrier(struct world *world, const char *period, const char *expected)
{
    char sql[400];

    snprintf(sql, sizeof sql,
             "SELECT opening_minor, movement_minor, payable_minor, closing_minor, carried_minor, disputed_minor FROM "
             "statement_position JOIN statement USING (statement_no) WHERE statement_id = "
             "'demo/%s/CARRIER/swift/USD'",
             period);
    assert_asked(world, sql, expected);
}

static const char states[] =
    "SELECT type, state FROM statement WHERE period = '2017-01' AND currency = 'USD' AND (type "
    "= 3 OR bank_no = 1) AND merchant_no <> 2 ORDER BY 1";

static void contested_money_is_kept_once_and_paid_once(void **state)
{
    struct world *world = *state;

    contest(world, 1, 500);
    assert_asked(world, states, "1|5\n2|5\n3|5\n");
    assert_payout(world, "2017-01: 3 payments to make\n"); /* one of them without what is contested */
    assert_payout(world, "2017-01: 0 payments to make\n");
    contest(world, 2, 300); /* all that is not contested is on its way: held in the next statement */
    world_do(world, "UPDATE dispute SET state = 5 WHERE line_number = 2");
    assert_asked(world, "SELECT line_number, withheld_minor, expires_on FROM dispute ORDER BY 1",
                 "1|500|2017-02-16\n2|0|2017-02-16\n");
    assert_asked(world, "SELECT amount_minor, refers_to FROM settlement_hold WHERE kind = 2", "300|dispute 2\n");

    /* The first expires: its day is over with the close of the 16th. */
    struct error err;
    assert_int_equal(world_close_until(world, "2017-02-15", &err), REASON_OK);
    assert_payout(world, "2017-01: 0 payments to make\n");
    assert_int_equal(world_close_until(world, "2017-02-16", &err), REASON_OK);
    assert_asked(world, "SELECT state, ended_on FROM dispute ORDER BY line_number", "6|2017-02-17\n5|9999-12-31\n");
    assert_payout(world, "2017-01: 1 payments to make\n");
    assert_payout(world, "2017-01: 0 payments to make\n");
    assert_asked(world,
                 "SELECT attempt, part, amount_minor FROM payout WHERE end_to_end_id LIKE 'M1-000001%' ORDER BY 1",
                 "1|1|621\n2|2|500\n");
    assert_asked(world, states, "1|5\n2|5\n3|5\n");

    world_settle(world, "2017-02-28", "2017-02");
    assert_position(world, "2017-02", "0|0|0|0|-300|300\n");
    assert_recomputed(world, "2017-02");

    /* In March the second is agreed. */
    world_do(world,
             "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
             "to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, business_date) VALUES "
             "(1, gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 300, 'dispute 2', 'P1.1-000001 line 2', 2, 'ann', "
             "'bob', '2017-03-01'); UPDATE dispute SET state = 3, agreed_minor = 300, correction_no = 1, "
             "ended_on = '2017-03-01' WHERE line_number = 2; UPDATE settlement_hold SET release_on = '2017-03-01' "
             "WHERE kind = 2");
    world_settle(world, "2017-03-31", "2017-03");
    assert_asked(world, "SELECT release_on FROM settlement_hold WHERE kind = 2", "2017-03-01\n");
    assert_position(world, "2017-03", "0|-300|0|-300|-300|0\n");
    assert_line(world, "merchant_shop-1", "2017-03", "csv", ",,,,,,USD,,,,DISPUTED,dispute 2,,3.00\r\n");
    assert_line(world, "merchant_shop-1", "2017-03", "csv", ",,,,,,USD,,,,DISPUTE_RELEASED,dispute 2,,-3.00\r\n");
    assert_line(world, "merchant_shop-1", "2017-03", "json",
                "{\"kind\":\"POSITION_PART_KIND_DISPUTE_RELEASED\",\"refersTo\":\"dispute 2\",\"amountMinor\":"
                "\"-300\"}");
    assert_line(world, "merchant_shop-1", "2017-02", "csv", ",,,,,,USD,,,,DISPUTED,dispute 2,,3.00\r\n");
    char command[512];
    snprintf(command, sizeof command,
             "pdftotext -layout %s/demo/2017-03/merchant_shop-1_2017-03_USD.pdf - | grep -q 'released in the period: "
             "dispute 2 *3.00$'",
             world->dir);
    assert_int_equal(system(command), 0);
    assert_recomputed(world, "2017-03");
    assert_recomputed(world, "2017-02"); /* still as it was */
    assert_payout(world, "2017-01: 0 payments to make\n");
    assert_asked(world, states, "1|1\n2|4\n3|4\n"); /* and nobody spoke in time */

    /* Once: nothing of it is in April's. */
    world_settle(world, "2017-04-30", "2017-04");
    assert_position(world, "2017-04", "-300|0|0|-300|-300|0\n");
    assert_recomputed(world, "2017-04");
}

static void assert_read(struct world *world, const char *xml, const char *expected)
{
    struct pay_options options = { .command = PAY_READ, .by = "tester" };
    struct close_run run = { 0 };
    struct error err = { 0 };
    char path[160], *text = NULL;
    struct db *db;
    size_t size;

    snprintf(path, sizeof path, "%s/bank.xml", world->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(xml, file) >= 0);
    assert_int_equal(fclose(file), 0);
    FILE *out = open_memstream(&text, &size);
    options.file = path;
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(close_begin(&run, db, "demo", &err));
    if (!pay_command_run(&run, &options, world->dir, out, &err))
        fail_msg("%s", error_text(&err));
    close_end(&run);
    db_close(db);
    fclose(out);
    if (!strstr(text, expected))
        fail_msg("no \"%s\" in: %s", expected, text);
    free(text);
}

#define STATUS(message, number, status)                                                                                \
    "<Document "                                                                                                       \
    "xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.11'><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>" message   \
    "</OrgnlMsgId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>" number                        \
    "</OrgnlEndToEndId><TxSts>" status "</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInfAndSts>"         \
    "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
#define BOOKED(number, amount, side, reference)                                                                        \
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><Othr>" \
    "<Id>1</Id></Othr></Id></Acct><Ntry><Amt Ccy='USD'>" amount "</Amt><CdtDbtInd>" side                               \
    "</CdtDbtInd><Sts><Cd>BOOK</Cd>"                                                                                   \
    "</Sts><BookgDt><Dt>2017-02-20</Dt></BookgDt><AcctSvcrRef>" reference                                              \
    "</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>" number                                                        \
    "</EndToEndId></Refs></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"

/* 4.00 now, and 4.00 when the first dispute is over: what the bank says of one payment is never taken for the other. */
static void equal_parts_are_told_apart(void **state)
{
    struct world *world = *state;
    static const char parts[] = "SELECT end_to_end_id, part, amount_minor, state FROM payout WHERE end_to_end_id LIKE "
                                "'M1-000001%' ORDER BY part, attempt";

    contest(world, 1, 400);
    contest(world, 2, 321);
    assert_payout(world, "2017-01: 3 payments to make\n");
    world_do(world, "UPDATE dispute SET state = 4, ended_on = '2017-02-02' WHERE line_number = 1");
    assert_payout(world, "2017-01: 1 payments to make\n");
    assert_asked(world, parts, "M1-000001|1|400|1\nM1-000001.2|2|400|1\n");
    assert_read(world, STATUS("P1-2017-01-1", "M1-000001", "ACSC"), " 1 paid,");
    assert_read(world, BOOKED("M1-000001", "4.00", "DBIT", "a"), " 0 paid,");
    assert_asked(world, parts, "M1-000001|1|400|3\nM1-000001.2|2|400|1\n");
    assert_read(world, BOOKED("M1-000001.2", "4.00", "DBIT", "b"), " 1 paid,");
    assert_read(world, BOOKED("M1-000001.2", "4.00", "CRDT", "c"), " 1 rejected or returned;");
    assert_asked(world, parts, "M1-000001|1|400|3\nM1-000001.2|2|400|4\n");
    assert_payout(world, "2017-01: 1 payments to make\n");
    assert_read(world, STATUS("P1-2017-01-3", "M1-000001.2", "RJCT"), " 1 rejected or returned;");
    assert_payout(world, "2017-01: 1 payments to make\n");
    assert_asked(world, parts, "M1-000001|1|400|3\nM1-000001.2|2|400|4\nM1-000001.2|2|400|4\nM1-000001.2|2|400|1\n");
}

/* All that was withheld was decided against shop-1, which sells nothing any more: it keeps it until it has made up. */
static void what_was_decided_against_a_party_is_not_paid_to_it(void **state)
{
    struct world *world = *state;

    contest(world, 1, 1000);
    assert_payout(world, "2017-01: 3 payments to make\n");
    world_do(world, "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
                    "to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, business_date) VALUES "
                    "(1, gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 1000, 'dispute 1', 'P1.1-000001 line 1', 2, 'ann', "
                    "'bob', '2017-02-01'); UPDATE dispute SET state = 3, agreed_minor = 1000, correction_no = 1, "
                    "ended_on = '2017-02-01' WHERE line_number = 1");
    assert_payout(world, "2017-01: 0 payments to make\n");
    world_settle(world, "2017-02-28", "2017-02");
    assert_position(world, "2017-02", "0|-1000|0|-1000|-1000|0\n");
    world_do(world, "INSERT INTO settlement_period (programme_no, period, first_day, last_day, state, maker, "
                    "manifest_sha256, statement_count, calculated_at, approver, signature_sha256, issued_on) VALUES "
                    "(1, '2017-02', '2017-02-01', '2017-02-28', 3, 'a', sha256('m'), 11, now(), 'b', sha256('s'), "
                    "'2017-03-01') ON CONFLICT (programme_no, period) DO UPDATE SET state = 3, approver = 'b', "
                    "signature_sha256 = sha256('s'), issued_on = '2017-03-01'");
    assert_payout(world, "2017-01: 0 payments to make\n"); /* it would owe what it got */
    world_do(world, "UPDATE statement_position SET carried_minor = 0, closing_minor = 0, movement_minor = 0 WHERE "
                    "carried_minor < 0");
    assert_payout(world, "2017-01: 1 payments to make\n"); /* made up by later statements */
    assert_asked(world, "SELECT sum(amount_minor) FROM payout WHERE end_to_end_id LIKE 'M1-000001%'", "1121\n");
}

static void assert_state(struct world *world, const char *statement, int state)
{
    assert_int_equal(
        world_number(world, "SELECT state FROM statement WHERE statement_id = 'demo/2017-01/%s/USD'", statement),
        state);
}

/* Paid while it is contested it is PAID when the dispute has ended; and what comes back then is owed again. */
static void payments_and_disputes_keep_one_state(void **state)
{
    static const char *const statements[] = { "PAIR/bank-a/shop-1", "BANK/bank-a", "MERCHANT/shop-1" };
    struct world *world = *state;
    char *owed = world_ask(world, "SELECT (-payable_minor / 100) || '.' || lpad((-payable_minor %% 100)::text, 2, '0') "
                                  "FROM statement_position JOIN statement USING (statement_no) WHERE statement_id = "
                                  "'demo/2017-01/BANK/bank-a/USD'");
    int number = (int)world_number(world, "SELECT number FROM statement_number WHERE statement_id = "
                                          "'demo/2017-01/BANK/bank-a/USD'");
    char xml[2000];
    struct error err;

    owed[strcspn(owed, "\n")] = '\0';
    contest(world, 1, 400);
    assert_payout(world, "2017-01: 3 payments to make\n");
    assert_read(world, STATUS("P1-2017-01-1", "M1-000001", "ACSC"), " 1 paid,");
    snprintf(xml, sizeof xml, BOOKED("B1-00000%d", "%s", "CRDT", "r"), owed, number);
    assert_read(world, xml, " 1 receipts;");
    for (size_t i = 0; i < COUNT(statements); i++)
        assert_state(world, statements[i], 5);
    assert_int_equal(world_close_until(world, "2017-02-20", &err), REASON_OK); /* nobody went on with it */
    assert_asked(world, "SELECT state FROM dispute", "6\n");
    assert_state(world, statements[0], 1);
    assert_state(world, statements[1], 6);
    snprintf(xml, sizeof xml, BOOKED("B1-00000%d", "%s", "DBIT", "t"), owed, number); /* the bank's bank took it back */
    assert_read(world, xml, " 1 receipts;");
    assert_state(world, statements[1], 4);

    assert_payout(world, "2017-01: 1 payments to make\n");
    assert_read(world, STATUS("P1-2017-01-2", "M1-000001.2", "ACSC"), " 1 paid,");
    assert_state(world, statements[2], 6);
    assert_payout(world, "2017-01: 0 payments to make\n");
    contest(world, 2, 300);
    assert_state(world, statements[2], 6);
    assert_read(world, BOOKED("M1-000001.2", "4.00", "CRDT", "u"), " 1 rejected or returned;");
    assert_state(world, statements[2], 5);
    assert_payout(world, "2017-01: 1 payments to make\n"); /* the 3.00 are kept of the next statement's */
    assert_payout(world, "2017-01: 0 payments to make\n");
    assert_asked(world, "SELECT sum(amount_minor) FROM payout WHERE end_to_end_id LIKE 'M1-000001%' AND state <> 4",
                 "1121\n");
    free(owed);
}

/* A carrier is to be paid 5.00 for January, of which shop-1 contests 2.00, and 1.50 more when 3.00 are paid. */
static int set_up_carrier(void **state)
{
    static struct world world;

    world_make(&world);
    world_put_usual(&world);
    world_do(&world,
             "INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) VALUES ('swift', 1, 'Swift', "
             "'x', 'http://x'); INSERT INTO settlement_correction (programme_no, request_id, currency, kind, "
             "from_party, from_no, to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, "
             "business_date) VALUES (1, gen_random_uuid(), 'USD', 7, 2, 1, 3, 1, 500, 'by hand', 'x', 2, 'ann', "
             "'bob', '2017-01-20')");
    world_settle(&world, "2017-01-31", "2017-01");
    world_do(&world,
             "UPDATE settlement_period SET state = 3, approver = 'b', signature_sha256 = sha256('s'), issued_on = "
             "'2017-02-01'; INSERT INTO settlement_period (programme_no, period, first_day, last_day, state, "
             "maker, manifest_sha256, statement_count, calculated_at, approver, signature_sha256, issued_on) "
             "VALUES (1, '2017-01', '2017-01-01', '2017-01-31', 3, 'a', sha256('m'), 11, now(), 'b', sha256('s'), "
             "'2017-02-01') ON CONFLICT DO NOTHING");
    *state = &world;
    return 0;
}

static const char paid_to_carrier[] = "SELECT part, amount_minor FROM payout WHERE party_type = 3 ORDER BY 1";

static void a_carriers_money_is_kept_once_and_paid_once(void **state)
{
    struct world *world = *state;
    struct error err;

    contest_posting(world, 1, 200);
    assert_payout(world, "2017-01: 4 payments to make\n");
    assert_asked(world, paid_to_carrier, "1|300\n");
    contest_posting(world, 2, 150);
    world_do(world, "UPDATE dispute SET state = 5 WHERE amount_minor = 150"); /* waits for a decision */
    assert_asked(world, "SELECT amount_minor, withheld_minor, opener, other, other_no FROM dispute ORDER BY 1 DESC",
                 "200|200|2|3|1\n150|0|2|3|1\n");
    assert_asked(world, "SELECT merchant_no, carrier_no, amount_minor FROM settlement_hold WHERE kind = 2",
                 "0|1|150\n");
    assert_payout(world, "2017-01: 0 payments to make\n");
    assert_int_equal(world_close_until(world, "2017-02-16", &err), REASON_OK); /* the first expires */
    assert_payout(world, "2017-01: 1 payments to make\n");
    assert_payout(world, "2017-01: 0 payments to make\n");
    assert_asked(world, paid_to_carrier, "1|300\n2|200\n");

    world_settle(world, "2017-02-28", "2017-02");
    assert_carrier(world, "2017-02", "0|0|0|0|-150|150\n");
    assert_recomputed(world, "2017-02");
    world_do(world, "UPDATE dispute SET state = 4, ended_on = '2017-03-01' WHERE state = 5; UPDATE settlement_hold SET "
                    "release_on = '2017-03-01' WHERE kind = 2");
    world_settle(world, "2017-03-31", "2017-03");
    assert_carrier(world, "2017-03", "0|0|0|0|0|0\n"); /* nothing is paid: it was in January */
    assert_line(world, "carrier_swift", "2017-03", "csv", ",DISPUTE_RELEASED,dispute 2,,-1.50\r\n");
    assert_recomputed(world, "2017-03");
    assert_asked(world, paid_to_carrier, "1|300\n2|200\n");
    world_settle(world, "2017-04-30", "2017-04");
    assert_carrier(world, "2017-04", "");
}

/* shop-1 is settled by the week, its bank and the other shops by the month. */
static int set_up_weeks(void **state)
{
    static struct world world;

    world_make(&world);
    world_put_usual(&world);
    world_contract(&world, &(struct world_contract){ .party = 2, .no = 1, .kind = PERIOD_WEEK });
    world_settle(&world, "2017-01-01", "2016-W52");
    world_do(&world, "INSERT INTO settlement_period (programme_no, period, first_day, last_day, state, maker, "
                     "manifest_sha256, statement_count, calculated_at, approver, signature_sha256, issued_on) VALUES "
                     "(1, '2016-W52', '2016-12-26', '2017-01-01', 3, 'a', sha256('m'), 4, now(), 'b', sha256('s'), "
                     "'2017-01-02') ON CONFLICT (programme_no, period) DO UPDATE SET state = 3, approver = 'b', "
                     "signature_sha256 = sha256('s'), issued_on = '2017-01-02'");
    settled = "2016-W52";
    *state = &world;
    return 0;
}

static int tear_down_weeks(void **state)
{
    settled = "2017-01";
    return tear_down(state);
}

static void assert_settled(struct world *world, const char *last_day, const char *period)
{
    struct error err = { 0 };
    struct db *db;

    world_settle(world, last_day, period);
    assert_recomputed(world, period);
    assert_true(db_open(world->conninfo, &db, &err));
    if (!period_chain_check(db, 1, period, &err))
        fail_msg("%s: %s", period, error_text(&err));
    db_close(db);
}

/* What is kept and let go stays in the shop's own weeks; the month of its bank, closed between them, has none of it. */
static void contested_money_stays_in_the_periods_of_its_kind(void **state)
{
    struct world *world = *state;
    struct error err;

    assert_recomputed(world, "2016-W52");
    contest(world, 1, 500);
    assert_payout(world, "2016-W52: 1 payments to make\n");
    contest(world, 2, 300);
    world_do(world, "UPDATE dispute SET state = 5 WHERE line_number = 2");
    assert_asked(world, "SELECT line_number, withheld_minor, expires_on FROM dispute ORDER BY 1",
                 "1|500|2017-01-17\n2|0|2017-01-17\n");
    assert_settled(world, "2017-01-08", "2017-W01");
    assert_position(world, "2017-W01", "0|0|0|0|-300|300\n");
    assert_settled(world, "2017-01-15", "2017-W02");
    assert_position(world, "2017-W02", "0|0|0|0|-300|300\n");
    assert_int_equal(world_close_until(world, "2017-01-17", &err), REASON_OK); /* the first expires */
    assert_payout(world, "2016-W52: 1 payments to make\n");
    assert_payout(world, "2016-W52: 0 payments to make\n");
    assert_asked(world, "SELECT part, amount_minor FROM payout ORDER BY 1", "1|865\n2|500\n");

    /* The second is agreed on the month's last day, which is in the week that ends in the next month. */
    world_do(world, "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
                    "to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, business_date) VALUES "
                    "(1, gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 300, 'dispute 2', 'P1.1-000001 line 2', 2, 'ann', "
                    "'bob', '2017-01-31'); UPDATE dispute SET state = 3, agreed_minor = 300, correction_no = 1, "
                    "ended_on = '2017-01-31' WHERE line_number = 2; UPDATE settlement_hold SET release_on = "
                    "'2017-01-31' WHERE kind = 2");
    assert_settled(world, "2017-01-22", "2017-W03");
    assert_settled(world, "2017-01-31", "2017-W04");
    assert_position(world, "2017-W04", "0|0|0|0|-300|300\n");
    assert_settled(world, "2017-01-31", "2017-01");
    assert_position(world, "2017-01", "");
    assert_asked(world, "SELECT state, taken_period FROM settlement_correction", "2|\n");
    assert_settled(world, "2017-02-05", "2017-W05");
    assert_asked(world, "SELECT taken_period FROM settlement_correction", "2017-W05\n");
    assert_position(world, "2017-W05", "0|-544|0|-544|-544|0\n"); /* with the reversal of the 31st */
    assert_line(world, "merchant_shop-1", "2017-W05", "csv", ",DISPUTE_RELEASED,dispute 2,,-3.00\r\n");
    assert_settled(world, "2017-02-12", "2017-W06");
    assert_position(world, "2017-W06", "-544|0|0|-544|-544|0\n");
    assert_settled(world, "2017-02-28", "2017-02");
    assert_recomputed(world, "2017-W01"); /* still as it was */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contested_money_is_kept_once_and_paid_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_parts_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(payments_and_disputes_keep_one_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_decided_against_a_party_is_not_paid_to_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_carriers_money_is_kept_once_and_paid_once, set_up_carrier, tear_down),
        cmocka_unit_test_setup_teardown(contested_money_stays_in_the_periods_of_its_kind, set_up_weeks,
                                        tear_down_weeks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
