/* test_lanes.c -- commands through real lanes and a real PostgreSQL; after each story the whole database must add up.
 */
#include "domain/redemption.h"
#include "members.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_alliance(void **state)
{
    struct alliance *alliance = malloc(sizeof *alliance);

    alliance_open(alliance);
    *state = alliance;
    return 0;
}

static int close_alliance(void **state)
{
    alliance_close(*state);
    free(*state);
    return 0;
}

/* A member with that many points, all earned on the open day. */
static void member_with(struct alliance *alliance, const char *ref, int64_t points, int64_t credit_limit)
{
    char transaction[64];
    struct command set = command_set_member(alliance, ref, credit_limit);

    alliance_run(alliance, &set);
    assert_int_equal(set.answer.reason, REASON_OK);
    if (points == 0)
        return;
    snprintf(transaction, sizeof transaction, "first-%s", ref);
    struct command accrue = command_accrue(alliance, ref, transaction, points * 100);
    alliance_run(alliance, &accrue);
    assert_int_equal(accrue.answer.reason, REASON_OK);
    assert_int_equal(accrue.answer.points, points);
}

static enum reason run(struct alliance *alliance, struct command command)
{
    alliance_run(alliance, &command);
    return command.answer.reason;
}

static void a_repeated_hold_says_what_it_said_though_it_was_extended(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 1000, 0);
    struct command hold = command_hold(alliance, "m1", 300);
    alliance_run(alliance, &hold);
    struct answer first = hold.answer;
    struct command extend = command_on(&hold, COMMAND_EXTEND, 0);
    extend.extend.lapse_after_us = 2 * first.lapse_at.us - 2 * first.time.us;
    struct command again = extend;
    alliance_run(alliance, &extend);
    assert_int_equal(extend.answer.reason, REASON_OK);
    assert_true(extend.answer.lapse_at.us > first.lapse_at.us);
    alliance_run(alliance, &hold);
    assert_int_equal(hold.answer.lapse_at.us, first.lapse_at.us);
    assert_int_equal(hold.answer.spendable, first.spendable);
    alliance_clock(alliance, "2026-01-15T12:00:10Z");
    alliance_run(alliance, &again);
    assert_int_equal(again.answer.lapse_at.us, extend.answer.lapse_at.us);
    alliance_check(alliance);
}

static void a_hold_is_confirmed_and_reversed(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 1000, 0);
    struct command hold = command_hold(alliance, "m1", 300);
    alliance_run(alliance, &hold);
    assert_int_equal(hold.answer.reason, REASON_OK);
    assert_int_equal(hold.answer.spendable, 700);

    struct command confirm = command_on(&hold, COMMAND_CONFIRM, 200);
    alliance_run(alliance, &confirm);
    assert_int_equal(confirm.answer.reason, REASON_OK);
    assert_int_equal(confirm.answer.points, 200);
    assert_int_equal(confirm.answer.spendable, 800);
    assert_int_equal(confirm.answer.gross_minor, 140);
    assert_int_equal(confirm.answer.commission_minor, 1); /* 1.4 half to even */

    struct command part = command_on(&hold, COMMAND_REVERSE, 50), rest = command_on(&hold, COMMAND_REVERSE, 0);
    alliance_run(alliance, &part);
    assert_int_equal(part.answer.gross_minor, -35);
    alliance_run(alliance, &rest);
    assert_int_equal(rest.answer.gross_minor, -105);
    assert_int_equal(rest.answer.commission_minor + part.answer.commission_minor, -1);
    assert_int_equal(rest.answer.spendable, 1000);
    assert_int_equal(rest.answer.state, REDEMPTION_REVERSED);
    assert_int_equal(run(alliance, command_on(&hold, COMMAND_REVERSE, 1)), REASON_REDEMPTION_ENDED);
    alliance_check(alliance);
}

