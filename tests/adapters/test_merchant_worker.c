/*
 * tests/adapters/test_merchant_worker.c -- alliance-merchants over a real database against the merchant simulator: told
 * once in the receiver's eyes, whatever happens to the answer; put aside after the bound.
 */
#include "outbox_fixture.h"
#include "simulator.h"
#include "webhook_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct simulator merchant;
    struct outbox_fixture fixture;
    struct merchants merchants;
};

static const struct merchants_options options = {
    .http_timeout_ms = 3000,
    .retry_base_ms = 3600000,
    .attempts_max = 3,
    .allow_loopback = true,
};

static void begin_with_secret(struct world *world, const char *fault, const char *secret)
{
    const char *arguments[] = { "--secret", secret, "--fault", fault, NULL };
    struct error err = { 0 };

    *world = (struct world){ 0 };
    if (!fault)
        arguments[2] = NULL;
    simulator_start(&world->merchant, "merchant.py", 0, arguments);
    outbox_fixture_make(&world->fixture, 0, world->merchant.port);
    if (!merchants_init(&world->merchants, world->fixture.db, &world->fixture.key, &options, NULL, &err))
        fail_msg("%s", error_text(&err));
}

/* A world whose merchant has this fault (NULL for none). */
static void begin(struct world *world, const char *fault)
{
    begin_with_secret(world, fault, FIXTURE_SECRET);
}

static void end(struct world *world)
{
    merchants_release(&world->merchants);
    outbox_fixture_release(&world->fixture);
    simulator_stop(&world->merchant);
}

/* Everything that waits is tried once. */
static size_t work(struct world *world)
{
    struct error err = { 0 };
    size_t handled, all = 0;

    outbox_fixture_hurry(&world->fixture);
    do {
        if (!merchants_round(&world->merchants, NULL, NULL, &handled, &err))
            fail_msg("%s", error_text(&err));
        all += handled;
    } while (handled > 0);
    return all;
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

/* What the merchant took in: so many messages, each delivered so often; and refused none. */
static void assert_received(struct world *world, size_t messages, int64_t deliveries)
{
    json_t *received = simulator_get(&world->merchant, "/received");
    json_t *refused = simulator_get(&world->merchant, "/refused");

    assert_int_equal(json_array_size(received), messages);
    for (size_t i = 0; i < messages; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(received, i), "deliveries")), deliveries);
    assert_int_equal(json_integer_value(json_object_get(refused, "count")), 0);
    json_decref(received);
    json_decref(refused);
}

static void a_confirmation_is_told_as_it_was(void **state)
{
    struct world world;
    char redemption_id[UUID_TEXT + 5], webhook_id[UUID_TEXT + 5];

    (void)state;
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    assert_int_equal(work(&world), 1);
    assert_outbox(&world, &id, 2, 1, "");
    json_t *received = simulator_get(&world.merchant, "/received");
    struct uuid redemption = outbox_fixture_redemption(&id);
    uuid_format(&redemption, redemption_id);
    strcat(redemption_id, ".abcd");
    uuid_format(&id, webhook_id);
    strcat(webhook_id, "-abcd");
    json_t *expected =
        json_pack("[{s:s, s:i, s:o, s:{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:i, s:s, s:s}}}]", "id", webhook_id,
                  "deliveries", 1, "timestamp", json_incref(json_object_get(json_array_get(received, 0), "timestamp")),
                  "event", "type", "redemption.confirmed", "timestamp", "2026-11-22T01:02:03Z", "data", "redemption_id",
                  redemption_id, "merchant_id", "shop", "store_id", "main", "points", 500, "gross_minor", 1234,
                  "currency", "CNY", "business_date", "2026-11-22");
    assert_non_null(expected);
    if (!json_equal(received, expected))
        fail_msg("received %s", json_dumps(received, 0));
    json_decref(expected);
    json_decref(received);
    assert_received(&world, 1, 1);
    assert_int_equal(work(&world), 0);
    end(&world);
}

