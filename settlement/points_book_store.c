#include "points_book_store.h"

#include "points_line.h"

#include <inttypes.h>

struct span {
    int32_t programme_no;
    struct date first, last;
};
static const struct column span_params[] = { COLUMN(struct span, programme_no), COLUMN(struct span, first),
                                             COLUMN(struct span, last) };

static const struct column kind_columns[] = {
    COLUMN(struct points_kind_row, bank_no),         COLUMN(struct points_kind_row, bank_id),
    COLUMN(struct points_kind_row, currency),        COLUMN(struct points_kind_row, kind),
    COLUMN(struct points_kind_row, count_before),    COLUMN(struct points_kind_row, points_before),
    COLUMN(struct points_kind_row, count_after),     COLUMN(struct points_kind_row, points_after),
    COLUMN(struct points_kind_row, points_year_ago),
};
/* The rules in force when the last day ended. */
#define RULES                                                                                                          \
    "(SELECT r.version FROM exchange_rules r JOIN programme p ON p.programme_no = $1 WHERE r.bank_no = b.bank_no AND " \
    "NOT r.cancelled AND r.effective_from < ($3::date + 1)::timestamp AT TIME ZONE p.time_zone + p.cut_off_minutes * " \
    "interval '1 minute' ORDER BY r.version DESC LIMIT 1)"
/* The last day before the period, the period's last, and the one a year before that. */
#define LAST_DAY                                                                                                       \
    "(SELECT max(s.business_date) FROM settlement_step s WHERE s.programme_no = $1 AND s.step = 'POINTS' AND "
#define DAY_BEFORE LAST_DAY "s.business_date < $2)"
#define DAY_OF_END LAST_DAY "s.business_date <= $3)"
#define YEAR_AGO   LAST_DAY "s.business_date <= $3::date - 365)"
static const struct statement get_kinds = STATEMENT(
    "points_book_kinds",
    "SELECT n.bank_no, b.bank_id, b.currency, n.kind, COALESCE(o.entry_count, 0) AS count_before, COALESCE(o.points, "
    "0) "
    "AS points_before, n.entry_count AS count_after, n.points AS points_after, COALESCE(y.points, 0) AS "
    "points_year_ago FROM day_points n JOIN (SELECT b.bank_no, b.bank_id, COALESCE((SELECT t.currency FROM statement t "
    "WHERE t.programme_no = $1 AND t.type = 2 AND t.bank_no = b.bank_no AND t.last_day < $2 ORDER BY t.last_day DESC, "
    "t.currency COLLATE \"C\" LIMIT 1), (SELECT e.currency FROM exchange_rate e WHERE e.bank_no = b.bank_no AND "
    "e.version = " RULES " ORDER BY e.currency COLLATE \"C\" LIMIT 1), 'XXX') AS currency FROM bank b WHERE "
    "b.programme_no = $1 OFFSET 0) b USING (bank_no) LEFT JOIN day_points o ON o.programme_no = $1 AND o.business_date "
    "= " DAY_BEFORE " AND o.bank_no = n.bank_no AND o.kind = n.kind LEFT JOIN day_points y ON y.programme_no = $1 AND "
    "y.business_date = " YEAR_AGO " AND y.bank_no = n.bank_no AND y.kind = n.kind WHERE "
    "n.programme_no = $1 AND n.business_date = " DAY_OF_END " ORDER BY b.bank_id COLLATE \"C\", n.kind",
    span_params, kind_columns, sizeof(struct points_kind_row));

static const struct column fund_columns[] = {
    COLUMN(struct points_fund_row, bank_no),    COLUMN(struct points_fund_row, funding_no),
    COLUMN(struct points_fund_row, funding_id), COLUMN(struct points_fund_row, currency),
    COLUMN(struct points_fund_row, cost_num),   COLUMN(struct points_fund_row, cost_den),
    COLUMN(struct points_fund_row, age_class),  COLUMN(struct points_fund_row, points),
};
static const struct statement get_funds = STATEMENT(
    "points_book_funds",
    "SELECT x.bank_no, x.funding_no, COALESCE(f.funding_id, '') AS funding_id, COALESCE(f.currency, '') AS currency, "
    "COALESCE(f.cost_num, 0) AS cost_num, COALESCE(f.cost_den, 1) AS cost_den, x.age_class, x.points FROM (SELECT "
    "bank_no, funding_no, age_class, points FROM day_lot_age WHERE programme_no = $1 AND business_date = " DAY_OF_END
    " UNION ALL SELECT bank_no, funding_no, -1::int2, sum(points)::int8 FROM day_lapsed WHERE "
    "programme_no = $1 AND business_date BETWEEN $2 AND $3 GROUP BY 1, 2) x LEFT JOIN funding f USING "
    "(funding_no) "
    "ORDER BY 1, 2, x.age_class",
    span_params, fund_columns, sizeof(struct points_fund_row));

