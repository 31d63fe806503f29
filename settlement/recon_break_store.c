#include "recon_break_store.h"

#include <string.h>

_Static_assert(BREAK_OPEN == 1 && BREAK_DISPUTABLE == 2 && BREAK_CORRECTING == 3 && BREAK_RESOLVED == 5 &&
                   BREAK_ACCEPTED == 6 && BREAK_DISPUTED == 7,
               "as in the queries");
_Static_assert(RECON_ROUNDING == 2 && RECON_LATE == 3, "as in the queries");

static const char *const state_names[] = {
    [BREAK_OPEN] = "OPEN",           [BREAK_DISPUTABLE] = "DISPUTABLE", [BREAK_CORRECTING] = "CORRECTING",
    [BREAK_CORRECTED] = "CORRECTED", [BREAK_RESOLVED] = "RESOLVED",     [BREAK_ACCEPTED] = "ACCEPTED",
    [BREAK_DISPUTED] = "DISPUTED",   [BREAK_REJECTED] = "REJECTED",     [BREAK_EXPIRED] = "EXPIRED",
};

const char *recon_break_state_name(int state)
{
    return state > 0 && state < BREAK_STATE_COUNT ? state_names[state] : "?";
}

int recon_break_state_named(const char *word)
{
    for (int i = 1; i < BREAK_STATE_COUNT; i++) {
        if (strcmp(state_names[i], word) == 0)
            return i;
    }
    return 0;
}

/* ---- runs ---- */

struct run_params {
    int32_t programme_no;
    int16_t party_type;
    int32_t party_no;
    const char *period;
    struct date first, last;
    const char *file_name;
    struct bytes file_sha256;
    const char *settings;
    struct int64_array our_counts, their_counts;
    int64_t run_no;
};
static const struct column run_params[] = {
    COLUMN(struct run_params, programme_no), COLUMN(struct run_params, party_type),
    COLUMN(struct run_params, party_no),     COLUMN(struct run_params, period),
    COLUMN(struct run_params, first),        COLUMN(struct run_params, last),
    COLUMN(struct run_params, file_name),    COLUMN(struct run_params, file_sha256),
    COLUMN(struct run_params, settings),     COLUMN(struct run_params, our_counts),
    COLUMN(struct run_params, their_counts),
};
enum { RUN_PERIOD = 4 };
static const struct column run_columns[] = {
    COLUMN(struct recon_run_row, run_no),       COLUMN(struct recon_run_row, period),
    COLUMN(struct recon_run_row, file_name),    COLUMN(struct recon_run_row, settings),
    COLUMN(struct recon_run_row, file_sha256),  COLUMN(struct recon_run_row, our_counts),
    COLUMN(struct recon_run_row, their_counts),
};
static const struct statement last_run = {
    "recon_last_run",
    "SELECT run_no, period, file_name, settings, file_sha256, our_counts, their_counts FROM recon_run WHERE "
    "programme_no = $1 AND party_type = $2 AND party_no = $3 AND period = $4 ORDER BY run_no DESC LIMIT 1",
    run_params,
    RUN_PERIOD,
    run_columns,
    COUNT(run_columns),
    sizeof(struct recon_run_row),
};
static const struct column run_no_columns[] = { COLUMN(struct run_params, run_no) };
static const struct statement put_run =
    STATEMENT("recon_put_run",
              "INSERT INTO recon_run (programme_no, party_type, party_no, period, first_date, last_date, file_name, "
              "file_sha256, settings, our_counts, their_counts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
              "RETURNING run_no",
              run_params, run_no_columns, sizeof(struct run_params));

static struct run_params run_of(const struct recon_scope *scope, const char *period)
{
    return (struct run_params){ .programme_no = scope->programme_no,
                                .party_type = scope->party_type,
                                .party_no = scope->party_no,
                                .period = period,
                                .first = scope->first,
                                .last = scope->last };
}

