/*
 * recon_dispute.h -- a break that no later file explained becomes a dispute of the statement's line it is about.
 *
 * Whoever the difference is owed to is the opener, the other party of the pair answers: its own file may say the same.
 * That its statement was agreed to by silence does not end a difference a file shows; what a party agreed to in words
 * stands.
 */
#ifndef SETTLEMENT_RECON_DISPUTE_H
#define SETTLEMENT_RECON_DISPUTE_H

#include "base/error.h"

#include <stdint.h>

struct arena;
struct db;
struct dispute_row;

/*
 * Opens the dispute of a DISPUTABLE break, which is DISPUTED then and ends as its dispute does. A break has one dispute
 * at most: the same again, and the second of two at once, give the first. FIELD_INVALID says why a break cannot be
 * contested; STATEMENT_NOT_ISSUED, STATEMENT_CONFIRMED, BEYOND_LINE. The row lives in the arena.
 */
bool recon_dispute(struct db *db, int32_t programme_no, int64_t break_no, const char *by, struct arena *arena,
                   struct dispute_row *row, struct error *err) MUST_USE;

#endif
