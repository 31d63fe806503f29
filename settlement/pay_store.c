#include "pay_store.h"

#include "sheet.h"
#include "store/dispute_store.h"
#include "store/receivable_store.h"

_Static_assert(SHEET_PAIR == 1 && SHEET_OPERATOR == 4, "the queries below name these numbers");

struct period_params {
    int32_t programme_no;
    const char *period;
};
static const struct column period_params[] = { COLUMN(struct period_params, programme_no),
                                               COLUMN(struct period_params, period) };
struct count_row {
    int64_t rows;
};
static const struct column count_columns[] = { COLUMN(struct count_row, rows) };
static const struct statement is_issued =
    STATEMENT("pay_issued",
              "SELECT count(*) AS rows FROM settlement_period WHERE programme_no = $1 AND period = $2 AND state = 3",
              period_params, count_columns, sizeof(struct count_row));

static bool count_of(struct db *db, const struct statement *query, const void *params, int64_t *rows, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct count_row row = { 0 };
    bool found;

    if (!db_fetch_one(db, query, params, &arena, &row, &found, err))
        return false;
    *rows = row.rows;
    return true;
}

bool pay_store_issued(struct db *db, int32_t programme_no, const char *period, bool *issued, struct error *err)
{
    struct period_params params = { programme_no, period };
    int64_t rows;

    if (!count_of(db, &is_issued, &params, &rows, err))
        return false;
    *issued = rows > 0;
    return true;
}

/* Batches. */

struct batch_params {
    int32_t programme_no;
    const char *period;
    struct date execute_on;
    const char *by;
};
static const struct column batch_params[] = { COLUMN(struct batch_params, programme_no),
                                              COLUMN(struct batch_params, period),
                                              COLUMN(struct batch_params, execute_on),
                                              COLUMN(struct batch_params, by) };
/*
 * PAIR and OPERATOR statements are not paid, nor what is not due, nor what is contested of a merchant's or a carrier's:
 * it is paid when the dispute has ended, and what was decided against it when its statements have made up for that. A
 * later part has an EndToEndId of its own, or a bank's word on one would be taken for another of the same amount. What
 * was sent and not rejected is not sent again; payout_part and the key keep it once.
 */
static const struct statement make_batch = STATEMENT(
    "pay_batch",
    "WITH open AS (SELECT s.statement_id, " STATEMENT_NUMBER
    " AS number, s.type, s.bank_no, s.merchant_no, s.carrier_no, "
    "s.currency, (p.payable_minor - (SELECT COALESCE(sum(o.amount_minor), 0) FROM payout o WHERE o.statement_id = "
    "s.statement_id AND o.state <> 4) - (SELECT COALESCE(sum(" DISPUTE_KEPT_OUT "), 0) FROM dispute d WHERE s.type IN "
    "(3, 5) AND d.programme_no = $1 AND d.period = $2 AND d.other = CASE s.type WHEN 3 THEN 2 ELSE 3 END AND "
    "d.other_no = s.merchant_no + s.carrier_no AND d.currency = s.currency AND d.state IN (1, 2, 3, 5)))::int8 AS "
    "amount_minor, (SELECT COALESCE(max(o.attempt), 0) + 1 FROM payout o WHERE o.statement_id "
    "= s.statement_id) AS attempt, (SELECT COALESCE(max(o.part), 0) + 1 FROM payout o WHERE o.statement_id = "
    "s.statement_id AND o.state <> 4) AS part FROM " STATEMENT_NUMBERED
    "WHERE s.programme_no = $1 AND s.period = $2 AND s.type "
    "NOT IN (1, 4) AND p.payable_minor > 0 AND p.due_on <= $3 AND s.state <> 6), "
    "due AS (SELECT * FROM open WHERE amount_minor > 0), "
    "named AS (SELECT 'P' || $1 || '-' || left(replace($2, '--', '.'), 21) || '-' || (1 + (SELECT count(*) FROM "
    "payout_batch b WHERE b.programme_no = $1 AND b.period = $2)) AS message_id), "
    "batch AS (INSERT INTO payout_batch (programme_no, message_id, period, execute_on, payment_count, file_name, "
    "sha256, "
    "made_by) SELECT $1, message_id, $2, $3, (SELECT count(*) FROM due)::int, 'payout_' || message_id || "
    "'.pain001.xml', '', $4 FROM named WHERE EXISTS (SELECT FROM due) RETURNING batch_no), "
    "made AS (INSERT INTO payout (statement_id, attempt, part, batch_no, programme_no, end_to_end_id, party_type, "
    "party_no, currency, amount_minor, account_version, state, reason) SELECT statement_id, attempt, part, batch_no, "
    "$1, number || CASE WHEN part > 1 THEN '.' || part ELSE '' END, CASE type WHEN 2 THEN 1 WHEN 3 THEN 2 WHEN 5 THEN "
    "3 ELSE 5 END, bank_no + merchant_no + carrier_no, "
    "currency, amount_minor, 0, 1, '' FROM due, batch RETURNING 1) SELECT count(*) AS rows FROM made",
    batch_params, count_columns, sizeof(struct count_row));

