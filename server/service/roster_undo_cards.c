/*
 * roster_undo_cards.c -- cards of a roster batch that is rolled back go back where they were.
 *
 * A card that the batch moved from one member to another is taken from the other one without asking: the other is the
 * batch's, too, and gives it up in its turn.
 */
#include "base/text.h"
#include "io/crypto.h"
#include "service/member_facts.h"
#include "service/roster_undo.h"
#include "store/card_store.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__MemberFacts Facts;

/* A card that a member is to have again. */
struct undo_card {
    struct card_row row;
    struct undo_member *member;
    struct uuid owner; /* zero: nobody's */
};

struct undo_cards {
    struct undo_window *window;
    struct undo_card *at; /* in order of bucket and id, as everybody locks them */
    size_t count;
};

static const char TAKEN[] = "a card of it is another member's now";

static bool no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "no memory for a window of a roster batch");
}

static bool is_withdrawn(const struct undo_member *member)
{
    return !member->row->kept || !member->row->was_there;
}

/* While a member is closed others may have its cards, so those of one that is opened again are looked at, too. */
static bool wants_cards(const struct undo_member *member)
{
    const struct undo_row *row = member->row;

    return !member->why && !is_withdrawn(member) && !row->done &&
           (row->profile_changed || (row->status_now == MEMBER_CLOSED && row->status != MEMBER_CLOSED));
}

static const struct text_array *tokens_of(const struct undo_member *member)
{
    return member->row->profile_changed ? &member->row->card_tokens : &member->row->tokens_now;
}

static int by_place(const void *a, const void *b)
{
    const struct card_row *left = &((const struct undo_card *)a)->row, *right = &((const struct undo_card *)b)->row;

    if (left->bucket != right->bucket)
        return left->bucket < right->bucket ? -1 : 1;
    return uuid_compare(&left->id, &right->id);
}

static struct card_row card_row_of(const struct undo_window *window, const struct undo_member *member,
                                   const Alliance__V1__Card *card)
{
    struct card_row row = {
        .id = command_card_id(window->bank_id, card->token),
        .bank_no = window->key.bank_no,
        .member_id = member->member_id,
        .member_ref = member->row->member_ref,
        .product = card->product ? card->product : "",
        .status = card->status ? (int16_t)card->status : CARD_ACTIVE,
        .supplementary = card->supplementary,
    };

    row.bucket = member_hash16(&row.id) % window->buckets;
    if (!text_empty(card->expires_on) && !date_parse(card->expires_on, &row.expires_on))
        row.expires_on = (struct date){ 0 };
    return row;
}

static bool collect_of(struct undo_cards *cards, struct undo_member *member, struct error *err)
{
    const struct undo_row *row = member->row;
    const struct profile_found_row profile = { .card_tokens = *tokens_of(member),
                                               .facts = row->profile_changed ? row->facts : row->facts_now };
    const Facts *facts = member_facts_of(&profile, &cards->window->arena, err);

    if (!facts)
        return false;
    for (size_t i = 0; i < facts->n_cards && i < profile.card_tokens.count; i++)
        cards->at[cards->count++] =
            (struct undo_card){ .row = card_row_of(cards->window, member, facts->cards[i]), .member = member };
    return true;
}

static bool collect(struct undo_cards *cards, struct undo_window *window, struct error *err)
{
    size_t room = 0;

    *cards = (struct undo_cards){ .window = window };
    for (size_t i = 0; i < window->count; i++)
        room += wants_cards(&window->members[i]) ? tokens_of(&window->members[i])->count : 0;
    cards->at = arena_alloc(&window->arena, (room + 1) * sizeof *cards->at);
    if (!cards->at)
        return no_room(err);
    for (size_t i = 0; room > 0 && i < window->count; i++) {
        if (wants_cards(&window->members[i]) && !collect_of(cards, &window->members[i], err))
            return false;
    }
    qsort(cards->at, cards->count, sizeof *cards->at, by_place);
    return true;
}

