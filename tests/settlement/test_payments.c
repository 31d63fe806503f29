/* Payments: each statement is paid once, what the bank says is believed once, what is owed ages. */
#include "settled_world.h"

#include "pay_commands.h"
#include "pay_out.h"
#include "store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Three merchants are to be paid 11.21 and 3.26 USD and 11 JPY; the banks owe. */
static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    world_put_usual(&world);
    world_settle(&world, "2017-01-31", "2017-01");
    world_do(&world,
             "INSERT INTO party_account (programme_no, party_type, party_no, currency, version, legal_name, "
             "address, country, iban, account_number, bic, bank_name, set_by, approved_by) VALUES "
             "(1, 4, 0, '', 1, 'Operator <Ltd>', 'Street 1', 'DE', 'DE02120300000000202051', '', 'BYLADEM1001', "
             "'', 'a', 'b'), (1, 2, 1, 'USD', 1, '', '', '', '', '6222-01', '', 'Bank & Co', 'a', 'b'), "
             "(1, 2, 2, '', 1, '', '', '', '', '99', '', '', 'a', '')");
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static void issue(struct world *world)
{
    world_do(world,
             "INSERT INTO settlement_period (programme_no, period, first_day, last_day, state, maker, "
             "manifest_sha256, statement_count, calculated_at, approver, signature_sha256) VALUES (1, '2017-01', "
             "'2017-01-01', '2017-01-31', 3, 'a', sha256('m'), 11, now(), 'b', sha256('s')) ON CONFLICT "
             "(programme_no, period) DO UPDATE SET state = 3, approver = 'b', signature_sha256 = sha256('s')");
}

/* The command as typed; what it prints and, when refused, why. The caller's to free. */
static char *type(struct world *world, struct pay_options options)
{
    struct close_run run = { 0 };
    struct error err = { 0 };
    struct db *db;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    options.by = "tester";
    assert_true(period_parse("2017-01", &options.period));
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(close_begin(&run, db, "demo", &err));
    if (!pay_command_run(&run, &options, world->dir, out, &err))
        fprintf(out, "%s: %s\n", reason_name(err.reason), error_text(&err));
    close_end(&run);
    db_close(db);
    fclose(out);
    return text;
}

static void assert_typed(struct world *world, enum pay_command command, const char *expected)
{
    struct pay_options options = { .command = command, .on = date_of(2017, 3, 20) };
    char *text = type(world, options);

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

static void assert_read(struct world *world, const char *xml, const char *expected)
{
    char path[160];

    snprintf(path, sizeof path, "%s/bank.xml", world->dir);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(xml, out) >= 0);
    assert_int_equal(fclose(out), 0);
    char *text = type(world, (struct pay_options){ .command = PAY_READ, .file = path });
    assert_string_equal(text, expected);
    free(text);
}

static const char payouts[] = "SELECT end_to_end_id, attempt, state, reason FROM payout ORDER BY 1, 2";

static void nothing_is_paid_before_it_is_issued(void **state)
{
    assert_typed(*state, PAY_PAYOUT, "PERIOD_NOT_ISSUED: 2017-01 must be issued before anything of it is paid");
    assert_asked(*state, payouts, "");
}

static void each_statement_is_paid_once(void **state)
{
    struct world *world = *state;
    char command[512];

    issue(world);
    assert_typed(world, PAY_PAYOUT, "2017-01: 3 payments to make\n");
    assert_typed(world, PAY_PAYOUT, "2017-01: 0 payments to make\n"); /* the second click */
    assert_asked(world, payouts, "M1-000001|1|1|\nM2-000001|1|1|\nM3-000001|1|1|\n");
    snprintf(
        command, sizeof command,
        "cd %s/demo/2017-01 && test $(ls payout_*) = payout_P1-2017-01-1.pain001.xml && /usr/bin/python3 " SOURCE_DIR
        "/tests/settlement/check_iso.py %s payout_*.xml | grep -Fx 'payout_P1-2017-01-1.pain001.xml "
        "M3-000001 11 JPY to M3; M1-000001 11.21 USD to 6222-01; M2-000001 3.26 USD to M2'",
        world->dir,
        access(SOURCE_DIR "/../shared/data/iso20022/xsd", R_OK) == 0 ? "--xsd " SOURCE_DIR
                                                                       "/../shared/data/iso20022/xsd"
                                                                     : "");
    assert_int_equal(system(command), 0);
    assert_asked(world, "SELECT count(*), sum(payment_count) FROM payout_batch", "1|3\n");
}

