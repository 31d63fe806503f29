/* An applied roster batch is rolled back: every member is just what it was, or nothing is done and it is said why. */
#include "roster_list.h"

#include "engine/lanes.h"
#include "engine/verify.h"
#include "service/roster_work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANN     "bank/bank-a/person/ann"
#define BEN     "bank/bank-a/person/ben"
#define MACHINE "bank/bank-a"

static struct house *house;
static struct roster_work first_server, second_server;

static int setup(void **state)
{
    (void)state;
    house = house_open();
    house_found(house);
    roster_work_init(&first_server, house->office.lanes, house->office.reference, &house->key);
    roster_work_init(&second_server, house->office.lanes, house->office.reference, &house->key);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    house_close(house);
    return 0;
}

static void work_off(struct roster_work *server)
{
    struct error err = { 0 };
    bool worked = true;

    while (worked) {
        if (!roster_work_run(server, house->db, &worked, &err) && err.reason != REASON_TRY_AGAIN)
            fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    }
}

static json_t *batch_of(int number)
{
    return house_ask(house, MACHINE, "GetRosterBatch", "{'bankId': 'bank-a', 'batchNumber': '%d'}", number);
}

static void apply(struct list *list)
{
    push_list(house, MACHINE, list);
    work_off(&first_server);
    house_expect(batch_of((int)list->batch_number), "{'state': 'ROSTER_STATE_APPLIED', 'refused': '0'}");
}

static json_t *roll_back(const char *party, int number)
{
    return house_ask(house, party, "RollBackRosterBatch",
                     "{'bankId': 'bank-a', 'batchNumber': '%d', 'reason': 'the wrong file'}", number);
}

static void roll_back_by_two(int number)
{
    house_expect(roll_back(ANN, number), "{'state': 'ROSTER_STATE_APPLIED'}");
    house_expect(roll_back(BEN, number), "{'state': 'ROSTER_STATE_ROLLING_BACK'}");
}

/* What somebody sees who looks at the members of the list and at their rows: every byte but the journal's position. */
#define ROWS                                                                                                           \
    "SELECT ('x' || substr(md5(string_agg(t, ';' ORDER BY t)), 1, 15))::bit(60)::int8 FROM ("                          \
    "SELECT (a.member_id, status, tier, available, held, pending, expired, credit_limit, credit_used, counted_on, "    \
    "day_points, month_points, next_due, tier_due, profile_hash, lots, pending_lots, holds, recent, credit)::text "    \
    "AS t FROM account a WHERE member_ref NOT LIKE 'new%' UNION ALL SELECT (p.member_id, p.card_tokens, p.facts, "     \
    "p.sealed, p.phone_mac, p.email_mac)::text FROM member_profile p JOIN account a USING (bucket, member_id) WHERE "  \
    "member_ref NOT LIKE 'new%' UNION ALL SELECT (id, member_id, member_ref, product, status, expires_on, "            \
    "supplementary)::text FROM card UNION ALL SELECT (tier_review)::text FROM tier_review) x"

static int64_t fingerprint(void)
{
    return house_count(house, ROWS);
}

static json_t *member(const char *member_ref)
{
    return house_ask(house, MACHINE, "GetMember", "{'bankId': 'bank-a', 'memberRef': '%s', 'withContact': true}",
                     member_ref);
}

static void tell_finding(void *owner, const struct verify_finding *finding)
{
    (void)owner;
    fail_msg("%s of %s, entry %lld: %s", verify_rule_name(finding->rule), finding->member_ref, (long long)finding->seq,
             finding->detail);
}

/* The ledger is what it must be. */
static void verify_all(void)
{
    const struct verify_scope scope = { .buckets = (int32_t)house_count(house, "SELECT buckets FROM installation") };
    struct verify *verify = verify_new(&scope, tell_finding, NULL);
    struct error err = { 0 };

    assert_non_null(verify);
    for (bool finished = false; !finished;) {
        if (!verify_step(verify, house->db, &finished, &err))
            fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    }
    assert_true(verify_progress(verify).entries > 0);
    verify_free(verify);
}

