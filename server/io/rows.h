/*
 * rows.h -- a CSV file as rows with named columns; what is wrong with a row is said of that row, and reading goes on.
 *
 * A row is one line: a quoted field may hold commas and quotes, but no line break. Values are valid UTF-8, whatever the
 * file is written in. One thread.
 */
#ifndef IO_ROWS_H
#define IO_ROWS_H

#include "base/error.h"
#include "io/encoding.h"
#include "io/lines.h"

enum {
    ROWS_COLUMNS_MAX = 64,
    ROWS_FIELD_MAX = 4 * 1024,                /* bytes of a value, as UTF-8 */
    ROWS_LINE_MAX = 64 * 1024,                /* bytes of a line, as in the file */
    ROWS_TEXT_MAX = ROWS_LINE_MAX / 2 * 3 + 2 /* of it as UTF-8: two bytes of GB18030 may become three */
};

/* What is particular about a file; NULL or zeroed: commas and UTF-8. */
struct rows_format {
    char separator; /* 0: a comma */
    enum encoding encoding;
    bool strict; /* a value has at most ROWS_FIELD_MAX bytes, and nothing is read after a line that is too long */
};

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
    struct rows_format format;
    struct decoder decoder;
    const struct row_column *columns; /* borrowed; NULL: whatever the header says */
    size_t column_count;
    struct row_fields header, row;
    int place[ROWS_COLUMNS_MAX]; /* of each column among the header's, or -1 */
    char *header_text, *row_text, *decoded;
    const char *text; /* the present line as UTF-8; cut at its first bad byte */
    bool spoiled; /* the bad line casts doubt on the whole file: too long, cut, or not in the encoding it should be */
};

enum rows_next {
    ROWS_END,
    ROWS_ROW,
    ROWS_BAD, /* err says why; rows->text is the line, and the row has no values */
};

/* Reads the header: a required column that lacks, or one that is not known, is an error. "reason" and "detail", which
 * refused files have, are passed over. */
bool rows_open(struct rows *rows, FILE *file, const struct row_column *columns, size_t column_count,
               struct error *err) MUST_USE;
/* The same of a file in that format, borrowed only for the call. A byte order mark makes any file UTF-8. */
bool rows_open_as(struct rows *rows, FILE *file, const struct rows_format *format, const struct row_column *columns,
                  size_t column_count, struct error *err) MUST_USE;
void rows_close(struct rows *rows);
/* Blank lines are skipped. */
enum rows_next rows_read(struct rows *rows, struct error *err) MUST_USE;
/* The present row's value in columns[i]; "" when the header lacks the column. */
const char *rows_value(const struct rows *rows, size_t i);
/* Would a spreadsheet take the value for a formula and run it? "=1+1", "@x", "+cmd|..."; not "-5", nor "+86 10". */
bool rows_formula(const char *value);
/* One line of CSV with the fields quoted where needed. */
void rows_write(FILE *out, const char *const *fields, size_t count);
void rows_write_as(FILE *out, char separator, const char *const *fields, size_t count);

#endif
