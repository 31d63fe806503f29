/* tests/unit/test_ageing.c -- each age begins just where it says. */
#include "domain/ageing.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    int64_t days;
    const char *name;
} cases[] = {
    { INT64_MIN, "NOT DUE" }, { -1, "NOT DUE" }, { 0, "NOT DUE" },         { 1, "1-30" },
    { 30, "1-30" },           { 31, "31-60" },   { 60, "31-60" },          { 61, "61-90" },
    { 90, "61-90" },          { 91, "OVER 90" }, { INT64_MAX, "OVER 90" },
};

static void days_have_an_age(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(ageing_name(ageing_of(cases[i].days)), cases[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(days_have_an_age) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
