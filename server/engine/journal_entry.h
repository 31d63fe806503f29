/*
 * journal_entry.h -- a row of the journal as the entry it was written from, and the hash it must have.
 */
#ifndef ENGINE_JOURNAL_ENTRY_H
#define ENGINE_JOURNAL_ENTRY_H

#include "domain/entry.h"
#include "io/crypto.h"
#include "store/journal_read.h"

/* false when a column holds what no entry has; lots stay in the row. */
bool journal_entry(const struct journal_row *row, struct entry *entry) MUST_USE;
/* As domain/entry.h has it; lots are packed. */
void journal_hash(const uint8_t previous[CRYPTO_HASH], const struct entry *entry, struct bytes lots,
                  uint8_t hash[CRYPTO_HASH]);

#endif
