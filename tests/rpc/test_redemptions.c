/* RedemptionService as merchants see it: the whole way of a redemption, and what others may not see or do. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SHOP "merchant/shop-1"
#define SHIP                                                                                                           \
    "{'recipient': 'Li Na', 'phone': '139', 'addressLine': 'Nanjing Rd 1', 'city': 'Shanghai', 'countryCode': 'CN'}"

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 1000);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

static json_t *hold(struct house *house, const char *id, int points)
{
    return house_ask(house, SHOP, "HoldRedemption",
                     "{'requestId': '%s', 'merchantId': 'shop-1', 'storeId': 's-1', 'terminalId': 'T_1', 'bankId': "
                     "'bank-a', 'memberRef': 'ann', 'points': '%d'}",
                     id, points);
}

static void a_redemption_from_quote_to_reversal(void **state)
{
    struct house *house = *state;
    const char *id = house_id(), *confirm = house_id();

    house_expect(
        house_ask(house, SHOP, "QuoteRedemption",
                  "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'price': {'currencyCode': 'CNY', 'amountMinor': "
                  "'400'}}"),
        "{'points': '400', 'rulesVersion': 1, 'minimumPoints': '1', 'price': {'amountMinor': '400'}}");
    json_t *held = hold(house, id, 400);
    house_expect(held, "{'state': 'REDEMPTION_STATE_HELD', 'points': '400', 'spendablePoints': '600', 'businessDate': "
                       "'2026-01-15', 'time': '2026-01-15T12:00:00Z', 'lapseTime': '2026-01-15T12:15:00Z'}");
    const char *redemption = house_text(held, "redemptionId");
    house_expect(hold(house, id, 400), "{'redemptionId': '%s', 'spendablePoints': '600'}", redemption);

    json_t *confirmed = house_ask(house, SHOP, "ConfirmRedemption",
                                  "{'requestId': '%s', 'redemptionId': '%s', 'points': '300'}", confirm, redemption);
    house_expect(confirmed,
                 "{'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '300', 'spendablePoints': '700', 'gross': "
                 "{'currencyCode': 'CNY', 'amountMinor': '210'}, 'commission': {'amountMinor': '2'}}");
    assert_null(json_object_get(confirmed, "lapseTime"));
    house_expect(house_ask(house, SHOP, "ReverseRedemption",
                           "{'requestId': '%s', 'redemptionId': '%s', 'points': '100'}", house_id(), redemption),
                 "{'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '100', 'gross': {'amountMinor': '-70'}}");
    house_expect(house_ask(house, SHOP, "ConfirmRedemption",
                           "{'requestId': '%s', 'redemptionId': '%s', 'points': '300'}", confirm, redemption),
                 "{'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '300', 'spendablePoints': '700'}");
    house_expect(
        house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
        "{'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', 'storeId': 's-1', 'state': "
        "'REDEMPTION_STATE_CONFIRMED', 'heldPoints': '400', 'confirmedPoints': '300', 'reversedPoints': '100', "
        "'gross': {'amountMinor': '140'}, 'rulesVersion': 1, 'termsVersion': 1, 'goodsId': ''}");
    house_expect(house_ask(house, SHOP, "ReverseRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
                           redemption),
                 "{'state': 'REDEMPTION_STATE_REVERSED', 'points': '200', 'spendablePoints': '1000'}");
}

static void a_cancelled_hold_gives_all_back(void **state)
{
    struct house *house = *state;
    const char *redemption = house_text(hold(house, house_id(), 1000), "redemptionId");

    house_refused(house, SHOP, "HoldRedemption", REASON_INSUFFICIENT_POINTS, "",
                  "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': '1'}",
                  house_id());
    house_expect(
        house_ask(house, SHOP, "CancelRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption),
        "{'state': 'REDEMPTION_STATE_CANCELLED', 'points': '1000', 'spendablePoints': '1000'}");
    house_refused(house, SHOP, "ConfirmRedemption", REASON_REDEMPTION_ENDED, NULL,
                  "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
}

/* Nobody has swept: the lanes of a house do not. */
static void a_hold_past_its_time_has_lapsed_in_every_answer(void **state)
{
    struct house *house = *state;
    const char *redemption = house_text(
        house_ask(
            house, SHOP, "HoldRedemption",
            "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': '100', "
            "'lapseAfter': '60s'}",
            house_id()),
        "redemptionId");

    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '900', 'heldPoints': '100'}");
    house_ask(house, "operator/olga", "AdvanceTestClock",
              "{'programmeId': 'demo', 'programmeTime': '2026-01-15T12:01:00Z'}");
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'state': 'REDEMPTION_STATE_LAPSED'}");
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '1000', 'heldPoints': '0', 'lots': [{'points': '1000', 'expiresOn': "
                 "'2027-02-01'}], 'time': '2026-01-15T12:01:00Z'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE state = 1"), 1);
    house_refused(house, SHOP, "ConfirmRedemption", REASON_HOLD_LAPSED, NULL,
                  "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
}

