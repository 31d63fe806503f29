#include "service/spend_owner.h"

#include "engine/command.h"
#include "store/card_store.h"

/* An accrual that an earlier owner may have. */
struct candidate {
    struct spend_card *card;
    const char *member_ref;
};

struct search {
    struct db *db;
    int32_t buckets;
    const char *bank_id;
    struct spend_card *cards;
    size_t count;
    struct arena *arena;
    struct error *err;
};

static bool no_room(const struct search *search)
{
    return error_set(search->err, REASON_INTERNAL, "out of memory");
}

static bool ask(const struct search *search, const struct statement *statement, int64_t *buckets, struct uuid *ids,
                size_t count, void **rows, size_t *row_count)
{
    const struct card_ids_params params = { { buckets, count }, { ids, count } };

    return db_fetch(search->db, statement, &params, search->arena, rows, row_count, search->err);
}

static bool find_cards(const struct search *search, const struct card_owner_row **rows, size_t *row_count)
{
    int64_t *buckets = arena_alloc(search->arena, search->count * sizeof *buckets);
    struct uuid *ids = arena_alloc(search->arena, search->count * sizeof *ids);
    void *found = NULL;

    if (!buckets || !ids)
        return no_room(search);
    for (size_t i = 0; i < search->count; i++) {
        ids[i] = command_card_id(search->bank_id, search->cards[i].token);
        buckets[i] = member_hash16(&ids[i]) % search->buckets;
    }
    bool good = ask(search, &card_owners, buckets, ids, search->count, &found, row_count);
    *rows = found;
    return good;
}

/* Of several earlier owners the latest that has it. */
static bool look_back(const struct search *search, const struct candidate *candidates, size_t count)
{
    int64_t *buckets = arena_alloc(search->arena, count * sizeof *buckets);
    struct uuid *ids = arena_alloc(search->arena, count * sizeof *ids);
    void *found = NULL;
    size_t found_count = 0;

    if (!buckets || !ids)
        return no_room(search);
    for (size_t i = 0; i < count; i++) {
        struct uuid member_id = command_member_id(search->bank_id, candidates[i].member_ref);
        ids[i] = command_accrual_id(search->bank_id, candidates[i].member_ref, candidates[i].card->purchase);
        buckets[i] = member_hash16(&member_id) % search->buckets;
    }
    if (!ask(search, &card_known_accruals, buckets, ids, count, &found, &found_count))
        return false;
    for (size_t i = found_count; i-- > 0;) {
        const struct candidate *at = &candidates[((const struct accrual_place_row *)found)[i].place];
        at->card->member_ref = at->member_ref;
    }
    return true;
}

bool spend_find_owners(struct db *db, int32_t buckets, const char *bank_id, struct spend_card *cards, size_t count,
                       struct arena *arena, struct error *err)
{
    const struct search search = { db, buckets, bank_id, cards, count, arena, err };
    const struct card_owner_row *rows = NULL;
    size_t row_count = 0, earlier = 0;

    if (!find_cards(&search, &rows, &row_count))
        return false;
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].member_ref[0])
            cards[rows[i].place].member_ref = rows[i].member_ref;
        earlier += rows[i].earlier.count;
    }
    if (earlier == 0)
        return true;
    struct candidate *candidates = arena_alloc(arena, earlier * sizeof *candidates);
    if (!candidates)
        return no_room(&search);
    earlier = 0;
    for (size_t i = 0; i < row_count; i++) {
        for (size_t k = 0; k < rows[i].earlier.count; k++)
            candidates[earlier++] = (struct candidate){ &cards[rows[i].place], rows[i].earlier.at[k] };
    }
    return look_back(&search, candidates, earlier);
}
