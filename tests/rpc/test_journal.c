/* A member's journal over the wire: pages both ways, the balance at an instant, why an entry is what it is, forecasts.
 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define BANK "bank/bank-a"
#define OLGA "operator/olga"
#define SHOP "merchant/shop-1"

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

static json_t *hold(struct house *house, const char *member_ref, int points)
{
    return house_ask(house, SHOP, "HoldRedemption",
                     "{'requestId': '%s', 'merchantId': 'shop-1', 'storeId': 's-1', 'terminalId': 't', 'bankId': "
                     "'bank-a', 'memberRef': '%s', 'points': '%d'}",
                     house_id(), member_ref, points);
}

static json_t *on(struct house *house, const char *method, const json_t *held, int points)
{
    return house_ask(house, SHOP, method, "{'requestId': '%s', 'redemptionId': '%s', 'points': '%d'}", house_id(),
                     house_text(held, "redemptionId"), points);
}

static void spend(struct house *house, const char *member_ref, const char *ref, int amount_minor)
{
    json_t *reply =
        house_push(house, BANK, "PushAccruals",
                   "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'transactionRef': '%s', 'memberRef': '%s', "
                   "'amount': {'currencyCode': 'CNY', 'amountMinor': '%d'}, 'transactionTime': "
                   "'2026-01-14T08:00:00Z'}]}",
                   ref, member_ref, amount_minor);

    house_expect(reply, "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED'}]}");
}

static void go_to(struct house *house, const char *date, const char *instant)
{
    char sql[100];

    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '%s'}", instant);
    snprintf(sql, sizeof sql, "UPDATE fence SET business_date = '%s'", date);
    house_sql(house, sql);
}

/* Journal */

static void pages_both_ways(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    json_t *held = hold(house, "ann", 30);
    on(house, "ConfirmRedemption", held, 20);
    json_t *page = house_ask(house, BANK, "ListJournal", "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageSize': 3}");
    house_expect(page, "{'entries': [{'seq': '1', 'kind': 'MEMBER', 'from': 'none'}, {'seq': '2', 'kind': 'ACCRUE', "
                       "'points': '100', 'from': 'issuer.issued', 'to': 'member.available', 'availableAfter': '100', "
                       "'lots': [{'points': '100', 'expiresOn': '2027-02-01'}], 'rulesVersion': 1}, {'seq': '3', "
                       "'kind': 'HOLD', 'heldAfter': '30', 'merchantId': 'shop-1', 'storeId': 's-1'}]}");
    assert_string_equal(house_text(page, "entries.2.redemptionId"), house_text(held, "redemptionId"));
    json_t *rest =
        house_ask(house, OLGA, "ListJournal", "{'bankId': 'bank-a', 'memberRef': 'ann', 'newestFirst': true}");
    house_expect(rest,
                 "{'nextPageToken': '', 'entries': [{'seq': '5', 'kind': 'CONFIRM', 'gross': {'currencyCode': 'CNY', "
                 "'amountMinor': '14'}}, {'seq': '4', 'kind': 'RELEASE'}, {'seq': '3'}, {'seq': '2'}, {'seq': '1'}]}");
    rest = house_ask(house, BANK, "ListJournal",
                     "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageSize': 3, 'pageToken': '%s'}",
                     house_text(page, "nextPageToken"));
    house_expect(rest, "{'nextPageToken': '', 'entries': [{'seq': '4', 'kind': 'RELEASE'}, {'seq': '5'}]}");
    house_refused(house, BANK, "ListJournal", REASON_PAGE_TOKEN_INVALID, "page_token",
                  "{'bankId': 'bank-a', 'memberRef': 'ann', 'newestFirst': true, 'pageToken': '%s'}",
                  house_text(page, "nextPageToken"));
}

