/*
 * settlement_contract.c -- PublishSettlementContract and ListSettlementContracts: how a party is settled, by version.
 */
#include "domain/settle_contract.h"
#include "engine/reference.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/page.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/contract_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__SettlementContract Contract;
typedef Alliance__V1__PublishSettlementContractRequest Publish;
typedef Alliance__V1__ListSettlementContractsRequest List;
typedef Alliance__V1__SettlementParty Party;

/* Parties */

bool settlement_check_party(const char *field, const Party *party, struct error *err)
{
    if (!check_set(field, party, err))
        return false;
    int kind = (int)party->kind;
    bool named = kind >= PARTY_BANK && kind <= PARTY_CARRIER;
    if (!check_range("kind", kind, PARTY_BANK, PARTY_TAX, err) || (named && !check_id("id", party->id, err)))
        return check_within(err, "%s", field);
    if (!named && *party->id) {
        error_field(err, REASON_FIELD_INVALID, "id", "must be empty: there is one of it in a programme");
        return check_within(err, "%s", field);
    }
    return true;
}

bool settlement_find_party(struct errand *errand, int32_t programme_no, const char *field, const Party *party,
                           int32_t *party_no, struct error *err)
{
    static const enum reason missing[] = { [PARTY_BANK] = REASON_BANK_NOT_FOUND,
                                           [PARTY_MERCHANT] = REASON_MERCHANT_NOT_FOUND,
                                           [PARTY_CARRIER] = REASON_CARRIER_NOT_FOUND };
    struct settle_party_params params = { programme_no, (int16_t)party->kind, party->id };
    struct settle_party_row row = { 0 };
    bool found;

    *party_no = 0;
    if ((int)party->kind > PARTY_CARRIER)
        return true;
    if (!db_fetch_one(errand->db, &settle_party_find, &params, &errand->call->arena, &row, &found, err))
        return false;
    *party_no = row.party_no;
    return found || error_field(err, missing[party->kind], field, "%s", "");
}

Party *settlement_shape_party(struct arena *arena, int16_t kind, const char *id)
{
    Party *party = shape_new(arena, &alliance__v1__settlement_party__descriptor);

    if (!party)
        return NULL;
    party->kind = (Alliance__V1__PartyKind)kind;
    party->id = shape_text(arena, id);
    return party->id ? party : NULL;
}

bool settlement_find_programme(struct errand *errand, const char *programme_id, int32_t *programme_no,
                               struct error *err)
{
    const struct programme *programme = reference_programme(errand->reference, programme_id);

    *programme_no = programme ? programme->no : 0;
    return programme || error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
}

/* A message as a contract. */

static int32_t or_usual(int32_t days)
{
    return days ? days : SETTLE_DAYS_USUAL;
}

static bool read_days(struct arena *arena, const Contract *asked, struct settle_contract *contract, struct error *err)
{
    struct date *ends = arena_alloc(arena, (asked->n_custom_ends + 1) * sizeof *ends);

    if (!ends)
        return errand_no_room(err);
    for (size_t i = 0; i < asked->n_custom_ends; i++) {
        if (!check_date("custom_ends", asked->custom_ends[i], &ends[i], err))
            return false;
    }
    contract->custom_ends = ends;
    contract->custom_end_count = asked->n_custom_ends;
    return check_date("effective_from", asked->effective_from, &contract->effective_from, err);
}

static bool read_tiers(const Contract *asked, struct settle_contract *contract, struct error *err)
{
    if (asked->n_tiers > TIERS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "tiers", "at most %d", TIERS_MAX);
    for (size_t i = 0; i < asked->n_tiers; i++)
        contract->tiers[i] = (struct volume_tier){ asked->tiers[i]->from_minor, asked->tiers[i]->commission_bp };
    contract->tier_count = asked->n_tiers;
    return true;
}

