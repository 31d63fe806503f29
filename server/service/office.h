/*
 * office.h -- what handlers work with. Made and owned by main.c (or a test); borrowed by every call.
 */
#ifndef SERVICE_OFFICE_H
#define SERVICE_OFFICE_H

#include <stdbool.h>
#include <stdint.h>

struct clerks;
struct crypto_key;
struct lanes;
struct reference_source;

struct office {
    struct lanes *lanes;
    struct clerks *clerks;
    struct reference_source *reference;
    const struct crypto_key *data_key; /* seals personal data */
    int64_t hold_default_us;           /* how long a hold lives when the caller does not say */
    bool allow_loopback_partners;      /* http to loopback addresses is accepted for webhooks and carriers */
};

#endif
