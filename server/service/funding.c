/*
 * funding.c -- RegisterFunding: who pays for points. Never changed: the same again changes nothing, other content is
 * refused.
 */
#include "service/bank_handlers.h"

#include "base/text.h"
#include "engine/reference.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__Funding Funding;
typedef Alliance__V1__FundingShare Share;

enum { WHOLE_BP = 10000, FUNDER_MERCHANT = ALLIANCE__V1__FUNDER__FUNDER_MERCHANT };

/* Checks */

static bool check_share(const Share *share, struct error *err)
{
    if (!check_range("funder", share->funder, 1, FUNDER_MERCHANT, err) ||
        !check_range("share_bp", share->share_bp, 1, WHOLE_BP, err))
        return false;
    if ((int)share->funder == FUNDER_MERCHANT)
        return check_id("merchant_id", share->merchant_id, err);
    return text_empty(share->merchant_id) ||
           error_field(err, REASON_FIELD_INVALID, "merchant_id", "must be empty unless funder is MERCHANT");
}

static bool same_party(const Share *a, const Share *b)
{
    return a->funder == b->funder && strcmp(a->merchant_id, b->merchant_id) == 0;
}

static bool check_share_at(const Funding *funding, size_t index, struct error *err)
{
    if (!check_share(funding->shares[index], err))
        return check_within(err, "shares[%zu]", index);
    for (size_t i = 0; i < index; i++) {
        if (!same_party(funding->shares[i], funding->shares[index]))
            continue;
        error_field(err, REASON_FIELD_INVALID, "funder", "must not be there twice");
        return check_within(err, "shares[%zu]", index);
    }
    return true;
}

static bool check_shares(const Funding *funding, struct error *err)
{
    int64_t sum = 0;

    if (funding->n_shares < 1 || funding->n_shares > FUNDING_SHARES_MAX)
        return error_field(err, REASON_FIELD_INVALID, "shares", "must be 1 to %d", FUNDING_SHARES_MAX);
    for (size_t i = 0; i < funding->n_shares; i++) {
        if (!check_share_at(funding, i, err))
            return false;
        sum += funding->shares[i]->share_bp;
    }
    return sum == WHOLE_BP || error_field(err, REASON_FIELD_INVALID, "shares", "must add up to %d", WHOLE_BP);
}

static bool check_funding(const Funding *funding, struct error *err)
{
    return (check_id("bank_id", funding->bank_id, err) && check_id("funding_id", funding->funding_id, err) &&
            check_shares(funding, err) && check_ratio("cost_rate", funding->cost_rate, err) &&
            check_currency("currency_code", funding->currency_code, err)) ||
           check_within(err, "funding");
}

static int by_party(const void *a, const void *b)
{
    const Share *one = *(Share *const *)a, *other = *(Share *const *)b;

    return one->funder != other->funder ? (one->funder < other->funder ? -1 : 1)
                                        : strcmp(one->merchant_id, other->merchant_id);
}

/* Registration */

/* Merchants are of the bank's programme. */
static bool find_funders(const struct reference *reference, const struct bank *bank, const Funding *funding,
                         int32_t merchants[FUNDING_SHARES_MAX], struct error *err)
{
    for (size_t i = 0; i < funding->n_shares; i++) {
        const struct merchant *merchant = reference_merchant(reference, funding->shares[i]->merchant_id);
        bool named = (int)funding->shares[i]->funder == FUNDER_MERCHANT;
        merchants[i] = named && merchant ? merchant->no : 0;
        if (named && (!merchant || merchant->programme_no != bank->programme_no)) {
            error_field(err, REASON_MERCHANT_NOT_FOUND, "merchant_id", "%s", "");
            return check_within(err, "funding.shares[%zu]", i);
        }
    }
    return true;
}

static bool add_funding(struct errand *errand, const struct bank *bank, const Funding *funding,
                        const int32_t merchants[FUNDING_SHARES_MAX], const uint8_t hash[CRYPTO_HASH], struct error *err)
{
    struct registry_funding_params params = {
        .bank_no = bank->no,
        .funding_id = funding->funding_id,
        .cost_num = funding->cost_rate->num,
        .cost_den = funding->cost_rate->den,
        .currency = funding->currency_code,
        .content_hash = { hash, CRYPTO_HASH },
    };
    struct registry_number_row made = { 0 };
    bool found;

    if (!errand_changes(errand, err) ||
        !db_fetch_one(errand->db, &registry_add_funding, &params, &errand->call->arena, &made, &found, err))
        return false;
    for (size_t i = 0; i < funding->n_shares; i++) {
        struct registry_share_params share = { made.no, (int16_t)funding->shares[i]->funder, merchants[i],
                                               funding->shares[i]->share_bp };
        if (!db_execute(errand->db, &registry_add_share, &share, NULL, err))
            return false;
    }
    return true;
}

static bool register_work(struct errand *errand, struct error *err)
{
    Funding *funding = ((const Alliance__V1__RegisterFundingRequest *)errand->request)->funding;
    const struct bank *bank = reference_bank(errand->reference, funding->bank_id);
    int32_t merchants[FUNDING_SHARES_MAX];
    struct registry_funding_row row;
    uint8_t hash[CRYPTO_HASH];
    bool found;

    errand->reply = &funding->base;
    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "funding.bank_id", "%s", "");
    struct registry_funding_id_params id = { bank->no, funding->funding_id };
    if (!find_funders(errand->reference, bank, funding, merchants, err) ||
        !shape_hash("funding", &funding->base, hash, err) ||
        !db_fetch_one(errand->db, &registry_find_funding, &id, &errand->call->arena, &row, &found, err))
        return false;
    if (!found)
        return add_funding(errand, bank, funding, merchants, hash, err);
    return (row.content_hash.size == CRYPTO_HASH && memcmp(row.content_hash.at, hash, CRYPTO_HASH) == 0) ||
           error_field(err, REASON_ALREADY_REGISTERED, "funding.funding_id", "%s", "");
}

bool bank_register_funding(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Funding *funding = ((const Alliance__V1__RegisterFundingRequest *)request)->funding;

    if (!check_set("funding", funding, err) || !check_own(call, "funding.bank_id", funding->bank_id, err) ||
        !check_funding(funding, err))
        return false;
    /* The order of shares says nothing: they are sorted, in the call's own copy. */
    qsort(funding->shares, funding->n_shares, sizeof(Share *), by_party);
    return errand_write(call, request, register_work, err);
}
