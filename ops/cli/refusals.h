/*
 * refusals.h -- rows that were not taken: said on standard error as file:line, and written to FILE.refused.csv with the
 * reason, so that they can be corrected and sent again.
 *
 * What looks like a card number is not written again. One thread at a time.
 */
#ifndef CLI_REFUSALS_H
#define CLI_REFUSALS_H

#include "rows.h"

#include "base/error.h"

#include <stdint.h>
#include <stdio.h>

enum { REFUSALS_SHOWN = 50 }; /* lines on standard error; all are in the file */

/* A row's line number and values, kept beyond the next row. */
struct row_copy {
    int64_t line;
    const char **values; /* as many as the header has */
};

struct refusals {
    const char *path;                /* of the file read; borrowed */
    const struct row_fields *header; /* borrowed */
    FILE *out;                       /* FILE.refused.csv; NULL until the first */
    FILE *err;
    int64_t count;
    bool broken; /* the file could not be written */
};

/* A FILE.refused.csv of an earlier run is removed. */
void refusals_init(struct refusals *refusals, const char *path, const struct row_fields *header, FILE *err);
/* False when the file of refused rows could not be written whole. */
bool refusals_close(struct refusals *refusals);
/* row->values NULL: the line could not be taken apart, and is written as it is in the first column. */
void refusals_add(struct refusals *refusals, const struct row_copy *row, const char *text, const char *reason,
                  const char *detail);
void refusals_add_error(struct refusals *refusals, const struct row_copy *row, const char *text,
                        const struct error *err);

#endif
