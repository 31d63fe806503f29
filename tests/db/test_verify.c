/*
 * A ledger in which everything has happened is found to be right; a row that is changed, taken away or added by hand is
 * found, under the rule it breaks; load that runs meanwhile makes no findings.
 */
#include "members.h"

#include "close_store.h"
#include "day_store.h"
#include "engine/verifier.h"
#include "engine/verify.h"
#include "io/clock.h"
#include "io/crypto.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a walk came to. */
struct outcome_of_walk {
    int64_t rules[VERIFY_RULE_COUNT];
    struct verify_finding first;
    struct verify_progress progress;
};

static void count_finding(void *owner, const struct verify_finding *finding)
{
    struct outcome_of_walk *outcome = owner;
    int64_t before = 0;

    for (int rule = 0; rule < VERIFY_RULE_COUNT; rule++)
        before += outcome->rules[rule];
    if (before == 0)
        outcome->first = *finding;
    outcome->rules[finding->rule]++;
}

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("%s: %s", reason_name(err->reason), error_text(err));
}

static void walk(struct db *db, const struct verify_scope *scope, struct outcome_of_walk *outcome)
{
    struct verify *verify = verify_new(scope, count_finding, outcome);
    struct error err = { 0 };

    assert_non_null(verify);
    for (bool finished = false; !finished;)
        must(verify_step(verify, db, &finished, &err), &err);
    outcome->progress = verify_progress(verify);
    verify_free(verify);
}

static struct outcome_of_walk walk_all(struct alliance *alliance)
{
    struct outcome_of_walk outcome = { .progress = { 0 } };

    walk(alliance->db, &(struct verify_scope){ .buckets = TEST_BUCKETS }, &outcome);
    return outcome;
}

static void expect_none(const struct outcome_of_walk *outcome)
{
    if (outcome->progress.findings > 0)
        fail_msg("%s of %s, entry %lld: %s", verify_rule_name(outcome->first.rule), outcome->first.member_ref,
                 (long long)outcome->first.seq, outcome->first.detail);
}

static void sql(struct alliance *alliance, const char *text)
{
    struct error err = { 0 };

    if (!db_script(alliance->db, text, &err))
        fail_msg("%s: %s", error_text(&err), text);
}

/* The world */

static void do_it(struct alliance *alliance, struct command *command)
{
    alliance_run(alliance, command);
    if (command->answer.reason != REASON_OK)
        fail_msg("%s", reason_name(command->answer.reason));
}

static struct command on_member(const struct alliance *alliance, const char *member_ref, enum command_kind kind)
{
    struct command command = command_set_member(alliance, member_ref, 0);

    command.kind = kind;
    memset(&command.member, 0, sizeof command.member);
    return command;
}

static void transfer(struct alliance *alliance, const char *from, const char *to, int64_t points, enum reason answer)
{
    struct parcel parcel;
    struct command sent = on_member(alliance, from, COMMAND_SEND);

    sent.send = (struct send_order){ points, points == 0, command_member_id("bank-a", to), to, &parcel, NULL };
    do_it(alliance, &sent);
    struct command received = on_member(alliance, to, COMMAND_RECEIVE);
    received.request_id = command_transfer_step(&sent.request_id, "receive");
    received.transfer = (struct transfer_order){ sent.request_id, &parcel, REASON_OK, NULL };
    if (answer == REASON_OK)
        do_it(alliance, &received);
    if (answer == REASON_TRY_AGAIN)
        return; /* on its way for now */
    struct command settled = on_member(alliance, from, COMMAND_SETTLE);
    settled.request_id = command_transfer_step(&sent.request_id, "settle");
    settled.transfer = (struct transfer_order){ sent.request_id, &parcel, answer, NULL };
    do_it(alliance, &settled);
}

static void earn(struct alliance *alliance, const char *member_ref, const char *ref, int64_t points)
{
    struct command command = command_accrue(alliance, member_ref, ref, points * 100);

    do_it(alliance, &command);
}

