/*
 * pdf_table.h -- a table over as many pages as it takes: its head is repeated, and where amounts are summed each page
 * ends with its own total and what is carried forward, and the next begins with that.
 */
#ifndef SETTLEMENT_PDF_TABLE_H
#define SETTLEMENT_PDF_TABLE_H

#include "pdf.h"

enum { PDF_COLUMNS_MAX = 10, PDF_CELL = 160 };

enum pdf_sum { PDF_NO_SUM, PDF_SUM_COUNT, PDF_SUM_MONEY };

struct pdf_column {
    const char *english, *chinese;
    double width;
    enum pdf_align align;
    enum pdf_sum sum;
};

/* Text, or (in columns with a sum) a number. */
struct pdf_cell {
    const char *text;
    int64_t number;
};

struct pdf_table {
    struct pdf *pdf;
    const struct pdf_column *columns;
    size_t count;
    const char *currency;
    int64_t sums[PDF_COLUMNS_MAX], page_sums[PDF_COLUMNS_MAX];
    int64_t rows;
    bool noted; /* set after begin: each row is followed by its note, on the same page */
};

/* The heading stays with the head of the table and its first rows. */
void pdf_table_begin(struct pdf_table *table, struct pdf *pdf, const char *heading, const struct pdf_column *columns,
                     size_t count, const char *currency);
/* False when a sum does not fit. */
bool pdf_table_row(struct pdf_table *table, const struct pdf_cell *cells, struct error *err) MUST_USE;
/* Over the whole width, below the row that was put last; "" for none. */
void pdf_table_note(struct pdf_table *table, const char *text);
/* The row of totals. */
void pdf_table_end(struct pdf_table *table, const char *label);

/* "-1,234.56" and "1,234": with thousands signs, which only documents for people have. */
void pdf_money(int64_t minor, const char *currency, char text[PDF_CELL]);
void pdf_count(int64_t number, char text[PDF_CELL]);
/* A heading of a section, which stays with that much of what follows. */
void pdf_heading(struct pdf *pdf, const char *text, double with);

#endif
