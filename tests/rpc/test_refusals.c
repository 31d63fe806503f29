/*
 * What the server refuses, whoever asks: each refusal has its status and its reason, and nothing is written.
 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    house_member(*state, "ann", 1000);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define HOLD(merchant, bank, member, points)                                                                           \
    "{'requestId': '@', 'merchantId': '" merchant "', 'bankId': '" bank "', 'memberRef': '" member                     \
    "', 'points': '" points "'}"
#define SHIP "'shipTo': {'recipient': 'A', 'phone': '1', 'addressLine': 'B', 'city': 'C', 'countryCode': 'CN'}"

static const struct {
    const char *story, *party, *method, *request;
    enum reason reason;
    const char *field;
} cases[] = {
    { "a merchant acting for another", "merchant/shop-2", "HoldRedemption", HOLD("shop-1", "bank-a", "ann", "10"),
      REASON_NOT_YOURS, "merchant_id" },
    { "a member of another bank", "merchant/shop-1", "HoldRedemption", HOLD("shop-1", "bank-b", "ann", "10"),
      REASON_MEMBER_NOT_FOUND, NULL },
    { "a bank of another programme", "merchant/shop-1", "HoldRedemption", HOLD("shop-1", "bank-x", "ann", "10"),
      REASON_MERCHANT_NOT_FOUND, "merchant_id" },
    { "a bank there is not", "merchant/shop-1", "HoldRedemption", HOLD("shop-1", "bank-z", "ann", "10"),
      REASON_BANK_NOT_FOUND, "bank_id" },
    { "a merchant that is not registered", "merchant/shop-9", "HoldRedemption", HOLD("shop-9", "bank-a", "ann", "10"),
      REASON_MERCHANT_NOT_FOUND, "merchant_id" },
    { "no points", "merchant/shop-1", "HoldRedemption", HOLD("shop-1", "bank-a", "ann", "0"),
      REASON_POINTS_NOT_POSITIVE, "points" },
    { "points below zero", "merchant/shop-1", "HoldRedemption", HOLD("shop-1", "bank-a", "ann", "-1"),
      REASON_POINTS_NOT_POSITIVE, "points" },
    { "the largest number there is", "merchant/shop-1", "HoldRedemption",
      HOLD("shop-1", "bank-a", "ann", "9223372036854775807"), REASON_POINTS_TOO_MANY, "points" },
    { "the smallest number there is", "merchant/shop-1", "HoldRedemption",
      HOLD("shop-1", "bank-a", "ann", "-9223372036854775808"), REASON_POINTS_NOT_POSITIVE, "points" },
    { "a random request_id", "merchant/shop-1", "HoldRedemption",
      "{'requestId': '6ba7b810-9dad-41d1-80b4-00c04fd430c8', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': "
      "'ann', 'points': 1}",
      REASON_REQUEST_ID_INVALID, "request_id" },
    { "a card number", "merchant/shop-1", "HoldRedemption", HOLD("shop-1", "bank-a", "4111111111111111", "1"),
      REASON_CARD_NUMBER_REFUSED, "member_ref" },
    { "a store of nobody", "merchant/shop-1", "HoldRedemption",
      "{'requestId': '@', 'merchantId': 'shop-1', 'storeId': 's-9', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': "
      "1}",
      REASON_STORE_NOT_FOUND, "store_id" },
    { "another merchant's good", "merchant/shop-2", "HoldRedemption",
      "{'requestId': '@', 'merchantId': 'shop-2', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': 500, 'goodsId': "
      "'kettle', " SHIP "}",
      REASON_GOODS_NOT_FOUND, "goods_id" },
    { "a good to nowhere", "merchant/shop-1", "HoldRedemption",
      "{'requestId': '@', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': 500, 'goodsId': "
      "'kettle'}",
      REASON_FIELD_INVALID, "ship_to" },
    { "a bank at the till", "bank/bank-a", "HoldRedemption", HOLD("shop-1", "bank-a", "ann", "10"),
      REASON_ROLE_NOT_ALLOWED, NULL },
    { "the operator at the till", "operator/olga", "HoldRedemption", HOLD("shop-1", "bank-a", "ann", "10"),
      REASON_ROLE_NOT_ALLOWED, NULL },
    { "confirm what is not there", "merchant/shop-1", "ConfirmRedemption",
      "{'requestId': '@', 'redemptionId': '01900000-0000-7000-8000-000000000000.0000'}", REASON_REDEMPTION_NOT_FOUND,
      NULL },
    { "confirm by somebody unregistered", "merchant/shop-9", "ConfirmRedemption",
      "{'requestId': '@', 'redemptionId': '01900000-0000-7000-8000-000000000000.0000'}", REASON_REDEMPTION_NOT_FOUND,
      NULL },
    { "quote another merchant's good", "merchant/shop-2", "QuoteRedemption",
      "{'merchantId': 'shop-2', 'bankId': 'bank-a', 'goodsId': 'kettle'}", REASON_GOODS_NOT_FOUND, "goods_id" },
    { "quote in a currency without a rate", "merchant/shop-1", "QuoteRedemption",
      "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'price': {'currencyCode': 'USD', 'amountMinor': 1}}",
      REASON_CURRENCY_NOT_EXCHANGED, NULL },
    { "quote at a bank without rules", "merchant/shop-1", "QuoteRedemption",
      "{'merchantId': 'shop-1', 'bankId': 'bank-b', 'price': {'currencyCode': 'CNY', 'amountMinor': 1}}",
      REASON_NO_RULES_IN_FORCE, NULL },
    { "quote more than points go", "merchant/shop-1", "QuoteRedemption",
      "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'price': {'currencyCode': 'CNY', 'amountMinor': 100000000000000}}",
      REASON_AMOUNT_TOO_LARGE, NULL },
    { "a merchant as operator", "merchant/shop-1", "RegisterBank",
      "{'bank': {'bankId': 'b', 'programmeId': 'demo', 'name': 'B'}}", REASON_ROLE_NOT_ALLOWED, NULL },
    { "a bank of no programme", "operator/olga", "RegisterBank",
      "{'bank': {'bankId': 'b', 'programmeId': 'nowhere', 'name': 'B'}}", REASON_PROGRAMME_NOT_FOUND,
      "bank.programme_id" },
    { "a good of no merchant", "operator/olga", "RegisterGood",
      "{'good': {'goodsId': 'g', 'merchantId': 'm', 'name': 'G', 'kind': 1, 'price': {'currencyCode': 'CNY', "
      "'amountMinor': 1}, 'carrierId': 'swift'}}",
      REASON_MERCHANT_NOT_FOUND, "good.merchant_id" },
    { "a good without a carrier", "operator/olga", "RegisterGood",
      "{'good': {'goodsId': 'g', 'merchantId': 'shop-1', 'name': 'G', 'kind': 1, 'price': {'currencyCode': 'CNY', "
      "'amountMinor': 1}, 'carrierId': 'slow'}}",
      REASON_CARRIER_NOT_FOUND, "good.carrier_id" },
    { "a carrier of another programme", "operator/olga", "RegisterGood",
      "{'good': {'goodsId': 'g', 'merchantId': 'shop-x', 'name': 'G', 'kind': 1, 'price': {'currencyCode': 'CNY', "
      "'amountMinor': 1}, 'carrierId': 'swift'}}",
      REASON_CARRIER_NOT_FOUND, "good.carrier_id" },
    { "a good in a currency its merchant is not paid in", "operator/olga", "RegisterGood",
      "{'good': {'goodsId': 'g', 'merchantId': 'shop-1', 'name': 'G', 'kind': 1, 'price': {'currencyCode': 'USD', "
      "'amountMinor': 1}, 'carrierId': 'swift'}}",
      REASON_FIELD_INVALID, "good.price.currency_code" },
};

static const char *with_id(const char *request)
{
    static char text[2048];
    const char *at = strchr(request, '@');

    if (at)
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - request), request, house_id(), at + 1);
    return at ? text : request;
}

static void nothing_is_written(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t before = house_rows(house);
        print_message("           %s\n", cases[i].story);
        house_refused(house, cases[i].party, cases[i].method, cases[i].reason, cases[i].field, "%s",
                      with_id(cases[i].request));
        assert_int_equal(house_rows(house), before);
    }
}

static void until_the_office_opens_nobody_is_served(void **state)
{
    struct house *house = house_open_shut();

    (void)state;
    house_refused(house, "merchant/shop-1", "HoldRedemption", REASON_DATABASE_UNREACHABLE, "", "%s",
                  with_id(HOLD("shop-1", "bank-a", "ann", "10")));
    house_refused(house, "bank/bank-a", "GetBalance", REASON_DATABASE_UNREACHABLE, "",
                  "{'bankId': 'bank-a', 'memberRef': 'ann'}");
    house_push_refused(house, "bank/bank-a", "PushMembers", REASON_DATABASE_UNREACHABLE, "",
                       "{'bankId': 'bank-a', 'rows': [{}]}");
    house_refused(house, "operator/olga", "CreateProgramme", REASON_DATABASE_UNREACHABLE, "",
                  "{'programme': {'programmeId': 'p'}}");
    house_send_refused(house, "operator/olga", "ImportMerchants", REASON_DATABASE_UNREACHABLE, "", "[]");
    house_expect(house_ask(house, "bank/bank-a", "Ping", "{'payload': 'AAEC'}"),
                 "{'payload': 'AAEC', 'principal': 'alliance://bank/bank-a'}");
    house_close(house);
}

/* The connections of clerks and lanes are cut under them while nobody calls: nobody notices. */
static void a_cut_connection_is_made_anew(void **state)
{
    struct house *house = *state;
    static const char balance[] = "{'bankId': 'bank-a', 'memberRef': 'ann'}";

    house_sql(house,
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
              "pg_backend_pid()");
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", balance), "{'availablePoints': '1000'}");
    house_expect(
        house_ask(house, "merchant/shop-1", "HoldRedemption", "%s", with_id(HOLD("shop-1", "bank-a", "ann", "10"))),
        "{'spendablePoints': '990'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_written, setup, teardown),
        cmocka_unit_test(until_the_office_opens_nobody_is_served),
        cmocka_unit_test_setup_teardown(a_cut_connection_is_made_anew, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
