/* PushAccruals as a bank's card system sends it: purchases, points the bank fixes, returns of all or part. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    house_member(*state, "ann", 0);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define ROW(ref, minor, rest)                                                                                          \
    "{'transactionRef': '" ref "', 'memberRef': 'ann', 'amount': {'currencyCode': 'CNY', 'amountMinor': '" minor       \
    "'}, 'transactionTime': '2026-01-14T08:00:00Z'" rest "}"
#define RETURN(ref, minor, of) ROW(ref, minor, ", 'reversalOf': '" of "'")
#define DONE(number)           "{'outcome': 'ROW_OUTCOME_CREATED', 'points': '" #number "'}"
#define AGAIN(number)          "{'outcome': 'ROW_OUTCOME_UNCHANGED', 'points': '" #number "'}"
#define NOT(word)              "{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': '" word "', 'points': '0'}"

struct told {
    const char *story, *row, *verdict;
    int64_t available, owed; /* afterwards */
};

static void tell(struct house *house, const struct told *told, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("           %s\n", told[i].story);
        house_expect(house_push(house, BANK, "PushAccruals", "{'bankId': 'bank-a', 'rows': [%s]}", told[i].row),
                     "{'verdicts': [%s]}", told[i].verdict);
        assert_int_equal(house_count(house, "SELECT available FROM account"), told[i].available);
        assert_int_equal(house_count(house, "SELECT credit_used FROM account"), told[i].owed);
    }
    house_expect(house_push(house, "operator/olga", "VerifyLedger", "{'programmeId': 'demo'}"),
                 "{'finished': true, 'findingsTotal': '0'}");
}

/* 10 points for 100 minor units, rounded down: 107 earn 10, of which each third stands for 3, 3 and 4. */
static void the_parts_of_a_purchase_take_back_what_it_earned(void **state)
{
    static const struct told told[] = {
        { "a return before its purchase", RETURN("r-1", "36", "p-1"), NOT("ACCRUAL_NOT_FOUND"), 0, 0 },
        { "the purchase", ROW("p-1", "107", ""), DONE(10), 10, 0 },
        { "a third of it", RETURN("r-1", "36", "p-1"), DONE(3), 7, 0 },
        { "the same row again", RETURN("r-1", "36", "p-1"), AGAIN(3), 7, 0 },
        { "the same name, another amount", RETURN("r-1", "35", "p-1"), NOT("TRANSACTION_REUSED"), 7, 0 },
        { "a purchase of that name", ROW("r-1", "36", ""), NOT("TRANSACTION_REUSED"), 7, 0 },
        { "a return named as a purchase is", RETURN("p-1", "36", "p-2"), NOT("TRANSACTION_REUSED"), 7, 0 },
        { "more than is left", RETURN("r-2", "72", "p-1"), NOT("BEYOND_SPEND"), 7, 0 },
        { "the second third, as a bank's file says it",
          ROW("r-2", "36",
              ", 'reversalOf': 'p-1', 'merchantCategoryCode': '5411', 'merchantName': 'Tea', 'merchantId': 'shop-1', "
              "'channel': 'online'"),
          DONE(3), 4, 0 },
        { "the rest", RETURN("r-3", "35", "p-1"), DONE(4), 0, 0 },
        { "nothing is left", RETURN("r-4", "1", "p-1"), NOT("BEYOND_SPEND"), 0, 0 },
        { "of nobody's purchase", RETURN("r-4", "1", "p-9"), NOT("ACCRUAL_NOT_FOUND"), 0, 0 },
    };
    struct house *house = *state;

    tell(house, told, COUNT(told));
    assert_int_equal(house_count(house, "SELECT count(*) FROM accrual"), 1);
    assert_int_equal(house_count(house, "SELECT reversed_minor FROM accrual"), 107);
    assert_int_equal(house_count(house, "SELECT clawed_points FROM accrual"), 10);
}

static void a_part_too_small_for_a_point_is_remembered(void **state)
{
    static const struct told told[] = {
        { "the purchase", ROW("p-1", "107", ""), DONE(10), 10, 0 },
        { "five minor units stand for no point", RETURN("r-1", "5", "p-1"), DONE(0), 10, 0 },
        { "the same row again", RETURN("r-1", "5", "p-1"), AGAIN(0), 10, 0 },
        { "five more stand for none", RETURN("r-2", "5", "p-1"), DONE(0), 10, 0 },
        { "one more makes the first", RETURN("r-3", "1", "p-1"), DONE(1), 9, 0 },
    };

    tell(*state, told, COUNT(told));
}

