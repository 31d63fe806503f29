/*
 * outbox_store.h -- rows that must be told to somebody outside, as the workers take and settle them.
 *
 * A worker leases one row at a time: nobody else takes it until the lease is over, so a worker that dies only delays
 * it. The attempt is counted when the row is taken. All times are the database's clock. Any number of workers may run.
 */
#ifndef STORE_OUTBOX_STORE_H
#define STORE_OUTBOX_STORE_H

#include "store/db.h"
#include "store/lane_store.h" /* enum outbox_topic */

struct outbox_lease {
    int32_t bucket; /* filled by outbox_take */
    struct uuid id;
    struct uuid redemption_id;
    int32_t merchant_no;
    int32_t attempts; /* this one included */
};

/* The number of buckets of the installation. */
bool outbox_buckets(struct db *db, int32_t *buckets, struct error *err) MUST_USE;
/* The row of the topic that has waited longest in the bucket, if one is due, leased for lease_ms. */
bool outbox_take(struct db *db, int32_t bucket, enum outbox_topic topic, int64_t lease_ms, struct outbox_lease *lease,
                 bool *found, struct error *err) MUST_USE;
/* It was told. */
bool outbox_done(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, struct error *err) MUST_USE;
/* Try again in delay_ms. why: a short cause without names or secrets. */
bool outbox_later(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, int64_t delay_ms,
                  const char *why, struct error *err) MUST_USE;
/* Nothing was tried: the attempt is given back. */
bool outbox_postpone(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, int64_t delay_ms,
                     struct error *err) MUST_USE;
/* Put aside: a person must look. */
bool outbox_bury(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, const char *why,
                 struct error *err) MUST_USE;

#endif
