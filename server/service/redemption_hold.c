/*
 * redemption_hold.c -- HoldRedemption and RedeemPoints: what is asked, as a command for the member's lane.
 */
#include "service/redemption_handlers.h"

#include "base/text.h"
#include "domain/order_line.h"
#include "io/crypto.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"

#include <alliance/v1/operator_service.pb-c.h>
#include <stdio.h>
#include <string.h>

typedef Alliance__V1__HoldRedemptionRequest Hold;
typedef Alliance__V1__PostalAddress Address;
typedef Alliance__V1__OrderLine Line;

/* What is fixed by the certificate must not be contradicted by the request. */
static bool check_place(const struct call *call, const Hold *asked, struct error *err)
{
    const struct principal *caller = &call->principal;

    if (caller->store_id[0] && asked->store_id[0] && strcmp(caller->store_id, asked->store_id) != 0)
        return error_field(err, REASON_NOT_YOURS, "store_id", "must be the store in the caller's certificate");
    if (caller->terminal_id[0] && asked->terminal_id[0] && strcmp(caller->terminal_id, asked->terminal_id) != 0)
        return error_field(err, REASON_NOT_YOURS, "terminal_id", "must be the terminal in the caller's certificate");
    return true;
}

static bool check_country(const char *code, struct error *err)
{
    bool capitals = strnlen(code, 3) == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z';

    return capitals ||
           error_field(err, REASON_FIELD_INVALID, "country_code", "must be an ISO 3166-1 code: two capital letters");
}

static bool check_address(const Address *address, struct error *err)
{
    return (check_text("recipient", address->recipient, 1, 100, err) &&
            check_text("phone", address->phone, 1, 32, err) &&
            check_text("address_line", address->address_line, 1, 300, err) &&
            check_text("city", address->city, 1, 100, err) &&
            check_text("postal_code", address->postal_code, 0, 16, err) && check_country(address->country_code, err)) ||
           check_within(err, "ship_to");
}

static bool check_order(const Hold *asked, struct error *err)
{
    if (!check_id_or_none("goods_id", asked->goods_id, err))
        return false;
    if (text_empty(asked->goods_id)) {
        if (asked->quantity != 0)
            return error_field(err, REASON_FIELD_INVALID, "quantity", "must be 0 without goods_id");
        if (asked->ship_to)
            return error_field(err, REASON_FIELD_INVALID, "ship_to", "must be unset without a physical good");
        return true;
    }
    return check_range("quantity", asked->quantity, 0, QUANTITY_MAX, err) &&
           (!asked->ship_to || check_address(asked->ship_to, err));
}

static bool check_terminal(const char *terminal_id, struct error *err)
{
    return text_empty(terminal_id) || text_is_ref(terminal_id, ID_MAX, "_-") ||
           error_field(err, REASON_FIELD_INVALID, "terminal_id", "must be at most %d letters, digits, \"_\" and \"-\"",
                       ID_MAX);
}

/* What is redeemed in one step is never held. */
static bool check_lapse(const struct call *call, const struct redemption_kind *kind, const Hold *asked,
                        int64_t *lapse_after_us, struct error *err)
{
    *lapse_after_us = call->office->hold_default_us;
    if (!asked->lapse_after)
        return true;
    if (kind->command == COMMAND_REDEEM)
        return error_field(err, REASON_FIELD_INVALID, "lapse_after", "must be unset: nothing is held");
    return redemption_check_lapse(asked->lapse_after, lapse_after_us, err);
}

static bool check_line(const Hold *asked, size_t i, struct error *err)
{
    const Line *line = asked->lines[i];

    if (!text_is_ref(line->line_id, LINE_ID_MAX, "_-"))
        return error_field(err, REASON_FIELD_INVALID, "line_id", "must be 1 to %d letters, digits, \"_\" and \"-\"",
                           LINE_ID_MAX);
    for (size_t k = 0; k < i; k++) {
        if (strcmp(asked->lines[k]->line_id, line->line_id) == 0)
            return error_field(err, REASON_FIELD_INVALID, "line_id", "is also that of lines[%zu]", k);
    }
    if (!check_range("points", line->points, 1, POINTS_MAX, err))
        return false;
    return (!line->gross && !line->commission && line->reversed_points == 0) ||
           error_field(err, REASON_FIELD_INVALID, "", "gross, commission and reversed_points are only ever answered");
}

