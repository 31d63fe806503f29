/*
 * cards.h -- a card belongs to one member of a bank at a time.
 *
 * A card's row lies in another bucket than its member, so no lane can write both. Whoever sets members claims their
 * cards first, then asks the lanes, then settles what the answers mean for the cards. Each step may be repeated and may
 * be left undone by a crash: a claim that no profile speaks of two minutes later is void, and so is that of a closed
 * member. The table of cards is what counts when a card is looked up, not the members' profiles.
 */
#ifndef SERVICE_CARDS_H
#define SERVICE_CARDS_H

#include "engine/command.h"
#include "store/db.h"

/*
 * Before the lanes: claims the cards of COMMAND_SET_MEMBER commands of one bank. One that wants a card of another
 * member's gets the answer CARD_TAKEN and is not to be submitted, unless that member is in the list, too, without the
 * card: then it moves, in whatever order they stand. Should the lane refuse who gives it, it has moved all the same,
 * and should it refuse both, it is nobody's until it is pushed again. Blocks; commands without cards cost nothing.
 */
bool cards_claim(struct db *db, int32_t buckets, const char *bank_id, struct command *const *commands, size_t count,
                 struct error *err) MUST_USE;
/* After the answers: cards a member has no longer, or did not get, are given up; what is known of the others is set. */
bool cards_settle(struct db *db, int32_t buckets, const char *bank_id, struct command *const *commands, size_t count,
                  struct error *err) MUST_USE;
/* The answer leaves cards_settle something to do. */
bool cards_unsettled(const struct command *command);

#endif
