/* tests/unit/test_settings.c -- the settings table, its parser, and that the sample file follows it. */
#include "io/settings_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool read_text_of(struct settings *settings, const char *text, struct error *err)
{
    FILE *lines = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(lines);
    settings_init(settings);
    *err = (struct error){ 0 };
    bool good = settings_read(settings, lines, "a.conf", err);
    fclose(lines);
    return good;
}

static void defaults_hold(void **state)
{
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_int_equal(settings.buckets, 4);
    assert_int_equal(settings.hold_default_s, 900);
    assert_string_equal(settings.listen, "127.0.0.1:0");
    assert_false(settings.allow_loopback_partners);
}

static void the_file_sets_each_kind(void **state)
{
    struct settings settings;
    struct error err;

    (void)state;
    assert_true(read_text_of(&settings,
                             "# a comment\n\nlanes = 7\nallow_loopback_partners = true\nlog_level=debug\n"
                             "database = host=/run/pg dbname=a\nlisten = [::1]:50051\ndrain_grace_ms = 0\n",
                             &err));
    assert_int_equal(settings.lanes, 7);
    assert_true(settings.allow_loopback_partners);
    assert_string_equal(settings.log_level, "debug");
    assert_string_equal(settings.database, "host=/run/pg dbname=a");
    assert_string_equal(settings.listen, "[::1]:50051");
    assert_int_equal(settings.drain_grace_ms, 0);
    assert_int_equal(settings.clerks, 2);
}

static const struct {
    const char *story, *text, *says;
} refusals[] = {
    { "unknown name", "lanes = 2\nlans = 3\n", "a.conf:2: there is no such setting (--help lists them): lans" },
    { "not a number", "lanes = two\n", "a.conf:1: lanes is two; it must be a whole number from 1 to 64" },
    { "a number and more", "lanes = 2x\n", "a.conf:1: lanes is 2x; it must be a whole number from 1 to 64" },
    { "below the least", "lanes = 0\n", "a.conf:1: lanes is 0; it must be a whole number from 1 to 64" },
    { "above the most", "buckets = 257\n", "a.conf:1: buckets is 257; it must be a whole number from 1 to 256" },
    { "past 64 bits", "clerks = 99999999999999999999\n",
      "a.conf:1: clerks is 99999999999999999999; it must be a whole number from 1 to 32" },
    { "empty number", "lanes =\n", "a.conf:1: lanes is ; it must be a whole number from 1 to 64" },
    { "not a truth", "allow_loopback_partners = yes\n",
      "a.conf:1: allow_loopback_partners is yes; it must be true or false" },
    { "not a level", "log_level = loud\n", "a.conf:1: log_level is loud; it must be debug, info, warn or error" },
    { "no port", "listen = 127.0.0.1\n",
      "a.conf:1: listen is 127.0.0.1; it must be an address and a port, such as 127.0.0.1:8080; port 0 chooses a free "
      "one" },
    { "given twice", "lanes = 2\n\nlanes = 3\n", "a.conf:3: given twice: lanes" },
    { "no equals sign", "lanes = 2\nclerks\n", "a.conf:2: this line must be: name = value" },
    { "a section", "[server]\nlanes = 2\n", "a.conf:2: settings have no sections; take out server" },
    { "a secret is not shown", "database = \xff\xfe\n",
      "a.conf:1: database is (not shown); it must be text of at most 511 bytes of UTF-8" },
};

static void mistakes_are_refused_with_their_place(void **state)
{
    struct settings settings;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        assert_false(read_text_of(&settings, refusals[i].text, &err));
        assert_int_equal(err.reason, REASON_SETTING_INVALID);
        if (strcmp(error_text(&err), refusals[i].says) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", refusals[i].story, error_text(&err), refusals[i].says);
    }
}

static void a_line_longer_than_the_parser_reads_is_refused(void **state)
{
    struct settings settings;
    struct error err;
    char text[1200];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "database = ", 11);
    memcpy(text + sizeof text - 12, "\nlanes = 3\n", 12);
    assert_false(read_text_of(&settings, text, &err));
    assert_string_equal(error_text(&err), "a.conf:1: the line is too long");
}

static void the_environment_wins(void **state)
{
    char *const environment[] = { "PATH=/bin", "ALLIANCE_HOME=/x", "ALLIANCE_LANES=9", "ALLIANCE_LOG_LEVEL=warn",
                                  NULL };
    struct settings settings;
    struct error err;

    (void)state;
    assert_true(read_text_of(&settings, "lanes = 3\n", &err));
    assert_true(settings_read_environment(&settings, environment, &err));
    assert_int_equal(settings.lanes, 9);
    assert_string_equal(settings.log_level, "warn");
}

