#include "fuzz_message.h"

#include "service/services.h"

#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>

enum { TYPES_MAX = 256 };

static const ProtobufCMessageDescriptor *types[TYPES_MAX];
static size_t type_count;

static void add_service(const ProtobufCServiceDescriptor *service)
{
    for (unsigned i = 0; i < service->n_methods; i++) {
        CLAIM(type_count < TYPES_MAX);
        types[type_count++] = service->methods[i].input;
    }
}

static void collect(void)
{
    if (type_count > 0)
        return;
    for (size_t i = 0; i < service_count; i++)
        add_service(services[i]->descriptor);
    add_service(&grpc__health__v1__health__descriptor);
    add_service(&grpc__reflection__v1__server_reflection__descriptor);
}

const ProtobufCMessageDescriptor *message_type(uint8_t number)
{
    collect();
    return types[number % type_count];
}

/* The messages in one field: none, one or many. */
static ProtobufCMessage *const *inner(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                      size_t *count)
{
    const uint8_t *base = (const uint8_t *)message;
    ProtobufCMessage *const *one = (ProtobufCMessage *const *)(const void *)(base + field->offset);
    bool oneof = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;

    *count = 0;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return NULL;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(count, base + field->quantifier_offset, sizeof *count);
        return *(ProtobufCMessage * *const *)(const void *)one;
    }
    if (!oneof || *(const uint32_t *)(const void *)(base + field->quantifier_offset) == field->id)
        *count = *one != NULL;
    return one;
}

void message_forget_unknown(ProtobufCMessage *message)
{
    size_t count;

    message->n_unknown_fields = 0;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        ProtobufCMessage *const *each = inner(message, &message->descriptor->fields[i], &count);
        for (size_t k = 0; k < count; k++)
            message_forget_unknown(each[k]);
    }
}

bool message_has_time(const ProtobufCMessage *message)
{
    size_t count;

    if (message->descriptor == &google__protobuf__timestamp__descriptor ||
        message->descriptor == &google__protobuf__duration__descriptor)
        return true;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        ProtobufCMessage *const *each = inner(message, &message->descriptor->fields[i], &count);
        for (size_t k = 0; k < count; k++) {
            if (message_has_time(each[k]))
                return true;
        }
    }
    return false;
}

struct feed message_pack(const ProtobufCMessage *message, struct arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, size + 1);

    CLAIM(bytes != NULL);
    CLAIM(protobuf_c_message_pack(message, bytes) == size);
    return (struct feed){ bytes, size };
}

bool same_bytes(struct feed a, struct feed b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}
