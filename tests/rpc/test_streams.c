/* Bidirectional and client streams: order, back-pressure, half-close, errors in the middle, and how they are let go. */
#include "toy.h"

#include "alliance/v1/bank_service.pb-c.h"
#include "alliance/v1/operator_service.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT 10000

static int setup(void **state)
{
    *state = toy_start(NULL);
    return 0;
}

static int teardown(void **state)
{
    toy_stop(*state);
    return 0;
}

static struct client_stream *open_members(struct client *client, int64_t timeout_ms)
{
    struct client_stream *stream;
    struct error err = { 0 };

    assert_true(
        client_stream_open(client, &alliance__v1__bank_service__descriptor, "PushMembers", timeout_ms, &stream, &err));
    return stream;
}

static bool send_rows(struct client_stream *stream, const char *bank_id, size_t count)
{
    Alliance__V1__PushMembersRequest request = ALLIANCE__V1__PUSH_MEMBERS_REQUEST__INIT;
    Alliance__V1__MemberRow rows[8], *pointers[8];

    for (size_t i = 0; i < count; i++) {
        alliance__v1__member_row__init(&rows[i]);
        rows[i].row_number = 100 + (int64_t)i;
        pointers[i] = &rows[i];
    }
    request.bank_id = (char *)(uintptr_t)bank_id;
    request.n_rows = count;
    request.rows = pointers;
    return client_stream_send(stream, &request.base);
}

/* How many verdicts the next message has; -1 when there is none. */
static int receive_verdicts(struct client_stream *stream)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    ProtobufCMessage *message;

    if (!client_stream_receive(stream, &alliance__v1__push_members_response__descriptor, &arena, &message))
        return -1;
    const Alliance__V1__PushMembersResponse *response = (const void *)message;
    for (size_t i = 0; i < response->n_verdicts; i++)
        assert_int_equal(response->verdicts[i]->row_number, 100 + (int)i);
    return (int)response->n_verdicts;
}

static struct client_status finish(struct client_stream *stream)
{
    struct client_status status;
    bool good = client_stream_finish(stream, &status);

    assert_int_equal(good, status.code == STATUS_OK);
    return status;
}

static void each_message_is_answered_in_order(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream = open_members(client, TIMEOUT);

    for (size_t rows = 0; rows < 8; rows++) {
        assert_true(send_rows(stream, "a", rows));
        assert_int_equal(receive_verdicts(stream), rows);
    }
    assert_true(client_stream_half_close(stream));
    assert_int_equal(receive_verdicts(stream), -1);
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_OK);
    toy_wait_done(toy, 1);
    toy_wait_closed(toy, 1);
    assert_int_equal(toy->done[0], REASON_OK);
    assert_int_equal(toy->handled, 9);
    client_close(client);
    assert_int_equal(toy->closed, 1);
}

static void a_stream_without_messages_ends_well(void **state)
{
    struct client *client = toy_client(*state, "alliance://bank/a");
    struct client_stream *stream = open_members(client, TIMEOUT);

    assert_true(client_stream_half_close(stream));
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_OK);
    client_close(client);
}

/* The sender runs ahead; the server reads the second message only when the first is answered. */
static void one_message_at_a_time_is_in_the_works(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream = open_members(client, TIMEOUT);

    for (int i = 0; i < 3; i++)
        assert_true(send_rows(stream, "hold", 1));
    for (int i = 1; i <= 3; i++) {
        toy_wait_held(toy, 1);
        for (int k = 0; k < 20; k++) /* time enough for a second one to come, if it did */
            toy_ping(client, "x", TIMEOUT);
        assert_int_equal(toy->held_count, 1);
        toy_answer(toy);
        assert_int_equal(receive_verdicts(stream), 0);
    }
    client_stream_half_close(stream);
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_OK);
    client_close(client);
}

