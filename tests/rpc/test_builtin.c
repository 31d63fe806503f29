/* What every gRPC tool expects of a server: health and reflection. */
#include "toy.h"

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT      10000
#define HEALTH(word) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##word

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

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

static struct client_status check(struct client *client, const char *service, int *answer)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    struct client_status status;

    *answer = -1;
    request.service = (char *)(uintptr_t)service;
    if (client_call_status(client, &grpc__health__v1__health__descriptor, "Check", &request.base, TIMEOUT, &arena,
                           &reply, &status))
        *answer = (int)((const Grpc__Health__V1__HealthCheckResponse *)(const void *)reply)->status;
    return status;
}

static void health_is_asked_of_the_server_or_a_service(void **state)
{
    static const char *const known[] = { "", "alliance.v1.DiagnosticsService", "grpc.health.v1.Health" };
    static const char *const unknown[] = { "alliance.v1", "alliance.v1.DiagnosticsService/Ping", "no.such.Service" };
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://channel/mall");
    int answer;

    for (size_t i = 0; i < COUNT(known); i++) {
        struct client_status status = check(client, known[i], &answer);
        toy_assert_reason(status, REASON_OK);
        assert_int_equal(answer, HEALTH(SERVING));
    }
    for (size_t i = 0; i < COUNT(unknown); i++) {
        struct client_status status = check(client, unknown[i], &answer);
        toy_assert_reason(status, REASON_SERVICE_NOT_FOUND);
    }
    rpc_server_set_serving(toy->server, false);
    check(client, "", &answer);
    assert_int_equal(answer, HEALTH(NOT_SERVING));
    client_close(client);
}

static struct client_stream *watch(struct client *client, const char *service)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct client_stream *stream;
    struct error err = { 0 };

    request.service = (char *)(uintptr_t)service;
    assert_true(client_stream_open(client, &grpc__health__v1__health__descriptor, "Watch", TIMEOUT, &stream, &err));
    assert_true(client_stream_send(stream, &request.base));
    assert_true(client_stream_half_close(stream));
    return stream;
}

static int next_health(struct client_stream *stream)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    ProtobufCMessage *message;

    if (!client_stream_receive(stream, &grpc__health__v1__health_check_response__descriptor, &arena, &message))
        return -1;
    return (int)((const Grpc__Health__V1__HealthCheckResponse *)(const void *)message)->status;
}

static void a_watcher_hears_every_change(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *one = watch(client, ""), *none = watch(client, "no.such.Service");
    struct client_status status;

    assert_int_equal(next_health(one), HEALTH(SERVING));
    assert_int_equal(next_health(none), HEALTH(SERVICE_UNKNOWN));
    rpc_server_set_serving(toy->server, true); /* no change, no message */
    rpc_server_set_serving(toy->server, false);
    assert_int_equal(next_health(one), HEALTH(NOT_SERVING));
    rpc_server_set_serving(toy->server, true);
    assert_int_equal(next_health(one), HEALTH(SERVING));
    client_stream_cancel(one);
    assert_false(client_stream_finish(one, &status));
    assert_int_equal(status.code, STATUS_CANCELLED);

    struct client_stream *last = watch(client, "alliance.v1.BankService");
    assert_int_equal(next_health(last), HEALTH(SERVING));
    rpc_server_drain(toy->server, TIMEOUT);
    assert_int_equal(next_health(last), HEALTH(NOT_SERVING));
    assert_int_equal(next_health(last), -1);
    assert_true(client_stream_finish(last, &status)); /* ended by the server, not cut off */
    assert_true(client_stream_finish(none, &status));
    client_close(client);
}

static void a_hundred_watchers_come_and_go(void **state)
{
    enum { WATCHERS = 100 };
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *streams[WATCHERS];
    struct client_status status;

    for (size_t i = 0; i < WATCHERS; i++)
        streams[i] = watch(client, "");
    for (size_t i = 0; i < WATCHERS; i++) {
        rpc_server_set_serving(toy->server, i % 2);
        if (i % 3 == 0)
            client_stream_cancel(streams[i]);
    }
    for (size_t i = 0; i < WATCHERS; i++) {
        if (i % 3)
            assert_true(next_health(streams[i]) > 0);
        client_stream_cancel(streams[i]);
        client_stream_finish(streams[i], &status);
    }
    toy_wait_done(toy, WATCHERS);
    client_close(client);
}

static struct client_stream *reflect(struct client *client, const ProtobufCServiceDescriptor *service)
{
    struct client_stream *stream;
    struct error err = { 0 };

    assert_true(client_stream_open(client, service, "ServerReflectionInfo", TIMEOUT, &stream, &err));
    return stream;
}

static const Response *ask(struct client_stream *stream, const Request *request, struct arena *arena)
{
    ProtobufCMessage *message;

    assert_true(client_stream_send(stream, &request->base));
    assert_true(
        client_stream_receive(stream, &grpc__reflection__v1__server_reflection_response__descriptor, arena, &message));
    const Response *response = (const void *)message;
    assert_non_null(response->original_request);
    assert_int_equal(response->original_request->message_request_case, request->message_request_case);
    assert_string_equal(response->valid_host, request->host);
    return response;
}

static Request by_symbol(const char *symbol)
{
    Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    request.host = (char *)(uintptr_t) "host";
    request.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
    request.file_containing_symbol = (char *)(uintptr_t)symbol;
    return request;
}

