#include "store/statement_read.h"

#define STATEMENT_COLUMNS                                                                                              \
    "s.statement_no, s.statement_id, p.programme_id, s.period, s.type, COALESCE(b.bank_id, '') AS bank_id, "           \
    "COALESCE(m.merchant_id, '') AS merchant_id, s.currency, GREATEST(s.state, COALESCE(sp.state, 1))::int2 AS "       \
    "state, "                                                                                                          \
    "s.confirmed_count, s.confirmed_points, "                                                                          \
    "s.reversed_count, s.reversed_points, s.gross_minor, s.commission_minor, s.net_minor, s.line_count, "              \
    "s.content_sha256, s.rows_root, s.calculated_at, COALESCE(c.carrier_id, '') AS carrier_id, "                       \
    "o.statement_no IS NOT NULL AS has_position, COALESCE(o.opening_minor, 0) AS opening_minor, "                      \
    "COALESCE(o.movement_minor, 0) AS movement_minor, COALESCE(o.payable_minor, 0) AS payable_minor, "                 \
    "COALESCE(o.closing_minor, 0) AS closing_minor, COALESCE(o.carried_minor, 0) AS carried_minor, "                   \
    "COALESCE(o.held_back_minor, 0) AS held_back_minor, COALESCE(o.disputed_minor, 0) AS disputed_minor, "             \
    "COALESCE(o.due_on, '1970-01-01') AS due_on, COALESCE(n.party || '-' || lpad(n.number::text, greatest(6, "         \
    "length(n.number::text)), '0'), '') AS statement_number, s.answered_by, s.answered_on FROM statement s JOIN "      \
    "programme p ON p.programme_no = "                                                                                 \
    "s.programme_no LEFT JOIN statement_position o ON o.statement_no = s.statement_no "                                \
    "LEFT JOIN bank b ON b.bank_no = s.bank_no LEFT JOIN merchant m ON m.merchant_no = s.merchant_no "                 \
    "LEFT JOIN carrier c ON c.carrier_no = s.carrier_no "                                                              \
    "LEFT JOIN statement_number n ON n.statement_id = s.statement_id AND n.state = 1 "                                 \
    "LEFT JOIN settlement_period sp ON sp.programme_no = s.programme_no AND sp.period = s.period "

static const struct column statement_row[] = {
    COLUMN(struct statement_row, statement_no),
    COLUMN(struct statement_row, statement_id),
    COLUMN(struct statement_row, programme_id),
    COLUMN(struct statement_row, period),
    COLUMN(struct statement_row, type),
    COLUMN(struct statement_row, bank_id),
    COLUMN(struct statement_row, merchant_id),
    COLUMN(struct statement_row, currency),
    COLUMN(struct statement_row, state),
    COLUMN(struct statement_row, confirmed_count),
    COLUMN(struct statement_row, confirmed_points),
    COLUMN(struct statement_row, reversed_count),
    COLUMN(struct statement_row, reversed_points),
    COLUMN(struct statement_row, gross_minor),
    COLUMN(struct statement_row, commission_minor),
    COLUMN(struct statement_row, net_minor),
    COLUMN(struct statement_row, line_count),
    COLUMN(struct statement_row, content_sha256),
    COLUMN(struct statement_row, rows_root),
    COLUMN(struct statement_row, calculated_at),
    COLUMN(struct statement_row, carrier_id),
    COLUMN(struct statement_row, has_position),
    COLUMN(struct statement_row, opening_minor),
    COLUMN(struct statement_row, movement_minor),
    COLUMN(struct statement_row, payable_minor),
    COLUMN(struct statement_row, closing_minor),
    COLUMN(struct statement_row, carried_minor),
    COLUMN(struct statement_row, held_back_minor),
    COLUMN(struct statement_row, disputed_minor),
    COLUMN(struct statement_row, due_on),
    COLUMN(struct statement_row, statement_number),
    COLUMN(struct statement_row, answered_by),
    COLUMN(struct statement_row, answered_on),
};

static const struct column page_params[] = {
    COLUMN(struct statement_page_params, programme_no), COLUMN(struct statement_page_params, period),
    COLUMN(struct statement_page_params, type),         COLUMN(struct statement_page_params, bank_no),
    COLUMN(struct statement_page_params, merchant_no),  COLUMN(struct statement_page_params, after),
    COLUMN(struct statement_page_params, limit),        COLUMN(struct statement_page_params, carrier_no),
};
const struct statement statement_list =
    STATEMENT("statement_list",
              "SELECT " STATEMENT_COLUMNS "WHERE s.programme_no = $1 AND ($2 = '' OR s.period = $2) "
              "AND ($3 = 0 OR s.type = $3) AND ($4 = 0 OR (s.bank_no = $4 AND s.type IN (1, 2))) "
              "AND ($5 = 0 OR (s.merchant_no = $5 AND s.type IN (1, 3))) AND ($8 = 0 OR (s.carrier_no = $8 AND "
              "s.type = 5)) AND s.statement_id > $6 "
              "ORDER BY s.statement_id LIMIT $7",
              page_params, statement_row, sizeof(struct statement_row));

static const struct column id_params[] = { COLUMN(struct statement_id_params, statement_id),
                                           COLUMN(struct statement_id_params, bank_no),
                                           COLUMN(struct statement_id_params, merchant_no),
                                           COLUMN(struct statement_id_params, carrier_no) };
