/* tests/settlement/test_rows_ahead.c -- rows read by a thread come whole, in order, once; errors and ends come through.
 */
#include "rows_ahead.h"

#include "database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct params {
    int64_t first, last, divisor;
};
struct row {
    int64_t n;
    const char *text;
};
static const struct column params[] = { COLUMN(struct params, first), COLUMN(struct params, last),
                                        COLUMN(struct params, divisor) };
static const struct column columns[] = { COLUMN(struct row, n), COLUMN(struct row, text) };
/* Fails where n is the divisor. */
static const struct statement numbers =
    STATEMENT("test_numbers",
              "SELECT n, repeat('x', (n % 40)::int) || n || CASE 1 / ($3 - n) WHEN 5 THEN '!' ELSE '' END AS text FROM "
              "generate_series($1, $2) n",
              params, columns, sizeof(struct row));
/* A first row, and then nothing for an hour. */
static const struct statement slow =
    STATEMENT("test_slow",
              "SELECT n, CASE n WHEN $1 THEN 'at once' ELSE pg_sleep(3600 + $2 + $3)::text END AS text FROM "
              "generate_series($1, $1 + 5) n",
              params, columns, sizeof(struct row));
static const struct column count_columns[] = { COLUMN(struct row, n) };
static const struct statement count_rows = {
    "test_count", "SELECT count(*) AS n FROM seen", NULL, 0, count_columns, 1, sizeof(struct row)
};

static char conninfo[TEST_CONNINFO];
static struct db *db;

static int open_database(void **state)
{
    struct error err;

    (void)state;
    database_make(conninfo);
    return db_open(conninfo, &db, &err) ? 0 : -1;
}

static int close_database(void **state)
{
    (void)state;
    db_close(db);
    database_drop(conninfo);
    return 0;
}

/* What a reader has seen: every row must be the one after the last. */
struct seen {
    int64_t first, count, stop_after;
};

static bool see(void *owner, const void *of, struct error *err)
{
    struct seen *seen = owner;
    const struct row *row = of;
    char expected[64];

    snprintf(expected, sizeof expected, "%.*s%lld", (int)(row->n % 40), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
             (long long)row->n);
    if (row->n != seen->first + seen->count || strcmp(row->text, expected) != 0)
        fail_msg("row %lld is %lld \"%s\"", (long long)seen->count, (long long)row->n, row->text);
    seen->count++;
    return seen->count != seen->stop_after || error_set(err, REASON_TRY_AGAIN, "enough");
}

static bool read_numbers(struct params asked, struct seen *seen, struct error *err)
{
    struct rows_ahead *rows;

    seen->first = asked.first;
    assert_true(rows_ahead_start(&rows, db, &numbers, &asked, sizeof asked, err));
    bool good = rows_ahead_each(rows, see, seen, err);
    rows_ahead_stop(rows);
    return good;
}

static void all_rows_come_in_order_and_once(void **state)
{
    static const int64_t counts[] = { 0, 1, 511, 512, 513, 4096, 100000 };

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct error err = { 0 };
        struct seen seen = { 0 };
        assert_true(read_numbers((struct params){ 1, counts[i], -1 }, &seen, &err));
        assert_int_equal(seen.count, counts[i]);
    }
}

static void a_failure_comes_after_the_rows_before_it(void **state)
{
    struct error err = { 0 };
    struct seen seen = { 0 };

    (void)state;
    assert_false(read_numbers((struct params){ 1, 100000, 50000 }, &seen, &err));
    assert_int_equal(err.reason, REASON_INTERNAL);
    assert_non_null(strstr(error_text(&err), "22012"));
    assert_true(seen.count > 0 && seen.count < 50000);
}

static void who_stops_is_not_asked_again(void **state)
{
    struct error err = { 0 };
    struct seen seen = { .stop_after = 700 };

    (void)state;
    assert_false(read_numbers((struct params){ 1, 5000000, -1 }, &seen, &err));
    assert_int_equal(err.reason, REASON_TRY_AGAIN);
    assert_int_equal(seen.count, 700);
    seen = (struct seen){ 0 }; /* and the connection is as good as before */
    assert_true(read_numbers((struct params){ 1, 10, -1 }, &seen, &err));
    assert_int_equal(seen.count, 10);
}

static void what_nobody_reads_is_ended(void **state)
{
    const struct params asked = { 1, 2, 3 };
    struct rows_ahead *rows;
    struct error err = { 0 };
    struct seen seen = { 0 };

    (void)state;
    assert_true(rows_ahead_start(&rows, db, &slow, &asked, sizeof asked, &err));
    rows_ahead_stop(rows); /* would else wait for an hour */
    assert_true(read_numbers((struct params){ 1, 10, -1 }, &seen, &err));
}

static int64_t count(struct db *on)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct row row = { 0 };
    struct error err;
    bool found;

    assert_true(db_fetch_one(on, &count_rows, NULL, &arena, &row, &found, &err));
    return row.n;
}

static void who_begins_beside_sees_the_same_and_writes_nothing(void **state)
{
    struct db *beside = NULL, *other = NULL;
    struct error err;

    (void)state;
    assert_true(db_open_beside(db, &beside, &err) && db_open_beside(db, &other, &err));
    assert_true(db_script(db, "CREATE TABLE seen (n int8); INSERT INTO seen VALUES (1)", &err));
    assert_true(db_begin(db, &err) && db_script(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", &err));
    assert_int_equal(count(db), 1);
    assert_true(db_script(other, "INSERT INTO seen VALUES (2)", &err));
    assert_true(db_begin_beside(db, beside, &err));
    assert_int_equal(count(beside), 1);
    assert_int_equal(count(other), 2);
    assert_false(db_script(beside, "INSERT INTO seen VALUES (3)", &err));
    assert_string_equal(db_sqlstate(beside), "25006");
    db_rollback(beside);
    assert_true(db_commit(db, &err));
    db_close(beside);
    db_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows_come_in_order_and_once),
        cmocka_unit_test(a_failure_comes_after_the_rows_before_it),
        cmocka_unit_test(who_stops_is_not_asked_again),
        cmocka_unit_test(what_nobody_reads_is_ended),
        cmocka_unit_test(who_begins_beside_sees_the_same_and_writes_nothing),
    };

    return cmocka_run_group_tests(tests, open_database, close_database);
}
