/*
 * Every handler refuses what the contract does not allow, before anything is queued: a table of requests with one fault
 * each, over a call that is not one. The office has no lanes and no clerks, so that a fault that is let through shows.
 */
#include "base/uuid.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/log.h"
#include "io/pb_json.h"
#include "rpc/decode.h"
#include "service/office.h"
#include "service/services.h"

#include <alliance/v1/redemption_service.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct method *find(const char *name, const ProtobufCMessageDescriptor **input)
{
    for (size_t i = 0; i < service_count; i++) {
        for (size_t k = 0; k < services[i]->method_count; k++) {
            if (strcmp(services[i]->methods[k].name, name) != 0)
                continue;
            *input = protobuf_c_service_descriptor_get_method_by_name(services[i]->descriptor, name)->input;
            return &services[i]->methods[k];
        }
    }
    fail_msg("there is no handler %s", name);
    return NULL;
}

/* The request with ' for " and @ for an id that is good now. */
static ProtobufCMessage *request_of(struct arena *arena, const ProtobufCMessageDescriptor *type, const char *json)
{
    char text[4096], id[UUID_TEXT];
    struct uuid now = crypto_uuid_v7(clock_now());
    ProtobufCMessage *message;
    struct error err = { 0 };
    size_t n = 0;

    uuid_format(&now, id);
    for (const char *c = json; *c && n < sizeof text - UUID_TEXT; c++) {
        if (*c == '@')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", id);
        else
            text[n++] = *c == '\'' ? '"' : *c;
    }
    if (!pb_json_parse(type, text, n, arena, &message, &err))
        fail_msg("the test's own JSON: %s: %s", err.field, error_text(&err));
    return message;
}

static struct error handle(struct call *call, enum role role, const char *id, const char *method, const char *json)
{
    const ProtobufCMessageDescriptor *input = NULL;
    struct error err = { 0 };

    call->method = find(method, &input);
    call->principal = (struct principal){ .role = role };
    snprintf(call->principal.id, sizeof call->principal.id, "%s", id);
    if (call->method->handler(call, request_of(&call->arena, input, json), &err))
        fail_msg("%s was let through: %s", method, json);
    return err;
}

#define HOLD    "'requestId': '@', 'merchantId': 'shop-1', 'bankId': 'bank-a'"
#define SHIP    "'recipient': 'A', 'phone': '1', 'addressLine': 'B', 'city': 'C'"
#define RATE    "{'currencyCode': 'CNY', 'conversionRate': {'num': 1, 'den': 1}, 'settlementRate': {'num': 1, 'den': 1}}"
#define RULES   "'requestId': '@', 'rules': {'bankId': 'bank-a', 'rates': [" RATE "]"
#define ACCRUAL "'accrualRate': {'num': 1, 'den': 1}"
#define SHOP    "'merchant': {'merchantId': 'm', 'programmeId': 'p', 'name': 'M'"
#define TERMS   "'terms': {'settlementCurrency': 'CNY'}"
#define GOOD    "'good': {'goodsId': 'g', 'merchantId': 'm', 'name': 'G', 'carrierId': 'c'"

