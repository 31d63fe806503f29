/*
 * descriptors.h -- the embedded descriptor set: which methods stream, and what reflection hands out.
 *
 * protobuf-c's own descriptors know neither. Read-only once loaded; any thread.
 */
#ifndef RPC_DESCRIPTORS_H
#define RPC_DESCRIPTORS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct descriptors;

/* One serialized FileDescriptorProto, inside the set. */
struct descriptor_file {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    const size_t *imports; /* indexes of files */
    size_t import_count;
};

enum { DESCRIPTOR_FILES_MAX = 64 };

/* The set's bytes must outlive it. */
bool descriptors_load(const uint8_t *bytes, size_t size, struct descriptors **descriptors, struct error *err) MUST_USE;
void descriptors_free(struct descriptors *descriptors);

/* "alliance.v1.BankService/PushMembers"; false when there is no such method. */
bool descriptors_streaming(const struct descriptors *descriptors, const char *method, bool *client,
                           bool *server) MUST_USE;
/* The file of that name, or NULL. */
const struct descriptor_file *descriptors_by_name(const struct descriptors *descriptors, const char *name);
/* The file that declares package.Message, .field, .Enum, .VALUE, .Service or .Method; or NULL. */
const struct descriptor_file *descriptors_by_symbol(const struct descriptors *descriptors, const char *symbol);
/* The file and everything it imports, each once, the file first; how many. */
size_t descriptors_closure(const struct descriptors *descriptors, const struct descriptor_file *file,
                           const struct descriptor_file *found[DESCRIPTOR_FILES_MAX]);

#endif
