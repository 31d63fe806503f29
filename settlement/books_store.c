#include "books_store.h"

#include "store/db.h"

#include <stdio.h>
#include <string.h>

static bool no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

struct span {
    int32_t programme_no;
    const char *period;
    struct date first, last;
};
static const struct column span_params[] = { COLUMN(struct span, programme_no), COLUMN(struct span, period),
                                             COLUMN(struct span, first), COLUMN(struct span, last) };

static struct span span_of(int32_t programme_no, const struct books *books)
{
    return (struct span){ programme_no, books->period->text, books->period->first, books->period->last };
}

/* Openings. */

struct opening_row {
    int16_t party;
    int32_t party_no;
    const char *currency;
    int64_t closing_minor;
};
static const struct column opening_columns[] = {
    COLUMN(struct opening_row, party),
    COLUMN(struct opening_row, party_no),
    COLUMN(struct opening_row, currency),
    COLUMN(struct opening_row, closing_minor),
};
/* Parties 1, 2, 3, 4, 5 have statements of type 2, 3, 5, 4, 6. */
static const struct statement get_openings = STATEMENT(
    "books_openings",
    "SELECT a.party, a.party_no, a.currency, p.closing_minor FROM settlement_account a CROSS JOIN LATERAL (SELECT "
    "s.statement_no FROM statement s WHERE s.type > 1 AND s.programme_no = a.programme_no AND s.type = "
    "CASE a.party WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 5 WHEN 4 THEN 4 ELSE 6 END "
    "AND s.bank_no = CASE a.party WHEN 1 THEN a.party_no ELSE 0 END "
    "AND s.merchant_no = CASE a.party WHEN 2 THEN a.party_no ELSE 0 END "
    "AND s.carrier_no = CASE a.party WHEN 3 THEN a.party_no ELSE 0 END AND s.currency = a.currency "
    "AND period_kind(s.period) = period_kind($2) AND s.last_day <= $4::date AND (s.last_day, s.first_day) < "
    "($4::date, $3::date) ORDER BY s.last_day DESC, s.first_day DESC LIMIT 1) s "
    "JOIN statement_position p ON p.statement_no = s.statement_no WHERE a.programme_no = $1 "
    "ORDER BY a.party, a.party_no, a.currency COLLATE \"C\"",
    span_params, opening_columns, sizeof(struct opening_row));

bool books_store_openings(struct db *db, int32_t programme_no, struct books *books, struct error *err)
{
    struct span span = span_of(programme_no, books);
    size_t count;
    void *rows;

    if (!db_fetch(db, &get_openings, &span, &books->arena, &rows, &count, err))
        return false;
    books->openings = arena_alloc(&books->arena, (count + 1) * sizeof *books->openings);
    if (!books->openings)
        return no_room(err);
    for (size_t i = 0; i < count; i++) {
        const struct opening_row *row = (const struct opening_row *)rows + i;
        books->openings[i] = (struct opening){ { row->party, row->party_no }, row->currency, row->closing_minor };
    }
    books->opening_count = count;
    return true;
}

/* Names. */

struct id_row {
    int16_t party;
    int32_t party_no;
    const char *id;
};
static const struct column id_columns[] = { COLUMN(struct id_row, party), COLUMN(struct id_row, party_no),
                                            COLUMN(struct id_row, id) };
static const struct column programme_params[] = { COLUMN(struct span, programme_no) };
static const struct statement get_ids =
    STATEMENT("books_ids",
              "SELECT 1::int2 AS party, bank_no AS party_no, bank_id AS id FROM bank WHERE programme_no = $1 UNION ALL "
              "SELECT 2::int2, merchant_no, merchant_id FROM merchant WHERE programme_no = $1 UNION ALL "
              "SELECT 3::int2, carrier_no, carrier_id FROM carrier WHERE programme_no = $1",
              programme_params, id_columns, sizeof(struct id_row));

bool books_store_ids(struct db *db, int32_t programme_no, struct books *books, struct error *err)
{
    struct span span = span_of(programme_no, books);
    size_t count;
    void *rows;

    if (!db_fetch(db, &get_ids, &span, &books->arena, &rows, &count, err))
        return false;
    books->ids = arena_alloc(&books->arena, (count + 1) * sizeof *books->ids);
    if (!books->ids)
        return no_room(err);
    for (size_t i = 0; i < count; i++) {
        const struct id_row *row = (const struct id_row *)rows + i;
        books->ids[i] = (struct party_id){ { row->party, row->party_no }, row->id };
    }
    books->id_count = count;
    return true;
}

