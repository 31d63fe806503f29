/*
 * rows.h -- a CSV file as rows with named columns; what is wrong with a row is said of that row, and reading goes on.
 *
 * A row is one line: a quoted field may hold commas and quotes, but no line break. Values are valid UTF-8. Not for
 * files of others' making with separators of their own. One thread.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "lines.h"

#include "base/error.h"

enum { ROWS_COLUMNS_MAX = 64, ROWS_LINE_MAX = 64 * 1024 };

struct row_column {
    const char *name;
    bool required; /* the header must have it */
};

struct row_fields {
    char *at[ROWS_COLUMNS_MAX]; /* into the reader's buffer, until the next row */
    size_t count;
};

struct rows {
    struct lines lines;
    const struct row_column *columns; /* borrowed; NULL: whatever the header says */
    size_t column_count;
    struct row_fields header, row;
    int place[ROWS_COLUMNS_MAX]; /* of each column among the header's, or -1 */
    char *header_text, *row_text;
};

enum rows_next {
    ROWS_END,
    ROWS_ROW,
    ROWS_BAD, /* err says why; rows->lines.text is the line, and the row has no values */
};

/* Reads the header: a required column that lacks, or one that is not known, is an error. "reason" and "detail", which
 * refused files have, are passed over. */
bool rows_open(struct rows *rows, FILE *file, const struct row_column *columns, size_t column_count,
               struct error *err) MUST_USE;
void rows_close(struct rows *rows);
/* Blank lines are skipped. */
enum rows_next rows_read(struct rows *rows, struct error *err) MUST_USE;
/* The present row's value in columns[i]; "" when the header lacks the column. */
const char *rows_value(const struct rows *rows, size_t i);
/* One line of CSV with the fields quoted where needed. */
void rows_write(FILE *out, const char *const *fields, size_t count);

#endif
