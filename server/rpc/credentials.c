#include "rpc/credentials.h"

#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PEM_MAX = 256 * 1024 };

enum file { FILE_CA, FILE_CERT, FILE_KEY, FILE_COUNT };

/* A file that changed differs in one of these. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* Touched by the thread that accepts connections only, after open. */
struct credentials {
    char *names[FILE_COUNT];
    struct stamp stamps[FILE_COUNT]; /* of what was read last */
};

static bool stamp_of(const char *name, struct stamp *stamp)
{
    struct stat now;

    if (stat(name, &now) != 0)
        return false;
    *stamp = (struct stamp){ now.st_dev, now.st_ino, now.st_size, now.st_ctim };
    return true;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* malloc'd, or NULL. */
static char *read_pem(const char *name)
{
    CLEANUP(close_file) FILE *file = fopen(name, "re");
    char *text = calloc(1, PEM_MAX);

    if (file && text) {
        size_t size = fread(text, 1, PEM_MAX - 1, file);
        if (!ferror(file) && size > 0 && size < PEM_MAX - 1)
            return text;
    }
    free(text);
    return NULL;
}

struct pem {
    char *texts[FILE_COUNT];
};

static void pem_release(struct pem *pem)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (pem->texts[i] && i == FILE_KEY)
            explicit_bzero(pem->texts[i], PEM_MAX);
        free(pem->texts[i]);
    }
}

static grpc_ssl_server_certificate_config *load(const struct credentials *credentials)
{
    CLEANUP(pem_release) struct pem pem = { 0 };

    for (size_t i = 0; i < FILE_COUNT; i++) {
        pem.texts[i] = read_pem(credentials->names[i]);
        if (!pem.texts[i])
            return NULL;
    }
    grpc_ssl_pem_key_cert_pair pair = { .private_key = pem.texts[FILE_KEY], .cert_chain = pem.texts[FILE_CERT] };
    return grpc_ssl_server_certificate_config_create(pem.texts[FILE_CA], &pair, 1);
}

/* Called by the core for each new connection, on the thread that does the I/O: three stat calls when all is old. */
static grpc_ssl_certificate_config_reload_status fetch(void *user, grpc_ssl_server_certificate_config **config)
{
    struct credentials *credentials = user;
    struct stamp now[FILE_COUNT];
    bool old = true;

    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (!stamp_of(credentials->names[i], &now[i]))
            return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
        old = old && same(&now[i], &credentials->stamps[i]);
    }
    if (old)
        return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    grpc_ssl_server_certificate_config *loaded = load(credentials);
    if (!loaded)
        return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    memcpy(credentials->stamps, now, sizeof now);
    *config = loaded;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

static bool check_readable(const struct credentials *credentials, struct error *err)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char *text = read_pem(credentials->names[i]);
        free(text);
        if (!text)
            return error_set(err, REASON_SETTING_INVALID, "cannot read %s", credentials->names[i]);
    }
    return true;
}

bool credentials_open(const char *ca_file, const char *cert_file, const char *key_file,
                      struct credentials **credentials, struct error *err)
{
    const char *names[FILE_COUNT] = { [FILE_CA] = ca_file, [FILE_CERT] = cert_file, [FILE_KEY] = key_file };
    struct credentials *made = calloc(1, sizeof *made);

    *credentials = made;
    if (!made)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < FILE_COUNT; i++) {
        made->names[i] = names[i] ? strdup(names[i]) : NULL;
        if (!made->names[i])
            return error_set(err, REASON_SETTING_INVALID, "the server needs a CA, a certificate and a key file");
    }
    return check_readable(made, err);
}

grpc_server_credentials *credentials_make(struct credentials *credentials)
{
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, fetch, credentials));
}

void credentials_close(struct credentials *credentials)
{
    for (size_t i = 0; credentials && i < FILE_COUNT; i++)
        free(credentials->names[i]);
    free(credentials);
}
