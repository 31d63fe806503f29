/*
 * rules_simulate.c -- what a spend would earn and what a price would cost under a rule set, step by step.
 */
#include "rules_commands.h"

#include "base/limits.h"
#include "io/amount.h"

#include <alliance/v1/rules_service.pb-c.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE &alliance__v1__rules_service__descriptor

typedef Alliance__V1__RulePlace Place;
typedef Alliance__V1__RuleStep Step;
typedef Alliance__V1__SimulateSpendResponse Earned;
typedef Alliance__V1__SimulateRedemptionResponse Priced;

/* Reading */

static bool usage(const struct cli *cli, const char *what, const struct error *why)
{
    struct error err;

    error_field(&err, REASON_FIELD_INVALID, what, "%s", error_text(why));
    return cli_usage(cli, &err) == OUTCOME_DONE;
}

/* AMOUNT and CURRENCY, the first two arguments. */
static bool read_money(struct cli *cli, Alliance__V1__Money *money)
{
    struct error why = { 0 };

    alliance__v1__money__init(money);
    money->currency_code = (char *)(uintptr_t)cli->arguments.at[1];
    return amount_parse(cli->arguments.at[0], money->currency_code, &money->amount_minor, &why) ||
           usage(cli, "AMOUNT", &why);
}

static bool read_kind(struct cli *cli, Alliance__V1__GoodsKind *kind)
{
    const char *given = cli_option(cli, OPTION_GOODS_KIND);
    char name[64];
    struct error err;

    if (!given)
        return true;
    snprintf(name, sizeof name, "GOODS_KIND_%s", given);
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(&alliance__v1__goods_kind__descriptor, name);
    if (!value || value->value == 0) {
        error_field(&err, REASON_FIELD_INVALID, "--goods-kind", "must be a kind of goods, such as PHYSICAL");
        return cli_usage(cli, &err) == OUTCOME_DONE;
    }
    *kind = (Alliance__V1__GoodsKind)value->value;
    return true;
}

static bool read_place(struct cli *cli, Place *place)
{
    int64_t tier;

    if (!cli_whole(cli, OPTION_TIER, 0, TIER_MAX, 0, &tier) || !read_kind(cli, &place->goods_kind))
        return false;
    place->merchant_category_code = cli_text(cli, OPTION_CATEGORY);
    place->merchant_id = cli_text(cli, OPTION_MERCHANT);
    place->channel = cli_text(cli, OPTION_CHANNEL);
    place->tier = (int32_t)tier;
    place->date = cli_text(cli, OPTION_DATE);
    return true;
}

/* Printing */

/* Is `result` what value times the ratio comes to, rounded either way? Other steps have bounds of their own. */
static bool is_product(const Step *step)
{
    __extension__ typedef __int128 wide;
    wide off = (wide)step->value * step->ratio->num - (wide)step->result * step->ratio->den;

    return off < step->ratio->den && -off < step->ratio->den;
}

static void print_step(FILE *out, size_t number, const Step *step)
{
    fprintf(out, "  %zu. %s", number, step->what);
    if (*step->rule)
        fprintf(out, " (%s)", step->rule);
    fputs(": ", out);
    if (step->ratio && step->value == 0 && step->result == 0)
        fprintf(out, "%" PRId64 "/%" PRId64, step->ratio->num, step->ratio->den);
    else if (step->ratio && is_product(step))
        fprintf(out, "%" PRId64 " x %" PRId64 "/%" PRId64 " = %" PRId64, step->value, step->ratio->num,
                step->ratio->den, step->result);
    else
        fprintf(out, "%" PRId64 " -> %" PRId64, step->value, step->result);
    fprintf(out, "%s%s\n", *step->rounding ? ", " : "", step->rounding);
}

static void print_steps(FILE *out, Step *const *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_step(out, i + 1, steps[i]);
}

static void print_which(FILE *out, int32_t number, int32_t version)
{
    if (number)
        fprintf(out, " under rule set %d", (int)number);
    if (version)
        fprintf(out, "%s version %d", number ? "," : " under", (int)version);
    fputs(":\n", out);
}

static void print_money(FILE *out, const Alliance__V1__Money *money)
{
    char text[AMOUNT_TEXT];

    if (!money)
        return;
    amount_format(money->amount_minor, money->currency_code, text);
    fprintf(out, "%s %s", text, money->currency_code);
}

