/* SettlementService: who sees which statement, pages of statements and of lines. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Statements as alliance-settle would leave them, over one confirmation that really was: numbers are of no matter. */
static const char statements[] =
    "INSERT INTO statement (statement_id, programme_no, period, type, bank_no, merchant_no, currency, confirmed_count, "
    "confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, line_count, "
    "content_sha256, calculated_at) SELECT 'demo/2026-0' || m || '/' || k.name, 1, '2026-0' || m, k.type, k.bank, "
    "k.merchant, 'CNY', 2, 300, 1, 100, 140, 2, 138, k.lines, sha256('x'), '2026-03-01' FROM generate_series(1, 2) m, "
    "(VALUES ('PAIR/bank-a/shop-1/CNY', 1, 1, 1, 3), ('PAIR/bank-a/shop-2/CNY', 1, 1, 2, 0), "
    "('PAIR/bank-b/shop-1/CNY', 1, 2, 1, 0), ('BANK/bank-a/CNY', 2, 1, 0, 2), ('MERCHANT/shop-1/CNY', 3, 0, 1, 2), "
    "('OPERATOR/CNY', 4, 0, 0, 3)) k (name, type, bank, merchant, lines);"
    "INSERT INTO statement_chunk SELECT s.statement_no, 1, count(*), string_agg(int2send(j.bucket::int2) || "
    "uuid_send(j.member_id) || int8send(j.seq) || int4send(j.business_date - '1970-01-01'::date), ''::bytea "
    "ORDER BY j.seq) FROM journal j, statement s WHERE j.kind IN (4, 8) AND s.statement_id = "
    "'demo/2026-01/PAIR/bank-a/shop-1/CNY' GROUP BY 1";

static int setup(void **state)
{
    struct house *house = house_open();
    const char *redemption;

    *state = house;
    house_found(house);
    house_member(house, "ann", 1000);
    redemption =
        house_text(house_ask(house, "merchant/shop-1", "HoldRedemption",
                             "{'requestId': '%s', 'merchantId': 'shop-1', 'storeId': 's-2', 'bankId': 'bank-a', "
                             "'memberRef': 'ann', 'points': 300}",
                             house_id()),
                   "redemptionId");
    house_ask(house, "merchant/shop-1", "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
              redemption);
    for (int i = 0; i < 2; i++)
        house_ask(house, "merchant/shop-1", "ReverseRedemption",
                  "{'requestId': '%s', 'redemptionId': '%s', 'points': 100}", house_id(), redemption);
    house_sql(house, statements);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define IDS(list) "{'statements': [" list "], 'nextPageToken': ''}"
#define ID(name)  "{'statementId': 'demo/2026-01/" name "'}"

/* What each sees of January, and what not. */
static const struct {
    const char *party, *sees, *not_theirs;
} parties[] = {
    { "operator/olga",
      IDS(ID("BANK/bank-a/CNY") ", " ID("MERCHANT/shop-1/CNY") ", " ID("OPERATOR/CNY") ", " ID(
          "PAIR/bank-a/shop-1/CNY") ", " ID("PAIR/bank-a/shop-2/CNY") ", " ID("PAIR/bank-b/shop-1/CNY")),
      "nothing" },
    { "bank/bank-a", IDS(ID("BANK/bank-a/CNY") ", " ID("PAIR/bank-a/shop-1/CNY") ", " ID("PAIR/bank-a/shop-2/CNY")),
      "PAIR/bank-b/shop-1/CNY" },
    { "bank/bank-b", IDS(ID("PAIR/bank-b/shop-1/CNY")), "BANK/bank-a/CNY" },
    { "bank/bank-x", IDS(""), "PAIR/bank-a/shop-1/CNY" },
    { "merchant/shop-1",
      IDS(ID("MERCHANT/shop-1/CNY") ", " ID("PAIR/bank-a/shop-1/CNY") ", " ID("PAIR/bank-b/shop-1/CNY")),
      "BANK/bank-a/CNY" },
    { "merchant/shop-2", IDS(ID("PAIR/bank-a/shop-2/CNY")), "OPERATOR/CNY" },
};

static void each_sees_its_own(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(parties); i++) {
        print_message("           %s\n", parties[i].party);
        house_expect(
            house_ask(house, parties[i].party, "ListStatements", "{'programmeId': 'demo', 'period': '2026-01'}"), "%s",
            parties[i].sees);
        static const char *const methods[] = { "GetStatement", "ListStatementLines" };
        for (size_t k = 0; k < COUNT(methods); k++)
            house_refused(house, parties[i].party, methods[k], REASON_STATEMENT_NOT_FOUND, "statement_id",
                          "{'statementId': 'demo/2026-01/%s'}", parties[i].not_theirs);
    }
    house_refused(house, "bank/unknown", "ListStatements", REASON_BANK_NOT_FOUND, "", "{'programmeId': 'demo'}");
    house_refused(house, "merchant/unknown", "GetStatement", REASON_MERCHANT_NOT_FOUND, "", "{'statementId': 'x'}");
    house_refused(house, "merchant/shop-1/store/s-1", "ListStatements", REASON_NOT_YOURS, "",
                  "{'programmeId': 'demo'}");
    house_refused(house, "carrier/unknown", "ListStatements", REASON_CARRIER_NOT_FOUND, "", "{'programmeId': 'demo'}");
    house_refused(house, "channel/app", "ListStatements", REASON_ROLE_NOT_ALLOWED, NULL, "{'programmeId': 'demo'}");
    house_expect(house_ask(house, "carrier/swift", "ListStatements", "{'programmeId': 'demo'}"), "{'statements': []}");
    house_refused(house, "carrier/swift", "GetStatement", REASON_STATEMENT_NOT_FOUND, "statement_id",
                  "{'statementId': 'demo/2026-01/MERCHANT/shop-1/CNY'}");
}

