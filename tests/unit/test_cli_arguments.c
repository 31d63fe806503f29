/* The table of commands: every row parses, is shown, and refuses what it does not take. And what tables look like. */
#include "ops/cli/advice.h"
#include "ops/cli/command.h"
#include "ops/cli/connection.h"
#include "ops/cli/show.h"

#include <alliance/v1/bank_service.pb-c.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORDS = 24 };

/* A command line as the shell would take it apart; quotes only around whole words. */
static int take_apart(char *line, char **argv)
{
    int argc = 0;

    while (*line && argc < WORDS) {
        char end = *line == '"' ? '"' : ' ';
        line += end == '"';
        argv[argc++] = line;
        line += strcspn(line, (char[]){ end, '\0' });
        if (*line)
            *line++ = '\0';
        line += strspn(line, " ");
    }
    return argc;
}

static bool parse(const char *line, struct arguments *out, struct error *err)
{
    static char copy[1024];
    char *argv[WORDS];

    *err = (struct error){ 0 };
    snprintf(copy, sizeof copy, "%s", line);
    int argc = take_apart(copy, argv);
    return arguments_parse(argc, argv, out, err);
}

static void test_every_example_parses(void **state)
{
    (void)state;
    assert_true(command_count > 25);
    for (size_t i = 0; i < command_count; i++) {
        struct arguments arguments;
        struct error err;
        if (!parse(commands[i].example, &arguments, &err))
            fail_msg("%s: %s", commands[i].example, error_text(&err));
        if (arguments.command != &commands[i])
            fail_msg("%s is taken for %s", commands[i].example, arguments.command->words);
        assert_non_null(commands[i].run);
    }
}

static char *help_for(const char *line)
{
    static char text[32768];
    struct arguments arguments;
    struct error err;
    FILE *out = fmemopen(text, sizeof text, "w");

    assert_true(parse(line, &arguments, &err));
    help_write(out, &arguments);
    fclose(out);
    return text;
}

static void test_help_at_every_level(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        char line[128];
        assert_non_null(strstr(help_for("alliance --help"), commands[i].example));
        snprintf(line, sizeof line, "alliance %s --help", commands[i].words);
        assert_non_null(strstr(help_for(line), commands[i].example));
    }
    assert_non_null(strstr(help_for("alliance redeem --help"), "redeem cancel"));
    assert_null(strstr(help_for("alliance redeem --help"), "members push"));
    assert_non_null(strstr(help_for("alliance redeem hold -h"), "--ship-to FILE.json"));
    assert_null(strstr(help_for("alliance redeem cancel --help"), "--points"));
}

static const struct {
    const char *line, *detail;
} refused[] = {
    { "alliance", "no command" },
    { "alliance fly", "no such command: fly" },
    { "alliance redeem", "no such command: redeem" },
    { "alliance redeem holds", "no such command: redeem holds" },
    { "alliance programme show", "PROGRAMME is missing" },
    { "alliance clock advance demo", "INSTANT is missing" },
    { "alliance programme show a b", "too many words" },
    { "alliance ping --fast", "no option --fast" },
    { "alliance ping --points 3", "takes no --points" },
    { "alliance ping --json=yes", "--json takes no value" },
    { "alliance ping --server", "--server needs a value: HOST:PORT" },
    { "alliance ping --server a --server b", "given twice" },
    { "alliance redeem hold --bank b --member m", "--points POINTS is missing" },
    { "alliance cards tokenise f", "--key-file FILE is missing" },
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct arguments arguments;
        struct error err;
        if (parse(refused[i].line, &arguments, &err))
            fail_msg("%s was accepted", refused[i].line);
        if (!strstr(error_text(&err), refused[i].detail))
            fail_msg("%s: %s", refused[i].line, error_text(&err));
    }
}

static void test_options_stand_anywhere(void **state)
{
    struct arguments arguments;
    struct error err;

    (void)state;
    assert_true(parse("alliance --json --profile=bank-a balance --bank b m-1", &arguments, &err));
    assert_string_equal(arguments.option[OPTION_PROFILE], "bank-a");
    assert_string_equal(arguments.option[OPTION_BANK], "b");
    assert_string_equal(arguments.option[OPTION_JSON], "");
    assert_string_equal(arguments.at[0], "m-1");
    assert_true(parse("alliance balance -- --json", &arguments, &err));
    assert_string_equal(arguments.at[0], "--json");
    assert_null(arguments.option[OPTION_JSON]);
    assert_true(parse("alliance rules show", &arguments, &err));
    assert_null(arguments.at[0]);
}

/* Every reason there is, and every status, has something to do. */
static void test_advice_for_all(void **state)
{
    (void)state;
    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++)
        assert_true(strlen(advice_for(reason_name(reason), (int)reason_status(reason))) > 5);
    assert_string_equal(advice_for("A_WORD_OF_TOMORROW", STATUS_NOT_FOUND), "look at the name again");
    assert_true(advice_may_repeat(STATUS_UNAVAILABLE));
    assert_false(advice_may_repeat(STATUS_INTERNAL));
}

