#include "store/db.h"

#include "store/wire.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENTS_MAX = 256, TYPES_MAX = 32, PARAMS_MAX = 32, PIPELINE_MAX = 32 };

struct db {
    PGconn *connection;
    char *conninfo;
    const struct statement *prepared[STATEMENTS_MAX];
    bool checked[STATEMENTS_MAX]; /* the result's columns were compared with the table once */
    size_t prepared_count;
    struct {
        const struct record_type *record;
        uint32_t oid;
    } types[TYPES_MAX];
    size_t type_count;
    struct wire wire; /* the parameters of the statement being sent */
    /* Statements queued and not yet read by db_next; a ring. */
    const struct statement *queued[PIPELINE_MAX];
    size_t first_queued, unanswered;
    bool in_pipeline, synced;
    int syncs; /* sent, and not yet answered */
    bool gone; /* the server said that it is of no use any more, whatever libpq thinks of the connection */
    char sqlstate[6];
};

static void clear_result(PGresult **result)
{
    PQclear(*result);
}

static void remember_state(struct db *db, const PGresult *result)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    snprintf(db->sqlstate, sizeof db->sqlstate, "%s", state ? state : "");
}

/*
 * Class 08 and 57P0x: the connection or the server is going away. 25P03: this program stood still in a transaction for
 * longer than its session may, and the server has ended it. 25006: the server only reads, because another one has
 * become the primary; a new connection may lead there.
 */
static bool server_gone(struct db *db)
{
    static const char *const signs[] = { "08", "57P0", "25P03", "25006" };

    for (size_t i = 0; i < COUNT(signs); i++)
        db->gone |= strncmp(db->sqlstate, signs[i], strlen(signs[i])) == 0;
    return db->gone || PQstatus(db->connection) != CONNECTION_OK;
}

static bool fail(struct db *db, const PGresult *result, const char *what, struct error *err)
{
    const char *constraint = result ? PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) : NULL;

    remember_state(db, result);
    if (server_gone(db))
        return error_set(err, REASON_DATABASE_UNREACHABLE, "the database connection was lost during %s", what);
    return error_set(err, REASON_INTERNAL, "%s failed: SQLSTATE %s%s%s", what, db->sqlstate,
                     constraint ? ", constraint " : "", constraint ? constraint : "");
}

static void quiet(void *owner, const PGresult *notice)
{
    (void)owner;
    (void)notice;
}

/* A machine that is gone says nothing: without these a lane would wait for it for hours. What conninfo says wins. */
static PGconn *connect_within_bounds(const char *conninfo)
{
    static const char *const keys[] = { "connect_timeout",
                                        "tcp_user_timeout",
                                        "keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "dbname",
                                        NULL };
    const char *const values[] = { "5", "15000", "10", "5", "3", conninfo, NULL };

    return PQconnectdbParams(keys, values, 1);
}

static bool connect_now(struct db *db, struct error *err)
{
    db->prepared_count = db->type_count = db->unanswered = 0;
    db->in_pipeline = db->synced = db->gone = false;
    db->connection = connect_within_bounds(db->conninfo);
    if (PQstatus(db->connection) != CONNECTION_OK)
        return error_set(err, REASON_DATABASE_UNREACHABLE, "no connection to the database");
    PQsetNoticeReceiver(db->connection, quiet, NULL);
    return true;
}

bool db_open(const char *conninfo, struct db **out, struct error *err)
{
    struct db *db = calloc(1, sizeof *db);

    *out = NULL;
    if (!db || !(db->conninfo = strdup(conninfo))) {
        free(db);
        return error_set(err, REASON_INTERNAL, "out of memory");
    }
    if (!connect_now(db, err)) {
        db_close(db);
        return false;
    }
    *out = db;
    return true;
}

bool db_open_beside(const struct db *db, struct db **beside, struct error *err)
{
    return db_open(db->conninfo, beside, err);
}

void db_close(struct db *db)
{
    if (!db)
        return;
    PQfinish(db->connection);
    wire_release(&db->wire);
    free(db->conninfo);
    free(db);
}

bool db_reconnect(struct db *db, struct error *err)
{
    PQfinish(db->connection);
    return connect_now(db, err);
}

