/* Contested postings: fees, tax, freight, shares, corrections; whoever is on the other side, a carrier or the operator.
 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK     "bank/bank-a"
#define SHOP     "merchant/shop-1"
#define SWIFT    "carrier/swift"
#define OLGA     "operator/olga"
#define OTTO     "operator/otto"
#define ID(name) "demo/2026-01/" name "/CNY"

/* One statement of each party. The merchant is to be paid 4.00, the carrier 4.50. */
static const char statements[] =
    "INSERT INTO settlement_period (programme_no, period, first_day, last_day, maker, manifest_sha256, "
    "statement_count, calculated_at, state, approver, signature_sha256, issued_on) VALUES (1, '2026-01', '2026-01-01', "
    "'2026-01-31', 'olga', sha256('x'), 3, '2026-02-02', 3, 'otto', sha256('s'), '2026-01-15');"
    "ALTER TABLE statement DISABLE TRIGGER USER;"
    "INSERT INTO statement (statement_id, programme_no, period, type, bank_no, merchant_no, carrier_no, currency, "
    "confirmed_count, confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, "
    "line_count, content_sha256, calculated_at, first_day, last_day) SELECT 'demo/2026-01/' || k.name || '/CNY', 1, "
    "'2026-01', k.type, k.bank, k.merchant, k.carrier, 'CNY', 1, 300, 2, 200, 100, 1, 99, 3, sha256('x'), "
    "'2026-03-01', "
    "'2026-01-01', '2026-01-31' FROM (VALUES ('PAIR/bank-a/shop-1', 1, 1, 1, 0), ('BANK/bank-a', 2, 1, 0, 0), "
    "('MERCHANT/shop-1', 3, 0, 1, 0), ('OPERATOR', 4, 0, 0, 0), ('CARRIER/swift', 5, 0, 0, 1), ('TAX', 6, 0, 0, 0)) k "
    "(name, type, bank, merchant, carrier);"
    "ALTER TABLE statement ENABLE TRIGGER USER;"
    "INSERT INTO statement_position SELECT statement_no, 0, m, m, 0, 0, 0, 0, '2026-02-15' FROM (SELECT *, CASE type "
    "WHEN 3 THEN 400 WHEN 5 THEN 450 ELSE 0 END AS m FROM statement) s WHERE type > 1;"
    "INSERT INTO statement_number SELECT CASE type WHEN 3 THEN 'M1' ELSE 'C1' END, 1, statement_id, 1, '2026-01', 1 "
    "FROM "
    "statement WHERE type IN (3, 5);"
    "INSERT INTO settlement_posting SELECT 1, '2026-01', k.* FROM (VALUES "
    "(1, 'CNY', 5, 2, 1, 3, 1, 500, 0, 1, '', '5 delivered'), "
    "(2, 'CNY', 4, 2, 1, 4, 0, 300, 0, 1, '', 'for the period'), "
    "(3, 'CNY', 2, 2, 1, 5, 0, 60, 1, 1, '', ''), "
    "(4, 'CNY', 6, 2, 1, 1, 1, 200, 1, 1, 'spring', '20 points'), "
    "(5, 'CNY', 1, 4, 0, 2, 1, 90, 1, 1, '', ''), "
    "(6, 'CNY', 7, 1, 1, 2, 1, 70, 0, 0, 'P1.1-000001 line 3', 'agreed'), "
    "(7, 'USD', 5, 2, 1, 3, 1, 800, 0, 1, '', '8 delivered')) k";

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_sql(house, statements);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define CONTEST                                                                                                        \
    "{'requestId': '%s', 'statementId': '" ID("%s") "', 'postingNumber': '%d', 'amountMinor': '%d', 'reasonCode': "    \
                                                    "'WRONG', 'evidence': 'so it is not'}"
#define STEP   "{'disputeNumber': '%s', 'step': 'DISPUTE_STEP_%s', 'amountMinor': '%d', 'note': 'so it is'}"
#define NUMBER "{'disputeNumber': '%s'}"
#define LIST   "{'statementId': '" ID("%s") "', 'pageSize': %d, 'pageToken': '%s'}"

static const char *contest(struct house *house, const char *party, const char *statement, int posting, int amount)
{
    return house_text(house_ask(house, party, "DisputeStatement", CONTEST, house_id(), statement, posting, amount),
                      "disputeNumber");
}

