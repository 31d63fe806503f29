#include "points_store.h"

#include "base/arena.h"
#include "domain/entry.h"

#include <stdlib.h>

struct day_params {
    int32_t programme_no;
    struct date business_date;
};
static const struct column day_params[] = { COLUMN(struct day_params, programme_no),
                                            COLUMN(struct day_params, business_date) };
static const struct column programme_params[] = { COLUMN(struct day_params, programme_no) };

struct last_row {
    struct date last;
};
static const struct column last_columns[] = { COLUMN(struct last_row, last) };
static const struct statement get_last =
    STATEMENT("points_last",
              "SELECT business_date AS last FROM settlement_step WHERE programme_no = $1 AND step = 'POINTS' ORDER BY "
              "business_date DESC LIMIT 1",
              programme_params, last_columns, sizeof(struct last_row));

static const struct statement carry = COMMAND_STATEMENT(
    "points_carry",
    "INSERT INTO day_points (programme_no, business_date, bank_no, kind, entry_count, points) SELECT $1, $2, bank_no, "
    "kind, sum(entry_count)::int8, sum(points)::int8 FROM (SELECT bank_no, kind, entry_count, points FROM day_points "
    "WHERE programme_no = $1 AND business_date = (SELECT max(business_date) FROM settlement_step WHERE programme_no = "
    "$1 AND step = 'POINTS' AND business_date < $2) UNION ALL SELECT bank_no, kind, entry_count, points FROM "
    "day_rollup WHERE programme_no = $1 AND business_date = $2) x GROUP BY bank_no, kind",
    day_params);

static const struct column entry_columns[] = {
    COLUMN(struct points_entry_row, bucket),    COLUMN(struct points_entry_row, bank_no),
    COLUMN(struct points_entry_row, member_id), COLUMN(struct points_entry_row, kind),
    COLUMN(struct points_entry_row, lots),      COLUMN(struct points_entry_row, credit_used_after),
    COLUMN(struct points_entry_row, drawn),
};
struct entry_params {
    int32_t programme_no;
    struct date business_date;
    struct int64_array giving; /* kinds that may leave no credit used and yet name no lot */
};
static const struct column entry_params[] = { COLUMN(struct entry_params, programme_no),
                                              COLUMN(struct entry_params, business_date),
                                              COLUMN(struct entry_params, giving) };
static const struct statement each_entry = STATEMENT(
    "points_entries",
    "SELECT j.bucket, j.bank_no, j.member_id, j.kind, j.lots, j.credit_used_after, COALESCE(d.drawn, '') AS drawn FROM "
    "journal j LEFT JOIN member_drawn d ON d.bucket = j.bucket AND d.member_id = j.member_id WHERE j.programme_no = $1 "
    "AND j.business_date = $2 AND (j.lots <> '' OR j.credit_used_after > 0 OR d.member_id IS NOT NULL OR j.kind = ANY "
    "($3::int8[])) ORDER BY j.bucket, j.member_id, j.seq",
    entry_params, entry_columns, sizeof(struct points_entry_row));

bool points_store_last(struct db *db, int32_t programme_no, struct date *last, bool *found, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct last_row row = { 0 };

    if (!db_fetch_one(db, &get_last, &(struct day_params){ .programme_no = programme_no }, &arena, &row, found, err))
        return false;
    *last = row.last;
    return true;
}

bool points_store_carry(struct db *db, int32_t programme_no, struct date date, struct error *err)
{
    return db_execute(db, &carry, &(struct day_params){ programme_no, date }, NULL, err);
}

bool points_store_each(struct db *db, int32_t programme_no, struct date date, db_row_handler *each, void *owner,
                       struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    int64_t giving[ENTRY_KIND_COUNT];
    struct entry_params params = { programme_no, date, { giving, 0 } };

    for (int kind = 1; kind < ENTRY_KIND_COUNT; kind++) {
        enum ledger_account from, to;
        entry_accounts(kind, &from, &to);
        if (to == LEDGER_SPENDABLE)
            giving[params.giving.count++] = kind;
    }
    return db_each(db, &each_entry, &params, &arena, each, owner, err);
}

