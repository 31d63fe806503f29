/* alliance-settle as a person or a timer meets it: what it prints, and its exit status. */
#include "settled_world.h"

#include "store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PROGRAM BINARY_DIR "/bin/alliance-settle"

static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    setenv("ALLIANCE_DATABASE", world.conninfo, 1);
    setenv("ALLIANCE_STATEMENTS_DIR", world.dir, 1);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

/* Runs it and expects that exit status; said receives both streams. */
static void expect(int status, const char *arguments, const char *said)
{
    char command[512], text[32768];

    snprintf(command, sizeof command, PROGRAM " %s 2>&1", arguments);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    int ended = pclose(in);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status || !strstr(text, said))
        fail_msg("%s: status %d\n%s\nexpected %d and \"%s\"", arguments, WEXITSTATUS(ended), text, status, said);
}

static void wrong_use_is_explained(void **state)
{
    (void)state;
    expect(2, "", "error: FIELD_INVALID: a command is missing");
    expect(2, "month-close", "error: FIELD_INVALID: there is no command \"month-close\"");
    expect(2, "period-close --programme demo", "error: FIELD_INVALID: --period YYYY-MM is missing");
    expect(2, "day-close --programme demo --settings /nowhere", "error: SETTING_INVALID: ");
    unsetenv("ALLIANCE_DATABASE");
    expect(2, "day-close --programme demo", "error: SETTING_INVALID: database is missing");
}

static void help_shows_each_command_with_an_example(void **state)
{
    (void)state;
    expect(0, "--help", "alliance-settle day-close --programme demo --until 2017-01-31");
    expect(0, "day-close --help", "alliance-settle period-close --programme demo --period 2017-01");
    expect(0, "help", "alliance-settle show --programme demo --period 2017-01");
    expect(0, "--help", "statements_dir");
}

static void a_month_from_open_to_shown(void **state)
{
    struct world *world = *state;

    world_put_usual(world);
    expect(0, "day-close --programme demo", "2017-01-01 closed: 5 entries sealed\n");
    expect(0, "day-close --programme demo --date 2017-01-01", "2017-01-01 was closed before: 5 entries sealed\n");
    expect(1, "period-close --programme demo --period 2017-01", "error: DAY_NOT_SEALED: 2017-01-02 is the first day");
    expect(1, "show --programme demo --period 2017-01", "error: STATEMENT_NOT_FOUND: ");
    expect(0, "day-close --programme demo --until 2017-01-31", "2017-01-31 closed: 2 entries sealed\n");
    expect(0, "period-close --programme demo --period 2017-01", "2017-01 closed: 11 statements, 5 lines, all tie\n");
    expect(0, "period-close --programme demo --period 2017-01", "/demo/2017-01/manifest.json\n");
    expect(0, "period-close --programme demo --period 2017-01 --by olga",
           "\nfor somebody other than olga: alliance settlement approve demo 2017-01 ");
    expect(2, "period-close --programme demo --period 2017-01 --by a/b", "--by must be given once");
    expect(1, "issue --programme demo --period 2017-01", "error: SETTING_INVALID: signing_certificate is missing");
    expect(
        0, "show --programme demo --period 2017-01",
        "OPERATOR  all                               3         1           14.83          0.36           14.47  USD");
}

static void refusals_have_status_1(void **state)
{
    struct world *world = *state;

    world_do(world, "UPDATE fence SET test_clock = '2017-01-01 15:00Z'");
    expect(1, "day-close --programme demo",
           "error: DAY_NOT_OVER: 2017-01-01 ends at 2017-01-01T16:00:00Z and programme "
           "time is 2017-01-01T15:00:00Z; repeat after its end\n");
    expect(0, "day-close --programme demo --until due", "");
    world_do(world, "UPDATE fence SET test_clock = '2017-01-03 16:00Z'");
    expect(0, "day-close --programme demo --until due", "2017-01-03 closed: 0 entries sealed\n");
    expect(2, "day-close --programme demo --until soon", "--until must be given once, as YYYY-MM-DD|due");
    expect(1, "day-close --programme nowhere", "error: PROGRAMME_NOT_FOUND: ");
    setenv("ALLIANCE_DATABASE", "host=/nowhere dbname=x", 1);
    expect(1, "day-close --programme demo", "error: DATABASE_UNREACHABLE: ");
}

static void a_second_one_is_turned_away(void **state)
{
    struct world *world = *state;
    struct close_run close = { 0 };
    struct error err;
    struct db *db;

    assert_true(db_open(world->conninfo, &db, &err) && close_begin(&close, db, "demo", &err));
    expect(1, "day-close --programme demo", "error: CLOSE_RUNNING: \"alliance-settle demo\" (database session ");
    expect(1, "show --programme demo --period 2017-01", "error: STATEMENT_NOT_FOUND: ");
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_use_is_explained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(help_shows_each_command_with_an_example, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_month_from_open_to_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals_have_status_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_one_is_turned_away, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
