#include "settled_world.h"

#include "day_close.h"
#include "period_close.h"
#include "points_line.h"
#include "store/db.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char parties[] =
    "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('demo', 'Asia/Shanghai', true);"
    "INSERT INTO fence SELECT b, 1, '2017-01-01', '2030-01-01', 1 FROM generate_series(0, 3) b;"
    "INSERT INTO bank (bank_id, programme_no, name) VALUES ('bank-a', 1, 'A'), ('bank-b', 1, 'B');"
    "INSERT INTO merchant (merchant_id, programme_no, name, content_hash) VALUES ('shop-1', 1, '1', ''), "
    "('shop-2', 1, '2', ''), ('=shop', 1, '3', '');"
    "INSERT INTO store (merchant_no, store_id, name) VALUES (1, 's1', '1'), (2, 's,2', '2'), (3, '@3', '3')";

void world_make(struct world *world)
{
    world->unbalanced = false;
    database_make(world->conninfo);
    snprintf(world->dir, sizeof world->dir, "/tmp/settled.XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    world->sql = PQconnectdb(world->conninfo);
    assert_int_equal(PQstatus(world->sql), CONNECTION_OK);
    world_do(world, "%s", parties);
}

/* The other one is left without its own eyes while it is copied. */
void world_copy(struct world *world, struct world *of)
{
    char command[256];

    PQfinish(of->sql);
    world->unbalanced = of->unbalanced;
    database_copy(of->conninfo, world->conninfo);
    of->sql = PQconnectdb(of->conninfo);
    world->sql = PQconnectdb(world->conninfo);
    assert_int_equal(PQstatus(of->sql), CONNECTION_OK);
    assert_int_equal(PQstatus(world->sql), CONNECTION_OK);
    snprintf(world->dir, sizeof world->dir, "/tmp/settled.XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    snprintf(command, sizeof command, "cp -r %s/. %s", of->dir, world->dir);
    assert_int_equal(system(command), 0);
}

void world_drop(struct world *world)
{
    char command[128];

    PQfinish(world->sql);
    database_drop(world->conninfo);
    snprintf(command, sizeof command, "rm -rf %s", world->dir);
    assert_int_equal(system(command), 0);
}

static PGresult *run(struct world *world, const char *format, va_list args)
{
    char *sql;

    assert_true(vasprintf(&sql, format, args) >= 0);
    PGresult *result = PQexec(world->sql, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s\n%s", sql, PQresultErrorMessage(result));
    free(sql);
    return result;
}

void world_do(struct world *world, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    PQclear(run(world, format, args));
    va_end(args);
}

static char *rows_as_text(PGresult *result)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++)
            fprintf(out, "%s%s", column ? "|" : "", PQgetvalue(result, row, column));
        fputc('\n', out);
    }
    fclose(out);
    PQclear(result);
    return text;
}

char *world_ask(struct world *world, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = rows_as_text(run(world, format, args));
    va_end(args);
    return text;
}

int64_t world_number(struct world *world, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = rows_as_text(run(world, format, args));
    va_end(args);
    int64_t number = strtoll(text, NULL, 10);
    free(text);
    return number;
}

void world_balance(struct world *world)
{
    char effects[160] = "";
    size_t n = 0;

    for (int kind = 1; kind < ENTRY_KIND_COUNT; kind++)
        n += (size_t)snprintf(effects + n, sizeof effects - n, "%s%d", kind > 1 ? "," : "", points_effect(kind));
    /* The caller may be a child, and world->sql its parent's. */
    struct world own = { .sql = PQconnectdb(world->conninfo) };
    assert_int_equal(PQstatus(own.sql), CONNECTION_OK);
    world_do(&own,
             "LOCK TABLE account IN EXCLUSIVE MODE; DELETE FROM account; INSERT INTO account (bucket, member_id, "
             "programme_no, bank_no, member_ref, status, "
             "available, held, credit_limit, credit_used, journal_seq, chain, profile_hash) SELECT bucket, "
             "gen_random_uuid(), programme_no, bank_no, '', 1, greatest(points, 0), 0, 0, greatest(-points, 0), 0, '', "
             "'' FROM (SELECT bucket, programme_no, bank_no, sum(points * ('{%s}'::int8[])[kind])::int8 AS points FROM "
             "journal WHERE programme_no = 1 GROUP BY 1, 2, 3) x",
             effects);
    PQfinish(own.sql);
}

