/* A month and the files of its parties, some of them wrong: what differs is found, in exactly one class, and stays
 * found. */
#include "settled_world.h"

#include "recon.h"
#include "recon_break_store.h"
#include "store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* How the bank's own books write the month down: one row an entry. */
#define BOOKS                                                                                                          \
    "SELECT redemption_id || '.' || left(member_id::text, 4) || ',' || business_date || ',' || abs(gross_minor) || "   \
    "',' || currency || ',' || points || ',' || CASE kind WHEN 4 THEN 'CONFIRM' ELSE 'REVERSE' END FROM journal "      \
    "WHERE kind IN (4, 8) AND bank_no = 1 AND to_char(business_date, 'YYYY-MM') = '%s' ORDER BY ref"
#define HEADER "key,date,amount_minor,currency,points,state\n"

#define CHECKER "python3 %s/tests/settlement/recheck_recon.py"

enum { LINES = 4000, LINE = 128 };

struct file {
    char lines[LINES][LINE];
    size_t count;
};

static struct file clean; /* of bank-a for the month */
static struct file sent;
static struct recon_result result;
static struct error err;

/* ---- the two sides ---- */

static void take_books(struct world *world, const char *period, struct file *file)
{
    char *text = world_ask(world, BOOKS, period), *rest = text;

    file->count = 0;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;) {
        assert_true(file->count < LINES);
        snprintf(file->lines[file->count++], LINE, "%s", line);
    }
    free(text);
}

static void write_lines(struct world *world, const struct file *file, char path[128])
{
    snprintf(path, 128, "%s/theirs.csv", world->dir);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(HEADER, out);
    for (size_t i = 0; i < file->count; i++)
        fprintf(out, "%s\n", file->lines[i]);
    assert_int_equal(fclose(out), 0);
}

static struct recon_order order_of(const char *path, const struct period *period)
{
    return (struct recon_order){ .programme_id = "demo",
                                 .period = period,
                                 .side = RECON_BANK,
                                 .party_id = "bank-a",
                                 .read = recon_read_csv,
                                 .format = "csv",
                                 .file = { .path = path, .max_mb = 64 } };
}

static enum reason run_order(struct world *world, const struct recon_order *order)
{
    struct db *db;

    err = (struct error){ 0 };
    assert_true(db_open(world->conninfo, &db, &err));
    bool done = reconcile(db, order, &result, &err);
    db_close(db);
    return done ? REASON_OK : err.reason;
}

static void send_file(struct world *world, const struct file *file, const char *month, const struct recon_rules *rules)
{
    struct period period;
    char path[128];

    assert_true(period_parse(month, &period));
    write_lines(world, file, path);
    struct recon_order order = order_of(path, &period);
    if (rules)
        order.rules = *rules;
    if (run_order(world, &order) != REASON_OK)
        fail_msg("%s", error_text(&err));
}

/* Records by class, ours and theirs, from MATCHED on. */
static void expect(const int64_t ours[RECON_CLASS_COUNT - 1], const int64_t theirs[RECON_CLASS_COUNT - 1])
{
    for (int i = 1; i < RECON_CLASS_COUNT; i++) {
        if (result.ours[i] != ours[i - 1] || result.theirs[i] != theirs[i - 1])
            fail_msg("%s: %lld of ours and %lld of theirs, expected %lld and %lld", recon_class_name(i),
                     (long long)result.ours[i], (long long)result.theirs[i], (long long)ours[i - 1],
                     (long long)theirs[i - 1]);
    }
}

/* Reversals belong to the redemption they reverse, where the member has one before. */
static void make_month(struct world *world)
{
    world_put_random(world, "2017-02", 3000, 5);
    world_do(world,
             "UPDATE journal r SET redemption_id = c.redemption_id FROM journal c WHERE r.kind = 8 AND c.kind = 4 AND "
             "c.member_id = r.member_id AND c.bank_no = r.bank_no AND c.seq = (SELECT max(seq) FROM journal x WHERE "
             "x.member_id = r.member_id AND x.bank_no = r.bank_no AND x.kind = 4 AND x.seq < r.seq)");
    world_do(world, "UPDATE fence SET business_date = '2017-02-01'");
    assert_int_equal(world_close_until(world, "2017-02-28", &err), REASON_OK);
}

