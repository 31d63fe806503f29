/*
 * redemption_read.c -- QuoteRedemption and GetRedemption: read on a clerk's connection, at the programme's time.
 */
#include "service/redemption_handlers.h"

#include "base/exact.h"
#include "base/text.h"
#include "domain/packed.h"
#include "domain/redemption.h"
#include "domain/rule_set.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"
#include "service/shape.h"
#include "service/tier_standing.h"
#include "store/member_store.h"
#include "store/registry_store.h"

#include <alliance/v1/redemption_service.pb-c.h>
#include <inttypes.h>
#include <string.h>

typedef Alliance__V1__QuoteRedemptionRequest Quote;
typedef Alliance__V1__QuoteRedemptionResponse Quoted;
typedef Alliance__V1__Redemption Shown;

/* Quote */

static bool check_quote(const struct call *call, const Quote *asked, struct error *err)
{
    if (!check_own(call, "merchant_id", asked->merchant_id, err) || !check_id("merchant_id", asked->merchant_id, err) ||
        !check_id("bank_id", asked->bank_id, err) || !check_id_or_none("goods_id", asked->goods_id, err))
        return false;
    if (!text_empty(asked->member_ref) && !check_member_ref("member_ref", asked->member_ref, err))
        return false;
    if (!check_range("points", asked->points, 0, POINTS_MAX, err))
        return false;
    if (!text_empty(asked->goods_id) && asked->price)
        return error_field(err, REASON_FIELD_INVALID, "price", "must be unset when goods_id is given");
    if (!text_empty(asked->goods_id))
        return check_range("quantity", asked->quantity, 0, QUANTITY_MAX, err);
    return check_money("price", asked->price, AMOUNT_MINOR_MAX, err) &&
           (asked->quantity == 0 || error_field(err, REASON_FIELD_INVALID, "quantity", "must be 0 without goods_id"));
}

static bool price_of(const struct reference *reference, const struct merchant *merchant, const Quote *asked,
                     struct price *price, struct error *err)
{
    *price = (struct price){ .minor = asked->price ? asked->price->amount_minor : 0 };
    if (asked->price) {
        memcpy(price->currency, asked->price->currency_code, CURRENCY_TEXT - 1);
        return true;
    }
    const struct good *good = reference_good(reference, merchant->programme_no, asked->goods_id);
    if (!good || good->merchant_no != merchant->no)
        return error_field(err, REASON_GOODS_NOT_FOUND, "goods_id", "%s", "");
    memcpy(price->currency, good->currency, CURRENCY_TEXT);
    return exact_ratio_floor(good->price_minor, asked->quantity ? asked->quantity : 1, 1, &price->minor) ||
           error_field(err, REASON_AMOUNT_TOO_LARGE, "quantity", "%s", "");
}

/*
 * How the price is paid: as many points as were offered, or as may be. Fewer than pay a minor unit pay for nothing, and
 * in another currency than the merchant's there is no till: all or none then.
 */
static enum reason divide(const struct moment *moment, const struct price *price, int64_t offered, int64_t full,
                          Quoted *quoted)
{
    const struct rule_set *set = moment->rules->set;
    bool at_the_till = moment->terms && strcmp(moment->terms->currency, price->currency) == 0;
    int64_t least = full, most = full, paying;

    if ((set && !rule_set_bounds(set, full, &least, &most)) || !exact_ratio_ceil(full, 1, price->minor, &paying))
        return REASON_AMOUNT_TOO_LARGE;
    if (least < paying)
        least = paying;
    if (!at_the_till)
        least = full;
    quoted->least_points = least;
    quoted->most_points = most;
    quoted->points = offered ? offered : most > 0 && most >= least ? most : full;
    if (!offered)
        return REASON_OK;
    if (!at_the_till && offered != full)
        return REASON_CURRENCY_DIFFERS;
    if (offered < least || offered > most)
        return REASON_CASH_BOUNDS;
    return set && offered % set->step_points != 0 ? REASON_NOT_A_STEP : REASON_OK;
}

static bool quote(struct errand *errand, const struct account *account, const struct moment *moment,
                  const struct price *price, int64_t offered, struct error *err)
{
    const struct exchange_rules *rules = moment->rules;
    struct arena *arena = &errand->call->arena;
    int64_t points;

    if (!rules)
        return error_set(err, REASON_NO_RULES_IN_FORCE, "%s", "");
    if (!rules_rate(rules, price->currency))
        return error_set(err, REASON_CURRENCY_NOT_EXCHANGED, "the bank's exchange rules have no rate for the currency");
    enum reason reason = redemption_cost(account, moment, price, &points);
    if (reason != REASON_OK)
        return error_set(err, reason, "%s", "");
    Quoted *quoted = errand_reply(errand, &alliance__v1__quote_redemption_response__descriptor, err);
    if (!quoted)
        return false;
    reason = divide(moment, price, offered, points, quoted);
    if (reason != REASON_OK)
        return error_field(err, reason, "points",
                           "%" PRId64 " to %" PRId64 " points may pay of this price, and the rest is cash",
                           quoted->least_points, quoted->most_points);
    int64_t cash_minor = rule_set_cash(price->minor, points, quoted->points);
    if (cash_minor > 0) {
        quoted->cash = shape_money(arena, price->currency, cash_minor);
        if (!quoted->cash)
            return errand_no_room(err);
    }
    quoted->price = shape_money(arena, price->currency, price->minor);
    quoted->rules_version = rules->version;
    quoted->minimum_points = rules->minimum_points;
    quoted->maximum_points = rules->set ? rules->set->maximum_points : 0;
    quoted->step_points = rules->set ? rules->set->step_points : 0;
    return quoted->price || errand_no_room(err);
}

