/*
 * shape.h -- C values as messages of the contract, and the hash that says whether two requests are the same.
 *
 * Messages live in an arena, usually the call's. NULL means the arena is full.
 */
#ifndef SERVICE_SHAPE_H
#define SERVICE_SHAPE_H

#include "base/arena.h"
#include "base/uuid.h"
#include "base/when.h"
#include "io/crypto.h"
#include "service/call.h"

#include <alliance/v1/types.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>

/* A message with every field at its default. */
void *shape_new(struct arena *arena, const ProtobufCMessageDescriptor *type);
char *shape_text(struct arena *arena, const char *text);
/* A merchant category code, "" for 0. */
char *shape_category(struct arena *arena, int32_t category);
char *shape_date(struct arena *arena, struct date date);
Alliance__V1__Money *shape_money(struct arena *arena, const char *currency, int64_t amount_minor);
Google__Protobuf__Timestamp *shape_instant(struct arena *arena, struct instant instant);
/* For messages on the stack. */
Google__Protobuf__Timestamp shape_timestamp(struct instant instant);

/*
 * Drops the unknown fields of a message that lives in an arena (they are not given back), and of all within it.
 */
void shape_forget_unknown(ProtobufCMessage *message);
/*
 * SHA-256 over `domain` and all fields of the message that we know. What a client of a later version adds, and the
 * order it sends fields in, make no difference. The message's unknown fields are dropped on the way: it is the
 * transport's copy.
 */
bool shape_hash(const char *domain, const ProtobufCMessage *message, uint8_t hash[CRYPTO_HASH],
                struct error *err) MUST_USE;
/* The same over the caller's party, the method and its request: what a repeat with the same request_id must have. */
bool shape_hash_call(const struct call *call, const ProtobufCMessage *request, uint8_t hash[CRYPTO_HASH],
                     struct error *err) MUST_USE;
/* The same for what a batch brings: a request of that unary method, so that it may be repeated either way. */
bool shape_hash_as(const struct call *call, const char *method, const ProtobufCMessage *request,
                   uint8_t hash[CRYPTO_HASH], struct error *err) MUST_USE;

#endif