bool recon_store_last_run(struct db *db, const struct recon_scope *scope, const char *period, struct arena *arena,
                          struct recon_run_row *run, struct error *err)
{
    struct run_params params = run_of(scope, period);
    bool found;

    *run = (struct recon_run_row){ 0 };
    return db_fetch_one(db, &last_run, &params, arena, run, &found, err);
}

bool recon_store_put_run(struct db *db, const struct recon_scope *scope, struct recon_run_row *run, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct run_params params = run_of(scope, run->period), answer = { 0 };
    bool found;

    params.file_name = run->file_name;
    params.file_sha256 = run->file_sha256;
    params.settings = run->settings;
    params.our_counts = run->our_counts;
    params.their_counts = run->their_counts;
    if (!db_fetch_one(db, &put_run, &params, &arena, &answer, &found, err))
        return false;
    run->run_no = answer.run_no;
    return true;
}

/* ---- breaks ---- */

static const struct column breaks_params[] = {
    COLUMN(struct run_params, programme_no), COLUMN(struct run_params, party_type), COLUMN(struct run_params, party_no),
    COLUMN(struct run_params, period),       COLUMN(struct run_params, last),       COLUMN(struct run_params, run_no),
};
/*
 * A fingerprint says what the break is about, not where in the file it stands; records that are alike are told apart by
 * their number. Of a sum each part stands against itself: what differs is its day, or its points. What had been
 * resolved because a file no longer showed it is open again when one does.
 */
static const struct statement put_breaks = COMMAND_STATEMENT(
    "recon_put_breaks",
    "INSERT INTO recon_break AS old (programme_no, party_type, party_no, period, period_end, fingerprint, run_no, "
    "last_run_no, class, state, key, redemption_id, hash16, ref, bank_no, merchant_no, our_date, our_state, our_minor, "
    "our_points, our_currency, their_date, their_state, their_minor, their_points, their_currency, their_line) "
    "SELECT $1, $2, $3, $4, $5, sha256(convert_to(concat_ws('|', about, row_number() OVER (PARTITION BY about ORDER BY "
    "their_line, their_no, our_no)), 'UTF8')), $6, $6, class, CASE class WHEN 2 THEN 6 ELSE 1 END, key, uid, hash, "
    "ref, "
    "bank_no, merchant_no, our_day, our_state, our_amount, our_points, our_currency, their_day, their_state, "
    "their_amount, their_points, their_currency, their_line FROM (SELECT f.class, f.our_no, f.their_no, "
    "concat_ws('|', f.class, o.uid, o.hash, o.ref, t.key, t.day, t.state, t.amount, t.currency, t.points) AS about, "
    "COALESCE(t.key, o.uid || '.' || lpad(to_hex(o.hash), 4, '0')) AS key, "
    "COALESCE(o.uid, r.uid, '00000000-0000-0000-0000-000000000000') AS uid, COALESCE(o.hash, r.hash, -1) AS hash, "
    "COALESCE(o.ref, '00000000-0000-0000-0000-000000000000') AS ref, "
    "COALESCE(o.bank_no, CASE $2 WHEN 1 THEN $3 END, b.bank_no, 0) AS bank_no, "
    "COALESCE(o.merchant_no, CASE $2 WHEN 2 THEN $3 END, m.merchant_no, 0) AS merchant_no, "
    "COALESCE(o.day, 'epoch') AS our_day, COALESCE(o.state, 0) AS our_state, COALESCE(CASE WHEN f.our_no > "
    "0 AND f.parts_of_ours > 1 THEN t.amount ELSE o.amount END, 0) AS our_amount, "
    "COALESCE(o.points, 0) AS our_points, COALESCE(o.currency, '') AS our_currency, COALESCE(t.day, 'epoch') AS "
    "their_day, COALESCE(t.state, 0) AS their_state, COALESCE(CASE WHEN f.their_no > 0 AND f.parts_of_theirs > 1 THEN "
    "o.amount ELSE t.amount END, 0) AS their_amount, COALESCE(t.points, -1) AS "
    "their_points, COALESCE(t.currency, '') AS their_currency, COALESCE(t.line, 0) AS their_line "
    "FROM (SELECT *, count(*) OVER (PARTITION BY our_no) AS parts_of_ours, count(*) OVER (PARTITION BY their_no) AS "
    "parts_of_theirs FROM recon_found WHERE class > 1) f LEFT JOIN recon_row o ON o.side = 1 AND o.no = f.our_no LEFT "
    "JOIN recon_theirs t ON "
    "t.no = f.their_no LEFT JOIN recon_row r ON r.side = 2 AND r.no = f.their_no "
    "LEFT JOIN bank b ON b.bank_id = t.party AND b.programme_no = $1 "
    "LEFT JOIN merchant m ON m.merchant_id = t.party AND m.programme_no = $1) x "
    "ON CONFLICT (programme_no, party_type, party_no, period, fingerprint) DO UPDATE SET last_run_no = "
    "EXCLUDED.last_run_no, their_line = EXCLUDED.their_line, "
    "state = CASE WHEN old.state = 5 AND old.pair_break_no = 0 THEN 1 ELSE old.state END",
    breaks_params);
