/*
 * tests/adapters/test_carrier.c -- the carrier contract against the simulator, and alliance-logistics over a real
 * database: booked once whatever happens to the answer, tracked to the door, put aside after the bound.
 */
#include "outbox_fixture.h"
#include "shipment_worker.h"
#include "simulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct simulator carrier;
    struct outbox_fixture fixture;
    struct logistics logistics;
};

static const struct logistics_options options = {
    .http_timeout_ms = 3000,
    .tracking_poll_ms = 3600000,
    .retry_base_ms = 3600000,
    .attempts_max = 3,
    .allow_loopback = true,
};

/* A world whose carrier has this fault (NULL for none). */
static void begin(struct world *world, const char *fault)
{
    const char *const arguments[] = { "--fault", fault, "--slow-s", "1", NULL };
    struct error err = { 0 };

    *world = (struct world){ 0 };
    simulator_start(&world->carrier, "carrier.py", 0, fault ? arguments : NULL);
    outbox_fixture_make(&world->fixture, world->carrier.port, 0);
    if (!logistics_init(&world->logistics, world->fixture.db, &world->fixture.key, &options, NULL, &err))
        fail_msg("%s", error_text(&err));
}

static void end(struct world *world)
{
    logistics_release(&world->logistics);
    outbox_fixture_release(&world->fixture);
    simulator_stop(&world->carrier);
}

/* Everything that waits is tried once. */
static size_t work(struct world *world)
{
    struct error err = { 0 };
    size_t handled, all = 0;

    outbox_fixture_hurry(&world->fixture);
    do {
        if (!logistics_round(&world->logistics, NULL, NULL, &handled, &err))
            fail_msg("%s", error_text(&err));
        all += handled;
    } while (handled > 0);
    return all;
}

struct shipment_view {
    struct uuid id;
    int16_t state;
    const char *waybill;
    int64_t events;
};
static const struct column view_params[] = { COLUMN(struct shipment_view, id) };
static const struct column view_columns[] = { COLUMN(struct shipment_view, state),
                                              COLUMN(struct shipment_view, waybill),
                                              COLUMN(struct shipment_view, events) };
static const struct statement view =
    STATEMENT("view_shipment",
              "SELECT s.state, s.waybill, (SELECT count(*) FROM shipment_event e WHERE e.bucket = 1 AND "
              "e.shipment_id = s.id) AS events FROM shipment s WHERE s.bucket = 1 AND s.id = $1",
              view_params, view_columns, sizeof(struct shipment_view));

static struct shipment_view shipment_of(struct world *world, struct arena *arena, const struct uuid *outbox_id)
{
    struct shipment_view row = { .id = outbox_fixture_redemption(outbox_id) };
    struct error err = { 0 };
    bool found;

    if (!db_fetch_one(world->fixture.db, &view, &row, arena, &row, &found, &err) || !found)
        fail_msg("no shipment: %s", error_text(&err));
    return row;
}

static void assert_shipment(struct world *world, const struct uuid *outbox_id, enum shipment_state state,
                            const char *begins, int64_t events)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct shipment_view row = shipment_of(world, &arena, outbox_id);

    assert_string_equal(shipment_state_name(row.state), shipment_state_name((int)state));
    if (strncmp(row.waybill, begins, 3) != 0 || (*row.waybill && !*begins))
        fail_msg("the waybill is \"%s\"", row.waybill);
    assert_int_equal(row.events, events);
}

static void assert_outbox(struct world *world, const struct uuid *outbox_id, int state, int attempts,
                          const char *last_error)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct outbox_state row = outbox_fixture_state(&world->fixture, outbox_id, &arena);

    assert_int_equal(row.state, state);
    assert_int_equal(row.attempts, attempts);
    if (!strstr(row.last_error, last_error))
        fail_msg("last_error is \"%s\"", row.last_error);
}

/* How many orders the carrier has, and how often the only one was posted. */
static void assert_ordered(struct world *world, size_t orders, int64_t posts)
{
    json_t *list = simulator_get(&world->carrier, "/orders");

    assert_int_equal(json_array_size(list), orders);
    if (orders == 1)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "posts")), posts);
    json_decref(list);
}

static void a_shipment_is_booked_and_followed_to_the_door(void **state)
{
    static const enum shipment_state steps[] = { SHIPMENT_COLLECTED, SHIPMENT_IN_TRANSIT, SHIPMENT_OUT_FOR_DELIVERY,
                                                 SHIPMENT_DELIVERED };
    struct world world;

    (void)state;
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    assert_int_equal(work(&world), 1);
    assert_outbox(&world, &id, 2, 1, "");
    assert_shipment(&world, &id, SHIPMENT_BOOKED, "SIM", 0);
    for (size_t i = 0; i < COUNT(steps); i++) {
        assert_int_equal(work(&world), 1);
        assert_shipment(&world, &id, steps[i], "SIM", (int64_t)i + 1);
    }
    assert_int_equal(work(&world), 0); /* nothing more to ask */
    end(&world);
}