/* "1:-500 2:-300": numbers and amounts. */
static void assert_postings(struct house *house, const char *party, const char *statement, int page,
                            const char *expected)
{
    char found[400] = "", token[200] = "";

    do {
        json_t *reply = house_ask(house, party, "ListStatementPostings", LIST, statement, page, token), *posting;
        size_t i;
        json_array_foreach(json_object_get(reply, "postings"), i, posting)
        {
            size_t at = strlen(found);
            snprintf(found + at, sizeof found - at, "%s%s:%s", at ? " " : "", house_text(posting, "postingNumber"),
                     house_text(posting, "amountMinor"));
        }
        snprintf(token, sizeof token, "%s", house_text(reply, "nextPageToken"));
    } while (*token);
    assert_string_equal(found, expected);
}

static void each_sees_the_postings_of_its_own(void **state)
{
    struct house *house = *state;

    for (int page = 1; page < 8; page++)
        assert_postings(house, SHOP, "MERCHANT/shop-1", page, "1:-500 2:-300 3:-60 4:-200 5:90 6:70");
    assert_postings(house, BANK, "BANK/bank-a", 0, "4:200 6:-70");
    assert_postings(house, SWIFT, "CARRIER/swift", 0, "1:500");
    assert_postings(house, OLGA, "OPERATOR", 0, "2:300 5:-90");
    assert_postings(house, OLGA, "TAX", 0, "3:60");
    house_expect(house_ask(house, SWIFT, "ListStatementPostings", LIST, "CARRIER/swift", 0, ""),
                 "{'postings': [{'kind': 'POSTING_KIND_FREIGHT', 'from': {'kind': 'PARTY_MERCHANT', 'id': 'shop-1'}, "
                 "'to': {'kind': 'PARTY_CARRIER', 'id': 'swift'}, 'merchantId': 'shop-1', 'bankId': '', 'note': '5 "
                 "delivered'}], 'nextPageToken': ''}");
    house_refused(house, SHOP, "ListStatementPostings", REASON_FIELD_INVALID, "statement_id", LIST,
                  "PAIR/bank-a/shop-1", 0, "");
    house_refused(house, SHOP, "ListStatementPostings", REASON_PAGE_TOKEN_INVALID, "page_token", LIST,
                  "MERCHANT/shop-1", 0, "x");
    static const char *const others[] = { BANK, SWIFT, "merchant/shop-2", "bank/bank-b" };
    for (size_t i = 0; i < COUNT(others); i++)
        house_refused(house, others[i], "ListStatementPostings", REASON_STATEMENT_NOT_FOUND, "statement_id", LIST,
                      "MERCHANT/shop-1", 0, "");
    house_refused(house, "channel/app", "ListStatementPostings", REASON_ROLE_NOT_ALLOWED, NULL, LIST, "OPERATOR", 0,
                  "");
}

static void a_carrier_reads_and_agrees_to_its_own(void **state)
{
    struct house *house = *state;

    house_expect(house_ask(house, SWIFT, "ListStatements", "{'programmeId': 'demo'}"),
                 "{'statements': [{'statementId': '" ID("CARRIER/swift") "', 'carrierId': 'swift', 'position': "
                                                                         "{'payableMinor': '450'}}]}");
    house_refused(house, SWIFT, "ConfirmStatement", REASON_STATEMENT_NOT_FOUND, "statement_id",
                  "{'statementId': '" ID("MERCHANT/shop-1") "'}");
    house_refused(house, SHOP, "ConfirmStatement", REASON_STATEMENT_NOT_FOUND, "statement_id",
                  "{'statementId': '" ID("CARRIER/swift") "'}");
    house_refused(house, SHOP, "ConfirmStatement", REASON_FIELD_INVALID, "statement_id",
                  "{'statementId': '" ID("PAIR/bank-a/shop-1") "'}");
    house_expect(house_ask(house, SWIFT, "ConfirmStatement", "{'statementId': '" ID("CARRIER/swift") "'}"),
                 "{'state': 'STATEMENT_STATE_CONFIRMED', 'answeredBy': 'alliance://carrier/swift'}");
    house_refused(house, SWIFT, "DisputeStatement", REASON_STATEMENT_CONFIRMED, "statement_id", CONTEST, house_id(),
                  "CARRIER/swift", 1, 5);
    contest(house, SHOP, "MERCHANT/shop-1", 1, 5); /* the merchant has not */
}

