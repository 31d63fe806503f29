/*
 * credentials.h -- the server's certificate and the CA of its callers, read again when the files change.
 *
 * A change takes effect with the next connection. A pair that does not fit, or a file that cannot be read, leaves the
 * old one in use. Replace files by renaming; the key first or the certificate first does not matter.
 */
#ifndef RPC_CREDENTIALS_H
#define RPC_CREDENTIALS_H

#include "base/error.h"

#include <grpc/grpc_security.h>

struct credentials;

/* mTLS: a caller without a certificate of the CA gets no connection. Outlives the core's server. */
bool credentials_open(const char *ca_file, const char *cert_file, const char *key_file,
                      struct credentials **credentials, struct error *err) MUST_USE;
/* For one port; the caller releases it. */
grpc_server_credentials *credentials_make(struct credentials *credentials);
void credentials_close(struct credentials *credentials);

#endif
