#include "webhook_store.h"

struct load_params {
    int32_t bucket;
    struct uuid id, redemption_id;
    int32_t merchant_no;
};
static const struct column load_params[] = { COLUMN(struct load_params, bucket), COLUMN(struct load_params, id),
                                             COLUMN(struct load_params, redemption_id),
                                             COLUMN(struct load_params, merchant_no) };
static const struct column load_columns[] = {
    COLUMN(struct webhook_order, redemption_id),
    COLUMN(struct webhook_order, member_id),
    COLUMN(struct webhook_order, kind),
    COLUMN(struct webhook_order, points),
    COLUMN(struct webhook_order, gross_minor),
    COLUMN(struct webhook_order, currency),
    COLUMN(struct webhook_order, business_date),
    COLUMN(struct webhook_order, at),
    COLUMN(struct webhook_order, merchant_id),
    COLUMN(struct webhook_order, store_id),
    COLUMN(struct webhook_order, webhook_url),
    COLUMN(struct webhook_order, webhook_secret),
    COLUMN(struct webhook_order, webhook_enabled),
};
static const struct statement load = STATEMENT(
    "webhook_load",
    "SELECT r.id AS redemption_id, r.member_id, o.kind, o.points, o.gross_minor, o.currency, o.business_date, o.at, "
    "m.merchant_id, coalesce(s.store_id, '') AS store_id, m.webhook_url, m.webhook_secret, m.webhook_enabled "
    "FROM operation o JOIN redemption r ON r.bucket = o.bucket AND r.id = $3 "
    "JOIN merchant m ON m.merchant_no = $4 LEFT JOIN store s ON s.store_no = r.store_no "
    "WHERE o.bucket = $1 AND o.id = $2",
    load_params, load_columns, sizeof(struct webhook_order));

bool webhook_load(struct db *db, const struct outbox_lease *lease, struct arena *arena, struct webhook_order *order,
                  bool *found, struct error *err)
{
    const struct load_params params = { lease->bucket, lease->id, lease->redemption_id, lease->merchant_no };

    return db_fetch_one(db, &load, &params, arena, order, found, err);
}

struct disable_params {
    int32_t merchant_no;
};
static const struct column disable_params[] = { COLUMN(struct disable_params, merchant_no) };
static const struct statement disable = COMMAND_STATEMENT(
    "webhook_disable", "UPDATE merchant SET webhook_enabled = false WHERE merchant_no = $1", disable_params);

bool webhook_disable(struct db *db, int32_t merchant_no, struct error *err)
{
    const struct disable_params params = { merchant_no };

    return db_execute(db, &disable, &params, NULL, err);
}
