/* spend_owner.h -- whose the spend on a card is: of who has the card, or of who had it when the spend was taken. */
#ifndef SERVICE_SPEND_OWNER_H
#define SERVICE_SPEND_OWNER_H

#include "base/arena.h"
#include "base/error.h"
#include "store/db.h"

struct spend_card {
    const char *token;
    const char *purchase;   /* the transaction_ref that earns or earned: a reversal's is its reversal_of */
    const char *member_ref; /* out, in the arena; NULL: nobody has the card, and nobody had it for this purchase */
};

/*
 * A purchase that an earlier owner of the card earned for stays that member's: pushed again it is the same row, and its
 * reversal takes back from who has the points. Any other is of who has the card now, whenever it was made.
 * A row of the same purchase that is still under way to an earlier owner is not seen.
 */
bool spend_find_owners(struct db *db, int32_t buckets, const char *bank_id, struct spend_card *cards, size_t count,
                       struct arena *arena, struct error *err) MUST_USE;

#endif
