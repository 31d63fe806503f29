/* A break that the next period's file does not explain becomes a dispute: of the right line, for the right party, once.
 */
#include "settled_world.h"

#include "recon.h"
#include "recon_dispute.h"
#include "store/dispute_store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* January of bank-a with shop-1, one entry a day; what the day's line of the file says instead of it. */
static const struct mutation {
    const char *story, *file; /* file: its lines of the day, %s the key; "" leaves them out */
    int kind, gross;
    enum reason reason;  /* why it cannot be contested */
    const char *dispute; /* opener, line, amount; or a word of the refusal */
} mutations[] = {
    { "the bank has less", "%s,2017-01-01,900,USD,,CONFIRM\n", 4, 1000, REASON_OK, "1|1|100" },
    { "the bank has nothing", "", 4, 400, REASON_OK, "1|2|400" },
    { "the bank lacks a reversal: it owes more", "", 8, -100, REASON_OK, "2|3|100" },
    { "the bank has more", "%s,2017-01-04,60,USD,,CONFIRM\n", 4, 50, REASON_OK, "2|4|10" },
    { "reversed, the bank says: the line", "%s,2017-01-05,70,USD,,REVERSE\n", 4, 70, REASON_OK, "1|5|70" },
    { "the bank has it twice", "%s,2017-01-06,30,USD,,CONFIRM\n%s,2017-01-06,30,USD,,CONFIRM\n", 4, 30, REASON_OK,
      "2|6|30" },
    { "the bank has a reversal of it, too", "%s,2017-01-07,80,USD,,CONFIRM\n%s,2017-01-07,20,USD,,REVERSE\n", 4, 80,
      REASON_OK, "1|7|20" },
    { "confirmed, the bank says", "%s,2017-01-08,15,USD,,CONFIRM\n", 8, -15, REASON_OK, "2|8|15" },
    { "three times as much", "%s,2017-01-09,60,USD,,CONFIRM\n", 4, 20, REASON_BEYOND_LINE, "" },
    { "other points", "%s,2017-01-10,20,USD,7,CONFIRM\n", 4, 20, REASON_FIELD_INVALID, "no difference" },
    { "a day later", "%s,2017-01-12,20,USD,,CONFIRM\n", 4, 20, REASON_FIELD_INVALID, "only its day" },
    { "in another currency", "%s,2017-01-12,20,EUR,,CONFIRM\n", 4, 20, REASON_FIELD_INVALID, "in one currency" },
    { "nobody's", "%s,2017-01-13,20,USD,,CONFIRM\nffffffff-0000-4000-8000-000000000000,2017-01-13,9,USD,,CONFIRM\n", 4,
      20, REASON_FIELD_INVALID, "nobody here knows" },
    { "no redemption", "%s,2017-01-14,20,USD,,CONFIRM\nINVOICE-7,2017-01-14,9,USD,,CONFIRM\n", 4, 20,
      REASON_FIELD_INVALID, "names no redemption" },
    /* What was reversed is the bank's again: what more there is to it is no part of that line. */
    { "more of a reversal", "%s,2017-01-15,40,USD,,REVERSE\n", 8, -30, REASON_FIELD_INVALID, "is a reversal" },
    { "a reversal twice", "%s,2017-01-16,30,USD,,REVERSE\n%s,2017-01-16,30,USD,,REVERSE\n", 8, -30,
      REASON_FIELD_INVALID, "is a reversal" },
    { "less of a reversal", "%s,2017-01-17,20,USD,,REVERSE\n", 8, -30, REASON_OK, "2|17|10" },
};

static struct error err;

static void put_month(struct world *world)
{
    for (size_t i = 0; i < COUNT(mutations); i++) {
        char day[DATE_TEXT];
        snprintf(day, sizeof day, "2017-01-%02d", (int)i + 1);
        const struct world_entry entry = { (int)i % 4, (int)i + 1,         1, day, NULL, mutations[i].kind, 5, 1, 1, 1,
                                           NULL,       mutations[i].gross, 0 };
        world_put(world, &entry, 1);
    }
}

