#include "service/cards.h"

#include "store/card_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOVES_IN_A_ROW = 64 };

/* A card that a command wants, and whose it is. */
struct wanted {
    struct uuid id;
    int32_t bucket;
    struct command *command;
    size_t order; /* of the command in the list */
    const struct card *card;
    bool found, old;
    struct uuid owner; /* when found */
};

/* One step over many cards. */
struct claiming {
    struct db *db;
    int32_t buckets;
    const char *bank_id;
    struct arena arena;
    struct wanted *wanted; /* in order of bucket and id: whoever writes cards does it in that order */
    size_t count;
    struct command **members; /* the commands in order of their members; NULL until somebody wants another's card */
    size_t member_count;
};

static void claiming_release(struct claiming *claiming)
{
    arena_release(&claiming->arena);
}

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

static int by_place(const void *a, const void *b)
{
    const struct wanted *left = a, *right = b;

    if (left->bucket != right->bucket)
        return left->bucket < right->bucket ? -1 : 1;
    return memcmp(left->id.bytes, right->id.bytes, sizeof left->id.bytes);
}

/* Of several that want a card, who came first. */
static int by_place_and_order(const void *a, const void *b)
{
    const struct wanted *left = a, *right = b;
    int order = by_place(a, b);

    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static int32_t bucket_of(const struct claiming *claiming, const struct uuid *id)
{
    return member_hash16(id) % claiming->buckets;
}

static bool is_refused(const struct command *command)
{
    return command->answer.reason != REASON_OK;
}

static size_t cards_of(const struct command *command)
{
    return command->kind == COMMAND_SET_MEMBER && command->member.profile ? command->member.profile->card_count : 0;
}

static bool collect(struct claiming *claiming, struct command *const *commands, size_t count, struct error *err)
{
    size_t room = 0;

    for (size_t i = 0; i < count; i++)
        room += cards_of(commands[i]);
    claiming->wanted = room ? arena_alloc(&claiming->arena, room * sizeof *claiming->wanted) : NULL;
    if (room && !claiming->wanted)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < cards_of(commands[i]); k++) {
            const struct card *card = &commands[i]->member.profile->cards[k];
            struct uuid id = command_card_id(claiming->bank_id, card->token);
            claiming->wanted[claiming->count++] = (struct wanted){
                .id = id, .bucket = bucket_of(claiming, &id), .command = commands[i], .order = i, .card = card
            };
        }
    }
    if (claiming->count)
        qsort(claiming->wanted, claiming->count, sizeof *claiming->wanted, by_place_and_order);
    return true;
}

/* Two members of the list may want the same card: both are next to each other. */
static void take_found(struct claiming *claiming, const struct card_row *row)
{
    const struct wanted key = { .id = row->id, .bucket = row->bucket };
    struct wanted *end = claiming->wanted + claiming->count;
    struct wanted *at = bsearch(&key, claiming->wanted, claiming->count, sizeof key, by_place);

    while (at && at > claiming->wanted && by_place(at - 1, &key) == 0)
        at--;
    for (; at && at < end && by_place(at, &key) == 0; at++) {
        at->found = true;
        at->owner = row->member_id;
        at->old = row->old;
    }
}

