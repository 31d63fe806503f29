/*
 * rules_simulate.c -- SimulateSpend and SimulateRedemption: what a rule set comes to, in its own words. Nothing is
 * written, and what may not be is an answer, not an error.
 */
#include "engine/reference.h"
#include "service/check.h"
#include "service/rules_document.h"
#include "service/rules_handlers.h"
#include "service/shape.h"

#include <string.h>

typedef Alliance__V1__SimulateSpendRequest Spend;
typedef Alliance__V1__SimulateSpendResponse Earned;
typedef Alliance__V1__SimulateRedemptionRequest Redemption;
typedef Alliance__V1__SimulateRedemptionResponse Priced;
typedef Alliance__V1__RulePlace Place;
typedef Alliance__V1__RuleStep Step;

enum { CATEGORY_TEXT = 4 };

static const Place nowhere = ALLIANCE__V1__RULE_PLACE__INIT;

/* Reading */

static bool read_category(const char *text, int32_t *category, struct error *err)
{
    *category = *text ? 0 : CATEGORY_UNKNOWN;
    for (size_t i = 0; text[i]; i++) {
        if (text[i] < '0' || text[i] > '9' || i == CATEGORY_TEXT)
            return error_field(err, REASON_FIELD_INVALID, "merchant_category_code", "must be four digits or empty");
        *category = *category * 10 + (text[i] - '0');
    }
    return !*text || strlen(text) == CATEGORY_TEXT ||
           error_field(err, REASON_FIELD_INVALID, "merchant_category_code", "must be four digits or empty");
}

/* An empty date leaves what is there. What is earned on the last day must expire on one that can still be written. */
static bool read_date(const char *text, struct date *date, struct error *err)
{
    if (!*text)
        return true;
    return check_date("date", text, date, err) &&
           (date->days <= date_of(2999, 12, 31).days ||
            error_field(err, REASON_FIELD_INVALID, "date", "must not be after 2999-12-31"));
}

static bool read_place(const Place *asked, const char *currency, struct rule_case *where, struct error *err)
{
    asked = asked ? asked : &nowhere;
    where->currency = currency;
    where->merchant_id = asked->merchant_id;
    where->channel = asked->channel;
    where->goods_kind = (int32_t)asked->goods_kind;
    where->tier = asked->tier;
    return (read_category(asked->merchant_category_code, &where->category, err) &&
            check_id_or_none("merchant_id", asked->merchant_id, err) &&
            check_id_or_none("channel", asked->channel, err) &&
            check_range("goods_kind", asked->goods_kind, 0, 31, err) &&
            check_range("tier", asked->tier, 0, TIER_MAX, err) && read_date(asked->date, &where->date, err)) ||
           check_within(err, "place");
}

static bool read_spend(const Spend *asked, struct spend *spend, struct error *err)
{
    if (!check_money("amount", asked->amount, AMOUNT_MINOR_MAX, err))
        return false;
    spend->amount_minor = asked->amount->amount_minor;
    spend->paid_with_points_minor = asked->paid_with_points_minor;
    spend->earned_today = asked->earned_today;
    spend->earned_this_month = asked->earned_this_month;
    spend->rule_today = asked->earned_today_by_rule;
    spend->rule_this_month = asked->earned_this_month_by_rule;
    return check_range("paid_with_points_minor", asked->paid_with_points_minor, 0, spend->amount_minor, err) &&
           check_range("earned_today", asked->earned_today, 0, POINTS_MAX, err) &&
           check_range("earned_this_month", asked->earned_this_month, 0, POINTS_MAX, err) &&
           check_range("earned_today_by_rule", asked->earned_today_by_rule, 0, POINTS_MAX, err) &&
           check_range("earned_this_month_by_rule", asked->earned_this_month_by_rule, 0, POINTS_MAX, err) &&
           read_place(asked->place, asked->amount->currency_code, &spend->where, err);
}

static bool read_redemption(const Redemption *asked, struct redemption_ask *ask, struct error *err)
{
    if (!check_money("price", asked->price, AMOUNT_MINOR_MAX, err))
        return false;
    ask->price_minor = asked->price->amount_minor;
    ask->points = asked->points;
    ask->goods_id = asked->goods_id;
    return check_points_or_all("points", asked->points, err) && check_id_or_none("goods_id", asked->goods_id, err) &&
           read_place(asked->place, asked->price->currency_code, &ask->where, err);
}

/* The set that is meant: a version published the short way stands for itself. */
static const struct rule_set *find_set(struct errand *errand, const struct rules_key *key, struct rules_found *found,
                                       struct error *err)
{
    struct arena *arena = &errand->call->arena;

    if (!rules_find(errand, key, found, err))
        return NULL;
    Alliance__V1__RuleSetDocument *document = rules_document_of(errand, found, err);
    return document ? rules_document_read(document, key->bank_id, arena, err) : NULL;
}

/* Shaping */