static bool find_owners(struct undo_cards *cards, struct error *err)
{
    struct arena *arena = &cards->window->arena;
    int64_t *buckets = arena_alloc(arena, (cards->count + 1) * sizeof *buckets);
    struct uuid *ids = arena_alloc(arena, (cards->count + 1) * sizeof *ids);
    size_t count;
    void *rows;

    if (!buckets || !ids)
        return no_room(err);
    for (size_t i = 0; i < cards->count; i++) {
        buckets[i] = cards->at[i].row.bucket;
        ids[i] = cards->at[i].row.id;
    }
    const struct card_ids_params params = { { buckets, cards->count }, { ids, cards->count } };
    if (cards->count == 0)
        return true;
    if (!db_fetch(cards->window->db, &card_find, &params, arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct undo_card key = { .row = ((const struct card_row *)rows)[i] };
        struct undo_card *card = bsearch(&key, cards->at, cards->count, sizeof key, by_place);
        if (card)
            card->owner = key.row.member_id;
    }
    return true;
}

static bool is_others(const struct undo_card *card)
{
    return !uuid_is_zero(&card->owner) && uuid_compare(&card->owner, &card->member->member_id) != 0;
}

/* Checking: whoever has such a card must be the batch's, too */

static bool ask_log(struct undo_cards *cards, int32_t bucket, struct error *err)
{
    struct undo_window *window = cards->window;
    struct uuid *ids = arena_alloc(&window->arena, (cards->count + 1) * sizeof *ids);
    struct roster_trace *traces = NULL;
    size_t count = 0, found = 0;

    if (!ids)
        return no_room(err);
    for (size_t i = 0; i < cards->count; i++) {
        if (is_others(&cards->at[i]) && member_hash16(&cards->at[i].owner) % window->buckets == bucket)
            ids[count++] = cards->at[i].owner;
    }
    if (count == 0)
        return true;
    if (!roster_traces(window->db, bucket, &window->key, ids, count, &window->arena, &traces, &found, err))
        return false;
    for (size_t i = 0; i < cards->count; i++) {
        struct undo_card *card = &cards->at[i];
        bool ours = !is_others(card) || member_hash16(&card->owner) % window->buckets != bucket;
        for (size_t k = 0; !ours && k < found; k++)
            ours = uuid_compare(&card->owner, &traces[k].member_id) == 0;
        if (!ours)
            card->member->why = TAKEN;
    }
    return true;
}

/* Whoever was used since the first look keeps what the batch gave it, cards too. */
static bool ask_whether_they_stay(struct undo_cards *cards, struct error *err)
{
    struct undo_window *window = cards->window;
    struct uuid *ids = arena_alloc(&window->arena, cards->count * sizeof *ids);
    bool *stays = arena_alloc(&window->arena, cards->count * sizeof *stays);
    size_t count = 0, at = 0;

    if (!ids || !stays)
        return no_room(err);
    for (size_t i = 0; i < cards->count; i++) {
        if (is_others(&cards->at[i]))
            ids[count++] = cards->at[i].owner;
    }
    if (!undo_find_staying(window, ids, stays, count, err))
        return false;
    for (size_t i = 0; i < cards->count; i++) {
        if (is_others(&cards->at[i]) && stays[at++])
            cards->at[i].member->why = TAKEN;
    }
    return true;
}

bool undo_check_cards(struct undo_window *window, struct error *err)
{
    struct undo_cards cards;
    bool others = false;

    if (!collect(&cards, window, err) || !find_owners(&cards, err))
        return false;
    for (size_t i = 0; i < cards.count; i++)
        others |= is_others(&cards.at[i]);
    for (int32_t bucket = 0; others && bucket < window->buckets; bucket++) {
        if (!ask_log(&cards, bucket, err))
            return false;
    }
    return !others || !window->undoing || ask_whether_they_stay(&cards, err);
}

/* Claiming */

static bool take_over(struct undo_cards *cards, struct error *err)
{
    struct card_row *rows = arena_alloc(&cards->window->arena, (cards->count + 1) * sizeof *rows);
    struct uuid *from = arena_alloc(&cards->window->arena, (cards->count + 1) * sizeof *from);
    size_t count = 0;

    if (!rows || !from)
        return no_room(err);
    for (size_t i = 0; i < cards->count; i++) {
        if (!is_others(&cards->at[i]))
            continue;
        from[count] = cards->at[i].owner;
        rows[count++] = cards->at[i].row;
    }
    const struct card_take_params params = { { rows, count }, { from, count } };
    return count == 0 || db_execute(cards->window->db, &card_take, &params, NULL, err);
}

static bool claim(struct undo_cards *cards, struct error *err)
{
    struct card_row *rows = arena_alloc(&cards->window->arena, (cards->count + 1) * sizeof *rows);

    if (!rows)
        return no_room(err);
    if (!find_owners(cards, err) || !take_over(cards, err))
        return false;
    for (size_t i = 0; i < cards->count; i++)
        rows[i] = cards->at[i].row;
    const struct card_rows_params params = { { rows, cards->count } };
    return db_execute(cards->window->db, &card_claim, &params, NULL, err) &&
           db_execute(cards->window->db, &card_correct, &params, NULL, err);
}

static bool end(struct db *db, bool good, struct error *err)
{
    if (good && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}

static bool begin(struct db *db, struct error *err)
{
    return db_begin(db, err) && db_execute(db, &card_plans, NULL, NULL, err);
}

bool undo_claim_cards(struct undo_window *window, struct error *err)
{
    struct undo_cards cards;

    if (!collect(&cards, window, err))
        return false;
    return cards.count == 0 || end(window->db, begin(window->db, err) && claim(&cards, err), err);
}

/* Releasing */

static bool has(const struct text_array *tokens, const char *token)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (strcmp(tokens->at[i], token) == 0)
            return true;
    }
    return false;
}