static void an_error_in_the_middle_ends_the_stream(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream = open_members(client, TIMEOUT);

    assert_true(send_rows(stream, "a", 2));
    assert_int_equal(receive_verdicts(stream), 2);
    assert_true(send_rows(stream, "fail", 2));
    assert_int_equal(receive_verdicts(stream), -1);
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_NOT_YOURS);
    assert_string_equal(status.field, "bank_id");
    toy_wait_closed(toy, 1);
    client_close(client);
}

static void a_malformed_message_ends_the_stream(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream = open_members(client, TIMEOUT);

    assert_true(send_rows(stream, "a", 1));
    assert_int_equal(receive_verdicts(stream), 1);
    assert_true(client_stream_send_raw(stream, "\x0a\x02\xff\xff", 4));
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_MESSAGE_MALFORMED);
    assert_string_equal(status.field, "bank_id");
    assert_int_equal(toy->handled, 1);
    toy_wait_closed(toy, 1);
    client_close(client);
}

static void a_stream_of_the_wrong_role_is_refused(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://merchant/m");
    struct client_stream *stream = open_members(client, TIMEOUT);

    client_stream_half_close(stream);
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_ROLE_NOT_ALLOWED);
    toy_wait_done(toy, 1);
    assert_int_equal(toy->closed, 0); /* its handler never ran */
    client_close(client);
}

static void a_cancelled_stream_is_closed_once(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream = open_members(client, TIMEOUT);

    assert_true(send_rows(stream, "a", 1));
    assert_int_equal(receive_verdicts(stream), 1);
    client_stream_cancel(stream);
    assert_int_equal(finish(stream).code, STATUS_CANCELLED);
    toy_wait_closed(toy, 1);
    toy_wait_done(toy, 1);
    assert_int_equal(toy->done[0], REASON_CANCELLED);
    client_close(client);
    assert_int_equal(toy->closed, 1);
}

/* Whoever holds the call may still look at its state: close waits for the release. */
static void a_cancelled_stream_that_is_held_waits_for_its_holder(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream = open_members(client, TIMEOUT);

    assert_true(send_rows(stream, "hold", 1));
    struct call *call = toy_first_held(toy);
    client_stream_cancel(stream);
    assert_int_equal(finish(stream).code, STATUS_CANCELLED);
    for (int i = 0; i < 1000 && !call_cancelled(call); i++)
        toy_ping(client, "x", TIMEOUT);
    assert_true(call_cancelled(call));
    assert_int_equal(toy->closed, 0);
    toy_answer(toy);
    toy_wait_closed(toy, 1);
    client_close(client);
}

static void a_deadline_ends_a_stream(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream = open_members(client, 300);

    assert_true(send_rows(stream, "a", 1));
    assert_int_equal(receive_verdicts(stream), 1);
    assert_int_equal(receive_verdicts(stream), -1); /* nobody says anything any more */
    assert_int_equal(finish(stream).code, STATUS_DEADLINE_EXCEEDED);
    toy_wait_closed(toy, 1);
    toy_wait_done(toy, 1);
    assert_int_equal(toy->done[0], REASON_DEADLINE_PASSED);
    client_close(client);
}

static void a_hundred_streams_at_a_time(void **state)
{
    enum { STREAMS = 100 };
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *streams[STREAMS];

    for (size_t i = 0; i < STREAMS; i++)
        streams[i] = open_members(client, 60000);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < STREAMS; i++)
            assert_true(send_rows(streams[i], "a", i % 8));
        for (size_t i = 0; i < STREAMS; i++)
            assert_int_equal(receive_verdicts(streams[i]), i % 8);
    }
    for (size_t i = 0; i < STREAMS; i++) {
        if (i % 2)
            client_stream_half_close(streams[i]);
        else
            client_stream_cancel(streams[i]);
        finish(streams[i]);
    }
    toy_wait_closed(toy, STREAMS);
    toy_wait_done(toy, STREAMS);
    client_close(client);
    assert_int_equal(toy->closed, STREAMS);
}