static Step *shape_step(struct arena *arena, const struct rule_step *step)
{
    Step *shaped = shape_new(arena, &alliance__v1__rule_step__descriptor);

    if (!shaped)
        return NULL;
    shaped->what = shape_text(arena, step->what);
    shaped->rule = shape_text(arena, step->rule);
    shaped->rounding = shape_text(arena, step->rounding);
    shaped->value = step->value;
    shaped->result = step->result;
    if (step->ratio.den) {
        shaped->ratio = shape_new(arena, &alliance__v1__ratio__descriptor);
        if (!shaped->ratio)
            return NULL;
        shaped->ratio->num = step->ratio.num;
        shaped->ratio->den = step->ratio.den;
    }
    return shaped->what && shaped->rule && shaped->rounding ? shaped : NULL;
}

static bool shape_steps(struct arena *arena, const struct rule_trace *trace, Step ***steps, size_t *count)
{
    *steps = arena_alloc(arena, (trace->count + 1) * sizeof(Step *));
    for (size_t i = 0; *steps && i < trace->count; i++) {
        (*steps)[i] = shape_step(arena, &trace->steps[i]);
        if (!(*steps)[i])
            return false;
        (*count)++;
    }
    return *steps != NULL;
}

/* Spend */

static bool shape_earned(struct arena *arena, const struct rule_set *set, const struct spend *spend, int64_t points,
                         Earned *earned)
{
    struct date spendable = { spend->where.date.days + set->rules.pending_days };

    earned->points = points;
    earned->spendable_on = shape_date(arena, spendable);
    earned->expires_on = shape_date(arena, rules_expiry(&set->rules, spendable));
    return earned->spendable_on && earned->expires_on;
}

static bool spend_work(struct errand *errand, struct error *err)
{
    const Spend *asked = (const Spend *)errand->request;
    struct arena *arena = &errand->call->arena;
    struct rules_key key = { asked->bank_id, asked->number, asked->version };
    struct rules_found found;
    struct rule_trace trace;
    int64_t points = 0;
    const struct rule_set *set = find_set(errand, &key, &found, err);
    Earned *earned = errand_reply(errand, &alliance__v1__simulate_spend_response__descriptor, err);

    if (!set || !earned)
        return false;
    struct spend spend = { .where = { .date = found.business_date } };
    if (!read_spend(asked, &spend, err))
        return false;
    enum reason reason = rule_set_earn(set, &spend, &points, &trace);
    earned->number = found.row.number;
    earned->version = found.row.version;
    if (reason != REASON_OK)
        earned->reason = shape_text(arena, reason_name(reason));
    bool whole = (reason == REASON_OK ? shape_earned(arena, set, &spend, points, earned) : earned->reason != NULL) &&
                 shape_steps(arena, &trace, &earned->steps, &earned->n_steps);
    return whole || errand_no_room(err);
}

bool rules_simulate_spend(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Spend *asked = (const Spend *)request;
    struct rules_key key = { asked->bank_id, asked->number, asked->version };
    struct spend spend;

    return rules_check_key(call, &key, err) && read_spend(asked, &spend, err) &&
           errand_read(call, request, spend_work, err);
}

/* Redemption */

static bool shape_price(struct arena *arena, const char *currency, const struct redemption_price *price, Priced *priced)
{
    priced->points = price->points;
    priced->cash = shape_money(arena, currency, price->cash_minor);
    priced->settlement = shape_money(arena, currency, price->settled_minor);
    return priced->cash && priced->settlement;
}

static bool redemption_work(struct errand *errand, struct error *err)
{
    const Redemption *asked = (const Redemption *)errand->request;
    struct arena *arena = &errand->call->arena;
    struct rules_key key = { asked->bank_id, asked->number, asked->version };
    struct rules_found found;
    struct rule_trace trace;
    struct redemption_price price;
    const struct rule_set *set = find_set(errand, &key, &found, err);
    Priced *priced = errand_reply(errand, &alliance__v1__simulate_redemption_response__descriptor, err);

    if (!set || !priced)
        return false;
    struct redemption_ask ask = { .where = { .date = found.business_date } };
    if (!read_redemption(asked, &ask, err))
        return false;
    enum reason reason = rule_set_price(set, &ask, &price, &trace);
    priced->number = found.row.number;
    priced->version = found.row.version;
    priced->full_points = price.full_points;
    if (reason != REASON_OK)
        priced->reason = shape_text(arena, reason_name(reason));
    bool whole =
        (reason == REASON_OK ? shape_price(arena, ask.where.currency, &price, priced) : priced->reason != NULL) &&
        shape_steps(arena, &trace, &priced->steps, &priced->n_steps);
    return whole || errand_no_room(err);
}

bool rules_simulate_redemption(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Redemption *asked = (const Redemption *)request;
    struct rules_key key = { asked->bank_id, asked->number, asked->version };
    struct redemption_ask ask;

    return rules_check_key(call, &key, err) && read_redemption(asked, &ask, err) &&
           errand_read(call, request, redemption_work, err);
}
