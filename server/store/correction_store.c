#include "store/correction_store.h"

#include "base/limits.h"

#include <inttypes.h>
#include <string.h>

enum { ADJUSTMENT = 7, LATE_FEE = 8 }; /* enum posting_kind */

#define CORRECTION_COLUMNS                                                                                             \
    "SELECT c.correction_no, c.request_id, c.currency, c.kind, c.from_party, c.to_party, c.from_no, c.to_no, "         \
    "c.amount_minor, c.reason, c.refers_to, c.state, c.maker, c.approver, c.business_date, c.taken_period, "           \
    "CASE c.from_party WHEN 1 THEN (SELECT bank_id FROM bank WHERE bank_no = c.from_no) WHEN 2 THEN (SELECT "          \
    "merchant_id FROM merchant WHERE merchant_no = c.from_no) WHEN 3 THEN (SELECT carrier_id FROM carrier WHERE "      \
    "carrier_no = c.from_no) ELSE '' END AS from_id, CASE c.to_party WHEN 1 THEN (SELECT bank_id FROM bank WHERE "     \
    "bank_no = c.to_no) WHEN 2 THEN (SELECT merchant_id FROM merchant WHERE merchant_no = c.to_no) WHEN 3 THEN "       \
    "(SELECT carrier_id FROM carrier WHERE carrier_no = c.to_no) ELSE '' END AS to_id, c.proposed_at FROM "            \
    "settlement_correction c "

static const struct column correction_row[] = {
    COLUMN(struct correction_row, correction_no), COLUMN(struct correction_row, request_id),
    COLUMN(struct correction_row, currency),      COLUMN(struct correction_row, kind),
    COLUMN(struct correction_row, from_party),    COLUMN(struct correction_row, to_party),
    COLUMN(struct correction_row, from_no),       COLUMN(struct correction_row, to_no),
    COLUMN(struct correction_row, amount_minor),  COLUMN(struct correction_row, reason),
    COLUMN(struct correction_row, refers_to),     COLUMN(struct correction_row, state),
    COLUMN(struct correction_row, maker),         COLUMN(struct correction_row, approver),
    COLUMN(struct correction_row, business_date), COLUMN(struct correction_row, taken_period),
    COLUMN(struct correction_row, from_id),       COLUMN(struct correction_row, to_id),
    COLUMN(struct correction_row, proposed_at),
};

struct propose_params {
    int32_t programme_no;
    struct uuid request_id;
    const char *currency;
    int16_t kind, from_party;
    int32_t from_no;
    int16_t to_party;
    int32_t to_no;
    int64_t amount_minor;
    const char *reason, *refers_to, *maker;
};
static const struct column propose_params[] = {
    COLUMN(struct propose_params, programme_no), COLUMN(struct propose_params, request_id),
    COLUMN(struct propose_params, currency),     COLUMN(struct propose_params, kind),
    COLUMN(struct propose_params, from_party),   COLUMN(struct propose_params, from_no),
    COLUMN(struct propose_params, to_party),     COLUMN(struct propose_params, to_no),
    COLUMN(struct propose_params, amount_minor), COLUMN(struct propose_params, reason),
    COLUMN(struct propose_params, refers_to),    COLUMN(struct propose_params, maker),
};
static const struct statement propose = COMMAND_STATEMENT(
    "correction_propose",
    "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
    "to_party, to_no, amount_minor, reason, refers_to, maker, business_date) SELECT $1, $2, $3, $4, $5, $6, $7, $8, "
    "$9, $10, $11, $12, min(business_date) FROM fence WHERE programme_no = $1 ON CONFLICT DO NOTHING",
    propose_params);

/* The same again has the same content; who asks may be another. */
static const struct statement by_request =
    STATEMENT("correction_by_request",
              CORRECTION_COLUMNS "WHERE c.programme_no = $1 AND c.request_id = $2 AND (c.currency, c.kind, "
                                 "c.from_party, c.from_no, c.to_party, c.to_no, c.amount_minor, c.reason, "
                                 "c.refers_to) = ($3, $4, $5, $6, $7, $8, $9, $10, $11) AND $12 <> ''",
              propose_params, correction_row, sizeof(struct correction_row));

struct approve_params {
    int32_t programme_no;
    int64_t correction_no;
    const char *approver;
};
static const struct column approve_params[] = { COLUMN(struct approve_params, programme_no),
                                                COLUMN(struct approve_params, correction_no),
                                                COLUMN(struct approve_params, approver) };
static const struct statement approve =
    COMMAND_STATEMENT("correction_approve",
                      "UPDATE settlement_correction SET state = 2, approver = $3 WHERE programme_no = $1 AND "
                      "correction_no = $2 AND state = 1",
                      approve_params);
