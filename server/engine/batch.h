/*
 * batch.h -- what one lane transaction works on: commands of one bucket, and the state they are decided over.
 *
 * A lane owns one batch and uses it again and again. Three steps, a file each: batch_load.c reads and locks,
 * batch_decide.c applies the rules of domain/, batch_write.c writes and commits. Nothing here knows of threads or
 * retries.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "base/arena.h"
#include "base/limits.h"
#include "domain/earn_count.h"
#include "domain/redemption.h"
#include "domain/tier_review.h"
#include "engine/command.h"
#include "engine/reference.h"
#include "engine/uuid_index.h"
#include "store/before_store.h"
#include "store/lane_store.h"
#include "store/review_store.h"

enum {
    BATCH_OVERDUE_MAX = 1024,                                  /* overdue holds ended along the way */
    BATCH_REDEMPTIONS_MAX = 3 * BATCH_MAX + BATCH_OVERDUE_MAX, /* named, of the same id, and new */
    BATCH_EXPOSURES_MAX = 256,                                 /* limits of a programme's banks by currency */
};

struct batch_account {
    struct account account;
    struct moment moment; /* of its programme, with its bank's rules; terms are a command's */
    struct place place;   /* of the locked row */
    bool is_new, dirty;
    const struct member_profile *profile; /* the command's; NULL unless it is to be written */
    bool erased;                          /* after that */
    bool lessened;                        /* likewise: by the cards of a split */
    struct earn_counts *counts;           /* in the arena; NULL unless they are counted */
    bool counted;                         /* they are to be written */
    struct tier_review *review;           /* in the arena; NULL: none, or nobody looked */
    bool review_read, reviewed;           /* reviewed: it is to be written */
    int64_t seq_read, seq_due;            /* of its newest entry as it was loaded, and once time had its due */
};

struct batch_redemption {
    bool is_new, dirty;
    int32_t goods_no;
    int64_t quantity;
    const char *terminal_id;
    const uint8_t *ship_to;
    size_t ship_to_size;
    uint8_t content_hash[32];
    struct redemption redemption;
};

struct batch_operation {
    bool is_new;
    struct operation_row row;
};

struct batch_accrual {
    bool is_new, dirty;
    struct accrual_row row;
};

struct batch_transfer {
    bool is_new, dirty;
    struct transfer_row row;
    const struct split_row *split; /* of a new one that is a split */
    bool split_ended, split_same;  /* as split_end_row has it */
};

/*
 * A limit of which this bucket's part is used up. The batch is run again: then all parts of the bank are locked and
 * shared out anew before anything is decided, in the same transaction, so that nobody takes them away in between.
 */
struct exposure_need {
    int32_t bank_no;
    char currency[CURRENCY_TEXT];
    int64_t minor; /* what the holds of the batch need at most */
};

/* A hold counted by pace; taken back when the batch is rolled back. */
struct paced {
    int32_t merchant_no;
    const char *terminal_id;
    const struct terms *terms; /* of the snapshot the batch holds */
    int64_t points;
    struct instant now;
};

struct batch {
    struct arena arena; /* everything of one run that is not in the arrays below */
    int32_t bucket;
    struct command *const *commands; /* borrowed */
    size_t command_count;
    const struct reference *reference; /* held while the batch runs */
    struct fence_row *fences;
    size_t fence_count;
    int64_t reference_needed; /* a fence asks for a newer snapshot than `reference`; 0 when not */
    struct exposure_need needs[BATCH_EXPOSURES_MAX]; /* survive a run, so that the next one knows */
    size_t need_count;
    bool lacking;       /* a need was added in this run: it is to be run again */
    bool out_of_memory; /* in the middle of a decision: nothing may be written */
    struct pace *pace;  /* borrowed; NULL: no velocity of terminals and merchants */

    struct batch_account accounts[BATCH_MAX];
    size_t account_count;
    struct batch_redemption redemptions[BATCH_REDEMPTIONS_MAX];
    size_t redemption_count;
    struct batch_operation operations[2 * BATCH_MAX];
    size_t operation_count;
    struct batch_accrual accruals[2 * BATCH_MAX];
    size_t accrual_count;
    struct batch_transfer transfers[2 * BATCH_MAX];
    size_t transfer_count;
    struct exposure exposure_rows[BATCH_EXPOSURES_MAX];
    struct exposures exposures;
    struct paced paced[BATCH_MAX];
    size_t paced_count;
    struct outbox_row outbox[2 * BATCH_MAX];
    size_t outbox_count;
    struct change_row changes[3 * BATCH_MAX]; /* one a command, and two an account for what time did */
    size_t change_count;
    struct tier_change_row tier_changes[2 * BATCH_MAX]; /* likewise, one and one */
    size_t tier_change_count;
    struct before_row befores[BATCH_MAX + 1]; /* what roster batches change; the last one is only looked at */
    size_t before_count;
    struct uuid_index account_index, redemption_index, operation_index, accrual_index, transfer_index;

    struct entries entries; /* at and lots are owned here and grow */
    size_t entry_room, lot_room;
    struct bytes *entry_lots; /* packed, one an entry; in the arena, made when the entries are chained */
};