/* The name of the first file of the answer; it, and all it imports, are whole descriptors. */
static char *first_file(const Response *response, struct arena *arena, size_t *count)
{
    char *name = NULL;

    assert_int_equal(response->message_response_case,
                     GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE);
    *count = response->file_descriptor_response->n_file_descriptor_proto;
    for (size_t i = 0; i < *count; i++) {
        const ProtobufCBinaryData *bytes = &response->file_descriptor_response->file_descriptor_proto[i];
        Google__Protobuf__FileDescriptorProto *file =
            google__protobuf__file_descriptor_proto__unpack(NULL, bytes->len, bytes->data);
        assert_non_null(file);
        if (i == 0)
            name = arena_copy(arena, file->name, strlen(file->name));
        google__protobuf__file_descriptor_proto__free_unpacked(file, NULL);
    }
    return name;
}

static bool lists(const Response *response, const char *service)
{
    assert_int_equal(response->message_response_case,
                     GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE);
    for (size_t i = 0; i < response->list_services_response->n_service; i++) {
        if (strcmp(response->list_services_response->service[i]->name, service) == 0)
            return true;
    }
    return false;
}

static void list_services(struct client *client, const ProtobufCServiceDescriptor *service)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client_stream *stream = reflect(client, service);
    Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    struct client_status status;

    request.message_request_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
    request.list_services = (char *)(uintptr_t) "";
    const Response *response = ask(stream, &request, &arena);
    assert_int_equal(response->list_services_response->n_service, 6);
    assert_true(lists(response, "alliance.v1.DiagnosticsService"));
    assert_true(lists(response, "alliance.v1.BankService"));
    assert_true(lists(response, "grpc.health.v1.Health"));
    assert_true(lists(response, "grpc.reflection.v1.ServerReflection"));
    assert_true(lists(response, "grpc.reflection.v1alpha.ServerReflection"));
    client_stream_half_close(stream);
    assert_true(client_stream_finish(stream, &status));
}

static void reflection_lists_the_services_under_both_its_names(void **state)
{
    struct client *client = toy_client(*state, "alliance://operator/o");

    list_services(client, &grpc__reflection__v1__server_reflection__descriptor);
    list_services(client, &grpc__reflection__v1alpha__server_reflection__descriptor);
    client_close(client);
}

static void reflection_finds_the_file_of_a_symbol(void **state)
{
    static const struct {
        const char *symbol, *file;
        size_t files; /* with its imports */
    } cases[] = {
        { "alliance.v1.DiagnosticsService", "alliance/v1/diagnostics_service.proto", 1 },
        { "alliance.v1.DiagnosticsService.Ping", "alliance/v1/diagnostics_service.proto", 1 },
        { "alliance.v1.PingRequest", "alliance/v1/diagnostics_service.proto", 1 },
        { "alliance.v1.PingRequest.payload", "alliance/v1/diagnostics_service.proto", 1 },
        { "alliance.v1.MEMBER_STATUS_FROZEN", "alliance/v1/bank_service.proto", 4 },
        { "google.rpc.BadRequest.FieldViolation", "google/rpc/error_details.proto", 2 },
    };
    struct client *client = toy_client(*state, "alliance://bank/a");
    struct client_stream *stream = reflect(client, &grpc__reflection__v1__server_reflection__descriptor);
    struct client_status status;

    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        Request request = by_symbol(cases[i].symbol);
        size_t count;
        const Response *response = ask(stream, &request, &arena);
        assert_string_equal(first_file(response, &arena, &count), cases[i].file);
        assert_int_equal(count, cases[i].files);
    }
    client_stream_half_close(stream);
    assert_true(client_stream_finish(stream, &status));
    client_close(client);
}

static void reflection_finds_a_file_by_its_name(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client *client = toy_client(*state, "alliance://bank/a");
    struct client_stream *stream = reflect(client, &grpc__reflection__v1__server_reflection__descriptor);
    Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    struct client_status status;
    size_t count;

    request.message_request_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME;
    request.file_by_filename = (char *)(uintptr_t) "google/rpc/status.proto";
    assert_string_equal(first_file(ask(stream, &request, &arena), &arena, &count), "google/rpc/status.proto");
    assert_int_equal(count, 2);
    client_stream_half_close(stream);
    assert_true(client_stream_finish(stream, &status));
    client_close(client);
}

static void what_reflection_does_not_know_is_said_within_the_stream(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client *client = toy_client(*state, "alliance://bank/a");
    struct client_stream *stream = reflect(client, &grpc__reflection__v1__server_reflection__descriptor);
    Request request = by_symbol("alliance.v1.Nothing");
    struct client_status status;

    assert_int_equal(ask(stream, &request, &arena)->error_response->error_code, STATUS_NOT_FOUND);
    request.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE;
    assert_int_equal(ask(stream, &request, &arena)->error_response->error_code, STATUS_UNIMPLEMENTED);
    request.message_request_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET;
    assert_true(client_stream_send(stream, &request.base));
    assert_false(client_stream_finish(stream, &status));
    toy_assert_reason(status, REASON_FIELD_INVALID);
    client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(health_is_asked_of_the_server_or_a_service),
        TEST(a_watcher_hears_every_change),
        TEST(a_hundred_watchers_come_and_go),
        TEST(reflection_lists_the_services_under_both_its_names),
        TEST(reflection_finds_the_file_of_a_symbol),
        TEST(reflection_finds_a_file_by_its_name),
        TEST(what_reflection_does_not_know_is_said_within_the_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
