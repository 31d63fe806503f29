/*
 * roster_roll_back_store.h -- the roll-back of a roster batch: who wants it, how far it is, and what is to be undone.
 */
#ifndef STORE_ROSTER_ROLL_BACK_STORE_H
#define STORE_ROSTER_ROLL_BACK_STORE_H

#include "store/roster_store.h"

enum roll_back_phase {
    ROLL_BACK_WANTED,
    ROLL_BACK_CHECKING_ROWS,
    ROLL_BACK_CHECKING_CLOSINGS,
    ROLL_BACK_ROWS,
    ROLL_BACK_CLOSINGS,
    ROLL_BACK_DONE,
    ROLL_BACK_REFUSED,
};

struct roll_back {
    int32_t bank_no;
    int64_t batch_number;
    const char *wanted_because, *requested_by, *requested_person;
    struct instant requested_at;
    const char *released_by;
    struct instant released_at;
    int16_t phase;
    int64_t next_row;
    struct uuid after_member;
    const char *refused, *detail;
    int64_t found, restored, withdrawn, reopened, points_back;
};

/* *found is false when nobody wants it. */
bool roll_back_find(struct db *db, const struct roster_key *key, struct arena *arena, struct roll_back *row,
                    bool *found, struct error *err) MUST_USE;
/* In place of an earlier wish that came to nothing. */
bool roll_back_want(struct db *db, const struct roll_back *row, struct error *err) MUST_USE;
/* The wish is gone. */
bool roll_back_drop(struct db *db, const struct roster_key *key, struct error *err) MUST_USE;
/* APPLIED becomes ROLLING_BACK. */
bool roll_back_release(struct db *db, const struct roll_back *row, struct error *err) MUST_USE;
/* Phase, position, what was found and the sums; in a transaction with roster_keep. */
bool roll_back_keep(struct db *db, const struct roll_back *row, struct error *err) MUST_USE;
/* Those of these batches, for a list. */
bool roll_back_list(struct db *db, int32_t bank_no, int64_t from_batch, int64_t to_batch, struct arena *arena,
                    struct roll_back **rows, size_t *count, struct error *err) MUST_USE;

/* The members of a chunk's rows, in their order, and what became of the rows. */
struct applied_chunk {
    int64_t first_row;
    int32_t row_count;
    struct uuid_array member_ids;
    struct bytes verdicts;
};
bool applied_chunks(struct db *db, const struct roster_key *key, int64_t from_row, int64_t limit, struct arena *arena,
                    struct applied_chunk **rows, size_t *count, struct error *err) MUST_USE;

/* The n-th member lies in the n-th bucket, and the n-th ref is that of the request that undoes its part. */
struct undo_params {
    int32_t bank_no;
    int64_t batch_number;
    struct int64_array buckets;
    struct uuid_array ids, refs;
};
/* A member as it is, and as it was before the batch; struct before_row's fields are zero when nothing was kept. */
struct undo_row {
    int64_t place; /* in the arrays, from 0 */
    const char *member_ref;
    int16_t status_now;
    int64_t journal_seq;
    bool ours; /* nothing was kept, and yet the log says that the batch changed it */
    bool kept, was_there;
    int16_t status, tier;
    int64_t credit_limit;
    struct bytes credit, profile_hash, lots, pending_lots, marks;
    bool profile_changed;
    struct text_array card_tokens;
    const char *facts;
    struct bytes sealed, phone_mac, email_mac;
    struct text_array tokens_now;
    const char *facts_now;
    struct text_array tokens_then; /* as the batch left them; none when it did not change the profile */
    bool done;                     /* its part was undone */
    int64_t built_seq;             /* the first entry that was built on it; 0 for none. What time alone did is none */
    int16_t built_kind;
};
/* In a transaction, after card_plans. */
extern const struct statement undo_find;

#endif