/* Corrections. */

struct correction_row {
    int64_t correction_no;
    const char *currency;
    int16_t kind, from_party, to_party;
    int32_t from_no, to_no;
    int64_t amount_minor;
    const char *reason, *refers_to;
    bool ours; /* this period took it before */
};
static const struct column correction_columns[] = {
    COLUMN(struct correction_row, correction_no), COLUMN(struct correction_row, currency),
    COLUMN(struct correction_row, kind),          COLUMN(struct correction_row, from_party),
    COLUMN(struct correction_row, to_party),      COLUMN(struct correction_row, from_no),
    COLUMN(struct correction_row, to_no),         COLUMN(struct correction_row, amount_minor),
    COLUMN(struct correction_row, reason),        COLUMN(struct correction_row, refers_to),
    COLUMN(struct correction_row, ours),
};
static const struct statement get_corrections = STATEMENT(
    "books_corrections",
    "SELECT correction_no, currency, kind, from_party, to_party, from_no, to_no, amount_minor, reason, refers_to, "
    "state = 3 AS ours FROM "
    "settlement_correction c WHERE programme_no = $1 AND ((state = 3 AND taken_period = $2) OR (state = 2 AND "
    "business_date <= $4 AND $3::date <= $4 AND NOT EXISTS (SELECT FROM statement s WHERE s.programme_no = $1 AND "
    "s.type = 4 AND s.last_day > $4 AND period_kind(s.period) = period_kind($2)))) ORDER BY correction_no",
    span_params, correction_columns, sizeof(struct correction_row));

/* A correction is settled by the periods of the merchant that it is about, or else of the carrier, or of the bank. */
static struct party settled_as(const struct correction_row *row)
{
    static const int16_t ranks[] = {
        [PARTY_BANK] = 1, [PARTY_MERCHANT] = 3, [PARTY_CARRIER] = 2, [PARTY_OPERATOR] = 0, [PARTY_TAX] = 0
    };
    struct party from = { row->from_party, row->from_no }, to = { row->to_party, row->to_no };

    return ranks[to.kind] > ranks[from.kind] ? to : from;
}

static bool takes(const struct books *books, const struct correction_row *row)
{
    return row->ours || scope_has(books->scope, settled_as(row), row->currency, books->period->last);
}

bool books_store_corrections(struct db *db, int32_t programme_no, struct books *books, struct error *err)
{
    struct span span = span_of(programme_no, books);
    size_t count;
    void *rows;

    if (!db_fetch(db, &get_corrections, &span, &books->arena, &rows, &count, err))
        return false;
    books->taken = arena_alloc(&books->arena, (count + 1) * sizeof *books->taken);
    if (!books->taken)
        return no_room(err);
    for (size_t i = 0; i < count; i++) {
        const struct correction_row *row = (const struct correction_row *)rows + i;
        struct taken *taken = &books->taken[books->taken_count];
        if (!takes(books, row))
            continue;
        books->taken_count++;
        *taken = (struct taken){ row->correction_no,
                                 { .kind = row->kind,
                                   .from = { row->from_party, row->from_no },
                                   .to = { row->to_party, row->to_no },
                                   .amount_minor = row->amount_minor,
                                   .refers_to = row->refers_to,
                                   .note = row->reason } };
        snprintf(taken->posting.currency, sizeof taken->posting.currency, "%s", row->currency);
    }
    return true;
}

/* Holds. */