bool pay_store_batch(struct db *db, int32_t programme_no, const char *period, struct date execute_on, const char *by,
                     int64_t *count, struct error *err)
{
    struct batch_params params = { programme_no, period, execute_on, by };
    const struct dispute_programme_params lock = { programme_no };

    return db_execute(db, &dispute_lock, &lock, NULL, err) && count_of(db, &make_batch, &params, count, err);
}

struct later_params {
    int32_t programme_no;
    const char *period;
    struct date on;
};
static const struct column later_params[] = { COLUMN(struct later_params, programme_no),
                                              COLUMN(struct later_params, period), COLUMN(struct later_params, on) };
static const struct column later_columns[] = { COLUMN(struct pay_later, count), COLUMN(struct pay_later, first) };
static const struct statement get_later =
    STATEMENT("pay_later",
              "SELECT count(*) AS count, COALESCE(min(p.due_on), '9999-12-31') AS first FROM statement s JOIN "
              "statement_position p USING (statement_no) WHERE s.programme_no = $1 AND s.period = $2 AND s.type NOT IN "
              "(1, 4) AND s.state <> 6 AND p.payable_minor > 0 AND p.due_on > $3",
              later_params, later_columns, sizeof(struct pay_later));

bool pay_store_later(struct db *db, int32_t programme_no, const char *period, struct date on, struct pay_later *later,
                     struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct later_params params = { programme_no, period, on };
    bool found;

    *later = (struct pay_later){ 0 };
    return db_fetch_one(db, &get_later, &params, &arena, later, &found, err);
}

static const struct column batch_columns[] = { COLUMN(struct pay_batch, batch_no), COLUMN(struct pay_batch, message_id),
                                               COLUMN(struct pay_batch, file_name),
                                               COLUMN(struct pay_batch, execute_on), COLUMN(struct pay_batch, sha256) };
static const struct statement get_batches = STATEMENT(
    "pay_batches",
    "SELECT batch_no, message_id, file_name, execute_on, sha256 FROM payout_batch WHERE programme_no = $1 AND "
    "period = $2 ORDER BY batch_no",
    period_params, batch_columns, sizeof(struct pay_batch));

bool pay_store_batches(struct db *db, int32_t programme_no, const char *period, struct arena *arena,
                       struct pay_batch **batches, size_t *count, struct error *err)
{
    struct period_params params = { programme_no, period };
    void *rows;

    if (!db_fetch(db, &get_batches, &params, arena, &rows, count, err))
        return false;
    *batches = rows;
    return true;
}

struct batch_no_params {
    int64_t batch_no;
    struct bytes sha256;
};
static const struct column batch_no_params[] = { COLUMN(struct batch_no_params, batch_no) };
static const struct column written_params[] = { COLUMN(struct batch_no_params, batch_no),
                                                COLUMN(struct batch_no_params, sha256) };
static const struct column line_columns[] = {
    COLUMN(struct pay_line, number),   COLUMN(struct pay_line, attempt),  COLUMN(struct pay_line, party_type),
    COLUMN(struct pay_line, party_no), COLUMN(struct pay_line, currency), COLUMN(struct pay_line, amount_minor)
};
static const struct statement get_lines =
    STATEMENT("pay_lines",
              "SELECT end_to_end_id AS number, attempt, party_type, party_no, currency, amount_minor FROM payout WHERE "
              "batch_no = $1 ORDER BY currency COLLATE \"C\", end_to_end_id",
              batch_no_params, line_columns, sizeof(struct pay_line));
static const struct statement set_written =
    COMMAND_STATEMENT("pay_written", "UPDATE payout_batch SET sha256 = $2 WHERE batch_no = $1", written_params);

bool pay_store_lines(struct db *db, int64_t batch_no, struct arena *arena, struct pay_line **lines, size_t *count,
                     struct error *err)
{
    struct batch_no_params params = { .batch_no = batch_no };
    void *rows;

    if (!db_fetch(db, &get_lines, &params, arena, &rows, count, err))
        return false;
    *lines = rows;
    return true;
}

bool pay_store_written(struct db *db, int64_t batch_no, const uint8_t sha256[32], struct error *err)
{
    struct batch_no_params params = { batch_no, { sha256, 32 } };

    return db_execute(db, &set_written, &params, NULL, err);
}

/* What banks said. */

