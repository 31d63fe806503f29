/* SplitMember over the wire: who may, what moves, what is refused and why, and what is said afterwards. */
#include "house.h"

#include "engine/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK   "bank/bank-a"
#define PERSON "bank/bank-a/person/paula"
#define SHOP   "merchant/shop-1"

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

#define ANN                                                                                                            \
    "{'memberRef': 'ann', 'creditLimit': '100', 'cards': [{'token': 'tok-ann-1', 'product': 'gold'}, {'token': "       \
    "'tok-ann-2', 'product': 'gold', 'expiresOn': '2029-12-31', 'supplementary': true, 'holderName': 'Holly "          \
    "Holder'}, {'token': 'tok-ann-3', 'supplementary': true, 'holderName': 'Hugo Other'}], 'contact': {'name': 'Ann "  \
    "Archer', 'phone': '555 1234'}, 'consents': ['offers']}"
#define HOLLY                                                                                                          \
    "{'memberRef': 'holly', 'cardTokens': ['tok-ann-2'], 'contact': {'name': 'Holly Holder', 'phone': '555 9999'}, "   \
    "'tier': {'number': 2}, 'creditLimit': '30'}"
#define SPLIT "{'requestId': '%s', 'bankId': 'bank-a', 'fromMemberRef': 'ann', 'points': '%d', 'second': %s}"

/* ann with three cards and so many points. */
static void make_ann(struct house *house, int64_t points)
{
    house_expect(house_push(house, BANK, "PushMembers", "{'bankId': 'bank-a', 'rows': [{'member': %s}]}", ANN),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED'}]}");
    if (points > 0)
        house_push(house, BANK, "PushAccruals",
                   "{'bankId': 'bank-a', 'rows': [{'transactionRef': 'start', 'memberRef': 'ann', 'amount': "
                   "{'currencyCode': 'CNY', 'amountMinor': '%lld'}, 'transactionTime': '2026-01-14T08:00:00Z'}]}",
                   (long long)points * 10);
}

static void accrue_by_card(struct house *house, const char *ref, const char *token)
{
    house_expect(house_push(house, BANK, "PushAccruals",
                            "{'bankId': 'bank-a', 'rows': [{'transactionRef': '%s', 'cardToken': '%s', 'amount': "
                            "{'currencyCode': 'CNY', 'amountMinor': '50'}, 'transactionTime': "
                            "'2026-01-14T08:00:00Z'}]}",
                            ref, token),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED', 'points': '5'}]}");
}

static void expect_balance(struct house *house, const char *member_ref, int64_t points)
{
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': '%s'}", member_ref),
                 "{'availablePoints': '%lld'}", (long long)points);
}

static void the_ledger_is_right(struct house *house)
{
    house_expect(house_push(house, "operator/olga", "VerifyLedger", "{'programmeId': 'demo'}"),
                 "{'finished': true, 'findingsTotal': '0'}");
}

static void one_becomes_two(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    make_ann(house, 100);
    json_t *receipt = house_ask(house, PERSON, "SplitMember", SPLIT, id, 40, HOLLY);
    house_expect(receipt, "{'memberRef': 'ann', 'points': '40', 'spendablePoints': '160', 'status': "
                          "'MEMBER_STATUS_ACTIVE', 'businessDate': '2026-01-15'}");
    house_expect(
        house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'holly', 'withContact': true}"),
        "{'facts': {'status': 'MEMBER_STATUS_ACTIVE', 'creditLimit': '30', 'tier': 2, 'cards': [{'token': "
        "'tok-ann-2', 'product': 'gold', 'expiresOn': '2029-12-31', 'supplementary': true, 'holderName': 'Holly "
        "Holder'}], 'consents': [], 'contactFields': ['name', 'phone']}, 'contact': {'name': 'Holly Holder'}}");
    house_expect(house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann', 'withContact': true}"),
                 "{'facts': {'creditLimit': '100', 'cards': [{'token': 'tok-ann-1', 'product': 'gold'}, {'token': "
                 "'tok-ann-3', 'holderName': 'Hugo Other'}], 'consents': ['offers'], 'contactFields': ['name', "
                 "'phone']}, 'contact': {'name': 'Ann Archer', 'phone': '555 1234'}}");
    expect_balance(house, "ann", 60);
    expect_balance(house, "holly", 40);
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'cardToken': 'tok-ann-2'}"),
                 "{'memberRefs': ['holly'], 'card': {'product': 'gold', 'expiresOn': '2029-12-31'}}");
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'phone': '5559999'}"),
                 "{'memberRefs': ['holly']}");
    /* From now on the card earns for whose it is. */
    accrue_by_card(house, "t-2", "tok-ann-2");
    accrue_by_card(house, "t-3", "tok-ann-3");
    expect_balance(house, "ann", 65);
    expect_balance(house, "holly", 45);
    /* The same again is the same receipt, and nothing more. */
    int64_t before = house_rows(house);
    assert_true(json_equal(receipt, house_ask(house, PERSON, "SplitMember", SPLIT, id, 40, HOLLY)));
    assert_int_equal(house_rows(house), before);
    house_refused(house, PERSON, "SplitMember", REASON_REQUEST_ID_REUSED, NULL, SPLIT, id, 41, HOLLY);
    assert_int_equal(house_rows(house), before);
    the_ledger_is_right(house);
}

