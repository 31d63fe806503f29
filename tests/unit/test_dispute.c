/* Every state, step and side: what has no row is refused; and what amounts each step takes. */
#include "domain/dispute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define A SIDE_OPENER
#define B SIDE_OTHER
#define O SIDE_OPERATOR
#define C SIDE_CLOCK

/* Who may, told once more: columns are answer, agree, reject, escalate, decide, expire. */
static const int may[DISPUTE_EXPIRED + 1][DISPUTE_EXPIRE + 1] = {
    [DISPUTE_OPEN] = { 0, B, B, A, A, 0, C },
    [DISPUTE_ANSWERED] = { 0, 0, A | B, A, A | B, 0, C },
    [DISPUTE_ESCALATED] = { 0, 0, 0, 0, 0, O, 0 },
};
static const enum dispute_state ends[] = {
    0, DISPUTE_ANSWERED, DISPUTE_AGREED, DISPUTE_REJECTED, DISPUTE_ESCALATED, DISPUTE_AGREED, DISPUTE_EXPIRED
};

static void check(int from, int step, int side)
{
    struct dispute_life life = { (int16_t)from, 100, 100, "first", 0 };
    int64_t amount = step == DISPUTE_AGREE || step == DISPUTE_DECIDE ? 100 : 0;
    struct error err = { 0 };
    bool done = dispute_do(&life, (enum dispute_step)step, (enum dispute_side)side, amount, "second", &err);

    assert_int_equal(done, (may[from][step] & side) != 0);
    assert_int_equal(life.state, done ? (int)ends[step] : from);
    if (!done)
        assert_int_equal(err.reason, may[from][step] ? REASON_DISPUTE_TURN : REASON_DISPUTE_STATE);
}

static void every_pair_has_its_answer(void **state)
{
    (void)state;
    for (int from = DISPUTE_OPEN; from <= DISPUTE_EXPIRED; from++) {
        for (int step = DISPUTE_ANSWER; step <= DISPUTE_EXPIRE; step++) {
            for (int side = SIDE_OPENER; side <= SIDE_CLOCK; side *= 2)
                check(from, step, side);
        }
    }
}

static const struct {
    const char *story;
    struct dispute_life life;
    enum dispute_step step;
    enum dispute_side side;
    int64_t amount;
    const char *by;
    enum reason reason;
    int64_t offered, agreed;
    int state;
} cases[] = {
    { "a part is offered", { 1, 100, 0, "", 0 }, DISPUTE_ANSWER, B, 40, "b", REASON_OK, 40, 0, DISPUTE_ANSWERED },
    { "more than all", { 1, 100, 0, "", 0 }, DISPUTE_ANSWER, B, 101, "b", REASON_FIELD_INVALID, 0, 0, 1 },
    { "less than nothing", { 1, 100, 0, "", 0 }, DISPUTE_ANSWER, B, -1, "b", REASON_FIELD_INVALID, 0, 0, 1 },
    { "the other grants all", { 1, 100, 0, "", 0 }, DISPUTE_AGREE, B, 100, "b", REASON_OK, 0, 100, 3 },
    { "a part ends nothing", { 1, 100, 0, "", 0 }, DISPUTE_AGREE, B, 1, "b", REASON_APPROVAL_DIFFERS, 0, 0, 1 },
    { "the offer is taken", { 2, 100, 40, "b", 0 }, DISPUTE_AGREE, A, 40, "a", REASON_OK, 40, 40, 3 },
    { "more than the offer", { 2, 100, 40, "b", 0 }, DISPUTE_AGREE, A, 41, "a", REASON_APPROVAL_DIFFERS, 40, 0, 2 },
    { "no offer to take", { 2, 100, 0, "b", 0 }, DISPUTE_AGREE, A, 0, "a", REASON_APPROVAL_DIFFERS, 0, 0, 2 },
    { "escalated, no offer holds", { 2, 100, 40, "b", 0 }, DISPUTE_ESCALATE, A, 0, "a", REASON_OK, 0, 0, 5 },
    { "a step without an amount", { 2, 100, 0, "", 0 }, DISPUTE_ESCALATE, A, 1, "a", REASON_FIELD_INVALID, 0, 0, 2 },
    { "one person proposes", { 5, 100, 0, "", 0 }, DISPUTE_DECIDE, O, 60, "o", REASON_OK, 60, 0, 5 },
    { "and thinks better", { 5, 100, 60, "o", 0 }, DISPUTE_DECIDE, O, 70, "o", REASON_OK, 70, 0, 5 },
    { "saying it twice decides not", { 5, 100, 70, "o", 0 }, DISPUTE_DECIDE, O, 70, "o", REASON_OK, 70, 0, 5 },
    { "another says otherwise", { 5, 100, 70, "o", 0 }, DISPUTE_DECIDE, O, 60, "p", REASON_APPROVAL_DIFFERS, 70, 0, 5 },
    { "another says the same", { 5, 100, 70, "o", 0 }, DISPUTE_DECIDE, O, 70, "p", REASON_OK, 70, 70, 3 },
    { "nothing is granted", { 5, 100, 0, "o", 0 }, DISPUTE_DECIDE, O, 0, "p", REASON_OK, 0, 0, 4 },
};

static void each_step_takes_its_amount(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dispute_life life = cases[i].life;
        struct error err = { 0 };
        print_message("           %s\n", cases[i].story);
        bool done = dispute_do(&life, cases[i].step, cases[i].side, cases[i].amount, cases[i].by, &err);
        assert_int_equal(done ? REASON_OK : err.reason, cases[i].reason);
        assert_int_equal(life.offered_minor, cases[i].offered);
        assert_int_equal(life.agreed_minor, cases[i].agreed);
        assert_int_equal(life.state, cases[i].state);
        assert_int_equal(dispute_is_open(life.state), cases[i].state != 3 && cases[i].state != 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_has_its_answer),
        cmocka_unit_test(each_step_takes_its_amount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
