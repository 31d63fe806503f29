/* A member list as a roster batch, typed against the real server with its own worker. */
#include "cutter.h"
#include "house.h"

#include "service/roster_work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE = 2048, PRINTED = 16384, HEX = 2 * CRYPTO_HASH };
enum { OUTCOME_DONE = 0, OUTCOME_FAILED = 1, OUTCOME_USAGE = 2, OUTCOME_REFUSED = 3 }; /* of ops/cli/command.h */

#define ANN "bank/bank-a/person/ann"
#define BEN "bank/bank-a/person/ben"

static struct house *house;
static struct roster_worker *worker;
static char printed[PRINTED];

static int open_with(int64_t close_share_bp)
{
    struct roster_work work;
    struct error err = { 0 };

    house = house_open();
    house_found(house);
    roster_work_init(&work, house->office.lanes, house->office.reference, &house->key);
    if (close_share_bp)
        work.close_share_bp = close_share_bp;
    return roster_worker_open(&work, house->conninfo, &worker, &err) ? 0 : 1;
}

static int setup(void **state)
{
    (void)state;
    return open_with(0);
}

static int setup_generous(void **state)
{
    (void)state;
    return open_with(5000);
}

static int teardown(void **state)
{
    (void)state;
    roster_worker_close(worker);
    house_close(house);
    return 0;
}

