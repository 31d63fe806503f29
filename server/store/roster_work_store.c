/* roster_work_store.c -- the half of roster_store.h that checks and applies batches. */
#include "store/roster_store.h"

#include "store/before_store.h"

struct claim_params {
    struct uuid id;
    int64_t duration_us;
};
static const struct column claim_params[] = { COLUMN(struct claim_params, id),
                                              COLUMN(struct claim_params, duration_us) };

struct claimed {
    int32_t bank_no;
    int64_t batch_number;
};
static const struct column claimed_columns[] = { COLUMN(struct claimed, bank_no),
                                                 COLUMN(struct claimed, batch_number) };

bool roster_claim(struct db *db, const struct roster_lease *lease, struct arena *arena, struct roster_batch *batch,
                  bool *found, struct error *err)
{
    static const struct statement claim = STATEMENT(
        "roster_claim",
        "UPDATE roster_batch b SET lease_id = $1, lease_until = clock_timestamp() + CASE WHEN b.state = 2 THEN "
        "6 ELSE 1 END * $2 * interval '1 us' FROM (SELECT bank_no, batch_number FROM roster_batch r WHERE "
        "state IN (2, 5, 7) AND (lease_id = $1 OR lease_until < clock_timestamp()) "
        "AND NOT EXISTS (SELECT FROM roster_batch e WHERE e.bank_no = r.bank_no AND e.batch_number < r.batch_number "
        "AND e.state = 7) ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED) w "
        "WHERE b.bank_no = w.bank_no AND b.batch_number = w.batch_number "
        "RETURNING b.bank_no, b.batch_number",
        claim_params, claimed_columns, sizeof(struct claimed));
    const struct claim_params params = { lease->id, lease->duration_us };
    struct claimed row;

    if (!db_fetch_one(db, &claim, &params, arena, &row, found, err))
        return false;
    const struct roster_key key = { row.bank_no, row.batch_number };
    return !*found || roster_find(db, &key, false, arena, batch, found, err);
}

static const struct column give_back_params[] = { COLUMN(struct claim_params, id) };

bool roster_give_back(struct db *db, const struct roster_lease *lease, struct error *err)
{
    static const struct statement give_back = COMMAND_STATEMENT(
        "roster_give_back", "UPDATE roster_batch SET lease_until = 'epoch' WHERE lease_id = $1 AND state IN (2, 5, 7)",
        give_back_params);
    const struct claim_params params = { .id = lease->id };

    return db_execute(db, &give_back, &params, NULL, err);
}

struct keep_params {
    struct roster_batch batch;
    struct uuid lease_id;
    int64_t duration_us;
};
#define KEPT(field)                                                                                                    \
    {                                                                                                                  \
#field, KIND_OF(struct roster_batch, field), offsetof(struct keep_params, batch.field), NULL                   \
    }
static const struct column keep_params[] = {
    KEPT(bank_no),
    KEPT(batch_number),
    COLUMN(struct keep_params, lease_id),
    COLUMN(struct keep_params, duration_us),
    KEPT(state),
    KEPT(reason),
    KEPT(detail),
    KEPT(begun_rows),
    KEPT(applied_rows),
    KEPT(created),
    KEPT(changed),
    KEPT(unchanged),
    KEPT(refused),
    KEPT(members),
    KEPT(to_close),
    KEPT(closed),
    KEPT(close_refused),
};

bool roster_keep(struct db *db, const struct roster_batch *batch, const struct roster_lease *lease, struct error *err)
{
    static const struct statement keep = COMMAND_STATEMENT(
        "roster_keep",
        "UPDATE roster_batch SET lease_until = clock_timestamp() + $4 * interval '1 us', "
        "changed_at = CASE WHEN state = $5 THEN changed_at ELSE now() END, state = $5, reason = $6, detail = $7, "
        "begun_rows = $8, applied_rows = $9, created = $10, changed = $11, unchanged = $12, refused = $13, "
        "members = $14, to_close = $15, closed = $16, close_refused = $17 "
        "WHERE bank_no = $1 AND batch_number = $2 AND lease_id = $3 AND state IN (2, 5, 7)",
        keep_params);
    const struct keep_params params = { *batch, lease->id, lease->duration_us };
    int64_t affected;

    if (!db_execute(db, &keep, &params, &affected, err))
        return false;
    return affected == 1 || error_set(err, REASON_TRY_AGAIN, "another server works on the batch");
}