static const struct {
    const char *story, *fault, *first_error;
    int64_t deliveries;
} recoveries[] = {
    { "an error once", "error-once", "HTTP 500", 1 },
    { "busy once", "busy-once", "HTTP 429", 1 },
    { "received, but the answer was lost", "lost-once", "", 2 },
};

static void a_failure_is_tried_again_and_the_receiver_sees_one_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(recoveries); i++) {
        struct world world;
        begin(&world, recoveries[i].fault);
        struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
        work(&world);
        assert_outbox(&world, &id, 1, 1, recoveries[i].first_error);
        work(&world);
        assert_outbox(&world, &id, 2, 2, "");
        assert_received(&world, 1, recoveries[i].deliveries);
        end(&world);
    }
}

static void a_failure_waits_by_the_schedule(void **state)
{
    struct error err = { 0 };
    struct world world;
    size_t handled;

    (void)state;
    begin(&world, "error-once");
    outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    work(&world);
    assert_true(merchants_round(&world.merchants, NULL, NULL, &handled, &err)); /* nobody hurries it now */
    assert_int_equal(handled, 0);
    outbox_fixture_run(&world.fixture, "DO $$ BEGIN ASSERT (SELECT bool_and(next_attempt_at BETWEEN now() + interval "
                                       "'29 minutes' AND now() + interval '60 minutes') FROM outbox); END $$");
    end(&world);
}

static void a_redirect_is_a_failure(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "redirect");
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    work(&world);
    assert_outbox(&world, &id, 1, 1, "HTTP 302");
    end(&world);
}

static void the_bound_puts_it_aside(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "error");
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    for (int attempt = 1; attempt < options.attempts_max; attempt++) {
        work(&world);
        assert_outbox(&world, &id, 1, attempt, "HTTP 500");
    }
    work(&world);
    assert_outbox(&world, &id, 3, options.attempts_max, "HTTP 500");
    assert_int_equal(work(&world), 0);
    assert_received(&world, 0, 0);
    end(&world);
}

static void gone_disables_the_endpoint(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "gone");
    struct uuid first = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    struct uuid second = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    work(&world);
    assert_outbox(&world, &first, 3, 1, "HTTP 410");
    assert_outbox(&world, &second, 3, 1, "disabled");
    outbox_fixture_run(&world.fixture, "DO $$ BEGIN ASSERT (SELECT NOT webhook_enabled FROM merchant); END $$");
    end(&world);
}

