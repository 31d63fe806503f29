#include "late_fee_store.h"

#include "store/receivable_store.h"

struct spans_params {
    int32_t programme_no;
    struct date as_of;
    int32_t days;
};
static const struct column spans_params[] = { COLUMN(struct spans_params, programme_no),
                                              COLUMN(struct spans_params, as_of), COLUMN(struct spans_params, days) };
static const struct column span_columns[] = {
    COLUMN(struct late_fee_row, statement_id),   COLUMN(struct late_fee_row, number),
    COLUMN(struct late_fee_row, party),          COLUMN(struct late_fee_row, party_no),
    COLUMN(struct late_fee_row, party_id),       COLUMN(struct late_fee_row, currency),
    COLUMN(struct late_fee_row, due_on),         COLUMN(struct late_fee_row, span),
    COLUMN(struct late_fee_row, begins),         COLUMN(struct late_fee_row, asked_minor),
    COLUMN(struct late_fee_row, received_minor), COLUMN(struct late_fee_row, disputed_minor),
    COLUMN(struct late_fee_row, late_fee_bp),    COLUMN(struct late_fee_row, request_id),
    COLUMN(struct late_fee_row, correction_no),  COLUMN(struct late_fee_row, proposed_minor),
    COLUMN(struct late_fee_row, state),
};
/* Of disputes only the party's own say that it owes less; one that is granted (3) was right from the beginning. */
#define DISPUTED                                                                                                       \
    "(SELECT COALESCE(sum(CASE WHEN d.opened_on <= k.begins AND d.ended_on >= k.begins THEN d.amount_minor WHEN "      \
    "d.state = 3 THEN d.agreed_minor ELSE 0 END), 0)::int8 FROM dispute d WHERE d.programme_no = $1 AND d.period = "   \
    "s.period AND d.currency = s.currency AND (d.opener, d.opener_no) = (x.party, x.party_no))"
static const struct statement get_spans = STATEMENT(
    "late_fee_spans",
    "SELECT s.statement_id, (" STATEMENT_NUMBER
    ") COLLATE \"C\" AS number, x.party, x.party_no, COALESCE(b.bank_id, m.merchant_id, r.carrier_id, '') AS party_id, "
    "s.currency, p.due_on, k.span, k.begins, -p.payable_minor AS asked_minor, i.received_minor, i.disputed_minor, "
    "t.late_fee_bp, u.request_id, COALESCE(c.correction_no, 0) AS correction_no, COALESCE(c.amount_minor, 0) AS "
    "proposed_minor, COALESCE(c.state, 0::int2) AS state FROM " STATEMENT_NUMBERED
    "JOIN settlement_period q ON q.programme_no = s.programme_no AND q.period = s.period AND q.state = 3 "
    "CROSS JOIN LATERAL (SELECT CASE s.type WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 END::int2 AS party, s.bank_no + "
    "s.merchant_no + s.carrier_no AS party_no) x "
    "CROSS JOIN LATERAL (SELECT c.late_fee_bp FROM settlement_contract c WHERE c.programme_no = $1 AND c.party = "
    "x.party AND c.party_no = x.party_no AND c.currency = s.currency AND c.effective_from <= q.last_day ORDER BY "
    "c.version DESC LIMIT 1) t "
    "CROSS JOIN LATERAL (SELECT g AS span, p.due_on + $3 * (g - 1) + 1 AS begins FROM generate_series(1, ($2::date - "
    "p.due_on + $3 - 1) / $3) g) k "
    "CROSS JOIN LATERAL (SELECT (SELECT COALESCE(sum(w.amount_minor), 0)::int8 FROM " STATEMENT_RECEIPTS
    " AND w.booked < k.begins) AS received_minor, " DISPUTED " AS disputed_minor) i "
    "CROSS JOIN LATERAL (SELECT encode(substr(sha256(convert_to('late fee/' || s.statement_id || '/' || k.span, "
    "'UTF8')), 1, 16), 'hex')::uuid AS request_id) u "
    "LEFT JOIN settlement_correction c ON c.programme_no = $1 AND c.request_id = u.request_id "
    "LEFT JOIN bank b ON b.bank_no = s.bank_no LEFT JOIN merchant m ON m.merchant_no = s.merchant_no "
    "LEFT JOIN carrier r ON r.carrier_no = s.carrier_no "
    "WHERE s.programme_no = $1 AND s.type IN (2, 3, 5) AND p.payable_minor < 0 AND p.due_on < $2 AND t.late_fee_bp > 0 "
    "AND (i.received_minor + i.disputed_minor < -p.payable_minor OR c.correction_no > 0) "
    "ORDER BY p.due_on, 2, k.span",
    spans_params, span_columns, sizeof(struct late_fee_row));

bool late_fee_store_spans(struct db *db, int32_t programme_no, struct date as_of, struct arena *arena,
                          struct late_fee_row **rows, size_t *count, struct error *err)
{
    struct spans_params params = { programme_no, as_of, LATE_FEE_DAYS };
    void *fetched;

    if (!db_fetch(db, &get_spans, &params, arena, &fetched, count, err))
        return false;
    *rows = fetched;
    return true;
}
