/* BankService: members and accruals row by row, rules and their versions, balances. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"

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

/* One row of its own message and what is said of it. */
static const struct {
    const char *story, *member, *verdict;
} member_rows[] = {
    { "new", "{'memberRef': 'ann', 'creditLimit': 100, 'cardTokens': ['tok-2222', 'tok-1111', 'tok-2222']}",
      "{'outcome': 'ROW_OUTCOME_CREATED', 'reason': ''}" },
    { "the same, tokens in another order",
      "{'memberRef': 'ann', 'creditLimit': 100, 'cardTokens': ['tok-1111', 'tok-2222']}",
      "{'outcome': 'ROW_OUTCOME_UNCHANGED'}" },
    { "another limit", "{'memberRef': 'ann', 'creditLimit': 50, 'status': 2, 'cardTokens': ['tok-1111', 'tok-2222']}",
      "{'outcome': 'ROW_OUTCOME_CHANGED'}" },
    { "no member", "null",
      "{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': 'FIELD_INVALID', 'detail': 'member: must be set'}" },
    { "a blank in the name", "{'memberRef': 'a nn'}", "{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': 'FIELD_INVALID'}" },
    { "a limit below zero", "{'memberRef': 'bob', 'creditLimit': -1}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.credit_limit: must be 0 to 1000000000000'}" },
    { "unsaid leaves it frozen", "{'memberRef': 'ann', 'creditLimit': 50, 'cardTokens': ['tok-1111', 'tok-2222']}",
      "{'outcome': 'ROW_OUTCOME_UNCHANGED'}" },
    { "a status there is not", "{'memberRef': 'bob', 'status': 5}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.status: must be 0 to 4'}" },
    { "a limit of its own and by tier", "{'memberRef': 'bob', 'creditLimit': 1, 'creditByTier': true}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.credit_limit: must be 0 when credit_by_tier is set'}" },
    { "a tier there is not", "{'memberRef': 'bob', 'tier': {'number': 101}}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.tier.number: must be 0 to 100'}" },
    { "a temporary limit without an end", "{'memberRef': 'bob', 'temporaryLimit': {'points': 5}}",
      "{'reason': 'FIELD_INVALID'}" },
    { "one that ends before it begins",
      "{'memberRef': 'bob', 'temporaryLimit': {'points': 5, 'firstDate': '2026-02-02', 'lastDate': '2026-02-01'}}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.temporary_limit.last_date: must not be before first_date'}" },
    { "one for too many points",
      "{'memberRef': 'bob', 'temporaryLimit': {'points': '1000000000001', 'lastDate': '2026-02-01'}}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.temporary_limit.points: must be 0 to 1000000000000'}" },
    { "a card number for a name", "{'memberRef': '4111111111111111'}",
      "{'reason': 'CARD_NUMBER_REFUSED', 'detail': 'member.member_ref: looks like a card number; send a token "
      "instead'}" },
    { "a card number for a token", "{'memberRef': 'bob', 'cardTokens': ['tok-1111', '4111-1111-1111-1111']}",
      "{'reason': 'CARD_NUMBER_REFUSED', 'detail': 'member.card_tokens[1]: looks like a card number; send a token "
      "instead'}" },
    { "a short token", "{'memberRef': 'bob', 'cardTokens': ['tok-111']}", "{'reason': 'FIELD_INVALID'}" },
};

static void each_member_row_gets_its_own_verdict(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(member_rows); i++) {
        json_t *reply =
            house_push(house, BANK, "PushMembers", "{'bankId': 'bank-a', 'rows': [{'rowNumber': '%zu', 'member': %s}]}",
                       i + 10, member_rows[i].member);
        print_message("           %s\n", member_rows[i].story);
        house_expect(reply, "{'verdicts': [%s]}", member_rows[i].verdict);
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 1);
    assert_int_equal(house_count(house, "SELECT credit_limit FROM account WHERE status = 2"), 50);
    assert_int_equal(house_count(house, "SELECT cardinality(card_tokens) FROM member_profile"), 2);
}

/* A wrong row does not hinder its neighbours, and verdicts stand in the order of the rows. */
static void verdicts_stand_in_the_order_of_rows(void **state)
{
    struct house *house = *state;
    static char rows[200 * 500];
    size_t n = 0;

    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(rows + n, sizeof rows - n, "%s{'rowNumber': %d, 'member': {'memberRef': 'm%s%d'}}",
                              i ? ", " : "", i, i == 250 ? " " : "", i);
    json_t *reply = house_push(house, BANK, "PushMembers", "{'bankId': 'bank-a', 'rows': [%s]}", rows);
    for (int i = 0; i < 500; i++) {
        char path[64], number[16];
        snprintf(path, sizeof path, "verdicts.%d.rowNumber", i);
        snprintf(number, sizeof number, "%d", i);
        assert_string_equal(house_text(reply, path), number);
        snprintf(path, sizeof path, "verdicts.%d.outcome", i);
        assert_string_equal(house_text(reply, path), i == 250 ? "ROW_OUTCOME_REFUSED" : "ROW_OUTCOME_CREATED");
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 499);
}

