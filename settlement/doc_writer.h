/*
 * doc_writer.h -- a kind of document as a table row: what its files are called, which statements have one, who writes.
 *
 * A writer takes the statement's doc and a new file, nothing else. line is called for each line of a PAIR; end writes
 * what is left and gives the state back, which abandon does on the way out of a failure.
 */
#ifndef SETTLEMENT_DOC_WRITER_H
#define SETTLEMENT_DOC_WRITER_H

#include "doc.h"
#include "new_file.h"

struct doc_writer {
    const char *extension; /* "camt053.xml" */
    unsigned types;        /* 1 << enum sheet_type */
    int32_t wish;          /* 0: always; else the bit of party_account.files that asks for it */
    bool of_points;        /* only of a statement with a page of points */
    bool (*begin)(const struct statement_doc *doc, struct new_file *file, void **state, struct error *err);
    void (*line)(void *state, const struct statement_doc *doc, const struct sheet_line *line); /* NULL: none wanted */
    bool (*end)(void *state, const struct statement_doc *doc, struct error *err);
    void (*abandon)(void *state); /* NULL is fine; end does not call it */
};
enum { DOC_WRITERS = 5 };
extern const struct doc_writer *const doc_writers[DOC_WRITERS];

extern const struct doc_writer camt053_writer, pdf_writer, bill_writer, fixed_width_writer, points_writer;

#endif
