/* Points and cash: what a price is paid with, within the bank's bounds, and what of it belongs to each part. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK   "bank/bank-a"
#define SHOP   "merchant/shop-1"
#define OLGA   "operator/olga"
#define NUMBER "{'bankId': 'bank-a', 'number': 1}"

/* A fen is a point; 100 to 5,000 points in steps of 100, and between a fifth and four fifths of a price. */
#define DOCUMENT                                                                                                       \
    "{'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': "      \
    "{'num': '7', 'den': '10'}}], 'minimumPoints': '100', 'expiryMonths': 24, 'accrualRate': {'num': '1', 'den': "     \
    "'10'}}, 'accrualBase': 'ACCRUAL_BASE_WHOLE_AMOUNT', 'maximumPoints': '5000', 'stepPoints': '100', "               \
    "'pointsAndCash': {'leastPointsBp': 2000, 'mostPointsBp': 8000}}"

static int setup_without(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 100000);
    return 0;
}

static int setup_with(void **state, const char *document)
{
    setup_without(state);
    struct house *house = *state;

    house_ask(house, OLGA, "RegisterGood",
              "{'good': {'goodsId': 'lamp', 'merchantId': 'shop-1', 'name': 'Lamp', 'kind': 'GOODS_KIND_PHYSICAL', "
              "'price': {'currencyCode': 'CNY', 'amountMinor': '500'}, 'carrierId': 'swift'}}");
    house_ask(house, "bank/bank-a/person/ann", "DraftRuleSet",
              "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}", house_id(), document);
    house_expect(house_ask(house, BANK, "ValidateRuleSet", NUMBER), "{'findings': []}");
    house_ask(house, "bank/bank-a/person/ben", "ApproveRuleSet", NUMBER);
    house_ask(house, BANK, "ScheduleRuleSet",
              "{'bankId': 'bank-a', 'number': 1, 'effectiveFrom': '2026-01-15T13:00:00Z'}");
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T13:00:00Z'}");
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, DOCUMENT);
}

/* Ten points a fen, and as few of them as one likes. */
static int setup_fine(void **state)
{
    return setup_with(state,
                      "{'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '10', 'den': '1'}, "
                      "'settlementRate': {'num': '7', 'den': '100'}}], 'minimumPoints': '1', 'expiryMonths': 24, "
                      "'accrualRate': {'num': '1', 'den': '10'}}, 'accrualBase': "
                      "'ACCRUAL_BASE_WHOLE_AMOUNT', 'maximumPoints': '100000', 'stepPoints': '1', "
                      "'pointsAndCash': {'leastPointsBp': 0, 'mostPointsBp': 8000}}");
}

static int teardown(void **state)
{
    struct house *house = *state;

    house_expect(house_push(house, OLGA, "VerifyLedger", "{'programmeId': 'demo'}"),
                 "{'finished': true, 'findingsTotal': '0'}");
    house_close(house);
    return 0;
}

#define MONEY(minor) "{'currencyCode': 'CNY', 'amountMinor': '" #minor "'}"
#define FOR(price)   ", 'price': " MONEY(price)
#define AND(cash)    ", 'cash': " MONEY(cash)
#define HOLD         "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': '%d'%s}"
#define QUOTE        "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'points': '%d'%s}"
#define PART         "{'requestId': '%s', 'redemptionId': '%s', 'points': '%d'}"

static void a_quote_says_what_is_left_for_cash(void **state)
{
    struct house *house = *state;

    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 0, FOR(2000)),
                 "{'points': '1600', 'cash': " MONEY(400) ", 'leastPoints': '400', 'mostPoints': '1600'}");
    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 1000, FOR(2000)),
                 "{'points': '1000', 'cash': " MONEY(1000) "}");
    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 700, FOR(1999)),
                 "{'points': '700', 'cash': " MONEY(1300) ", 'leastPoints': '400', 'mostPoints': '1600'}");
    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 0, FOR(100000)), /* no more than 5,000 at a time */
                 "{'points': '100000', 'leastPoints': '20000', 'mostPoints': '5000'}");
    house_refused(house, SHOP, "QuoteRedemption", REASON_CASH_BOUNDS, "points", QUOTE, 1700, FOR(2000));
    house_refused(house, SHOP, "QuoteRedemption", REASON_CASH_BOUNDS, "points", QUOTE, 300, FOR(2000));
    house_refused(house, SHOP, "QuoteRedemption", REASON_NOT_A_STEP, "points", QUOTE, 450, FOR(2000));
}