static void both_logs_say_who_did_it(void **state)
{
    struct house *house = *state;

    make_ann(house, 100);
    house_ask(house, PERSON, "SplitMember", SPLIT, house_id(), 0, HOLLY);
    house_expect(
        house_ask(house, BANK, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
        "{'changes': [{}, {'changedBy': 'alliance://bank/bank-a/person/paula', 'profileChanged': true, 'before': "
        "{'cards': [{'token': 'tok-ann-1'}, {'token': 'tok-ann-2'}, {'token': 'tok-ann-3'}]}, 'after': {'cards': "
        "[{'token': 'tok-ann-1'}, {'token': 'tok-ann-3'}], 'consents': ['offers'], 'contactFields': ['name', "
        "'phone']}}]}");
    json_t *second = house_ask(house, BANK, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'holly'}");
    house_expect(second, "{'changes': [{'changedBy': 'alliance://bank/bank-a/person/paula', 'after': {'tier': 2, "
                         "'creditLimit': '30', 'cards': [{'token': 'tok-ann-2'}]}}]}");
    assert_null(json_object_get(json_array_get(json_object_get(second, "changes"), 0), "before"));
    /* What the bank has of the first after that is what it pushes: no change. */
    house_expect(house_push(house, BANK, "PushMembers",
                            "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'ann', 'creditLimit': '100', "
                            "'cards': [{'token': 'tok-ann-1', 'product': 'gold'}, {'token': 'tok-ann-3', "
                            "'supplementary': true, 'holderName': 'Hugo Other'}], 'contact': {'name': 'Ann Archer', "
                            "'phone': '555 1234'}, 'consents': ['offers']}}, {'member': {'memberRef': 'bob', "
                            "'cardTokens': ['tok-ann-2']}}]}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_UNCHANGED'}, {'reason': 'CARD_TAKEN'}]}");
}

/* In order: the first rule that is broken is named. */
static const struct {
    const char *story, *second;
    int points;
    enum reason reason;
    const char *field;
} refusals[] = {
    { "no second", "null", 1, REASON_FIELD_INVALID, "second" },
    { "points below nothing", "{'memberRef': 'two'}", -1, REASON_FIELD_INVALID, "points" },
    { "nothing at all", "{'memberRef': 'two'}", 0, REASON_FIELD_INVALID, "points" },
    { "a card number for a name", "{'memberRef': '4111111111111111'}", 1, REASON_CARD_NUMBER_REFUSED,
      "second.member_ref" },
    { "cards in full", "{'memberRef': 'two', 'cards': [{'token': 'tok-ann-1'}]}", 1, REASON_FIELD_INVALID,
      "second.cards" },
    { "a second that is frozen from the start", "{'memberRef': 'two', 'status': 'MEMBER_STATUS_FROZEN'}", 1,
      REASON_FIELD_INVALID, "second.status" },
    { "into itself", "{'memberRef': 'ann'}", 1, REASON_SAME_MEMBER, "second.member_ref" },
    { "into a member that is there", "{'memberRef': 'bob'}", 1, REASON_MEMBER_EXISTS, "second.member_ref" },
    { "a card of another member", "{'memberRef': 'two', 'cardTokens': ['tok-ann-1', 'tok-bob-1']}", 1,
      REASON_CARD_NOT_THE_MEMBERS, "second.card_tokens[1]" },
    { "a card nobody has", "{'memberRef': 'two', 'cardTokens': ['tok-none-1']}", 1, REASON_CARD_NOT_THE_MEMBERS,
      "second.card_tokens[0]" },
    { "one point more than there is", "{'memberRef': 'two'}", 101, REASON_INSUFFICIENT_POINTS, NULL },
    { "points that are held", "{'memberRef': 'two'}", 71, REASON_HOLDS_OPEN, NULL },
};

static void what_cannot_be_moves_nothing(void **state)
{
    struct house *house = *state;

    make_ann(house, 100);
    house_push(house, BANK, "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'bob', 'cardTokens': ['tok-bob-1']}}]}");
    house_ask(house, SHOP, "HoldRedemption",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', 'points': 30}",
              house_id());
    int64_t accounts = house_count(house, "SELECT count(*) FROM account");
    for (size_t i = 0; i < COUNT(refusals); i++) {
        print_message("           %s\n", refusals[i].story);
        house_refused(house, BANK, "SplitMember", refusals[i].reason, refusals[i].field, SPLIT, house_id(),
                      refusals[i].points, refusals[i].second);
    }
    house_refused(house, "bank/bank-b", "SplitMember", REASON_NOT_YOURS, "bank_id", SPLIT, house_id(), 1, HOLLY);
    house_refused(house, "operator/olga", "SplitMember", REASON_ROLE_NOT_ALLOWED, NULL, SPLIT, house_id(), 1, HOLLY);
    house_refused(house, BANK, "SplitMember", REASON_MEMBER_NOT_FOUND, "from_member_ref",
                  "{'requestId': '%s', 'bankId': 'bank-a', 'fromMemberRef': 'zoe', 'points': '1', 'second': "
                  "{'memberRef': 'two'}}",
                  house_id());
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), accounts);
    assert_int_equal(house_count(house, "SELECT count(*) FROM transfer"), 0);
    expect_balance(house, "ann", 70);
    /* What is not held may go. */
    house_expect(house_ask(house, BANK, "SplitMember", SPLIT, house_id(), 70, "{'memberRef': 'two'}"),
                 "{'points': '70', 'spendablePoints': '100'}");
    expect_balance(house, "two", 70);
}