static char *key_of(struct world *world, size_t i)
{
    char *key = world_ask(world,
                          "SELECT redemption_id || '.' || left(member_id::text, 4) FROM journal WHERE "
                          "business_date = '2017-01-%02d'",
                          (int)i + 1);

    key[strcspn(key, "\n")] = '\0';
    return key;
}

static void send_file(struct world *world, const char *month, const char *lines)
{
    struct recon_result result;
    struct period period;
    char path[128];
    struct db *db;

    snprintf(path, sizeof path, "%s/%s.csv", world->dir, month);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "key,date,amount_minor,currency,points,state\n%s", lines);
    assert_int_equal(fclose(out), 0);
    assert_true(period_parse(month, &period));
    const struct recon_order order = { .programme_id = "demo",
                                       .period = &period,
                                       .side = RECON_BANK,
                                       .party_id = "bank-a",
                                       .read = recon_read_csv,
                                       .format = "csv",
                                       .file = { .path = path, .max_mb = 64 } };
    assert_true(db_open(world->conninfo, &db, &err));
    if (!reconcile(db, &order, &result, &err))
        fail_msg("%s", error_text(&err));
    db_close(db);
}

static void send_january(struct world *world)
{
    char lines[8192] = "";
    size_t at = 0;

    for (size_t i = 0; i < COUNT(mutations); i++) {
        char *key = key_of(world, i);
        for (const char *rest = mutations[i].file; *rest; rest = strchr(rest, '\n') + 1) {
            char line[256];
            snprintf(line, sizeof line, "%.*s\n", (int)strcspn(rest, "\n"), rest);
            at += (size_t)snprintf(lines + at, sizeof lines - at, "%s%s", *line == '%' ? key : "",
                                   *line == '%' ? line + 2 : line);
        }
        free(key);
    }
    send_file(world, "2017-01", lines);
}

static void issue(struct world *world)
{
    world_do(world,
             "UPDATE settlement_period SET state = 3, approver = 'b', signature_sha256 = sha256('s'), issued_on = "
             "'2017-02-01' WHERE period = '2017-01'");
}

/* January settled and issued, its file compared; not yet February's. */
static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    put_month(&world);
    world_settle(&world, "2017-01-31", "2017-01");
    world_do(&world,
             "INSERT INTO settlement_period (programme_no, period, first_day, last_day, maker, manifest_sha256, "
             "statement_count, calculated_at) VALUES (1, '2017-01', '2017-01-01', '2017-01-31', 'a', "
             "sha256('m'), 3, now()) ON CONFLICT DO NOTHING");
    send_january(&world);
    *state = &world;
    return 0;
}

static void february(struct world *world)
{
    assert_int_equal(world_close_until(world, "2017-02-28", &err), REASON_OK);
    send_file(world, "2017-02", "");
}

static int set_up_disputable(void **state)
{
    set_up(state);
    issue(*state);
    february(*state);
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

/* The dispute's number; 0 and why not in err. */
static int64_t contest(struct world *world, int64_t break_no, const char *by)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct dispute_row row = { 0 };
    struct db *db;

    err = (struct error){ 0 };
    assert_true(db_open(world->conninfo, &db, &err));
    bool done = recon_dispute(db, 1, break_no, by, &arena, &row, &err);
    db_close(db);
    return done ? row.dispute_no : 0;
}

/* The break of a mutation: the only one, or where the line that agrees has none. */
static int64_t break_of(struct world *world, size_t i)
{
    char *key = key_of(world, i);
    int64_t number =
        world_number(world,
                     "SELECT break_no FROM recon_break WHERE period = '2017-01' AND (key = '%s' OR (%d = %d AND "
                     "key LIKE 'ffffffff%%') OR (%d = %d AND key = 'INVOICE-7'))",
                     key, (int)i, 12, (int)i, 13);

    free(key);
    return number;
}

