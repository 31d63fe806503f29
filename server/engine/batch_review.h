/*
 * batch_review.h -- for the parts of batch.c only: tiers that card spend makes, where the bank's rules ask for spend.
 *
 * A review is read for whoever spends, is given a tier by the bank or is looked at by the daily walk, and for accounts
 * at hand whose tier is due; of banks without such tiers nothing is read and nothing happens.
 */
#ifndef ENGINE_BATCH_REVIEW_H
#define ENGINE_BATCH_REVIEW_H

#include "engine/batch.h"

/* Who changed a member, in the audit log. */
#define TIER_REVIEWER "tier-review"

/* In the batch's arena. */
struct review_wanted {
    struct uuid *members;
    size_t count;
};

/* Whether some version of the bank's rules asks for spend: which one decides is not known before the fence is read. */
bool batch_reviews_bank(const struct bank *bank);
bool batch_want_reviews(struct batch *batch, struct review_wanted *wanted, struct error *err) MUST_USE;
bool batch_queue_reviews(struct batch *batch, struct db *db, const struct review_wanted *wanted,
                         struct error *err) MUST_USE;
/* After the accounts are read. */
bool batch_read_reviews(struct batch *batch, struct db *db, const struct review_wanted *wanted,
                        struct error *err) MUST_USE;
/* Of the accounts at hand whose tier is due and whose review has not been read; a round trip only when there are. */
bool batch_load_due_reviews(struct batch *batch, struct db *db, struct error *err) MUST_USE;

/* What time did to the tier; there is room for an entry. false when there is no memory. */
bool batch_review_time(struct batch *batch, struct batch_account *loaded) MUST_USE;
/* Room for what the next three need; before anything is decided. loaded may be NULL. */
bool batch_review_ready(struct batch *batch, struct batch_account *loaded) MUST_USE;
/* The accrual that was kept last was the member's. */
void batch_review_spend(struct batch *batch, const struct command *command, struct batch_account *loaded);
/* That much of it came back, just now. */
void batch_review_return(const struct command *command, struct batch_account *loaded, const struct accrual_row *row);
/* The bank has said what the member's tier is. */
void batch_review_word(struct batch_account *loaded);
/* The member is what it was before a roster batch. */
void batch_review_restored(struct batch_account *loaded);

bool batch_send_reviews(struct batch *batch, struct db *db, struct error *err) MUST_USE;

#endif
