/*
 * exposure_move.h -- room under a bank's exposure limit goes to the bucket that has run out of it.
 */
#ifndef ENGINE_EXPOSURE_MOVE_H
#define ENGINE_EXPOSURE_MOVE_H

#include "engine/batch.h"

/*
 * In a transaction of its own, all parts locked in bucket order. need->exhausted says that the bank has no room for it
 * in any bucket; all there is was moved here then.
 */
bool exposure_move(struct db *db, int32_t bucket, struct exposure_need *need, struct error *err) MUST_USE;

#endif
