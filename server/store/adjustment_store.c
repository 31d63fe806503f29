#include "store/adjustment_store.h"

static const struct column add_params[] = {
    COLUMN(struct adjustment_params, bucket),       COLUMN(struct adjustment_params, id),
    COLUMN(struct adjustment_params, member_id),    COLUMN(struct adjustment_params, programme_no),
    COLUMN(struct adjustment_params, bank_no),      COLUMN(struct adjustment_params, member_ref),
    COLUMN(struct adjustment_params, points),       COLUMN(struct adjustment_params, reason_code),
    COLUMN(struct adjustment_params, note),         COLUMN(struct adjustment_params, funding_no),
    COLUMN(struct adjustment_params, content_hash), COLUMN(struct adjustment_params, state),
    COLUMN(struct adjustment_params, proposed_by),
};
static const struct column id_params[] = {
    COLUMN(struct adjustment_id_params, bucket),
    COLUMN(struct adjustment_id_params, id),
};
static const struct column row[] = {
    COLUMN(struct adjustment_row, member_id),   COLUMN(struct adjustment_row, points),
    COLUMN(struct adjustment_row, funding_no),  COLUMN(struct adjustment_row, content_hash),
    COLUMN(struct adjustment_row, state),       COLUMN(struct adjustment_row, proposed_by),
    COLUMN(struct adjustment_row, approved_by),
};
static const struct column approve_params[] = {
    COLUMN(struct adjustment_approve_params, bucket),
    COLUMN(struct adjustment_approve_params, id),
    COLUMN(struct adjustment_approve_params, approved_by),
};
static const struct column end_params[] = {
    COLUMN(struct adjustment_end_params, bucket),
    COLUMN(struct adjustment_end_params, id),
    COLUMN(struct adjustment_end_params, state),
};

const struct statement adjustment_add = COMMAND_STATEMENT(
    "adjustment_add",
    "INSERT INTO adjustment (bucket, id, member_id, programme_no, bank_no, member_ref, points, reason_code, note, "
    "funding_no, content_hash, state, proposed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
    "ON CONFLICT (bucket, id) DO NOTHING",
    add_params);
const struct statement adjustment_find =
    STATEMENT("adjustment_find",
              "SELECT member_id, points, funding_no, content_hash, state, proposed_by, approved_by FROM adjustment "
              "WHERE bucket = $1 AND id = $2",
              id_params, row, sizeof(struct adjustment_row));
const struct statement adjustment_approve = COMMAND_STATEMENT(
    "adjustment_approve",
    "UPDATE adjustment SET state = 2, approved_by = $3 WHERE bucket = $1 AND id = $2 AND state = 1", approve_params);
const struct statement adjustment_end = COMMAND_STATEMENT(
    "adjustment_end", "UPDATE adjustment SET state = $3 WHERE bucket = $1 AND id = $2 AND state = 2", end_params);