/* What a tally has, in messages of so many rows. */

enum { CHUNK = 2000 };

struct move_row {
    int32_t bank_no, funding_no;
    struct date expires_on;
    int64_t issued, taken, lapsed;
};
static const struct column move_fields[] = {
    COLUMN(struct move_row, bank_no), COLUMN(struct move_row, funding_no), COLUMN(struct move_row, expires_on),
    COLUMN(struct move_row, issued),  COLUMN(struct move_row, taken),      COLUMN(struct move_row, lapsed),
};
static const struct record_type move_write = { "point_move_write", move_fields, COUNT(move_fields),
                                               sizeof(struct move_row) };
struct drawn_row {
    int32_t bank_no;
    struct date drawn_on;
    int64_t points;
};
static const struct column drawn_fields[] = { COLUMN(struct drawn_row, bank_no), COLUMN(struct drawn_row, drawn_on),
                                              COLUMN(struct drawn_row, points) };
static const struct record_type drawn_write = { "drawn_move_write", drawn_fields, COUNT(drawn_fields),
                                                sizeof(struct drawn_row) };

struct moves_params {
    struct record_array moves;
};
static const struct column moves_params[] = { RECORDS(struct moves_params, moves, &move_write) };
static const char make_moves[] = "CREATE TEMP TABLE points_moved (bank_no int, funding_no int, expires_on date, "
                                 "issued int8, taken int8, lapsed int8) ON COMMIT DROP";
static const struct statement put_moves = COMMAND_STATEMENT(
    "points_put_moves", "INSERT INTO points_moved SELECT m.* FROM unnest($1::point_move_write[]) m", moves_params);

static bool put_all_moves(struct db *db, const struct points_tally *tally, struct error *err)
{
    struct move_row rows[CHUNK];
    size_t count = 0;

    for (size_t i = 0; i < tally->room; i++) {
        const struct points_cell *cell = &tally->at[i];
        if (cell->bank_no)
            rows[count++] = (struct move_row){ cell->bank_no,
                                               cell->funding_no,
                                               cell->day,
                                               cell->sums[POINTS_SUM_ISSUED],
                                               cell->sums[POINTS_SUM_TAKEN],
                                               cell->sums[POINTS_SUM_LAPSED] };
        if (count < CHUNK && i + 1 < tally->room)
            continue;
        if (count > 0 && !db_execute(db, &put_moves, &(struct moves_params){ { rows, count } }, NULL, err))
            return false;
        count = 0;
    }
    return true;
}

/*
 * Within a lot the oldest points go first, and what comes back joins the oldest that are left; when none are left it is
 * as old as the day it came back. Should more be taken than there was, the newest points say by how much.
 */
static const struct statement move_lots = COMMAND_STATEMENT(
    "points_move_lots",
    "INSERT INTO point_lot AS old (programme_no, bank_no, funding_no, expires_on, earned_on, points) SELECT $1, "
    "bank_no, "
    "funding_no, expires_on, earned_on, (CASE WHEN taken < 0 THEN points - CASE n WHEN 1 THEN taken ELSE 0 END WHEN n "
    "= "
    "layers THEN least(points, upto - taken) ELSE greatest(least(points, upto - taken), 0) END)::int8 FROM (SELECT "
    "m.bank_no, m.funding_no, m.expires_on, l.earned_on, l.points, m.taken, sum(l.points) OVER oldest AS upto, "
    "row_number() OVER oldest AS n, count(*) OVER (PARTITION BY m.bank_no, m.funding_no, m.expires_on) AS layers FROM "
    "points_moved m JOIN (SELECT bank_no, funding_no, expires_on, earned_on, points FROM point_lot WHERE programme_no "
    "= "
    "$1 UNION ALL SELECT d.bank_no, d.funding_no, d.expires_on, $2, d.issued FROM points_moved d WHERE d.issued <> 0 "
    "OR "
    "NOT EXISTS (SELECT FROM point_lot p WHERE p.programme_no = $1 AND p.bank_no = d.bank_no AND p.funding_no = "
    "d.funding_no AND p.expires_on = d.expires_on)) l USING (bank_no, funding_no, expires_on) WINDOW oldest AS "
    "(PARTITION BY m.bank_no, m.funding_no, m.expires_on ORDER BY l.earned_on)) x ON CONFLICT ON CONSTRAINT "
    "point_lot_pk DO UPDATE SET points = EXCLUDED.points WHERE old.points <> EXCLUDED.points",
    day_params);
