#include "store/journal_read.h"

#define PROGRAMME_TIME "CASE WHEN f.test_clock = 'epoch' THEN now() ELSE f.test_clock END AS now"

const struct column journal_row_columns[JOURNAL_COLUMN_COUNT] = {
    COLUMN(struct journal_row, member_id),
    COLUMN(struct journal_row, seq),
    COLUMN(struct journal_row, business_date),
    COLUMN(struct journal_row, at),
    COLUMN(struct journal_row, kind),
    COLUMN(struct journal_row, points),
    COLUMN(struct journal_row, available_after),
    COLUMN(struct journal_row, held_after),
    COLUMN(struct journal_row, credit_used_after),
    COLUMN(struct journal_row, credit_limit_after),
    COLUMN(struct journal_row, ref),
    COLUMN(struct journal_row, redemption_id),
    COLUMN(struct journal_row, programme_no),
    COLUMN(struct journal_row, bank_no),
    COLUMN(struct journal_row, merchant_no),
    COLUMN(struct journal_row, store_no),
    COLUMN(struct journal_row, rules_version),
    COLUMN(struct journal_row, terms_version),
    COLUMN(struct journal_row, currency),
    COLUMN(struct journal_row, gross_minor),
    COLUMN(struct journal_row, commission_minor),
    COLUMN(struct journal_row, hash),
    COLUMN(struct journal_row, pending_after),
    COLUMN(struct journal_row, lots),
};

static const struct column member_params[] = { COLUMN(struct journal_member_params, bucket),
                                               COLUMN(struct journal_member_params, member_id) };
static const struct column member_row[] = {
    COLUMN(struct journal_member_row, programme_no),  COLUMN(struct journal_member_row, bank_no),
    COLUMN(struct journal_member_row, journal_seq),   COLUMN(struct journal_member_row, lots),
    COLUMN(struct journal_member_row, business_date), COLUMN(struct journal_member_row, now),
};
const struct statement journal_find_member =
    STATEMENT("journal_find_member",
              "SELECT a.programme_no, a.bank_no, a.journal_seq, a.lots, f.business_date, " PROGRAMME_TIME
              " FROM account a JOIN fence f ON f.bucket = a.bucket AND f.programme_no = a.programme_no "
              "WHERE a.bucket = $1 AND a.member_id = $2",
              member_params, member_row, sizeof(struct journal_member_row));

static const struct column page_params[] = {
    COLUMN(struct journal_page_params, bucket),
    COLUMN(struct journal_page_params, member_id),
    COLUMN(struct journal_page_params, seq),
    COLUMN(struct journal_page_params, limit),
};
const struct statement journal_after =
    STATEMENT("journal_after",
              "SELECT " JOURNAL_COLUMNS " FROM journal WHERE bucket = $1 AND member_id = $2 AND seq > $3 "
              "ORDER BY seq LIMIT $4",
              page_params, journal_row_columns, sizeof(struct journal_row));
const struct statement journal_before =
    STATEMENT("journal_before",
              "SELECT " JOURNAL_COLUMNS " FROM journal WHERE bucket = $1 AND member_id = $2 AND seq < $3 "
              "ORDER BY seq DESC LIMIT $4",
              page_params, journal_row_columns, sizeof(struct journal_row));

static const struct column at_params[] = { COLUMN(struct journal_at_params, bucket),
                                           COLUMN(struct journal_at_params, member_id),
                                           COLUMN(struct journal_at_params, at) };
/* Programme time never goes back within a member, so the first one found going back is the newest. */
const struct statement journal_newest_at =
    STATEMENT("journal_newest_at",
              "SELECT " JOURNAL_COLUMNS " FROM journal WHERE bucket = $1 AND member_id = $2 AND at <= $3 "
              "ORDER BY seq DESC LIMIT 1",
              at_params, journal_row_columns, sizeof(struct journal_row));

static const struct column redemption_params[] = { COLUMN(struct journal_redemption_params, bucket),
                                                   COLUMN(struct journal_redemption_params, id) };
static const struct column redemption_row[] = {
    COLUMN(struct journal_redemption_row, points),        COLUMN(struct journal_redemption_row, confirmed_points),
    COLUMN(struct journal_redemption_row, gross_minor),   COLUMN(struct journal_redemption_row, commission_minor),
    COLUMN(struct journal_redemption_row, business_date), COLUMN(struct journal_redemption_row, lapse_at),
    COLUMN(struct journal_redemption_row, one_step),      COLUMN(struct journal_redemption_row, line_count),
    COLUMN(struct journal_redemption_row, goods_no),      COLUMN(struct journal_redemption_row, tier),
};
const struct statement journal_find_redemption =
    STATEMENT("journal_find_redemption",
              "SELECT r.points, r.confirmed_points, r.gross_minor, r.commission_minor, r.business_date, r.lapse_at, "
              "r.one_step, (length(r.lines) / 80)::int8 AS line_count, r.goods_no, a.tier FROM redemption r "
              "JOIN account a ON a.bucket = r.bucket AND a.member_id = r.member_id WHERE r.bucket = $1 AND r.id = $2",
              redemption_params, redemption_row, sizeof(struct journal_redemption_row));