static void the_carrier_gets_the_address_and_the_good(void **state)
{
    struct world world;
    const char *name, *city, *goods_id;
    int quantity;

    (void)state;
    begin(&world, NULL);
    outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    json_t *list = simulator_get(&world.carrier, "/orders");
    assert_int_equal(json_unpack(json_array_get(list, 0), "{s:{s:{s:s, s:s}, s:{s:s, s:i}}}", "order", "recipient",
                                 "name", &name, "city", &city, "goods", "goods_id", &goods_id, "quantity", &quantity),
                     0);
    assert_string_equal(name, "\xe6\x9d\x8e Li \"Test\"");
    assert_string_equal(city, "Shanghai");
    assert_string_equal(goods_id, "kettle");
    assert_int_equal(quantity, 2);
    json_decref(list);
    end(&world);
}

static void booked_once_though_the_answer_was_lost(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "lost-once");
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    assert_outbox(&world, &id, 1, 1, "");
    assert_shipment(&world, &id, SHIPMENT_CREATED, "", 0);
    assert_ordered(&world, 1, 1);
    work(&world);
    assert_outbox(&world, &id, 2, 2, "");
    assert_shipment(&world, &id, SHIPMENT_BOOKED, "SIM", 0);
    assert_ordered(&world, 1, 1); /* found by its order_id, not posted again */
    end(&world);
}

/* The worker dies after the carrier answered and before it wrote that down: its lease runs out, another takes over. */
static void a_crash_after_the_answer_books_once_too(void **state)
{
    struct world world;

    (void)state;
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    outbox_fixture_run(&world.fixture, "UPDATE outbox SET state = 1; UPDATE shipment SET state = 1, waybill = ''");
    work(&world);
    assert_outbox(&world, &id, 2, 2, "");
    assert_shipment(&world, &id, SHIPMENT_BOOKED, "SIM", 0);
    assert_ordered(&world, 1, 1);
    end(&world);
}

static void a_leased_row_is_left_alone(void **state)
{
    struct world world;
    struct error err = { 0 };
    size_t handled;

    (void)state;
    begin(&world, NULL);
    outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    outbox_fixture_run(&world.fixture, "UPDATE outbox SET leased_until = now() + interval '1 hour'");
    assert_true(logistics_round(&world.logistics, NULL, NULL, &handled, &err));
    assert_int_equal(handled, 0);
    assert_ordered(&world, 0, 0);
    end(&world);
}

static const struct {
    const char *story, *fault;
} trackings[] = {
    { "told twice", "duplicate" },
    { "told backwards", "out-of-order" },
    { "told in unknown words", "unknown-code" },
};

static void odd_reports_lead_to_the_door_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trackings); i++) {
        struct world world;
        begin(&world, trackings[i].fault);
        struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
        for (int round = 0; round < 5; round++)
            work(&world);
        assert_shipment(&world, &id, SHIPMENT_DELIVERED, "SIM", 4);
        end(&world);
    }
}

static void garbage_is_tried_again_and_put_aside_after_the_bound(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "garbage");
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    assert_outbox(&world, &id, 1, 1, "cannot be understood");
    work(&world);
    assert_outbox(&world, &id, 1, 2, "cannot be understood");
    work(&world);
    assert_outbox(&world, &id, 3, 3, "cannot be understood");
    assert_shipment(&world, &id, SHIPMENT_REFUSED, "", 0);
    assert_int_equal(work(&world), 0);
    end(&world);
}

static void what_the_carrier_refuses_is_put_aside_at_once(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "refuse");
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    assert_outbox(&world, &id, 3, 1, "HTTP 422");
    assert_shipment(&world, &id, SHIPMENT_REFUSED, "", 0);
    end(&world);
}

static void a_carrier_that_is_down_is_booked_with_when_it_is_up(void **state)
{
    struct world world;

    (void)state;
    begin(&world, NULL);
    uint16_t port = world.carrier.port;
    simulator_stop(&world.carrier);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    assert_outbox(&world, &id, 1, 1, "onnect");
    simulator_start(&world.carrier, "carrier.py", port, NULL);
    work(&world);
    assert_outbox(&world, &id, 2, 2, "");
    assert_ordered(&world, 1, 1);

    simulator_stop(&world.carrier); /* asking fails, but is never given up */
    for (int i = 0; i < options.attempts_max + 1; i++)
        work(&world);
    assert_shipment(&world, &id, SHIPMENT_BOOKED, "SIM", 0);
    end(&world);
}