bool db_connected(const struct db *db)
{
    return !db->gone && PQstatus(db->connection) == CONNECTION_OK;
}

const char *db_sqlstate(const struct db *db)
{
    return db->sqlstate;
}

/* Composite types: their oids differ from database to database. */

static uint32_t type_oid(void *owner, const struct record_type *record)
{
    struct db *db = owner;

    for (size_t i = 0; i < db->type_count; i++) {
        if (db->types[i].record == record)
            return db->types[i].oid;
    }
    return 0;
}

static bool learn_type(struct db *db, const struct record_type *record, struct error *err)
{
    if (type_oid(db, record) != 0)
        return true;
    const char *values[] = { record->name };
    CLEANUP(clear_result)
    PGresult *result = PQexecParams(db->connection, "SELECT to_regtype($1)::oid", 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return fail(db, result, "looking up a type", err);
    if (PQgetisnull(result, 0, 0) || db->type_count == TYPES_MAX)
        return error_set(err, REASON_INTERNAL, "the schema has no type %s", record->name);
    db->types[db->type_count].record = record;
    db->types[db->type_count++].oid = (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
    return true;
}

static bool is_prepared(const struct db *db, const struct statement *statement, size_t *index)
{
    for (*index = 0; *index < db->prepared_count; (*index)++) {
        if (db->prepared[*index] == statement)
            return true;
    }
    return false;
}

static bool prepare(struct db *db, const struct statement *statement, struct error *err)
{
    size_t index;

    if (is_prepared(db, statement, &index))
        return true;
    if (db->in_pipeline || db->prepared_count == STATEMENTS_MAX || statement->param_count > PARAMS_MAX)
        return error_set(err, REASON_INTERNAL, "statement %s cannot be prepared here", statement->name);
    Oid oids[PARAMS_MAX] = { 0 };
    for (size_t i = 0; i < statement->param_count; i++) {
        oids[i] = wire_oid(statement->params[i].kind);
        if (statement->params[i].record && !learn_type(db, statement->params[i].record, err))
            return false;
    }
    CLEANUP(clear_result)
    PGresult *result = PQprepare(db->connection, statement->name, statement->sql, (int)statement->param_count, oids);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return fail(db, result, statement->name, err);
    db->checked[db->prepared_count] = false;
    db->prepared[db->prepared_count++] = statement;
    return true;
}

bool db_prepare(struct db *db, const struct statement *const *statements, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!prepare(db, statements[i], err))
            return false;
    }
    return true;
}

static bool send(struct db *db, const struct statement *statement, const void *params, struct error *err)
{
    const char *values[PARAMS_MAX];
    size_t starts[PARAMS_MAX + 1] = { 0 };
    int lengths[PARAMS_MAX], formats[PARAMS_MAX];

    db->wire.size = 0;
    for (size_t i = 0; i < statement->param_count; i++) {
        wire_put(&db->wire, &statement->params[i], params, type_oid, db);
        starts[i + 1] = db->wire.size;
    }
    if (db->wire.failed)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < statement->param_count; i++) {
        values[i] = db->wire.at ? (const char *)db->wire.at + starts[i] : "";
        lengths[i] = (int)(starts[i + 1] - starts[i]);
        formats[i] = 1;
    }
    if (!PQsendQueryPrepared(db->connection, statement->name, (int)statement->param_count, values, lengths, formats, 1))
        return fail(db, NULL, statement->name, err);
    return true;
}

/* Names and types of a result against the table, once a statement and connection. */
static bool check_columns(struct db *db, const struct statement *statement, const PGresult *result, struct error *err)
{
    size_t index;

    if (is_prepared(db, statement, &index) && db->checked[index])
        return true;
    if ((size_t)PQnfields(result) != statement->column_count)
        return error_set(err, REASON_INTERNAL, "%s returns %d columns", statement->name, PQnfields(result));
    for (int i = 0; i < PQnfields(result); i++) {
        const struct column *column = &statement->columns[i];
        if (strcmp(PQfname(result, i), column->name) != 0 || PQftype(result, i) != wire_oid(column->kind))
            return error_set(err, REASON_INTERNAL, "%s: column %s has another name or type", statement->name,
                             column->name);
    }
    if (index < db->prepared_count)
        db->checked[index] = true;
    return true;
}