static const struct column key_params[] = { COLUMN(struct roster_key, bank_no),
                                            COLUMN(struct roster_key, batch_number) };
static const struct column chunk_columns[] = {
    COLUMN(struct roster_chunk, first_row),
    COLUMN(struct roster_chunk, row_count),
    COLUMN(struct roster_chunk, credit_limit_total),
    COLUMN(struct roster_chunk, rows),
};
#define CHUNK "SELECT first_row, row_count, credit_limit_total, rows FROM roster_chunk "

bool roster_each_chunk(struct db *db, const struct roster_key *key, db_row_handler *each, void *owner,
                       struct error *err)
{
    static const struct statement all =
        STATEMENT("roster_each_chunk", CHUNK "WHERE bank_no = $1 AND batch_number = $2 ORDER BY first_row", key_params,
                  chunk_columns, sizeof(struct roster_chunk));
    CLEANUP(arena_release) struct arena arena = { 0 };

    return db_each(db, &all, key, &arena, each, owner, err);
}

struct range_params {
    int32_t bank_no;
    int64_t batch_number, from_row, to_row;
};
static const struct column range_params[] = {
    COLUMN(struct range_params, bank_no),
    COLUMN(struct range_params, batch_number),
    COLUMN(struct range_params, from_row),
    COLUMN(struct range_params, to_row),
};

bool roster_chunks(struct db *db, const struct roster_key *key, int64_t from_row, int64_t limit, struct arena *arena,
                   struct roster_chunk **rows, size_t *count, struct error *err)
{
    static const struct statement next =
        STATEMENT("roster_chunks",
                  CHUNK "WHERE bank_no = $1 AND batch_number = $2 AND first_row >= $3 ORDER BY first_row LIMIT $4",
                  range_params, chunk_columns, sizeof(struct roster_chunk));
    const struct range_params params = { key->bank_no, key->batch_number, from_row, limit };

    return db_fetch(db, &next, &params, arena, (void **)rows, count, err);
}

bool roster_find_twice(struct db *db, const struct roster_key *key, int64_t *rows, struct error *err)
{
    static const struct statement find = COMMAND_STATEMENT(
        "roster_find_twice",
        "WITH named AS NOT MATERIALIZED (SELECT u.id, c.first_row + u.at - 1 AS row_number FROM roster_chunk c, "
        "unnest(c.member_ids) WITH ORDINALITY AS u(id, at) WHERE c.bank_no = $1 AND c.batch_number = $2 "
        "AND u.id <> '00000000-0000-0000-0000-000000000000'), "
        "often AS MATERIALIZED (SELECT id, min(row_number) AS first, max(row_number) AS last FROM named GROUP BY id "
        "HAVING count(*) > 1) "
        "INSERT INTO roster_twice (bank_no, batch_number, row_number, other_row) "
        "SELECT $1, $2, n.row_number, CASE WHEN n.row_number = o.first THEN o.last ELSE o.first END "
        "FROM named n JOIN often o ON o.id = n.id ON CONFLICT DO NOTHING",
        key_params);

    /* Nobody has counted rows that came a moment ago: a plan for few of them would be a plan for ever. */
    static const struct statement plan = {
        "roster_plan", "SELECT set_config('enable_nestloop', 'off', true)", NULL, 0, NULL, 0, 0,
    };

    return db_execute(db, &plan, NULL, NULL, err) && db_execute(db, &find, key, rows, err);
}

bool roster_twices(struct db *db, const struct roster_key *key, int64_t from_row, int64_t to_row, struct arena *arena,
                   struct roster_twice **rows, size_t *count, struct error *err)
{
    static const struct column columns[] = { COLUMN(struct roster_twice, row_number),
                                             COLUMN(struct roster_twice, other_row) };
    static const struct statement list =
        STATEMENT("roster_twices",
                  "SELECT row_number, other_row FROM roster_twice WHERE bank_no = $1 AND batch_number = $2 AND "
                  "row_number BETWEEN $3 AND $4 ORDER BY row_number",
                  range_params, columns, sizeof(struct roster_twice));
    const struct range_params params = { key->bank_no, key->batch_number, from_row, to_row };

