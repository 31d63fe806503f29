/* What is sent: a table of methods. Members are those of prepare.sql. */
#include "load.h"

#include "base/uuid.h"
#include "io/clock.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <alliance/v1/diagnostics_service.pb-c.h>
#include <alliance/v1/redemption_service.pb-c.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <stdio.h>
#include <string.h>

enum {
    HOLD_POINTS = 10,
    HOLD_SECONDS = 24 * 60 * 60, /* longer than any run, so that nothing lapses under it */
    SPENT_MINOR = 10000,
    NAME_SIZE = 32,
};

typedef Alliance__V1__HoldRedemptionRequest Hold;
typedef Alliance__V1__WriteRedemptionsRequest Writes;
typedef Alliance__V1__WriteRedemptionsResponse Verdicts;
typedef Alliance__V1__PushAccrualsRequest Accruals;

static char bank[] = "bench", currency[] = "CNY", category[] = "5411";

/* The arena is emptied for every message and never full. */
static void *room(struct worker *worker, size_t size)
{
    void *memory = arena_alloc(&worker->arena, size);

    if (!memory)
        load_die("out of memory", NULL);
    return memory;
}

static uint64_t roll(struct worker *worker)
{
    uint64_t z = worker->dice += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static char *any_of(struct worker *worker, const char *what, int64_t count)
{
    char *name = room(worker, NAME_SIZE);

    snprintf(name, NAME_SIZE, "%s-%llu", what, (unsigned long long)(roll(worker) % (uint64_t)count));
    return name;
}

static char *fresh_id(struct worker *worker)
{
    uint64_t random[2] = { roll(worker), roll(worker) };
    char *text = room(worker, UUID_TEXT);
    uint8_t bytes[10];

    memcpy(bytes, random, sizeof bytes);
    struct uuid id = uuid_v7(clock_now(), bytes);
    uuid_format(&id, text);
    return text;
}

static Hold *make_points(struct worker *worker)
{
    Hold *request = room(worker, sizeof *request);

    alliance__v1__hold_redemption_request__init(request);
    request->request_id = fresh_id(worker);
    request->merchant_id = worker->merchant_id;
    request->bank_id = bank;
    request->member_ref = any_of(worker, "member", worker->options->members);
    if (worker->options->terminals > 0)
        request->terminal_id = any_of(worker, "till", worker->options->terminals);
    request->points = HOLD_POINTS;
    return request;
}

static Hold *new_hold(struct worker *worker)
{
    Hold *request = make_points(worker);

    request->lapse_after = room(worker, sizeof *request->lapse_after);
    google__protobuf__duration__init(request->lapse_after);
    request->lapse_after->seconds = HOLD_SECONDS;
    return request;
}

static ProtobufCMessage *make_hold(struct worker *worker, struct slot *slot)
{
    (void)slot;
    return &new_hold(worker)->base;
}

static ProtobufCMessage *make_redeem(struct worker *worker, struct slot *slot)
{
    (void)slot;
    return &make_points(worker)->base;
}

static ProtobufCMessage *make_cancel(struct worker *worker, struct slot *slot)
{
    Alliance__V1__CancelRedemptionRequest *request = room(worker, sizeof *request);

    alliance__v1__cancel_redemption_request__init(request);
    request->request_id = fresh_id(worker);
    request->redemption_id = slot->redemption_id;
    return &request->base;
}

static ProtobufCMessage *make_ping(struct worker *worker, struct slot *slot)
{
    Alliance__V1__PingRequest *request = room(worker, sizeof *request);

    (void)slot;
    alliance__v1__ping_request__init(request);
    return &request->base;
}

static ProtobufCMessage *make_balance(struct worker *worker, struct slot *slot)
{
    Alliance__V1__GetBalanceRequest *request = room(worker, sizeof *request);

    (void)slot;
    alliance__v1__get_balance_request__init(request);
    request->bank_id = bank;
    request->member_ref = any_of(worker, "member", worker->options->members);
    return &request->base;
}

static ProtobufCMessage *make_batch(struct worker *worker, struct slot *slot)
{
    size_t count = (size_t)worker->options->items;
    Writes *request = room(worker, sizeof *request);
    Alliance__V1__RedemptionWrite *writes = room(worker, count * sizeof *writes);

    (void)slot;
    alliance__v1__write_redemptions_request__init(request);
    request->writes = room(worker, count * sizeof(void *));
    for (; request->n_writes < count; request->n_writes++) {
        Alliance__V1__RedemptionWrite *write = &writes[request->n_writes];
        alliance__v1__redemption_write__init(write);
        write->action_case = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_HOLD;
        write->hold = new_hold(worker);
        request->writes[request->n_writes] = write;
    }
    return &request->base;
}

/* Purchases of now, each of its own name. */
static Alliance__V1__AccrualRow *new_accrual(struct worker *worker)
{
    Alliance__V1__AccrualRow *row = room(worker, sizeof *row);

    alliance__v1__accrual_row__init(row);
    row->transaction_ref = fresh_id(worker);
    row->member_ref = any_of(worker, "member", worker->options->members);
    row->amount = room(worker, sizeof *row->amount);
    alliance__v1__money__init(row->amount);
    row->amount->currency_code = currency;
    row->amount->amount_minor = SPENT_MINOR;
    row->merchant_category_code = category;
    row->transaction_time = room(worker, sizeof *row->transaction_time);
    google__protobuf__timestamp__init(row->transaction_time);
    row->transaction_time->seconds = clock_now().us / US_PER_SECOND;
    return row;
}

static ProtobufCMessage *make_accruals(struct worker *worker, struct slot *slot)
{
    size_t count = (size_t)worker->options->items;
    Accruals *request = room(worker, sizeof *request);

    (void)slot;
    alliance__v1__push_accruals_request__init(request);
    request->bank_id = bank;
    request->rows = room(worker, count * sizeof(void *));
    while (request->n_rows < count)
        request->rows[request->n_rows++] = new_accrual(worker);
    return &request->base;
}

/* Answers */

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

ProtobufCMessage *load_unpack(struct worker *worker, const ProtobufCMessageDescriptor *type, const void *bytes,
                              size_t size)
{
    ProtobufCAllocator allocator = { .alloc = from_arena, .free = keep, .allocator_data = &worker->arena };

    arena_reset(&worker->arena);
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, size, bytes);
    if (!message)
        load_die("an answer cannot be read", NULL);
    return message;
}

