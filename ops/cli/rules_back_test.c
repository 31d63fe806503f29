/*
 * rules_back_test.c -- a past month under a rule set, beside what it was: by tier and by merchant, points and money.
 */
#include "progress.h"
#include "rules_commands.h"
#include "show.h"

#include "io/amount.h"

#include <alliance/v1/rules_service.pb-c.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE &alliance__v1__rules_service__descriptor

typedef Alliance__V1__BackTestRequest Request;
typedef Alliance__V1__BackTestResponse Reply;
typedef Alliance__V1__BackTestGroup Group;
typedef Alliance__V1__Money Money;

enum { BACK_TEST_TIMEOUT_MS = 3600 * 1000, NAME_TEXT = 48, CURRENCIES_MAX = 64, POINT_COLUMNS = 9 };

/* A table under way: cells row by row. */
struct table {
    struct arena *arena;
    const char **cells;
    size_t count, room;
};

static void put(struct table *table, const char *text)
{
    const char *copy = arena_copy(table->arena, text, strlen(text));

    if (table->count < table->room)
        table->cells[table->count++] = copy ? copy : "";
}

static void put_number(struct table *table, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, number);
    put(table, text);
}

static bool begin_table(struct table *table, struct arena *arena, size_t room, const char *const *header,
                        size_t columns)
{
    *table = (struct table){ .arena = arena, .cells = arena_alloc(arena, room * sizeof *table->cells), .room = room };
    for (size_t i = 0; table->cells && i < columns; i++)
        put(table, header[i]);
    return table->cells != NULL;
}

/* All groups in the order they are shown. */
struct groups {
    const Group **at;
    char (*names)[NAME_TEXT];
    size_t count;
};

static void add_group(struct groups *groups, const Group *group, const char *what, const char *name)
{
    snprintf(groups->names[groups->count], NAME_TEXT, "%s%.32s", what, name);
    groups->at[groups->count++] = group;
}

static bool take_groups(struct arena *arena, const Reply *reply, struct groups *groups)
{
    size_t room = 1 + reply->n_tiers + reply->n_merchants;
    char tier[16];

    *groups = (struct groups){ arena_alloc(arena, room * sizeof *groups->at),
                               arena_alloc(arena, room * sizeof *groups->names), 0 };
    if (!groups->at || !groups->names)
        return false;
    add_group(groups, reply->total, "all", "");
    for (size_t i = 0; i < reply->n_tiers; i++) {
        snprintf(tier, sizeof tier, "%d", (int)reply->tiers[i]->tier);
        add_group(groups, reply->tiers[i], "tier ", tier);
    }
    for (size_t i = 0; i < reply->n_merchants; i++) {
        const char *id = reply->merchants[i]->merchant_id;
        add_group(groups, reply->merchants[i], *id ? "" : "other merchants", id);
    }
    return true;
}

/* Points: what was, and what would have been. */
static bool print_points(struct cli *cli, const struct groups *groups)
{
    static const char *const header[POINT_COLUMNS] = { "",      "members", "earned",  "would", "redeemed",
                                                       "would", "refused", "expired", "would" };
    struct table table;

    if (!begin_table(&table, &cli->arena, (groups->count + 1) * POINT_COLUMNS, header, POINT_COLUMNS))
        return false;
    for (size_t i = 0; i < groups->count; i++) {
        const Alliance__V1__BackTestSum *was = groups->at[i]->was, *would = groups->at[i]->would;
        const int64_t numbers[] = { groups->at[i]->members, was->points_earned,     would->points_earned,
                                    was->points_redeemed,   would->points_redeemed, would->redemptions_refused,
                                    was->points_expired,    would->points_expired };
        put(&table, groups->names[i]);
        for (size_t k = 0; k < COUNT(numbers); k++)
            put_number(&table, numbers[k]);
    }
    show_cells(cli->out, table.cells, groups->count + 1, POINT_COLUMNS);
    return true;
}

static int64_t amount_in(Money *const *list, size_t count, const char *currency)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i]->currency_code, currency) == 0)
            return list[i]->amount_minor;
    }
    return 0;
}

static size_t take_currencies(const Money *const *list, size_t count, const char **currencies, size_t have)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < have && strcmp(currencies[k], list[i]->currency_code) != 0)
            k++;
        if (k == have && have < CURRENCIES_MAX)
            currencies[have++] = list[i]->currency_code;
    }
    return have;
}