static const struct statement end_old = COMMAND_STATEMENT(
    "recon_end_old",
    "UPDATE recon_break SET state = 5, note = 'a corrected file no longer shows it' WHERE "
    "programme_no = $1 AND party_type = $2 AND party_no = $3 AND period = $4 AND $5::date IS NOT NULL "
    "AND last_run_no <> $6 AND state IN (1, 2)",
    breaks_params);

bool recon_store_put_breaks(struct db *db, const struct recon_scope *scope, const struct recon_run_row *run,
                            int64_t *breaks, struct error *err)
{
    struct run_params params = run_of(scope, run->period);

    params.run_no = run->run_no;
    return db_script(db, "ANALYZE recon_found", err) && db_execute(db, &put_breaks, &params, breaks, err) &&
           db_execute(db, &end_old, &params, NULL, err);
}

/* ---- from period to period ---- */

enum { PARTY = 3, PARTY_AND_DAYS = 6 };
/* Alike in everything but the day; the first of one side to the first of the other. */
static const struct statement pair_breaks = {
    "recon_pair_breaks",
    "WITH open AS (SELECT * FROM recon_break WHERE programme_no = $1 AND party_type = $2 AND party_no = $3 AND "
    "state IN (1, 2) AND class IN (7, 8)), "
    "both_sides AS (SELECT h.break_no AS here, t.break_no AS there, "
    "row_number() OVER (PARTITION BY h.break_no ORDER BY t.period_end, t.break_no) AS nth_there, "
    "row_number() OVER (PARTITION BY t.break_no ORDER BY h.period_end, h.break_no) AS nth_here "
    "FROM open h JOIN open t ON h.class = 7 AND t.class = 8 AND h.period <> t.period AND h.redemption_id <> "
    "'00000000-0000-0000-0000-000000000000' AND (h.redemption_id = t.ref OR (h.redemption_id = t.redemption_id AND "
    "h.hash16 IN (-1, t.hash16))) AND h.their_state = t.our_state AND h.their_minor = t.our_minor AND "
    "h.their_currency = t.our_currency AND h.their_points IN (-1, t.our_points)), "
    "pairs AS (SELECT here, there FROM both_sides WHERE nth_there = nth_here AND nth_here = 1), "
    "halves AS (SELECT here AS no, there AS other FROM pairs UNION ALL SELECT there, here FROM pairs) "
    "UPDATE recon_break b SET state = 5, pair_break_no = halves.other, note = 'late: found in another period' FROM "
    "halves "
    "WHERE b.break_no = halves.no",
    run_params,
    PARTY,
    NULL,
    0,
    0,
};
static const struct column age_params[] = { COLUMN(struct run_params, programme_no),
                                            COLUMN(struct run_params, party_type), COLUMN(struct run_params, party_no),
                                            COLUMN(struct run_params, first), COLUMN(struct run_params, last) };