static void earn_and_take_back(struct alliance *alliance)
{
    struct command pending = command_accrue(alliance, "ann", "t-event", 50000);
    struct command later = command_accrue(alliance, "ann", "t-later", 7000);
    struct command mature = on_member(alliance, "ann", COMMAND_MATURE);
    struct command claw = on_member(alliance, "ann", COMMAND_CLAW_BACK);
    struct command add = on_member(alliance, "ann", COMMAND_ADJUST);
    struct command take = on_member(alliance, "ann", COMMAND_ADJUST);

    pending.accrue.by_event = true;
    do_it(alliance, &pending);
    later.accrue.pending_until = date_of(2026, 1, 20);
    do_it(alliance, &later);
    mature.accrual_id = claw.accrual_id = pending.request_id;
    mature.part.points = 300;
    do_it(alliance, &mature);
    claw.part.points = 250;
    do_it(alliance, &claw);
    add.adjust.points = 40;
    do_it(alliance, &add);
    take.adjust.points = -15;
    do_it(alliance, &take);
}

static void redeem(struct alliance *alliance)
{
    struct command cancelled = command_hold(alliance, "ann", 100), confirmed = command_hold(alliance, "ann", 200);
    struct command open = command_hold(alliance, "ann", 60), lapsing = command_hold(alliance, "bob", 30);
    struct command at_once = command_hold(alliance, "ann", 70), on_credit = command_hold(alliance, "cid", 500);

    at_once.kind = COMMAND_REDEEM;
    lapsing.hold.lapse_after_us = 1;
    do_it(alliance, &cancelled);
    do_it(alliance, &confirmed);
    do_it(alliance, &open);
    do_it(alliance, &at_once);
    do_it(alliance, &lapsing);
    do_it(alliance, &on_credit);
    struct command cancel = command_on(&cancelled, COMMAND_CANCEL, 0);
    struct command confirm = command_on(&confirmed, COMMAND_CONFIRM, 150);
    struct command confirm_credit = command_on(&on_credit, COMMAND_CONFIRM, 0);
    do_it(alliance, &cancel);
    do_it(alliance, &confirm);
    do_it(alliance, &confirm_credit);
    for (int i = 0; i < 2; i++) {
        struct command reverse = command_on(&confirmed, COMMAND_REVERSE, 33);
        do_it(alliance, &reverse);
    }
    struct command all = command_on(&on_credit, COMMAND_REVERSE, 0);
    do_it(alliance, &all);
}

static const char *const names[] = { "ann", "bob", "cid", "dee", "eve", "fay" };

/* As a day close does it. */
static void seal(struct alliance *alliance, struct date date)
{
    struct seal *seals = calloc(BUCKETS_MAX, sizeof *seals);
    struct error err = { 0 };

    assert_non_null(seals);
    must(close_store_seal_day(alliance->db, 1, date, seals, NULL, &err), &err);
    for (int32_t bucket = 0; bucket < TEST_BUCKETS; bucket++)
        must(day_store_put_seal(alliance->db, 1, date, bucket, &seals[bucket], &err), &err);
    free(seals);
}

/* A bit of everything, over three business dates; the first two are sealed. */
static void live(struct alliance *alliance)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        struct command member = command_set_member(alliance, names[i], i == 2 ? 1000 : 0);
        do_it(alliance, &member);
        earn(alliance, names[i], "t-1", 1000 + (int64_t)i);
    }
    earn_and_take_back(alliance);
    redeem(alliance);
    transfer(alliance, "ann", "dee", 25, REASON_OK);
    transfer(alliance, "dee", "ann", 5, REASON_MEMBER_CLOSED);
    alliance_clock(alliance, "2026-02-20T12:00:00Z");
    alliance_business_date(alliance, "2026-02-20");
    earn(alliance, "ann", "t-2", 10);
    earn(alliance, "bob", "t-2", 10);
    transfer(alliance, "eve", "fay", 0, REASON_OK);
    transfer(alliance, "fay", "bob", 7, REASON_TRY_AGAIN);
    alliance_clock(alliance, "2027-03-01T12:00:00Z");
    alliance_business_date(alliance, "2027-03-01");
    earn(alliance, "ann", "t-3", 10);
    struct command reinstate = on_member(alliance, "ann", COMMAND_REINSTATE);
    reinstate.reinstate = (struct reinstate_order){ 12, date_of(2027, 9, 1) };
    do_it(alliance, &reinstate);
    struct command waits = command_accrue(alliance, "bob", "t-waits", 4200);
    waits.accrue.by_event = true;
    do_it(alliance, &waits);
    struct command close = on_member(alliance, "dee", COMMAND_CLOSE);
    do_it(alliance, &close);
    struct command open = command_hold(alliance, "ann", 15);
    do_it(alliance, &open);
    seal(alliance, date_of(2026, 1, 15));
    seal(alliance, date_of(2026, 2, 20));
}

