/* Whose lines a close takes: the rule by tables of cases, and a month in which every kind of period is settled. */
#include "due.h"
#include "scope.h"
#include "settled_world.h"
#include "store/period_chain_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct party shop = { PARTY_MERCHANT, 7 };

static struct date day(const char *text)
{
    struct date date;

    assert_true(date_parse(text, &date));
    return date;
}

/* A version in words: kind, from, and for CUSTOM its ends. */
struct version {
    int kind;
    const char *from;
    const char *ends[4];
};

enum { VERSIONS = 3, ENDS = 4 };
struct story {
    struct settle_contract versions[VERSIONS];
    struct date ends[VERSIONS][ENDS];
    size_t count;
};

static void tell(struct story *story, const struct version *versions, size_t count)
{
    *story = (struct story){ .count = count };
    for (size_t i = 0; i < count; i++) {
        struct settle_contract *c = &story->versions[i];
        *c = settle_contract_none(shop, "USD");
        c->version = (int32_t)i + 1;
        c->period_kind = (int16_t)versions[i].kind;
        c->effective_from = day(versions[i].from);
        c->until = i + 1 < count ? (struct date){ day(versions[i + 1].from).days - 1 } : day("9999-12-31");
        c->custom_ends = story->ends[i];
        for (size_t k = 0; k < ENDS && versions[i].ends[k]; k++)
            story->ends[i][c->custom_end_count++] = day(versions[i].ends[k]);
    }
}

static const struct version none[] = { { 0, NULL, { NULL } } };
static const struct version weekly[] = { { PERIOD_WEEK, "2026-12-01", { NULL } } };
static const struct version daily_then_monthly[] = { { PERIOD_DAY, "2026-11-01", { NULL } },
                                                     { PERIOD_MONTH, "2026-12-01", { NULL } } };
static const struct version by_ends[] = {
    { PERIOD_CUSTOM, "2026-11-01", { "2026-11-10", "2026-11-25", "2026-12-25", "2026-12-31" } }
};
static const struct version by_more_ends[] = {
    { PERIOD_CUSTOM, "2026-11-01", { "2026-11-25", "2026-11-30", NULL } },
    { PERIOD_CUSTOM, "2026-11-20", { "2026-10-31", "2026-11-25", "2026-12-31", NULL } }
};
static const struct version week_cut[] = { { PERIOD_WEEK, "2026-11-01", { NULL } },
                                           { PERIOD_DAY, "2026-11-26", { NULL } } };

/* Each date of a party is in exactly one period: the one that is told here. */
static const struct {
    const struct version *versions;
    size_t count;
    const char *date, *period;
} places[] = {
    { none, 0, "2026-11-30", "2026-11" },
    { weekly, 1, "2026-11-30", "2026-11" }, /* a Monday, before the contract */
    { weekly, 1, "2026-12-01", "2026-W49" },
    { weekly, 1, "2027-01-03", "2026-W53" },
    { daily_then_monthly, 2, "2026-10-31", "2026-10" },
    { daily_then_monthly, 2, "2026-11-30", "2026-11-30" },
    { daily_then_monthly, 2, "2026-12-01", "2026-12" },
    { by_ends, 1, "2026-11-01", "2026-11-01--2026-11-10" },
    { by_ends, 1, "2026-11-10", "2026-11-01--2026-11-10" },
    { by_ends, 1, "2026-11-11", "2026-11-11--2026-11-25" },
    { by_ends, 1, "2026-12-25", "2026-11-26--2026-12-25" },
    { by_ends, 1, "2026-12-31", "2026-12-26--2026-12-31" },
    { by_ends, 1, "2027-01-01", "2027-01" },
    { by_more_ends, 2, "2026-11-19", "2026-11-01--2026-11-25" },
    { by_more_ends, 2, "2026-11-20", "2026-11-01--2026-11-25" }, /* the new version goes on with it */
    { by_more_ends, 2, "2026-11-26", "2026-11-26--2026-12-31" },
    { week_cut, 2, "2026-11-25", "2026-W48" },
    { week_cut, 2, "2026-11-26", "2026-11-26" },
};