static bool find(struct claiming *claiming, struct error *err)
{
    int64_t *buckets = arena_alloc(&claiming->arena, claiming->count * sizeof *buckets);
    struct uuid *ids = arena_alloc(&claiming->arena, claiming->count * sizeof *ids);
    size_t count;
    void *rows;

    if (!buckets || !ids)
        return out_of_memory(err);
    for (size_t i = 0; i < claiming->count; i++) {
        buckets[i] = claiming->wanted[i].bucket;
        ids[i] = claiming->wanted[i].id;
        claiming->wanted[i].found = false;
    }
    struct card_ids_params params = { { buckets, claiming->count }, { ids, claiming->count } };
    if (!db_fetch(claiming->db, &card_find, &params, &claiming->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        take_found(claiming, &((const struct card_row *)rows)[i]);
    return true;
}

static bool is_mine(const struct wanted *wanted)
{
    return wanted->found && uuid_compare(&wanted->owner, &wanted->command->member_id) == 0;
}

static struct card_row row_of(const struct wanted *wanted)
{
    return (struct card_row){
        .bucket = wanted->bucket,
        .id = wanted->id,
        .bank_no = wanted->command->bank_no,
        .member_id = wanted->command->member_id,
        .member_ref = wanted->command->member_ref,
        .product = wanted->card->product,
        .status = wanted->card->status,
        .expires_on = wanted->card->expires_on,
        .supplementary = wanted->card->supplementary,
    };
}

/* Those that are nobody's; of two members that want one card, the first gets it. *all: nobody was faster. */
static bool claim_free(struct claiming *claiming, bool *all, struct error *err)
{
    struct card_row *rows = arena_alloc(&claiming->arena, claiming->count * sizeof *rows);
    int64_t claimed = 0;
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < claiming->count; i++) {
        if (!claiming->wanted[i].found)
            rows[count++] = row_of(&claiming->wanted[i]);
    }
    struct card_rows_params params = { { rows, count } };
    if (count && !db_execute(claiming->db, &card_claim, &params, &claimed, err))
        return false;
    *all = claimed == (int64_t)count;
    for (size_t i = 0; *all && i < claiming->count; i++) {
        if (!claiming->wanted[i].found)
            claiming->wanted[i].owner = claiming->wanted[i].command->member_id;
        claiming->wanted[i].found = true;
    }
    return true;
}

/* Whose claim is void: of a member that is closed, or whose profile has had the time to speak of the card and does not.
 */
static bool is_void(const struct wanted *wanted, const struct card_profile_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uuid_compare(&rows[i].member_id, &wanted->owner) != 0)
            continue;
        bool listed = false;
        for (size_t k = 0; !listed && k < rows[i].tokens.count; k++)
            listed = strcmp(rows[i].tokens.at[k], wanted->card->token) == 0;
        return rows[i].status == MEMBER_CLOSED || (wanted->old && !listed);
    }
    return wanted->old; /* it has no profile at all */
}

/* What the owners of cards that others want say of them. */
static bool ask_owners(struct claiming *claiming, const struct wanted *const *taken, size_t count, void **rows,
                       size_t *row_count, struct error *err)
{
    int64_t *buckets = arena_alloc(&claiming->arena, count * sizeof *buckets),
            *seqs = arena_alloc(&claiming->arena, count * sizeof *seqs);
    struct uuid *owners = arena_alloc(&claiming->arena, count * sizeof *owners);

    if (!buckets || !seqs || !owners)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        owners[i] = taken[i]->owner;
        buckets[i] = bucket_of(claiming, &owners[i]);
    }
    struct card_profiles_params params = { { buckets, count }, { owners, count }, { seqs, count } };
    return db_fetch(claiming->db, &card_profiles, &params, &claiming->arena, rows, row_count, err);
}

static bool release(struct claiming *claiming, const struct wanted *const *cards, const struct uuid *members,
                    size_t count, struct error *err)
{
    int64_t *buckets = arena_alloc(&claiming->arena, count * sizeof *buckets);
    struct uuid *ids = arena_alloc(&claiming->arena, count * sizeof *ids);

    if (!buckets || !ids)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        buckets[i] = cards[i]->bucket;
        ids[i] = cards[i]->id;
    }
    struct card_release_params params = { { buckets, count }, { ids, count }, { members, count } };
    return count == 0 || db_execute(claiming->db, &card_release, &params, NULL, err);
}

