/*
 * review_record.h -- a tier review between its row and its struct.
 */
#ifndef ENGINE_REVIEW_RECORD_H
#define ENGINE_REVIEW_RECORD_H

#include "base/arena.h"
#include "domain/tier_review.h"
#include "store/review_store.h"

/* false for a row that is not possible. */
bool review_from_row(const struct review_row *row, struct tier_review *review) MUST_USE;
/* What is not a number is borrowed from the arena and the review. false when there is no memory. */
bool review_to_row(struct arena *arena, const struct uuid *member_id, const struct tier_review *review,
                   struct review_row *row) MUST_USE;

#endif