struct hold_row {
    int16_t kind;
    int32_t merchant_no, carrier_no;
    const char *currency;
    int64_t amount_minor;
    const char *refers_to;
    bool released; /* in this period; statements before had it */
};
static const struct column hold_columns[] = {
    COLUMN(struct hold_row, kind),         COLUMN(struct hold_row, merchant_no), COLUMN(struct hold_row, currency),
    COLUMN(struct hold_row, amount_minor), COLUMN(struct hold_row, refers_to),   COLUMN(struct hold_row, released),
    COLUMN(struct hold_row, carrier_no),
};
static const struct statement get_holds = STATEMENT(
    "books_holds",
    "SELECT kind, merchant_no, currency, amount_minor, refers_to, release_on <= $4 AS released, carrier_no FROM "
    "settlement_hold "
    "WHERE programme_no = $1 AND begun_on <= $4 AND $3::date <= $4 AND release_on >= $3 AND NOT (kind = 1 AND "
    "from_period = $2) AND period_kind(from_period) = period_kind($2) AND "
    "(release_on > $4 OR (kind IN (1, 2) AND begun_on < $3 AND release_on >= $3)) "
    "ORDER BY carrier_no, merchant_no, currency COLLATE \"C\", kind, refers_to COLLATE \"C\", hold_no",
    span_params, hold_columns, sizeof(struct hold_row));

