#include "rpc/reflection.h"

#include "rpc/descriptors.h"
#include "rpc/internal.h"

#include "grpc/reflection/v1/reflection.pb-c.h"

#include <string.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

/* Not found is an answer here, never the end of the stream. */
static void say_error(struct call *call, Response *response, enum status status, const char *text)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;

    error.error_code = (int32_t)status;
    error.error_message = (char *)(uintptr_t)text;
    response->message_response_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response->error_response = &error;
    call_write(call, &response->base);
}

static void say_file(struct call *call, Response *response, const struct descriptor_file *file)
{
    Grpc__Reflection__V1__FileDescriptorResponse files = GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    const struct descriptor_file *found[DESCRIPTOR_FILES_MAX];
    ProtobufCBinaryData bytes[DESCRIPTOR_FILES_MAX];

    if (!file) {
        say_error(call, response, STATUS_NOT_FOUND, "there is no such file or symbol");
        return;
    }
    files.n_file_descriptor_proto = descriptors_closure(rpc_call_of(call)->server->descriptors, file, found);
    for (size_t i = 0; i < files.n_file_descriptor_proto; i++)
        bytes[i] = (ProtobufCBinaryData){ found[i]->size, (uint8_t *)(uintptr_t)found[i]->bytes };
    files.file_descriptor_proto = bytes;
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response->file_descriptor_response = &files;
    call_write(call, &response->base);
}

static void by_name(struct call *call, const Request *request, Response *response)
{
    say_file(call, response, descriptors_by_name(rpc_call_of(call)->server->descriptors, request->file_by_filename));
}

static void by_symbol(struct call *call, const Request *request, Response *response)
{
    say_file(call, response,
             descriptors_by_symbol(rpc_call_of(call)->server->descriptors, request->file_containing_symbol));
}

static void no_extensions(struct call *call, const Request *request, Response *response)
{
    (void)request;
    say_error(call, response, STATUS_UNIMPLEMENTED, "there are no extensions here");
}

/* "alliance.v1.BankService" of a method's path, in the arena. */
static char *service_name(struct arena *arena, const struct rpc_method *method)
{
    const char *start = method->path + 1;

    return arena_copy(arena, start, (size_t)(strchr(start, '/') - start));
}

static bool same_service(const struct rpc_method *a, const struct rpc_method *b)
{
    size_t size = (size_t)(strrchr(a->path, '/') - a->path) + 1;

    return strncmp(a->path, b->path, size) == 0;
}

static void list_services(struct call *call, const Request *request, Response *response)
{
    const struct rpc_server *server = rpc_call_of(call)->server;
    Grpc__Reflection__V1__ListServiceResponse list = GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    Grpc__Reflection__V1__ServiceResponse *services =
        arena_alloc(&call->arena, server->method_count * sizeof *services);

    (void)request;
    list.service = arena_alloc(&call->arena, server->method_count * sizeof(void *));
    for (size_t i = 0; services && list.service && i < server->method_count; i++) {
        if (i > 0 && same_service(&server->methods[i - 1], &server->methods[i]))
            continue; /* methods of a service stand together */
        Grpc__Reflection__V1__ServiceResponse *service = &services[list.n_service];
        grpc__reflection__v1__service_response__init(service);
        service->name = service_name(&call->arena, &server->methods[i]);
        list.service[list.n_service++] = service;
    }
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response->list_services_response = &list;
    call_write(call, &response->base);
}

#define ASKED(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what

static const struct {
    Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase asked;
    void (*answer)(struct call *call, const Request *request, Response *response);
} answers[] = {
    { ASKED(FILE_BY_FILENAME), by_name },
    { ASKED(FILE_CONTAINING_SYMBOL), by_symbol },
    { ASKED(FILE_CONTAINING_EXTENSION), no_extensions },
    { ASKED(ALL_EXTENSION_NUMBERS_OF_TYPE), no_extensions },
    { ASKED(LIST_SERVICES), list_services },
};

static bool server_reflection_info(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Request *request = (const void *)message;
    Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    if (!request) {
        call_finish(call);
        return true;
    }
    response.valid_host = request->host;
    response.original_request = (Request *)(uintptr_t)request;
    for (size_t i = 0; i < COUNT(answers); i++) {
        if (answers[i].asked == request->message_request_case) {
            answers[i].answer(call, request, &response);
            return true;
        }
    }
    return error_field(err, REASON_FIELD_INVALID, "message_request", "the request asks for nothing");
}

static const struct method methods[] = {
    { "ServerReflectionInfo", ROLE_ANY, server_reflection_info, NULL },
};
const struct service reflection_service = { &grpc__reflection__v1__server_reflection__descriptor, methods,
                                            COUNT(methods) };