static struct world shared;

static int set_up_month(void **state)
{
    world_make(&shared);
    make_month(&shared);
    take_books(&shared, "2017-02", &clean);
    assert_true(clean.count > 500);
    *state = &shared;
    return 0;
}

static int tear_down_month(void **state)
{
    (void)state;
    world_drop(&shared);
    return 0;
}

static int forget(void **state)
{
    world_do(*state, "DELETE FROM recon_break; DELETE FROM recon_run");
    sent = clean;
    return 0;
}

/* ---- one thing wrong ---- */

static void a_clean_file_has_no_breaks(void **state)
{
    struct world *world = *state;
    int64_t n = (int64_t)clean.count;

    send_file(world, &clean, "2017-02", NULL);
    expect((int64_t[]){ n, 0, 0, 0, 0, 0, 0, 0 }, (int64_t[]){ n, 0, 0, 0, 0, 0, 0, 0 });
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break"), 0);
    assert_true(
        world_number(world, "SELECT count(*) - count(DISTINCT redemption_id) FROM journal WHERE kind IN (4, 8)") > 50);
}

/* The n-th field of a line; the text is given back with its end. */
static char *field_of(char *line, int n)
{
    while (n-- > 0)
        line = strchr(line, ',') + 1;
    return line;
}

static void set_field(char *line, int n, const char *value)
{
    char *at = field_of(line, n), rest[LINE];

    snprintf(rest, sizeof rest, "%s", at + strcspn(at, ","));
    snprintf(at, (size_t)(LINE - (at - line)), "%.40s%.80s", value, rest);
}

static void drop(struct file *file, size_t i)
{
    memmove(file->lines[i], file->lines[i + 1], (--file->count - i) * LINE);
}

static void repeat(struct file *file, size_t i)
{
    memcpy(file->lines[file->count++], file->lines[i], LINE);
}

static void one_more(struct file *file, size_t i)
{
    char amount[32];

    snprintf(amount, sizeof amount, "%lld", atoll(field_of(file->lines[i], 2)) + 1);
    set_field(file->lines[i], 2, amount);
}

static void one_less(struct file *file, size_t i)
{
    char amount[32];

    snprintf(amount, sizeof amount, "%lld", atoll(field_of(file->lines[i], 2)) - 1);
    set_field(file->lines[i], 2, amount);
}

static void shift(struct file *file, size_t i, int days)
{
    char day[DATE_TEXT];
    struct date date;

    snprintf(day, sizeof day, "%.10s", field_of(file->lines[i], 1));
    assert_true(date_parse(day, &date));
    date.days += days;
    date_format(date, day);
    set_field(file->lines[i], 1, day);
}

static void day_later(struct file *file, size_t i)
{
    shift(file, i, 1);
}

static void day_earlier(struct file *file, size_t i)
{
    shift(file, i, -1);
}

static void swap_state(struct file *file, size_t i)
{
    set_field(file->lines[i], 5, strcmp(field_of(file->lines[i], 5), "CONFIRM") == 0 ? "REVERSE" : "CONFIRM");
}

static void point_less(struct file *file, size_t i)
{
    char points[32];

    snprintf(points, sizeof points, "%lld", atoll(field_of(file->lines[i], 4)) - 1);
    set_field(file->lines[i], 4, points);
}

static void invent(struct file *file, size_t i)
{
    repeat(file, i);
    memcpy(file->lines[file->count - 1], "ffffffff", 8); /* the same, of a redemption that nobody has */
}

static const struct mutation {
    const char *what;
    void (*mutate)(struct file *file, size_t i);
    enum recon_class class;
    int matched, ours, theirs; /* change of what is matched; records in the class */
} mutations[] = {
    { "dropped", drop, RECON_MISSING_THERE, -1, 1, 0 },
    { "repeated", repeat, RECON_DUPLICATE, 0, 0, 1 },
    { "one more", one_more, RECON_AMOUNT, -1, 1, 1 },
    { "one less", one_less, RECON_AMOUNT, -1, 1, 1 },
    { "a day later", day_later, RECON_LATE, -1, 1, 1 },
    { "a day earlier", day_earlier, RECON_LATE, -1, 1, 1 },
    { "confirmed for reversed", swap_state, RECON_STATE, -1, 1, 1 },
    { "a point less", point_less, RECON_AMOUNT, -1, 1, 1 },
    { "invented", invent, RECON_MISSING_HERE, 0, 0, 1 },
};