/* Spend */

static bool read_earned(struct cli *cli, Alliance__V1__SimulateSpendRequest *request)
{
    const char *paid = cli_option(cli, OPTION_PAID_WITH_POINTS);
    struct error why = { 0 };

    if (paid && !amount_parse(paid, request->amount->currency_code, &request->paid_with_points_minor, &why))
        return usage(cli, "--paid-with-points", &why);
    return cli_whole(cli, OPTION_EARNED_TODAY, 0, POINTS_MAX, 0, &request->earned_today) &&
           cli_whole(cli, OPTION_EARNED_MONTH, 0, POINTS_MAX, 0, &request->earned_this_month) &&
           cli_whole(cli, OPTION_RULE_TODAY, 0, POINTS_MAX, 0, &request->earned_today_by_rule) &&
           cli_whole(cli, OPTION_RULE_MONTH, 0, POINTS_MAX, 0, &request->earned_this_month_by_rule);
}

static void print_earned(FILE *out, const Alliance__V1__Money *amount, const Earned *earned)
{
    print_money(out, amount);
    if (*earned->reason)
        fprintf(out, " earns nothing, %s,", earned->reason);
    else
        fprintf(out, " earns %" PRId64 " points", earned->points);
    print_which(out, earned->number, earned->version);
    print_steps(out, earned->steps, earned->n_steps);
    if (!*earned->reason)
        fprintf(out, "spendable on %s, gone on %s\n", earned->spendable_on, earned->expires_on);
}

enum outcome rules_simulate_spend(struct cli *cli)
{
    Alliance__V1__SimulateSpendRequest request = ALLIANCE__V1__SIMULATE_SPEND_REQUEST__INIT;
    Place place = ALLIANCE__V1__RULE_PLACE__INIT;
    Alliance__V1__Money amount;
    struct rules_which which;
    ProtobufCMessage *reply;

    request.amount = &amount;
    request.place = &place;
    if (!read_money(cli, &amount) || !rules_read_which(cli, cli_option(cli, OPTION_RULE_SET), "--rule-set", &which) ||
        !read_place(cli, &place) || !read_earned(cli, &request))
        return OUTCOME_USAGE;
    request.number = which.number;
    request.version = which.version;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id) ||
        !cli_call(cli, SERVICE, "SimulateSpend", &request, &reply))
        return OUTCOME_FAILED;
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply);
    print_earned(cli->out, &amount, (const Earned *)reply);
    return OUTCOME_DONE;
}

/* Redemption */

static void print_priced(FILE *out, const Alliance__V1__Money *price, const Priced *priced)
{
    print_money(out, price);
    if (*priced->reason)
        fprintf(out, " may not be redeemed, %s,", priced->reason);
    else
        fprintf(out, " costs %" PRId64 " points", priced->points);
    if (priced->cash && priced->cash->amount_minor) {
        fputs(" and ", out);
        print_money(out, priced->cash);
    }
    print_which(out, priced->number, priced->version);
    print_steps(out, priced->steps, priced->n_steps);
    if (priced->settlement) {
        fputs("the bank owes ", out);
        print_money(out, priced->settlement);
        fputc('\n', out);
    }
}

enum outcome rules_simulate_redemption(struct cli *cli)
{
    Alliance__V1__SimulateRedemptionRequest request = ALLIANCE__V1__SIMULATE_REDEMPTION_REQUEST__INIT;
    Place place = ALLIANCE__V1__RULE_PLACE__INIT;
    Alliance__V1__Money price;
    struct rules_which which;
    ProtobufCMessage *reply;

    request.price = &price;
    request.place = &place;
    request.goods_id = cli_text(cli, OPTION_GOODS);
    if (!read_money(cli, &price) || !rules_read_which(cli, cli_option(cli, OPTION_RULE_SET), "--rule-set", &which) ||
        !read_place(cli, &place) || !cli_whole(cli, OPTION_POINTS, 1, POINTS_MAX, 0, &request.points))
        return OUTCOME_USAGE;
    request.number = which.number;
    request.version = which.version;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id) ||
        !cli_call(cli, SERVICE, "SimulateRedemption", &request, &reply))
        return OUTCOME_FAILED;
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply);
    print_priced(cli->out, &price, (const Priced *)reply);
    return OUTCOME_DONE;
}
