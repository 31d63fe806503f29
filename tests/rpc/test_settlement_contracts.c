/* Settlement contracts and corrections: published and listed, proposed by one and approved by another. */
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

#define SHOP "'party': {'kind': 'PARTY_MERCHANT', 'id': 'shop-1'}, 'currencyCode': 'CNY'"

static void a_contract_has_versions(void **state)
{
    static const char first[] = "{'requestId': '%s', 'contract': {'programmeId': 'demo', " SHOP
                                ", 'effectiveFrom': '2030-01-01', 'tiers': [{'fromMinor': 0, 'commissionBp': 300}, "
                                "{'fromMinor': 1000000, 'commissionBp': 200}], 'taxBp': 600, 'residueLimitMinor': 3}}";
    struct house *house = *state;
    char id[64];

    snprintf(id, sizeof id, "%s", house_id());
    for (int i = 0; i < 2; i++) /* the same again is the same version */
        house_expect(house_ask(house, "operator/olga", "PublishSettlementContract", first, id),
                     "{'version': 1, " SHOP ", 'periodKind': 'PERIOD_KIND_MONTH', 'taxRounding': "
                     "'TAX_ROUNDING_HALF_EVEN', 'taxBearer': 'PARTY_MERCHANT', 'confirmDays': 15, 'paymentDays': 15, "
                     "'publishedBy': 'olga', 'tiers': [{'fromMinor': '0', 'commissionBp': '300'}, {'fromMinor': "
                     "'1000000', 'commissionBp': '200'}]}");
    house_refused(house, "operator/olga", "PublishSettlementContract", REASON_REQUEST_ID_REUSED, "request_id",
                  "{'requestId': '%s', 'contract': {'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2030-02-01'}}",
                  id);
    house_expect(house_ask(house, "operator/olga", "PublishSettlementContract",
                           "{'requestId': '%s', 'contract': {'programmeId': 'demo', " SHOP
                           ", 'effectiveFrom': '2030-02-01', 'periodKind': 'PERIOD_KIND_MONTH', 'paymentDays': 3}}",
                           house_id()),
                 "{'version': 2, 'periodKind': 'PERIOD_KIND_MONTH', 'paymentDays': 3}");
    json_t *page = house_ask(house, "operator/olga", "ListSettlementContracts",
                             "{'programmeId': 'demo', 'party': {'kind': 'PARTY_MERCHANT', 'id': 'shop-1'}, "
                             "'pageSize': 1}");
    house_expect(page, "{'contracts': [{'version': 1}]}");
    house_expect(house_ask(house, "operator/olga", "ListSettlementContracts",
                           "{'programmeId': 'demo', 'party': {'kind': 'PARTY_MERCHANT', 'id': 'shop-1'}, "
                           "'pageSize': 1, 'pageToken': '%s'}",
                           house_text(page, "nextPageToken")),
                 "{'contracts': [{'version': 2}], 'nextPageToken': ''}");
}

/* What is wrong with a contract, and the field that is named. */
static const struct {
    enum reason reason;
    const char *field, *contract;
} wrong[] = {
    { REASON_PROGRAMME_NOT_FOUND, "programme_id", "'programmeId': 'none', " SHOP ", 'effectiveFrom': '2031-01-01'" },
    { REASON_MERCHANT_NOT_FOUND, "contract.party.id",
      "'programmeId': 'demo', 'party': {'kind': 'PARTY_MERCHANT', 'id': 'none'}, 'currencyCode': 'CNY', "
      "'effectiveFrom': '2031-01-01'" },
    { REASON_FIELD_INVALID, "contract.party.kind",
      "'programmeId': 'demo', 'party': {'id': 'shop-1'}, 'currencyCode': 'CNY', 'effectiveFrom': '2031-01-01'" },
    { REASON_FIELD_INVALID, "contract.party.id",
      "'programmeId': 'demo', 'party': {'kind': 'PARTY_TAX', 'id': 'x'}, 'currencyCode': 'CNY', 'effectiveFrom': "
      "'2031-01-01'" },
    { REASON_FIELD_INVALID, "contract.currency_code",
      "'programmeId': 'demo', 'party': {'kind': 'PARTY_TAX'}, 'currencyCode': 'yuan', 'effectiveFrom': '2031-01-01'" },
    { REASON_FIELD_INVALID, "contract.effective_from", "'programmeId': 'demo', " SHOP ", 'effectiveFrom': 'soon'" },
    { REASON_EFFECTIVE_TOO_EARLY, "contract.effective_from",
      "'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2001-01-01'" },
    { REASON_FIELD_INVALID, "contract.period_kind",
      "'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2031-01-01', 'periodKind': 'PERIOD_KIND_WEEK'" },
    { REASON_FIELD_INVALID, "contract.hold_back_periods",
      "'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2031-01-01', 'holdBackBp': 100" },
    { REASON_FIELD_INVALID, "contract.custom_ends",
      "'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2031-01-01', 'customEnds': ['2031-01-09']" },
};

