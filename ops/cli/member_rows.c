#include "member_rows.h"

#include "base/limits.h"
#include "base/text.h"
#include "io/amount.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <string.h>
#include <strings.h>

typedef Alliance__V1__Member Member;
typedef Alliance__V1__Card Card;

enum {
    MEMBER_REF,
    CREDIT_LIMIT,
    STATUS,
    CARD_TOKENS,
    CARD_PRODUCTS,
    CARD_STATUS,
    CARD_EXPIRY,
    CARD_HOLDERS,
    NAME,
    PHONE,
    EMAIL,
    CONSENTS,
    TIER,
    TEMPORARY_LIMIT,
    TEMPORARY_FIRST,
    TEMPORARY_LAST
};

const struct row_column member_columns[MEMBER_COLUMNS] = {
    [MEMBER_REF] = { "member_ref", true },
    [CREDIT_LIMIT] = { "credit_limit", true },
    [STATUS] = { "status", false },
    [CARD_TOKENS] = { "card_tokens", false },
    [CARD_PRODUCTS] = { "card_products", false },
    [CARD_STATUS] = { "card_status", false },
    [CARD_EXPIRY] = { "card_expiry", false },
    [CARD_HOLDERS] = { "card_holders", false },
    [NAME] = { "name", false },
    [PHONE] = { "phone", false },
    [EMAIL] = { "email", false },
    [CONSENTS] = { "consents", false },
    [TIER] = { "tier", false },
    [TEMPORARY_LIMIT] = { "temporary_limit", false },
    [TEMPORARY_FIRST] = { "temporary_first_date", false },
    [TEMPORARY_LAST] = { "temporary_last_date", false },
};

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

static bool refuse(size_t column, const char *sentence, struct error *err)
{
    return error_field(err, REASON_FIELD_INVALID, member_columns[column].name, "%s", sentence);
}

struct word {
    const char *word;
    int value;
};