static void a_repeat_gets_the_first_answer(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 1000, 0);
    struct command hold = command_hold(alliance, "m1", 300), again = hold, other = hold;
    struct command confirm = command_on(&hold, COMMAND_CONFIRM, 0), confirm_again = confirm;
    alliance_run(alliance, &hold);
    alliance_run(alliance, &confirm);
    struct command later = command_hold(alliance, "m1", 100);
    alliance_run(alliance, &later);

    alliance_run(alliance, &again);
    assert_memory_equal(&again.answer, &hold.answer, sizeof hold.answer);
    alliance_run(alliance, &confirm_again);
    assert_memory_equal(&confirm_again.answer, &confirm.answer, sizeof confirm.answer);
    other.content_hash[0] ^= 1;
    alliance_run(alliance, &other);
    assert_int_equal(other.answer.reason, REASON_REQUEST_ID_REUSED);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM redemption"), 2);
    alliance_check(alliance);
}

static void a_refusal_is_remembered(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    struct command hold = command_hold(alliance, "m1", 101), late = hold;
    alliance_run(alliance, &hold);
    assert_int_equal(hold.answer.reason, REASON_INSUFFICIENT_POINTS);
    assert_int_equal(run(alliance, command_accrue(alliance, "m1", "t2", 100000)), REASON_OK);
    alliance_run(alliance, &late);
    assert_int_equal(late.answer.reason, REASON_INSUFFICIENT_POINTS);
    assert_int_equal(run(alliance, command_on(&hold, COMMAND_CONFIRM, 0)), REASON_REDEMPTION_NOT_FOUND);
    alliance_check(alliance);
}

static void credit_is_drawn_last_and_repaid_first(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 50);
    struct command hold = command_hold(alliance, "m1", 150);
    alliance_run(alliance, &hold);
    assert_int_equal(hold.answer.reason, REASON_OK);
    assert_int_equal(hold.answer.spendable, 0);
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 1)), REASON_INSUFFICIENT_POINTS);
    assert_int_equal(run(alliance, command_accrue(alliance, "m1", "t2", 3000)), REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT credit_used FROM account"), 20);
    assert_int_equal(alliance_count(alliance, "SELECT available FROM account"), 0);
    assert_int_equal(run(alliance, command_on(&hold, COMMAND_CANCEL, 0)), REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT credit_used FROM account"), 0);
    assert_int_equal(alliance_count(alliance, "SELECT available FROM account"), 130);
    alliance_check(alliance);
}

static void a_hold_past_its_time_is_lapsed(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    struct command hold = command_hold(alliance, "m1", 100);
    alliance_run(alliance, &hold);
    alliance_clock(alliance, "2026-01-15T12:14:59.999999Z");
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 1)), REASON_INSUFFICIENT_POINTS);
    alliance_clock(alliance, "2026-01-15T12:15:00Z");
    /* Nobody swept, yet the points are free for the next hold. */
    struct command next = command_hold(alliance, "m1", 100);
    alliance_run(alliance, &next);
    assert_int_equal(next.answer.reason, REASON_OK);
    assert_int_equal(run(alliance, command_on(&hold, COMMAND_CONFIRM, 0)), REASON_HOLD_LAPSED);
    assert_int_equal(run(alliance, command_on(&hold, COMMAND_CANCEL, 0)), REASON_HOLD_LAPSED);
    alliance_check(alliance);
}

/* The hold lapsed in time; its lot was over later. Coming late must not make that a reinstatement. */
enum { CROWD = 200 };
static char crowd[CROWD][16];
static struct command crowd_holds[CROWD * OPEN_HOLDS_MAX], crowd_asks[CROWD];