/* Members: ann has everything there is, bob and carl a card each, dora nothing. */
static void begin_with_four(void)
{
    CLEANUP(free_list) struct list *list = delta(1);

    add_json(list,
             "{'memberRef': 'ann', 'creditLimit': '100', 'tier': {'number': 3}, 'temporaryLimit': {'points': "
             "'900', 'firstDate': '2026-01-10', 'lastDate': '2026-03-01'}, 'cards': [{'token': 'tok-ann-2', "
             "'product': 'gold', 'expiresOn': '2029-12-31', 'supplementary': true, 'holderName': 'Holly Holder'}, "
             "{'token': 'tok-ann-1', 'status': 'CARD_STATUS_BLOCKED'}], 'contact': {'name': 'Ann Archer', "
             "'phone': '+86 138-0013-8000', 'email': 'Ann.Archer@Example.com'}, 'consents': ['offers']}");
    add_json(list, "{'memberRef': 'bob', 'creditLimit': '5', 'cardTokens': ['tok-bob-1', 'tok-bob-2']}");
    add_json(list, "{'memberRef': 'carl', 'cardTokens': ['tok-carl-1'], 'status': 'MEMBER_STATUS_FROZEN'}");
    add_json(list, "{'memberRef': 'dora', 'creditByTier': true, 'tier': {'number': 1}}");
    apply(list);
    house_member(house, "eve", 70);
    house_expect(house_push(house, MACHINE, "PushAccruals",
                            "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'transactionRef': 'a:1', 'memberRef': "
                            "'ann', 'amount': {'currencyCode': 'CNY', 'amountMinor': '500'}, 'transactionTime': "
                            "'2026-01-14T08:00:00Z'}, {'rowNumber': 2, 'transactionRef': 'a:2', 'memberRef': 'eve', "
                            "'amount': {'currencyCode': 'CNY', 'amountMinor': '330'}, 'pendingUntil': '2026-02-20', "
                            "'transactionTime': '2026-01-14T08:00:00Z'}]}"),
                 "{'verdicts': [{'points': '50'}, {'points': '33'}]}");
}

/* Everything of ann's is another; bob gives a card to carl; two are new, one with bob's other card. */
static struct list *wrong_list(int64_t number)
{
    struct list *list = delta(number);

    add_json(list, "{'memberRef': 'ann', 'creditLimit': '7', 'tier': {'number': 1}, 'status': 'MEMBER_STATUS_FROZEN', "
                   "'cards': [{'token': 'tok-ann-1', 'product': 'classic'}, {'token': 'tok-ann-3'}], 'contact': "
                   "{'name': 'Anna Other', 'email': 'other@example.com'}}");
    add_json(list, "{'memberRef': 'carl', 'cardTokens': ['tok-carl-1', 'tok-bob-1'], 'status': "
                   "'MEMBER_STATUS_ACTIVE'}");
    add_json(list, "{'memberRef': 'bob', 'creditLimit': '5'}");
    add_json(list, "{'memberRef': 'new-1', 'creditLimit': '50', 'cardTokens': ['tok-bob-2', 'tok-new-1'], 'contact': "
                   "{'name': 'Nobody'}}");
    add_json(list, "{'memberRef': 'new-2'}");
    add_json(list, "{'memberRef': 'dora', 'creditLimit': '9'}");
    add_json(list, "{'memberRef': 'eve'}");
    return list;
}

static void a_batch_is_undone_to_the_byte(void **state)
{
    (void)state;
    begin_with_four();
    CLEANUP(free_list) struct list *list = wrong_list(2);
    json_t *ann = member("ann"), *bob = member("bob"), *carl = member("carl");
    int64_t before = fingerprint();
    apply(list);
    house_expect(batch_of(2), "{'created': '2', 'changed': '4', 'unchanged': '1'}");
    assert_int_not_equal(fingerprint(), before);
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2),
                 "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'reason': 'the wrong file', 'requestedBy': "
                 "'alliance://bank/bank-a/person/ann', 'releasedBy': 'alliance://bank/bank-a/person/ben', 'refused': "
                 "'', 'builtOn': '0', 'restored': '4', 'withdrawn': '2', 'reopened': '0', 'pointsBack': '0'}}");
    assert_int_equal(fingerprint(), before);
    assert_true(json_equal(member("ann"), ann) && json_equal(member("bob"), bob) && json_equal(member("carl"), carl));
    verify_all();
    house_expect(house_ask(house, MACHINE, "FindMember", "{'bankId': 'bank-a', 'phone': '+8613800138000'}"),
                 "{'memberRefs': ['ann']}");
    house_expect(house_ask(house, MACHINE, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'bob'}"),
                 "{'changes': [{'batchNumber': '1'}, {'batchNumber': '2', 'changedBy': 'alliance://bank/bank-a'}, "
                 "{'batchNumber': '2', 'changedBy': 'alliance://bank/bank-a/person/ben for "
                 "alliance://bank/bank-a/person/ann'}]}");
}