void world_put(struct world *world, const struct world_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct world_entry *e = &entries[i];
        char at[64];
        snprintf(at, sizeof at, "%s%s", e->at ? e->at : e->date, e->at ? "" : " 12:00Z");
        world_do(world,
                 "INSERT INTO journal VALUES (%d, md5('member %d')::uuid, %lld, '%s', '%s', %d, %lld, 0, 0, 0, 0, "
                 "md5('ref %d %lld')::uuid, md5('redemption %d %lld')::uuid, 1, %d, %d, %d, %d, %d, '%s', %lld, %lld, "
                 "sha256('entry %d %lld'))",
                 e->bucket, e->member, (long long)e->seq, e->date, at, e->kind, (long long)e->points, e->member,
                 (long long)e->seq, e->member, (long long)e->seq, e->bank, e->merchant, e->store, e->bank ? 1 : 0,
                 e->merchant ? 1 : 0, e->currency ? e->currency : "USD", (long long)e->gross, (long long)e->commission,
                 e->member, (long long)e->seq);
    }
    world_balance(world);
}

void world_put_usual(struct world *world)
{
    static const struct world_entry usual[] = {
        { 0, 1, 1, "2017-01-01", NULL, 2, 5000, 1, 0, 0, "", 0, 0 },
        { 0, 1, 2, "2017-01-01", NULL, 3, 1000, 1, 1, 1, "", 0, 0 },
        { 0, 1, 3, "2017-01-01", NULL, 4, 1000, 1, 1, 1, NULL, 1000, 25 },
        { 1, 2, 1, "2017-01-01", "2017-01-01 12:00:00.5Z", 4, 400, 1, 1, 1, NULL, 400, 10 },
        { 2, 3, 1, "2017-01-01", NULL, 4, 300, 2, 2, 2, NULL, 333, 7 },
        { 0, 1, 4, "2017-01-31", NULL, 8, 250, 1, 1, 1, NULL, -250, -6 },
        { 3, 4, 1, "2017-01-31", NULL, 4, 10, 1, 3, 3, "JPY", 12, 1 },
    };

    world_put(world, usual, COUNT(usual));
}

void world_put_random(struct world *world, const char *month, int n, unsigned seed)
{
    world_do(world,
             "SELECT setseed(%u / 1000.0); INSERT INTO journal SELECT b, md5('m' || m)::uuid, n, day, "
             "day + interval '12 hours' + (random() * 1e6)::int * interval '1 microsecond', "
             "kind, points, 0, 0, 0, 0, gen_random_uuid(), gen_random_uuid(), 1, 1 + (r1 * 2)::int %% 2, "
             "CASE WHEN kind IN (4, 8, 3) THEN merchant ELSE 0 END, CASE WHEN kind IN (4, 8, 3) THEN merchant ELSE 0 "
             "END, 1 + (r2 * 3)::int, 1 + (r3 * 3)::int, CASE WHEN kind IN (4, 8) THEN "
             "('{USD,JPY,KWD}'::text[])[1 + (r1 * 7)::int %% 3] ELSE '' END, "
             "CASE kind WHEN 4 THEN points * 3 WHEN 8 THEN -points * 2 ELSE 0 END, "
             "CASE kind WHEN 4 THEN points / 7 WHEN 8 THEN -points / 9 ELSE 0 END, sha256(n::text::bytea) "
             "FROM (SELECT n, n %% 97 AS m, (n %% 97) %% 4 AS b, ('%s-01'::date + (random() * 27)::int) AS day, "
             "('{2,3,4,4,4,8,5}'::int[])[1 + (random() * 6)::int] AS kind, 1 + (random() * 1e6)::int8 AS points, "
             "1 + (random() * 2)::int AS merchant, random() AS r1, random() AS r2, random() AS r3 "
             "FROM generate_series(1000000, 1000000 + %d - 1) n) x",
             seed, month, n);
    world_balance(world);
}

/* Commands. */

