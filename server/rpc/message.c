/* Between messages and the core's byte buffers. */
#include "rpc/internal.h"

#include "rpc/decode.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <stdlib.h>
#include <string.h>

grpc_byte_buffer *rpc_message_pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1); /* with a reference of its own */
    grpc_slice_unref(slice);
    return buffer;
}

/* The buffer's raw bytes, still compressed when they are, as one slice. */
static grpc_slice join(const grpc_slice_buffer *slices)
{
    if (slices->count == 1)
        return grpc_slice_ref(slices->slices[0]);
    grpc_slice joined = grpc_slice_malloc(slices->length);
    uint8_t *at = GRPC_SLICE_START_PTR(joined);
    for (size_t i = 0; i < slices->count; i++) {
        size_t size = GRPC_SLICE_LENGTH(slices->slices[i]);
        memcpy(at, GRPC_SLICE_START_PTR(slices->slices[i]), size);
        at += size;
    }
    return joined;
}

static void free_bytes(uint8_t **bytes)
{
    free(*bytes);
}

static bool unpack_compressed(grpc_compression_algorithm coding, const uint8_t *bytes, size_t size,
                              const ProtobufCMessageDescriptor *type, struct arena *arena, ProtobufCMessage **message,
                              struct error *err)
{
    CLEANUP(free_bytes) uint8_t *inflated = NULL;
    size_t inflated_size;
    enum decode_coding as = coding == GRPC_COMPRESS_GZIP ? DECODE_GZIP : DECODE_DEFLATE;

    return decode_inflate(as, bytes, size, &inflated, &inflated_size, err) &&
           decode_message(type, inflated, inflated_size, arena, message, err);
}

static void drop_slice(grpc_slice *slice)
{
    grpc_slice_unref(*slice);
}

bool rpc_message_unpack(grpc_byte_buffer *buffer, const ProtobufCMessageDescriptor *type, struct arena *arena,
                        ProtobufCMessage **message, struct error *err)
{
    CLEANUP(drop_slice) grpc_slice joined = grpc_empty_slice();
    grpc_compression_algorithm coding = buffer->data.raw.compression;

    *message = NULL;
    if (buffer->data.raw.slice_buffer.length > MESSAGE_MAX)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "the message is larger than %d bytes", MESSAGE_MAX);
    joined = join(&buffer->data.raw.slice_buffer);
    const uint8_t *bytes = GRPC_SLICE_START_PTR(joined);
    size_t size = GRPC_SLICE_LENGTH(joined);
    if (coding != GRPC_COMPRESS_NONE)
        return unpack_compressed(coding, bytes, size, type, arena, message, err);
    return decode_message(type, bytes, size, arena, message, err);
}
