/*
 * requests_file.h -- FILE.requests: what the request ids of a batch are made from, written before the first attempt, so
 * that running FILE again repeats the same requests.
 *
 * It belongs to one content of FILE: when FILE has changed since, its line numbers mean something else, and the run is
 * refused until the side file is removed.
 */
#ifndef CLI_REQUESTS_FILE_H
#define CLI_REQUESTS_FILE_H

#include "batch.h"

#include "base/error.h"
#include "base/when.h"
#include "io/crypto.h"

#include <stdio.h>

struct requests_file {
    struct instant instant; /* of the batch: the time in every request id */
    uint8_t seed[BATCH_SEED];
    uint8_t content[CRYPTO_HASH]; /* a chain of SHA-256 over the blocks of FILE */
};

/* Reads path.requests, or makes it; *made says which. file is read to its end and rewound. */
bool requests_file_open(struct requests_file *requests, const char *path, FILE *file, struct instant now, bool *made,
                        struct error *err) MUST_USE;

#endif
