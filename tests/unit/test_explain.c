/* Why an entry is what it is: exact fractions, and a sentence with the right numbers for every kind of entry. */
#include "service/explain_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    int64_t value, num, den;
    const char *text;
} fractions[] = {
    { 12, 1, 1, "12" },
    { 0, 7, 10, "0" },
    { 257, 1, 10, "25.7" },
    { 1, 1, 1000000000, "0.000000001" },
    { 5, 1, 8, "0.625" },
    { 10, 1, 3, "3 1/3" },
    { 24, 10, 35, "6 30/35" },
    { -7, 1, 2, "-3.5" },
    { -1, 1, 3, "-0 1/3" },
    { INT64_MAX, 1000000000, 1, "9223372036854775807000000000" },
    { INT64_MIN, 1, 1, "-9223372036854775808" },
    { INT64_MAX, 1, INT64_MAX, "1" },
};

static void fractions_are_exact(void **state)
{
    char text[EXPLAIN_FRACTION];

    (void)state;
    for (size_t i = 0; i < COUNT(fractions); i++) {
        explain_fraction(fractions[i].value, fractions[i].num, fractions[i].den, text);
        assert_string_equal(text, fractions[i].text);
    }
}

static const char *no_funding(const void *owner, int32_t funding_no)
{
    (void)owner;
    return funding_no == 4 ? "spring" : "";
}

/* An entry of that kind of 10 points, after one that left credit used of 3. */
struct scene {
    struct entry entry, before;
    struct lots lots;
    struct exchange_rules rules;
    struct terms terms;
    struct explain_facts facts;
    struct arena arena;
    struct explain_steps steps;
};

static void set_scene(struct scene *scene, int kind)
{
    *scene = (struct scene){ .entry = { .seq = 8,
                                        .kind = (int16_t)kind,
                                        .points = 10,
                                        .business_date = date_of(2026, 1, 15),
                                        .currency = "CNY",
                                        .credit_limit_after = 50 },
                             .before = { .seq = 7, .credit_used_after = 3, .credit_limit_after = 50 } };
    scene->lots.count = 1;
    scene->lots.at[0] = (struct lot){ date_of(2027, 2, 1), 4, 7 };
    scene->rules = (struct exchange_rules){
        .version = 3, .expiry_kind = EXPIRY_END_OF_MONTH, .expiry_months = 12, .accrual = { 1, 10 }, .rate_count = 1
    };
    scene->rules.rates[0] = (struct currency_rate){ "CNY", { 1, 1 }, { 7, 10 } };
    scene->terms = (struct terms){ .version = 2, .commission_bp = 250, .currency = "CNY" };
    scene->facts = (struct explain_facts){ .entry = &scene->entry,
                                           .before = &scene->before,
                                           .lots = &scene->lots,
                                           .rules = &scene->rules,
                                           .rules_then = &scene->rules,
                                           .terms = &scene->terms,
                                           .funding_name = no_funding };
    scene->steps.arena = &scene->arena;
}

static bool says(const struct explain_steps *steps, const char *part)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (strstr(steps->at[i], part))
            return true;
    }
    return false;
}

