#include "batch.h"

#include "base/limits.h"
#include "base/text.h"
#include "io/amount.h"
#include "io/crypto.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name_slot {
    const char *name; /* NULL: free */
    int32_t index;
};

/* Open addressing; never more than half full. */
struct batch_names {
    size_t size, used; /* size is a power of two */
    struct name_slot slots[];
};

static size_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

/* The name's slot, or the free one where it belongs. */
static struct name_slot *slot_of(struct batch_names *names, const char *name)
{
    size_t i = hash_of(name) & (names->size - 1);

    while (names->slots[i].name && strcmp(names->slots[i].name, name) != 0)
        i = (i + 1) & (names->size - 1);
    return &names->slots[i];
}

static int32_t names_get(struct batch_names *names, const char *name)
{
    struct name_slot *slot = names ? slot_of(names, name) : NULL;

    return slot && slot->name ? slot->index : BATCH_NONE;
}

static bool names_grow(struct batch_names **names)
{
    struct batch_names *old = *names;
    size_t size = old ? old->size * 2 : 1024;
    struct batch_names *made = calloc(1, sizeof *made + size * sizeof made->slots[0]);

    if (!made)
        return false;
    made->size = size;
    for (size_t i = 0; old && i < old->size; i++) {
        if (old->slots[i].name)
            *slot_of(made, old->slots[i].name) = old->slots[i], made->used++;
    }
    free(old);
    *names = made;
    return true;
}

/* name is borrowed for as long as the names live. */
static bool names_put(struct batch_names **names, const char *name, int32_t index)
{
    if ((!*names || (*names)->used * 2 >= (*names)->size) && !names_grow(names))
        return false;
    struct name_slot *slot = slot_of(*names, name);
    (*names)->used += !slot->name;
    *slot = (struct name_slot){ name, index };
    return true;
}

static const char *const action_names[BATCH_ACTIONS] = { "hold", "redeem", "confirm", "cancel", "reverse" };

const char *batch_action_name(enum batch_action action)
{
    return action_names[action];
}

bool batch_makes(enum batch_action action)
{
    return action == BATCH_HOLD || action == BATCH_REDEEM;
}

static bool read_action(const char *text, enum batch_action *action, struct error *err)
{
    for (size_t i = 0; i < BATCH_ACTIONS; i++) {
        if (strcmp(action_names[i], text) == 0) {
            *action = (enum batch_action)i;
            return true;
        }
    }
    return error_field(err, REASON_FIELD_INVALID, "action", "must be hold, redeem, confirm, cancel or reverse");
}

static bool read_points(const struct batch_text *text, struct batch_row *row, struct error *err)
{
    bool all = !*text->points && !batch_makes(row->action);

    if (all || (row->action == BATCH_CANCEL && strcmp(text->points, "0") == 0))
        return true;
    if (row->action == BATCH_CANCEL)
        return error_field(err, REASON_FIELD_INVALID, "points", "must be empty: a cancel gives all points back");
    return whole_parse(text->points, "points", batch_makes(row->action), POINTS_MAX, &row->points, err);
}

static bool need(const char *value, const char *column, struct error *err)
{
    return *value || error_field(err, REASON_FIELD_INVALID, column, "must not be empty");
}

/* "<uuid>.<four hexadecimal digits>", as a receipt gives it. */
static bool is_redemption_id(const char *text)
{
    char uuid_part[UUID_TEXT] = "";
    struct uuid uuid;

    if (strlen(text) != UUID_TEXT - 1 + 5 || text[UUID_TEXT - 1] != '.')
        return false;
    memcpy(uuid_part, text, UUID_TEXT - 1);
    return uuid_parse(uuid_part, &uuid) && strspn(text + UUID_TEXT, "0123456789abcdef") == 4;
}

static bool check_names(const struct batch_text *text, struct error *err)
{
    return need(text->bank_id, "member_bank", err) && need(text->member_ref, "member_ref", err) &&
           need(text->merchant_id, "merchant", err);
}

static bool check_hold(const struct batch *batch, const struct batch_text *text, struct error *err)
{
    int32_t held = names_get(batch->keys, text->key);

    if (held != BATCH_NONE)
        return error_field(err, REASON_FIELD_INVALID, "key", "is held already on line %" PRId64,
                           batch->rows[held].line);
    return check_names(text, err);
}

/* Blank, or the same as in the hold's row. */
static bool agrees(const char *value, const char *held, const char *column, struct error *err)
{
    return !*value || strcmp(value, held) == 0 ||
           error_field(err, REASON_FIELD_INVALID, column, "is another than the hold's");
}

/* A key that is a redemption_id names one held before this file: the row then stands for its hold, too. */
static bool find_hold(const struct batch *batch, const struct batch_text *text, struct batch_row *row,
                      struct error *err)
{
    int32_t held = names_get(batch->keys, text->key);

    if (held == BATCH_NONE && is_redemption_id(text->key))
        return check_names(text, err);
    row->hold = held;
    if (held == BATCH_NONE)
        return error_field(err, REASON_FIELD_INVALID, "key", "no row before this one holds it");
    const struct batch_row *hold = &batch->rows[row->hold];
    return agrees(text->bank_id, hold->bank_id, "member_bank", err) &&
           agrees(text->member_ref, hold->member_ref, "member_ref", err) &&
           agrees(text->merchant_id, hold->merchant_id, "merchant", err);
}