static void a_wrong_contract_is_refused(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        print_message("           %s\n", wrong[i].contract);
        house_refused(house, "operator/olga", "PublishSettlementContract", wrong[i].reason, wrong[i].field,
                      "{'requestId': '%s', 'contract': {%s}}", house_id(), wrong[i].contract);
    }
    house_refused(house, "bank/bank-a", "PublishSettlementContract", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
}

#define PROPOSED                                                                                                       \
    "{'requestId': '%s', 'programmeId': 'demo', 'from': {'kind': 'PARTY_MERCHANT', 'id': 'shop-1'}, 'to': {'kind': "   \
    "'PARTY_BANK', 'id': 'bank-a'}, 'amount': {'currencyCode': 'CNY', 'amountMinor': 1234}, 'reason': '%s', "          \
    "'refersTo': 'demo/2026-01'}"

static void a_correction_takes_two(void **state)
{
    struct house *house = *state;
    char id[64];

    snprintf(id, sizeof id, "%s", house_id());
    for (int i = 0; i < 2; i++)
        house_expect(house_ask(house, "operator/olga", "ProposeCorrection", PROPOSED, id, "charged twice"),
                     "{'correctionNumber': '1', 'state': 'CORRECTION_STATE_PROPOSED', 'kind': "
                     "'POSTING_KIND_ADJUSTMENT', 'from': {'kind': 'PARTY_MERCHANT', 'id': 'shop-1'}, 'amountMinor': "
                     "'1234', 'proposedBy': 'olga', 'approvedBy': '', 'takenPeriod': ''}");
    house_refused(house, "operator/olga", "ProposeCorrection", REASON_REQUEST_ID_REUSED, "request_id", PROPOSED, id,
                  "another");
    house_refused(house, "operator/olga", "ApproveCorrection", REASON_SECOND_PERSON_NEEDED, "",
                  "{'programmeId': 'demo', 'correctionNumber': 1, 'amountMinor': 1234}");
    house_refused(house, "operator/otto", "ApproveCorrection", REASON_APPROVAL_DIFFERS, "amount_minor",
                  "{'programmeId': 'demo', 'correctionNumber': 1, 'amountMinor': 1235}");
    house_refused(house, "operator/otto", "ApproveCorrection", REASON_CORRECTION_NOT_FOUND, "correction_number",
                  "{'programmeId': 'demo', 'correctionNumber': 99, 'amountMinor': 1234}");
    for (int i = 0; i < 2; i++)
        house_expect(house_ask(house, "operator/otto", "ApproveCorrection",
                               "{'programmeId': 'demo', 'correctionNumber': 1, 'amountMinor': 1234}"),
                     "{'state': 'CORRECTION_STATE_APPROVED', 'approvedBy': 'otto'}");
    house_expect(house_ask(house, "operator/olga", "ListCorrections",
                           "{'programmeId': 'demo', 'state': "
                           "'CORRECTION_STATE_APPROVED'}"),
                 "{'corrections': [{'correctionNumber': '1'}], 'nextPageToken': ''}");
    house_expect(house_ask(house, "operator/olga", "ListCorrections",
                           "{'programmeId': 'demo', 'state': "
                           "'CORRECTION_STATE_TAKEN'}"),
                 "{'corrections': []}");
}

static void a_wrong_correction_is_refused(void **state)
{
    struct house *house = *state;

    house_refused(house, "operator/olga", "ProposeCorrection", REASON_FIELD_INVALID, "to",
                  "{'requestId': '%s', 'programmeId': 'demo', 'from': {'kind': 'PARTY_OPERATOR'}, 'to': {'kind': "
                  "'PARTY_OPERATOR'}, 'amount': {'currencyCode': 'CNY', 'amountMinor': 1}, 'reason': 'x', 'refersTo': "
                  "'x'}",
                  house_id());
    house_refused(house, "operator/olga", "ProposeCorrection", REASON_FIELD_INVALID, "reason", PROPOSED, house_id(),
                  "");
    house_refused(house, "merchant/shop-1", "ProposeCorrection", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_contract_has_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_contract_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_correction_takes_two, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_correction_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
