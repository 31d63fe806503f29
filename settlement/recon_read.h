/*
 * recon_read.h -- a counterparty's file, in any of the formats that are known, as records.
 *
 * A file is taken whole or not at all: what cannot be read, or does not add up to what it says itself, is refused with
 * the file, the line and the place in it, and then nothing of what was given out counts.
 */
#ifndef SETTLEMENT_RECON_READ_H
#define SETTLEMENT_RECON_READ_H

#include "recon_record.h"

enum { RECON_LINE_MAX = 16 * 1024 }; /* bytes of a line, CSV apart */

struct recon_file {
    const char *path;
    const char *mapping;  /* CSV only; NULL for none: the file has our columns */
    const char *encoding; /* CSV only; NULL: as the mapping or the file says */
    bool confirm_debits;  /* account statements: a debit is a confirmation, a credit a reversal */
    int64_t max_mb;
};

typedef bool recon_take(void *owner, const struct recon_record *record, struct error *err);
typedef bool recon_reader(const struct recon_file *file, recon_take *take, void *owner, struct error *err);

recon_reader recon_read_csv, recon_read_bai2, recon_read_mt940, recon_read_camt;

/* By name, such as "csv"; NULL when there is none of that name. */
recon_reader *recon_reader_named(const char *name);
/* "csv|bai2|mt940|camt053" */
const char *recon_reader_names(void);

#endif