/* Numbers of recon_break.state: 3 CORRECTING, 4 CORRECTED. */
static const struct statement end_break = COMMAND_STATEMENT(
    "correction_end_break",
    "UPDATE recon_break SET state = 4 WHERE programme_no = $1 AND correction_no = $2 AND state = 3 AND $3 <> ''",
    approve_params);
static const struct column find_params[] = { COLUMN(struct approve_params, programme_no),
                                             COLUMN(struct approve_params, correction_no) };
static const struct statement by_number =
    STATEMENT("correction_by_number", CORRECTION_COLUMNS "WHERE c.programme_no = $1 AND c.correction_no = $2",
              find_params, correction_row, sizeof(struct correction_row));

struct list_params {
    int32_t programme_no;
    int16_t state;
    int64_t before;
    int32_t limit;
};
static const struct column list_params[] = { COLUMN(struct list_params, programme_no),
                                             COLUMN(struct list_params, state), COLUMN(struct list_params, before),
                                             COLUMN(struct list_params, limit) };
static const struct statement list =
    STATEMENT("correction_list",
              CORRECTION_COLUMNS "WHERE c.programme_no = $1 AND ($2 = 0 OR c.state = $2) AND ($3 = 0 OR "
                                 "c.correction_no < $3) ORDER BY c.correction_no DESC LIMIT $4",
              list_params, correction_row, sizeof(struct correction_row));

static bool check_text(const char *field, const char *text, struct error *err)
{
    size_t n = strlen(text);

    return (n >= 1 && n <= CORRECTION_TEXT_MAX) ||
           error_field(err, REASON_FIELD_INVALID, field, "must be 1 to %d bytes", CORRECTION_TEXT_MAX);
}

static bool check(const struct correction *c, struct error *err)
{
    if (c->kind != ADJUSTMENT && c->kind != LATE_FEE)
        return error_field(err, REASON_FIELD_INVALID, "kind", "must be ADJUSTMENT or LATE_FEE");
    if (c->amount_minor < 1 || c->amount_minor > AMOUNT_MINOR_MAX)
        return error_field(err, REASON_FIELD_INVALID, "amount_minor", "must be 1 to %" PRId64, AMOUNT_MINOR_MAX);
    if (c->from_party == c->to_party && c->from_no == c->to_no)
        return error_field(err, REASON_FIELD_INVALID, "to", "must be another party than from");
    return check_text("reason", c->reason, err) && check_text("refers_to", c->refers_to, err) &&
           check_text("maker", c->maker, err);
}

bool correction_propose(struct db *db, const struct correction *c, struct arena *arena, struct correction_row *row,
                        struct error *err)
{
    bool found;

    if (!check(c, err))
        return false;
    struct propose_params params = { c->programme_no, c->request_id, c->currency,  c->kind,
                                     c->from_party,   c->from_no,    c->to_party,  c->to_no,
                                     c->amount_minor, c->reason,     c->refers_to, c->maker };
    if (!db_execute(db, &propose, &params, NULL, err) ||
        !db_fetch_one(db, &by_request, &params, arena, row, &found, err))
        return false;
    return found || error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
}

static bool find(struct db *db, const struct approve_params *params, struct arena *arena, struct correction_row *row,
                 struct error *err)
{
    bool found;

    if (!db_fetch_one(db, &by_number, params, arena, row, &found, err))
        return false;
    return found || error_field(err, REASON_CORRECTION_NOT_FOUND, "correction_number", "%s", "");
}

bool correction_approve(struct db *db, int32_t programme_no, int64_t correction_no, int64_t amount_minor,
                        const char *approver, struct arena *arena, struct correction_row *row, struct error *err)
{
    struct approve_params params = { programme_no, correction_no, approver };

    if (!find(db, &params, arena, row, err))
        return false;
    if (strcmp(row->maker, approver) == 0 || !*approver)
        return error_set(err, REASON_SECOND_PERSON_NEEDED, "%s", "");
    if (row->amount_minor != amount_minor)
        return error_field(err, REASON_APPROVAL_DIFFERS, "amount_minor", "must be the amount proposed");
    return row->state != CORRECTION_PROPOSED ||
           (db_execute(db, &approve, &params, NULL, err) && db_execute(db, &end_break, &params, NULL, err) &&
            find(db, &params, arena, row, err));
}

bool correction_list(struct db *db, int32_t programme_no, int16_t state, int64_t before, int32_t limit,
                     struct arena *arena, struct correction_row **rows, size_t *count, struct error *err)
{
    struct list_params params = { programme_no, state, before, limit };
    void *fetched;

    if (!db_fetch(db, &list, &params, arena, &fetched, count, err))
        return false;
    *rows = fetched;
    return true;
}
