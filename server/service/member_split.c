/*
 * member_split.c -- SplitMember: a second member made from one, by the engine's chain of steps.
 *
 * A clerk reads what the first member is, says what the second one is to be and what is left of the first, and begins
 * the chain; in the middle of it a clerk moves the cards. What was begun and broke off is finished by the recovery of
 * transfers or by a repeat, whoever is first.
 */
#include "base/text.h"
#include "engine/transfer.h"
#include "service/bank_handlers.h"
#include "service/check.h"
#include "service/member_facts.h"
#include "service/member_handlers.h"
#include "service/member_row.h"
#include "service/member_seal.h"
#include "service/member_write.h"
#include "service/office.h"
#include "service/shape.h"
#include "store/card_store.h"
#include "store/db.h"
#include "store/member_operation_store.h"

#include <string.h>

typedef Alliance__V1__SplitMemberRequest Split;
typedef Alliance__V1__Member Member;
typedef Alliance__V1__MemberFacts Facts;
typedef Alliance__V1__Card Card;

/* A call's own, in its arena. */
struct split_call {
    struct transfer transfer;
    struct command *send;
    const Split *asked;
    struct split_order order;
    struct clerk_job moving;
};

static struct split_call *of_transfer(struct transfer *transfer)
{
    struct call *call = transfer->owner;

    return call->state;
}

/* On a lane's thread, or on a clerk's. Nothing of the arena is touched after the release. */
static void on_done(struct transfer *transfer)
{
    struct call *call = transfer->owner;

    member_answer(call, (char *)(uintptr_t)of_transfer(transfer)->send->member_ref, &transfer->answer);
    call_release(call);
}

static int32_t buckets_of(const struct call *call)
{
    const struct reference *reference = reference_acquire(call->office->reference);
    int32_t buckets = reference->buckets;

    reference_release(reference);
    return buckets;
}

static struct split_call *of_job(struct clerk_job *job)
{
    return (struct split_call *)(void *)((char *)job - offsetof(struct split_call, moving));
}

/* On a clerk's thread. */
static void move_cards(struct clerk_job *job, struct db *db, struct error *err)
{
    struct transfer *transfer = &of_job(job)->transfer;
    bool moved = db && transfer_move_cards(transfer, db, buckets_of(transfer->owner), of_job(job)->asked->bank_id, err);
    transfer_go_on(transfer, moved ? NULL : err);
}

static void on_cards(struct transfer *transfer)
{
    struct call *call = transfer->owner;
    struct split_call *of = of_transfer(transfer);
    struct error err;

    of->moving = (struct clerk_job){ .run = move_cards };
    if (!clerks_submit(call->office->clerks, &of->moving, &err))
        transfer_go_on(transfer, &err);
}

static void begin(struct errand *errand)
{
    struct call *call = errand->call;
    struct split_call *of = call->state;
    struct error err;

    of->transfer.lanes = call->office->lanes;
    of->transfer.done = on_done;
    of->transfer.move_cards = on_cards;
    of->transfer.owner = call;
    if (transfer_begin(&of->transfer, of->send, &err))
        return;
    call_fail(call, &err);
    call_release(call);
}

/* What the two are to be */

static bool names(const Member *second, const char *token)
{
    for (size_t i = 0; i < second->n_card_tokens; i++) {
        if (strcmp(second->card_tokens[i], token) == 0)
            return true;
    }
    return false;
}

/* The first one's cards, those that move and those that stay. */
static bool part_cards(const Facts *facts, const Member *asked, Member *left, Member *second, struct arena *arena)
{
    left->cards = arena_alloc(arena, (facts->n_cards + 1) * sizeof *left->cards);
    second->cards = arena_alloc(arena, (facts->n_cards + 1) * sizeof *second->cards);
    if (!left->cards || !second->cards)
        return false;
    for (size_t i = 0; i < facts->n_cards; i++) {
        if (names(asked, facts->cards[i]->token))
            second->cards[second->n_cards++] = facts->cards[i];
        else
            left->cards[left->n_cards++] = facts->cards[i];
    }
    return true;
}

static bool make_profile(struct errand *errand, const Member *member, struct member_order *order, struct error *err)
{
    const struct split_call *of = errand->call->state;
    struct command *command = arena_alloc(&errand->call->arena, sizeof *command);

    if (!command ||
        !member_row_command(command, member, of->asked->bank_id, errand->call->office->data_key, &errand->call->arena))
        return errand_no_room(err);
    *order = command->member;
    return true;
}

static bool make_order(struct errand *errand, const struct profile_found_row *row, Facts *facts,
                       const Alliance__V1__SealedMember *sealed, struct error *err)
{
    struct split_call *of = errand->call->state;
    Member left = ALLIANCE__V1__MEMBER__INIT, second = *of->asked->second;
    struct member_order stays;

    second.card_tokens = NULL;
    second.n_card_tokens = 0;
    left.member_ref = of->asked->from_member_ref;
    left.contact = sealed ? sealed->contact : NULL;
    left.consents = facts->consents;
    left.n_consents = facts->n_consents;
    if (!part_cards(facts, of->asked->second, &left, &second, &errand->call->arena))
        return errand_no_room(err);
    if (!make_profile(errand, &left, &stays, err) || !make_profile(errand, &second, &of->order.into, err))
        return false;
    of->order.left = stays.profile;
    memcpy(of->order.hash_before, row->profile_hash.at, sizeof of->order.hash_before);
    return true;
}