/* More overdue holds than a batch loads: the batch is halved until they fit, and nobody is refused for want of them. */
static void very_many_holds_lapse_before_anybody_is_answered(void **state)
{
    struct alliance *alliance = *state;

    for (size_t i = 0; i < CROWD; i++) {
        snprintf(crowd[i], sizeof crowd[i], "c%zu", i);
        member_with(alliance, crowd[i], OPEN_HOLDS_MAX, 0);
        for (size_t k = 0; k < OPEN_HOLDS_MAX; k++)
            crowd_holds[i * OPEN_HOLDS_MAX + k] = command_hold(alliance, crowd[i], 1);
        crowd_asks[i] = command_hold(alliance, crowd[i], OPEN_HOLDS_MAX);
    }
    for (size_t i = 0; i < COUNT(crowd_holds); i += 1600)
        alliance_run_all(alliance, crowd_holds + i, 1600);
    alliance_clock(alliance, "2026-01-15T23:00:00Z");
    alliance_run_all(alliance, crowd_asks, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(crowd_asks[i].answer.reason, REASON_OK);
    alliance_check(alliance);
}

static void a_lapse_is_judged_by_its_own_day(void **state)
{
    struct alliance *alliance = *state;
    struct error err = { 0 };

    assert_true(db_script(alliance->db,
                          "UPDATE exchange_rules SET reinstate_grace_days = 30; UPDATE installation SET "
                          "reference_version = 2; UPDATE fence SET reference_version = 2",
                          &err));
    member_with(alliance, "m1", 100, 0);
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 60)), REASON_OK);
    alliance_clock(alliance, "2027-02-01T12:00:00Z");
    alliance_business_date(alliance, "2027-02-01");
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 1)), REASON_INSUFFICIENT_POINTS);
    assert_int_equal(alliance_count(alliance, "SELECT sum(points) FROM journal WHERE kind = 9"), 100);
    alliance_check(alliance);
}

static void the_sweeper_ends_what_nobody_touches(void **state)
{
    enum { HOLDS = 300 };
    struct alliance alliance;
    char ref[16];

    (void)state;
    alliance_open_sweeping(&alliance, 1000);
    for (size_t i = 0; i < HOLDS; i++) {
        snprintf(ref, sizeof ref, "m%zu", i);
        member_with(&alliance, ref, 100, 0);
        assert_int_equal(run(&alliance, command_hold(&alliance, ref, 60)), REASON_OK);
    }
    alliance_clock(&alliance, "2026-01-15T12:15:00Z");
    for (int tries = 0; alliance_count(&alliance, "SELECT count(*) FROM redemption WHERE state = 1") > 0; tries++)
        assert_true(tries < 1000);
    assert_int_equal(alliance_count(&alliance, "SELECT sum(available) FROM account"), HOLDS * 100);
    alliance_check(&alliance);
    alliance_close(&alliance);
}

static void lots_expire_and_what_comes_back_is_forfeited(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    struct command hold = command_hold(alliance, "m1", 60);
    hold.hold.lapse_after_us = INT64_C(400) * 86400 * US_PER_SECOND;
    alliance_run(alliance, &hold);
    alliance_business_date(alliance, "2027-01-31");
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 41)), REASON_INSUFFICIENT_POINTS);
    assert_int_equal(alliance_count(alliance, "SELECT available FROM account"), 40);
    alliance_business_date(alliance, "2027-02-01");
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 1)), REASON_INSUFFICIENT_POINTS);
    struct command cancel = command_on(&hold, COMMAND_CANCEL, 0);
    alliance_run(alliance, &cancel);
    assert_int_equal(cancel.answer.reason, REASON_OK);
    assert_int_equal(cancel.answer.spendable, 0);
    assert_int_equal(alliance_count(alliance, "SELECT sum(points) FROM journal WHERE kind = 9"), 40);
    assert_int_equal(alliance_count(alliance, "SELECT sum(points) FROM journal WHERE kind = 10"), 60);
    alliance_check(alliance);
}

static void the_first_to_expire_goes_first_and_comes_back(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    alliance_business_date(alliance, "2026-02-15");
    assert_int_equal(run(alliance, command_accrue(alliance, "m1", "t2", 10000)), REASON_OK);
    struct command hold = command_hold(alliance, "m1", 150);
    alliance_run(alliance, &hold);
    assert_int_equal(alliance_count(alliance, "SELECT points FROM account_lot WHERE expires_on = '2027-03-01'"), 50);
    struct command confirm = command_on(&hold, COMMAND_CONFIRM, 120);
    alliance_run(alliance, &confirm);
    assert_int_equal(alliance_count(alliance, "SELECT points FROM account_lot WHERE expires_on = '2027-03-01'"), 80);
    assert_int_equal(run(alliance, command_on(&hold, COMMAND_REVERSE, 120)), REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM account_lot WHERE points = 100 AND expires_on IN "
                                              "('2027-02-01', '2027-03-01')"),
                     2);
    alliance_check(alliance);
}