bool books_store_holds(struct db *db, int32_t programme_no, struct books *books, struct error *err)
{
    struct span span = span_of(programme_no, books);
    size_t count;
    void *rows;

    if (!db_fetch(db, &get_holds, &span, &books->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct hold_row *row = (const struct hold_row *)rows + i;
        struct keep keep = { .kind = row->kind,
                             .merchant_no = row->merchant_no,
                             .carrier_no = row->carrier_no,
                             .currency = row->currency,
                             .amount_minor = row->amount_minor,
                             .refers_to = row->refers_to };
        if (!books_keep(books, &keep, err))
            return false;
        keep.kind = row->kind == KEEP_RESERVE ? KEEP_RESERVE_RELEASED : KEEP_DISPUTE_RELEASED;
        keep.amount_minor = -row->amount_minor;
        if (row->released && !books_keep(books, &keep, err))
            return false;
    }
    return true;
}

/* Storing. */

enum { CHUNK = 500 };

struct posting_row {
    int32_t posting_no;
    const char *currency;
    int16_t kind, from_party;
    int32_t from_no;
    int16_t to_party;
    int32_t to_no;
    int64_t amount_minor;
    int32_t bank_no, merchant_no;
    const char *refers_to, *note;
};
static const struct column posting_fields[] = {
    COLUMN(struct posting_row, posting_no), COLUMN(struct posting_row, currency),
    COLUMN(struct posting_row, kind),       COLUMN(struct posting_row, from_party),
    COLUMN(struct posting_row, from_no),    COLUMN(struct posting_row, to_party),
    COLUMN(struct posting_row, to_no),      COLUMN(struct posting_row, amount_minor),
    COLUMN(struct posting_row, bank_no),    COLUMN(struct posting_row, merchant_no),
    COLUMN(struct posting_row, refers_to),  COLUMN(struct posting_row, note),
};
static const struct record_type posting_write = { "posting_write", posting_fields, COUNT(posting_fields),
                                                  sizeof(struct posting_row) };
struct position_row {
    const char *statement_id;
    int64_t opening_minor, movement_minor, payable_minor, closing_minor, carried_minor, held_back_minor, disputed_minor;
    struct date due_on;
};
static const struct column position_fields[] = {
    COLUMN(struct position_row, statement_id),    COLUMN(struct position_row, opening_minor),
    COLUMN(struct position_row, movement_minor),  COLUMN(struct position_row, payable_minor),
    COLUMN(struct position_row, closing_minor),   COLUMN(struct position_row, carried_minor),
    COLUMN(struct position_row, held_back_minor), COLUMN(struct position_row, disputed_minor),
    COLUMN(struct position_row, due_on),
};
static const struct record_type position_write = { "position_write", position_fields, COUNT(position_fields),
                                                   sizeof(struct position_row) };

struct put_params {
    int32_t programme_no;
    const char *period;
    struct record_array rows;
};
static const struct column put_postings_columns[] = { COLUMN(struct put_params, programme_no),
                                                      COLUMN(struct put_params, period),
                                                      RECORDS(struct put_params, rows, &posting_write) };
static const struct column put_positions_columns[] = { COLUMN(struct put_params, programme_no),
                                                       COLUMN(struct put_params, period),
                                                       RECORDS(struct put_params, rows, &position_write) };
/* Rows that would not change are not touched, as with statements. */
static const struct statement put_postings = COMMAND_STATEMENT(
    "books_put_postings",
    "INSERT INTO settlement_posting AS old (programme_no, period, posting_no, currency, kind, from_party, from_no, "
    "to_party, to_no, amount_minor, bank_no, merchant_no, refers_to, note) SELECT $1, $2, n.posting_no, n.currency, "
    "n.kind, n.from_party, n.from_no, n.to_party, n.to_no, n.amount_minor, n.bank_no, n.merchant_no, n.refers_to, "
    "n.note FROM unnest($3::posting_write[]) n ON CONFLICT (programme_no, period, posting_no) DO UPDATE SET currency = "
    "EXCLUDED.currency, kind = EXCLUDED.kind, from_party = EXCLUDED.from_party, from_no = EXCLUDED.from_no, to_party = "
    "EXCLUDED.to_party, to_no = EXCLUDED.to_no, amount_minor = EXCLUDED.amount_minor, bank_no = EXCLUDED.bank_no, "
    "merchant_no = EXCLUDED.merchant_no, refers_to = EXCLUDED.refers_to, note = EXCLUDED.note WHERE "
    "old IS DISTINCT FROM EXCLUDED",
    put_postings_columns);
static const struct statement put_positions = COMMAND_STATEMENT(
    "books_put_positions",
    "INSERT INTO statement_position AS old (statement_no, opening_minor, movement_minor, payable_minor, closing_minor, "
    "carried_minor, held_back_minor, disputed_minor, due_on) SELECT (SELECT s.statement_no FROM statement s WHERE "
    "s.statement_id = n.statement_id AND s.programme_no = $1 AND s.period = $2), n.opening_minor, n.movement_minor, "
    "n.payable_minor, n.closing_minor, n.carried_minor, n.held_back_minor, n.disputed_minor, n.due_on FROM "
    "unnest($3::position_write[]) n ON CONFLICT (statement_no) DO UPDATE SET opening_minor = EXCLUDED.opening_minor, "
    "movement_minor = "
    "EXCLUDED.movement_minor, payable_minor = EXCLUDED.payable_minor, closing_minor = EXCLUDED.closing_minor, "
    "carried_minor = EXCLUDED.carried_minor, held_back_minor = EXCLUDED.held_back_minor, disputed_minor = "
    "EXCLUDED.disputed_minor, due_on = EXCLUDED.due_on WHERE old IS DISTINCT FROM EXCLUDED",
    put_positions_columns);

struct trim_row {
    int32_t programme_no;
    const char *period;
    int32_t posting_no;
};
static const struct column trim_params[] = { COLUMN(struct trim_row, programme_no), COLUMN(struct trim_row, period),
                                             COLUMN(struct trim_row, posting_no) };
static const struct statement drop_postings = COMMAND_STATEMENT(
    "books_drop_postings", "DELETE FROM settlement_posting WHERE programme_no = $1 AND period = $2 AND posting_no > $3",
    trim_params);
static const struct column period_params[] = { COLUMN(struct span, programme_no), COLUMN(struct span, period) };
static const struct statement put_accounts = COMMAND_STATEMENT(
    "books_put_accounts",
    "INSERT INTO settlement_account (programme_no, party, party_no, currency) SELECT programme_no, CASE type WHEN 2 "
    "THEN 1 WHEN 3 THEN 2 WHEN 5 THEN 3 WHEN 4 THEN 4 ELSE 5 END, bank_no + merchant_no + carrier_no, currency FROM "
    "statement WHERE programme_no = $1 AND period = $2 AND type > 1 ON CONFLICT DO NOTHING",
    period_params);
/* What it took is what it takes: a correction is not given back. */
static const struct column taken_params[] = { COLUMN(struct trim_row, programme_no), COLUMN(struct trim_row, period) };
struct take_row {
    int32_t programme_no;
    const char *period;
    int64_t correction_no;
};
static const struct column take_params[] = { COLUMN(struct take_row, programme_no), COLUMN(struct take_row, period),
                                             COLUMN(struct take_row, correction_no) };
static const struct statement take_correction =
    COMMAND_STATEMENT("books_take_correction",
                      "UPDATE settlement_correction SET state = 3, taken_period = $2 WHERE programme_no = $1 AND "
                      "correction_no = $3 AND state = 2",
                      take_params);
static const struct statement drop_reserves = COMMAND_STATEMENT(
    "books_drop_reserves", "DELETE FROM settlement_hold WHERE programme_no = $1 AND kind = 1 AND from_period = $2",
    taken_params);
struct reserve_row {
    int32_t programme_no;
    const char *period;
    int32_t merchant_no;
    const char *currency;
    int64_t amount_minor;
    struct date begun_on, release_on;
};
static const struct column reserve_params[] = {
    COLUMN(struct reserve_row, programme_no), COLUMN(struct reserve_row, period),
    COLUMN(struct reserve_row, merchant_no),  COLUMN(struct reserve_row, currency),
    COLUMN(struct reserve_row, amount_minor), COLUMN(struct reserve_row, begun_on),
    COLUMN(struct reserve_row, release_on),
};
static const struct statement put_reserve = COMMAND_STATEMENT(
    "books_put_reserve",
    "INSERT INTO settlement_hold (programme_no, merchant_no, currency, kind, amount_minor, refers_to, from_period, "
    "begun_on, release_on) VALUES ($1, $3, $4, 1, $5, $2, $2, $6, $7)",
    reserve_params);

static bool write_postings(struct db *db, struct put_params *params, const struct posting_list *list, struct error *err)
{
    struct posting_row rows[CHUNK];

    for (size_t i = 0; i < list->count; i += params->rows.count) {
        size_t count = list->count - i < CHUNK ? list->count - i : CHUNK;
        for (size_t k = 0; k < count; k++) {
            const struct posting *p = &list->at[i + k];
            rows[k] = (struct posting_row){ (int32_t)(i + k + 1), p->currency,    p->kind,      p->from.kind,
                                            p->from.no,           p->to.kind,     p->to.no,     p->amount_minor,
                                            p->bank_no,           p->merchant_no, p->refers_to, p->note };
        }
        params->rows = (struct record_array){ rows, count };
        if (!db_execute(db, &put_postings, params, NULL, err))
            return false;
    }
    return true;
}

static bool write_positions(struct db *db, struct put_params *params, const char *programme_id,
                            const struct sheet_list *list, struct error *err)
{
    struct position_row rows[CHUNK];
    char ids[CHUNK][SHEET_ID_TEXT];
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct position *p = &list->at[i].position;
        if (list->at[i].type != SHEET_PAIR) {
            sheet_id(&list->at[i], programme_id, params->period, ids[count]);
            rows[count] = (struct position_row){ ids[count],         p->opening_minor,  p->movement_minor,
                                                 p->payable_minor,   p->closing_minor,  p->carried_minor,
                                                 p->held_back_minor, p->disputed_minor, p->due_on };
            count++;
        }
        if (count < CHUNK && i + 1 < list->count)
            continue;
        params->rows = (struct record_array){ rows, count };
        count = 0;
        if (!db_execute(db, &put_positions, params, NULL, err))
            return false;
    }
    return true;
}