/* The bank gives 500 for a purchase of 3; returned when half of them are spent, the rest is owed. */
static void what_the_bank_fixes_is_what_comes_back(void **state)
{
    static const struct told before[] = {
        { "a welcome gift", ROW("p-1", "3", ", 'fixedPoints': '500', 'merchantName': 'Tea & Co'"), DONE(500), 500, 0 },
        { "a currency without a rate",
          "{'transactionRef': 'p-2', 'memberRef': 'ann', 'amount': {'currencyCode': 'USD', 'amountMinor': '9'}, "
          "'transactionTime': '2026-01-14T08:00:00Z', 'fixedPoints': '7', 'merchantCategoryCode': '5814'}",
          DONE(7), 507, 0 },
        { "returned in another currency", RETURN("r-2", "9", "p-2"), NOT("CURRENCY_DIFFERS"), 507, 0 },
    };
    static const struct told after[] = {
        { "one of three", RETURN("r-3", "1", "p-1"), DONE(166), 41, 0 },
        { "the other two", RETURN("r-4", "2", "p-1"), DONE(334), 0, 293 },
    };
    struct house *house = *state;

    tell(house, before, COUNT(before));
    house_ask(house, "merchant/shop-1", "RedeemPoints",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', 'points': 300}",
              house_id());
    tell(house, after, COUNT(after));
    assert_int_equal(house_count(house, "SELECT count(*) FROM accrual WHERE fixed_points"), 2);
    assert_int_equal(house_count(house, "SELECT category FROM accrual WHERE transaction_ref = 'p-2'"), 5814);
    assert_int_equal(house_count(house, "SELECT count(*) FROM accrual WHERE place = 'Tea & Co'"), 1);
}

/* New rules of double the rate change nothing for what was earned before. */
static void the_rules_of_today_do_not_matter(void **state)
{
    static const struct told before[] = { { "the purchase", ROW("p-1", "1000", ""), DONE(100), 100, 0 } };
    static const struct told after[] = { { "half of it", RETURN("r-1", "500", "p-1"), DONE(50), 50, 0 } };
    struct house *house = *state;

    tell(house, before, COUNT(before));
    house_ask(house, "operator/olga", "AdvanceTestClock",
              "{'programmeId': 'demo', 'programmeTime': '2026-01-15T12:00:01Z'}");
    house_ask(house, BANK, "PublishExchangeRules",
              "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'expiryMonths': 12, 'accrualRate': {'num': 1, "
              "'den': 5}, 'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': 1, 'den': 1}, "
              "'settlementRate': {'num': 1, 'den': 1}}]}}",
              house_id());
    tell(house, after, COUNT(after));
}

/* By hand and by the card system together never more than was earned. */
static void a_clawback_by_hand_leaves_less_to_take(void **state)
{
    static const struct told before[] = { { "the purchase", ROW("p-1", "1000", ""), DONE(100), 100, 0 } };
    static const struct told after[] = { { "all of it", RETURN("r-1", "1000", "p-1"), DONE(40), 0, 0 } };
    struct house *house = *state;

    tell(house, before, COUNT(before));
    house_ask(house, BANK, "ClawBackAccrual",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'transactionRef': 'p-1', 'points': 60}",
              house_id());
    tell(house, after, COUNT(after));
}

#define BY_CARD(ref, minor, card, rest)                                                                                \
    "{'transactionRef': '" ref "', 'cardToken': '" card "', 'amount': {'currencyCode': 'CNY', 'amountMinor': '" minor  \
    "'}, 'transactionTime': '2026-01-14T08:00:00Z'" rest "}"

