/*
 * digest.h -- SHA-256 of what does not fit in memory, piece by piece, over OpenSSL's EVP.
 *
 * For bytes at hand use crypto_sha256. A zeroed digest is safe to release. One thread at a time.
 */
#ifndef IO_DIGEST_H
#define IO_DIGEST_H

#include "io/crypto.h"

struct digest {
    void *state; /* OpenSSL's; NULL until digest_begin */
};

/* Starts anew, whatever was added before. A system without SHA-256 or memory ends the process, as in crypto.h. */
void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, const void *bytes, size_t size);
/* Nothing may be added after this until digest_begin. */
void digest_end(struct digest *digest, uint8_t out[CRYPTO_HASH]);
void digest_release(struct digest *digest);

#endif
