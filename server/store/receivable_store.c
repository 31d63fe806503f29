#include "store/receivable_store.h"

/* Of statements that are issued; a positive payable is what is paid to the party. */
#define RECEIVABLES                                                                                                    \
    "(SELECT s.statement_id, (" STATEMENT_NUMBER ") COLLATE \"C\" AS number, CASE s.type WHEN 2 THEN 1 WHEN 3 THEN 2 " \
    "WHEN 5 THEN 3 WHEN 6 THEN 5 ELSE 4 END::int2 AS party, COALESCE(b.bank_id, m.merchant_id, c.carrier_id, '') AS "  \
    "party_id, s.currency, p.due_on, -p.payable_minor AS asked_minor, " STATEMENT_RECEIVED                             \
    " AS received_minor FROM " STATEMENT_NUMBERED                                                                      \
    "JOIN settlement_period q ON q.programme_no = s.programme_no AND q.period = s.period AND q.state = 3 LEFT JOIN "   \
    "bank b ON b.bank_no = s.bank_no LEFT JOIN merchant m ON m.merchant_no = s.merchant_no LEFT JOIN carrier c ON "    \
    "c.carrier_no = s.carrier_no WHERE s.programme_no = $1 AND p.payable_minor < 0 AND ($2 = 0 OR (CASE $2 WHEN 1 "    \
    "THEN s.type = 2 WHEN 2 THEN s.type = 3 WHEN 3 THEN s.type = 5 END AND s.bank_no + s.merchant_no + s.carrier_no "  \
    "= $3))) r WHERE received_minor < asked_minor "

static const struct column list_params[] = {
    COLUMN(struct receivable_list_params, programme_no), COLUMN(struct receivable_list_params, party),
    COLUMN(struct receivable_list_params, party_no),     COLUMN(struct receivable_list_params, after_due),
    COLUMN(struct receivable_list_params, after_number), COLUMN(struct receivable_list_params, limit),
};
static const struct column list_columns[] = {
    COLUMN(struct receivable_row, statement_id), COLUMN(struct receivable_row, number),
    COLUMN(struct receivable_row, party),        COLUMN(struct receivable_row, party_id),
    COLUMN(struct receivable_row, currency),     COLUMN(struct receivable_row, due_on),
    COLUMN(struct receivable_row, asked_minor),  COLUMN(struct receivable_row, received_minor),
};
const struct statement receivable_list =
    STATEMENT("receivable_list",
              "SELECT statement_id, number, party, party_id, currency, due_on, asked_minor, received_minor "
              "FROM " RECEIVABLES "AND (due_on, number) > ($4, $5) ORDER BY due_on, number LIMIT $6",
              list_params, list_columns, sizeof(struct receivable_row));

static const struct column sums_params[] = { COLUMN(struct receivable_sums_params, programme_no),
                                             COLUMN(struct receivable_sums_params, party),
                                             COLUMN(struct receivable_sums_params, party_no),
                                             COLUMN(struct receivable_sums_params, on),
                                             COLUMN(struct receivable_sums_params, ages_from) };
static const struct column sums_columns[] = { COLUMN(struct receivable_sum_row, currency),
                                              COLUMN(struct receivable_sum_row, age),
                                              COLUMN(struct receivable_sum_row, open_minor) };
const struct statement receivable_sums = STATEMENT(
    "receivable_sums",
    "SELECT currency, width_bucket(($4::date - due_on)::int8, $5::int8[]) AS age, sum(asked_minor - "
    "received_minor)::int8 AS open_minor FROM " RECEIVABLES "GROUP BY 1, 2 ORDER BY currency COLLATE \"C\", 2",
    sums_params, sums_columns, sizeof(struct receivable_sum_row));