static void a_failing_carrier_is_left_alone_for_a_while(void **state)
{
    struct world world;
    struct uuid ids[BREAKER_FAILURES + 1];

    (void)state;
    begin(&world, "error");
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    assert_outbox(&world, &ids[BREAKER_FAILURES - 1], 1, 1, "HTTP 500");
    assert_outbox(&world, &ids[BREAKER_FAILURES], 1, 0, "left alone"); /* no attempt was made, none is counted */
    uint16_t port = world.carrier.port;
    simulator_stop(&world.carrier);
    simulator_start(&world.carrier, "carrier.py", port, NULL);
    world.logistics.carriers[0].breaker.open_until_us = 0; /* the while is over */
    work(&world);
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_outbox(&world, &ids[i], 2, i < BREAKER_FAILURES ? 2 : 1, "");
    assert_ordered(&world, COUNT(ids), 0);
    end(&world);
}

static void a_slow_carrier_is_waited_for(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "slow");
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    work(&world);
    assert_outbox(&world, &id, 2, 1, "");
    end(&world);
}

static void an_address_that_cannot_be_opened_is_tried_again_with_a_bound(void **state)
{
    struct world world;

    (void)state;
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    outbox_fixture_run(&world.fixture,
                       "UPDATE redemption SET ship_to = set_byte(ship_to, 20, get_byte(ship_to, 20) # 1)");
    work(&world);
    /* The worker may have been started with the wrong key: the order is not lost by that. */
    assert_outbox(&world, &id, 1, 1, "sealed data was changed");
    for (int attempts = 2; attempts <= options.attempts_max; attempts++) {
        outbox_fixture_hurry(&world.fixture);
        work(&world);
    }
    assert_outbox(&world, &id, 3, options.attempts_max, "sealed data was changed");
    assert_ordered(&world, 0, 0);
    end(&world);
}

static void a_row_that_ends_its_workers_is_put_aside(void **state)
{
    struct world world;

    (void)state;
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    outbox_fixture_run(&world.fixture, "UPDATE outbox SET attempts = 3"); /* taken as often as may be, never settled */
    work(&world);
    assert_outbox(&world, &id, 3, 4, "ended their worker");
    assert_ordered(&world, 0, 0);
    end(&world);
}

static void the_program_works_and_ends_on_sigterm(void **state)
{
    static const char digits[] = "0707070707070707070707070707070707070707070707070707070707070707";
    char key_path[] = "/tmp/alliance-key-XXXXXX", database[TEST_CONNINFO + 32], key[64], port_file[128];
    struct simulator program = { 0 };
    struct world world;
    int16_t done = 0;

    (void)state;
    int file = mkstemp(key_path);
    assert_int_equal(write(file, digits, sizeof digits - 1), (ssize_t)sizeof digits - 1);
    close(file);
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_SHIPMENT);
    program_port_file(&program);
    snprintf(database, sizeof database, "ALLIANCE_DATABASE=%s", world.fixture.conninfo);
    snprintf(key, sizeof key, "ALLIANCE_DATA_KEY_FILE=%s", key_path);
    snprintf(port_file, sizeof port_file, "ALLIANCE_METRICS_PORT_FILE=%s", program.port_file);
    const char *const environment[] = { database,
                                        key,
                                        port_file,
                                        "ALLIANCE_ALLOW_LOOPBACK_PARTNERS=true",
                                        "ALLIANCE_WORKER_POLL_MS=10",
                                        "ALLIANCE_TRACKING_POLL_MS=10",
                                        NULL };
    program_launch(&program, BINARY_DIR "/bin/alliance-logistics", environment);
    for (int i = 0; i < 2000 && done != SHIPMENT_DELIVERED; i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        usleep(10000); /* another process is at work */
        if (outbox_fixture_state(&world.fixture, &id, &arena).state == 2)
            done = shipment_of(&world, &arena, &id).state;
    }
    assert_int_equal(done, SHIPMENT_DELIVERED);
    assert_int_equal(program_terminate(&program), 0);
    unlink(key_path);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shipment_is_booked_and_followed_to_the_door),
        cmocka_unit_test(the_carrier_gets_the_address_and_the_good),
        cmocka_unit_test(booked_once_though_the_answer_was_lost),
        cmocka_unit_test(a_crash_after_the_answer_books_once_too),
        cmocka_unit_test(a_leased_row_is_left_alone),
        cmocka_unit_test(odd_reports_lead_to_the_door_too),
        cmocka_unit_test(garbage_is_tried_again_and_put_aside_after_the_bound),
        cmocka_unit_test(what_the_carrier_refuses_is_put_aside_at_once),
        cmocka_unit_test(a_carrier_that_is_down_is_booked_with_when_it_is_up),
        cmocka_unit_test(a_failing_carrier_is_left_alone_for_a_while),
        cmocka_unit_test(a_slow_carrier_is_waited_for),
        cmocka_unit_test(an_address_that_cannot_be_opened_is_tried_again_with_a_bound),
        cmocka_unit_test(a_row_that_ends_its_workers_is_put_aside),
        cmocka_unit_test(the_program_works_and_ends_on_sigterm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
