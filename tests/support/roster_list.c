#include "roster_list.h"

#include "base/limits.h"
#include "io/pb_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef Alliance__V1__PushRosterRequest Request;
typedef Alliance__V1__PushRosterResponse Response;

enum { BYTES_MAX = 1 << 18 };

void free_list(struct list **list)
{
    if (*list)
        arena_release(&(*list)->arena);
    free(*list);
}

struct list *make_list(int64_t batch_number, Alliance__V1__RosterKind kind)
{
    struct list *list = calloc(1, sizeof *list);

    assert_non_null(list);
    list->batch_number = batch_number;
    list->kind = kind;
    return list;
}

struct list *delta(int64_t batch_number)
{
    return make_list(batch_number, ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_DELTA);
}

Alliance__V1__Member *add(struct list *list, const char *member_ref, int64_t credit_limit)
{
    assert_true(list->count < LIST_MAX);
    Alliance__V1__Member *member = &list->members[list->count];
    alliance__v1__member__init(member);
    snprintf(list->refs[list->count], sizeof list->refs[0], "%s", member_ref);
    member->member_ref = list->refs[list->count++];
    member->credit_limit = credit_limit;
    return member;
}

void add_many(struct list *list, int from, int to, int64_t credit_limit)
{
    char ref[24];

    for (int i = from; i <= to; i++) {
        snprintf(ref, sizeof ref, "m-%04d", i);
        add(list, ref, credit_limit);
    }
}

void add_up(struct list *list)
{
    uint8_t *bytes = malloc(BYTES_MAX);
    size_t size = 0;

    assert_non_null(bytes);
    list->row_count = (int64_t)list->count;
    list->credit_limit_total = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t n = protobuf_c_message_get_packed_size(&list->members[i].base);
        assert_true(n < 65536 && size + 4 + n <= BYTES_MAX);
        bytes[size] = bytes[size + 1] = 0;
        bytes[size + 2] = (uint8_t)(n >> 8);
        bytes[size + 3] = (uint8_t)n;
        size += 4 + protobuf_c_message_pack(&list->members[i].base, bytes + size + 4);
        list->credit_limit_total += list->members[i].credit_limit;
    }
    crypto_sha256(bytes, size, list->hash);
    free(bytes);
}

struct list *full(int64_t batch_number)
{
    return make_list(batch_number, ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_FULL);
}

void add_json(struct list *list, const char *json)
{
    char *text = arena_copy(&list->arena, json, strlen(json));
    ProtobufCMessage *message;
    struct error err = { 0 };

    assert_non_null(text);
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    if (!pb_json_parse(&alliance__v1__member__descriptor, text, strlen(text), &list->arena, &message, &err))
        fail_msg("%s: %s", json, error_text(&err));
    assert_true(list->count < LIST_MAX);
    list->members[list->count++] = *(Alliance__V1__Member *)message;
}

/* The stream */

static void answer(struct client_stream *stream, const Request *request, struct arena *arena)
{
    ProtobufCMessage *message;

    arena_reset(arena);
    assert_true(client_stream_send(stream, &request->base));
    assert_true(client_stream_receive(stream, &alliance__v1__push_roster_response__descriptor, arena, &message));
}

static void send_header(struct client_stream *stream, struct list *list, struct arena *arena)
{
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterHeader header = ALLIANCE__V1__ROSTER_HEADER__INIT;
    char bank[] = "bank-a", day[] = "2026-01-15";

    header.bank_id = bank;
    header.batch_number = list->batch_number;
    header.business_date = day;
    header.kind = list->kind;
    header.row_count = list->row_count;
    header.credit_limit_total = list->credit_limit_total;
    header.rows_sha256 = (ProtobufCBinaryData){ CRYPTO_HASH, list->hash };
    header.max_close_share_bp = list->kind == ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_FULL ? 10000 : 0;
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_HEADER;
    request.header = &header;
    answer(stream, &request, arena);
}

static void send_rows(struct client_stream *stream, struct list *list, size_t from, size_t to, struct arena *arena)
{
    static Alliance__V1__MemberRow rows[ROWS_MAX], *pointers[ROWS_MAX];
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterRows message = ALLIANCE__V1__ROSTER_ROWS__INIT;

    for (size_t i = from; i < to; i++) {
        Alliance__V1__MemberRow *row = &rows[i - from];
        alliance__v1__member_row__init(row);
        row->row_number = (int64_t)i + 1;
        row->member = &list->members[i];
        pointers[i - from] = row;
    }
    message.rows = pointers;
    message.n_rows = to - from;
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_ROWS;
    request.rows = &message;
    answer(stream, &request, arena);
}

static void send_all(struct client_stream *stream, struct list *list)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterEnd end = ALLIANCE__V1__ROSTER_END__INIT;
    struct client_status status;

    send_header(stream, list, &arena);
    for (size_t to, from = 0; from < list->count; from = to) {
        to = from + ROWS_MAX < list->count ? from + ROWS_MAX : list->count;
        send_rows(stream, list, from, to, &arena);
    }
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_END;
    request.end = &end;
    answer(stream, &request, &arena);
    client_stream_cancel(stream);
    assert_false(client_stream_finish(stream, &status));
}

void push_list(struct house *house, const char *party, struct list *list)
{
    struct client_stream *stream;
    struct client *client;
    struct error err = { 0 };
    char uri[100];

    add_up(list);
    snprintf(uri, sizeof uri, "alliance://%s", party);
    struct pki_files files = pki_issue(house->dir, uri);
    struct client_options options = {
        .target = house->target, .ca_file = files.ca, .cert_file = files.cert, .key_file = files.key
    };
    assert_true(client_open(&options, &client, &err));
    assert_true(client_stream_open(client, &alliance__v1__roster_service__descriptor, "PushRoster", HOUSE_TIMEOUT_MS,
                                   &stream, &err));
    send_all(stream, list);
    client_close(client);
}
