/* ListReceivables: whose, how late, by the page; and the same figures as the ageing of alliance-settle. */
#include "house.h"

#include "pay_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OLGA "operator/olga"

/*
 * Statements that ask bank-a for 10.00 and 20.00 CNY and 300 JPY, bank-b for 5.00 CNY; one that is not issued, one that
 * pays a merchant. Received: all of one, a part of another, and something that was taken back.
 */
static const char books[] =
    "INSERT INTO statement (statement_id, programme_no, period, type, bank_no, merchant_no, currency, confirmed_count, "
    "confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, line_count, "
    "content_sha256, calculated_at) SELECT id, 1, period, CASE WHEN merchant > 0 THEN 3 ELSE 2 END, bank, merchant, "
    "currency, 0, 0, 0, 0, 0, 0, 0, 0, sha256('x'), now() FROM (VALUES ('a1', '2025-10', 1, 0, 'CNY'), ('a2', "
    "'2025-11', 1, 0, 'CNY'), ('a3', '2025-11', 1, 0, 'JPY'), ('b1', '2025-11', 2, 0, 'CNY'), ('b2', '2025-10', 2, 0, "
    "'CNY'), ('x', '2025-12', 1, 0, 'CNY'), ('m1', '2025-11', 0, 1, 'CNY')) v (id, period, bank, merchant, currency);"
    "INSERT INTO statement_position (statement_no, opening_minor, movement_minor, payable_minor, closing_minor, "
    "carried_minor, held_back_minor, disputed_minor, due_on) SELECT statement_no, 0, payable, payable, 0, 0, 0, 0, "
    "due::date FROM statement JOIN (VALUES ('a1', -1000, '2025-10-17'), ('a2', -2000, '2025-12-16'), ('a3', -300, "
    "'2026-01-15'), ('b1', -500, '2025-12-15'), ('b2', -700, '2025-11-15'), ('x', -9, '2025-12-31'), ('m1', 4000, "
    "'2025-12-16')) v (id, payable, due) ON id = statement_id;"
    "INSERT INTO statement_number (party, number, statement_id, programme_no, period) SELECT CASE WHEN bank_no = 0 "
    "THEN 'M1' ELSE 'B' || bank_no END, row_number() OVER (PARTITION BY bank_no ORDER BY statement_id), statement_id, "
    "1, period FROM statement;"
    "INSERT INTO payment_notice (programme_no, file_sha256, line, part, file_kind, end_to_end_id, status, reason, "
    "currency, amount_minor, booked, reference, outcome) SELECT 1, sha256('f'), n, 1, 'CAMT', number, 'BOOK', '', "
    "currency, amount, '2026-01-02', '', outcome FROM (VALUES (1, 'B2-000002', 'CNY', 700, 'RECEIPT'), (2, "
    "'B1-000002', 'CNY', 600, 'RECEIPT'), (3, 'B1-000002', 'CNY', -100, 'RECEIPT'), (4, 'B1-000002', 'JPY', 900, "
    "'RECEIPT'), (5, 'B1-000001', 'CNY', 1000, 'NOTHING')) v (n, number, currency, amount, outcome);"
    "INSERT INTO settlement_period (programme_no, period, first_day, last_day, maker, manifest_sha256, "
    "statement_count, calculated_at, state, approver, signature_sha256, issued_on) SELECT 1, '2025-' || m, "
    "('2025-' || m || '-01')::date, ('2025-' || m || '-28')::date, 'a', sha256('x'), 1, now(), CASE m WHEN 12 THEN 1 "
    "ELSE 3 END, CASE m WHEN 12 THEN '' ELSE 'b' END, CASE m WHEN 12 THEN '' ELSE sha256('s') END, '2025-12-01' FROM "
    "generate_series(10, 12) m";

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_sql(house, books);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define A1                                                                                                             \
    "{'statementId': 'a1', 'statementNumber': 'B1-000001', 'party': {'kind': 'PARTY_BANK', 'id': 'bank-a'}, "          \
    "'currencyCode': 'CNY', 'dueDate': '2025-10-17', 'daysLate': 90, 'age': 'RECEIVABLE_AGE_61_TO_90', 'askedMinor': " \
    "'1000', 'receivedMinor': '0', 'openMinor': '1000'}"
#define A2                                                                                                             \
    "{'statementNumber': 'B1-000002', 'daysLate': 30, 'age': 'RECEIVABLE_AGE_1_TO_30', 'askedMinor': '2000', "         \
    "'receivedMinor': '500', 'openMinor': '1500'}"
#define A3                                                                                                             \
    "{'statementNumber': 'B1-000003', 'currencyCode': 'JPY', 'daysLate': 0, 'age': 'RECEIVABLE_AGE_NOT_DUE', "         \
    "'openMinor': '300'}"
#define B1 "{'party': {'id': 'bank-b'}, 'daysLate': 31, 'age': 'RECEIVABLE_AGE_31_TO_60', 'openMinor': '500'}"

