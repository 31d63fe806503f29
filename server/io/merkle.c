#include "io/merkle.h"

#include <string.h>

static void join(const uint8_t left[CRYPTO_HASH], const uint8_t right[CRYPTO_HASH], uint8_t out[CRYPTO_HASH])
{
    uint8_t node[1 + 2 * CRYPTO_HASH] = { 1 };

    memcpy(node + 1, left, CRYPTO_HASH);
    memcpy(node + 1 + CRYPTO_HASH, right, CRYPTO_HASH);
    crypto_sha256(node, sizeof node, out);
}

void merkle_leaf(const void *row, size_t size, uint8_t leaf[CRYPTO_HASH])
{
    crypto_sha256_two("", 1, row, size, leaf);
}

void merkle_add(struct merkle *merkle, const uint8_t leaf[CRYPTO_HASH])
{
    uint8_t whole[CRYPTO_HASH];
    size_t k = 0;

    memcpy(whole, leaf, CRYPTO_HASH);
    for (; merkle->count >> k & 1; k++)
        join(merkle->peaks[k], whole, whole);
    memcpy(merkle->peaks[k], whole, CRYPTO_HASH);
    merkle->count++;
}

/* The root of the tree. */
static void tree_root(const struct merkle *merkle, uint8_t root[CRYPTO_HASH])
{
    bool begun = false;

    if (merkle->count == 0)
        crypto_sha256("", 0, root);
    for (size_t k = 0; k < MERKLE_DEPTH; k++) {
        if (!(merkle->count >> k & 1))
            continue;
        if (begun)
            join(merkle->peaks[k], root, root);
        else
            memcpy(root, merkle->peaks[k], CRYPTO_HASH);
        begun = true;
    }
}

static void bind_count(uint64_t count, uint8_t root[CRYPTO_HASH])
{
    uint8_t bound[1 + 8 + CRYPTO_HASH] = { 2 };

    for (int i = 0; i < 8; i++)
        bound[1 + i] = (uint8_t)(count >> (56 - 8 * i));
    memcpy(bound + 9, root, CRYPTO_HASH);
    crypto_sha256(bound, sizeof bound, root);
}

void merkle_root(const struct merkle *merkle, uint8_t root[CRYPTO_HASH])
{
    tree_root(merkle, root);
    bind_count(merkle->count, root);
}

/* Of n > 1 leaves, how many lie to the left. */
static uint64_t left_of(uint64_t n)
{
    uint64_t left = 1;

    while (left < n - left)
        left *= 2;
    return left;
}

void merkle_proof_begin(struct merkle_proof *proof, uint64_t index, uint64_t count)
{
    uint64_t from = 0, to = count;

    memset(proof, 0, sizeof *proof);
    proof->index = index;
    proof->count = count;
    for (; to - from > 1; proof->size++) { /* from the root down: turned round below */
        uint64_t middle = from + left_of(to - from);
        bool left = index < middle;
        proof->at[proof->size].from = left ? middle : from;
        proof->at[proof->size].to = left ? to : middle;
        from = left ? from : middle;
        to = left ? middle : to;
    }
    for (size_t i = 0; i < proof->size / 2; i++) {
        size_t k = proof->size - 1 - i;
        uint64_t first = proof->at[i].from, last = proof->at[i].to;
        proof->at[i].from = proof->at[k].from;
        proof->at[i].to = proof->at[k].to;
        proof->at[k].from = first;
        proof->at[k].to = last;
    }
}

void merkle_proof_add(struct merkle_proof *proof, const uint8_t leaf[CRYPTO_HASH])
{
    uint64_t number = proof->next++;

    if (number == proof->index)
        memcpy(proof->leaf, leaf, CRYPTO_HASH);
    for (size_t i = 0; i < proof->size; i++) {
        if (number >= proof->at[i].from && number < proof->at[i].to)
            merkle_add(&proof->at[i].part, leaf);
    }
}

void merkle_proof_part(const struct merkle_proof *proof, size_t i, uint8_t hash[CRYPTO_HASH])
{
    tree_root(&proof->at[i].part, hash);
}

/* Downwards it is known on which side the leaf lies; the parts are used up from the root's side. */
static bool climb(const uint8_t leaf[CRYPTO_HASH], uint64_t index, uint64_t count, const uint8_t (*parts)[CRYPTO_HASH],
                  size_t size, uint8_t out[CRYPTO_HASH])
{
    bool left_side[MERKLE_DEPTH];
    size_t depth = 0;

    for (uint64_t from = 0, to = count; to - from > 1; depth++) {
        uint64_t middle = from + left_of(to - from);
        left_side[depth] = index < middle;
        from = left_side[depth] ? from : middle;
        to = left_side[depth] ? middle : to;
    }
    if (depth != size)
        return false;
    memcpy(out, leaf, CRYPTO_HASH);
    for (size_t i = 0; i < depth; i++) {
        if (left_side[depth - 1 - i])
            join(out, parts[i], out);
        else
            join(parts[i], out, out);
    }
    return true;
}

bool merkle_verify(const uint8_t leaf[CRYPTO_HASH], uint64_t index, uint64_t count, const uint8_t (*parts)[CRYPTO_HASH],
                   size_t size, const uint8_t root[CRYPTO_HASH])
{
    uint8_t found[CRYPTO_HASH];

    if (index >= count || count > INT64_MAX || !climb(leaf, index, count, parts, size, found))
        return false;
    bind_count(count, found);
    return memcmp(found, root, CRYPTO_HASH) == 0;
}