/* Anywhere in the file, whatever else the redemption has: always that class, and nothing else. */
static void each_mutation_is_found_in_its_class(void **state)
{
    struct world *world = *state;

    srand(3);
    for (size_t m = 0; m < COUNT(mutations); m++) {
        for (int round = 0; round < 5; round++) {
            int64_t ours[RECON_CLASS_COUNT] = { 0 }, theirs[RECON_CLASS_COUNT] = { 0 };
            size_t i = (size_t)rand() % clean.count;
            sent = clean;
            mutations[m].mutate(&sent, i);
            send_file(world, &sent, "2017-02", NULL);
            ours[0] = theirs[0] = (int64_t)clean.count + mutations[m].matched;
            ours[mutations[m].class - 1] = mutations[m].ours;
            theirs[mutations[m].class - 1] = mutations[m].theirs;
            expect(ours, theirs);
            /* One open break, which names what it is about; those of the files before are resolved. */
            char *is = world_ask(world, "SELECT class, key = '%.41s', their_line > 0 FROM recon_break WHERE state = 1",
                                 mutations[m].mutate == invent ? sent.lines[sent.count - 1] : clean.lines[i]);
            char should[32];
            snprintf(should, sizeof should, "%d|t|%c\n", mutations[m].class, mutations[m].theirs ? 't' : 'f');
            if (strcmp(is, should) != 0)
                fail_msg("%s: %s, expected %s", mutations[m].what, is, should);
            free(is);
        }
    }
}

/* The same month as a bank sends it: without points, and what belongs to one account together. */
static void send_as(struct world *world, const char *format, const struct file *file)
{
    struct period period;
    char path[128], theirs[160], command[512];

    assert_true(period_parse("2017-02", &period));
    write_lines(world, file, path);
    snprintf(theirs, sizeof theirs, "%s.%s", path, format);
    snprintf(command, sizeof command, "python3 " SOURCE_DIR "/tests/settlement/write_recon.py %s %s %s", format, path,
             theirs);
    assert_int_equal(system(command), 0);
    struct recon_order order = order_of(theirs, &period);
    order.read = recon_reader_named(format);
    order.format = format;
    if (run_order(world, &order) != REASON_OK)
        fail_msg("%s: %s", format, error_text(&err));
}

static void each_mutation_is_found_in_each_format(void **state)
{
    static const char *const formats[] = { "mt940", "bai2", "camt053" };
    struct world *world = *state;
    int64_t n = (int64_t)clean.count;

    srand(4);
    for (size_t f = 0; f < COUNT(formats); f++) {
        forget(state);
        send_as(world, formats[f], &clean);
        expect((int64_t[]){ n, 0, 0, 0, 0, 0, 0, 0 }, (int64_t[]){ n, 0, 0, 0, 0, 0, 0, 0 });
        for (size_t m = 0; m < COUNT(mutations); m++) {
            int64_t ours[RECON_CLASS_COUNT] = { n + mutations[m].matched }, theirs[RECON_CLASS_COUNT] = { ours[0] };
            if (mutations[m].mutate == point_less)
                continue;
            sent = clean;
            mutations[m].mutate(&sent, (size_t)rand() % clean.count);
            send_as(world, formats[f], &sent);
            ours[mutations[m].class - 1] = mutations[m].ours;
            theirs[mutations[m].class - 1] = mutations[m].theirs;
            expect(ours, theirs);
            assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE state = 1"), 1);
        }
    }
}