static const struct column reversed_params[] = {
    COLUMN(struct journal_reversed_params, bucket),
    COLUMN(struct journal_reversed_params, member_id),
    COLUMN(struct journal_reversed_params, redemption_id),
    COLUMN(struct journal_reversed_params, seq),
};
static const struct column reversed_row[] = { COLUMN(struct journal_reversed_row, points) };
const struct statement journal_reversed_before =
    STATEMENT("journal_reversed_before",
              "SELECT coalesce(sum(points), 0)::int8 AS points FROM journal "
              "WHERE bucket = $1 AND member_id = $2 AND redemption_id = $3 AND seq < $4 AND kind = 8",
              reversed_params, reversed_row, sizeof(struct journal_reversed_row));

static const struct column accrual_params[] = { COLUMN(struct journal_accrual_params, bucket),
                                                COLUMN(struct journal_accrual_params, id) };
static const struct column accrual_row[] = {
    COLUMN(struct journal_accrual_row, transaction_ref),
    COLUMN(struct journal_accrual_row, amount_minor),
    COLUMN(struct journal_accrual_row, currency),
    COLUMN(struct journal_accrual_row, points),
    COLUMN(struct journal_accrual_row, rules_version),
    COLUMN(struct journal_accrual_row, matures_on),
    COLUMN(struct journal_accrual_row, fixed_points),
    COLUMN(struct journal_accrual_row, category),
    COLUMN(struct journal_accrual_row, merchant_id),
    COLUMN(struct journal_accrual_row, channel),
    COLUMN(struct journal_accrual_row, paid_with_points_minor),
    COLUMN(struct journal_accrual_row, spent_on),
    COLUMN(struct journal_accrual_row, tier),
};
const struct statement journal_find_accrual = STATEMENT(
    "journal_find_accrual",
    "SELECT transaction_ref, amount_minor, currency, points, rules_version, matures_on, fixed_points, category, "
    "merchant_id, channel, paid_with_points_minor, spent_on, tier FROM accrual "
    "WHERE bucket = $1 AND id = $2",
    accrual_params, accrual_row, sizeof(struct journal_accrual_row));

static const struct column forecast_params[] = {
    COLUMN(struct journal_forecast_params, bucket),    COLUMN(struct journal_forecast_params, bank_no),
    COLUMN(struct journal_forecast_params, member_id), COLUMN(struct journal_forecast_params, first),
    COLUMN(struct journal_forecast_params, last),
};
static const struct column forecast_row[] = { COLUMN(struct journal_forecast_row, expires_on),
                                              COLUMN(struct journal_forecast_row, points),
                                              COLUMN(struct journal_forecast_row, members) };
/* Both take the same parameters; a member is one row of account, a bank a walk over its bucket's. */
#define FORECAST(which)                                                                                                \
    "SELECT l.expires_on, sum(l.points)::int8 AS points, count(DISTINCT a.member_id)::int8 AS members "                \
    "FROM account a, packed_lots(a.lots) l WHERE a.bucket = $1 AND a.bank_no = $2 AND " which                          \
    " AND l.expires_on BETWEEN $4 AND $5 GROUP BY l.expires_on ORDER BY l.expires_on"
const struct statement journal_forecast_member =
    STATEMENT("journal_forecast_member", FORECAST("a.member_id = $3"), forecast_params, forecast_row,
              sizeof(struct journal_forecast_row));
const struct statement journal_forecast_bank =
    STATEMENT("journal_forecast_bank", FORECAST("$3::uuid IS NOT NULL"), forecast_params, forecast_row,
              sizeof(struct journal_forecast_row));

static const struct column fence_params[] = { COLUMN(struct journal_fence_params, bucket),
                                              COLUMN(struct journal_fence_params, programme_no) };
static const struct column fence_row[] = { COLUMN(struct journal_fence_row, business_date) };
const struct statement journal_fence =
    STATEMENT("journal_fence", "SELECT business_date FROM fence WHERE bucket = $1 AND programme_no = $2", fence_params,
              fence_row, sizeof(struct journal_fence_row));

static const struct column notices_params[] = {
    COLUMN(struct journal_notices_params, bucket),        COLUMN(struct journal_notices_params, bank_no),
    COLUMN(struct journal_notices_params, business_date), COLUMN(struct journal_notices_params, after_member),
    COLUMN(struct journal_notices_params, after_expires), COLUMN(struct journal_notices_params, after_days),
    COLUMN(struct journal_notices_params, limit),
};
static const struct column notice_row[] = {
    COLUMN(struct journal_notice_row, member_id),  COLUMN(struct journal_notice_row, member_ref),
    COLUMN(struct journal_notice_row, expires_on), COLUMN(struct journal_notice_row, days_ahead),
    COLUMN(struct journal_notice_row, points),
};
const struct statement journal_notices =
    STATEMENT("journal_notices",
              "SELECT member_id, member_ref, expires_on, days_ahead, points FROM expiry_notice "
              "WHERE bucket = $1 AND bank_no = $2 AND business_date = $3 "
              "AND (member_id, expires_on, days_ahead) > ($4, $5, $6) "
              "ORDER BY member_id, expires_on, days_ahead LIMIT $7",
              notices_params, notice_row, sizeof(struct journal_notice_row));