/* What only its day differs in moves no money and is nothing to dispute. */
static const struct statement age_breaks = COMMAND_STATEMENT(
    "recon_age_breaks",
    "UPDATE recon_break SET retries = retries + 1, retried_until = $5, state = CASE class WHEN 3 THEN "
    "state ELSE 2 END WHERE programme_no = $1 AND party_type = $2 AND party_no = $3 AND state IN (1, 2) "
    "AND period_end < $4 AND retried_until < $5",
    age_params);

/* A pair takes a record of each side away, which may let the next ones meet. */
bool recon_store_retry(struct db *db, const struct recon_scope *scope, int64_t *paired, struct error *err)
{
    struct run_params params = run_of(scope, "");
    int64_t more = 1;

    *paired = 0;
    while (more > 0) {
        if (!db_execute(db, &pair_breaks, &params, &more, err))
            return false;
        *paired += more;
    }
    return true;
}

bool recon_store_age(struct db *db, const struct recon_scope *scope, struct error *err)
{
    struct run_params params = run_of(scope, "");

    return db_execute(db, &age_breaks, &params, NULL, err);
}

/* ---- for people ---- */

static const struct column filter_params[] = {
    COLUMN(struct recon_break_filter, programme_no), COLUMN(struct recon_break_filter, break_no),
    COLUMN(struct recon_break_filter, party_type),   COLUMN(struct recon_break_filter, party_no),
    COLUMN(struct recon_break_filter, period),       COLUMN(struct recon_break_filter, class),
    COLUMN(struct recon_break_filter, state),        COLUMN(struct recon_break_filter, all),
};
static const struct column break_columns[] = {
    COLUMN(struct recon_break_row, break_no),      COLUMN(struct recon_break_row, party_type),
    COLUMN(struct recon_break_row, party_no),      COLUMN(struct recon_break_row, bank_no),
    COLUMN(struct recon_break_row, merchant_no),   COLUMN(struct recon_break_row, party_id),
    COLUMN(struct recon_break_row, period),        COLUMN(struct recon_break_row, key),
    COLUMN(struct recon_break_row, bank_id),       COLUMN(struct recon_break_row, merchant_id),
    COLUMN(struct recon_break_row, class),         COLUMN(struct recon_break_row, state),
    COLUMN(struct recon_break_row, our_date),      COLUMN(struct recon_break_row, our_state),
    COLUMN(struct recon_break_row, our_minor),     COLUMN(struct recon_break_row, our_points),
    COLUMN(struct recon_break_row, our_currency),  COLUMN(struct recon_break_row, their_date),
    COLUMN(struct recon_break_row, their_state),   COLUMN(struct recon_break_row, their_minor),
    COLUMN(struct recon_break_row, their_points),  COLUMN(struct recon_break_row, their_currency),
    COLUMN(struct recon_break_row, their_line),    COLUMN(struct recon_break_row, run_no),
    COLUMN(struct recon_break_row, retries),       COLUMN(struct recon_break_row, age_days),
    COLUMN(struct recon_break_row, pair_break_no), COLUMN(struct recon_break_row, correction_no),
    COLUMN(struct recon_break_row, dispute_no),    COLUMN(struct recon_break_row, note),
    COLUMN(struct recon_break_row, file_name),     COLUMN(struct recon_break_row, redemption_id),
    COLUMN(struct recon_break_row, ref),           COLUMN(struct recon_break_row, hash16),
    COLUMN(struct recon_break_row, file_sha256),
};
static const struct statement each_break = STATEMENT(
    "recon_each_break",
    "SELECT x.break_no, x.party_type, x.party_no, x.bank_no, x.merchant_no, CASE x.party_type WHEN 1 THEN "
    "COALESCE(b.bank_id, '') ELSE "
    "COALESCE(m.merchant_id, '') END AS party_id, x.period, x.key, COALESCE(b.bank_id, '') AS bank_id, "
    "COALESCE(m.merchant_id, '') AS merchant_id, x.class, x.state, x.our_date, x.our_state, x.our_minor, "
    "x.our_points, x.our_currency, x.their_date, x.their_state, x.their_minor, x.their_points, "
    "x.their_currency, x.their_line, x.run_no, x.retries, ((SELECT min(business_date) FROM fence WHERE "
    "programme_no = $1) - x.period_end)::int AS age_days, x.pair_break_no, x.correction_no, x.dispute_no, x.note, "
    "r.file_name, x.redemption_id, x.ref, x.hash16, r.file_sha256 FROM recon_break x JOIN recon_run r ON r.run_no = "
    "x.last_run_no LEFT JOIN bank b ON "
    "b.bank_no = x.bank_no LEFT JOIN merchant m ON m.merchant_no = x.merchant_no WHERE x.programme_no = $1 AND "
    "($2 = 0 OR x.break_no = $2) AND ($3 = 0 OR x.party_type = $3) AND ($4 = 0 OR x.party_no = $4) AND ($5 = '' OR "
    "x.period = $5) AND ($6 = 0 OR x.class = $6) AND ($7 = 0 OR x.state = $7) AND ($8 OR $7 <> 0 OR $2 <> 0 OR "
    "x.state IN (1, 2, 3, 7)) ORDER BY x.break_no",
    filter_params, break_columns, sizeof(struct recon_break_row));

