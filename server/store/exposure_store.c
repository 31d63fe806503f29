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

/* Warnings */

static const struct column watched_row[] = {
    COLUMN(struct exposure_watched_row, bank_no),     COLUMN(struct exposure_watched_row, currency),
    COLUMN(struct exposure_watched_row, limit_minor), COLUMN(struct exposure_watched_row, used_minor),
    COLUMN(struct exposure_watched_row, level),       COLUMN(struct exposure_watched_row, business_date),
    COLUMN(struct exposure_watched_row, now),
};
const struct statement exposure_watched = {
    "exposure_watched",
    "SELECT e.bank_no, e.currency, e.limit_minor, e.used_minor, coalesce(w.level, 0) AS level, f.business_date, "
    "CASE WHEN f.test_clock = 'epoch' THEN now() ELSE f.test_clock END AS now "
    "FROM (SELECT bank_no, currency, max(limit_minor) AS limit_minor, sum(used_minor)::int8 AS used_minor "
    "FROM exposure GROUP BY bank_no, currency) e JOIN bank b ON b.bank_no = e.bank_no "
    "JOIN fence f ON f.bucket = 0 AND f.programme_no = b.programme_no "
    "LEFT JOIN exposure_watch w ON w.bank_no = e.bank_no AND w.currency = e.currency ORDER BY e.bank_no, e.currency",
    NULL,
    0,
    watched_row,
    COUNT(watched_row),
    sizeof(struct exposure_watched_row),
};
static const struct column watch_params[] = {
    COLUMN(struct exposure_watch_params, bank_no),
    COLUMN(struct exposure_watch_params, currency),
    COLUMN(struct exposure_watch_params, before),
    COLUMN(struct exposure_watch_params, level),
};
const struct statement exposure_watch_begin =
    COMMAND_STATEMENT("exposure_watch_begin",
                      "INSERT INTO exposure_watch (bank_no, currency, level) SELECT $1, $2, 0 "
                      "WHERE $3::int = 0 AND $4::int >= 0 ON CONFLICT DO NOTHING",
                      watch_params);
const struct statement exposure_watch_move = COMMAND_STATEMENT(
    "exposure_watch_move", "UPDATE exposure_watch SET level = $4 WHERE bank_no = $1 AND currency = $2 AND level = $3",
    watch_params);
static const struct column warn_params[] = {
    COLUMN(struct exposure_warn_params, bank_no),     COLUMN(struct exposure_warn_params, currency),
    COLUMN(struct exposure_warn_params, level),       COLUMN(struct exposure_warn_params, used_minor),
    COLUMN(struct exposure_warn_params, limit_minor), COLUMN(struct exposure_warn_params, business_date),
    COLUMN(struct exposure_warn_params, at),
};
const struct statement exposure_warn = COMMAND_STATEMENT(
    "exposure_warn",
    "INSERT INTO exposure_warning (bank_no, currency, level, used_minor, limit_minor, business_date, at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)",
    warn_params);
static const struct column forget_params[] = { COLUMN(struct exposure_forget_params, bank_no),
                                               COLUMN(struct exposure_forget_params, kept) };
const struct statement exposure_forget =
    COMMAND_STATEMENT("exposure_forget",
                      "DELETE FROM exposure_warning WHERE bank_no = $1 AND warning_no <= (SELECT warning_no "
                      "FROM exposure_warning WHERE bank_no = $1 ORDER BY warning_no DESC OFFSET $2 LIMIT 1)",
                      forget_params);
static const struct column warnings_params[] = { COLUMN(struct exposure_warnings_params, bank_no),
                                                 COLUMN(struct exposure_warnings_params, before_no),
                                                 COLUMN(struct exposure_warnings_params, limit) };
static const struct column warning_row[] = {
    COLUMN(struct exposure_warning_row, warning_no),  COLUMN(struct exposure_warning_row, currency),
    COLUMN(struct exposure_warning_row, level),       COLUMN(struct exposure_warning_row, used_minor),
    COLUMN(struct exposure_warning_row, limit_minor), COLUMN(struct exposure_warning_row, business_date),
    COLUMN(struct exposure_warning_row, at),
};
const struct statement exposure_warnings =
    STATEMENT("exposure_warnings",
              "SELECT warning_no, currency, level, used_minor, limit_minor, business_date, at FROM exposure_warning "
              "WHERE bank_no = $1 AND warning_no < $2 ORDER BY warning_no DESC LIMIT $3",
              warnings_params, warning_row, sizeof(struct exposure_warning_row));
