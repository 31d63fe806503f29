/* One unary call after another over real mTLS: who is let in, what is refused and how exactly, and what survives. */
#include "toy.h"

#include "io/clock.h"

#include "alliance/v1/bank_service.pb-c.h"
#include "alliance/v1/diagnostics_service.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

#include <cmocka.h>

#define PING    "/alliance.v1.DiagnosticsService/Ping"
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

static struct client_status raw(struct client *client, const char *path, const void *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client_raw call = { .path = path, .bytes = bytes, .size = size, .timeout_ms = TIMEOUT };
    struct client_status status;
    bool good = client_call_raw(client, &call, &arena, NULL, NULL, &status);

    assert_int_equal(good, status.code == STATUS_OK);
    return status;
}

static void a_ping_is_echoed_with_the_callers_name(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client *client = toy_client(*state, "alliance://merchant/m-1/store/s-1");
    Alliance__V1__PingRequest request = ALLIANCE__V1__PING_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    struct error err = { 0 };

    request.payload = (ProtobufCBinaryData){ 5, (uint8_t *)(uintptr_t) "a\0b\xff\x01" };
    assert_true(client_call(client, &alliance__v1__diagnostics_service__descriptor, "Ping", &request.base, TIMEOUT,
                            &arena, &reply, &err));
    const Alliance__V1__PingResponse *got = (const void *)reply;
    assert_string_equal(got->principal, "alliance://merchant/m-1/store/s-1");
    assert_int_equal(got->payload.len, 5);
    assert_memory_equal(got->payload.data, "a\0b\xff\x01", 5);
    client_close(client);
}

static void a_finished_call_is_told_of(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");

    toy_ping(client, "x", TIMEOUT);
    toy_wait_done(toy, 1);
    assert_string_equal(toy->done_method, "alliance.v1.DiagnosticsService/Ping");
    assert_string_equal(toy->done_principal, "alliance://bank/a");
    assert_memory_equal(toy->done_peer, "ipv4:127.0.0.1:", 15);
    assert_int_equal(toy->done[0], REASON_OK);
    client_close(client);
}

static void without_a_certificate_there_is_no_connection(void **state)
{
    struct client *client = toy_client_files(*state, NULL, 1);
    struct client_status status = toy_ping(client, "x", TIMEOUT);

    assert_int_equal(status.code, STATUS_UNAVAILABLE);
    assert_int_equal(rpc_server_stats(((struct toy *)*state)->server).calls, 0);
    client_close(client);
}

static void another_authoritys_certificate_is_no_certificate(void **state)
{
    char dir[] = "/tmp/toy-foreign-XXXXXX";

    assert_non_null(mkdtemp(dir));
    pki_make(dir);
    struct pki_files foreign = pki_issue(dir, "alliance://bank/a");
    struct client *client = toy_client_files(*state, &foreign, 1);
    assert_int_equal(toy_ping(client, "x", TIMEOUT).code, STATUS_UNAVAILABLE);
    client_close(client);
    pki_remove(dir);
}

static void a_certificate_must_name_one_party(void **state)
{
    static const char *const names[] = {
        NULL, /* no alternative name at all */
        "DNS:localhost",
        "URI:https://bank/a",
        "URI:alliance://bank/a,URI:alliance://bank/b",
        "URI:alliance://bank/",
        "URI:alliance://bank/a/store/s",
        "URI:alliance://king/a",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        struct pki_files files = pki_issue_names(((struct toy *)*state)->dir, names[i]);
        struct client *client = toy_client_files(*state, &files, 1);
        struct client_status status = toy_ping(client, "x", TIMEOUT);
        toy_assert_reason(status, REASON_UNAUTHENTICATED);
        client_close(client);
    }
    assert_int_equal(((struct toy *)*state)->handled, 0);
}

static void other_uris_beside_the_party_do_not_matter(void **state)
{
    struct pki_files files =
        pki_issue_names(((struct toy *)*state)->dir, "DNS:x,URI:spiffe://x/y,URI:alliance://carrier/c");
    struct client *client = toy_client_files(*state, &files, 1);
    struct client_status status = toy_ping(client, "x", TIMEOUT);

    toy_assert_reason(status, REASON_OK);
    client_close(client);
}

static void a_role_that_may_not_call_is_refused_before_the_handler(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://merchant/m");
    struct client_status status = raw(client, "/alliance.v1.BankService/GetBalance", "", 0);

    toy_assert_reason(status, REASON_ROLE_NOT_ALLOWED);
    assert_string_equal(status.domain, "alliance.v1");
    assert_string_equal(status.message, reason_text(REASON_ROLE_NOT_ALLOWED));
    assert_int_equal(status.retry_ms, -1);
    client_close(client);
}

