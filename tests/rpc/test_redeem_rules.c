/* Redemptions by a rule set: what they cost and settle by merchant, good and tier, and how many points at a time. */
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
#define SHIP                                                                                                           \
    "{'recipient': 'Ann', 'phone': '5550100', 'addressLine': 'Main Street 1', 'city': 'Springfield', 'countryCode': "  \
    "'CN'}"

#define DOCUMENT                                                                                                       \
    "{'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': "      \
    "{'num': '7', 'den': '10'}}], 'minimumPoints': '100', 'expiryMonths': 24, 'accrualRate': {'num': '1', 'den': "     \
    "'10'}}, 'accrualBase': 'ACCRUAL_BASE_WHOLE_AMOUNT', 'maximumPoints': '5000', 'stepPoints': '100', 'rateRules': [" \
    "{'name': 'electronics', 'priority': 5, 'match': {'categories': [{'first': 5732, 'last': 5734}]}, "                \
    "'settlementRate': {'num': '6', 'den': '10'}}, "                                                                   \
    "{'name': 'things', 'priority': 6, 'match': {'goodsKinds': ['GOODS_KIND_PHYSICAL']}, 'conversionRate': "           \
    "{'num': '2', 'den': '1'}, 'settlementRate': {'num': '1', 'den': '2'}}, "                                          \
    "{'name': 'top', 'priority': 7, 'match': {'lowestTier': 3}, 'settlementRate': {'num': '4', 'den': '5'}}], "        \
    "'tiers': [{'tier': 2, 'name': 'gold', 'conversionFactor': {'num': '4', 'den': '5'}, 'exclusiveGoodsIds': "        \
    "['lamp']}]}"

static void put_in_force(struct house *house)
{
    house_ask(house, "bank/bank-a/person/ann", "DraftRuleSet",
              "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}", house_id(), DOCUMENT);
    house_expect(house_ask(house, BANK, "ValidateRuleSet", NUMBER), "{'findings': []}");
    house_ask(house, "bank/bank-a/person/ben", "ApproveRuleSet", NUMBER);
    house_ask(house, BANK, "ScheduleRuleSet",
              "{'bankId': 'bank-a', 'number': 1, 'effectiveFrom': '2026-01-15T13:00:00Z'}");
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T13:00:00Z'}");
}

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 100000);
    house_ask(house, OLGA, "RegisterGood",
              "{'good': {'goodsId': 'lamp', 'merchantId': 'shop-1', 'name': 'Lamp', 'kind': 'GOODS_KIND_PHYSICAL', "
              "'price': {'currencyCode': 'CNY', 'amountMinor': '500'}, 'carrierId': 'swift'}}");
    put_in_force(house);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

/* More fields begin with a comma. */
#define REDEEM "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': '%d'%s}"

static void redeem(struct house *house, int points, const char *more, const char *expected)
{
    house_expect(house_ask(house, SHOP, "RedeemPoints", REDEEM, house_id(), points, more), "%s", expected);
}

static void set_tier(struct house *house, int tier)
{
    house_push(
        house, BANK, "PushMembers",
        "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', 'tier': {'number': %d}}}]}",
        tier);
}

static void sell_electronics(struct house *house)
{
    house_ask(house, OLGA, "PublishTerms",
              "{'requestId': '%s', 'terms': {'merchantId': 'shop-1', 'commissionBp': 100, 'settlementCurrency': 'CNY', "
              "'merchantCategoryCode': '5732'}}",
              house_id());
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T13:10:00Z'}");
}

/* The newest entry of ann, in the words of ExplainEntry. */
static void because(struct house *house, const char *sentence)
{
    json_t *answer = house_ask(house, BANK, "ExplainEntry", "{'bankId': 'bank-a', 'memberRef': 'ann', 'seq': '%lld'}",
                               (long long)house_count(house, "SELECT journal_seq FROM account"));
    char *said = json_dumps(json_object_get(answer, "steps"), JSON_COMPACT);

    if (!strstr(said, sentence))
        fail_msg("not said: %s; but: %s", sentence, said);
    free(said);
}

static void what_is_owed_follows_merchant_and_tier(void **state)
{
    struct house *house = *state;

    redeem(house, 1000, "", "{'gross': {'amountMinor': '700'}}");
    because(house, "x settlement rate 7 minor units per 10 points = 700, rounded half to even to 700 minor units of "
                   "CNY gross (rules version 2).");
    sell_electronics(house);
    redeem(house, 1000, "", "{'gross': {'amountMinor': '600'}}");
    because(house, "(rules version 2, its rule electronics)");
    set_tier(house, 3);
    redeem(house, 1000, "", "{'gross': {'amountMinor': '800'}}");
    because(house, "its rule top");
    house_expect(
        house_ask(house, OLGA, "ListMerchants", "{'programmeId': 'demo'}"),
        "{'merchants': [{'terms': {'merchantCategoryCode': '5732'}}, {'terms': {'merchantCategoryCode': ''}}]}");
}

