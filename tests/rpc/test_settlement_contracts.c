/* Settlement contracts and corrections: published and listed, proposed by one and approved by another. */
#include "house.h"
#include "store/contract_store.h"

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

/* In another currency, so that the versions of the story above stay as they are. */
static void a_contract_says_by_which_periods(void **state)
{
    static const struct {
        const char *asked, *kind;
    } versions[] = {
        { "'effectiveFrom': '2031-01-01', 'periodKind': 'PERIOD_KIND_WEEK'", "'PERIOD_KIND_WEEK'" },
        { "'effectiveFrom': '2031-01-15', 'periodKind': 'PERIOD_KIND_DAY'", "'PERIOD_KIND_DAY'" },
        { "'effectiveFrom': '2031-01-20', 'periodKind': 'PERIOD_KIND_CUSTOM', 'customEnds': ['2031-02-10', "
          "'2031-02-28']",
          "'PERIOD_KIND_CUSTOM', 'customEnds': ['2031-02-10', '2031-02-28']" },
        { "'effectiveFrom': '2031-03-01'", "'PERIOD_KIND_MONTH', 'customEnds': []" },
    };
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "{'periodKind': %s}", versions[i].kind);
        house_expect(house_ask(house, "operator/olga", "PublishSettlementContract",
                               "{'requestId': '%s', 'contract': {'programmeId': 'demo', 'party': {'kind': "
                               "'PARTY_MERCHANT', 'id': 'shop-1'}, 'currencyCode': 'HKD', %s}}",
                               house_id(), versions[i].asked),
                     "%s", expected);
    }
}

/* A list may be asked for by every shape of a period, and by no other. */
static void periods_are_named_by_their_kind(void **state)
{
    static const char *const good[] = { "", "2031-01", "2031-W05", "2031-01-15", "2031-01-20--2031-02-10" };
    static const char *const bad[] = { "2031-W54", "2031-02-30", "2031", "2031-02-10--2031-01-20", "2031-01 OR 1=1" };
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(good); i++)
        house_expect(
            house_ask(house, "operator/olga", "ListStatements", "{'programmeId': 'demo', 'period': '%s'}", good[i]),
            "{'statements': []}");
    for (size_t i = 0; i < COUNT(bad); i++)
        house_refused(house, "operator/olga", "ListStatements", REASON_FIELD_INVALID, "period",
                      "{'programmeId': 'demo', 'period': '%s'}", bad[i]);
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
    { REASON_FIELD_INVALID, "contract.effective_from",
      "'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2031-01-02', 'periodKind': 'PERIOD_KIND_WEEK'" },
    { REASON_FIELD_INVALID, "contract.effective_from",
      "'programmeId': 'demo', 'party': {'kind': 'PARTY_BANK', 'id': 'bank-a'}, 'currencyCode': 'CNY', 'effectiveFrom': "
      "'2031-01-01', 'periodKind': 'PERIOD_KIND_WEEK'" },
    { REASON_FIELD_INVALID, "contract.period_kind",
      "'programmeId': 'demo', 'party': {'kind': 'PARTY_OPERATOR'}, 'currencyCode': 'CNY', 'effectiveFrom': "
      "'2031-01-01', 'periodKind': 'PERIOD_KIND_WEEK'" },
    { REASON_FIELD_INVALID, "contract.period_kind",
      "'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2031-01-01', 'periodKind': 7" },
    { REASON_FIELD_INVALID, "contract.custom_ends",
      "'programmeId': 'demo', " SHOP ", 'effectiveFrom': '2031-01-01', 'periodKind': 'PERIOD_KIND_CUSTOM', "
      "'customEnds': ['2031-01-25', '2031-02-25']" },
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

/* A correction of a break is approved where all are, and the break is over with it. */
/* A version may begin on the open day, so that day cannot be closed under it. */
static void the_open_day_stays_until_a_contract_is_there(void **state)
{
    const struct contract_last_params params = { 1, 2, 1, "CNY" };
    struct house *house = *state;
    struct contract_last_row last;
    struct arena arena = { 0 };
    struct db *db;
    struct error err;
    bool found;

    assert_true(db_open(house->conninfo, &db, &err));
    assert_true(db_begin(db, &err));
    assert_true(db_fetch_one(db, &contract_last, &params, &arena, &last, &found, &err));
    house_sql(house, "DO $$ BEGIN SET LOCAL lock_timeout = '50ms'; UPDATE fence SET business_date = business_date + 1; "
                     "RAISE EXCEPTION 'it moved'; EXCEPTION WHEN lock_not_available THEN NULL; END $$");
    db_rollback(db);
    db_close(db);
    arena_release(&arena);
}

static void a_break_is_corrected_with_its_correction(void **state)
{
    struct house *house = *state;
    json_t *proposed =
        house_ask(house, "operator/olga", "ProposeCorrection", PROPOSED, house_id(), "the bank is right");

    house_sql(house,
              "INSERT INTO recon_run (programme_no, party_type, party_no, period, first_date, last_date, "
              "file_name, file_sha256, settings, our_counts, their_counts) VALUES (1, 1, 1, '2026-01', "
              "'2026-01-01', '2026-01-31', 'a.csv', '', '', '{}', '{}');"
              "INSERT INTO recon_break (programme_no, party_type, party_no, period, period_end, fingerprint, "
              "run_no, last_run_no, class, state, key, redemption_id, hash16, ref, bank_no, merchant_no, "
              "our_date, our_state, our_minor, our_points, our_currency, their_date, their_state, their_minor, "
              "their_points, their_currency, their_line, correction_no) SELECT 1, 1, 1, '2026-01', '2026-01-31', "
              "sha256(int8send(n)), 1, 1, 4, 3, '', gen_random_uuid(), 0, gen_random_uuid(), 1, 1, "
              "'2026-01-15', 1, 200, 1, 'CNY', '2026-01-15', 1, 100, 1, 'CNY', 1, c.correction_no + n FROM "
              "settlement_correction c, generate_series(0, 1) n");
    house_ask(house, "operator/otto", "ApproveCorrection",
              "{'programmeId': 'demo', 'correctionNumber': '%s', 'amountMinor': 1234}",
              house_text(proposed, "correctionNumber"));
    assert_int_equal(house_count(house, "SELECT state FROM recon_break WHERE break_no = 1"), 4);
    assert_int_equal(house_count(house, "SELECT state FROM recon_break WHERE break_no = 2"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_contract_has_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_contract_says_by_which_periods, setup, teardown),
        cmocka_unit_test_setup_teardown(periods_are_named_by_their_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_contract_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_open_day_stays_until_a_contract_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_correction_takes_two, setup, teardown),
        cmocka_unit_test_setup_teardown(a_break_is_corrected_with_its_correction, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_correction_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
