/* What is made of other functions of db.h alone: two connections that see one snapshot; rows one at a time. */
#include "store/db.h"

#include <stdio.h>
#include <string.h>

struct snapshot_row {
    const char *name;
};
static const struct column snapshot_columns[] = { COLUMN(struct snapshot_row, name) };
static const struct statement export_snapshot = { "db_export_snapshot",
                                                  "SELECT pg_export_snapshot() AS name",
                                                  NULL,
                                                  0,
                                                  snapshot_columns,
                                                  COUNT(snapshot_columns),
                                                  sizeof(struct snapshot_row) };

/* The one command that takes no parameter for its name, which PostgreSQL made and nobody else. */
static bool take_snapshot(struct db *db, const char *name, struct error *err)
{
    char sql[128];

    if (strspn(name, "0123456789ABCDEFabcdef-") != strlen(name) || strlen(name) > 64)
        return error_set(err, REASON_INTERNAL, "a snapshot has another name than any so far");
    snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%s'", name);
    return db_script(db, sql, err);
}

bool db_begin_beside(struct db *db, struct db *beside, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct snapshot_row row;
    bool found;

    return db_fetch_one(db, &export_snapshot, NULL, &arena, &row, &found, err) && db_begin(beside, err) &&
           db_script(beside, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", err) &&
           take_snapshot(beside, row.name, err);
}

/* db_each's row: told to its handler before the next one takes its place. */
struct each_row {
    const struct statement *statement;
    struct arena *arena;
    db_row_handler *each;
    void *owner, *row; /* NULL: none yet */
};

static bool tell_row(const struct each_row *at, struct error *err)
{
    return !at->row || at->each(at->owner, at->row, err);
}

static bool place_of_each(void *owner, struct arena **arena, void **row, struct error *err)
{
    struct each_row *at = owner;

    if (!tell_row(at, err))
        return false;
    arena_reset(at->arena);
    at->row = *row = arena_alloc(at->arena, at->statement->row_size);
    *arena = at->arena;
    return at->row || error_set(err, REASON_INTERNAL, "out of memory");
}

bool db_each(struct db *db, const struct statement *statement, const void *params, struct arena *arena,
             db_row_handler *each, void *owner, struct error *err)
{
    struct each_row at = { statement, arena, each, owner, NULL };

    return db_each_into(db, statement, params, place_of_each, &at, err) && tell_row(&at, err);
}
