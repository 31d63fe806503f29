/*
 * db.h -- one connection to PostgreSQL, and queries as data. The only headers of libpq's world: store/ alone includes
 * it.
 *
 * A statement is a row: name, SQL with $n, and how its parameters and result columns lie in C structs. The C type picks
 * the SQL type; everything travels in binary; names, types and not-null are checked when a result arrives. No SQL is
 * ever built from text. A connection belongs to one thread at a time.
 *
 * Errors: DATABASE_UNREACHABLE when the connection is lost or cannot be made (db_reconnect may help), otherwise
 * INTERNAL with the SQLSTATE and the constraint's name, never PostgreSQL's message (it may quote a row).
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/arena.h"
#include "base/error.h"
#include "base/uuid.h"
#include "base/when.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct record_type;

/* Values of more than one machine word; `at` is borrowed when a parameter, in the caller's arena when a result. */
struct bytes {
    const uint8_t *at;
    size_t size;
};
/* Where a row lies (ctid): for a row that is locked, and only as long as it is. */
struct place {
    uint8_t at[6];
};
struct int64_array {
    const int64_t *at;
    size_t count;
};
struct date_array {
    const struct date *at;
    size_t count;
};
struct instant_array {
    const struct instant *at;
    size_t count;
};
struct uuid_array {
    const struct uuid *at;
    size_t count;
};
struct text_array {
    const char *const *at;
    size_t count;
};
/* Parameters only: an array of a composite type; the column's record says how. */
struct record_array {
    const void *at;
    size_t count;
};

enum kind {
    KIND_INT16,
    KIND_INT32,
    KIND_INT64,
    KIND_BOOL,
    KIND_TEXT, /* const char *, NUL-terminated; never NULL in a result; NULL as a parameter is "" */
    KIND_BYTES,
    KIND_UUID,
    KIND_PLACE,
    KIND_DATE,
    KIND_INSTANT,
    KIND_INT64_ARRAY,
    KIND_DATE_ARRAY,
    KIND_INSTANT_ARRAY,
    KIND_UUID_ARRAY,
    KIND_TEXT_ARRAY,
    KIND_RECORD_ARRAY,
};

struct column {
    const char *name;
    enum kind kind;
    size_t offset;
    const struct record_type *record; /* KIND_RECORD_ARRAY only */
};

/* A composite type of the schema and the C struct that holds one; columns in the order of the type's fields. */
struct record_type {
    const char *name;
    const struct column *columns;
    size_t column_count;
    size_t size;
};

struct statement {
    const char *name; /* unique in the program: the prepared statement's name */
    const char *sql;
    const struct column *params; /* $1, $2, ... */
    size_t param_count;
    const struct column *columns; /* of the result; none when it returns no rows */
    size_t column_count;
    size_t row_size; /* sizeof the struct a result row becomes */
};

#define KIND_OF(record, field)                                                                                         \
    _Generic(((record *)0)->field, int16_t: KIND_INT16, int32_t: KIND_INT32, int64_t: KIND_INT64, bool: KIND_BOOL,     \
             const char *: KIND_TEXT, struct bytes: KIND_BYTES, struct uuid: KIND_UUID, struct place: KIND_PLACE, struct date: KIND_DATE,        \
             struct instant: KIND_INSTANT, struct int64_array: KIND_INT64_ARRAY, struct date_array: KIND_DATE_ARRAY,   \
             struct instant_array: KIND_INSTANT_ARRAY, struct uuid_array: KIND_UUID_ARRAY,                             \
             struct text_array: KIND_TEXT_ARRAY)
/* { COLUMN(struct balance, available), COLUMN(struct balance, held) }: the SQL column has the field's name. */
#define COLUMN(record, field)                                                                                          \
    {                                                                                                                  \
#field, KIND_OF(record, field), offsetof(record, field), NULL                                                  \
    }
/* A parameter that is an array of a composite type. */
#define RECORDS(params, field, record_type_pointer)                                                                    \
    {                                                                                                                  \
#field, KIND_RECORD_ARRAY, offsetof(params, field), record_type_pointer                                        \
    }
/* A whole statement from its tables; NO_COLUMNS where there are none. */
#define STATEMENT(name, sql, params, columns, row_size)                                                                \
    {                                                                                                                  \
        name, sql, params, COUNT(params), columns, COUNT(columns), row_size                                            \
    }