/* Cards of others whose claim is void are set free. *freed: there were some. */
static bool free_void(struct claiming *claiming, bool *freed, struct error *err)
{
    const struct wanted **taken = arena_alloc(&claiming->arena, claiming->count * sizeof *taken);
    struct uuid *owners = arena_alloc(&claiming->arena, claiming->count * sizeof *owners);
    size_t count = 0, voids = 0, row_count = 0;
    void *rows = NULL;

    *freed = false;
    if (!taken || !owners)
        return out_of_memory(err);
    for (size_t i = 0; i < claiming->count; i++) {
        if (claiming->wanted[i].found && !is_mine(&claiming->wanted[i]))
            taken[count++] = &claiming->wanted[i];
    }
    if (count == 0)
        return true;
    if (!ask_owners(claiming, taken, count, &rows, &row_count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_void(taken[i], rows, row_count))
            continue;
        owners[voids] = taken[i]->owner;
        taken[voids++] = taken[i];
    }
    *freed = voids > 0;
    return release(claiming, taken, owners, voids, err);
}

/* Moves within the list: another member's row in it says that the card is not its any more */

static int by_member(const void *a, const void *b)
{
    return uuid_compare(&(*(struct command *const *)a)->member_id, &(*(struct command *const *)b)->member_id);
}

static bool index_members(struct claiming *claiming, struct command *const *commands, size_t count, struct error *err)
{
    claiming->members = arena_alloc(&claiming->arena, (count + 1) * sizeof *claiming->members);
    if (!claiming->members)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (commands[i]->kind == COMMAND_SET_MEMBER)
            claiming->members[claiming->member_count++] = commands[i];
    }
    qsort(claiming->members, claiming->member_count, sizeof *claiming->members, by_member);
    return true;
}

static bool lists(const struct command *command, const char *token)
{
    for (size_t i = 0; i < cards_of(command); i++) {
        if (strcmp(command->member.profile->cards[i].token, token) == 0)
            return true;
    }
    return false;
}

/* The owner is in the list, none of its rows speaks of the card, and none is refused. */
static bool is_given(const struct claiming *claiming, const struct wanted *wanted)
{
    struct command key = { .member_id = wanted->owner }, *of = &key;
    struct command **end = claiming->members + claiming->member_count;
    struct command **at = bsearch(&of, claiming->members, claiming->member_count, sizeof *claiming->members, by_member);

    if (!at)
        return false;
    while (at > claiming->members && by_member(at - 1, &of) == 0)
        at--;
    for (; at < end && by_member(at, &of) == 0; at++) {
        if (is_refused(*at) || lists(*at, wanted->card->token))
            return false;
    }
    return true;
}

static void refuse(struct wanted *wanted)
{
    struct command *command = wanted->command;

    command->answer = (struct answer){ .reason = REASON_CARD_TAKEN, .outcome = OUTCOME_REFUSED };
    snprintf(command->answer.detail, sizeof command->answer.detail, "card %td in order of token is another member's",
             wanted->card - command->member.profile->cards + 1);
}

/* Somebody before it in the list gets that card. */
static bool is_late(const struct claiming *claiming, const struct wanted *wanted)
{
    for (const struct wanted *at = wanted; at > claiming->wanted && by_place(at - 1, wanted) == 0;) {
        at--;
        if (!is_refused(at->command) && at->command != wanted->command)
            return true;
    }
    return false;
}

/*
 * Refuses whoever wants a card that is not its and is not given to it. Who is refused gives nothing, so others may be
 * refused because of that; where it goes on and on, nobody gives anything.
 */
static void refuse_taken(struct claiming *claiming)
{
    bool changed = true;

    for (int round = 0; changed; round++) {
        changed = false;
        for (size_t i = 0; i < claiming->count; i++) {
            struct wanted *wanted = &claiming->wanted[i];
            if (is_refused(wanted->command) || is_mine(wanted) ||
                (round < MOVES_IN_A_ROW && is_given(claiming, wanted) && !is_late(claiming, wanted)))
                continue;
            refuse(wanted);
            changed = true;
        }
    }
}

