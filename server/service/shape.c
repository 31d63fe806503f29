#include "service/shape.h"

#include <stdio.h>
#include <string.h>

void *shape_new(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    void *message = arena_alloc(arena, type->sizeof_message);

    if (message)
        protobuf_c_message_init(type, message);
    return message;
}

char *shape_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

char *shape_category(struct arena *arena, int32_t category)
{
    char text[12] = "";

    if (category)
        snprintf(text, sizeof text, "%04d", (int)category);
    return shape_text(arena, text);
}

char *shape_date(struct arena *arena, struct date date)
{
    char text[DATE_TEXT];

    date_format(date, text);
    return shape_text(arena, text);
}

Alliance__V1__Money *shape_money(struct arena *arena, const char *currency, int64_t amount_minor)
{
    Alliance__V1__Money *money = shape_new(arena, &alliance__v1__money__descriptor);

    if (money) {
        money->currency_code = shape_text(arena, currency);
        money->amount_minor = amount_minor;
    }
    return money && money->currency_code ? money : NULL;
}

Google__Protobuf__Timestamp shape_timestamp(struct instant instant)
{
    Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    int64_t us = instant.us % US_PER_SECOND;

    timestamp.seconds = instant.us / US_PER_SECOND - (us < 0);
    timestamp.nanos = (int32_t)((us < 0 ? us + US_PER_SECOND : us) * 1000);
    return timestamp;
}

Google__Protobuf__Timestamp *shape_instant(struct arena *arena, struct instant instant)
{
    Google__Protobuf__Timestamp *timestamp = shape_new(arena, &google__protobuf__timestamp__descriptor);

    if (timestamp)
        *timestamp = shape_timestamp(instant);
    return timestamp;
}

static void forget_in_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    uint8_t *at = (uint8_t *)message + field->offset;

    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        ProtobufCMessage *inner = *(ProtobufCMessage **)(void *)at;
        if (inner)
            shape_forget_unknown(inner);
        return;
    }
    size_t count = *(size_t *)(void *)((uint8_t *)message + field->quantifier_offset);
    ProtobufCMessage **inner = *(ProtobufCMessage ***)(void *)at;
    for (size_t i = 0; i < count; i++)
        shape_forget_unknown(inner[i]);
}

/* As deep as the transport let the message be (NESTING_MAX). */
void shape_forget_unknown(ProtobufCMessage *message)
{
    message->n_unknown_fields = 0;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        if (message->descriptor->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            forget_in_field(message, &message->descriptor->fields[i]);
    }
}

bool shape_hash(const char *domain, const ProtobufCMessage *message, uint8_t hash[CRYPTO_HASH], struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    uint8_t small[1024]; /* nearly every message fits */

    shape_forget_unknown((ProtobufCMessage *)(uintptr_t)message);
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = size <= sizeof small ? small : arena_alloc(&arena, size);
    if (!packed)
        return error_set(err, REASON_INTERNAL, "out of memory");
    protobuf_c_message_pack(message, packed);
    crypto_sha256_two(domain, strlen(domain) + 1, packed, size, hash);
    return true;
}

bool shape_hash_as(const struct call *call, const char *method, const ProtobufCMessage *request,
                   uint8_t hash[CRYPTO_HASH], struct error *err)
{
    char domain[ID_MAX + 80];

    snprintf(domain, sizeof domain, "%d/%s/%s", (int)call->principal.role, call->principal.id, method);
    return shape_hash(domain, request, hash, err);
}

bool shape_hash_call(const struct call *call, const ProtobufCMessage *request, uint8_t hash[CRYPTO_HASH],
                     struct error *err)
{
    return shape_hash_as(call, call->method->name, request, hash, err);
}
