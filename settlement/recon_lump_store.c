/* recon_lump_store.c -- SQL for records of theirs that name nothing of ours: each may be several of ours together. */
#include "recon_store.h"
#include "store/db.h"

#include <string.h>

struct side_row {
    int32_t programme_no;
    int16_t party_type;
};
static const struct column side_params[] = { COLUMN(struct side_row, programme_no),
                                             COLUMN(struct side_row, party_type) };
static const struct column lump_columns[] = {
    COLUMN(struct recon_lump, no),     COLUMN(struct recon_lump, day),      COLUMN(struct recon_lump, state),
    COLUMN(struct recon_lump, amount), COLUMN(struct recon_lump, currency), COLUMN(struct recon_lump, other_no)
};
static const struct statement get_lumps = STATEMENT(
    "recon_lumps",
    "SELECT t.no, t.day, t.state, t.amount, t.currency, COALESCE(CASE $2 WHEN 1 THEN m.merchant_no ELSE "
    "b.bank_no END, 0) AS other_no FROM recon_theirs t LEFT JOIN merchant m ON m.merchant_id = t.party AND "
    "m.programme_no = $1 LEFT JOIN bank b ON b.bank_id = t.party AND b.programme_no = $1 WHERE t.key_kind = 3 "
    "ORDER BY t.no LIMIT 10001",
    side_params, lump_columns, sizeof(struct recon_lump));

bool recon_store_lumps(struct db *db, const struct recon_scope *scope, struct arena *arena, struct recon_lump **lumps,
                       size_t *count, struct error *err)
{
    struct side_row row = { scope->programme_no, scope->party_type };
    void *rows;

    if (!db_fetch(db, &get_lumps, &row, arena, &rows, count, err))
        return false;
    *lumps = rows;
    return true;
}

static const struct column type_params[] = { COLUMN(struct side_row, party_type) };
static const struct statement leave =
    COMMAND_STATEMENT("recon_leave",
                      "INSERT INTO recon_left SELECT r.no, r.uid, r.ref, r.day, r.state, r.amount, r.currency, "
                      "CASE $1 WHEN 1 THEN r.merchant_no ELSE r.bank_no END, 0 FROM recon_found f JOIN recon_row r "
                      "ON r.side = 1 AND r.no = f.our_no WHERE f.class = 8",
                      type_params);

bool recon_store_leave(struct db *db, const struct recon_scope *scope, struct error *err)
{
    struct side_row row = { scope->programme_no, scope->party_type };

    return db_script(db, "ANALYZE recon_found", err) && db_execute(db, &leave, &row, NULL, err) &&
           db_script(db, "CREATE INDEX ON recon_left (day, currency); ANALYZE recon_left", err);
}

struct take_row {
    int64_t by;
    struct date day;
    int16_t state;
    int64_t amount;
    const char *currency;
    int32_t other_no;
    bool net;
    struct int64_array numbers;
};
static const struct column day_params[] = { COLUMN(struct take_row, by),       COLUMN(struct take_row, day),
                                            COLUMN(struct take_row, state),    COLUMN(struct take_row, amount),
                                            COLUMN(struct take_row, currency), COLUMN(struct take_row, other_no),
                                            COLUMN(struct take_row, net) };
/* A sum of nothing is NULL, which equals no amount. */
static const struct statement take_day = COMMAND_STATEMENT(
    "recon_take_day",
    "UPDATE recon_left SET taken_by = $1 WHERE taken_by = 0 AND day = $2 AND currency = $5 AND ($6 = 0 OR other_no = "
    "$6) "
    "AND ($7 OR state = $3) AND $4 > 0 AND (SELECT sum(CASE WHEN state = $3 THEN amount ELSE -amount END) FROM "
    "recon_left "
    "WHERE taken_by = 0 AND day = $2 AND currency = $5 AND ($6 = 0 OR other_no = $6) AND ($7 OR state = $3)) = $4",
    day_params);

static struct take_row row_of(const struct recon_lump *lump, struct date day)
{
    return (struct take_row){ .by = lump->no,
                              .day = day,
                              .state = lump->state,
                              .amount = lump->amount,
                              .currency = lump->currency,
                              .other_no = lump->other_no };
}

bool recon_store_take_day(struct db *db, const struct recon_lump *lump, struct date day, bool net, bool *taken,
                          struct error *err)
{
    struct take_row row = row_of(lump, day);
    int64_t affected;

    row.net = net;
    if (!db_execute(db, &take_day, &row, &affected, err))
        return false;
    *taken = affected > 0;
    return true;
}

static const struct column parts_params[] = { COLUMN(struct take_row, day), COLUMN(struct take_row, state),
                                              COLUMN(struct take_row, amount), COLUMN(struct take_row, currency),
                                              COLUMN(struct take_row, other_no) };
static const struct column part_columns[] = { COLUMN(struct recon_part, no), COLUMN(struct recon_part, amount) };
static const struct statement get_parts = STATEMENT(
    "recon_parts",
    "SELECT no, amount FROM recon_left WHERE taken_by = 0 AND day = $1 AND state = $2 AND amount BETWEEN 1 AND "
    "$3 AND currency = $4 AND ($5 = 0 OR other_no = $5) ORDER BY amount DESC, uid, ref LIMIT 65",
    parts_params, part_columns, sizeof(struct recon_part));

bool recon_store_parts(struct db *db, const struct recon_lump *lump, struct date day, struct arena *arena,
                       struct recon_part **parts, size_t *count, struct error *err)
{
    struct take_row row = row_of(lump, day);
    void *rows;

    if (!db_fetch(db, &get_parts, &row, arena, &rows, count, err))
        return false;
    *parts = rows;
    return true;
}

static const struct column some_params[] = { COLUMN(struct take_row, by), COLUMN(struct take_row, numbers) };
static const struct statement take_some = COMMAND_STATEMENT(
    "recon_take_parts", "UPDATE recon_left SET taken_by = $1 WHERE taken_by = 0 AND no = ANY ($2)", some_params);

bool recon_store_take_parts(struct db *db, const struct recon_lump *lump, const int64_t *numbers, size_t count,
                            struct error *err)
{
    struct take_row row = row_of(lump, lump->day);

    row.numbers = (struct int64_array){ numbers, count };
    return db_execute(db, &take_some, &row, NULL, err);
}

static const struct statement match_taken = {
    "recon_match_taken",
    "UPDATE recon_found f SET class = 1, their_no = l.taken_by FROM recon_left l WHERE l.taken_by > 0 AND f.class = 8 "
    "AND "
    "f.our_no = l.no",
    NULL,
    0,
    NULL,
    0,
    0,
};
/* A line that says again what one before it said, with the same key, is a duplicate. */
static const struct statement find_untaken = {
    "recon_untaken",
    "INSERT INTO recon_found SELECT CASE WHEN key <> '' AND again > 1 THEN 6 ELSE 7 END, 0, no FROM (SELECT no, key, "
    "row_number() OVER (PARTITION BY key, day, state, amount, currency, party ORDER BY no) AS again FROM recon_theirs "
    "WHERE key_kind = 3) t WHERE NOT EXISTS (SELECT FROM recon_left l WHERE l.taken_by = t.no)",
    NULL,
    0,
    NULL,
    0,
    0,
};

bool recon_store_end_lumps(struct db *db, struct error *err)
{
    /* Otherwise the planner takes what was just updated for a handful of rows. */
    return db_script(db, "ANALYZE recon_left", err) && db_execute(db, &match_taken, NULL, NULL, err) &&
           db_execute(db, &find_untaken, NULL, NULL, err);
}