static const struct statement drop_empty = COMMAND_STATEMENT(
    "points_drop_empty",
    "DELETE FROM point_lot l USING points_moved m WHERE l.programme_no = $1 AND l.points = 0 AND l.bank_no = m.bank_no "
    "AND l.funding_no = m.funding_no AND l.expires_on = m.expires_on",
    programme_params);
static const struct statement keep_lapsed = COMMAND_STATEMENT(
    "points_keep_lapsed",
    "INSERT INTO day_lapsed (programme_no, business_date, bank_no, funding_no, points) SELECT $1, $2, bank_no, "
    "funding_no, sum(lapsed)::int8 FROM points_moved GROUP BY bank_no, funding_no HAVING sum(lapsed) <> 0",
    day_params);

struct age_params {
    int32_t programme_no;
    struct date business_date;
    struct int64_array ages; /* the first day of each class but the first, ascending */
};
static const struct column age_params[] = { COLUMN(struct age_params, programme_no),
                                            COLUMN(struct age_params, business_date), COLUMN(struct age_params, ages) };
static const struct statement keep_lot_ages = COMMAND_STATEMENT(
    "points_keep_lot_ages",
    "INSERT INTO day_lot_age (programme_no, business_date, bank_no, funding_no, age_class, points) SELECT $1, $2, "
    "bank_no, funding_no, age_class, sum(points)::int8 FROM (SELECT bank_no, funding_no, points, CASE WHEN expires_on "
    "<= "
    "$2 THEN 0 ELSE width_bucket(greatest($2::date - earned_on, 0)::int8, $3::int8[]) END AS age_class FROM point_lot "
    "WHERE programme_no = $1) x GROUP BY bank_no, funding_no, age_class HAVING sum(points) <> 0",
    age_params);

bool points_store_lots(struct db *db, int32_t programme_no, struct date date, const struct points_tally *moves,
                       struct error *err)
{
    static const int64_t first_days[] = { 0, 31, 91, 181, 366 }; /* as day_lot_age has it */
    struct day_params day = { programme_no, date };
    struct age_params age = { programme_no, date, { first_days, COUNT(first_days) } };

    if (moves->count > 0 &&
        (!db_script(db, make_moves, err) || !put_all_moves(db, moves, err) ||
         !db_execute(db, &move_lots, &day, NULL, err) || !db_execute(db, &drop_empty, &day, NULL, err) ||
         !db_execute(db, &keep_lapsed, &day, NULL, err)))
        return false;
    return db_execute(db, &keep_lot_ages, &age, NULL, err);
}

/* Drawn credit. */

struct put_drawn_params {
    int32_t programme_no;
    struct record_array moves;
};
static const struct column put_drawn_params[] = { COLUMN(struct put_drawn_params, programme_no),
                                                  RECORDS(struct put_drawn_params, moves, &drawn_write) };
static const struct statement put_drawn = COMMAND_STATEMENT(
    "points_put_drawn",
    "INSERT INTO drawn_day AS old (programme_no, bank_no, drawn_on, points) SELECT $1, m.bank_no, m.drawn_on, m.points "
    "FROM unnest($2::drawn_move_write[]) m ON CONFLICT ON CONSTRAINT drawn_day_pk DO UPDATE SET points = old.points + "
    "EXCLUDED.points",
    put_drawn_params);
