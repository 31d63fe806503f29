#include "engine/command.h"

#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both parts are bounded; a NUL between them keeps ("ab", "c") and ("a", "bc") apart. */
static struct uuid name_of_pair(const char *domain, const char *first, const char *second)
{
    char text[16 + ID_MAX + TRANSACTION_REF_MAX + 4];
    uint8_t hash[CRYPTO_HASH];
    int n = snprintf(text, sizeof text, "%s%c%s%c%s", domain, 0, first, 0, second);

    crypto_sha256(text, (size_t)n, hash);
    return uuid_v8(hash);
}

struct uuid command_member_id(const char *bank_id, const char *member_ref)
{
    return name_of_pair("member", bank_id, member_ref);
}

struct uuid command_accrual_id(const char *bank_id, const char *transaction_ref)
{
    return name_of_pair("accrual", bank_id, transaction_ref);
}

uint16_t command_hash16(const struct uuid *member_id)
{
    return (uint16_t)(member_id->bytes[0] << 8 | member_id->bytes[1]);
}

void redemption_id_format(const struct uuid *id, uint16_t hash16, char text[REDEMPTION_ID_TEXT])
{
    uuid_format(id, text);
    snprintf(text + UUID_TEXT - 1, 6, ".%04x", hash16);
}

bool redemption_id_parse(const char *text, struct uuid *id, uint16_t *hash16)
{
    char uuid[UUID_TEXT];

    if (!text || strnlen(text, REDEMPTION_ID_TEXT) != REDEMPTION_ID_TEXT - 1 || text[UUID_TEXT - 1] != '.')
        return false;
    memcpy(uuid, text, UUID_TEXT - 1);
    uuid[UUID_TEXT - 1] = '\0';
    const char *digits = text + UUID_TEXT;
    if (strspn(digits, "0123456789abcdefABCDEF") != 4)
        return false;
    *hash16 = (uint16_t)strtoul(digits, NULL, 16);
    return uuid_parse(uuid, id);
}