static void an_unknown_method_is_unimplemented(void **state)
{
    static const char *const paths[] = { "/alliance.v1.DiagnosticsService/Pong", "/no.such.Service/Ping", "/" };
    struct client *client = toy_client(*state, "alliance://bank/a");

    for (size_t i = 0; i < COUNT(paths); i++) {
        struct client_status status = raw(client, paths[i], "", 0);
        toy_assert_reason(status, REASON_METHOD_UNKNOWN);
    }
    client_close(client);
}

/* Bytes of a GetBalanceRequest { string bank_id = 1; string member_ref = 2; } or a RegisterMerchantRequest. */
static void malformed_bytes_are_refused_by_field(void **state)
{
    static const struct {
        const char *story, *bytes;
        size_t size;
        const char *field;
    } cases[] = {
        { "garbage", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, "" },
        { "a length beyond the end",
          "\x0a\x05"
          "ab",
          4, "bank_id" },
        { "NUL in text",
          "\x0a\x03"
          "a\0b",
          5, "bank_id" },
        { "text that is not UTF-8", "\x12\x02\xc3\x28", 4, "member_ref" },
        { "a surrogate in text", "\x12\x03\xed\xa0\x80", 5, "member_ref" },
        { "a number where text belongs", "\x08\x01", 2, "" },
        { "a group", "\x0b\x0c", 2, "bank_id" },
    };
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client_status status = raw(client, "/alliance.v1.BankService/GetBalance", cases[i].bytes, cases[i].size);
        toy_assert_reason(status, REASON_MESSAGE_MALFORMED);
        assert_string_equal(status.field, cases[i].field);
    }
    assert_int_equal(toy->handled, 0);
    client_close(client);
}

/* 64,000 copies of "merchant", 128 kB: protobuf-c alone would merge them in quadratic time. */
static void a_quadratic_message_is_refused(void **state)
{
    enum { COPIES = 64000 };
    struct client *client = toy_client(*state, "alliance://operator/o");
    char *bytes = malloc(COPIES * 2);

    for (size_t i = 0; i < COPIES; i++)
        memcpy(bytes + 2 * i, "\x0a\x00", 2);
    struct client_status status = raw(client, "/alliance.v1.OperatorService/RegisterMerchant", bytes, COPIES * 2);
    toy_assert_reason(status, REASON_MESSAGE_MALFORMED);
    assert_string_equal(status.field, "merchant");
    free(bytes);
    client_close(client);
}

/* No message of ours contains itself, so nesting ends in a field where it does not fit; see test_decode for one. */
static void a_deeply_nested_message_is_refused(void **state)
{
    enum { LEVELS = 12000, ROOM = LEVELS * 4 };
    struct client *client = toy_client(*state, "alliance://operator/o");
    uint8_t *bytes = malloc(ROOM), *at = bytes + ROOM;

    for (int level = 0; level < LEVELS; level++) {
        size_t inner = (size_t)(bytes + ROOM - at);
        if (inner >= 0x4000)
            *--at = (uint8_t)(inner >> 14);
        if (inner >= 0x80)
            *--at = (uint8_t)((inner >> 7 & 0x7f) | (inner >= 0x4000 ? 0x80 : 0));
        *--at = (uint8_t)((inner & 0x7f) | (inner >= 0x80 ? 0x80 : 0));
        *--at = 0x0a;
    }
    struct client_status status =
        raw(client, "/alliance.v1.OperatorService/RegisterMerchant", at, (size_t)(bytes + ROOM - at));
    toy_assert_reason(status, REASON_MESSAGE_MALFORMED);
    free(bytes);
    client_close(client);
}

static void too_large_messages_are_refused(void **state)
{
    struct client *client = toy_client(*state, "alliance://bank/a");
    size_t huge = 5 * MESSAGE_MAX;
    char *bytes = calloc(1, huge);

    struct client_status status = raw(client, PING, bytes, MESSAGE_MAX + 1);
    toy_assert_reason(status, REASON_MESSAGE_TOO_LARGE);
    status = raw(client, PING, bytes, huge); /* by the core, which has no reason words */
    assert_int_equal(status.code, STATUS_RESOURCE_EXHAUSTED);
    assert_string_equal(status.reason, "");
    status = toy_ping(client, "x", TIMEOUT);
    toy_assert_reason(status, REASON_OK);
    free(bytes);
    client_close(client);
}

