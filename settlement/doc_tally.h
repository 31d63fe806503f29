/*
 * doc_tally.h -- a pair's lines added up by day and by store while they pass, in bounded memory. Pure but for its
 * memory.
 */
#ifndef SETTLEMENT_DOC_TALLY_H
#define SETTLEMENT_DOC_TALLY_H

#include "doc.h"

enum { TALLY_DAYS = 400, TALLY_STORES = STORES_MAX + 1, TALLY_SLOTS = 2048 };

/* Large; lives in the close's one work. */
struct doc_tally {
    struct doc_sum days[TALLY_DAYS], stores[TALLY_STORES];
    size_t day_count, store_count;
    uint16_t slots[TALLY_SLOTS]; /* 1 + index of a store, by its label's hash; 0: free */
};

void doc_tally_begin(struct doc_tally *tally);
/* Days come in order. DOES_NOT_TIE when a sum does not fit, INTERNAL past the limits. */
bool doc_tally_line(struct doc_tally *tally, const struct sheet_line *line, struct error *err) MUST_USE;
/* Stores in order of their ids; borrowed from the tally. */
void doc_tally_end(struct doc_tally *tally, struct statement_doc *doc);

#endif