static const struct column rate_columns[] = {
    COLUMN(struct points_rate_row, bank_no),
    COLUMN(struct points_rate_row, currency),
    COLUMN(struct points_rate_row, num),
    COLUMN(struct points_rate_row, den),
};
static const struct statement get_rates = STATEMENT(
    "points_book_rates",
    "SELECT b.bank_no, e.currency, e.settlement_num AS num, e.settlement_den AS den FROM bank b JOIN "
    "exchange_rate e ON e.bank_no = b.bank_no AND e.version = " RULES " WHERE b.programme_no = $1 AND $2::date "
    "<= $3 ORDER BY 1, e.currency COLLATE \"C\"",
    span_params, rate_columns, sizeof(struct points_rate_row));

static const struct column drawn_columns[] = { COLUMN(struct points_drawn_row, bank_no),
                                               COLUMN(struct points_drawn_row, age_class),
                                               COLUMN(struct points_drawn_row, points) };
static const struct statement get_drawn =
    STATEMENT("points_book_drawn",
              "SELECT bank_no, age_class, points FROM day_drawn_age WHERE programme_no = $1 AND $2::date <= $3 AND "
              "business_date = " DAY_OF_END " ORDER BY 1, 2",
              span_params, drawn_columns, sizeof(struct points_drawn_row));

static bool fetch(struct db *db, const struct statement *query, int32_t programme_no, const struct period *period,
                  struct arena *arena, void **rows, size_t *count, struct error *err)
{
    struct span span = { programme_no, period->first, period->last };

    return db_fetch(db, query, &span, arena, rows, count, err);
}

bool points_book_store_kinds(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_kind_row **rows, size_t *count, struct error *err)
{
    void *fetched = NULL;
    bool good = fetch(db, &get_kinds, programme_no, period, arena, &fetched, count, err);

    *rows = fetched;
    return good;
}

bool points_book_store_funds(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_fund_row **rows, size_t *count, struct error *err)
{
    void *fetched = NULL;
    bool good = fetch(db, &get_funds, programme_no, period, arena, &fetched, count, err);

    *rows = fetched;
    return good;
}

bool points_book_store_rates(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_rate_row **rows, size_t *count, struct error *err)
{
    void *fetched = NULL;
    bool good = fetch(db, &get_rates, programme_no, period, arena, &fetched, count, err);

    *rows = fetched;
    return good;
}

bool points_book_store_drawn(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_drawn_row **rows, size_t *count, struct error *err)
{
    void *fetched = NULL;
    bool good = fetch(db, &get_drawn, programme_no, period, arena, &fetched, count, err);

    *rows = fetched;
    return good;
}

/* Ties. */

struct apart_row {
    const char *bank_id;
    int32_t bank_no;
    int32_t place; /* a kind, or a bucket */
    int64_t one, other;
};
static const struct column apart_columns[] = {
    COLUMN(struct apart_row, bank_id), COLUMN(struct apart_row, bank_no), COLUMN(struct apart_row, place),
    COLUMN(struct apart_row, one),     COLUMN(struct apart_row, other),
};
static const struct statement days_apart = STATEMENT(
    "points_days_apart",
    "SELECT COALESCE(b.bank_id, '') AS bank_id, y.bank_no, y.kind::int AS place, y.one, y.other FROM (SELECT bank_no, "
    "kind, sum(one)::int8 AS one, sum(other)::int8 AS other FROM (SELECT bank_no, kind, 0::int8 AS one, points AS "
    "other "
    "FROM day_rollup WHERE programme_no = $1 AND business_date BETWEEN $2 AND $3 UNION ALL SELECT bank_no, kind, "
    "points, 0 FROM day_points WHERE programme_no = $1 AND business_date = " DAY_OF_END " UNION ALL SELECT "
    "bank_no, kind, -points, 0 FROM day_points WHERE programme_no = $1 AND business_date = " DAY_BEFORE ") x GROUP "
    "BY bank_no, kind) y LEFT JOIN bank b USING (bank_no) WHERE y.one <> y.other ORDER BY 2, "
    "3 LIMIT 1",
    span_params, apart_columns, sizeof(struct apart_row));