/* gzip of `size` bytes of a Ping whose payload is `fill`; malloc'd. */
static void *compress_ping(size_t size, char fill, size_t *compressed)
{
    uint8_t *plain = malloc(size + 16), *out = malloc(size / 500 + 4096), *at = plain;
    z_stream stream = { 0 };

    *at++ = 0x0a;
    for (size_t rest = size;; rest >>= 7) {
        *at++ = (uint8_t)((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
        if (rest < 0x80)
            break;
    }
    memset(at, fill, size);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = plain;
    stream.avail_in = (uInt)(at - plain + (ptrdiff_t)size);
    stream.next_out = out;
    stream.avail_out = (uInt)(size / 500 + 4096);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *compressed = stream.total_out;
    deflateEnd(&stream);
    free(plain);
    return out;
}

static struct client_status gzipped(struct client *client, const void *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client_raw call = { .path = PING, .bytes = bytes, .size = size, .gzip = true, .timeout_ms = TIMEOUT };
    struct client_status status;
    void *reply;
    size_t reply_size;

    if (client_call_raw(client, &call, &arena, &reply, &reply_size, &status))
        assert_true(reply_size > 1000);
    return status;
}

static void compressed_messages_are_inflated_with_a_bound(void **state)
{
    struct client *client = toy_client(*state, "alliance://bank/a");
    size_t size;
    struct rusage before, after;
    char *good = compress_ping(100000, 'a', &size);

    struct client_status status = gzipped(client, good, size);
    toy_assert_reason(status, REASON_OK);
    status = gzipped(client, good, size / 2);
    toy_assert_reason(status, REASON_MESSAGE_MALFORMED);
    memset(good, 'x', 10);
    status = gzipped(client, good, size);
    toy_assert_reason(status, REASON_MESSAGE_MALFORMED);
    free(good);

    void *bomb = compress_ping(256 * MESSAGE_MAX, 0, &size);
    getrusage(RUSAGE_SELF, &before);
    status = gzipped(client, bomb, size);
    getrusage(RUSAGE_SELF, &after);
    toy_assert_reason(status, REASON_MESSAGE_TOO_LARGE);
    assert_true(after.ru_maxrss - before.ru_maxrss < 32 * 1024); /* kilobytes */
    free(bomb);
    client_close(client);
}

static void errors_carry_reason_field_and_delay(void **state)
{
    struct client *client = toy_client(*state, "alliance://bank/a");
    struct error err;

    struct client_status status = toy_ping(client, "fail", TIMEOUT);
    toy_assert_reason(status, REASON_FIELD_INVALID);
    assert_string_equal(status.field, "payload");
    assert_string_equal(status.message, "the payload is fail");
    client_status_error(&status, &err);
    assert_int_equal(err.reason, REASON_FIELD_INVALID);
    assert_string_equal(err.field, "payload");
    assert_string_equal(err.detail, "the payload is fail");

    status = toy_ping(client, "busy", TIMEOUT);
    toy_assert_reason(status, REASON_OVERLOADED);
    assert_int_equal(status.retry_ms, 200);

    status = toy_ping(client, "mute", TIMEOUT);
    toy_assert_reason(status, REASON_INTERNAL);
    client_close(client);
}

static void a_deadline_ends_a_call_that_is_not_answered(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");

    assert_int_equal(toy_ping(client, "hold", 200).code, STATUS_DEADLINE_EXCEEDED);
    struct call *call = toy_first_held(toy);
    assert_true(call->deadline_us > 0 && call->deadline_us < INT64_MAX);
    for (int i = 0; i < 1000 && !call_cancelled(call); i++) /* the server's own timer; another ping waits for it */
        toy_ping(client, "x", TIMEOUT);
    assert_true(call_cancelled(call));
    toy_answer(toy); /* does nothing, and frees the call */
    toy_wait_reason(toy, REASON_DEADLINE_PASSED);
    client_close(client);
}

static void an_expired_deadline_is_not_worked_on(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");

    assert_int_equal(toy_ping(client, "x", 0).code, STATUS_DEADLINE_EXCEEDED);
    assert_int_equal(toy->handled, 0);
    client_close(client);
}

struct tally {
    int good, bad;
    struct client_status last;
};

static void note(void *owner, const struct client_result *result)
{
    struct tally *tally = owner;

    if (result->status->code == STATUS_OK && result->size > 0)
        tally->good++;
    else
        tally->bad++;
    tally->last = *result->status;
}

static void start_pings_within(struct client *client, const char *payload, int count, int64_t timeout_ms,
                               struct tally *tally)
{
    const struct client_method *ping;
    struct error err = { 0 };
    uint8_t packed[16] = { 0x0a, (uint8_t)strlen(payload) };

    memcpy(packed + 2, payload, strlen(payload));
    assert_true(client_method(client, PING, &ping, &err));
    for (int i = 0; i < count; i++)
        assert_true(client_start(client, ping, packed, 2 + strlen(payload), timeout_ms, note, tally, &err));
}

static void start_pings(struct client *client, const char *payload, int count, struct tally *tally)
{
    start_pings_within(client, payload, count, 60000, tally);
}

/*
 * Two requests reach the server together while it is busy; the first keeps it busy until the second one's time is up.
 * The server's count of that time begins when it reads the request, so the caller's end comes before the server's.
 */
static void a_request_whose_time_ran_out_in_the_queue_is_not_worked_on(void **state)
{
    enum { TIME = 100 };
    struct toy *toy = *state;
    struct client *one = toy_client(toy, "alliance://bank/a"), *two = toy_client(toy, "alliance://bank/b");
    struct tally waiting = { 0 }, late = { 0 };

    start_pings(one, "wait", 1, &waiting);
    client_poll(one, 0);
    toy_wait_handled(toy, 1);
    start_pings(two, "wait", 1, &waiting);
    start_pings_within(two, "late", 1, TIME, &late);
    client_poll(two, TIME / 10); /* both are on their way */
    toy_let_go(toy);
    toy_wait_handled(toy, 2);
    int64_t until_us = clock_monotonic_us() + 2 * TIME * 1000;
    while (clock_monotonic_us() < until_us || late.bad == 0)
        client_poll(two, TIME);
    toy_let_go(toy);
    toy_wait_reason(toy, REASON_DEADLINE_PASSED);
    assert_int_equal(toy->handled, 2);
    assert_int_equal(late.last.code, STATUS_DEADLINE_EXCEEDED);
    client_close(one);
    client_close(two);
}

static void two_thousand_calls_at_a_time(void **state)
{
    enum { CALLS = 2000 };
    struct toy *toy = *state;
    struct tally tally = { 0 };
    struct pki_files files = pki_issue(toy->dir, "alliance://bank/a");
    struct client *client = toy_client_files(toy, &files, 4);

    start_pings(client, "hold", CALLS, &tally);
    for (int i = 0; i < 10000 && rpc_server_stats(toy->server).in_flight < CALLS; i++)
        client_poll(client, 10);
    toy_wait_held(toy, CALLS);
    assert_int_equal(rpc_server_stats(toy->server).in_flight, CALLS);
    toy_answer(toy);
    while (client_outstanding(client))
        assert_true(client_poll(client, TOY_WAIT_MS) > 0);
    assert_int_equal(tally.good, CALLS);
    assert_int_equal(tally.bad, 0);
    client_close(client);
}

static void a_call_too_many_is_overloaded_at_once(void **state)
{
    struct toy *toy = toy_start(&(struct rpc_options){ .in_flight_max = 1 });
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct tally tally = { 0 };

    (void)state;
    start_pings(client, "hold", 1, &tally);
    client_poll(client, 0);
    toy_wait_held(toy, 1);
    struct client_status status = toy_ping(client, "x", TIMEOUT);
    toy_assert_reason(status, REASON_OVERLOADED);
    assert_int_equal(status.retry_ms, 200);
    toy_answer(toy);
    while (client_outstanding(client))
        assert_true(client_poll(client, TOY_WAIT_MS) > 0);
    assert_int_equal(tally.good, 1);
    for (int i = 0; i < 1000 && status.code != STATUS_OK; i++) /* until the server has let go of the first */
        status = toy_ping(client, "x", TIMEOUT);
    toy_assert_reason(status, REASON_OK);
    client_close(client);
    toy_stop(toy);
}

static void a_cancelled_call_is_noticed(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client *other = toy_client(toy, "alliance://bank/b");
    struct tally tally = { 0 };

    start_pings(client, "hold", 1, &tally);
    client_poll(client, 0);
    struct call *call = toy_first_held(toy);
    assert_false(call_cancelled(call));
    client_close(client); /* the connection goes, and its call with it */
    for (int i = 0; i < 1000 && !call_cancelled(call); i++)
        toy_ping(other, "x", TIMEOUT);
    assert_true(call_cancelled(call));
    toy_answer(toy);
    toy_wait_reason(toy, REASON_CANCELLED);
    client_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_ping_is_echoed_with_the_callers_name),
        TEST(a_finished_call_is_told_of),
        TEST(without_a_certificate_there_is_no_connection),
        TEST(another_authoritys_certificate_is_no_certificate),
        TEST(a_certificate_must_name_one_party),
        TEST(other_uris_beside_the_party_do_not_matter),
        TEST(a_role_that_may_not_call_is_refused_before_the_handler),
        TEST(an_unknown_method_is_unimplemented),
        TEST(malformed_bytes_are_refused_by_field),
        TEST(a_quadratic_message_is_refused),
        TEST(a_deeply_nested_message_is_refused),
        TEST(too_large_messages_are_refused),
        TEST(compressed_messages_are_inflated_with_a_bound),
        TEST(errors_carry_reason_field_and_delay),
        TEST(a_deadline_ends_a_call_that_is_not_answered),
        TEST(an_expired_deadline_is_not_worked_on),
        TEST(a_request_whose_time_ran_out_in_the_queue_is_not_worked_on),
        TEST(two_thousand_calls_at_a_time),
        cmocka_unit_test(a_call_too_many_is_overloaded_at_once),
        TEST(a_cancelled_call_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
