#include "io/cms.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <string.h>

enum { FLAGS = CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP };

static void bio_release(BIO **bio)
{
    BIO_free(*bio);
}

static void cms_release(CMS_ContentInfo **cms)
{
    CMS_ContentInfo_free(*cms);
}

static void key_release(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void certificate_release(X509 **certificate)
{
    X509_free(*certificate);
}

static void store_release(X509_STORE **store)
{
    X509_STORE_free(*store);
}

/* OpenSSL's own words, which name no secret; its queue is empty afterwards. */
static bool failed_to(const char *what, const char *path, struct error *err)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return error_set(err, REASON_SETTING_INVALID, "cannot %s %.80s: %.60s", what, path, why ? why : "unknown");
}

static bool read_signer(const struct cms_signer *signer, X509 **certificate, EVP_PKEY **key, struct error *err)
{
    CLEANUP(bio_release) BIO *certificate_file = BIO_new_file(signer->certificate, "r");
    CLEANUP(bio_release) BIO *key_file = BIO_new_file(signer->key, "r");

    *certificate = certificate_file ? PEM_read_bio_X509(certificate_file, NULL, NULL, NULL) : NULL;
    if (!*certificate)
        return failed_to("read signing_certificate", signer->certificate, err);
    *key = key_file ? PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
    return *key || failed_to("read signing_key", signer->key, err);
}

/* Authorities between the certificate and the root, so that a verifier needs the root only. */
static bool add_intermediates(CMS_ContentInfo *cms, const char *chain, struct error *err)
{
    CLEANUP(bio_release) BIO *file = BIO_new_file(chain, "r");
    bool good = file != NULL;
    X509 *authority;

    while (good && (authority = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
        bool root = X509_NAME_cmp(X509_get_subject_name(authority), X509_get_issuer_name(authority)) == 0;
        good = root || CMS_add1_cert(cms, authority) == 1;
        X509_free(authority);
    }
    if (!good)
        return failed_to("read signing_chain", chain, err);
    ERR_clear_error(); /* the end of the file is one */
    return true;
}

static void time_release(ASN1_TIME **time)
{
    ASN1_TIME_free(*time);
}

static bool set_time(CMS_SignerInfo *info, struct instant signed_at)
{
    CLEANUP(time_release) ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)(signed_at.us / US_PER_SECOND));

    return time && CMS_signed_add1_attr_by_NID(info, NID_pkcs9_signingTime, time->type, time, -1) == 1;
}

static bool take(CMS_ContentInfo *cms, struct cms_signature *signature)
{
    int size = i2d_CMS_ContentInfo(cms, NULL);
    uint8_t *at = signature->bytes;

    if (size <= 0 || size > CMS_SIGNATURE_MAX)
        return false;
    signature->size = (size_t)i2d_CMS_ContentInfo(cms, &at);
    return true;
}

bool cms_sign(const struct cms_signer *signer, const void *content, size_t size, struct instant signed_at,
              struct cms_signature *signature, struct error *err)
{
    CLEANUP(certificate_release) X509 *certificate = NULL;
    CLEANUP(key_release) EVP_PKEY *key = NULL;

    if (size > INT_MAX || !read_signer(signer, &certificate, &key, err))
        return size <= INT_MAX ? false : error_set(err, REASON_INTERNAL, "too much to sign at once");
    CLEANUP(bio_release) BIO *bytes = BIO_new_mem_buf(content, (int)size);
    CLEANUP(cms_release) CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, bytes, FLAGS | CMS_PARTIAL);
    CMS_SignerInfo *info = cms ? CMS_add1_signer(cms, certificate, key, EVP_sha256(), FLAGS | CMS_PARTIAL) : NULL;
    if (!info)
        return failed_to("sign with", signer->certificate, err);
    if (!add_intermediates(cms, signer->chain, err))
        return false;
    if (!set_time(info, signed_at) || CMS_final(cms, bytes, NULL, FLAGS) != 1 || !take(cms, signature))
        return failed_to("sign with", signer->certificate, err);
    return true;
}

bool cms_verify(const char *chain, const void *content, size_t size, const struct cms_signature *signature,
                struct error *err)
{
    CLEANUP(store_release) X509_STORE *store = X509_STORE_new();
    const uint8_t *at = signature->bytes;

    if (!store || X509_STORE_load_file(store, chain) != 1)
        return failed_to("read signing_chain", chain, err);
    if (size > INT_MAX)
        return error_set(err, REASON_INTERNAL, "too much to verify at once");
    CLEANUP(bio_release) BIO *bytes = BIO_new_mem_buf(content, (int)size);
    CLEANUP(cms_release) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)signature->size);
    if (!cms || CMS_verify(cms, NULL, store, bytes, NULL, CMS_DETACHED | CMS_BINARY) != 1)
        return failed_to("verify the signature against", chain, err);
    return true;
}
