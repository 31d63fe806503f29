/*
 * answer.c -- what the rules say, for an oracle to compare: reads lines from standard input, writes one for each.
 *
 *     D {a RuleSetDocument}                the following are asked of it    ok | FIELD what is wrong
 *     S {a SimulateSpendRequest}           what it earns                    REASON points
 *     R {a SimulateRedemptionRequest}      what it costs                    REASON full points cash settled
 */
#include "base/text.h"
#include "domain/rule_set.h"
#include "io/pb_json.h"
#include "service/rules_document.h"

#include <alliance/v1/rules_service.pb-c.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__SimulateSpendRequest Spend;
typedef Alliance__V1__SimulateRedemptionRequest Redemption;
typedef Alliance__V1__RulePlace Place;

struct answering {
    struct arena document, line;
    const struct rule_set *set;
};

static void *parse(struct arena *arena, const ProtobufCMessageDescriptor *type, const char *text)
{
    ProtobufCMessage *message;
    struct error err = { 0 };

    if (pb_json_parse(type, text, strlen(text), arena, &message, &err))
        return message;
    fprintf(stderr, "answer: %s %s: %.200s\n", err.field, err.detail, text);
    exit(1);
}

static struct rule_case read_place(const Place *place, const char *currency)
{
    const char *category = place->merchant_category_code;
    struct rule_case where = {
        .currency = currency,
        .merchant_id = place->merchant_id,
        .channel = place->channel,
        .category = *category ? atoi(category) : CATEGORY_UNKNOWN,
        .goods_kind = (int32_t)place->goods_kind,
        .tier = place->tier,
    };

    if (!date_parse(place->date, &where.date))
        exit(1);
    return where;
}

static void answer_document(struct answering *to, const char *text)
{
    struct error err = { 0 };

    arena_reset(&to->document);
    Alliance__V1__RuleSetDocument *document = parse(&to->document, &alliance__v1__rule_set_document__descriptor, text);
    to->set = rules_document_read(document, "bank", &to->document, &err);
    if (to->set)
        puts("ok");
    else
        printf("%s %s\n", err.field, error_text(&err));
}

static void answer_spend(const struct answering *to, const Spend *asked)
{
    const struct spend spend = {
        .where = read_place(asked->place, asked->amount->currency_code),
        .amount_minor = asked->amount->amount_minor,
        .paid_with_points_minor = asked->paid_with_points_minor,
        .earned_today = asked->earned_today,
        .earned_this_month = asked->earned_this_month,
        .rule_today = asked->earned_today_by_rule,
        .rule_this_month = asked->earned_this_month_by_rule,
    };
    struct rule_trace trace;
    int64_t points = 0;
    enum reason reason = rule_set_earn(to->set, &spend, &points, &trace);

    printf("%s %" PRId64 "\n", reason_name(reason), reason == REASON_OK ? points : 0);
}

static void answer_redemption(const struct answering *to, const Redemption *asked)
{
    const struct redemption_ask ask = {
        .where = read_place(asked->place, asked->price->currency_code),
        .goods_id = asked->goods_id,
        .price_minor = asked->price->amount_minor,
        .points = asked->points,
    };
    struct redemption_price price;
    struct rule_trace trace;
    enum reason reason = rule_set_price(to->set, &ask, &price, &trace);

    if (reason != REASON_OK)
        printf("%s 0 0 0 0\n", reason_name(reason));
    else
        printf("OK %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", price.full_points, price.points,
               price.cash_minor, price.settled_minor);
}

int main(void)
{
    struct answering to = { 0 };
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 2) {
        arena_reset(&to.line);
        if (line[0] == 'D')
            answer_document(&to, line + 2);
        else if (line[0] == 'S' && to.set)
            answer_spend(&to, parse(&to.line, &alliance__v1__simulate_spend_request__descriptor, line + 2));
        else if (line[0] == 'R' && to.set)
            answer_redemption(&to, parse(&to.line, &alliance__v1__simulate_redemption_request__descriptor, line + 2));
        else
            return 1;
    }
    free(line);
    arena_release(&to.document);
    arena_release(&to.line);
    return 0;
}
