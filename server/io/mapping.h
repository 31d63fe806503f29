/*
 * mapping.h -- how a file that a bank has anyway becomes the file we document: a JSON document that says, for each
 * column of ours, where its value comes from and what is done to it. ops/mappings/README.md is its reference.
 *
 * It works on text: after it, a row looks as if the file had had our header. It is data and no language: nothing in it
 * loops, and everything in it has a limit. Read once and not changed afterwards.
 */
#ifndef IO_MAPPING_H
#define IO_MAPPING_H

#include "base/arena.h"
#include "base/error.h"
#include "io/lookup.h"
#include "io/rows.h"

enum {
    MAPPING_BYTES_MAX = 64 * 1024, /* of the document */
    MAPPING_FROM_MAX = 4,          /* columns that one value is put together from */
    MAPPING_WORDS_MAX = 256,       /* of one column's map */
    MAPPING_CHECKS_MAX = 8,
    MAPPING_RATIO_MAX = 1000000, /* points a unit of money, either part */
};

/* What becomes of a column when several lines make one row. */
enum mapping_combine {
    COMBINE_SAME, /* it must be the same on all of them */
    COMBINE_FIRST,
    COMBINE_SUM,
    COMBINE_MOST,
    COMBINE_LIST, /* all, with "|" between */
};

enum mapping_lines {
    LINES_EACH,     /* a row each */
    LINES_ADJACENT, /* those that follow each other with one value in our first column */
    LINES_FIRST,    /* the first of each value in our first column, the others are passed over */
};

struct mapping_word {
    const char *from, *to;
};

/* How one value is made, in this order. All texts belong to the mapping. */
struct mapping_value {
    const char *name;                   /* the column of ours, or what a check is called in errors */
    const char *from[MAPPING_FROM_MAX]; /* columns of the file, or of the lookup */
    int place[MAPPING_FROM_MAX];        /* of these in the file's header */
    size_t from_count;                  /* 0: a constant */
    int lookup;                         /* -1: the file itself */
    const char *between, *constant;     /* NULL: none */
    const char *empty;                  /* stands for an empty value */
    bool money;                         /* "$24,295.50" becomes whole points */
    const char *money_sign;             /* taken off, when it is there */
    int64_t points, units;              /* points for so many units of money */
    bool round_down;                    /* else what is no whole number of points is refused */
    const char *date;                   /* the format, such as "YYMMDD"; becomes "YYYY-MM-DD" */
    struct mapping_word *words;         /* only these values are known ... */
    size_t word_count;                  /* 0: any */
    const char *other_word;             /* ... unless this stands for all others */
    bool tokenise;                      /* a card number becomes its token */
    const char *prefix, *suffix;
    enum mapping_combine combine;
};

struct mapping {
    void *document; /* json_t; the texts */
    struct rows_format format;
    enum mapping_lines lines;
    struct mapping_value columns[ROWS_COLUMNS_MAX]; /* as many as ours; one without name is not given */
    size_t column_count;
    struct mapping_value checks[MAPPING_CHECKS_MAX];
    size_t check_count;
    struct lookup lookups[LOOKUPS_MAX];
    size_t lookup_count;
    bool never[ROWS_COLUMNS_MAX]; /* columns of the file that are not written again, such as a CVV */
    bool needs_key;
    struct arena arena;
};

/* Reads the document for our columns of that kind ("members", "accruals"); lookups are opened by mapping_attach. */
bool mapping_open(struct mapping *mapping, const char *path, const char *kind, const struct row_column *columns,
                  size_t column_count, struct error *err) MUST_USE;
/* Finds the mapping's columns in the file's header, which must have no others, and reads the lookups beside the file.
 */
bool mapping_attach(struct mapping *mapping, const struct row_fields *header, const char *path,
                    struct error *err) MUST_USE;
/* A zeroed one may be closed. */
void mapping_close(struct mapping *mapping);

#endif
