/*
 * member_seal.h -- what is personal of a member: sealed for the database, and the keyed hashes by which it is found.
 *
 * Sealed bytes open only for the member they were sealed for. The search key is made from the data key, so that whoever
 * sees the database alone cannot try numbers out.
 */
#ifndef SERVICE_MEMBER_SEAL_H
#define SERVICE_MEMBER_SEAL_H

#include "base/arena.h"
#include "base/error.h"
#include "engine/command.h"
#include "io/crypto.h"

#include <alliance/v1/member_service.pb-c.h>

enum { PHONE_MAX = 20, EMAIL_MAX = 254 }; /* bytes */

/* Shape only; either may be empty. */
bool member_seal_check(const Alliance__V1__Contact *contact, struct error *err) MUST_USE;
bool member_seal_check_phone(const char *field, const char *phone, struct error *err) MUST_USE;
bool member_seal_check_email(const char *field, const char *email, struct error *err) MUST_USE;

/* What a phone or an e-mail address of that bank is found by. Checked before. */
void member_seal_phone_mac(const struct crypto_key *key, const char *bank_id, const char *phone,
                           uint8_t mac[CRYPTO_HASH]);
void member_seal_email_mac(const struct crypto_key *key, const char *bank_id, const char *email,
                           uint8_t mac[CRYPTO_HASH]);

/* Fills in what profile has of sealed things, from a member that was checked. False when the arena is full. */
bool member_seal(const struct crypto_key *key, const char *bank_id, const struct uuid *member_id,
                 const Alliance__V1__Member *member, struct member_profile *profile, struct arena *arena) MUST_USE;
/* What was sealed, in the arena; NULL with *err set when it does not open. */
Alliance__V1__SealedMember *member_unseal(const struct crypto_key *key, const struct uuid *member_id,
                                          const uint8_t *sealed, size_t size, struct arena *arena, struct error *err);

#endif
