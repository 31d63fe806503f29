#include "advice.h"
#include "backoff.h"
#include "cli.h"

#include "base/limits.h"
#include "io/lines.h"
#include "io/pb_json.h"

#include <alliance/v1/operator_service.pb-c.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE &alliance__v1__operator_service__descriptor

static char *argument(const struct cli *cli, size_t i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

enum outcome programme_create(struct cli *cli)
{
    Alliance__V1__CreateProgrammeRequest request = ALLIANCE__V1__CREATE_PROGRAMME_REQUEST__INIT;
    Alliance__V1__Programme programme = ALLIANCE__V1__PROGRAMME__INIT;
    ProtobufCMessage *time = NULL;
    int64_t minutes;

    if (!cli_whole(cli, OPTION_CUT_OFF, 0, CUT_OFF_MINUTES_MAX, 0, &minutes))
        return OUTCOME_USAGE;
    if (cli_option(cli, OPTION_CLOCK) && !cli_instant(cli, cli_option(cli, OPTION_CLOCK), "--clock", &time))
        return OUTCOME_USAGE;
    programme.programme_id = argument(cli, 0);
    programme.time_zone = cli_text(cli, OPTION_TIME_ZONE);
    programme.sandbox = cli_option(cli, OPTION_SANDBOX) != NULL;
    programme.cut_off_minutes = (int32_t)minutes;
    programme.business_date = cli_text(cli, OPTION_BUSINESS_DATE);
    programme.programme_time = (Google__Protobuf__Timestamp *)time;
    request.programme = &programme;
    return cli_unary(cli, SERVICE, "CreateProgramme", &request);
}

enum outcome programme_show(struct cli *cli)
{
    Alliance__V1__GetProgrammeRequest request = ALLIANCE__V1__GET_PROGRAMME_REQUEST__INIT;

    request.programme_id = argument(cli, 0);
    return cli_unary(cli, SERVICE, "GetProgramme", &request);
}

enum outcome clock_advance(struct cli *cli)
{
    Alliance__V1__AdvanceTestClockRequest request = ALLIANCE__V1__ADVANCE_TEST_CLOCK_REQUEST__INIT;
    ProtobufCMessage *time;

    if (!cli_instant(cli, argument(cli, 1), "INSTANT", &time))
        return OUTCOME_USAGE;
    request.programme_id = argument(cli, 0);
    request.programme_time = (Google__Protobuf__Timestamp *)time;
    return cli_unary(cli, SERVICE, "AdvanceTestClock", &request);
}

enum outcome bank_register(struct cli *cli)
{
    Alliance__V1__RegisterBankRequest request = ALLIANCE__V1__REGISTER_BANK_REQUEST__INIT;
    Alliance__V1__Bank bank = ALLIANCE__V1__BANK__INIT;

    bank.bank_id = argument(cli, 0);
    bank.programme_id = cli_text(cli, OPTION_PROGRAMME);
    bank.name = cli_text(cli, OPTION_NAME);
    request.bank = &bank;
    return cli_unary(cli, SERVICE, "RegisterBank", &request);
}

enum outcome merchant_register(struct cli *cli)
{
    Alliance__V1__RegisterMerchantRequest request = ALLIANCE__V1__REGISTER_MERCHANT_REQUEST__INIT;
    ProtobufCMessage *merchant;

    if (!cli_read_json(cli, argument(cli, 0), &alliance__v1__merchant__descriptor, &merchant))
        return OUTCOME_FAILED;
    request.merchant = (Alliance__V1__Merchant *)merchant;
    return cli_unary(cli, SERVICE, "RegisterMerchant", &request);
}

enum outcome good_register(struct cli *cli)
{
    Alliance__V1__RegisterGoodRequest request = ALLIANCE__V1__REGISTER_GOOD_REQUEST__INIT;
    ProtobufCMessage *good;

    if (!cli_read_json(cli, argument(cli, 0), &alliance__v1__good__descriptor, &good))
        return OUTCOME_FAILED;
    request.good = (Alliance__V1__Good *)good;
    return cli_unary(cli, SERVICE, "RegisterGood", &request);
}

enum outcome carrier_register(struct cli *cli)
{
    Alliance__V1__RegisterCarrierRequest request = ALLIANCE__V1__REGISTER_CARRIER_REQUEST__INIT;
    ProtobufCMessage *carrier;

    if (!cli_read_json(cli, argument(cli, 0), &alliance__v1__carrier__descriptor, &carrier))
        return OUTCOME_FAILED;
    request.carrier = (Alliance__V1__Carrier *)carrier;
    return cli_unary(cli, SERVICE, "RegisterCarrier", &request);
}

enum outcome terms_publish(struct cli *cli)
{
    Alliance__V1__PublishTermsRequest request = ALLIANCE__V1__PUBLISH_TERMS_REQUEST__INIT;
    ProtobufCMessage *terms;

    if (!cli_read_json(cli, argument(cli, 0), &alliance__v1__terms__descriptor, &terms))
        return OUTCOME_FAILED;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    request.terms = (Alliance__V1__Terms *)terms;
    return cli_unary(cli, SERVICE, "PublishTerms", &request);
}

enum outcome merchants_list(struct cli *cli)
{
    Alliance__V1__ListMerchantsRequest request = ALLIANCE__V1__LIST_MERCHANTS_REQUEST__INIT;

    request.programme_id = argument(cli, 0);
    return cli_list(cli, SERVICE, "ListMerchants", &request,
                    "merchant_id name terms.version terms.commission_bp terms.settlement_currency webhook.url");
}

enum outcome shipments_list(struct cli *cli)
{
    Alliance__V1__ListShipmentsRequest request = ALLIANCE__V1__LIST_SHIPMENTS_REQUEST__INIT;

    request.programme_id = argument(cli, 0);
    return cli_list(cli, SERVICE, "ListShipments", &request,
                    "redemption_id carrier_id state waybill goods_id quantity");
}

/* The file of merchants, read and understood before anything is sent: the call is all or nothing. */
struct merchant_list {
    Alliance__V1__RegisterMerchantRequest *requests;
    size_t count, capacity;
    size_t refused;
};

static void release_merchants(struct merchant_list *list)
{
    free(list->requests);
}

static bool add_merchant(struct merchant_list *list, ProtobufCMessage *merchant)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        Alliance__V1__RegisterMerchantRequest *more = realloc(list->requests, capacity * sizeof *more);
        if (!more)
            return false;
        list->requests = more;
        list->capacity = capacity;
    }
    alliance__v1__register_merchant_request__init(&list->requests[list->count]);
    list->requests[list->count++].merchant = (Alliance__V1__Merchant *)merchant;
    return true;
}

