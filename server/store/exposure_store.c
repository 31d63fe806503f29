#include "store/exposure_store.h"

static const struct column bank_params[] = {
    COLUMN(struct exposure_bank_params, bank_no),
    COLUMN(struct exposure_bank_params, currency),
};
static const struct column bank_row[] = {
    COLUMN(struct exposure_bank_row, bucket),
    COLUMN(struct exposure_bank_row, limit_minor),
    COLUMN(struct exposure_bank_row, allotted_minor),
    COLUMN(struct exposure_bank_row, used_minor),
};
static const struct column put_params[] = {
    COLUMN(struct exposure_put_params, bucket),         COLUMN(struct exposure_put_params, bank_no),
    COLUMN(struct exposure_put_params, currency),       COLUMN(struct exposure_put_params, limit_minor),
    COLUMN(struct exposure_put_params, allotted_minor), COLUMN(struct exposure_put_params, used_minor),
};
static const struct column part_params[] = {
    COLUMN(struct exposure_part_params, bucket),
    COLUMN(struct exposure_part_params, bank_no),
    COLUMN(struct exposure_part_params, currency),
    COLUMN(struct exposure_part_params, allotted_minor),
};
static const struct column settled_params[] = {
    COLUMN(struct exposure_settled_params, bank_no),
    COLUMN(struct exposure_settled_params, request_id),
};
static const struct column settled_row[] = {
    COLUMN(struct exposure_settled_row, content_hash),
};
static const struct column settle_params[] = {
    COLUMN(struct exposure_settle_params, bank_no),
    COLUMN(struct exposure_settle_params, request_id),
    COLUMN(struct exposure_settle_params, content_hash),
};

#define PARTS                                                                                                          \
    "SELECT bucket, limit_minor, allotted_minor, used_minor FROM exposure WHERE bank_no = $1 AND currency = $2 "       \
    "ORDER BY bucket"

const struct statement exposure_lock =
    STATEMENT("exposure_lock", PARTS " FOR NO KEY UPDATE", bank_params, bank_row, sizeof(struct exposure_bank_row));
const struct statement exposure_read =
    STATEMENT("exposure_read", PARTS, bank_params, bank_row, sizeof(struct exposure_bank_row));
const struct statement exposure_put = COMMAND_STATEMENT(
    "exposure_put",
    "INSERT INTO exposure (bucket, bank_no, currency, limit_minor, allotted_minor, used_minor) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket, bank_no, currency) DO UPDATE SET "
    "limit_minor = excluded.limit_minor, allotted_minor = excluded.allotted_minor, used_minor = excluded.used_minor",
    put_params);
const struct statement exposure_set_part = COMMAND_STATEMENT(
    "exposure_set_part", "UPDATE exposure SET allotted_minor = $4 WHERE bucket = $1 AND bank_no = $2 AND currency = $3",
    part_params);
const struct statement exposure_find_settled = STATEMENT(
    "exposure_find_settled", "SELECT content_hash FROM exposure_settled WHERE bank_no = $1 AND request_id = $2",
    settled_params, settled_row, sizeof(struct exposure_settled_row));
const struct statement exposure_add_settled = COMMAND_STATEMENT(
    "exposure_add_settled", "INSERT INTO exposure_settled (bank_no, request_id, content_hash) VALUES ($1, $2, $3)",
    settle_params);
