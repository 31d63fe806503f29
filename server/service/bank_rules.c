/*
 * bank_rules.c -- PublishExchangeRules and GetExchangeRules.
 */
#include "service/bank_handlers.h"

#include "engine/reference.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/publication.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <string.h>

typedef Alliance__V1__ExchangeRules Rules;
typedef Alliance__V1__CurrencyRate Rate;
typedef Alliance__V1__PublishExchangeRulesRequest Publish;

enum { EXPIRY_MONTHS_MAX = 60, GRACE_DAYS_MAX = 366 };

/* Checks */

static bool check_rate(const Rate *rate, struct error *err)
{
    return check_currency("currency_code", rate->currency_code, err) &&
           check_ratio("conversion_rate", rate->conversion_rate, err) &&
           check_ratio("settlement_rate", rate->settlement_rate, err);
}

static bool is_repeated(Rate *const *rates, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(rates[i]->currency_code, rates[index]->currency_code) == 0)
            return true;
    }
    return false;
}

static bool check_rates(const Rules *rules, struct error *err)
{
    if (rules->n_rates < 1 || rules->n_rates > RATES_MAX)
        return error_field(err, REASON_FIELD_INVALID, "rates", "must be 1 to %d", RATES_MAX);
    for (size_t i = 0; i < rules->n_rates; i++) {
        if (!check_rate(rules->rates[i], err))
            return check_within(err, "rates[%zu]", i);
        if (is_repeated(rules->rates, i)) {
            error_field(err, REASON_FIELD_INVALID, "currency_code", "must not be there twice");
            return check_within(err, "rates[%zu]", i);
        }
    }
    return true;
}

static bool check_rules(const Rules *rules, struct instant *effective_from, struct error *err)
{
    return (check_id("bank_id", rules->bank_id, err) && check_range("version", rules->version, 0, 0, err) &&
            (!rules->effective_from || check_timestamp("effective_from", rules->effective_from, effective_from, err)) &&
            check_rates(rules, err) && check_range("minimum_points", rules->minimum_points, 0, POINTS_MAX, err) &&
            check_range("expiry_months", rules->expiry_months, 1, EXPIRY_MONTHS_MAX, err) &&
            check_range("reinstate_grace_days", rules->reinstate_grace_days, 0, GRACE_DAYS_MAX, err) &&
            check_ratio("accrual_rate", rules->accrual_rate, err)) ||
           check_within(err, "rules");
}

static bool check_publish(const struct call *call, const Publish *asked, struct instant *effective_from,
                          struct uuid *request_id, struct error *err)
{
    return check_set("rules", asked->rules, err) && check_own(call, "rules.bank_id", asked->rules->bank_id, err) &&
           check_rules(asked->rules, effective_from, err) &&
           check_request_id(asked->request_id, clock_now(), request_id, err);
}

/* Publish */

static bool write_rates(struct errand *errand, const struct publication *publication, const Rules *rules,
                        struct error *err)
{
    for (size_t i = 0; i < rules->n_rates; i++) {
        const Rate *rate = rules->rates[i];
        struct registry_rate_params row = {
            .bank_no = publication->owner,
            .version = publication->version,
            .currency = rate->currency_code,
            .conversion_num = rate->conversion_rate->num,
            .conversion_den = rate->conversion_rate->den,
            .settlement_num = rate->settlement_rate->num,
            .settlement_den = rate->settlement_rate->den,
        };
        if (!db_execute(errand->db, &registry_add_rate, &row, NULL, err))
            return false;
    }
    return true;
}

static int64_t minimum_of(const Rules *rules)
{
    return rules->minimum_points ? rules->minimum_points : 1;
}

static bool write_rules(struct errand *errand, const struct publication *publication, const Rules *rules,
                        struct error *err)
{
    struct registry_rules_params row = {
        .bank_no = publication->owner,
        .version = publication->version,
        .effective_from = publication->effective_from,
        .minimum_points = minimum_of(rules),
        .expiry_months = rules->expiry_months,
        .reinstate_grace_days = rules->reinstate_grace_days,
        .accrual_num = rules->accrual_rate->num,
        .accrual_den = rules->accrual_rate->den,
        .request_id = publication->request_id,
        .content_hash = { publication->hash, CRYPTO_HASH },
    };

    return db_execute(errand->db, &registry_add_rules, &row, NULL, err) && write_rates(errand, publication, rules, err);
}

/* The request's own rules, with what was decided filled in: a repeat has the same content. */
static bool reply_published(struct errand *errand, const struct publication *publication, const Rules *rules,
                            struct error *err)
{
    Rules *reply = errand_reply(errand, &alliance__v1__exchange_rules__descriptor, err);

    if (!reply)
        return false;
    *reply = *rules;
    reply->version = publication->version;
    reply->minimum_points = minimum_of(rules);
    reply->effective_from = shape_instant(&errand->call->arena, publication->effective_from);
    return reply->effective_from || errand_no_room(err);
}