/* *all: nobody was faster. */
static bool take_over(struct claiming *claiming, bool *all, struct error *err)
{
    struct card_row *rows = arena_alloc(&claiming->arena, claiming->count * sizeof *rows);
    struct uuid *from = arena_alloc(&claiming->arena, claiming->count * sizeof *from);
    int64_t taken = 0;
    size_t count = 0;

    *all = true;
    if (!rows || !from)
        return out_of_memory(err);
    for (size_t i = 0; i < claiming->count; i++) {
        if (is_refused(claiming->wanted[i].command) || is_mine(&claiming->wanted[i]))
            continue;
        from[count] = claiming->wanted[i].owner;
        rows[count++] = row_of(&claiming->wanted[i]);
    }
    struct card_take_params params = { { rows, count }, { from, count } };
    if (count && !db_execute(claiming->db, &card_take, &params, &taken, err))
        return false;
    *all = taken == (int64_t)count;
    return true;
}

static bool has_taken(const struct claiming *claiming)
{
    for (size_t i = 0; i < claiming->count; i++) {
        if (!is_mine(&claiming->wanted[i]))
            return true;
    }
    return false;
}

/* When somebody else was faster nothing is given: what is not one's own by then is refused. */
static bool move_within(struct claiming *claiming, struct command *const *commands, size_t count, struct error *err)
{
    bool all = true;

    if (!has_taken(claiming))
        return true;
    if (!index_members(claiming, commands, count, err))
        return false;
    refuse_taken(claiming);
    if (!take_over(claiming, &all, err))
        return false;
    if (all)
        return true;
    claiming->member_count = 0;
    if (!find(claiming, err))
        return false;
    refuse_taken(claiming);
    return true;
}

static bool begin(struct db *db, struct error *err)
{
    return db_begin(db, err) && db_execute(db, &card_plans, NULL, NULL, err);
}

static bool end(struct db *db, bool good, struct error *err)
{
    if (good && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}

static bool claim_all(struct claiming *claiming, struct command *const *commands, size_t count, struct error *err)
{
    bool all = false, freed = false;

    return begin(claiming->db, err) && find(claiming, err) && free_void(claiming, &freed, err) &&
           (!freed || find(claiming, err)) && claim_free(claiming, &all, err) && (all || find(claiming, err)) &&
           move_within(claiming, commands, count, err);
}

bool cards_claim(struct db *db, int32_t buckets, const char *bank_id, struct command *const *commands, size_t count,
                 struct error *err)
{
    CLEANUP(claiming_release) struct claiming claiming = { .db = db, .buckets = buckets, .bank_id = bank_id };

    if (!collect(&claiming, commands, count, err))
        return false;
    if (claiming.count == 0)
        return true;
    return end(db, claim_all(&claiming, commands, count, err), err);
}

/* Settling */

bool cards_unsettled(const struct command *command)
{
    return is_refused(command) ? cards_of(command) > 0
                               : command->answer.change_seq > 0 && command->answer.outcome == OUTCOME_CHANGED;
}

/* 0 for none. */
static int64_t change_of(const struct command *command)
{
    return is_refused(command) ? 0 : command->answer.change_seq;
}

static bool has(const struct text_array *tokens, const char *token)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (strcmp(tokens->at[i], token) == 0)
            return true;
    }
    return false;
}

/* What is to be given up, and what is to be set. */
struct settling {
    struct claiming *claiming;
    struct wanted *cards;
    const struct wanted **up;
    struct uuid *members;
    size_t card_count, up_count, room;
    struct card_row *rows;
    size_t row_count;
};

static void give_up(struct settling *settling, const struct command *command, const char *token)
{
    struct wanted *card = &settling->cards[settling->card_count++];

    card->id = command_card_id(settling->claiming->bank_id, token);
    card->bucket = bucket_of(settling->claiming, &card->id);
    settling->members[settling->up_count] = command->member_id;
    settling->up[settling->up_count++] = card;
}

