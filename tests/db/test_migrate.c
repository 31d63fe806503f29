/* test_migrate.c -- a schema's history is applied once, never edited, and fixes the number of buckets. */
#include "database.h"

#include "store/db.h"
#include "store/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_schema_is_kept_as_it_was_applied(void **state)
{
    char conninfo[TEST_CONNINFO];
    struct error err = { 0 };
    struct db *db = NULL;

    (void)state;
    database_make(conninfo);
    assert_true(db_open(conninfo, &db, &err));
    assert_true(migrate(db, TEST_BUCKETS, &err)); /* again: nothing to do */

    assert_false(migrate(db, TEST_BUCKETS + 1, &err));
    assert_int_equal(err.reason, REASON_SETTING_INVALID);
    assert_non_null(strstr(err.detail, "buckets"));

    assert_true(db_script(db, "UPDATE schema_migration SET checksum = 'another' WHERE number = 1", &err));
    assert_false(migrate(db, TEST_BUCKETS, &err));
    assert_int_equal(err.reason, REASON_SETTING_INVALID);
    assert_non_null(strstr(err.detail, "0001_alliance"));
    db_close(db);
    database_drop(conninfo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_kept_as_it_was_applied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
