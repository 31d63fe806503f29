/*
 * member_source.h -- the members of a bank's file, one after the other, and what they add up to. It knows no rpc: what
 * sends members takes them from here.
 */
#ifndef CLI_MEMBER_SOURCE_H
#define CLI_MEMBER_SOURCE_H

#include "io/crypto.h"
#include "io/refusals.h"
#include "io/row_source.h"

#include <alliance/v1/bank_service.pb-c.h>

struct member_source {
    struct row_source *source;    /* of member_columns; borrowed */
    Alliance__V1__MemberRow *row; /* in the arena of the last call; NULL unless that was SOURCE_ROW */
    int64_t row_number;           /* of the last good row, from 1 */
};

/* The next member in the arena; on SOURCE_BAD and SOURCE_BROKEN source->row->err says why. */
enum source_next member_source_next(struct member_source *members, struct arena *arena) MUST_USE;

/*
 * What a bank reckons for itself and compares. The hash is SHA-256 over each good row's Member in canonical protobuf
 * encoding (fields ascending, none that has its default), each after its length as four bytes, most significant first.
 */
struct member_totals {
    int64_t rows, refused, credit_limit_total;
    uint8_t rows_sha256[CRYPTO_HASH];
};

/* Reads the whole file and goes back to its first row. Refused rows go to refusals, unless that is NULL. False when the
 * file is broken. */
bool member_source_totals(struct row_source *source, struct refusals *refusals, struct member_totals *totals,
                          struct error *err) MUST_USE;

#endif
