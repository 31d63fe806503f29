/* Which tier spend makes a member: reached at once, kept for its period and grace, lost on the first of a month. */
#include "domain/tier_review.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SILVER = 1, GOLD = 2, CHOSEN = 3 };

/* Silver for 5,000 and gold for 10,000 within 12 months, kept 3 more; "chosen" is the bank's word. */
static struct rule_set year_set(void)
{
    return (struct rule_set){
        .base = BASE_WHOLE,
        .tiers = { { .tier = SILVER,
                     .name = "silver",
                     .currency = "CNY",
                     .qualifying_minor = 5000,
                     .period_months = 12,
                     .grace_months = 3 },
                   { .tier = GOLD,
                     .name = "gold",
                     .currency = "CNY",
                     .qualifying_minor = 10000,
                     .period_months = 12,
                     .grace_months = 3 },
                   { .tier = CHOSEN, .name = "chosen" } },
        .tier_count = 3,
    };
}

/* A member as a lane treats one. */
struct member {
    struct rule_set set;
    struct tier_review review;
    struct date since, due;
    int32_t tier, version;
};

static void come(struct member *member, struct date today)
{
    const struct tier_rules rules = { &member->set, member->version, member->since };

    member->tier = tier_review_time(&member->review, &rules, member->tier, member->due, today);
    member->due = tier_review_lost_on(&member->review, &member->set, member->tier);
}

static void spend(struct member *member, struct date today, struct date spent_on, int64_t minor)
{
    come(member, today);
    tier_review_add(&member->review, &member->set, tier_spend_month(spent_on, today), "CNY", minor);
    const struct tier *reached = minor > 0 ? tier_review_reached(&member->review, &member->set) : NULL;
    if (reached && reached->tier > member->tier)
        member->tier = reached->tier;
    member->due = tier_review_lost_on(&member->review, &member->set, member->tier);
}

static void say(struct member *member, struct date today, int32_t tier)
{
    come(member, today);
    member->tier = tier;
    tier_review_say(&member->review, &member->set, tier);
    member->due = tier_review_lost_on(&member->review, &member->set, member->tier);
}

enum act { LOOK, SPEND, BACK, SAY };
struct step {
    const char *today;
    enum act act;
    int64_t value;        /* minor units; SAY: the tier */
    const char *spent_on; /* NULL: today */
    int32_t tier;         /* afterwards */
    const char *lost_on;  /* "": never */
};

static struct date day(const char *text)
{
    struct date date;

    assert_true(date_parse(text, &date));
    return date;
}

static void play(const char *story, struct member *member, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct date today = day(steps[i].today), spent_on = steps[i].spent_on ? day(steps[i].spent_on) : today;
        char lost_on[DATE_TEXT] = "";
        if (steps[i].act == LOOK)
            come(member, today);
        else if (steps[i].act == SAY)
            say(member, today, (int32_t)steps[i].value);
        else
            spend(member, today, spent_on, steps[i].act == BACK ? -steps[i].value : steps[i].value);
        struct date lost = tier_review_lost_on(&member->review, &member->set, member->tier);
        if (lost.days != 0)
            date_format(lost, lost_on);
        if (member->tier != steps[i].tier || strcmp(lost_on, steps[i].lost_on) != 0)
            fail_msg("%s, step %zu: tier %d until %s", story, i, member->tier, lost_on);
    }
}
#define PLAY(story, set_, ...)                                                                                         \
    do {                                                                                                               \
        const struct step told[] = { __VA_ARGS__ };                                                                    \
        struct member *played = calloc(1, sizeof *played);                                                             \
        played->set = (set_);                                                                                          \
        played->version = 1;                                                                                           \
        play(story, played, told, COUNT(told));                                                                        \
        free(played);                                                                                                  \
    } while (0)

