#include "service/roster_same.h"

#include "domain/account.h"
#include "domain/member.h"
#include "domain/packed.h"
#include "engine/batch.h"
#include "store/card_store.h"
#include "store/roster_store.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_AT_ONCE = 16 };

struct candidate {
    struct command *command;
    bool *same;
    size_t cards; /* found to be as it says */
};

struct roster_look {
    struct db *db;
    int32_t buckets;
    const char *bank_id;
    struct candidate *candidates; /* in order of bucket and member */
    size_t count;
    struct arena *arena;
    struct account *scratch;
    int32_t next_bucket, queued; /* to be asked for; asked for and not read */
};

static bool no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "no memory for a window of a roster batch");
}

static int32_t bucket_of(const struct roster_look *looking, const struct candidate *candidate)
{
    return member_hash16(&candidate->command->member_id) % looking->buckets;
}

static int by_member(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;

    return uuid_compare(&left->command->member_id, &right->command->member_id);
}

static struct candidate *find(const struct roster_look *looking, const struct uuid *member_id)
{
    struct command wanted = { .member_id = *member_id };
    const struct candidate key = { .command = &wanted };

    return bsearch(&key, looking->candidates, looking->count, sizeof key, by_member);
}

/* Members */

static bool is_as_wished(struct roster_look *looking, const struct roster_standing *row, const struct command *command)
{
    struct account *account = looking->scratch;
    struct member_wish wish = { .status = command->member.status,
                                .has_tier = command->member.has_tier,
                                .tier = command->member.tier,
                                .credit = command->member.credit };

    if (row->profile_hash.size != sizeof account->profile_hash || row->bank_no != command->bank_no ||
        !unpack_credit(row->credit.at, row->credit.size, &account->plan, &account->drawn))
        return false;
    account->status = row->status;
    account->tier = row->tier;
    account->credit_limit = row->credit_limit;
    memcpy(account->profile_hash, row->profile_hash.at, sizeof account->profile_hash);
    batch_profile_hash(command->member.profile, wish.profile_hash);
    return member_is_so(account, &wish);
}

static bool ask(struct roster_look *looking, int32_t bucket, bool *asked, struct error *err)
{
    struct uuid *ids = arena_alloc(looking->arena, looking->count * sizeof *ids);
    struct roster_standings_params params = { bucket, { ids, 0 } };

    if (!ids)
        return no_room(err);
    for (size_t i = 0; i < looking->count; i++) {
        if (bucket_of(looking, &looking->candidates[i]) == bucket)
            ids[params.ids.count++] = looking->candidates[i].command->member_id;
    }
    *asked = params.ids.count > 0;
    return !*asked || db_queue(looking->db, &roster_standings, &params, err);
}