static void the_environment_is_checked_too(void **state)
{
    char *const unknown[] = { "ALLIANCE_LANS=9", NULL };
    char *const wrong[] = { "ALLIANCE_LANES=many", NULL };
    char *const bare[] = { "ALLIANCE_", NULL };
    struct settings settings;
    struct error err = { 0 };

    (void)state;
    settings_init(&settings);
    assert_false(settings_read_environment(&settings, unknown, &err));
    assert_string_equal(error_text(&err), "environment: ALLIANCE_LANS names no setting (--help lists them)");
    assert_false(settings_read_environment(&settings, wrong, &err));
    assert_string_equal(error_text(&err), "ALLIANCE_LANES: lanes is many; it must be a whole number from 1 to 64");
    assert_false(settings_read_environment(&settings, bare, &err));
}

static void what_a_program_needs_is_missed(void **state)
{
    struct settings settings;
    struct error err = { 0 };

    (void)state;
    settings_init(&settings);
    assert_false(settings_check(&settings, SETTINGS_SETTLE, &err));
    assert_string_equal(err.field, "database");
    strcpy(settings.database, "dbname=a");
    assert_false(settings_check(&settings, SETTINGS_SETTLE, &err));
    assert_string_equal(err.field, "statements_dir");
    strcpy(settings.statements_dir, "/tmp");
    assert_true(settings_check(&settings, SETTINGS_SETTLE, &err));
    assert_false(settings_check(&settings, SETTINGS_SERVER, &err));
    assert_string_equal(err.field, "tls_ca");
}

static void a_missing_file_is_named(void **state)
{
    struct settings settings;
    struct error err = { 0 };

    (void)state;
    assert_false(settings_load(&settings, SETTINGS_SETTLE, "/nonexistent/a.conf", &err));
    assert_string_equal(error_text(&err), "settings file /nonexistent/a.conf: No such file or directory");
}

static char *printed(void (*print)(FILE *))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    print(out);
    fclose(out);
    return text;
}

static void the_sample_file_is_what_the_table_says(void **state)
{
    char *expected = printed(settings_sample), found[16384] = "";
    FILE *file = fopen(SOURCE_DIR "/ops/alliance.conf.sample", "re");

    (void)state;
    assert_non_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(found, expected);
    free(expected);
}

/* The sample's commented lines, made live, are the defaults: it can be copied and edited. */
static void the_sample_reads_back_as_the_defaults(void **state)
{
    char *sample = printed(settings_sample);
    struct settings settings, defaults;
    struct error err;

    (void)state;
    for (char *at = sample; (at = strstr(at, "\n#")); at++) {
        if (at[2] != ' ')
            memmove(at + 1, at + 2, strlen(at + 2) + 1);
    }
    settings_init(&defaults);
    bool good = read_text_of(&settings, sample, &err);
    if (!good)
        fail_msg("%s", error_text(&err));
    assert_memory_equal(&settings, &defaults, sizeof settings);
    free(sample);
}

static void server_help(FILE *out)
{
    settings_help(out, SETTINGS_SERVER);
}

static void help_names_every_setting_of_the_program_only(void **state)
{
    char *help = printed(server_help), line[80];

    (void)state;
    for (size_t i = 0; i < settings_count; i++) {
        snprintf(line, sizeof line, "\n  %s =", settings_table[i].name);
        assert_int_equal(strstr(help, line) != NULL, (settings_table[i].programs & SETTINGS_SERVER) != 0);
    }
    free(help);
}

static void addresses_are_split(void **state)
{
    char host[SETTINGS_HOST];
    uint16_t port;

    (void)state;
    assert_true(settings_split_address("127.0.0.1:8080", host, &port));
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 8080);
    assert_true(settings_split_address("[::]:65535", host, &port));
    assert_string_equal(host, "::");
    assert_false(settings_split_address("127.0.0.1:65536", host, &port));
    assert_false(settings_split_address("127.0.0.1:-1", host, &port));
    assert_false(settings_split_address("localhost:80", host, &port));
    assert_false(settings_split_address("::1:80", host, &port));
    assert_false(settings_split_address(":80", host, &port));
    assert_false(settings_split_address("", host, &port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold),
        cmocka_unit_test(the_file_sets_each_kind),
        cmocka_unit_test(mistakes_are_refused_with_their_place),
        cmocka_unit_test(a_line_longer_than_the_parser_reads_is_refused),
        cmocka_unit_test(the_environment_wins),
        cmocka_unit_test(the_environment_is_checked_too),
        cmocka_unit_test(what_a_program_needs_is_missed),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(the_sample_file_is_what_the_table_says),
        cmocka_unit_test(the_sample_reads_back_as_the_defaults),
        cmocka_unit_test(help_names_every_setting_of_the_program_only),
        cmocka_unit_test(addresses_are_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
