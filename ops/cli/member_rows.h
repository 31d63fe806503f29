/*
 * member_rows.h -- a line of a bank's member list as the row the server takes. Pure: what the server knows better
 * (lengths, characters, whether a member exists) is left to it. ops/mappings/README.md is the columns' reference.
 */
#ifndef CLI_MEMBER_ROWS_H
#define CLI_MEMBER_ROWS_H

#include "base/arena.h"
#include "io/rows.h"

enum { MEMBER_COLUMNS = 16 };

extern const struct row_column member_columns[MEMBER_COLUMNS];

/* An Alliance__V1__MemberRow of the values of member_columns, in the arena; NULL with err when the row is wrong. */
void *member_read(const char *const *values, int64_t row_number, struct arena *arena, struct error *err);

#endif