static bool takes(const struct story *story, const char *period, struct date date)
{
    struct scope scope = { .contracts = (struct settle_contract *)(uintptr_t)story->versions,
                           .contract_count = story->count };
    struct period of;
    struct error err;

    assert_true(period_parse(period, &of));
    while (scope.contract_count > 0 && scope.contracts[scope.contract_count - 1].effective_from.days > of.last.days)
        scope.contract_count--; /* as the query leaves them out */
    assert_true(scope_make(&scope, &of, &err));
    bool taken = date.days >= of.first.days && date.days <= of.last.days && scope_has(&scope, shop, "USD", date);
    /* Another currency and another shop are settled by the month all the same. */
    assert_int_equal(scope_has(&scope, shop, "EUR", date), of.kind == PERIOD_MONTH);
    assert_int_equal(scope_has(&scope, (struct party){ PARTY_CARRIER, 7 }, "USD", date), of.kind == PERIOD_MONTH);
    scope_release(&scope);
    return taken;
}

static void a_date_is_in_one_period(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct date date = day(places[i].date);
        struct story story;
        tell(&story, places[i].versions, places[i].count);
        if (!takes(&story, places[i].period, date))
            fail_msg("%zu: %s is not in %s", i, places[i].date, places[i].period);
        for (size_t k = 0; k < COUNT(places); k++) {
            if (strcmp(places[k].period, places[i].period) != 0 && takes(&story, places[k].period, date))
                fail_msg("%zu: %s is in %s, too", i, places[i].date, places[k].period);
        }
        for (int kind = PERIOD_DAY; kind <= PERIOD_MONTH; kind++) {
            struct period of = period_of(kind, date);
            assert_int_equal(takes(&story, of.text, date), strcmp(of.text, places[i].period) == 0);
        }
    }
}

/* What follows which: the field of the refusal, or NULL. Open is 2026-11-05; before: by the month, from 2026-01-01. */
static const struct {
    int party;
    struct version before, after;
    const char *told;
} follows[] = {
    { PARTY_MERCHANT, { PERIOD_MONTH, "2026-01-01", { NULL } }, { PERIOD_WEEK, "2026-12-01", { NULL } }, NULL },
    { PARTY_MERCHANT, { PERIOD_MONTH, "2026-01-01", { NULL } }, { PERIOD_WEEK, "2026-12-07", { NULL } }, "first of a" },
    { PARTY_MERCHANT, { PERIOD_WEEK, "2026-01-01", { NULL } }, { PERIOD_MONTH, "2026-12-07", { NULL } }, "first of a" },
    { PARTY_MERCHANT, { PERIOD_WEEK, "2026-01-01", { NULL } }, { PERIOD_DAY, "2026-12-09", { NULL } }, NULL },
    { PARTY_MERCHANT, { PERIOD_WEEK, "2026-01-01", { NULL } }, { PERIOD_DAY, "2026-11-04", { NULL } }, "or later" },
    { PARTY_MERCHANT, /* by months again since its last end */
      { PERIOD_CUSTOM, "2026-01-01", { "2026-10-31" } },
      { PERIOD_WEEK, "2026-11-09", { NULL } },
      "first of a" },
    { PARTY_MERCHANT,
      { PERIOD_CUSTOM, "2026-01-01", { "2026-10-31" } },
      { PERIOD_CUSTOM, "2026-11-09", { "2026-11-30" } },
      "first of a" },
    { PARTY_MERCHANT,
      { PERIOD_CUSTOM, "2026-01-01", { "2026-10-31" } },
      { PERIOD_MONTH, "2026-11-09", { NULL } },
      NULL },
    { PARTY_MERCHANT,
      { PERIOD_CUSTOM, "2026-01-01", { "2026-11-30" } },
      { PERIOD_MONTH, "2026-11-09", { NULL } },
      "first of a" },
    { PARTY_BANK, { PERIOD_MONTH, "2026-01-01", { NULL } }, { PERIOD_DAY, "2026-12-01", { NULL } }, NULL },
    { PARTY_BANK, { PERIOD_MONTH, "2026-01-01", { NULL } }, { PERIOD_MONTH, "2026-12-07", { NULL } }, NULL },
    { PARTY_BANK, { PERIOD_MONTH, "2026-01-01", { NULL } }, { PERIOD_WEEK, "2026-12-01", { NULL } }, "not cut" },
    { PARTY_BANK, { PERIOD_MONTH, "2026-01-01", { NULL } }, { PERIOD_WEEK, "2027-02-01", { NULL } }, NULL },
    { PARTY_BANK, { PERIOD_DAY, "2026-01-01", { NULL } }, { PERIOD_WEEK, "2026-12-08", { NULL } }, "not cut" },
    { PARTY_BANK, { PERIOD_DAY, "2026-01-01", { NULL } }, { PERIOD_WEEK, "2026-12-07", { NULL } }, NULL },
    { PARTY_BANK,
      { PERIOD_CUSTOM, "2026-01-01", { "2026-11-25", "2026-12-31" } },
      { PERIOD_CUSTOM, "2026-11-26", { "2026-11-25", "2027-01-31" } },
      NULL },
    { PARTY_BANK,
      { PERIOD_CUSTOM, "2026-01-01", { "2026-11-25", "2026-12-31" } },
      { PERIOD_CUSTOM, "2026-11-20", { "2027-01-31" } },
      "not cut" },
};