static const struct {
    const char *story, *method;
    enum role role;
    const char *id, *json;
    enum reason reason;
    const char *field;
} cases[] = {
    { "another merchant", "HoldRedemption", ROLE_MERCHANT, "shop-2", "{" HOLD "}", REASON_NOT_YOURS, "merchant_id" },
    { "a bank that is no id", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{'requestId': '@', 'merchantId': 'shop-1', 'bankId': 'Bank A'}", REASON_FIELD_INVALID, "bank_id" },
    { "a member with a blank", "HoldRedemption", ROLE_MERCHANT, "shop-1", "{" HOLD ", 'memberRef': 'a b', 'points': 1}",
      REASON_FIELD_INVALID, "member_ref" },
    { "a member of 65 characters", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': '12345678901234567890123456789012345678901234567890123456789012345', 'points': 1}",
      REASON_FIELD_INVALID, "member_ref" },
    { "a terminal with a dot", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'terminalId': 't.1'}", REASON_FIELD_INVALID, "terminal_id" },
    { "a hold of no time", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lapseAfter': '0.999999s'}", REASON_FIELD_INVALID, "lapse_after" },
    { "a hold of more than 30 days", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lapseAfter': '2592000.000001s'}", REASON_FIELD_INVALID,
      "lapse_after" },
    { "a quantity of nothing", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'quantity': 1}", REASON_FIELD_INVALID, "quantity" },
    { "an address for nothing", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'shipTo': {" SHIP ", 'countryCode': 'CN'}}", REASON_FIELD_INVALID,
      "ship_to" },
    { "too many pieces", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'goodsId': 'g', 'quantity': 10001}", REASON_FIELD_INVALID,
      "quantity" },
    { "a country in small letters", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'goodsId': 'g', 'shipTo': {" SHIP ", 'countryCode': 'cn'}}",
      REASON_FIELD_INVALID, "ship_to.country_code" },
    { "an address with a line break", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'goodsId': 'g', 'shipTo': {'recipient': 'A\\nB'}}",
      REASON_FIELD_INVALID, "ship_to.recipient" },
    { "no request_id", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': 'a', 'points': 1}", REASON_REQUEST_ID_INVALID,
      "request_id" },
    { "a random uuid", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{'requestId': '6ba7b810-9dad-41d1-80b4-00c04fd430c8', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': "
      "'a', "
      "'points': 1}",
      REASON_REQUEST_ID_INVALID, "request_id" },
    { "a uuid of 2020", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{'requestId': '016f5e66-e800-7000-8000-000000000001', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': "
      "'a', "
      "'points': 1}",
      REASON_REQUEST_ID_TIME, "request_id" },
    { "a uuid of the far future", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{'requestId': 'ffffffff-ffff-7000-8000-000000000001', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': "
      "'a', "
      "'points': 1}",
      REASON_REQUEST_ID_TIME, "request_id" },
    { "no points", "HoldRedemption", ROLE_MERCHANT, "shop-1", "{" HOLD ", 'memberRef': 'a'}",
      REASON_POINTS_NOT_POSITIVE, "points" },
    { "points below zero", "HoldRedemption", ROLE_MERCHANT, "shop-1", "{" HOLD ", 'memberRef': 'a', 'points': -1}",
      REASON_POINTS_NOT_POSITIVE, "points" },
    { "the largest number there is", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': '9223372036854775807'}", REASON_POINTS_TOO_MANY, "points" },
    { "one more than the most", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': '1000000000001'}", REASON_POINTS_TOO_MANY, "points" },
    { "a card number for a member", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': '4111111111111111', 'points': 1}", REASON_CARD_NUMBER_REFUSED, "member_ref" },
    { "the first broken rule wins", "HoldRedemption", ROLE_MERCHANT, "shop-1", "{" HOLD ", 'memberRef': 'a b'}",
      REASON_FIELD_INVALID, "member_ref" },
    { "a card token of seven characters", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'cardToken': '1234567'}", REASON_FIELD_INVALID, "card_token" },
    { "a card number for a token", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'cardToken': '4111111111111111'}", REASON_CARD_NUMBER_REFUSED,
      "card_token" },
    { "a line without a name", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lines': [{'points': 1}]}", REASON_FIELD_INVALID, "lines[0].line_id" },
    { "a line of 33 letters", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lines': [{'lineId': '123456789012345678901234567890123', 'points': "
      "1}]}",
      REASON_FIELD_INVALID, "lines[0].line_id" },
    { "two lines of one name", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 2, 'lines': [{'lineId': 'a', 'points': 1}, {'lineId': 'a', 'points': "
      "1}]}",
      REASON_FIELD_INVALID, "lines[1].line_id" },
    { "a line of nothing", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lines': [{'lineId': 'a', 'points': 1}, {'lineId': 'b'}]}",
      REASON_FIELD_INVALID, "lines[1].points" },
    { "a line of too much", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lines': [{'lineId': 'a', 'points': '9223372036854775807'}]}",
      REASON_FIELD_INVALID, "lines[0].points" },
    { "a line that says what was reversed", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lines': [{'lineId': 'a', 'points': 1, 'reversedPoints': 1}]}",
      REASON_FIELD_INVALID, "lines[0]" },
    { "a line that says what the bank owes", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lines': [{'lineId': 'a', 'points': 1, 'gross': {}}]}",
      REASON_FIELD_INVALID, "lines[0]" },
    { "lines that are less", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 3, 'lines': [{'lineId': 'a', 'points': 1}, {'lineId': 'b', 'points': "
      "1}]}",
      REASON_FIELD_INVALID, "lines" },
    { "21 lines", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lines': [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
      "{}, {}, {}, {}, {}, {}]}",
      REASON_FIELD_INVALID, "lines" },
    { "lines of a good", "HoldRedemption", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'goodsId': 'g', 'lines': [{'lineId': 'a', 'points': 1}]}",
      REASON_FIELD_INVALID, "lines" },
    { "redeem what lapses", "RedeemPoints", ROLE_MERCHANT, "shop-1",
      "{" HOLD ", 'memberRef': 'a', 'points': 1, 'lapseAfter': '60s'}", REASON_FIELD_INVALID, "lapse_after" },
    { "redeem nothing", "RedeemPoints", ROLE_MERCHANT, "shop-1", "{" HOLD ", 'memberRef': 'a'}",
      REASON_POINTS_NOT_POSITIVE, "points" },
    { "redeem for another", "RedeemPoints", ROLE_MERCHANT, "shop-2", "{" HOLD ", 'memberRef': 'a', 'points': 1}",
      REASON_NOT_YOURS, "merchant_id" },
    { "extend by nothing", "ExtendHold", ROLE_MERCHANT, "shop-1", "{'requestId': '@', 'redemptionId': 'x'}",
      REASON_FIELD_INVALID, "lapse_after" },
    { "extend by half a second", "ExtendHold", ROLE_MERCHANT, "shop-1",
      "{'requestId': '@', 'redemptionId': 'x', 'lapseAfter': '0.5s'}", REASON_FIELD_INVALID, "lapse_after" },
    { "extend what is no redemption", "ExtendHold", ROLE_MERCHANT, "shop-1",
      "{'requestId': '@', 'redemptionId': 'x', 'lapseAfter': '1s'}", REASON_REDEMPTION_NOT_FOUND, "redemption_id" },
    { "reverse a line with a blank", "ReverseRedemption", ROLE_MERCHANT, "shop-1",
      "{'requestId': '@', 'lineId': 'a b'}", REASON_FIELD_INVALID, "line_id" },
    { "write nothing", "WriteRedemptions", ROLE_MERCHANT, "shop-1", "{}", REASON_FIELD_INVALID, "writes" },
    { "stream nothing", "StreamRedemptions", ROLE_MERCHANT, "shop-1", "{}", REASON_FIELD_INVALID, "writes" },
    { "confirm less than nothing", "ConfirmRedemption", ROLE_MERCHANT, "shop-1", "{'requestId': '@', 'points': -1}",
      REASON_POINTS_NOT_POSITIVE, "points" },
    { "reverse too much", "ReverseRedemption", ROLE_MERCHANT, "shop-1",
      "{'requestId': '@', 'points': '9223372036854775807'}", REASON_POINTS_TOO_MANY, "points" },
    { "cancel what is no redemption", "CancelRedemption", ROLE_MERCHANT, "shop-1",
      "{'requestId': '@', 'redemptionId': 'x'}", REASON_REDEMPTION_NOT_FOUND, "redemption_id" },

    { "a quote for another", "QuoteRedemption", ROLE_MERCHANT, "shop-2", "{'merchantId': 'shop-1'}", REASON_NOT_YOURS,
      "merchant_id" },
    { "a quote of nothing", "QuoteRedemption", ROLE_MERCHANT, "shop-1", "{'merchantId': 'shop-1', 'bankId': 'b'}",
      REASON_FIELD_INVALID, "price" },
    { "a price of zero", "QuoteRedemption", ROLE_MERCHANT, "shop-1",
      "{'merchantId': 'shop-1', 'bankId': 'b', 'price': {'currencyCode': 'CNY'}}", REASON_FIELD_INVALID,
      "price.amount_minor" },
    { "a price in no currency", "QuoteRedemption", ROLE_MERCHANT, "shop-1",
      "{'merchantId': 'shop-1', 'bankId': 'b', 'price': {'currencyCode': 'cny', 'amountMinor': 1}}",
      REASON_FIELD_INVALID, "price.currency_code" },
    { "a price and a good", "QuoteRedemption", ROLE_MERCHANT, "shop-1",
      "{'merchantId': 'shop-1', 'bankId': 'b', 'goodsId': 'g', 'price': {'currencyCode': 'CNY', 'amountMinor': 1}}",
      REASON_FIELD_INVALID, "price" },

    { "no rules", "PublishExchangeRules", ROLE_BANK, "bank-a", "{'requestId': '@'}", REASON_FIELD_INVALID, "rules" },
    { "another bank's rules", "PublishExchangeRules", ROLE_BANK, "bank-b",
      "{" RULES ", 'expiryMonths': 1, " ACCRUAL "}}", REASON_NOT_YOURS, "rules.bank_id" },
    { "no expiry", "PublishExchangeRules", ROLE_BANK, "bank-a", "{" RULES ", " ACCRUAL "}}", REASON_FIELD_INVALID,
      "rules.expiry_months" },
    { "five years and a month", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{" RULES ", 'expiryMonths': 61, " ACCRUAL "}}", REASON_FIELD_INVALID, "rules.expiry_months" },
    { "a version chosen", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{" RULES ", 'version': 2, 'expiryMonths': 1, " ACCRUAL "}}", REASON_FIELD_INVALID, "rules.version" },
    { "more than a year of grace", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{" RULES ", 'expiryMonths': 1, 'reinstateGraceDays': 367, " ACCRUAL "}}", REASON_FIELD_INVALID,
      "rules.reinstate_grace_days" },
    { "no accrual rate", "PublishExchangeRules", ROLE_BANK, "bank-a", "{" RULES ", 'expiryMonths': 1}}",
      REASON_FIELD_INVALID, "rules.accrual_rate" },
    { "a rate of nothing", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{" RULES ", 'expiryMonths': 1, 'accrualRate': {'num': 0, 'den': 1}}}", REASON_FIELD_INVALID,
      "rules.accrual_rate.num" },
    { "a rate over zero", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{" RULES ", 'expiryMonths': 1, 'accrualRate': {'num': 1, 'den': 0}}}", REASON_FIELD_INVALID,
      "rules.accrual_rate.den" },
    { "a ratio too fine", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{" RULES ", 'expiryMonths': 1, 'accrualRate': {'num': 1, 'den': '1000000001'}}}", REASON_FIELD_INVALID,
      "rules.accrual_rate.den" },
    { "no rate at all", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{'requestId': '@', 'rules': {'bankId': 'bank-a', 'expiryMonths': 1, " ACCRUAL "}}", REASON_FIELD_INVALID,
      "rules.rates" },
    { "a currency twice", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{'requestId': '@', 'rules': {'bankId': 'bank-a', 'rates': [" RATE ", " RATE "], 'expiryMonths': 1, " ACCRUAL
      "}}",
      REASON_FIELD_INVALID, "rules.rates[1].currency_code" },
    { "a rate without settlement", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{'requestId': '@', 'rules': {'bankId': 'bank-a', 'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': 1, "
      "'den': 1}}], 'expiryMonths': 1, " ACCRUAL "}}",
      REASON_FIELD_INVALID, "rules.rates[0].settlement_rate" },
    { "rules with a bad id", "PublishExchangeRules", ROLE_BANK, "bank-a",
      "{'requestId': 'x', 'rules': {'bankId': 'bank-a', 'rates': [" RATE "], 'expiryMonths': 1, " ACCRUAL "}}",
      REASON_REQUEST_ID_INVALID, "request_id" },
    { "a version below zero", "GetExchangeRules", ROLE_BANK, "bank-a", "{'bankId': 'bank-a', 'version': -1}",
      REASON_FIELD_INVALID, "version" },
    { "another bank's balance", "GetBalance", ROLE_BANK, "bank-a", "{'bankId': 'bank-b', 'memberRef': 'a'}",
      REASON_NOT_YOURS, "bank_id" },

    { "no programme", "CreateProgramme", ROLE_OPERATOR, "o", "{}", REASON_FIELD_INVALID, "programme" },
    { "capital letters", "CreateProgramme", ROLE_OPERATOR, "o", "{'programme': {'programmeId': 'Demo'}}",
      REASON_FIELD_INVALID, "programme.programme_id" },
    { "33 letters", "GetProgramme", ROLE_OPERATOR, "o", "{'programmeId': '123456789012345678901234567890123'}",
      REASON_FIELD_INVALID, "programme_id" },
    { "a clock before all clocks", "CreateProgramme", ROLE_OPERATOR, "o",
      "{'programme': {'programmeId': 'p', 'sandbox': true, 'programmeTime': '1970-01-01T00:00:00Z'}}",
      REASON_FIELD_INVALID, "programme.programme_time" },
    { "no instant", "AdvanceTestClock", ROLE_OPERATOR, "o", "{'programmeId': 'p'}", REASON_FIELD_INVALID,
      "programme_time" },
    { "a bank without a name", "RegisterBank", ROLE_OPERATOR, "o", "{'bank': {'bankId': 'b', 'programmeId': 'p'}}",
      REASON_FIELD_INVALID, "bank.name" },
    { "a merchant without terms", "RegisterMerchant", ROLE_OPERATOR, "o", "{" SHOP "}}", REASON_FIELD_INVALID,
      "merchant.terms" },
    { "terms of somebody else", "RegisterMerchant", ROLE_OPERATOR, "o",
      "{" SHOP ", 'terms': {'merchantId': 'n', 'settlementCurrency': 'CNY'}}}", REASON_FIELD_INVALID,
      "merchant.terms.merchant_id" },
    { "more than everything", "RegisterMerchant", ROLE_OPERATOR, "o",
      "{" SHOP ", 'terms': {'commissionBp': 10001, 'settlementCurrency': 'CNY'}}}", REASON_FIELD_INVALID,
      "merchant.terms.commission_bp" },
    { "a store without a name", "RegisterMerchant", ROLE_OPERATOR, "o",
      "{" SHOP ", " TERMS ", 'stores': [{'storeId': 's', 'name': 'S'}, {'storeId': 't'}]}}", REASON_FIELD_INVALID,
      "merchant.stores[1].name" },
    { "a webhook in the clear", "RegisterMerchant", ROLE_OPERATOR, "o",
      "{" SHOP ", " TERMS ", 'webhook': {'url': 'http://shop.example/hook'}}}", REASON_FIELD_INVALID,
      "merchant.webhook.url" },
    { "a webhook without a secret", "RegisterMerchant", ROLE_OPERATOR, "o",
      "{" SHOP ", " TERMS ", 'webhook': {'url': 'https://shop.example/hook'}}}", REASON_FIELD_INVALID,
      "merchant.webhook.secret" },
    { "terms of nobody", "PublishTerms", ROLE_OPERATOR, "o", "{'requestId': '@', " TERMS "}", REASON_FIELD_INVALID,
      "terms.merchant_id" },
    { "a carrier of another kind", "RegisterCarrier", ROLE_OPERATOR, "o",
      "{'carrier': {'carrierId': 'c', 'programmeId': 'p', 'name': 'C', 'adapter': 'pigeon', 'baseUrl': 'https://c'}}",
      REASON_FIELD_INVALID, "carrier.adapter" },
    { "a carrier on this machine", "RegisterCarrier", ROLE_OPERATOR, "o",
      "{'carrier': {'carrierId': 'c', 'programmeId': 'p', 'name': 'C', 'adapter': 'generic-json', 'baseUrl': "
      "'http://127.0.0.1:1'}}",
      REASON_FIELD_INVALID, "carrier.base_url" },
    { "a good of no kind", "RegisterGood", ROLE_OPERATOR, "o", "{" GOOD "}}", REASON_FIELD_INVALID, "good.kind" },
    { "a good for nothing", "RegisterGood", ROLE_OPERATOR, "o",
      "{" GOOD ", 'kind': 1, 'price': {'currencyCode': 'CNY', 'amountMinor': 0}}}", REASON_FIELD_INVALID,
      "good.price.amount_minor" },
    { "a page of minus one", "ListMerchants", ROLE_OPERATOR, "o", "{'programmeId': 'p', 'pageSize': -1}",
      REASON_FIELD_INVALID, "page_size" },
    { "a token of nobody's", "ListShipments", ROLE_OPERATOR, "o", "{'programmeId': 'p', 'pageToken': 'AAAA'}",
      REASON_PAGE_TOKEN_INVALID, "page_token" },
    { "a thirteenth month", "ListStatements", ROLE_OPERATOR, "o", "{'programmeId': 'p', 'period': '2017-13'}",
      REASON_FIELD_INVALID, "period" },
    { "a statement with a blank", "GetStatement", ROLE_BANK, "b", "{'statementId': 'a b'}", REASON_FIELD_INVALID,
      "statement_id" },
};

static void each_fault_is_named(void **state)
{
    struct office office = { .open = true, .hold_default_us = US_PER_SECOND };
    struct call call = { .office = &office };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        /* Where the id is looked up only after its shape was found good, there is no snapshot to look into. */
        struct error err = handle(&call, cases[i].role, cases[i].id, cases[i].method, cases[i].json);
        if (err.reason != cases[i].reason || strcmp(err.field, cases[i].field) != 0)
            fail_msg("%s: %s of \"%s\" (%s)", cases[i].story, reason_name(err.reason), err.field, error_text(&err));
        assert_true(error_text(&err)[0] != '\0');
    }
    arena_release(&call.arena);
}

/* What a request says is never said back. */
static void values_are_not_quoted(void **state)
{
    struct office office = { .open = true };
    struct call call = { .office = &office };

    (void)state;
    struct error err =
        handle(&call, ROLE_MERCHANT, "shop-1", "HoldRedemption", "{" HOLD ", 'memberRef': 'Zhang Wei', 'points': 1}");
    assert_null(strstr(error_text(&err), "Zhang"));
    arena_release(&call.arena);
}

static void a_shut_office_does_nothing(void **state)
{
    struct office office = { .open = false };
    struct call call = { .office = &office };
    static const struct {
        const char *method;
        enum role role;
        const char *id, *json;
    } good[] = {
        { "HoldRedemption", ROLE_MERCHANT, "shop-1", "{" HOLD ", 'memberRef': 'a', 'points': 1}" },
        { "CancelRedemption", ROLE_MERCHANT, "shop-1", "{'requestId': '@', 'redemptionId': 'x'}" },
        { "WriteRedemptions", ROLE_MERCHANT, "shop-1", "{'writes': [{}]}" },
        { "GetBalance", ROLE_BANK, "bank-a", "{'bankId': 'bank-a', 'memberRef': 'a'}" },
        { "PushMembers", ROLE_BANK, "bank-a", "{'bankId': 'bank-a', 'rows': [{}]}" },
        { "RegisterBank", ROLE_OPERATOR, "o", "{'bank': {'bankId': 'b', 'programmeId': 'p', 'name': 'B'}}" },
        { "ListStatements", ROLE_OPERATOR, "o", "{'programmeId': 'p'}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct error err = handle(&call, good[i].role, good[i].id, good[i].method, good[i].json);
        assert_int_equal(err.reason, REASON_DATABASE_UNREACHABLE);
    }
    arena_release(&call.arena);
}

/* What a batch answered, kept as bytes: its verdicts are the handler's own. */
static struct {
    Alliance__V1__WriteRedemptionsResponse *response;
    struct arena arena;
    int replies, holds;
} answered;

static void keep_reply(struct call *call, const ProtobufCMessage *message)
{
    ProtobufCMessage *kept;
    struct error err = { 0 };
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = arena_alloc(&answered.arena, size);

    (void)call;
    protobuf_c_message_pack(message, packed);
    assert_true(decode_message(message->descriptor, packed, size, &answered.arena, &kept, &err));
    answered.response = (Alliance__V1__WriteRedemptionsResponse *)kept;
    answered.replies++;
}

static void count_hold(struct call *call)
{
    (void)call;
    answered.holds++;
}

static void count_release(struct call *call)
{
    (void)call;
    answered.holds--;
}

static const struct call_ops keeping = { .reply = keep_reply, .hold = count_hold, .release = count_release };

static Alliance__V1__RedemptionVerdict *written(struct call *call, const char *id, const char *writes)
{
    const ProtobufCMessageDescriptor *input = NULL;
    struct error err = { 0 };

    arena_reset(&answered.arena);
    answered.replies = 0;
    call->ops = &keeping;
    call->method = find("WriteRedemptions", &input);
    call->principal = (struct principal){ .role = ROLE_MERCHANT };
    snprintf(call->principal.id, sizeof call->principal.id, "%s", id);
    if (!call->method->handler(call, request_of(&call->arena, input, writes), &err))
        fail_msg("%s: %s", writes, error_text(&err));
    assert_int_equal(answered.replies, 1);
    assert_int_equal(answered.holds, 0);
    return answered.response->verdicts[0];
}

static const char *action_of(const char *method)
{
    static const char *const actions[][2] = {
        { "HoldRedemption", "hold" },       { "ConfirmRedemption", "confirm" }, { "CancelRedemption", "cancel" },
        { "ReverseRedemption", "reverse" }, { "RedeemPoints", "redeem" },       { "ExtendHold", "extend" },
    };

    for (size_t i = 0; i < COUNT(actions); i++) {
        if (strcmp(actions[i][0], method) == 0)
            return actions[i][1];
    }
    return NULL;
}

/* Each fault of a write alone is the same fault among others, and fails its own verdict only. */
static void a_batch_finds_the_same_faults(void **state)
{
    struct office office = { .open = true, .hold_default_us = US_PER_SECOND };
    struct call call = { .office = &office };
    char writes[4096], expected[256];
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *action = action_of(cases[i].method);
        if (!action)
            continue;
        struct error alone = handle(&call, cases[i].role, cases[i].id, cases[i].method, cases[i].json);
        snprintf(writes, sizeof writes, "{'writes': [{'%s': %s}]}", action, cases[i].json);
        Alliance__V1__RedemptionVerdict *verdict = written(&call, cases[i].id, writes);
        snprintf(expected, sizeof expected, "%s: %s", cases[i].field, error_text(&alone));
        if (strcmp(verdict->reason, reason_name(cases[i].reason)) != 0 || strcmp(verdict->detail, expected) != 0)
            fail_msg("%s: %s (%s)", cases[i].story, verdict->reason, verdict->detail);
        assert_false(verdict->retry);
        assert_null(verdict->receipt);
        arena_reset(&call.arena);
        tried++;
    }
    assert_true(tried > 40);
    arena_release(&call.arena);
    arena_release(&answered.arena);
}

static void a_write_of_no_kind_is_refused(void **state)
{
    struct office office = { .open = true };
    struct call call = { .office = &office };

    (void)state;
    Alliance__V1__RedemptionVerdict *verdict =
        written(&call, "shop-1", "{'writes': [{}, {'cancel': {'requestId': '@', 'redemptionId': 'x'}}]}");
    assert_string_equal(verdict->reason, "FIELD_INVALID");
    assert_int_equal(answered.response->n_verdicts, 2);
    assert_string_equal(answered.response->verdicts[1]->reason, "REDEMPTION_NOT_FOUND");
    arena_release(&call.arena);
    arena_release(&answered.arena);
}

static void a_message_has_a_thousand_writes_at_most(void **state)
{
    struct office office = { .open = true };
    struct call call = { .office = &office };
    Alliance__V1__RedemptionWrite empty = ALLIANCE__V1__REDEMPTION_WRITE__INIT, *writes[WRITES_MAX + 1];
    Alliance__V1__WriteRedemptionsRequest request = ALLIANCE__V1__WRITE_REDEMPTIONS_REQUEST__INIT;
    const ProtobufCMessageDescriptor *input = NULL;
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(writes); i++)
        writes[i] = &empty;
    request.writes = writes;
    request.n_writes = COUNT(writes);
    call.ops = &keeping;
    call.method = find("WriteRedemptions", &input);
    assert_false(call.method->handler(&call, &request.base, &err));
    assert_int_equal(err.reason, REASON_FIELD_INVALID);
    assert_string_equal(err.field, "writes");
    request.n_writes--;
    assert_true(call.method->handler(&call, &request.base, &err));
    assert_int_equal(answered.response->n_verdicts, WRITES_MAX);
    /* What a message takes beside its request: each write's command, verdict and receipt. */
    assert_true(call.arena.used < (size_t)WRITES_MAX * 1200);
    arena_release(&call.arena);
    arena_release(&answered.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_is_named),
        cmocka_unit_test(values_are_not_quoted),
        cmocka_unit_test(a_batch_finds_the_same_faults),
        cmocka_unit_test(a_write_of_no_kind_is_refused),
        cmocka_unit_test(a_message_has_a_thousand_writes_at_most),
        cmocka_unit_test(a_shut_office_does_nothing),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
