#include "store/review_store.h"

static const struct column ids_params[] = { COLUMN(struct ids_params, bucket), COLUMN(struct ids_params, ids) };
/* In the order of the composite type tier_review_write. */
static const struct column review_columns[] = {
    COLUMN(struct review_row, member_id),   COLUMN(struct review_row, rules_version),
    COLUMN(struct review_row, month),       COLUMN(struct review_row, months),
    COLUMN(struct review_row, currencies),  COLUMN(struct review_row, amounts),
    COLUMN(struct review_row, mark_tiers),  COLUMN(struct review_row, mark_months),
    COLUMN(struct review_row, mark_aheads),
};
const struct statement lane_load_reviews = STATEMENT(
    "lane_load_reviews",
    "SELECT member_id, rules_version, month, months, currencies, amounts, mark_tiers, mark_months, mark_aheads "
    "FROM tier_review WHERE bucket = $1 AND member_id = ANY ($2::uuid[])",
    ids_params, review_columns, sizeof(struct review_row));

static const struct record_type review_write = { "tier_review_write", review_columns, COUNT(review_columns),
                                                 sizeof(struct review_row) };
static const struct column put_params[] = { COLUMN(struct write_params, bucket),
                                            RECORDS(struct write_params, rows, &review_write) };
const struct statement lane_put_reviews = COMMAND_STATEMENT(
    "lane_put_reviews",
    "INSERT INTO tier_review SELECT $1, u.* FROM unnest($2::tier_review_write[]) u ON CONFLICT (bucket, member_id) DO "
    "UPDATE SET rules_version = EXCLUDED.rules_version, month = EXCLUDED.month, months = EXCLUDED.months, "
    "currencies = EXCLUDED.currencies, amounts = EXCLUDED.amounts, mark_tiers = EXCLUDED.mark_tiers, "
    "mark_months = EXCLUDED.mark_months, mark_aheads = EXCLUDED.mark_aheads",
    put_params);

/* In the order of the composite type tier_change_write. */
static const struct column change_columns[] = {
    COLUMN(struct tier_change_row, member_id),     COLUMN(struct tier_change_row, seq),
    COLUMN(struct tier_change_row, rules_version), COLUMN(struct tier_change_row, tier_before),
    COLUMN(struct tier_change_row, tier_after),    COLUMN(struct tier_change_row, judged_tier),
    COLUMN(struct tier_change_row, currency),      COLUMN(struct tier_change_row, spent_minor),
    COLUMN(struct tier_change_row, needed_minor),  COLUMN(struct tier_change_row, first_day),
};
static const struct record_type change_write = { "tier_change_write", change_columns, COUNT(change_columns),
                                                 sizeof(struct tier_change_row) };
static const struct column insert_params[] = { COLUMN(struct write_params, bucket),
                                               RECORDS(struct write_params, rows, &change_write) };
const struct statement lane_insert_tier_changes =
    COMMAND_STATEMENT("lane_insert_tier_changes",
                      "INSERT INTO tier_change SELECT $1, u.* FROM unnest($2::tier_change_write[]) u", insert_params);

/* Readers */

#define REVIEW_COLUMN(field)                                                                                           \
    {                                                                                                                  \
#field, KIND_OF(struct review_row, field), offsetof(struct review_found_row, review.field), NULL               \
    }
static const struct column find_params[] = { COLUMN(struct review_find_params, bucket),
                                             COLUMN(struct review_find_params, member_id) };
static const struct column found_columns[] = {
    COLUMN(struct review_found_row, status),
    COLUMN(struct review_found_row, tier),
    COLUMN(struct review_found_row, tier_due),
    COLUMN(struct review_found_row, business_date),
    COLUMN(struct review_found_row, now),
    REVIEW_COLUMN(member_id),
    REVIEW_COLUMN(rules_version),
    REVIEW_COLUMN(month),
    REVIEW_COLUMN(months),
    REVIEW_COLUMN(currencies),
    REVIEW_COLUMN(amounts),
    REVIEW_COLUMN(mark_tiers),
    REVIEW_COLUMN(mark_months),
    REVIEW_COLUMN(mark_aheads),
};
const struct statement review_find =
    STATEMENT("review_find",
              "SELECT a.status, a.tier, a.tier_due, f.business_date, CASE WHEN f.test_clock = 'epoch' THEN now() ELSE "
              "f.test_clock END AS now, a.member_id, coalesce(t.rules_version, 0) AS rules_version, "
              "coalesce(t.month, '1970-01-01') AS month, coalesce(t.months, '{}') AS months, "
              "coalesce(t.currencies, '{}') AS currencies, coalesce(t.amounts, '{}') AS amounts, "
              "coalesce(t.mark_tiers, '{}') AS mark_tiers, coalesce(t.mark_months, '{}') AS mark_months, "
              "coalesce(t.mark_aheads, '{}') AS mark_aheads FROM account a "
              "JOIN fence f ON f.bucket = a.bucket AND f.programme_no = a.programme_no "
              "LEFT JOIN tier_review t ON t.bucket = a.bucket AND t.member_id = a.member_id "
              "WHERE a.bucket = $1 AND a.member_id = $2",
              find_params, found_columns, sizeof(struct review_found_row));

static const struct column change_params[] = { COLUMN(struct tier_change_params, bucket),
                                               COLUMN(struct tier_change_params, member_id),
                                               COLUMN(struct tier_change_params, seq) };
const struct statement tier_change_find =
    STATEMENT("tier_change_find",
              "SELECT member_id, seq, rules_version, tier_before, tier_after, judged_tier, currency, spent_minor, "
              "needed_minor, first_day FROM tier_change WHERE bucket = $1 AND member_id = $2 AND seq = $3",
              change_params, change_columns, sizeof(struct tier_change_row));
