#include "period_store.h"

#include "rows_ahead.h"
#include "scope_store.h"
#include "store/db.h"

#include <stdio.h>
#include <string.h>

/* Kinds 4 and 8 in the queries are ENTRY_CONFIRM and ENTRY_REVERSE. */
_Static_assert(ENTRY_CONFIRM == 4 && ENTRY_REVERSE == 8, "the queries below name these numbers");

struct span {
    int32_t programme_no;
    struct date first, last;
};
static const struct column span_params[] = { COLUMN(struct span, programme_no), COLUMN(struct span, first),
                                             COLUMN(struct span, last) };

struct day_row {
    int32_t programme_no;
    struct date business_date;
};
static const struct column missing_columns[] = { COLUMN(struct day_row, business_date) };
static const struct statement get_unsealed = STATEMENT(
    "period_unsealed",
    "SELECT d.business_date FROM (SELECT $2::date + n AS business_date FROM generate_series(0, $3::date - $2::date) n) "
    "d WHERE NOT EXISTS (SELECT FROM settlement_step s WHERE s.programme_no = $1 AND s.step = 'DAY' AND "
    "s.business_date = d.business_date) ORDER BY 1 LIMIT 1",
    span_params, missing_columns, sizeof(struct day_row));

bool period_store_begin(struct db *db, struct error *err)
{
    return db_begin(db, err) && db_script(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", err);
}

bool period_store_unsealed(struct db *db, int32_t programme_no, struct date first, struct date last,
                           struct date *missing, bool *found, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct span span = { programme_no, first, last };
    struct day_row row;

    if (!db_fetch_one(db, &get_unsealed, &span, &arena, &row, found, err))
        return false;
    if (*found)
        *missing = row.business_date;
    return true;
}

/* Seals. */

struct seal_row {
    int32_t bucket;
    int64_t entry_count, points;
    struct bytes hash;
};
static const struct column day_params[] = { COLUMN(struct day_row, programme_no),
                                            COLUMN(struct day_row, business_date) };
static const struct column seal_columns[] = { COLUMN(struct seal_row, bucket), COLUMN(struct seal_row, entry_count),
                                              COLUMN(struct seal_row, points), COLUMN(struct seal_row, hash) };
static const struct statement get_seals =
    STATEMENT("period_seals",
              "SELECT bucket, entry_count, points, hash FROM day_seal WHERE programme_no = $1 AND business_date = $2 "
              "ORDER BY bucket LIMIT 256",
              day_params, seal_columns, sizeof(struct seal_row));

bool period_store_seals(struct db *db, int32_t programme_no, struct date date, struct sealed_bucket *seals,
                        size_t *count, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct day_row day = { programme_no, date };
    void *rows;

    if (!db_fetch(db, &get_seals, &day, &arena, &rows, count, err))
        return false;
    for (size_t i = 0; i < *count; i++) {
        const struct seal_row *row = (const struct seal_row *)rows + i;
        seals[i].bucket = row->bucket;
        seals[i].seal = (struct seal){ .entry_count = row->entry_count, .points = row->points };
        memcpy(seals[i].seal.hash, row->hash.at, row->hash.size < CRYPTO_HASH ? row->hash.size : CRYPTO_HASH);
    }
    return true;
}

/* Statements from roll-ups. */

struct taken_span {
    int32_t programme_no;
    struct date first, last;
    struct scope_params scope;
};
static const struct column taken_params[] = { COLUMN(struct taken_span, programme_no), COLUMN(struct taken_span, first),
                                              COLUMN(struct taken_span, last),
                                              RECORDS(struct taken_span, scope.spans, &scope_span_type),
                                              COLUMN(struct taken_span, scope.taken) };

struct sheet_row {
    int16_t type;
    int32_t bank_no, merchant_no, carrier_no;
    const char *bank_id, *merchant_id, *carrier_id, *currency;
    int64_t confirmed_count, confirmed_points, reversed_count, reversed_points;
    int64_t gross_minor, commission_minor, net_minor, line_count;
};
static const struct column sheet_columns[] = {
    COLUMN(struct sheet_row, type),
    COLUMN(struct sheet_row, bank_no),
    COLUMN(struct sheet_row, merchant_no),
    COLUMN(struct sheet_row, carrier_no),
    COLUMN(struct sheet_row, bank_id),
    COLUMN(struct sheet_row, merchant_id),
    COLUMN(struct sheet_row, carrier_id),
    COLUMN(struct sheet_row, currency),
    COLUMN(struct sheet_row, confirmed_count),
    COLUMN(struct sheet_row, confirmed_points),
    COLUMN(struct sheet_row, reversed_count),
    COLUMN(struct sheet_row, reversed_points),
    COLUMN(struct sheet_row, gross_minor),
    COLUMN(struct sheet_row, commission_minor),
    COLUMN(struct sheet_row, net_minor),
    COLUMN(struct sheet_row, line_count),
};
/* grouping() counts the parties that are summed away: 0 none, 1 the merchant, 2 the bank, 3 both. */
static const struct statement sum_sheets = STATEMENT(
    "period_sheets",
    "SELECT s.type, s.bank_no, s.merchant_no, 0 AS carrier_no, COALESCE(b.bank_id, '') AS bank_id, "
    "COALESCE(m.merchant_id, '') AS merchant_id, '' AS carrier_id, s.currency, s.confirmed_count, s.confirmed_points, "
    "s.reversed_count, s.reversed_points, s.gross_minor, s.commission_minor, s.gross_minor - s.commission_minor AS "
    "net_minor, 0::int8 AS line_count FROM (SELECT (1 + grouping(d.bank_no, d.merchant_no))::int2 AS type, "
    "COALESCE(d.bank_no, 0) AS bank_no, COALESCE(d.merchant_no, 0) AS merchant_no, d.currency, "
    "COALESCE(sum(entry_count) FILTER (WHERE kind = 4), 0)::int8 AS confirmed_count, "
    "COALESCE(sum(points) FILTER (WHERE kind = 4), 0)::int8 AS confirmed_points, "
    "COALESCE(sum(entry_count) FILTER (WHERE kind = 8), 0)::int8 AS reversed_count, "
    "COALESCE(sum(points) FILTER (WHERE kind = 8), 0)::int8 AS reversed_points, "
    "sum(gross_minor)::int8 AS gross_minor, sum(commission_minor)::int8 AS commission_minor FROM day_rollup "
    "d " SCOPE_JOIN(
        "$4", "2", "d.merchant_no", "d.currency",
        "d.business_date") "WHERE d.programme_no = $1 AND d.business_date BETWEEN $2 AND $3 AND d.kind IN (4, 8) "
                           "AND " SCOPE_TAKES("$5") "GROUP BY GROUPING SETS ((d.bank_no, d.merchant_no, d.currency), "
                                                    "(d.bank_no, d.currency), (d.merchant_no, "
                                                    "d.currency), (d.currency))) s LEFT JOIN bank b USING (bank_no) "
                                                    "LEFT JOIN merchant m USING (merchant_no) "
                                                    "ORDER BY s.type, b.bank_id COLLATE \"C\", m.merchant_id COLLATE "
                                                    "\"C\", s.currency COLLATE \"C\"",
    taken_params, sheet_columns, sizeof(struct sheet_row));

struct month_params {
    int32_t programme_no;
    const char *period;
};
static const struct column period_params[] = { COLUMN(struct month_params, programme_no),
                                               COLUMN(struct month_params, period) };
static const struct statement get_stored =
    STATEMENT("period_stored",
              "SELECT s.type, s.bank_no, s.merchant_no, s.carrier_no, COALESCE(b.bank_id, '') AS bank_id, "
              "COALESCE(m.merchant_id, '') AS merchant_id, COALESCE(c.carrier_id, '') AS carrier_id, s.currency, "
              "s.confirmed_count, s.confirmed_points, "
              "s.reversed_count, s.reversed_points, s.gross_minor, s.commission_minor, s.net_minor, s.line_count "
              "FROM statement s LEFT JOIN bank b USING (bank_no) LEFT JOIN merchant m USING (merchant_no) "
              "LEFT JOIN carrier c USING (carrier_no) WHERE s.programme_no = $1 AND s.period = $2 "
              "ORDER BY s.type, b.bank_id COLLATE \"C\", m.merchant_id COLLATE \"C\", s.currency COLLATE \"C\"",
              period_params, sheet_columns, sizeof(struct sheet_row));

static bool add_sheet(void *owner, const void *row, struct error *err)
{
    const struct sheet_row *from = row;
    struct sheet sheet = {
        .type = from->type,
        .bank_no = from->bank_no,
        .merchant_no = from->merchant_no,
        .carrier_no = from->carrier_no,
        .totals = { from->confirmed_count, from->confirmed_points, from->reversed_count, from->reversed_points,
                    from->gross_minor, from->commission_minor, from->net_minor },
        .line_count = from->line_count,
    };
    bool has_bank = from->type == SHEET_PAIR || from->type == SHEET_BANK;
    bool has_merchant = from->type == SHEET_PAIR || from->type == SHEET_MERCHANT;

    if (has_bank != (*from->bank_id != '\0') || has_merchant != (*from->merchant_id != '\0'))
        return error_set(err, REASON_DOES_NOT_TIE,
                         "daily roll-ups name bank number %d or merchant number %d, which "
                         "is not registered",
                         (int)from->bank_no, (int)from->merchant_no);
    snprintf(sheet.bank_id, sizeof sheet.bank_id, "%s", from->bank_id);
    snprintf(sheet.merchant_id, sizeof sheet.merchant_id, "%s", from->merchant_id);
    snprintf(sheet.carrier_id, sizeof sheet.carrier_id, "%s", from->carrier_id);
    snprintf(sheet.currency, sizeof sheet.currency, "%s", from->currency);
    return sheet_list_add(owner, &sheet, err);
}

static struct taken_span taken_span(int32_t programme_no, const struct scope *scope)
{
    return (struct taken_span){ programme_no, scope->period->first, scope->period->last, scope_params(scope) };
}

bool period_store_sheets(struct db *db, int32_t programme_no, const struct scope *scope, struct sheet_list *list,
                         struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct taken_span span = taken_span(programme_no, scope);

    return db_each(db, &sum_sheets, &span, &arena, add_sheet, list, err);
}

bool period_store_stored(struct db *db, int32_t programme_no, const struct period *period, struct sheet_list *list,
                         struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct month_params month = { .programme_no = programme_no, .period = period->text };

    return db_each(db, &get_stored, &month, &arena, add_sheet, list, err);
}

/* Lines from the journal. */

struct line_row {
    const char *bank_id, *merchant_id, *currency, *store_id;
    struct date business_date;
    struct instant at;
    int16_t kind;
    struct uuid member_id, redemption_id, ref;
    int32_t bucket;
    int64_t seq, points, gross_minor, commission_minor;
    int32_t rules_version, terms_version;
};
static const struct column line_columns[] = {
    COLUMN(struct line_row, bank_id),
    COLUMN(struct line_row, merchant_id),
    COLUMN(struct line_row, currency),
    COLUMN(struct line_row, store_id),
    COLUMN(struct line_row, business_date),
    COLUMN(struct line_row, at),
    COLUMN(struct line_row, kind),
    COLUMN(struct line_row, member_id),
    COLUMN(struct line_row, redemption_id),
    COLUMN(struct line_row, ref),
    COLUMN(struct line_row, bucket),
    COLUMN(struct line_row, seq),
    COLUMN(struct line_row, points),
    COLUMN(struct line_row, gross_minor),
    COLUMN(struct line_row, commission_minor),
    COLUMN(struct line_row, rules_version),
    COLUMN(struct line_row, terms_version),
};
/* By bank_id and merchant_id, as places in one number: it is compared much faster than two texts. */
static const struct statement each_line = STATEMENT(
    "period_lines",
    "SELECT COALESCE(b.bank_id, '') AS bank_id, COALESCE(m.merchant_id, '') AS merchant_id, j.currency, "
    "COALESCE(s.store_id, '') AS store_id, j.business_date, j.at, j.kind, j.member_id, j.redemption_id, j.ref, "
    "j.bucket, j.seq, j.points, j.gross_minor, j.commission_minor, j.rules_version, j.terms_version FROM journal j "
    "LEFT JOIN (SELECT bank_no, bank_id, row_number() OVER (ORDER BY bank_id COLLATE \"C\") AS place FROM bank) b "
    "USING "
    "(bank_no) LEFT JOIN (SELECT merchant_no, merchant_id, row_number() OVER (ORDER BY merchant_id COLLATE \"C\") AS "
    "place "
    "FROM merchant) m USING (merchant_no) LEFT JOIN store s USING (store_no) " SCOPE_JOIN(
        "$4", "2", "j.merchant_no", "j.currency",
        "j.business_date") "WHERE j.programme_no = $1 AND "
                           "j.business_date BETWEEN $2 AND $3 AND j.kind IN (4, 8) AND " SCOPE_TAKES(
                               "$5") "ORDER BY (COALESCE(b.place, 0) << 32) + COALESCE(m.place, 0), "
                                     "j.currency COLLATE \"C\", j.business_date, j.at, j.bucket, j.member_id, j.seq",
    taken_params, line_columns, sizeof(struct line_row));

struct line_owner {
    period_line_handler *each;
    void *owner;
};

static bool line_row_read(void *owner, const void *row, struct error *err)
{
    const struct line_owner *to = owner;
    const struct line_row *from = row;
    bool reversal = from->kind == ENTRY_REVERSE;
    struct period_line line = {
        .bank_id = from->bank_id,
        .merchant_id = from->merchant_id,
        .currency = from->currency,
        .key = { from->bucket, from->member_id, from->seq, from->business_date },
        .line = {
            .business_date = from->business_date,
            .at = from->at,
            .reversal = reversal,
            .member_id = from->member_id,
            .redemption_id = from->redemption_id,
            .request_id = from->ref,
            .store_id = from->store_id,
            .points = reversal ? -from->points : from->points,
            .gross_minor = from->gross_minor,
            .commission_minor = from->commission_minor,
            .rules_version = from->rules_version,
            .terms_version = from->terms_version,
        },
    };

    return to->each(to->owner, &line, err);
}

bool period_store_lines_ahead(struct db *db, int32_t programme_no, const struct scope *scope, struct rows_ahead **ahead,
                              struct error *err)
{
    struct taken_span span = taken_span(programme_no, scope);

    return rows_ahead_start(ahead, db, &each_line, &span, sizeof span, err);
}

bool period_store_each_line(struct rows_ahead *ahead, period_line_handler *each, void *owner, struct error *err)
{
    struct line_owner to = { each, owner };

    return rows_ahead_each(ahead, line_row_read, &to, err);
}

/* Storing. */

struct statement_row {
    const char *statement_id;
    int16_t type;
    int32_t bank_no, merchant_no, carrier_no;
    const char *currency;
    int64_t confirmed_count, confirmed_points, reversed_count, reversed_points;
    int64_t gross_minor, commission_minor, net_minor, line_count;
    struct bytes content_sha256, rows_root;
};
static const struct column statement_fields[] = {
    COLUMN(struct statement_row, statement_id),    COLUMN(struct statement_row, type),
    COLUMN(struct statement_row, bank_no),         COLUMN(struct statement_row, merchant_no),
    COLUMN(struct statement_row, carrier_no),      COLUMN(struct statement_row, currency),
    COLUMN(struct statement_row, confirmed_count), COLUMN(struct statement_row, confirmed_points),
    COLUMN(struct statement_row, reversed_count),  COLUMN(struct statement_row, reversed_points),
    COLUMN(struct statement_row, gross_minor),     COLUMN(struct statement_row, commission_minor),
    COLUMN(struct statement_row, net_minor),       COLUMN(struct statement_row, line_count),
    COLUMN(struct statement_row, content_sha256),  COLUMN(struct statement_row, rows_root),
};
static const struct record_type statement_write = { "statement_write", statement_fields, COUNT(statement_fields),
                                                    sizeof(struct statement_row) };

struct put_params {
    int32_t programme_no;
    const char *period;
    struct record_array statements;
    struct date first, last;
};
static const struct column put_columns[] = { COLUMN(struct put_params, programme_no), COLUMN(struct put_params, period),
                                             RECORDS(struct put_params, statements, &statement_write),
                                             COLUMN(struct put_params, first), COLUMN(struct put_params, last) };
/* Rows that would not change are not touched; calculated_at changes with the content only. */
static const struct statement put_statements = COMMAND_STATEMENT(
    "period_put",
    "INSERT INTO statement AS old (statement_id, programme_no, period, type, bank_no, merchant_no, carrier_no, "
    "currency, "
    "confirmed_count, confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, "
    "line_count, content_sha256, rows_root, calculated_at, first_day, last_day) SELECT n.statement_id, $1, $2, n.type, "
    "n.bank_no, n.merchant_no, n.carrier_no, "
    "n.currency, n.confirmed_count, n.confirmed_points, n.reversed_count, n.reversed_points, n.gross_minor, "
    "n.commission_minor, n.net_minor, n.line_count, n.content_sha256, n.rows_root, now(), $4, $5 FROM "
    "unnest($3::statement_write[]) n "
    "ON CONFLICT (statement_id) DO UPDATE SET confirmed_count = EXCLUDED.confirmed_count, "
    "confirmed_points = EXCLUDED.confirmed_points, reversed_count = EXCLUDED.reversed_count, "
    "reversed_points = EXCLUDED.reversed_points, gross_minor = EXCLUDED.gross_minor, "
    "commission_minor = EXCLUDED.commission_minor, net_minor = EXCLUDED.net_minor, "
    "line_count = EXCLUDED.line_count, content_sha256 = EXCLUDED.content_sha256, rows_root = EXCLUDED.rows_root, "
    "calculated_at = EXCLUDED.calculated_at WHERE (old.confirmed_count, old.confirmed_points, old.reversed_count, "
    "old.reversed_points, old.gross_minor, old.commission_minor, old.net_minor, old.line_count, old.content_sha256, "
    "old.rows_root) "
    "IS DISTINCT FROM (EXCLUDED.confirmed_count, EXCLUDED.confirmed_points, EXCLUDED.reversed_count, "
    "EXCLUDED.reversed_points, EXCLUDED.gross_minor, EXCLUDED.commission_minor, EXCLUDED.net_minor, "
    "EXCLUDED.line_count, EXCLUDED.content_sha256, EXCLUDED.rows_root)",
    put_columns);

static const struct statement drop_lines =
    COMMAND_STATEMENT("period_drop_lines",
                      "DELETE FROM statement_chunk l USING statement s WHERE s.programme_no = $1 AND s.period = $2 AND "
                      "l.statement_no = s.statement_no",
                      period_params);
static const struct statement drop_positions =
    COMMAND_STATEMENT("period_drop_positions",
                      "DELETE FROM statement_position p USING statement s WHERE s.programme_no = $1 AND s.period = $2 "
                      "AND p.statement_no = s.statement_no",
                      period_params);
static const struct statement drop_statements =
    COMMAND_STATEMENT("period_drop", "DELETE FROM statement WHERE programme_no = $1 AND period = $2", period_params);

struct count_row {
    int64_t rows;
};
static const struct column count_columns[] = { COLUMN(struct count_row, rows) };
static const struct statement count_statements =
    STATEMENT("period_count", "SELECT count(*) AS rows FROM statement WHERE programme_no = $1 AND period = $2",
              period_params, count_columns, sizeof(struct count_row));

enum { CHUNK = 500 };

static bool put_chunk(struct db *db, struct put_params *params, const char *programme_id, const struct sheet *sheets,
                      size_t count, struct error *err)
{
    struct statement_row rows[CHUNK];
    char ids[CHUNK][SHEET_ID_TEXT];

    for (size_t i = 0; i < count; i++) {
        const struct totals *t = &sheets[i].totals;
        sheet_id(&sheets[i], programme_id, params->period, ids[i]);
        rows[i] = (struct statement_row){
            ids[i],
            sheets[i].type,
            sheets[i].bank_no,
            sheets[i].merchant_no,
            sheets[i].carrier_no,
            sheets[i].currency,
            t->confirmed_count,
            t->confirmed_points,
            t->reversed_count,
            t->reversed_points,
            t->gross_minor,
            t->commission_minor,
            t->net_minor,
            sheets[i].line_count,
            { sheets[i].content, CRYPTO_HASH },
            { sheets[i].rows_root, CRYPTO_HASH },
        };
    }
    params->statements = (struct record_array){ rows, count };
    return db_execute(db, &put_statements, params, NULL, err);
}

static bool put_all(struct db *db, int32_t programme_no, const char *programme_id, const struct period *period,
                    const struct sheet_list *list, struct error *err)
{
    struct put_params params = {
        .programme_no = programme_no, .period = period->text, .first = period->first, .last = period->last
    };

    for (size_t i = 0; i < list->count; i += CHUNK) {
        size_t count = list->count - i < CHUNK ? list->count - i : CHUNK;
        if (!put_chunk(db, &params, programme_id, list->at + i, count, err))
            return false;
    }
    return true;
}

static bool count_of(struct db *db, const struct statement *query, const struct month_params *month, int64_t *rows,
                     struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct count_row row = { 0 };
    bool found;

    if (!db_fetch_one(db, query, month, &arena, &row, &found, err))
        return false;
    *rows = row.rows;
    return true;
}

/* Sealed days do not lose entries, so a stored statement that is not in the list was not made by us: begin anew. */
bool period_store_put(struct db *db, int32_t programme_no, const char *programme_id, const struct period *period,
                      const struct sheet_list *list, struct error *err)
{
    struct month_params month = { .programme_no = programme_no, .period = period->text };
    int64_t stored;

    if (!put_all(db, programme_no, programme_id, period, list, err) ||
        !count_of(db, &count_statements, &month, &stored, err))
        return false;
    return stored == (int64_t)list->count ||
           (db_execute(db, &drop_lines, &month, NULL, err) && db_execute(db, &drop_positions, &month, NULL, err) &&
            db_execute(db, &drop_statements, &month, NULL, err) &&
            put_all(db, programme_no, programme_id, period, list, err));
}