/* Who was made by it is closed, and nothing personal is left; a later list makes it as if it had never been there. */
static void who_was_made_is_closed_and_may_be_made_again(void **state)
{
    (void)state;
    begin_with_four();
    CLEANUP(free_list) struct list *list = wrong_list(2);
    CLEANUP(free_list) struct list *right = delta(3);
    apply(list);
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(member("new-1"), "{'facts': {'status': 'MEMBER_STATUS_CLOSED', 'creditLimit': '0'}}");
    assert_int_equal(house_count(house,
                                 "SELECT count(*) FROM member_profile p JOIN account a USING (bucket, member_id) "
                                 "WHERE member_ref LIKE 'new%' AND (sealed <> '' OR card_tokens <> '{}')"),
                     0);
    house_refused(house, MACHINE, "FreezeMember", REASON_MEMBER_CLOSED, NULL,
                  "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'new-1'}", house_id());
    add_json(right, "{'memberRef': 'new-1', 'creditLimit': '60', 'cardTokens': ['tok-new-1']}");
    apply(right);
    house_expect(batch_of(3), "{'created': '1'}");
    house_expect(member("new-1"), "{'facts': {'status': 'MEMBER_STATUS_ACTIVE', 'creditLimit': '60'}}");
    roll_back_by_two(3);
    work_off(&first_server);
    house_expect(batch_of(3), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'withdrawn': '1'}}");
    house_expect(member("new-1"), "{'facts': {'status': 'MEMBER_STATUS_CLOSED'}}");
    verify_all();
}

static void a_full_list_gives_back_whom_it_closed(void **state)
{
    CLEANUP(free_list) struct list *list = full(2);

    (void)state;
    begin_with_four();
    json_t *eve = member("eve");
    int64_t before = fingerprint();
    add_json(list, "{'memberRef': 'bob', 'creditLimit': '5', 'cardTokens': ['tok-bob-1', 'tok-bob-2', 'tok-ann-1']}");
    add_json(list, "{'memberRef': 'dora', 'status': 'MEMBER_STATUS_CLOSED'}");
    push_list(house, MACHINE, list);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'closed': '3'}");
    house_expect(house_ask(house, MACHINE, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'eve'}"),
                 "{'availablePoints': '0', 'pendingPoints': '0'}");
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'pointsBack': '153'}}");
    assert_int_equal(fingerprint(), before);
    assert_true(json_equal(member("eve"), eve));
    assert_int_equal(house_count(house, "SELECT sum(points) FROM journal WHERE kind IN (27, 28)"), 153);
    verify_all();
}

/* Somebody was faster with one of them: that closing is not the list's. One of which nothing was kept is. */
static void whom_others_closed_stays_closed(void **state)
{
    CLEANUP(free_list) struct list *list = full(2);

    (void)state;
    begin_with_four();
    add_json(list, "{'memberRef': 'bob', 'creditLimit': '5', 'cardTokens': ['tok-bob-1', 'tok-bob-2']}");
    push_list(house, MACHINE, list);
    house_sql(house, "UPDATE roster_batch SET state = 5 WHERE batch_number = 2; INSERT INTO roster_closing SELECT "
                     "bank_no, 2, member_id, member_ref FROM account WHERE member_ref <> 'bob'");
    house_ask(house, MACHINE, "CloseMember", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'carl'}",
              house_id());
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'closed': '4'}");
    house_sql(house, "CREATE TABLE away AS SELECT * FROM roster_before WHERE seq = 2; DELETE FROM roster_before WHERE "
                     "seq = 2");
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'rollBack': {'refused': 'ROSTER_BUILT_ON', 'builtOn': '1', 'detail': 'dora (what it "
                              "was is not known)'}}");
    house_sql(house, "INSERT INTO roster_before SELECT * FROM away");
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'reopened': '3'}}");
    house_expect(member("carl"), "{'facts': {'status': 'MEMBER_STATUS_CLOSED'}}");
    verify_all();
}

