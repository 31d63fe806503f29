/*
 * bank_rows.h -- a line of a bank's card spend as the row the server takes. Pure: what the server knows better
 * (lengths, characters, whether a member exists) is left to it.
 */
#ifndef CLI_BANK_ROWS_H
#define CLI_BANK_ROWS_H

#include "base/arena.h"
#include "io/rows.h"

enum { ACCRUAL_COLUMNS = 15 };

extern const struct row_column accrual_columns[ACCRUAL_COLUMNS];

/*
 * An Alliance__V1__AccrualRow in the arena; NULL with err when the row is wrong. pending_until is a date, or EVENT for
 * points that stay pending until MatureAccrual.
 */
void *accrual_read(const char *const *values, int64_t row_number, struct arena *arena, struct error *err);

#endif