static void each_sees_its_own(void **state)
{
    struct house *house = *state;

    house_expect(house_ask(house, OLGA, "ListReceivables", "{'programmeId': 'demo'}"),
                 "{'receivables': [" A1 ", " B1 ", " A2 ", " A3 "], 'onDate': '2026-01-15', 'nextPageToken': '', "
                 "'totals': [{'currencyCode': 'CNY', 'age': 'RECEIVABLE_AGE_1_TO_30', 'openMinor': '1500'}, {'age': "
                 "'RECEIVABLE_AGE_31_TO_60', 'openMinor': '500'}, {'age': 'RECEIVABLE_AGE_61_TO_90', 'openMinor': "
                 "'1000'}, {'currencyCode': 'JPY', 'age': 'RECEIVABLE_AGE_NOT_DUE', 'openMinor': '300'}]}");
    house_expect(house_ask(house, "bank/bank-b", "ListReceivables", "{'programmeId': 'demo'}"),
                 "{'receivables': [" B1 "], 'totals': [{'openMinor': '500'}]}");
    house_expect(house_ask(house, "merchant/shop-1", "ListReceivables", "{'programmeId': 'demo'}"),
                 "{'receivables': [], 'totals': []}");
    house_expect(house_ask(house, "bank/bank-a", "ListReceivables", "{'programmeId': 'demo', 'onDate': '2026-01-16'}"),
                 "{'receivables': [{'daysLate': 91, 'age': 'RECEIVABLE_AGE_OVER_90'}, {'daysLate': 31}, {'daysLate': "
                 "1, 'age': 'RECEIVABLE_AGE_1_TO_30'}], 'onDate': '2026-01-16'}");
    house_refused(house, "merchant/shop-1/store/s-1", "ListReceivables", REASON_NOT_YOURS, NULL,
                  "{'programmeId': 'demo'}");
    house_refused(house, OLGA, "ListReceivables", REASON_FIELD_INVALID, "on_date",
                  "{'programmeId': 'demo', 'onDate': 'today'}");
    house_refused(house, OLGA, "ListReceivables", REASON_PROGRAMME_NOT_FOUND, "programme_id",
                  "{'programmeId': 'none'}");
}

static void they_come_in_pages(void **state)
{
    static const char *const expected[] = { A1, B1, A2, A3 };
    struct house *house = *state;
    const char *token = "";
    char whole[600];

    for (size_t i = 0; i < COUNT(expected); i++) {
        json_t *page = house_ask(house, OLGA, "ListReceivables",
                                 "{'programmeId': 'demo', 'pageSize': 1, 'pageToken': '%s'}", token);
        snprintf(whole, sizeof whole, "{'receivables': [%s], 'totals': [{}, {}, {}, {}]}", expected[i]);
        house_expect(page, "%s", whole);
        token = house_text(page, "nextPageToken");
        assert_int_equal(*token == '\0', i + 1 == COUNT(expected));
    }
    house_refused(house, OLGA, "ListReceivables", REASON_PAGE_TOKEN_INVALID, "page_token",
                  "{'programmeId': 'demo', 'pageToken': 'x'}");
}

/* The close's own program, and the command line: one set of figures. */
static void all_say_the_same(void **state)
{
    struct house *house = *state;
    struct pay_options options = { .command = PAY_AGEING, .on = date_of(2026, 1, 15) };
    struct close_run run = { 0 };
    char printed[8192], *aged = NULL;
    struct error err;
    size_t size;
    FILE *out = open_memstream(&aged, &size);

    assert_true(close_begin(&run, house->db, "demo", &err));
    if (!pay_command_run(&run, &options, "", out, &err))
        fail_msg("%s", error_text(&err));
    close_end(&run);
    fclose(out);
    assert_non_null(strstr(aged, "B1-000002         bank-a                    2025-12-16      30  1-30                "
                                 "20.00             15.00  CNY\n"));
    assert_non_null(strstr(aged, "\nCNY:  NOT DUE 0.00  1-30 15.00  31-60 5.00  61-90 10.00  OVER 90 0.00\n"
                                 "JPY:  NOT DUE 300  1-30 0  31-60 0  61-90 0  OVER 90 0\n"));
    free(aged);
    assert_int_equal(house_type(house, OLGA, "alliance statement receivables demo", printed, sizeof printed), 0);
    assert_non_null(strstr(printed, "B1-000003"));
    assert_non_null(strstr(printed, "open on 2026-01-15"));
    assert_int_equal(house_type(house, "bank/bank-b", "alliance statement receivables demo --date 2026-01-16", printed,
                                sizeof printed),
                     0);
    assert_null(strstr(printed, "B1-"));
    assert_non_null(strstr(printed, "open on 2026-01-16"));
    assert_int_equal(house_type(house, "carrier/swift", "alliance statement receivables demo", printed, sizeof printed),
                     0);
    assert_string_equal(printed, "none\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sees_its_own),
        cmocka_unit_test(they_come_in_pages),
        cmocka_unit_test(all_say_the_same),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