static bool publish_work(struct errand *errand, struct error *err)
{
    const Publish *asked = (const Publish *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->rules->bank_id);
    struct instant effective_from;
    struct publication publication = { .find = &registry_find_rules, .last = &registry_last_rules };

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "rules.bank_id", "%s", "");
    /* Checked by the handler; read again here. */
    if (!check_publish(errand->call, asked, &effective_from, &publication.request_id, err) ||
        !shape_hash_call(errand->call, errand->request, publication.hash, err))
        return false;
    publication.owner = bank->no;
    publication.programme_no = bank->programme_no;
    publication.asked = asked->rules->effective_from ? &effective_from : NULL;
    publication.within = "rules";
    if (!publication_decide(errand, &publication, err))
        return false;
    if (!publication.repeated && !write_rules(errand, &publication, asked->rules, err))
        return false;
    return reply_published(errand, &publication, asked->rules, err);
}

bool bank_publish_rules(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    struct instant effective_from;
    struct uuid request_id;

    return check_publish(call, (const Publish *)request, &effective_from, &request_id, err) &&
           errand_write(call, request, publish_work, err);
}

/* Get */

static Alliance__V1__Ratio *shape_ratio(struct arena *arena, struct ratio ratio)
{
    Alliance__V1__Ratio *shaped = shape_new(arena, &alliance__v1__ratio__descriptor);

    if (shaped) {
        shaped->num = ratio.num;
        shaped->den = ratio.den;
    }
    return shaped;
}

static Rate *shape_rate(struct arena *arena, const struct currency_rate *rate)
{
    Rate *shaped = shape_new(arena, &alliance__v1__currency_rate__descriptor);

    if (!shaped)
        return NULL;
    shaped->currency_code = shape_text(arena, rate->currency);
    shaped->conversion_rate = shape_ratio(arena, rate->conversion);
    shaped->settlement_rate = shape_ratio(arena, rate->settlement);
    return shaped->currency_code && shaped->conversion_rate && shaped->settlement_rate ? shaped : NULL;
}

static bool shape_rates(struct arena *arena, const struct exchange_rules *rules, Rules *shaped)
{
    shaped->rates = arena_alloc(arena, (size_t)rules->rate_count * sizeof(Rate *));
    for (int32_t i = 0; shaped->rates && i < rules->rate_count; i++) {
        shaped->rates[i] = shape_rate(arena, &rules->rates[i]);
        if (!shaped->rates[i])
            return false;
        shaped->n_rates++;
    }
    return shaped->rates != NULL;
}

static bool reply_rules(struct errand *errand, const char *bank_id, const struct exchange_rules *rules,
                        struct error *err)
{
    struct arena *arena = &errand->call->arena;
    Rules *shaped = errand_reply(errand, &alliance__v1__exchange_rules__descriptor, err);

    if (!shaped)
        return false;
    shaped->bank_id = shape_text(arena, bank_id);
    shaped->version = rules->version;
    shaped->effective_from = shape_instant(arena, rules->effective_from);
    shaped->minimum_points = rules->minimum_points;
    shaped->expiry_months = rules->expiry_months;
    shaped->reinstate_grace_days = rules->reinstate_grace_days;
    shaped->accrual_rate = shape_ratio(arena, rules->accrual);
    return (shaped->bank_id && shaped->effective_from && shaped->accrual_rate && shape_rates(arena, rules, shaped)) ||
           errand_no_room(err);
}

static const struct exchange_rules *find_version(const struct bank *bank, int32_t version)
{
    for (size_t i = 0; i < bank->rules_count; i++) {
        if (bank->rules[i].version == version)
            return &bank->rules[i];
    }
    return NULL;
}

static bool get_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__GetExchangeRulesRequest *asked = (const Alliance__V1__GetExchangeRulesRequest *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    struct registry_now_row now;
    bool found;

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    struct registry_no_params programme = { bank->programme_no };
    if (!db_fetch_one(errand->db, &registry_now, &programme, &errand->call->arena, &now, &found, err))
        return false;
    const struct exchange_rules *rules =
        asked->version ? find_version(bank, asked->version) : rules_in_force(bank->rules, bank->rules_count, now.now);
    if (rules)
        return reply_rules(errand, asked->bank_id, rules, err);
    return asked->version ? error_field(err, REASON_RULES_NOT_FOUND, "version", "%s", "")
                          : error_set(err, REASON_NO_RULES_IN_FORCE, "%s", "");
}

bool bank_get_rules(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__GetExchangeRulesRequest *asked = (const Alliance__V1__GetExchangeRulesRequest *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_range("version", asked->version, 0, INT32_MAX, err) && errand_read(call, request, get_work, err);
}
