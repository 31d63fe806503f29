#include "store/roster_store.h"

#define BATCH_COLUMNS                                                                                                  \
    "bank_no, batch_number, staging_id, business_date, kind, row_count, credit_limit_total, rows_sha256, "             \
    "max_close_share_bp, state, reason, detail, pushed_by, pushed_person, released_by, staged_rows, begun_rows, "      \
    "applied_rows, created, changed, unchanged, refused, members, to_close, closed, close_refused, begun_at, "         \
    "changed_at"

static const struct column batch_columns[] = {
    COLUMN(struct roster_batch, bank_no),
    COLUMN(struct roster_batch, batch_number),
    COLUMN(struct roster_batch, staging_id),
    COLUMN(struct roster_batch, business_date),
    COLUMN(struct roster_batch, kind),
    COLUMN(struct roster_batch, row_count),
    COLUMN(struct roster_batch, credit_limit_total),
    COLUMN(struct roster_batch, rows_sha256),
    COLUMN(struct roster_batch, max_close_share_bp),
    COLUMN(struct roster_batch, state),
    COLUMN(struct roster_batch, reason),
    COLUMN(struct roster_batch, detail),
    COLUMN(struct roster_batch, pushed_by),
    COLUMN(struct roster_batch, pushed_person),
    COLUMN(struct roster_batch, released_by),
    COLUMN(struct roster_batch, staged_rows),
    COLUMN(struct roster_batch, begun_rows),
    COLUMN(struct roster_batch, applied_rows),
    COLUMN(struct roster_batch, created),
    COLUMN(struct roster_batch, changed),
    COLUMN(struct roster_batch, unchanged),
    COLUMN(struct roster_batch, refused),
    COLUMN(struct roster_batch, members),
    COLUMN(struct roster_batch, to_close),
    COLUMN(struct roster_batch, closed),
    COLUMN(struct roster_batch, close_refused),
    COLUMN(struct roster_batch, begun_at),
    COLUMN(struct roster_batch, changed_at),
};
static const struct column key_params[] = { COLUMN(struct roster_key, bank_no),
                                            COLUMN(struct roster_key, batch_number) };

/* Staging */

#define FIND                                                                                                           \
    "SELECT " BATCH_COLUMNS " FROM roster_batch WHERE bank_no = $1 AND ($2 = 0 OR batch_number = $2) "                 \
    "ORDER BY batch_number DESC LIMIT 1"

bool roster_find(struct db *db, const struct roster_key *key, bool lock, struct arena *arena,
                 struct roster_batch *batch, bool *found, struct error *err)
{
    static const struct statement find =
        STATEMENT("roster_find", FIND, key_params, batch_columns, sizeof(struct roster_batch));
    static const struct statement find_and_lock =
        STATEMENT("roster_lock", FIND " FOR UPDATE", key_params, batch_columns, sizeof(struct roster_batch));

    return db_fetch_one(db, lock ? &find_and_lock : &find, key, arena, batch, found, err);
}

static const struct column begin_params[] = {
    COLUMN(struct roster_batch, bank_no),
    COLUMN(struct roster_batch, batch_number),
    COLUMN(struct roster_batch, staging_id),
    COLUMN(struct roster_batch, business_date),
    COLUMN(struct roster_batch, kind),
    COLUMN(struct roster_batch, row_count),
    COLUMN(struct roster_batch, credit_limit_total),
    COLUMN(struct roster_batch, rows_sha256),
    COLUMN(struct roster_batch, max_close_share_bp),
    COLUMN(struct roster_batch, pushed_by),
    COLUMN(struct roster_batch, pushed_person),
};
static const struct statement drop_staged = COMMAND_STATEMENT(
    "roster_drop_staged", "DELETE FROM roster_chunk WHERE bank_no = $1 AND batch_number = $2", key_params);
static const struct statement drop_twice = COMMAND_STATEMENT(
    "roster_drop_twice", "DELETE FROM roster_twice WHERE bank_no = $1 AND batch_number = $2", key_params);
static const struct statement drop_closings = COMMAND_STATEMENT(
    "roster_drop_closings", "DELETE FROM roster_closing WHERE bank_no = $1 AND batch_number = $2", key_params);

