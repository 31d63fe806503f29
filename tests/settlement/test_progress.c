/* How far a close is and what time is left: what is said when, and that each long part of a run says it. */
#include "settled_world.h"

#include "progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static const struct {
    int64_t done, total, took_us;
    const char *text;
} cases[] = {
    { 0, 10, 0, "work: 0 of 10 (0 %), just begun" },
    { 0, 10, 9 * S, "work: 0 of 10 (0 %), just begun" },
    { 1, 10, 0, "work: 1 of 10 (10 %), about 0 s left" },
    { 5, 20, 30 * S, "work: 5 of 20 (25 %), about 1 min 30 s left" },
    { 1, 3, 2 * S, "work: 1 of 3 (33 %), about 4 s left" },
    { 19, 20, S / 2, "work: 19 of 20 (95 %), about 1 s left" }, /* a part of a second is one */
    { 999999, 1000000, 60 * S, "work: 999999 of 1000000 (99 %), about 1 s left" },
    { 1, 61, 60 * S, "work: 1 of 61 (1 %), about 1 h 00 min left" },
    { 1, 2, 7445 * S, "work: 1 of 2 (50 %), about 2 h 04 min left" },
    { 20, 20, 120 * S, "work: 20 of 20 (100 %), took 2 min 00 s" },
    { 0, 0, 0, "work: 0 of 0 (100 %), took 0 s" },
    { 1, 2, -S, "work: 1 of 2 (50 %), about 0 s left" }, /* a clock that went back */
    { INT64_C(1000000000000), INT64_C(4000000000000), INT64_C(86400) * S,
      "work: 1000000000000 of 4000000000000 (25 %), about 72 h 00 min left" },
};

static void the_time_left_is_as_the_time_so_far(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct progress progress = {
            .what = "work", .done = cases[i].done, .total = cases[i].total, .started_us = 5 * S
        };
        char text[PROGRESS_TEXT];
        progress_text(&progress, 5 * S + cases[i].took_us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void it_is_said_now_and_then(void **state)
{
    struct progress progress = { .what = "work", .last_us = 100 * S };

    (void)state;
    assert_false(progress_is_due(&progress, 200 * S)); /* not shown */
    progress.shown = true;
    assert_false(progress_is_due(&progress, 100 * S + S / 10));
    assert_true(progress_is_due(&progress, 100 * S + S / 5));
    progress.lines = true;
    assert_false(progress_is_due(&progress, 101 * S));
    assert_true(progress_is_due(&progress, 102 * S));
}

/* All that a command prints; it must succeed. */
static void run(const char *arguments, char text[8192])
{
    char command[256];

    snprintf(command, sizeof command, BINARY_DIR "/bin/alliance-settle %s --programme demo 2>&1", arguments);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    text[fread(text, 1, 8191, in)] = '\0';
    if (pclose(in) != 0)
        fail_msg("%s: %s", arguments, text);
}

static void expect(const char *arguments, const char *const said[])
{
    char text[8192];

    run(arguments, text);
    for (size_t i = 0; said[i]; i++) {
        if (!strstr(text, said[i]))
            fail_msg("%s: no \"%s\" in\n%s", arguments, said[i], text);
    }
}

static void each_long_part_says_how_far_it_is(void **state)
{
    static const char *const day[] = { "sealing entries: 5 of 5 (100 %), took ", "2017-01-01 closed", NULL };
    static const char *const days[] = { "\nclosing days: 29 of 29 (100 %), took ", "2017-01-30 closed", NULL };
    static const char *const due[] = { "sealing entries: 2 of 2 (100 %), took ", "2017-01-31 closed", NULL };
    static const char *const period[] = { "checking seals: 7 of 7 (100 %), took ",
                                          "writing lines: 5 of 5 (100 %), took ",
                                          "writing statements: 8 of 8 (100 %), took ", "all tie", NULL };
    struct world world;
    char text[8192];

    (void)state;
    world_make(&world);
    setenv("ALLIANCE_DATABASE", world.conninfo, 1);
    setenv("ALLIANCE_STATEMENTS_DIR", world.dir, 1);
    world_put_usual(&world);
    expect("day-close --progress", day);
    expect("day-close --until 2017-01-30 --progress", days);
    world_do(&world, "UPDATE fence SET test_clock = '2017-02-01 00:00Z'");
    expect("day-close --progress --until due", due);
    expect("period-close --period 2017-01 --progress", period);
    run("period-close --period 2017-01", text); /* and no word of it when nobody asked and this is no terminal */
    assert_null(strstr(text, "writing"));
    world_drop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_left_is_as_the_time_so_far),
        cmocka_unit_test(it_is_said_now_and_then),
        cmocka_unit_test(each_long_part_says_how_far_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