bool points_book_store_tie_days(struct db *db, int32_t programme_no, const struct period *period, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct span span = { programme_no, period->first, period->last };
    struct apart_row row;
    bool found;

    if (!db_fetch_one(db, &days_apart, &span, &arena, &row, &found, err))
        return false;
    return !found ||
           error_set(err, REASON_DOES_NOT_TIE,
                     "%s points of BANK %s: the points of the days give %" PRId64 ", their roll-ups give %" PRId64,
                     entry_kind_name(row.place), row.bank_id, row.one, row.other);
}

struct account_params {
    int32_t programme_no;
    struct int64_array effects; /* of kind 1 and on */
    int32_t bank_no;
};
static const struct column account_params[] = { COLUMN(struct account_params, programme_no),
                                                COLUMN(struct account_params, effects) };
static const struct column bucket_params[] = { COLUMN(struct account_params, programme_no),
                                               COLUMN(struct account_params, effects),
                                               COLUMN(struct account_params, bank_no) };
static const struct statement banks_apart = STATEMENT(
    "points_banks_apart",
    "WITH closed AS (SELECT max(business_date) AS day FROM settlement_step WHERE programme_no = $1 AND step = "
    "'POINTS') "
    "SELECT COALESCE(b.bank_id, '') AS bank_id, y.bank_no, 0 AS place, y.one, y.other FROM (SELECT bank_no, "
    "sum(one)::int8 AS one, sum(other)::int8 AS other FROM (SELECT bank_no, sum(available + held + pending - "
    "credit_used) AS one, 0 AS other FROM account WHERE programme_no = $1 GROUP BY 1 UNION ALL SELECT bank_no, 0, "
    "points * ($2::int8[])[kind] FROM day_points, closed WHERE programme_no = $1 AND business_date = closed.day UNION "
    "ALL SELECT bank_no, 0, sum(points * ($2::int8[])[kind]) FROM journal WHERE programme_no = $1 AND business_date > "
    "(SELECT day FROM closed) GROUP BY 1) x GROUP BY bank_no) y LEFT JOIN bank b USING (bank_no) WHERE y.one <> "
    "y.other "
    "ORDER BY 2 LIMIT 1",
    account_params, apart_columns, sizeof(struct apart_row));
/* Only asked once something is known to be wrong: it reads the whole journal. */
static const struct statement buckets_apart = STATEMENT(
    "points_buckets_apart",
    "SELECT '' AS bank_id, $3 AS bank_no, bucket AS place, one, other FROM (SELECT bucket, sum(one)::int8 AS one, "
    "sum(other)::int8 AS other FROM (SELECT bucket, available + held + pending - credit_used AS one, 0::int8 AS other "
    "FROM account WHERE programme_no = $1 AND bank_no = $3 UNION ALL SELECT bucket, 0, points * ($2::int8[])[kind] "
    "FROM "
    "journal WHERE programme_no = $1 AND bank_no = $3) x GROUP BY bucket) y WHERE one <> other ORDER BY bucket LIMIT 1",
    bucket_params, apart_columns, sizeof(struct apart_row));

static bool tell_bucket(struct db *db, const struct account_params *params, const struct apart_row *bank,
                        struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct apart_row row;
    bool found;

    if (!db_fetch_one(db, &buckets_apart, params, &arena, &row, &found, err))
        return false;
    if (!found)
        return error_set(err, REASON_DOES_NOT_TIE,
                         "outstanding points of BANK %s: accounts and journal have %" PRId64
                         ", what the days kept gives %" PRId64,
                         bank->bank_id, bank->one, bank->other);
    return error_set(err, REASON_DOES_NOT_TIE,
                     "outstanding points of BANK %s in bucket %d: accounts have %" PRId64 ", the journal gives %" PRId64
                     "; run alliance ledger verify",
                     bank->bank_id, (int)row.place, row.one, row.other);
}

bool points_book_store_tie_accounts(struct db *db, int32_t programme_no, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    int64_t effects[ENTRY_KIND_COUNT - 1];
    struct account_params params = { .programme_no = programme_no, .effects = { effects, COUNT(effects) } };
    struct apart_row row;
    bool found;

    for (int kind = 1; kind < ENTRY_KIND_COUNT; kind++)
        effects[kind - 1] = points_effect(kind);
    if (!db_fetch_one(db, &banks_apart, &params, &arena, &row, &found, err))
        return false;
    params.bank_no = row.bank_no;
    return !found || tell_bucket(db, &params, &row, err);
}
