/*
 * batch_before.h -- for the parts of batch.c only: a roster batch that can be rolled back.
 *
 * Whatever such a batch changes or closes is looked at before, and what was seen is kept in the same transaction. A
 * member that it makes needs nothing kept, and one that is as it says is not touched.
 */
#ifndef ENGINE_BATCH_BEFORE_H
#define ENGINE_BATCH_BEFORE_H

#include "engine/batch.h"
#include "engine/batch_review.h"

/* Before a command on a member that is there; nothing unless a roster batch asks. false when there is no memory. */
bool batch_look_before(struct batch *batch, const struct command *command, const struct batch_account *loaded) MUST_USE;
/* The command has changed what was looked at last; before loaded->profile is set. */
bool batch_keep_before(struct batch *batch, const struct command *command, const struct batch_account *loaded,
                       bool profile_changed) MUST_USE;
/* Before the profiles are written. */
bool batch_send_befores(struct batch *batch, struct db *db, struct error *err) MUST_USE;

/* RESTORE. Nothing happened to the member since its maker looked, but for what time did. */
bool batch_is_as_read(const struct command *command, const struct batch_account *loaded);
enum reason batch_restore(struct batch *batch, const struct command *command, struct batch_account *loaded,
                          int64_t *moved) MUST_USE;

#endif
