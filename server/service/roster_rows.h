/*
 * roster_rows.h -- rows of a roster batch as they are staged: sealed, in chunks of up to ROWS_MAX.
 *
 * Within the seal lie the bytes that rows_sha256 is made over: of each row its Member in protobuf encoding, after its
 * length as four bytes, most significant first.
 */
#ifndef SERVICE_ROSTER_ROWS_H
#define SERVICE_ROSTER_ROWS_H

#include "io/crypto.h"
#include "store/roster_store.h"

#include <alliance/v1/roster_service.pb-c.h>

/* Fills in everything of the chunk that the rows decide; key and staging_id are set before. False when they do not add
 * up to a number, or there is no room. */
bool roster_chunk_pack(struct roster_chunk *chunk, const char *bank_id, Alliance__V1__MemberRow *const *rows,
                       size_t count, const struct crypto_key *key, struct arena *arena, struct error *err) MUST_USE;
/* The bytes within the seal. */
bool roster_chunk_open(const struct roster_chunk *chunk, const struct crypto_key *key, struct arena *arena,
                       struct crypto_bytes *rows, struct error *err) MUST_USE;
/* The next member from *at on, which moves behind it; NULL when the bytes are damaged. In the arena. */
Alliance__V1__Member *roster_member(const struct crypto_bytes *rows, size_t *at, struct arena *arena);
/* A message that lives in the arena; NULL when it is damaged or there is no room. */
ProtobufCMessage *roster_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size,
                                struct arena *arena);

#endif
