/* batch_changes.c -- the audit log: what a member was and became, written with the account in one transaction. */
#include "engine/batch.h"

#include "io/crypto.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    FACTS_TEXT = 256,   /* bytes of an account's facts */
    CARD_TEXT = 260,    /* bytes of one card's, with token and product of 64 */
    CONSENT_TEXT = 40,  /* bytes of one consent's */
    PROFILE_TEXT = 200, /* bytes of what is around them */
};

struct member_facts batch_facts(const struct account *account)
{
    return (struct member_facts){ account->status, account->tier, account->credit_limit, account->plan };
}

/* Writing JSON: every text in it consists of letters, digits, "_", "-" only, as whoever made the command has checked.
 */
struct writer {
    char *at;
    size_t size, room;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(writer->at + writer->size, writer->room - writer->size, format, args);
    va_end(args);
    if (n > 0)
        writer->size += (size_t)n < writer->room - writer->size ? (size_t)n : writer->room - writer->size - 1;
}

static const char *member_status_name(int16_t status)
{
    static const char *const names[] = { "UNSPECIFIED", "ACTIVE", "FROZEN", "CLOSED", "DECEASED" };

    return names[status >= 0 && status < (int16_t)COUNT(names) ? status : 0];
}

static void put_plan(struct writer *writer, const struct credit_plan *plan)
{
    char first[DATE_TEXT], last[DATE_TEXT];

    put(writer, "%s", plan->by_tier ? ",\"creditByTier\":true" : "");
    if (plan->temporary.last.days == 0)
        return;
    date_format(plan->temporary.first, first);
    date_format(plan->temporary.last, last);
    put(writer, ",\"temporaryLimit\":{\"points\":\"%" PRId64 "\",\"firstDate\":\"%s\",\"lastDate\":\"%s\"}",
        plan->temporary.points, first, last);
    if (!plan->by_tier)
        put(writer, ",\"ownLimit\":\"%" PRId64 "\"", plan->base);
}

static const char *facts_text(struct arena *arena, const struct member_facts *facts)
{
    char text[FACTS_TEXT];
    struct writer writer = { text, 0, sizeof text };

    put(&writer, "{\"status\":\"MEMBER_STATUS_%s\",\"creditLimit\":\"%" PRId64 "\",\"tier\":%d",
        member_status_name(facts->status), facts->credit_limit, facts->tier);
    put_plan(&writer, &facts->plan);
    put(&writer, "}");
    return arena_copy(arena, text, writer.size);
}

static void put_card(struct writer *writer, const struct card *card)
{
    static const char *const statuses[] = { "UNSPECIFIED", "ACTIVE", "BLOCKED", "CLOSED" };
    char day[DATE_TEXT];

    put(writer, "{\"token\":\"%s\",\"status\":\"CARD_STATUS_%s\"", card->token,
        statuses[card->status >= 0 && card->status < (int16_t)COUNT(statuses) ? card->status : 0]);
    if (card->product[0])
        put(writer, ",\"product\":\"%s\"", card->product);
    if (card->expires_on.days != 0) {
        date_format(card->expires_on, day);
        put(writer, ",\"expiresOn\":\"%s\"", day);
    }
    put(writer, "%s}", card->supplementary ? ",\"supplementary\":true" : "");
}

static void put_words(struct writer *writer, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(writer, "%s\"%s\"", i ? "," : "", words[i]);
}

static void put_contact_fields(struct writer *writer, const struct member_profile *profile)
{
    const char *words[3];
    size_t count = 0;

    if (profile->has_name)
        words[count++] = "name";
    if (profile->has_phone)
        words[count++] = "phone";
    if (profile->has_email)
        words[count++] = "email";
    put_words(writer, words, count);
}

bool batch_profile_is_empty(const struct member_profile *profile)
{
    if (profile->facts)
        return profile->facts[0] == '\0';
    return profile->card_count == 0 && profile->consent_count == 0 && profile->sealed_size == 0;
}

const char *batch_profile_text(struct arena *arena, const struct member_profile *profile)
{
    if (profile->facts)
        return profile->facts;
    size_t room = PROFILE_TEXT + profile->card_count * CARD_TEXT + profile->consent_count * CONSENT_TEXT;
    struct writer writer = { arena_alloc(arena, room), 0, room };

    if (!writer.at || batch_profile_is_empty(profile))
        return writer.at;
    put(&writer, "{\"cards\":[");
    for (size_t i = 0; i < profile->card_count; i++) {
        put(&writer, "%s", i ? "," : "");
        put_card(&writer, &profile->cards[i]);
    }
    put(&writer, "],\"consents\":[");
    put_words(&writer, profile->consents, profile->consent_count);
    put(&writer, "],\"contactFields\":[");
    put_contact_fields(&writer, profile);
    put(&writer, "]}");
    return writer.at;
}

