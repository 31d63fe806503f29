/*
 * wire.h -- C values to and from PostgreSQL's binary format (the send/receive functions of each type; integers are
 * big-endian, dates count days and instants microseconds from 2000-01-01). Pure: no connection, no libpq.
 */
#ifndef STORE_WIRE_H
#define STORE_WIRE_H

#include "store/db.h"

/* A growing buffer. A zeroed one is empty; release gives it back. */
struct wire {
    uint8_t *at;
    size_t size, room;
    bool failed; /* memory ran out; everything after that is dropped */
};

/* The oid of a composite type on this connection; 0 when unknown. */
typedef uint32_t wire_type_lookup(void *owner, const struct record_type *record);

void wire_release(struct wire *wire);
/* Appends the value of one column of a params struct, without a length before it. */
void wire_put(struct wire *wire, const struct column *column, const void *params, wire_type_lookup *lookup,
              void *owner);
/* Reads a value of `size` bytes into the column's place in row; false when the bytes are not of the kind. */
bool wire_get(const struct column *column, const uint8_t *bytes, size_t size, void *row, struct arena *arena) MUST_USE;
/* The type oid of a kind (pg_type.dat of PostgreSQL); 0 for composite arrays. */
uint32_t wire_oid(enum kind kind);

#endif