static void a_transaction_earns_once(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 0, 0);
    struct command rows[3] = { command_accrue(alliance, "m1", "t", 500), command_accrue(alliance, "m1", "t", 500),
                               command_accrue(alliance, "m1", "t", 600) };
    alliance_run_all(alliance, rows, 3);
    assert_int_equal(rows[0].answer.outcome, OUTCOME_CREATED);
    assert_int_equal(rows[1].answer.outcome, OUTCOME_UNCHANGED);
    assert_int_equal(rows[1].answer.points, 5);
    assert_int_equal(rows[2].answer.reason, REASON_TRANSACTION_REUSED);
    assert_int_equal(run(alliance, command_accrue(alliance, "nobody", "t9", 500)), REASON_MEMBER_NOT_FOUND);
    assert_int_equal(run(alliance, command_accrue(alliance, "m1", "t10", 99)), REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM accrual WHERE points = 0"), 1);
    alliance_check(alliance);
}

static void many_of_one_member_in_one_batch_see_each_other(void **state)
{
    enum { HOLDS = 200 };
    struct alliance *alliance = *state;
    struct command *holds = calloc(HOLDS, sizeof *holds);
    size_t held = 0;

    member_with(alliance, "m1", 105, 0);
    for (size_t i = 0; i < HOLDS; i++)
        holds[i] = command_hold(alliance, "m1", 10);
    alliance_run_all(alliance, holds, HOLDS);
    for (size_t i = 0; i < HOLDS; i++)
        held += holds[i].answer.reason == REASON_OK;
    assert_int_equal(held, 10);
    assert_int_equal(alliance_count(alliance, "SELECT available FROM account"), 5);
    alliance_check(alliance);
    free(holds);
}

static void another_merchants_redemption_is_not_there(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    struct command hold = command_hold(alliance, "m1", 10);
    alliance_run(alliance, &hold);
    struct command theirs = command_on(&hold, COMMAND_CONFIRM, 0);
    theirs.merchant_no = alliance->shop_2;
    alliance_run(alliance, &theirs);
    assert_int_equal(theirs.answer.reason, REASON_REDEMPTION_NOT_FOUND);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM operation"), 0);
    alliance_check(alliance);
}

/* A programme of its own, with bank 2, whose member has 100 points, and merchant 3, which holds 10 of them. */
static struct command hold_in_another_programme(struct alliance *alliance, const char *member_ref)
{
    static const char other[] =
        "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('q', 'UTC', true);"
        "INSERT INTO fence (bucket, programme_no, business_date, test_clock, reference_version) "
        "SELECT b, 2, '2026-01-15', '2026-01-15T12:00:00Z', 2 FROM generate_series(0, 3) b;"
        "INSERT INTO bank (bank_id, programme_no, name) VALUES ('bank-q', 2, 'Bank Q');"
        "INSERT INTO exchange_rules SELECT 2, version, effective_from, minimum_points, expiry_months, "
        "reinstate_grace_days, accrual_num, accrual_den, gen_random_uuid(), '' FROM exchange_rules;"
        "INSERT INTO exchange_rate VALUES (2, 1, 'CNY', 1, 1, 7, 10);"
        "INSERT INTO merchant (merchant_id, programme_no, name, content_hash) VALUES ('shop-q', 2, 'Shop Q', '');"
        "INSERT INTO terms VALUES (3, 1, '2025-01-01', 100, 'CNY', gen_random_uuid(), '');"
        "UPDATE installation SET reference_version = 2";
    struct error err = { 0 };
    struct command set = command_set_member(alliance, member_ref, 100), hold = command_hold(alliance, member_ref, 10);