/* What is unspecified has its usual value. */
static bool read_contract(struct arena *arena, const Contract *asked, struct settle_contract *contract,
                          struct error *err)
{
    *contract = (struct settle_contract){
        .party = { (int16_t)asked->party->kind, 0 },
        .period_kind = asked->period_kind ? (int16_t)asked->period_kind : PERIOD_MONTH,
        .min_payout_minor = asked->min_payout_minor,
        .hold_back_bp = asked->hold_back_bp,
        .hold_back_periods = asked->hold_back_periods,
        .fee_period_minor = asked->fee_period_minor,
        .fee_redemption_minor = asked->fee_redemption_minor,
        .tax_bp = asked->tax_bp,
        .tax_rounding = asked->tax_rounding ? (int16_t)asked->tax_rounding : TAX_HALF_EVEN,
        .tax_bearer = asked->tax_bearer ? (int16_t)asked->tax_bearer : PARTY_MERCHANT,
        .residue_limit_minor = asked->residue_limit_minor,
        .eligibility = asked->eligibility ? (int16_t)asked->eligibility : ELIGIBLE_AT_CONFIRM,
        .confirm_days = or_usual(asked->confirm_days),
        .payment_days = or_usual(asked->payment_days),
        .late_fee_bp = asked->late_fee_bp,
        .dispute_days = or_usual(asked->dispute_days),
        .freight_minor = asked->freight_minor,
    };
    snprintf(contract->currency, sizeof contract->currency, "%s", asked->currency_code);
    return read_tiers(asked, contract, err) && read_days(arena, asked, contract, err) &&
           settle_contract_check(contract, err);
}

/* A row as a message. */

static bool shape_lists(struct arena *arena, const struct contract_row *row, Contract *shown)
{
    shown->custom_ends = arena_alloc(arena, (row->custom_ends.count + 1) * sizeof *shown->custom_ends);
    shown->tiers = arena_alloc(arena, (row->tier_from.count + 1) * sizeof *shown->tiers);
    if (!shown->custom_ends || !shown->tiers)
        return false;
    for (size_t i = 0; i < row->custom_ends.count; i++) {
        shown->custom_ends[i] = shape_date(arena, row->custom_ends.at[i]);
        if (!shown->custom_ends[i])
            return false;
        shown->n_custom_ends++;
    }
    for (size_t i = 0; i < row->tier_from.count && i < row->tier_bp.count; i++) {
        Alliance__V1__VolumeTier *tier = shape_new(arena, &alliance__v1__volume_tier__descriptor);
        if (!tier)
            return false;
        tier->from_minor = row->tier_from.at[i];
        tier->commission_bp = row->tier_bp.at[i];
        shown->tiers[shown->n_tiers++] = tier;
    }
    return true;
}

static bool shape_contract(struct arena *arena, const struct contract_row *row, const char *programme_id,
                           const char *party_id, Contract *shown)
{
    shown->programme_id = shape_text(arena, programme_id);
    shown->party = settlement_shape_party(arena, row->party, party_id);
    shown->currency_code = shape_text(arena, row->currency);
    shown->version = row->version;
    shown->effective_from = shape_date(arena, row->effective_from);
    shown->period_kind = (Alliance__V1__PeriodKind)row->period_kind;
    shown->min_payout_minor = row->min_payout_minor;
    shown->hold_back_bp = row->hold_back_bp;
    shown->hold_back_periods = row->hold_back_periods;
    shown->fee_period_minor = row->fee_period_minor;
    shown->fee_redemption_minor = row->fee_redemption_minor;
    shown->tax_bp = row->tax_bp;
    shown->tax_rounding = (Alliance__V1__TaxRounding)row->tax_rounding;
    shown->tax_bearer = (Alliance__V1__PartyKind)row->tax_bearer;
    shown->residue_limit_minor = row->residue_limit_minor;
    shown->eligibility = (Alliance__V1__Eligibility)row->eligibility;
    shown->confirm_days = row->confirm_days;
    shown->payment_days = row->payment_days;
    shown->late_fee_bp = row->late_fee_bp;
    shown->dispute_days = row->dispute_days;
    shown->freight_minor = row->freight_minor;
    shown->published_by = shape_text(arena, row->published_by);
    return shown->programme_id && shown->party && shown->currency_code && shown->effective_from &&
           shown->published_by && shape_lists(arena, row, shown);
}

