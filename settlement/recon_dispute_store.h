/*
 * recon_dispute_store.h -- SQL from a break to the statement's line it is about, and from there to its dispute.
 */
#ifndef SETTLEMENT_RECON_DISPUTE_STORE_H
#define SETTLEMENT_RECON_DISPUTE_STORE_H

#include "store/db.h"

struct recon_break_row;

/* The line of the PAIR statement that has the entry. */
struct recon_line {
    int64_t line_number; /* 0: no statement has it */
    int64_t statement_no;
    const char *statement_id; /* "" */
    bool issued;
    const char *currency;
    int64_t gross_minor; /* below 0: of a reversal */
};
/*
 * The entry the break names, or the one of its redemption that its claim is about: what is said again is about one of
 * the same kind, else the confirmation. *found false: there is none within two months of the file's day.
 */
bool recon_store_line(struct db *db, int32_t programme_no, const struct recon_break_row *row, struct arena *arena,
                      struct recon_line *line, bool *found, struct error *err) MUST_USE;
/* *done false: the break is not DISPUTABLE any more. */
bool recon_store_dispute_break(struct db *db, int64_t break_no, int64_t dispute_no, const char *note, bool *done,
                               struct error *err) MUST_USE;

#endif
