/* What two parties or two people are needed for: corrections by hand, transfers and merges, exposure limits. */
#include "house.h"

#include "engine/lanes.h"
#include "engine/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"
#define SHOP "merchant/shop-1"
#define OLGA "operator/olga"
#define OTTO "operator/otto"

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

static void expect_available(struct house *house, const char *member_ref, int64_t points)
{
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': '%s'}", member_ref),
                 "{'availablePoints': '%lld'}", (long long)points);
}

/* Corrections */

#define ADJUST                                                                                                         \
    "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': '%d', 'reasonCode': 'GOODWILL', 'note': "   \
    "'a late parcel'}"
#define APPROVE "{'adjustmentId': '%s', 'bankId': 'bank-a', 'memberRef': '%s', 'points': '%d'}"

static void a_small_correction_is_done_at_once(void **state)
{
    struct house *house = *state;
    const char *id = house_id(), *take = house_id();

    house_member(house, "ann", 100);
    json_t *done = house_ask(house, OLGA, "AdjustPoints", ADJUST, id, 10000);
    house_expect(done,
                 "{'adjustmentId': '%s', 'state': 'ADJUSTMENT_STATE_DONE', 'proposedBy': 'olga', 'approvedBy': "
                 "'', 'receipt': {'memberRef': 'ann', 'points': '10000', 'spendablePoints': '10100', 'status': "
                 "'MEMBER_STATUS_ACTIVE', 'businessDate': '2026-01-15'}}",
                 id);
    house_expect(house_ask(house, OLGA, "AdjustPoints", ADJUST, take, -10000),
                 "{'state': 'ADJUSTMENT_STATE_DONE', 'receipt': {'points': '10000', 'spendablePoints': '100'}}");
    assert_true(json_equal(done, house_ask(house, OLGA, "AdjustPoints", ADJUST, id, 10000)));
    house_refused(house, OLGA, "AdjustPoints", REASON_REQUEST_ID_REUSED, "request_id", ADJUST, id, 9999);
    house_refused(house, OTTO, "AdjustPoints", REASON_REQUEST_ID_REUSED, "request_id", ADJUST, id, 10000);
    expect_available(house, "ann", 100);
    assert_int_equal(house_count(house, "SELECT count(*) FROM adjustment WHERE state = 3 AND reason_code = 'GOODWILL' "
                                        "AND note = 'a late parcel' AND proposed_by = 'olga' AND approved_by = ''"),
                     2);
}

static void a_large_one_needs_a_second_person(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    house_member(house, "ann", 100);
    house_member(house, "bob", 0);
    json_t *waiting = house_ask(house, OLGA, "AdjustPoints", ADJUST, id, 10001);
    house_expect(waiting,
                 "{'adjustmentId': '%s', 'state': 'ADJUSTMENT_STATE_WAITING', 'proposedBy': 'olga', "
                 "'approvedBy': ''}",
                 id);
    assert_null(json_object_get(waiting, "receipt"));
    assert_true(json_equal(waiting, house_ask(house, OLGA, "AdjustPoints", ADJUST, id, 10001)));
    expect_available(house, "ann", 100);
    house_refused(house, OLGA, "ApproveAdjustment", REASON_SECOND_PERSON_NEEDED, NULL, APPROVE, id, "ann", 10001);
    house_refused(house, OTTO, "ApproveAdjustment", REASON_APPROVAL_DIFFERS, "points", APPROVE, id, "ann", 10000);
    house_refused(house, OTTO, "ApproveAdjustment", REASON_ADJUSTMENT_NOT_FOUND, "adjustment_id", APPROVE, id, "bob",
                  10001);
    house_refused(house, OTTO, "ApproveAdjustment", REASON_ADJUSTMENT_NOT_FOUND, "adjustment_id", APPROVE, house_id(),
                  "ann", 10001);
    house_refused(house, OTTO, "ApproveAdjustment", REASON_ADJUSTMENT_NOT_FOUND, "adjustment_id", APPROVE, "it", "ann",
                  10001);
    house_refused(house, BANK, "ApproveAdjustment", REASON_ROLE_NOT_ALLOWED, NULL, APPROVE, id, "ann", 10001);
    expect_available(house, "ann", 100);
    json_t *done = house_ask(house, OTTO, "ApproveAdjustment", APPROVE, id, "ann", 10001);
    house_expect(done, "{'state': 'ADJUSTMENT_STATE_DONE', 'proposedBy': 'olga', 'approvedBy': 'otto', 'receipt': "
                       "{'points': '10001', 'spendablePoints': '10101'}}");
    assert_true(json_equal(done, house_ask(house, OTTO, "ApproveAdjustment", APPROVE, id, "ann", 10001)));
    assert_true(json_equal(done, house_ask(house, OLGA, "AdjustPoints", ADJUST, id, 10001)));
    house_refused(house, OLGA, "ApproveAdjustment", REASON_SECOND_PERSON_NEEDED, NULL, APPROVE, id, "ann", 10001);
    expect_available(house, "ann", 10101);
}