static void all_of_them_at_once(void **state)
{
    struct world *world = *state;
    int64_t n = (int64_t)clean.count;

    /* Lines of different redemptions, from the end on, so that what is dropped moves nothing. */
    size_t at[COUNT(mutations)];
    for (size_t m = 0; m < COUNT(mutations); m++)
        at[m] = clean.count - 1 - 40 * m;
    for (size_t m = 1; m < COUNT(mutations); m++)
        mutations[m].mutate(&sent, at[m]);
    mutations[0].mutate(&sent, at[0]);
    send_file(world, &sent, "2017-02", NULL);
    expect((int64_t[]){ n - 7, 0, 2, 3, 1, 0, 0, 1 }, (int64_t[]){ n - 7, 0, 2, 3, 1, 1, 1, 0 });
    assert_int_equal(result.breaks, 9);
}

static void a_tolerance_takes_roundings(void **state)
{
    struct world *world = *state;
    int64_t n = (int64_t)clean.count;

    one_more(&sent, 5);
    one_less(&sent, 100);
    send_file(world, &sent, "2017-02", &(struct recon_rules){ .tolerance_minor = 1 });
    expect((int64_t[]){ n - 2, 2, 0, 0, 0, 0, 0, 0 }, (int64_t[]){ n - 2, 2, 0, 0, 0, 0, 0, 0 });
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE state = 6 AND class = 2"), 2);
}

static void nothing_of_theirs_is_everything_missing(void **state)
{
    int64_t n = (int64_t)clean.count;

    sent.count = 0;
    send_file(*state, &sent, "2017-02", NULL);
    expect((int64_t[]){ 0, 0, 0, 0, 0, 0, 0, n }, (int64_t[]){ 0, 0, 0, 0, 0, 0, 0, 0 });
}

/* ---- the same again ---- */

static void the_same_file_twice_changes_nothing(void **state)
{
    struct world *world = *state;

    drop(&sent, 7);
    one_more(&sent, 9);
    send_file(world, &sent, "2017-02", NULL);
    assert_false(result.already);
    char *before = world_ask(world, "SELECT * FROM recon_break ORDER BY 1"),
         *runs = world_ask(world, "SELECT * FROM recon_run");
    struct recon_result first = result;
    send_file(world, &sent, "2017-02", NULL);
    assert_true(result.already);
    assert_int_equal(result.run_no, first.run_no);
    assert_memory_equal(result.ours, first.ours, sizeof first.ours);
    char *after = world_ask(world, "SELECT * FROM recon_break ORDER BY 1"),
         *again = world_ask(world, "SELECT * FROM recon_run");
    assert_string_equal(after, before);
    assert_string_equal(again, runs);
    free(before);
    free(runs);
    free(after);
    free(again);
}

static void a_corrected_file_resolves_what_it_corrects(void **state)
{
    struct world *world = *state;

    drop(&sent, 7);
    one_more(&sent, 9);
    send_file(world, &sent, "2017-02", NULL);
    int64_t kept = world_number(world, "SELECT break_no FROM recon_break WHERE class = 4");
    sent = clean;
    one_more(&sent, 10); /* the same record, which stands a line further down now */
    send_file(world, &sent, "2017-02", NULL);
    char *is = world_ask(world, "SELECT class, state FROM recon_break ORDER BY class");
    assert_string_equal(is, "4|1\n8|5\n");
    free(is);
    assert_int_equal(world_number(world, "SELECT break_no FROM recon_break WHERE class = 4 AND their_line = 12"), kept);
    send_file(world, &clean, "2017-02", NULL);
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE state = 5"), 2);
    sent = clean;
    drop(&sent, 7);
    send_file(world, &sent, "2017-02", NULL); /* and wrong again: the same break is open again */
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE state = 1"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break"), 2);
}

static void a_refused_file_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct period period;
    char path[128];

    snprintf(sent.lines[50], LINE, "%s", "x,2017-02-30,1,USD,,");
    assert_true(period_parse("2017-02", &period));
    write_lines(world, &sent, path);
    struct recon_order order = order_of(path, &period);
    assert_int_equal(run_order(world, &order), REASON_FIELD_INVALID);
    assert_non_null(strstr(error_text(&err), "theirs.csv:52: date (column 2)"));
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_run"), 0);
    assert_true(period_parse("2017-03", &period));
    assert_int_equal(run_order(world, &order), REASON_DAY_NOT_SEALED);
    order.party_id = "bank-z";
    assert_true(period_parse("2017-02", &period));
    assert_int_equal(run_order(world, &order), REASON_BANK_NOT_FOUND);
}

