#include "members.h"

#include "io/clock.h"
#include "io/crypto.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("%s: %s", reason_name(err->reason), error_text(err));
}

static const char set_up[] =
    "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('p', 'UTC', true);"
    "INSERT INTO fence (bucket, programme_no, business_date, test_clock, reference_version) "
    "SELECT b, 1, '2026-01-15', '2026-01-15T12:00:00Z', 1 FROM generate_series(0, 3) b;"
    "INSERT INTO bank (bank_id, programme_no, name) VALUES ('bank-a', 1, 'Bank A');"
    "INSERT INTO exchange_rules (bank_no, version, effective_from, minimum_points, expiry_months, "
    "reinstate_grace_days, accrual_num, accrual_den, request_id, content_hash) "
    "VALUES (1, 1, '2025-01-01', 1, 12, 0, 1, 100, gen_random_uuid(), '');"
    "INSERT INTO exchange_rate VALUES (1, 1, 'CNY', 1, 1, 7, 10);"
    "INSERT INTO merchant (merchant_id, programme_no, name, content_hash, webhook_enabled) "
    "VALUES ('shop-1', 1, 'Shop 1', '', true), ('shop-2', 1, 'Shop 2', '', false);"
    "INSERT INTO terms VALUES (1, 1, '2025-01-01', 100, 'CNY', gen_random_uuid(), ''), "
    "(2, 1, '2025-01-01', 250, 'CNY', gen_random_uuid(), '');"
    "INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) VALUES ('c', 1, 'C', 'generic-json', '');"
    "INSERT INTO goods (programme_no, goods_id, merchant_no, name, kind, price_minor, currency, carrier_no) "
    "VALUES (1, 'kettle', 1, 'Kettle', 1, 500, 'CNY', 1);";

void alliance_open(struct alliance *alliance)
{
    alliance_open_sweeping(alliance, 0);
}

void alliance_open_sweeping(struct alliance *alliance, int64_t sweep_every_us)
{
    struct error err = { 0 };

    *alliance = (struct alliance){ .bank_no = 1, .shop_1 = 1, .shop_2 = 2, .good = 1 };
    database_make(alliance->conninfo);
    must(db_open(alliance->conninfo, &alliance->db, &err), &err);
    must(db_script(alliance->db, "SET timezone = 'UTC'", &err) && db_script(alliance->db, set_up, &err), &err);
    must(reference_open(alliance->db, NULL, &alliance->reference, &err), &err);
    struct lanes_options options = { .conninfo = alliance->conninfo,
                                     .buckets = TEST_BUCKETS,
                                     .lanes = 2,
                                     .reference = alliance->reference,
                                     .sweep_every_us = sweep_every_us,
                                     .in_order = true };
    must(lanes_open(&options, &alliance->lanes, &err), &err);
}

void alliance_close(struct alliance *alliance)
{
    lanes_close(alliance->lanes);
    reference_close(alliance->reference);
    db_close(alliance->db);
    database_drop(alliance->conninfo);
}

