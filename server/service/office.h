/*
 * office.h -- what handlers work with. Made and owned by main.c (or a test); borrowed by every call.
 */
#ifndef SERVICE_OFFICE_H
#define SERVICE_OFFICE_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct clerks;
struct crypto_key;
struct lanes;
struct reference_source;

struct office {
    /*
     * The database has been read once. While false, what stands up to reference may not be looked at, and calls that
     * need it are answered DATABASE_UNREACHABLE. Set last, never cleared.
     */
    atomic_bool open;
    struct lanes *lanes;
    struct clerks *clerks;
    struct reference_source *reference;
    const struct crypto_key *data_key; /* seals personal data */
    int64_t hold_default_us;           /* how long a hold lives when the caller does not say */
    int64_t adjust_limit_points;       /* a correction by hand of more waits for a second person */
    int64_t rules_lead_s;              /* how far ahead of programme time a rule set is scheduled at least */
    atomic_int back_tests;             /* under way; BACK_TESTS_MAX at most */
    int32_t back_test_events;          /* about how many a back-test reads at a time; 0: as many as pay */
    bool allow_loopback_partners;      /* http to loopback addresses is accepted for webhooks and carriers */
};

/* false (DATABASE_UNREACHABLE) until the office is open. */
static inline bool office_is_open(const struct office *office, struct error *err)
{
    return atomic_load_explicit(&office->open, memory_order_acquire) ||
           error_set(err, REASON_DATABASE_UNREACHABLE, "%s", "");
}

#endif