static const char keep[] = "CREATE TABLE keep_account AS TABLE account; CREATE TABLE keep_journal AS TABLE journal;"
                           "CREATE TABLE keep_redemption AS TABLE redemption;"
                           "CREATE TABLE keep_operation AS TABLE operation; CREATE TABLE keep_accrual AS TABLE accrual;"
                           "CREATE TABLE keep_transfer AS TABLE transfer";
static const char put_back[] =
    "TRUNCATE account, journal, redemption, operation, accrual, transfer;"
    "INSERT INTO account SELECT * FROM keep_account; INSERT INTO journal SELECT * FROM keep_journal;"
    "INSERT INTO redemption SELECT * FROM keep_redemption; INSERT INTO operation SELECT * FROM keep_operation;"
    "INSERT INTO accrual SELECT * FROM keep_accrual; INSERT INTO transfer SELECT * FROM keep_transfer";

#define ANN "member_id = (SELECT member_id FROM keep_account WHERE member_ref = 'ann')"
#define BOB "member_id = (SELECT member_id FROM keep_account WHERE member_ref = 'bob')"

/* Everything a member ever had, but for what is of others. */
#define WITHOUT(table) "DELETE FROM " table " WHERE " BOB ";"

static const struct {
    const char *story, *sql;
    enum verify_rule rule;
} forgeries[] = {
    { "points of an entry", "UPDATE journal SET points = points + 1 WHERE kind = 2 AND seq = 2 AND " ANN,
      VERIFY_CHAIN_BROKEN },
    { "money of an entry", "UPDATE journal SET gross_minor = gross_minor + 1 WHERE kind = 4 AND " ANN,
      VERIFY_CHAIN_BROKEN },
    { "lots of an entry", "UPDATE journal SET lots = set_byte(lots, 3, 9) WHERE kind = 3 AND " ANN,
      VERIFY_CHAIN_BROKEN },
    { "pending after an entry", "UPDATE journal SET pending_after = 1 WHERE kind = 3 AND " ANN, VERIFY_CHAIN_BROKEN },
    { "a currency that is longer than one", "UPDATE journal SET currency = 'CNYX' WHERE kind = 4 AND " ANN,
      VERIFY_ENTRY_IMPOSSIBLE },
    { "an entry's number that no sum holds", "UPDATE journal SET points = -9223372036854775808 WHERE kind = 2 AND " ANN,
      VERIFY_ENTRY_IMPOSSIBLE },
    { "a balance after an entry", "UPDATE journal SET held_after = held_after + 1 WHERE kind = 3 AND " ANN,
      VERIFY_BALANCE_DIFFERS },
    { "the kind of an entry", "UPDATE journal SET kind = 8 WHERE kind = 5 AND " ANN, VERIFY_SUM_NOT_ZERO },
    { "an entry in the middle is gone", "DELETE FROM journal WHERE seq = 5 AND " ANN, VERIFY_ENTRY_MISSING },
    { "the first entry is gone", "DELETE FROM journal WHERE seq = 1 AND " ANN, VERIFY_ENTRY_MISSING },
    { "the newest entry is gone",
      "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM keep_journal WHERE " ANN ") AND " ANN,
      VERIFY_ENTRY_MISSING },
    { "a whole journal is gone", "DELETE FROM journal WHERE " ANN, VERIFY_ENTRY_MISSING },
    { "an entry more at the end",
      "INSERT INTO journal SELECT bucket, member_id, seq + 1, business_date, at, kind, points, available_after, "
      "held_after, credit_used_after, credit_limit_after, ref, redemption_id, programme_no, bank_no, merchant_no, "
      "store_no, rules_version, terms_version, currency, gross_minor, commission_minor, hash, pending_after, lots "
      "FROM keep_journal WHERE seq = (SELECT max(seq) FROM keep_journal WHERE " ANN ") AND " ANN,
      VERIFY_ACCOUNT_DIFFERS },
    { "an entry more in between",
      "INSERT INTO journal SELECT bucket, member_id, seq, business_date + 1, at, kind, points, available_after, "
      "held_after, credit_used_after, credit_limit_after, ref, redemption_id, programme_no, bank_no, merchant_no, "
      "store_no, rules_version, terms_version, currency, gross_minor, commission_minor, hash, pending_after, lots "
      "FROM keep_journal WHERE seq = 3 AND " ANN,
      VERIFY_ENTRY_REPEATED },
    { "the account is gone", "DELETE FROM account WHERE " ANN, VERIFY_ACCOUNT_MISSING },
    { "available points", "UPDATE account SET available = available + 1 WHERE " ANN, VERIFY_ACCOUNT_DIFFERS },
    { "a credit limit", "UPDATE account SET credit_limit = 5000 WHERE " ANN, VERIFY_ACCOUNT_DIFFERS },
    { "an account's hash", "UPDATE account SET chain = set_byte(chain, 0, 1 # get_byte(chain, 0)) WHERE " ANN,
      VERIFY_ACCOUNT_DIFFERS },
    { "a lot", "UPDATE account SET lots = set_byte(lots, 15, 1 # get_byte(lots, 15)) WHERE " ANN, VERIFY_LOTS_DIFFER },
    { "lots that are cut", "UPDATE account SET lots = substr(lots, 2) WHERE " ANN, VERIFY_LOTS_DIFFER },
    { "a lot more", "UPDATE account SET lots = lots || decode('7fffffff000000000000000000000001', 'hex') WHERE " ANN,
      VERIFY_LOTS_DIFFER },
    { "pending lots", "UPDATE account SET pending_lots = '' WHERE pending > 0", VERIFY_PENDING_DIFFERS },
    { "the list of open holds", "UPDATE account SET holds = '' WHERE member_ref = 'cid' OR " ANN, VERIFY_HOLDS_DIFFER },
    { "an account nobody opened",
      "INSERT INTO account SELECT * FROM jsonb_populate_record(NULL::account, (SELECT to_jsonb(a) || "
      "'{\"member_id\": \"00000000-0000-8000-8000-000000000001\", \"member_ref\": \"eva\"}' FROM keep_account a "
      "WHERE member_ref = 'ann'))",
      VERIFY_ENTRY_MISSING },
    { "a redemption's points", "UPDATE redemption SET points = points + 1 WHERE state = 1", VERIFY_REDEMPTION_DIFFERS },
    { "a redemption's state", "UPDATE redemption SET state = 3 WHERE state = 1", VERIFY_REDEMPTION_DIFFERS },
    { "a redemption's money", "UPDATE redemption SET gross_minor = gross_minor + 1 WHERE state = 2",
      VERIFY_REDEMPTION_DIFFERS },
    { "what was reversed", "UPDATE redemption SET reversed_points = reversed_points - 1 WHERE reversed_points > 0",
      VERIFY_REDEMPTION_DIFFERS },
    { "a redemption's member",
      "UPDATE redemption SET member_id = '00000000-0000-8000-8000-000000000001' WHERE state = 2",
      VERIFY_REDEMPTION_DIFFERS },
    { "draws of an open hold", "UPDATE redemption SET draws = '' WHERE state = 1", VERIFY_DRAWS_DIFFER },
    { "draws of a confirmed one", "UPDATE redemption SET draw_credit = draw_credit + 1 WHERE state = 2",
      VERIFY_DRAWS_DIFFER },
    { "a redemption is gone", "DELETE FROM redemption WHERE state = 2", VERIFY_REDEMPTION_MISSING },
    { "a redemption more",
      "INSERT INTO redemption SELECT * FROM jsonb_populate_record(NULL::redemption, (SELECT to_jsonb(r) || "
      "'{\"id\": \"0193a5f0-7e1c-7000-8000-000000000001\"}' FROM keep_redemption r WHERE state = 1 LIMIT 1))",
      VERIFY_REDEMPTION_UNBOOKED },
    { "a hold that was confirmed and cancelled", "UPDATE journal SET kind = 5 WHERE kind = 7",
      VERIFY_HOLD_ENDED_TWICE },
    { "more reversed than confirmed", "UPDATE journal SET points = points + 1000 WHERE kind = 8",
      VERIFY_REVERSED_BEYOND },
    { "a request's points", "UPDATE operation SET points = points + 1 WHERE kind = 4", VERIFY_OPERATION_DIFFERS },
    { "a request's answer", "UPDATE operation SET reason = 'MEMBER_FROZEN' WHERE kind = 8", VERIFY_OPERATION_DIFFERS },
    { "a request's money", "UPDATE operation SET gross_minor = gross_minor + 1 WHERE kind = 8",
      VERIFY_OPERATION_DIFFERS },
    { "a request's cash", "UPDATE operation SET cash_minor = 1 WHERE kind = 4", VERIFY_OPERATION_DIFFERS },
    { "cash that a reversal gave back", "UPDATE operation SET cash_minor = -1 WHERE kind = 8",
      VERIFY_OPERATION_DIFFERS },
    { "a redemption's cash",
      "UPDATE redemption SET price_minor = 900000, price_currency = 'CNY', cash_minor = 800000 WHERE state = 2",
      VERIFY_OPERATION_DIFFERS },
    { "a request is gone", "DELETE FROM operation WHERE kind = 5", VERIFY_OPERATION_MISSING },
    { "an adjustment's request is gone", "DELETE FROM operation WHERE kind = 15", VERIFY_OPERATION_MISSING },
    { "a request more",
      "INSERT INTO operation SELECT * FROM jsonb_populate_record(NULL::operation, (SELECT to_jsonb(o) || "
      "'{\"id\": \"0193a5f0-7e1c-7000-8000-000000000001\"}' FROM keep_operation o WHERE kind = 8 LIMIT 1))",
      VERIFY_OPERATION_UNBOOKED },
    { "a card transaction's points", "UPDATE accrual SET points = points + 1 WHERE transaction_ref = 't-2'",
      VERIFY_ACCRUAL_DIFFERS },
    { "a card transaction is gone", "DELETE FROM accrual WHERE transaction_ref = 't-event'", VERIFY_ACCRUAL_MISSING },
    { "a card transaction more",
      "INSERT INTO accrual SELECT * FROM jsonb_populate_record(NULL::accrual, (SELECT to_jsonb(a) || "
      "'{\"id\": \"0193a5f0-7e1c-8000-8000-000000000001\"}' FROM keep_accrual a LIMIT 1))",
      VERIFY_ACCRUAL_UNBOOKED },
    { "a transfer's state", "UPDATE transfer SET state = 3 WHERE state = 2", VERIFY_TRANSFER_DIFFERS },
    { "a transfer's lots", "UPDATE transfer SET lots = set_byte(lots, 15, 1 # get_byte(lots, 15)) WHERE state = 1",
      VERIFY_TRANSFER_DIFFERS },
    { "a member never was",
      WITHOUT("account") WITHOUT("journal") WITHOUT("redemption") WITHOUT("operation") WITHOUT("accrual"),
      VERIFY_SEAL_DIFFERS },
    { "drawn credit that nobody uses",
      "UPDATE account SET credit = decode(repeat('00', 28), 'hex') || int4send(10000) || int8send(credit_used + 1)",
      VERIFY_CREDIT_DIFFERS },
    { "a list of drawn credit that is cut", "UPDATE account SET credit = decode(repeat('00', 29), 'hex')",
      VERIFY_CREDIT_DIFFERS },
    { "a limit that its plan does not say",
      "UPDATE account SET credit = decode('00000002', 'hex') || int4send(1) || int4send(99999) || int8send(0) || "
      "int8send(credit_limit + 1) WHERE credit_used = 0",
      VERIFY_CREDIT_DIFFERS },
    { "a transfer is gone", "DELETE FROM transfer WHERE state = 1", VERIFY_TRANSFER_SUM },
};

