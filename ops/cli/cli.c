#include "cli.h"

#include "advice.h"
#include "connection.h"
#include "show.h"

#include "base/limits.h"
#include "base/when.h"
#include "io/amount.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/pb_json.h"

#include <alliance/v1/diagnostics_service.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <string.h>

static const char *const option_names[] = {
#define OPTION(name, written, value, text) written,
#include "option.def"
#undef OPTION
};

const char *cli_option(const struct cli *cli, enum option option)
{
    return cli->arguments.option[option];
}

char *cli_text(const struct cli *cli, enum option option)
{
    const char *value = cli->arguments.option[option];

    return (char *)(uintptr_t)(value ? value : "");
}

bool cli_whole(struct cli *cli, enum option option, int64_t least, int64_t most, int64_t absent, int64_t *out)
{
    const char *value = cli_option(cli, option);
    char what[48];
    struct error err;

    *out = absent;
    snprintf(what, sizeof what, "--%s", option_names[option]);
    return !value || whole_parse(value, what, least, most, out, &err) || cli_usage(cli, &err) == OUTCOME_DONE;
}

static void print_error(const struct cli *cli, const char *word, const char *sentence, const char *field)
{
    bool named = *field && strncmp(sentence, field, strlen(field)) != 0;

    fprintf(cli->err, "error: %s: %s%s%s\n", word, named ? field : "", named ? ": " : "", sentence);
}

enum outcome cli_fail(const struct cli *cli, const struct error *err)
{
    print_error(cli, reason_name(err->reason), error_text(err), err->field);
    fprintf(cli->err, "what to do: %s\n", advice_for(reason_name(err->reason), (int)reason_status(err->reason)));
    return OUTCOME_FAILED;
}

enum outcome cli_fail_status(const struct cli *cli, const struct client_status *status)
{
    const char *word = *status->reason ? status->reason : status_name(status->code);

    print_error(cli, word, *status->message ? status->message : "the server gave no reason", status->field);
    if (*cli->request_id && advice_may_repeat(status->code))
        fprintf(cli->err, "what to do: repeat with --request-id %s\n", cli->request_id);
    else
        fprintf(cli->err, "what to do: %s\n", advice_for(status->reason, status->code));
    return OUTCOME_FAILED;
}

enum outcome cli_usage(const struct cli *cli, const struct error *err)
{
    const char *words = cli->arguments.command ? cli->arguments.command->words : "";

    fprintf(cli->err, "error: %s%s%s\n", err->field, *err->field ? " " : "", error_text(err));
    fprintf(cli->err, "what to do: see alliance %s%s--help\n", words, *words ? " " : "");
    return OUTCOME_USAGE;
}

bool cli_open(struct cli *cli)
{
    struct connection connection;
    struct error err;

    if (cli->client)
        return true;
    if (connection_find(&cli->arguments, &connection, &err) && connection_open(&connection, &cli->client, &err))
        return true;
    cli_fail(cli, &err);
    return false;
}

bool cli_call(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method, const void *request,
              ProtobufCMessage **reply)
{
    struct client_status status;

    if (!cli_open(cli))
        return false;
    if (client_call_status(cli->client, service, method, request, cli->timeout_ms, &cli->arena, reply, &status))
        return true;
    cli_fail_status(cli, &status);
    return false;
}

enum outcome cli_show(struct cli *cli, const ProtobufCMessage *reply)
{
    struct error err;
    char *text;

    if (!cli_option(cli, OPTION_JSON)) {
        show_message(cli->out, reply);
        return OUTCOME_DONE;
    }
    if (!pb_json_format(reply, PB_JSON_DEFAULTS | PB_JSON_INDENT, &cli->arena, &text, &err))
        return cli_fail(cli, &err);
    fprintf(cli->out, "%s\n", text);
    return OUTCOME_DONE;
}

enum outcome cli_unary(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method,
                       const void *request)
{
    ProtobufCMessage *reply;

    return cli_call(cli, service, method, request, &reply) ? cli_show(cli, reply) : OUTCOME_FAILED;
}

/* The member of that name; every List method has it. */
static void *member_of(void *message, const char *name)
{
    const ProtobufCMessageDescriptor *type = ((ProtobufCMessage *)message)->descriptor;

    return (char *)message + protobuf_c_message_descriptor_get_field_by_name(type, name)->offset;
}

/* The list a page consists of: the reply's first field. */
struct page_list {
    ProtobufCMessage **items;
    size_t count;
};

static bool append_page(struct cli *cli, const ProtobufCMessage *reply, struct page_list *all)
{
    const ProtobufCFieldDescriptor *field = &reply->descriptor->fields[0];
    const char *base = (const char *)reply;
    size_t n = *(const size_t *)(base + field->quantifier_offset);
    ProtobufCMessage **joined = arena_alloc(&cli->arena, (all->count + n + 1) * sizeof *joined);

    if (!joined)
        return false;
    if (all->count)
        memcpy(joined, all->items, all->count * sizeof *joined);
    if (n)
        memcpy(joined + all->count, *(ProtobufCMessage * *const *)(base + field->offset), n * sizeof *joined);
    *all = (struct page_list){ joined, all->count + n };
    return true;
}