    return db_fetch(db, &list, &params, arena, (void **)rows, count, err);
}

struct members_row {
    int64_t members;
};

bool roster_find_closings(struct db *db, const struct roster_key *key, int64_t *closings, int64_t *members,
                          struct error *err)
{
    static const struct column bank_params[] = { COLUMN(struct roster_key, bank_no) };
    static const struct column members_columns[] = { COLUMN(struct members_row, members) };
    static const struct statement count =
        STATEMENT("roster_members", "SELECT count(*) AS members FROM account WHERE bank_no = $1 AND status <> 3",
                  bank_params, members_columns, sizeof(struct members_row));
    static const struct statement find = COMMAND_STATEMENT(
        "roster_find_closings",
        "INSERT INTO roster_closing (bank_no, batch_number, member_id, member_ref) "
        "SELECT $1, $2, a.member_id, a.member_ref FROM account a WHERE a.bank_no = $1 AND a.status <> 3 AND "
        "NOT EXISTS (SELECT FROM (SELECT unnest(c.member_ids) AS id FROM roster_chunk c WHERE c.bank_no = $1 AND "
        "c.batch_number = $2) listed WHERE listed.id = a.member_id) ON CONFLICT DO NOTHING",
        key_params);
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct members_row row = { 0 };
    bool found;

    if (!db_fetch_one(db, &count, key, &arena, &row, &found, err) || !db_execute(db, &find, key, closings, err))
        return false;
    *members = row.members;
    return true;
}

static const struct column done_params[] = {
    COLUMN(struct roster_done, bank_no),   COLUMN(struct roster_done, batch_number),
    COLUMN(struct roster_done, first_row), COLUMN(struct roster_done, refused),
    COLUMN(struct roster_done, verdicts),
};

bool roster_put_verdicts(struct db *db, const struct roster_done *done, struct error *err)
{
    static const struct statement put =
        COMMAND_STATEMENT("roster_put_verdicts",
                          "INSERT INTO roster_verdict (bank_no, batch_number, first_row, refused, verdicts) "
                          "VALUES ($1, $2, $3, $4, $5)",
                          done_params);

    return db_execute(db, &put, done, NULL, err);
}

struct put_closings_params {
    int32_t bank_no;
    int64_t batch_number;
    struct record_array rows;
};
static const struct column closing_write_columns[] = { COLUMN(struct roster_closing, member_id),
                                                       COLUMN(struct roster_closing, reason) };
static const struct record_type closing_write = { "roster_closing_write", closing_write_columns,
                                                  COUNT(closing_write_columns), sizeof(struct roster_closing) };
static const struct column put_closings_params[] = {
    COLUMN(struct put_closings_params, bank_no),
    COLUMN(struct put_closings_params, batch_number),
    RECORDS(struct put_closings_params, rows, &closing_write),
};

bool roster_put_closings(struct db *db, const struct roster_key *key, const struct roster_closing *rows, size_t count,
                         struct error *err)
{
    static const struct statement put =
        COMMAND_STATEMENT("roster_put_closings",
                          "UPDATE roster_closing c SET done = true, reason = u.reason FROM "
                          "unnest($3::roster_closing_write[]) u WHERE c.bank_no = $1 AND c.batch_number = $2 AND "
                          "c.member_id = u.member_id",
                          put_closings_params);
    const struct put_closings_params params = { key->bank_no, key->batch_number, { rows, count } };

    return db_execute(db, &put, &params, NULL, err);
}

struct traces_params {
    int32_t bucket;
    int32_t bank_no;
    int64_t batch_number;
    struct uuid_array ids;
};
static const struct column traces_params[] = {
    COLUMN(struct traces_params, bucket),
    COLUMN(struct traces_params, bank_no),
    COLUMN(struct traces_params, batch_number),
    COLUMN(struct traces_params, ids),
};
static const struct column trace_columns[] = { COLUMN(struct roster_trace, member_id),
                                               COLUMN(struct roster_trace, created) };