/* Whoever has the card earns: by an old card and a new one, in one message with rows that name the member. */
static void a_card_stands_for_its_member(void **state)
{
    static const struct told told[] = {
        { "a card nobody has", BY_CARD("p-0", "100", "tok-9999", ""), NOT("CARD_NOT_FOUND"), 0, 0 },
        { "the first card", BY_CARD("p-1", "100", "tok-1111", ""), DONE(10), 10, 0 },
        { "the same row again", BY_CARD("p-1", "100", "tok-1111", ""), AGAIN(10), 10, 0 },
        { "the second card", BY_CARD("p-2", "200", "tok-2222", ""), DONE(20), 30, 0 },
        { "returned by the other card", BY_CARD("r-2", "100", "tok-1111", ", 'reversalOf': 'p-2'"), DONE(10), 20, 0 },
    };
    struct house *house = *state;

    house_expect(house_push(house, BANK, "PushMembers",
                            "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'ann', 'creditLimit': '0', "
                            "'cardTokens': ['tok-1111', 'tok-2222']}}]}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CHANGED'}]}");
    tell(house, told, COUNT(told));
    house_expect(house_push(house, BANK, "PushAccruals", "{'bankId': 'bank-a', 'rows': [%s, %s, %s]}",
                            BY_CARD("p-3", "300", "tok-2222", ""), ROW("p-4", "400", ""),
                            BY_CARD("p-5", "500", "tok-9999", "")),
                 "{'verdicts': [%s, %s, %s]}", DONE(30), DONE(40), NOT("CARD_NOT_FOUND"));
}

static void cards_are(struct house *house, const char *ann, const char *bob)
{
    house_expect(house_push(house, BANK, "PushMembers",
                            "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'ann', 'creditLimit': '0', "
                            "'cardTokens': [%s]}}, {'member': {'memberRef': 'bob', 'creditLimit': '0', 'cardTokens': "
                            "[%s]}}]}",
                            ann, bob),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CHANGED'}, {'outcome': 'ROW_OUTCOME_CHANGED'}]}");
}

static void one_earns(struct house *house, const char *row, const char *verdict, int64_t ann, int64_t bob)
{
    house_expect(house_push(house, BANK, "PushAccruals", "{'bankId': 'bank-a', 'rows': [%s]}", row),
                 "{'verdicts': [%s]}", verdict);
    assert_int_equal(house_count(house, "SELECT available FROM account WHERE member_ref = 'ann'"), ann);
    assert_int_equal(house_count(house, "SELECT available FROM account WHERE member_ref = 'bob'"), bob);
}

/* A bank that sends a day's file again, or returns goods, does not know who had the card in the meantime. */
static void spend_stays_with_who_earned_for_it(void **state)
{
#define FIRST         BY_CARD("p-1", "1000", "tok-1111", "")
#define SECOND        BY_CARD("p-2", "500", "tok-1111", "")
#define BACK(ref, of) BY_CARD(ref, "100", "tok-1111", ", 'reversalOf': '" of "'")
    struct house *house = *state;

    house_member(house, "bob", 0);
    cards_are(house, "'tok-1111'", "'tok-2222'");
    one_earns(house, FIRST, DONE(100), 100, 0);
    cards_are(house, "", "'tok-1111'");
    one_earns(house, FIRST, AGAIN(100), 100, 0);
    one_earns(house, BACK("r-1", "p-1"), DONE(10), 90, 0);
    one_earns(house, BACK("r-1", "p-1"), AGAIN(10), 90, 0);
    one_earns(house, SECOND, DONE(50), 90, 50);
    cards_are(house, "'tok-3333'", ""); /* now it is nobody's */
    one_earns(house, BACK("r-2", "p-2"), DONE(10), 90, 40);
    one_earns(house, BACK("r-3", "p-1"), DONE(10), 80, 40);
    one_earns(house, SECOND, AGAIN(50), 80, 40);
    one_earns(house, BY_CARD("p-3", "100", "tok-1111", ""), NOT("CARD_NOT_FOUND"), 80, 40);
    cards_are(house, "'tok-1111'", "'tok-4444'");
    one_earns(house, SECOND, AGAIN(50), 80, 40);
    one_earns(house, FIRST, AGAIN(100), 80, 40);
    one_earns(house, BY_CARD("p-3", "100", "tok-1111", ""), DONE(10), 90, 40);
#undef BACK
#undef SECOND
#undef FIRST
}

/* Late, twice, too early and of a card nobody knows: what ops/mappings/README.md says becomes of such rows. */
static void every_row_that_is_not_as_it_should_be_has_an_outcome(void **state)
{
#define LATE(ref, minor)                                                                                               \
    "{'transactionRef': '" ref "', 'memberRef': 'ann', 'amount': {'currencyCode': 'CNY', 'amountMinor': '" minor       \
    "'}, 'transactionTime': '2019-03-01T08:00:00Z'}"
    static const struct told before[] = {
        { "late", LATE("p-1", "100"), DONE(10), 10, 0 },
        { "twice", LATE("p-1", "100"), AGAIN(10), 10, 0 },
        { "twice, with another amount", LATE("p-1", "101"), NOT("TRANSACTION_REUSED"), 10, 0 },
        { "a return that comes first", RETURN("r-2", "50", "p-2"), NOT("ACCRUAL_NOT_FOUND"), 10, 0 },
        { "its purchase", ROW("p-2", "100", ""), DONE(10), 20, 0 },
        { "the return again", RETURN("r-2", "50", "p-2"), DONE(5), 15, 0 },
        { "an unknown card", BY_CARD("p-3", "100", "tok-1111", ""), NOT("CARD_NOT_FOUND"), 15, 0 },
    };
    static const struct told after[] = {
        { "the card is known", BY_CARD("p-3", "100", "tok-1111", ""), DONE(10), 25, 0 },
        { "a blocked card", BY_CARD("p-4", "100", "tok-2222", ""), DONE(10), 35, 0 },
    };
    struct house *house = *state;

    tell(house, before, COUNT(before));
    house_expect(
        house_push(house, BANK, "PushMembers",
                   "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'ann', 'creditLimit': '0', 'cards': "
                   "[{'token': 'tok-1111'}, {'token': 'tok-2222', 'status': 'CARD_STATUS_BLOCKED'}]}}]}"),
        "{'verdicts': [{'outcome': 'ROW_OUTCOME_CHANGED'}]}");
    tell(house, after, COUNT(after));
    /* Booked on the open day, by the rules in force, and to live as long as what is earned today. */
    assert_int_equal(house_count(house,
                                 "SELECT count(*) FROM accrual WHERE transaction_ref = 'p-1' AND business_date = "
                                 "'2026-01-15' AND transaction_time = '2019-03-01T08:00:00Z'"),
                     1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account_lot"), 1);
#undef LATE
}

/* Rows by card wait until it is known whose they are: the others of their message stay behind them. */
static void the_order_of_a_message_is_kept(void **state)
{
    struct house *house = *state;

    house_push(house, BANK, "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'ann', 'creditLimit': '0', 'cardTokens': "
               "['tok-1111']}}]}");
    house_expect(house_push(house, BANK, "PushAccruals", "{'bankId': 'bank-a', 'rows': [%s, %s, %s, %s]}",
                            BY_CARD("p-1", "300", "tok-1111", ""), RETURN("r-1", "100", "p-1"), ROW("p-2", "400", ""),
                            BY_CARD("r-2", "400", "tok-1111", ", 'reversalOf': 'p-2'")),
                 "{'verdicts': [%s, %s, %s, %s]}", DONE(30), DONE(10), DONE(40), DONE(40));
    assert_int_equal(house_count(house, "SELECT available FROM account"), 20);
}

static const struct {
    const char *story, *row, *field;
} wrong[] = {
    { "a card and a member", ROW("p", "9", ", 'cardToken': 'tok-1111'"), "member_ref" },
    { "a short token", BY_CARD("p", "9", "tok-1", ""), "card_token" },
    { "neither card nor member", BY_CARD("p", "9", "", ""), "member_ref" },
    { "points below zero", ROW("p", "9", ", 'fixedPoints': '-1'"), "fixed_points" },
    { "more points than there are", ROW("p", "9", ", 'fixedPoints': '1000000000001'"), "fixed_points" },
    { "three digits", ROW("p", "9", ", 'merchantCategoryCode': '581'"), "merchant_category_code" },
    { "letters", ROW("p", "9", ", 'merchantCategoryCode': '58a4'"), "merchant_category_code" },
    { "five digits", ROW("p", "9", ", 'merchantCategoryCode': '58140'"), "merchant_category_code" },
    { "a long name",
      ROW("p", "9", ", 'merchantName': '12345678901234567890123456789012345678901234567890123456789012345'"),
      "merchant_name" },
    { "a return of itself", RETURN("p", "9", "p"), "reversal_of" },
    { "a return of a blank", RETURN("p", "9", "p 1"), "reversal_of" },
    { "a return with letters", ROW("p", "9", ", 'reversalOf': 'q', 'merchantCategoryCode': '58a4'"),
      "merchant_category_code" },
    { "a return paid with points", ROW("p", "9", ", 'reversalOf': 'q', 'paidWithPointsMinor': '1'"),
      "paid_with_points_minor" },
    { "a return with points", ROW("p", "9", ", 'reversalOf': 'q', 'fixedPoints': '1'"), "fixed_points" },
    { "a return that waits", ROW("p", "9", ", 'reversalOf': 'q', 'pendingEvent': true"), "pending_event" },
    { "a return with a funder", ROW("p", "9", ", 'reversalOf': 'q', 'fundingId': 'x'"), "funding_id" },
};

static void each_wrong_row_names_its_field(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        print_message("           %s\n", wrong[i].story);
        json_t *reply = house_push(house, BANK, "PushAccruals", "{'bankId': 'bank-a', 'rows': [%s]}", wrong[i].row);
        assert_string_equal(house_text(reply, "verdicts.0.reason"), "FIELD_INVALID");
        assert_ptr_equal(strstr(house_text(reply, "verdicts.0.detail"), wrong[i].field),
                         house_text(reply, "verdicts.0.detail"));
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM accrual"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_parts_of_a_purchase_take_back_what_it_earned, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_too_small_for_a_point_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_bank_fixes_is_what_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_rules_of_today_do_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clawback_by_hand_leaves_less_to_take, setup, teardown),
        cmocka_unit_test_setup_teardown(a_card_stands_for_its_member, setup, teardown),
        cmocka_unit_test_setup_teardown(spend_stays_with_who_earned_for_it, setup, teardown),
        cmocka_unit_test_setup_teardown(every_row_that_is_not_as_it_should_be_has_an_outcome, setup, teardown),
        cmocka_unit_test_setup_teardown(the_order_of_a_message_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(each_wrong_row_names_its_field, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