static const struct {
    const char *method, *field, *request;
    enum reason reason;
} refusals[] = {
    { "ListJournal", "bank_id", "{'bankId': 'bank-b', 'memberRef': 'ann'}", REASON_NOT_YOURS },
    { "ListJournal", "member_ref", "{'bankId': 'bank-a', 'memberRef': 'bob'}", REASON_MEMBER_NOT_FOUND },
    { "ListJournal", "member_ref", "{'bankId': 'bank-a'}", REASON_FIELD_INVALID },
    { "ListJournal", "page_size", "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageSize': 1001}", REASON_FIELD_INVALID },
    { "ListJournal", "page_token", "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageToken': 'x'}",
      REASON_PAGE_TOKEN_INVALID },
    { "GetBalanceAt", "time", "{'bankId': 'bank-a', 'memberRef': 'ann'}", REASON_FIELD_INVALID },
    { "GetBalanceAt", "time", "{'bankId': 'bank-a', 'memberRef': 'ann', 'time': '2026-01-15T12:00:01Z'}",
      REASON_FIELD_INVALID },
    { "GetBalanceAt", "bank_id", "{'bankId': 'bank-b', 'memberRef': 'ann', 'time': '2026-01-15T12:00:00Z'}",
      REASON_NOT_YOURS },
    { "ExplainEntry", "seq", "{'bankId': 'bank-a', 'memberRef': 'ann'}", REASON_FIELD_INVALID },
    { "ExplainEntry", "seq", "{'bankId': 'bank-a', 'memberRef': 'ann', 'seq': '3'}", REASON_ENTRY_NOT_FOUND },
    { "ExplainEntry", "seq", "{'bankId': 'bank-a', 'memberRef': 'ann', 'seq': '9223372036854775807'}",
      REASON_ENTRY_NOT_FOUND },
    { "ForecastExpiry", "days", "{'bankId': 'bank-a', 'days': 1831}", REASON_FIELD_INVALID },
    { "ForecastExpiry", "days", "{'bankId': 'bank-a', 'days': -1}", REASON_FIELD_INVALID },
    { "ForecastExpiry", "member_ref", "{'bankId': 'bank-a', 'memberRef': 'bob'}", REASON_MEMBER_NOT_FOUND },
    { "ForecastExpiry", "bank_id", "{'bankId': 'bank-b'}", REASON_NOT_YOURS },
    { "ListExpiryNotices", "business_date", "{'bankId': 'bank-a'}", REASON_FIELD_INVALID },
    { "ListExpiryNotices", "bank_id", "{'bankId': 'bank-b', 'businessDate': '2026-01-15'}", REASON_NOT_YOURS },
};

static void what_is_asked_wrongly_is_refused(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    for (size_t i = 0; i < COUNT(refusals); i++)
        house_refused(house, BANK, refusals[i].method, refusals[i].reason, refusals[i].field, "%s",
                      refusals[i].request);
}

/* The balance at an instant */

static void expect_at(struct house *house, const char *instant, const char *expected)
{
    house_expect(
        house_ask(house, BANK, "GetBalanceAt", "{'bankId': 'bank-a', 'memberRef': 'ann', 'time': '%s'}", instant), "%s",
        expected);
}

/* Asked before and after expiry was booked, of instants before and after the points expired. */
static const struct {
    const char *instant, *expected;
} instants[] = {
    { "2026-01-15T11:59:59Z", "{'seq': '0', 'availablePoints': '0', 'creditLimit': '0'}" },
    { "2026-01-15T12:00:00Z", "{'seq': '3', 'availablePoints': '60', 'heldPoints': '40'}" },
    { "2027-01-31T23:59:59.999999Z", "{'seq': '3', 'availablePoints': '60', 'heldPoints': '40'}" },
    { "2027-02-01T00:00:00Z", "{'seq': '3', 'availablePoints': '0', 'heldPoints': '40'}" },
    { "2027-02-09T23:00:00Z", "{'seq': '3', 'availablePoints': '0', 'heldPoints': '40'}" },
};

static void points_that_had_expired_are_not_there(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    hold(house, "ann", 40);
    go_to(house, "2027-02-10", "2027-02-10T12:00:00Z");
    for (size_t i = 0; i < COUNT(instants); i++)
        expect_at(house, instants[i].instant, instants[i].expected);
    expect_at(house, "2027-02-10T12:00:00Z", "{'seq': '3', 'availablePoints': '0'}");
    spend(house, "ann", "t-9", 70);
    for (size_t i = 0; i < COUNT(instants); i++)
        expect_at(house, instants[i].instant, instants[i].expected);
    expect_at(house, "2027-02-10T12:00:00Z", "{'seq': '6', 'availablePoints': '7', 'heldPoints': '0'}");
}

