/* ApprovePeriod and ListPeriods: another person, the exact hash, and what statements say afterwards. */
#include "house.h"

#include "store/statement_answer_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OLGA "operator/olga"
#define OTTO "operator/otto"
#define HASH "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

static const char made[] =
    "INSERT INTO settlement_period (programme_no, period, first_day, last_day, maker, manifest_sha256, "
    "statement_count, calculated_at) SELECT 1, '2025-1' || n, '2025-10-01', '2025-10-31', 'olga', sha256('x'), 1, "
    "'2026-01-02' FROM generate_series(0, 2) n; INSERT INTO statement (statement_id, programme_no, period, type, "
    "bank_no, merchant_no, currency, confirmed_count, confirmed_points, reversed_count, reversed_points, gross_minor, "
    "commission_minor, net_minor, line_count, content_sha256, calculated_at) VALUES ('demo/2025-10/BANK/bank-a/CNY', "
    "1, '2025-10', 2, 1, 0, 'CNY', 0, 0, 0, 0, 0, 0, 0, 0, sha256('x'), '2026-01-02'); INSERT INTO statement_number "
    "VALUES ('B1', 1234567, 'demo/2025-10/BANK/bank-a/CNY', 1, '2025-10', 1)";

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    house_sql(*state, made);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define APPROVE "{'programmeId': 'demo', 'period': '%s', 'manifestSha256': '%s'}"

static void a_second_person_approves_exactly_these_bytes(void **state)
{
    struct house *house = *state;
    static const char other[] = "3d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

    house_expect(house_ask(house, OTTO, "ListPeriods", "{'programmeId': 'demo'}"),
                 "{'periods': [{'period': '2025-10', 'firstDate': '2025-10-01', 'lastDate': '2025-10-31', 'state': "
                 "'SETTLEMENT_PERIOD_STATE_CALCULATED', 'manifestSha256': '" HASH
                 "', 'calculatedBy': 'olga', 'approvedBy': '', 'calculatedTime': '2026-01-02T00:00:00Z'}, {}, {}]}");
    house_refused(house, OLGA, "ApprovePeriod", REASON_SECOND_PERSON_NEEDED, NULL, APPROVE, "2025-10", HASH);
    house_refused(house, OTTO, "ApprovePeriod", REASON_APPROVAL_DIFFERS, "manifest_sha256", APPROVE, "2025-10", other);
    house_refused(house, OTTO, "ApprovePeriod", REASON_FIELD_INVALID, "manifest_sha256", APPROVE, "2025-10", "ab");
    house_refused(house, OTTO, "ApprovePeriod", REASON_PERIOD_NOT_FOUND, "period", APPROVE, "2025-09", HASH);
    house_refused(house, OTTO, "ApprovePeriod", REASON_PROGRAMME_NOT_FOUND, "programme_id",
                  "{'programmeId': 'no-such', 'period': '2025-10', 'manifestSha256': '" HASH "'}");
    house_refused(house, "bank/bank-a", "ApprovePeriod", REASON_ROLE_NOT_ALLOWED, NULL, APPROVE, "2025-10", HASH);
    house_refused(house, "merchant/shop-1", "ListPeriods", REASON_ROLE_NOT_ALLOWED, NULL, "{'programmeId': 'demo'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_period WHERE state > 1"), 0);
    json_t *done = house_ask(house, OTTO, "ApprovePeriod", APPROVE, "2025-10", HASH);
    house_expect(done, "{'state': 'SETTLEMENT_PERIOD_STATE_APPROVED', 'approvedBy': 'otto'}");
    assert_true(json_equal(done, house_ask(house, OTTO, "ApprovePeriod", APPROVE, "2025-10", HASH)));
    assert_true(json_equal(done, house_ask(house, "operator/oda", "ApprovePeriod", APPROVE, "2025-10", HASH)));
    house_expect(house_ask(house, "bank/bank-a", "GetStatement", "{'statementId': 'demo/2025-10/BANK/bank-a/CNY'}"),
                 "{'state': 'STATEMENT_STATE_APPROVED', 'statementNumber': 'B1-1234567'}");
}

