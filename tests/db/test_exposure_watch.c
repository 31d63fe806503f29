/* tests/db/test_exposure_watch.c -- a bank hears of each level of its exposure limit once, from whichever server looks.
 */
#include "engine/exposure_watch.h"
#include "members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void run_sql(struct alliance *alliance, const char *sql)
{
    struct error err = { 0 };

    if (!db_script(alliance->db, sql, &err))
        fail_msg("%s: %s", sql, error_text(&err));
}

/* A limit of 1000, and what two buckets use of it together. */
static const struct {
    const char *story;
    int used[2];
    int64_t told;
    int level;
} looks[] = {
    { "nothing", { 0, 0 }, 0, 0 },
    { "just below the first", { 399, 400 }, 0, 0 },
    { "the first", { 400, 400 }, 1, 80 },
    { "still", { 450, 400 }, 0, 80 },
    { "a little less is no way back", { 350, 400 }, 0, 80 },
    { "and up again no news", { 430, 400 }, 0, 80 },
    { "two at once", { 600, 400 }, 2, 100 },
    { "beyond it", { 700, 400 }, 0, 100 },
    { "down by one", { 549, 400 }, 0, 90 },
    { "down by all", { 0, 400 }, 0, 0 },
    { "all anew", { 600, 400 }, 3, 100 },
};

static void each_level_is_told_once_on_the_way_up(void **state)
{
    struct alliance alliance;
    struct error err = { 0 };
    char sql[200];

    (void)state;
    alliance_open(&alliance);
    run_sql(&alliance, "INSERT INTO exposure SELECT b, 1, 'CNY', 1000, 250, 0 FROM generate_series(0, 3) b");
    for (size_t i = 0; i < COUNT(looks); i++) {
        int64_t told = -1, again = -1;
        snprintf(sql, sizeof sql,
                 "UPDATE exposure SET used_minor = %d WHERE bucket = 0; UPDATE exposure SET used_minor = %d "
                 "WHERE bucket = 3",
                 looks[i].used[0], looks[i].used[1]);
        run_sql(&alliance, sql);
        if (!exposure_watch_run(alliance.db, &told, &err) || !exposure_watch_run(alliance.db, &again, &err))
            fail_msg("%s: %s", looks[i].story, error_text(&err));
        int64_t level = alliance_count(&alliance, "SELECT coalesce(max(level), 0) FROM exposure_watch");
        if (told != looks[i].told || again != 0 || level != looks[i].level)
            fail_msg("%s: %lld told, then %lld, level %lld", looks[i].story, (long long)told, (long long)again,
                     (long long)level);
    }
    assert_int_equal(alliance_count(&alliance, "SELECT count(*) FROM exposure_warning WHERE used_minor >= level * 10"),
                     6);
    /* Only so many are kept. */
    run_sql(&alliance,
            "INSERT INTO exposure_warning (bank_no, currency, level, used_minor, limit_minor, business_date, "
            "at) SELECT 1, 'CNY', 80, 800, 1000, '2026-01-15', now() FROM generate_series(1, 1100);"
            "UPDATE exposure SET used_minor = 0");
    int64_t told;
    assert_true(exposure_watch_run(alliance.db, &told, &err));
    assert_int_equal(alliance_count(&alliance, "SELECT count(*) FROM exposure_warning"), EXPOSURE_WARNINGS_KEPT);
    alliance_close(&alliance);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_level_is_told_once_on_the_way_up) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
