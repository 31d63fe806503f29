/* The parts of crypto.h that deal with text: base64, hexadecimal, and the key file. */
#include "io/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

size_t crypto_base64(const void *data, size_t size, char *out)
{
    return (size_t)EVP_EncodeBlock((unsigned char *)out, data, (int)size);
}

static void release_text(char **text)
{
    free(*text);
}

/* true when encoding the bytes gives the text again: refuses blanks, stray characters and unused bits that are set. */
static bool encodes_back(const char *text, size_t length, const uint8_t *bytes, size_t size)
{
    CLEANUP(release_text) char *again = malloc(CRYPTO_BASE64_SIZE(size));

    return again && crypto_base64(bytes, size, again) == length && memcmp(again, text, length) == 0;
}

bool crypto_base64_decode(const char *text, size_t length, uint8_t *out, size_t capacity, size_t *size)
{
    CLEANUP(release_text) char *whole = NULL;
    size_t padding = 0;

    if (length % 4 != 0 || length > CRYPTO_OPEN_MAX)
        return false;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    size_t bytes = length / 4 * 3 - padding;
    whole = malloc(length + 1); /* the decoder writes whole groups of three */
    if (!whole || bytes > capacity ||
        EVP_DecodeBlock((unsigned char *)whole, (const unsigned char *)text, (int)length) < 0)
        return false;
    if (!encodes_back(text, length, (const uint8_t *)whole, bytes))
        return false;
    memcpy(out, whole, bytes);
    OPENSSL_cleanse(whole, length);
    *size = bytes;
    return true;
}

void crypto_hex(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

bool crypto_hex_decode(const char *text, size_t size, uint8_t *out)
{
    for (size_t i = 0; i < 2 * size; i++) {
        int digit = OPENSSL_hexchar2int((unsigned char)text[i]);
        if (digit < 0)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | digit : digit);
    }
    return true;
}

static void close_file(int *file)
{
    if (*file >= 0)
        close(*file);
}

/* The whole of a file of at most capacity bytes, or -1. */
static ssize_t read_all(int file, char *text, size_t capacity)
{
    size_t size = 0;

    while (size < capacity) {
        ssize_t n = read(file, text + size, capacity - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -1 : (ssize_t)size;
        size += (size_t)n;
    }
    return (ssize_t)size;
}

bool crypto_key_load(const char *path, struct crypto_key *key, struct error *err)
{
    CLEANUP(close_file) int file = open(path, O_RDONLY | O_CLOEXEC);
    char text[64 + 2]; /* the digits, a newline, and one more to see that there is no more */
    uint8_t secret[32];
    struct stat about;

    if (file < 0)
        return error_set(err, REASON_SETTING_INVALID, "key file %.100s cannot be opened: %s", path, strerror(errno));
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
        return error_set(err, REASON_SETTING_INVALID, "key file %.100s is not a plain file", path);
    if (about.st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err, REASON_SETTING_INVALID, "key file %.100s may be read by others; chmod 600 it", path);
    ssize_t size = read_all(file, text, sizeof text);
    bool whole = size == 64 || (size == 65 && text[64] == '\n');
    bool good = whole && crypto_hex_decode(text, sizeof secret, secret);
    if (good)
        crypto_key_init(key, secret);
    OPENSSL_cleanse(text, sizeof text);
    OPENSSL_cleanse(secret, sizeof secret);
    return good || error_set(err, REASON_SETTING_INVALID, "key file %.100s must hold 64 hexadecimal digits", path);
}
