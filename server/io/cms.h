/*
 * cms.h -- detached signatures over a file's bytes: CMS (RFC 5652) in DER with SHA-256, as `openssl cms -verify` reads
 * them. Over OpenSSL.
 *
 * The signed time is the caller's, not a clock's: signing the same bytes for the same reason again signs the same
 * attributes.
 */
#ifndef IO_CMS_H
#define IO_CMS_H

#include "base/error.h"
#include "base/when.h"

#include <stddef.h>
#include <stdint.h>

/* PEM files. */
struct cms_signer {
    const char *certificate, *key;
    const char *chain; /* authorities, whoever verifies needs them too; intermediates travel in the signature */
};
enum { CMS_SIGNATURE_MAX = 64 * 1024 };

struct cms_signature {
    uint8_t bytes[CMS_SIGNATURE_MAX];
    size_t size;
};

/* SETTING_INVALID when a file cannot be used, or the key is not the certificate's. */
bool cms_sign(const struct cms_signer *signer, const void *content, size_t size, struct instant signed_at,
              struct cms_signature *signature, struct error *err) MUST_USE;
/* Is it a signature of exactly these bytes, by a certificate that the chain vouches for now? */
bool cms_verify(const char *chain, const void *content, size_t size, const struct cms_signature *signature,
                struct error *err) MUST_USE;

#endif