static void put_amounts(struct table *table, const Group *group, const char *currency)
{
    const Alliance__V1__BackTestSum *was = group->was, *would = group->would;
    const int64_t minor[] = {
        amount_in(was->bank_cost, was->n_bank_cost, currency),
        amount_in(would->bank_cost, would->n_bank_cost, currency),
        amount_in(was->merchant_income, was->n_merchant_income, currency),
        amount_in(would->merchant_income, would->n_merchant_income, currency),
        amount_in(would->cash, would->n_cash, currency),
    };
    char text[AMOUNT_TEXT];

    for (size_t i = 0; i < COUNT(minor); i++) {
        amount_format(minor[i], currency, text);
        put(table, text);
    }
}

/* Money, a table of each currency that comes up: what was, what would have been, and what members would pay in cash. */
static bool print_money(struct cli *cli, const struct groups *groups)
{
    const Group *total = groups->at[0];
    const char *currencies[CURRENCIES_MAX];
    size_t count = take_currencies((const Money *const *)total->was->bank_cost, total->was->n_bank_cost, currencies, 0);
    struct table table;

    count =
        take_currencies((const Money *const *)total->would->bank_cost, total->would->n_bank_cost, currencies, count);
    for (size_t c = 0; c < count; c++) {
        const char *const header[] = { currencies[c], "bank owes", "would", "merchants get", "would", "cash beside" };
        if (!begin_table(&table, &cli->arena, (groups->count + 1) * COUNT(header), header, COUNT(header)))
            return false;
        for (size_t i = 0; i < groups->count; i++) {
            put(&table, groups->names[i]);
            put_amounts(&table, groups->at[i], currencies[c]);
        }
        fputc('\n', cli->out);
        show_cells(cli->out, table.cells, groups->count + 1, COUNT(header));
    }
    return true;
}

static enum outcome print_result(struct cli *cli, const char *month, const Reply *reply)
{
    struct groups groups;

    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, &reply->base);
    fprintf(cli->out, "%s under ", month);
    if (reply->number)
        fprintf(cli->out, "rule set %d", (int)reply->number);
    if (reply->version)
        fprintf(cli->out, "%sversion %d", reply->number ? ", " : "", (int)reply->version);
    fprintf(cli->out, ", beside what was: %" PRId64 " entries replayed\n\n", reply->entries);
    if (reply->total && take_groups(&cli->arena, reply, &groups) && print_points(cli, &groups) &&
        print_money(cli, &groups))
        return OUTCOME_DONE;
    return cli_fail(cli, &(struct error){ .reason = REASON_INTERNAL, .detail = "out of memory" });
}

/* Asks for piece after piece; the last one, in the arena, or NULL. */
static const Reply *read_pieces(struct cli *cli, struct client_stream *stream, Request *request)
{
    struct progress progress;
    ProtobufCMessage *piece;
    const Reply *last = NULL;
    int64_t entries = 0;

    progress_start(&progress, "entries replayed", 0, cli_option(cli, OPTION_PROGRESS) != NULL);
    while (!last && client_stream_send(stream, &request->base) &&
           client_stream_receive(stream, &alliance__v1__back_test_response__descriptor, &cli->arena, &piece)) {
        const Reply *reply = (const Reply *)piece;
        entries = reply->entries;
        last = reply->finished ? reply : NULL;
        progress_step(&progress, 0, entries);
        *request = (Request)ALLIANCE__V1__BACK_TEST_REQUEST__INIT;
    }
    progress_end(&progress, entries);
    return last;
}

enum outcome rules_back_test(struct cli *cli)
{
    Request request = ALLIANCE__V1__BACK_TEST_REQUEST__INIT;
    struct client_stream *stream;
    struct client_status status;
    struct rules_which which;
    struct error err = { 0 };

    if (!rules_read_which(cli, cli_option(cli, OPTION_DRAFT), "--draft", &which))
        return OUTCOME_USAGE;
    request.number = which.number;
    request.version = which.version;
    request.month = cli_text(cli, OPTION_MONTH);
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id) || !cli_open(cli))
        return OUTCOME_FAILED;
    if (!client_stream_open(cli->client, SERVICE, "BackTest", BACK_TEST_TIMEOUT_MS, &stream, &err))
        return cli_fail(cli, &err);
    const Reply *last = read_pieces(cli, stream, &request);
    client_stream_half_close(stream);
    if (!client_stream_finish(stream, &status) || !last)
        return cli_fail_status(cli, &status);
    return print_result(cli, cli_text(cli, OPTION_MONTH), last);
}
