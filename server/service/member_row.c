/* member_row.c -- checks a member, and turns it into a command for the member's lane. */
#include "service/member_row.h"

#include "base/text.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "service/check.h"
#include "service/member_seal.h"

#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__Member Member;

typedef Alliance__V1__Card Card;

static bool check_token(const char *field, const char *token, struct error *err)
{
    if (!text_is_ref(token, TOKEN_MAX, "_-") || strlen(token) < TOKEN_MIN)
        return error_field(err, REASON_FIELD_INVALID, field, "must be %d to %d letters, digits, \"_\" and \"-\"",
                           TOKEN_MIN, TOKEN_MAX);
    return check_no_card_number(field, token, err);
}

static bool check_word(const char *field, const char *word, struct error *err)
{
    return text_is_ref(word, WORD_MAX, "_-") ||
           error_field(err, REASON_FIELD_INVALID, field, "must be 1 to %d letters, digits, \"_\" and \"-\"", WORD_MAX);
}

static bool check_holder(const Card *card, struct error *err)
{
    if (!card->supplementary && !text_empty(card->holder_name))
        return error_field(err, REASON_FIELD_INVALID, "holder_name", "must be empty unless supplementary is set");
    return check_text("holder_name", card->holder_name, 0, NAME_BYTES_MAX, err) &&
           check_no_card_number("holder_name", card->holder_name, err);
}

static bool check_card(const Card *card, struct error *err)
{
    struct date expires_on;

    return check_token("token", card->token, err) &&
           (text_empty(card->product) ||
            (check_word("product", card->product, err) && check_no_card_number("product", card->product, err))) &&
           check_range("status", card->status, 0, ALLIANCE__V1__CARD_STATUS__CARD_STATUS_CLOSED, err) &&
           (text_empty(card->expires_on) || check_date("expires_on", card->expires_on, &expires_on, err)) &&
           check_holder(card, err);
}

static bool named_before(const Member *member, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(member->cards[k]->token, member->cards[i]->token) == 0)
            return true;
    }
    return false;
}

static bool check_cards(const Member *member, struct error *err)
{
    if (member->n_card_tokens > CARD_TOKENS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "card_tokens", "must be at most %d", CARD_TOKENS_MAX);
    if (member->n_cards + member->n_card_tokens > CARD_TOKENS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "cards", "must be at most %d with card_tokens together",
                           CARD_TOKENS_MAX);
    for (size_t i = 0; i < member->n_card_tokens; i++) {
        if (!check_token("", member->card_tokens[i], err))
            return check_within(err, "card_tokens[%zu]", i);
    }
    for (size_t i = 0; i < member->n_cards; i++) {
        if (!check_card(member->cards[i], err))
            return check_within(err, "cards[%zu]", i);
        if (named_before(member, i)) {
            error_field(err, REASON_FIELD_INVALID, "token", "is there twice");
            return check_within(err, "cards[%zu]", i);
        }
    }
    return true;
}

static bool check_consents(const Member *member, struct error *err)
{
    if (member->n_consents > CONSENTS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "consents", "must be at most %d", CONSENTS_MAX);
    for (size_t i = 0; i < member->n_consents; i++) {
        if (!check_word("", member->consents[i], err))
            return check_within(err, "consents[%zu]", i);
    }
    return true;
}

/* Until 2999, as all days that a bank names. An empty first date is 1970-01-01, which is not after any other. */
bool member_row_temporary(const Alliance__V1__TemporaryLimit *limit, struct temporary_limit *out, struct error *err)
{
    static const struct date last_day = { 376199 };

    *out = (struct temporary_limit){ 0 };
    if (!limit)
        return true;
    out->points = limit->points;
    if (!check_range("points", limit->points, 0, POINTS_MAX, err) ||
        (!text_empty(limit->first_date) && !check_date("first_date", limit->first_date, &out->first, err)) ||
        !check_date("last_date", limit->last_date, &out->last, err))
        return false;
    if (out->first.days < 0 || out->first.days > last_day.days)
        return error_field(err, REASON_FIELD_INVALID, "first_date", "must be 1970-01-01 to 2999-12-31");
    if (out->last.days <= 0 || out->last.days > last_day.days)
        return error_field(err, REASON_FIELD_INVALID, "last_date", "must be 1970-01-02 to 2999-12-31");
    return out->first.days <= out->last.days ||
           error_field(err, REASON_FIELD_INVALID, "last_date", "must not be before first_date");
}