/* What was built, and what is said of it. */
static const struct {
    const char *story, *party, *method, *request, *said;
} built[] = {
    { "a card transaction", MACHINE, "PushAccruals",
      "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'transactionRef': 'b:1', 'memberRef': 'carl', 'amount': "
      "{'currencyCode': 'CNY', 'amountMinor': '500'}, 'transactionTime': '2026-01-14T08:00:00Z'}]}",
      "carl (ACCRUE, entry 3)" },
    { "a redemption", "merchant/shop-1", "HoldRedemption",
      "{'bankId': 'bank-a', 'memberRef': 'new-1', 'merchantId': "
      "'shop-1', 'points': 2}",
      "new-1 (HOLD, entry 2)" },
    { "a push of the member", MACHINE, "PushMembers",
      "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'member': {'memberRef': 'bob', 'creditLimit': '8'}}]}",
      "bob (changed, entry 3)" },
    { "a credit limit", MACHINE, "SetCreditLimit",
      "{'bankId': 'bank-a', 'memberRef': 'dora', 'creditLimit': "
      "'77'}",
      "dora (changed, entry 3)" },
    { "an erasure", MACHINE, "EraseMember", "{'bankId': 'bank-a', 'memberRef': 'ann'}", "ann (changed, entry 4)" },
    { "a transfer to the member", MACHINE, "TransferPoints",
      "{'bankId': 'bank-a', 'fromMemberRef': 'eve', "
      "'toMemberRef': 'carl', 'points': '5'}",
      "carl (TRANSFER_IN, entry 3)" },
    { "a split of its cards", MACHINE, "SplitMember",
      "{'bankId': 'bank-a', 'fromMemberRef': 'carl', 'second': "
      "{'memberRef': 'second', 'cardTokens': ['tok-carl-1']}}",
      "carl (" },
    { "a stranger with a card it had", MACHINE, "PushMembers",
      "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'member': {'memberRef': 'stranger', 'cardTokens': "
      "['tok-ann-2']}}]}",
      "ann (a card of it is another member's now)" },
};

static void what_was_built_on_keeps_everything_as_it_is(void **state)
{
    CLEANUP(free_list) struct list *list = NULL;

    for (size_t i = 0; i < COUNT(built); i++) {
        print_message("%s\n", built[i].story);
        if (i > 0) {
            teardown(state);
            setup(state);
        }
        begin_with_four();
        free_list(&list);
        list = wrong_list(2);
        apply(list);
        bool push = strncmp(built[i].method, "Push", 4) == 0;
        json_t *reply = push ? house_push(house, built[i].party, built[i].method, "%s", built[i].request)
                             : house_ask(house, built[i].party, built[i].method, "{'requestId': '%s', %s", house_id(),
                                         built[i].request + 1);
        assert_non_null(reply);
        int64_t before = fingerprint();
        int64_t entries = house_count(house, "SELECT count(*) FROM journal");
        roll_back_by_two(2);
        work_off(&first_server);
        json_t *batch = batch_of(2);
        house_expect(batch, "{'state': 'ROSTER_STATE_APPLIED', 'rollBack': {'refused': 'ROSTER_BUILT_ON', 'builtOn': "
                            "'1', 'restored': '0', 'withdrawn': '0'}}");
        if (strncmp(house_text(batch, "rollBack.detail"), built[i].said, strlen(built[i].said)) != 0)
            fail_msg("%s: %s", built[i].story, house_text(batch, "rollBack.detail"));
        assert_int_equal(fingerprint(), before);
        assert_int_equal(house_count(house, "SELECT count(*) FROM journal"), entries);
        verify_all();
    }
}

/* What time does to points would have come without the batch. */
static void what_time_did_is_nothing_that_was_built(void **state)
{
    (void)state;
    begin_with_four();
    CLEANUP(free_list) struct list *list = delta(2);
    add_json(list, "{'memberRef': 'eve', 'creditLimit': '9'}");
    apply(list);
    house_sql(house, "UPDATE fence SET business_date = '2026-02-20'");
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'restored': '1'}}");
    house_expect(house_ask(house, MACHINE, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'eve'}"),
                 "{'availablePoints': '103', 'pendingPoints': '0', 'creditLimit': '0'}");
    verify_all();
}

