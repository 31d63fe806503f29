/* ApprovePeriod and ListPeriods: another person, the exact hash, and what statements say afterwards. */
#include "house.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_person_approves_exactly_these_bytes),
        cmocka_unit_test(periods_come_in_pages),
        cmocka_unit_test(the_command_line_does_the_same),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
