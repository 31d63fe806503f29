/*
 * tier_standing.h -- a member's tier as of now, for readers: what time did to it is applied, nothing is written.
 */
#ifndef SERVICE_TIER_STANDING_H
#define SERVICE_TIER_STANDING_H

#include "domain/account.h"
#include "domain/tier_review.h"
#include "engine/reference.h"
#include "service/errand.h"
#include "store/review_store.h"

#include <alliance/v1/member_service.pb-c.h>

struct tier_standing {
    int32_t tier;
    const struct exchange_rules *rules; /* in force; NULL: they do not ask for spend, and tier is all */
    const struct tier_review *review;   /* NULL without rules */
};

/* In the errand's arena. MEMBER_NOT_FOUND. */
bool tier_standing_read(struct errand *errand, const struct bank *bank, const struct review_find_params *key,
                        struct tier_standing *standing, struct error *err) MUST_USE;
/* Time may have made the tier another one: what is more is read only then. */
bool tier_standing_is_due(const struct account *account, struct date today);
/* The account's tier as of now. */
bool tier_standing_apply(struct errand *errand, const struct bank *bank, int32_t bucket, const struct uuid *member_id,
                         struct account *account, struct error *err) MUST_USE;
/* NULL where nothing is to be said, or there is no memory (*good is false then). */
Alliance__V1__TierStanding *tier_standing_shape(struct arena *arena, const struct tier_standing *standing, bool *good);

#endif
