/*
 * party_account.c -- where parties are paid: set by one operator, approved by another, for a changed account is how
 * payments are stolen.
 */
#include "service/settlement_handlers.h"

#include "base/text.h"
#include "domain/bank_account.h"
#include "domain/settle_contract.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"
#include "store/party_account_store.h"

#include <alliance/v1/settlement_service.pb-c.h>
#include <stdio.h>
#include <string.h>

typedef Alliance__V1__PartyAccount Account;
typedef Alliance__V1__SettlementParty Party;

enum { FILES_BILL = 1, FILES_FIXED_WIDTH = 2 };

/* The party takes part in the programme. */
static bool find_party(struct errand *errand, const char *programme_id, const Party *party,
                       struct party_account_party *found, struct error *err)
{
    *found = (struct party_account_party){ .party_type = (int16_t)party->kind };
    return settlement_find_programme(errand, programme_id, &found->programme_no, err) &&
           settlement_find_party(errand, found->programme_no, "party.id", party, &found->party_no, err);
}

/* Checks of a new version. */

static bool check_numbers(const Account *account, struct error *err)
{
    if (*account->iban && *account->account_number)
        return error_field(err, REASON_FIELD_INVALID, "account_number", "must be empty when there is an iban");
    if (*account->iban && !iban_valid(account->iban))
        return error_field(err, REASON_FIELD_INVALID, "iban",
                           "must be an IBAN without blanks whose check digits are right");
    if (*account->account_number && !text_is_ref(account->account_number, ACCOUNT_NUMBER_MAX, "-"))
        return error_field(err, REASON_FIELD_INVALID, "account_number", "must be 1 to %d of A-Z, a-z, 0-9, \"-\"",
                           ACCOUNT_NUMBER_MAX);
    return !*account->bic || bic_valid(account->bic) ||
           error_field(err, REASON_FIELD_INVALID, "bic", "must be a BIC: 8 or 11 of A-Z, 0-9");
}

static bool check_country(const char *code, struct error *err)
{
    bool good = strlen(code) == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z';

    return !*code || good ||
           error_field(err, REASON_FIELD_INVALID, "country_code", "must be two capital letters, or empty");
}

static bool check_account(const Account *account, struct error *err)
{
    return (check_id("programme_id", account->programme_id, err) &&
            settlement_check_party("party", account->party, err) &&
            (text_empty(account->currency_code) || check_currency("currency_code", account->currency_code, err)) &&
            check_text("legal_name", account->legal_name, 0, PARTY_NAME_MAX, err) &&
            check_text("address", account->address, 0, PARTY_ADDRESS_MAX, err) &&
            check_country(account->country_code, err) && check_numbers(account, err) &&
            check_text("bank_name", account->bank_name, 0, PARTY_NAME_MAX, err)) ||
           check_within(err, "account");
}

/* Answers. */

static bool shape_account(struct arena *arena, const char *programme_id, const Party *party,
                          const struct party_account_row *row, Account *account)
{
    account->programme_id = shape_text(arena, programme_id);
    account->party = settlement_shape_party(arena, (int16_t)party->kind, party->id);
    account->currency_code = shape_text(arena, row->currency);
    account->version = row->version;
    account->legal_name = shape_text(arena, row->legal_name);
    account->address = shape_text(arena, row->address);
    account->country_code = shape_text(arena, row->country);
    account->iban = shape_text(arena, row->iban);
    account->account_number = shape_text(arena, row->account_number);
    account->bic = shape_text(arena, row->bic);
    account->bank_name = shape_text(arena, row->bank_name);
    account->bill = row->files & FILES_BILL;
    account->fixed_width = row->files & FILES_FIXED_WIDTH;
    account->set_by = shape_text(arena, row->set_by);
    account->approved_by = shape_text(arena, row->approved_by);
    return account->programme_id && account->party && account->currency_code && account->legal_name &&
           account->address && account->country_code && account->iban && account->account_number && account->bic &&
           account->bank_name && account->set_by && account->approved_by;
}

