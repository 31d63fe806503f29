/*
 * doc_fill.h -- makes a statement's doc from what the close has at hand.
 */
#ifndef SETTLEMENT_DOC_FILL_H
#define SETTLEMENT_DOC_FILL_H

#include "doc.h"
#include "doc_store.h"

/* Lives as long as the close's work. */
struct doc_source {
    const char *programme_id;
    const struct period *period;
    const struct sheet_list *list;
    const struct books *books;
    struct doc_directory directory;
};

/* All but days and stores. Borrows from the source, the sheet and, for postings, the arena. */
bool doc_fill(const struct doc_source *source, const struct sheet *sheet, struct arena *arena,
              struct statement_doc *doc, struct error *err) MUST_USE;

#endif
