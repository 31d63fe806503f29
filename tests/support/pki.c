#include "pki.h"

#include <dirent.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60 };

static void need(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "pki: %s\n", what);
    abort();
}

static X509 *new_certificate(EVP_PKEY *key, const char *name)
{
    X509 *made = X509_new();
    unsigned char serial[8];

    need(made && RAND_bytes(serial, sizeof serial) == 1, "no certificate");
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made));
    BN_free(number);
    X509_set_version(made, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), DAY);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    return made;
}

static void extend(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    need(extension && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static void save(const char *file, X509 *certificate, EVP_PKEY *key)
{
    FILE *out = fopen(file, "w");

    need(out != NULL, file);
    if (certificate)
        need(PEM_write_X509(out, certificate), file);
    if (key)
        need(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), file);
    fclose(out);
}

static void path(char out[PKI_PATH], const char *dir, const char *name)
{
    need(snprintf(out, PKI_PATH, "%s/%s", dir, name) < PKI_PATH, "path too long");
}

void pki_make(const char *dir)
{
    char file[PKI_PATH];
    EVP_PKEY *key = EVP_EC_gen("P-256");

    mkdir(dir, 0700);
    X509 *ca = new_certificate(key, "test authority");
    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
    extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(ca, ca, NID_subject_key_identifier, "hash");
    need(X509_sign(ca, key, EVP_sha256()) > 0, "signing");
    path(file, dir, "ca.crt");
    save(file, ca, NULL);
    path(file, dir, "ca.key");
    save(file, NULL, key);
    X509_free(ca);
    EVP_PKEY_free(key);
}

static void load_authority(const char *dir, X509 **ca, EVP_PKEY **key)
{
    char file[PKI_PATH];

    path(file, dir, "ca.crt");
    FILE *in = fopen(file, "r");
    need(in != NULL, file);
    *ca = PEM_read_X509(in, NULL, NULL, NULL);
    fclose(in);
    path(file, dir, "ca.key");
    in = fopen(file, "r");
    need(in != NULL, file);
    *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    need(*ca && *key, "the authority's files are damaged");
}

struct pki_files pki_issue_names(const char *dir, const char *names)
{
    struct pki_files files;
    char name[32];
    unsigned char random[8];
    X509 *ca;
    EVP_PKEY *ca_key, *key = EVP_EC_gen("P-256");

    load_authority(dir, &ca, &ca_key);
    X509 *made = new_certificate(key, "test party");
    X509_set_issuer_name(made, X509_get_subject_name(ca));
    extend(made, ca, NID_ext_key_usage, "serverAuth,clientAuth");
    if (names)
        extend(made, ca, NID_subject_alt_name, names);
    need(X509_sign(made, ca_key, EVP_sha256()) > 0, "signing");
    need(RAND_bytes(random, sizeof random) == 1, "random");
    snprintf(name, sizeof name, "%02x%02x%02x%02x%02x%02x", random[0], random[1], random[2], random[3], random[4],
             random[5]);
    path(files.ca, dir, "ca.crt");
    need(snprintf(files.cert, PKI_PATH, "%s/%s.crt", dir, name) < PKI_PATH, "path too long");
    need(snprintf(files.key, PKI_PATH, "%s/%s.key", dir, name) < PKI_PATH, "path too long");
    save(files.cert, made, NULL);
    save(files.key, NULL, key);
    X509_free(made);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return files;
}

struct pki_files pki_issue(const char *dir, const char *uri)
{
    char names[PKI_PATH];

    if (!uri)
        return pki_issue_names(dir, "DNS:localhost,IP:127.0.0.1");
    need(snprintf(names, sizeof names, "URI:%s", uri) < (int)sizeof names, "URI too long");
    return pki_issue_names(dir, names);
}

void pki_remove(const char *dir)
{
    DIR *list = opendir(dir);

    if (!list)
        return;
    for (struct dirent *entry = readdir(list); entry; entry = readdir(list))
        unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
    rmdir(dir);
}
