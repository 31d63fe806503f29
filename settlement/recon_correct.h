/*
 * recon_correct.h -- a break becomes money: one person proposes the correcting entry, another approves it, and the next
 * close takes it as a posting that refers to the break.
 */
#ifndef SETTLEMENT_RECON_CORRECT_H
#define SETTLEMENT_RECON_CORRECT_H

#include "recon_break_store.h"

struct correction_row;

struct recon_correction {
    int32_t programme_no;
    int64_t break_no;
    const char *by, *reason;
    bool operator_bears; /* the operator stands in for the other party of the pair */
};

/* Which way the money goes: the break's party pays when `pays`, else it is paid. Amount above zero. */
struct recon_remedy {
    bool pays;
    int64_t minor;
    const char *currency;
};
/*
 * A bank owes what it confirmed, a merchant is owed it: so a bank that says more than we do pays, a merchant is paid.
 * False when there is nothing to correct, or in two currencies. Pure.
 */
bool recon_remedy_of(const struct recon_break_row *row, struct recon_remedy *remedy);

/* Of an OPEN or DISPUTABLE break, which is CORRECTING then; the same again is the same correction. The row lives in the
 * arena. */
bool recon_propose(struct db *db, const struct recon_correction *order, struct arena *arena, struct correction_row *row,
                   struct error *err) MUST_USE;
/* By another person than who proposed it: the break is CORRECTED. */
bool recon_approve(struct db *db, const struct recon_correction *order, struct arena *arena, struct correction_row *row,
                   struct error *err) MUST_USE;

#endif
