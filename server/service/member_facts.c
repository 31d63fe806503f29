#include "service/member_facts.h"

#include "base/text.h"
#include "io/pb_json.h"
#include "service/errand.h"
#include "service/shape.h"

#include <string.h>

typedef Alliance__V1__MemberFacts Facts;
typedef Alliance__V1__Card Card;

/* A profile from before there was more than tokens says nothing else of its cards. */
static bool list_tokens(const struct text_array *tokens, Facts *facts, struct arena *arena)
{
    facts->cards = arena_alloc(arena, (tokens->count + 1) * sizeof *facts->cards);
    for (size_t i = 0; facts->cards && i < tokens->count; i++) {
        Card *card = shape_new(arena, &alliance__v1__card__descriptor);
        if (!card || !(card->token = shape_text(arena, tokens->at[i])))
            return false;
        card->status = ALLIANCE__V1__CARD_STATUS__CARD_STATUS_ACTIVE;
        facts->cards[facts->n_cards++] = card;
    }
    return facts->cards != NULL;
}

Facts *member_facts_of(const struct profile_found_row *row, struct arena *arena, struct error *err)
{
    ProtobufCMessage *parsed = NULL;
    Facts *facts = shape_new(arena, &alliance__v1__member_facts__descriptor);

    if (!text_empty(row->facts)) {
        if (!pb_json_parse(&alliance__v1__member_facts__descriptor, row->facts, strlen(row->facts), arena, &parsed,
                           err))
            return NULL;
        facts = (Facts *)parsed;
    } else if (!facts || !list_tokens(&row->card_tokens, facts, arena)) {
        errand_no_room(err);
        return NULL;
    }
    facts->status = (Alliance__V1__MemberStatus)row->status;
    facts->tier = row->tier;
    facts->credit_limit = row->credit_limit;
    return facts;
}

void member_name_holders(const Alliance__V1__SealedMember *sealed, Facts *facts)
{
    for (size_t i = 0; i < sealed->n_holders; i++) {
        for (size_t k = 0; k < facts->n_cards; k++) {
            if (strcmp(facts->cards[k]->token, sealed->holders[i]->token) == 0)
                facts->cards[k]->holder_name = sealed->holders[i]->holder_name;
        }
    }
}