static bool check_credit(const Member *member, struct error *err)
{
    struct temporary_limit temporary;

    if (member->credit_by_tier && member->credit_limit != 0)
        return error_field(err, REASON_FIELD_INVALID, "credit_limit", "must be 0 when credit_by_tier is set");
    if (member->tier && !check_range("number", member->tier->number, 0, TIER_MAX, err))
        return check_within(err, "tier");
    return check_range("credit_limit", member->credit_limit, 0, POINTS_MAX, err) &&
           (member_row_temporary(member->temporary_limit, &temporary, err) || check_within(err, "temporary_limit"));
}

static bool check_fields(const Member *member, struct error *err)
{
    return check_member_ref("member_ref", member->member_ref, err) && check_credit(member, err) &&
           check_range("status", member->status, 0, ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_DECEASED, err) &&
           check_no_card_number("member_ref", member->member_ref, err) && check_cards(member, err) &&
           (!member->contact || member_seal_check(member->contact, err)) && check_consents(member, err);
}

bool member_row_check_as(const char *name, const Member *member, struct error *err)
{
    return check_set(name, member, err) && (check_fields(member, err) || check_within(err, "%s", name));
}

bool member_row_check(const Member *member, struct error *err)
{
    return member_row_check_as("member", member, err);
}

static int by_token(const void *a, const void *b)
{
    const struct card *left = a, *right = b;
    int order = strcmp(left->token, right->token);

    /* Of two with one token, the one that says more comes first: it is kept. */
    return order ? order : (left->product == NULL) - (right->product == NULL);
}

static void list_cards(const Member *member, struct card *cards)
{
    for (size_t i = 0; i < member->n_cards; i++) {
        const Card *card = member->cards[i];
        struct error ignored;
        *cards = (struct card){ .token = card->token,
                                .product = card->product,
                                .status = card->status ? (int16_t)card->status : CARD_ACTIVE,
                                .supplementary = card->supplementary };
        if (!text_empty(card->expires_on) && !check_date("", card->expires_on, &cards->expires_on, &ignored))
            cards->expires_on.days = 0; /* was checked: cannot be */
        cards++;
    }
    for (size_t i = 0; i < member->n_card_tokens; i++)
        *cards++ = (struct card){ .token = member->card_tokens[i], .status = CARD_ACTIVE };
}

/* In order of token and without repeats. The message may be shared and stays as it is. */
static bool take_cards(struct member_profile *profile, const Member *member, struct arena *arena)
{
    size_t count = member->n_cards + member->n_card_tokens, kept = 0;
    struct card *cards = arena_alloc(arena, (count + 1) * sizeof *cards);
    const char **tokens = arena_alloc(arena, (count + 1) * sizeof *tokens);

    if (!tokens || !cards)
        return false;
    list_cards(member, cards);
    qsort(cards, count, sizeof *cards, by_token);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(tokens[kept - 1], cards[i].token) == 0)
            continue;
        cards[kept] = cards[i];
        if (!cards[kept].product)
            cards[kept].product = "";
        tokens[kept] = cards[kept].token;
        kept++;
    }
    profile->cards = cards;
    profile->tokens = tokens;
    profile->card_count = kept;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool take_consents(struct member_profile *profile, const Member *member, struct arena *arena)
{
    size_t kept = 0;
    const char **words = arena_alloc(arena, (member->n_consents + 1) * sizeof *words);

    if (!words)
        return false;
    for (size_t i = 0; i < member->n_consents; i++)
        words[i] = member->consents[i];
    qsort(words, member->n_consents, sizeof *words, by_text);
    for (size_t i = 0; i < member->n_consents; i++) {
        if (kept == 0 || strcmp(words[kept - 1], words[i]) != 0)
            words[kept++] = words[i];
    }
    profile->consents = words;
    profile->consent_count = kept;
    return true;
}

bool member_row_command(struct command *command, const Member *member, const char *bank_id,
                        const struct crypto_key *key, struct arena *arena)
{
    struct error checked = { 0 }; /* so it does not fail */

    command->kind = COMMAND_SET_MEMBER;
    command->request_id = crypto_uuid_v7(clock_now()); /* only names the entry in the journal */
    command->member_ref = member->member_ref;
    command->member_id = command_member_id(bank_id, member->member_ref);
    command->member.status = (int16_t)member->status;
    command->member.has_tier = member->tier != NULL;
    command->member.tier = (int16_t)(member->tier ? member->tier->number : 0);
    command->member.credit = (struct credit_wish){ .by_tier = member->credit_by_tier, .limit = member->credit_limit };
    struct member_profile *profile = arena_alloc(arena, sizeof *profile);
    command->member.profile = profile;
    return member_row_temporary(member->temporary_limit, &command->member.credit.temporary, &checked) && profile &&
           take_cards(profile, member, arena) && take_consents(profile, member, arena) &&
           member_seal(key, bank_id, &command->member_id, member, profile, arena);
}