    assert_true(db_script(alliance->db, other, &err));
    set.programme_no = hold.programme_no = 2;
    set.bank_no = hold.bank_no = 2;
    hold.merchant_no = 3;
    assert_int_equal(run(alliance, set), REASON_OK);
    alliance_run(alliance, &hold);
    assert_int_equal(hold.answer.reason, REASON_OK);
    return hold;
}

static void another_programmes_redemption_is_not_there(void **state)
{
    struct alliance *alliance = *state;
    struct command theirs = hold_in_another_programme(alliance, "m1");

    for (enum command_kind kind = COMMAND_CONFIRM; kind <= COMMAND_REVERSE; kind++) {
        struct command command = command_on(&theirs, kind, 0);
        command.programme_no = 1;
        command.merchant_no = alliance->shop_1;
        assert_int_equal(run(alliance, command), REASON_REDEMPTION_NOT_FOUND);
    }
    assert_int_equal(run(alliance, command_on(&theirs, COMMAND_CONFIRM, 0)), REASON_OK);
    alliance_check(alliance);
}

static void a_store_reaches_its_own_redemptions_only(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    for (int32_t store_no = 0; store_no <= 1; store_no++) {
        struct command hold = command_hold(alliance, "m1", 10);
        hold.store_no = store_no;
        alliance_run(alliance, &hold);
        struct command other = command_on(&hold, COMMAND_CONFIRM, 0), own = command_on(&hold, COMMAND_CONFIRM, 0);
        other.store_no = 2;
        own.store_no = store_no;
        alliance_run(alliance, &other);
        assert_int_equal(other.answer.reason, REASON_REDEMPTION_NOT_FOUND);
        alliance_run(alliance, &own);
        assert_int_equal(own.answer.reason, REASON_OK);
    }
    alliance_check(alliance);
}

static void a_name_that_was_never_given_out_is_not_there(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    struct command hold = command_hold(alliance, "m1", 10);
    alliance_run(alliance, &hold);
    struct command wrong = command_on(&hold, COMMAND_CONFIRM, 0);
    wrong.hash16 = (uint16_t)(wrong.hash16 ^ 0x8000); /* the same bucket */
    alliance_run(alliance, &wrong);
    assert_int_equal(wrong.answer.reason, REASON_REDEMPTION_NOT_FOUND);
    alliance_check(alliance);
}

static void a_good_is_told_to_merchant_and_carrier(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 2000, 0);
    struct command wrong = command_hold(alliance, "m1", 999), right = command_hold(alliance, "m1", 1000);
    wrong.hold.goods_no = right.hold.goods_no = alliance->good;
    wrong.hold.quantity = right.hold.quantity = 2;
    alliance_run(alliance, &wrong);
    assert_int_equal(wrong.answer.reason, REASON_QUOTE_CHANGED);
    alliance_run(alliance, &right);
    assert_int_equal(right.answer.reason, REASON_OK);
    assert_int_equal(run(alliance, command_on(&right, COMMAND_CONFIRM, 999)), REASON_GOODS_NOT_DIVISIBLE);
    assert_int_equal(run(alliance, command_on(&right, COMMAND_CONFIRM, 1001)), REASON_BEYOND_HOLD);
    assert_int_equal(run(alliance, command_on(&right, COMMAND_CONFIRM, 0)), REASON_OK);
    assert_int_equal(run(alliance, command_on(&right, COMMAND_CONFIRM, 999)), REASON_REDEMPTION_ENDED);
    assert_int_equal(alliance_count(alliance, "SELECT sum(topic) FROM outbox"), 3);
    alliance_check(alliance);
}

static void a_poison_command_fails_alone(void **state)
{
    enum { HOLDS = 64 };
    struct alliance *alliance = *state;
    struct command *holds = calloc(HOLDS, sizeof *holds);
    char ref[HOLDS][16];

    for (size_t i = 0; i < HOLDS; i++) {
        snprintf(ref[i], sizeof ref[i], "m%zu", i);
        member_with(alliance, ref[i], 100, 0);
        holds[i] = command_hold(alliance, ref[i], 10);
    }
    /* No caller can send this; the database's own last defence refuses it. */
    holds[17].hold.terminal_id = "\xff";
    alliance_run_all(alliance, holds, HOLDS);
    for (size_t i = 0; i < HOLDS; i++)
        assert_int_equal(holds[i].answer.reason, i == 17 ? REASON_INTERNAL : REASON_OK);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM redemption"), HOLDS - 1);
    alliance_check(alliance);
    free(holds);
}

