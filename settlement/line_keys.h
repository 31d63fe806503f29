/*
 * line_keys.h -- which journal entries the lines of a period are, kept in a file without a name until they are stored.
 *
 * Lines stream by, and the connection they come on cannot store anything meanwhile; ten million of them are 300 MB,
 * more than a close may take of memory. The file is gone when the program is, however it ends.
 */
#ifndef SETTLEMENT_LINE_KEYS_H
#define SETTLEMENT_LINE_KEYS_H

#include "base/error.h"
#include "base/uuid.h"
#include "base/when.h"

#include <stdint.h>
#include <stdio.h>

enum { LINE_KEY = 30 }; /* bytes of a key: int2 bucket, member_id, int8 seq, int4 days since 1970-01-01, big-endian */

/* Zeroed is closed. */
struct line_keys {
    FILE *file; /* the struct's own */
};

/* An entry of the journal. */
struct line_key {
    int32_t bucket; /* 0 to BUCKETS_MAX - 1 */
    struct uuid member_id;
    int64_t seq;
    struct date business_date;
};

/* Begins an empty file in the directory, where there is room for statements. */
bool line_keys_open(struct line_keys *keys, int directory, struct error *err) MUST_USE;
/* A failure is kept and told by line_keys_rewind. */
void line_keys_add(struct line_keys *keys, const struct line_key *key);
/* To be read from the first on. */
bool line_keys_rewind(struct line_keys *keys, struct error *err) MUST_USE;
/* The next count keys, packed; packed has room for them. */
bool line_keys_read(struct line_keys *keys, uint8_t *packed, size_t count, struct error *err) MUST_USE;
void line_keys_release(struct line_keys *keys);

#endif