#define ROW(ref, member, minor)                                                                                        \
    "{'rowNumber': 1, 'transactionRef': '" ref "', 'memberRef': '" member "', 'amount': {'currencyCode': 'CNY', "      \
    "'amountMinor': '" minor "'}, 'transactionTime': '2026-01-15T08:00:00Z'}"

static const struct {
    const char *story, *row, *verdict;
} accrual_rows[] = {
    { "earns, rounded down", ROW("t:1", "ann", "1239"), "{'outcome': 'ROW_OUTCOME_CREATED', 'points': '123'}" },
    { "the same again", ROW("t:1", "ann", "1239"), "{'outcome': 'ROW_OUTCOME_UNCHANGED', 'points': '123'}" },
    { "the same name, another amount", ROW("t:1", "ann", "1240"),
      "{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': 'TRANSACTION_REUSED'}" },
    { "too little", ROW("t:2", "ann", "9"), "{'outcome': 'ROW_OUTCOME_CREATED'}" },
    { "too little, the same again", ROW("t:2", "ann", "9"), "{'outcome': 'ROW_OUTCOME_UNCHANGED'}" },
    { "nobody", ROW("t:3", "nobody", "1000"), "{'reason': 'MEMBER_NOT_FOUND'}" },
    { "zero", ROW("t:4", "ann", "0"),
      "{'reason': 'FIELD_INVALID', 'detail': 'amount.amount_minor: must be 1 to 100000000000000'}" },
    { "the largest number there is", ROW("t:5", "ann", "9223372036854775807"), "{'reason': 'FIELD_INVALID'}" },
    { "below zero", ROW("t:6", "ann", "-5"), "{'reason': 'FIELD_INVALID'}" },
    { "a name with a blank", ROW("t 7", "ann", "100"), "{'reason': 'FIELD_INVALID'}" },
    { "a card number for a member", ROW("t:8", "4111111111111111", "100"), "{'reason': 'CARD_NUMBER_REFUSED'}" },
    { "a card number for a transaction", ROW("4111111111111111", "ann", "100"), "{'reason': 'CARD_NUMBER_REFUSED'}" },
    { "twelve digits are a reference number", ROW("411111111117", "ann", "1000"),
      "{'outcome': 'ROW_OUTCOME_CREATED'}" },
    { "a currency without a rate",
      "{'transactionRef': 't:9', 'memberRef': 'ann', 'amount': {'currencyCode': 'USD', 'amountMinor': '1000'}, "
      "'transactionTime': '2026-01-15T08:00:00Z'}",
      "{'reason': 'CURRENCY_NOT_EXCHANGED'}" },
    { "no time",
      "{'transactionRef': 't:9', 'memberRef': 'ann', 'amount': {'currencyCode': 'CNY', 'amountMinor': '100'}}",
      "{'reason': 'FIELD_INVALID', 'detail': 'transaction_time: must be set'}" },
    { "no currency",
      "{'transactionRef': 't:9', 'memberRef': 'ann', 'amount': {'amountMinor': '100'}, 'transactionTime': "
      "'2026-01-15T08:00:00Z'}",
      "{'reason': 'FIELD_INVALID'}" },
};

static void each_accrual_earns_once_for_ever(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 0);
    for (size_t i = 0; i < COUNT(accrual_rows); i++) {
        print_message("           %s\n", accrual_rows[i].story);
        house_expect(house_push(house, BANK, "PushAccruals", "{'bankId': 'bank-a', 'rows': [%s]}", accrual_rows[i].row),
                     "{'verdicts': [%s]}", accrual_rows[i].verdict);
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM accrual"), 3);
    assert_int_equal(house_count(house, "SELECT available FROM account"), 223);
}

static void a_message_that_is_wrong_as_a_whole_ends_the_stream(void **state)
{
    struct house *house = *state;
    static char rows[40 * 501];
    int64_t before = house_rows(house);
    size_t n = 0;

    for (int i = 0; i < 501; i++)
        n += (size_t)snprintf(rows + n, sizeof rows - n, "%s{'member': {'memberRef': 'm%d'}}", i ? ", " : "", i);
    static const char *const methods[] = { "PushMembers", "PushAccruals" };
    for (size_t i = 0; i < COUNT(methods); i++) {
        house_push_refused(house, BANK, methods[i], REASON_NOT_YOURS, "bank_id", "{'bankId': 'bank-b', 'rows': [{}]}");
        house_push_refused(house, BANK, methods[i], REASON_FIELD_INVALID, "rows", "{'bankId': 'bank-a'}");
        house_push_refused(house, "bank/unknown", methods[i], REASON_BANK_NOT_FOUND, "bank_id",
                           "{'bankId': 'unknown', 'rows': [{}]}");
        house_push_refused(house, "merchant/shop-1", methods[i], REASON_ROLE_NOT_ALLOWED, NULL, "{}");
    }
    house_push_refused(house, BANK, "PushMembers", REASON_FIELD_INVALID, "rows", "{'bankId': 'bank-a', 'rows': [%s]}",
                       rows);
    assert_int_equal(house_rows(house), before);
}

