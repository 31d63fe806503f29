/* The method table: each rpc of each service with its row, or no server. */
#include "rpc/internal.h"

#include "rpc/descriptors.h"
#include "rpc/health.h"
#include "rpc/reflection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Symbols of the assembler file that embeds the set. */
extern const uint8_t alliance_fds[], alliance_fds_end[];

static const struct method *find_row(const struct service *service, const char *name, size_t *times)
{
    const struct method *row = NULL;

    *times = 0;
    for (size_t i = 0; i < service->method_count; i++) {
        if (strcmp(service->methods[i].name, name) == 0) {
            row = &service->methods[i];
            ++*times;
        }
    }
    return row;
}

static const enum rpc_kind kinds[2][2] = {
    /* client streams:  no, yes        server streams */
    { RPC_UNARY, RPC_CLIENT_STREAM }, /* no */
    { RPC_SERVER_STREAM, RPC_BIDI },  /* yes */
};

static bool add_method(struct rpc_server *server, const struct service *service,
                       const ProtobufCMethodDescriptor *descriptor, struct error *err)
{
    struct rpc_method *method = &server->methods[server->method_count++];
    size_t times;
    bool client, streams;

    *method = (struct rpc_method){ .input = descriptor->input };
    int length = snprintf(method->path, sizeof method->path, "/%s/%s", service->descriptor->name, descriptor->name);
    method->row = find_row(service, descriptor->name, &times);
    if (times != 1 || !method->row->handler || !method->row->roles)
        return error_set(err, REASON_SETTING_INVALID, "rpc %s must have exactly one row with a handler and roles",
                         method->path + 1);
    if (length >= (int)sizeof method->path ||
        !descriptors_streaming(server->descriptors, method->path + 1, &client, &streams))
        return error_set(err, REASON_SETTING_INVALID, "rpc %s is not in the descriptor set", method->path + 1);
    method->kind = kinds[streams][client];
    return true;
}

static bool check_rows(const struct service *service, struct error *err)
{
    for (size_t i = 0; i < service->method_count; i++) {
        const char *name = service->methods[i].name;
        if (!protobuf_c_service_descriptor_get_method_by_name(service->descriptor, name))
            return error_set(err, REASON_SETTING_INVALID, "row %s/%s has no rpc", service->descriptor->name, name);
    }
    return true;
}

static bool add_service(struct rpc_server *server, const struct service *service, struct error *err)
{
    size_t count = server->method_count + service->descriptor->n_methods;
    struct rpc_method *methods = realloc(server->methods, count * sizeof *methods);

    if (!methods)
        return error_set(err, REASON_INTERNAL, "out of memory");
    server->methods = methods;
    for (unsigned i = 0; i < service->descriptor->n_methods; i++) {
        if (!add_method(server, service, &service->descriptor->methods[i], err))
            return false;
    }
    return check_rows(service, err);
}

bool rpc_table_build(struct rpc_server *server, const struct service *const *services, size_t count, struct error *err)
{
    size_t size = (size_t)(alliance_fds_end - alliance_fds);

    if (!descriptors_load(alliance_fds, size, &server->descriptors, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!add_service(server, services[i], err))
            return false;
    }
    struct service alpha = reflection_service;
    server->reflection_alpha = *reflection_service.descriptor;
    server->reflection_alpha.name = "grpc.reflection.v1alpha.ServerReflection";
    alpha.descriptor = &server->reflection_alpha;
    snprintf(server->unknown.path, sizeof server->unknown.path, "/unknown");
    return add_service(server, &health_service, err) && add_service(server, &reflection_service, err) &&
           add_service(server, &alpha, err);
}
