/* What a close reads depends on its month, not on the months kept: the 27th reads what the 3rd did. */
#include "settled_world.h"

#include "domain/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MERCHANTS = 12, EARLY = 3, LATE = 27, FIRST_YEAR = 2017 };

/* Rows of a table that is not worth telling of: a plan may read all of a few. */
enum { FEW = 150 };

static int set_up(void **state)
{
    static struct world world;
    static const struct world_contract contracts[] = {
        { .party = 2, .no = 1, .fee_redemption = 3, .eligibility = 2 },
        { .party = 2, .no = 2, .min_payout = 1000000000, .fee_period = 500, .eligibility = 2 },
        { .party = 1, .no = 1, .fee_redemption = 2 },
        { .party = 3, .no = 1, .freight = 8 },
    };

    world_make(&world);
    world_do(
        &world,
        "INSERT INTO merchant (merchant_id, programme_no, name, content_hash) SELECT 'more-' || n, 1, n::text, '' "
        "FROM generate_series(4, 12) n; INSERT INTO store (merchant_no, store_id, name) SELECT n, 's', 's' FROM "
        "generate_series(4, 12) n; INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) VALUES "
        "('swift', 1, 'S', 'x', ''), ('free', 1, 'F', 'x', ''); INSERT INTO goods (programme_no, goods_id, "
        "merchant_no, name, kind, price_minor, currency, carrier_no) VALUES (1, 'mug', 1, 'm', 1, 1, 'USD', 1), "
        "(1, 'cup', 2, 'c', 1, 1, 'USD', 2); INSERT INTO funding (bank_no, funding_id, cost_num, cost_den, "
        "currency, content_hash) VALUES (1, 'spring', 1, 3, 'USD', ''); INSERT INTO funding_share VALUES (1, 2, 0, "
        "10000)");
    /* So many periods of another programme that each of ours is looked up: a page of all is read as a whole. */
    world_do(&world,
             "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('other', 'UTC', true); INSERT INTO "
             "settlement_period (programme_no, period, first_day, last_day, maker, manifest_sha256, "
             "statement_count, calculated_at) SELECT 2, to_char(date '2000-01-01' + n, 'YYYY-MM-DD'), date "
             "'2000-01-01' + n, "
             "date '2000-01-01' + n, 'x', sha256('x'), 1, now() FROM generate_series(1, 2000) n");
    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(&world, &contracts[i]);
    for (int no = 3; no <= MERCHANTS; no++)
        world_contract(&world, &(struct world_contract){ .party = 2,
                                                         .no = no,
                                                         .tiers = "0:300 10000:175",
                                                         .tax_bp = 600,
                                                         .residue_limit = 50,
                                                         .hold_back_bp = 1000,
                                                         .hold_back_periods = 2 });
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static struct date first_day(int month)
{
    return date_month_start(date_of(FIRST_YEAR, 1, 1), month - 1);
}

/* 560 confirmations of 24 pairs; 20 orders of the month before given back; points earned, held and, months later, gone.
 */
static void put_entries(struct world *world, int month, const char *day)
{
    world_do(world,
             "SELECT journal_open_month('%1$s'); "
             "INSERT INTO journal SELECT m %% 4, md5('m' || m)::uuid, s, '%1$s'::date + n %% 28, ('%1$s'::date + n %% "
             "28)::timestamp + interval '12 hours', 4, 100 + n, 0, 0, 0, 0, md5('a' || s)::uuid, md5('r' || s)::uuid, "
             "1, 1 + n %% 2, 1 + n / 2 %% 12, 1 + n / 2 %% 12, 1, 1, 'USD', 100 + n, 3, sha256(s::text::bytea) FROM "
             "generate_series(0, 559) n, LATERAL (SELECT n %% 97 AS m, %2$d * 1000 + n AS s) x; "
             "INSERT INTO journal SELECT bucket, member_id, seq + 1000, '%1$s'::date + 20, '%1$s'::timestamp + "
             "interval '20 days 12 hours', 8, points, 0, 0, 0, 0, ref, redemption_id, 1, bank_no, merchant_no, "
             "store_no, 1, 1, 'USD', -gross_minor, -commission_minor, hash FROM journal WHERE kind = 4 AND "
             "business_date = '%1$s'::date - interval '1 month'; "
             "INSERT INTO journal SELECT 3, md5('earner')::uuid, %2$d * 10 + n, '%1$s'::date + n, '%1$s'::timestamp + "
             "n * interval '1 day' + interval '12 hours', kind, points, 0, 0, 0, 0, gen_random_uuid(), "
             "gen_random_uuid(), 1, 1, 0, 0, 1, 0, '', 0, 0, sha256(n::text::bytea), 0, int4send(('%1$s'::date + back "
             "* interval '1 month' + interval '3 months')::date - '1970-01-01'::date) || int4send(1) || "
             "int8send(points) FROM (VALUES (1, 2, 1000, 0), (2, 3, 600, 0), (3, 9, 400, -2)) v (n, kind, points, "
             "back) WHERE %2$d + back >= 1",
             day, month);
}

/* Orders of two merchants: carriers deliver them at once, but for those of two days, which take a month. */
static void put_orders(struct world *world, const char *day)
{
    world_do(world,
             "INSERT INTO redemption (bucket, id, member_id, programme_no, bank_no, merchant_no, store_no, "
             "terminal_id, content_hash, reason, state, points, currency, rules_version, terms_version, goods_no, "
             "quantity, ship_to, spendable_after, business_date, held_at, lapse_at, draw_credit) SELECT bucket, "
             "redemption_id, member_id, 1, bank_no, merchant_no, merchant_no, '', '', 'OK', 2, points, currency, 1, 1, "
             "merchant_no, 1, '', 0, business_date, at, at, 0 FROM journal WHERE kind = 4 AND merchant_no < 3 AND "
             "business_date BETWEEN '%1$s' AND '%1$s'::date + 27; "
             "UPDATE shipment SET state = 6, head_at = '%1$s'::timestamp + interval '36 hours' WHERE state <> 6; "
             "INSERT INTO shipment (bucket, id, programme_no, carrier_no, merchant_no, goods_no, quantity, state, "
             "head_at) SELECT bucket, id, 1, goods_no, merchant_no, goods_no, 1, CASE WHEN business_date > "
             "'%1$s'::date + 25 THEN 4 ELSE 6 END, held_at + interval '1 hour' FROM redemption WHERE business_date "
             "BETWEEN '%1$s' AND '%1$s'::date + 27",
             day);
}

/* A correction, and of each pair of the month before a dispute that nobody goes on with. */
static void put_claims(struct world *world, const char *day)
{
    world_do(world,
             "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
             "to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, business_date) VALUES (1, "
             "gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 1234, 'twice', 'x', 2, 'ann', 'bob', '%1$s'); "
             "INSERT INTO dispute (programme_no, request_id, content_hash, statement_id, period, line_number, bank_no, "
             "merchant_no, currency, opener, line_minor, amount_minor, withheld_minor, reason_code, evidence, "
             "evidence_sha256, opened_by, opened_on, expires_on, opener_no, other, other_no) SELECT 1, "
             "gen_random_uuid(), '', statement_id, period, 1, bank_no, merchant_no, currency, 1, 9, 5, 0, 'TWICE', '', "
             "'', 'x', '%1$s', '%1$s'::date + 9, bank_no, 2, merchant_no FROM statement WHERE type = 1 AND last_day = "
             "'%1$s'::date - 1; "
             "INSERT INTO settlement_hold (programme_no, merchant_no, currency, kind, amount_minor, refers_to, "
             "begun_on) SELECT 1, merchant_no, 'USD', 2, 5, 'dispute ' || dispute_no, '%1$s' FROM dispute WHERE state "
             "= 1; "
             "UPDATE statement s SET state = 5 FROM dispute d WHERE d.state = 1 AND s.statement_id = d.statement_id",
             day);
}

static void put_month(struct world *world, int month)
{
    char day[DATE_TEXT];

    date_format(first_day(month), day);
    put_entries(world, month, day);
    put_orders(world, day);
    put_claims(world, day);
}

/* Issued by hand, as all but the newest months are. */
static void close_month(struct world *world, int month)
{
    struct date first = first_day(month), last = { date_month_start(first, 1).days - 1 };
    struct period period = period_of(PERIOD_MONTH, first);
    char day[DATE_TEXT];

    date_format(last, day);
    world_settle(world, day, period.text);
    world_do(world,
             "UPDATE settlement_period SET state = 3, approver = 'otto', issued_on = last_day + 1, signature_sha256 = "
             "sha256('s') WHERE period = '%s'",
             period.text);
}

/* Rows read of each table so far, as "table rows"; partitions of the journal together. */
static void note_reads(struct world *world, const char *of)
{
    world_do(world, "SELECT pg_stat_force_next_flush()");
    world_do(world,
             "SELECT pg_stat_clear_snapshot(); INSERT INTO reads SELECT '%s', "
             "regexp_replace(relname, '_[0-9_]+$', ''), "
             "sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables WHERE relname <> 'reads' GROUP "
             "BY 2",
             of);
}

/* What the close of a month reads; statistics are as a server's that has run for a while. */
static void measure_month(struct world *world, int month, const char *name)
{
    char before[32];

    put_month(world, month);
    world_do(world, "VACUUM ANALYZE");
    snprintf(before, sizeof before, "before %s", name);
    note_reads(world, before);
    close_month(world, month);
    note_reads(world, name);
}

#define MONTHS                                                                                                         \
    "(SELECT relname, sum(CASE of WHEN 'early' THEN n WHEN 'before early' THEN -n ELSE 0 END) AS early, sum(CASE of "  \
    "WHEN 'late' THEN n WHEN 'before late' THEN -n ELSE 0 END) AS late FROM reads GROUP BY 1) x "

static void a_close_reads_no_more_for_24_months_before_it(void **state)
{
    struct world *world = *state;

    world_do(world, "CREATE TABLE reads (of text, relname text, n numeric)");
    for (int month = 1; month <= LATE; month++) {
        if (month == EARLY || month == LATE) {
            measure_month(world, month, month == EARLY ? "early" : "late");
        } else {
            put_month(world, month);
            close_month(world, month);
        }
    }
    char *grown =
        world_ask(world, "SELECT relname, early, late FROM " MONTHS "WHERE late > early * 1.2 + %d ORDER BY 3", FEW);
    char *all = world_ask(world, "SELECT sum(early), sum(late) FROM " MONTHS);
    double early, late;
    assert_int_equal(sscanf(all, "%lf|%lf", &early, &late), 2);
    if (*grown || late > 1.2 * early || early < 10000)
        fail_msg("all, early and late: %stables that are read more:\n%s", all, grown);
    free(grown);
    free(all);
    /* the months had what they were to have */
    assert_int_equal(world_number(world, "SELECT count(*) FROM dispute WHERE state = 6"), 24 * (LATE - 1));
    assert_int_equal(world_number(world, "SELECT count(*) FROM point_lot"), 2);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT kind) FROM settlement_posting"), 7);
    assert_int_equal(world_number(world, "SELECT count(*) FROM shipment WHERE freight_period = ''"), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_close_reads_no_more_for_24_months_before_it, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