static void settle_one(struct settling *settling, struct command *command, const struct card_profile_row *profile)
{
    for (size_t i = 0; i < profile->tokens_before.count; i++) {
        if (!has(&profile->tokens, profile->tokens_before.at[i]))
            give_up(settling, command, profile->tokens_before.at[i]);
    }
    for (size_t i = 0; i < cards_of(command); i++) {
        const struct card *card = &command->member.profile->cards[i];
        struct uuid id = command_card_id(settling->claiming->bank_id, card->token);
        if (!has(&profile->tokens, card->token))
            give_up(settling, command, card->token);
        else if (!is_refused(command))
            settling->rows[settling->row_count++] = row_of(&(struct wanted){
                .id = id, .bucket = bucket_of(settling->claiming, &id), .command = command, .card = card });
    }
}

static const struct card_profile_row *profile_of(const struct card_profile_row *rows, size_t count,
                                                 const struct command *command)
{
    static const struct card_profile_row none;
    int64_t seq = change_of(command);

    for (size_t i = 0; i < count; i++) {
        if (rows[i].seq == seq && uuid_compare(&rows[i].member_id, &command->member_id) == 0)
            return &rows[i];
    }
    return &none;
}

static bool read_profiles(struct claiming *claiming, struct command *const *commands, size_t count, void **rows,
                          size_t *row_count, struct error *err)
{
    int64_t *buckets = arena_alloc(&claiming->arena, count * sizeof *buckets),
            *seqs = arena_alloc(&claiming->arena, count * sizeof *seqs);
    struct uuid *members = arena_alloc(&claiming->arena, count * sizeof *members);
    size_t asked = 0;

    if (!buckets || !seqs || !members)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (!cards_unsettled(commands[i]))
            continue;
        members[asked] = commands[i]->member_id;
        buckets[asked] = bucket_of(claiming, &members[asked]);
        seqs[asked++] = change_of(commands[i]);
    }
    struct card_profiles_params params = { { buckets, asked }, { members, asked }, { seqs, asked } };
    return db_fetch(claiming->db, &card_profiles, &params, &claiming->arena, rows, row_count, err);
}

static bool write_settled(struct settling *settling, struct error *err)
{
    struct db *db = settling->claiming->db;
    struct card_rows_params params = { { settling->rows, settling->row_count } };

    return release(settling->claiming, settling->up, settling->members, settling->up_count, err) &&
           (settling->row_count == 0 ||
            (db_execute(db, &card_claim, &params, NULL, err) && db_execute(db, &card_correct, &params, NULL, err)));
}

bool cards_settle(struct db *db, int32_t buckets, const char *bank_id, struct command *const *commands, size_t count,
                  struct error *err)
{
    CLEANUP(claiming_release) struct claiming claiming = { .db = db, .buckets = buckets, .bank_id = bank_id };
    struct settling settling = { .claiming = &claiming, .room = 1 };
    size_t row_count = 0;
    void *rows = NULL;

    for (size_t i = 0; i < count; i++)
        settling.room += cards_unsettled(commands[i]) ? 2 * CARD_TOKENS_MAX : 0;
    settling.cards = arena_alloc(&claiming.arena, settling.room * sizeof *settling.cards);
    settling.up = arena_alloc(&claiming.arena, settling.room * sizeof *settling.up);
    settling.members = arena_alloc(&claiming.arena, settling.room * sizeof *settling.members);
    settling.rows = arena_alloc(&claiming.arena, settling.room * sizeof *settling.rows);
    if (!settling.cards || !settling.up || !settling.members || !settling.rows)
        return out_of_memory(err);
    if (!begin(db, err) || !read_profiles(&claiming, commands, count, &rows, &row_count, err))
        return end(db, false, err);
    for (size_t i = 0; i < count; i++) {
        if (cards_unsettled(commands[i]))
            settle_one(&settling, commands[i], profile_of(rows, row_count, commands[i]));
    }
    return end(db, write_settled(&settling, err), err);
}