static void each_class_has_its_line_and_its_opener(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(mutations); i++) {
        const struct mutation *m = &mutations[i];
        int64_t break_no = break_of(world, i), dispute_no = contest(world, break_no, "ann");
        if (m->reason != REASON_OK) {
            if (dispute_no > 0 || err.reason != m->reason || !strstr(err.detail, m->dispute))
                fail_msg("%s: dispute %lld, %s", m->story, (long long)dispute_no, error_text(&err));
            assert_int_equal(world_number(world, "SELECT dispute_no + state / 7 FROM recon_break WHERE break_no = %lld",
                                          (long long)break_no),
                             0);
            continue;
        }
        if (dispute_no == 0)
            fail_msg("%s: %s", m->story, error_text(&err));
        char *is = world_ask(world,
                             "SELECT d.opener, d.line_number, d.amount_minor FROM dispute d JOIN recon_break b USING "
                             "(break_no) JOIN recon_run r ON r.run_no = b.run_no WHERE d.dispute_no = %lld AND "
                             "b.dispute_no = %lld AND b.break_no = %lld AND b.state = 7 AND d.opened_by = 'ann' AND "
                             "d.statement_id = 'demo/2017-01/PAIR/bank-a/shop-1/USD' AND d.line_minor = %d AND "
                             "d.evidence_sha256 = r.file_sha256 AND d.evidence LIKE 'reconciliation break %lld (%%'",
                             (long long)dispute_no, (long long)dispute_no, (long long)break_no, abs(m->gross),
                             (long long)break_no);
        is[strcspn(is, "\n")] = '\0';
        if (strcmp(is, m->dispute) != 0)
            fail_msg("%s: %s, expected %s", m->story, is, m->dispute);
        free(is);
        assert_int_equal(contest(world, break_no, "bob"), dispute_no); /* the same again is the same */
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM dispute"), 9);
    /* The bank's claims are kept once: of the payout, as nothing of January is paid yet, or in the next statement. */
    assert_int_equal(world_number(world, "SELECT sum(held_minor)::int8 - (SELECT "
                                         "COALESCE(sum(amount_minor), 0) FROM settlement_hold WHERE kind = 2)::int8 "
                                         "FROM dispute WHERE opener = 1"),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM recon_break WHERE state = 7 AND dispute_no > 0"), 9);
}

/* Not before the next file, not without an issued statement, not against the opener's own word. */
static void a_break_waits_for_its_time(void **state)
{
    struct world *world = *state;
    int64_t break_no = break_of(world, 0);

    assert_int_equal(contest(world, break_no, "ann"), 0);
    assert_non_null(strstr(err.detail, "next period's file"));
    february(world);
    assert_int_equal(contest(world, break_no, "ann"), 0);
    assert_int_equal(err.reason, REASON_STATEMENT_NOT_ISSUED);
    issue(world);
    world_do(world,
             "UPDATE statement SET answered_on = '2017-02-10', answered_by = 'bank-a', state = 4 WHERE type = 2");
    assert_int_equal(contest(world, break_no, "ann"), 0);
    assert_int_equal(err.reason, REASON_STATEMENT_CONFIRMED);
    world_do(world, "UPDATE statement SET answered_by = '' WHERE type = 2"); /* by silence */
    assert_int_not_equal(contest(world, break_no, "ann"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement WHERE state = 5 AND type < 4"), 3);
    assert_int_equal(contest(world, 999, "ann"), 0);
    assert_int_equal(err.reason, REASON_FIELD_INVALID);
    world_do(world, "UPDATE recon_break SET state = 3, correction_no = 1 WHERE break_no = %lld",
             (long long)break_of(world, 1));
    assert_int_equal(contest(world, break_of(world, 1), "ann"), 0);
    assert_non_null(strstr(err.detail, "CORRECTING"));
}

struct racer {
    struct world *world;
    int64_t break_no, dispute_no;
};

static void *race(void *owner)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct racer *racer = owner;
    struct dispute_row row = { 0 };
    struct error mine = { 0 };
    struct db *db;

    if (!db_open(racer->world->conninfo, &db, &mine))
        return NULL;
    if (recon_dispute(db, 1, racer->break_no, "ann", &arena, &row, &mine))
        racer->dispute_no = row.dispute_no;
    db_close(db);
    return NULL;
}

static void two_at_once_open_one(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < 8; i++) {
        struct racer racers[4];
        pthread_t threads[COUNT(racers)];
        for (size_t r = 0; r < COUNT(racers); r++) {
            racers[r] = (struct racer){ world, break_of(world, i), 0 };
            assert_int_equal(pthread_create(&threads[r], NULL, race, &racers[r]), 0);
        }
        for (size_t r = 0; r < COUNT(racers); r++) {
            assert_int_equal(pthread_join(threads[r], NULL), 0);
            assert_int_not_equal(racers[r].dispute_no, 0);
            assert_int_equal(racers[r].dispute_no, racers[0].dispute_no);
        }
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM dispute"), 8);
}

/* Its last day over, the dispute expires with the day's close, and the break with it; a later file does not revive it.
 */
static void a_break_ends_as_its_dispute_does(void **state)
{
    struct world *world = *state;
    int64_t expires = break_of(world, 0), agreed = break_of(world, 1), waits = break_of(world, 2);

    assert_int_not_equal(contest(world, expires, "ann"), 0);
    assert_int_not_equal(contest(world, agreed, "ann"), 0);
    assert_int_not_equal(contest(world, waits, "ann"), 0);
    world_do(world,
             "UPDATE dispute SET state = 3, agreed_minor = 300, correction_no = 9, ended_on = '2017-03-01' WHERE "
             "break_no = %lld; UPDATE dispute SET state = 5 WHERE break_no = %lld",
             (long long)agreed, (long long)waits);
    const struct dispute_ended_params ended = { world_number(
        world, "SELECT dispute_no FROM dispute WHERE break_no = %lld", (long long)agreed) };
    struct db *db;
    assert_true(db_open(world->conninfo, &db, &err));
    assert_true(db_execute(db, &dispute_end_break, &ended, NULL, &err)); /* as its last step does */
    db_close(db);
    assert_int_equal(world_close_until(world, "2017-03-31", &err), REASON_OK);
    assert_int_equal(world_number(world, "SELECT state FROM recon_break WHERE break_no = %lld", (long long)expires), 9);
    assert_int_equal(world_number(world, "SELECT state * 100 + correction_no FROM recon_break WHERE break_no = %lld",
                                  (long long)agreed),
                     409);
    assert_int_equal(world_number(world, "SELECT state FROM recon_break WHERE break_no = %lld", (long long)waits), 7);
    send_file(world, "2017-03", "");
    send_january(world); /* once more, and a corrected one */
    send_file(world, "2017-01", "");
    assert_int_equal(world_number(world, "SELECT state FROM recon_break WHERE break_no = %lld", (long long)expires), 9);
    assert_int_equal(world_number(world, "SELECT state FROM recon_break WHERE break_no = %lld", (long long)waits), 7);
    assert_int_equal(contest(world, expires, "ann"), 1); /* that was all */
}

static void assert_prints(struct world *world, const char *line, const char *expected)
{
    char command[TEST_CONNINFO + 512], said[8192];

    snprintf(command, sizeof command,
             "ALLIANCE_DATABASE='%s' ALLIANCE_STATEMENTS_DIR=%s " BINARY_DIR
             "/bin/alliance-settle breaks %s --programme demo 2>&1",
             world->conninfo, world->dir, line);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    said[fread(said, 1, sizeof said - 1, in)] = '\0';
    assert_int_equal(pclose(in), 0);
    if (!strstr(said, expected))
        fail_msg("no \"%s\" in: %s", expected, said);
}

static void typed(void **state)
{
    struct world *world = *state;
    char line[64];

    snprintf(line, sizeof line, "dispute --by ann --break %lld", (long long)break_of(world, 0));
    for (int again = 0; again < 2; again++)
        assert_prints(world, line,
                      "dispute 1: bank-a contests 1.00 USD of line 1 of demo/2017-01/PAIR/bank-a/shop-1/USD\n");
    snprintf(line, sizeof line, "show --break %lld", (long long)break_of(world, 0));
    assert_prints(world, line, "state        DISPUTED\n");
    assert_prints(world, line, "dispute      1\nnote         ann: dispute 1\n");
    assert_prints(world, "list --state DISPUTED", "\n1 breaks;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_class_has_its_line_and_its_opener, set_up_disputable, tear_down),
        cmocka_unit_test_setup_teardown(a_break_waits_for_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_at_once_open_one, set_up_disputable, tear_down),
        cmocka_unit_test_setup_teardown(a_break_ends_as_its_dispute_does, set_up_disputable, tear_down),
        cmocka_unit_test_setup_teardown(typed, set_up_disputable, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
