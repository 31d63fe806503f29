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
#include "domain/redemption.h"
#include "engine/command.h"
#include "engine/reference.h"
#include "engine/uuid_index.h"
#include "store/lane_store.h"

enum {
    BATCH_OVERDUE_MAX = 1024,                                  /* overdue holds ended along the way */
    BATCH_REDEMPTIONS_MAX = 3 * BATCH_MAX + BATCH_OVERDUE_MAX, /* named, of the same id, and new */
};

struct batch_account {
    struct account account;
    struct moment moment; /* of its programme, with its bank's rules; terms are a command's */
    bool is_new, dirty;
    bool profile_dirty;
    const char *const *card_tokens; /* when profile_dirty */
    size_t card_token_count;
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
    bool is_new;
    struct accrual_row row;
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

    struct batch_account accounts[BATCH_MAX];
    size_t account_count;
    struct batch_redemption redemptions[BATCH_REDEMPTIONS_MAX];
    size_t redemption_count;
    struct batch_operation operations[2 * BATCH_MAX];
    size_t operation_count;
    struct batch_accrual accruals[2 * BATCH_MAX];
    size_t accrual_count;
    struct outbox_row outbox[2 * BATCH_MAX];
    size_t outbox_count;
    struct uuid_index account_index, redemption_index, operation_index, accrual_index;

    struct entries entries; /* at is owned here and grows */
    size_t entry_room;
};

struct batch *batch_new(void);
void batch_free(struct batch *batch);
/*
 * Runs the commands in one transaction; on true each has its answer and the transaction is committed. On false nothing
 * was written, or (DATABASE_UNREACHABLE) it is not known whether it was: run again, idempotency makes that safe.
 * TRY_AGAIN with reference_needed set: refresh the snapshot and run again.
 */
bool batch_run(struct batch *batch, struct db *db, struct reference_source *source, int32_t bucket,
               struct command *const *commands, size_t count, struct error *err) MUST_USE;

/* The three steps; for batch.c only. */
bool batch_load(struct batch *batch, struct db *db, struct error *err) MUST_USE;
bool batch_decide(struct batch *batch, struct error *err) MUST_USE;
bool batch_write(struct batch *batch, struct db *db, struct error *err) MUST_USE;

/* NULL when it is not there. */
struct batch_account *batch_account(struct batch *batch, const struct uuid *member_id);
struct batch_redemption *batch_redemption(struct batch *batch, const struct uuid *id);
const struct fence_row *batch_fence(const struct batch *batch, int32_t programme_no);
/* A place in the arrays, entered into the index; NULL when the batch is full. */
struct batch_account *batch_add_account(struct batch *batch, const struct uuid *member_id);
struct batch_redemption *batch_add_redemption(struct batch *batch, const struct uuid *id);

#endif