bool roster_traces(struct db *db, int32_t bucket, const struct roster_key *key, const struct uuid *ids, size_t count,
                   struct arena *arena, struct roster_trace **rows, size_t *found, struct error *err)
{
    static const struct statement find =
        STATEMENT("roster_traces",
                  "SELECT member_id, bool_or(account_before = '') AS created FROM member_change WHERE bucket = $1 AND "
                  "member_id = ANY($4) AND bank_no = $2 AND batch_number = $3 GROUP BY member_id",
                  traces_params, trace_columns, sizeof(struct roster_trace));
    const struct traces_params params = { bucket, key->bank_no, key->batch_number, { ids, count } };

    return db_fetch(db, &find, &params, arena, (void **)rows, found, err);
}

static const struct column standings_params[] = { COLUMN(struct roster_standings_params, bucket),
                                                  COLUMN(struct roster_standings_params, ids) };
static const struct column standing_columns[] = {
    COLUMN(struct roster_standing, member_id),    COLUMN(struct roster_standing, bank_no),
    COLUMN(struct roster_standing, status),       COLUMN(struct roster_standing, tier),
    COLUMN(struct roster_standing, credit_limit), COLUMN(struct roster_standing, profile_hash),
    COLUMN(struct roster_standing, credit),
};
/* OFFSET 0: a look-up a member, and never a bucket or a programme of them read at once, as few as there may have been
 * when it was planned. */
const struct statement roster_standings = STATEMENT(
    "roster_standings",
    "SELECT a.member_id, a.bank_no, a.status, a.tier, a.credit_limit, a.profile_hash, a.credit "
    "FROM unnest($2::uuid[]) u (id) CROSS JOIN LATERAL (SELECT * FROM account WHERE bucket = $1 AND member_id = u.id "
    "OFFSET 0) a JOIN fence f ON f.bucket = $1 AND f.programme_no = a.programme_no "
    "WHERE a.tier_due = '1970-01-01' OR a.tier_due > f.business_date",
    standings_params, standing_columns, sizeof(struct roster_standing));

bool roster_clear(struct db *db, const struct roster_key *key, bool applied, int64_t keep, struct error *err)
{
    static const struct statement empty =
        COMMAND_STATEMENT("roster_empty_staged",
                          "UPDATE roster_chunk SET rows = '' WHERE bank_no = $1 AND batch_number = $2", key_params);
    static const struct statement statements[] = {
        COMMAND_STATEMENT("roster_clear_earlier", "DELETE FROM roster_chunk WHERE bank_no = $1 AND batch_number < $2",
                          key_params),
        COMMAND_STATEMENT("roster_clear_twice", "DELETE FROM roster_twice WHERE bank_no = $1 AND batch_number <= $2",
                          key_params),
    };
    static const struct statement staged = COMMAND_STATEMENT(
        "roster_clear_staged", "DELETE FROM roster_chunk WHERE bank_no = $1 AND batch_number = $2", key_params);
    static const struct statement old[] = {
        COMMAND_STATEMENT("roster_clear_verdicts",
                          "DELETE FROM roster_verdict WHERE bank_no = $1 AND batch_number <= $2", key_params),
        COMMAND_STATEMENT("roster_clear_closings",
                          "DELETE FROM roster_closing WHERE bank_no = $1 AND batch_number <= $2", key_params),
    };
    const struct roster_key older = { key->bank_no, key->batch_number - keep };

    /* What was refused takes nothing of the batch before it away. */
    for (size_t i = applied ? 0 : 1; i < COUNT(statements); i++) {
        if (!db_execute(db, &statements[i], key, NULL, err))
            return false;
    }
    for (size_t i = 0; i < COUNT(old); i++) {
        if (!db_execute(db, &old[i], &older, NULL, err))
            return false;
    }
    return db_execute(db, applied ? &empty : &staged, key, NULL, err);
}

bool roster_forget(struct db *db, const struct roster_key *key, bool *more, struct error *err)
{
    enum { AT_ONCE = 20000 };
    const struct befores_drop_params params = { key->bank_no, key->batch_number, AT_ONCE };
    int64_t dropped;

    if (!db_execute(db, &befores_drop, &params, &dropped, err))
        return false;
    *more = dropped == AT_ONCE;
    return true;
}
