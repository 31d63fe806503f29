/* What caps of a rule set count: days and months end, rules come and go, and what is packed is read again. */
#include "domain/earn_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct earn_rule rule_named(const char *name, int64_t per_day, int64_t per_month)
{
    struct earn_rule rule = { .caps = { .per_day = per_day, .per_month = per_month } };

    snprintf(rule.name, sizeof rule.name, "%s", name);
    return rule;
}

static struct spend looked(const struct earn_counts *counts, const struct earn_rule *rule)
{
    struct spend spend = { 0 };

    earn_counts_look(counts, rule, &spend);
    return spend;
}

static void days_and_months_end(void **state)
{
    const struct earn_rule capped = rule_named("groceries", 10, 0), free_of = rule_named("all", 0, 0),
                           now_capped = rule_named("all", 0, 10);
    static const struct {
        int year, month, day;
        int64_t today, month_points; /* before the 5 points that come */
    } days[] = {
        { 2024, 2, 28, 0, 0 },  { 2024, 2, 28, 5, 5 },  { 2024, 2, 29, 0, 10 },
        { 2024, 2, 29, 5, 15 }, { 2024, 3, 1, 0, 0 },   { 2024, 3, 31, 0, 5 },
        { 2025, 3, 31, 0, 0 },  { 2025, 12, 31, 0, 0 }, { 2026, 1, 1, 0, 0 },
    };
    struct earn_counts counts = { 0 };
    static struct rule_set set;

    (void)state;
    for (size_t i = 0; i < COUNT(days); i++) {
        earn_counts_begin(&counts, date_of(days[i].year, days[i].month, days[i].day));
        struct spend spend = looked(&counts, &capped);
        assert_int_equal(spend.earned_today, days[i].today);
        assert_int_equal(spend.earned_this_month, days[i].month_points);
        assert_int_equal(spend.rule_today, days[i].today);
        assert_int_equal(spend.rule_this_month, days[i].month_points);
        earn_counts_add(&counts, &set, &capped, 5);
        assert_int_equal(looked(&counts, &free_of).rule_today, 0);
    }
    earn_counts_add(&counts, &set, &free_of, 3);
    earn_counts_add(&counts, &set, NULL, 4);
    assert_int_equal(counts.rule_count, 2);
    assert_int_equal(looked(&counts, &now_capped).rule_this_month, 3); /* by the next version it has a cap */
    assert_int_equal(counts.day_points, 12);
    assert_int_equal(looked(&counts, NULL).earned_this_month, 12);
}

/* More rules than there is room for in a month: those that are no longer of the set go. */
static void rules_that_are_gone_make_room(void **state)
{
    static struct rule_set old, new;
    static struct earn_counts counts;

    (void)state;
    for (int i = 0; i < EARN_RULES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "old-%d", i);
        old.earn_rules[old.earn_rule_count++] = rule_named(name, 10, 10);
        snprintf(name, sizeof name, "new-%d", i);
        new.earn_rules[new.earn_rule_count++] = rule_named(i == 0 ? "old-0" : name, 10, 10);
    }
    earn_counts_begin(&counts, date_of(2026, 1, 15));
    for (int i = 0; i < EARN_RULES_MAX; i++)
        earn_counts_add(&counts, &old, &old.earn_rules[i], 1);
    for (int i = 0; i < EARN_RULES_MAX; i++)
        earn_counts_add(&counts, &new, &new.earn_rules[i], 2);
    assert_int_equal(counts.rule_count, EARN_RULES_MAX);
    assert_int_equal(looked(&counts, &new.earn_rules[0]).rule_today, 3);
    assert_int_equal(looked(&counts, &new.earn_rules[63]).rule_this_month, 2);
    assert_int_equal(counts.month_points, 3 * EARN_RULES_MAX);
}

static void what_is_packed_is_read_again(void **state)
{
    const struct earn_rule rules[] = { rule_named("a", 1, 0), rule_named("a-name-of-thirty-two-letters-ab", 0, 1) };
    static uint8_t packed[EARN_COUNTS_MAX * PACKED_EARN_COUNT + 1];
    static struct earn_counts counts, again;
    static struct rule_set set;

    (void)state;
    earn_counts_begin(&counts, date_of(2026, 1, 15));
    assert_int_equal(packed_earn_counts(&counts, packed), 0);
    earn_counts_add(&counts, &set, &rules[0], POINTS_MAX);
    earn_counts_add(&counts, &set, &rules[1], 7);
    size_t size = packed_earn_counts(&counts, packed);
    assert_int_equal(size, 2 * PACKED_EARN_COUNT);
    assert_true(unpack_earn_counts(packed, size, &again));
    assert_int_equal(again.rule_count, 2);
    assert_string_equal(again.rules[1].rule, rules[1].name);
    assert_int_equal(again.rules[0].month_points, POINTS_MAX);
    assert_false(unpack_earn_counts(packed, size - 1, &again));
    assert_false(unpack_earn_counts(packed, sizeof packed + PACKED_EARN_COUNT - 1, &again));
    packed[ID_MAX] = 0x80; /* fewer than none */
    assert_false(unpack_earn_counts(packed, size, &again));
    memset(packed, 0, PACKED_EARN_COUNT); /* of no rule */
    assert_false(unpack_earn_counts(packed, size, &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_months_end),
        cmocka_unit_test(rules_that_are_gone_make_room),
        cmocka_unit_test(what_is_packed_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