/* A killed owner's session goes within moments; nothing else holds the lock in these tests for long. */
static bool begin(struct close_run *close, struct db *db, struct error *err)
{
    for (int tries = 0; tries < 500; tries++) {
        if (close_begin(close, db, "demo", err))
            return true;
        if (err->reason != REASON_CLOSE_RUNNING)
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
    }
    return false;
}

static enum reason do_work(struct world *world, world_work *work, void (*stepped)(int), struct error *err)
{
    struct close_run close = { .stepped = stepped };
    struct db *db;
    enum reason reason;

    *err = (struct error){ 0 };
    if (!db_open(world->conninfo, &db, err))
        return err->reason;
    reason = begin(&close, db, err) ? work(world, &close, err) : err->reason;
    close_end(&close);
    db_close(db);
    return reason;
}

static enum reason day_work(struct close_run *close, const char *date, const char *until, struct error *err)
{
    struct day_order order = { 0 };

    assert_true(!date || date_parse(date, &order.only));
    assert_true(!until || date_parse(until, &order.until));
    return day_close(close, &order, err) ? REASON_OK : err->reason;
}

static enum reason period_work(struct world *world, struct close_run *close, const char *text, struct error *err)
{
    struct period period;
    struct period_closed closed;

    assert_true(period_parse(text, &period));
    return period_close(close, &period, world->dir, &closed, err) ? REASON_OK : err->reason;
}

enum reason world_day_work(struct world *world, struct close_run *close, struct error *err)
{
    (void)world;
    return day_work(close, NULL, "2017-01-31", err);
}

enum reason world_period_work(struct world *world, struct close_run *close, struct error *err)
{
    return period_work(world, close, "2017-01", err);
}

/* One open connection and the work on it. */
struct session {
    struct db *db;
    struct close_run close;
};

static enum reason open_session(struct world *world, struct session *session, struct error *err)
{
    *err = (struct error){ 0 };
    *session = (struct session){ 0 };
    if (!db_open(world->conninfo, &session->db, err) || !begin(&session->close, session->db, err))
        return err->reason;
    return REASON_OK;
}

static enum reason close_session(struct session *session, enum reason reason)
{
    close_end(&session->close);
    db_close(session->db);
    return reason;
}

enum reason world_close_day(struct world *world, const char *date, struct error *err)
{
    struct session session;
    enum reason reason = open_session(world, &session, err);

    return close_session(&session, reason != REASON_OK ? reason : day_work(&session.close, date, NULL, err));
}

enum reason world_close_until(struct world *world, const char *until, struct error *err)
{
    struct session session;
    enum reason reason = open_session(world, &session, err);

    return close_session(&session, reason != REASON_OK ? reason : day_work(&session.close, NULL, until, err));
}

enum reason world_close_period(struct world *world, const char *period, struct error *err)
{
    struct session session;

    if (!world->unbalanced)
        world_balance(world);
    enum reason reason = open_session(world, &session, err);
    return close_session(&session, reason != REASON_OK ? reason : period_work(world, &session.close, period, err));
}

void world_settle(struct world *world, const char *last_day, const char *period)
{
    struct error err;

    if (world_close_until(world, last_day, &err) != REASON_OK || world_close_period(world, period, &err) != REASON_OK)
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
}

/* The tiers come apart in SQL: "0:200 1000:150". */
void world_contract(struct world *world, const struct world_contract *c)
{
    const char *currency = c->currency ? c->currency : "USD";

    world_do(
        world,
        "INSERT INTO settlement_contract SELECT 1, %d, %d, '%s', (SELECT count(*) + 1 FROM settlement_contract "
        "WHERE party = %d AND party_no = %d AND currency = '%s'), '%s', %d, '{%s}', "
        "(SELECT coalesce(array_agg(split_part(t, ':', 1)::int8 ORDER BY n), '{}') FROM regexp_split_to_table('%s', "
        "' ') WITH ORDINALITY x(t, n) WHERE t <> ''), (SELECT coalesce(array_agg(split_part(t, ':', 2)::int8 ORDER "
        "BY n), '{}') FROM regexp_split_to_table('%s', ' ') WITH ORDINALITY x(t, n) WHERE t <> ''), "
        "%lld, %d, %d, %lld, %lld, %d, %d, %d, %lld, %d, 15, %d, 0, 15, %lld, gen_random_uuid(), '', 'test'",
        c->party, c->no, currency, c->party, c->no, currency, c->from ? c->from : "2017-01-01", c->kind ? c->kind : 3,
        c->ends ? c->ends : "", c->tiers ? c->tiers : "", c->tiers ? c->tiers : "", (long long)c->min_payout,
        c->hold_back_bp, c->hold_back_periods, (long long)c->fee_period, (long long)c->fee_redemption, c->tax_bp,
        c->tax_rounding ? c->tax_rounding : 3, c->tax_bearer ? c->tax_bearer : 2, (long long)c->residue_limit,
        c->eligibility ? c->eligibility : 1, c->payment_days ? c->payment_days : 15, (long long)c->freight);
}

