#include "points.h"

#include "close.h"
#include "day_close.h"
#include "period_close.h"
#include "points_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("%s: %s", reason_name(err->reason), error_text(err));
}

static void close_days(struct alliance *alliance, const struct period *period)
{
    struct close_run run = { 0 };
    struct day_order order = { .until = period->last };
    struct error err = { 0 };

    must(db_script(
             alliance->db,
             "UPDATE fence SET test_clock = '2199-01-01', business_date = (SELECT min(business_date) FROM journal)",
             &err),
         &err);
    must(close_begin(&run, alliance->db, "p", &err), &err);
    must(day_close(&run, &order, &err), &err);
    close_end(&run);
}

/* Its files are held against a program that reads the journal and shares no code with ours. */
static void close_month(struct alliance *alliance, struct date day, const char *dir)
{
    struct close_run run = { 0 };
    struct period period = period_of(PERIOD_MONTH, day);
    struct period_closed closed;
    struct error err = { 0 };
    char command[TEST_CONNINFO + 512];

    must(close_begin(&run, alliance->db, "p", &err), &err);
    must(period_close(&run, &period, dir, &closed, &err), &err);
    close_end(&run);
    snprintf(command, sizeof command, "python3 %s/tests/settlement/recompute.py '%s' %s p %s >&2", SOURCE_DIR,
             alliance->conninfo, dir, period.text);
    assert_int_equal(system(command), 0);
}

static void assert_none(struct alliance *alliance, const char *what, const char *sql)
{
    int64_t count = alliance_count(alliance, sql);

    if (count != 0)
        fail_msg("%s: %lld differ", what, (long long)count);
}

void points_compare(struct alliance *alliance)
{
    struct period period = { .text = "all" };
    struct error err = { 0 };
    char dir[] = "/tmp/points.XXXXXX", command[64];

    period.first.days = (int32_t)alliance_count(
        alliance, "SELECT (min(business_date) - '1970-01-01'::date)::int8 AS number FROM journal");
    period.last.days = (int32_t)alliance_count(
        alliance, "SELECT (max(business_date) - '1970-01-01'::date)::int8 AS number FROM journal");
    period.first = date_month_start(period.first, 0);
    period.last.days = date_month_start(period.last, 1).days - 1;
    close_days(alliance, &period);
    assert_true(alliance_count(alliance, "SELECT count(*) AS number FROM point_lot") > 0);
    assert_none(alliance, "lots",
                "SELECT count(*) AS number FROM (SELECT bank_no, funding_no, expires_on, sum(points) AS points FROM "
                "account JOIN account_lot USING (bucket, member_id) GROUP BY 1, 2, 3) a FULL JOIN (SELECT bank_no, "
                "funding_no, expires_on, sum(points) AS points FROM point_lot GROUP BY 1, 2, 3) p USING (bank_no, "
                "funding_no, expires_on) WHERE a.points IS DISTINCT FROM p.points");
    assert_none(alliance, "points that are older than nothing",
                "SELECT count(*) AS number FROM point_lot WHERE points < 0");
    assert_none(alliance, "drawn credit of members",
                "SELECT count(*) AS number FROM account a FULL JOIN member_drawn d USING (bucket, member_id) WHERE "
                "coalesce(substr(a.credit, 29), '') <> coalesce(substr(d.drawn, 29), '')");
    assert_none(alliance, "drawn credit of banks",
                "SELECT count(*) AS number FROM (SELECT bank_no, drawn_on, sum(points) AS points FROM account JOIN "
                "account_drawn USING (bucket, member_id) GROUP BY 1, 2) a FULL JOIN drawn_day d USING (bank_no, "
                "drawn_on) WHERE a.points IS DISTINCT FROM d.points");
    must(points_book_tie(alliance->db, 1, &period, &err), &err);
    assert_non_null(mkdtemp(dir));
    for (struct date day = period.first; day.days <= period.last.days; day = date_month_start(day, 1))
        close_month(alliance, day, dir);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}
