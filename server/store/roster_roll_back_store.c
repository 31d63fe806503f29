#include "store/roster_roll_back_store.h"

#define ROLL_BACK_COLUMNS                                                                                              \
    "bank_no, batch_number, wanted_because, requested_by, requested_person, requested_at, released_by, released_at, "  \
    "phase, next_row, after_member, refused, detail, found, restored, withdrawn, reopened, points_back"

static const struct column row_columns[] = {
    COLUMN(struct roll_back, bank_no),
    COLUMN(struct roll_back, batch_number),
    COLUMN(struct roll_back, wanted_because),
    COLUMN(struct roll_back, requested_by),
    COLUMN(struct roll_back, requested_person),
    COLUMN(struct roll_back, requested_at),
    COLUMN(struct roll_back, released_by),
    COLUMN(struct roll_back, released_at),
    COLUMN(struct roll_back, phase),
    COLUMN(struct roll_back, next_row),
    COLUMN(struct roll_back, after_member),
    COLUMN(struct roll_back, refused),
    COLUMN(struct roll_back, detail),
    COLUMN(struct roll_back, found),
    COLUMN(struct roll_back, restored),
    COLUMN(struct roll_back, withdrawn),
    COLUMN(struct roll_back, reopened),
    COLUMN(struct roll_back, points_back),
};
static const struct column key_params[] = { COLUMN(struct roster_key, bank_no),
                                            COLUMN(struct roster_key, batch_number) };

bool roll_back_find(struct db *db, const struct roster_key *key, struct arena *arena, struct roll_back *row,
                    bool *found, struct error *err)
{
    static const struct statement find = STATEMENT(
        "roll_back_find", "SELECT " ROLL_BACK_COLUMNS " FROM roster_roll_back WHERE bank_no = $1 AND batch_number = $2",
        key_params, row_columns, sizeof(struct roll_back));

    return db_fetch_one(db, &find, key, arena, row, found, err);
}

struct list_params {
    int32_t bank_no;
    int64_t from_batch, to_batch;
};
static const struct column list_params[] = { COLUMN(struct list_params, bank_no),
                                             COLUMN(struct list_params, from_batch),
                                             COLUMN(struct list_params, to_batch) };

bool roll_back_list(struct db *db, int32_t bank_no, int64_t from_batch, int64_t to_batch, struct arena *arena,
                    struct roll_back **rows, size_t *count, struct error *err)
{
    static const struct statement list =
        STATEMENT("roll_back_list",
                  "SELECT " ROLL_BACK_COLUMNS
                  " FROM roster_roll_back WHERE bank_no = $1 AND batch_number BETWEEN $2 AND $3 ORDER BY batch_number",
                  list_params, row_columns, sizeof(struct roll_back));
    const struct list_params params = { bank_no, from_batch, to_batch };

    return db_fetch(db, &list, &params, arena, (void **)rows, count, err);
}

bool roll_back_drop(struct db *db, const struct roster_key *key, struct error *err)
{
    static const struct statement drop = COMMAND_STATEMENT(
        "roll_back_drop", "DELETE FROM roster_roll_back WHERE bank_no = $1 AND batch_number = $2", key_params);

    return db_execute(db, &drop, key, NULL, err);
}

bool roll_back_want(struct db *db, const struct roll_back *row, struct error *err)
{
    static const struct column params[] = {
        COLUMN(struct roll_back, bank_no),          COLUMN(struct roll_back, batch_number),
        COLUMN(struct roll_back, wanted_because),   COLUMN(struct roll_back, requested_by),
        COLUMN(struct roll_back, requested_person),
    };
    static const struct statement want =
        COMMAND_STATEMENT("roll_back_want",
                          "INSERT INTO roster_roll_back (bank_no, batch_number, wanted_because, requested_by, "
                          "requested_person) VALUES ($1, $2, $3, $4, $5)",
                          params);
    const struct roster_key key = { row->bank_no, row->batch_number };

    return roll_back_drop(db, &key, err) && db_execute(db, &want, row, NULL, err);
}