static void two_at_once_do_not_mix(void **state)
{
    struct world *world = *state;
    struct period period;
    char path[128];

    assert_true(period_parse("2017-02", &period));
    write_lines(world, &sent, path);
    struct recon_order order = order_of(path, &period);
    world_do(world, "BEGIN; SELECT pg_advisory_xact_lock(7300418, hashint8(1 * 4 + 1))");
    assert_int_equal(run_order(world, &order), REASON_CLOSE_RUNNING);
    world_do(world, "ROLLBACK");
    assert_int_equal(run_order(world, &order), REASON_OK);
}

/* ---- somebody else's reckoning ---- */

static bool says(char said[512], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs the checker, which shares no code with ours. */
static bool says(char said[512], const char *format, ...)
{
    char command[TEST_CONNINFO + 512];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    size_t n = fread(said, 1, 511, in);
    said[n] = '\0';
    return pclose(in) == 0;
}

static void a_random_month_is_classed_the_same_by_others(void **state)
{
    static const struct {
        const char *party, *key;
        enum recon_side side;
        const char *id;
        int seed;
        struct recon_rules rules;
    } files[] = {
        { "bank:1", "redemption", RECON_BANK, "bank-a", 1, { 0, 0 } },
        { "bank:2", "redemption", RECON_BANK, "bank-b", 2, { 1, 1 } },
        { "merchant:1", "request", RECON_MERCHANT, "shop-1", 3, { 0, 2 } },
        { "merchant:2", "redemption", RECON_MERCHANT, "shop-2", 4, { 100, 0 } },
        { "bank:1", "request", RECON_BANK, "bank-a", 0, { 0, 0 } },
    };
    struct world *world = *state;
    struct period period;
    char path[128], said[512], check[TEST_CONNINFO + 512];

    assert_true(period_parse("2017-02", &period));
    snprintf(path, sizeof path, "%s/random.csv", world->dir);
    for (size_t i = 0; i < COUNT(files); i++) {
        struct recon_order order = order_of(path, &period);
        order.side = files[i].side;
        order.party_id = files[i].id;
        order.rules = files[i].rules;
        snprintf(check, sizeof check, CHECKER " check '%s' %s 2017-02 %s %lld %d 2>&1", SOURCE_DIR, world->conninfo,
                 files[i].party, path, (long long)files[i].rules.tolerance_minor, files[i].rules.days);
        if (!says(said, CHECKER " write '%s' %s 2017-02 %s %d %s 2>&1", SOURCE_DIR, world->conninfo, files[i].party,
                  files[i].key, files[i].seed, path))
            fail_msg("%s", said);
        if (run_order(world, &order) != REASON_OK)
            fail_msg("%s", error_text(&err));
        if (!says(said, "%s", check))
            fail_msg("%s", said);
        assert_true(files[i].seed == 0 ? result.breaks == 0 : result.breaks > 50);
    }
}

/* The checker must be able to say no. */
static void the_checker_sees_another_class(void **state)
{
    struct world *world = *state;
    struct period period;
    char path[128], said[512], check[TEST_CONNINFO + 512];

    assert_true(period_parse("2017-02", &period));
    snprintf(path, sizeof path, "%s/random.csv", world->dir);
    struct recon_order order = order_of(path, &period);
    snprintf(check, sizeof check, CHECKER " check '%s' bank:1 2017-02 %s 0 0 2>&1", SOURCE_DIR, world->conninfo, path);
    assert_true(
        says(said, CHECKER " write '%s' bank:1 2017-02 redemption 9 %s 2>&1", SOURCE_DIR, world->conninfo, path));
    assert_int_equal(run_order(world, &order), REASON_OK);
    assert_true(says(said, "%s", check));
    world_do(
        world,
        "UPDATE recon_break SET class = 3 WHERE break_no = (SELECT min(break_no) FROM recon_break WHERE class = 4)");
    assert_false(says(said, "%s", check));
    world_do(world, "UPDATE recon_run SET their_counts[2] = their_counts[2] + 1");
    assert_false(says(said, "%s", check));
}

/* ---- from period to period ---- */

/* Two months; the last entry of the first is in the bank's file of the second. */
static int set_up_two_months(void **state)
{
    static struct world world;
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-30", NULL, 4, 100, 1, 1, 1, NULL, 100, 3 },
        { 0, 1, 2, "2017-01-31", "2017-01-31 15:59:59Z", 4, 70, 1, 1, 1, NULL, 70, 2 },
        { 0, 1, 3, "2017-02-05", NULL, 8, 30, 1, 1, 1, NULL, -30, -1 },
        { 1, 2, 1, "2017-02-06", NULL, 4, 55, 1, 2, 2, NULL, 55, 1 },
        { 1, 2, 2, "2017-02-06", NULL, 4, 45, 1, 2, 2, NULL, 45, 1 },
        { 0, 1, 4, "2017-02-06", NULL, 8, 10, 1, 1, 1, NULL, -10, -1 },
        { 2, 3, 1, "2017-02-07", NULL, 4, 20, 1, 2, 2, NULL, 20, 1 },
        { 2, 3, 2, "2017-02-07", NULL, 4, 20, 1, 1, 1, NULL, 20, 1 },
        { 2, 3, 3, "2017-02-07", NULL, 4, 9, 1, 1, 1, NULL, 9, 1 },
    };

    world_make(&world);
    world_put(&world, entries, COUNT(entries));
    assert_int_equal(world_close_until(&world, "2017-02-28", &err), REASON_OK);
    *state = &world;
    return 0;
}