#define RULES(from, months)                                                                                            \
    "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '" from                                        \
    "', 'rates': [{'currencyCode': 'CNY', "                                                                            \
    "'conversionRate': {'num': 2, 'den': 1}, 'settlementRate': {'num': 1, 'den': 2}}], 'expiryMonths': " months        \
    ", 'accrualRate': {'num': 1, 'den': 1}}}"

static void rules_follow_one_another(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    house_expect(house_ask(house, BANK, "GetExchangeRules", "{'bankId': 'bank-a'}"),
                 "{'version': 1, 'minimumPoints': '1', 'effectiveFrom': '2026-01-15T12:00:00Z', 'expiryMonths': 12}");
    house_expect(house_ask(house, BANK, "PublishExchangeRules", RULES("2026-02-01T00:00:00Z", "6"), id),
                 "{'version': 2, 'minimumPoints': '1', 'effectiveFrom': '2026-02-01T00:00:00Z'}");
    int64_t before = house_rows(house);
    house_expect(house_ask(house, BANK, "PublishExchangeRules", RULES("2026-02-01T00:00:00Z", "6"), id),
                 "{'version': 2}");
    house_refused(house, BANK, "PublishExchangeRules", REASON_REQUEST_ID_REUSED, "request_id",
                  RULES("2026-02-01T00:00:00Z", "7"), id);
    house_refused(house, BANK, "PublishExchangeRules", REASON_EFFECTIVE_TOO_EARLY, "rules.effective_from",
                  RULES("2026-02-01T00:00:00Z", "7"), house_id());
    house_refused(house, BANK, "PublishExchangeRules", REASON_EFFECTIVE_TOO_EARLY, "rules.effective_from",
                  RULES("2026-01-15T11:59:59.999999Z", "7"), house_id());
    assert_int_equal(house_rows(house), before);
    /* The older version is in force until the instant, the newer from it on. */
    house_expect(house_ask(house, BANK, "GetExchangeRules", "{'bankId': 'bank-a'}"), "{'version': 1}");
    house_ask(house, "operator/olga", "AdvanceTestClock",
              "{'programmeId': 'demo', 'programmeTime': '2026-02-01T00:00:00Z'}");
    house_expect(house_ask(house, "operator/olga", "GetExchangeRules", "{'bankId': 'bank-a'}"),
                 "{'version': 2, 'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '2', 'den': '1'}, "
                 "'settlementRate': {'num': '1', 'den': '2'}}], 'accrualRate': {'num': '1', 'den': '1'}}");
    house_expect(house_ask(house, BANK, "GetExchangeRules", "{'bankId': 'bank-a', 'version': 1}"), "{'version': 1}");
    house_refused(house, BANK, "GetExchangeRules", REASON_RULES_NOT_FOUND, "version",
                  "{'bankId': 'bank-a', 'version': 3}");
    house_refused(house, "bank/bank-b", "GetExchangeRules", REASON_NO_RULES_IN_FORCE, NULL, "{'bankId': 'bank-b'}");
    house_refused(house, "bank/bank-b", "GetExchangeRules", REASON_NOT_YOURS, "bank_id", "{'bankId': 'bank-a'}");
    house_refused(house, "bank/bank-b", "PublishExchangeRules", REASON_NOT_YOURS, "rules.bank_id",
                  RULES("2026-03-01T00:00:00Z", "6"), house_id());
}

static void a_balance_is_as_of_programme_time(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 40);
    house_expect(
        house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
        "{'bankId': 'bank-a', 'memberRef': 'ann', 'availablePoints': '40', 'heldPoints': '0', 'creditLimit': '0', "
        "'status': 'MEMBER_STATUS_ACTIVE', 'lots': [{'points': '40', 'expiresOn': '2027-02-01'}], 'time': "
        "'2026-01-15T12:00:00Z'}");
    /* Gone on the day it says, whether or not anybody wrote that down. */
    house_sql(house, "UPDATE fence SET business_date = '2027-01-31'");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '40'}");
    house_sql(house, "UPDATE fence SET business_date = '2027-02-01'");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '0', 'lots': []}");
    assert_int_equal(house_count(house, "SELECT available FROM account"), 40);
    house_refused(house, "bank/bank-b", "GetBalance", REASON_NOT_YOURS, "bank_id",
                  "{'bankId': 'bank-a', 'memberRef': 'ann'}");
    house_refused(house, "bank/bank-b", "GetBalance", REASON_MEMBER_NOT_FOUND, "member_ref",
                  "{'bankId': 'bank-b', 'memberRef': 'ann'}");
    house_refused(house, BANK, "GetBalance", REASON_CARD_NUMBER_REFUSED, "member_ref",
                  "{'bankId': 'bank-a', 'memberRef': '4111111111111111'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_member_row_gets_its_own_verdict, setup, teardown),
        cmocka_unit_test_setup_teardown(verdicts_stand_in_the_order_of_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(each_accrual_earns_once_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_that_is_wrong_as_a_whole_ends_the_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_follow_one_another, setup, teardown),
        cmocka_unit_test_setup_teardown(a_balance_is_as_of_programme_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
