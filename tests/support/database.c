#include "database.h"

#include "base/error.h"
#include "store/db.h"
#include "store/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void cluster(char conninfo[TEST_CONNINFO])
{
    const char *given = getenv("ALLIANCE_TEST_CLUSTER");

    if (given) {
        snprintf(conninfo, TEST_CONNINFO, "%s", given);
        return;
    }
    FILE *out = popen(SOURCE_DIR "/ops/lib/postgres start " SOURCE_DIR "/var/test memory", "r");
    assert_non_null(out);
    assert_non_null(fgets(conninfo, TEST_CONNINFO, out));
    assert_int_equal(pclose(out), 0);
    conninfo[strcspn(conninfo, "\n")] = '\0';
}

static struct db *must_open(const char *conninfo, const char *name)
{
    char whole[TEST_CONNINFO + 64];
    struct error err = { 0 };
    struct db *db;

    snprintf(whole, sizeof whole, "%s dbname=%s", conninfo, name);
    if (!db_open(whole, &db, &err))
        fail_msg("no test database: %s", error_text(&err));
    return db;
}

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("test database: %s", error_text(err));
}

/* FNV-1a. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (const char *c = text; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    return hash;
}

/* The template's name holds the checksum of the migrations, so that an edited schema never meets an old template. */
static void template_name(char name[32])
{
    uint64_t hash = 14695981039346656037u;

    for (const struct migration *migration = migrations; migration->name; migration++) {
        hash = hash_text(hash, migration->name);
        hash = hash_text(hash, migration->sql);
    }
    snprintf(name, 32, "template_%016llx", (unsigned long long)hash);
}

struct template_row {
    const char *name;
    bool there;
};
static const struct column there_params[] = { COLUMN(struct template_row, name) };
static const struct column there_columns[] = { COLUMN(struct template_row, there) };
static const struct statement is_there =
    STATEMENT("template_there", "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS there", there_params,
              there_columns, sizeof(struct template_row));

/* Built under another name and renamed, so that a half-made template is never used. */
static void build_template(struct db *admin, const char *conninfo, const char *name)
{
    char sql[256];
    struct error err = { 0 };

    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s_making WITH (FORCE)", name);
    must(db_script(admin, sql, &err), &err);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s_making", name);
    must(db_script(admin, sql, &err), &err);
    snprintf(sql, sizeof sql, "%s_making", name);
    struct db *db = must_open(conninfo, sql);
    if (!migrate(db, TEST_BUCKETS, &err)) {
        /* Not a failed test: those that follow would wait for the lock this session has. */
        fprintf(stderr, "the schema cannot be made: %s\n", error_text(&err));
        exit(EXIT_FAILURE);
    }
    db_close(db);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s_making RENAME TO %s", name, name);
    must(db_script(admin, sql, &err), &err);
}

/* A database of its own for each; `of` is copied, and nobody may be connected to it. */
static void create(struct db *admin, const char *server, const char *of, char conninfo[TEST_CONNINFO])
{
    static int made;
    char sql[256];
    struct error err = { 0 };

    snprintf(sql, sizeof sql, "CREATE DATABASE test_%d_%d TEMPLATE %s", (int)getpid(), ++made, of);
    must(db_script(admin, sql, &err), &err);
    if (snprintf(conninfo, TEST_CONNINFO, "%s dbname=test_%d_%d", server, (int)getpid(), made) >= TEST_CONNINFO)
        fail_msg("the path of the test cluster is too long");
}

void database_make(char conninfo[TEST_CONNINFO])
{
    char server[TEST_CONNINFO], template[32];
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct error err = { 0 };
    bool found;

    cluster(server);
    template_name(template);
    struct db *admin = must_open(server, "postgres");
    must(db_script(admin, "SELECT pg_advisory_lock(7300412)", &err), &err);
    struct template_row row = { .name = template };
    must(db_fetch_one(admin, &is_there, &row, &arena, &row, &found, &err), &err);
    if (!row.there)
        build_template(admin, server, template);
    create(admin, server, template, conninfo);
    db_close(admin);
}

void database_copy(const char *of, char conninfo[TEST_CONNINFO])
{
    char server[TEST_CONNINFO];
    const char *name = strstr(of, " dbname=");

    assert_non_null(name);
    cluster(server);
    struct db *admin = must_open(server, "postgres");
    create(admin, server, name + strlen(" dbname="), conninfo);
    db_close(admin);
}

void database_drop(const char *conninfo)
{
    char server[TEST_CONNINFO], sql[TEST_CONNINFO];
    struct error err = { 0 };
    const char *name = strstr(conninfo, " dbname=");

    assert_non_null(name);
    cluster(server);
    struct db *admin = must_open(server, "postgres");
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name + strlen(" dbname="));
    must(db_script(admin, sql, &err), &err);
    db_close(admin);
}