static void write_list(const char *name, const char *header, int from, int to, const char *more)
{
    char path[120];

    snprintf(path, sizeof path, "%s/%s", house->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", header);
    for (int i = from; i <= to; i++)
        fprintf(file, "m-%04d,%d\n", i, i % 7);
    fputs(more, file);
    fclose(file);
}

/* Types the line, which must end so. */
__attribute__((format(printf, 3, 4))) static void type(int outcome, const char *party, const char *format, ...)
{
    char line[LINE];
    va_list args;

    int n = snprintf(line, sizeof line, "alliance ");
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    int ended = house_type(house, party, line, printed, sizeof printed);
    if (ended != outcome)
        fail_msg("%s\nended with %d and said\n%s", line, ended, printed);
}

static void says(const char *text)
{
    if (!strstr(printed, text))
        fail_msg("%s\nis not in\n%s", text, printed);
}

static void says_not(const char *text)
{
    if (strstr(printed, text))
        fail_msg("%s\nis in\n%s", text, printed);
}

static void a_list_is_pushed_looked_at_and_released(void **state)
{
    char hash[HEX + 1];

    (void)state;
    write_list("one.csv", "member_ref,credit_limit", 1, 1100, "");
    type(OUTCOME_DONE, ANN, "roster push %s/one.csv 1 2026-01-15 --full", house->dir);
    says("APPLIED");
    says("created                    1100");
    type(OUTCOME_FAILED, ANN, "roster push %s/one.csv 3 2026-01-15 --full", house->dir);
    says("ROSTER_BATCH_NUMBER");
    says("push it under the number the sentence names");
    type(OUTCOME_FAILED, ANN, "roster push %s/one.csv 1 2026-01-16 --full", house->dir);
    says("push that file as it was");
    says_not("to go on");
    type(OUTCOME_DONE, ANN, "roster push %s/one.csv 1 2026-01-15 --full", house->dir);
    char sum[HEX + 1];
    const char *shown = strstr(printed, "header.rows_sha256");
    assert_non_null(shown);
    assert_int_equal(sscanf(shown, "header.rows_sha256 %64[0-9a-f]", sum), 1);
    type(OUTCOME_DONE, ANN, "members check %s/one.csv", house->dir);
    says(sum);
    type(OUTCOME_DONE, ANN, "roster verdicts 1 --json");
    says("ROW_OUTCOME_CREATED");
    write_list("two.csv", "member_ref,credit_limit", 1, 1000, "");
    type(OUTCOME_DONE, ANN, "roster push %s/two.csv 2 2026-01-16 --full", house->dir);
    says("waits for a second person");
    type(OUTCOME_DONE, BEN, "roster closings 2");
    says("m-1100");
    type(OUTCOME_DONE, BEN, "roster show 2 --json");
    says("ROSTER_STATE_WAITING_RELEASE");
    const char *at = strstr(printed, "alliance roster release 2 ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "alliance roster release 2 %64[0-9a-f]", hash), 1);
    type(OUTCOME_USAGE, BEN, "roster release 2 abc");
    type(OUTCOME_FAILED, ANN, "roster release 2 %s", hash);
    says("SECOND_PERSON_NEEDED");
    type(OUTCOME_DONE, BEN, "roster release 2 %s", hash);
    type(OUTCOME_DONE, ANN, "roster push %s/two.csv 2 2026-01-16 --full", house->dir); /* waits until it is applied */
    says("APPLIED");
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE status = 3"), 100);
    type(OUTCOME_DONE, ANN, "roster list");
    says("2026-01-16");
}

/* One wants it, the other agrees and sees how it ends; a used member stops it. */
static void a_batch_is_rolled_back(void **state)
{
    (void)state;
    write_list("one.csv", "member_ref,credit_limit", 1, 30, "");
    write_list("two.csv", "member_ref,credit_limit", 2, 3, "m-0031,9\n");
    type(OUTCOME_DONE, ANN, "roster push %s/one.csv 1 2026-01-15", house->dir);
    type(OUTCOME_DONE, ANN, "roster push %s/two.csv 2 2026-01-16", house->dir);
    type(OUTCOME_FAILED, ANN, "roster roll-back 2");
    says("reason");
    type(OUTCOME_USAGE, ANN, "roster roll-back two --reason x");
    type(OUTCOME_DONE, ANN, "roster roll-back 2 --reason \"the wrong file\"");
    says("a second person must agree: alliance roster roll-back 2");
    type(OUTCOME_DONE, BEN, "roster roll-back 2 --withdraw");
    says("nobody wants batch 2 rolled back any more");
    type(OUTCOME_DONE, BEN, "roster roll-back 2 --reason \"the wrong file\"");
    type(OUTCOME_DONE, ANN, "roster show 2");
    says("the wrong file");
    type(OUTCOME_DONE, ANN, "roster roll-back 2");
    says("ROLLED_BACK");
    says("alliance://bank/bank-a/person/ann");
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE status = 3 AND member_ref = 'm-0031'"), 1);
    write_list("three.csv", "member_ref,credit_limit", 1, 1, "m-0002,9\nm-0031,9\n");
    type(OUTCOME_DONE, ANN, "roster push %s/three.csv 3 2026-01-17", house->dir);
    house_ask(house, "merchant/shop-1", "HoldRedemption",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'm-0031', 'merchantId': 'shop-1', 'points': 2}",
              house_id());
    type(OUTCOME_DONE, ANN, "roster roll-back 3 --reason again");
    type(OUTCOME_FAILED, BEN, "roster roll-back 3");
    says("ROSTER_BUILT_ON: nothing was rolled back: m-0031 (HOLD, entry 4)");
    type(OUTCOME_DONE, ANN, "roster list");
    says("ROLLED_BACK");
}

/* The same two lists by members push: a batch has to be whole in its options, too. */
static void members_push_takes_a_batch(void **state)
{
    static const char *const halves[] = { "--batch 1",        "--batch 1 --date 2026-01-15",
                                          "--batch 1 --full", "--date 2026-01-15 --delta",
                                          "--close-share 5",  "--batch 1 --date 2026-01-15 --full --delta" };

    (void)state;
    write_list("one.csv", "member_ref,credit_limit", 1, 20, "");
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        type(OUTCOME_USAGE, ANN, "members push %s/one.csv %s", house->dir, halves[i]);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 0);
    type(OUTCOME_DONE, ANN, "members push %s/one.csv --batch 1 --date 2026-01-15 --full", house->dir);
    says("created                    20");
    write_list("two.csv", "member_ref,credit_limit", 20, 21, "");
    type(OUTCOME_DONE, ANN, "members push %s/two.csv --batch 2 --date 2026-01-16 --delta", house->dir);
    says("created                    1");
    says("closed                     0");
    type(OUTCOME_DONE, ANN, "roster push %s/two.csv 2 2026-01-16", house->dir); /* one batch, however it is typed */
    assert_int_equal(house_count(house, "SELECT count(*) FROM roster_batch"), 2);
}

/* Half of the members, as this server is set; a batch may say less. */
static void how_many_may_be_closed_is_a_setting(void **state)
{
    (void)state;
    write_list("one.csv", "member_ref,credit_limit", 1, 100, "");
    type(OUTCOME_DONE, ANN, "roster push %s/one.csv 1 2026-01-15 --full", house->dir);
    write_list("two.csv", "member_ref,credit_limit", 1, 50, "");
    type(OUTCOME_DONE, ANN, "roster push %s/two.csv 2 2026-01-16 --full", house->dir);
    says("APPLIED");
    write_list("three.csv", "member_ref,credit_limit", 1, 40, "");
    type(OUTCOME_DONE, ANN, "roster push %s/three.csv 3 2026-01-17 --full --close-share 1999", house->dir);
    says("waits for a second person");
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE status = 3"), 50);
}