/* An hour and a half after midnight. */
static void points_expire_when_the_day_ends(void **state)
{
    struct house *house = *state;

    house_sql(house, "UPDATE programme SET cut_off_minutes = 90");
    house_ask(house, "operator/olga", "RegisterBank", /* so that it is read again */
              "{'bank': {'bankId': 'bank-c', 'programmeId': 'demo', 'name': 'Bank C'}}");
    house_member(house, "ann", 100);
    go_to(house, "2027-02-10", "2027-02-10T12:00:00Z");
    expect_at(house, "2027-02-01T01:29:59Z", "{'availablePoints': '100'}");
    expect_at(house, "2027-02-01T01:30:00Z", "{'availablePoints': '0'}");
}

/* A day close that came late: what was done after midnight under the day before is not taken back. */
static void the_open_date_bounds_the_day(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    go_to(house, "2027-01-31", "2027-02-01T08:00:00Z");
    expect_at(house, "2027-02-01T08:00:00Z", "{'availablePoints': '100'}");
    hold(house, "ann", 40);
    expect_at(house, "2027-02-01T08:00:00Z", "{'seq': '3', 'availablePoints': '60', 'heldPoints': '40'}");
    go_to(house, "2027-02-01", "2027-02-01T09:00:00Z");
    expect_at(house, "2027-02-01T09:00:00Z", "{'seq': '3', 'availablePoints': '0', 'heldPoints': '40'}");
}

/* Why */

static void expect_why(struct house *house, int seq, const char *kind, const char *const *steps)
{
    json_t *why = house_ask(house, BANK, "ExplainEntry", "{'bankId': 'bank-a', 'memberRef': 'ann', 'seq': '%d'}", seq);
    json_t *said = json_object_get(why, "steps");

    assert_string_equal(house_text(why, "entry.kind"), kind);
    house_expect(why, "{'rules': {'bankId': 'bank-a', 'version': 1}}");
    for (; *steps; steps++) {
        bool found = false;
        for (size_t i = 0; i < json_array_size(said); i++)
            found |= strcmp(json_string_value(json_array_get(said, i)), *steps) == 0;
        if (!found)
            fail_msg("entry %d does not say \"%s\" but %s", seq, *steps, json_dumps(said, 0));
    }
}

static void every_number_is_explained(void **state)
{
    struct house *house = *state;

    house_push(house, BANK, "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'member': {'memberRef': 'ann', 'creditLimit': '50'}}]}");
    spend(house, "ann", "t-1", 257);
    json_t *held = hold(house, "ann", 40);
    on(house, "ConfirmRedemption", held, 35);
    on(house, "ReverseRedemption", held, 10);
    on(house, "ReverseRedemption", held, 0);
    expect_why(house, 1, "MEMBER",
               (const char *const[]){ "The member was created with a credit limit of 50 points.", NULL });
    expect_why(
        house, 2, "ACCRUE",
        (const char *const[]){ "Card transaction t-1: 257 minor units of CNY were spent.",
                               "257 minor units of CNY x 1 points per 10 minor units = 25.7, rounded down to 25 "
                               "points (rules version 1).",
                               "Points spendable from 2026-01-15 on live until the end of the month 12 months later, "
                               "so they expire on 2027-02-01.",
                               "Given: 25 points that expire on 2027-02-01, paid for by the bank.",
                               "So 25 points went from issuer.issued to member.available.", NULL });
    expect_why(house, 3, "HOLD",
               (const char *const[]){
                   "40 points were asked for; before, 25 were available and 50 of the credit limit of 50 "
                   "unused.",
                   "Taken: 25 points that expire on 2027-02-01, paid for by the bank.",
                   "15 points were drawn on the credit limit of 50: credit used went from 0 to 15.", NULL });
    expect_why(house, 4, "RELEASE",
               (const char *const[]){ "Only 35 of the 40 held points were confirmed; 5 go back.",
                                      "5 points repaid credit used, which went from 15 to 10.", NULL });
    expect_why(
        house, 5, "CONFIRM",
        (const char *const[]){ "35 of the 40 held points were confirmed; the rest had gone back.",
                               "35 points x settlement rate 7 minor units per 10 points = 24.5, rounded half to even "
                               "to 24 minor units of CNY gross (rules version 1).",
                               "24 minor units x 100 / 10000 = 0.24, rounded half to even to 0 minor units of "
                               "commission (terms version 1).",
                               "Spent: 10 points drawn on the credit limit.", NULL });
    expect_why(
        house, 6, "REVERSE",
        (const char *const[]){ "10 points of 35 confirmed ones were reversed, 0 before and 10 now.",
                               "Gross: 24 x 10 / 35 = 6 30/35, rounded down, less what earlier reversals took: 6 "
                               "minor units of CNY.",
                               NULL });
    expect_why(
        house, 7, "REVERSE",
        (const char *const[]){ "Gross: 24 x 35 / 35 = 24, rounded down, less what earlier reversals took: 18 minor "
                               "units of CNY.",
                               "Nothing is left of the confirmation: this reversal took the residue of all "
                               "roundings.",
                               NULL });
}

