/*
 * books_store.h -- SQL of what a close adds: openings, corrections, holds, postings, positions. The caller
 * begins and ends transactions.
 */
#ifndef SETTLEMENT_BOOKS_STORE_H
#define SETTLEMENT_BOOKS_STORE_H

#include "books.h"

struct db;

/* Each fills its part of the books, of books->period, in an order that the same rows always have. */
/* The closing of each party's latest statement before; one look-up a party, however many periods are kept. */
bool books_store_openings(struct db *db, int32_t programme_no, struct books *books, struct error *err) MUST_USE;
bool books_store_ids(struct db *db, int32_t programme_no, struct books *books, struct error *err) MUST_USE;
/* Those the period took before and, unless a later period was calculated, those that are approved. */
bool books_store_corrections(struct db *db, int32_t programme_no, struct books *books, struct error *err) MUST_USE;
/* What other rows keep at the period's end, without what the period itself kept back when it was closed before. */
bool books_store_holds(struct db *db, int32_t programme_no, struct books *books, struct error *err) MUST_USE;

/* Makes what is stored of the period what the books and the list say; the statements themselves are there. */
bool books_store_put(struct db *db, int32_t programme_no, const char *programme_id, const struct books *books,
                     const struct sheet_list *list, struct error *err) MUST_USE;

#endif