/* ---- profiles ---- */

static void test_profiles(void **state)
{
    char home[] = "/tmp/home.XXXXXX", path[96], folder[64], expected[128];
    struct arguments arguments;
    struct connection connection;
    struct error err = { 0 };
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(home));
    snprintf(folder, sizeof folder, "%s/profiles", home);
    snprintf(path, sizeof path, "%s/bank-a", folder);
    assert_int_equal(system(strcat(strcpy(expected, "mkdir -p "), folder)), 0);
    file = fopen(path, "w");
    fputs("# a bank\n\nserver=localhost:1\nca=/etc/ca.pem\ncert=bank-a.pem\nkey=bank-a.key\n", file);
    fclose(file);
    setenv("ALLIANCE_HOME", home, 1);
    setenv("ALLIANCE_SERVER", "elsewhere:2", 1);

    assert_true(parse("alliance ping --profile bank-a --ca other.pem", &arguments, &err));
    assert_true(connection_find(&arguments, &connection, &err));
    assert_string_equal(connection.server, "localhost:1"); /* the profile wins over the environment */
    assert_string_equal(connection.ca, "other.pem");       /* an option over the profile */
    snprintf(expected, sizeof expected, "%s/bank-a.pem", folder);
    assert_string_equal(connection.cert, expected);
    assert_true(parse("alliance ping", &arguments, &err));
    assert_true(connection_find(&arguments, &connection, &err));
    assert_string_equal(connection.server, "elsewhere:2");

    assert_true(parse("alliance ping --profile bank-b", &arguments, &err));
    assert_false(connection_find(&arguments, &connection, &err));
    assert_true(parse("alliance ping --profile ../bank-a", &arguments, &err));
    assert_false(connection_find(&arguments, &connection, &err));
    file = fopen(path, "w");
    fputs("server=localhost:1\nsevrer=x\n", file);
    fclose(file);
    assert_true(parse("alliance ping --profile bank-a", &arguments, &err));
    assert_false(connection_find(&arguments, &connection, &err));
    assert_non_null(strstr(error_text(&err), "line 2"));
    unsetenv("ALLIANCE_SERVER");
    unsetenv("ALLIANCE_HOME");
    unlink(path);
    rmdir(folder);
    rmdir(home);
}

/* ---- what people see ---- */

static char *shown(const ProtobufCMessage *message)
{
    static char text[4096];
    FILE *out = fmemopen(text, sizeof text, "w");

    show_message(out, message);
    fclose(out);
    return text;
}

static void test_a_message_for_people(void **state)
{
    Alliance__V1__Balance balance = ALLIANCE__V1__BALANCE__INIT;
    Alliance__V1__Lot first = ALLIANCE__V1__LOT__INIT, second = ALLIANCE__V1__LOT__INIT;
    Alliance__V1__Lot *lots[] = { &first, &second };

    (void)state;
    first.points = 5;
    first.expires_on = (char[]){ "2018-01-01" };
    second.points = 1200;
    second.expires_on = (char[]){ "2018-02-01" };
    balance.member_ref = (char[]){ "m\x1b[31m" };
    balance.available_points = 1205;
    balance.status = ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_FROZEN;
    balance.lots = lots;
    balance.n_lots = 2;
    assert_string_equal(shown(&balance.base), "member_ref        m?[31m\n"
                                              "available_points  1205\n"
                                              "held_points       0\n"
                                              "credit_limit      0\n"
                                              "credit_used       0\n"
                                              "status            FROZEN\n"
                                              "pending_points    0\n"
                                              "credit_left       0\n"
                                              "tier              0\n"
                                              "credit_by_tier    false\n"
                                              "\nlots\n"
                                              "points  expires_on\n"
                                              "     5  2018-01-01\n"
                                              "  1200  2018-02-01\n");
}

static void test_values_within_messages(void **state)
{
    Alliance__V1__AccrualRow row = ALLIANCE__V1__ACCRUAL_ROW__INIT;
    Alliance__V1__Money money = ALLIANCE__V1__MONEY__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    (void)state;
    money.currency_code = (char[]){ "KWD" };
    money.amount_minor = -1234;
    time.seconds = 1483228800;
    row.amount = &money;
    row.transaction_time = &time;
    assert_non_null(strstr(shown(&row.base), "amount                  -1.234 KWD\n"));
    assert_non_null(strstr(shown(&row.base), "transaction_time        2017-01-01T00:00:00Z\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_example_parses),
        cmocka_unit_test(test_help_at_every_level),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_options_stand_anywhere),
        cmocka_unit_test(test_advice_for_all),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_a_message_for_people),
        cmocka_unit_test(test_values_within_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
