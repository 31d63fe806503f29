#include "store/credit_store.h"

static const struct column params[] = { COLUMN(struct credit_params, bucket), COLUMN(struct credit_params, bank_no),
                                        COLUMN(struct credit_params, ages) };
static const struct column age_row[] = { COLUMN(struct credit_age_row, class_no), COLUMN(struct credit_age_row, points),
                                         COLUMN(struct credit_age_row, members) };
static const struct column sum_row[] = {
    COLUMN(struct credit_sum_row, business_date), COLUMN(struct credit_sum_row, used_points),
    COLUMN(struct credit_sum_row, used_members),  COLUMN(struct credit_sum_row, over_points),
    COLUMN(struct credit_sum_row, over_members),
};

#define OF_BANK                                                                                                        \
    "FROM bank b JOIN fence f ON f.bucket = $1 AND f.programme_no = b.programme_no "                                   \
    "LEFT JOIN account a ON a.bucket = $1 AND a.bank_no = b.bank_no AND a.credit_used > 0 "

const struct statement credit_by_age = STATEMENT(
    "credit_by_age",
    "SELECT width_bucket(greatest(f.business_date - d.drawn_on, 0)::int8, $3::int8[]) AS class_no, "
    "sum(d.points)::int8 AS points, count(DISTINCT a.member_id)::int8 AS members " OF_BANK
    "CROSS JOIN LATERAL (SELECT packed_date(a.credit, at) AS drawn_on, packed_int8(a.credit, at + 4) AS points "
    "FROM generate_series(28, length(a.credit) - 12, 12) at) d WHERE b.bank_no = $2 GROUP BY 1 ORDER BY 1",
    params, age_row, sizeof(struct credit_age_row));
const struct statement credit_sum =
    STATEMENT("credit_sum",
              "SELECT f.business_date, coalesce(sum(a.credit_used), 0)::int8 AS used_points, "
              "count(a.member_id)::int8 AS used_members, "
              "coalesce(sum(greatest(a.credit_used - a.credit_limit, 0)), 0)::int8 AS over_points, "
              "count(*) FILTER (WHERE a.credit_used > a.credit_limit)::int8 AS over_members " OF_BANK
              "WHERE b.bank_no = $2 AND $3::int8[] IS NOT NULL GROUP BY f.business_date",
              params, sum_row, sizeof(struct credit_sum_row));

static const struct column list_params[] = {
    COLUMN(struct credit_list_params, bucket),          COLUMN(struct credit_list_params, bank_no),
    COLUMN(struct credit_list_params, after_member_id), COLUMN(struct credit_list_params, min_age_days),
    COLUMN(struct credit_list_params, limit),
};
static const struct column list_row[] = {
    COLUMN(struct credit_list_row, business_date), COLUMN(struct credit_list_row, member_id),
    COLUMN(struct credit_list_row, member_ref),    COLUMN(struct credit_list_row, status),
    COLUMN(struct credit_list_row, credit_used),   COLUMN(struct credit_list_row, credit_limit),
    COLUMN(struct credit_list_row, credit),
};
/* The oldest draw stands first, behind the plan. All pages together read a bucket once. */
const struct statement credit_list = STATEMENT(
    "credit_list",
    "SELECT f.business_date, a.member_id, a.member_ref, a.status, a.credit_used, a.credit_limit, a.credit "
    "FROM bank b JOIN fence f ON f.bucket = $1 AND f.programme_no = b.programme_no "
    "JOIN account a ON a.bucket = $1 AND a.bank_no = b.bank_no AND a.credit_used > 0 AND a.member_id > $3 "
    "WHERE b.bank_no = $2 AND f.business_date - packed_date(a.credit, 28) >= $4 ORDER BY a.member_id LIMIT $5",
    list_params, list_row, sizeof(struct credit_list_row));