static void a_version_begins_where_periods_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(follows); i++) {
        struct version versions[] = { follows[i].before, follows[i].after };
        struct story story;
        struct error err = { 0 };
        tell(&story, versions, 2);
        story.versions[0].party.kind = story.versions[1].party.kind = (int16_t)follows[i].party;
        bool good = settle_contract_check(&story.versions[1], &err) &&
                    settle_contract_follows(&story.versions[1], &story.versions[0], day("2026-11-05"), &err);
        if (good != !follows[i].told || (!good && !strstr(err.detail, follows[i].told)))
            fail_msg("%zu: %s", i, good ? "was taken" : err.detail);
    }
}

static const struct {
    struct version version;
    int party;
    const char *told;
} wrong[] = {
    { { PERIOD_CUSTOM, "2026-11-01", { "2026-11-29" } }, PARTY_MERCHANT, "last must be a month's last day" },
    { { PERIOD_CUSTOM, "2026-11-01", { "2026-10-31" } }, PARTY_MERCHANT, "not before effective_from" },
    { { PERIOD_CUSTOM, "2026-11-01", { "2028-12-31" } }, PARTY_MERCHANT, "at most 400 days" },
    { { PERIOD_CUSTOM, "2026-11-01", { "2026-11-20", "2026-11-10" } }, PARTY_MERCHANT, "must ascend" },
    { { PERIOD_WEEK, "2026-11-01", { "2026-11-30" } }, PARTY_MERCHANT, "none otherwise" },
    { { PERIOD_CUSTOM, "2026-11-01", { NULL } }, PARTY_MERCHANT, "1 to 400" },
    { { PERIOD_WEEK, "2026-11-01", { NULL } }, PARTY_OPERATOR, "must be MONTH for OPERATOR" },
};

static void wrong_ends_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct story story;
        struct error err = { 0 };
        tell(&story, &wrong[i].version, 1);
        story.versions[0].party.kind = (int16_t)wrong[i].party;
        if (settle_contract_check(&story.versions[0], &err) || !strstr(err.detail, wrong[i].told))
            fail_msg("%zu: %s", i, err.detail);
    }
}