static void up_at_once_down_after_grace(void **state)
{
    (void)state;
    PLAY("one below and then the edge", year_set(), { "2026-03-10", SPEND, 4999, NULL, 0, "" },
         { "2026-03-10", SPEND, 1, NULL, SILVER, "2027-06-01" },
         { "2026-03-11", SPEND, 4999, NULL, SILVER, "2027-06-01" },
         { "2026-03-12", SPEND, 1, NULL, GOLD, "2027-06-01" }, { "2027-05-31", LOOK, 0, NULL, GOLD, "2027-06-01" },
         { "2027-06-01", LOOK, 0, NULL, 0, "" });
    PLAY("both at once", year_set(), { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" });
    PLAY("gold falls to silver, which goes on", year_set(), { "2026-03-10", SPEND, 6000, NULL, SILVER, "2027-06-01" },
         { "2026-05-10", SPEND, 5000, NULL, GOLD, "2027-06-01" }, { "2027-05-31", LOOK, 0, NULL, GOLD, "2027-06-01" },
         { "2027-06-01", LOOK, 0, NULL, SILVER, "2027-08-01" }, { "2027-08-01", LOOK, 0, NULL, 0, "" });
    PLAY("earned back in the grace", year_set(), { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" },
         { "2027-05-31", SPEND, 9999, NULL, GOLD, "2027-06-01" }, { "2027-05-31", SPEND, 1, NULL, GOLD, "2028-08-01" });
    PLAY("earned back too late", year_set(), { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" },
         { "2027-06-01", SPEND, 1, NULL, 0, "" }, { "2027-06-01", SPEND, 9999, NULL, GOLD, "2028-09-01" });
    PLAY("nothing", year_set(), { "2026-03-10", LOOK, 0, NULL, 0, "" }, { "2036-03-10", LOOK, 0, NULL, 0, "" });
}

/* Whether somebody looked each day, or nobody did for years, comes to the same. */
static void who_looks_and_when_does_not_matter(void **state)
{
    struct member *daily = calloc(1, sizeof *daily), *seldom = calloc(1, sizeof *seldom);
    uint32_t seed = 11;

    (void)state;
    daily->set = seldom->set = year_set();
    for (int32_t today = date_of(2026, 1, 1).days; today < date_of(2032, 1, 1).days; today++) {
        struct date date = { today };
        seed = seed * 1664525 + 1013904223;
        come(daily, date);
        if (seed % 211 == 0 && today < date_of(2029, 6, 1).days) {
            int64_t minor = 1 + (seed >> 8) % 5000;
            spend(daily, date, date, minor);
            spend(seldom, date, date, minor);
        }
        if (seed % 97 == 0)
            come(seldom, date);
        if (seed % 97 == 0 || seed % 211 == 0)
            assert_int_equal(daily->tier, seldom->tier);
    }
    come(seldom, date_of(2032, 1, 1));
    assert_int_equal(daily->tier, seldom->tier);
    free(daily);
    free(seldom);
}

static void periods_end_with_months(void **state)
{
    struct rule_set month = year_set(), two = year_set();

    (void)state;
    month.tiers[0].period_months = month.tiers[1].period_months = 1;
    month.tiers[0].grace_months = month.tiers[1].grace_months = 0;
    two.tiers[0].period_months = two.tiers[1].period_months = 2;
    two.tiers[0].grace_months = two.tiers[1].grace_months = 0;
    PLAY("over the year's end", two, { "2026-12-31", SPEND, 5000, NULL, SILVER, "2027-02-01" },
         { "2027-01-01", SPEND, 5000, NULL, GOLD, "2027-02-01" }, { "2027-02-01", LOOK, 0, NULL, SILVER, "2027-03-01" },
         { "2027-03-01", LOOK, 0, NULL, 0, "" });
    PLAY("a leap day is February's", month, { "2028-02-29", SPEND, 5000, NULL, SILVER, "2028-03-01" },
         { "2028-02-29", LOOK, 0, NULL, SILVER, "2028-03-01" }, { "2028-03-01", LOOK, 0, NULL, 0, "" });
    PLAY("a late purchase counts in its month", two, { "2027-01-02", SPEND, 5000, "2026-12-31", SILVER, "2027-02-01" });
    PLAY("too late for the period", month, { "2027-01-02", SPEND, 5000, "2026-12-31", 0, "" });
    PLAY("a purchase ahead of the business date counts with it", month,
         { "2026-12-31", SPEND, 5000, "2027-01-01", SILVER, "2027-01-01" });
    PLAY("older than any period", year_set(), { "2032-01-02", SPEND, 90000, "2026-12-31", 0, "" });
}

static void what_comes_back_counts_no_more(void **state)
{
    struct rule_set no_grace = year_set();

    (void)state;
    no_grace.tiers[0].grace_months = no_grace.tiers[1].grace_months = 0;
    PLAY("the grace begins with the return", year_set(), { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" },
         { "2026-04-10", BACK, 1, "2026-03-10", GOLD, "2026-08-01" },
         { "2026-07-31", LOOK, 0, NULL, GOLD, "2026-08-01" }, { "2026-08-01", LOOK, 0, NULL, SILVER, "2027-06-01" });
    PLAY("all of it", year_set(), { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" },
         { "2026-04-10", BACK, 10000, "2026-03-10", GOLD, "2026-08-01" }, { "2026-08-01", LOOK, 0, NULL, 0, "" });
    PLAY("without grace it ends with the month", no_grace, { "2026-03-10", SPEND, 5000, NULL, SILVER, "2027-03-01" },
         { "2026-03-11", BACK, 5000, "2026-03-10", SILVER, "2026-04-01" },
         { "2026-03-31", LOOK, 0, NULL, SILVER, "2026-04-01" }, { "2026-04-01", LOOK, 0, NULL, 0, "" });
    PLAY("it does not go below nothing", year_set(), { "2026-03-10", SPEND, 100, NULL, 0, "" },
         { "2026-03-10", BACK, 500, NULL, 0, "" }, { "2026-03-10", SPEND, 5000, NULL, SILVER, "2027-06-01" });
}

static void the_banks_word_stands_for_a_period(void **state)
{
    struct rule_set spend_for_chosen = year_set();

    (void)state;
    PLAY("as if it were reached", year_set(), { "2026-03-10", SAY, GOLD, NULL, GOLD, "2027-06-01" },
         { "2027-05-31", LOOK, 0, NULL, GOLD, "2027-06-01" }, { "2027-06-01", LOOK, 0, NULL, 0, "" });
    PLAY("for good", year_set(), { "2026-03-10", SAY, CHOSEN, NULL, CHOSEN, "" },
         { "2046-03-10", LOOK, 0, NULL, CHOSEN, "" });
    PLAY("less than was spent, until the next purchase", year_set(),
         { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" }, { "2026-04-10", SAY, 0, NULL, 0, "" },
         { "2026-05-10", LOOK, 0, NULL, 0, "" }, { "2026-05-10", SPEND, 1, NULL, GOLD, "2027-06-01" });
    PLAY("a tier nobody knows why of", year_set(), { "2026-03-10", SPEND, 1, NULL, 0, "" });
    struct member *member = calloc(1, sizeof *member);
    member->set = year_set();
    member->tier = GOLD;
    const struct step steps[] = { { "2026-03-10", LOOK, 0, NULL, GOLD, "2027-06-01" },
                                  { "2027-05-01", LOOK, 0, NULL, GOLD, "2027-06-01" },
                                  { "2027-06-01", LOOK, 0, NULL, 0, "" } };
    play("a tier from before", member, steps, 3);
    free(member);
    /* Above the bank's word by spend, and back to it. */
    spend_for_chosen.tiers[0].qualifying_minor = 0;
    PLAY("down to the bank's word", spend_for_chosen, { "2026-03-10", SAY, SILVER, NULL, SILVER, "" },
         { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" }, { "2027-06-01", LOOK, 0, NULL, SILVER, "" });
    PLAY("and a lower word takes a higher one back", year_set(), { "2026-03-10", SAY, CHOSEN, NULL, CHOSEN, "" },
         { "2026-03-10", SAY, SILVER, NULL, SILVER, "2027-06-01" });
    struct rule_set above = year_set();
    above.tiers[3] =
        (struct tier){ .tier = 4, .currency = "CNY", .qualifying_minor = 100, .period_months = 1, .grace_months = 0 };
    above.tier_count = 4;
    PLAY("for whoever comes down from above", above, { "2026-03-10", SAY, CHOSEN, NULL, CHOSEN, "" },
         { "2026-03-10", SAY, SILVER, NULL, SILVER, "2027-06-01" }, { "2026-03-10", SPEND, 100, NULL, 4, "2026-04-01" },
         { "2026-04-01", LOOK, 0, NULL, SILVER, "2027-06-01" });
    PLAY("which is no tier one falls to otherwise", spend_for_chosen,
         { "2026-03-10", SPEND, 10000, NULL, GOLD, "2027-06-01" }, { "2027-06-01", LOOK, 0, NULL, 0, "" });
}

static void another_version_asks_for_something_else(void **state)
{
    struct member *member = calloc(1, sizeof *member);

    (void)state;
    member->set = year_set();
    member->version = 1;
    spend(member, day("2026-03-10"), day("2026-03-10"), 6000);
    say(member, day("2026-03-10"), CHOSEN);
    member->set.tiers[1].qualifying_minor = 6001;
    member->set.tiers[2] = (struct tier){
        .tier = CHOSEN, .currency = "CNY", .qualifying_minor = 20000, .period_months = 6, .grace_months = 1
    };
    member->version = 2;
    member->since = day("2026-05-02");
    const struct step steps[] = { { "2026-05-10", LOOK, 0, NULL, CHOSEN, "2026-12-01" },
                                  { "2026-06-10", SPEND, 1, NULL, CHOSEN, "2026-12-01" },
                                  { "2026-12-01", LOOK, 0, NULL, GOLD, "2027-06-01" } };
    play("what was for good is kept for a period", member, steps, 3);
    assert_int_equal(member->review.rules_version, 2);
    free(member);
}

/* Silver since March 2026; another version asks for more, or keeps it longer. */
static void what_was_is_not_undone(void **state)
{
    static const struct {
        const char *story, *since, *looked;
        int64_t needed;
        int32_t grace, tier;
        const char *lost_on;
    } rows[] = {
        { "the same", "2026-05-02", "2026-05-02", 5000, 3, SILVER, "2027-06-01" },
        { "more: until the month it began", "2026-05-02", "2026-05-02", 6000, 3, SILVER, "2026-09-01" },
        { "whoever looks when", "2026-05-02", "2026-08-31", 6000, 3, SILVER, "2026-09-01" },
        { "and then it is over", "2026-05-02", "2026-09-01", 6000, 3, 0, "" },
        { "more, when it was in its grace", "2027-04-02", "2027-04-02", 6000, 3, SILVER, "2027-06-01" },
        { "longer grace, begun within it", "2027-05-31", "2027-06-10", 5000, 12, SILVER, "2028-03-01" },
        { "longer grace, too late", "2027-06-01", "2027-06-10", 5000, 12, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct member *member = calloc(1, sizeof *member);
        member->set = year_set();
        member->version = 1;
        spend(member, day("2026-03-10"), day("2026-03-10"), 5000);
        member->version = 2;
        member->since = day(rows[i].since);
        member->set.tiers[0].qualifying_minor = rows[i].needed;
        member->set.tiers[0].grace_months = rows[i].grace;
        const struct step look[] = { { rows[i].looked, LOOK, 0, NULL, rows[i].tier, rows[i].lost_on } };
        play(rows[i].story, member, look, 1);
        free(member);
    }
}

static void only_what_earns_counts(void **state)
{
    struct rule_set set = year_set();
    static const struct {
        const char *story;
        struct tier_spend spend;
        enum accrual_base base;
        int64_t expected;
    } rows[] = {
        { "all of it", { "CNY", "", 1000, 400 }, BASE_WHOLE, 1000 },
        { "but for the points", { "CNY", "", 1000, 400 }, BASE_LESS_POINTS, 600 },
        { "by a rule that earns", { "CNY", "groceries", 1000, 0 }, BASE_WHOLE, 1000 },
        { "by one that excludes", { "CNY", "gambling", 1000, 0 }, BASE_WHOLE, 0 },
        { "another currency", { "USD", "", 1000, 0 }, BASE_WHOLE, 0 },
    };

    (void)state;
    strcpy(set.earn_rules[0].name, "groceries");
    strcpy(set.earn_rules[1].name, "gambling");
    set.earn_rules[1].excluded = true;
    set.earn_rule_count = 2;
    for (size_t i = 0; i < COUNT(rows); i++) {
        set.base = rows[i].base;
        if (tier_qualifying(&set, &rows[i].spend) != rows[i].expected)
            fail_msg("%s", rows[i].story);
    }
    assert_int_equal(tier_qualifying(NULL, &rows[0].spend), 0);
    assert_true(tier_reviews(&set));
    set.tier_count = 0;
    assert_false(tier_reviews(&set));
    assert_false(tier_reviews(NULL));
}

/* The largest sums there can be, in all currencies and months. */
static void it_is_never_full(void **state)
{
    struct member *member = calloc(1, sizeof *member);

    (void)state;
    for (int32_t i = 0; i < TIERS_MAX; i++) {
        member->set.tiers[i] =
            (struct tier){ .tier = i + 1, .qualifying_minor = AMOUNT_MINOR_MAX, .period_months = 60 };
        memcpy(member->set.tiers[i].currency, (char[]){ 'A', 'A', (char)('A' + i), 0 }, CURRENCY_TEXT);
    }
    member->set.tier_count = TIERS_MAX;
    for (int month = 0; month < 130; month++) {
        struct date today = date_of(2026 + month / 12, month % 12 + 1, 1);
        come(member, today);
        for (int32_t i = 0; i < TIERS_MAX; i++)
            for (int n = 0; n < 3; n++)
                tier_review_add(&member->review, &member->set, tier_month_of(today), member->set.tiers[i].currency,
                                INT64_MAX / 2);
    }
    assert_int_equal(member->review.month_count, TIER_MONTHS_MAX);
    assert_int_equal(tier_review_spent(&member->review, &member->set.tiers[3]), 60 * TIER_MONTH_MINOR_MAX);
    for (int32_t i = 0; i < TIERS_MAX; i++) { /* a version with other currencies, and other tiers */
        member->set.tiers[i].currency[0] = 'B';
        member->set.tiers[i].tier += TIERS_MAX;
    }
    for (int32_t i = 0; i < TIERS_MAX; i++)
        tier_review_add(&member->review, &member->set, member->review.month, member->set.tiers[i].currency,
                        AMOUNT_MINOR_MAX);
    assert_int_equal(member->review.month_count, TIERS_MAX);
    assert_int_equal(member->review.mark_count, TIERS_MAX);
    free(member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_at_once_down_after_grace),
        cmocka_unit_test(who_looks_and_when_does_not_matter),
        cmocka_unit_test(periods_end_with_months),
        cmocka_unit_test(what_comes_back_counts_no_more),
        cmocka_unit_test(the_banks_word_stands_for_a_period),
        cmocka_unit_test(another_version_asks_for_something_else),
        cmocka_unit_test(what_was_is_not_undone),
        cmocka_unit_test(only_what_earns_counts),
        cmocka_unit_test(it_is_never_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