/* Counts down; the last answer wakes the test. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t left;
};

static void answered(struct command *command)
{
    struct waiting *waiting = command->owner;

    pthread_mutex_lock(&waiting->lock);
    if (--waiting->left == 0)
        pthread_cond_signal(&waiting->done);
    pthread_mutex_unlock(&waiting->lock);
}

void alliance_run_on(struct lanes *lanes, struct command *commands, size_t count)
{
    struct waiting waiting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, count };
    struct error err = { 0 };

    for (size_t i = 0; i < count; i++) {
        commands[i].done = answered;
        commands[i].owner = &waiting;
        must(lanes_submit(lanes, &commands[i], &err), &err);
    }
    pthread_mutex_lock(&waiting.lock);
    while (waiting.left > 0)
        pthread_cond_wait(&waiting.done, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
}

void alliance_run_all(struct alliance *alliance, struct command *commands, size_t count)
{
    alliance_run_on(alliance->lanes, commands, count);
}

void alliance_run(struct alliance *alliance, struct command *command)
{
    alliance_run_all(alliance, command, 1);
}

struct set_params {
    const char *text;
};
static const struct column set_params[] = { COLUMN(struct set_params, text) };
static const struct statement set_clock =
    COMMAND_STATEMENT("test_set_clock", "UPDATE fence SET test_clock = $1::text::timestamptz", set_params);
static const struct statement set_date =
    COMMAND_STATEMENT("test_set_date", "UPDATE fence SET business_date = $1::text::date", set_params);

void alliance_clock(struct alliance *alliance, const char *instant)
{
    struct error err = { 0 };

    must(db_execute(alliance->db, &set_clock, &(struct set_params){ instant }, NULL, &err), &err);
}

void alliance_business_date(struct alliance *alliance, const char *date)
{
    struct error err = { 0 };

    must(db_execute(alliance->db, &set_date, &(struct set_params){ date }, NULL, &err), &err);
}

struct number_row {
    int64_t number;
};

int64_t alliance_count(struct alliance *alliance, const char *sql)
{
    static const struct column columns[] = { COLUMN(struct number_row, number) };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct error err = { 0 };
    struct db *db;
    struct number_row row;
    bool found;
    char whole[2048];

    /* A connection of its own, since a statement's name is its identity and this one differs every time. */
    snprintf(whole, sizeof whole, "SELECT coalesce((%s)::int8, -1) AS number", sql);
    struct statement statement = { "test_count", whole, NULL, 0, columns, COUNT(columns), sizeof row };
    must(db_open(alliance->conninfo, &db, &err), &err);
    must(db_fetch_one(db, &statement, NULL, &arena, &row, &found, &err), &err);
    db_close(db);
    assert_true(found);
    return row.number;
}

/* Each counts rows that must not exist. */
static const struct {
    const char *rule, *sql;
} rules[] = {
    { "lots sum up to what is available", "SELECT count(*) FROM account WHERE available <> packed_points(lots)" },
    { "pending lots sum up to what is pending",
      "SELECT count(*) FROM account a WHERE pending <> coalesce((SELECT sum(l.points) FROM account_pending_lot l "
      "WHERE l.bucket = a.bucket AND l.member_id = a.member_id), 0)" },
    { "no lot is empty", "SELECT (SELECT count(*) FROM account_lot WHERE points <= 0) + "
                         "(SELECT count(*) FROM account_pending_lot WHERE points <= 0)" },
    { "open holds sum up to what is held",
      "SELECT count(*) FROM account a WHERE held <> coalesce((SELECT sum(r.points) FROM redemption r "
      "WHERE r.bucket = a.bucket AND r.member_id = a.member_id AND r.state = 1), 0)" },
    { "an account lists just its open holds",
      "SELECT count(*) FROM account a WHERE (SELECT coalesce(array_agg(h.redemption_id ORDER BY h.redemption_id), "
      "'{}') FROM account_hold h WHERE h.bucket = a.bucket AND h.member_id = a.member_id) <> (SELECT "
      "coalesce(array_agg(r.id ORDER BY r.id), '{}') FROM redemption r WHERE r.bucket = a.bucket "
      "AND r.member_id = a.member_id AND r.state = 1)" },
    { "the journal has no gap and ends where the account stands",
      "SELECT count(*) FROM account a WHERE NOT coalesce((journal_seq, journal_seq) = "
      "(SELECT count(*), max(seq) FROM journal j WHERE j.bucket = a.bucket AND j.member_id = a.member_id), false)" },
    { "the newest entry says what the account says",
      "SELECT count(*) FROM account a JOIN journal j ON j.bucket = a.bucket AND j.member_id = a.member_id "
      "AND j.seq = a.journal_seq WHERE (j.available_after, j.held_after, j.pending_after, j.credit_used_after, "
      "j.credit_limit_after, j.hash) <> (a.available, a.held, a.pending, a.credit_used, a.credit_limit, a.chain)" },
    { "points are conserved",
      "SELECT (SELECT coalesce(sum(available + held + pending - credit_used), 0) FROM account) - (SELECT "
      "coalesce(sum(CASE WHEN kind IN (2, 8, 11, 15, 18, 19, 20, 24, 25, 27, 28) THEN points "
      "WHEN kind IN (4, 9, 10, 13, 14, 16, 17, 21, 22, 23, 26) THEN -points ELSE 0 END), 0) FROM journal)" },
    { "nothing is on its way when no transfer is open",
      "SELECT CASE WHEN EXISTS (SELECT FROM transfer WHERE state = 1) THEN 0 ELSE (SELECT coalesce(sum(CASE WHEN kind "
      "IN (17, 23, 26) THEN points WHEN kind IN (18, 19, 24, 25) THEN -points ELSE 0 END), 0) FROM journal) END" },
    { "what expired and was not reinstated is remembered",
      "SELECT count(*) FROM account a WHERE expired <> (SELECT coalesce(sum(CASE kind WHEN 9 THEN points WHEN 20 THEN "
      "-points ELSE 0 END), 0) FROM journal j WHERE j.bucket = a.bucket AND j.member_id = a.member_id)" },
    { "what could go back is what was held or confirmed and not reversed",
      "SELECT count(*) FROM redemption WHERE packed_points(draws) + draw_credit <> CASE state WHEN 1 THEN points WHEN "
      "2 "
      "THEN confirmed_points - reversed_points ELSE 0 END" },
    { "every hold ended at most once",
      "SELECT count(*) FROM (SELECT redemption_id FROM journal WHERE kind IN (4, 5, 6) GROUP BY 1 HAVING count(*) > 1) "
      "x" },
};