static void test_what_was_forged_is_found(void **state)
{
    struct alliance alliance;

    (void)state;
    alliance_open(&alliance);
    live(&alliance);
    alliance_check(&alliance);
    struct outcome_of_walk clean = walk_all(&alliance);
    expect_none(&clean);
    assert_int_equal(clean.progress.members, COUNT(names));
    assert_int_equal(clean.progress.entries, alliance_count(&alliance, "SELECT count(*) FROM journal"));
    sql(&alliance, keep);
    for (size_t i = 0; i < COUNT(forgeries); i++) {
        sql(&alliance, forgeries[i].sql);
        struct outcome_of_walk outcome = walk_all(&alliance);
        if (outcome.rules[forgeries[i].rule] == 0)
            fail_msg("%s: no %s; %lld findings, first %s: %s", forgeries[i].story, verify_rule_name(forgeries[i].rule),
                     (long long)outcome.progress.findings, verify_rule_name(outcome.first.rule), outcome.first.detail);
        sql(&alliance, put_back);
    }
    for (int rule = 0; rule < VERIFY_RULE_COUNT; rule++) {
        size_t i = 0;
        while (i < COUNT(forgeries) && forgeries[i].rule != (enum verify_rule)rule)
            i++;
        if (i == COUNT(forgeries))
            fail_msg("no story has broken %s", verify_rule_name((enum verify_rule)rule));
    }
    struct outcome_of_walk again = walk_all(&alliance);
    expect_none(&again);
    alliance_close(&alliance);
}