/* A list of active cards and nothing else; what was hashed before there was more is told the same way. */
static bool is_only_tokens(const struct member_profile *profile)
{
    bool only = profile->consent_count == 0 && profile->sealed_size == 0;

    for (size_t i = 0; only && i < profile->card_count; i++) {
        const struct card *card = &profile->cards[i];
        only = card->status == CARD_ACTIVE && !card->product[0] && card->expires_on.days == 0 && !card->supplementary;
    }
    return only;
}

/* Each word with a NUL behind it, so that no two lists look alike. */
static size_t put_all(struct writer *writer, const char *word)
{
    put(writer, "%s", word);
    writer->size += writer->size + 1 < writer->room;
    return writer->size;
}

static void put_more(struct writer *writer, const struct member_profile *profile)
{
    for (size_t i = 0; i < profile->card_count; i++) {
        const struct card *card = &profile->cards[i];
        put(writer, "%d %d %d ", card->status, card->expires_on.days, card->supplementary);
        put_all(writer, card->product);
    }
    put_all(writer, "consents");
    for (size_t i = 0; i < profile->consent_count; i++)
        put_all(writer, profile->consents[i]);
    put_all(writer, "sealed");
    memcpy(writer->at + writer->size, profile->sealed_mac, sizeof profile->sealed_mac);
    writer->size += sizeof profile->sealed_mac;
}

void batch_profile_hash(const struct member_profile *profile, uint8_t hash[CRYPTO_HASH])
{
    char text[PROFILE_TEXT + CARD_TOKENS_MAX * CARD_TEXT + CONSENTS_MAX * CONSENT_TEXT];
    struct writer writer = { text, 0, sizeof text };

    if (profile && profile->hash) {
        memcpy(hash, profile->hash, CRYPTO_HASH);
        return;
    }
    for (size_t i = 0; profile && i < profile->card_count; i++)
        put_all(&writer, profile->tokens[i]);
    if (profile && !is_only_tokens(profile))
        put_more(&writer, profile);
    crypto_sha256(text, writer.size, hash);
}

/* What the profile was, when this batch knows it: it is new, or an earlier command of the batch has set it. */
static bool know_before(struct batch *batch, const struct batch_account *loaded, struct change_row *row)
{
    row->profile_before = "";
    row->profile_known = loaded->is_new || loaded->profile;
    if (!loaded->profile)
        return true;
    row->profile_before = batch_profile_text(&batch->arena, loaded->profile);
    row->sealed_before = (struct bytes){ loaded->profile->sealed, loaded->profile->sealed_size };
    return row->profile_before != NULL;
}

/*
 * A profile that has become empty is said to be so: "" stands for "did not change". What an erasure or a split leaves
 * is known where the profile is: a statement puts it in place of the word `later`.
 */
static bool know_after(struct batch *batch, const struct member_profile *profile, const char *later,
                       struct change_row *row)
{
    if (later) {
        row->profile_after = later;
        return true;
    }
    row->profile_after = batch_profile_text(&batch->arena, profile);
    if (row->profile_after && row->profile_after[0] == '\0')
        row->profile_after = "{}";
    return row->profile_after != NULL;
}

static const char *const said_later[COMMAND_KIND_COUNT] = {
    [COMMAND_ERASE] = ERASED_PROFILE,
    [COMMAND_SETTLE] = SPLIT_PROFILE,
};

bool batch_keep_change(struct batch *batch, const struct command *command, const struct batch_account *loaded,
                       const struct member_facts *before, const struct member_profile *profile)
{
    const struct account *account = &loaded->account;
    const struct member_facts after = batch_facts(account);
    struct change_row *row = &batch->changes[batch->change_count];

    if (before && !profile && before->status == after.status && before->tier == after.tier &&
        before->credit_limit == after.credit_limit && credit_same_plan(&before->plan, &after.plan))
        return true;
    *row = (struct change_row){
        .member_id = account->member_id,
        .seq = account->journal_seq,
        .bank_no = account->bank_no,
        .at = loaded->moment.now,
        .business_date = loaded->moment.business_date,
        .changed_by = command && command->changed_by ? command->changed_by : "",
        .batch_number = command ? command->batch_number : 0,
        .account_before = before ? facts_text(&batch->arena, before) : "",
        .account_after = facts_text(&batch->arena, &after),
        .profile_before = "",
        .profile_after = "",
    };
    if (!row->account_before || !row->account_after)
        return false;
    const char *later = command ? said_later[command->kind] : NULL;
    bool empty_start = loaded->is_new && !loaded->profile && (!profile || batch_profile_is_empty(profile));
    if (profile && !empty_start && !(know_before(batch, loaded, row) && know_after(batch, profile, later, row)))
        return false;
    batch->change_count++;
    return true;
}
