/*
 * pain001.h -- a batch of payouts as pain.001.001.10: what the operator's bank is asked to pay.
 *
 * EndToEndId is the statement's number (of a later part with ".2" and so on behind it), InstrId that and the attempt; a
 * block for each currency. Parties without an account are named by their code, which a bank will refuse: set the
 * account first.
 */
#ifndef SETTLEMENT_PAIN001_H
#define SETTLEMENT_PAIN001_H

#include "doc_store.h"
#include "new_file.h"
#include "pay_store.h"

struct pain001 {
    const struct pay_batch *batch;
    const struct pay_line *lines; /* by currency */
    size_t count;
    const struct doc_directory *directory;
};
bool pain001_write(struct new_file *file, const struct pain001 *from, struct error *err) MUST_USE;

#endif