static bool check_lines(const Hold *asked, struct error *err)
{
    if (asked->n_lines > 0 && !text_empty(asked->goods_id))
        return error_field(err, REASON_FIELD_INVALID, "lines", "must be empty with goods_id");
    if (asked->n_lines > LINES_MAX)
        return error_field(err, REASON_FIELD_INVALID, "lines", "must be at most %d", LINES_MAX);
    for (size_t i = 0; i < asked->n_lines; i++) {
        if (!check_line(asked, i, err))
            return check_within(err, "lines[%zu]", i);
    }
    return true;
}

/* Each line is within POINTS_MAX. */
static bool check_sum(const Hold *asked, struct error *err)
{
    int64_t sum = 0;

    for (size_t i = 0; i < asked->n_lines; i++)
        sum += asked->lines[i]->points;
    return asked->n_lines == 0 || sum == asked->points ||
           error_field(err, REASON_FIELD_INVALID, "lines", "must add up to points");
}

/* What a good costs stands in the register. */
static bool check_price(const Hold *asked, struct error *err)
{
    bool good = !text_empty(asked->goods_id);

    if (asked->price && good)
        return error_field(err, REASON_FIELD_INVALID, "price", "must be unset with goods_id: the good has one");
    if (asked->price && !check_money("price", asked->price, AMOUNT_MINOR_MAX, err))
        return false;
    if (!asked->cash)
        return true;
    if (!asked->price && !good)
        return error_field(err, REASON_FIELD_INVALID, "cash", "must be unset without price or goods_id");
    if (!check_money("cash", asked->cash, AMOUNT_MINOR_MAX, err))
        return false;
    if (good)
        return true;
    if (strcmp(asked->cash->currency_code, asked->price->currency_code) != 0)
        return error_field(err, REASON_FIELD_INVALID, "cash.currency_code", "must be that of price");
    return asked->cash->amount_minor < asked->price->amount_minor ||
           error_field(err, REASON_FIELD_INVALID, "cash.amount_minor", "must be less than price");
}

static bool check_no_cards(const Hold *asked, struct error *err)
{
    return check_no_card_number("member_ref", asked->member_ref, err) &&
           check_no_card_number("card_token", asked->card_token, err);
}

