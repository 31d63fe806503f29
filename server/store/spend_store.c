#include "store/spend_store.h"

static const struct column days_params[] = { COLUMN(struct spend_days_params, programmes),
                                             COLUMN(struct spend_days_params, times) };
static const struct column day_columns[] = { COLUMN(struct spend_day_row, spent_on) };
const struct statement lane_load_spend_days = STATEMENT(
    "lane_load_spend_days",
    "SELECT ((timestamptz 'epoch' + t.us * interval '1 microsecond') AT TIME ZONE p.time_zone)::date AS spent_on "
    "FROM unnest($1::int8[], $2::int8[]) WITH ORDINALITY t(programme_no, us, n) "
    "JOIN programme p ON p.programme_no = t.programme_no ORDER BY t.n",
    days_params, day_columns, sizeof(struct spend_day_row));

static const struct column ids_params[] = { COLUMN(struct ids_params, bucket), COLUMN(struct ids_params, ids) };
static const struct column count_columns[] = {
    COLUMN(struct earn_count_row, member_id),  COLUMN(struct earn_count_row, counted_on),
    COLUMN(struct earn_count_row, day_points), COLUMN(struct earn_count_row, month_points),
    COLUMN(struct earn_count_row, rules),
};
const struct statement lane_load_earn_counts =
    STATEMENT("lane_load_earn_counts",
              "SELECT member_id, counted_on, day_points, month_points, rules FROM earn_count WHERE bucket = $1 AND "
              "member_id = ANY ($2::uuid[])",
              ids_params, count_columns, sizeof(struct earn_count_row));

static const struct record_type count_write = { "earn_count_write", count_columns, COUNT(count_columns),
                                                sizeof(struct earn_count_row) };
static const struct column put_params[] = { COLUMN(struct write_params, bucket),
                                            RECORDS(struct write_params, rows, &count_write) };
const struct statement lane_put_earn_counts = COMMAND_STATEMENT(
    "lane_put_earn_counts",
    "INSERT INTO earn_count SELECT $1, u.* FROM unnest($2::earn_count_write[]) u ON CONFLICT (bucket, member_id) DO "
    "UPDATE SET counted_on = EXCLUDED.counted_on, day_points = EXCLUDED.day_points, "
    "month_points = EXCLUDED.month_points, rules = EXCLUDED.rules",
    put_params);