static const struct {
    const char *story, *more;
    int points;
    enum reason reason;
} wrong[] = {
    { "all points, and no cash", FOR(2000), 2000, REASON_CASH_BOUNDS },
    { "a part, and no cash", FOR(2000), 1000, REASON_QUOTE_CHANGED },
    { "a fen too little", FOR(2000) AND(999), 1000, REASON_QUOTE_CHANGED },
    { "a fen too much", FOR(2000) AND(1001), 1000, REASON_QUOTE_CHANGED },
    { "too many points", FOR(2000) AND(300), 1700, REASON_CASH_BOUNDS },
    { "too few points", FOR(2000) AND(1700), 300, REASON_CASH_BOUNDS },
    { "no whole step", FOR(2000) AND(1550), 450, REASON_NOT_A_STEP },
    { "more points than it costs", FOR(2000) AND(100), 2100, REASON_QUOTE_CHANGED },
    { "cash for nothing", AND(100), 1000, REASON_FIELD_INVALID },
    { "as much cash as the price", FOR(2000) AND(2000), 1000, REASON_FIELD_INVALID },
    { "cash of no amount", FOR(2000) AND(0), 1000, REASON_FIELD_INVALID },
    { "cash below zero", FOR(2000) AND(-5), 1000, REASON_FIELD_INVALID },
    { "other money", FOR(2000) ", 'cash': {'currencyCode': 'USD', 'amountMinor': '1000'}", 1000, REASON_FIELD_INVALID },
    { "a price beside a good", FOR(500) ", 'goodsId': 'kettle'", 500, REASON_FIELD_INVALID },
};

static void what_does_not_fit_moves_nothing(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        print_message("           %s\n", wrong[i].story);
        house_refused(house, SHOP, "HoldRedemption", wrong[i].reason, NULL, HOLD, house_id(), wrong[i].points,
                      wrong[i].more);
    }
    assert_int_equal(house_count(house, "SELECT available FROM account"), 100000);
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE price_minor <> 0 OR cash_minor <> 0"),
                     0);
}

/* 1999 costs 2,000 points; 700 of them pay 699. */
static void the_parts_add_up(void **state)
{
    struct house *house = *state;
    const char *id = house_id();
    json_t *held = house_ask(house, SHOP, "HoldRedemption", HOLD, id, 700, FOR(1999) AND(1300));
    const char *redemption = house_text(held, "redemptionId");
    char second[40];

    house_expect(held, "{'points': '700', 'cash': " MONEY(1300) "}");
    assert_true(json_equal(held, house_ask(house, SHOP, "HoldRedemption", HOLD, id, 700, FOR(1999) AND(1300))));
    house_refused(house, SHOP, "HoldRedemption", REASON_REQUEST_ID_REUSED, NULL, HOLD, id, 700, FOR(1998) AND(1300));
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'price': " MONEY(1999) ", 'cash': " MONEY(1300) "}");
    house_expect(house_ask(house, SHOP, "ConfirmRedemption", PART, house_id(), redemption, 300),
                 "{'points': '300', 'cash': " MONEY(557) ", 'gross': " MONEY(210) "}");
    house_expect(house_ask(house, SHOP, "ReverseRedemption", PART, house_id(), redemption, 100),
                 "{'cash': " MONEY(-185) ", 'gross': " MONEY(-70) "}");
    snprintf(second, sizeof second, "%s", house_id());
    json_t *back = house_ask(house, SHOP, "ReverseRedemption", PART, second, redemption, 100);
    house_expect(back, "{'cash': " MONEY(-186) "}");
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'price': " MONEY(1999) ", 'cash': " MONEY(186) "}");
    house_expect(house_ask(house, SHOP, "ReverseRedemption", PART, house_id(), redemption, 0),
                 "{'cash': " MONEY(-186) "}");
    assert_true(json_equal(back, house_ask(house, SHOP, "ReverseRedemption", PART, second, redemption, 100)));
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'state': 'REDEMPTION_STATE_REVERSED', 'cash': " MONEY(0) "}");
    assert_int_equal(house_count(house, "SELECT sum(cash_minor)::int8 FROM operation"), 0);
}

static void what_ends_otherwise_has_no_cash(void **state)
{
    struct house *house = *state;
    json_t *held = house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 1000, FOR(2000) AND(1000));
    const char *redemption = house_text(held, "redemptionId");

    json_t *cancelled =
        house_ask(house, SHOP, "CancelRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
    assert_null(json_object_get(cancelled, "cash"));
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'state': 'REDEMPTION_STATE_CANCELLED', 'price': " MONEY(2000) ", 'cash': " MONEY(0) "}");
    held = house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 1000, FOR(2000) AND(1000));
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T14:00:00Z'}");
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", house_text(held, "redemptionId")),
                 "{'state': 'REDEMPTION_STATE_LAPSED', 'price': " MONEY(2000) ", 'cash': " MONEY(0) "}");
}

#define LAMP                                                                                                           \
    ", 'goodsId': 'lamp', 'shipTo': {'recipient': 'Ann', 'phone': '5550100', 'addressLine': 'Main Street 1', 'city': " \
    "'Springfield', 'countryCode': 'CN'}"