/* The file is a rendering of what is stored: the next run makes it again, the same. */
static void a_lost_file_is_made_again(void **state)
{
    struct world *world = *state;
    char path[200];

    issue(world);
    assert_typed(world, PAY_PAYOUT, "3 payments");
    char *before = world_files(world);
    snprintf(path, sizeof path, "%s/demo/2017-01/payout_P1-2017-01-1.pain001.xml", world->dir);
    assert_int_equal(remove(path), 0);
    assert_typed(world, PAY_PAYOUT, "0 payments to make\n/tmp/settled");
    char *after = world_files(world);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* The answer to a database's question is the only truth: two rows for one statement cannot be. */
static void the_database_refuses_a_second_payment(void **state)
{
    struct world *world = *state;

    issue(world);
    assert_typed(world, PAY_PAYOUT, "3 payments");
    PGresult *result = PQexec(world->sql, "INSERT INTO payout SELECT statement_id, 2, batch_no, programme_no, "
                                          "end_to_end_id, party_type, party_no, currency, amount_minor, 0, 1, '' FROM "
                                          "payout");
    assert_string_equal(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME), "payout_part");
    PQclear(result);
}

#define STATUS(message, rest)                                                                                          \
    "<Document "                                                                                                       \
    "xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.11'><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>" message   \
    "</OrgnlMsgId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>" rest "</OrgnlPmtInfAndSts></CstmrPmtStsRpt>"                \
    "</Document>"
#define ONE(number, status)                                                                                            \
    "<TxInfAndSts><OrgnlEndToEndId>" number "</OrgnlEndToEndId><TxSts>" status                                         \
    "</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInfAndSts>"
#define BOOKED(reference, entries)                                                                                     \
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><Stmt><Id>" reference             \
    "</Id><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>" entries "</Stmt></BkToCstmrStmt></Document>"
#define ENTRY(reference, number, amount, currency, side)                                                               \
    "<Ntry><Amt Ccy='" currency "'>" amount "</Amt><CdtDbtInd>" side "</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt>"   \
    "<Dt>2017-02-20</Dt></BookgDt><AcctSvcrRef>" reference "</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>" number \
    "</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"

static void a_rejected_payment_is_payable_again_once(void **state)
{
    static const char rejected[] = STATUS("P1-2017-01-1", ONE("M1-000001", "RJCT") ONE("M2-000001", "ACCP"));
    struct world *world = *state;

    issue(world);
    assert_typed(world, PAY_PAYOUT, "3 payments");
    assert_read(world, rejected,
                "2 records, 0 known before: 1 payouts accepted, 0 paid, 1 rejected or returned; 0 receipts; 0 match "
                "nothing\n");
    assert_typed(world, PAY_PAYOUT, "1 payments to make\n");
    assert_typed(world, PAY_PAYOUT, "0 payments to make\n");
    assert_asked(world, payouts, "M1-000001|1|4|AC01\nM1-000001|2|1|\nM2-000001|1|2|AC01\nM3-000001|1|1|\n");
    /* the same report again, and the bank's other copy of it, are about the first attempt */
    assert_read(world, rejected,
                "2 records, 2 known before: 0 payouts accepted, 0 paid, 0 rejected or returned; 0 receipts; 0 match "
                "nothing\n");
    assert_read(world, STATUS("P1-2017-01-1", ONE("M1-000001", "RJCT")) "<!-- again -->",
                "1 records, 0 known before: 0 payouts accepted, 0 paid, 0 rejected or returned; 0 receipts; 1 match "
                "nothing\n");
    assert_typed(world, PAY_PAYOUT, "0 payments to make\n");
    assert_read(world, STATUS("P1-2017-01-2", ONE("M1-000001", "ACSC")),
                "1 records, 0 known before: 0 payouts accepted, 1 paid, 0 rejected or returned; 0 receipts; 0 match "
                "nothing\n");
    assert_asked(world, "SELECT state FROM statement WHERE statement_id = 'demo/2017-01/MERCHANT/shop-1/USD'", "6\n");
}