static bool reply_newest(struct errand *errand, const char *programme_id, const Party *party,
                         const struct party_account_key *key, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct party_account_row row;
    bool found;

    if (!db_fetch_one(errand->db, &party_account_newest, key, arena, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_FIELD_INVALID, "version", "the party has no such account");
    Account *account = errand_reply(errand, &alliance__v1__party_account__descriptor, err);
    return account && (shape_account(arena, programme_id, party, &row, account) || errand_no_room(err));
}

/* Set. */

static int32_t files_of(const Account *account)
{
    return (account->bill ? FILES_BILL : 0) | (account->fixed_width ? FILES_FIXED_WIDTH : 0);
}

static bool is_same(const Account *account, const struct party_account_row *row)
{
    return strcmp(account->legal_name, row->legal_name) == 0 && strcmp(account->address, row->address) == 0 &&
           strcmp(account->country_code, row->country) == 0 && strcmp(account->iban, row->iban) == 0 &&
           strcmp(account->account_number, row->account_number) == 0 && strcmp(account->bic, row->bic) == 0 &&
           strcmp(account->bank_name, row->bank_name) == 0 && files_of(account) == row->files;
}

static bool set_work(struct errand *errand, struct error *err)
{
    const Account *account = ((const Alliance__V1__SetPartyAccountRequest *)errand->request)->account;
    struct party_account_party party;
    struct party_account_row newest;
    bool found;

    if (!find_party(errand, account->programme_id, account->party, &party, err))
        return check_within(err, "account");
    struct party_account_key key = { party.programme_no, party.party_type, party.party_no, account->currency_code };
    if (!db_fetch_one(errand->db, &party_account_newest, &key, &errand->call->arena, &newest, &found, err))
        return false;
    struct party_account_params params = {
        .programme_no = party.programme_no,
        .party_type = party.party_type,
        .party_no = party.party_no,
        .currency = account->currency_code,
        .version = found ? newest.version + 1 : 1,
        .legal_name = account->legal_name,
        .address = account->address,
        .country = account->country_code,
        .iban = account->iban,
        .account_number = account->account_number,
        .bic = account->bic,
        .bank_name = account->bank_name,
        .files = files_of(account),
        .set_by = errand->call->principal.id,
    };
    if (!(found && is_same(account, &newest)) && !db_execute(errand->db, &party_account_add, &params, NULL, err))
        return false;
    return reply_newest(errand, account->programme_id, account->party, &key, err);
}

bool settlement_set_account(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Account *account = ((const Alliance__V1__SetPartyAccountRequest *)request)->account;

    return check_set("account", account, err) && check_account(account, err) &&
           errand_write(call, request, set_work, err);
}

/* Approve. */

static bool approve_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__ApprovePartyAccountRequest *asked =
        (const Alliance__V1__ApprovePartyAccountRequest *)errand->request;
    struct call *call = errand->call;
    struct party_account_party party;
    struct party_account_row newest;
    bool found;

    if (!find_party(errand, asked->programme_id, asked->party, &party, err))
        return false;
    struct party_account_key key = { party.programme_no, party.party_type, party.party_no, asked->currency_code };
    if (!db_fetch_one(errand->db, &party_account_newest, &key, &call->arena, &newest, &found, err))
        return false;
    if (!found || newest.version != asked->version)
        return error_field(err, REASON_FIELD_INVALID, "version", "must be the newest version, which is %d",
                           found ? (int)newest.version : 0);
    struct party_account_approve_params params = { party.programme_no,   party.party_type, party.party_no,
                                                   asked->currency_code, asked->version,   call->principal.id };
    return (*newest.approved_by || (check_second_person(call, newest.set_by, err) &&
                                    db_execute(errand->db, &party_account_approve, &params, NULL, err))) &&
           reply_newest(errand, asked->programme_id, asked->party, &key, err);
}

bool settlement_approve_account(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ApprovePartyAccountRequest *asked = (const Alliance__V1__ApprovePartyAccountRequest *)request;

    return check_id("programme_id", asked->programme_id, err) && settlement_check_party("party", asked->party, err) &&
           (text_empty(asked->currency_code) || check_currency("currency_code", asked->currency_code, err)) &&
           errand_write(call, request, approve_work, err);
}

/* List. */

/* A party sees its own; the operator all. */
static bool may_see(const struct call *call, const Party *party)
{
    static const struct {
        enum role role;
        int kind;
    } own[] = { { ROLE_BANK, PARTY_BANK }, { ROLE_MERCHANT, PARTY_MERCHANT }, { ROLE_CARRIER, PARTY_CARRIER } };
    const struct principal *caller = &call->principal;

    if (caller->role == ROLE_OPERATOR)
        return true;
    for (size_t i = 0; i < COUNT(own); i++) {
        if (caller->role == own[i].role && (int)party->kind == own[i].kind)
            return !caller->store_id[0] && strcmp(party->id, caller->id) == 0;
    }
    return false;
}

static bool list_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__ListPartyAccountsRequest *asked =
        (const Alliance__V1__ListPartyAccountsRequest *)errand->request;
    struct arena *arena = &errand->call->arena;
    struct party_account_party party;
    size_t count;
    void *rows;

    if (!find_party(errand, asked->programme_id, asked->party, &party, err) ||
        !db_fetch(errand->db, &party_account_list, &party, arena, &rows, &count, err))
        return false;
    Alliance__V1__ListPartyAccountsResponse *reply =
        errand_reply(errand, &alliance__v1__list_party_accounts_response__descriptor, err);
    if (!reply)
        return false;
    reply->accounts = arena_alloc(arena, (count + 1) * sizeof(Account *));
    for (size_t i = 0; reply->accounts && i < count; i++) {
        Account *account = shape_new(arena, &alliance__v1__party_account__descriptor);
        if (!account || !shape_account(arena, asked->programme_id, asked->party,
                                       (const struct party_account_row *)rows + i, account))
            return errand_no_room(err);
        reply->accounts[reply->n_accounts++] = account;
    }
    return reply->accounts || errand_no_room(err);
}

bool settlement_list_accounts(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ListPartyAccountsRequest *asked = (const Alliance__V1__ListPartyAccountsRequest *)request;

    if (!check_id("programme_id", asked->programme_id, err) || !settlement_check_party("party", asked->party, err))
        return false;
    return may_see(call, asked->party) ? errand_read(call, request, list_work, err)
                                       : error_field(err, REASON_NOT_YOURS, "party", "%s", "");
}
