#include "engine/command.h"

#include "io/crypto.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

enum { NAME_PARTS = 16 + ID_MAX + MEMBER_REF_MAX + TRANSACTION_REF_MAX + 4 };

static struct uuid name_of(const char *text, int n)
{
    uint8_t hash[CRYPTO_HASH];

    crypto_sha256(text, (size_t)n, hash);
    return uuid_v8(hash);
}

/* The parts are bounded; a NUL between them keeps ("ab", "c") and ("a", "bc") apart. */
struct uuid command_member_id(const char *bank_id, const char *member_ref)
{
    char text[NAME_PARTS];

    return name_of(text, snprintf(text, sizeof text, "member%c%s%c%s", 0, bank_id, 0, member_ref));
}

struct uuid command_accrual_id(const char *bank_id, const char *member_ref, const char *transaction_ref)
{
    char text[NAME_PARTS];

    return name_of(text,
                   snprintf(text, sizeof text, "accrual%c%s%c%s%c%s", 0, bank_id, 0, member_ref, 0, transaction_ref));
}

struct uuid command_card_id(const char *bank_id, const char *token)
{
    char text[NAME_PARTS];

    return name_of(text, snprintf(text, sizeof text, "card%c%s%c%s", 0, bank_id, 0, token));
}

uint64_t command_card(const char *card_token)
{
    uint8_t hash[CRYPTO_HASH];
    uint64_t card;

    if (!card_token || !card_token[0])
        return 0;
    crypto_sha256(card_token, strlen(card_token), hash);
    memcpy(&card, hash, sizeof card);
    card = be64toh(card);
    return card ? card : 1;
}

struct uuid command_transfer_step(const struct uuid *transfer_id, const char *step)
{
    char text[64 + sizeof transfer_id->bytes];
    int n = snprintf(text, 64, "transfer-%.32s%c", step, 0);

    memcpy(text + n, transfer_id->bytes, sizeof transfer_id->bytes);
    return name_of(text, n + (int)sizeof transfer_id->bytes);
}
