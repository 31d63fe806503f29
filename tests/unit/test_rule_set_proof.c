/* Validation names what every case, one by one, would show: conflicts, rules that never decide, amounts that do not
 * fit. */
#include "domain/rule_set_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct room {
    struct rule_set set;
    struct rule_proof proof;
    struct rule_findings findings;
};

static int setup(void **state)
{
    struct room *room = calloc(1, sizeof *room);

    room->set =
        (struct rule_set){ .largest_minor = LARGEST_MINOR_DEFAULT, .maximum_points = POINTS_MAX, .step_points = 1 };
    room->set.rules = (struct exchange_rules){ .accrual = { 1, 10 }, .rate_count = 2 };
    room->set.rules.rates[0] = (struct currency_rate){ "CNY", { 1, 1 }, { 7, 10 } };
    room->set.rules.rates[1] = (struct currency_rate){ "USD", { 7, 1 }, { 1, 10 } };
    *state = room;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static struct rule_match *add_rule(struct room *room, int32_t priority)
{
    struct earn_rule *rule = &room->set.earn_rules[room->set.earn_rule_count++];

    *rule = (struct earn_rule){ .priority = priority, .rate = { 1, 5 } };
    rule->match = (struct rule_match){ .last_tier = TIER_MAX,
                                       .first_date = { RULE_DATE_FIRST },
                                       .last_date = { RULE_DATE_LAST } };
    return &rule->match;
}

static void categories(struct rule_match *match, int32_t first, int32_t last)
{
    match->categories[match->category_count++] = (struct category_range){ first, last };
}

static bool found(const struct room *room, enum finding_kind kind, int32_t rule, int32_t other)
{
    for (size_t i = 0; i < room->findings.count; i++) {
        const struct rule_finding *finding = &room->findings.at[i];
        if (finding->kind == kind && finding->rule == rule && finding->other == other)
            return true;
    }
    return false;
}

static void prove(struct room *room)
{
    rule_set_prove(&room->set, &room->proof, &room->findings);
}

static void rules_of_one_priority_must_not_meet(void **state)
{
    struct room *room = *state;

    categories(add_rule(room, 1), 1000, 1999);
    categories(add_rule(room, 1), 1999, 2999);
    categories(add_rule(room, 1), 3000, 3999);
    categories(add_rule(room, 2), 1000, 1998);
    prove(room);
    assert_true(found(room, FINDING_CONFLICT, 0, 1));
    assert_int_equal(room->findings.count, 1);
    room->set.earn_rules[1].match.categories[0].first = 2000;
    prove(room);
    assert_int_equal(room->findings.count, 0);
}

/* No single rule covers it, but three together do: two by category, one by tier. */
static void a_rule_covered_by_several_is_unreachable(void **state)
{
    struct room *room = *state;

    categories(add_rule(room, 1), 1000, 1999);
    categories(add_rule(room, 2), 0, 1500);
    categories(add_rule(room, 2), 1502, 9999);
    struct rule_match *rest = add_rule(room, 3);
    rest->first_tier = 1;
    categories(rest, 1501, 1501);
    prove(room);
    assert_int_equal(room->findings.count, 0); /* category 1501 and tier 0 are left */
    rest->first_tier = 0;
    prove(room);
    assert_int_equal(room->findings.count, 1);
    assert_true(found(room, FINDING_UNREACHABLE, 0, -1));
}

static void a_day_that_never_comes_is_named(void **state)
{
    struct room *room = *state;
    struct rule_match *match = add_rule(room, 1);

    match->month_days = 1U << 8;
    match->weekdays = 1U << 6; /* Saturday */
    match->first_date = date_of(2026, 1, 1);
    match->last_date = date_of(2026, 7, 31);
    prove(room);
    assert_true(found(room, FINDING_NEVER_MATCHES, 0, -1));
    match->last_date = date_of(2026, 8, 8); /* a Saturday */
    prove(room);
    assert_int_equal(room->findings.count, 0);
}

static void the_largest_amount_is_tried_with_every_tier(void **state)
{
    struct room *room = *state;

    add_rule(room, 1)->last_tier = 4;
    room->set.earn_rules[0].rate = (struct ratio){ 10, 1 }; /* 10^11 * 10 is just POINTS_MAX */
    room->set.tier_count = 2;
    room->set.tiers[0] = (struct tier){ .tier = 1, .multiplier = { 1, 1 }, .conversion = { 1, 1 } };
    room->set.tiers[1] = (struct tier){ .tier = 5, .multiplier = { 11, 10 }, .conversion = { 1, 1 } };
    prove(room);
    assert_int_equal(room->findings.count, 0); /* the rule is not for tier 5 */
    room->set.earn_rules[0].match.last_tier = 5;
    prove(room);
    assert_int_equal(room->findings.count, 1);
    assert_true(found(room, FINDING_OVERFLOW, 0, -1));
    assert_int_equal(room->findings.at[0].tier, 1);
    room->set.rules.rates[1].settlement = (struct ratio){ 101, 1 };
    prove(room);
    assert_int_equal(room->findings.count, 2);
    assert_int_equal(room->findings.at[1].about, ABOUT_SETTLEMENT);
    assert_int_equal(room->findings.at[1].currency, 1);
}

/* Random sets in a small world, where every case can be tried. */

static uint32_t dice_state = 20260115;

static int32_t dice(int32_t sides)
{
    dice_state = dice_state * 1664525 + 1013904223;
    return (int32_t)((dice_state >> 8) % (uint32_t)sides);
}

static const char *const shops[] = { "", "a", "b" };
/* Rules are made of multiples of 10 and of 25: the world has those and what lies between. */
static const int32_t world_categories[] = { CATEGORY_UNKNOWN, 0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 9999 };
static const int32_t world_tiers[] = { 0, 1, 25, 26, 50, 51, 75, 76, 100 };

static void throw_rule(struct room *room)
{
    struct rule_match *match = add_rule(room, dice(3));

    match->currencies = (uint32_t)dice(4);
    for (int32_t n = dice(3); n > 0; n--) {
        int32_t first = dice(4) * 10;
        categories(match, first, dice(3) ? first + dice(3) * 10 : CATEGORY_MAX);
    }
    if (dice(2))
        strcpy(match->merchants[match->merchant_count++], shops[1 + dice(2)]);
    match->first_tier = dice(2) ? 0 : dice(4) * 25;
    match->last_tier = dice(2) ? TIER_MAX : match->first_tier + dice((TIER_MAX - match->first_tier) / 25 + 1) * 25;
    if (dice(3) == 0)
        match->month_days = 1U << (1 + dice(31));
    if (dice(3) == 0)
        match->weekdays = (uint32_t)(1 + dice(127)) << 1;
}

/* The rules that match, as a set; the brute force: no sets of rules, no conditions by kind. */
static void try_all(const struct room *room, uint64_t *seen, size_t *count)
{
    for (size_t c = 0; c < 2; c++) {
        for (size_t k = 0; k < COUNT(world_categories) * COUNT(shops) * COUNT(world_tiers); k++) {
            struct rule_case where = { .currency = room->set.rules.rates[c].currency,
                                       .channel = "",
                                       .category = world_categories[k % COUNT(world_categories)],
                                       .merchant_id = shops[k / COUNT(world_categories) % COUNT(shops)],
                                       .tier = world_tiers[k / COUNT(world_categories) / COUNT(shops)] };
            for (where.date = date_of(2026, 1, 1); where.date.days < date_of(2026, 1, 1).days + 1461;
                 where.date.days++) {
                uint64_t set = 0;
                for (int32_t i = 0; i < room->set.earn_rule_count; i++)
                    set |= (uint64_t)rule_match_holds(&room->set.earn_rules[i].match, &room->set.rules, &where) << i;
                size_t s = 0;
                while (s < *count && seen[s] != set)
                    s++;
                if (s == *count)
                    seen[(*count)++] = set;
            }
        }
    }
}

static bool decides_somewhere(const struct room *room, int32_t rule, const uint64_t *seen, size_t count)
{
    uint64_t above = 0;

    for (int32_t i = 0; i < room->set.earn_rule_count; i++)
        above |= (uint64_t)(room->set.earn_rules[i].priority > room->set.earn_rules[rule].priority) << i;
    for (size_t s = 0; s < count; s++) {
        if ((seen[s] >> rule & 1) != 0 && (seen[s] & above) == 0)
            return true;
    }
    return false;
}

static bool meet_somewhere(int32_t a, int32_t b, const uint64_t *seen, size_t count)
{
    for (size_t s = 0; s < count; s++) {
        if ((seen[s] >> a & 1) != 0 && (seen[s] >> b & 1) != 0)
            return true;
    }
    return false;
}

static void the_proof_agrees_with_every_case(void **state)
{
    struct room *room = *state;
    int conflicts = 0, unreachable = 0, fine = 0;

    for (int round = 0; round < 12; round++) {
        uint64_t seen[1024];
        size_t count = 0;
        room->set.earn_rule_count = 0;
        for (int32_t n = 2 + dice(5); n > 0; n--)
            throw_rule(room);
        prove(room);
        try_all(room, seen, &count);
        for (int32_t i = 0; i < room->set.earn_rule_count; i++) {
            bool never = found(room, FINDING_UNREACHABLE, i, -1) || found(room, FINDING_NEVER_MATCHES, i, -1);
            assert_int_equal(never, !decides_somewhere(room, i, seen, count));
            unreachable += never;
            fine += !never;
            for (int32_t k = i + 1; k < room->set.earn_rule_count; k++) {
                bool same = room->set.earn_rules[i].priority == room->set.earn_rules[k].priority;
                bool named = found(room, FINDING_CONFLICT, i, k);
                assert_int_equal(named, same && meet_somewhere(i, k, seen, count));
                conflicts += named;
            }
        }
    }
    print_message("           %d rules fine, %d unreachable, %d conflicts\n", fine, unreachable, conflicts);
    assert_true(conflicts > 0 && unreachable > 0 && fine > 0);
}

/* Ranges and names thrown so that nearly every value has a set of rules of its own. */
static void throw_tangle(struct rule_match *match)
{
    for (int32_t n = 0; n < MATCH_CATEGORIES_MAX; n++) {
        int32_t first = dice(CATEGORY_MAX - 200);
        categories(match, first, first + dice(200));
    }
    for (match->merchant_count = 0; match->merchant_count < MATCH_NAMES_MAX; match->merchant_count++)
        snprintf(match->merchants[match->merchant_count], sizeof(rule_name), "shop-%d", (int)dice(60));
}

/* It is said of the rule, and no other is called wrong for it. */
static void what_cannot_be_proved_is_entangled(void **state)
{
    struct room *room = *state;

    for (int32_t i = 0; i < EARN_RULES_MAX - 1; i++)
        throw_tangle(add_rule(room, 1 + i));
    add_rule(room, 0);
    prove(room);
    assert_true(found(room, FINDING_ENTANGLED, EARN_RULES_MAX - 1, -1));
    assert_false(found(room, FINDING_ENTANGLED, EARN_RULES_MAX - 2, -1));
    assert_false(found(room, FINDING_UNREACHABLE, EARN_RULES_MAX - 1, -1));
}

/* Days alone can be too many. */
static void all_of_it_can_be_entangled(void **state)
{
    struct room *room = *state;

    for (int32_t i = 0; i < EARN_RULES_MAX; i++) {
        struct rule_match *match = add_rule(room, 1 + i);
        match->first_date.days = date_of(2020, 1, 1).days + 200 * i;
        match->last_date.days = match->first_date.days + 100 + dice(10000);
        match->month_days = ((uint32_t)dice(1 << 15) << 16 | (uint32_t)dice(1 << 16)) << 1;
        match->weekdays = (uint32_t)dice(128) << 1;
    }
    prove(room);
    assert_true(found(room, FINDING_ENTANGLED, -1, -1));
    assert_int_equal(room->findings.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cannot_be_proved_is_entangled, setup, teardown),
        cmocka_unit_test_setup_teardown(all_of_it_can_be_entangled, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_one_priority_must_not_meet, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rule_covered_by_several_is_unreachable, setup, teardown),
        cmocka_unit_test_setup_teardown(a_day_that_never_comes_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_amount_is_tried_with_every_tier, setup, teardown),
        cmocka_unit_test_setup_teardown(the_proof_agrees_with_every_case, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
