/*
 * doc_store.h -- what documents show beside the sheets: parties and their accounts, sums by day and by store.
 *
 * All within the close's transaction; doc_store_begin makes a temporary table that ends with it.
 */
#ifndef SETTLEMENT_DOC_STORE_H
#define SETTLEMENT_DOC_STORE_H

#include "doc.h"
#include "scope.h"

struct db;

/* Banks, merchants, carriers and the operator of a programme, an element for each account (currency "": any other). */
struct doc_directory {
    struct doc_entry *at; /* the directory's own, in order of type, number and currency */
    size_t count, room;
};
struct doc_entry {
    struct doc_party party;
    char currency[CURRENCY_TEXT];
};
bool doc_store_directory(struct db *db, int32_t programme_no, struct doc_directory *directory,
                         struct error *err) MUST_USE;
void doc_directory_release(struct doc_directory *directory);
/* The party with its account in that currency; a party that is not there gets its number as its id. */
void doc_directory_find(const struct doc_directory *directory, int type, int32_t no, const char *currency,
                        struct doc_party *party);

/* Sums the roll-ups of BANK, MERCHANT and OPERATOR statements by day, and of MERCHANT ones by store. */
bool doc_store_begin(struct db *db, int32_t programme_no, const struct scope *scope, struct error *err) MUST_USE;
/* By day, or by store; in the arena. */
bool doc_store_sums(struct db *db, const struct sheet *sheet, bool by_store, struct arena *arena, struct doc_sums *sums,
                    struct error *err) MUST_USE;

#endif
