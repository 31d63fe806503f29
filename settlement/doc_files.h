/*
 * doc_files.h -- the documents of the statement at hand, all its writers at once.
 */
#ifndef SETTLEMENT_DOC_FILES_H
#define SETTLEMENT_DOC_FILES_H

#include "doc_writer.h"

struct doc_file {
    struct new_file file;
    void *state; /* the writer's */
    bool open;
};
/* Zeroed: nothing is open. By the order of doc_writers. */
struct doc_files {
    struct doc_file at[DOC_WRITERS];
};

/* Bits of the writers that the statement gets a file from. */
unsigned doc_files_wanted(const struct statement_doc *doc);
bool doc_files_begin(struct doc_files *files, int directory, const struct statement_doc *doc,
                     struct error *err) MUST_USE;
void doc_files_line(struct doc_files *files, const struct statement_doc *doc, const struct sheet_line *line);
/* Called for each file when it is written, with its SHA-256. */
typedef void doc_file_told(void *owner, const struct new_file *file, const uint8_t content[CRYPTO_HASH]);
bool doc_files_end(struct doc_files *files, const struct statement_doc *doc, doc_file_told *tell, void *owner,
                   struct error *err) MUST_USE;
void doc_files_release(struct doc_files *files);

#endif
