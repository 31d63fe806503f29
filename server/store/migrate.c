#include "store/migrate.h"

#include "base/arena.h"
#include "base/limits.h"
#include "store/db.h"

#include <limits.h>
#include <stdio.h>

/* Any number will do as long as nothing else in the database uses it; it keeps two migrations from running at once. */
static const char lock_sql[] = "SELECT pg_advisory_xact_lock(7300411)";
static const char history_sql[] =
    "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, name text NOT NULL, "
    "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

struct applied {
    int32_t number;
    const char *name, *sql;
    bool known, unchanged;
};

static const struct column look_up_params[] = { COLUMN(struct applied, number), COLUMN(struct applied, sql) };
static const struct column look_up_columns[] = { COLUMN(struct applied, unchanged) };
static const struct statement look_up =
    STATEMENT("migration_look_up",
              "SELECT checksum = encode(sha256(convert_to($2, 'UTF8')), 'hex') AS unchanged FROM schema_migration "
              "WHERE number = $1",
              look_up_params, look_up_columns, sizeof(struct applied));

static const struct column record_params[] = { COLUMN(struct applied, number), COLUMN(struct applied, name),
                                               COLUMN(struct applied, sql) };
static const struct statement record_applied =
    COMMAND_STATEMENT("migration_record",
                      "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, "
                      "encode(sha256(convert_to($3, 'UTF8')), 'hex'))",
                      record_params);

struct installation {
    int32_t buckets;
};
static const struct column buckets_columns[] = { COLUMN(struct installation, buckets) };
static const struct statement insert_installation = COMMAND_STATEMENT(
    "installation_insert", "INSERT INTO installation (buckets) VALUES ($1) ON CONFLICT DO NOTHING", buckets_columns);
static const struct statement get_installation = {
    "installation_get",     "SELECT buckets FROM installation", NULL, 0, buckets_columns,
    COUNT(buckets_columns), sizeof(struct installation)
};

static bool apply_one(struct db *db, const struct migration *migration, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct applied row = { .number = migration->number, .name = migration->name, .sql = migration->sql };
    bool found;

    if (!db_script(db, lock_sql, err) || !db_fetch_one(db, &look_up, &row, &arena, &row, &found, err))
        return false;
    if (found && !row.unchanged)
        return error_set(err, REASON_SETTING_INVALID, "migration %s was edited after it was applied; add a new one",
                         migration->name);
    return found || (db_script(db, migration->sql, err) && db_execute(db, &record_applied, &row, NULL, err));
}

static bool apply_in_transaction(struct db *db, const struct migration *migration, struct error *err)
{
    if (!db_begin(db, err))
        return false;
    if (apply_one(db, migration, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}

static bool fix_buckets(struct db *db, int buckets, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct installation installation = { buckets };
    bool found;

    if (buckets < 1 || buckets > BUCKETS_MAX)
        return error_set(err, REASON_SETTING_INVALID, "buckets must be 1 to %d", BUCKETS_MAX);
    if (!db_execute(db, &insert_installation, &installation, NULL, err) ||
        !db_fetch_one(db, &get_installation, NULL, &arena, &installation, &found, err))
        return false;
    if (installation.buckets != buckets)
        return error_set(err, REASON_SETTING_INVALID, "the database was made with %d buckets, the setting says %d",
                         (int)installation.buckets, buckets);
    return true;
}

bool migrate_to(struct db *db, int number, struct error *err)
{
    if (!db_script(db, "BEGIN; SELECT pg_advisory_xact_lock(7300411)", err) || !db_script(db, history_sql, err) ||
        !db_commit(db, err))
        return false;
    for (const struct migration *migration = migrations; migration->name; migration++) {
        if (migration->number <= number && !apply_in_transaction(db, migration, err))
            return false;
    }
    return true;
}

bool migrate(struct db *db, int buckets, struct error *err)
{
    return migrate_to(db, INT_MAX, err) && fix_buckets(db, buckets, err);
}