static void test_one_member(void **state)
{
    struct alliance alliance;
    struct verify_scope scope = { .buckets = TEST_BUCKETS, .member_id = command_member_id("bank-a", "ann") };
    struct outcome_of_walk ann = { .progress = { 0 } }, bob = { .progress = { 0 } };

    (void)state;
    alliance_open(&alliance);
    live(&alliance);
    sql(&alliance, "UPDATE account SET available = available + 1 WHERE member_ref = 'bob'");
    walk(alliance.db, &scope, &ann);
    expect_none(&ann);
    assert_int_equal(ann.progress.members, 1);
    scope.member_id = command_member_id("bank-a", "bob");
    walk(alliance.db, &scope, &bob);
    assert_int_equal(bob.rules[VERIFY_ACCOUNT_DIFFERS], 1);
    assert_string_equal(bob.first.member_ref, "bob");
    assert_int_equal(bob.first.bank_no, alliance.bank_no);
    alliance_close(&alliance);
}

/* What is of another programme is left alone, also when it is wrong. */
static void test_one_programme(void **state)
{
    struct alliance alliance;
    struct outcome_of_walk this = { .progress = { 0 } }, other = { .progress = { 0 } };

    (void)state;
    alliance_open(&alliance);
    live(&alliance);
    sql(&alliance, "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('q', 'UTC', true);"
                   "UPDATE account SET available = available + 1 WHERE member_ref = 'bob'");
    walk(alliance.db, &(struct verify_scope){ .buckets = TEST_BUCKETS, .programme_no = 2 }, &other);
    expect_none(&other);
    assert_int_equal(other.progress.members, 0);
    walk(alliance.db, &(struct verify_scope){ .buckets = TEST_BUCKETS, .programme_no = 1 }, &this);
    assert_true(this.progress.findings > 0);
    alliance_close(&alliance);
}