static void a_statement_says_what_was_summed(void **state)
{
    struct house *house = *state;

    house_expect(
        house_ask(house, "bank/bank-a", "GetStatement", "{'statementId': 'demo/2026-01/PAIR/bank-a/shop-1/CNY'}"),
        "{'programmeId': 'demo', 'period': '2026-01', 'type': 'STATEMENT_TYPE_PAIR', 'bankId': 'bank-a', "
        "'merchantId': 'shop-1', 'currencyCode': 'CNY', 'state': 'STATEMENT_STATE_CALCULATED', 'lineCount': '3', "
        "'totals': {'confirmedCount': '2', 'confirmedPoints': '300', 'reversedCount': '1', 'reversedPoints': "
        "'100', 'grossMinor': '140', 'commissionMinor': '2', 'netMinor': '138'}, 'contentSha256': "
        "'2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881', 'calculatedTime': "
        "'2026-03-01T00:00:00Z'}");
    house_expect(house_ask(house, "bank/bank-a", "GetStatement", "{'statementId': 'demo/2026-01/BANK/bank-a/CNY'}"),
                 "{'bankId': 'bank-a', 'merchantId': ''}");
}

static void filters_and_pages(void **state)
{
    struct house *house = *state;
    static const char page[] =
        "{'programmeId': 'demo', 'type': 'STATEMENT_TYPE_PAIR', 'pageSize': 3, 'pageToken': '%s'}";

    json_t *first = house_ask(house, "merchant/shop-1", "ListStatements", page, "");
    house_expect(first, "{'statements': [" ID("PAIR/bank-a/shop-1/CNY") ", " ID(
                            "PAIR/bank-b/shop-1/CNY") ", "
                                                      "{'statementId': 'demo/2026-02/PAIR/bank-a/shop-1/CNY'}]}");
    const char *token = house_text(first, "nextPageToken");
    house_expect(house_ask(house, "merchant/shop-1", "ListStatements", page, token),
                 "{'statements': [{'statementId': 'demo/2026-02/PAIR/bank-b/shop-1/CNY'}], 'nextPageToken': ''}");
    house_refused(house, "merchant/shop-2", "ListStatements", REASON_PAGE_TOKEN_INVALID, "page_token", page, token);
    house_refused(house, "merchant/shop-1", "ListStatements", REASON_PAGE_TOKEN_INVALID, "page_token",
                  "{'programmeId': 'demo', 'pageToken': '%s'}", token);
}

