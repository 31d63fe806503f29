/* tests/unit/test_log.c -- whatever a value holds, a line stays one line that a logfmt reader can read. */
#include "io/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct instant when = { INT64_C(1795320306789000) };
#define HEAD "time=2026-11-22T04:05:06.789Z level=info"

static const struct {
    const char *story, *value, *written;
} values[] = {
    { "plain", "HoldRedemption", "HoldRedemption" },
    { "empty", "", "\"\"" },
    { "none", NULL, "\"\"" },
    { "a blank", "two words", "\"two words\"" },
    { "an equals sign", "a=b", "\"a=b\"" },
    { "quotes", "say \"hi\"", "\"say \\\"hi\\\"\"" },
    { "a backslash", "a\\b", "\"a\\\\b\"" },
    { "a forged line", "x\ntime=0 level=error", "\"x\\ntime=0 level=error\"" },
    { "tab and return", "a\tb\r", "\"a\\tb\\r\"" },
    { "escape", "\x1b[31m", "\"\\u001b[31m\"" },
    { "delete", "a\x7f", "\"a\\u007f\"" },
    { "C1 control", "a\xc2\x9b", "\"a\\u009b\"" },
    { "UTF-8", "\xe7\xa7\xaf\xe5\x88\x86", "\xe7\xa7\xaf\xe5\x88\x86" },
    { "a bad byte", "a\xffz", "\"a\\ufffdz\"" },
    { "a cut character", "\xe7\xa7", "\"\\ufffd\\ufffd\"" },
    { "an overlong slash", "\xc0\xaf", "\"\\ufffd\\ufffd\"" },
};

static void values_are_escaped(void **state)
{
    char line[LOG_LINE_MAX + 1], expected[256];

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        const struct log_field field = log_text("value", values[i].value);
        size_t n = log_format(line, when, LOG_INFO, &field, 1);
        snprintf(expected, sizeof expected, HEAD " value=%s\n", values[i].written);
        assert_int_equal(n, strlen(line));
        if (strcmp(line, expected) != 0)
            fail_msg("%s: %s not %s", values[i].story, line, expected);
    }
}

static void each_kind_of_field_is_written(void **state)
{
    struct uuid uuid = { { 0x01, 0x8f } };
    const struct log_field fields[] = { log_int("least", INT64_MIN), log_bool("yes", true), log_bool("no", false),
                                        log_uuid("id", &uuid),
                                        log_reason(&(struct error){ .reason = REASON_OVERLOADED }) };
    char line[LOG_LINE_MAX + 1];

    (void)state;
    log_format(line, when, LOG_INFO, fields, COUNT(fields));
    assert_string_equal(line, HEAD " least=-9223372036854775808 yes=true no=false"
                                   " id=018f0000-0000-0000-0000-000000000000 reason=OVERLOADED\n");
}

static void a_long_value_is_cut_at_a_character(void **state)
{
    char text[3 * 400 + 1], line[LOG_LINE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < 400; i++)
        memcpy(text + 3 * i, "\xe7\xa7\xaf", 4);
    const struct log_field field = log_text("value", text);
    size_t n = log_format(line, when, LOG_INFO, &field, 1);
    assert_true(n < LOG_VALUE_MAX + 64);
    assert_string_equal(line + n - 7, "\xe7\xa7\xaf...\n");
}

static void a_line_has_a_limit_too(void **state)
{
    struct log_field fields[100];
    char text[LOG_VALUE_MAX * 2], line[LOG_LINE_MAX + 1];

    (void)state;
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < COUNT(fields); i++)
        fields[i] = log_text("value", text);
    size_t n = log_format(line, when, LOG_ERROR, fields, COUNT(fields));
    assert_true(n <= LOG_LINE_MAX);
    assert_string_equal(line + n - 10, " cut=true\n");
}

/* What the macro writes to standard error. */
static size_t captured(void (*act)(void), char *text, size_t capacity)
{
    int ends[2], saved = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    act();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t n = read(ends[0], text, capacity - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void log_two(void)
{
    LOG(LOG_WARN, "start");
    LOG(LOG_INFO, "call", log_text("method", "Ping"), log_int("us", 12));
}

static void the_macro_writes_lines(void **state)
{
    char text[512];

    (void)state;
    captured(log_two, text, sizeof text);
    assert_non_null(strstr(text, " level=warn event=start\n"));
    assert_non_null(strstr(text, " level=info event=call method=Ping us=12\n"));
}

static int evaluated;

static int64_t evaluate(void)
{
    return ++evaluated;
}

static void log_debug(void)
{
    LOG(LOG_DEBUG, "detail", log_int("n", evaluate()));
}

static void a_level_below_the_least_costs_nothing(void **state)
{
    char text[512];

    (void)state;
    assert_int_equal(captured(log_debug, text, sizeof text), 0);
    assert_int_equal(evaluated, 0);
    log_set_level(LOG_DEBUG);
    assert_true(captured(log_debug, text, sizeof text) > 0);
    assert_int_equal(evaluated, 1);
    log_set_level(LOG_ERROR);
    assert_int_equal(captured(log_two, text, sizeof text), 0);
    log_set_level(LOG_INFO);
}

static void levels_have_names(void **state)
{
    enum log_level level;

    (void)state;
    assert_true(log_level_parse("warn", &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_parse("loud", &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_escaped),
        cmocka_unit_test(each_kind_of_field_is_written),
        cmocka_unit_test(a_long_value_is_cut_at_a_character),
        cmocka_unit_test(a_line_has_a_limit_too),
        cmocka_unit_test(the_macro_writes_lines),
        cmocka_unit_test(a_level_below_the_least_costs_nothing),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