/* 500 fen: at most 400 points. */
static void a_good_is_paid_with_both(void **state)
{
    struct house *house = *state;

    house_refused(house, SHOP, "RedeemPoints", REASON_CASH_BOUNDS, NULL, HOLD, house_id(), 500, LAMP);
    house_refused(house, SHOP, "RedeemPoints", REASON_QUOTE_CHANGED, NULL, HOLD, house_id(), 400, LAMP AND(99));
    house_refused(house, SHOP, "RedeemPoints", REASON_CURRENCY_DIFFERS, "cash.currency_code", HOLD, house_id(), 400,
                  LAMP ", 'cash': {'currencyCode': 'USD', 'amountMinor': '100'}");
    json_t *done = house_ask(house, SHOP, "RedeemPoints", HOLD, house_id(), 400, LAMP AND(100));
    house_expect(done, "{'points': '400', 'cash': " MONEY(100) ", 'gross': " MONEY(280) "}");
    house_expect(house_ask(house, SHOP, "ReverseRedemption", PART, house_id(), house_text(done, "redemptionId"), 0),
                 "{'cash': " MONEY(-100) "}");
}

static void the_command_line_knows_both(void **state)
{
    struct house *house = *state;
    char printed[4000];

    assert_int_equal(house_type(house, SHOP,
                                "alliance redeem quote --bank bank-a --price 20.00 --currency CNY --points 1000",
                                printed, sizeof printed),
                     0);
    assert_non_null(strstr(printed, "10.00 CNY"));
    assert_int_equal(house_type(house, SHOP,
                                "alliance redeem points --bank bank-a --member ann --points 1000 --price 20.00 --cash "
                                "10.00 --currency CNY",
                                printed, sizeof printed),
                     0);
    assert_non_null(strstr(printed, "cash"));
    assert_int_equal(house_count(house, "SELECT cash_minor FROM redemption"), 1000);
}

/* Five points are half a fen: they pay nothing, and then all of the price would be cash. */
static void points_that_pay_nothing_are_refused(void **state)
{
    struct house *house = *state;

    house_refused(house, SHOP, "QuoteRedemption", REASON_CASH_BOUNDS, "points", QUOTE, 5, FOR(500));
    house_refused(house, SHOP, "RedeemPoints", REASON_CASH_BOUNDS, NULL, HOLD, house_id(), 5, LAMP AND(500));
    house_refused(house, SHOP, "RedeemPoints", REASON_CASH_BOUNDS, NULL, HOLD, house_id(), 5, LAMP AND(600));
    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 0, FOR(1)),
                 "{'points': '10', 'leastPoints': '10', 'mostPoints': '8'}"); /* eight pay nothing */
    house_refused(house, SHOP, "HoldRedemption", REASON_CASH_BOUNDS, NULL, HOLD, house_id(), 10, FOR(1));
    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 0, FOR(500)),
                 "{'points': '4000', 'leastPoints': '10', 'mostPoints': '4000'}");
    house_refused(house, SHOP, "QuoteRedemption", REASON_CASH_BOUNDS, "points", QUOTE, 9, FOR(500));
    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 10, FOR(500)),
                 "{'points': '10', 'cash': " MONEY(499) "}");
    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 15, FOR(500)),
                 "{'points': '15', 'cash': " MONEY(499) "}");
    house_expect(house_ask(house, SHOP, "RedeemPoints", HOLD, house_id(), 15, LAMP AND(499)),
                 "{'points': '15', 'cash': " MONEY(499) "}");
}

static void without_a_rule_set_points_pay_all(void **state)
{
    struct house *house = *state;

    house_expect(house_ask(house, SHOP, "QuoteRedemption", QUOTE, 0, FOR(2000)),
                 "{'points': '2000', 'leastPoints': '2000', 'mostPoints': '2000'}");
    house_refused(house, SHOP, "HoldRedemption", REASON_CASH_BOUNDS, NULL, HOLD, house_id(), 1000, FOR(2000) AND(1000));
    house_refused(house, SHOP, "HoldRedemption", REASON_QUOTE_CHANGED, NULL, HOLD, house_id(), 1000, FOR(2000));
    json_t *held = house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 2000, FOR(2000));
    assert_null(json_object_get(held, "cash"));
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", house_text(held, "redemptionId")),
                 "{'price': " MONEY(2000) ", 'cash': " MONEY(0) "}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_quote_says_what_is_left_for_cash, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_moves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_parts_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ends_otherwise_has_no_cash, setup, teardown),
        cmocka_unit_test_setup_teardown(a_good_is_paid_with_both, setup, teardown),
        cmocka_unit_test_setup_teardown(the_command_line_knows_both, setup, teardown),
        cmocka_unit_test_setup_teardown(points_that_pay_nothing_are_refused, setup_fine, teardown),
        cmocka_unit_test_setup_teardown(without_a_rule_set_points_pay_all, setup_without, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
