/*
 * pki.h -- a throw-away certificate authority for tests of mTLS: P-256, valid for a day, in a directory of the test's.
 *
 * Any failure fails the test. Not for anything that is to be kept.
 */
#ifndef SUPPORT_PKI_H
#define SUPPORT_PKI_H

enum { PKI_PATH = 256 };

struct pki_files {
    char ca[PKI_PATH], cert[PKI_PATH], key[PKI_PATH]; /* PEM */
};

/* Makes dir (its parent must be there) with ca.crt and ca.key. */
void pki_make(const char *dir);
/* A certificate of dir's CA for a caller with that URI: "alliance://bank/a"; NULL for a server called localhost. */
struct pki_files pki_issue(const char *dir, const char *uri);
/* The same with any subject alternative names, as OpenSSL writes them: "URI:a,URI:b,DNS:c"; NULL for none. */
struct pki_files pki_issue_names(const char *dir, const char *names);
/* Removes dir and what is in it. */
void pki_remove(const char *dir);

#endif
