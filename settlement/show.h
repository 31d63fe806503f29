/*
 * show.h -- a period's statements as a short table on standard output.
 */
#ifndef SETTLEMENT_SHOW_H
#define SETTLEMENT_SHOW_H

#include "domain/period.h"
#include "sheet.h"

#include <stdio.h>

struct db;

/* The operator, the banks, and the merchants with the largest turnover. STATEMENT_NOT_FOUND before the close. */
bool show_period(struct db *db, const char *programme_id, const struct period *period, FILE *out,
                 struct error *err) MUST_USE;
/* The table itself; merchants past `most` are counted, not listed. The list is reordered. */
void show_table(struct sheet_list *list, size_t most, FILE *out);

#endif