static void a_good_is_held_at_its_quote_and_shipped(void **state)
{
    struct house *house = *state;
    static const char order[] = "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', "
                                "'points': '%d', 'goodsId': 'kettle', 'quantity': 2, 'shipTo': " SHIP "}";
    char request[1024];

    house_expect(house_ask(house, SHOP, "QuoteRedemption",
                           "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'goodsId': 'kettle', 'quantity': 2}"),
                 "{'points': '1000', 'price': {'currencyCode': 'CNY', 'amountMinor': '1000'}}");
    snprintf(request, sizeof request, order, house_id(), 999);
    house_refused(house, SHOP, "HoldRedemption", REASON_QUOTE_CHANGED, NULL, "%s", request);
    snprintf(request, sizeof request, order, house_id(), 1000);
    json_t *held = house_ask(house, SHOP, "HoldRedemption", "%s", request);
    house_expect(house_ask(house, SHOP, "HoldRedemption", "%s", request), "{'redemptionId': '%s'}",
                 house_text(held, "redemptionId"));
    house_ask(house, SHOP, "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
              house_text(held, "redemptionId"));
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", house_text(held, "redemptionId")),
                 "{'goodsId': 'kettle', 'quantity': '2'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM outbox WHERE topic = 2"), 1);
    assert_int_equal(house_count(house,
                                 "SELECT count(*) FROM redemption WHERE state = 2 AND octet_length(ship_to) > 60 "
                                 "AND position('Li Na'::bytea IN ship_to) = 0"),
                     1);
    house_sql(house,
              "INSERT INTO shipment (bucket, id, programme_no, carrier_no, merchant_no, goods_no, quantity, state, "
              "waybill) SELECT bucket, id, programme_no, 1, merchant_no, goods_no, quantity, 2, 'W1' FROM "
              "redemption WHERE state = 2; INSERT INTO shipment_event SELECT bucket, id, 'd', '2026-01-16', 2, 'BK', "
              "'booked' FROM shipment");
    house_expect(
        house_ask(house, "operator/olga", "ListShipments", "{'programmeId': 'demo'}"),
        "{'shipments': [{'redemptionId': '%s', 'carrierId': 'swift', 'state': 'SHIPMENT_STATE_BOOKED', 'waybill': "
        "'W1', 'goodsId': 'kettle', 'quantity': '2', 'events': [{'carrierCode': 'BK', 'remark': 'booked'}]}], "
        "'nextPageToken': ''}",
        house_text(held, "redemptionId"));
}

