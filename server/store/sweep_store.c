#include "store/sweep_store.h"

const char sweep_session_sql[] = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'; "
                                 "SET enable_seqscan = off; SET jit = off; SET timezone = 'UTC'";

/* What is not finished: of no row, the open day; of a walk under way, its own day and those after it. */
static const struct column behind_columns[] = { COLUMN(struct sweep_behind, bucket),
                                                COLUMN(struct sweep_behind, days) };
static const struct statement find_behind = {
    "sweep_behind",
    "SELECT f.bucket, max(f.business_date - coalesce(s.business_date - CASE WHEN s.finished THEN 0 ELSE 1 END, "
    "f.business_date - 1)) AS days FROM fence f "
    "LEFT JOIN sweep s ON s.bucket = f.bucket AND s.programme_no = f.programme_no "
    "WHERE s.bucket IS NULL OR NOT s.finished OR s.business_date < f.business_date GROUP BY f.bucket ORDER BY f.bucket",
    NULL,
    0,
    behind_columns,
    COUNT(behind_columns),
    sizeof(struct sweep_behind),
};

bool sweep_store_behind(struct db *db, struct arena *arena, struct sweep_behind **rows, size_t *count,
                        struct error *err)
{
    void *found;

    if (!db_fetch(db, &find_behind, NULL, arena, &found, count, err))
        return false;
    *rows = found;
    return true;
}

struct bucket_params {
    int32_t bucket;
};
static const struct column bucket_params[] = { COLUMN(struct bucket_params, bucket) };
static const struct statement begin_walks = COMMAND_STATEMENT(
    "sweep_begin",
    "INSERT INTO sweep (bucket, programme_no, business_date, after_member_id, finished) "
    "SELECT f.bucket, f.programme_no, f.business_date, '00000000-0000-0000-0000-000000000000', false FROM fence f "
    "WHERE f.bucket = $1 AND NOT EXISTS (SELECT FROM sweep s WHERE s.bucket = f.bucket "
    "AND s.programme_no = f.programme_no) ON CONFLICT DO NOTHING",
    bucket_params);

static const struct column claim_columns[] = {
    COLUMN(struct sweep_claim, programme_no),    COLUMN(struct sweep_claim, business_date),
    COLUMN(struct sweep_claim, after_member_id), COLUMN(struct sweep_claim, finished),
    COLUMN(struct sweep_claim, today),           COLUMN(struct sweep_claim, now),
};
static const struct statement claim_walk =
    STATEMENT("sweep_claim",
              "SELECT s.programme_no, s.business_date, s.after_member_id, s.finished, f.business_date AS today, "
              "CASE WHEN f.test_clock = 'epoch' THEN now() ELSE f.test_clock END AS now "
              "FROM sweep s JOIN fence f ON f.bucket = s.bucket AND f.programme_no = s.programme_no "
              "WHERE s.bucket = $1 AND (NOT s.finished OR s.business_date < f.business_date) "
              "ORDER BY s.business_date, s.programme_no LIMIT 1 FOR UPDATE OF s SKIP LOCKED",
              bucket_params, claim_columns, sizeof(struct sweep_claim));

bool sweep_store_claim(struct db *db, int32_t bucket, struct sweep_claim *claim, bool *found, struct error *err)
{
    const struct bucket_params params = { bucket };
    CLEANUP(arena_release) struct arena arena = { 0 };

    return db_execute(db, &begin_walks, &params, NULL, err) &&
           db_fetch_one(db, &claim_walk, &params, &arena, claim, found, err);
}

struct move_params {
    int32_t bucket, programme_no;
    struct date business_date;
    struct uuid after_member_id;
    bool finished;
};
static const struct column move_params[] = {
    COLUMN(struct move_params, bucket),        COLUMN(struct move_params, programme_no),
    COLUMN(struct move_params, business_date), COLUMN(struct move_params, after_member_id),
    COLUMN(struct move_params, finished),
};
static const struct statement move_walk =
    COMMAND_STATEMENT("sweep_move",
                      "UPDATE sweep SET business_date = $3, after_member_id = $4, finished = $5 "
                      "WHERE bucket = $1 AND programme_no = $2",
                      move_params);

bool sweep_store_move(struct db *db, int32_t bucket, const struct sweep_claim *claim, struct error *err)
{
    const struct move_params params = { bucket, claim->programme_no, claim->business_date, claim->after_member_id,
                                        claim->finished };

    return db_execute(db, &move_walk, &params, NULL, err);
}

struct members_params {
    int32_t bucket;
    struct uuid after;
    int64_t limit;
};
static const struct column members_params[] = { COLUMN(struct members_params, bucket),
                                                COLUMN(struct members_params, after),
                                                COLUMN(struct members_params, limit) };
static const struct column member_columns[] = {
    COLUMN(struct sweep_member, member_id),   COLUMN(struct sweep_member, programme_no),
    COLUMN(struct sweep_member, bank_no),     COLUMN(struct sweep_member, next_due),
    COLUMN(struct sweep_member, status),      COLUMN(struct sweep_member, tier),
    COLUMN(struct sweep_member, reviewed_by),
};
/* A limit that is by tier is due when the rules in force say another; the lane decides what it becomes. */
static const struct statement find_members = STATEMENT(
    "sweep_members",
    "SELECT a.member_id, a.programme_no, a.bank_no, CASE WHEN a.credit <> '' AND get_byte(a.credit, 3) = 1 "
    "AND a.credit_limit <> coalesce((SELECT t.points FROM exchange_tier_limit t WHERE t.bank_no = a.bank_no "
    "AND t.version = (SELECT max(r.version) FROM exchange_rules r WHERE r.bank_no = a.bank_no AND NOT r.cancelled "
    "AND r.effective_from <= CASE WHEN f.test_clock = 'epoch' THEN now() ELSE f.test_clock END) "
    "AND t.tier <= a.tier ORDER BY t.tier DESC LIMIT 1), 0) AND a.status <> 3 "
    "THEN '1970-01-01'::date ELSE a.next_due END AS next_due, a.status, a.tier, coalesce(v.rules_version, 0) "
    "AS reviewed_by FROM account a JOIN fence f ON f.bucket = $1 AND f.programme_no = a.programme_no "
    "LEFT JOIN tier_review v ON v.bucket = a.bucket AND v.member_id = a.member_id "
    "WHERE a.bucket = $1 AND a.member_id > $2 ORDER BY a.member_id LIMIT $3",
    members_params, member_columns, sizeof(struct sweep_member));