static struct client_stream *open_import(struct client *client)
{
    struct client_stream *stream;
    struct error err = { 0 };

    assert_true(client_stream_open(client, &alliance__v1__operator_service__descriptor, "ImportMerchants", TIMEOUT,
                                   &stream, &err));
    return stream;
}

static bool send_merchant(struct client_stream *stream, const char *id)
{
    Alliance__V1__RegisterMerchantRequest request = ALLIANCE__V1__REGISTER_MERCHANT_REQUEST__INIT;
    Alliance__V1__Merchant merchant = ALLIANCE__V1__MERCHANT__INIT;

    merchant.merchant_id = (char *)(uintptr_t)id;
    request.merchant = &merchant;
    return client_stream_send(stream, &request.base);
}

/* The count in the one reply; -1 when there is none. */
static int64_t receive_count(struct client_stream *stream)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    ProtobufCMessage *message;

    if (!client_stream_receive(stream, &alliance__v1__import_merchants_response__descriptor, &arena, &message))
        return -1;
    return ((const Alliance__V1__ImportMerchantsResponse *)(const void *)message)->created;
}

static void a_client_stream_is_counted_and_answered_at_its_end(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://operator/o");
    struct client_stream *stream = open_import(client);

    for (int i = 0; i < 50; i++)
        assert_true(send_merchant(stream, "m"));
    assert_true(client_stream_half_close(stream));
    assert_int_equal(receive_count(stream), 50);
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_OK);
    toy_wait_closed(toy, 1);
    client_close(client);
}

static void a_client_stream_waits_for_a_handler_that_is_not_ready(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://operator/o");
    struct client_stream *stream = open_import(client);

    assert_true(send_merchant(stream, "hold"));
    assert_true(send_merchant(stream, "m"));
    client_stream_half_close(stream);
    toy_wait_held(toy, 1);
    assert_int_equal(toy->handled, 1);
    toy_answer(toy);
    assert_int_equal(receive_count(stream), 2);
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_OK);
    client_close(client);
}

static void a_client_stream_can_be_refused_before_its_end(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://operator/o");
    struct client_stream *stream = open_import(client);

    assert_true(send_merchant(stream, "m"));
    assert_true(send_merchant(stream, "fail"));
    assert_int_equal(receive_count(stream), -1); /* though the client said not yet that it was done */
    struct client_status status = finish(stream);
    toy_assert_reason(status, REASON_MERCHANT_NOT_FOUND);
    toy_wait_closed(toy, 1);
    client_close(client);
}

static void a_cancelled_client_stream_is_closed_once(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://operator/o");
    struct client_stream *stream = open_import(client);

    assert_true(send_merchant(stream, "hold"));
    toy_wait_held(toy, 1);
    client_stream_cancel(stream);
    assert_int_equal(finish(stream).code, STATUS_CANCELLED);
    toy_answer(toy);
    toy_wait_closed(toy, 1);
    client_close(client);
    assert_int_equal(toy->closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(each_message_is_answered_in_order),
        TEST(a_stream_without_messages_ends_well),
        TEST(one_message_at_a_time_is_in_the_works),
        TEST(an_error_in_the_middle_ends_the_stream),
        TEST(a_malformed_message_ends_the_stream),
        TEST(a_stream_of_the_wrong_role_is_refused),
        TEST(a_cancelled_stream_is_closed_once),
        TEST(a_cancelled_stream_that_is_held_waits_for_its_holder),
        TEST(a_deadline_ends_a_stream),
        TEST(a_hundred_streams_at_a_time),
        TEST(a_client_stream_is_counted_and_answered_at_its_end),
        TEST(a_client_stream_waits_for_a_handler_that_is_not_ready),
        TEST(a_client_stream_can_be_refused_before_its_end),
        TEST(a_cancelled_client_stream_is_closed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