static void only_what_stands_on_the_callers_own_and_no_more_than_it(void **state)
{
    struct house *house = *state;
    static const struct {
        const char *party, *statement;
        int posting, amount;
        enum reason reason;
        const char *field;
    } cases[] = {
        { SHOP, "PAIR/bank-a/shop-1", 1, 5, REASON_FIELD_INVALID, "statement_id" },
        { SHOP, "MERCHANT/shop-1", 7, 5, REASON_STATEMENT_LINE_NOT_FOUND, "posting_number" },
        { SHOP, "MERCHANT/shop-1", 8, 5, REASON_STATEMENT_LINE_NOT_FOUND, "posting_number" },
        { SHOP, "MERCHANT/shop-1", -1, 5, REASON_FIELD_INVALID, "posting_number" },
        { SHOP, "MERCHANT/shop-1", 0, 5, REASON_FIELD_INVALID, "line_number" },
        { SHOP, "MERCHANT/shop-1", 1, 501, REASON_BEYOND_LINE, "amount_minor" },
        { SWIFT, "CARRIER/swift", 2, 5, REASON_STATEMENT_LINE_NOT_FOUND, "posting_number" },
        { SWIFT, "MERCHANT/shop-1", 1, 5, REASON_STATEMENT_NOT_FOUND, "statement_id" },
        { BANK, "BANK/bank-a", 2, 5, REASON_STATEMENT_LINE_NOT_FOUND, "posting_number" },
        { OLGA, "OPERATOR", 2, 5, REASON_ROLE_NOT_ALLOWED, NULL },
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        house_refused(house, cases[i].party, "DisputeStatement", cases[i].reason, cases[i].field, CONTEST, house_id(),
                      cases[i].statement, cases[i].posting, cases[i].amount);
    house_refused(house, SHOP, "DisputeStatement", REASON_FIELD_INVALID, "line_number",
                  "{'requestId': '%s', 'statementId': '" ID(
                      "MERCHANT/shop-1") "', 'postingNumber': '1', 'lineNumber': "
                                         "'1', 'amountMinor': '5', 'reasonCode': 'X', 'evidence': 'x'}",
                  house_id());
    assert_int_equal(house_count(house, "SELECT count(*) FROM dispute"), 0);
    /* Both sides of it together, whatever was got. */
    const char *shop = contest(house, SHOP, "MERCHANT/shop-1", 1, 300);
    contest(house, SWIFT, "CARRIER/swift", 1, 150);
    house_refused(house, SWIFT, "DisputeStatement", REASON_BEYOND_LINE, "amount_minor", CONTEST, house_id(),
                  "CARRIER/swift", 1, 51);
    house_ask(house, SWIFT, "StepDispute", STEP, shop, "ANSWER", 100);
    house_ask(house, SHOP, "StepDispute", STEP, shop, "AGREE", 100);
    house_refused(house, SHOP, "DisputeStatement", REASON_BEYOND_LINE, "amount_minor", CONTEST, house_id(),
                  "MERCHANT/shop-1", 1, 251);
    contest(house, SHOP, "MERCHANT/shop-1", 1, 250);
}

static const char held_of_carrier[] = "SELECT COALESCE(sum(amount_minor), 0)::int8 FROM settlement_hold WHERE kind = 2 "
                                      "AND carrier_no = 1 AND merchant_no = 0 AND release_on = '9999-12-31'";
static const char disputed[] = "SELECT sum(CASE type WHEN 2 THEN 1 WHEN 3 THEN 10 WHEN 5 THEN 100 ELSE 1000 END)::int8 "
                               "FROM statement WHERE state = 5";

/* The carrier's money is kept: of what is to be paid, and the rest in its next statements. */
static void freight_is_contested_and_a_part_given_back(void **state)
{
    struct house *house = *state;
    const char *no = contest(house, SHOP, "MERCHANT/shop-1", 1, 480);

    house_expect(house_ask(house, SWIFT, "GetDispute", NUMBER, no),
                 "{'postingNumber': '1', 'lineNumber': '0', 'opener': 'PARTY_MERCHANT', 'openerParty': {'kind': "
                 "'PARTY_MERCHANT', 'id': 'shop-1'}, 'otherParty': {'kind': 'PARTY_CARRIER', 'id': 'swift'}, "
                 "'withheldMinor': '450', 'heldMinor': '30', 'bankId': ''}");
    assert_int_equal(house_count(house, held_of_carrier), 30);
    assert_int_equal(house_count(house, disputed), 110);
    house_refused(house, BANK, "GetDispute", REASON_DISPUTE_NOT_FOUND, "dispute_number", NUMBER, no);
    house_refused(house, "carrier/unknown", "GetDispute", REASON_CARRIER_NOT_FOUND, "", NUMBER, no);
    house_refused(house, OLGA, "StepDispute", REASON_DISPUTE_TURN, NULL, STEP, no, "AGREE", 480);
    house_refused(house, SHOP, "StepDispute", REASON_DISPUTE_TURN, NULL, STEP, no, "ANSWER", 1);
    house_ask(house, SWIFT, "StepDispute", STEP, no, "ANSWER", 100);
    json_t *agreed = house_ask(house, SHOP, "StepDispute", STEP, no, "AGREE", 100);
    house_expect(agreed, "{'state': 'DISPUTE_STATE_AGREED', 'agreedMinor': '100'}");
    assert_true(json_equal(agreed, house_ask(house, SHOP, "StepDispute", STEP, no, "AGREE", 100)));
    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_correction WHERE state = 2 AND from_party = 3 "
                                        "AND from_no = 1 AND to_party = 2 AND to_no = 1 AND amount_minor = 100 AND "
                                        "refers_to = 'M1-000001 posting 1' AND maker LIKE '%swift' AND approver LIKE "
                                        "'%shop-1'"),
                     1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_correction"), 1);
    assert_int_equal(house_count(house, held_of_carrier), 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM statement WHERE state = 5"), 0);
}

/* Of the operator's own: it answers as the other party; asked to decide, two of its people do. */
static void the_operator_answers_for_itself_and_for_tax(void **state)
{
    struct house *house = *state;
    const char *fee = contest(house, SHOP, "MERCHANT/shop-1", 2, 300),
               *tax = contest(house, SHOP, "MERCHANT/shop-1", 3, 60);

    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_hold"), 0);
    assert_int_equal(house_count(house, "SELECT sum(withheld_minor)::int8 FROM dispute"), 0);
    house_expect(house_ask(house, OLGA, "StepDispute", STEP, fee, "AGREE", 300),
                 "{'agreedMinor': '300', 'otherParty': {'kind': 'PARTY_OPERATOR', 'id': ''}}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_correction WHERE state = 2 AND from_party = 4 "
                                        "AND from_no = 0 AND to_party = 2 AND amount_minor = 300 AND maker LIKE "
                                        "'%shop-1' AND approver LIKE '%olga'"),
                     1);
    house_ask(house, OLGA, "StepDispute", STEP, tax, "ANSWER", 0);
    house_refused(house, OLGA, "StepDispute", REASON_DISPUTE_STATE, NULL, STEP, tax, "DECIDE", 40);
    house_ask(house, SHOP, "StepDispute", STEP, tax, "ESCALATE", 0);
    house_refused(house, OLGA, "StepDispute", REASON_DISPUTE_STATE, NULL, STEP, tax, "AGREE", 60);
    house_ask(house, OLGA, "StepDispute", STEP, tax, "DECIDE", 40);
    house_expect(house_ask(house, OLGA, "StepDispute", STEP, tax, "DECIDE", 40),
                 "{'state': 'DISPUTE_STATE_ESCALATED'}");
    house_expect(house_ask(house, OTTO, "StepDispute", STEP, tax, "DECIDE", 40), "{'agreedMinor': '40'}");
    assert_int_equal(house_count(house,
                                 "SELECT count(*) FROM settlement_correction WHERE from_party = 5 AND from_no = 0 "
                                 "AND to_party = 2 AND amount_minor = 40 AND maker LIKE '%olga' AND approver "
                                 "LIKE '%otto'"),
                     1);
}