/* Who asks: of a member only the tier matters. */
static bool find_asker(struct errand *errand, const struct bank *bank, const char *member_ref, struct account *account,
                       struct error *err)
{
    struct uuid member_id = command_member_id(bank->id, member_ref);
    struct member_key_params key = { member_hash16(&member_id) % errand->reference->buckets, member_id };
    struct member_account_row row;
    bool found;

    if (text_empty(member_ref))
        return true;
    if (!db_fetch_one(errand->db, &member_find_account, &key, &errand->call->arena, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
    account->tier = row.tier;
    account->tier_due = row.tier_due;
    return !tier_standing_is_due(account, row.business_date) ||
           tier_standing_apply(errand, bank, key.bucket, &member_id, account, err);
}

static void place_of(const struct errand *errand, const struct merchant *merchant, const Quote *asked,
                     struct moment *moment)
{
    const struct good *good = reference_good(errand->reference, merchant->programme_no, asked->goods_id);

    moment->terms = terms_in_force(merchant->terms, merchant->terms_count, moment->now);
    moment->place.merchant_id = merchant->id;
    moment->place.goods_id = good ? good->id : NULL;
    moment->place.goods_kind = good ? good->kind : 0;
}

static bool quote_work(struct errand *errand, struct error *err)
{
    const Quote *asked = (const Quote *)errand->request;
    const struct merchant *merchant;
    const struct bank *bank;
    struct account *account = arena_alloc(&errand->call->arena, sizeof *account);
    struct price price;
    struct registry_now_row now;
    bool found;

    if (!account)
        return errand_no_room(err);
    if (!redemption_parties(errand->reference, asked->merchant_id, asked->bank_id, &merchant, &bank, err) ||
        !price_of(errand->reference, merchant, asked, &price, err) ||
        !find_asker(errand, bank, asked->member_ref, account, err))
        return false;
    struct registry_no_params programme = { merchant->programme_no };
    if (!db_fetch_one(errand->db, &registry_now, &programme, &errand->call->arena, &now, &found, err))
        return false;
    struct moment moment = { .now = now.now, .business_date = now.business_date };
    moment.rules = rules_to_decide_by(bank->rules, bank->rules_count, now.now);
    place_of(errand, merchant, asked, &moment);
    return quote(errand, account, &moment, &price, asked->points, err);
}

bool redemption_quote_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return check_quote(call, (const Quote *)request, err) && errand_read(call, request, quote_work, err);
}

/* Get */

static bool show_parties(struct errand *errand, const struct member_redemption_row *row, Shown *shown)
{
    struct arena *arena = &errand->call->arena;
    const struct merchant *merchant = reference_merchant_no(errand->reference, row->merchant_no);
    const struct bank *bank = reference_bank_no(errand->reference, row->bank_no);
    const struct store_place *store = merchant && row->store_no ? reference_store_no(merchant, row->store_no) : NULL;
    const struct good *good = row->goods_no ? reference_good_no(errand->reference, row->goods_no) : NULL;

    shown->bank_id = shape_text(arena, bank ? bank->id : "");
    shown->merchant_id = shape_text(arena, merchant ? merchant->id : "");
    shown->store_id = shape_text(arena, store ? store->id : "");
    shown->goods_id = shape_text(arena, good ? good->id : "");
    shown->member_ref = shape_text(arena, row->member_ref);
    return shown->bank_id && shown->merchant_id && shown->store_id && shown->goods_id && shown->member_ref;
}

/* What is to be paid, was paid, or is left of that; none of a hold that ended, be it by time alone. */
static int64_t cash_of(const struct member_redemption_row *row)
{
    const struct redemption redemption = { .state = row->state,
                                           .lapse_at = row->lapse_at,
                                           .cash_minor = row->cash_minor,
                                           .points = row->points,
                                           .confirmed_points = row->confirmed_points,
                                           .reversed_points = row->reversed_points };

    if (row->state == REDEMPTION_HELD)
        return redemption_overdue(&redemption, row->now) ? 0 : row->cash_minor;
    return redemption_confirmed_cash(&redemption) - redemption_reversed_cash(&redemption);
}

static bool show_price(struct arena *arena, const struct member_redemption_row *row, Shown *shown)
{
    if (row->price_minor == 0)
        return true;
    shown->price = shape_money(arena, row->price_currency, row->price_minor);
    shown->cash = shape_money(arena, row->price_currency, cash_of(row));
    return shown->price && shown->cash;
}

static bool show_money(struct arena *arena, const struct member_redemption_row *row, Shown *shown)
{
    if (!row->currency[0])
        return true;
    shown->gross = shape_money(arena, row->currency, row->gross_minor - row->reversed_gross_minor);
    shown->commission = shape_money(arena, row->currency, row->commission_minor - row->reversed_commission_minor);
    return shown->gross && shown->commission;
}

/* Gross and commission are there from the confirmation on, as those of the whole. */
static Alliance__V1__OrderLine *show_line(struct arena *arena, const struct member_redemption_row *row,
                                          const struct order_line *line)
{
    Alliance__V1__OrderLine *shown = shape_new(arena, &alliance__v1__order_line__descriptor);

    if (!shown)
        return NULL;
    shown->line_id = shape_text(arena, line->id);
    shown->points = line->points;
    shown->reversed_points = line->reversed_points;
    if (!row->currency[0])
        return shown->line_id ? shown : NULL;
    shown->gross = shape_money(arena, row->currency, line->amounts.gross_minor - line->reversed.gross_minor);
    shown->commission =
        shape_money(arena, row->currency, line->amounts.commission_minor - line->reversed.commission_minor);
    return shown->line_id && shown->gross && shown->commission ? shown : NULL;
}

static bool show_lines(struct arena *arena, const struct member_redemption_row *row, Shown *shown)
{
    struct order_lines lines;

    if (!unpack_lines(row->lines.at, row->lines.size, &lines))
        return false;
    shown->lines = arena_alloc(arena, lines.count * sizeof *shown->lines);
    if (!shown->lines)
        return false;
    for (size_t i = 0; i < lines.count; i++) {
        shown->lines[i] = show_line(arena, row, &lines.at[i]);
        if (!shown->lines[i])
            return false;
        shown->n_lines++;
    }
    return true;
}

static bool show(struct errand *errand, const struct member_redemption_row *row, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    const struct redemption held = { .state = row->state, .lapse_at = row->lapse_at };
    Shown *shown = errand_reply(errand, &alliance__v1__redemption__descriptor, err);

    if (!shown)
        return false;
    shown->state =
        (Alliance__V1__RedemptionState)(redemption_overdue(&held, row->now) ? REDEMPTION_LAPSED : row->state);
    shown->held_points = row->points;
    shown->confirmed_points = row->confirmed_points;
    shown->reversed_points = row->reversed_points;
    shown->rules_version = row->rules_version;
    shown->terms_version = row->terms_version;
    shown->quantity = row->quantity;
    shown->redemption_id =
        shape_text(arena, ((const Alliance__V1__GetRedemptionRequest *)errand->request)->redemption_id);
    shown->hold_time = shape_instant(arena, row->held_at);
    shown->lapse_time = shape_instant(arena, row->lapse_at);
    return (shown->redemption_id && shown->hold_time && shown->lapse_time && show_money(arena, row, shown) &&
            show_price(arena, row, shown) && show_lines(arena, row, shown) && show_parties(errand, row, shown)) ||
           errand_no_room(err);
}

/* Another merchant's or store's redemption, a refused hold and one that was never there look the same. */
static bool is_callers(const struct errand *errand, const struct member_redemption_row *row, uint16_t hash16)
{
    const struct merchant *merchant = reference_merchant(errand->reference, errand->call->principal.id);
    int32_t store_no;

    return merchant && row->merchant_no == merchant->no && redemption_reach(errand->call, merchant, &store_no) &&
           (store_no == 0 || row->store_no == store_no) && row->state != REDEMPTION_NONE &&
           member_hash16(&row->member_id) == hash16;
}

static bool get_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__GetRedemptionRequest *asked = (const Alliance__V1__GetRedemptionRequest *)errand->request;
    struct member_redemption_params params;
    struct member_redemption_row row;
    uint16_t hash16;
    bool found = false;

    if (!redemption_id_parse(asked->redemption_id, &params.id, &hash16))
        return error_field(err, REASON_REDEMPTION_NOT_FOUND, "redemption_id", "%s", "");
    params.bucket = hash16 % errand->reference->buckets;
    if (!db_fetch_one(errand->db, &member_find_redemption, &params, &errand->call->arena, &row, &found, err))
        return false;
    if (!found || !is_callers(errand, &row, hash16))
        return error_field(err, REASON_REDEMPTION_NOT_FOUND, "redemption_id", "%s", "");
    return show(errand, &row, err);
}

bool redemption_get_handler(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return errand_read(call, request, get_work, err);
}