/* What a hold is settled by is decided when it is confirmed. */
static void a_confirmation_is_settled_by_the_tier_it_meets(void **state)
{
    struct house *house = *state;
    json_t *held = house_ask(house, SHOP, "HoldRedemption", REDEEM, house_id(), 1000, "");
    char id[64];

    snprintf(id, sizeof id, "%s", house_text(held, "redemptionId"));
    set_tier(house, 3);
    house_expect(
        house_ask(house, SHOP, "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), id),
        "{'gross': {'amountMinor': '800'}}");
}

#define KETTLE ", 'goodsId': 'kettle', 'shipTo': " SHIP
#define LAMP   ", 'goodsId': 'lamp', 'shipTo': " SHIP

static void a_good_costs_what_its_kind_and_the_tier_say(void **state)
{
    struct house *house = *state;
    static const char quote[] = "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': '%s', 'goodsId': 'kettle'}";
    static const char simulated[] =
        "{'bankId': 'bank-a', 'goodsId': 'kettle', 'price': {'currencyCode': 'CNY', 'amountMinor': '500'}, 'place': "
        "{'merchantId': 'shop-1', 'goodsKind': 'GOODS_KIND_PHYSICAL', 'tier': %d}}";

    house_expect(house_ask(house, SHOP, "QuoteRedemption", quote, ""),
                 "{'points': '1000', 'minimumPoints': '100', 'maximumPoints': '5000', 'stepPoints': '100'}");
    house_expect(house_ask(house, BANK, "SimulateRedemption", simulated, 0),
                 "{'points': '1000', 'settlement': {'amountMinor': '500'}}");
    redeem(house, 1000, KETTLE, "{'points': '1000', 'gross': {'amountMinor': '500'}}");
    because(house, "its rule things");
    set_tier(house, 2);
    house_expect(house_ask(house, SHOP, "QuoteRedemption", quote, ""), "{'points': '1000'}");
    house_expect(house_ask(house, SHOP, "QuoteRedemption", quote, "ann"), "{'points': '800'}");
    house_expect(house_ask(house, BANK, "SimulateRedemption", simulated, 2),
                 "{'points': '800', 'settlement': {'amountMinor': '400'}}");
    house_refused(house, SHOP, "RedeemPoints", REASON_QUOTE_CHANGED, NULL, REDEEM, house_id(), 1000, KETTLE);
    redeem(house, 800, KETTLE, "{'points': '800', 'gross': {'amountMinor': '400'}}");
    house_refused(house, SHOP, "QuoteRedemption", REASON_MEMBER_NOT_FOUND, "member_ref", quote, "nobody");
    house_refused(house, SHOP, "QuoteRedemption", REASON_FIELD_INVALID, "member_ref", quote, "no body");
    house_expect(house_ask(house, SHOP, "QuoteRedemption",
                           "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'price': {'currencyCode': 'CNY', "
                           "'amountMinor': '101'}}"),
                 "{'points': '200'}");
}

/* Each is refused by its own name, again by the same, and takes nothing. */
static void how_many_at_a_time_and_for_whom(void **state)
{
    struct house *house = *state;
    static const struct {
        int points;
        const char *more;
        enum reason reason;
    } wrong[] = {
        { 99, "", REASON_BELOW_MINIMUM }, { 5001, "", REASON_ABOVE_MAXIMUM },  { 5100, "", REASON_ABOVE_MAXIMUM },
        { 150, "", REASON_NOT_A_STEP },   { 1000, LAMP, REASON_TIER_TOO_LOW }, { 900, LAMP, REASON_QUOTE_CHANGED },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *id = house_id();
        house_refused(house, SHOP, "HoldRedemption", wrong[i].reason, NULL, REDEEM, id, wrong[i].points, wrong[i].more);
        house_refused(house, SHOP, "HoldRedemption", wrong[i].reason, NULL, REDEEM, id, wrong[i].points, wrong[i].more);
    }
    assert_int_equal(house_count(house, "SELECT available FROM account"), 100000);
    redeem(house, 5000, "", "{'points': '5000'}");
    set_tier(house, 2);
    redeem(house, 800, LAMP, "{'points': '800'}");
}

/* Parts of the limit are shared out for just what the rules make of the points. */
static void exposure_counts_what_the_rules_settle(void **state)
{
    struct house *house = *state;

    sell_electronics(house);
    house_ask(house, BANK, "SetExposureLimit",
              "{'bankId': 'bank-a', 'limit': {'currencyCode': 'CNY', 'amountMinor': '660'}}");
    house_refused(house, SHOP, "RedeemPoints", REASON_EXPOSURE_LIMIT, NULL, REDEEM, house_id(), 1200, "");
    redeem(house, 1000, "", "{'gross': {'amountMinor': '600'}}");
    house_refused(house, SHOP, "RedeemPoints", REASON_EXPOSURE_LIMIT, NULL, REDEEM, house_id(), 200, "");
    redeem(house, 100, "", "{'gross': {'amountMinor': '60'}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_owed_follows_merchant_and_tier, setup, teardown),
        cmocka_unit_test_setup_teardown(a_confirmation_is_settled_by_the_tier_it_meets, setup, teardown),
        cmocka_unit_test_setup_teardown(a_good_costs_what_its_kind_and_the_tier_say, setup, teardown),
        cmocka_unit_test_setup_teardown(how_many_at_a_time_and_for_whom, setup, teardown),
        cmocka_unit_test_setup_teardown(exposure_counts_what_the_rules_settle, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