static void refused_rows_come_back_as_a_file(void **state)
{
    char line[LINE];

    (void)state;
    write_list("twice.csv", "member_ref,credit_limit", 1, 600, "m-0003,9\nm-0601,4\n");
    type(OUTCOME_REFUSED, ANN, "roster push %s/twice.csv 1 2026-01-15", house->dir);
    says("ROSTER_TWICE");
    snprintf(line, sizeof line, "%s/twice.csv.refused.csv", house->dir);
    FILE *file = fopen(line, "r");
    assert_non_null(file);
    printed[fread(printed, 1, PRINTED - 1, file)] = '\0';
    fclose(file);
    says("m-0003,3,ROSTER_TWICE");
    says("m-0003,9,ROSTER_TWICE");
    assert_null(strstr(printed, "m-0601"));
    type(OUTCOME_DONE, ANN, "roster verdicts 1 --refused-only");
    says("row 601");
}

/* On a full list a row that cannot be sent would close its member. */
static void a_wrong_row_of_a_full_list_stops_it(void **state)
{
    (void)state;
    write_list("wrong.csv", "member_ref,credit_limit", 1, 3, "m-0004,many\n");
    type(OUTCOME_FAILED, ANN, "roster push %s/wrong.csv 1 2026-01-15 --full --allow-refused", house->dir);
    says("nothing was sent");
    type(OUTCOME_FAILED, ANN, "roster push %s/wrong.csv 1 2026-01-15", house->dir);
    type(OUTCOME_DONE, ANN, "roster push %s/wrong.csv 1 2026-01-15 --allow-refused", house->dir);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 3);
}

/* Types it by way of a cutter; returns how many connections were cut. */
static size_t type_through(const int64_t *cuts, size_t count, int64_t *passed, int outcome, const char *line)
{
    char target[sizeof house->target];
    int port = 0;

    memcpy(target, house->target, sizeof target);
    assert_int_equal(sscanf(strrchr(target, ':'), ":%d", &port), 1);
    struct cutter *cutter = cutter_open(port, cuts, count);
    snprintf(house->target, sizeof house->target, "localhost:%d", cutter_port(cutter));
    type(outcome, ANN, "%s", line);
    memcpy(house->target, target, sizeof target);
    return cutter_close(cutter, passed);
}

/* Three times in the middle of it: what the server has is not sent again, and all is as if nothing had happened. */
static void a_cable_is_pulled_and_the_push_goes_on(void **state)
{
    enum { ROWS = 9999 };
    static const int64_t none[1], cuts[] = { 40000, 60000, 80000, 150000, 150000 };
    int64_t whole, passed;
    char line[200];

    (void)state;
    write_list("one.csv", "member_ref,credit_limit", 1, ROWS, "");
    snprintf(line, sizeof line, "roster push %s/one.csv 1 2026-01-15 --full", house->dir);
    size_t times = type_through(cuts, sizeof cuts / sizeof *cuts, &passed, OUTCOME_DONE, line);
    says("created                    9999");
    assert_in_range(times, 2, 4);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), ROWS);
    assert_int_equal(house_count(house, "SELECT count(*) FROM journal"), ROWS);
    assert_int_equal(house_count(house, "SELECT sum(credit_limit) FROM account"),
                     house_count(house, "SELECT sum(i % 7) FROM generate_series(1, 9999) i"));
    snprintf(line, sizeof line, "roster push %s/one.csv 2 2026-01-16 --full", house->dir);
    assert_int_equal(type_through(none, 0, &whole, OUTCOME_DONE, line), 0);
    says("unchanged                  9999");
    if (passed > whole + whole / 2)
        fail_msg("%lld bytes were sent where %lld are enough", (long long)passed, (long long)whole);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_list_is_pushed_looked_at_and_released),
        TEST(a_batch_is_rolled_back),
        TEST(members_push_takes_a_batch),
        cmocka_unit_test_setup_teardown(how_many_may_be_closed_is_a_setting, setup_generous, teardown),
        TEST(refused_rows_come_back_as_a_file),
        TEST(a_wrong_row_of_a_full_list_stops_it),
        TEST(a_cable_is_pulled_and_the_push_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
