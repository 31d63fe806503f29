#include "io/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static void must(int good)
{
    if (good == 1)
        return;
    fputs("SHA-256 does not work on this system\n", stderr);
    abort();
}

void digest_begin(struct digest *digest)
{
    if (!digest->state)
        digest->state = EVP_MD_CTX_new();
    must(digest->state != NULL && EVP_DigestInit_ex(digest->state, EVP_sha256(), NULL) == 1);
}

void digest_add(struct digest *digest, const void *bytes, size_t size)
{
    must(EVP_DigestUpdate(digest->state, bytes, size));
}

void digest_end(struct digest *digest, uint8_t out[CRYPTO_HASH])
{
    must(EVP_DigestFinal_ex(digest->state, out, NULL));
}

void digest_release(struct digest *digest)
{
    EVP_MD_CTX_free(digest->state);
    *digest = (struct digest){ 0 };
}