static void bookings_are_matched_by_number_and_amount(void **state)
{
    struct world *world = *state;

    issue(world);
    assert_typed(world, PAY_PAYOUT, "3 payments");
    assert_read(world,
                BOOKED("1",
                       ENTRY("a", "M1-000001", "11.21", "USD", "DBIT") ENTRY("b", "M2-000001", "3.25", "USD", "DBIT")
                           ENTRY("c", "B1-000002", "11.50", "USD", "CRDT") ENTRY("d", "M9-000001", "1", "USD", "DBIT")),
                "4 records, 0 known before: 0 payouts accepted, 1 paid, 0 rejected or returned; 1 receipts; 2 match "
                "nothing\n");
    /* a notice of what the statement had, and a payment that came back */
    assert_read(world, BOOKED("2", ENTRY("a", "M1-000001", "11.21", "USD", "DBIT")),
                "1 records, 1 known before: 0 payouts accepted, 0 paid, 0 rejected or returned; 0 receipts; 0 match "
                "nothing\n");
    assert_read(world, BOOKED("3", ENTRY("e", "M1-000001", "11.21", "USD", "CRDT")),
                "1 records, 0 known before: 0 payouts accepted, 0 paid, 1 rejected or returned; 0 receipts; 0 match "
                "nothing\n");
    assert_asked(world, payouts, "M1-000001|1|4|RETURNED\nM2-000001|1|1|\nM3-000001|1|1|\n");
    assert_asked(world, "SELECT statement_id FROM statement WHERE state = 6", "demo/2017-01/BANK/bank-a/USD\n");
    assert_typed(world, PAY_PAYOUT, "1 payments to make\n");
}

static void a_file_that_is_wrong_changes_nothing(void **state)
{
    struct world *world = *state;

    issue(world);
    assert_typed(world, PAY_PAYOUT, "3 payments");
    assert_read(world, BOOKED("1", ENTRY("a", "M1-000001", "11.21", "USD", "DBIT") "<Ntry><Amt>x</Amt></Ntry>"),
                "FIELD_INVALID: line 1: CdtDbtInd \"\" cannot be read\n");
    assert_asked(world, payouts, "M1-000001|1|1|\nM2-000001|1|1|\nM3-000001|1|1|\n");
    assert_asked(world, "SELECT count(*) FROM payment_notice", "0\n");
}

/* Due on 2017-02-15; on 2017-03-20 that is 33 days late. Half of one is in. */
static void what_is_owed_ages(void **state)
{
    struct world *world = *state;

    issue(world);
    assert_typed(world, PAY_AGEING,
                 "B1-000002         bank-a                    2017-02-15      33  31-60               "
                 "11.50             11.50  USD\n");
    assert_read(world, BOOKED("1", ENTRY("c", "B1-000002", "5.75", "USD", "CRDT")),
                "1 records, 0 known before: 0 payouts accepted, 0 paid, 0 rejected or returned; 1 receipts; 0 match "
                "nothing\n");
    assert_typed(world, PAY_AGEING, "USD:  NOT DUE 0.00  1-30 0.00  31-60 9.08  61-90 0.00  OVER 90 0.00\n");
    assert_read(world, BOOKED("2", ENTRY("f", "B1-000002", "5.75", "USD", "CRDT")),
                "1 records, 0 known before: 0 payouts accepted, 0 paid, 0 rejected or returned; 1 receipts; 0 match "
                "nothing\n");
    assert_typed(world, PAY_AGEING, "USD:  NOT DUE 0.00  1-30 0.00  31-60 3.33  61-90 0.00  OVER 90 0.00\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_paid_before_it_is_issued, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_statement_is_paid_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_file_is_made_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_database_refuses_a_second_payment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rejected_payment_is_payable_again_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bookings_are_matched_by_number_and_amount, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_wrong_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_owed_ages, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
