#include "engine/transfer.h"

#include "engine/lanes.h"
#include "io/crypto.h"
#include "store/card_store.h"

#include <stdio.h>
#include <string.h>

/*
 * What a receiver can refuse for good; the lane has stored it, so that whoever asks again hears the same. After any
 * other failure nobody knows whether the points have come: they stay on their way.
 */
static bool is_refusal(enum reason reason)
{
    return reason == REASON_MEMBER_CLOSED || reason == REASON_MEMBER_DECEASED || reason == REASON_MEMBER_NOT_FOUND ||
           reason == REASON_MEMBER_EXISTS;
}

static void finish(struct transfer *transfer, enum reason reason, const char *detail)
{
    if (reason != REASON_OK) {
        transfer->answer = (struct answer){ .reason = reason };
        snprintf(transfer->answer.detail, sizeof transfer->answer.detail, "%.95s", detail);
    }
    transfer->done(transfer);
}

void transfer_step(const struct transfer *transfer, enum command_kind kind, struct command *command)
{
    bool receives = kind == COMMAND_RECEIVE;
    const struct uuid *member_id = receives ? &transfer->to_member_id : &transfer->from_member_id;
    uint8_t said[sizeof transfer->id.bytes + 2];

    *command = (struct command){
        .kind = kind,
        .request_id = command_transfer_step(&transfer->id, receives ? "receive" : "settle"),
        .member_id = *member_id,
        .hash16 = member_hash16(member_id),
        .programme_no = transfer->programme_no,
        .bank_no = transfer->bank_no,
        .deadline_us = INT64_MAX, /* what was begun is ended, whether or not the caller still waits */
        .transfer = { transfer->id, &transfer->parcel, transfer->received, receives ? transfer->split : NULL },
    };
    if (transfer->split) {
        command->member_ref = transfer->split->to_member_ref; /* of the member that a RECEIVE makes */
        command->changed_by = transfer->split->changed_by;
    }
    said[0] = receives ? 'r' : 's';
    said[1] = !receives && transfer->received != REASON_OK;
    memcpy(said + 2, transfer->id.bytes, sizeof transfer->id.bytes);
    crypto_sha256(said, sizeof said, command->content_hash);
}

static void take_step(struct transfer *transfer, enum command_kind kind, void (*done)(struct command *command))
{
    struct error err;

    transfer_step(transfer, kind, &transfer->command);
    transfer->command.done = done;
    transfer->command.owner = transfer;
    if (!lanes_submit(transfer->lanes, &transfer->command, &err))
        finish(transfer, err.reason, err.detail);
}

static void on_settled(struct command *command)
{
    struct transfer *transfer = command->owner;

    transfer->ended = command->answer.reason == REASON_OK;
    if (transfer->ended)
        finish(transfer, transfer->received, "");
    else
        finish(transfer, command->answer.reason, command->answer.detail);
}

static void on_received(struct command *command)
{
    struct transfer *transfer = command->owner;

    transfer->received = command->answer.reason;
    if (transfer->received != REASON_OK && !is_refusal(transfer->received)) {
        finish(transfer, transfer->received, command->answer.detail);
        return;
    }
    if (transfer->received == REASON_OK && transfer->split && transfer->split->into.profile->card_count > 0)
        transfer->move_cards(transfer);
    else
        transfer_go_on(transfer, NULL);
}

void transfer_go_on(struct transfer *transfer, const struct error *err)
{
    if (err)
        finish(transfer, err->reason, "");
    else
        take_step(transfer, COMMAND_SETTLE, on_settled);
}

void transfer_resume(struct transfer *transfer)
{
    transfer->received = REASON_OK;
    take_step(transfer, COMMAND_RECEIVE, on_received);
}

static void on_sent(struct command *command)
{
    struct transfer *transfer = command->owner;

    transfer->answer = command->answer;
    transfer->split = command->send.split;
    if (transfer->answer.reason != REASON_OK)
        transfer->done(transfer);
    else
        transfer_resume(transfer);
}

bool transfer_begin(struct transfer *transfer, const struct command *send, struct error *err)
{
    struct command *command = &transfer->command;

    transfer->id = send->request_id;
    transfer->from_member_id = send->member_id;
    transfer->to_member_id = send->send.to_member_id;
    transfer->programme_no = send->programme_no;
    transfer->bank_no = send->bank_no;
    *command = *send;
    command->send.parcel = &transfer->parcel;
    command->done = on_sent;
    command->owner = transfer;
    return lanes_submit(transfer->lanes, command, err);
}

bool transfer_move_cards(const struct transfer *transfer, struct db *db, int32_t buckets, const char *bank_id,
                         struct error *err)
{
    const struct member_profile *profile = transfer->split->into.profile;
    int64_t in_buckets[CARD_TOKENS_MAX];
    struct uuid ids[CARD_TOKENS_MAX];

    for (size_t i = 0; i < profile->card_count; i++) {
        ids[i] = command_card_id(bank_id, profile->tokens[i]);
        in_buckets[i] = member_hash16(&ids[i]) % buckets;
    }
    const struct card_move_params params = {
        { in_buckets, profile->card_count },
        { ids, profile->card_count },
        transfer->from_member_id,
        transfer->to_member_id,
        transfer->split->to_member_ref,
        transfer->id,
        member_hash16(&transfer->from_member_id) % buckets,
    };
    return db_execute(db, &card_move, &params, NULL, err);
}