/* Publish */

static struct contract_row row_of(const struct settle_contract *c, struct arena *arena)
{
    int64_t *from = arena_alloc(arena, (TIERS_MAX + 1) * sizeof *from);
    int64_t *bp = arena_alloc(arena, (TIERS_MAX + 1) * sizeof *bp);
    struct contract_row row = {
        .party = c->party.kind,
        .party_no = c->party.no,
        .currency = c->currency,
        .effective_from = c->effective_from,
        .period_kind = c->period_kind,
        .custom_ends = { c->custom_ends, c->custom_end_count },
        .min_payout_minor = c->min_payout_minor,
        .hold_back_bp = c->hold_back_bp,
        .hold_back_periods = c->hold_back_periods,
        .fee_period_minor = c->fee_period_minor,
        .fee_redemption_minor = c->fee_redemption_minor,
        .tax_bp = c->tax_bp,
        .tax_rounding = c->tax_rounding,
        .tax_bearer = c->tax_bearer,
        .residue_limit_minor = c->residue_limit_minor,
        .eligibility = c->eligibility,
        .confirm_days = c->confirm_days,
        .payment_days = c->payment_days,
        .late_fee_bp = c->late_fee_bp,
        .dispute_days = c->dispute_days,
        .freight_minor = c->freight_minor,
    };

    for (size_t i = 0; from && bp && i < c->tier_count; i++) {
        from[i] = c->tiers[i].from_minor;
        bp[i] = c->tiers[i].commission_bp;
    }
    row.tier_from = (struct int64_array){ from, from && bp ? c->tier_count : 0 };
    row.tier_bp = (struct int64_array){ bp, from && bp ? c->tier_count : 0 };
    return row;
}

/* The version that request made before, if it did. */
static bool find_before(struct errand *errand, const struct contract_row *new, struct contract_row *before, bool *found,
                        struct error *err)
{
    struct contract_request_params params = { new->programme_no, new->request_id };

    if (!db_fetch_one(errand->db, &contract_by_request, &params, &errand->call->arena, before, found, err))
        return false;
    return !*found ||
           (before->content_hash.size == CRYPTO_HASH &&
            memcmp(before->content_hash.at, new->content_hash.at, CRYPTO_HASH) == 0) ||
           error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
}

static bool put_version(struct errand *errand, const struct settle_contract *contract, struct contract_row *row,
                        struct error *err)
{
    struct contract_last_params params = { row->programme_no, row->party, row->party_no, row->currency };
    struct settle_contract before = settle_contract_none(contract->party, contract->currency);
    struct contract_last_row last;
    bool found;

    if (!db_fetch_one(errand->db, &contract_last, &params, &errand->call->arena, &last, &found, err))
        return false;
    if (!found)
        return error_set(err, REASON_INTERNAL, "the programme has no fences");
    before.version = last.version;
    before.effective_from = last.effective_from;
    before.period_kind = last.period_kind;
    before.custom_ends = last.custom_ends.at;
    before.custom_end_count = last.custom_ends.count;
    if (!settle_contract_follows(contract, &before, last.open_date, err))
        return false;
    row->version = last.version + 1;
    return db_execute(errand->db, &contract_put, row, NULL, err);
}

static bool publish_work(struct errand *errand, struct error *err)
{
    const Publish *asked = (const Publish *)errand->request;
    struct arena *arena = &errand->call->arena;
    struct settle_contract contract;
    uint8_t hash[CRYPTO_HASH];
    struct contract_row row, before;
    int32_t programme_no;
    bool found;

    if (!read_contract(arena, asked->contract, &contract, err))
        return check_within(err, "contract");
    if (!settlement_find_programme(errand, asked->contract->programme_id, &programme_no, err) ||
        !settlement_find_party(errand, programme_no, "contract.party.id", asked->contract->party, &contract.party.no,
                               err) ||
        !shape_hash_call(errand->call, errand->request, hash, err))
        return false;
    row = row_of(&contract, arena);
    row.programme_no = programme_no;
    row.content_hash = (struct bytes){ hash, sizeof hash };
    row.published_by = errand->call->principal.id;
    if (!uuid_parse(asked->request_id, &row.request_id) || !find_before(errand, &row, &before, &found, err))
        return false;
    if (!found && !put_version(errand, &contract, &row, err))
        return false;
    Contract *shown = errand_reply(errand, &alliance__v1__settlement_contract__descriptor, err);
    return shown && (shape_contract(arena, found ? &before : &row, asked->contract->programme_id,
                                    asked->contract->party->id, shown) ||
                     errand_no_room(err));
}