static bool read_row(const struct statement *statement, const PGresult *result, int row, void *out, struct arena *arena,
                     struct error *err)
{
    for (int i = 0; i < (int)statement->column_count; i++) {
        const uint8_t *bytes = (const uint8_t *)PQgetvalue(result, row, i);
        size_t size = (size_t)PQgetlength(result, row, i);
        if ((size == 0 && PQgetisnull(result, row, i)) || !wire_get(&statement->columns[i], bytes, size, out, arena))
            return error_set(err, REASON_INTERNAL, "%s: column %s cannot be read", statement->name,
                             statement->columns[i].name);
    }
    return true;
}

static bool read_rows(struct db *db, const struct statement *statement, const PGresult *result, struct arena *arena,
                      void **rows, size_t *count, struct error *err)
{
    size_t n = (size_t)PQntuples(result);

    if (!check_columns(db, statement, result, err))
        return false;
    uint8_t *out = arena_alloc(arena, n * statement->row_size);
    if (!out)
        return error_set(err, REASON_INTERNAL, "%s returns more than memory holds", statement->name);
    for (size_t i = 0; i < n; i++) {
        if (!read_row(statement, result, (int)i, out + i * statement->row_size, arena, err))
            return false;
    }
    *rows = out;
    *count = n;
    return true;
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/*
 * Outside a pipeline a statement has one result and then NULL. It is committed only after it was said to be complete,
 * and a PostgreSQL that dies in between may still have said so: what follows decides.
 */
static bool run(struct db *db, const struct statement *statement, const void *params, PGresult **result,
                struct error *err)
{
    *result = NULL;
    if (!prepare(db, statement, err) || !send(db, statement, params, err))
        return false;
    *result = PQgetResult(db->connection);
    for (PGresult *rest; (rest = PQgetResult(db->connection)) != NULL;) {
        PGresult *first = *result;
        *result = succeeded(first) ? rest : first;
        PQclear(succeeded(first) ? first : rest);
    }
    return succeeded(*result) || fail(db, *result, statement->name, err);
}

bool db_execute(struct db *db, const struct statement *statement, const void *params, int64_t *affected,
                struct error *err)
{
    CLEANUP(clear_result) PGresult *result = NULL;

    if (!run(db, statement, params, &result, err))
        return false;
    if (affected)
        *affected = strtoll(PQcmdTuples(result), NULL, 10);
    return true;
}

bool db_fetch(struct db *db, const struct statement *statement, const void *params, struct arena *arena, void **rows,
              size_t *count, struct error *err)
{
    CLEANUP(clear_result) PGresult *result = NULL;

    return run(db, statement, params, &result, err) && read_rows(db, statement, result, arena, rows, count, err);
}

bool db_fetch_one(struct db *db, const struct statement *statement, const void *params, struct arena *arena, void *row,
                  bool *found, struct error *err)
{
    CLEANUP(clear_result) PGresult *result = NULL;

    if (!run(db, statement, params, &result, err) || !check_columns(db, statement, result, err))
        return false;
    *found = PQntuples(result) > 0;
    if (PQntuples(result) > 1)
        return error_set(err, REASON_INTERNAL, "%s returns more than one row", statement->name);
    return !*found || read_row(statement, result, 0, row, arena, err);
}

static bool rows_into(struct db *db, const struct statement *statement, const PGresult *result, db_row_place *place,
                      void *owner, struct error *err)
{
    struct arena *arena;
    void *row;

    if (!succeeded(result) && PQresultStatus(result) != PGRES_SINGLE_TUPLE)
        return fail(db, result, statement->name, err);
    if (!check_columns(db, statement, result, err))
        return false;
    for (int i = 0; i < PQntuples(result); i++) {
        if (!place(owner, &arena, &row, err) || !read_row(statement, result, i, row, arena, err))
            return false;
    }
    return true;
}

bool db_each_into(struct db *db, const struct statement *statement, const void *params, db_row_place *place,
                  void *owner, struct error *err)
{
    bool good = true;

    if (!prepare(db, statement, err) || !send(db, statement, params, err))
        return false;
    PQsetSingleRowMode(db->connection);
    for (PGresult *result; (result = PQgetResult(db->connection)) != NULL; PQclear(result))
        good = good && rows_into(db, statement, result, place, owner, err);
    return good;
}

void db_cancel(struct db *db)
{
    PGcancel *cancel = PQgetCancel(db->connection);
    char ignored[256];

    if (cancel)
        (void)PQcancel(cancel, ignored, sizeof ignored);
    PQfreeCancel(cancel);
}

bool db_script(struct db *db, const char *sql, struct error *err)
{
    CLEANUP(clear_result) PGresult *result = PQexec(db->connection, sql);

    return succeeded(result) || fail(db, result, "a script", err);
}

bool db_begin(struct db *db, struct error *err)
{
    return db_script(db, "BEGIN", err);
}

bool db_commit(struct db *db, struct error *err)
{
    CLEANUP(clear_result) PGresult *result = PQexec(db->connection, "COMMIT");

    if (!succeeded(result))
        return fail(db, result, "commit", err);
    /* COMMIT of a failed transaction succeeds and says ROLLBACK. */
    if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        return error_set(err, REASON_INTERNAL, "the transaction was rolled back");
    return true;
}

void db_rollback(struct db *db)
{
    PQclear(PQexec(db->connection, "ROLLBACK"));
}

bool db_pipeline_begin(struct db *db, struct error *err)
{
    if (!PQenterPipelineMode(db->connection))
        return fail(db, NULL, "pipeline", err);
    db->in_pipeline = true;
    db->synced = false;
    db->syncs = 0;
    db->unanswered = db->first_queued = 0;
    db->sqlstate[0] = '\0';
    return true;
}

bool db_queue(struct db *db, const struct statement *statement, const void *params, struct error *err)
{
    size_t index;

    if (!is_prepared(db, statement, &index))
        return error_set(err, REASON_INTERNAL, "%s was not prepared", statement->name);
    if (db->unanswered == PIPELINE_MAX)
        return error_set(err, REASON_INTERNAL, "%s: the pipeline is full", statement->name);
    if (!send(db, statement, params, err))
        return false;
    db->queued[(db->first_queued + db->unanswered++) % PIPELINE_MAX] = statement;
    return true;
}

bool db_flush(struct db *db, bool last, struct error *err)
{
    /* A Sync in the middle too: a session that waits for more after one is idle in its transaction, and is ended for
     * it. */
    if (!PQpipelineSync(db->connection) || PQflush(db->connection) < 0)
        return fail(db, NULL, "pipeline", err);
    db->syncs++;
    db->synced = last;
    return true;
}

static bool is_sync(struct db *db, const PGresult *result)
{
    bool sync = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;

    db->syncs -= sync;
    return sync;
}

bool db_next(struct db *db, struct arena *arena, void **rows, size_t *count, struct error *err)
{
    CLEANUP(clear_result) PGresult *result = PQgetResult(db->connection);
    for (; is_sync(db, result); result = PQgetResult(db->connection))
        PQclear(result);
    const struct statement *statement = db->queued[db->first_queued];

    if (!result || !succeeded(result))
        return fail(db, result, statement->name, err);
    PQclear(PQgetResult(db->connection)); /* the NULL that ends this statement's results */
    db->first_queued = (db->first_queued + 1) % PIPELINE_MAX;
    db->unanswered--;
    return !rows || read_rows(db, statement, result, arena, rows, count, err);
}

size_t db_pending(const struct db *db)
{
    return db->unanswered;
}

bool db_pipeline_end(struct db *db, struct error *err)
{
    bool good = true;

    if (!db->synced)
        good = db_flush(db, true, err);
    /* NULLs separate the results of statements; only a lost connection gives two without a result between. */
    for (int nulls = 0; good && db->syncs > 0 && nulls < 2;) {
        PGresult *result = PQgetResult(db->connection);
        nulls = result ? 0 : nulls + 1;
        (void)is_sync(db, result);
        PQclear(result);
    }
    db->in_pipeline = false;
    if (!good || !PQexitPipelineMode(db->connection))
        return fail(db, NULL, "pipeline", err);
    return true;
}