static const struct {
    int kind; /* enum entry_kind */
    const char *says;
} kinds[] = {
    { ENTRY_MEMBER, "no points moved" },
    { ENTRY_ACCRUE, "is not known any more" },
    { ENTRY_HOLD, "Lots are drawn first to expire first, then the credit limit." },
    { ENTRY_CONFIRM, "10 points x settlement rate 7 minor units per 10 points = 7, " },
    { ENTRY_CANCEL, "The merchant cancelled the hold of 10 points." },
    { ENTRY_LAPSE, "so it lapsed" },
    { ENTRY_RELEASE, "10 go back" },
    { ENTRY_REVERSE, "0 before and 10 now" },
    { ENTRY_EXPIRE, "On business date 2026-01-15 these lots were over, 10 points together." },
    { ENTRY_FORFEIT, "10 of the points given back by entry 7 " },
    { ENTRY_PEND, "is not known any more" },
    { ENTRY_MATURE, "The business date came on which 10 pending points may be spent." },
    { ENTRY_CLAWBACK, "The bank took 10 points of an accrual back" },
    { ENTRY_CLAWBACK_PENDING, "still pending" },
    { ENTRY_ADJUST_ADD, "The operator added 10 points by hand." },
    { ENTRY_ADJUST_TAKE, "The operator took 10 points by hand" },
    { ENTRY_TRANSFER_OUT, "10 points left for another member" },
    { ENTRY_TRANSFER_IN, "10 points came from another member" },
    { ENTRY_TRANSFER_BACK, "could not receive 10 points" },
    { ENTRY_REINSTATE, "The operator gave 10 expired points back." },
    { ENTRY_CLOSE, "The member was closed; its 10 available points are gone." },
    { ENTRY_CLOSE_PENDING, "The member was closed; its 10 pending points are gone." },
    { ENTRY_PENDING_OUT, "10 pending points left with a merge" },
    { ENTRY_PENDING_IN, "10 pending points came with a merge" },
    { ENTRY_CREDIT_OUT, "3 points repaid credit used, which went from 3 to 0." },
    { ENTRY_CREDIT_IN, "Credit used moves along" },
    { ENTRY_REOPEN, "was rolled back; its 10 available points came back." },
    { ENTRY_REOPEN_PENDING, "was rolled back; its 10 pending points came back." },
};

static void every_kind_is_explained(void **state)
{
    (void)state;
    assert_int_equal(COUNT(kinds), ENTRY_KIND_COUNT - ENTRY_MEMBER);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct scene *scene = calloc(1, sizeof *scene);
        enum ledger_account from, to;
        char went[100];
        assert_non_null(scene);
        set_scene(scene, kinds[i].kind);
        explain_entry(&scene->facts, &scene->steps);
        assert_false(scene->steps.failed);
        if (!says(&scene->steps, kinds[i].says))
            fail_msg("%s says nothing of \"%s\" but \"%s\" ...", entry_kind_name(kinds[i].kind), kinds[i].says,
                     scene->steps.at[0]);
        entry_accounts(kinds[i].kind, &from, &to);
        snprintf(went, sizeof went, "So 10 points went from %s to %s.", ledger_account_name(from),
                 ledger_account_name(to));
        assert_true(says(&scene->steps, went) == (from != LEDGER_NONE));
        arena_release(&scene->arena);
        free(scene);
    }
}

static void a_lot_names_who_pays(void **state)
{
    static struct scene scene;

    (void)state;
    set_scene(&scene, ENTRY_EXPIRE);
    explain_entry(&scene.facts, &scene.steps);
    assert_true(says(&scene.steps, "Expired: 7 points that expire on 2027-02-01, paid for by funding spring."));
    arena_release(&scene.arena);
}

static void as_many_lots_as_a_member_may_have_are_named(void **state)
{
    static struct scene scene;

    (void)state;
    set_scene(&scene, ENTRY_HOLD);
    scene.lots.count = LOTS_MAX;
    for (int i = 0; i < LOTS_MAX; i++)
        scene.lots.at[i] = (struct lot){ { 20000 + i }, 0, i + 1 };
    explain_entry(&scene.facts, &scene.steps);
    assert_true(says(&scene.steps, "Taken: 128 points"));
    assert_true(says(&scene.steps, "So 10 points went from member.available to member.held."));
    arena_release(&scene.arena);
}

static void a_full_arena_is_told(void **state)
{
    static struct scene scene;

    (void)state;
    set_scene(&scene, ENTRY_HOLD);
    scene.arena.limit = 100;
    explain_entry(&scene.facts, &scene.steps);
    assert_true(scene.steps.failed);
    arena_release(&scene.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fractions_are_exact),  cmocka_unit_test(every_kind_is_explained),
        cmocka_unit_test(a_lot_names_who_pays), cmocka_unit_test(as_many_lots_as_a_member_may_have_are_named),
        cmocka_unit_test(a_full_arena_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