/* September was calculated again since: what October opens with is not what it closes with now. */
static void what_opens_wrongly_is_not_approved(void **state)
{
    struct house *house = *state;

    house_sql(house,
              "UPDATE statement SET first_day = '2025-10-01', last_day = '2025-10-31'; INSERT INTO statement "
              "(statement_id, programme_no, period, type, bank_no, merchant_no, currency, confirmed_count, "
              "confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, "
              "line_count, content_sha256, calculated_at, first_day, last_day) SELECT "
              "'demo/2025-09/BANK/bank-a/CNY', 1, '2025-09', 2, 1, 0, 'CNY', 0, 0, 0, 0, 0, 0, 0, 0, sha256('x'), "
              "'2026-01-02', '2025-09-01', '2025-09-30'; INSERT INTO statement_position (statement_no, "
              "opening_minor, movement_minor, payable_minor, closing_minor, carried_minor, held_back_minor, "
              "disputed_minor, due_on) SELECT statement_no, 0, m, 0, m, m, 0, 0, '2025-11-15' FROM statement, LATERAL "
              "(SELECT CASE period WHEN '2025-09' THEN -70 ELSE 0 END AS m) x");
    house_refused(house, OTTO, "ApprovePeriod", REASON_OPENING_DIFFERS, NULL, APPROVE, "2025-10", HASH);
    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_period WHERE state > 1"), 0);
    house_sql(house,
              "UPDATE statement_position SET opening_minor = -70, closing_minor = -70, carried_minor = -70 WHERE "
              "statement_no = (SELECT statement_no FROM statement WHERE period = '2025-10')");
}

static void periods_come_in_pages(void **state)
{
    struct house *house = *state;
    static const char page[] = "{'programmeId': 'demo', 'pageSize': 2, 'pageToken': '%s'}";

    json_t *first = house_ask(house, OTTO, "ListPeriods", page, "");
    house_expect(first, "{'periods': [{'period': '2025-10'}, {'period': '2025-11'}]}");
    house_expect(house_ask(house, OTTO, "ListPeriods", page, house_text(first, "nextPageToken")),
                 "{'periods': [{'period': '2025-12'}], 'nextPageToken': ''}");
}

static void the_command_line_does_the_same(void **state)
{
    struct house *house = *state;
    char printed[4096];

    assert_int_equal(house_type(house, OTTO, "alliance settlement approve demo 2025-11 " HASH, printed, sizeof printed),
                     0);
    assert_non_null(strstr(printed, "APPROVED"));
    assert_int_equal(house_type(house, OTTO, "alliance settlement periods demo", printed, sizeof printed), 0);
    assert_non_null(strstr(printed, "2025-11"));
    assert_non_null(strstr(printed, HASH));
    assert_int_equal(house_type(house, OLGA, "alliance settlement approve demo 2025-12 " HASH, printed, sizeof printed),
                     1);
    assert_non_null(strstr(printed, "SECOND_PERSON_NEEDED"));
}

#define CONFIRM "{'statementId': 'demo/2025-10/%s'}"

static const char issued[] =
    "INSERT INTO statement (statement_id, programme_no, period, type, bank_no, merchant_no, currency, confirmed_count, "
    "confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, line_count, "
    "content_sha256, calculated_at) SELECT 'demo/2025-10/' || id, 1, '2025-10', type, bank, merchant, 'CNY', 0, 0, 0, "
    "0, "
    "0, 0, 0, 0, sha256('x'), '2026-01-02' FROM (VALUES ('MERCHANT/shop-1/CNY', 3, 0, 1), ('PAIR/bank-a/shop-1/CNY', "
    "1, "
    "1, 1), ('BANK/bank-b/CNY', 2, 2, 0)) v (id, type, bank, merchant);"
    "UPDATE settlement_period SET state = 3, signature_sha256 = sha256('s'), issued_on = '2026-01-03' WHERE period = "
    "'2025-10'";

