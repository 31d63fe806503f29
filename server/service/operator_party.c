/*
 * operator_party.c -- RegisterBank, RegisterCarrier, RegisterGood: what has few fields and no versions. The same again
 * changes nothing; other content is refused.
 */
#include "service/operator_handlers.h"

#include "engine/reference.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <alliance/v1/operator_service.pb-c.h>
#include <string.h>

typedef Alliance__V1__Bank Bank;
typedef Alliance__V1__Carrier Carrier;
typedef Alliance__V1__Good Good;

static const int64_t PRICE_MINOR_MAX = INT64_C(1000000000000);

static const struct programme *find_programme(struct errand *errand, const char *id, const char *field,
                                              struct error *err)
{
    const struct programme *programme = reference_programme(errand->reference, id);

    if (!programme)
        error_field(err, REASON_PROGRAMME_NOT_FOUND, field, "%s", "");
    return programme;
}

/* Banks */

static bool bank_work(struct errand *errand, struct error *err)
{
    Bank *bank = ((const Alliance__V1__RegisterBankRequest *)errand->request)->bank;
    const struct programme *programme = find_programme(errand, bank->programme_id, "bank.programme_id", err);
    struct registry_id_params id = { bank->bank_id };
    struct registry_bank_row row;
    bool found;

    errand->reply = &bank->base;
    if (!programme || !db_fetch_one(errand->db, &registry_find_bank, &id, &errand->call->arena, &row, &found, err))
        return false;
    if (found)
        return (row.programme_no == programme->no && strcmp(row.name, bank->name) == 0) ||
               error_field(err, REASON_ALREADY_REGISTERED, "bank.bank_id", "%s", "");
    struct registry_new_bank_params params = { bank->bank_id, programme->no, bank->name };
    return errand_changes(errand, err) && db_execute(errand->db, &registry_add_bank, &params, NULL, err);
}

bool operator_register_bank(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Bank *bank = ((const Alliance__V1__RegisterBankRequest *)request)->bank;

    if (!check_set("bank", bank, err))
        return false;
    if (!check_id("bank_id", bank->bank_id, err) || !check_id("programme_id", bank->programme_id, err) ||
        !check_name("name", bank->name, err))
        return check_within(err, "bank");
    return errand_write(call, request, bank_work, err);
}

/* Carriers */

static bool same_carrier(const struct registry_carrier_row *row, int32_t programme_no, const Carrier *carrier)
{
    return row->programme_no == programme_no && strcmp(row->name, carrier->name) == 0 &&
           strcmp(row->adapter, carrier->adapter) == 0 && strcmp(row->base_url, carrier->base_url) == 0;
}

static bool carrier_work(struct errand *errand, struct error *err)
{
    Carrier *carrier = ((const Alliance__V1__RegisterCarrierRequest *)errand->request)->carrier;
    const struct programme *programme = find_programme(errand, carrier->programme_id, "carrier.programme_id", err);
    struct registry_id_params id = { carrier->carrier_id };
    struct registry_carrier_row row;
    bool found;

    errand->reply = &carrier->base;
    if (!programme || !db_fetch_one(errand->db, &registry_find_carrier, &id, &errand->call->arena, &row, &found, err))
        return false;
    if (found)
        return same_carrier(&row, programme->no, carrier) ||
               error_field(err, REASON_ALREADY_REGISTERED, "carrier.carrier_id", "%s", "");
    struct registry_carrier_params params = { carrier->carrier_id, programme->no, carrier->name, carrier->adapter,
                                              carrier->base_url };
    return errand_changes(errand, err) && db_execute(errand->db, &registry_add_carrier, &params, NULL, err);
}

/* The wire formats alliance-logistics knows. */
static bool check_adapter(const char *adapter, struct error *err)
{
    return strcmp(adapter, "generic-json") == 0 ||
           error_field(err, REASON_FIELD_INVALID, "adapter", "must be \"generic-json\"");
}

