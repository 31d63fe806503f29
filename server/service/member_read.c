/* member_read.c -- GetMember and FindMember, on a clerk's connection. */
#include "service/member_handlers.h"

#include "base/text.h"
#include "domain/credit.h"
#include "domain/packed.h"
#include "engine/command.h"
#include "io/pb_json.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/journal.h"
#include "service/member_facts.h"
#include "service/member_seal.h"
#include "service/office.h"
#include "service/shape.h"
#include "service/tier_standing.h"
#include "store/card_store.h"
#include "store/member_profile_store.h"
#include "store/member_store.h"

#include <string.h>

typedef Alliance__V1__GetMemberRequest Get;
typedef Alliance__V1__GetMemberResponse Got;
typedef Alliance__V1__FindMemberRequest Find;
typedef Alliance__V1__FindMemberResponse Found;
typedef Alliance__V1__Card Card;

enum { FOUND_MAX = 100 };

static bool open_contact(struct errand *errand, const struct profile_found_row *row, const struct uuid *member_id,
                         Got *reply, struct error *err)
{
    if (row->sealed.size == 0)
        return true;
    Alliance__V1__SealedMember *sealed = member_unseal(errand->call->office->data_key, member_id, row->sealed.at,
                                                       row->sealed.size, &errand->call->arena, err);
    if (!sealed)
        return false;
    reply->contact = sealed->contact;
    member_name_holders(sealed, reply->facts);
    return true;
}

static bool add_standing(struct errand *errand, const struct bank *bank, const struct profile_key_params *key,
                         Got *reply, struct error *err)
{
    const struct review_find_params params = { key->bucket, key->member_id };
    struct tier_standing standing;
    bool good;

    if (!tier_standing_read(errand, bank, &params, &standing, err))
        return false;
    reply->facts->tier = standing.tier;
    reply->tier_standing = tier_standing_shape(&errand->call->arena, &standing, &good);
    return good || errand_no_room(err);
}

/* The limit as of now, though nobody may have written it yet: a temporary one has begun or ended, the tier is another.
 */
