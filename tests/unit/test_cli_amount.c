/* Money as typed: exact, or refused with a sentence. And the waiting between attempts. */
#include "io/amount.h"
#include "ops/cli/backoff.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text, *currency;
    int64_t minor;
} accepted[] = {
    { "12.34", "USD", 1234 },
    { "12.3", "USD", 1230 },
    { "12", "USD", 1200 },
    { "0.01", "USD", 1 },
    { "00012.34", "USD", 1234 },
    { "500", "JPY", 500 },
    { "500", "KRW", 500 },
    { "1", "VND", 1 },
    { "1.234", "KWD", 1234 },
    { "0.001", "BHD", 1 },
    { "7.5", "OMR", 7500 },
    { "2", "JOD", 2000 },
    { "2.001", "TND", 2001 },
    { "0.0001", "CLF", 1 },
    { "999999999999.99", "USD", 99999999999999 },
    { "1000000000000.00", "CNY", AMOUNT_MINOR_MAX },
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct error err = { 0 };
        int64_t minor = -1;
        if (!amount_parse(accepted[i].text, accepted[i].currency, &minor, &err))
            fail_msg("%s: %s", accepted[i].text, error_text(&err));
        assert_int_equal(minor, accepted[i].minor);
    }
}

static const struct {
    const char *text, *currency, *because;
} refused[] = {
    { "4.440892e-16", "USD", "without an exponent" },
    { "1E3", "USD", "without an exponent" },
    { "0", "USD", "more than zero" },
    { "0.00", "USD", "more than zero" },
    { "-1", "USD", "more than zero" },
    { "-0.01", "USD", "more than zero" },
    { "+1", "USD", "such as 12.34" },
    { "", "USD", "such as 12.34" },
    { ".5", "USD", "such as 12.34" },
    { "5.", "USD", "such as 12.34" },
    { ".", "USD", "such as 12.34" },
    { "1.2.3", "USD", "such as 12.34" },
    { " 1", "USD", "such as 12.34" },
    { "1 ", "USD", "such as 12.34" },
    { "$1", "USD", "such as 12.34" },
    { "0x10", "USD", "such as 12.34" },
    { "nan", "USD", "such as 12.34" },
    { "inf", "USD", "such as 12.34" },
    { "1,234.00", "USD", "without a comma" },
    { "1,5", "USD", "without a comma" },
    { "12.345", "USD", "has 3 decimals, USD has 2" },
    { "12.340", "USD", "has 3 decimals, USD has 2" },
    { "1.0", "JPY", "has 1 decimals, JPY has 0" },
    { "1.2345", "KWD", "has 4 decimals, KWD has 3" },
    { "1000000000000.01", "CNY", "at most 100000000000000" },
    { "99999999999999999999", "USD", "at most" },
    { "9223372036854775807", "USD", "at most" },
    { "1", "usd", "three capital letters" },
    { "1", "", "three capital letters" },
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct error err = { 0 };
        int64_t minor = -1;
        if (amount_parse(refused[i].text, refused[i].currency, &minor, &err))
            fail_msg("\"%s\" was accepted", refused[i].text);
        if (!strstr(error_text(&err), refused[i].because))
            fail_msg("\"%s\": %s", refused[i].text, error_text(&err));
        assert_int_equal(minor, -1);
    }
}

static void test_written(void **state)
{
    static const struct {
        int64_t minor;
        const char *currency, *text;
    } cases[] = {
        { 1234, "USD", "12.34" }, { 5, "USD", "0.05" },       { -5, "USD", "-0.05" },
        { 0, "USD", "0.00" },     { 500, "JPY", "500" },      { -500, "JPY", "-500" },
        { 1001, "KWD", "1.001" }, { -1234, "CNY", "-12.34" }, { INT64_MIN, "USD", "-92233720368547758.08" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[AMOUNT_TEXT];
        amount_format(cases[i].minor, cases[i].currency, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_whole_numbers(void **state)
{
    static const char *const wrong[] = { "", "-1", "1.0", "1e3", " 1", "x", "0", "101", "99999999999999999999" };
    struct error err = { 0 };
    int64_t value = -1;

    (void)state;
    assert_true(whole_parse("1", "points", 1, 100, &value, &err) && value == 1);
    assert_true(whole_parse("100", "points", 1, 100, &value, &err) && value == 100);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (whole_parse(wrong[i], "points", 1, 100, &value, &err))
            fail_msg("\"%s\" was accepted", wrong[i]);
        assert_string_equal(err.field, "points");
    }
}

static void test_backoff_grows_within_bounds(void **state)
{
    (void)state;
    for (int attempt = 0; attempt < 40; attempt++) {
        int64_t most = attempt < 5 ? (int64_t)BACKOFF_BASE_MS << attempt : BACKOFF_MOST_MS;
        assert_int_equal(backoff_ms(attempt, -1, 0), 0);
        assert_int_equal(backoff_ms(attempt, -1, (uint32_t)most), most);
        assert_int_equal(backoff_ms(attempt, -1, (uint32_t)most + 1), 0);
        assert_int_equal(backoff_ms(attempt, 300, 0), 300);
        assert_true(backoff_ms(attempt, INT64_MAX, UINT32_MAX) <= 2 * BACKOFF_MOST_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_backoff_grows_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