/* What is left behind. */

char *world_kept(struct world *world)
{
    return world_ask(
        world, "SELECT row FROM (SELECT 1 AS n, (bucket, programme_no, business_date)::text AS row FROM fence "
               "UNION ALL SELECT 2, r::text FROM day_rollup r UNION ALL SELECT 3, s::text FROM day_seal s "
               "UNION ALL SELECT 12, n::text FROM statement_number n UNION ALL SELECT 4, (programme_no, step, "
               "business_date, bucket)::text FROM settlement_step "
               "UNION ALL SELECT 5, (to_jsonb(s) - 'statement_no' - 'calculated_at')::text FROM statement s "
               "UNION ALL SELECT 6, (statement_id, line_number, bucket, member_id, seq, business_date)::text "
               "FROM statement_line JOIN statement USING (statement_no) UNION ALL "
               "SELECT 7, (to_jsonb(o) - 'statement_no')::text || s.statement_id FROM statement_position o JOIN "
               "statement s USING (statement_no) UNION ALL SELECT 8, settlement_posting::text FROM "
               "settlement_posting UNION ALL SELECT 9, (to_jsonb(h) - 'hold_no')::text FROM settlement_hold h "
               "UNION ALL SELECT 10, settlement_account::text FROM settlement_account UNION ALL SELECT 13, p::text "
               "FROM day_points p "
               "UNION ALL SELECT 14, p::text FROM point_lot p UNION ALL SELECT 15, p::text FROM day_lot_age p UNION "
               "ALL SELECT 16, p::text FROM day_lapsed p UNION ALL SELECT 17, p::text FROM member_drawn p UNION "
               "ALL SELECT 18, p::text FROM drawn_day p UNION ALL SELECT 19, p::text FROM day_drawn_age p UNION "
               "ALL SELECT 11, "
               "(correction_no, state, taken_period)::text FROM settlement_correction) all_rows ORDER BY n, row");
}

char *world_files(struct world *world)
{
    char command[160], *text = NULL;
    size_t size, n;
    char piece[4096];

    snprintf(command, sizeof command, "cd %s && find . -type f | LC_ALL=C sort | xargs -r -d '\\n' sha256sum",
             world->dir);
    FILE *in = popen(command, "r"), *out = open_memstream(&text, &size);
    assert_non_null(in);
    while ((n = fread(piece, 1, sizeof piece, in)) > 0)
        fwrite(piece, 1, n, out);
    fclose(out);
    assert_int_equal(pclose(in), 0);
    return text;
}

/* Killing. */

static int last_step;

static void kill_at_last_step(int steps)
{
    if (steps == last_step)
        raise(SIGKILL);
}

/* Did a signal end it? Else its work must have succeeded. */
static bool was_killed(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return false;
}

bool world_killed_after(struct world *world, int steps, world_work *work)
{
    struct error err;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        last_step = steps;
        _exit(do_work(world, work, kill_at_last_step, &err) == REASON_OK ? 0 : 1);
    }
    return was_killed(child);
}

bool world_killed_at(struct world *world, int64_t us, world_work *work)
{
    struct sigevent kill = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    struct itimerspec at = { .it_value = { us / 1000000, us % 1000000 * 1000 } };
    struct error err;
    timer_t timer;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (timer_create(CLOCK_MONOTONIC, &kill, &timer) != 0 || timer_settime(timer, 0, &at, NULL) != 0)
            _exit(2);
        _exit(do_work(world, work, NULL, &err) == REASON_OK ? 0 : 1);
    }
    return was_killed(child);
}