static const char *keep(struct batch *batch, const char *text)
{
    batch->arena.limit = (size_t)2 << 30;
    return arena_copy(&batch->arena, text, strlen(text));
}

static bool keep_texts(struct batch *batch, const struct batch_text *text, struct batch_row *row)
{
    row->key = keep(batch, text->key);
    if (!batch_makes(row->action))
        row->redemption_id = arena_copy(&batch->arena, text->key, strlen(text->key));
    row->bank_id = keep(batch, text->bank_id);
    row->member_ref = keep(batch, text->member_ref);
    row->merchant_id = keep(batch, text->merchant_id);
    row->store_id = keep(batch, text->store_id);
    row->goods_id = keep(batch, text->goods_id);
    row->card_token = keep(batch, text->card_token);
    return (batch_makes(row->action) || row->redemption_id) && row->key && row->bank_id && row->member_ref &&
           row->merchant_id && row->store_id && row->goods_id && row->card_token;
}

static bool make_room(struct batch *batch)
{
    if (batch->count < batch->capacity)
        return true;
    int32_t capacity = batch->capacity ? batch->capacity * 2 : 1024;
    struct batch_row *rows = realloc(batch->rows, (size_t)capacity * sizeof *rows);
    if (!rows)
        return false;
    batch->rows = rows;
    batch->capacity = capacity;
    return true;
}

/* Behind the member's latest row. The names' texts are the hold's, which live as long as the batch. */
static bool link_row(struct batch *batch, int32_t index)
{
    struct batch_row *hold = &batch->rows[batch->rows[index].hold];
    size_t size = strlen(hold->bank_id) + strlen(hold->member_ref) + 2;
    char *member = arena_alloc(&batch->arena, size);

    if (!member)
        return false;
    snprintf(member, size, "%s %s", hold->bank_id, hold->member_ref);
    int32_t latest = names_get(batch->members, member);
    if (latest != BATCH_NONE)
        batch->rows[latest].next = index;
    batch->rows[index].next = BATCH_NONE;
    return names_put(&batch->members, member, index);
}

bool batch_add(struct batch *batch, int64_t line, const struct batch_text *text, struct error *err)
{
    struct batch_row row = { .line = line, .hold = batch->count };
    bool hold, first;

    if (!read_action(text->action, &row.action, err) || !need(text->key, "key", err))
        return false;
    hold = batch_makes(row.action);
    if (!(hold ? check_hold(batch, text, err) : find_hold(batch, text, &row, err)) || !read_points(text, &row, err))
        return false;
    first = row.hold == batch->count;
    if (batch->count == BATCH_ROWS_MAX)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "the file has more than %d rows", BATCH_ROWS_MAX);
    if (!make_room(batch) || (first && !keep_texts(batch, text, &row)))
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!first)
        row.key = batch->rows[row.hold].key;
    batch->rows[batch->count] = row;
    if (!link_row(batch, batch->count) || (first && !names_put(&batch->keys, row.key, batch->count)))
        return error_set(err, REASON_INTERNAL, "out of memory");
    batch->count++;
    return true;
}

void batch_release(struct batch *batch)
{
    arena_release(&batch->arena);
    free(batch->rows);
    free(batch->keys);
    free(batch->members);
    free(batch->ready);
    *batch = (struct batch){ 0 };
}

static void push_ready(struct batch *batch, int32_t row)
{
    int32_t *heap = batch->ready, i = batch->ready_count++;

    for (; i > 0 && heap[(i - 1) / 2] > row; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = row;
}

static int32_t pop_ready(struct batch *batch)
{
    int32_t *heap = batch->ready, least = heap[0], last = heap[--batch->ready_count], i = 0;

    for (int32_t child = 1; child < batch->ready_count; child = 2 * i + 1) {
        child += child + 1 < batch->ready_count && heap[child + 1] < heap[child];
        if (heap[child] >= last)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return least;
}

bool batch_start(struct batch *batch, struct error *err)
{
    bool *follows = arena_alloc(&batch->arena, (size_t)batch->count + 1);

    batch->ready = calloc((size_t)batch->count + 1, sizeof *batch->ready);
    if (!follows || !batch->ready)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (int32_t i = 0; i < batch->count; i++) {
        if (batch->rows[i].next != BATCH_NONE)
            follows[batch->rows[i].next] = true;
        if (!follows[i])
            push_ready(batch, i);
    }
    return true;
}

struct batch_row *batch_take(struct batch *batch)
{
    return batch->ready_count > 0 ? &batch->rows[pop_ready(batch)] : NULL;
}

void batch_done(struct batch *batch, const struct batch_row *row)
{
    if (row->next != BATCH_NONE)
        push_ready(batch, row->next);
}

struct uuid batch_request_id(struct instant instant, const uint8_t seed[BATCH_SEED], int64_t line)
{
    uint8_t hash[CRYPTO_HASH];
    char number[24];
    int size = snprintf(number, sizeof number, "%" PRId64, line);

    crypto_sha256_two(seed, BATCH_SEED, number, (size_t)size, hash);
    return uuid_v7(instant, hash);
}
