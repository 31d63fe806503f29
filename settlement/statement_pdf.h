/*
 * statement_pdf.h -- the parts of a statement's PDF, from its first page to the boxes for signatures.
 */
#ifndef SETTLEMENT_STATEMENT_PDF_H
#define SETTLEMENT_STATEMENT_PDF_H

#include "doc.h"
#include "pdf.h"

/* Of one table; a longer one is left to the CSV. */
enum { PDF_ROWS_MAX = 2000 };
/* Of a PAIR: its lines are what takes a close its time, and nobody reads more pages of them. */
enum { PDF_LINES_MAX = 300 };

/* owner is the statement_doc. */
void statement_pdf_begin_page(void *owner, struct pdf *pdf, int page, int pages);
void statement_pdf_end_page(void *owner, struct pdf *pdf, int page, int pages);

/* What a booking's code is called. */
const char *statement_pdf_label(const char *code);
/* Parties, the amount to pay, the position. */
bool statement_pdf_front(const struct statement_doc *doc, struct pdf *pdf, struct error *err) MUST_USE;
/* Postings, the pairs of a roll-up, days and stores. */
bool statement_pdf_parts(const struct statement_doc *doc, struct pdf *pdf, struct error *err) MUST_USE;
/* A bank's points page: a table for each part of points_rows.h. */
bool statement_pdf_points(const struct statement_doc *doc, struct pdf *pdf, struct error *err) MUST_USE;
/* Control block and signatures. */
bool statement_pdf_back(const struct statement_doc *doc, struct pdf *pdf, struct error *err) MUST_USE;

#endif
