/* Messages to byte buffers and back. */
#include "client/internal.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>

grpc_byte_buffer *client_buffer(const void *bytes, size_t size)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes, size);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    return buffer;
}

grpc_byte_buffer *client_pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

void client_drop_buffer(grpc_byte_buffer **buffer)
{
    if (*buffer)
        grpc_byte_buffer_destroy(*buffer);
    *buffer = NULL;
}

void *client_bytes(grpc_byte_buffer *buffer, struct arena *arena, size_t *size)
{
    grpc_byte_buffer_reader reader;

    *size = 0;
    if (!buffer || !grpc_byte_buffer_reader_init(&reader, buffer))
        return NULL;
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    void *copy = arena_copy(arena, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all));
    if (copy)
        *size = GRPC_SLICE_LENGTH(all);
    grpc_slice_unref(all);
    return copy;
}

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

ProtobufCMessage *client_unpack(grpc_byte_buffer *buffer, const ProtobufCMessageDescriptor *type, struct arena *arena)
{
    ProtobufCAllocator allocator = { .alloc = from_arena, .free = keep, .allocator_data = arena };
    size_t size;
    const void *bytes = client_bytes(buffer, arena, &size);

    return bytes ? protobuf_c_message_unpack(type, &allocator, size, bytes) : NULL;
}