static void a_release_counts_the_contracts_periods(void **state)
{
    static const struct {
        const struct version *versions;
        const char *last, *first;
        int n;
    } cases[] = {
        { weekly, "2026-12-06", "2026-12-14", 2 },
        { by_ends, "2026-11-10", "2026-11-11", 1 },
        { by_ends, "2026-11-10", "2026-12-26", 3 },
        { by_ends, "2026-11-10", "2027-02-01", 5 },
        { daily_then_monthly, "2026-11-28", "2026-12-01", 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct story story;
        tell(&story, cases[i].versions, 1);
        assert_int_equal(settle_contract_later(&story.versions[0], day(cases[i].last), cases[i].n).days,
                         day(cases[i].first).days);
    }
}

static bool note(void *owner, const struct period *period, struct error *err)
{
    char *told = owner;
    size_t n = strlen(told);

    (void)err;
    snprintf(told + n, 512 - n, "%s%s", n ? " " : "", period->text);
    return true;
}

/* Of a programme that began on 2026-11-20: what is due when the days are closed up to one, and some are calculated. */
static const struct {
    const struct version *versions;
    size_t count;
    const char *until, *day, *week, *month, *custom, *due;
} dues[] = {
    { none, 0, "2026-11-29", NULL, NULL, NULL, NULL, "" },
    { none, 0, "2026-12-30", NULL, NULL, NULL, NULL, "2026-11" },
    { none, 0, "2026-12-31", NULL, NULL, NULL, NULL, "2026-11 2026-12" },
    { none, 0, "2026-12-31", NULL, NULL, "2026-11-30", NULL, "2026-12" },
    { weekly, 1, "2026-12-12", NULL, NULL, "2026-11-30", NULL, "2026-W49" },
    { weekly, 1, "2026-12-13", NULL, "2026-12-06", "2026-11-30", NULL, "2026-W50" },
    { daily_then_monthly, 2, "2026-11-22", NULL, NULL, NULL, NULL, "2026-11-20 2026-11-21 2026-11-22" },
    { daily_then_monthly, 2, "2026-12-02", "2026-11-29", NULL, NULL, NULL, "2026-11-30 2026-11" },
    { by_ends, 1, "2026-11-24", NULL, NULL, NULL, NULL, "2026-11-01--2026-11-10" },
    { by_ends, 1, "2026-12-25", NULL, NULL, "2026-11-30", "2026-11-01--2026-11-10",
      "2026-11-11--2026-11-25 2026-11-26--2026-12-25" },
    { week_cut, 2, "2026-11-29", NULL, NULL, NULL, NULL,
      "2026-11-26 2026-11-27 2026-11-28 2026-11-29 2026-W47 2026-W48" },
};

static void what_is_due_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dues); i++) {
        struct date before = day("2026-11-19");
        struct due_facts facts = { .first = day("2026-11-20"),
                                   .until = day(dues[i].until),
                                   .calculated = { before, dues[i].day ? day(dues[i].day) : before,
                                                   dues[i].week ? day(dues[i].week) : before,
                                                   dues[i].month ? day(dues[i].month) : before },
                                   .custom = &dues[i].custom,
                                   .custom_count = dues[i].custom != NULL };
        struct scope contracts = { .contract_count = dues[i].count };
        struct story story;
        struct error err;
        char told[512] = "";
        tell(&story, dues[i].versions, dues[i].count);
        contracts.contracts = story.versions;
        assert_true(due_each(&contracts, &facts, note, told, &err));
        if (strcmp(told, dues[i].due) != 0)
            fail_msg("%zu: \"%s\" is due, not \"%s\"", i, told, dues[i].due);
    }
}

/* A month in which they are all there. */

static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static int recompute(struct world *world, const char *period, char said[512])
{
    char command[TEST_CONNINFO + 512];

    snprintf(command, sizeof command,
             "bash -o pipefail -c \"python3 %s/tests/settlement/recompute.py '%s' %s demo %s 2>&1 | tail -n 3\"",
             SOURCE_DIR, world->conninfo, world->dir, period);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    size_t n = fread(said, 1, 511, in);
    said[n] = '\0';
    return pclose(in);
}

