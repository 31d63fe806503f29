/*
 * decode.h -- bytes from the network to a message, with every cost bounded before protobuf-c sees them.
 *
 * protobuf-c alone overflows the stack on deep nesting, takes quadratic time for a sub-message given many times, cuts
 * text at a NUL and does not look at UTF-8. Nothing of gRPC here; no clock, no global state.
 */
#ifndef RPC_DECODE_H
#define RPC_DECODE_H

#include "base/arena.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/*
 * *message lives in the arena and shares nothing with the bytes. REASON_MESSAGE_TOO_LARGE past MESSAGE_MAX bytes, else
 * REASON_MESSAGE_MALFORMED with the field's path: nesting past NESTING_MAX, memory past DECODE_MAX, a single
 * sub-message given twice, text that is not UTF-8 or holds a NUL, anything cut short.
 */
bool decode_message(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, struct arena *arena,
                    ProtobufCMessage **message, struct error *err) MUST_USE;

enum decode_coding { DECODE_GZIP, DECODE_DEFLATE };

/* Inflates to at most MESSAGE_MAX bytes. *out is malloc'd and the caller's to free, also NULL on failure. */
bool decode_inflate(enum decode_coding coding, const uint8_t *bytes, size_t size, uint8_t **out, size_t *out_size,
                    struct error *err) MUST_USE;

#endif
