#include "store/outbox_store.h"

struct buckets_row {
    int32_t buckets;
};
static const struct column buckets_columns[] = { COLUMN(struct buckets_row, buckets) };
static const struct statement read_buckets = {
    "outbox_buckets",       "SELECT buckets FROM installation", NULL, 0, buckets_columns,
    COUNT(buckets_columns), sizeof(struct buckets_row),
};

bool outbox_buckets(struct db *db, int32_t *buckets, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct buckets_row row;
    bool found;

    if (!db_fetch_one(db, &read_buckets, NULL, &arena, &row, &found, err))
        return false;
    if (!found)
        return error_set(err, REASON_DATABASE_UNREACHABLE, "the database is not migrated yet");
    *buckets = row.buckets;
    return true;
}

struct take_params {
    int32_t bucket;
    int16_t topic;
    int64_t lease_ms;
};
static const struct column take_params[] = { COLUMN(struct take_params, bucket), COLUMN(struct take_params, topic),
                                             COLUMN(struct take_params, lease_ms) };
static const struct column take_columns[] = {
    COLUMN(struct outbox_lease, bucket),        COLUMN(struct outbox_lease, id),
    COLUMN(struct outbox_lease, redemption_id), COLUMN(struct outbox_lease, merchant_no),
    COLUMN(struct outbox_lease, attempts),
};
static const struct statement take =
    STATEMENT("outbox_take",
              "UPDATE outbox o SET attempts = attempts + 1, leased_until = now() + $3 * interval '1 ms' "
              "WHERE o.bucket = $1 AND o.topic = $2 AND o.id = ("
              "SELECT w.id FROM outbox w WHERE w.bucket = $1 AND w.topic = $2 AND w.state = 1 "
              "AND w.next_attempt_at <= now() AND w.leased_until <= now() "
              "ORDER BY w.next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED) "
              "RETURNING o.bucket, o.id, o.redemption_id, o.merchant_no, o.attempts",
              take_params, take_columns, sizeof(struct outbox_lease));

bool outbox_take(struct db *db, int32_t bucket, enum outbox_topic topic, int64_t lease_ms, struct outbox_lease *lease,
                 bool *found, struct error *err)
{
    const struct take_params params = { bucket, (int16_t)topic, lease_ms };
    CLEANUP(arena_release) struct arena arena = { 0 };

    return db_fetch_one(db, &take, &params, &arena, lease, found, err);
}

/* One statement settles a row in all four ways; each gives the lease back. */
struct settle_params {
    int32_t bucket;
    struct uuid id;
    int16_t topic;
    int16_t state;
    int64_t delay_ms;
    int32_t attempts; /* to take back */
    const char *why;
};
static const struct column settle_params[] = {
    COLUMN(struct settle_params, bucket),   COLUMN(struct settle_params, id),
    COLUMN(struct settle_params, topic),    COLUMN(struct settle_params, state),
    COLUMN(struct settle_params, delay_ms), COLUMN(struct settle_params, attempts),
    COLUMN(struct settle_params, why),
};
static const struct statement settle = COMMAND_STATEMENT(
    "outbox_settle",
    "UPDATE outbox SET state = $4, attempts = attempts - $6, leased_until = 'epoch', last_error = $7, "
    "next_attempt_at = now() + $5 * interval '1 ms' "
    "WHERE bucket = $1 AND id = $2 AND topic = $3 AND state = 1",
    settle_params);

enum outbox_state { WAITING = 1, DONE = 2, DEAD = 3 };

static bool settle_row(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic,
                       struct settle_params params, struct error *err)
{
    params.bucket = lease->bucket;
    params.id = lease->id;
    params.topic = (int16_t)topic;
    return db_execute(db, &settle, &params, NULL, err);
}

bool outbox_done(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, struct error *err)
{
    return settle_row(db, lease, topic, (struct settle_params){ .state = DONE }, err);
}

bool outbox_later(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, int64_t delay_ms,
                  const char *why, struct error *err)
{
    return settle_row(db, lease, topic, (struct settle_params){ .state = WAITING, .delay_ms = delay_ms, .why = why },
                      err);
}

bool outbox_postpone(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, int64_t delay_ms,
                     struct error *err)
{
    const char *why = "the partner keeps failing and is left alone for a while";

    return settle_row(db, lease, topic,
                      (struct settle_params){ .state = WAITING, .delay_ms = delay_ms, .attempts = 1, .why = why }, err);
}

bool outbox_bury(struct db *db, const struct outbox_lease *lease, enum outbox_topic topic, const char *why,
                 struct error *err)
{
    return settle_row(db, lease, topic, (struct settle_params){ .state = DEAD, .why = why }, err);
}
