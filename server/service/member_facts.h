/*
 * member_facts.h -- what is kept of a member beside its points, as the message that it is shown as.
 */
#ifndef SERVICE_MEMBER_FACTS_H
#define SERVICE_MEMBER_FACTS_H

#include "base/arena.h"
#include "base/error.h"
#include "store/member_profile_store.h"

#include <alliance/v1/member_service.pb-c.h>

/* In the arena; NULL with *err set when there is no room, or what is kept cannot be read. */
Alliance__V1__MemberFacts *member_facts_of(const struct profile_found_row *row, struct arena *arena, struct error *err);
/* The holders of supplementary cards, which are kept sealed, become part of the cards. */
void member_name_holders(const Alliance__V1__SealedMember *sealed, Alliance__V1__MemberFacts *facts);

#endif
