#include "store/shipment_read.h"

static const struct column page_params[] = {
    COLUMN(struct shipment_page_params, programme_no),
    COLUMN(struct shipment_page_params, after_id),
    COLUMN(struct shipment_page_params, after_bucket),
    COLUMN(struct shipment_page_params, limit),
};
static const struct column page_row[] = {
    COLUMN(struct shipment_page_row, bucket),    COLUMN(struct shipment_page_row, id),
    COLUMN(struct shipment_page_row, member_id), COLUMN(struct shipment_page_row, carrier_id),
    COLUMN(struct shipment_page_row, goods_id),  COLUMN(struct shipment_page_row, waybill),
    COLUMN(struct shipment_page_row, state),     COLUMN(struct shipment_page_row, quantity),
};
const struct statement shipment_list =
    STATEMENT("shipment_list",
              "SELECT s.bucket, s.id, r.member_id, c.carrier_id, g.goods_id, s.waybill, s.state, s.quantity "
              "FROM shipment s JOIN redemption r ON r.bucket = s.bucket AND r.id = s.id "
              "JOIN carrier c ON c.carrier_no = s.carrier_no JOIN goods g ON g.goods_no = s.goods_no "
              "WHERE s.programme_no = $1 AND (s.id, s.bucket) > ($2, $3) ORDER BY s.id, s.bucket LIMIT $4",
              page_params, page_row, sizeof(struct shipment_page_row));

static const struct column events_params[] = { COLUMN(struct shipment_events_params, buckets),
                                               COLUMN(struct shipment_events_params, ids) };
static const struct column event_row[] = {
    COLUMN(struct shipment_event_row, bucket),       COLUMN(struct shipment_event_row, shipment_id),
    COLUMN(struct shipment_event_row, event_at),     COLUMN(struct shipment_event_row, state),
    COLUMN(struct shipment_event_row, carrier_code), COLUMN(struct shipment_event_row, remark),
};
const struct statement shipment_list_events =
    STATEMENT("shipment_list_events",
              "SELECT bucket, shipment_id, event_at, state, carrier_code, remark FROM shipment_event "
              "WHERE bucket = ANY ($1::int8[]) AND shipment_id = ANY ($2::uuid[]) "
              "ORDER BY bucket, shipment_id, event_at, dedupe",
              events_params, event_row, sizeof(struct shipment_event_row));