/* More members than one range takes, and a member with more entries than a range takes. */
static void test_many(void **state)
{
    enum { MANY = 600 };
    static struct command members[MANY];
    static char refs[MANY][16];
    struct alliance alliance;

    (void)state;
    alliance_open(&alliance);
    for (int i = 0; i < MANY; i++) {
        snprintf(refs[i], sizeof refs[i], "m-%d", i);
        members[i] = command_set_member(&alliance, refs[i], 0);
    }
    alliance_run_all(&alliance, members, MANY);
    struct outcome_of_walk outcome = walk_all(&alliance);
    expect_none(&outcome);
    assert_int_equal(outcome.progress.members, MANY);
    assert_int_equal(outcome.progress.entries, MANY);
    sql(&alliance, "DELETE FROM account WHERE member_ref IN ('m-0', 'm-299', 'm-599')");
    outcome = walk_all(&alliance);
    assert_int_equal(outcome.rules[VERIFY_ACCOUNT_MISSING], 3);
    assert_int_equal(outcome.progress.findings, 3);
    alliance_close(&alliance);
}

/* A member with more entries than are remembered at a time: its redemptions and requests are added up part by part. */
static void test_parts_make_a_whole(void **state)
{
    struct alliance alliance;

    (void)state;
    alliance_open(&alliance);
    live(&alliance);
    sql(&alliance, "UPDATE account SET journal_seq = 999999");
    struct outcome_of_walk outcome = walk_all(&alliance);
    assert_int_equal(outcome.rules[VERIFY_ENTRY_MISSING], COUNT(names));
    assert_int_equal(outcome.progress.findings, COUNT(names));
    assert_int_equal(outcome.progress.entries, alliance_count(&alliance, "SELECT count(*) FROM journal"));
    alliance_close(&alliance);
}

