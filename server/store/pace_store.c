#include "store/pace_store.h"

const char pace_session_sql[] = "SET synchronous_commit = off; SET lock_timeout = '5s'; SET enable_seqscan = off; "
                                "SET jit = off; SET timezone = 'UTC'";

struct clock_row {
    struct instant now;
};
static const struct column clock_columns[] = { COLUMN(struct clock_row, now) };
static const struct statement get_clock = { "pace_clock",         "SELECT now()",          NULL, 0, clock_columns,
                                            COUNT(clock_columns), sizeof(struct clock_row) };

bool pace_store_clock(struct db *db, struct instant *now, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct clock_row row = { { 0 } };
    bool found;

    if (!db_fetch_one(db, &get_clock, NULL, &arena, &row, &found, err))
        return false;
    *now = row.now;
    return true;
}

/* In the order of the composite type pace_write; a row of pace_read, too. */
static const struct column row_columns[] = {
    COLUMN(struct pace_row, merchant_no), COLUMN(struct pace_row, terminal), COLUMN(struct pace_row, slot_at),
    COLUMN(struct pace_row, slot_us),     COLUMN(struct pace_row, holds),    COLUMN(struct pace_row, points),
};
static const struct record_type pace_write = { "pace_write", row_columns, COUNT(row_columns), sizeof(struct pace_row) };

struct write_params {
    struct uuid server_id;
    struct record_array rows;
    int64_t slots;
};
static const struct column write_params[] = { COLUMN(struct write_params, server_id),
                                              RECORDS(struct write_params, rows, &pace_write) };
static const struct column forget_params[] = { COLUMN(struct write_params, server_id),
                                               RECORDS(struct write_params, rows, &pace_write),
                                               COLUMN(struct write_params, slots) };

static const struct statement write_rows = COMMAND_STATEMENT(
    "pace_write",
    "INSERT INTO pace (server_id, merchant_no, terminal, slot_at, slot_us, holds, points, written_at) "
    "SELECT $1, w.merchant_no, w.terminal, w.slot_at, w.slot_us, w.holds, w.points, now() "
    "FROM unnest($2::pace_write[]) w "
    "ON CONFLICT (merchant_no, terminal, slot_at, slot_us, server_id) DO UPDATE SET holds = excluded.holds, "
    "points = excluded.points, written_at = excluded.written_at",
    write_params);
static const struct statement forget_rows = COMMAND_STATEMENT(
    "pace_forget",
    "DELETE FROM pace p USING unnest($2::pace_write[]) w WHERE p.merchant_no = w.merchant_no "
    "AND p.terminal = w.terminal AND p.slot_at < w.slot_at - $3 * w.slot_us * interval '1 microsecond' "
    "AND p.server_id = $1",
    forget_params);

bool pace_store_write(struct db *db, const struct uuid *server_id, int64_t slots, const struct pace_row *rows,
                      size_t count, struct error *err)
{
    const struct write_params params = { *server_id, { rows, count }, slots };

    return db_execute(db, &write_rows, &params, NULL, err) && db_execute(db, &forget_rows, &params, NULL, err);
}

struct read_params {
    struct uuid server_id;
    struct instant since;
};
static const struct column read_params[] = { COLUMN(struct read_params, server_id), COLUMN(struct read_params, since) };
static const struct statement read_rows =
    STATEMENT("pace_read",
              "SELECT p.merchant_no, p.terminal, p.slot_at, p.slot_us, sum(p.holds)::int8 AS holds, "
              "least(sum(p.points), 9000000000000000000)::int8 AS points "
              "FROM (SELECT DISTINCT merchant_no, terminal, slot_at, slot_us FROM pace "
              "WHERE written_at >= $2 AND server_id <> $1) c "
              "JOIN pace p USING (merchant_no, terminal, slot_at, slot_us) WHERE p.server_id <> $1 "
              "GROUP BY p.merchant_no, p.terminal, p.slot_at, p.slot_us",
              read_params, row_columns, sizeof(struct pace_row));

bool pace_store_read(struct db *db, const struct uuid *server_id, struct instant since, db_row_handler *each,
                     void *owner, struct error *err)
{
    const struct read_params params = { *server_id, since };
    CLEANUP(arena_release) struct arena arena = { 0 };

    return db_each(db, &read_rows, &params, &arena, each, owner, err);
}

struct prune_params {
    int64_t age_us;
    int64_t max;
};
static const struct column prune_params[] = { COLUMN(struct prune_params, age_us), COLUMN(struct prune_params, max) };
static const struct statement prune_rows = COMMAND_STATEMENT(
    "pace_prune",
    "DELETE FROM pace p USING (SELECT merchant_no, terminal, slot_at, slot_us, server_id FROM pace "
    "WHERE written_at < now() - $1 * interval '1 microsecond' ORDER BY written_at LIMIT $2 FOR UPDATE SKIP LOCKED) o "
    "WHERE p.merchant_no = o.merchant_no AND p.terminal = o.terminal AND p.slot_at = o.slot_at "
    "AND p.slot_us = o.slot_us AND p.server_id = o.server_id",
    prune_params);

bool pace_store_prune(struct db *db, int64_t age_us, int64_t *deleted, struct error *err)
{
    const struct prune_params params = { age_us, PACE_PRUNE_MAX };

    return db_execute(db, &prune_rows, &params, deleted, err);
}