/* What was held is what the slot cancels next. */
static uint64_t take_receipt(struct worker *worker, struct slot *slot, const ProtobufCMessage *reply)
{
    const Alliance__V1__RedemptionReceipt *receipt = (const Alliance__V1__RedemptionReceipt *)reply;

    (void)worker;
    snprintf(slot->redemption_id, sizeof slot->redemption_id, "%s", receipt->redemption_id);
    return 1;
}

static uint64_t take_verdicts(struct worker *worker, struct slot *slot, const ProtobufCMessage *reply)
{
    const Verdicts *response = (const Verdicts *)reply;
    uint64_t done = 0;

    (void)slot;
    if (response->n_verdicts != (size_t)worker->options->items)
        load_die("an answer lacks verdicts", NULL);
    for (size_t i = 0; i < response->n_verdicts; i++) {
        done += response->verdicts[i]->receipt != NULL;
        if (!response->verdicts[i]->receipt)
            load_count_failure(worker, response->verdicts[i]->reason);
    }
    return done;
}

static uint64_t take_earned(struct worker *worker, struct slot *slot, const ProtobufCMessage *reply)
{
    const Alliance__V1__PushAccrualsResponse *response = (const Alliance__V1__PushAccrualsResponse *)reply;
    uint64_t done = 0;

    (void)slot;
    if (response->n_verdicts != (size_t)worker->options->items)
        load_die("an answer lacks verdicts", NULL);
    for (size_t i = 0; i < response->n_verdicts; i++) {
        bool earned = response->verdicts[i]->outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED;
        done += earned;
        if (!earned)
            load_count_failure(worker, response->verdicts[i]->reason);
    }
    return done;
}

#define REDEMPTION "/alliance.v1.RedemptionService/"
#define RECEIPT    &alliance__v1__redemption_receipt__descriptor, take_receipt
#define VERDICTS   &alliance__v1__write_redemptions_response__descriptor, take_verdicts
static const struct load_kind hold = { REDEMPTION "HoldRedemption", make_hold, NULL, NULL, NULL };
static const struct load_kind held = { REDEMPTION "HoldRedemption", make_hold, RECEIPT, NULL };
static const struct load_kind cancel = { REDEMPTION "CancelRedemption", make_cancel, NULL, NULL, NULL };
static const struct load_kind redeem = { REDEMPTION "RedeemPoints", make_redeem, NULL, NULL, NULL };
static const struct load_kind batch = { REDEMPTION "WriteRedemptions", make_batch, VERDICTS, NULL };
static const struct load_kind stream = { REDEMPTION "StreamRedemptions", make_batch, VERDICTS,
                                         &alliance__v1__redemption_service__descriptor };
static const struct load_kind accruals = { "/alliance.v1.BankService/PushAccruals", make_accruals,
                                           &alliance__v1__push_accruals_response__descriptor, take_earned,
                                           &alliance__v1__bank_service__descriptor };
static const struct load_kind ping = { "/alliance.v1.DiagnosticsService/Ping", make_ping, NULL, NULL, NULL };
static const struct load_kind balance = { "/alliance.v1.BankService/GetBalance", make_balance, NULL, NULL, NULL };

/* usage() of load.c says what each is for. */
static const struct load_method methods[] = {
    { "hold", false, 1, { &hold } },
    { "redeem", false, 1, { &redeem } },
    { "hold-cancel", false, 2, { &held, &cancel } },
    { "hold-batch", false, 1, { &batch } },
    { "hold-stream", true, 1, { &stream } },
    { "accruals", true, 1, { &accruals } },
    { "ping", false, 1, { &ping } },
    { "balance", false, 1, { &balance } },
};

const struct load_method *load_method(const char *name)
{
    for (size_t i = 0; i < COUNT(methods); i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}