static int tear_down_two_months(void **state)
{
    world_drop(*state);
    return 0;
}

static const struct recon_rules strict;

static void what_one_period_misses_the_next_one_may_have(void **state)
{
    struct world *world = *state;
    struct file january, february;

    take_books(world, "2017-01", &january);
    take_books(world, "2017-02", &february);
    for (size_t i = 0; i < january.count; i++) {
        if (strstr(january.lines[i], "2017-01-31")) {
            memcpy(february.lines[february.count++], january.lines[i], LINE);
            drop(&january, i);
        }
    }
    send_file(world, &january, "2017-01", &strict);
    assert_int_equal(result.ours[RECON_MISSING_THERE], 1);
    send_file(world, &february, "2017-02", &strict);
    assert_int_equal(result.theirs[RECON_MISSING_HERE], 1);
    assert_int_equal(result.paired, 2);
    char *is = world_ask(world, "SELECT b.class, b.state, p.class, b.retries FROM recon_break b JOIN recon_break p ON "
                                "p.break_no = b.pair_break_no ORDER BY b.class");
    assert_string_equal(is, "7|5|8|0\n8|5|7|0\n");
    free(is);
    /* The same claim in a corrected file is the same; and once more in it is one too many. */
    repeat(&february, february.count - 1);
    send_file(world, &february, "2017-02", &strict);
    assert_int_equal(result.theirs[RECON_MISSING_HERE], 1);
    assert_int_equal(result.theirs[RECON_DUPLICATE], 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE state = 5"), 2);
}

static void what_was_matched_in_one_period_is_a_duplicate_in_another(void **state)
{
    struct world *world = *state;
    struct file january, february;

    take_books(world, "2017-01", &january);
    take_books(world, "2017-02", &february);
    send_file(world, &january, "2017-01", &strict);
    memcpy(february.lines[february.count++], january.lines[0], LINE);
    send_file(world, &february, "2017-02", &strict);
    assert_int_equal(result.theirs[RECON_DUPLICATE], 1);
    assert_int_equal(result.theirs[RECON_MISSING_HERE], 0);
}

static void a_break_is_disputable_after_the_next_period(void **state)
{
    struct world *world = *state;
    struct file january, february;

    take_books(world, "2017-01", &january);
    take_books(world, "2017-02", &february);
    drop(&january, 0);
    shift(&january, 0, 1);
    send_file(world, &january, "2017-01", &strict);
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE state = 1"), 2);
    send_file(world, &february, "2017-02", &strict);
    char *is = world_ask(world, "SELECT class, state, retries FROM recon_break ORDER BY class");
    assert_string_equal(is, "3|1|1\n8|2|1\n"); /* what only its day differs in is nothing to dispute */
    free(is);
    drop(&february, 0);
    send_file(world, &february, "2017-02", &strict); /* another file of the same period is no later period */
    assert_int_equal(world_number(world, "SELECT max(retries) FROM recon_break"), 1);
}

/* ---- several of ours to one of theirs ---- */

static void add_line(struct file *file, const char *line)
{
    snprintf(file->lines[file->count++], LINE, "%s", line);
}

static void totals_of_days_are_taken_apart(void **state)
{
    struct world *world = *state;
    struct file file = { .count = 0 };

    add_line(&file, "TOTAL-05,2017-02-05,30,USD,,REVERSE");
    add_line(&file, "TOTAL-06,2017-02-06,100,USD,,CONFIRM"); /* the whole day */
    add_line(&file, ",2017-02-07,29,USD,,CONFIRM");          /* 20 and 9: but which 20? */
    add_line(&file, ",2017-02-07,9,USD,,CONFIRM");           /* there is one only */
    send_file(world, &file, "2017-02", &strict);
    expect((int64_t[]){ 4, 0, 0, 0, 0, 0, 0, 3 }, (int64_t[]){ 3, 0, 0, 0, 0, 0, 1, 0 });
    /* With the merchant said, which 20 is known. */
    struct period period;
    char path[128];
    assert_true(period_parse("2017-02", &period));
    snprintf(path, sizeof path, "%s/totals.csv", world->dir);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("key,date,amount_minor,currency,party\n,2017-02-07,29,USD,shop-1\n,2017-02-08,20,USD,shop-2\n", out);
    assert_int_equal(fclose(out), 0);
    struct recon_order order = order_of(path, &period);
    order.rules.days = 1;
    assert_int_equal(run_order(world, &order), REASON_OK);
    assert_int_equal(result.theirs[RECON_MATCHED], 2);
    assert_int_equal(result.ours[RECON_MATCHED], 3);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs("key,date,amount_minor,currency,party\n,2017-02-07,29,USD,shop-9\n", out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(run_order(world, &order), REASON_FIELD_INVALID);
    assert_non_null(strstr(error_text(&err), "totals.csv:2: party is none"));
}

/* A line becomes two that add up to it, the second at the end of the file, some days later. */
static void split_line(struct file *file, size_t i, int days)
{
    int64_t amount = atoll(field_of(file->lines[i], 2)), points = atoll(field_of(file->lines[i], 4));
    char text[32];

    repeat(file, i);
    for (int part = 0; part < 2; part++) {
        char *line = file->lines[part ? file->count - 1 : i];
        snprintf(text, sizeof text, "%lld", (long long)(part ? amount - amount / 3 : amount / 3));
        set_field(line, 2, text);
        snprintf(text, sizeof text, "%lld", (long long)(part ? points - points / 3 : points / 3));
        set_field(line, 4, text);
    }
    shift(file, file->count - 1, days);
}

/* ---- several of theirs for one of ours ---- */

static void what_is_paid_in_parts_is_one(void **state)
{
    struct world *world = *state;
    int64_t n = (int64_t)clean.count, splits = 0;

    for (size_t i = 0; i < clean.count; i += 61) {
        if (atoll(field_of(sent.lines[i], 2)) < 3)
            continue;
        split_line(&sent, i, 0);
        splits++;
    }
    assert_true(splits > 5);
    send_file(world, &sent, "2017-02", NULL);
    expect((int64_t[]){ n, 0, 0, 0, 0, 0, 0, 0 }, (int64_t[]){ n + splits, 0, 0, 0, 0, 0, 0, 0 });
    assert_int_equal(result.breaks, 0);
    /* A part on another day: late, both of them, and no money differs. */
    sent = clean;
    split_line(&sent, 5, 1);
    send_file(world, &sent, "2017-02", NULL);
    expect((int64_t[]){ n - 1, 0, 1, 0, 0, 0, 0, 0 }, (int64_t[]){ n - 1, 0, 2, 0, 0, 0, 0, 0 });
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE class = 3 AND our_minor = their_minor "
                                         "AND our_minor > 0"),
                     2);
    /* One minor unit short: two lines, and none of them is a part. */
    sent = clean;
    split_line(&sent, 5, 0);
    one_less(&sent, sent.count - 1);
    send_file(world, &sent, "2017-02", NULL);
    expect((int64_t[]){ n - 1, 0, 0, 1, 0, 0, 0, 0 }, (int64_t[]){ n - 1, 0, 0, 1, 0, 1, 0, 0 });
}