bool sweep_store_members(struct db *db, int32_t bucket, const struct uuid *after, int32_t limit, struct arena *arena,
                         struct sweep_member **rows, size_t *count, struct error *err)
{
    const struct members_params params = { bucket, *after, limit };
    void *found;

    if (!db_fetch(db, &find_members, &params, arena, &found, count, err))
        return false;
    *rows = found;
    return true;
}

struct lots_params {
    int32_t bucket, programme_no;
    struct uuid after, last;
    struct date due_by;
};
static const struct column lots_params[] = {
    COLUMN(struct lots_params, bucket), COLUMN(struct lots_params, programme_no), COLUMN(struct lots_params, after),
    COLUMN(struct lots_params, last),   COLUMN(struct lots_params, due_by),
};
static const struct column lots_columns[] = {
    COLUMN(struct sweep_lots, member_id),
    COLUMN(struct sweep_lots, bank_no),
    COLUMN(struct sweep_lots, member_ref),
    COLUMN(struct sweep_lots, lots),
};
static const struct statement find_lots =
    STATEMENT("sweep_lots",
              "SELECT member_id, bank_no, member_ref, lots FROM account WHERE bucket = $1 AND member_id > $3 "
              "AND member_id <= $4 AND programme_no = $2 AND next_due <= $5 ORDER BY member_id",
              lots_params, lots_columns, sizeof(struct sweep_lots));

bool sweep_store_lots(struct db *db, int32_t bucket, const struct sweep_claim *claim, const struct uuid *last,
                      struct date due_by, struct arena *arena, struct sweep_lots **rows, size_t *count,
                      struct error *err)
{
    const struct lots_params params = { bucket, claim->programme_no, claim->after_member_id, *last, due_by };
    void *found;

    if (!db_fetch(db, &find_lots, &params, arena, &found, count, err))
        return false;
    *rows = found;
    return true;
}

/* In the order of the composite type expiry_notice_write. */
static const struct column notice_columns[] = {
    COLUMN(struct sweep_notice, bank_no),    COLUMN(struct sweep_notice, member_id),
    COLUMN(struct sweep_notice, member_ref), COLUMN(struct sweep_notice, expires_on),
    COLUMN(struct sweep_notice, days_ahead), COLUMN(struct sweep_notice, points),
};
static const struct record_type notice_write = { "expiry_notice_write", notice_columns, COUNT(notice_columns),
                                                 sizeof(struct sweep_notice) };
struct notices_params {
    int32_t bucket;
    struct date today;
    struct record_array notices;
};
static const struct column notices_params[] = { COLUMN(struct notices_params, bucket),
                                                COLUMN(struct notices_params, today),
                                                RECORDS(struct notices_params, notices, &notice_write) };
static const struct statement write_notices = COMMAND_STATEMENT(
    "sweep_notices",
    "INSERT INTO expiry_notice (bucket, bank_no, business_date, member_id, member_ref, expires_on, days_ahead, points) "
    "SELECT $1, w.bank_no, $2, w.member_id, w.member_ref, w.expires_on, w.days_ahead, w.points "
    "FROM unnest($3::expiry_notice_write[]) w ON CONFLICT DO NOTHING",
    notices_params);

bool sweep_store_notices(struct db *db, int32_t bucket, struct date today, const struct sweep_notice *notices,
                         size_t count, int64_t *written, struct error *err)
{
    const struct notices_params params = { bucket, today, { notices, count } };

    return db_execute(db, &write_notices, &params, written, err);
}

struct prune_params {
    int32_t bucket, programme_no;
    struct date before;
    int64_t limit;
};
static const struct column prune_params[] = { COLUMN(struct prune_params, bucket),
                                              COLUMN(struct prune_params, programme_no),
                                              COLUMN(struct prune_params, before), COLUMN(struct prune_params, limit) };
static const struct statement prune_notices = COMMAND_STATEMENT(
    "sweep_prune",
    "DELETE FROM expiry_notice n USING (SELECT o.bank_no, o.business_date, o.member_id, o.expires_on, o.days_ahead "
    "FROM bank b JOIN expiry_notice o ON o.bank_no = b.bank_no WHERE b.programme_no = $2 AND o.bucket = $1 "
    "AND o.business_date < $3 LIMIT $4) o WHERE n.bucket = $1 AND n.bank_no = o.bank_no "
    "AND n.business_date = o.business_date AND n.member_id = o.member_id AND n.expires_on = o.expires_on "
    "AND n.days_ahead = o.days_ahead",
    prune_params);

bool sweep_store_prune(struct db *db, int32_t bucket, int32_t programme_no, struct date before, int32_t limit,
                       struct error *err)
{
    const struct prune_params params = { bucket, programme_no, before, limit };

    return db_execute(db, &prune_notices, &params, NULL, err);
}
