/*
 * shipment_read.h -- shipments and their events, a page at a time. Written by alliance-logistics, not here.
 */
#ifndef STORE_SHIPMENT_READ_H
#define STORE_SHIPMENT_READ_H

#include "store/db.h"

/* Those after (after_id, after_bucket); ids are version 7, so this is the order of the holds. */
struct shipment_page_params {
    int32_t programme_no;
    struct uuid after_id;
    int32_t after_bucket;
    int32_t limit;
};
struct shipment_page_row {
    int32_t bucket;
    struct uuid id, member_id;
    const char *carrier_id, *goods_id, *waybill;
    int16_t state;
    int64_t quantity;
};
extern const struct statement shipment_list;

/* By bucket, shipment and time; events of shipments that were not asked for may be among them. */
struct shipment_events_params {
    struct int64_array buckets;
    struct uuid_array ids;
};
struct shipment_event_row {
    int32_t bucket;
    struct uuid shipment_id;
    struct instant event_at;
    int16_t state;
    const char *carrier_code, *remark;
};
extern const struct statement shipment_list_events;

#endif