static void a_day_may_be_settled_net(void **state)
{
    struct world *world = *state;
    struct file file = { .count = 0 };

    add_line(&file, "N,2017-02-06,90,USD,,CONFIRM"); /* 55 and 45, less 10 reversed */
    add_line(&file, "N,2017-02-06,90,USD,,CONFIRM"); /* the same again */
    add_line(&file, "M,2017-02-07,48,USD,,CONFIRM"); /* one less than there is */
    send_file(world, &file, "2017-02", &strict);
    expect((int64_t[]){ 3, 0, 0, 0, 0, 0, 0, 4 }, (int64_t[]){ 1, 0, 0, 0, 0, 1, 1, 0 });
}

/* ---- keys ---- */

static void a_request_names_an_entry_and_so_does_a_bare_uuid(void **state)
{
    struct world *world = *state;
    struct file file = { .count = 0 };
    char *text = world_ask(
        world, "SELECT ref || ',2017-02-06,55,USD,,CONFIRM' FROM journal WHERE gross_minor = 55 UNION ALL "
               "SELECT upper(replace(ref::text, '-', '')) || ',2017-02-06,45,USD,,CONFIRM' FROM journal WHERE "
               "gross_minor = 45 UNION ALL SELECT redemption_id || ',2017-02-07,9,USD,,CONFIRM' FROM journal "
               "WHERE gross_minor = 9 UNION ALL SELECT gen_random_uuid() || ',2017-02-07,9,USD,,CONFIRM'");
    char *rest = text;

    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;)
        add_line(&file, line);
    send_file(world, &file, "2017-02", &strict);
    expect((int64_t[]){ 3, 0, 0, 0, 0, 0, 0, 4 }, (int64_t[]){ 3, 0, 0, 0, 0, 0, 1, 0 });
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_clean_file_has_no_breaks, forget),
        cmocka_unit_test_setup(each_mutation_is_found_in_its_class, forget),
        cmocka_unit_test_setup(each_mutation_is_found_in_each_format, forget),
        cmocka_unit_test_setup(all_of_them_at_once, forget),
        cmocka_unit_test_setup(a_tolerance_takes_roundings, forget),
        cmocka_unit_test_setup(nothing_of_theirs_is_everything_missing, forget),
        cmocka_unit_test_setup(the_same_file_twice_changes_nothing, forget),
        cmocka_unit_test_setup(what_is_paid_in_parts_is_one, forget),
        cmocka_unit_test_setup(a_corrected_file_resolves_what_it_corrects, forget),
        cmocka_unit_test_setup(a_refused_file_leaves_nothing, forget),
        cmocka_unit_test_setup(two_at_once_do_not_mix, forget),
        cmocka_unit_test_setup(a_random_month_is_classed_the_same_by_others, forget),
        cmocka_unit_test_setup(the_checker_sees_another_class, forget),
    };

    const struct CMUnitTest small[] = {
#define SMALL(story) cmocka_unit_test_setup_teardown(story, set_up_two_months, tear_down_two_months)
        SMALL(what_one_period_misses_the_next_one_may_have),
        SMALL(what_was_matched_in_one_period_is_a_duplicate_in_another),
        SMALL(a_break_is_disputable_after_the_next_period),
        SMALL(totals_of_days_are_taken_apart),
        SMALL(a_day_may_be_settled_net),
        SMALL(a_request_names_an_entry_and_so_does_a_bare_uuid),
#undef SMALL
    };
    int failed = cmocka_run_group_tests(tests, set_up_month, tear_down_month);

    return failed + cmocka_run_group_tests(small, NULL, NULL);
}