bool operator_register_carrier(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Carrier *carrier = ((const Alliance__V1__RegisterCarrierRequest *)request)->carrier;

    if (!check_set("carrier", carrier, err))
        return false;
    if (!check_id("carrier_id", carrier->carrier_id, err) || !check_id("programme_id", carrier->programme_id, err) ||
        !check_name("name", carrier->name, err) || !check_adapter(carrier->adapter, err) ||
        !check_url("base_url", carrier->base_url, call->office->allow_loopback_partners, err))
        return check_within(err, "carrier");
    return errand_write(call, request, carrier_work, err);
}

/* Goods */

static bool same_good(const struct registry_good_row *row, const struct registry_good_params *good)
{
    return row->merchant_no == good->merchant_no && row->carrier_no == good->carrier_no && row->kind == good->kind &&
           row->price_minor == good->price_minor && strcmp(row->name, good->name) == 0 &&
           strcmp(row->currency, good->currency) == 0;
}

static bool find_carrier(struct errand *errand, const char *carrier_id, struct registry_good_params *params,
                         struct error *err)
{
    struct registry_id_params id = { carrier_id };
    struct registry_carrier_row row;
    bool found;

    if (!db_fetch_one(errand->db, &registry_find_carrier, &id, &errand->call->arena, &row, &found, err))
        return false;
    params->carrier_no = found ? row.carrier_no : 0;
    return (found && row.programme_no == params->programme_no) ||
           error_field(err, REASON_CARRIER_NOT_FOUND, "good.carrier_id", "%s", "");
}

/* The currency is that of the newest terms: goods outlive a version. */
static bool check_price(const struct merchant *merchant, const Good *good, struct error *err)
{
    const struct terms *terms = merchant->terms_count ? &merchant->terms[merchant->terms_count - 1] : NULL;

    return (terms && strcmp(terms->currency, good->price->currency_code) == 0) ||
           error_field(err, REASON_FIELD_INVALID, "good.price.currency_code",
                       "must be the merchant's settlement currency");
}

static bool put_good(struct errand *errand, const struct registry_good_params *params, struct error *err)
{
    struct registry_good_id_params id = { params->programme_no, params->goods_id };
    struct registry_good_row row;
    bool found;

    if (!db_fetch_one(errand->db, &registry_find_good, &id, &errand->call->arena, &row, &found, err))
        return false;
    if (found)
        return same_good(&row, params) || error_field(err, REASON_ALREADY_REGISTERED, "good.goods_id", "%s", "");
    return errand_changes(errand, err) && db_execute(errand->db, &registry_add_good, params, NULL, err);
}

static bool good_work(struct errand *errand, struct error *err)
{
    Good *good = ((const Alliance__V1__RegisterGoodRequest *)errand->request)->good;
    const struct merchant *merchant = reference_merchant(errand->reference, good->merchant_id);

    errand->reply = &good->base;
    if (!merchant)
        return error_field(err, REASON_MERCHANT_NOT_FOUND, "good.merchant_id", "%s", "");
    struct registry_good_params params = {
        .programme_no = merchant->programme_no,
        .goods_id = good->goods_id,
        .merchant_no = merchant->no,
        .name = good->name,
        .kind = (int16_t)good->kind,
        .price_minor = good->price->amount_minor,
        .currency = good->price->currency_code,
    };
    return find_carrier(errand, good->carrier_id, &params, err) && check_price(merchant, good, err) &&
           put_good(errand, &params, err);
}

static bool check_good(const Good *good, struct error *err)
{
    return check_id("goods_id", good->goods_id, err) && check_id("merchant_id", good->merchant_id, err) &&
           check_name("name", good->name, err) &&
           (good->kind == ALLIANCE__V1__GOODS_KIND__GOODS_KIND_PHYSICAL ||
            error_field(err, REASON_FIELD_INVALID, "kind", "must be GOODS_KIND_PHYSICAL")) &&
           check_money("price", good->price, PRICE_MINOR_MAX, err) && check_id("carrier_id", good->carrier_id, err);
}

bool operator_register_good(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Good *good = ((const Alliance__V1__RegisterGoodRequest *)request)->good;

    if (!check_set("good", good, err))
        return false;
    if (!check_good(good, err))
        return check_within(err, "good");
    return errand_write(call, request, good_work, err);
}
