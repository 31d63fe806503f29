/*
 * shipment_store.h -- shipments and their reports in the database: all the SQL of alliance-logistics.
 *
 * Times are the database's clock. Leases make it safe to run several workers; next_poll_at is a shipment's lease.
 */
#ifndef LOGISTICS_SHIPMENT_STORE_H
#define LOGISTICS_SHIPMENT_STORE_H

#include "shipment.h"
#include "store/db.h"
#include "store/outbox_store.h"

/* What a SHIPMENT row of the outbox asks for. Texts live in the arena. */
struct shipment_order {
    struct uuid id; /* the redemption's */
    struct uuid member_id;
    int32_t programme_no, carrier_no, merchant_no, goods_no;
    int64_t quantity;
    struct bytes ship_to; /* sealed */
    const char *goods_id, *goods_name, *adapter, *base_url, *carrier_id;
};

/* A shipment whose carrier is to be asked. */
struct shipment_due {
    int32_t bucket;
    struct uuid id;
    int32_t carrier_no;
    int32_t attempts; /* failures in a row */
    const char *waybill, *adapter, *base_url, *carrier_id;
};

bool shipment_load_order(struct db *db, const struct outbox_lease *lease, struct arena *arena,
                         struct shipment_order *order, bool *found, struct error *err) MUST_USE;
/* Makes the shipment's row, CREATED; one that is there already stays as it is. */
bool shipment_create(struct db *db, int32_t bucket, const struct shipment_order *order, struct error *err) MUST_USE;
/* BOOKED and the outbox row done, in one transaction. */
bool shipment_booked(struct db *db, const struct outbox_lease *lease, const char *waybill, int64_t poll_ms,
                     struct error *err) MUST_USE;
/* REFUSED and the outbox row put aside, in one transaction. */
bool shipment_refused(struct db *db, const struct outbox_lease *lease, const char *why, struct error *err) MUST_USE;

/* The shipment of the bucket that has waited longest to be asked about, leased for lease_ms. */
bool shipment_take_due(struct db *db, int32_t bucket, int64_t lease_ms, struct arena *arena, struct shipment_due *due,
                       bool *found, struct error *err) MUST_USE;
/* Stores reports not seen before and moves the head, in one transaction. *moved: whether the state changed. */
bool shipment_record(struct db *db, const struct shipment_due *due, struct tracking_event *reports, size_t count,
                     int64_t poll_ms, enum shipment_state *state, bool *moved, struct error *err) MUST_USE;
/* The carrier could not be asked; failures: 1 to count one, 0 when nothing was tried. */
bool shipment_ask_later(struct db *db, const struct shipment_due *due, int64_t delay_ms, int32_t failures,
                        struct error *err) MUST_USE;

#endif