static void close_one(struct world *world, const char *period)
{
    char said[512];
    struct error err;

    if (world_close_period(world, period, &err) != REASON_OK)
        fail_msg("%s: %s", period, error_text(&err));
    if (recompute(world, period, said) != 0)
        fail_msg("%s: %s", period, said);
}

/* What one period closes with, the next of its kind opens with. */
static void chain_is_whole(struct world *world, const char *period)
{
    struct db *db;
    struct error err;

    assert_true(db_open(world->conninfo, &db, &err));
    if (!period_chain_check(db, 1, period, &err))
        fail_msg("%s: %s", period, error_text(&err));
    db_close(db);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The beginning of the sorted list of all that is due, with commas. */
static void expect_due(struct world *world, const char *beginning)
{
    char *text = NULL, *lines[256], *rest, *line, all[8192] = "";
    size_t size, count = 0;
    FILE *out = open_memstream(&text, &size);
    struct db *db;
    struct error err;

    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(due_show(db, "demo", out, &err));
    db_close(db);
    fclose(out);
    for (rest = text; (line = strsep(&rest, "\n")) && *line && count < COUNT(lines);)
        lines[count++] = line + strlen("CUSTOM  ");
    qsort(lines, count, sizeof lines[0], by_text);
    for (size_t i = 0; i < count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s,", lines[i]);
    if (strncmp(all, beginning, strlen(beginning)) != 0)
        fail_msg("due: %s", all);
    free(text);
}

enum { ENTRIES = 4000 };

static void put_month(struct world *world)
{
    static const struct world_contract contracts[] = {
        { .party = 2,
          .no = 1,
          .from = "2017-02-01",
          .kind = PERIOD_WEEK,
          .tiers = "0:300 10000:175 900000:120",
          .tax_bp = 600,
          .residue_limit = 9,
          .fee_period = 700,
          .fee_redemption = 3,
          .min_payout = 50000,
          .hold_back_bp = 1000,
          .hold_back_periods = 2 },
        { .party = 2, .no = 1, .from = "2017-02-22", .kind = PERIOD_DAY, .fee_period = 11 },
        { .party = 2,
          .no = 2,
          .from = "2017-02-01",
          .kind = PERIOD_CUSTOM,
          .ends = "2017-02-10,2017-02-28",
          .fee_period = 900,
          .hold_back_bp = 500,
          .hold_back_periods = 1 },
        { .party = 2,
          .no = 3,
          .from = "2017-02-01",
          .currency = "EUR",
          .kind = PERIOD_CUSTOM,
          .ends = "2017-02-15,2017-02-28",
          .min_payout = 100000000 },
        { .party = 2, .no = 2, .from = "2017-02-01", .currency = "JPY", .tiers = "0:100", .fee_period = 5 },
        { .party = 1, .no = 1, .from = "2017-02-01", .kind = PERIOD_DAY, .fee_period = 1000, .fee_redemption = 1 },
    };

    world_put_random(world, "2017-02", ENTRIES, 7);
    world_do(world, "UPDATE fence SET business_date = '2017-02-01'");
    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(world, &contracts[i]);
    world_do(world, "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
                    "to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, business_date) VALUES "
                    "(1, gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 1234, 'of the week', 'x', 2, 'ann', 'bob', "
                    "'2017-02-07'), (1, gen_random_uuid(), 'EUR', 7, 1, 2, 2, 3, 77, 'custom', 'x', 2, 'ann', 'bob', "
                    "'2017-02-20'), (1, gen_random_uuid(), 'EUR', 8, 1, 2, 4, 0, 55, 'of the month', 'x', 2, 'ann', "
                    "'bob', '2017-02-28')");
}

/* Days 22 to 28 of shop-1, and all days of bank-1's points: fees, and pages that go on from day to day. */
static void close_days(struct world *world)
{
    char text[32];

    for (int date = 1; date <= 28; date++) {
        snprintf(text, sizeof text, "2017-02-%02d", date);
        close_one(world, text);
    }
}

static void every_entry_is_in_one_statement(void **state)
{
    static const char *const rest[] = { "2017-W05",
                                        "2017-W06",
                                        "2017-W07",
                                        "2017-W08",
                                        "2017-W09",
                                        "2017-02-01--2017-02-10",
                                        "2017-02-01--2017-02-15",
                                        "2017-02-11--2017-02-28",
                                        "2017-02-16--2017-02-28",
                                        "2017-02" };
    struct world *world = *state;
    struct error err;

    put_month(world);
    assert_int_equal(world_close_until(world, "2017-03-05", &err), REASON_OK);
    expect_due(world, "2017-02,2017-02-01,2017-02-01--2017-02-10,2017-02-01--2017-02-15,2017-02-02,");
    assert_int_equal(world_close_period(world, "2017-W07", &err), REASON_PERIOD_LEFT_OUT);
    assert_non_null(strstr(error_text(&err), "2017-W05 is to be settled"));
    for (size_t i = 0; i < COUNT(rest); i++)
        close_one(world, rest[i]);
    close_days(world);
    for (size_t i = 0; i < COUNT(rest); i++)
        chain_is_whole(world, rest[i]);
    chain_is_whole(world, "2017-02-01");
    chain_is_whole(world, "2017-02-28");
    expect_due(world, "2017-03-01,2017-03-02,2017-03-03,2017-03-04,2017-03-05,");
    assert_int_equal(world_number(world, "SELECT count(*) FROM journal WHERE kind IN (4, 8)"),
                     world_number(world, "SELECT count(*) FROM statement_line"));
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement_line"),
                     world_number(world, "SELECT count(DISTINCT (bucket, member_id, seq)) FROM statement_line"));
    /* Taken once each, by the close of its merchant's kind. */
    char *taken = world_ask(world, "SELECT reason || ' ' || taken_period FROM settlement_correction ORDER BY 1");
    assert_string_equal(taken, "custom 2017-02-16--2017-02-28\nof the month 2017-02\nof the week 2017-W06\n");
    free(taken);
    /* A fee once a period of the contract: 4 weeks, 7 days; 2 customs; 28 days; once a month. */
    char *fees = world_ask(world, "SELECT from_party || '/' || from_no || ' ' || currency || ' ' || count(*) || ' ' || "
                                  "min(amount_minor) FROM settlement_posting WHERE kind = 4 AND note = 'for the "
                                  "period' GROUP BY from_party, from_no, currency, amount_minor ORDER BY 1");
    assert_string_equal(fees, "1/1 USD 28 1000\n2/1 USD 4 700\n2/1 USD 7 11\n2/2 JPY 1 5\n2/2 USD 2 900\n");
    free(fees);
}

/* The same bytes once more. */
static void closing_again_changes_nothing(void **state)
{
    struct world *world = *state;
    char *kept = world_kept(world), *files = world_files(world);
    static const char *const again[] = { "2017-02-22", "2017-W06", "2017-02-01--2017-02-15", "2017-02" };

    for (size_t i = 0; i < COUNT(again); i++)
        close_one(world, again[i]);
    char *kept_after = world_kept(world), *files_after = world_files(world);
    assert_string_equal(kept, kept_after);
    assert_string_equal(files, files_after);
    free(kept);
    free(files);
    free(kept_after);
    free(files_after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_in_one_period),       cmocka_unit_test(a_version_begins_where_periods_do),
        cmocka_unit_test(wrong_ends_are_refused),        cmocka_unit_test(a_release_counts_the_contracts_periods),
        cmocka_unit_test(what_is_due_is_told),           cmocka_unit_test(every_entry_is_in_one_statement),
        cmocka_unit_test(closing_again_changes_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