static bool answer(struct roster_look *looking, struct error *err)
{
    struct roster_standing *rows;
    size_t count;

    if (!db_next(looking->db, looking->arena, (void **)&rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = find(looking, &rows[i].member_id);
        if (candidate)
            *candidate->same = is_as_wished(looking, &rows[i], candidate->command);
    }
    return true;
}

/* A statement a bucket, some buckets a round trip: what is asked for is read by read_asked. */
static bool ask_buckets(struct roster_look *looking, struct error *err)
{
    int32_t end = looking->next_bucket + BUCKETS_AT_ONCE;
    bool good = db_pipeline_begin(looking->db, err), asked = false;

    if (end > looking->buckets)
        end = looking->buckets;
    for (; good && looking->next_bucket < end; looking->next_bucket++) {
        good = ask(looking, looking->next_bucket, &asked, err);
        looking->queued += good && asked;
    }
    return good && (looking->queued == 0 || db_flush(looking->db, true, err));
}

static bool read_asked(struct roster_look *looking, bool good, struct error *err)
{
    for (; good && looking->queued > 0; looking->queued--)
        good = answer(looking, err);
    return db_pipeline_end(looking->db, err) && good;
}

/* Cards */

static const struct member_profile *cards_of(const struct candidate *candidate)
{
    const struct member_profile *profile = candidate->command->member.profile;

    return *candidate->same && profile && profile->card_count > 0 ? profile : NULL;
}

static bool list_cards(const struct roster_look *looking, struct card_ids_params *params, struct error *err)
{
    size_t room = 0, count = 0;

    for (size_t i = 0; i < looking->count; i++)
        room += cards_of(&looking->candidates[i]) ? cards_of(&looking->candidates[i])->card_count : 0;
    struct uuid *ids = arena_alloc(looking->arena, (room + 1) * sizeof *ids);
    int64_t *buckets = arena_alloc(looking->arena, (room + 1) * sizeof *buckets);
    if (!ids || !buckets)
        return no_room(err);
    for (size_t i = 0; i < looking->count; i++) {
        const struct member_profile *profile = cards_of(&looking->candidates[i]);
        for (size_t k = 0; profile && k < profile->card_count; k++, count++) {
            ids[count] = command_card_id(looking->bank_id, profile->tokens[k]);
            buckets[count] = member_hash16(&ids[count]) % looking->buckets;
        }
    }
    *params = (struct card_ids_params){ { buckets, count }, { ids, count } };
    return true;
}

static bool is_card(const struct card *card, const struct card_row *row)
{
    return strcmp(card->product, row->product) == 0 && card->status == row->status &&
           card->expires_on.days == row->expires_on.days && card->supplementary == row->supplementary;
}

static void count_card(const struct roster_look *looking, const struct card_row *row)
{
    struct candidate *owner = find(looking, &row->member_id);
    const struct member_profile *profile = owner ? cards_of(owner) : NULL;

    for (size_t k = 0; profile && k < profile->card_count; k++) {
        struct uuid id = command_card_id(looking->bank_id, profile->tokens[k]);
        owner->cards += uuid_compare(&id, &row->id) == 0 && is_card(&profile->cards[k], row);
    }
}

static bool read_cards(struct roster_look *looking, struct error *err)
{
    struct card_ids_params params;
    struct card_row *rows;
    size_t count;

    if (!list_cards(looking, &params, err))
        return false;
    if (params.ids.count == 0)
        return true;
    if (!db_fetch(looking->db, &card_find, &params, looking->arena, (void **)&rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        count_card(looking, &rows[i]);
    for (size_t i = 0; i < looking->count; i++) {
        const struct member_profile *profile = cards_of(&looking->candidates[i]);
        if (profile)
            *looking->candidates[i].same = looking->candidates[i].cards == profile->card_count;
    }
    return true;
}

bool roster_look_begin(struct db *db, int32_t buckets, const char *bank_id, struct command *const *commands,
                       size_t count, bool *same, struct arena *arena, struct roster_look **out, struct error *err)
{
    static const struct statement *const statements[] = { &roster_standings };
    struct roster_look *looking = arena_alloc(arena, sizeof *looking);

    *out = NULL;
    if (!looking)
        return no_room(err);
    *looking = (struct roster_look){ .db = db, .buckets = buckets, .bank_id = bank_id, .count = count, .arena = arena };
    looking->candidates = arena_alloc(arena, count * sizeof *looking->candidates);
    looking->scratch = arena_alloc(arena, sizeof *looking->scratch);
    if (!looking->candidates || !looking->scratch)
        return no_room(err);
    for (size_t i = 0; i < count; i++) {
        same[i] = false;
        looking->candidates[i] = (struct candidate){ commands[i], &same[i], 0 };
    }
    qsort(looking->candidates, count, sizeof *looking->candidates, by_member);
    if (!db_prepare(db, statements, COUNT(statements), err))
        return false;
    if (!ask_buckets(looking, err)) {
        struct error later;
        (void)read_asked(looking, false, &later);
        return false;
    }
    *out = looking;
    return true;
}

bool roster_look_end(struct roster_look *looking, struct error *err)
{
    bool good = read_asked(looking, true, err);

    while (good && looking->next_bucket < looking->buckets) {
        good = ask_buckets(looking, err);
        good = read_asked(looking, good, err);
    }
    return good && read_cards(looking, err);
}