/* Whose money is kept is who would have to pay: a merchant's with the line's and the posting's together. */
static void what_a_bank_or_a_carrier_contests_keeps_the_merchants_money_once(void **state)
{
    struct house *house = *state;
    const char *share = contest(house, SHOP, "MERCHANT/shop-1", 4, 200); /* the bank would pay: nothing is kept */
    const char *correction = contest(house, BANK, "BANK/bank-a", 6, 70);
    const char *freight = contest(house, SWIFT, "CARRIER/swift", 1, 350);

    assert_int_equal(house_count(house, "SELECT withheld_minor FROM dispute WHERE posting_no = 4"), 0);
    assert_int_equal(house_count(house, "SELECT withheld_minor FROM dispute WHERE posting_no = 6"), 70);
    assert_int_equal(house_count(house, "SELECT withheld_minor FROM dispute WHERE posting_no = 1"), 330);
    assert_int_equal(house_count(house, "SELECT sum(amount_minor)::int8 FROM settlement_hold WHERE merchant_no = 1 AND "
                                        "carrier_no = 0 AND kind = 2"),
                     20);
    house_expect(house_ask(house, BANK, "StepDispute", STEP, share, "AGREE", 200), "{'agreedMinor': '200'}");
    house_expect(house_ask(house, SHOP, "StepDispute", STEP, correction, "AGREE", 70), "{'agreedMinor': '70'}");
    house_expect(house_ask(house, SWIFT, "StepDispute", STEP, freight, "REJECT", 0), "{'agreedMinor': '0'}");
    assert_int_equal(house_count(house, "SELECT sum(amount_minor * (from_party * 10 + to_party))::int8 FROM "
                                        "settlement_correction"),
                     200 * 12 + 70 * 21);
    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_hold WHERE release_on = '9999-12-31'"), 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM statement WHERE state = 5"), 0);
}

