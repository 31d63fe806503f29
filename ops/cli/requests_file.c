#include "requests_file.h"

#include "io/file.h"

#include <string.h>

enum { PATH_SIZE = 4096, TEXT_SIZE = 512 };

/* SHA-256 of the file, as a chain over blocks: the file may be larger than memory. */
static bool hash_file(FILE *file, uint8_t out[CRYPTO_HASH], struct error *err)
{
    static const uint8_t start[CRYPTO_HASH];
    uint8_t block[16 * 1024];
    size_t n;

    memcpy(out, start, sizeof start);
    rewind(file);
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        crypto_sha256_two(out, CRYPTO_HASH, block, n, out);
    bool read = !ferror(file);
    rewind(file);
    return read || error_set(err, REASON_FIELD_INVALID, "the file cannot be read");
}

static bool parse(const char *text, struct requests_file *requests)
{
    char instant[64], seed[2 * BATCH_SEED + 1], content[2 * CRYPTO_HASH + 1];

    return sscanf(text, "instant=%63s\nseed=%32s\ncontent=%64s", instant, seed, content) == 3 &&
           instant_parse(instant, &requests->instant) && strlen(seed) == 2 * BATCH_SEED &&
           crypto_hex_decode(seed, BATCH_SEED, requests->seed) && strlen(content) == 2 * CRYPTO_HASH &&
           crypto_hex_decode(content, CRYPTO_HASH, requests->content);
}

static bool write_file(const char *path, const struct requests_file *requests, struct error *err)
{
    char text[TEXT_SIZE], instant[INSTANT_TEXT], seed[2 * BATCH_SEED + 1], content[2 * CRYPTO_HASH + 1];

    instant_format(requests->instant, instant);
    crypto_hex(requests->seed, BATCH_SEED, seed);
    crypto_hex(requests->content, CRYPTO_HASH, content);
    int n = snprintf(text, sizeof text, "instant=%s\nseed=%s\ncontent=%s\n", instant, seed, content);
    return file_replace(path, text, (size_t)n, err);
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* False without an error when there is none yet. */
static bool read_file(const char *path, char text[TEXT_SIZE])
{
    CLEANUP(close_file) FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, TEXT_SIZE - 1, file) : 0;

    text[n] = '\0';
    return file;
}

bool requests_file_open(struct requests_file *requests, const char *path, FILE *file, struct instant now, bool *made,
                        struct error *err)
{
    char side[PATH_SIZE], text[TEXT_SIZE];
    uint8_t content[CRYPTO_HASH];

    if (snprintf(side, sizeof side, "%s.requests", path) >= PATH_SIZE)
        return error_set(err, REASON_FIELD_INVALID, "the file's name is too long");
    if (!hash_file(file, content, err))
        return false;
    *made = !read_file(side, text);
    if (*made) {
        requests->instant = now;
        crypto_random(requests->seed, sizeof requests->seed);
        memcpy(requests->content, content, sizeof content);
        return write_file(side, requests, err);
    }
    if (!parse(text, requests))
        return error_set(err, REASON_FIELD_INVALID, "%.120s is damaged; remove it to run the file as a new batch",
                         side);
    return memcmp(content, requests->content, sizeof content) == 0 ||
           error_set(err, REASON_FIELD_INVALID, "the file changed since %.90s was made; remove that to run it anew",
                     side);
}