/* Load */

struct load {
    struct alliance *alliance;
    atomic_bool done;
};

static void *run_load(void *argument)
{
    enum { ROUNDS = 30, AT_ONCE = 40 };
    struct load *load = argument;

    for (int round = 0; round < ROUNDS; round++) {
        struct command holds[AT_ONCE], ends[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            holds[i] = command_hold(load->alliance, names[i % 3], 1 + i % 5);
        alliance_run_all(load->alliance, holds, AT_ONCE);
        for (int i = 0; i < AT_ONCE; i++)
            ends[i] = command_on(&holds[i], i % 3 == 0 ? COMMAND_CANCEL : COMMAND_CONFIRM, 0);
        alliance_run_all(load->alliance, ends, AT_ONCE);
    }
    atomic_store(&load->done, true);
    return NULL;
}

static void test_load_makes_no_findings(void **state)
{
    struct alliance alliance;
    struct load load = { &alliance, false };
    struct error err = { 0 };
    struct db *db;
    pthread_t thread;
    int walks = 0;

    (void)state;
    alliance_open(&alliance);
    for (int i = 0; i < 3; i++) {
        struct command member = command_set_member(&alliance, names[i], 0);
        do_it(&alliance, &member);
        earn(&alliance, names[i], "t-1", 1000000);
    }
    must(db_open(alliance.conninfo, &db, &err), &err);
    assert_int_equal(pthread_create(&thread, NULL, run_load, &load), 0);
    for (bool last = false; !last; walks++) {
        last = atomic_load(&load.done);
        struct outcome_of_walk outcome = { .progress = { 0 } };
        walk(db, &(struct verify_scope){ .buckets = TEST_BUCKETS }, &outcome);
        expect_none(&outcome);
    }
    pthread_join(thread, NULL);
    assert_true(walks > 1);
    db_close(db);
    alliance_close(&alliance);
}

/* In the background */

struct watched {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct verifier_report last;
    int64_t members;
    int rounds;
};

static void watch(void *owner, const struct verifier_report *report)
{
    struct watched *watched = owner;

    pthread_mutex_lock(&watched->lock);
    watched->rounds += report->round_finished.us != watched->last.round_finished.us;
    watched->members += report->members;
    watched->last = *report;
    pthread_cond_signal(&watched->changed);
    pthread_mutex_unlock(&watched->lock);
}

/* Steps are taken until so many rounds are over, without the rests between; the last wait. */
static int64_t run_rounds(struct verifier *verifier, struct db *db, const struct watched *watched, int rounds)
{
    struct error err = { 0 };
    int64_t wait_us = 0;

    while (watched->rounds < rounds)
        must(verifier_run(verifier, db, &wait_us, &err), &err);
    return wait_us;
}

static void test_rounds_follow_each_other(void **state)
{
    struct alliance alliance;
    struct watched watched = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, { 0 }, 0, 0 };
    const struct verifier_options options = { TEST_BUCKETS, INT64_C(86400000000), watch, &watched };
    struct verifier *verifier = verifier_new(&options);

    (void)state;
    assert_non_null(verifier);
    alliance_open(&alliance);
    live(&alliance);
    int64_t wait_us = run_rounds(verifier, alliance.db, &watched, 1);
    assert_int_equal(watched.members, COUNT(names));
    assert_int_equal(watched.last.findings, 0);
    assert_true(wait_us > INT64_C(3600000000) && wait_us <= options.every_us);
    sql(&alliance, "UPDATE account SET available = available + 1 WHERE member_ref = 'bob'");
    run_rounds(verifier, alliance.db, &watched, 2);
    assert_int_equal(watched.members, 2 * COUNT(names));
    assert_int_equal(watched.last.findings, 2); /* the newest entry and the lots say otherwise */
    sql(&alliance, "UPDATE account SET available = available - 1 WHERE member_ref = 'bob'");
    struct error err = { 0 };
    must(verifier_run(verifier, alliance.db, &wait_us, &err), &err);
    assert_int_equal(watched.last.findings, 2); /* until a whole round has shown that it is gone */
    run_rounds(verifier, alliance.db, &watched, 3);
    assert_int_equal(watched.last.findings, 0);
    verifier_free(verifier);
    alliance_close(&alliance);
}

