#include "day_store.h"

#include "store/db.h"

#include <string.h>

struct day_row {
    int32_t programme_no;
    struct date business_date;
};
static const struct column programme_params[] = { COLUMN(struct day_row, programme_no) };
static const struct column day_params[] = { COLUMN(struct day_row, programme_no),
                                            COLUMN(struct day_row, business_date) };

static const struct column state_columns[] = { COLUMN(struct day_state, open), COLUMN(struct day_state, begun),
                                               COLUMN(struct day_state, begun_is_finished),
                                               COLUMN(struct day_state, first) };
/* Each part is one look-up at an end of an index, however many days are kept. */
static const struct statement get_state = STATEMENT(
    "day_state",
    "SELECT f.open, COALESCE(s.begun, 'epoch') AS begun, EXISTS (SELECT FROM settlement_step d WHERE "
    "d.programme_no = $1 AND d.step = 'DAY' AND d.business_date = s.begun) AS begun_is_finished, "
    "COALESCE(s.first, f.open) AS first FROM (SELECT min(business_date) AS open FROM fence WHERE programme_no = $1) f, "
    "(SELECT min(business_date) AS first, max(business_date) AS begun FROM settlement_step WHERE programme_no = $1 "
    "AND step = 'FENCE') s WHERE f.open IS NOT NULL",
    programme_params, state_columns, sizeof(struct day_state));

static const struct column end_columns[] = { COLUMN(struct day_end, now), COLUMN(struct day_end, ends_at) };
/* The slowest of the fences' clocks decides. */
static const struct statement get_end =
    STATEMENT("day_end",
              "SELECT min(CASE WHEN f.test_clock = 'epoch' THEN statement_timestamp() ELSE f.test_clock END) AS now, "
              "min(($2::date + 1)::timestamp AT TIME ZONE p.time_zone + p.cut_off_minutes * interval '1 minute') AS "
              "ends_at FROM programme p JOIN fence f "
              "USING (programme_no) WHERE programme_no = $1",
              day_params, end_columns, sizeof(struct day_end));

static const struct column fence_columns[] = { COLUMN(struct fence_row, bucket),
                                               COLUMN(struct fence_row, business_date) };
static const struct statement get_fences =
    STATEMENT("day_fences", "SELECT bucket, business_date FROM fence WHERE programme_no = $1 ORDER BY bucket",
              programme_params, fence_columns, sizeof(struct fence_row));

struct advance_row {
    int32_t programme_no;
    struct date business_date;
    int32_t bucket;
};
static const struct column advance_params[] = { COLUMN(struct advance_row, programme_no),
                                                COLUMN(struct advance_row, business_date),
                                                COLUMN(struct advance_row, bucket) };
static const struct statement advance =
    COMMAND_STATEMENT("day_advance",
                      "UPDATE fence SET business_date = $2::date + 1 WHERE bucket = $3 AND programme_no = $1 "
                      "AND business_date = $2",
                      advance_params);

static const struct statement roll_up = COMMAND_STATEMENT(
    "day_roll_up",
    "INSERT INTO day_rollup (programme_no, business_date, bank_no, merchant_no, store_no, rules_version, "
    "terms_version, currency, kind, entry_count, points, gross_minor, commission_minor) "
    "SELECT programme_no, business_date, bank_no, merchant_no, store_no, rules_version, terms_version, currency, kind, "
    "count(*), sum(points)::int8, sum(gross_minor)::int8, sum(commission_minor)::int8 FROM journal "
    "WHERE programme_no = $1 AND business_date = $2 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9",
    day_params);

struct seal_row {
    int32_t programme_no;
    struct date business_date;
    int32_t bucket;
    int64_t entry_count, points;
    struct bytes hash;
};
static const struct column seal_params[] = {
    COLUMN(struct seal_row, programme_no), COLUMN(struct seal_row, business_date), COLUMN(struct seal_row, bucket),
    COLUMN(struct seal_row, entry_count),  COLUMN(struct seal_row, points),        COLUMN(struct seal_row, hash)
};
static const struct statement put_seal =
    COMMAND_STATEMENT("day_put_seal",
                      "INSERT INTO day_seal (programme_no, business_date, bucket, entry_count, points, hash) "
                      "VALUES ($1, $2, $3, $4, $5, $6)",
                      seal_params);
