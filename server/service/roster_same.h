/*
 * roster_same.h -- rows of a batch that say what is so already, found by reading alone.
 *
 * Most rows of a bank's daily list change nothing. A lane would lock each such member, find nothing to do and let go
 * again; here a few reads without a lock find them. What changes a member between the read and the verdict is as if it
 * came after the batch.
 */
#ifndef SERVICE_ROSTER_SAME_H
#define SERVICE_ROSTER_SAME_H

#include "engine/command.h"
#include "store/db.h"

struct roster_look; /* lives in the arena it was begun with */

/*
 * Asks, and does not wait: until the look is ended nothing else is asked of db.
 * After the end same[i] says: a lane would answer UNCHANGED to commands[i], a COMMAND_SET_MEMBER of that bank, and its
 * cards are as it says. false: it may or may not, as for a limit by tier or for a time, which days and rules move.
 */
bool roster_look_begin(struct db *db, int32_t buckets, const char *bank_id, struct command *const *commands,
                       size_t count, bool *same, struct arena *arena, struct roster_look **look,
                       struct error *err) MUST_USE;
bool roster_look_end(struct roster_look *look, struct error *err) MUST_USE;

#endif
