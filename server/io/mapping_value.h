/*
 * mapping_value.h -- one value of a row as a mapping makes it. Pure, but for memory of the arena.
 */
#ifndef IO_MAPPING_VALUE_H
#define IO_MAPPING_VALUE_H

#include "io/crypto.h"
#include "io/mapping.h"

/* What values of one row are made from. */
struct mapping_row {
    const struct mapping *mapping;
    const struct row_fields *row;
    const struct lookup_row *found[LOOKUPS_MAX]; /* NULL: the lookup has no such key */
    const struct crypto_key *key;                /* NULL: none was given */
};

/* Looks up what the row's keys say; false, with the field, when a needed one is not there. */
bool mapping_row_init(struct mapping_row *row, const struct mapping *mapping, const struct row_fields *fields,
                      const struct crypto_key *key, struct error *err) MUST_USE;
/* err names the column of the file. */
bool mapping_value_make(const struct mapping_row *row, const struct mapping_value *value, struct arena *arena,
                        const char **out, struct error *err) MUST_USE;
/* "YYMMDD" and the like: Y, M, D, h, m, s are digits, all else is itself; without a day it is the month's last.
 * Two digits of year are of the years 1900 to 1999; "+50" at the end: the month of a woman's birth number has 50 more.
 */
bool mapping_date(const char *format, const char *text, char out[11]) MUST_USE;
/* Exact: text may have thousands separators (commas) and up to 6 decimals. */
bool mapping_money(const struct mapping_value *value, const char *text, int64_t *points, struct error *err) MUST_USE;
/* What two lines' values of one column become; NULL when they cannot be one, with err, or when memory is out. */
const char *mapping_combine(const struct mapping_value *value, const char *one, const char *other, struct arena *arena,
                            struct error *err);

#endif