/* Forecast and notices */

static void a_forecast_adds_up_all_members(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    house_member(house, "bob", 10);
    house_member(house, "cid", 0);
    go_to(house, "2026-02-01", "2026-02-01T12:00:00Z");
    spend(house, "ann", "t-feb", 50);
    house_expect(house_ask(house, BANK, "ForecastExpiry", "{'bankId': 'bank-a', 'days': 400}"),
                 "{'days': [{'expiresOn': '2027-02-01', 'points': '110', 'members': '2'}, {'expiresOn': '2027-03-01', "
                 "'points': '5', 'members': '1'}]}");
    house_expect(house_ask(house, OLGA, "ForecastExpiry", "{'bankId': 'bank-a', 'memberRef': 'bob', 'days': 365}"),
                 "{'days': [{'expiresOn': '2027-02-01', 'points': '10', 'members': '1'}]}");
    json_t *none = house_ask(house, BANK, "ForecastExpiry", "{'bankId': 'bank-a', 'days': 364}");
    assert_int_equal(json_array_size(json_object_get(none, "days")), 0);
}

static void notices_come_in_pages(void **state)
{
    struct house *house = *state;
    char seen[8] = "";
    const char *token = "";

    house_sql(house,
              "INSERT INTO expiry_notice SELECT i % 4, 1, '2026-01-15', gen_random_uuid(), 'm-' || i, "
              "'2026-01-22', 7, i + 1 FROM generate_series(0, 6) i;"
              "INSERT INTO expiry_notice VALUES (0, 1, '2026-01-16', gen_random_uuid(), 'late', '2026-01-23', 7, 1), "
              "(0, 2, '2026-01-15', gen_random_uuid(), 'other', '2026-01-22', 7, 1)");
    for (int pages = 1;; pages++) {
        json_t *page =
            house_ask(house, BANK, "ListExpiryNotices",
                      "{'bankId': 'bank-a', 'businessDate': '2026-01-15', 'pageSize': 2, 'pageToken': '%s'}", token);
        json_t *notices = json_object_get(page, "notices");
        for (size_t i = 0; i < json_array_size(notices); i++)
            seen[atoi(json_string_value(json_object_get(json_array_get(notices, i), "memberRef")) + 2)]++;
        token = house_text(page, "nextPageToken");
        if (*token == '\0') {
            assert_int_equal(pages, 4);
            break;
        }
    }
    assert_memory_equal(seen, "\1\1\1\1\1\1\1", 7);
    house_refused(house, BANK, "ListExpiryNotices", REASON_PAGE_TOKEN_INVALID, "page_token",
                  "{'bankId': 'bank-a', 'businessDate': '2026-01-15', 'pageToken': 'AAAA'}");
}

/* Verification */