bool roll_back_release(struct db *db, const struct roll_back *row, struct error *err)
{
    static const struct column params[] = { COLUMN(struct roll_back, bank_no), COLUMN(struct roll_back, batch_number),
                                            COLUMN(struct roll_back, released_by) };
    static const struct statement release =
        COMMAND_STATEMENT("roll_back_release",
                          "UPDATE roster_roll_back SET released_by = $3, released_at = now(), phase = 1 "
                          "WHERE bank_no = $1 AND batch_number = $2 AND phase = 0",
                          params);
    static const struct statement begin = COMMAND_STATEMENT(
        "roll_back_begin",
        "UPDATE roster_batch SET state = 7, changed_at = now() WHERE bank_no = $1 AND batch_number = $2 AND state = 6",
        key_params);
    const struct roster_key key = { row->bank_no, row->batch_number };

    return db_execute(db, &release, row, NULL, err) && db_execute(db, &begin, &key, NULL, err);
}

bool roll_back_keep(struct db *db, const struct roll_back *row, struct error *err)
{
    static const struct column params[] = {
        COLUMN(struct roll_back, bank_no),      COLUMN(struct roll_back, batch_number),
        COLUMN(struct roll_back, phase),        COLUMN(struct roll_back, next_row),
        COLUMN(struct roll_back, after_member), COLUMN(struct roll_back, refused),
        COLUMN(struct roll_back, detail),       COLUMN(struct roll_back, found),
        COLUMN(struct roll_back, restored),     COLUMN(struct roll_back, withdrawn),
        COLUMN(struct roll_back, reopened),     COLUMN(struct roll_back, points_back),
    };
    static const struct statement keep =
        COMMAND_STATEMENT("roll_back_keep",
                          "UPDATE roster_roll_back SET phase = $3, next_row = $4, after_member = $5, refused = $6, "
                          "detail = $7, found = $8, restored = $9, withdrawn = $10, reopened = $11, points_back = $12 "
                          "WHERE bank_no = $1 AND batch_number = $2",
                          params);

    return db_execute(db, &keep, row, NULL, err);
}

/* What is to be undone */

struct chunks_params {
    int32_t bank_no;
    int64_t batch_number, from_row, limit;
};
static const struct column chunks_params[] = {
    COLUMN(struct chunks_params, bank_no),
    COLUMN(struct chunks_params, batch_number),
    COLUMN(struct chunks_params, from_row),
    COLUMN(struct chunks_params, limit),
};
static const struct column chunk_columns[] = {
    COLUMN(struct applied_chunk, first_row),
    COLUMN(struct applied_chunk, row_count),
    COLUMN(struct applied_chunk, member_ids),
    COLUMN(struct applied_chunk, verdicts),
};

bool applied_chunks(struct db *db, const struct roster_key *key, int64_t from_row, int64_t limit, struct arena *arena,
                    struct applied_chunk **rows, size_t *count, struct error *err)
{
    static const struct statement next =
        STATEMENT("applied_chunks",
                  "SELECT c.first_row, c.row_count, c.member_ids, v.verdicts FROM roster_chunk c JOIN roster_verdict v "
                  "ON v.bank_no = c.bank_no AND v.batch_number = c.batch_number AND v.first_row = c.first_row "
                  "WHERE c.bank_no = $1 AND c.batch_number = $2 AND c.first_row >= $3 ORDER BY c.first_row LIMIT $4",
                  chunks_params, chunk_columns, sizeof(struct applied_chunk));
    const struct chunks_params params = { key->bank_no, key->batch_number, from_row, limit };

    return db_fetch(db, &next, &params, arena, (void **)rows, count, err);
}

static const struct column undo_params[] = {
    COLUMN(struct undo_params, bank_no), COLUMN(struct undo_params, batch_number), COLUMN(struct undo_params, buckets),
    COLUMN(struct undo_params, ids),     COLUMN(struct undo_params, refs),
};
static const struct column undo_columns[] = {
    COLUMN(struct undo_row, place),
    COLUMN(struct undo_row, member_ref),
    COLUMN(struct undo_row, status_now),
    COLUMN(struct undo_row, journal_seq),
    COLUMN(struct undo_row, kept),
    COLUMN(struct undo_row, was_there),
    COLUMN(struct undo_row, status),
    COLUMN(struct undo_row, tier),
    COLUMN(struct undo_row, credit_limit),
    COLUMN(struct undo_row, credit),
    COLUMN(struct undo_row, profile_hash),
    COLUMN(struct undo_row, lots),
    COLUMN(struct undo_row, pending_lots),
    COLUMN(struct undo_row, marks),
    COLUMN(struct undo_row, profile_changed),
    COLUMN(struct undo_row, card_tokens),
    COLUMN(struct undo_row, facts),
    COLUMN(struct undo_row, sealed),
    COLUMN(struct undo_row, phone_mac),
    COLUMN(struct undo_row, email_mac),
    COLUMN(struct undo_row, tokens_now),
    COLUMN(struct undo_row, facts_now),
    COLUMN(struct undo_row, tokens_then),
    COLUMN(struct undo_row, done),
    COLUMN(struct undo_row, ours),
    COLUMN(struct undo_row, built_seq),
    COLUMN(struct undo_row, built_kind),
};
/*
 * A member that the batch made has one entry of it. LAPSE, EXPIRE, FORFEIT and MATURE (6, 9, 10, 12 of domain/entry.h)
 * that nobody asked for would have come anyway. OFFSET 0 keeps all of it look-ups by index.
 */