/* Points that are given back may have expired in the meantime. */
static void points_that_were_over_by_then_expire(void **state)
{
    CLEANUP(free_list) struct list *list = full(2);

    (void)state;
    begin_with_four();
    add_json(list, "{'memberRef': 'bob', 'creditLimit': '5', 'cardTokens': ['tok-bob-1', 'tok-bob-2']}");
    apply(list);
    house_sql(house, "UPDATE fence SET business_date = '2036-02-20'");
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'reopened': '4'}}");
    assert_int_equal(house_count(house, "SELECT sum(expired) FROM account"), 153);
    assert_int_equal(house_count(house, "SELECT sum(available + pending) FROM account"), 0);
    verify_all();
}

static void two_persons_and_the_newest_batch_only(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);
    CLEANUP(free_list) struct list *next = delta(2);
    CLEANUP(free_list) struct list *third = delta(3);

    (void)state;
    add(list, "m-1", 5);
    apply(list);
#define ROLL(number, more) "{'bankId': 'bank-a', 'batchNumber': '" #number "'" more "}"
    house_refused(house, MACHINE, "RollBackRosterBatch", REASON_PERSON_NEEDED, NULL, ROLL(1, ", 'reason': 'x'"));
    house_refused(house, ANN, "RollBackRosterBatch", REASON_FIELD_INVALID, "reason", ROLL(1, ""));
    house_refused(house, "bank/bank-b/person/ann", "RollBackRosterBatch", REASON_NOT_YOURS, "bank_id",
                  ROLL(1, ", 'reason': 'x'"));
    house_refused(house, ANN, "RollBackRosterBatch", REASON_ROSTER_BATCH_NOT_FOUND, "batch_number",
                  ROLL(2, ", 'reason': 'x'"));
    house_refused(house, ANN, "RollBackRosterBatch", REASON_ROSTER_BATCH_STATE, "withdraw",
                  ROLL(1, ", 'withdraw': true"));
    roll_back(ANN, 1);
    roll_back(ANN, 1); /* the same answer again */
    house_refused(house, ANN, "RollBackRosterBatch", REASON_SECOND_PERSON_NEEDED, NULL, ROLL(1, ", 'reason': 'y'"));
    house_expect(house_ask(house, ANN, "RollBackRosterBatch", ROLL(1, ", 'withdraw': true")),
                 "{'state': 'ROSTER_STATE_APPLIED'}");
    roll_back(BEN, 1);
    add(next, "m-1", 6);
    push_list(house, MACHINE, next);
    house_refused(house, ANN, "RollBackRosterBatch", REASON_ROSTER_NOT_NEWEST, "batch_number", ROLL(1, ""));
    house_refused(house, ANN, "RollBackRosterBatch", REASON_ROSTER_BATCH_STATE, "batch_number",
                  ROLL(2, ", 'reason': 'x'"));
    work_off(&first_server);
    roll_back_by_two(2);
    roll_back(BEN, 2); /* the same answer again */
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK'}");
    house_expect(roll_back(BEN, 2), "{'state': 'ROSTER_STATE_ROLLED_BACK'}");
    house_refused(house, ANN, "RollBackRosterBatch", REASON_ROSTER_BATCH_STATE, "batch_number",
                  ROLL(2, ", 'reason': 'x'"));
    house_refused(house, ANN, "RollBackRosterBatch", REASON_ROSTER_NOT_NEWEST, "batch_number",
                  ROLL(1, ", 'reason': 'x'"));
    house_expect(house_ask(house, MACHINE, "ListRosterBatches", "{'bankId': 'bank-a'}"),
                 "{'batches': [{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'restored': '1'}}, {'rollBack': "
                 "{'requestedBy': 'alliance://bank/bank-a/person/ben'}}]}");
    add(third, "m-1", 7); /* the number that was rolled back stays taken */
    apply(third);
    assert_int_equal(house_count(house, "SELECT count(*) FROM roster_before WHERE batch_number < 3"), 0);
}

/* Of a batch from before anything was kept nothing is done. */
static void what_was_not_kept_cannot_come_back(void **state)
{
    CLEANUP(free_list) struct list *list = NULL;

    (void)state;
    begin_with_four();
    list = wrong_list(2);
    apply(list);
    house_sql(house, "DELETE FROM roster_before WHERE seq = 2");
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'rollBack': {'refused': 'ROSTER_BUILT_ON', 'builtOn': '3'}}");
    house_sql(house, "DELETE FROM roster_chunk");
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'rollBack': {'refused': 'ROSTER_NOTHING_KEPT'}}");
}