static void test_a_lost_connection_does_not_count_twice(void **state)
{
    struct alliance alliance;
    struct watched watched = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, { 0 }, 0, 0 };
    const struct verifier_options options = { TEST_BUCKETS, 1, watch, &watched };
    struct verifier *verifier = verifier_new(&options);
    struct error err = { 0 };
    int64_t wait_us;
    struct db *db;

    (void)state;
    assert_non_null(verifier);
    alliance_open(&alliance);
    live(&alliance);
    sql(&alliance, "UPDATE account SET available = available + 1");
    must(db_open(alliance.conninfo, &db, &err), &err);
    for (int steps = 0; steps < 9; steps++)
        must(verifier_run(verifier, db, &wait_us, &err), &err);
    sql(&alliance, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "pid <> pg_backend_pid()");
    assert_false(verifier_run(verifier, db, &wait_us, &err));
    assert_int_equal(err.reason, REASON_DATABASE_UNREACHABLE);
    must(db_reconnect(db, &err), &err);
    run_rounds(verifier, db, &watched, 1);
    assert_int_equal(watched.last.findings, 2 * COUNT(names));
    assert_int_equal(watched.members, COUNT(names));
    db_close(db);
    verifier_free(verifier);
    alliance_close(&alliance);
}

static void test_the_thread_walks_beside_the_load(void **state)
{
    struct alliance alliance;
    struct load load = { &alliance, false };
    struct watched watched = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, { 0 }, 0, 0 };
    const struct verifier_options options = { TEST_BUCKETS, 1, watch, &watched };
    struct verifier *verifier = verifier_new(&options);
    struct error err = { 0 };
    pthread_t thread;

    (void)state;
    assert_non_null(verifier);
    alliance_open(&alliance);
    for (int i = 0; i < 3; i++) {
        struct command member = command_set_member(&alliance, names[i], 0);
        do_it(&alliance, &member);
        earn(&alliance, names[i], "t-1", 1000000);
    }
    assert_int_equal(pthread_create(&thread, NULL, run_load, &load), 0);
    must(verifier_start(verifier, alliance.conninfo, &err), &err);
    pthread_mutex_lock(&watched.lock);
    while (watched.rounds < 2)
        pthread_cond_wait(&watched.changed, &watched.lock);
    assert_int_equal(watched.last.findings, 0);
    pthread_mutex_unlock(&watched.lock);
    verifier_free(verifier);
    pthread_join(thread, NULL);
    alliance_close(&alliance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_forged_is_found),
        cmocka_unit_test(test_one_member),
        cmocka_unit_test(test_one_programme),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_parts_make_a_whole),
        cmocka_unit_test(test_load_makes_no_findings),
        cmocka_unit_test(test_rounds_follow_each_other),
        cmocka_unit_test(test_a_lost_connection_does_not_count_twice),
        cmocka_unit_test(test_the_thread_walks_beside_the_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