static const struct {
    const char *method;
    enum reason reason;
} states[] = {
    { "FreezeMember", REASON_MEMBER_FROZEN },
    { "CloseMember", REASON_MEMBER_CLOSED },
};

static void only_a_member_in_good_standing_is_split(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    make_ann(house, 100);
    for (size_t i = 0; i < COUNT(states); i++) {
        house_ask(house, BANK, states[i].method, "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann'}",
                  house_id());
        house_refused(house, BANK, "SplitMember", states[i].reason, NULL, SPLIT, i ? house_id() : id, 1, HOLLY);
        /* A refusal is kept, too. */
        house_refused(house, BANK, "SplitMember", REASON_MEMBER_FROZEN, NULL, SPLIT, id, 1, HOLLY);
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM transfer_split"), 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM card WHERE member_ref = 'ann'"), 3);
}

/* What a server left that died in the middle is finished as the caller had asked, holders' names and all. */
static void what_was_left_is_recovered(void **state)
{
    struct house *house = *state;
    struct error err = { 0 };
    const char *id = house_id();
    int64_t finished;

    make_ann(house, 100);
    /* The cards' rows cannot be written: the chain breaks off there. */
    house_sql(house,
              "CREATE FUNCTION no_move() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; "
              "CREATE TRIGGER no_move BEFORE UPDATE ON card FOR EACH ROW EXECUTE FUNCTION no_move()");
    house_refused(house, BANK, "SplitMember", REASON_INTERNAL, NULL, SPLIT, id, 40, HOLLY);
    the_ledger_is_right(house);
    assert_int_equal(house_count(house, "SELECT count(*) FROM transfer WHERE state = 1"), 1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM card WHERE member_ref = 'ann'"), 3);
    assert_true(transfer_recover(house->db, house->office.lanes, TEST_BUCKETS, 0, &finished, &err));
    assert_int_equal(finished, 0);
    house_sql(house, "DROP TRIGGER no_move ON card");
    assert_true(transfer_recover(house->db, house->office.lanes, TEST_BUCKETS, 0, &finished, &err));
    assert_int_equal(finished, 1);
    house_expect(
        house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'holly', 'withContact': true}"),
        "{'facts': {'creditLimit': '30', 'tier': 2, 'cards': [{'token': 'tok-ann-2', 'holderName': 'Holly Holder'}]}, "
        "'contact': {'name': 'Holly Holder'}}");
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'cardToken': 'tok-ann-2'}"),
                 "{'memberRefs': ['holly']}");
    house_expect(house_ask(house, BANK, "SplitMember", SPLIT, id, 40, HOLLY), "{'points': '40'}");
    expect_balance(house, "ann", 60);
    expect_balance(house, "holly", 40);
    the_ledger_is_right(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_becomes_two, setup, teardown),
        cmocka_unit_test_setup_teardown(both_logs_say_who_did_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_moves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_member_in_good_standing_is_split, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_left_is_recovered, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