static bool has_card(const Facts *facts, const char *token)
{
    for (size_t i = 0; i < facts->n_cards; i++) {
        if (strcmp(facts->cards[i]->token, token) == 0)
            return true;
    }
    return false;
}

static bool is_owned(const struct card_row *rows, size_t count, const struct uuid *id, const struct uuid *member_id)
{
    for (size_t i = 0; i < count; i++) {
        if (uuid_compare(&rows[i].id, id) == 0)
            return uuid_compare(&rows[i].member_id, member_id) == 0;
    }
    return false;
}

/* The table of cards counts, and the member's profile must say the same. */
static bool check_cards(struct errand *errand, const Facts *facts, struct error *err)
{
    const struct split_call *of = errand->call->state;
    const Member *second = of->asked->second;
    size_t count = second->n_card_tokens, found;
    int64_t buckets[CARD_TOKENS_MAX];
    struct uuid ids[CARD_TOKENS_MAX];
    void *rows;

    for (size_t i = 0; i < count; i++) {
        ids[i] = command_card_id(of->asked->bank_id, second->card_tokens[i]);
        buckets[i] = member_hash16(&ids[i]) % errand->reference->buckets;
    }
    const struct card_ids_params params = { { buckets, count }, { ids, count } };
    if (!db_fetch(errand->db, &card_find, &params, &errand->call->arena, &rows, &found, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (has_card(facts, second->card_tokens[i]) && is_owned(rows, found, &ids[i], &of->send->member_id))
            continue;
        error_field(err, REASON_CARD_NOT_THE_MEMBERS, "", "%s", "");
        return check_within(err, "second.card_tokens[%zu]", i);
    }
    return true;
}

/* Of one that was begun nothing is checked: it goes on, or is answered, as it began. */
static bool read_first(struct errand *errand, bool begun, struct error *err)
{
    const struct split_call *of = errand->call->state;
    struct profile_key_params params = { of->send->hash16 % errand->reference->buckets, of->send->member_id };
    Alliance__V1__SealedMember *sealed = NULL;
    struct profile_found_row row;
    bool found;

    if (!db_fetch_one(errand->db, &profile_find, &params, &errand->call->arena, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_MEMBER_NOT_FOUND, "from_member_ref", "%s", "");
    Facts *facts = member_facts_of(&row, &errand->call->arena, err);
    if (!facts || row.profile_hash.size != sizeof of->order.hash_before)
        return facts ? error_set(err, REASON_INTERNAL, "a profile's hash is cut") : false;
    if (row.sealed.size > 0) {
        sealed = member_unseal(errand->call->office->data_key, &of->send->member_id, row.sealed.at, row.sealed.size,
                               &errand->call->arena, err);
        if (!sealed)
            return false;
        member_name_holders(sealed, facts);
    }
    return (begun || check_cards(errand, facts, err)) && make_order(errand, &row, facts, sealed, err);
}

static bool split_work(struct errand *errand, struct error *err)
{
    const struct split_call *of = errand->call->state;
    const struct uuid *to = &of->send->send.to_member_id;
    bool begun, there;

    if (!member_aim(errand->reference, (const struct member_request *)(const void *)of->asked, of->send, err) ||
        !member_look_up(errand, &member_operation_exists, of->send->hash16, &of->send->request_id, &begun, err) ||
        !member_look_up(errand, &member_exists, member_hash16(to), to, &there, err))
        return false;
    if (!begun && there)
        return error_field(err, REASON_MEMBER_EXISTS, "second.member_ref", "%s", "");
    if (!read_first(errand, begun, err))
        return false;
    errand->hand_over = begin;
    return true;
}

static bool check_asked(const Split *asked, struct error *err)
{
    const Member *second = asked->second;

    if (!check_range("points", asked->points, 0, POINTS_MAX, err) || !member_row_check_as("second", second, err))
        return false;
    if (second->n_cards > 0)
        return error_field(err, REASON_FIELD_INVALID, "second.cards",
                           "must be empty: card_tokens name the cards that move");
    if (second->status != ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_UNSPECIFIED &&
        second->status != ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_ACTIVE)
        return error_field(err, REASON_FIELD_INVALID, "second.status", "must be ACTIVE or unset");
    if (asked->points == 0 && second->n_card_tokens == 0)
        return error_field(err, REASON_FIELD_INVALID, "points", "must be more than 0 when no card moves");
    return strcmp(asked->from_member_ref, second->member_ref) != 0 ||
           error_field(err, REASON_SAME_MEMBER, "second.member_ref", "must be another than from_member_ref");
}

bool member_split_in_two(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Split *asked = (const Split *)request;

    if (!check_asked(asked, err))
        return false;
    struct command *send = member_command(call, request, "from_member_ref", err);
    struct split_call *of = send ? arena_alloc(&call->arena, sizeof *of) : NULL;
    if (!send)
        return false;
    if (!of)
        return errand_no_room(err);
    of->send = send;
    of->asked = asked;
    of->order.to_member_ref = asked->second->member_ref;
    of->order.changed_by = call->principal.uri;
    send->kind = COMMAND_SEND;
    send->send.points = asked->points;
    send->send.to_member_id = command_member_id(asked->bank_id, asked->second->member_ref);
    send->send.to_member_ref = asked->second->member_ref;
    send->send.split = &of->order;
    call->state = of;
    return errand_read(call, request, split_work, err);
}