static void typed(void **state)
{
    struct house *house = *state;
    char printed[8192];

    assert_int_equal(
        house_type(house, SHOP, "alliance statement postings " ID("MERCHANT/shop-1"), printed, sizeof printed), 0);
    assert_non_null(strstr(printed, "CAMPAIGN_SHARE"));
    assert_int_equal(house_type(house, SHOP,
                                "alliance dispute posting " ID("MERCHANT/shop-1") " 1 3.00 CNY --reason-code LATE "
                                                                                  "--note 'three came late'",
                                printed, sizeof printed),
                     0);
    assert_int_equal(house_type(house, SWIFT, "alliance dispute list demo", printed, sizeof printed), 0);
    assert_non_null(strstr(printed, ID("MERCHANT/shop-1")));
    assert_int_equal(house_type(house, SWIFT, "alliance dispute agree 1 3.00 CNY", printed, sizeof printed), 0);
    assert_non_null(strstr(printed, "AGREED"));
}

/* "alliance LINE" as the party, in the background. */
static void add_command(struct house *house, const char *party, const char *line, char *command, size_t room)
{
    char uri[100];
    size_t at = strlen(command);

    snprintf(uri, sizeof uri, "alliance://%s", party);
    struct pki_files files = pki_issue(house->dir, uri);
    snprintf(command + at, room - at,
             BINARY_DIR "/bin/alliance %s --server %s --ca %s --cert %s --key %s >/dev/null 2>&1 & ", line,
             house->target, files.ca, files.cert, files.key);
}

static void all_at_once(struct house *house, const char *const lines[][2], size_t count, int times)
{
    char command[16384] = "";

    for (size_t i = 0; i < count * (size_t)times; i++)
        add_command(house, lines[i % count][0], lines[i % count][1], command, sizeof command);
    strcat(command, "wait");
    assert_int_equal(system(command), 0);
}

/* Many contest the whole at once, and one gets it; it ends one way, and once. */
static void at_once_it_is_kept_once_and_ends_once(void **state)
{
    struct house *house = *state;
#define WHOLE "--reason-code X --note x"
    static const char *const contests[][2] = {
        { SHOP, "dispute posting " ID("MERCHANT/shop-1") " 1 5.00 CNY " WHOLE },
        { SWIFT, "dispute posting " ID("CARRIER/swift") " 1 5.00 CNY " WHOLE },
    };
    static const char *const ends[][2] = {
        { SWIFT, "dispute agree 1 5.00 CNY" },
        { SHOP, "dispute reject 1" },
        { SHOP, "dispute agree 1 5.00 CNY" },
        { SWIFT, "dispute reject 1" },
    };

    all_at_once(house, contests, COUNT(contests), 4);
    assert_int_equal(house_count(house, "SELECT count(*) FROM dispute"), 1);
    assert_int_equal(house_count(house,
                                 "SELECT sum(withheld_minor)::int8 + (SELECT COALESCE(sum(amount_minor), 0) FROM "
                                 "settlement_hold)::int8 FROM dispute"),
                     500);
    all_at_once(house, ends, COUNT(ends), 2);
    assert_int_equal(house_count(house, "SELECT count(*) FROM dispute WHERE state IN (3, 4)"), 1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM dispute_step"), 1);
    assert_int_equal(house_count(house, "SELECT (SELECT count(*) FROM settlement_correction) - (SELECT count(*) FROM "
                                        "dispute WHERE state = 3)"),
                     0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM settlement_hold WHERE release_on = '9999-12-31'"), 0);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORY(each_sees_the_postings_of_its_own),
        STORY(a_carrier_reads_and_agrees_to_its_own),
        STORY(only_what_stands_on_the_callers_own_and_no_more_than_it),
        STORY(freight_is_contested_and_a_part_given_back),
        STORY(the_operator_answers_for_itself_and_for_tax),
        STORY(what_a_bank_or_a_carrier_contests_keeps_the_merchants_money_once),
        STORY(typed),
        STORY(at_once_it_is_kept_once_and_ends_once),
    };
#undef STORY

    return cmocka_run_group_tests(tests, NULL, NULL);
}