static bool follow_limit(struct errand *errand, const struct bank *bank, const struct profile_key_params *profile,
                         Got *reply, struct error *err)
{
    const struct member_key_params key = { .bucket = profile->bucket, .member_id = profile->member_id };
    struct account *account = arena_alloc(&errand->call->arena, sizeof *account);
    struct member_account_row row;
    bool found;

    if (!account)
        return errand_no_room(err);
    if (!db_fetch_one(errand->db, &member_find_account, &key, &errand->call->arena, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
    account->status = row.status;
    account->credit_limit = row.credit_limit;
    if (!unpack_credit(row.credit.at, row.credit.size, &account->plan, &account->drawn))
        return error_set(err, REASON_INTERNAL, "a stored account is not possible");
    const struct exchange_rules *rules = rules_to_decide_by(bank->rules, bank->rules_count, row.now);
    (void)credit_follow(account, row.business_date, credit_tier_limit(account, rules, reply->facts->tier));
    reply->facts->credit_limit = account->credit_limit;
    return true;
}

static bool get_work(struct errand *errand, struct error *err)
{
    const Get *asked = (const Get *)errand->request;
    struct profile_found_row row;
    bool found;

    Got *reply = errand_reply(errand, &alliance__v1__get_member_response__descriptor, err);
    if (!reply)
        return false;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    struct profile_key_params params = { .member_id = command_member_id(asked->bank_id, asked->member_ref) };
    params.bucket = member_hash16(&params.member_id) % errand->reference->buckets;
    if (!db_fetch_one(errand->db, &profile_find, &params, &errand->call->arena, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
    reply->bank_id = asked->bank_id;
    reply->member_ref = asked->member_ref;
    reply->facts = member_facts_of(&row, &errand->call->arena, err);
    return reply->facts && add_standing(errand, bank, &params, reply, err) &&
           follow_limit(errand, bank, &params, reply, err) &&
           (!asked->with_contact || open_contact(errand, &row, &params.member_id, reply, err));
}

bool member_get(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Get *asked = (const Get *)request;

    if (asked->with_contact && call->principal.role != ROLE_BANK)
        return error_field(err, REASON_ROLE_NOT_ALLOWED, "with_contact", "only the bank sees what is personal");
    return journal_check_member(call, asked->bank_id, asked->member_ref, err) &&
           errand_read(call, request, get_work, err);
}

/* Find */

static bool find_by_mac(struct errand *errand, const struct bank *bank, const struct statement *statement,
                        const uint8_t mac[CRYPTO_HASH], Found *reply, struct error *err)
{
    struct profile_search_params params = { errand->reference->buckets, { mac, CRYPTO_HASH }, bank->no, FOUND_MAX };
    size_t count;
    void *rows;

    if (!db_fetch(errand->db, statement, &params, &errand->call->arena, &rows, &count, err))
        return false;
    reply->member_refs = arena_alloc(&errand->call->arena, (count + 1) * sizeof *reply->member_refs);
    for (size_t i = 0; reply->member_refs && i < count; i++)
        reply->member_refs[reply->n_member_refs++] =
            (char *)(uintptr_t)((const struct profile_search_row *)rows)[i].member_ref;
    return reply->member_refs || errand_no_room(err);
}

static Card *shape_card(struct arena *arena, const struct card_row *row, char *token)
{
    Card *card = shape_new(arena, &alliance__v1__card__descriptor);

    if (!card)
        return NULL;
    card->token = token;
    card->product = (char *)(uintptr_t)row->product;
    card->status = (Alliance__V1__CardStatus)row->status;
    card->supplementary = row->supplementary;
    if (row->expires_on.days != 0)
        card->expires_on = shape_date(arena, row->expires_on);
    return card->expires_on ? card : NULL;
}

static bool find_by_card(struct errand *errand, const Find *asked, Found *reply, struct error *err)
{
    struct uuid id = command_card_id(asked->bank_id, asked->card_token);
    int64_t bucket = member_hash16(&id) % errand->reference->buckets;
    struct card_ids_params params = { { &bucket, 1 }, { &id, 1 } };
    struct card_row row;
    bool found;

    if (!db_fetch_one(errand->db, &card_find, &params, &errand->call->arena, &row, &found, err))
        return false;
    if (!found)
        return true;
    reply->member_refs = arena_alloc(&errand->call->arena, sizeof *reply->member_refs);
    reply->card = shape_card(&errand->call->arena, &row, asked->card_token);
    if (!reply->member_refs || !reply->card)
        return errand_no_room(err);
    reply->member_refs[reply->n_member_refs++] = (char *)(uintptr_t)row.member_ref;
    return true;
}

static bool find_work(struct errand *errand, struct error *err)
{
    const Find *asked = (const Find *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    const struct crypto_key *key = errand->call->office->data_key;
    uint8_t mac[CRYPTO_HASH];

    Found *reply = errand_reply(errand, &alliance__v1__find_member_response__descriptor, err);
    if (!reply)
        return false;
    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    if (!text_empty(asked->card_token))
        return find_by_card(errand, asked, reply, err);
    if (!text_empty(asked->phone)) {
        member_seal_phone_mac(key, asked->bank_id, asked->phone, mac);
        return find_by_mac(errand, bank, &profile_by_phone, mac, reply, err);
    }
    member_seal_email_mac(key, asked->bank_id, asked->email, mac);
    return find_by_mac(errand, bank, &profile_by_email, mac, reply, err);
}

bool member_find(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Find *asked = (const Find *)request;
    int given = !text_empty(asked->phone) + !text_empty(asked->email) + !text_empty(asked->card_token);

    if (!check_own(call, "bank_id", asked->bank_id, err) || !check_id("bank_id", asked->bank_id, err))
        return false;
    if (given != 1)
        return error_field(err, REASON_FIELD_INVALID, "phone", "just one of phone, email and card_token must be set");
    return (text_empty(asked->phone) || member_seal_check_phone("phone", asked->phone, err)) &&
           (text_empty(asked->email) || member_seal_check_email("email", asked->email, err)) &&
           (text_empty(asked->card_token) || (check_card_token("card_token", asked->card_token, err) &&
                                              check_no_card_number("card_token", asked->card_token, err))) &&
           errand_read(call, request, find_work, err);
}
