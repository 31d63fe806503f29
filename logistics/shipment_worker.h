/*
 * shipment_worker.h -- alliance-logistics at work: books shipments that the outbox asks for, and asks carriers where
 * parcels are.
 *
 * One thread, one database connection, one HTTP client: everything here belongs to the thread that calls it. Safe to
 * kill at any moment and to run several times over: at worst a carrier is asked twice.
 */
#ifndef LOGISTICS_SHIPMENT_WORKER_H
#define LOGISTICS_SHIPMENT_WORKER_H

#include "adapter.h"
#include "domain/retry.h"
#include "io/crypto.h"
#include "io/metrics.h"
#include "store/db.h"

enum { LOGISTICS_CARRIERS_MAX = 256 }; /* with a breaker of their own; the others share the last one */

struct logistics_options {
    int64_t http_timeout_ms;
    int64_t tracking_poll_ms; /* between two questions about one parcel */
    int64_t retry_base_ms;
    int32_t attempts_max; /* bookings; asking about a parcel never ends */
    bool allow_loopback;
};

struct logistics_metrics {
    struct metric *bookings, *trackings, *unknown_codes, *dropped_reports, *breakers_opened, *delivered;
};

struct logistics {
    struct db *db;                /* borrowed */
    const struct crypto_key *key; /* borrowed */
    struct http_client *http;     /* owned */
    struct logistics_options options;
    struct logistics_metrics metrics;
    int32_t buckets;
    struct {
        int32_t carrier_no;
        struct breaker breaker;
    } carriers[LOGISTICS_CARRIERS_MAX];
    size_t carrier_count;
};

/* Before metrics_serve. */
void logistics_register(struct logistics_metrics *out, struct metrics *metrics);

/* metrics may be NULL. Reads the number of buckets. */
bool logistics_init(struct logistics *logistics, struct db *db, const struct crypto_key *key,
                    const struct logistics_options *options, const struct logistics_metrics *metrics,
                    struct error *err) MUST_USE;
void logistics_release(struct logistics *logistics);

/* Asked between two rows: true to stop there. */
typedef bool logistics_stop(void *owner);
/*
 * One look at every bucket: at most one booking and one question in each. *handled: how many rows there were; 0 means
 * that it is time to wait. False when the database failed; partners' failures are part of the work.
 */
bool logistics_round(struct logistics *logistics, logistics_stop *stop, void *owner, size_t *handled,
                     struct error *err) MUST_USE;

#endif