static bool write_reserves(struct db *db, int32_t programme_no, const struct books *books, struct error *err)
{
    for (size_t i = 0; i < books->keep_count; i++) {
        const struct keep *keep = &books->keeps[i];
        struct reserve_row row = { programme_no,       books->period->text, keep->merchant_no, keep->currency,
                                   keep->amount_minor, books->period->last, keep->release_on };
        if (keep->new && keep->kind == KEEP_RESERVE && !db_execute(db, &put_reserve, &row, NULL, err))
            return false;
    }
    return true;
}

static bool take_corrections(struct db *db, int32_t programme_no, const struct books *books, struct error *err)
{
    for (size_t i = 0; i < books->taken_count; i++) {
        struct take_row row = { programme_no, books->period->text, books->taken[i].correction_no };
        if (!db_execute(db, &take_correction, &row, NULL, err))
            return false;
    }
    return true;
}

bool books_store_put(struct db *db, int32_t programme_no, const char *programme_id, const struct books *books,
                     const struct sheet_list *list, struct error *err)
{
    struct put_params params = { .programme_no = programme_no, .period = books->period->text };
    struct span span = span_of(programme_no, books);
    struct trim_row trim = { programme_no, books->period->text, (int32_t)books->postings.count };

    return write_postings(db, &params, &books->postings, err) && db_execute(db, &drop_postings, &trim, NULL, err) &&
           write_positions(db, &params, programme_id, list, err) && db_execute(db, &put_accounts, &span, NULL, err) &&
           take_corrections(db, programme_no, books, err) && db_execute(db, &drop_reserves, &trim, NULL, err) &&
           write_reserves(db, programme_no, books, err);
}
