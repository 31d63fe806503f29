#include "due_store.h"

#include "day_store.h"
#include "domain/entry.h"
#include "scope_store.h"
#include "store/db.h"

_Static_assert(ENTRY_CONFIRM == 4 && ENTRY_REVERSE == 8 && PERIOD_CUSTOM == 4, "the queries below name these numbers");

struct programme_params {
    int32_t programme_no;
};
static const struct column programme_params[] = { COLUMN(struct programme_params, programme_no) };

struct latest_row {
    int16_t kind;
    struct date last_day;
};
static const struct column latest_columns[] = { COLUMN(struct latest_row, kind), COLUMN(struct latest_row, last_day) };
static const struct statement get_latest =
    STATEMENT("due_latest",
              "SELECT period_kind(period) AS kind, max(last_day) AS last_day FROM settlement_period WHERE programme_no "
              "= $1 AND period_kind(period) < 4 GROUP BY 1",
              programme_params, latest_columns, sizeof(struct latest_row));

struct custom_row {
    const char *period;
};
static const struct column custom_columns[] = { COLUMN(struct custom_row, period) };
static const struct statement get_custom = STATEMENT(
    "due_custom", "SELECT period FROM settlement_period WHERE programme_no = $1 AND period_kind(period) = 4 ORDER BY 1",
    programme_params, custom_columns, sizeof(struct custom_row));

/* Parties 2 and 3 have statements of type 3 and 5; of kind 3, months, the next one is due anyway. */
static const struct column open_columns[] = { COLUMN(struct due_open, kind), COLUMN(struct due_open, party),
                                              COLUMN(struct due_open, party_no), COLUMN(struct due_open, currency),
                                              COLUMN(struct due_open, last_day) };
static const struct statement get_open = STATEMENT(
    "due_open",
    "SELECT k.kind, a.party, a.party_no, a.currency, s.last_day FROM settlement_account a CROSS JOIN (VALUES "
    "(1::int2), "
    "(2::int2), (4::int2)) k (kind) CROSS JOIN LATERAL (SELECT s.statement_no, s.last_day FROM statement s WHERE "
    "s.type "
    "> 1 AND s.programme_no = a.programme_no AND s.type = CASE a.party WHEN 2 THEN 3 ELSE 5 END AND s.bank_no = 0 AND "
    "s.merchant_no = CASE a.party WHEN 2 THEN a.party_no ELSE 0 END AND s.carrier_no = CASE a.party WHEN 3 THEN "
    "a.party_no ELSE 0 END AND s.currency = a.currency AND period_kind(s.period) = k.kind ORDER BY s.last_day DESC, "
    "s.first_day DESC LIMIT 1) s JOIN statement_position p USING (statement_no) WHERE a.programme_no = $1 AND a.party "
    "IN (2, 3) AND p.closing_minor <> 0 ORDER BY 1, 2, 3, 4",
    programme_params, open_columns, sizeof(struct due_open));

bool due_store_facts(struct db *db, int32_t programme_no, struct arena *arena, struct due_facts *facts,
                     struct error *err)
{
    struct programme_params params = { programme_no };
    struct day_state state;
    size_t kinds;
    void *latest, *custom, *open;

    *facts = (struct due_facts){ 0 };
    if (!day_store_state(db, programme_no, &state, err) ||
        !db_fetch(db, &get_latest, &params, arena, &latest, &kinds, err) ||
        !db_fetch(db, &get_custom, &params, arena, &custom, &facts->custom_count, err) ||
        !db_fetch(db, &get_open, &params, arena, &open, &facts->open_count, err))
        return false;
    facts->open = open;
    facts->first = state.first;
    facts->until.days = state.begun_is_finished ? state.begun.days : state.begun.days - 1;
    for (int kind = 0; kind <= PERIOD_MONTH; kind++)
        facts->calculated[kind].days = facts->first.days - 1;
    for (size_t i = 0; i < kinds; i++) {
        const struct latest_row *row = (const struct latest_row *)latest + i;
        facts->calculated[row->kind] = row->last_day;
    }
    const char **names = arena_alloc(arena, (facts->custom_count + 1) * sizeof *names);
    if (!names)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < facts->custom_count; i++)
        names[i] = ((const struct custom_row *)custom)[i].period;
    facts->custom = names;
    return true;
}

struct left_params {
    int32_t programme_no;
    const char *period;
    struct date first;
    struct scope_params scope;
};
static const struct column left_params[] = { COLUMN(struct left_params, programme_no),
                                             COLUMN(struct left_params, period), COLUMN(struct left_params, first),
                                             RECORDS(struct left_params, scope.spans, &scope_span_type),
                                             COLUMN(struct left_params, scope.taken) };
struct day_row {
    struct date day;
};
static const struct column day_columns[] = { COLUMN(struct day_row, day) };
static const struct statement get_left_out = STATEMENT(
    "due_left_out",
    "SELECT d.business_date AS day FROM day_rollup d " SCOPE_JOIN(
        "$4", "2", "d.merchant_no", "d.currency",
        "d.business_date") "WHERE d.programme_no = $1 AND d.business_date < $3 AND d.business_date > COALESCE((SELECT "
                           "max(p.last_day) FROM settlement_period p WHERE p.programme_no = $1 AND "
                           "period_kind(p.period) = period_kind($2) AND p.last_day < $3), '0001-01-01') AND d.kind IN "
                           "(4, 8) AND " SCOPE_TAKES("$5") "ORDER BY 1 LIMIT 1",
    left_params, day_columns, sizeof(struct day_row));

bool due_store_left_out(struct db *db, int32_t programme_no, const struct scope *scope, struct date *day, bool *found,
                        struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct left_params params = { programme_no, scope->period->text, scope->period->first, scope_params(scope) };
    struct day_row row = { { 0 } };

    if (!db_fetch_one(db, &get_left_out, &params, &arena, &row, found, err))
        return false;
    *day = row.day;
    return true;
}