static void the_ledger_is_verified(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    house_member(house, "bob", 100);
    hold(house, "ann", 40);
    house_expect(house_push(house, OLGA, "VerifyLedger", "{'programmeId': 'demo'}"),
                 "{'finished': true, 'members': '2', 'entries': '5', 'findingsTotal': '0'}");
    house_expect(house_push(house, OLGA, "VerifyLedger", "{'programmeId': 'other'}"),
                 "{'finished': true, 'members': '0', 'entries': '0', 'findingsTotal': '0'}");
    house_sql(house, "UPDATE account SET available = available + 1 WHERE member_ref = 'bob'");
    house_expect(
        house_push(house, OLGA, "VerifyLedger", "{'programmeId': 'demo', 'bankId': 'bank-a', 'memberRef': 'ann'}"),
        "{'finished': true, 'members': '1', 'entries': '3', 'findingsTotal': '0'}");
    house_expect(
        house_push(house, OLGA, "VerifyLedger", "{'programmeId': 'demo'}"),
        "{'finished': true, 'findingsTotal': '2', 'findings': [{'rule': 'ACCOUNT_DIFFERS', 'bankId': 'bank-a', "
        "'memberRef': 'bob', 'seq': '2', 'detail': 'available is 101, after the newest entry 100'}, "
        "{'rule': 'LOTS_DIFFER', 'memberRef': 'bob'}]}");
    house_push_refused(house, OLGA, "VerifyLedger", REASON_PROGRAMME_NOT_FOUND, "programme_id",
                       "{'programmeId': 'none'}");
    house_push_refused(house, OLGA, "VerifyLedger", REASON_BANK_NOT_FOUND, "bank_id",
                       "{'programmeId': 'other', 'bankId': 'bank-a', 'memberRef': 'ann'}");
    house_push_refused(house, OLGA, "VerifyLedger", REASON_MEMBER_NOT_FOUND, "member_ref",
                       "{'programmeId': 'demo', 'bankId': 'bank-a', 'memberRef': 'nobody'}");
    house_push_refused(house, OLGA, "VerifyLedger", REASON_FIELD_INVALID, "member_ref",
                       "{'programmeId': 'demo', 'bankId': 'bank-a'}");
    house_push_refused(house, BANK, "VerifyLedger", REASON_ROLE_NOT_ALLOWED, "", "{'programmeId': 'demo'}");
}

/* The command line */

/* "alliance WORDS" as the party with that certificate ends with that status and says that. */
static void expect_typed(struct house *house, const char *uri, int expected, const char *says, const char *words)
{
    struct pki_files files = pki_issue(house->dir, uri);
    char line[2048], text[8192];

    snprintf(line, sizeof line, BINARY_DIR "/bin/alliance --server %s --ca %s --cert %s --key %s %s", house->target,
             files.ca, files.cert, files.key, words);
    FILE *typed = popen(line, "r");
    assert_non_null(typed);
    size_t size = fread(text, 1, sizeof text - 1, typed);
    text[size] = '\0';
    int status = pclose(typed);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected || !strstr(text, says))
        fail_msg("%s: ended with %d and said: %s", words, status, text);
}
#define TYPED(uri, expected, says, words) expect_typed(house, "alliance://" uri, expected, says, words)

static void the_command_line_says_the_same(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    TYPED(BANK, 0, "ACCRUE", "journal list ann --newest-first");
    TYPED(BANK, 0, "rounded down to 100 points", "journal explain ann 2");
    TYPED(BANK, 0, "100", "journal balance ann 2026-01-15T12:00:00Z");
    TYPED(BANK, 0, "2027-02-01", "expiry forecast --days 400");
    TYPED(BANK, 0, "none", "expiry notices 2026-01-15");
    TYPED(OLGA, 0, "verified 1 members, 2 entries: 0 findings", "ledger verify demo");
    TYPED(OLGA, 0, "verified 1 members", "ledger verify demo --bank bank-a --member ann");
    house_sql(house, "DELETE FROM journal WHERE seq = 2");
    TYPED(OLGA, 1, "ENTRY_MISSING bank-a/ann entry 2: ", "ledger verify demo");
    TYPED(OLGA, 1, "\"ENTRY_MISSING\"", "ledger verify demo --json");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_both_ways),
        TEST(what_is_asked_wrongly_is_refused),
        TEST(points_that_had_expired_are_not_there),
        TEST(points_expire_when_the_day_ends),
        TEST(the_open_date_bounds_the_day),
        TEST(every_number_is_explained),
        TEST(a_forecast_adds_up_all_members),
        TEST(notices_come_in_pages),
        TEST(the_ledger_is_verified),
        TEST(the_command_line_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
