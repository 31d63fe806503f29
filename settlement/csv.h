/*
 * csv.h -- one cell of text in a CSV file (RFC 4180). Numbers are written as they are and need nothing of this. Pure.
 */
#ifndef SETTLEMENT_CSV_H
#define SETTLEMENT_CSV_H

#include <stddef.h>

/* Bytes a cell of n bytes may need: each a quote, two quotes around, an apostrophe and a NUL. */
#define CSV_CELL_SIZE(n) (2 * (n) + 4)

/*
 * Text that a spreadsheet would take for a formula (= + - @, tab or return in front) gets an apostrophe before it;
 * commas, quotes and line ends are quoted. room is CSV_CELL_SIZE of its length or more; longer text is cut to fit.
 */
void csv_cell(const char *text, char *cell, size_t room);

#endif