const struct statement undo_find = STATEMENT(
    "undo_find",
    "SELECT u.n - 1 AS place, a.member_ref, a.status AS status_now, a.journal_seq, b.seq IS NOT NULL AS kept, "
    "coalesce(b.was_there, false) AS was_there, coalesce(b.status, 0::int2) AS status, "
    "coalesce(b.tier, 0::int2) AS tier, coalesce(b.credit_limit, 0) AS credit_limit, "
    "coalesce(b.credit, '') AS credit, coalesce(b.profile_hash, '') AS profile_hash, coalesce(b.lots, '') AS lots, "
    "coalesce(b.pending_lots, '') AS pending_lots, coalesce(b.marks, '') AS marks, "
    "coalesce(b.profile_changed, false) AS profile_changed, coalesce(b.card_tokens, '{}') AS card_tokens, "
    "coalesce(b.facts, '') AS facts, coalesce(b.sealed, '') AS sealed, coalesce(b.phone_mac, '') AS phone_mac, "
    "coalesce(b.email_mac, '') AS email_mac, coalesce(p.card_tokens, '{}') AS tokens_now, "
    "coalesce(p.facts, '') AS facts_now, coalesce(t.tokens, '{}') AS tokens_then, coalesce(j.done, false) AS done, "
    "b.seq IS NULL AND EXISTS (SELECT FROM member_change WHERE bucket = u.bucket::int AND member_id = u.id "
    "AND bank_no = $1 AND batch_number = $2) AS ours, "
    "coalesce(j.built_seq, 0) AS built_seq, coalesce(j.built_kind, 0::int2) AS built_kind "
    "FROM unnest($3::int8[], $4::uuid[], $5::uuid[]) WITH ORDINALITY u (bucket, id, ref, n) "
    "CROSS JOIN LATERAL (SELECT member_ref, status, journal_seq FROM account WHERE bucket = u.bucket::int "
    "AND member_id = u.id OFFSET 0) a "
    "LEFT JOIN LATERAL (SELECT * FROM roster_before WHERE bank_no = $1 AND bucket = u.bucket::int "
    "AND member_id = u.id AND batch_number = $2 OFFSET 0) b ON true "
    "LEFT JOIN LATERAL (SELECT card_tokens, facts FROM member_profile WHERE bucket = u.bucket::int "
    "AND member_id = u.id OFFSET 0) p ON true "
    "LEFT JOIN LATERAL (SELECT ARRAY(SELECT card ->> 'token' FROM jsonb_array_elements("
    "c.profile_after::jsonb -> 'cards') card) AS tokens FROM member_change c WHERE c.bucket = u.bucket::int "
    "AND c.member_id = u.id AND c.seq = coalesce(b.seq, 1) AND left(c.profile_after, 1) = '{' OFFSET 0) t ON true "
    "LEFT JOIN LATERAL (SELECT bool_or(e.ref = u.ref) AS done, min(e.seq) FILTER (WHERE e.built) AS built_seq, "
    "(array_agg(e.kind ORDER BY e.seq) FILTER (WHERE e.built))[1] AS built_kind FROM (SELECT seq, kind, ref, "
    "ref <> u.ref AND NOT (ref = '00000000-0000-0000-0000-000000000000' AND kind IN (6, 9, 10, 12)) AS built "
    "FROM journal WHERE a.journal_seq > coalesce(b.seq, 1) AND bucket = u.bucket::int AND member_id = u.id "
    "AND seq > coalesce(b.seq, 1)) e OFFSET 0) j ON true ORDER BY u.n",
    undo_params, undo_columns, sizeof(struct undo_row));
