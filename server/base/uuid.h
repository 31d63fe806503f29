/*
 * uuid.h -- 128-bit names. RFC 9562; version 7 carries its time in milliseconds.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/error.h"
#include "base/when.h"

#include <stdint.h>

struct uuid {
    uint8_t bytes[16];
};

enum { UUID_TEXT = 37 };

/* 8-4-4-4-12 hexadecimal digits of either case, nothing before or after. */
bool uuid_parse(const char *text, struct uuid *out) MUST_USE;
/* Lower case. */
void uuid_format(const struct uuid *uuid, char text[UUID_TEXT]);
int uuid_version(const struct uuid *uuid);
/* The millisecond in a version 7 uuid. */
struct instant uuid_v7_time(const struct uuid *uuid);
/* A version 7 uuid of that instant; the other 74 bits are taken from the 10 random bytes. */
struct uuid uuid_v7(struct instant time, const uint8_t random[10]);
/* A version 8 uuid (the caller's own scheme) from the first 16 bytes of a hash. */
struct uuid uuid_v8(const uint8_t hash[16]);
/* memcmp order. */
int uuid_compare(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *uuid);

#endif