bool recon_store_each_break(struct db *db, const struct recon_break_filter *filter, db_row_handler *each, void *owner,
                            struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };

    return db_each(db, &each_break, filter, &arena, each, owner, err);
}

bool recon_store_break(struct db *db, int32_t programme_no, int64_t break_no, struct arena *arena,
                       struct recon_break_row *row, bool *found, struct error *err)
{
    const struct recon_break_filter filter = { .programme_no = programme_no, .break_no = break_no, .period = "" };

    return db_fetch_one(db, &each_break, &filter, arena, row, found, err);
}

struct end_params {
    int32_t programme_no;
    int64_t break_no;
    int16_t state;
    const char *note;
};
static const struct column end_params[] = { COLUMN(struct end_params, programme_no),
                                            COLUMN(struct end_params, break_no), COLUMN(struct end_params, state),
                                            COLUMN(struct end_params, note) };
static const struct statement end_break = COMMAND_STATEMENT(
    "recon_end_break",
    "UPDATE recon_break SET state = $3, note = $4 WHERE programme_no = $1 AND break_no = $2 AND state IN (1, 2)",
    end_params);

bool recon_store_end_break(struct db *db, int32_t programme_no, int64_t break_no, enum recon_break_state state,
                           const char *note, bool *done, struct error *err)
{
    struct end_params params = { programme_no, break_no, (int16_t)state, note };
    int64_t affected;

    if (!db_execute(db, &end_break, &params, &affected, err))
        return false;
    *done = affected == 1;
    return true;
}

struct correct_params {
    int64_t break_no, correction_no;
    int16_t state;
    const char *note;
};
static const struct column correct_params[] = { COLUMN(struct correct_params, break_no),
                                                COLUMN(struct correct_params, correction_no),
                                                COLUMN(struct correct_params, state),
                                                COLUMN(struct correct_params, note) };
static const struct statement correct_break = COMMAND_STATEMENT(
    "recon_correct_break",
    "UPDATE recon_break SET correction_no = $2, state = $3, note = $4 WHERE break_no = $1 AND state IN "
    "(1, 2, 3) AND correction_no IN (0, $2)",
    correct_params);

bool recon_store_correct_break(struct db *db, int64_t break_no, int64_t correction_no, enum recon_break_state state,
                               const char *note, bool *done, struct error *err)
{
    struct correct_params params = { break_no, correction_no, (int16_t)state, note };
    int64_t affected;

    if (!db_execute(db, &correct_break, &params, &affected, err))
        return false;
    *done = affected == 1;
    return true;
}
