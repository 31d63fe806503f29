/*
 * refusals.h -- rows that were not taken: said on standard error as file:line, and written to FILE.refused.csv with the
 * reason, so that they can be corrected and sent again.
 *
 * What looks like a card number is not written again, and what a spreadsheet would run gets a "'" before it. One thread
 * at a time.
 */
#ifndef IO_REFUSALS_H
#define IO_REFUSALS_H

#include "base/error.h"
#include "io/rows.h"

#include <stdint.h>
#include <stdio.h>

enum { REFUSALS_SHOWN = 50 }; /* lines on standard error; all are in the file */

/* A row's line number and values, kept beyond the next row. */
struct row_copy {
    int64_t line;
    const char **values; /* as many as the header has, of each line */
    size_t lines;        /* that the row is made of; 0 means 1 */
};

struct refusals {
    const char *path;                /* of the file read; borrowed */
    const char *to;                  /* where refused rows are written; NULL: FILE.refused.csv */
    const struct row_fields *header; /* borrowed */
    char separator;                  /* 0: a comma */
    bool mark;                       /* begin with a byte order mark: the file read is not in UTF-8, this one is */
    FILE *out;                       /* FILE.refused.csv; NULL until the first */
    FILE *err;
    int64_t count;
    bool broken; /* the file could not be written */
};

/* A FILE.refused.csv of an earlier run is removed. */
void refusals_init(struct refusals *refusals, const char *path, const struct row_fields *header, FILE *err);
/* The same with the refused rows in `to`, or as above when it is NULL, in that format. False, without a word written,
 * when `to` is the file that is read. */
bool refusals_init_as(struct refusals *refusals, const char *path, const char *to, const struct rows_format *format,
                      const struct row_fields *header, FILE *err) MUST_USE;
/* False when the file of refused rows could not be written whole. */
bool refusals_close(struct refusals *refusals);
/* row->values NULL: the line could not be taken apart, and is written as it is in the first column. */
void refusals_add(struct refusals *refusals, const struct row_copy *row, const char *text, const char *reason,
                  const char *detail);
void refusals_add_error(struct refusals *refusals, const struct row_copy *row, const char *text,
                        const struct error *err);

#endif