bool settlement_publish_contract(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Publish *asked = (const Publish *)request;
    struct settle_contract contract;
    struct uuid id;

    if (!check_request_id(asked->request_id, clock_now(), &id, err) || !check_set("contract", asked->contract, err))
        return false;
    if (!check_id("programme_id", asked->contract->programme_id, err) ||
        !settlement_check_party("party", asked->contract->party, err) ||
        !check_currency("currency_code", asked->contract->currency_code, err) ||
        !read_contract(&call->arena, asked->contract, &contract, err))
        return check_within(err, "contract");
    return errand_write(call, request, publish_work, err);
}

/* List */

static bool read_key(const char *key, char currency[CURRENCY_TEXT], int32_t *version)
{
    int end = -1;

    currency[0] = '\0';
    *version = 0;
    return !*key || (sscanf(key, "%3[A-Z]/%9d%n", currency, version, &end) == 2 && end > 0 && key[end] == '\0');
}

static bool reply_contracts(struct errand *errand, const struct page *page, const struct contract_row *rows,
                            size_t found, struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)page->size ? found : (size_t)page->size;
    Alliance__V1__ListSettlementContractsResponse *reply =
        errand_reply(errand, &alliance__v1__list_settlement_contracts_response__descriptor, err);
    char key[24];

    if (!reply)
        return false;
    reply->contracts = arena_alloc(arena, (count + 1) * sizeof *reply->contracts);
    for (size_t i = 0; reply->contracts && i < count; i++) {
        Contract *shown = shape_new(arena, &alliance__v1__settlement_contract__descriptor);
        if (!shown || !shape_contract(arena, &rows[i], asked->programme_id, asked->party->id, shown))
            return errand_no_room(err);
        reply->contracts[reply->n_contracts++] = shown;
    }
    if (count < found) {
        snprintf(key, sizeof key, "%s/%d", rows[count - 1].currency, (int)rows[count - 1].version);
        reply->next_page_token = page_token(errand->call, page, key);
    }
    return (reply->contracts && reply->next_page_token) || errand_no_room(err);
}

static bool read_page(const struct call *call, const List *asked, char filters[128], struct page *page,
                      struct error *err)
{
    snprintf(filters, 128, "%s/%d/%s", asked->programme_id, (int)asked->party->kind, asked->party->id);
    return page_read(call, asked->page_size, asked->page_token, filters, page, err);
}

static bool list_work(struct errand *errand, struct error *err)
{
    const List *asked = (const List *)errand->request;
    char filters[128], currency[CURRENCY_TEXT];
    struct contract_list_params params = { .party = (int16_t)asked->party->kind, .after_currency = currency };
    struct page page;
    size_t found;
    void *rows;

    if (!settlement_find_programme(errand, asked->programme_id, &params.programme_no, err) ||
        !settlement_find_party(errand, params.programme_no, "party.id", asked->party, &params.party_no, err) ||
        !read_page(errand->call, asked, filters, &page, err))
        return false;
    if (!read_key(page.after, currency, &params.after_version))
        return page_refuse_token(err);
    params.limit = page.size + 1;
    return db_fetch(errand->db, &contract_list, &params, &errand->call->arena, &rows, &found, err) &&
           reply_contracts(errand, &page, rows, found, err);
}

bool settlement_list_contracts(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const List *asked = (const List *)request;
    char filters[128];
    struct page page;

    return check_id("programme_id", asked->programme_id, err) && settlement_check_party("party", asked->party, err) &&
           read_page(call, asked, filters, &page, err) && errand_read(call, request, list_work, err);
}