static bool take_word(const char *text, const struct word *words, size_t count, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(words[i].word, text) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static bool take_status(const char *text, Member *member, struct error *err)
{
    static const struct word words[] = {
        { "", ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_UNSPECIFIED },
        { "ACTIVE", ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_ACTIVE },
        { "FROZEN", ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_FROZEN },
        { "CLOSED", ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_CLOSED },
        { "DECEASED", ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_DECEASED },
    };
    int status;

    if (!take_word(text, words, COUNT(words), &status))
        return refuse(STATUS, "must be ACTIVE, FROZEN, CLOSED, DECEASED or empty", err);
    member->status = (Alliance__V1__MemberStatus)status;
    return true;
}

static bool take_text(const char *text, struct arena *arena, char **out, struct error *err)
{
    return !*text || (*out = arena_copy(arena, text, strlen(text))) != NULL || out_of_memory(err);
}

/* ---- the credit limit ---- */

/* By tier only when the file says so: an empty value is nobody's wish. */
static bool take_limit(const char *text, Member *member, struct error *err)
{
    member->credit_by_tier = strcasecmp(text, "TIER") == 0;
    if (member->credit_by_tier || whole_parse(text, "credit_limit", 0, POINTS_MAX, &member->credit_limit, err))
        return true;
    return error_field(err, REASON_FIELD_INVALID, "credit_limit",
                       "must be a whole number from 0 to 1000000000000, or TIER for what the rules say of the tier");
}

static bool take_tier(const char *text, Member *member, struct arena *arena, struct error *err)
{
    int64_t number;

    if (!*text)
        return true;
    member->tier = arena_alloc(arena, sizeof *member->tier);
    if (!member->tier)
        return out_of_memory(err);
    alliance__v1__member_tier__init(member->tier);
    if (!whole_parse(text, "tier", 0, TIER_MAX, &number, err))
        return false;
    member->tier->number = (int32_t)number;
    return true;
}

/* All of it, but perhaps the first date, or none. */
static bool take_temporary(const char *const *values, Member *member, struct arena *arena, struct error *err)
{
    if (!*values[TEMPORARY_LIMIT] && !*values[TEMPORARY_FIRST] && !*values[TEMPORARY_LAST])
        return true;
    if (!*values[TEMPORARY_LAST])
        return refuse(TEMPORARY_LAST, "must be there when there is a temporary limit", err);
    member->temporary_limit = arena_alloc(arena, sizeof *member->temporary_limit);
    if (!member->temporary_limit)
        return out_of_memory(err);
    alliance__v1__temporary_limit__init(member->temporary_limit);
    return whole_parse(values[TEMPORARY_LIMIT], "temporary_limit", 0, POINTS_MAX, &member->temporary_limit->points,
                       err) &&
           take_text(values[TEMPORARY_FIRST], arena, &member->temporary_limit->first_date, err) &&
           take_text(values[TEMPORARY_LAST], arena, &member->temporary_limit->last_date, err);
}

/* None of these ever leaves the machine with a card number in it. */
static bool check_no_card_numbers(const char *const *values, struct error *err)
{
    static const int columns[] = { MEMBER_REF, CARD_PRODUCTS, CARD_HOLDERS, NAME, EMAIL };

    for (size_t i = 0; i < COUNT(columns); i++) {
        if (text_is_card_number(values[columns[i]]))
            return error_field(err, REASON_CARD_NUMBER_REFUSED, member_columns[columns[i]].name,
                               "is a card number; send a token");
    }
    return true;
}

/* ---- lists: parts with "|" between ---- */

struct parts {
    char *at[CARD_TOKENS_MAX];
    size_t count;
};

/* An empty text has no parts. */
static bool split(const char *text, size_t column, struct arena *arena, struct parts *parts, struct error *err)
{
    char *rest = arena_copy(arena, text, strlen(text));

    parts->count = 0;
    if (!rest)
        return out_of_memory(err);
    while (rest && *text) {
        if (parts->count == COUNT(parts->at))
            return error_field(err, REASON_FIELD_INVALID, member_columns[column].name, "must be at most %zu",
                               COUNT(parts->at));
        parts->at[parts->count++] = strsep(&rest, "|");
    }
    return true;
}

/* Nothing but bars says nothing: as when none of several lines has a value. */
static bool says_nothing(const char *text)
{
    return text[strspn(text, "|")] == '\0';
}

static bool take_consents(const char *text, Member *member, struct arena *arena, struct error *err)
{
    struct parts parts;

    if (!split(text, CONSENTS, arena, &parts, err))
        return false;
    member->consents = arena_alloc(arena, (parts.count + 1) * sizeof *member->consents);
    if (!member->consents)
        return out_of_memory(err);
    for (size_t i = 0; i < parts.count; i++)
        member->consents[member->n_consents++] = parts.at[i];
    return true;
}

/* ---- cards ---- */

enum { CARD_LISTS = CARD_HOLDERS - CARD_PRODUCTS + 1 };

/* What is known of a card, by its place in the list of tokens. */
static const char *part(const struct parts *lists, size_t column, size_t i)
{
    const struct parts *list = &lists[column - CARD_PRODUCTS];

    return list->count ? list->at[i] : "";
}

static bool fill_card(const struct parts *lists, const char *token, size_t i, Card *card, struct error *err)
{
    static const struct word words[] = {
        { "", ALLIANCE__V1__CARD_STATUS__CARD_STATUS_UNSPECIFIED },
        { "ACTIVE", ALLIANCE__V1__CARD_STATUS__CARD_STATUS_ACTIVE },
        { "BLOCKED", ALLIANCE__V1__CARD_STATUS__CARD_STATUS_BLOCKED },
        { "CLOSED", ALLIANCE__V1__CARD_STATUS__CARD_STATUS_CLOSED },
    };
    int status;

    alliance__v1__card__init(card);
    if (!take_word(part(lists, CARD_STATUS, i), words, COUNT(words), &status))
        return refuse(CARD_STATUS, "must be ACTIVE, BLOCKED, CLOSED or empty, one for each of card_tokens", err);
    card->token = (char *)(uintptr_t)token;
    card->product = (char *)(uintptr_t)part(lists, CARD_PRODUCTS, i);
    card->status = (Alliance__V1__CardStatus)status;
    card->expires_on = (char *)(uintptr_t)part(lists, CARD_EXPIRY, i);
    card->holder_name = (char *)(uintptr_t)part(lists, CARD_HOLDERS, i);
    card->supplementary = *card->holder_name != '\0';
    return true;
}

/* The lists beside card_tokens, each empty or as long. */
static bool split_lists(const char *const *values, size_t count, struct arena *arena, struct parts lists[CARD_LISTS],
                        bool *any, struct error *err)
{
    *any = false;
    for (size_t column = CARD_PRODUCTS; column <= CARD_HOLDERS; column++) {
        struct parts *list = &lists[column - CARD_PRODUCTS];
        list->count = 0;
        if (says_nothing(values[column]))
            continue;
        if (!split(values[column], column, arena, list, err))
            return false;
        if (list->count != count)
            return refuse(column, "must have as many parts, with \"|\" between, as card_tokens", err);
        *any = true;
    }
    return true;
}

static bool take_cards(const char *const *values, Member *member, struct arena *arena, struct error *err)
{
    struct parts tokens, lists[CARD_LISTS];
    bool any;

    if (!split(values[CARD_TOKENS], CARD_TOKENS, arena, &tokens, err) ||
        !split_lists(values, tokens.count, arena, lists, &any, err))
        return false;
    Card *cards = arena_alloc(arena, (tokens.count + 1) * sizeof *cards);
    member->cards = arena_alloc(arena, (tokens.count + 1) * sizeof *member->cards);
    member->card_tokens = arena_alloc(arena, (tokens.count + 1) * sizeof *member->card_tokens);
    if (!cards || !member->cards || !member->card_tokens)
        return out_of_memory(err);
    for (size_t i = 0; i < tokens.count; i++) {
        if (text_is_card_number(tokens.at[i]))
            return error_field(err, REASON_CARD_NUMBER_REFUSED, "card_tokens", "hold a card number; send tokens");
        if (!any)
            member->card_tokens[member->n_card_tokens++] = tokens.at[i];
        else if (fill_card(lists, tokens.at[i], i, &cards[i], err))
            member->cards[member->n_cards++] = &cards[i];
        else
            return false;
    }
    return true;
}

/* Unset when none of it is there. */
static bool take_contact(const char *const *values, Member *member, struct arena *arena, struct error *err)
{
    if (!*values[NAME] && !*values[PHONE] && !*values[EMAIL])
        return true;
    member->contact = arena_alloc(arena, sizeof *member->contact);
    if (!member->contact)
        return out_of_memory(err);
    alliance__v1__contact__init(member->contact);
    return take_text(values[NAME], arena, &member->contact->name, err) &&
           take_text(values[PHONE], arena, &member->contact->phone, err) &&
           take_text(values[EMAIL], arena, &member->contact->email, err);
}

void *member_read(const char *const *values, int64_t row_number, struct arena *arena, struct error *err)
{
    Alliance__V1__MemberRow *row = arena_alloc(arena, sizeof *row);
    Member *member = arena_alloc(arena, sizeof *member);

    if (!row || !member) {
        out_of_memory(err);
        return NULL;
    }
    alliance__v1__member_row__init(row);
    alliance__v1__member__init(member);
    row->row_number = row_number;
    row->member = member;
    if (!*values[MEMBER_REF]) {
        refuse(MEMBER_REF, "must not be empty", err);
        return NULL;
    }
    bool read = check_no_card_numbers(values, err) && take_text(values[MEMBER_REF], arena, &member->member_ref, err) &&
                take_limit(values[CREDIT_LIMIT], member, err) && take_tier(values[TIER], member, arena, err) &&
                take_temporary(values, member, arena, err) && take_status(values[STATUS], member, err) &&
                take_cards(values, member, arena, err) && take_contact(values, member, arena, err) &&
                take_consents(values[CONSENTS], member, arena, err);
    return read ? row : NULL;
}
