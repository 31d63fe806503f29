/* tests/unit/test_shipment.c -- every pair of state and event, and the rules of time and rank. */
#include "alliance/v1/operator_service.pb-c.h"
#include "shipment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What becomes of each state (row) by each event (column): the first letter of the new state, "." for no move. */
static const struct {
    enum shipment_state from;
    const char *by; /* booked refused collected moved out delivered problem back */
} expected[] = {
    { SHIPMENT_NONE, "........" },      { SHIPMENT_CREATED, "BX......" },    { SHIPMENT_BOOKED, "..CTODER" },
    { SHIPMENT_COLLECTED, "..CTODER" }, { SHIPMENT_IN_TRANSIT, "...TODER" }, { SHIPMENT_OUT_FOR_DELIVERY, "...TODER" },
    { SHIPMENT_DELIVERED, "........" }, { SHIPMENT_EXCEPTION, "..CTODER" },  { SHIPMENT_RETURNED, "........" },
    { SHIPMENT_REFUSED, "........" },
};
static const char letters[SHIPMENT_STATES + 1] = "?NBCTODERX";

static void every_pair_moves_or_refuses_as_it_should(void **state)
{
    (void)state;
    assert_int_equal(COUNT(expected), SHIPMENT_STATES);
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(strlen(expected[i].by), SHIPMENT_EVENTS);
        for (int event = 0; event < SHIPMENT_EVENTS; event++) {
            const struct shipment_transition *row = shipment_transition(expected[i].from, (enum shipment_event)event);
            char found = row ? letters[row->to] : '.';
            if (found != expected[i].by[event])
                fail_msg("%s by event %d: %c", shipment_state_name((int)expected[i].from), event, found);
            if (row)
                assert_true(row->sentence[0]);
        }
    }
}

static void final_states_are_those_without_a_way_out(void **state)
{
    (void)state;
    for (size_t i = 1; i < COUNT(expected); i++) {
        bool stuck = strcmp(expected[i].by, "........") == 0;
        assert_int_equal(shipment_is_final(expected[i].from), stuck);
    }
}

static void the_numbers_are_those_of_the_contract(void **state)
{
    const ProtobufCEnumDescriptor *contract = &alliance__v1__shipment_state__descriptor;
    char name[64];

    (void)state;
    assert_int_equal(contract->n_values, SHIPMENT_STATES);
    for (int i = 1; i < SHIPMENT_STATES; i++) {
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(contract, i);
        assert_non_null(value);
        snprintf(name, sizeof name, "SHIPMENT_STATE_%s", shipment_state_name(i));
        assert_string_equal(value->name, name);
    }
    assert_string_equal(shipment_state_name(SHIPMENT_STATES), "?");
    assert_string_equal(shipment_state_name(-1), "?");
}

static const struct {
    const char *story;
    struct shipment_head head;
    int64_t at_us;
    enum shipment_event event;
    bool moves;
    struct shipment_head after;
    /* clang-format off */
} reports[] = {
    { "the first report", { SHIPMENT_BOOKED, { 0 } }, 50, SHIPMENT_WAS_COLLECTED, true, { SHIPMENT_COLLECTED, { 50 } } },
    { "a newer one further on", { SHIPMENT_COLLECTED, { 50 } }, 60, SHIPMENT_MOVED, true, { SHIPMENT_IN_TRANSIT, { 60 } } },
    { "another scan moves the time", { SHIPMENT_IN_TRANSIT, { 60 } }, 70, SHIPMENT_MOVED, true, { SHIPMENT_IN_TRANSIT, { 70 } } },
    { "a late one stays behind", { SHIPMENT_OUT_FOR_DELIVERY, { 60 } }, 59, SHIPMENT_MOVED, false, { SHIPMENT_OUT_FOR_DELIVERY, { 60 } } },
    { "a late delivery too", { SHIPMENT_OUT_FOR_DELIVERY, { 60 } }, 59, SHIPMENT_WAS_DELIVERED, false, { SHIPMENT_OUT_FOR_DELIVERY, { 60 } } },
    { "the same time, further on", { SHIPMENT_IN_TRANSIT, { 60 } }, 60, SHIPMENT_GOES_OUT, true, { SHIPMENT_OUT_FOR_DELIVERY, { 60 } } },
    { "the same time, not as far", { SHIPMENT_OUT_FOR_DELIVERY, { 60 } }, 60, SHIPMENT_MOVED, false, { SHIPMENT_OUT_FOR_DELIVERY, { 60 } } },
    { "the same time, the same state", { SHIPMENT_IN_TRANSIT, { 60 } }, 60, SHIPMENT_MOVED, false, { SHIPMENT_IN_TRANSIT, { 60 } } },
    { "back at the depot, a day later", { SHIPMENT_OUT_FOR_DELIVERY, { 60 } }, 90, SHIPMENT_MOVED, true, { SHIPMENT_IN_TRANSIT, { 90 } } },
    { "collected long after it moved", { SHIPMENT_IN_TRANSIT, { 60 } }, 90, SHIPMENT_WAS_COLLECTED, false, { SHIPMENT_IN_TRANSIT, { 60 } } },
    { "delivered is final", { SHIPMENT_DELIVERED, { 60 } }, 90, SHIPMENT_CAME_BACK, false, { SHIPMENT_DELIVERED, { 60 } } },
    { "returned is final", { SHIPMENT_RETURNED, { 60 } }, 90, SHIPMENT_WAS_DELIVERED, false, { SHIPMENT_RETURNED, { 60 } } },
    { "a problem is not the end", { SHIPMENT_EXCEPTION, { 60 } }, 90, SHIPMENT_WAS_DELIVERED, true, { SHIPMENT_DELIVERED, { 90 } } },
    { "nothing moves before it is booked", { SHIPMENT_CREATED, { 0 } }, 90, SHIPMENT_MOVED, false, { SHIPMENT_CREATED, { 0 } } },
};
/* clang-format on */