/* The server died between the approval and the points: whoever asks again finishes it. */
static void an_approval_that_was_cut_short_is_finished(void **state)
{
    struct house *house = *state;
    const char *id = house_id(), *other = house_id();

    house_member(house, "ann", 0);
    house_ask(house, OLGA, "AdjustPoints", ADJUST, id, 20000);
    house_ask(house, OLGA, "AdjustPoints", ADJUST, other, 30000);
    house_sql(house, "UPDATE adjustment SET state = 2, approved_by = 'otto'");
    house_expect(house_ask(house, OTTO, "ApproveAdjustment", APPROVE, id, "ann", 20000),
                 "{'state': 'ADJUSTMENT_STATE_DONE', 'approvedBy': 'otto', 'receipt': {'points': '20000'}}");
    house_expect(house_ask(house, OLGA, "AdjustPoints", ADJUST, other, 30000), "{'state': 'ADJUSTMENT_STATE_DONE'}");
    /* And between the points and the note that they have moved. */
    house_sql(house, "UPDATE adjustment SET state = 2");
    house_expect(house_ask(house, OTTO, "ApproveAdjustment", APPROVE, id, "ann", 20000),
                 "{'state': 'ADJUSTMENT_STATE_DONE', 'receipt': {'points': '20000', 'spendablePoints': '20000'}}");
    expect_available(house, "ann", 50000);
    assert_int_equal(house_count(house, "SELECT count(*) FROM journal WHERE kind = 15"), 2);
}