/* 100 fen earn 10 points; silver is 5,000 fen in 12 months, gold 10,000, both with 3 months of grace. */
#define TIERS                                                                                                          \
    "{'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': "      \
    "{'num': '7', 'den': '10'}}], 'minimumPoints': '1', 'expiryMonths': 60, 'accrualRate': {'num': '1', 'den': "       \
    "'10'}, 'tierCreditLimits': [{'tier': 2, 'points': '700'}]}, 'accrualBase': 'ACCRUAL_BASE_WITHOUT_POINTS', "       \
    "'tiers': "                                                                                                        \
    "[{'tier': 1, 'name': 'silver', 'qualifyingSpend': {'amountMinor': '5000', 'currencyCode': 'CNY'}, "               \
    "'periodMonths': 12, 'graceMonths': 3}, {'tier': 2, 'name': 'gold', 'qualifyingSpend': {'amountMinor': '10000', "  \
    "'currencyCode': 'CNY'}, 'periodMonths': 12, 'graceMonths': 3}]}"

static void publish_tiers(void)
{
    house_ask(house, ANN, "DraftRuleSet", "{'requestId': '%s', 'bankId': 'bank-a', 'document': " TIERS "}", house_id());
    house_expect(house_ask(house, ANN, "ValidateRuleSet", "{'bankId': 'bank-a', 'number': 1}"), "{'findings': []}");
    house_ask(house, BEN, "ApproveRuleSet", "{'bankId': 'bank-a', 'number': 1}");
    house_ask(house, ANN, "ScheduleRuleSet",
              "{'bankId': 'bank-a', 'number': 1, 'effectiveFrom': '2026-01-15T13:00:00Z'}");
    house_ask(house, "operator/olga", "AdvanceTestClock",
              "{'programmeId': 'demo', 'programmeTime': '2026-01-20T14:00:00Z'}");
    house_sql(house, "UPDATE fence SET business_date = '2026-01-20'");
}

/* The bank's word makes a tier stand for a period; without it the tier is again what spend has made it. */
static void a_tier_is_again_what_spend_made_it(void **state)
{
    CLEANUP(free_list) struct list *first = delta(1);
    CLEANUP(free_list) struct list *wrong = delta(2);

    (void)state;
    publish_tiers();
    add(first, "ann", 0);
    add(first, "bob", 0);
    apply(first);
    house_expect(house_push(house, MACHINE, "PushAccruals",
                            "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'transactionRef': 't:1', 'memberRef': "
                            "'ann', 'amount': {'currencyCode': 'CNY', 'amountMinor': '6000'}, 'transactionTime': "
                            "'2026-01-18T08:00:00Z'}]}"),
                 "{'verdicts': [{'points': '600'}]}");
    json_t *ann = member("ann"), *bob = member("bob");
    house_expect(ann, "{'facts': {'tier': 1}, 'tierStanding': {'lostOn': '2027-04-01'}}");
    int64_t before = fingerprint();
    add_json(wrong, "{'memberRef': 'ann', 'tier': {'number': 2}, 'creditByTier': true}");
    add_json(wrong, "{'memberRef': 'bob', 'tier': {'number': 1}}");
    apply(wrong);
    house_expect(member("ann"), "{'facts': {'tier': 2, 'creditLimit': '700'}}");
    house_expect(member("bob"), "{'tierStanding': {'lostOn': '2027-04-01'}}");
    assert_int_not_equal(fingerprint(), before);
    roll_back_by_two(2);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'restored': '2'}}");
    assert_true(json_equal(member("ann"), ann) && json_equal(member("bob"), bob));
    house_sql(house, "DELETE FROM tier_review WHERE mark_tiers = '{}'"); /* bob's, of which nothing is known */
    assert_int_equal(fingerprint(), before);
    verify_all();
}

/* It happened after all had been looked at: that member stays, the others go back, and it is said. */
static void who_was_used_in_the_middle_of_it_stays(void **state)
{
    CLEANUP(free_list) struct list *list = NULL;

    (void)state;
    begin_with_four();
    list = wrong_list(2);
    apply(list);
    roll_back_by_two(2);
    house_sql(house, "UPDATE roster_roll_back SET phase = 3"); /* ROLL_BACK_ROWS: the look is over */
    house_ask(house, MACHINE, "SetCreditLimit",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'dora', 'creditLimit': '77'}", house_id());
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'refused': '', 'builtOn': '1', "
                              "'detail': 'dora (changed, entry 3)', 'restored': '3', 'withdrawn': '2'}}");
    house_expect(member("dora"), "{'facts': {'creditLimit': '77'}}");
    house_expect(member("bob"), "{'facts': {'creditLimit': '5', 'cards': [{'token': 'tok-bob-1'}, {}]}}");
    verify_all();
}