static void another_merchants_redemption_is_not_there(void **state)
{
    struct house *house = *state;
    const char *redemption = house_text(hold(house, house_id(), 100), "redemptionId");
    char other[64];
    int64_t before = house_rows(house);

    static const char *const methods[] = { "ConfirmRedemption", "CancelRedemption", "ReverseRedemption" };
    for (size_t i = 0; i < COUNT(methods); i++)
        house_refused(house, "merchant/shop-2", methods[i], REASON_REDEMPTION_NOT_FOUND, NULL,
                      "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
    house_refused(house, "merchant/shop-2", "GetRedemption", REASON_REDEMPTION_NOT_FOUND, "redemption_id",
                  "{'redemptionId': '%s'}", redemption);
    /* A right id under a wrong route is no id. */
    snprintf(other, sizeof other, "%s", redemption);
    other[strlen(other) - 1] = other[strlen(other) - 1] == '0' ? '4' : '0';
    house_refused(house, SHOP, "GetRedemption", REASON_REDEMPTION_NOT_FOUND, NULL, "{'redemptionId': '%s'}", other);
    house_refused(house, SHOP, "GetRedemption", REASON_REDEMPTION_NOT_FOUND, NULL, "{'redemptionId': 'nonsense'}");
    assert_int_equal(house_rows(house), before);
}

static void a_request_id_says_one_thing_for_ever(void **state)
{
    struct house *house = *state;
    const char *id = house_id();
    const char *redemption = house_text(hold(house, id, 100), "redemptionId");
    int64_t before = house_rows(house);

    house_refused(
        house, SHOP, "HoldRedemption", REASON_REQUEST_ID_REUSED, NULL,
        "{'requestId': '%s', 'merchantId': 'shop-1', 'storeId': 's-1', 'terminalId': 'T_1', 'bankId': 'bank-a', "
        "'memberRef': 'ann', 'points': '101'}",
        id);
    house_refused(house, SHOP, "CancelRedemption", REASON_REQUEST_ID_REUSED, NULL,
                  "{'requestId': '%s', 'redemptionId': '%s'}", id, redemption);
    assert_int_equal(house_rows(house), before);
}

/* A refusal that depends on the state is kept: a late repeat never succeeds by surprise. */
static void a_refused_hold_stays_refused(void **state)
{
    struct house *house = *state;
    const char *id = house_id();
    static const char request[] = "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'bob', "
                                  "'points': '10'}";

    house_member(house, "bob", 0);
    house_refused(house, SHOP, "HoldRedemption", REASON_INSUFFICIENT_POINTS, NULL, request, id);
    house_push(house, "bank/bank-a", "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'bob', 'creditLimit': '100'}}]}");
    house_refused(house, SHOP, "HoldRedemption", REASON_INSUFFICIENT_POINTS, NULL, request, id);
    house_expect(house_ask(house, SHOP, "HoldRedemption", request, house_id()), "{'spendablePoints': '90'}");
}

static void a_certificate_may_name_a_store_and_a_terminal(void **state)
{
    struct house *house = *state;
    static const char request[] = "{'requestId': '%s', 'merchantId': 'shop-1', 'storeId': '%s', 'terminalId': '%s', "
                                  "'bankId': 'bank-a', 'memberRef': 'ann', 'points': '10'}";
    const char *till = "merchant/shop-1/store/s-2/terminal/t-9";

    house_refused(house, till, "HoldRedemption", REASON_NOT_YOURS, "store_id", request, house_id(), "s-1", "");
    house_refused(house, till, "HoldRedemption", REASON_NOT_YOURS, "terminal_id", request, house_id(), "s-2", "t-1");
    json_t *held = house_ask(house, till, "HoldRedemption", request, house_id(), "", "");
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", house_text(held, "redemptionId")),
                 "{'storeId': 's-2'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE terminal_id = 't-9'"), 1);
}

