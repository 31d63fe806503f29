#include "engine/command.h"

#include "io/crypto.h"

#include <stdio.h>

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
