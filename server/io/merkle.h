/*
 * merkle.h -- one hash over a list of rows from which each row can be proved by itself: the tree of RFC 9162, 2.1, with
 * SHA-256.
 *
 * A leaf is SHA-256(0x00, row), a node SHA-256(0x01, left, right); the left part of n > 1 leaves has the largest power
 * of two below n; no leaves at all give SHA-256 of nothing. The root given out binds the number of rows too, which the
 * tree alone does not: SHA-256(0x02, number as eight bytes, most significant first, the tree's root). Memory does not
 * grow with the rows.
 */
#ifndef IO_MERKLE_H
#define IO_MERKLE_H

#include "io/crypto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MERKLE_DEPTH = 64 };

/* Rows added so far; zeroed is empty. */
struct merkle {
    uint64_t count;
    uint8_t peaks[MERKLE_DEPTH][CRYPTO_HASH]; /* peaks[k] is of 2^k leaves when bit k of count is set */
};

void merkle_leaf(const void *row, size_t size, uint8_t leaf[CRYPTO_HASH]);
void merkle_add(struct merkle *merkle, const uint8_t leaf[CRYPTO_HASH]);
void merkle_root(const struct merkle *merkle, uint8_t root[CRYPTO_HASH]);

/*
 * The proof of row `index` of `count`: the roots of the parts of the tree beside the way from its leaf up, the lowest
 * first. Made in one walk over all leaves.
 */
struct merkle_proof {
    uint64_t index, count, next; /* next: the leaf that comes next */
    size_t size;                 /* parts */
    struct {
        uint64_t from, to; /* leaves of the part, `to` not among them */
        struct merkle part;
    } at[MERKLE_DEPTH];
    uint8_t leaf[CRYPTO_HASH];
};

/* index < count */
void merkle_proof_begin(struct merkle_proof *proof, uint64_t index, uint64_t count);
void merkle_proof_add(struct merkle_proof *proof, const uint8_t leaf[CRYPTO_HASH]);
/* Of part i, once all leaves were added. */
void merkle_proof_part(const struct merkle_proof *proof, size_t i, uint8_t hash[CRYPTO_HASH]);

/* Is the leaf number `index` of `count` under that root? parts are those of the proof, size of them. */
bool merkle_verify(const uint8_t leaf[CRYPTO_HASH], uint64_t index, uint64_t count, const uint8_t (*parts)[CRYPTO_HASH],
                   size_t size, const uint8_t root[CRYPTO_HASH]);

#endif
