/*
 * pb_json_scalar.h -- a JSON value as a number, a truth, an enum, text or bytes, exactly or not at all. Not for anyone
 * but pb_json.
 */
#ifndef IO_PB_JSON_SCALAR_H
#define IO_PB_JSON_SCALAR_H

#include "base/arena.h"
#include "io/pb_json_map.h"

#include <jansson.h>

struct pb_json_reader {
    struct arena *arena; /* of what is read */
    struct error *err;
    int depth; /* messages we are inside of */
};

/* Memory of the arena; NULL with the error set. */
void *pb_json_take(struct pb_json_reader *reader, size_t size, const struct pb_json_path *path);
/* One value of the field's type, which is no message, into `member`. */
bool pb_json_read_scalar(struct pb_json_reader *reader, const json_t *json, const ProtobufCFieldDescriptor *field,
                         void *member, const struct pb_json_path *path) MUST_USE;

#endif