const struct statement statement_find = STATEMENT("statement_find",
                                                  "SELECT " STATEMENT_COLUMNS "WHERE s.statement_id = $1 "
                                                  "AND ($2 = 0 OR (s.bank_no = $2 AND s.type IN (1, 2))) "
                                                  "AND ($3 = 0 OR (s.merchant_no = $3 AND s.type IN (1, 3))) "
                                                  "AND ($4 = 0 OR (s.carrier_no = $4 AND s.type = 5))",
                                                  id_params, statement_row, sizeof(struct statement_row));

static const struct column lines_params[] = { COLUMN(struct statement_lines_params, statement_no),
                                              COLUMN(struct statement_lines_params, after),
                                              COLUMN(struct statement_lines_params, until) };
static const struct column line_row[] = {
    COLUMN(struct statement_line_row, line_number),
    COLUMN(struct statement_line_row, business_date),
    COLUMN(struct statement_line_row, at),
    COLUMN(struct statement_line_row, kind),
    COLUMN(struct statement_line_row, member_id),
    COLUMN(struct statement_line_row, redemption_id),
    COLUMN(struct statement_line_row, request_id),
    COLUMN(struct statement_line_row, store_id),
    COLUMN(struct statement_line_row, points),
    COLUMN(struct statement_line_row, gross_minor),
    COLUMN(struct statement_line_row, commission_minor),
    COLUMN(struct statement_line_row, net_minor),
    COLUMN(struct statement_line_row, rules_version),
    COLUMN(struct statement_line_row, terms_version),
};
const struct statement statement_list_lines =
    STATEMENT("statement_list_lines",
              "SELECT line_number, business_date, at, kind, member_id, redemption_id, request_id, store_id, points, "
              "gross_minor, commission_minor, net_minor, rules_version, terms_version FROM statement_entry "
              "WHERE statement_no = $1 AND first_line > $2 - 500 AND first_line <= $3 AND line_number > $2 AND "
              "line_number <= $3 ORDER BY line_number",
              lines_params, line_row, sizeof(struct statement_line_row));

static const struct column postings_params[] = { COLUMN(struct statement_postings_params, statement_no),
                                                 COLUMN(struct statement_postings_params, after),
                                                 COLUMN(struct statement_postings_params, limit) };
static const struct column posting_row[] = {
    COLUMN(struct statement_posting_row, posting_no),   COLUMN(struct statement_posting_row, kind),
    COLUMN(struct statement_posting_row, from_party),   COLUMN(struct statement_posting_row, from_id),
    COLUMN(struct statement_posting_row, to_party),     COLUMN(struct statement_posting_row, to_id),
    COLUMN(struct statement_posting_row, amount_minor), COLUMN(struct statement_posting_row, bank_id),
    COLUMN(struct statement_posting_row, merchant_id),  COLUMN(struct statement_posting_row, refers_to),
    COLUMN(struct statement_posting_row, note),
};
const struct statement statement_list_postings = STATEMENT(
    "statement_list_postings",
    "SELECT p.posting_no, p.kind, p.from_party, COALESCE(fb.bank_id, fm.merchant_id, fc.carrier_id, '') AS from_id, "
    "p.to_party, COALESCE(tb.bank_id, tm.merchant_id, tc.carrier_id, '') AS to_id, CASE WHEN (p.from_party, p.from_no) "
    "= (x.party, x.party_no) THEN -p.amount_minor ELSE p.amount_minor END AS amount_minor, COALESCE(b.bank_id, '') AS "
    "bank_id, COALESCE(m.merchant_id, '') AS merchant_id, p.refers_to, p.note FROM (SELECT s.programme_no, s.period, "
    "s.currency, CASE s.type WHEN 2 THEN 1 WHEN 3 THEN 2 WHEN 5 THEN 3 WHEN 4 THEN 4 WHEN 6 THEN 5 ELSE 0 END AS "
    "party, s.bank_no + s.merchant_no + s.carrier_no AS party_no FROM statement s WHERE s.statement_no = $1) x JOIN "
    "settlement_posting p ON p.programme_no = x.programme_no AND p.period = x.period AND p.currency = x.currency AND "
    "p.posting_no > $2 AND (x.party, x.party_no) IN ((p.from_party, p.from_no), (p.to_party, p.to_no)) LEFT JOIN bank "
    "b ON b.bank_no = p.bank_no LEFT JOIN merchant m ON m.merchant_no = p.merchant_no LEFT JOIN bank fb ON "
    "p.from_party "
    "= 1 AND fb.bank_no = p.from_no LEFT JOIN merchant fm ON p.from_party = 2 AND fm.merchant_no = p.from_no LEFT JOIN "
    "carrier fc ON p.from_party = 3 AND fc.carrier_no = p.from_no LEFT JOIN bank tb ON p.to_party = 1 AND tb.bank_no = "
    "p.to_no LEFT JOIN merchant tm ON p.to_party = 2 AND tm.merchant_no = p.to_no LEFT JOIN carrier tc ON p.to_party = "
    "3 AND tc.carrier_no = p.to_no ORDER BY p.posting_no LIMIT $3",
    postings_params, posting_row, sizeof(struct statement_posting_row));