static void a_certificate_of_a_store_reaches_its_own_redemptions_only(void **state)
{
    static const char *const methods[] = { "ConfirmRedemption", "CancelRedemption", "ReverseRedemption" };
    struct house *house = *state;
    const char *redemption = house_text(hold(house, house_id(), 100), "redemptionId"); /* at s-1 */
    const char *other = "merchant/shop-1/store/s-2", *closed = "merchant/shop-1/store/s-9";
    int64_t rows = house_rows(house);

    for (size_t i = 0; i < COUNT(methods); i++) {
        house_refused(house, other, methods[i], REASON_REDEMPTION_NOT_FOUND, NULL,
                      "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
        house_refused(house, closed, methods[i], REASON_REDEMPTION_NOT_FOUND, NULL,
                      "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
    }
    house_refused(house, other, "GetRedemption", REASON_REDEMPTION_NOT_FOUND, NULL, "{'redemptionId': '%s'}",
                  redemption);
    assert_int_equal(house_rows(house), rows);
    house_expect(house_ask(house, "merchant/shop-1/store/s-1", "ConfirmRedemption",
                           "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption),
                 "{'state': 'REDEMPTION_STATE_CONFIRMED'}");
}

static void another_programmes_redemption_is_not_there(void **state)
{
    struct house *house = *state;
    const char *redemption = house_text(hold(house, house_id(), 100), "redemptionId");

    house_refused(house, "merchant/shop-x", "ConfirmRedemption", REASON_REDEMPTION_NOT_FOUND, NULL,
                  "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
}

static const char *hold_of_lines(struct house *house, const char *method)
{
    return house_text(house_ask(house, SHOP, method,
                                "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', "
                                "'points': 1000, 'lines': [{'lineId': 'tea', 'points': 334}, {'lineId': 'cup', "
                                "'points': 333}, {'lineId': 'pot', 'points': 333}]}",
                                house_id()),
                      "redemptionId");
}

/* 700 fen and 7 of them commission over 334 : 333 : 333, and nothing is left over at the end. */
static void order_lines_share_to_the_last_fen(void **state)
{
    struct house *house = *state;
    const char *redemption = hold_of_lines(house, "HoldRedemption");

    json_t *held = house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption);
    house_expect(held, "{'lines': [{'lineId': 'tea', 'points': '334'}, {'lineId': 'cup', 'points': '333'}, {'lineId': "
                       "'pot', 'points': '333', 'reversedPoints': '0'}]}");
    assert_null(json_object_get(json_array_get(json_object_get(held, "lines"), 0), "gross"));
    house_ask(house, SHOP, "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'gross': {'amountMinor': '700'}, 'commission': {'amountMinor': '7'}, 'lines': ["
                 "{'gross': {'amountMinor': '234'}, 'commission': {'amountMinor': '3'}},"
                 "{'gross': {'amountMinor': '233'}, 'commission': {'amountMinor': '2'}},"
                 "{'gross': {'amountMinor': '233', 'currencyCode': 'CNY'}, 'commission': {'amountMinor': '2'}}]}");
    house_refused(house, SHOP, "ReverseRedemption", REASON_LINE_NOT_FOUND, NULL,
                  "{'requestId': '%s', 'redemptionId': '%s', 'lineId': 'can'}", house_id(), redemption);
    house_refused(house, SHOP, "ReverseRedemption", REASON_BEYOND_CONFIRMED, NULL,
                  "{'requestId': '%s', 'redemptionId': '%s', 'lineId': 'cup', 'points': 334}", house_id(), redemption);
    house_expect(house_ask(house, SHOP, "ReverseRedemption",
                           "{'requestId': '%s', 'redemptionId': '%s', 'lineId': 'cup'}", house_id(), redemption),
                 "{'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '333', 'gross': {'amountMinor': '-233'}, "
                 "'commission': {'amountMinor': '-2'}}");
    house_expect(house_ask(house, SHOP, "ReverseRedemption", "{'requestId': '%s', 'redemptionId': '%s', 'points': 1}",
                           house_id(), redemption),
                 "{'points': '1'}");
    house_ask(house, SHOP, "ReverseRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'state': 'REDEMPTION_STATE_REVERSED', 'gross': {'amountMinor': '0'}, 'commission': {'amountMinor': "
                 "'0'}, 'lines': ["
                 "{'points': '334', 'reversedPoints': '334', 'gross': {'amountMinor': '0'}, 'commission': "
                 "{'amountMinor': '0'}},"
                 "{'reversedPoints': '333', 'gross': {'amountMinor': '0'}, 'commission': {'amountMinor': '0'}},"
                 "{'reversedPoints': '333', 'gross': {'amountMinor': '0'}, 'commission': {'amountMinor': '0'}}]}");
}

static void what_is_confirmed_in_part_is_shared_by_the_lines(void **state)
{
    struct house *house = *state;
    const char *redemption = hold_of_lines(house, "HoldRedemption");

    house_ask(house, SHOP, "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s', 'points': 100}", house_id(),
              redemption);
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'heldPoints': '1000', 'confirmedPoints': '100', 'gross': {'amountMinor': '70'}, 'lines': "
                 "[{'points': '34'}, {'points': '33'}, {'points': '33'}]}");
}

static void points_are_redeemed_in_one_step(void **state)
{
    struct house *house = *state;
    const char *id = house_id();
    static const char request[] = "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', "
                                  "'storeId': 's-1', 'points': %d}";

    json_t *redeemed = house_ask(house, SHOP, "RedeemPoints", request, id, 400);
    house_expect(redeemed,
                 "{'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '400', 'spendablePoints': '600', 'gross': "
                 "{'amountMinor': '280'}, 'commission': {'amountMinor': '3'}}");
    assert_null(json_object_get(redeemed, "lapseTime"));
    int64_t rows = house_rows(house);
    assert_true(json_equal(house_ask(house, SHOP, "RedeemPoints", request, id, 400), redeemed));
    house_refused(house, SHOP, "RedeemPoints", REASON_REQUEST_ID_REUSED, NULL, request, id, 401);
    house_refused(house, SHOP, "HoldRedemption", REASON_REQUEST_ID_REUSED, NULL, request, id, 400);
    assert_int_equal(house_rows(house), rows);
    house_refused(house, SHOP, "RedeemPoints", REASON_INSUFFICIENT_POINTS, NULL, request, house_id(), 601);
    house_refused(house, SHOP, "CancelRedemption", REASON_REDEMPTION_ENDED, NULL,
                  "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), house_text(redeemed, "redemptionId"));
    house_expect(
        house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", house_text(redeemed, "redemptionId")),
        "{'state': 'REDEMPTION_STATE_CONFIRMED', 'heldPoints': '400', 'confirmedPoints': '400', 'storeId': "
        "'s-1', 'termsVersion': 1}");
    house_expect(house_ask(house, SHOP, "ReverseRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
                           house_text(redeemed, "redemptionId")),
                 "{'state': 'REDEMPTION_STATE_REVERSED', 'points': '400', 'spendablePoints': '1000'}");
}

static void a_good_is_redeemed_in_one_step_and_shipped(void **state)
{
    struct house *house = *state;

    house_expect(house_ask(house, SHOP, "RedeemPoints",
                           "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', "
                           "'points': 500, 'goodsId': 'kettle', 'shipTo': " SHIP "}",
                           house_id()),
                 "{'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '500'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM outbox WHERE topic = 2"), 1);
}

static void a_hold_lives_longer_when_extended(void **state)
{
    struct house *house = *state;
    const char *redemption = house_text(hold(house, house_id(), 100), "redemptionId"), *id = house_id();
    static const char extend[] = "{'requestId': '%s', 'redemptionId': '%s', 'lapseAfter': '%ds'}";

    json_t *extended = house_ask(house, SHOP, "ExtendHold", extend, id, redemption, 1800);
    house_expect(extended,
                 "{'redemptionId': '%s', 'state': 'REDEMPTION_STATE_HELD', 'points': '0', 'lapseTime': "
                 "'2026-01-15T12:30:00Z', 'spendablePoints': '900'}",
                 redemption);
    /* Never shorter. */
    house_expect(house_ask(house, SHOP, "ExtendHold", extend, house_id(), redemption, 60),
                 "{'lapseTime': '2026-01-15T12:30:00Z'}");
    house_ask(house, "operator/olga", "AdvanceTestClock",
              "{'programmeId': 'demo', 'programmeTime': '2026-01-15T12:29:00Z'}");
    assert_true(json_equal(house_ask(house, SHOP, "ExtendHold", extend, id, redemption, 1800), extended));
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'state': 'REDEMPTION_STATE_HELD', 'lapseTime': '2026-01-15T12:30:00Z'}");
    house_refused(house, "merchant/shop-2", "ExtendHold", REASON_REDEMPTION_NOT_FOUND, NULL, extend, house_id(),
                  redemption, 60);
    house_ask(house, "operator/olga", "AdvanceTestClock",
              "{'programmeId': 'demo', 'programmeTime': '2026-01-15T12:30:00Z'}");
    house_refused(house, SHOP, "ExtendHold", REASON_HOLD_LAPSED, NULL, extend, house_id(), redemption, 60);
    house_expect(house_ask(house, SHOP, "GetRedemption", "{'redemptionId': '%s'}", redemption),
                 "{'state': 'REDEMPTION_STATE_LAPSED'}");
}

static void a_card_is_kept_as_what_it_hashes_to(void **state)
{
    struct house *house = *state;

    house_ask(house, SHOP, "HoldRedemption",
              "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': 1, "
              "'cardToken': 'tok_0001'}",
              house_id());
    hold(house, house_id(), 1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE int8send(card) = "
                                        "substr(sha256('tok_0001'), 1, 8)"),
                     1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE card = 0"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_redemption_from_quote_to_reversal, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_hold_gives_all_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hold_past_its_time_has_lapsed_in_every_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_good_is_held_at_its_quote_and_shipped, setup, teardown),
        cmocka_unit_test_setup_teardown(another_merchants_redemption_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_id_says_one_thing_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_hold_stays_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_certificate_may_name_a_store_and_a_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(a_certificate_of_a_store_reaches_its_own_redemptions_only, setup, teardown),
        cmocka_unit_test_setup_teardown(another_programmes_redemption_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(order_lines_share_to_the_last_fen, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_confirmed_in_part_is_shared_by_the_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(points_are_redeemed_in_one_step, setup, teardown),
        cmocka_unit_test_setup_teardown(a_good_is_redeemed_in_one_step_and_shipped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hold_lives_longer_when_extended, setup, teardown),
        cmocka_unit_test_setup_teardown(a_card_is_kept_as_what_it_hashes_to, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
