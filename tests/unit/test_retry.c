/* tests/unit/test_retry.c -- waits stay within their bounds, breakers open and close. */
#include "domain/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    const char *story;
    int64_t base_ms, cap_ms;
    int32_t attempt;
    int64_t most_ms;
} jitters[] = {
    { "first", 100, 10000, 1, 100 },           { "second", 100, 10000, 2, 200 },
    { "seventh", 100, 10000, 7, 6400 },        { "capped", 100, 10000, 8, 10000 },
    { "far beyond", 100, 10000, 1000, 10000 }, { "a base above the cap", 500, 100, 1, 100 },
    { "no attempt", 100, 10000, 0, 100 },
};

static void full_jitter_covers_zero_to_the_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof jitters / sizeof *jitters; i++) {
        int64_t least = retry_full_jitter_ms(jitters[i].base_ms, jitters[i].cap_ms, jitters[i].attempt, 0);
        int64_t most = retry_full_jitter_ms(jitters[i].base_ms, jitters[i].cap_ms, jitters[i].attempt, UINT32_MAX);
        if (least != 0 || most != jitters[i].most_ms)
            fail_msg("%s: %ld to %ld", jitters[i].story, (long)least, (long)most);
    }
}

static void a_schedule_waits_half_to_all_of_each_entry(void **state)
{
    static const int64_t waits[] = { 5000, 300000 };

    (void)state;
    assert_int_equal(retry_scheduled_ms(waits, 2, 1, 5000, 0), 5000);
    assert_int_equal(retry_scheduled_ms(waits, 2, 1, 5000, UINT32_MAX), 2500);
    assert_int_equal(retry_scheduled_ms(waits, 2, 2, 5000, 0), 300000);
    assert_int_equal(retry_scheduled_ms(waits, 2, 99, 5000, 0), 300000);
    assert_int_equal(retry_scheduled_ms(waits, 2, 0, 5000, 0), 5000);
    assert_int_equal(retry_scheduled_ms(waits, 2, 2, 1, 0), 60);
}

static void a_breaker_opens_after_failures_in_a_row(void **state)
{
    struct breaker breaker = { 0 };

    (void)state;
    for (int i = 0; i < BREAKER_FAILURES - 1; i++)
        assert_false(breaker_record(&breaker, false, 1000));
    assert_false(breaker_record(&breaker, true, 1000)); /* not in a row any more */
    for (int i = 0; i < BREAKER_FAILURES - 1; i++)
        assert_false(breaker_record(&breaker, false, 1000));
    assert_true(breaker_allows(&breaker, 1000));
    assert_true(breaker_record(&breaker, false, 1000));
    assert_false(breaker_allows(&breaker, 1000));
    assert_false(breaker_allows(&breaker, 1000 + BREAKER_OPEN_US - 1));
    assert_true(breaker_allows(&breaker, 1000 + BREAKER_OPEN_US));
}

static void an_open_breaker_waits_longer_each_time_and_closes_at_once(void **state)
{
    struct breaker breaker = { .failures = BREAKER_FAILURES - 1 };
    int64_t now = 0, expected = BREAKER_OPEN_US;

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(breaker_record(&breaker, false, now));
        assert_int_equal(breaker.open_until_us, now + expected);
        now = breaker.open_until_us;
        expected = expected * 2 < BREAKER_OPEN_MAX_US ? expected * 2 : BREAKER_OPEN_MAX_US;
    }
    assert_false(breaker_record(&breaker, true, now));
    assert_true(breaker_allows(&breaker, now));
    assert_int_equal(breaker.failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_jitter_covers_zero_to_the_bound),
        cmocka_unit_test(a_schedule_waits_half_to_all_of_each_entry),
        cmocka_unit_test(a_breaker_opens_after_failures_in_a_row),
        cmocka_unit_test(an_open_breaker_waits_longer_each_time_and_closes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
