/*
 * row_source.h -- a bank's file as rows with our columns, one after the other: opened, inflated, decoded, taken apart,
 * mapped. Knows nothing of what is sent, or how.
 *
 * What is wrong with one row is said of that row, and reading goes on. What casts doubt on the whole file (damaged or
 * cut, too large, not in its encoding, a line without end) is an end too: SOURCE_BROKEN, and nothing of the file should
 * be used. So who sends reads it twice, the first time only to look. In memory there are two rows, lookups aside. One
 * thread.
 */
#ifndef IO_ROW_SOURCE_H
#define IO_ROW_SOURCE_H

#include "base/arena.h"
#include "io/crypto.h"
#include "io/file_in.h"
#include "io/mapping.h"
#include "io/refusals.h"
#include "io/rows.h"
#include "io/seen.h"

enum {
    SOURCE_ROWS_MAX = 5000000,
    SOURCE_LINES_MAX = 64, /* that make one row */
};

struct source_options {
    const char *path;
    const char *kind;                 /* what a mapping must be for: "members", "accruals" */
    const struct row_column *columns; /* ours; borrowed */
    size_t column_count;
    const char *mapping, *encoding, *key_file; /* NULL: none, as the mapping or the file says, none */
    int64_t max_mb;                            /* of the file, inflated */
};

/* One row: what we make of it, and the lines it is made from. */
struct source_row {
    const char *values[ROWS_COLUMNS_MAX]; /* of our columns; "" for those that are not there */
    struct row_copy copy;                 /* the file's own lines */
    const char *text;                     /* of a line that could not be taken apart */
    struct error err;                     /* why the row is refused; REASON_OK when it is good */
    struct arena arena;
};

struct row_source {
    struct source_options options;
    struct file_in in;
    struct rows rows;
    struct mapping mapping; /* when has_mapping */
    bool has_mapping, has_ahead;
    struct crypto_key key;
    struct source_row buffers[2], *row, *ahead;
    struct seen seen;
    int64_t lines; /* of rows, without the header's */
};

enum source_next {
    SOURCE_END,
    SOURCE_ROW,    /* source->row, until the next call */
    SOURCE_BAD,    /* the same, and row->err says what is wrong */
    SOURCE_BROKEN, /* row->err says what is wrong with the file, row->copy.line where */
};

/* err begins with the file's name and the line. */
bool row_source_open(struct row_source *source, const struct source_options *options, struct error *err) MUST_USE;
/* A zeroed one may be closed. */
void row_source_close(struct row_source *source);
/* From the first row again. */
bool row_source_rewind(struct row_source *source, struct error *err) MUST_USE;
enum source_next row_source_next(struct row_source *source) MUST_USE;
/* Reads all of it and goes back to the first row; false when it is broken. */
bool row_source_check(struct row_source *source, struct error *err) MUST_USE;
/* Always false; after SOURCE_BROKEN, err begins with the file's name and the line. */
bool row_source_broken(const struct row_source *source, struct error *err);
/* Says where in the file the field that err names stands: "credit_limit (column 2)". */
void row_source_place(const struct row_source *source, struct error *err);

#endif