/* NULL when there is no memory. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);
/*
 * Runs the commands in one transaction; on true each has its answer and the transaction is committed. On false nothing
 * was written, or (DATABASE_UNREACHABLE) it is not known whether it was: run again, idempotency makes that safe.
 * TRY_AGAIN with reference_needed set: refresh the snapshot and run again. TRY_AGAIN with lacking set: run again, with
 * the needs as they are.
 */
bool batch_run(struct batch *batch, struct db *db, struct reference_source *source, int32_t bucket,
               struct command *const *commands, size_t count, struct error *err) MUST_USE;

/* The three steps; for batch.c only. */
bool batch_load(struct batch *batch, struct db *db, struct error *err) MUST_USE;
bool batch_decide(struct batch *batch, struct error *err) MUST_USE;
bool batch_write(struct batch *batch, struct db *db, struct error *err) MUST_USE;

/* batch_exposure.c: parts of exposure limits, after the accounts are locked; those that are needed are shared out. */
bool batch_queue_exposures(struct batch *batch, struct db *db, const int64_t *banks, size_t count,
                           struct error *err) MUST_USE;
bool batch_read_exposures(struct batch *batch, struct db *db, struct error *err) MUST_USE;
/* The hold found no room in its bucket's part: unless the parts were shared out in this run, they are in the next. */
void batch_need_exposure(struct batch *batch, const struct command *command, const struct moment *moment);

/* NULL when it is not there. */
struct batch_account *batch_account(struct batch *batch, const struct uuid *member_id);
struct batch_redemption *batch_redemption(struct batch *batch, const struct uuid *id);
const struct fence_row *batch_fence(const struct batch *batch, int32_t programme_no);
/* A place in the arrays, entered into the index; NULL when the batch is full. */
struct batch_account *batch_add_account(struct batch *batch, const struct uuid *member_id);
struct batch_redemption *batch_add_redemption(struct batch *batch, const struct uuid *id);

/* For the parts of batch_decide only; batch_members.c and batch_redemptions.c each have a row of deciders. */
void batch_refuse(struct command *command, enum reason reason);
bool batch_same_content(const struct command *command, const uint8_t *hash);
/* The account's moment, with the terms of that merchant and what is redeemed there (0 for none). */
struct moment batch_moment(struct batch *batch, const struct batch_account *loaded, int32_t merchant_no,
                           int32_t goods_no);
/*
 * Answers a request that was seen before, as then, or REQUEST_ID_REUSED when it says something else now; false when it
 * was not seen.
 */
bool batch_answer_repeat(struct batch *batch, struct command *command);
/* Keeps what an operation came to, so that a repeat gets the same answer, and answers it. */
struct operation_facts {
    enum entry_kind kind;
    enum reason reason;
    struct uuid redemption_id; /* zero for an operation on a member */
    int16_t state_after;
    int64_t points;
    const char *currency;
    struct settlement_amounts amounts;
    int64_t cash_minor;      /* in the same currency */
    struct instant lapse_at; /* of an extended hold */
};
void batch_keep_operation(struct batch *batch, struct command *command, const struct batch_account *loaded,
                          const struct operation_facts *facts);

/* batch_changes.c: the audit log. What a member is beside its points, as the log shows it. */
struct member_facts {
    int16_t status, tier;
    int64_t credit_limit;
    struct credit_plan plan;
};
struct member_facts batch_facts(const struct account *account);
/*
 * The member is no longer as `before` says (NULL: it was not there), or its profile is to be another (not NULL): one
 * row of the log. Nothing when all is as it was. To be called before loaded->profile is set, after the entry is
 * written. command NULL: time did it. False when there is no memory.
 */
bool batch_keep_change(struct batch *batch, const struct command *command, const struct batch_account *loaded,
                       const struct member_facts *before, const struct member_profile *profile) MUST_USE;
/* A profile as MemberFacts in JSON; "" when it is empty. In the arena; NULL when there is no memory. */
const char *batch_profile_text(struct arena *arena, const struct member_profile *profile);
bool batch_profile_is_empty(const struct member_profile *profile);
/* What tells one profile from another; of NULL, that of an empty one. */
void batch_profile_hash(const struct member_profile *profile, uint8_t hash[32]);

/* batch_split.c: what a transfer that is a split needs more. */
bool batch_keep_split(struct batch *batch, const struct split_order *split, struct batch_transfer *transfer) MUST_USE;
/* The receiver, made as the split says; its account has been added to the batch. */
enum reason batch_make_second(struct batch *batch, struct batch_account *added, const struct command *command) MUST_USE;
/* The giver's cards have moved: SETTLE of a split that was received. */
void batch_end_split(struct batch *batch, struct batch_account *giver, struct batch_transfer *transfer,
                     const struct uuid *ref);
bool batch_send_splits(struct batch *batch, struct db *db, struct error *err) MUST_USE;
bool batch_send_split_ends(struct batch *batch, struct db *db, struct error *err) MUST_USE;

/* Holds counted by pace from that one on are taken back. */
void batch_give_back_pace(struct batch *batch, size_t from);

void batch_decide_set_member(struct batch *batch, struct command *command);
void batch_decide_accrue(struct batch *batch, struct command *command);
void batch_decide_reverse_accrual(struct batch *batch, struct command *command);
void batch_decide_on_member(struct batch *batch, struct command *command);
void batch_decide_hold(struct batch *batch, struct command *command);
void batch_decide_on_redemption(struct batch *batch, struct command *command);

#endif