/* What was in the way of every attempt may be gone later: the caller keeps its request_id and tries again. */
static void what_may_pass_is_to_be_tried_again(void **state)
{
    static const char trouble[] =
        "CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF length(NEW.terminal_id) = 5 THEN RAISE EXCEPTION USING ERRCODE = NEW.terminal_id; END IF; "
        "RETURN NEW; END $$; "
        "CREATE TRIGGER trouble BEFORE INSERT ON redemption FOR EACH ROW EXECUTE FUNCTION trouble()";
    static const struct {
        const char *state;
        enum reason answer;
    } rows[] = {
        { "55P03", REASON_TRY_AGAIN }, { "40P01", REASON_TRY_AGAIN }, { "40001", REASON_TRY_AGAIN },
        { "23505", REASON_INTERNAL },  { "23514", REASON_INTERNAL },
    };
    struct alliance *alliance = *state;
    struct error err = { 0 };

    member_with(alliance, "m1", 100, 0);
    assert_true(db_script(alliance->db, trouble, &err));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct command hold = command_hold(alliance, "m1", 10);
        hold.hold.terminal_id = rows[i].state;
        alliance_run(alliance, &hold);
        assert_int_equal(hold.answer.reason, rows[i].answer);
    }
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM redemption"), 0);
    alliance_check(alliance);
}

