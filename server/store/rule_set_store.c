#include "store/rule_set_store.h"

#include "store/registry_store.h"

static const struct column request_params[] = {
    COLUMN(struct rule_set_request_params, bank_no),
    COLUMN(struct rule_set_request_params, request_id),
};
static const struct column request_row[] = {
    COLUMN(struct rule_set_request_row, number),
    COLUMN(struct rule_set_request_row, content_hash),
};
static const struct column bank_params[] = { COLUMN(struct registry_no_params, no) };
static const struct column number_row[] = { COLUMN(struct registry_number_row, no) };
static const struct column add_params[] = {
    COLUMN(struct rule_set_add_params, bank_no),    COLUMN(struct rule_set_add_params, number),
    COLUMN(struct rule_set_add_params, request_id), COLUMN(struct rule_set_add_params, content_hash),
    COLUMN(struct rule_set_add_params, document),   COLUMN(struct rule_set_add_params, drafted_by),
    COLUMN(struct rule_set_add_params, drafted_at),
};
static const struct column key_params[] = {
    COLUMN(struct rule_set_key_params, bank_no),
    COLUMN(struct rule_set_key_params, number),
    COLUMN(struct rule_set_key_params, version),
};
static const struct column row[] = {
    COLUMN(struct rule_set_row, number),       COLUMN(struct rule_set_row, version),
    COLUMN(struct rule_set_row, state),        COLUMN(struct rule_set_row, request_id),
    COLUMN(struct rule_set_row, content_hash), COLUMN(struct rule_set_row, document),
    COLUMN(struct rule_set_row, drafted_by),   COLUMN(struct rule_set_row, drafted_at),
    COLUMN(struct rule_set_row, approved_by),  COLUMN(struct rule_set_row, approved_at),
    COLUMN(struct rule_set_row, scheduled_by), COLUMN(struct rule_set_row, effective_from),
    COLUMN(struct rule_set_row, until),        COLUMN(struct rule_set_row, cancelled_by),
    COLUMN(struct rule_set_row, cancelled_at),
};
static const struct column page_params[] = {
    COLUMN(struct rule_set_page_params, bank_no),
    COLUMN(struct rule_set_page_params, after_number),
    COLUMN(struct rule_set_page_params, after_version),
    COLUMN(struct rule_set_page_params, limit),
};
static const struct column change_params[] = {
    COLUMN(struct rule_set_change_params, bank_no),      COLUMN(struct rule_set_change_params, number),
    COLUMN(struct rule_set_change_params, state),        COLUMN(struct rule_set_change_params, approved_by),
    COLUMN(struct rule_set_change_params, approved_at),  COLUMN(struct rule_set_change_params, scheduled_by),
    COLUMN(struct rule_set_change_params, version),      COLUMN(struct rule_set_change_params, effective_from),
    COLUMN(struct rule_set_change_params, cancelled_by), COLUMN(struct rule_set_change_params, cancelled_at),
};
static const struct column cancel_params[] = {
    COLUMN(struct rule_set_cancel_params, bank_no),
    COLUMN(struct rule_set_cancel_params, version),
};

/* Versions that are in force, were or will be, each until the next; and the rule sets, with theirs. */
#define VERSIONS                                                                                                       \
    "WITH versions AS (SELECT version, request_id, content_hash, effective_from, "                                     \
    "coalesce(lead(effective_from) OVER (ORDER BY version), '9999-12-31Z') AS until "                                  \
    "FROM exchange_rules WHERE bank_no = $1 AND NOT cancelled) "
#define SETS(document)                                                                                                 \
    "SELECT s.number, s.version, s.state, s.request_id, s.content_hash, " document " AS document, s.drafted_by, "      \
    "s.drafted_at, s.approved_by, s.approved_at, s.scheduled_by, s.effective_from, "                                   \
    "coalesce(v.until, '9999-12-31Z') AS until, s.cancelled_by, s.cancelled_at "                                       \
    "FROM rule_set s LEFT JOIN versions v ON v.version = s.version WHERE s.bank_no = $1 "
#define PUBLISHED                                                                                                      \
    "SELECT 0 AS number, v.version, 4::int2 AS state, v.request_id, v.content_hash, ''::bytea AS document, "           \
    "'' AS drafted_by, 'epoch'::timestamptz AS drafted_at, '' AS approved_by, 'epoch'::timestamptz AS approved_at, "   \
    "'' AS scheduled_by, v.effective_from, v.until, '' AS cancelled_by, 'epoch'::timestamptz AS cancelled_at "         \
    "FROM versions v WHERE NOT EXISTS (SELECT FROM rule_set s WHERE s.bank_no = $1 AND s.version = v.version) "

const struct statement rule_set_find_request = STATEMENT(
    "rule_set_find_request", "SELECT number, content_hash FROM rule_set WHERE bank_no = $1 AND request_id = $2",
    request_params, request_row, sizeof(struct rule_set_request_row));
const struct statement rule_set_last =
    STATEMENT("rule_set_last", "SELECT coalesce(max(number), 0) AS no FROM rule_set WHERE bank_no = $1", bank_params,
              number_row, sizeof(struct registry_number_row));
const struct statement rule_set_add = COMMAND_STATEMENT(
    "rule_set_add",
    "INSERT INTO rule_set (bank_no, number, request_id, content_hash, document, state, drafted_by, drafted_at) "
    "VALUES ($1, $2, $3, $4, $5, 1, $6, $7)",
    add_params);
const struct statement rule_set_find = STATEMENT(
    "rule_set_find",
    VERSIONS SETS("s.document") "AND (s.number = $2 OR ($2 = 0 AND $3 > 0 AND s.version = $3)) UNION ALL " PUBLISHED
                                "AND $2 = 0 AND v.version = $3",
    key_params, row, sizeof(struct rule_set_row));
const struct statement rule_set_list =
    STATEMENT("rule_set_list",
              VERSIONS SETS("''::bytea") "AND s.number > $2 UNION ALL " PUBLISHED
                                         "AND $2 = 0 AND v.version > $3 ORDER BY number, version LIMIT $4",
              page_params, row, sizeof(struct rule_set_row));
const struct statement rule_set_change = COMMAND_STATEMENT(
    "rule_set_change",
    "UPDATE rule_set SET state = $3, approved_by = $4, approved_at = $5, scheduled_by = $6, version = $7, "
    "effective_from = $8, cancelled_by = $9, cancelled_at = $10 WHERE bank_no = $1 AND number = $2",
    change_params);
const struct statement rule_set_cancel_version =
    COMMAND_STATEMENT("rule_set_cancel_version",
                      "UPDATE exchange_rules SET cancelled = true WHERE bank_no = $1 AND version = $2", cancel_params);
