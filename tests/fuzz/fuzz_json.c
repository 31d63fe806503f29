/* A message as people write it for the command line. The first byte says of which type; the rest is JSON. */
#include "fuzz_message.h"

#include "io/pb_json.h"
#include "rpc/decode.h"

static struct feed written_and_read(const ProtobufCMessage *message, struct arena *arena)
{
    ProtobufCMessage *again;
    struct error err = { 0 };
    char *text;

    CLAIM(pb_json_format(message, PB_JSON_DEFAULTS | PB_JSON_INDENT, arena, &text, &err));
    CLAIM(pb_json_parse(message->descriptor, text, strlen(text), arena, &again, &err));
    return message_pack(again, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct feed feed = { bytes, size };
    const ProtobufCMessageDescriptor *type = message_type(feed_byte(&feed));
    ProtobufCMessage *message, *sent;
    struct error err = { 0 };

    if (!pb_json_parse(type, (const char *)feed.at, feed.size, &arena, &message, &err))
        return 0;
    struct feed packed = message_pack(message, &arena);
    CLAIM(same_bytes(written_and_read(message, &arena), packed));
    /* What a client may write the server must be able to read. */
    CLAIM(decode_message(type, packed.at, packed.size, &arena, &sent, &err));
    CLAIM(same_bytes(message_pack(sent, &arena), packed));
    return 0;
}
