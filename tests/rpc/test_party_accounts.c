/* Where parties are paid: checked, versioned, and only after a second person's approval. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define OWN "'programmeId': 'demo', 'party': {'kind': 'PARTY_MERCHANT', 'id': 'shop-1'}"

static void an_account_counts_after_a_second_persons_approval(void **state)
{
    struct house *house = *state;
    json_t *set = house_ask(house, "operator/olga", "SetPartyAccount",
                            "{'account': {" OWN ", 'legalName': 'Shop One Ltd', 'iban': 'DE02120300000000202051', "
                            "'bic': 'BYLADEM1001', 'bill': true}}");

    house_expect(set, "{'version': 1, 'setBy': 'olga', 'approvedBy': '', 'bill': true, 'fixedWidth': false}");
    house_expect(house_ask(house, "operator/olga", "SetPartyAccount",
                           "{'account': {" OWN ", 'legalName': 'Shop One Ltd', 'iban': 'DE02120300000000202051', "
                           "'bic': 'BYLADEM1001', 'bill': true}}"),
                 "{'version': 1}");
    house_refused(house, "operator/olga", "ApprovePartyAccount", REASON_SECOND_PERSON_NEEDED, NULL,
                  "{" OWN ", 'version': 1}");
    house_expect(house_ask(house, "operator/oscar", "ApprovePartyAccount", "{" OWN ", 'version': 1}"),
                 "{'version': 1, 'approvedBy': 'oscar'}");
    house_expect(
        house_ask(house, "operator/olga", "SetPartyAccount", "{'account': {" OWN ", 'accountNumber': '6222-01'}}"),
        "{'version': 2, 'approvedBy': '', 'iban': ''}");
    house_refused(house, "operator/oscar", "ApprovePartyAccount", REASON_FIELD_INVALID, "version",
                  "{" OWN ", 'version': 1}");
    house_expect(house_ask(house, "merchant/shop-1", "ListPartyAccounts", "{" OWN "}"),
                 "{'accounts': [{'version': 2, 'accountNumber': '6222-01'}, {'version': 1, 'approvedBy': 'oscar'}]}");
}

static void each_kind_of_party_has_one(void **state)
{
    static const char *const parties[] = { "{'kind': 'PARTY_BANK', 'id': 'bank-a'}",
                                           "{'kind': 'PARTY_CARRIER', 'id': 'swift'}",
                                           "{'kind': 'PARTY_OPERATOR', 'id': ''}" };
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(parties); i++)
        house_expect(house_ask(house, "operator/olga", "SetPartyAccount",
                               "{'account': {'programmeId': 'demo', 'party': %s, 'currencyCode': 'CNY'}}", parties[i]),
                     "{'version': 1, 'party': %s, 'currencyCode': 'CNY'}", parties[i]);
}

static const struct {
    const char *party, *account, *field;
    enum reason reason;
} refusals[] = {
    { "operator/olga", "'programmeId': 'demo', 'party': {'id': 'shop-1'}", "account.party.kind", REASON_FIELD_INVALID },
    { "operator/olga", "'programmeId': 'demo'", "account.party", REASON_FIELD_INVALID },
    { "operator/olga", "'programmeId': 'demo', 'party': {'kind': 'PARTY_MERCHANT', 'id': ''}", "account.party.id",
      REASON_FIELD_INVALID },
    { "operator/olga", "'programmeId': 'demo', 'party': {'kind': 'PARTY_MERCHANT', 'id': 'nobody'}", "account.party.id",
      REASON_MERCHANT_NOT_FOUND },
    { "operator/olga", "'programmeId': 'demo', 'party': {'kind': 'PARTY_BANK', 'id': 'bank-x'}", "account.party.id",
      REASON_BANK_NOT_FOUND },
    { "operator/olga", "'programmeId': 'demo', 'party': {'kind': 'PARTY_CARRIER', 'id': 'none'}", "account.party.id",
      REASON_CARRIER_NOT_FOUND },
    { "operator/olga", "'programmeId': 'none', 'party': {'kind': 'PARTY_OPERATOR'}", "account.programme_id",
      REASON_PROGRAMME_NOT_FOUND },
    { "operator/olga", OWN ", 'iban': 'DE02120300000000202052'", "account.iban", REASON_FIELD_INVALID },
    { "operator/olga", OWN ", 'iban': 'DE02 1203 0000 0000 2020 51'", "account.iban", REASON_FIELD_INVALID },
    { "operator/olga", OWN ", 'iban': 'DE02120300000000202051', 'accountNumber': '1'", "account.account_number",
      REASON_FIELD_INVALID },
    { "operator/olga", OWN ", 'accountNumber': '62 22'", "account.account_number", REASON_FIELD_INVALID },
    { "operator/olga", OWN ", 'bic': 'ICBKCNB'", "account.bic", REASON_FIELD_INVALID },
    { "operator/olga", OWN ", 'countryCode': 'de'", "account.country_code", REASON_FIELD_INVALID },
    { "operator/olga", OWN ", 'currencyCode': 'eur'", "account.currency_code", REASON_FIELD_INVALID },
    { "merchant/shop-1", OWN, NULL, REASON_ROLE_NOT_ALLOWED },
};

static void what_cannot_be_is_refused(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(refusals); i++)
        house_refused(house, refusals[i].party, "SetPartyAccount", refusals[i].reason, refusals[i].field,
                      "{'account': {%s}}", refusals[i].account);
    house_refused(house, "merchant/shop-2", "ListPartyAccounts", REASON_NOT_YOURS, "party", "{" OWN "}");
    house_refused(house, "bank/bank-a", "ListPartyAccounts", REASON_NOT_YOURS, "party", "{" OWN "}");
    house_refused(house, "operator/olga", "ApprovePartyAccount", REASON_FIELD_INVALID, "version",
                  "{'programmeId': 'demo', 'party': {'kind': 'PARTY_MERCHANT', 'id': 'shop-2'}, 'version': 1}");
}

static void the_command_line_shows_it(void **state)
{
    struct house *house = *state;
    char printed[4096];

    assert_int_equal(
        house_type(house, "operator/oscar", "alliance account approve demo merchant:shop-1 2", printed, sizeof printed),
        0);
    assert_non_null(strstr(printed, "oscar"));
    assert_int_equal(house_type(house, "operator/oscar", "alliance account show demo merchant:shop-1 --json", printed,
                                sizeof printed),
                     0);
    assert_non_null(strstr(printed, "DE02120300000000202051"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_counts_after_a_second_persons_approval),
        cmocka_unit_test(each_kind_of_party_has_one),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(the_command_line_shows_it),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
