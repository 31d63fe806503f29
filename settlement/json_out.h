/*
 * json_out.h -- JSON written as it comes, in the proto3 mapping: camelCase keys, 64-bit integers as strings.
 *
 * Only writes; commas are its business, the right order of open and close is the caller's. Keys are literals of ours.
 */
#ifndef SETTLEMENT_JSON_OUT_H
#define SETTLEMENT_JSON_OUT_H

#include "new_file.h"

struct json_out {
    struct new_file *file; /* the caller's */
    bool follows;          /* a value stands before, so a comma is due */
};

/* bracket is "{" or "["; key NULL in an array or at the top. */
void json_open(struct json_out *out, const char *key, const char *bracket);
/* "}" or "]". */
void json_close(struct json_out *out, const char *bracket);
void json_text(struct json_out *out, const char *key, const char *value);
void json_int64(struct json_out *out, const char *key, int64_t value);
void json_int32(struct json_out *out, const char *key, int32_t value);
/* The next value begins on a new line. */
void json_new_line(struct json_out *out);

#endif