static void the_head_moves_by_time_and_rank(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reports); i++) {
        struct shipment_head head = reports[i].head;
        const struct tracking_event report = { { reports[i].at_us }, reports[i].event, true, "X", "" };
        bool moved = shipment_advance(&head, &report);
        if (moved != reports[i].moves || head.state != reports[i].after.state || head.at.us != reports[i].after.at.us)
            fail_msg("%s: %s at %ld", reports[i].story, shipment_state_name((int)head.state), (long)head.at.us);
    }
}

/* Every order in which four reports can arrive in one answer leads to the same head. */
static void the_order_of_arrival_does_not_matter(void **state)
{
    static const struct tracking_event story[4] = {
        { { 10 }, SHIPMENT_WAS_COLLECTED, true, "C", "" },
        { { 20 }, SHIPMENT_MOVED, true, "T", "" },
        { { 20 }, SHIPMENT_GOES_OUT, true, "O", "" },
        { { 30 }, SHIPMENT_WAS_DELIVERED, true, "D", "" },
    };

    (void)state;
    for (int order = 0; order < 256; order++) {
        int at[4] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 };
        struct tracking_event arrived[4];
        if ((1 << at[0] | 1 << at[1] | 1 << at[2] | 1 << at[3]) != 15)
            continue;
        for (int i = 0; i < 4; i++)
            arrived[i] = story[at[i]];
        struct shipment_head head = { SHIPMENT_BOOKED, { 0 } };
        shipment_sort(arrived, 4);
        for (int i = 0; i < 4; i++) {
            assert_string_equal(arrived[i].code, story[i].code);
            assert_true(shipment_advance(&head, &arrived[i]));
        }
        assert_int_equal(head.state, SHIPMENT_DELIVERED);
    }
    shipment_sort(NULL, 0);
}

static void a_report_is_known_again_and_no_other_is_taken_for_it(void **state)
{
    const struct tracking_event report = { { 1000000 }, SHIPMENT_MOVED, true, "IN_TRANSIT", "left" };
    struct tracking_event others[4] = { report, report, report, report };
    uint8_t key[DEDUPE_BYTES], again[DEDUPE_BYTES];

    (void)state;
    shipment_dedupe_key("W1", &report, key);
    shipment_dedupe_key("W1", &others[0], again);
    assert_memory_equal(key, again, sizeof key);
    others[0].at.us++;
    others[1].code = "IN_TRANSI";
    others[2].remark = "";
    for (size_t i = 0; i < 3; i++) {
        shipment_dedupe_key("W1", &others[i], again);
        assert_memory_not_equal(key, again, sizeof key);
    }
    shipment_dedupe_key("W2", &report, again);
    assert_memory_not_equal(key, again, sizeof key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_moves_or_refuses_as_it_should),
        cmocka_unit_test(final_states_are_those_without_a_way_out),
        cmocka_unit_test(the_numbers_are_those_of_the_contract),
        cmocka_unit_test(the_head_moves_by_time_and_rank),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(a_report_is_known_again_and_no_other_is_taken_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
