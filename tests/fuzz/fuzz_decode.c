/*
 * What came over the network as a message. The first byte says of which type, the second how JSON is written.
 *
 * What is let through stays within the memory that decode.h promises, and is the same message after protobuf out and
 * in, and after JSON out and in.
 */
#include "fuzz_message.h"

#include "base/limits.h"
#include "io/pb_json.h"
#include "rpc/decode.h"

static void protobuf_keeps_it(const ProtobufCMessageDescriptor *type, struct feed packed)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    ProtobufCMessage *again;
    struct error err = { 0 };

    CLAIM(decode_message(type, packed.at, packed.size, &arena, &again, &err));
    CLAIM(same_bytes(message_pack(again, &arena), packed));
}

static void json_keeps_it(ProtobufCMessage *message, unsigned flags)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    ProtobufCMessage *again;
    struct error err = { 0 };
    char *text;

    message_forget_unknown(message);
    if (!pb_json_format(message, flags, &arena, &text, &err)) {
        CLAIM(message_has_time(message));
        return;
    }
    CLAIM(pb_json_parse(message->descriptor, text, strlen(text), &arena, &again, &err));
    CLAIM(same_bytes(message_pack(again, &arena), message_pack(message, &arena)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct feed feed = { bytes, size };
    const ProtobufCMessageDescriptor *type = message_type(feed_byte(&feed));
    unsigned flags = feed_byte(&feed) % 4;
    ProtobufCMessage *message;
    struct error err = { 0 };

    if (!decode_message(type, feed.at, feed.size, &arena, &message, &err)) {
        CLAIM(err.reason == REASON_MESSAGE_MALFORMED || err.reason == REASON_MESSAGE_TOO_LARGE);
        return 0;
    }
    CLAIM(arena.used <= DECODE_MAX);
    CLAIM(protobuf_c_message_check(message));
    protobuf_keeps_it(type, message_pack(message, &arena));
    json_keeps_it(message, flags);
    return 0;
}