/* For a statement that returns nothing. */
#define COMMAND_STATEMENT(name, sql, params)                                                                           \
    {                                                                                                                  \
        name, sql, params, COUNT(params), NULL, 0, 0                                                                   \
    }

/* conninfo as libpq takes it, such as "host=/run/x dbname=alliance user=alliance". */
bool db_open(const char *conninfo, struct db **db, struct error *err) MUST_USE;
/* Another connection to where db leads. */
bool db_open_beside(const struct db *db, struct db **beside, struct error *err) MUST_USE;
/* NULL is fine. */
void db_close(struct db *db);
/* Makes the connection anew; prepared statements are prepared again when they are next used. */
bool db_reconnect(struct db *db, struct error *err) MUST_USE;
/* false once the connection is known to be lost. */
bool db_connected(const struct db *db);
/* Five characters of the last failure, or "". */
const char *db_sqlstate(const struct db *db);

/* Runs a statement that returns no rows, or whose rows do not matter; affected may be NULL. */
bool db_execute(struct db *db, const struct statement *statement, const void *params, int64_t *affected,
                struct error *err) MUST_USE;
/* At most one row is expected; *found says whether it was there. Text and arrays live in the arena. */
bool db_fetch_one(struct db *db, const struct statement *statement, const void *params, struct arena *arena, void *row,
                  bool *found, struct error *err) MUST_USE;
/* All rows as an array of statement->row_size structs in the arena: for results that are known to be small. */
bool db_fetch(struct db *db, const struct statement *statement, const void *params, struct arena *arena, void **rows,
              size_t *count, struct error *err) MUST_USE;
/*
 * One row at a time, for results of any size: each is called with every row and returns false (with *err set) to stop.
 * The arena is reset before each row.
 */
typedef bool db_row_handler(void *owner, const void *row, struct error *err);
bool db_each(struct db *db, const struct statement *statement, const void *params, struct arena *arena,
             db_row_handler *each, void *owner, struct error *err) MUST_USE;

/*
 * As db_each for rows that are kept: place says where the next row goes and in which arena what it points at lives;
 * those before it are whole then.
 */
typedef bool db_row_place(void *owner, struct arena **arena, void **row, struct error *err);
bool db_each_into(struct db *db, const struct statement *statement, const void *params, db_row_place *place,
                  void *owner, struct error *err) MUST_USE;
/* From any thread: what db is doing fails soon. For one that is idle nothing happens. */
void db_cancel(struct db *db);

bool db_begin(struct db *db, struct error *err) MUST_USE;
bool db_commit(struct db *db, struct error *err) MUST_USE;
/* Never fails: a connection on which it cannot be done is lost, and then so is the transaction. */
void db_rollback(struct db *db);
/* Begins a transaction on `beside` that only reads, and sees what db's transaction, a REPEATABLE READ one, sees. */
bool db_begin_beside(struct db *db, struct db *beside, struct error *err) MUST_USE;
/* Several statements without parameters, for migrations and set-up only. */
bool db_script(struct db *db, const char *sql, struct error *err) MUST_USE;

/*
 * Pipeline: what is queued goes out together at db_flush, and is answered in order by db_next. One failure makes all
 * that follow fail until the pipeline ends. db_pipeline_end reads what is left and leaves pipeline mode.
 *
 *     db_pipeline_begin; db_queue a; db_queue b; db_flush; db_next a; db_next b; ... ; db_pipeline_end
 */
bool db_pipeline_begin(struct db *db, struct error *err) MUST_USE;
bool db_queue(struct db *db, const struct statement *statement, const void *params, struct error *err) MUST_USE;
/*
 * last: what is queued is all. A failure before a flush that is not the last does not keep what is queued after it from
 * being run: read every answer first.
 */
bool db_flush(struct db *db, bool last, struct error *err) MUST_USE;
/* The rows of the oldest unanswered statement; rows and count may be NULL when it returns none. */
bool db_next(struct db *db, struct arena *arena, void **rows, size_t *count, struct error *err) MUST_USE;
/* Statements queued and not yet answered by db_next. */
size_t db_pending(const struct db *db);
bool db_pipeline_end(struct db *db, struct error *err) MUST_USE;
/* Prepares statements ahead of a pipeline, where it cannot be done lazily. */
bool db_prepare(struct db *db, const struct statement *const *statements, size_t count, struct error *err) MUST_USE;

#endif
