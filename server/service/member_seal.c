/* member_seal.c -- AES-256-GCM for what is kept, HMAC-SHA-256 for what is searched by. */
#include "service/member_seal.h"

#include "base/text.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef Alliance__V1__Contact Contact;
typedef Alliance__V1__SealedMember Sealed;
typedef Alliance__V1__Member Member;

enum { PHONE_DIGITS_MIN = 5 };

static size_t digits_of(const char *phone, char *out)
{
    size_t n = 0;

    for (; *phone; phone++) {
        if (*phone >= '0' && *phone <= '9')
            out[n++] = *phone;
    }
    return n;
}

bool member_seal_check_phone(const char *field, const char *phone, struct error *err)
{
    size_t size = strnlen(phone, PHONE_MAX + 1);
    char digits[PHONE_MAX + 1];

    if (size <= PHONE_MAX && strspn(phone + (phone[0] == '+'), "0123456789 -()") == size - (phone[0] == '+') &&
        digits_of(phone, digits) >= PHONE_DIGITS_MIN)
        return true;
    return error_field(err, REASON_FIELD_INVALID, field,
                       "must be 5 to %d digits, blanks, \"-\", \"(\" and \")\", with \"+\" before them or not",
                       PHONE_MAX);
}

bool member_seal_check_email(const char *field, const char *email, struct error *err)
{
    const char *at = strchr(email, '@');

    if (strnlen(email, EMAIL_MAX + 1) <= EMAIL_MAX && at && at != email && at[1] && !strchr(at + 1, '@') &&
        !strpbrk(email, " \t\r\n,;<>\""))
        return check_text(field, email, 1, EMAIL_MAX, err);
    return error_field(err, REASON_FIELD_INVALID, field, "must be an address with one \"@\", at most %d bytes",
                       EMAIL_MAX);
}

bool member_seal_check(const Contact *contact, struct error *err)
{
    return (check_text("name", contact->name, 0, NAME_BYTES_MAX, err) &&
            (text_empty(contact->phone) || member_seal_check_phone("phone", contact->phone, err)) &&
            (text_empty(contact->email) || member_seal_check_email("email", contact->email, err))) ||
           check_within(err, "contact");
}

/* The data key seals; a key made from it searches. */
static void keyed(const struct crypto_key *key, const char *what, const char *bank_id, const void *content, size_t size,
                  uint8_t mac[CRYPTO_HASH])
{
    uint8_t search_key[CRYPTO_HASH], named[CRYPTO_HASH];
    char name[sizeof "member phone" + ID_MAX + 2];
    int n = snprintf(name, sizeof name, "member %s%c%.*s", what, 0, ID_MAX, bank_id);

    crypto_hmac_sha256(key->secret, sizeof key->secret, "search", sizeof "search", search_key);
    crypto_hmac_sha256(search_key, sizeof search_key, name, (size_t)n, named);
    crypto_hmac_sha256(named, sizeof named, content, size, mac);
    explicit_bzero(search_key, sizeof search_key);
    explicit_bzero(named, sizeof named);
}

void member_seal_phone_mac(const struct crypto_key *key, const char *bank_id, const char *phone,
                           uint8_t mac[CRYPTO_HASH])
{
    char digits[PHONE_MAX + 1];

    keyed(key, "phone", bank_id, digits, digits_of(phone, digits), mac);
}

void member_seal_email_mac(const struct crypto_key *key, const char *bank_id, const char *email,
                           uint8_t mac[CRYPTO_HASH])
{
    char small[EMAIL_MAX + 1];
    size_t n = strnlen(email, EMAIL_MAX);

    for (size_t i = 0; i < n; i++)
        small[i] = (char)tolower((unsigned char)email[i]);
    keyed(key, "email", bank_id, small, n, mac);
}

/* Holders in order of token, so that the same content is sealed the same way whatever order it came in. */
static bool take_holders(const Member *member, Sealed *sealed, struct arena *arena)
{
    sealed->holders = arena_alloc(arena, (member->n_cards + 1) * sizeof *sealed->holders);
    for (size_t i = 0; sealed->holders && i < member->n_cards; i++) {
        const Alliance__V1__Card *card = member->cards[i];
        size_t at = sealed->n_holders;
        if (text_empty(card->holder_name))
            continue;
        Alliance__V1__Card *holder = shape_new(arena, &alliance__v1__card__descriptor);
        if (!holder)
            return false;
        holder->token = card->token;
        holder->holder_name = card->holder_name;
        for (; at > 0 && strcmp(sealed->holders[at - 1]->token, card->token) > 0; at--)
            sealed->holders[at] = sealed->holders[at - 1];
        sealed->holders[at] = holder;
        sealed->n_holders++;
    }
    return sealed->holders != NULL;
}

static void note_contact(const struct crypto_key *key, const char *bank_id, const Contact *contact,
                         struct member_profile *profile)
{
    profile->has_name = !text_empty(contact->name);
    profile->has_phone = !text_empty(contact->phone);
    profile->has_email = !text_empty(contact->email);
    if (profile->has_phone)
        member_seal_phone_mac(key, bank_id, contact->phone, profile->phone_mac);
    if (profile->has_email)
        member_seal_email_mac(key, bank_id, contact->email, profile->email_mac);
}

bool member_seal(const struct crypto_key *key, const char *bank_id, const struct uuid *member_id, const Member *member,
                 struct member_profile *profile, struct arena *arena)
{
    Sealed sealed = ALLIANCE__V1__SEALED_MEMBER__INIT;
    struct crypto_bytes out;
    struct error ignored;

    if (member->contact)
        note_contact(key, bank_id, member->contact, profile);
    if (profile->has_name || profile->has_phone || profile->has_email)
        sealed.contact = member->contact;
    if (!take_holders(member, &sealed, arena))
        return false;
    if (!sealed.contact && sealed.n_holders == 0)
        return true;
    shape_forget_unknown(&sealed.base);
    size_t size = alliance__v1__sealed_member__get_packed_size(&sealed);
    uint8_t *packed = arena_alloc(arena, size);
    if (!packed)
        return false;
    alliance__v1__sealed_member__pack(&sealed, packed);
    keyed(key, "all", bank_id, packed, size, profile->sealed_mac);
    bool good = crypto_seal(key, arena, packed, size, member_id->bytes, sizeof member_id->bytes, &out, &ignored);
    explicit_bzero(packed, size);
    if (!good)
        return false;
    profile->sealed = out.at;
    profile->sealed_size = out.size;
    return true;
}

/* protobuf-c's allocator over an arena: nothing is given back by itself. */
static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void leave(void *arena, void *at)
{
    (void)arena;
    (void)at;
}

Sealed *member_unseal(const struct crypto_key *key, const struct uuid *member_id, const uint8_t *sealed, size_t size,
                      struct arena *arena, struct error *err)
{
    ProtobufCAllocator allocator = { take, leave, arena };
    struct crypto_bytes open;

    if (!crypto_open(key, arena, sealed, size, member_id->bytes, sizeof member_id->bytes, &open, err))
        return NULL;
    Sealed *member = alliance__v1__sealed_member__unpack(&allocator, open.size, open.at);
    if (!member)
        error_set(err, REASON_INTERNAL, "what was sealed of a member is not a message");
    return member;
}