void alliance_check(struct alliance *alliance)
{
    for (size_t i = 0; i < COUNT(rules); i++) {
        int64_t wrong = alliance_count(alliance, rules[i].sql);
        if (wrong != 0)
            fail_msg("%s: %lld do not", rules[i].rule, (long long)wrong);
    }
}

static struct command fresh(const struct alliance *alliance, enum command_kind kind, const char *member_ref)
{
    struct command command = {
        .kind = kind,
        .request_id = crypto_uuid_v7(clock_now()),
        .member_id = command_member_id("bank-a", member_ref),
        .programme_no = 1,
        .bank_no = alliance->bank_no,
        .member_ref = member_ref,
        .deadline_us = INT64_MAX,
    };

    command.hash16 = member_hash16(&command.member_id);
    return command;
}

struct command command_set_member(const struct alliance *alliance, const char *member_ref, int64_t credit_limit)
{
    struct command command = fresh(alliance, COMMAND_SET_MEMBER, member_ref);

    command.member = (struct member_order){ .status = 1, .credit = { .limit = credit_limit } };
    return command;
}

struct command command_accrue(const struct alliance *alliance, const char *member_ref, const char *transaction_ref,
                              int64_t amount_minor)
{
    struct command command = fresh(alliance, COMMAND_ACCRUE, member_ref);

    command.request_id = command_accrual_id("bank-a", member_ref, transaction_ref);
    command.accrue = (struct accrue_order){ .transaction_ref = transaction_ref,
                                            .amount_minor = amount_minor,
                                            .currency = "CNY",
                                            .transaction_time = { 1700000000000000 } };
    crypto_sha256(&amount_minor, sizeof amount_minor, command.content_hash);
    return command;
}

struct command command_hold(const struct alliance *alliance, const char *member_ref, int64_t points)
{
    struct command command = fresh(alliance, COMMAND_HOLD, member_ref);

    command.merchant_no = alliance->shop_1;
    command.redemption_id = command.request_id;
    command.hold = (struct hold_order){ .points = points, .lapse_after_us = INT64_C(900000000), .terminal_id = "t1" };
    crypto_sha256(&points, sizeof points, command.content_hash);
    return command;
}

struct command command_redeem(const struct alliance *alliance, const char *member_ref, int64_t points)
{
    struct command command = command_hold(alliance, member_ref, points);

    command.kind = COMMAND_REDEEM;
    return command;
}

struct command command_of_member(const struct alliance *alliance, enum command_kind kind, const char *member_ref)
{
    return fresh(alliance, kind, member_ref);
}

struct command command_on(const struct command *hold, enum command_kind kind, int64_t points)
{
    struct command command = {
        .kind = kind,
        .request_id = crypto_uuid_v7(clock_now()),
        .redemption_id = hold->request_id,
        .hash16 = hold->hash16,
        .programme_no = hold->programme_no,
        .bank_no = hold->bank_no,
        .merchant_no = hold->merchant_no,
        .deadline_us = INT64_MAX,
        .part = { .points = points },
    };
    int64_t content[] = { (int64_t)kind, points };

    crypto_sha256(content, sizeof content, command.content_hash);
    return command;
}
