/*
 * files.h -- a period's statements as files: CSV for people and spreadsheets, JSON in the proto3 mapping of Statement
 * and StatementLine, and a manifest that names them all.
 *
 * DIR/PROGRAMME/PERIOD/ gets pair_*, bank_*, merchant_*, operator_*, carrier_* and tax_* files and, last of all,
 * manifest.json. Whoever reads waits for the manifest; while it is there, every file it names is whole. Nothing in a
 * file depends on when it was written, so the same entries give the same bytes. Each statement's JSON has the root of a
 * hash tree over the rows of its CSV, so that one row can be proved without the others. The last row of a CSV
 * is its totals: TOTAL, the statement's number, then sums.
 */
#ifndef SETTLEMENT_FILES_H
#define SETTLEMENT_FILES_H

#include "base/uuid.h"
#include "base/when.h"
#include "books.h"
#include "domain/period.h"
#include "io/merkle.h"
#include "json_out.h"
#include "new_file.h"
#include "sheet.h"

/* StatementLine, with the sign of its points and amounts. */
struct sheet_line {
    int64_t number;
    struct date business_date;
    struct instant at;
    bool reversal;
    struct uuid member_id; /* its first two bytes are part of redemption_id as callers know it */
    struct uuid redemption_id, request_id;
    const char *store_id; /* borrowed for the call */
    int64_t points, gross_minor, commission_minor, net_minor;
    int32_t rules_version, terms_version;
};

struct doc_files;
struct statement_doc;

struct files {
    int directory;            /* -1 when closed */
    const char *programme_id; /* the caller's, as is period */
    const struct period *period;
    struct new_file csv, json, manifest;
    struct json_out lines, listed;
    struct merkle rows;                   /* of the CSV at hand */
    struct doc_files *documents;          /* the caller's */
    uint8_t manifest_sha256[CRYPTO_HASH]; /* once files_end has completed it */
};

/* Nothing under the final names changes before files_publish_sheets. */
bool files_open(struct files *files, const char *path, const char *programme_id, const struct period *period,
                struct doc_files *documents, struct error *err) MUST_USE;
/* Closes what is open. Does not remove anything. */
void files_release(struct files *files);

/*
 * A pair's files, line by line in order of number; the end sets pair->content and rows_root. doc is that of the pair,
 * the same from begin to end.
 */
bool files_pair_begin(struct files *files, struct sheet *pair, const struct statement_doc *doc,
                      struct error *err) MUST_USE;
void files_pair_line(struct files *files, const struct sheet *pair, const struct statement_doc *doc,
                     const struct sheet_line *line);
bool files_pair_end(struct files *files, struct sheet *pair, const struct statement_doc *doc,
                    struct error *err) MUST_USE;
/*
 * A roll-up's files: what the party had, the pairs it is made of from the list, its postings and what is paid and kept
 * from the books. The column amount adds up to its total, the closing position, as does the column kept.
 * Sets roll_up->content and rows_root.
 */
bool files_roll_up(struct files *files, const struct sheet_list *list, const struct books *books, struct sheet *roll_up,
                   const struct statement_doc *doc, struct error *err) MUST_USE;

/*
 * Everything is written: makes the files last and completes the manifest, all still under their partial names. The
 * manifest says which version of the calendar gave the due days, unless there is none (0).
 */
bool files_end(struct files *files, const struct sheet_list *list, int32_t calendar_version,
               struct error *err) MUST_USE;
/* Takes an older manifest away and gives the files their names. */
bool files_publish_sheets(struct files *files, const struct sheet_list *list, struct error *err) MUST_USE;
/* The last step: from now on readers may read. */
bool files_publish_manifest(struct files *files, struct error *err) MUST_USE;
/* Removes what was written and not published. */
void files_discard(struct files *files, const struct sheet_list *list);

#endif
