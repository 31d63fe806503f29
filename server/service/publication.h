/*
 * publication.h -- the next version of something that has versions: a bank's exchange rules, a merchant's terms.
 *
 * Versions count from 1 without gaps and take effect in their order, never in the past. A request_id makes one version,
 * for ever. Called within errand_write only, whose lock keeps two publications apart.
 */
#ifndef SERVICE_PUBLICATION_H
#define SERVICE_PUBLICATION_H

#include "base/uuid.h"
#include "io/crypto.h"
#include "service/errand.h"

struct statement;

struct publication {
    const struct statement *find, *last; /* by request_id; the newest */
    int32_t owner, programme_no;         /* owner: bank_no or merchant_no */
    struct uuid request_id;
    uint8_t hash[CRYPTO_HASH];
    const struct instant *asked; /* effective_from; NULL means now */
    const char *within;          /* the message that holds effective_from, for errors; NULL: the request itself */
    /* The answer: */
    bool repeated; /* the version is there already */
    int32_t version;
    struct instant effective_from;
};

/* REQUEST_ID_REUSED, EFFECTIVE_TOO_EARLY. When true and not repeated, errand_changes was called: write the version. */
bool publication_decide(struct errand *errand, struct publication *publication, struct error *err) MUST_USE;

#endif