static bool check_fields(const struct call *call, const struct redemption_kind *kind, const Hold *asked,
                         int64_t *lapse_after_us, struct error *err)
{
    return check_own(call, "merchant_id", asked->merchant_id, err) && check_place(call, asked, err) &&
           check_id("merchant_id", asked->merchant_id, err) && check_id_or_none("store_id", asked->store_id, err) &&
           check_terminal(asked->terminal_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_member_ref("member_ref", asked->member_ref, err) &&
           (text_empty(asked->card_token) || check_card_token("card_token", asked->card_token, err)) &&
           check_lapse(call, kind, asked, lapse_after_us, err) && check_order(asked, err) && check_lines(asked, err) &&
           check_price(asked, err);
}

static const char *either(const char *asked, const char *of_certificate)
{
    return text_empty(asked) ? of_certificate : asked;
}

/* The address is sealed for this redemption: it opens only with its id. */
static bool seal_address(struct call *call, struct command *command, const Address *address, struct error *err)
{
    size_t size = alliance__v1__postal_address__get_packed_size(address);
    uint8_t *packed = arena_alloc(&call->arena, size);
    struct crypto_bytes sealed;

    if (!packed)
        return error_set(err, REASON_INTERNAL, "out of memory");
    alliance__v1__postal_address__pack(address, packed);
    if (!crypto_seal(call->office->data_key, &call->arena, packed, size, command->request_id.bytes,
                     sizeof command->request_id.bytes, &sealed, err))
        return false;
    command->hold.ship_to = sealed.at;
    command->hold.ship_to_size = sealed.size;
    return true;
}

static bool set_good(struct redemption_desk *desk, struct command *command, const Hold *asked, struct error *err)
{
    const struct good *good = reference_good(redemption_reference(desk), command->programme_no, asked->goods_id);

    if (!good || good->merchant_no != command->merchant_no)
        return error_field(err, REASON_GOODS_NOT_FOUND, "goods_id", "%s", "");
    if ((good->kind == ALLIANCE__V1__GOODS_KIND__GOODS_KIND_PHYSICAL) != (asked->ship_to != NULL))
        return error_field(err, REASON_FIELD_INVALID, "ship_to", "must be set for a physical good, and only for one");
    if (asked->cash && strcmp(asked->cash->currency_code, good->currency) != 0)
        return error_field(err, REASON_CURRENCY_DIFFERS, "cash.currency_code", "%s", "");
    command->hold.goods_no = good->no;
    command->hold.quantity = asked->quantity ? asked->quantity : 1;
    return !asked->ship_to || seal_address(desk->call, command, asked->ship_to, err);
}

static bool set_store(struct command *command, const struct merchant *merchant, const char *store_id, struct error *err)
{
    if (text_empty(store_id))
        return true;
    const struct store_place *store = reference_store(merchant, store_id);
    if (!store)
        return error_field(err, REASON_STORE_NOT_FOUND, "store_id", "%s", "");
    command->store_no = store->no;
    return true;
}

static bool look_up(struct redemption_desk *desk, struct command *command, const Hold *asked, struct error *err)
{
    const struct merchant *merchant;
    const struct bank *bank;

    if (!redemption_parties(redemption_reference(desk), asked->merchant_id, asked->bank_id, &merchant, &bank, err))
        return false;
    command->programme_no = bank->programme_no;
    command->bank_no = bank->no;
    command->merchant_no = merchant->no;
    return set_store(command, merchant, either(asked->store_id, desk->call->principal.store_id), err) &&
           (text_empty(asked->goods_id) || set_good(desk, command, asked, err));
}

static bool set_lines(struct redemption_desk *desk, struct command *command, const Hold *asked, struct error *err)
{
    if (asked->n_lines == 0)
        return true;
    struct order_lines *lines = arena_alloc(&desk->call->arena, sizeof *lines);
    if (!lines)
        return errand_no_room(err);
    for (size_t i = 0; i < asked->n_lines; i++) {
        struct order_line *line = &lines->at[lines->count++];
        snprintf(line->id, sizeof line->id, "%s", asked->lines[i]->line_id);
        line->points = asked->lines[i]->points;
    }
    command->hold.lines = lines;
    return true;
}

bool redemption_fill_hold(struct redemption_desk *desk, const struct redemption_kind *kind,
                          const ProtobufCMessage *request, struct command *command, struct error *err)
{
    const Hold *asked = (const Hold *)request;
    const struct call *call = desk->call;

    if (!check_fields(call, kind, asked, &command->hold.lapse_after_us, err) ||
        !redemption_begin(desk, kind, request, asked->request_id, command, err) ||
        !check_points("points", asked->points, err) || !check_sum(asked, err) || !check_no_cards(asked, err))
        return false;
    command->member_ref = asked->member_ref;
    command->member_id = command_member_id(asked->bank_id, asked->member_ref);
    command->hash16 = member_hash16(&command->member_id);
    command->hold.points = asked->points;
    command->hold.terminal_id = either(asked->terminal_id, call->principal.terminal_id);
    command->hold.card = command_card(asked->card_token);
    if (asked->price) {
        command->hold.price_minor = asked->price->amount_minor;
        memcpy(command->hold.price_currency, asked->price->currency_code, CURRENCY_TEXT - 1);
    }
    command->hold.cash_minor = asked->cash ? asked->cash->amount_minor : 0;
    return look_up(desk, command, asked, err) && set_lines(desk, command, asked, err);
}