static void release_of(struct undo_cards *cards, struct undo_member *member)
{
    static const struct text_array none;
    const struct text_array *then = &member->row->tokens_then;
    const struct text_array *before = is_withdrawn(member) ? &none : &member->row->card_tokens;

    for (size_t i = 0; i < then->count; i++) {
        if (has(before, then->at[i]))
            continue;
        struct card_row row = { .id = command_card_id(cards->window->bank_id, then->at[i]) };
        row.bucket = member_hash16(&row.id) % cards->window->buckets;
        cards->at[cards->count++] = (struct undo_card){ .row = row, .member = member };
    }
}

static bool release(struct undo_cards *cards, struct error *err)
{
    struct arena *arena = &cards->window->arena;
    int64_t *buckets = arena_alloc(arena, cards->count * sizeof *buckets);
    struct uuid *ids = arena_alloc(arena, cards->count * sizeof *ids),
                *members = arena_alloc(arena, cards->count * sizeof *members);

    if (!buckets || !ids || !members)
        return no_room(err);
    for (size_t i = 0; i < cards->count; i++) {
        buckets[i] = cards->at[i].row.bucket;
        ids[i] = cards->at[i].row.id;
        members[i] = cards->at[i].member->member_id;
    }
    const struct card_release_params params = { { buckets, cards->count },
                                                { ids, cards->count },
                                                { members, cards->count } };
    return db_execute(cards->window->db, &card_release, &params, NULL, err);
}

bool undo_release_cards(struct undo_window *window, struct error *err)
{
    struct undo_cards cards = { .window = window };
    size_t room = 0;

    for (size_t i = 0; i < window->count; i++)
        room += window->members[i].why ? 0 : window->members[i].row->tokens_then.count;
    cards.at = arena_alloc(&window->arena, (room + 1) * sizeof *cards.at);
    if (!cards.at)
        return no_room(err);
    for (size_t i = 0; i < window->count; i++) {
        if (!window->members[i].why)
            release_of(&cards, &window->members[i]);
    }
    qsort(cards.at, cards.count, sizeof *cards.at, by_place);
    return cards.count == 0 || end(window->db, begin(window->db, err) && release(&cards, err), err);
}
