/* fuzz_message.h -- every request message of every service, and messages compared by their bytes. */
#ifndef FUZZ_FUZZ_MESSAGE_H
#define FUZZ_FUZZ_MESSAGE_H

#include "fuzz.h"

#include <protobuf-c/protobuf-c.h>

/* The request message that the number picks: they are numbered service by service, as seeds.py does it too. */
const ProtobufCMessageDescriptor *message_type(uint8_t number);

/* Takes out what JSON cannot carry: fields that the contract does not know. */
void message_forget_unknown(ProtobufCMessage *message);
/* A time or a duration is in it, whose range JSON bounds while protobuf does not. */
bool message_has_time(const ProtobufCMessage *message);
/* In the arena. */
struct feed message_pack(const ProtobufCMessage *message, struct arena *arena);
bool same_bytes(struct feed a, struct feed b);

#endif