static void read_merchant(struct cli *cli, const struct lines *lines, struct merchant_list *list)
{
    ProtobufCMessage *merchant = NULL;
    struct error err = { 0 };
    bool read;

    if (lines->too_long)
        read = error_set(&err, REASON_MESSAGE_TOO_LARGE, "the line is longer than 1 MB");
    else
        read =
            pb_json_parse(&alliance__v1__merchant__descriptor, lines->text, lines->size, &cli->arena, &merchant, &err);
    if (read && !add_merchant(list, merchant))
        read = error_set(&err, REASON_INTERNAL, "out of memory");
    if (read)
        return;
    list->refused++;
    fprintf(cli->err, "%s:%" PRId64 ": %s: %s%s%s\n", cli->arguments.at[0], lines->number, reason_name(err.reason),
            err.field, *err.field ? " " : "", error_text(&err));
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static bool read_merchants(struct cli *cli, struct merchant_list *list, struct error *err)
{
    CLEANUP(close_file) FILE *file = fopen(cli->arguments.at[0], "re");
    CLEANUP(lines_release) struct lines lines = { 0 };

    if (!file)
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read", cli->arguments.at[0]);
    if (!lines_init(&lines, file, MESSAGE_MAX, err))
        return false;
    while (lines_next(&lines)) {
        if (lines.text[strspn(lines.text, " \t")])
            read_merchant(cli, &lines, list);
    }
    return true;
}

/* One attempt at the whole stream. */
static bool send_merchants(struct cli *cli, const struct merchant_list *list, ProtobufCMessage **reply,
                           struct client_status *status)
{
    struct client_stream *stream;
    struct error err;
    bool sent = true;

    if (!client_stream_open(cli->client, SERVICE, "ImportMerchants", cli->timeout_ms + 600000, &stream, &err)) {
        *status = (struct client_status){ .code = STATUS_INTERNAL, .retry_ms = -1 };
        return false;
    }
    for (size_t i = 0; sent && i < list->count; i++)
        sent = client_stream_send(stream, &list->requests[i].base);
    client_stream_half_close(stream);
    *reply = NULL;
    bool received =
        client_stream_receive(stream, &alliance__v1__import_merchants_response__descriptor, &cli->arena, reply);
    return client_stream_finish(stream, status) && received;
}

enum outcome merchants_import(struct cli *cli)
{
    CLEANUP(release_merchants) struct merchant_list list = { 0 };
    struct client_status status;
    ProtobufCMessage *reply = NULL;
    struct error err;

    if (!read_merchants(cli, &list, &err))
        return cli_fail(cli, &err);
    if (list.refused && !cli_option(cli, OPTION_ALLOW_REFUSED)) {
        fprintf(cli->err, "refused %zu; nothing was sent, since an import is all or nothing\n", list.refused);
        return OUTCOME_REFUSED;
    }
    if (!cli_open(cli))
        return OUTCOME_FAILED;
    for (int attempt = 0; !send_merchants(cli, &list, &reply, &status); attempt++) {
        if (!advice_may_repeat(status.code) || attempt >= cli->attempts)
            return cli_fail_status(cli, &status);
        backoff_wait(attempt, status.retry_ms);
    }
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply);
    const Alliance__V1__ImportMerchantsResponse *counts = (const Alliance__V1__ImportMerchantsResponse *)reply;
    fprintf(cli->out, "created %" PRId64 " changed 0 unchanged %" PRId64 " refused %zu\n", counts->created,
            counts->unchanged, list.refused);
    return OUTCOME_DONE;
}
