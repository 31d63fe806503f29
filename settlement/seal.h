/*
 * seal.h -- what a closed day of one bucket consists of: how many entries, their points, and a chained hash. Pure.
 *
 * Begin with 32 zero bytes; for each entry, in order of (member_id, seq):
 *     hash = SHA-256(hash, entry_encode(entry), the entry's own hash)
 * so that an entry changed in any column, added, taken away or moved shows.
 */
#ifndef SETTLEMENT_SEAL_H
#define SETTLEMENT_SEAL_H

#include "base/error.h"
#include "domain/entry.h"
#include "io/crypto.h"

struct seal {
    int64_t entry_count;
    int64_t points; /* sum over all kinds of entry; a check figure, not a balance */
    uint8_t hash[CRYPTO_HASH];
};

/* A zeroed seal is that of an empty day. False when the sum does not fit. */
bool seal_add(struct seal *seal, const struct entry *entry) MUST_USE;
/* What differs, as a word for people; NULL when they are equal. */
const char *seal_difference(const struct seal *a, const struct seal *b);

#endif
