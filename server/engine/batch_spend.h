/*
 * batch_spend.h -- for the other files of a batch only: what accruals need where the bank's rules are a rule set.
 */
#ifndef ENGINE_BATCH_SPEND_H
#define ENGINE_BATCH_SPEND_H

#include "engine/batch.h"

/* What is asked for; in the batch's arena. */
struct spend_wanted {
    struct command **commands; /* their days are looked up, in this order */
    int64_t *programmes, *times;
    size_t count;
    struct uuid *members; /* whose counts are */
    size_t member_count;
};

bool batch_want_spend(struct batch *batch, struct spend_wanted *wanted, struct error *err) MUST_USE;
bool batch_queue_spend(struct batch *batch, struct db *db, const struct spend_wanted *wanted,
                       struct error *err) MUST_USE;
/* After the accounts are read. */
bool batch_read_spend(struct batch *batch, struct db *db, const struct spend_wanted *wanted,
                      struct error *err) MUST_USE;
/* Whether what members of that bank earn is counted: it has a rule set in force or to come. */
bool batch_counts_spend(const struct bank *bank);
bool batch_send_spend(struct batch *batch, struct db *db, struct error *err) MUST_USE;

#endif
