/*
 * recon_report.h -- breaks for people: a table, one in full, a CSV file for a spreadsheet.
 */
#ifndef SETTLEMENT_RECON_REPORT_H
#define SETTLEMENT_RECON_REPORT_H

#include "recon.h"
#include "recon_break_store.h"

#include <stdio.h>

/* Records by class, ours and theirs. */
void recon_report_result(const struct recon_result *result, const struct recon_order *order, FILE *out);
/* A line each, and how old they are. */
bool recon_report_table(struct db *db, const struct recon_break_filter *filter, FILE *out, struct error *err) MUST_USE;
/* FIELD_INVALID when there is no such break. */
bool recon_report_one(struct db *db, const struct recon_break_filter *filter, FILE *out, struct error *err) MUST_USE;
/* "2017-01-03 CONFIRM 12.34 USD", or "nothing". */
void recon_report_sides(const struct recon_break_row *row, char ours[80], char theirs[80]);
/* RFC 4180, CRLF, injection-safe; the file takes the place of an older one only when it is whole. */
bool recon_report_csv(struct db *db, const struct recon_break_filter *filter, const char *path,
                      struct error *err) MUST_USE;
/*
 * What theirs says more than ours, confirmations less reversals; false when the currencies differ. What one side
 * confirmed and the other one reversed is undone for one of them: it counts once, and at most as much as both know of.
 */
bool recon_difference(const struct recon_break_row *row, int64_t *minor);

#endif
