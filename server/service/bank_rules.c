/*
 * bank_rules.c -- PublishExchangeRules and GetExchangeRules.
 */
#include "service/bank_handlers.h"

#include "engine/reference.h"
#include "io/clock.h"
#include "service/bank_rules_shape.h"
#include "service/bank_rules_write.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/publication.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <alliance/v1/bank_service.pb-c.h>

typedef Alliance__V1__ExchangeRules Rules;
typedef Alliance__V1__PublishExchangeRulesRequest Publish;

/* Publish */

static bool read_publish(const struct call *call, const Publish *asked, struct exchange_rules *rules,
                         struct uuid *request_id, struct error *err)
{
    if (!check_set("rules", asked->rules, err) || !check_own(call, "rules.bank_id", asked->rules->bank_id, err))
        return false;
    if (!bank_rules_read(asked->rules, rules, err))
        return check_within(err, "rules");
    return check_request_id(asked->request_id, clock_now(), request_id, err);
}

static bool write_rates(struct errand *errand, int32_t bank_no, const struct exchange_rules *rules, struct error *err)
{
    for (int32_t i = 0; i < rules->rate_count; i++) {
        const struct currency_rate *rate = &rules->rates[i];
        struct registry_rate_params row = {
            .bank_no = bank_no,
            .version = rules->version,
            .currency = rate->currency,
            .conversion_num = rate->conversion.num,
            .conversion_den = rate->conversion.den,
            .settlement_num = rate->settlement.num,
            .settlement_den = rate->settlement.den,
        };
        if (!db_execute(errand->db, &registry_add_rate, &row, NULL, err))
            return false;
    }
    return true;
}

static bool write_caps(struct errand *errand, int32_t bank_no, const struct exchange_rules *rules, struct error *err)
{
    for (int32_t i = 0; i < rules->cap_count; i++) {
        const struct caps *caps = &rules->caps[i];
        struct registry_cap_params row = { bank_no,       rules->version, caps->tier, caps->per_redemption,
                                           caps->per_day, caps->per_month };
        if (!db_execute(errand->db, &registry_add_cap, &row, NULL, err))
            return false;
    }
    return true;
}

static bool write_tier_limits(struct errand *errand, int32_t bank_no, const struct exchange_rules *rules,
                              struct error *err)
{
    for (int32_t i = 0; i < rules->tier_limit_count; i++) {
        const struct tier_limit *limit = &rules->tier_limits[i];
        struct registry_tier_limit_params row = { bank_no, rules->version, limit->tier, limit->points };
        if (!db_execute(errand->db, &registry_add_tier_limit, &row, NULL, err))
            return false;
    }
    return true;
}

bool bank_rules_write(struct errand *errand, const struct publication *publication, const struct exchange_rules *rules,
                      struct error *err)
{
    const struct velocity *member = &rules->member_velocity, *card = &rules->card_velocity;
    struct registry_rules_params row = {
        .bank_no = publication->owner,
        .version = rules->version,
        .effective_from = rules->effective_from,
        .minimum_points = rules->minimum_points,
        .expiry_months = rules->expiry_months,
        .reinstate_grace_days = rules->reinstate_grace_days,
        .accrual_num = rules->accrual.num,
        .accrual_den = rules->accrual.den,
        .request_id = publication->request_id,
        .content_hash = { publication->hash, CRYPTO_HASH },
        .expiry_kind = rules->expiry_kind,
        .expiry_month = rules->expiry_month,
        .expiry_day = rules->expiry_day,
        .pending_days = rules->pending_days,
        .member_window_us = member->window_us,
        .member_max_holds = member->max_holds,
        .member_max_points = member->max_points,
        .card_window_us = card->window_us,
        .card_max_holds = card->max_holds,
        .card_max_points = card->max_points,
    };

    return db_execute(errand->db, &registry_add_rules, &row, NULL, err) &&
           write_rates(errand, publication->owner, rules, err) && write_caps(errand, publication->owner, rules, err) &&
           write_tier_limits(errand, publication->owner, rules, err);
}

static bool reply_rules(struct errand *errand, char *bank_id, const struct exchange_rules *rules, struct error *err)
{
    Rules *shaped = errand_reply(errand, &alliance__v1__exchange_rules__descriptor, err);

    return shaped && (bank_rules_shape(&errand->call->arena, bank_id, rules, shaped) || errand_no_room(err));
}

/* A repeat has the same content, so it gets the same answer from the request alone. */
static bool publish_work(struct errand *errand, struct error *err)
{
    const Publish *asked = (const Publish *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->rules->bank_id);
    struct publication publication = { .find = &registry_find_rules, .last = &registry_last_rules, .within = "rules" };
    struct exchange_rules rules;

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "rules.bank_id", "%s", "");
    /* Checked by the handler; read again here. */
    if (!read_publish(errand->call, asked, &rules, &publication.request_id, err) ||
        !shape_hash_call(errand->call, errand->request, publication.hash, err))
        return false;
    struct instant asked_from = rules.effective_from;
    publication.owner = bank->no;
    publication.programme_no = bank->programme_no;
    publication.asked = asked->rules->effective_from ? &asked_from : NULL;
    if (!publication_decide(errand, &publication, err))
        return false;
    rules.version = publication.version;
    rules.effective_from = publication.effective_from;
    return (publication.repeated || bank_rules_write(errand, &publication, &rules, err)) &&
           reply_rules(errand, asked->rules->bank_id, &rules, err);
}

bool bank_publish_rules(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    struct exchange_rules rules;
    struct uuid request_id;

    return read_publish(call, (const Publish *)request, &rules, &request_id, err) &&
           errand_write(call, request, publish_work, err);
}

/* Get */

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
