#include "store/period_state_store.h"

static const struct column put_columns[] = {
    COLUMN(struct period_state_put_params, programme_no),    COLUMN(struct period_state_put_params, period),
    COLUMN(struct period_state_put_params, first_day),       COLUMN(struct period_state_put_params, last_day),
    COLUMN(struct period_state_put_params, maker),           COLUMN(struct period_state_put_params, manifest_sha256),
    COLUMN(struct period_state_put_params, statement_count),
};
const struct statement period_state_put = COMMAND_STATEMENT(
    "period_state_put",
    "INSERT INTO settlement_period AS old (programme_no, period, first_day, last_day, maker, manifest_sha256, "
    "statement_count, calculated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, now()) ON CONFLICT (programme_no, period) "
    "DO UPDATE SET first_day = EXCLUDED.first_day, last_day = EXCLUDED.last_day, state = 1, maker = EXCLUDED.maker, "
    "manifest_sha256 = EXCLUDED.manifest_sha256, statement_count = EXCLUDED.statement_count, "
    "calculated_at = EXCLUDED.calculated_at, approver = '', approved_at = 'epoch' "
    "WHERE old.manifest_sha256 <> EXCLUDED.manifest_sha256",
    put_columns);

static const struct column params[] = { COLUMN(struct period_state_params, programme_no),
                                        COLUMN(struct period_state_params, period) };
static const struct column row[] = {
    COLUMN(struct period_state_row, period),          COLUMN(struct period_state_row, first_day),
    COLUMN(struct period_state_row, last_day),        COLUMN(struct period_state_row, state),
    COLUMN(struct period_state_row, maker),           COLUMN(struct period_state_row, manifest_sha256),
    COLUMN(struct period_state_row, statement_count), COLUMN(struct period_state_row, calculated_at),
    COLUMN(struct period_state_row, approver),        COLUMN(struct period_state_row, approved_at),
    COLUMN(struct period_state_row, issued_at),
};
#define ROW                                                                                                            \
    "SELECT period, first_day, last_day, state, maker, manifest_sha256, statement_count, calculated_at, approver, "    \
    "approved_at, issued_at FROM settlement_period "
const struct statement period_state_find = STATEMENT("period_state_find", ROW "WHERE programme_no = $1 AND period = $2",
                                                     params, row, sizeof(struct period_state_row));
const struct statement period_state_void =
    COMMAND_STATEMENT("period_state_void",
                      "UPDATE settlement_period SET state = 1, approver = '', approved_at = 'epoch' WHERE "
                      "programme_no = $1 AND period = $2 AND state = 2",
                      params);

static const struct column approve_columns[] = {
    COLUMN(struct period_state_approve_params, programme_no),
    COLUMN(struct period_state_approve_params, period),
    COLUMN(struct period_state_approve_params, manifest_sha256),
    COLUMN(struct period_state_approve_params, approver),
};
const struct statement period_state_approve =
    COMMAND_STATEMENT("period_state_approve",
                      "UPDATE settlement_period SET state = 2, approver = $4, approved_at = now() WHERE "
                      "programme_no = $1 AND period = $2 AND state = 1 AND manifest_sha256 = $3 AND maker <> $4",
                      approve_columns);

static const struct column issue_columns[] = {
    COLUMN(struct period_state_issue_params, programme_no),
    COLUMN(struct period_state_issue_params, period),
    COLUMN(struct period_state_issue_params, manifest_sha256),
    COLUMN(struct period_state_issue_params, signature_sha256),
};
const struct statement period_state_issue = COMMAND_STATEMENT(
    "period_state_issue",
    "UPDATE settlement_period SET state = 3, issued_at = now(), issued_on = (SELECT min(f.business_date) FROM fence f "
    "WHERE f.programme_no = $1), signature_sha256 = $4 WHERE programme_no = $1 AND period = $2 AND state = 2 AND "
    "manifest_sha256 = $3",
    issue_columns);

static const struct column list_columns[] = { COLUMN(struct period_state_list_params, programme_no),
                                              COLUMN(struct period_state_list_params, after),
                                              COLUMN(struct period_state_list_params, limit) };
const struct statement period_state_list =
    STATEMENT("period_state_list", ROW "WHERE programme_no = $1 AND period > $2 ORDER BY period LIMIT $3", list_columns,
              row, sizeof(struct period_state_row));
