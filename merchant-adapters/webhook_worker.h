/*
 * webhook_worker.h -- alliance-merchants at work: tells merchants of what happened to their redemptions.
 *
 * One thread, one database connection, one HTTP client: everything here belongs to the thread that calls it. At least
 * once: a merchant deduplicates by webhook-id, which is the outbox row's uuid and the same for every attempt. Only 2xx
 * is success; 410 disables the merchant's endpoint; everything else is tried again by the schedule, then put aside.
 */
#ifndef MERCHANTS_WEBHOOK_WORKER_H
#define MERCHANTS_WEBHOOK_WORKER_H

#include "domain/retry.h"
#include "io/crypto.h"
#include "io/http.h"
#include "io/metrics.h"
#include "store/db.h"

enum { MERCHANTS_MAX = 1024 }; /* with a breaker of their own; the others share the last one */

struct merchants_options {
    int64_t http_timeout_ms;
    int64_t retry_base_ms; /* the first wait of the schedule; the others stretch or shrink with it */
    int32_t attempts_max;
    bool allow_loopback;
};

struct merchants_metrics {
    struct metric *deliveries, *exchange_ms, *breakers_opened;
};

struct merchants {
    struct db *db;                /* borrowed */
    const struct crypto_key *key; /* borrowed */
    struct http_client *http;     /* owned */
    struct merchants_options options;
    struct merchants_metrics metrics;
    int32_t buckets;
    struct merchant_breaker {
        int32_t merchant_no;
        struct breaker breaker;
    } breakers[MERCHANTS_MAX];
    size_t breaker_count;
};

/* Before metrics_serve. */
void merchants_register(struct merchants_metrics *out, struct metrics *metrics);

/* metrics may be NULL. Reads the number of buckets. */
bool merchants_init(struct merchants *merchants, struct db *db, const struct crypto_key *key,
                    const struct merchants_options *options, const struct merchants_metrics *metrics,
                    struct error *err) MUST_USE;
void merchants_release(struct merchants *merchants);

/* Asked between two rows: true to stop there. */
typedef bool merchants_stop(void *owner);
/*
 * One look at every bucket: at most one message from each. *handled: how many there were; 0 means that it is time to
 * wait. False when the database failed; merchants' failures are part of the work.
 */
bool merchants_round(struct merchants *merchants, merchants_stop *stop, void *owner, size_t *handled,
                     struct error *err) MUST_USE;

#endif
