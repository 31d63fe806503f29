#include "line_store.h"

#include "base/arena.h"
#include "store/db.h"

#include <string.h>

enum {
    CHUNK_LINES = 500, /* as the table has it */
    CHUNKS = 64,       /* of one message: about a megabyte */
};

struct chunk_row {
    const char *statement_id;
    int64_t first_line;
    int32_t line_count;
    struct bytes keys;
};
static const struct column chunk_fields[] = { COLUMN(struct chunk_row, statement_id),
                                              COLUMN(struct chunk_row, first_line),
                                              COLUMN(struct chunk_row, line_count), COLUMN(struct chunk_row, keys) };
static const struct record_type chunk_write = { "statement_chunk_write", chunk_fields, COUNT(chunk_fields),
                                                sizeof(struct chunk_row) };
struct put_params {
    struct record_array chunks;
};
static const struct column put_columns[] = { RECORDS(struct put_params, chunks, &chunk_write) };
/* Chunks that are as they should be are not touched, so a second run leaves no dead rows. */
static const struct statement put_chunks = COMMAND_STATEMENT(
    "line_put_chunks",
    "INSERT INTO statement_chunk AS old (statement_no, first_line, line_count, keys) SELECT (SELECT s.statement_no "
    "FROM statement s WHERE s.statement_id = n.statement_id), n.first_line, n.line_count, n.keys FROM "
    "unnest($1::statement_chunk_write[]) n ON CONFLICT (statement_no, first_line) DO UPDATE SET "
    "line_count = EXCLUDED.line_count, keys = EXCLUDED.keys WHERE (old.line_count, old.keys) "
    "IS DISTINCT FROM (EXCLUDED.line_count, EXCLUDED.keys)",
    put_columns);

struct month_params {
    int32_t programme_no;
    const char *period;
};
static const struct column month_columns[] = { COLUMN(struct month_params, programme_no),
                                               COLUMN(struct month_params, period) };
/* Look-ups here and below: a join could read the statements or the chunks of all periods that are kept. */
static const struct statement drop_extra = COMMAND_STATEMENT(
    "line_drop_extra",
    "DELETE FROM statement_chunk c WHERE c.statement_no = ANY (ARRAY(SELECT s.statement_no FROM statement s WHERE "
    "s.programme_no = $1 AND s.period = $2)) AND c.first_line > (SELECT CASE s.type WHEN 1 THEN s.line_count ELSE 0 "
    "END FROM statement s WHERE s.statement_no = c.statement_no)",
    month_columns);

struct count_row {
    int64_t lines;
};
static const struct column count_columns[] = { COLUMN(struct count_row, lines) };
static const struct statement count_lines = STATEMENT(
    "line_count",
    "SELECT COALESCE(sum((SELECT sum(c.line_count) FROM statement_chunk c WHERE c.statement_no = s.statement_no)), 0)"
    "::int8 AS lines FROM statement s WHERE s.programme_no = $1 AND s.period = $2",
    month_columns, count_columns, sizeof(struct count_row));

/* Chunks on their way; the arena holds what they point at. */
struct outgoing {
    struct db *db;
    struct arena arena;
    struct chunk_row rows[CHUNKS];
    size_t count;
};

static void outgoing_release(struct outgoing *out)
{
    arena_release(&out->arena);
}

static bool send(struct outgoing *out, struct error *err)
{
    struct put_params params = { { out->rows, out->count } };

    if (out->count > 0 && !db_execute(out->db, &put_chunks, &params, NULL, err))
        return false;
    out->count = 0;
    arena_reset(&out->arena);
    return true;
}

static bool add_chunk(struct outgoing *out, const char *statement_id, int64_t first, int32_t count,
                      struct line_keys *keys, struct error *err)
{
    size_t size = (size_t)count * LINE_KEY;
    uint8_t *packed = arena_alloc(&out->arena, size);
    char *id = arena_copy(&out->arena, statement_id, strlen(statement_id));

    if (!packed || !id)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!line_keys_read(keys, packed, (size_t)count, err))
        return false;
    out->rows[out->count++] = (struct chunk_row){ id, first, count, { packed, size } };
    return out->count < CHUNKS || send(out, err);
}

static bool add_pair(struct outgoing *out, const struct sheet *pair, const char *programme_id, const char *period,
                     struct line_keys *keys, struct error *err)
{
    char id[SHEET_ID_TEXT];

    sheet_id(pair, programme_id, period, id);
    for (int64_t first = 1; first <= pair->line_count; first += CHUNK_LINES) {
        int64_t left = pair->line_count - first + 1;
        if (!add_chunk(out, id, first, left < CHUNK_LINES ? (int32_t)left : CHUNK_LINES, keys, err))
            return false;
    }
    return true;
}

bool line_store_put(struct db *db, int32_t programme_no, const char *programme_id, const struct period *period,
                    const struct sheet_list *list, struct line_keys *keys, int64_t *stored, struct error *err)
{
    CLEANUP(outgoing_release) struct outgoing out = { .db = db };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct month_params month = { programme_no, period->text };
    struct count_row row = { 0 };
    bool found;

    if (!line_keys_rewind(keys, err))
        return false;
    for (size_t i = 0; i < list->count && list->at[i].type == SHEET_PAIR; i++) {
        if (!add_pair(&out, &list->at[i], programme_id, period->text, keys, err))
            return false;
    }
    if (!send(&out, err) || !db_execute(db, &drop_extra, &month, NULL, err) ||
        !db_fetch_one(db, &count_lines, &month, &arena, &row, &found, err))
        return false;
    *stored = row.lines;
    return true;
}
