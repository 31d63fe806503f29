/* tests/unit/test_merkle.c -- roots against the published test tree, proofs of every row of every small list. */
#include "io/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What merkle.h says the root is, given the tree's. */
static void bound(uint8_t count, const char *tree, char hex[2 * CRYPTO_HASH + 1])
{
    uint8_t bytes[9 + CRYPTO_HASH] = { 2, [8] = count }, root[CRYPTO_HASH];

    assert_true(crypto_hex_decode(tree, CRYPTO_HASH, bytes + 9));
    crypto_sha256(bytes, sizeof bytes, root);
    crypto_hex(root, sizeof root, hex);
}

/* The tree that implementations of RFC 6962 and 9162 share for testing: eight rows and the root of the first n. */
static const struct {
    const char *row, *root; /* of the rows up to this one, hexadecimal */
} published[] = {
    { "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
    { "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
    { "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
    { "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
    { "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
    { "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
    { "5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
    { "606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

static void roots_are_those_published(void **state)
{
    struct merkle merkle = { 0 };
    uint8_t root[CRYPTO_HASH], leaf[CRYPTO_HASH], row[16];
    char hex[2 * CRYPTO_HASH + 1], expected[2 * CRYPTO_HASH + 1];

    (void)state;
    merkle_root(&merkle, root);
    crypto_hex(root, sizeof root, hex);
    bound(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", expected);
    assert_string_equal(hex, expected);
    for (size_t i = 0; i < COUNT(published); i++) {
        size_t size = strlen(published[i].row) / 2;
        assert_true(crypto_hex_decode(published[i].row, size, row));
        merkle_leaf(row, size, leaf);
        merkle_add(&merkle, leaf);
        merkle_root(&merkle, root);
        crypto_hex(root, sizeof root, hex);
        bound((uint8_t)(i + 1), published[i].root, expected);
        assert_string_equal(hex, expected);
    }
}

static void leaf_of(uint64_t number, uint8_t leaf[CRYPTO_HASH])
{
    char row[32];
    int n = snprintf(row, sizeof row, "row %llu", (unsigned long long)number);

    merkle_leaf(row, (size_t)n, leaf);
}

static void root_of(uint64_t count, uint8_t root[CRYPTO_HASH])
{
    struct merkle merkle = { 0 };
    uint8_t leaf[CRYPTO_HASH];

    for (uint64_t i = 0; i < count; i++) {
        leaf_of(i, leaf);
        merkle_add(&merkle, leaf);
    }
    merkle_root(&merkle, root);
}

static size_t prove(uint64_t index, uint64_t count, uint8_t parts[MERKLE_DEPTH][CRYPTO_HASH])
{
    static struct merkle_proof proof;
    uint8_t leaf[CRYPTO_HASH];

    merkle_proof_begin(&proof, index, count);
    for (uint64_t i = 0; i < count; i++) {
        leaf_of(i, leaf);
        merkle_proof_add(&proof, leaf);
    }
    for (size_t i = 0; i < proof.size; i++)
        merkle_proof_part(&proof, i, parts[i]);
    return proof.size;
}

/* And no proof is any other row's, or of a list of another length, or bears a changed bit or a missing part. */
static void each_row_of_each_list_is_proved(void **state)
{
    uint8_t parts[MERKLE_DEPTH][CRYPTO_HASH], root[CRYPTO_HASH], other[CRYPTO_HASH], leaf[CRYPTO_HASH];

    (void)state;
    for (uint64_t count = 1; count <= 40; count++) {
        root_of(count, root);
        root_of(count + 1, other);
        for (uint64_t index = 0; index < count; index++) {
            size_t size = prove(index, count, parts);
            leaf_of(index, leaf);
            const uint8_t(*path)[CRYPTO_HASH] = (const uint8_t(*)[CRYPTO_HASH])parts;
            assert_true(merkle_verify(leaf, index, count, path, size, root));
            assert_false(merkle_verify(leaf, index, count, path, size, other));
            assert_false(merkle_verify(leaf, index, count, path, size + 1, root));
            assert_false(merkle_verify(leaf, count, count, path, size, root));
            assert_false(merkle_verify(leaf, index, count + 1, path, size, root));
            assert_false(index < count - 1 && merkle_verify(leaf, index, count - 1, path, size, root));
            if (size > 0) {
                assert_false(merkle_verify(leaf, index, count, path, size - 1, root));
                assert_false(merkle_verify(leaf, index ^ 1, count, path, size, root));
                parts[index % size][index % CRYPTO_HASH] ^= 1;
                assert_false(merkle_verify(leaf, index, count, path, size, root));
                parts[index % size][index % CRYPTO_HASH] ^= 1;
            }
            leaf_of(index + 1, leaf);
            assert_false(merkle_verify(leaf, index, count, path, size, root));
        }
    }
}

/* A node taken for a row, and a row for a node: the first byte keeps them apart. */
static void a_node_is_no_row(void **state)
{
    uint8_t rows[2 * CRYPTO_HASH], leaf[CRYPTO_HASH], root[CRYPTO_HASH];

    (void)state;
    leaf_of(0, rows);
    leaf_of(1, rows + CRYPTO_HASH);
    merkle_leaf(rows, sizeof rows, leaf);
    root_of(2, root);
    assert_memory_not_equal(leaf, root, CRYPTO_HASH);
    assert_false(merkle_verify(leaf, 0, 1, NULL, 0, root));
}

static void numbers_that_are_no_count_are_refused(void **state)
{
    uint8_t leaf[CRYPTO_HASH] = { 0 };

    (void)state;
    assert_false(merkle_verify(leaf, 0, 0, NULL, 0, leaf));
    assert_false(merkle_verify(leaf, 5, UINT64_MAX, NULL, 0, leaf));
    assert_false(merkle_verify(leaf, INT64_MAX - 1, INT64_MAX, NULL, 0, leaf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_published),
        cmocka_unit_test(each_row_of_each_list_is_proved),
        cmocka_unit_test(a_node_is_no_row),
        cmocka_unit_test(numbers_that_are_no_count_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
