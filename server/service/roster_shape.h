/*
 * roster_shape.h -- what the methods of RosterService have in common: the batch as a message, and its bank.
 */
#ifndef SERVICE_ROSTER_SHAPE_H
#define SERVICE_ROSTER_SHAPE_H

#include "service/call.h"
#include "service/errand.h"
#include "store/roster_roll_back_store.h"
#include "store/roster_store.h"

#include <alliance/v1/roster_service.pb-c.h>

method_handler roster_push, roster_get, roster_list_batches, roster_list_verdicts, roster_list_closings,
    roster_release_batch, roster_roll_back_batch;
method_close roster_push_close;

/* In the arena; NULL when it is full. */
Alliance__V1__RosterBatch *roster_shape(struct arena *arena, const struct roster_batch *batch, const char *bank_id);
/* Becomes part of the batch. false when the arena is full. */
bool roster_shape_roll_back(struct arena *arena, const struct roll_back *roll, Alliance__V1__RosterBatch *batch);
/* The batch, with its roll-back when somebody wants one, is the errand's reply. */
bool roster_reply(struct errand *errand, const struct roster_batch *batch, const char *bank_id,
                  struct error *err) MUST_USE;
/* BANK_NOT_FOUND */
bool roster_bank(struct errand *errand, const char *bank_id, int32_t *bank_no, struct error *err) MUST_USE;
/* ROSTER_BATCH_NOT_FOUND */
bool roster_must_find(struct errand *errand, const struct roster_key *key, bool lock, struct roster_batch *batch,
                      struct error *err) MUST_USE;

#endif