static void lines_are_the_entries_of_the_journal(void **state)
{
    struct house *house = *state;
    static const char page[] =
        "{'statementId': 'demo/2026-01/PAIR/bank-a/shop-1/CNY', 'pageSize': 2, 'pageToken': '%s'}";

    json_t *first = house_ask(house, "merchant/shop-1", "ListStatementLines", page, "");
    house_expect(
        first, "{'lines': [{'lineNumber': '1', 'businessDate': '2026-01-15', 'time': '2026-01-15T12:00:00Z', 'kind': "
               "'CONFIRM', 'storeId': 's-2', 'points': '300', 'grossMinor': '210', 'commissionMinor': '2', 'netMinor': "
               "'208', 'rulesVersion': 1, 'termsVersion': 1}, {'lineNumber': '2', 'kind': 'REVERSE', 'points': '-100', "
               "'grossMinor': '-70'}]}");
    /* The redemption it names is the one the merchant knows. */
    house_expect(house_ask(house, "merchant/shop-1", "GetRedemption", "{'redemptionId': '%s'}",
                           house_text(first, "lines.1.redemptionId")),
                 "{'confirmedPoints': '300', 'reversedPoints': '200'}");
    house_expect(house_ask(house, "merchant/shop-1", "ListStatementLines", page, house_text(first, "nextPageToken")),
                 "{'lines': [{'lineNumber': '3', 'kind': 'REVERSE'}], 'nextPageToken': ''}");
    house_expect(
        house_ask(house, "bank/bank-a", "ListStatementLines", "{'statementId': 'demo/2026-01/PAIR/bank-a/shop-2/CNY'}"),
        "{'lines': [], 'nextPageToken': ''}");
    house_refused(house, "bank/bank-a", "ListStatementLines", REASON_FIELD_INVALID, "statement_id",
                  "{'statementId': 'demo/2026-01/BANK/bank-a/CNY'}");
}

/* As the server makes them: whoever knows how can make one with any key. */
static void forge(const char *who, const char *filters, const char *key, char token[CRYPTO_BASE64_SIZE(64)])
{
    uint8_t hash[CRYPTO_HASH], bytes[64];
    size_t n = strlen(key);

    crypto_sha256_two(who, strlen(who) + 1, filters, strlen(filters), hash);
    crypto_sha256_two(hash, sizeof hash, key, n, hash);
    memcpy(bytes, hash, 8);
    memcpy(bytes + 8, key, n);
    token[crypto_base64(bytes, 8 + n, token)] = '\0';
}

static void a_forged_token_is_no_token(void **state)
{
    static const char *const numbers[] = { "9223372036854775807", "99999999999999999999", "-1", "x", "1x" };
    static const char pair[] = "demo/2026-01/PAIR/bank-a/shop-1/CNY";
    struct house *house = *state;
    char token[CRYPTO_BASE64_SIZE(64)];

    forge("1/bank-a/ListStatements", "demo//0", "demo", token);
    house_ask(house, "bank/bank-a", "ListStatements", "{'programmeId': 'demo', 'pageToken': '%s'}", token);
    forge("1/bank-a/ListStatements", "demo//0", "\xff", token);
    house_refused(house, "bank/bank-a", "ListStatements", REASON_PAGE_TOKEN_INVALID, "page_token",
                  "{'programmeId': 'demo', 'pageToken': '%s'}", token);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        forge("1/bank-a/ListStatementLines", pair, numbers[i], token);
        house_refused(house, "bank/bank-a", "ListStatementLines", REASON_PAGE_TOKEN_INVALID, "page_token",
                      "{'statementId': '%s', 'pageToken': '%s'}", pair, token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sees_its_own),          cmocka_unit_test(a_statement_says_what_was_summed),
        cmocka_unit_test(filters_and_pages),          cmocka_unit_test(lines_are_the_entries_of_the_journal),
        cmocka_unit_test(a_forged_token_is_no_token),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