/* Each its own roll-up, once it is issued; what is agreed to stays so. */
static void a_party_agrees_to_what_was_issued_to_it(void **state)
{
    struct house *house = *state;
    char printed[4096];

    house_refused(house, "bank/bank-a", "ConfirmStatement", REASON_STATEMENT_NOT_ISSUED, "statement_id", CONFIRM,
                  "BANK/bank-a/CNY");
    house_sql(house, issued);
    house_refused(house, "bank/bank-b", "ConfirmStatement", REASON_STATEMENT_NOT_FOUND, "statement_id", CONFIRM,
                  "BANK/bank-a/CNY");
    house_refused(house, "merchant/shop-1", "ConfirmStatement", REASON_STATEMENT_NOT_FOUND, "statement_id", CONFIRM,
                  "BANK/bank-a/CNY");
    house_refused(house, OLGA, "ConfirmStatement", REASON_ROLE_NOT_ALLOWED, NULL, CONFIRM, "BANK/bank-a/CNY");
    house_refused(house, "merchant/shop-1", "ConfirmStatement", REASON_FIELD_INVALID, "statement_id", CONFIRM,
                  "PAIR/bank-a/shop-1/CNY");
    json_t *done = house_ask(house, "bank/bank-a", "ConfirmStatement", CONFIRM, "BANK/bank-a/CNY");
    house_expect(done, "{'state': 'STATEMENT_STATE_CONFIRMED', 'answeredDate': '2026-01-15'}");
    assert_non_null(strstr(house_text(done, "answeredBy"), "bank-a"));
    house_sql(house, "UPDATE fence SET business_date = '2026-01-16'");
    assert_true(json_equal(done, house_ask(house, "bank/bank-a", "ConfirmStatement", CONFIRM, "BANK/bank-a/CNY")));
    house_sql(house, "UPDATE statement SET state = 5 WHERE statement_id = 'demo/2025-10/MERCHANT/shop-1/CNY'");
    house_refused(house, "merchant/shop-1", "ConfirmStatement", REASON_STATEMENT_DISPUTED, "statement_id", CONFIRM,
                  "MERCHANT/shop-1/CNY");
    /* What was paid before anybody said a word stays paid. */
    house_sql(house, "UPDATE statement SET state = 6 WHERE statement_id = 'demo/2025-10/MERCHANT/shop-1/CNY'");
    assert_int_equal(house_type(house, "merchant/shop-1", "alliance statement confirm demo/2025-10/MERCHANT/shop-1/CNY",
                                printed, sizeof printed),
                     0);
    assert_non_null(strstr(printed, "PAID"));
    assert_non_null(strstr(printed, "2026-01-16"));
}

static int64_t silent_on(struct house *house, const char *day)
{
    struct statement_silence_params params = { .programme_no = 1 };
    int64_t confirmed;
    struct error err;

    assert_true(date_parse(day, &params.today));
    assert_true(db_execute(house->db, &statement_silence, &params, &confirmed, &err));
    return confirmed;
}

/* Also to what was paid. Issued on the 3rd: without a contract the 18th is the last day to speak; with one of five days
 * the 8th. */
static void who_says_nothing_in_time_has_agreed(void **state)
{
    struct house *house = *state;

    house_sql(
        house,
        "UPDATE statement SET answered_by = '', answered_on = '1970-01-01' WHERE period = '2025-10' AND state = 6");
    house_ask(
        house, OLGA, "PublishSettlementContract",
        "{'requestId': '%s', 'contract': {'programmeId': 'demo', 'party': {'kind': 'PARTY_BANK', 'id': 'bank-b'}, "
        "'currencyCode': 'CNY', 'effectiveFrom': '2030-01-01', 'confirmDays': 1}}",
        house_id());
    house_sql(house, "UPDATE settlement_contract SET effective_from = '2025-10-31', confirm_days = 5");
    assert_int_equal(silent_on(house, "2026-01-08"), 0);
    assert_int_equal(silent_on(house, "2026-01-09"), 1);
    assert_int_equal(silent_on(house, "2026-01-18"), 0);
    assert_int_equal(silent_on(house, "2026-01-19"), 1);
    assert_int_equal(silent_on(house, "2027-01-01"), 0); /* a PAIR is not asked; the bank spoke for itself */
    house_expect(house_ask(house, "merchant/shop-1", "GetStatement", CONFIRM, "MERCHANT/shop-1/CNY"),
                 "{'state': 'STATEMENT_STATE_PAID', 'answeredBy': '', 'answeredDate': '2026-01-19'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_opens_wrongly_is_not_approved),
        cmocka_unit_test(a_second_person_approves_exactly_these_bytes),
        cmocka_unit_test(periods_come_in_pages),
        cmocka_unit_test(the_command_line_does_the_same),
        cmocka_unit_test(a_party_agrees_to_what_was_issued_to_it),
        cmocka_unit_test(who_says_nothing_in_time_has_agreed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