/* The last page's reply, with the items of all pages in it. */
static bool read_pages(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method, void *request,
                       ProtobufCMessage **reply, struct page_list *all)
{
    char **token = member_of(request, "page_token");

    *(int32_t *)member_of(request, "page_size") = PAGE_MAX;
    do {
        if (!cli_call(cli, service, method, request, reply))
            return false;
        if (!append_page(cli, *reply, all))
            return cli_fail(cli, &(struct error){ .reason = REASON_INTERNAL, .detail = "out of memory" }) ==
                   OUTCOME_DONE;
        *token = *(char **)member_of(*reply, "next_page_token");
    } while (**token);
    const ProtobufCFieldDescriptor *field = &(*reply)->descriptor->fields[0];
    *(ProtobufCMessage ***)((char *)*reply + field->offset) = all->items;
    *(size_t *)((char *)*reply + field->quantifier_offset) = all->count;
    return true;
}

enum outcome cli_list(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method, void *request,
                      const char *columns)
{
    struct page_list all = { 0 };
    ProtobufCMessage *reply;

    if (!read_pages(cli, service, method, request, &reply, &all))
        return OUTCOME_FAILED;
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply);
    if (all.count == 0)
        fputs("none\n", cli->out);
    else
        show_table(cli->out, reply->descriptor->fields[0].descriptor, all.items, all.count, columns);
    return OUTCOME_DONE;
}

bool cli_party(struct cli *cli, enum option option, const char *role, char **id)
{
    Alliance__V1__PingRequest request = ALLIANCE__V1__PING_REQUEST__INIT;
    ProtobufCMessage *reply;
    char prefix[32];

    *id = cli_text(cli, option);
    if (**id)
        return true;
    if (!cli_call(cli, &alliance__v1__diagnostics_service__descriptor, "Ping", &request, &reply))
        return false;
    const char *uri = ((Alliance__V1__PingResponse *)reply)->principal;
    size_t n = (size_t)snprintf(prefix, sizeof prefix, "alliance://%s/", role);
    if (strncmp(uri, prefix, n) == 0 && uri[n]) {
        *id = arena_copy(&cli->arena, uri + n, strcspn(uri + n, "/"));
        return *id != NULL;
    }
    struct error err;
    error_set(&err, REASON_FIELD_INVALID, "--%s is missing: your certificate names no %s", option_names[option], role);
    cli_usage(cli, &err);
    return false;
}

bool cli_request_id(struct cli *cli, char **request_id)
{
    const char *given = cli_option(cli, OPTION_REQUEST_ID);
    struct uuid uuid = crypto_uuid_v7(clock_now());
    struct error err;

    if (given && !uuid_parse(given, &uuid)) {
        error_set(&err, REASON_FIELD_INVALID, "--request-id must be a UUID");
        cli_usage(cli, &err);
        return false;
    }
    uuid_format(&uuid, cli->request_id);
    *request_id = cli->request_id;
    fprintf(cli->err, "request_id %s\n", cli->request_id);
    fflush(cli->err);
    return true;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static bool read_json(struct cli *cli, const char *path, const ProtobufCMessageDescriptor *type,
                      ProtobufCMessage **message, struct error *err)
{
    CLEANUP(close_file) FILE *file = fopen(path, "re");
    char *text = arena_alloc(&cli->arena, MESSAGE_MAX + 1);
    struct error why = { 0 };

    if (!file || !text)
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read", path);
    size_t size = fread(text, 1, MESSAGE_MAX + 1, file);
    if (ferror(file) || size > MESSAGE_MAX)
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read, or is larger than 1 MB", path);
    size_t skip = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (pb_json_parse(type, text + skip, size - skip, &cli->arena, message, &why))
        return true;
    return error_set(err, why.reason, "%.60s: %s%s%.100s", path, why.field, *why.field ? " " : "", error_text(&why));
}

bool cli_read_json(struct cli *cli, const char *path, const ProtobufCMessageDescriptor *type,
                   ProtobufCMessage **message)
{
    struct error err;

    if (read_json(cli, path, type, message, &err))
        return true;
    cli_fail(cli, &err);
    return false;
}

bool cli_instant(struct cli *cli, const char *text, const char *what, ProtobufCMessage **timestamp)
{
    Google__Protobuf__Timestamp *made = arena_alloc(&cli->arena, sizeof *made);
    struct instant instant;
    struct error err;

    if (!made || !instant_parse(text, &instant)) {
        error_field(&err, REASON_FIELD_INVALID, what, "must be an instant such as 2017-01-31T12:00:00Z");
        cli_usage(cli, &err);
        return false;
    }
    google__protobuf__timestamp__init(made);
    int64_t rest = instant.us % US_PER_SECOND;
    rest += rest < 0 ? US_PER_SECOND : 0;
    made->seconds = (instant.us - rest) / US_PER_SECOND;
    made->nanos = (int32_t)rest * 1000;
    *timestamp = &made->base;
    return true;
}