static void what_the_member_does_not_allow_is_on_record(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    house_member(house, "ann", 0);
    house_ask(house, OLGA, "AdjustPoints", ADJUST, id, 20000);
    house_ask(house, BANK, "CloseMember", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann'}", house_id());
    house_refused(house, OTTO, "ApproveAdjustment", REASON_MEMBER_CLOSED, NULL, APPROVE, id, "ann", 20000);
    house_refused(house, OLGA, "AdjustPoints", REASON_MEMBER_CLOSED, NULL, ADJUST, id, 20000);
    house_refused(house, OLGA, "AdjustPoints", REASON_MEMBER_CLOSED, NULL, ADJUST, house_id(), 5);
    assert_int_equal(house_count(house, "SELECT count(*) FROM adjustment WHERE state = 4"), 2);
}

static const struct {
    const char *story, *fields, *field;
    enum reason reason;
} wrong_corrections[] = {
    { "nothing", "'reasonCode': 'A'", "points", REASON_POINTS_NOT_POSITIVE },
    { "too many", "'points': '1000000000001', 'reasonCode': 'A'", "points", REASON_POINTS_TOO_MANY },
    { "the least number there is", "'points': '-9223372036854775808', 'reasonCode': 'A'", "points",
      REASON_POINTS_TOO_MANY },
    { "no reason", "'points': 5", "reason_code", REASON_FIELD_INVALID },
    { "a reason in small letters", "'points': 5, 'reasonCode': 'gift'", "reason_code", REASON_FIELD_INVALID },
    { "a note on two lines", "'points': 5, 'reasonCode': 'GIFT', 'note': 'a\\nb'", "note", REASON_FIELD_INVALID },
    { "a funding there is not", "'points': 5, 'reasonCode': 'GIFT', 'fundingId': 'spring'", "funding_id",
      REASON_FUNDING_NOT_FOUND },
    { "a funding for what is taken", "'points': -5, 'reasonCode': 'GIFT', 'fundingId': 'spring'", "funding_id",
      REASON_FIELD_INVALID },
};

static void wrong_corrections_name_their_field(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 0);
    for (size_t i = 0; i < COUNT(wrong_corrections); i++) {
        print_message("           %s\n", wrong_corrections[i].story);
        house_refused(house, OLGA, "AdjustPoints", wrong_corrections[i].reason, wrong_corrections[i].field,
                      "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', %s}", house_id(),
                      wrong_corrections[i].fields);
    }
    house_refused(house, OLGA, "AdjustPoints", REASON_MEMBER_NOT_FOUND, "member_ref",
                  "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'bob', 'points': 5, 'reasonCode': 'GIFT'}",
                  house_id());
    house_refused(house, BANK, "AdjustPoints", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM adjustment"), 0);
}

/* Transfers */

#define TRANSFER "{'requestId': '%s', 'bankId': 'bank-a', 'fromMemberRef': '%s', 'toMemberRef': '%s', 'points': '%d'}"
#define MERGE    "{'requestId': '%s', 'bankId': 'bank-a', 'fromMemberRef': '%s', 'intoMemberRef': '%s'}"

static void points_go_there_and_back_again(void **state)
{
    struct house *house = *state;
    static const char *const refs[] = { "ann", "bob", "cid", "dot", "eve", "fay" };
    const char *id = house_id();

    for (size_t i = 0; i < COUNT(refs); i++)
        house_member(house, refs[i], i ? 0 : 100);
    json_t *first = house_ask(house, BANK, "TransferPoints", TRANSFER, id, "ann", "bob", 100);
    house_expect(first, "{'memberRef': 'ann', 'points': '100', 'spendablePoints': '0', 'status': "
                        "'MEMBER_STATUS_ACTIVE', 'businessDate': '2026-01-15'}");
    /* Round through whatever buckets they live in. */
    for (size_t i = 1; i < COUNT(refs); i++)
        house_expect(
            house_ask(house, BANK, "TransferPoints", TRANSFER, house_id(), refs[i], refs[(i + 1) % COUNT(refs)], 100),
            "{'points': '100', 'spendablePoints': '0'}");
    expect_available(house, "ann", 100);
    assert_true(json_equal(first, house_ask(house, BANK, "TransferPoints", TRANSFER, id, "ann", "bob", 100)));
    expect_available(house, "ann", 100);
    expect_available(house, "bob", 0);
    house_refused(house, BANK, "TransferPoints", REASON_REQUEST_ID_REUSED, NULL, TRANSFER, id, "ann", "cid", 100);
    assert_int_equal(house_count(house, "SELECT count(*) FROM transfer WHERE state = 2"), (int64_t)COUNT(refs));
    assert_int_equal(house_count(house, "SELECT count(*) FROM transfer WHERE state <> 2"), 0);
}

static void a_transfer_that_cannot_be_moves_nothing(void **state)
{
    struct house *house = *state;
    const char *late = house_id(), *closed = house_id();

    house_member(house, "ann", 100);
    house_member(house, "bob", 0);
    house_refused(house, BANK, "TransferPoints", REASON_MEMBER_NOT_FOUND, "to_member_ref", TRANSFER, house_id(), "ann",
                  "zoe", 10);
    house_refused(house, BANK, "TransferPoints", REASON_MEMBER_NOT_FOUND, NULL, TRANSFER, house_id(), "zoe", "ann", 10);
    house_refused(house, BANK, "TransferPoints", REASON_SAME_MEMBER, "to_member_ref", TRANSFER, house_id(), "ann",
                  "ann", 10);
    house_refused(house, BANK, "TransferPoints", REASON_POINTS_NOT_POSITIVE, "points", TRANSFER, house_id(), "ann",
                  "bob", 0);
    house_refused(house, BANK, "TransferPoints", REASON_FIELD_INVALID, "to_member_ref", TRANSFER, house_id(), "ann", "",
                  1);
    house_refused(house, BANK, "TransferPoints", REASON_CARD_NUMBER_REFUSED, "from_member_ref", TRANSFER, house_id(),
                  "4111111111111111", "bob", 1);
    house_refused(house, "bank/bank-b", "TransferPoints", REASON_NOT_YOURS, "bank_id", TRANSFER, house_id(), "ann",
                  "bob", 10);
    house_refused(house, OLGA, "TransferPoints", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
    house_refused(house, BANK, "TransferPoints", REASON_INSUFFICIENT_POINTS, NULL, TRANSFER, late, "ann", "bob", 101);
    house_ask(house, OLGA, "AdjustPoints",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': 50, 'reasonCode': 'GIFT'}",
              house_id());
    house_refused(house, BANK, "TransferPoints", REASON_INSUFFICIENT_POINTS, NULL, TRANSFER, late, "ann", "bob", 101);
    /* The receiver will not have them: they come back, and so it is said each time. */
    house_ask(house, BANK, "CloseMember", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'bob'}", house_id());
    for (int i = 0; i < 2; i++)
        house_refused(house, BANK, "TransferPoints", REASON_MEMBER_CLOSED, NULL, TRANSFER, closed, "ann", "bob", 10);
    house_refused(house, BANK, "MergeMembers", REASON_MEMBER_CLOSED, NULL, MERGE, house_id(), "ann", "bob");
    expect_available(house, "ann", 150);
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'status': 'MEMBER_STATUS_ACTIVE'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM transfer WHERE state = 3 AND reason = 'MEMBER_CLOSED'"),
                     2);
}

/* A transfer somebody began and nobody ended, as a server that dies leaves it, is over once it is recovered. */
static void what_was_left_is_recovered(void **state)
{
    struct house *house = *state;
    struct error err = { 0 };
    int64_t finished;

    house_member(house, "ann", 100);
    house_member(house, "bob", 0);
    house_ask(house, BANK, "TransferPoints", TRANSFER, house_id(), "ann", "bob", 40);
    assert_true(transfer_recover(house->db, house->office.lanes, TEST_BUCKETS, 0, &finished, &err));
    assert_int_equal(finished, 0);
    house_sql(house, "UPDATE transfer SET state = 1");
    assert_true(transfer_recover(house->db, house->office.lanes, TEST_BUCKETS, 0, &finished, &err));
    expect_available(house, "bob", 40);
    expect_available(house, "ann", 60);
}

static void a_merge_moves_everything(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    house_member(house, "ann", 100);
    house_member(house, "bob", 10);
    house_push(
        house, BANK, "PushAccruals",
        "{'bankId': 'bank-a', 'rows': [{'transactionRef': 'later', 'memberRef': 'ann', 'amount': {'currencyCode': "
        "'CNY', 'amountMinor': '200'}, 'transactionTime': '2026-01-14T08:00:00Z', 'pendingUntil': "
        "'2026-03-01'}]}");
    json_t *held = house_ask(house, SHOP, "HoldRedemption",
                             "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', "
                             "'points': 1}",
                             house_id());
    house_refused(house, BANK, "MergeMembers", REASON_HOLDS_OPEN, NULL, MERGE, house_id(), "ann", "bob");
    house_ask(house, SHOP, "CancelRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
              house_text(held, "redemptionId"));
    house_refused(house, BANK, "MergeMembers", REASON_SAME_MEMBER, "into_member_ref", MERGE, house_id(), "ann", "ann");
    house_refused(house, BANK, "MergeMembers", REASON_MEMBER_NOT_FOUND, "into_member_ref", MERGE, house_id(), "ann",
                  "zoe");
    json_t *merged = house_ask(house, BANK, "MergeMembers", MERGE, id, "ann", "bob");
    house_expect(merged, "{'memberRef': 'ann', 'spendablePoints': '0', 'status': 'MEMBER_STATUS_CLOSED'}");
    assert_true(json_equal(merged, house_ask(house, BANK, "MergeMembers", MERGE, id, "ann", "bob")));
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'bob'}"),
                 "{'availablePoints': '110', 'pendingPoints': '20', 'pendingLots': [{'points': '20', 'maturesOn': "
                 "'2026-03-01'}]}");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '0', 'pendingPoints': '0', 'status': 'MEMBER_STATUS_CLOSED'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_small_correction_is_done_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_one_needs_a_second_person, setup, teardown),
        cmocka_unit_test_setup_teardown(an_approval_that_was_cut_short_is_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_member_does_not_allow_is_on_record, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_corrections_name_their_field, setup, teardown),
        cmocka_unit_test_setup_teardown(points_go_there_and_back_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transfer_that_cannot_be_moves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_left_is_recovered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_merge_moves_everything, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