static const struct column notice_params[] = {
    COLUMN(struct pay_notice, programme_no), COLUMN(struct pay_notice, file_sha256),
    COLUMN(struct pay_notice, line),         COLUMN(struct pay_notice, part),
    COLUMN(struct pay_notice, file_kind),    COLUMN(struct pay_notice, end_to_end_id),
    COLUMN(struct pay_notice, status),       COLUMN(struct pay_notice, reason),
    COLUMN(struct pay_notice, currency),     COLUMN(struct pay_notice, amount_minor),
    COLUMN(struct pay_notice, booked),       COLUMN(struct pay_notice, reference),
    COLUMN(struct pay_notice, outcome),
};
static const struct statement add_notice =
    COMMAND_STATEMENT("pay_notice",
                      "INSERT INTO payment_notice (programme_no, file_sha256, line, part, file_kind, end_to_end_id, "
                      "status, reason, currency, amount_minor, booked, reference, outcome) VALUES ($1, $2, $3, $4, $5, "
                      "$6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
                      notice_params);

bool pay_store_notice(struct db *db, const struct pay_notice *notice, bool *added, struct error *err)
{
    int64_t rows;

    if (!db_execute(db, &add_notice, notice, &rows, err))
        return false;
    *added = rows > 0;
    return true;
}

static const struct column move_params[] = {
    COLUMN(struct pay_move, programme_no), COLUMN(struct pay_move, message_id),   COLUMN(struct pay_move, number),
    COLUMN(struct pay_move, state),        COLUMN(struct pay_move, below),        COLUMN(struct pay_move, reason),
    COLUMN(struct pay_move, currency),     COLUMN(struct pay_move, amount_minor),
};
/* What names no batch is about one part: the first of that amount, of its last attempt. */
static const struct statement move_payouts = COMMAND_STATEMENT(
    "pay_move",
    "UPDATE payout o SET state = $4, reason = $6, changed_at = now() WHERE o.programme_no = $1 AND ($3 = '' OR "
    "o.end_to_end_id = $3) AND o.state < $4 AND o.state < $5 AND ($7 = '' OR (o.currency = $7 AND o.amount_minor = "
    "$8)) "
    "AND CASE WHEN $2 = '' THEN o.attempt = (SELECT min(m.attempt) FROM payout m WHERE m.statement_id = "
    "o.statement_id AND m.end_to_end_id = o.end_to_end_id AND m.state < $4 AND m.state < $5 AND ($7 = '' OR "
    "m.amount_minor = $8) AND NOT EXISTS (SELECT FROM "
    "payout l WHERE l.statement_id = m.statement_id AND l.part = m.part AND l.attempt > m.attempt)) "
    "ELSE o.batch_no = (SELECT b.batch_no FROM payout_batch b WHERE b.message_id = $2) END",
    move_params);

bool pay_store_move(struct db *db, const struct pay_move *move, int64_t *moved, struct error *err)
{
    return db_execute(db, &move_payouts, move, moved, err);
}

struct programme_params {
    int32_t programme_no;
};
static const struct column programme_params[] = { COLUMN(struct programme_params, programme_no) };
static const struct statement follow = COMMAND_STATEMENT(
    "pay_follow",
    "UPDATE statement t SET state = d.state FROM (SELECT s.statement_no, " STATEMENT_STANDS
    " AS state FROM " STATEMENT_NUMBERED
    "JOIN settlement_period q ON q.programme_no = s.programme_no AND q.period = s.period AND q.state = 3 "
    "WHERE s.programme_no = $1 AND s.state <> 5 AND p.payable_minor <> 0) d WHERE t.statement_no = d.statement_no AND "
    "t.state <> d.state",
    programme_params);

bool pay_store_follow(struct db *db, int32_t programme_no, struct error *err)
{
    struct programme_params params = { programme_no };
    const struct dispute_programme_params disputes = { programme_no };

    return db_execute(db, &dispute_lock, &disputes, NULL, err) && db_execute(db, &follow, &params, NULL, err) &&
           db_execute(db, &dispute_mark_statements, &disputes, NULL, err);
}

struct owed_params {
    int32_t programme_no;
    const char *number, *currency;
};
static const struct column owed_params[] = { COLUMN(struct owed_params, programme_no),
                                             COLUMN(struct owed_params, number), COLUMN(struct owed_params, currency) };
static const struct statement is_owed = STATEMENT("pay_owed",
                                                  "SELECT count(*) AS rows FROM " STATEMENT_NUMBERED
                                                  "WHERE s.programme_no = $1 AND p.payable_minor < 0 AND "
                                                  "s.currency = $3 AND " STATEMENT_NUMBER " = $2",
                                                  owed_params, count_columns, sizeof(struct count_row));

bool pay_store_owed(struct db *db, int32_t programme_no, const char *number, const char *currency, bool *owed,
                    struct error *err)
{
    struct owed_params params = { programme_no, number, currency };
    int64_t rows;

    if (!count_of(db, &is_owed, &params, &rows, err))
        return false;
    *owed = rows > 0;
    return true;
}
