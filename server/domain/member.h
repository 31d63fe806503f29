/*
 * member.h -- creating and changing a member, earning, expiry: decisions that belong to no redemption. Pure.
 */
#ifndef DOMAIN_MEMBER_H
#define DOMAIN_MEMBER_H

#include "domain/redemption.h"

/* The next entry of the account's journal, with everything filled in but what belongs to a redemption. */
struct entry *member_entry(struct entries *entries, struct account *account, const struct moment *moment,
                           enum entry_kind kind, int64_t points);
/* What the bank wants the member to be. */
struct member_wish {
    int16_t status;
    int64_t credit_limit;
    uint8_t profile_hash[32];
};
/* true when something changed (and an entry was written). */
bool member_set(struct account *account, const struct member_wish *wish, const struct moment *moment,
                const struct uuid *ref, struct entries *entries);
/* Points for spending in a currency the rules have a rate for. *points is what was earned. */
enum reason member_earn(struct account *account, const struct moment *moment, int64_t amount_minor,
                        const char *currency, const struct uuid *ref, int64_t *points,
                        struct entries *entries) MUST_USE;
/* Lots that are over are taken; true when there were any (and an entry was written). */
bool member_expire(struct account *account, const struct moment *moment, struct entries *entries);

#endif
