/* Every state with every event: where there is no row, it is refused with what is to be done first. */
#include "domain/rule_set_life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Columns: validate, approve, schedule, cancel; 0: refused. */
static const enum rule_set_state expected[RULE_SET_CANCELLED + 1][RULE_SET_CANCEL + 1] = {
    [RULE_SET_DRAFT] = { [RULE_SET_VALIDATE] = RULE_SET_VALIDATED },
    [RULE_SET_VALIDATED] = { [RULE_SET_APPROVE] = RULE_SET_APPROVED },
    [RULE_SET_APPROVED] = { [RULE_SET_SCHEDULE] = RULE_SET_SCHEDULED },
    [RULE_SET_SCHEDULED] = { [RULE_SET_CANCEL] = RULE_SET_CANCELLED },
};

static void every_pair_has_its_answer(void **state)
{
    (void)state;
    for (int from = RULE_SET_DRAFT; from <= RULE_SET_CANCELLED; from++) {
        for (int event = RULE_SET_VALIDATE; event <= RULE_SET_CANCEL; event++) {
            struct error err = { 0 };
            enum rule_set_state to = 0;
            bool moved = rule_set_move((enum rule_set_state)from, (enum rule_set_event)event, &to, &err);
            assert_int_equal(to, expected[from][event]);
            assert_int_equal(moved, to != 0);
            if (!moved) {
                assert_int_equal(err.reason, REASON_RULE_SET_STATE);
                assert_true(err.detail[0] != '\0');
            }
        }
    }
}

/* From its first instant to the one before the next version's first. */
static void time_alone_makes_it_active_and_superseded(void **state)
{
    struct instant from = { 1000 }, until = { 2000 };

    (void)state;
    assert_int_equal(rule_set_state_at(RULE_SET_SCHEDULED, from, until, (struct instant){ 999 }), RULE_SET_SCHEDULED);
    assert_int_equal(rule_set_state_at(RULE_SET_SCHEDULED, from, until, (struct instant){ 1000 }), RULE_SET_ACTIVE);
    assert_int_equal(rule_set_state_at(RULE_SET_SCHEDULED, from, until, (struct instant){ 1999 }), RULE_SET_ACTIVE);
    assert_int_equal(rule_set_state_at(RULE_SET_SCHEDULED, from, until, (struct instant){ 2000 }), RULE_SET_SUPERSEDED);
    assert_int_equal(rule_set_state_at(RULE_SET_CANCELLED, from, until, (struct instant){ 1500 }), RULE_SET_CANCELLED);
    assert_int_equal(rule_set_state_at(RULE_SET_DRAFT, from, until, (struct instant){ 1500 }), RULE_SET_DRAFT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_has_its_answer),
        cmocka_unit_test(time_alone_makes_it_active_and_superseded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