bool roster_begin(struct db *db, const struct roster_batch *batch, bool *begun, struct error *err)
{
    /* Only what is being staged, or was refused, makes room. */
    static const struct statement drop = COMMAND_STATEMENT(
        "roster_drop", "DELETE FROM roster_batch WHERE bank_no = $1 AND batch_number = $2 AND state IN (1, 3)",
        key_params);
    static const struct statement add = COMMAND_STATEMENT(
        "roster_add",
        "INSERT INTO roster_batch (bank_no, batch_number, staging_id, business_date, kind, row_count, "
        "credit_limit_total, rows_sha256, max_close_share_bp, state, pushed_by, pushed_person) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11) ON CONFLICT DO NOTHING",
        begin_params);
    const struct roster_key key = { batch->bank_no, batch->batch_number };
    int64_t added;

    if (!db_execute(db, &drop, &key, NULL, err) || !db_execute(db, &add, batch, &added, err))
        return false;
    *begun = added == 1;
    return !*begun || (db_execute(db, &drop_staged, &key, NULL, err) && db_execute(db, &drop_twice, &key, NULL, err) &&
                       db_execute(db, &drop_closings, &key, NULL, err));
}

bool roster_add_chunk(struct db *db, const struct roster_chunk *chunk, bool *added, struct error *err)
{
    static const struct column added_params[] = {
        COLUMN(struct roster_chunk, bank_no),
        COLUMN(struct roster_chunk, batch_number),
        COLUMN(struct roster_chunk, first_row),
        COLUMN(struct roster_chunk, row_count),
        COLUMN(struct roster_chunk, credit_limit_total),
        COLUMN(struct roster_chunk, rows),
        COLUMN(struct roster_chunk, member_ids),
    };
    static const struct column move_params[] = {
        COLUMN(struct roster_chunk, bank_no),    COLUMN(struct roster_chunk, batch_number),
        COLUMN(struct roster_chunk, staging_id), COLUMN(struct roster_chunk, first_row),
        COLUMN(struct roster_chunk, row_count),
    };
    static const struct statement move_on =
        COMMAND_STATEMENT("roster_move",
                          "UPDATE roster_batch SET staged_rows = staged_rows + $5 WHERE bank_no = $1 AND "
                          "batch_number = $2 AND staging_id = $3 AND state = 1 AND staged_rows = $4 - 1",
                          move_params);
    static const struct statement add = COMMAND_STATEMENT(
        "roster_add_chunk",
        "INSERT INTO roster_chunk (bank_no, batch_number, first_row, row_count, credit_limit_total, rows, member_ids) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        added_params);
    int64_t moved;

    if (!db_execute(db, &move_on, chunk, &moved, err))
        return false;
    *added = moved == 1;
    return !*added || db_execute(db, &add, chunk, NULL, err);
}

struct end_params {
    int32_t bank_no;
    int64_t batch_number;
    struct uuid staging_id;
};
static const struct column end_params[] = { COLUMN(struct end_params, bank_no), COLUMN(struct end_params, batch_number),
                                            COLUMN(struct end_params, staging_id) };

bool roster_end(struct db *db, const struct roster_key *key, const struct uuid *staging_id, bool *ended,
                struct error *err)
{
    static const struct statement end =
        COMMAND_STATEMENT("roster_end",
                          "UPDATE roster_batch SET state = 2, changed_at = now() WHERE bank_no = $1 AND "
                          "batch_number = $2 AND staging_id = $3 AND state = 1",
                          end_params);
    const struct end_params params = { key->bank_no, key->batch_number, *staging_id };
    int64_t affected;

    if (!db_execute(db, &end, &params, &affected, err))
        return false;
    *ended = affected == 1;
    return true;
}

struct release_params {
    int32_t bank_no;
    int64_t batch_number;
    int16_t state;
    const char *released_by, *reason, *detail;
};
static const struct column release_params[] = {
    COLUMN(struct release_params, bank_no), COLUMN(struct release_params, batch_number),
    COLUMN(struct release_params, state),   COLUMN(struct release_params, released_by),
    COLUMN(struct release_params, reason),  COLUMN(struct release_params, detail),
};

bool roster_release(struct db *db, const struct roster_key *key, int16_t state, const char *released_by, bool *released,
                    struct error *err)
{
    static const struct statement release =
        COMMAND_STATEMENT("roster_release",
                          "UPDATE roster_batch SET state = $3, released_by = $4, reason = $5, detail = $6, "
                          "changed_at = now() WHERE bank_no = $1 AND batch_number = $2 AND state = 4",
                          release_params);
    bool refused = state == ROSTER_REFUSED;
    const struct release_params params = { key->bank_no,
                                           key->batch_number,
                                           state,
                                           released_by,
                                           refused ? reason_name(REASON_ROSTER_NOT_RELEASED) : "",
                                           refused ? reason_text(REASON_ROSTER_NOT_RELEASED) : "" };
    int64_t affected;

    if (!db_execute(db, &release, &params, &affected, err))
        return false;
    *released = affected == 1;
    return true;
}

/* Reading */

struct list_params {
    int32_t bank_no;
    int64_t before, limit;
};
static const struct column list_params[] = { COLUMN(struct list_params, bank_no), COLUMN(struct list_params, before),
                                             COLUMN(struct list_params, limit) };

bool roster_list(struct db *db, int32_t bank_no, int64_t before, int64_t limit, struct arena *arena,
                 struct roster_batch **batches, size_t *count, struct error *err)
{
    static const struct statement list = STATEMENT("roster_list",
                                                   "SELECT " BATCH_COLUMNS " FROM roster_batch WHERE bank_no = $1 AND "
                                                   "batch_number < $2 ORDER BY batch_number DESC LIMIT $3",
                                                   list_params, batch_columns, sizeof(struct roster_batch));
    const struct list_params params = { bank_no, before, limit };

    return db_fetch(db, &list, &params, arena, (void **)batches, count, err);
}

struct rows_params {
    int32_t bank_no;
    int64_t batch_number, from_row, to_row;
    bool refused_only;
};
static const struct column verdicts_params[] = {
    COLUMN(struct rows_params, bank_no),
    COLUMN(struct rows_params, batch_number),
    COLUMN(struct rows_params, from_row),
    COLUMN(struct rows_params, refused_only),
};
static const struct column verdicts_columns[] = { COLUMN(struct roster_verdicts, first_row),
                                                  COLUMN(struct roster_verdicts, verdicts) };

bool roster_next_verdicts(struct db *db, const struct roster_key *key, int64_t from_row, bool refused_only,
                          struct arena *arena, struct roster_verdicts *row, bool *found, struct error *err)
{
    static const struct statement next =
        STATEMENT("roster_next_verdicts",
                  "SELECT first_row, verdicts FROM roster_verdict WHERE bank_no = $1 AND batch_number = $2 AND "
                  "first_row >= $3 AND (NOT $4 OR refused > 0) ORDER BY first_row LIMIT 1",
                  verdicts_params, verdicts_columns, sizeof(struct roster_verdicts));
    const struct rows_params params = { key->bank_no, key->batch_number, from_row, 0, refused_only };

    return db_fetch_one(db, &next, &params, arena, row, found, err);
}

struct closings_params {
    int32_t bank_no;
    int64_t batch_number;
    struct uuid after;
    bool undone_only;
    int64_t limit;
};
static const struct column closings_params[] = {
    COLUMN(struct closings_params, bank_no), COLUMN(struct closings_params, batch_number),
    COLUMN(struct closings_params, after),   COLUMN(struct closings_params, undone_only),
    COLUMN(struct closings_params, limit),
};
static const struct column closing_columns[] = {
    COLUMN(struct roster_closing, member_id),
    COLUMN(struct roster_closing, member_ref),
    COLUMN(struct roster_closing, done),
    COLUMN(struct roster_closing, reason),
};

bool roster_closings(struct db *db, const struct roster_key *key, const struct uuid *after, bool undone_only,
                     int64_t limit, struct arena *arena, struct roster_closing **rows, size_t *count, struct error *err)
{
    static const struct statement list =
        STATEMENT("roster_closings",
                  "SELECT member_id, member_ref, done, reason FROM roster_closing WHERE bank_no = $1 AND "
                  "batch_number = $2 AND member_id > $3 AND NOT ($4 AND done) ORDER BY member_id LIMIT $5",
                  closings_params, closing_columns, sizeof(struct roster_closing));
    const struct closings_params params = { key->bank_no, key->batch_number, *after, undone_only, limit };

    return db_fetch(db, &list, &params, arena, (void **)rows, count, err);
}
