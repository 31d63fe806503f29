/*
 * webhook_store.h -- what a WEBHOOK row of the outbox is about: all the SQL of alliance-merchants beside the outbox's.
 */
#ifndef MERCHANTS_WEBHOOK_STORE_H
#define MERCHANTS_WEBHOOK_STORE_H

#include "store/db.h"
#include "store/outbox_store.h"

/* Texts and bytes live in the arena. */
struct webhook_order {
    struct uuid redemption_id, member_id;
    int16_t kind; /* of the write: operation.kind */
    int64_t points, gross_minor;
    const char *currency;
    struct date business_date;
    struct instant at; /* programme time of the write */
    const char *merchant_id, *store_id, *webhook_url;
    struct bytes webhook_secret; /* sealed */
    bool webhook_enabled;
};

bool webhook_load(struct db *db, const struct outbox_lease *lease, struct arena *arena, struct webhook_order *order,
                  bool *found, struct error *err) MUST_USE;
/* The merchant's endpoint said that it is gone; its other rows find it disabled. */
bool webhook_disable(struct db *db, int32_t merchant_no, struct error *err) MUST_USE;

#endif
