/*
 * lookup.h -- a second file that a mapping takes values from: read whole into memory, within a limit, and found by key.
 */
#ifndef IO_LOOKUP_H
#define IO_LOOKUP_H

#include "base/arena.h"
#include "io/rows.h"

#include <stdint.h>

enum {
    LOOKUPS_MAX = 4,
    LOOKUP_ROWS_MAX = 1000000,
    LOOKUP_BYTES_MAX = 256 * 1024 * 1024,
    LOOKUP_COLUMNS_MAX = 16, /* of it that are used */
};

struct lookup_row {
    const char *key; /* NULL: this place in the table is free */
    const char *values[LOOKUP_COLUMNS_MAX];
};

struct lookup {
    const char *name, *file, *key, *by; /* borrowed from the mapping; key NULL: rows are numbered from 0 */
    int by_place;                       /* of `by` in the main file's header */
    bool needed;                        /* a row whose key is not there is refused */
    struct rows_format format;
    const char *columns[LOOKUP_COLUMNS_MAX];
    size_t column_count;
    struct lookup_row *table; /* open addressing */
    size_t table_size, count; /* a power of two; rows */
    struct arena arena;
};

/* Room for a column that will be asked for; its number, or -1 when there are too many. */
int lookup_column(struct lookup *lookup, const char *name);
/* Reads the file that lies in the same folder as `beside`. */
bool lookup_read(struct lookup *lookup, const char *beside, struct error *err) MUST_USE;
/* NULL when no row has that key. */
const struct lookup_row *lookup_find(const struct lookup *lookup, const char *key);
void lookup_close(struct lookup *lookup);

#endif