static void a_lost_connection_is_made_anew(void **state)
{
    struct alliance *alliance = *state;

    member_with(alliance, "m1", 100, 0);
    alliance_count(alliance, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                             "current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 10)), REASON_OK);
    alliance_check(alliance);
}

static void a_new_version_of_the_rules_is_seen_at_once(void **state)
{
    struct alliance *alliance = *state;
    struct error err = { 0 };

    member_with(alliance, "m1", 100, 0);
    assert_true(db_reconnect(alliance->db, &err));
    assert_true(db_script(alliance->db,
                          "INSERT INTO exchange_rules SELECT bank_no, 2, '2026-01-15T12:00:00Z', 50, expiry_months, "
                          "reinstate_grace_days, accrual_num, accrual_den, gen_random_uuid(), '' FROM exchange_rules;"
                          "INSERT INTO exchange_rate SELECT bank_no, 2, currency, 1, 1, 1, 1 FROM exchange_rate;"
                          "UPDATE installation SET reference_version = 2; UPDATE fence SET reference_version = 2",
                          &err));
    assert_int_equal(run(alliance, command_hold(alliance, "m1", 49)), REASON_BELOW_MINIMUM);
    struct command hold = command_hold(alliance, "m1", 50);
    alliance_run(alliance, &hold);
    struct command confirm = command_on(&hold, COMMAND_CONFIRM, 0);
    alliance_run(alliance, &confirm);
    assert_int_equal(confirm.answer.gross_minor, 50);
    alliance_check(alliance);
}

static void a_late_command_is_dropped(void **state)
{
    struct alliance *alliance = *state;
    struct command set = command_set_member(alliance, "m1", 0);

    set.deadline_us = 0;
    alliance_run(alliance, &set);
    assert_int_equal(set.answer.reason, REASON_DEADLINE_PASSED);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM account"), 0);
}

enum { STRESS_ROUNDS = 12, STRESS_COMMANDS = 300, STRESS_MEMBERS = 12 };

static const char *const stress_refs[STRESS_MEMBERS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l" };

struct stress {
    const struct alliance *alliance;
    struct lanes *lanes;
    uint64_t seed;
    size_t good;
};

static uint64_t draw(struct stress *stress, uint64_t below)
{
    stress->seed = stress->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (stress->seed >> 33) % below;
}

/* Holds, then whatever may be done to them, some of it twice and some of it to another server's holds. */
static struct command stress_command(struct stress *stress, const struct command *before, size_t i)
{
    static const enum command_kind kinds[] = { COMMAND_CONFIRM, COMMAND_CANCEL, COMMAND_REVERSE };
    const struct command *earlier = i > 0 ? &before[draw(stress, i)] : NULL;

    if (earlier && earlier->kind == COMMAND_HOLD && draw(stress, 3) > 0)
        return command_on(earlier, kinds[draw(stress, 3)], (int64_t)draw(stress, 3));
    if (earlier && draw(stress, 5) == 0)
        return *earlier;
    return command_hold(stress->alliance, stress_refs[draw(stress, STRESS_MEMBERS)], (int64_t)draw(stress, 9) + 1);
}

static void *stress_main(void *argument)
{
    struct stress *stress = argument;
    struct command *commands = calloc(STRESS_COMMANDS, sizeof *commands);

    for (size_t round = 0; commands && round < STRESS_ROUNDS; round++) {
        for (size_t i = 0; i < STRESS_COMMANDS; i++)
            commands[i] = stress_command(stress, commands, i);
        alliance_run_on(stress->lanes, commands, STRESS_COMMANDS);
        for (size_t i = 0; i < STRESS_COMMANDS; i++)
            stress->good +=
                commands[i].answer.reason != REASON_INTERNAL && commands[i].answer.reason != REASON_TRY_AGAIN;
    }
    free(commands);
    return NULL;
}

static void two_servers_on_one_database_agree(void **state)
{
    struct alliance *alliance = *state;
    struct lanes_options options = {
        .conninfo = alliance->conninfo, .buckets = TEST_BUCKETS, .lanes = 4, .reference = alliance->reference
    };
    struct error err = { 0 };
    struct lanes *others;
    pthread_t thread;

    for (size_t i = 0; i < STRESS_MEMBERS; i++)
        member_with(alliance, stress_refs[i], 500, 100);
    assert_true(lanes_open(&options, &others, &err));
    struct stress one = { alliance, alliance->lanes, 1, 0 }, two = { alliance, others, 2, 0 };
    assert_int_equal(pthread_create(&thread, NULL, stress_main, &two), 0);
    stress_main(&one);
    pthread_join(thread, NULL);
    lanes_close(others);
    assert_int_equal(one.good + two.good, 2 * STRESS_ROUNDS * STRESS_COMMANDS);
    alliance_check(alliance);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, open_alliance, close_alliance)

int main(void)
{
    const struct CMUnitTest stories[] = {
        STORY(a_hold_is_confirmed_and_reversed),
        STORY(a_repeated_hold_says_what_it_said_though_it_was_extended),
        STORY(a_repeat_gets_the_first_answer),
        STORY(a_refusal_is_remembered),
        STORY(credit_is_drawn_last_and_repaid_first),
        STORY(a_hold_past_its_time_is_lapsed),
        STORY(a_lapse_is_judged_by_its_own_day),
        STORY(very_many_holds_lapse_before_anybody_is_answered),
        cmocka_unit_test(the_sweeper_ends_what_nobody_touches),
        STORY(lots_expire_and_what_comes_back_is_forfeited),
        STORY(the_first_to_expire_goes_first_and_comes_back),
        STORY(a_transaction_earns_once),
        STORY(many_of_one_member_in_one_batch_see_each_other),
        STORY(another_merchants_redemption_is_not_there),
        STORY(another_programmes_redemption_is_not_there),
        STORY(a_store_reaches_its_own_redemptions_only),
        STORY(a_name_that_was_never_given_out_is_not_there),
        STORY(a_good_is_told_to_merchant_and_carrier),
        STORY(a_poison_command_fails_alone),
        STORY(what_may_pass_is_to_be_tried_again),
        STORY(a_lost_connection_is_made_anew),
        STORY(a_new_version_of_the_rules_is_seen_at_once),
        STORY(a_late_command_is_dropped),
        STORY(two_servers_on_one_database_agree),
    };

    return cmocka_run_group_tests(stories, NULL, NULL);
}
