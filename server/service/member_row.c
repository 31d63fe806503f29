/* member_row.c -- checks a member, and turns it into a command for the member's lane. */
#include "service/member_row.h"

#include "base/text.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "service/check.h"

#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__Member Member;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_tokens(const Member *member, struct error *err)
{
    if (member->n_card_tokens > CARD_TOKENS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "card_tokens", "must be at most %d", CARD_TOKENS_MAX);
    for (size_t i = 0; i < member->n_card_tokens; i++) {
        const char *token = member->card_tokens[i];
        if (!text_is_ref(token, TOKEN_MAX, "_-") || strlen(token) < TOKEN_MIN) {
            error_field(err, REASON_FIELD_INVALID, "", "must be %d to %d letters, digits, \"_\" and \"-\"", TOKEN_MIN,
                        TOKEN_MAX);
            return check_within(err, "card_tokens[%zu]", i);
        }
        if (!check_no_card_number("", token, err))
            return check_within(err, "card_tokens[%zu]", i);
    }
    return true;
}

static bool check_fields(const Member *member, struct error *err)
{
    return check_member_ref("member_ref", member->member_ref, err) &&
           check_range("credit_limit", member->credit_limit, 0, POINTS_MAX, err) &&
           check_range("status", member->status, 0, ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_CLOSED, err) &&
           check_no_card_number("member_ref", member->member_ref, err) && check_tokens(member, err);
}

bool member_row_check(const Member *member, struct error *err)
{
    return check_set("member", member, err) && (check_fields(member, err) || check_within(err, "member"));
}

/* A card a token, in order of token and without repeats. The message may be shared and stays as it is. */
static bool take_cards(struct member_profile *profile, const Member *member, struct arena *arena)
{
    size_t count = member->n_card_tokens, kept = 0;
    const char **tokens = arena_alloc(arena, (count + 1) * sizeof *tokens);
    struct card *cards = arena_alloc(arena, (count + 1) * sizeof *cards);

    if (!tokens || !cards)
        return false;
    for (size_t i = 0; i < count; i++)
        tokens[i] = member->card_tokens[i];
    qsort(tokens, count, sizeof *tokens, by_text);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(tokens[kept - 1], tokens[i]) == 0)
            continue;
        cards[kept] = (struct card){ .token = tokens[i], .product = "", .status = CARD_ACTIVE };
        tokens[kept++] = tokens[i];
    }
    profile->cards = cards;
    profile->tokens = tokens;
    profile->card_count = kept;
    return true;
}

bool member_row_command(struct command *command, const Member *member, const char *bank_id, struct arena *arena)
{
    bool unspecified = member->status == ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_UNSPECIFIED;

    command->kind = COMMAND_SET_MEMBER;
    command->request_id = crypto_uuid_v7(clock_now()); /* only names the entry in the journal */
    command->member_ref = member->member_ref;
    command->member_id = command_member_id(bank_id, member->member_ref);
    command->member.credit_limit = member->credit_limit;
    command->member.status =
        (int16_t)(unspecified ? ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_ACTIVE : member->status);
    struct member_profile *profile = arena_alloc(arena, sizeof *profile);
    command->member.profile = profile;
    return profile && take_cards(profile, member, arena);
}
