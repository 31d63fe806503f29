/*
 * roster_store.h -- the tables of roster batches: a bank's member list, staged, checked and applied.
 *
 * A batch belongs to whoever stages it (staging_id) and then to the server that works on it (lease). Every statement
 * that writes names which of the two it goes by, and affects no row when it is another's by now.
 */
#ifndef STORE_ROSTER_STORE_H
#define STORE_ROSTER_STORE_H

#include "store/db.h"

/* RosterKind and RosterState of roster_service.proto. */
enum roster_kind { ROSTER_FULL = 1, ROSTER_DELTA = 2 };
enum roster_state {
    ROSTER_STAGING = 1,
    ROSTER_CHECKING,
    ROSTER_REFUSED,
    ROSTER_WAITING_RELEASE,
    ROSTER_APPLYING,
    ROSTER_APPLIED,
    ROSTER_ROLLING_BACK,
    ROSTER_ROLLED_BACK,
};

struct roster_batch {
    int32_t bank_no;
    int64_t batch_number;
    struct uuid staging_id;
    struct date business_date;
    int16_t kind;
    int64_t row_count, credit_limit_total;
    struct bytes rows_sha256;
    int32_t max_close_share_bp;
    int16_t state;
    const char *reason, *detail, *pushed_by, *pushed_person, *released_by;
    int64_t staged_rows, begun_rows, applied_rows;
    int64_t created, changed, unchanged, refused;
    int64_t members, to_close, closed, close_refused;
    struct instant begun_at, changed_at;
};

struct roster_key {
    int32_t bank_no;
    int64_t batch_number;
};

struct roster_chunk {
    int32_t bank_no;
    int64_t batch_number;
    struct uuid staging_id;
    int64_t first_row;
    int32_t row_count;
    int64_t credit_limit_total;
    struct bytes rows;
    struct uuid_array member_ids;
};

/* The verdicts of one chunk. */
struct roster_done {
    int32_t bank_no;
    int64_t batch_number;
    int64_t first_row;
    int32_t refused; /* how many of them */
    struct bytes verdicts;
};

struct roster_verdicts {
    int64_t first_row;
    struct bytes verdicts;
};

struct roster_twice {
    int64_t row_number, other_row;
};

struct roster_closing {
    struct uuid member_id;
    const char *member_ref;
    bool done;
    const char *reason;
};

/* What decides whether a row changes a member. */
struct roster_standing {
    struct uuid member_id;
    int32_t bank_no;
    int16_t status, tier;
    int64_t credit_limit;
    struct bytes profile_hash, credit; /* as in the account's row */
};

/* What a batch did to a member, from the audit log. */
struct roster_trace {
    struct uuid member_id;
    bool created;
};

/* Staging */

/* The bank's batch, or its newest for number 0; false in *found when there is none. Locked until the transaction ends
 * when asked for. */
bool roster_find(struct db *db, const struct roster_key *key, bool lock, struct arena *arena,
                 struct roster_batch *batch, bool *found, struct error *err) MUST_USE;
/* In place of what the number was used for before; *begun is false when somebody else began it meanwhile. */
bool roster_begin(struct db *db, const struct roster_batch *batch, bool *begun, struct error *err) MUST_USE;
/* *added is false when the chunk is not the next one, or the batch not this staging's any more. */
bool roster_add_chunk(struct db *db, const struct roster_chunk *chunk, bool *added, struct error *err) MUST_USE;
/* No more rows come: CHECKING. */
bool roster_end(struct db *db, const struct roster_key *key, const struct uuid *staging_id, bool *ended,
                struct error *err) MUST_USE;
/* WAITING_RELEASE becomes state: APPLYING or REFUSED. */
bool roster_release(struct db *db, const struct roster_key *key, int16_t state, const char *released_by, bool *released,
                    struct error *err) MUST_USE;

/* Reading */

bool roster_list(struct db *db, int32_t bank_no, int64_t before, int64_t limit, struct arena *arena,
                 struct roster_batch **batches, size_t *count, struct error *err) MUST_USE;
/* The verdicts of the next chunk whose first row is after_row or later; one with refused rows when refused_only. */
bool roster_next_verdicts(struct db *db, const struct roster_key *key, int64_t from_row, bool refused_only,
                          struct arena *arena, struct roster_verdicts *row, bool *found, struct error *err) MUST_USE;
bool roster_closings(struct db *db, const struct roster_key *key, const struct uuid *after, bool undone_only,
                     int64_t limit, struct arena *arena, struct roster_closing **rows, size_t *count,
                     struct error *err) MUST_USE;

/* Working; within a transaction of the caller's where several belong together. */

struct roster_lease {
    struct uuid id;
    int64_t duration_us;
};

/* A batch to work on that nobody else has leased; it is leased now, six times as long when it is to be checked, since
 * that is done at a stretch. */
bool roster_claim(struct db *db, const struct roster_lease *lease, struct arena *arena, struct roster_batch *batch,
                  bool *found, struct error *err) MUST_USE;
/* Whoever wants to may go on with what was leased. */
bool roster_give_back(struct db *db, const struct roster_lease *lease, struct error *err) MUST_USE;
/* Writes state, sums and begun_rows of the batch and renews the lease; TRY_AGAIN when the lease is another's. */
bool roster_keep(struct db *db, const struct roster_batch *batch, const struct roster_lease *lease,
                 struct error *err) MUST_USE;
/* Each chunk in the order of rows, for what all of them add up to. */
bool roster_each_chunk(struct db *db, const struct roster_key *key, db_row_handler *each, void *owner,
                       struct error *err) MUST_USE;
bool roster_chunks(struct db *db, const struct roster_key *key, int64_t from_row, int64_t limit, struct arena *arena,
                   struct roster_chunk **rows, size_t *count, struct error *err) MUST_USE;
/* In a transaction, and before roster_find_closings: it plans for many rows. */
bool roster_find_twice(struct db *db, const struct roster_key *key, int64_t *rows, struct error *err) MUST_USE;
bool roster_twices(struct db *db, const struct roster_key *key, int64_t from_row, int64_t to_row, struct arena *arena,
                   struct roster_twice **rows, size_t *count, struct error *err) MUST_USE;
/* Whom the list lacks; and how many members the bank has. */
bool roster_find_closings(struct db *db, const struct roster_key *key, int64_t *closings, int64_t *members,
                          struct error *err) MUST_USE;
bool roster_put_verdicts(struct db *db, const struct roster_done *done, struct error *err) MUST_USE;
bool roster_put_closings(struct db *db, const struct roster_key *key, const struct roster_closing *rows, size_t count,
                         struct error *err) MUST_USE;
/* Members of a bucket, read without a lock: a struct roster_standing each that is there and whose tier is not due. */
struct roster_standings_params {
    int32_t bucket;
    struct uuid_array ids;
};
extern const struct statement roster_standings;
/* What the batch did to these members of a bucket before. */
bool roster_traces(struct db *db, int32_t bucket, const struct roster_key *key, const struct uuid *ids, size_t count,
                   struct arena *arena, struct roster_trace **rows, size_t *found, struct error *err) MUST_USE;
/*
 * The batch is over: what was staged is deleted, and all but the sums of batches that are `keep` numbers older. Of one
 * that was applied, whose rows they were is kept until the next one is: it may be rolled back.
 */
bool roster_clear(struct db *db, const struct roster_key *key, bool applied, int64_t keep, struct error *err) MUST_USE;
/* What members were before earlier batches of the bank is deleted, a piece; *more: call it again. */
bool roster_forget(struct db *db, const struct roster_key *key, bool *more, struct error *err) MUST_USE;

#endif