/* The receiver refuses what is signed with another secret than its own: the check on the other side is real. */
static void a_wrong_secret_is_refused_by_the_receiver(void **state)
{
    struct world world;

    (void)state;
    begin_with_secret(&world, NULL, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    work(&world);
    assert_outbox(&world, &id, 1, 1, "HTTP 400");
    json_t *refused = simulator_get(&world.merchant, "/refused");
    assert_string_equal(json_string_value(json_object_get(refused, "last")), "the signature is wrong");
    json_decref(refused);
    end(&world);
}

static void what_cannot_be_sent_is_put_aside_at_once(void **state)
{
    static const struct {
        const char *sql, *says;
    } damages[] = {
        { "UPDATE operation SET kind = 5", "no webhook event for this kind" },
        { "DELETE FROM operation", "is not there" },
        { "UPDATE merchant SET webhook_enabled = false", "disabled" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(damages); i++) {
        struct world world;
        begin(&world, NULL);
        struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
        outbox_fixture_run(&world.fixture, damages[i].sql);
        work(&world);
        assert_outbox(&world, &id, 3, 1, damages[i].says);
        assert_received(&world, 0, 0);
        end(&world);
    }
}

/* The worker may have been started with the wrong key: the message is not lost by that. */
static void a_secret_that_cannot_be_opened_is_tried_again(void **state)
{
    struct world world;

    (void)state;
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    outbox_fixture_run(&world.fixture, "UPDATE merchant SET webhook_secret = '\\x00'");
    work(&world);
    assert_outbox(&world, &id, 1, 1, "sealed data is cut");
    assert_received(&world, 0, 0);
    end(&world);
}

static void a_row_that_ends_its_workers_is_put_aside(void **state)
{
    struct world world;

    (void)state;
    begin(&world, NULL);
    struct uuid id = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    outbox_fixture_run(&world.fixture, "UPDATE outbox SET attempts = 3"); /* taken as often as may be, never settled */
    work(&world);
    assert_outbox(&world, &id, 3, 4, "ended their worker");
    assert_received(&world, 0, 0);
    end(&world);
}

static bool stop_at_once(void *owner)
{
    ++*(int *)owner;
    return true;
}

static void a_round_stops_between_rows(void **state)
{
    struct error err = { 0 };
    struct world world;
    size_t handled;
    int asked = 0;

    (void)state;
    begin(&world, NULL);
    outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    assert_true(merchants_round(&world.merchants, stop_at_once, &asked, &handled, &err));
    assert_int_equal(handled, 0);
    assert_int_equal(asked, 1);
    end(&world);
}

static bool done_within_patience(struct world *world, const struct uuid *id)
{
    for (int i = 0; i < 1500; i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        if (outbox_fixture_state(&world->fixture, id, &arena).state == 2)
            return true;
        usleep(10000); /* another process is at work */
    }
    return false;
}

static void the_program_survives_a_lost_connection_and_ends_on_sigterm(void **state)
{
    static const char digits[] = "0707070707070707070707070707070707070707070707070707070707070707";
    char key_path[] = "/tmp/alliance-key-XXXXXX", database[TEST_CONNINFO + 32], key[64], port_file[128];
    struct simulator program = { 0 };
    struct world world;

    (void)state;
    int file = mkstemp(key_path);
    assert_int_equal(write(file, digits, sizeof digits - 1), (ssize_t)sizeof digits - 1);
    close(file);
    begin(&world, NULL);
    program_port_file(&program);
    snprintf(database, sizeof database, "ALLIANCE_DATABASE=%s", world.fixture.conninfo);
    snprintf(key, sizeof key, "ALLIANCE_DATA_KEY_FILE=%s", key_path);
    snprintf(port_file, sizeof port_file, "ALLIANCE_METRICS_PORT_FILE=%s", program.port_file);
    const char *const environment[] = {
        database, key, port_file, "ALLIANCE_ALLOW_LOOPBACK_PARTNERS=true", "ALLIANCE_WORKER_POLL_MS=10", NULL
    };
    program_launch(&program, BINARY_DIR "/bin/alliance-merchants", environment);
    struct uuid first = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    assert_true(done_within_patience(&world, &first));
    outbox_fixture_run(&world.fixture, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                       "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    struct uuid second = outbox_fixture_confirm(&world.fixture, OUTBOX_WEBHOOK);
    assert_true(done_within_patience(&world, &second));
    assert_received(&world, 2, 1);
    assert_int_equal(program_terminate(&program), 0);
    unlink(key_path);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_confirmation_is_told_as_it_was),
        cmocka_unit_test(a_failure_is_tried_again_and_the_receiver_sees_one_message),
        cmocka_unit_test(a_failure_waits_by_the_schedule),
        cmocka_unit_test(a_redirect_is_a_failure),
        cmocka_unit_test(the_bound_puts_it_aside),
        cmocka_unit_test(gone_disables_the_endpoint),
        cmocka_unit_test(a_wrong_secret_is_refused_by_the_receiver),
        cmocka_unit_test(what_cannot_be_sent_is_put_aside_at_once),
        cmocka_unit_test(a_secret_that_cannot_be_opened_is_tried_again),
        cmocka_unit_test(a_row_that_ends_its_workers_is_put_aside),
        cmocka_unit_test(a_round_stops_between_rows),
        cmocka_unit_test(the_program_survives_a_lost_connection_and_ends_on_sigterm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