static const struct column count_columns[] = { COLUMN(struct seal_row, entry_count) };
static const struct statement count_sealed =
    STATEMENT("day_sealed_count",
              "SELECT COALESCE(sum(entry_count), 0)::int8 AS entry_count FROM day_seal WHERE programme_no = $1 "
              "AND business_date = $2",
              day_params, count_columns, sizeof(struct seal_row));

struct days_row {
    int32_t programme_no;
    struct date first, last;
};
static const struct column days_params[] = { COLUMN(struct days_row, programme_no), COLUMN(struct days_row, first),
                                             COLUMN(struct days_row, last) };
static const struct statement count_entries =
    STATEMENT("day_entries",
              "SELECT COALESCE(sum(entry_count), 0)::int8 AS entry_count FROM day_rollup WHERE programme_no = $1 AND "
              "business_date BETWEEN $2 AND $3",
              days_params, count_columns, sizeof(struct seal_row));

static const struct column month_params[] = { COLUMN(struct day_row, business_date) };
static const struct statement open_month =
    COMMAND_STATEMENT("day_open_month", "SELECT journal_open_month($1)", month_params);

bool day_store_state(struct db *db, int32_t programme_no, struct day_state *state, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    bool found;

    if (!db_fetch_one(db, &get_state, &(struct day_row){ .programme_no = programme_no }, &arena, state, &found, err))
        return false;
    return found || error_set(err, REASON_INTERNAL, "the programme has no fences; create it through the server");
}

bool day_store_end(struct db *db, int32_t programme_no, struct date date, struct day_end *end, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct day_row day = { programme_no, date };
    bool found;

    return db_fetch_one(db, &get_end, &day, &arena, end, &found, err);
}

bool day_store_fences(struct db *db, int32_t programme_no, struct arena *arena, struct fence_row **fences,
                      size_t *count, struct error *err)
{
    void *rows;

    if (!db_fetch(db, &get_fences, &(struct day_row){ .programme_no = programme_no }, arena, &rows, count, err))
        return false;
    *fences = rows;
    return true;
}

bool day_store_advance(struct db *db, int32_t programme_no, int32_t bucket, struct date date, struct error *err)
{
    struct advance_row row = { .programme_no = programme_no, .business_date = date, .bucket = bucket };
    int64_t moved;

    if (!db_execute(db, &advance, &row, &moved, err)) {
        if (strcmp(db_sqlstate(db), "55P03") == 0)
            error_set(err, REASON_TRY_AGAIN, "bucket %d was held by a batch for a minute; run the close again",
                      (int)bucket);
        return false;
    }
    return moved == 1 || error_set(err, REASON_INTERNAL,
                                   "somebody else moved the fence of bucket %d; run the close again", (int)bucket);
}

bool day_store_roll_up(struct db *db, int32_t programme_no, struct date date, struct error *err)
{
    return db_execute(db, &roll_up, &(struct day_row){ programme_no, date }, NULL, err);
}

bool day_store_put_seal(struct db *db, int32_t programme_no, struct date date, int32_t bucket, const struct seal *seal,
                        struct error *err)
{
    struct seal_row row = { programme_no,      date,         bucket,
                            seal->entry_count, seal->points, { seal->hash, sizeof seal->hash } };

    return db_execute(db, &put_seal, &row, NULL, err);
}

bool day_store_sealed_count(struct db *db, int32_t programme_no, struct date date, int64_t *entries, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct day_row day = { programme_no, date };
    struct seal_row row;
    bool found;

    if (!db_fetch_one(db, &count_sealed, &day, &arena, &row, &found, err))
        return false;
    *entries = row.entry_count;
    return true;
}

bool day_store_entries(struct db *db, int32_t programme_no, struct date first, struct date last, int64_t *entries,
                       struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct days_row days = { programme_no, first, last };
    struct seal_row row;
    bool found;

    if (!db_fetch_one(db, &count_entries, &days, &arena, &row, &found, err))
        return false;
    *entries = row.entry_count;
    return true;
}

void day_store_open_month(struct db *db, struct date date)
{
    struct day_row day = { .business_date = date };
    struct error ignored;

    if (!db_execute(db, &open_month, &day, NULL, &ignored))
        return;
}
