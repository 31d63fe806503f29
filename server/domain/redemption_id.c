#include "domain/redemption_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint16_t member_hash16(const struct uuid *member_id)
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