/* Carl stays, and with him the card that the list gave him: bob, whose it was, cannot be what he was. */
static void who_stays_keeps_its_cards(void **state)
{
    CLEANUP(free_list) struct list *list = NULL;

    (void)state;
    begin_with_four();
    list = wrong_list(2);
    apply(list);
    roll_back_by_two(2);
    house_sql(house, "UPDATE roster_roll_back SET phase = 3"); /* ROLL_BACK_ROWS: the look is over */
    house_ask(house, MACHINE, "SetCreditLimit",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'carl', 'creditLimit': '77'}", house_id());
    work_off(&first_server);
    assert_int_equal(house_count(house, "SELECT count(*) FROM (SELECT unnest(card_tokens) FROM member_profile GROUP BY "
                                        "1 HAVING count(*) > 1) x"),
                     0);
    json_t *batch = batch_of(2);
    house_expect(batch, "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'builtOn': '2', 'restored': '2', "
                        "'withdrawn': '2'}}");
    assert_string_equal(house_text(batch, "rollBack.detail"),
                        "carl (changed, entry 3), bob (a card of it is another member's now)");
    house_expect(member("carl"), "{'facts': {'creditLimit': '77', 'cards': [{'token': 'tok-bob-1'}, {'token': "
                                 "'tok-carl-1'}]}}");
    house_expect(member("bob"), "{'facts': {'cards': []}}");
    verify_all();
}

/* What is personal is dropped here, too. */
static void an_erasure_reaches_what_was_kept(void **state)
{
    CLEANUP(free_list) struct list *list = NULL;

    (void)state;
    begin_with_four();
    list = wrong_list(2);
    apply(list);
#define KEPT "SELECT count(*) FROM roster_before WHERE sealed <> '' OR phone_mac <> '' OR email_mac <> ''"
    assert_int_equal(house_count(house, KEPT), 1);
    house_ask(house, MACHINE, "EraseMember", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann'}", house_id());
    assert_int_equal(house_count(house, KEPT), 0);
}

/* A server falls over after the lanes have done their part and before it is written how far the roll-back is. */
static void another_server_goes_on_with_it(void **state)
{
    CLEANUP(free_list) struct list *list = NULL;

    (void)state;
    begin_with_four();
    int64_t before = fingerprint();
    list = wrong_list(2);
    add_many(list, 1, 1200, 3);
    apply(list);
    roll_back_by_two(2);
    work_off(&first_server);
    int64_t entries = house_count(house, "SELECT count(*) FROM journal");
    house_sql(house, "UPDATE roster_roll_back SET phase = 3, next_row = 1, restored = 0, withdrawn = 0; "
                     "UPDATE roster_batch SET state = 7, lease_until = 'epoch' WHERE batch_number = 2");
    work_off(&second_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_ROLLED_BACK', 'rollBack': {'restored': '4', 'withdrawn': "
                              "'1202', 'builtOn': '0'}}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM journal"), entries);
    house_sql(house, "DELETE FROM roster_chunk; DELETE FROM card WHERE member_ref LIKE 'm-%'");
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE member_ref LIKE 'm-%' AND status <> 3"), 0);
    house_sql(house, "UPDATE account SET member_ref = 'new-' || member_ref WHERE member_ref LIKE 'm-%'");
    assert_int_equal(fingerprint(), before);
    verify_all();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_undone_to_the_byte),
        TEST(who_was_made_is_closed_and_may_be_made_again),
        TEST(a_full_list_gives_back_whom_it_closed),
        TEST(whom_others_closed_stays_closed),
        TEST(what_was_built_on_keeps_everything_as_it_is),
        TEST(what_time_did_is_nothing_that_was_built),
        TEST(points_that_were_over_by_then_expire),
        TEST(two_persons_and_the_newest_batch_only),
        TEST(what_was_not_kept_cannot_come_back),
        TEST(a_tier_is_again_what_spend_made_it),
        TEST(who_was_used_in_the_middle_of_it_stays),
        TEST(who_stays_keeps_its_cards),
        TEST(an_erasure_reaches_what_was_kept),
        TEST(another_server_goes_on_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
