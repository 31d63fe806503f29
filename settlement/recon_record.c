#include "recon_record.h"

#include "domain/redemption_id.h"

#include <ctype.h>
#include <string.h>

enum { UUID_HEX = 32 };

/* 32 digits get the dashes they were written without. */
static bool parse_bare(const char *text, struct uuid *out)
{
    char dashed[UUID_TEXT];
    size_t at = 0;

    if (strlen(text) != UUID_HEX)
        return false;
    for (size_t i = 0; i < UUID_HEX; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            dashed[at++] = '-';
        dashed[at++] = text[i];
    }
    dashed[at] = '\0';
    return uuid_parse(dashed, out);
}

struct recon_key recon_key_of(const char *text)
{
    struct recon_key key = { .kind = RECON_KEY_OTHER, .hash16 = -1 };
    char lower[RECON_KEY_MAX + 1];
    uint16_t hash16;
    size_t n = strlen(text);

    if (n > RECON_KEY_MAX)
        return key;
    for (size_t i = 0; i <= n; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    if (redemption_id_parse(lower, &key.id, &hash16)) {
        key.kind = RECON_KEY_REDEMPTION;
        key.hash16 = hash16;
    } else if (uuid_parse(lower, &key.id) || parse_bare(lower, &key.id)) {
        key.kind = RECON_KEY_UUID;
    } else {
        key.id = (struct uuid){ 0 };
    }
    return key;
}

static const char *const class_names[] = {
    [RECON_MATCHED] = "MATCHED",
    [RECON_ROUNDING] = "ROUNDING",
    [RECON_LATE] = "LATE",
    [RECON_AMOUNT] = "AMOUNT",
    [RECON_STATE] = "STATE",
    [RECON_DUPLICATE] = "DUPLICATE",
    [RECON_MISSING_HERE] = "MISSING_HERE",
    [RECON_MISSING_THERE] = "MISSING_THERE",
};

const char *recon_class_name(int number)
{
    return number > 0 && number < RECON_CLASS_COUNT ? class_names[number] : "?";
}

int recon_class_named(const char *word)
{
    for (int i = 1; i < RECON_CLASS_COUNT; i++) {
        if (strcmp(class_names[i], word) == 0)
            return i;
    }
    return 0;
}

const char *recon_state_name(int number)
{
    return number == RECON_CONFIRM ? "CONFIRM" : number == RECON_REVERSE ? "REVERSE" : "";
}