static const struct statement drop_repaid = COMMAND_STATEMENT(
    "points_drop_repaid", "DELETE FROM drawn_day WHERE programme_no = $1 AND points = 0", programme_params);
static const struct statement keep_drawn_ages = COMMAND_STATEMENT(
    "points_keep_drawn_ages",
    "INSERT INTO day_drawn_age (programme_no, business_date, bank_no, age_class, points) SELECT $1, $2, bank_no, "
    "width_bucket(greatest($2::date - drawn_on, 0)::int8, $3::int8[]), sum(points)::int8 FROM drawn_day WHERE "
    "programme_no = $1 GROUP BY 3, 4 HAVING sum(points) <> 0",
    age_params);

static bool put_all_drawn(struct db *db, int32_t programme_no, const struct points_tally *tally, struct error *err)
{
    struct drawn_row rows[CHUNK];
    size_t count = 0;

    for (size_t i = 0; i < tally->room; i++) {
        const struct points_cell *cell = &tally->at[i];
        if (cell->bank_no && cell->sums[POINTS_SUM_ISSUED] != 0)
            rows[count++] = (struct drawn_row){ cell->bank_no, cell->day, cell->sums[POINTS_SUM_ISSUED] };
        if (count < CHUNK && i + 1 < tally->room)
            continue;
        struct put_drawn_params params = { programme_no, { rows, count } };
        if (count > 0 && !db_execute(db, &put_drawn, &params, NULL, err))
            return false;
        count = 0;
    }
    return true;
}

bool points_store_drawn(struct db *db, int32_t programme_no, struct date date, const struct points_tally *moves,
                        struct error *err)
{
    static const int64_t first_days[] = { 0, 31, 61, 91, 181, 366 }; /* as ReportDrawnCredit has it */
    struct age_params age = { programme_no, date, { first_days, COUNT(first_days) } };

    if (moves->count > 0 &&
        (!put_all_drawn(db, programme_no, moves, err) ||
         !db_execute(db, &drop_repaid, &(struct day_params){ .programme_no = programme_no }, NULL, err)))
        return false;
    return db_execute(db, &keep_drawn_ages, &age, NULL, err);
}

static const struct column member_fields[] = {
    COLUMN(struct member_drawn_row, bucket),
    COLUMN(struct member_drawn_row, member_id),
    COLUMN(struct member_drawn_row, bank_no),
    COLUMN(struct member_drawn_row, drawn),
};
static const struct record_type member_write = { "member_drawn_write", member_fields, COUNT(member_fields),
                                                 sizeof(struct member_drawn_row) };
struct members_params {
    int32_t programme_no;
    struct record_array members;
};
static const struct column members_params[] = { COLUMN(struct members_params, programme_no),
                                                RECORDS(struct members_params, members, &member_write) };
static const struct statement put_members = COMMAND_STATEMENT(
    "points_put_members",
    "INSERT INTO member_drawn (bucket, member_id, programme_no, bank_no, drawn) SELECT m.bucket, m.member_id, $1, "
    "m.bank_no, m.drawn FROM unnest($2::member_drawn_write[]) m WHERE m.drawn <> '' ON CONFLICT ON CONSTRAINT "
    "member_drawn_pk DO UPDATE SET drawn = EXCLUDED.drawn",
    members_params);
static const struct statement drop_members = COMMAND_STATEMENT(
    "points_drop_members",
    "DELETE FROM member_drawn d USING unnest($2::member_drawn_write[]) m WHERE d.bucket = m.bucket AND d.member_id = "
    "m.member_id AND m.drawn = '' AND d.programme_no = $1",
    members_params);

bool points_store_members(struct db *db, int32_t programme_no, const struct member_drawn_row *rows, size_t count,
                          struct error *err)
{
    struct members_params params = { programme_no, { rows, count } };

    return db_execute(db, &put_members, &params, NULL, err) && db_execute(db, &drop_members, &params, NULL, err);
}
