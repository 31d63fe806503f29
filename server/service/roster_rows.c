#include "service/roster_rows.h"

#include "base/exact.h"
#include "engine/command.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"

enum { LENGTH = 4, AAD = 20 };

static void put_number(uint8_t *at, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
}

/* What the sealed rows belong to. */
static void write_aad(const struct roster_chunk *chunk, uint8_t aad[AAD])
{
    put_number(aad, (uint64_t)chunk->bank_no, 4);
    put_number(aad + 4, (uint64_t)chunk->batch_number, 8);
    put_number(aad + 12, (uint64_t)chunk->first_row, 8);
}

/* A row without a member is told as an empty one, and refused when its turn comes. */
static size_t packed_size(const Alliance__V1__Member *member)
{
    return member ? protobuf_c_message_get_packed_size(&member->base) : 0;
}

static bool add_limit(struct roster_chunk *chunk, const Alliance__V1__Member *member, size_t i, struct error *err)
{
    return !member || exact_add(chunk->credit_limit_total, member->credit_limit, &chunk->credit_limit_total) ||
           error_field(err, REASON_FIELD_INVALID, "rows", "the credit limits up to the %zuth do not add up to a number",
                       i + 1);
}

static size_t measure(Alliance__V1__MemberRow *const *rows, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        if (rows[i]->member)
            shape_forget_unknown(&rows[i]->member->base);
        size += LENGTH + packed_size(rows[i]->member);
    }
    return size;
}

bool roster_chunk_pack(struct roster_chunk *chunk, const char *bank_id, Alliance__V1__MemberRow *const *rows,
                       size_t count, const struct crypto_key *key, struct arena *arena, struct error *err)
{
    size_t size = measure(rows, count), at = 0;
    uint8_t *plain = arena_alloc(arena, size), aad[AAD];
    struct uuid *ids = arena_alloc(arena, count * sizeof *ids);
    struct crypto_bytes sealed;
    struct error ignored;

    if (!plain || !ids)
        return errand_no_room(err);
    for (size_t i = 0; i < count; i++) {
        const Alliance__V1__Member *member = rows[i]->member;
        put_number(plain + at, packed_size(member), LENGTH);
        at += LENGTH;
        if (member)
            at += protobuf_c_message_pack(&member->base, plain + at);
        if (member && check_member_ref("", member->member_ref, &ignored))
            ids[i] = command_member_id(bank_id, member->member_ref);
        if (!add_limit(chunk, member, i, err))
            return false;
    }
    write_aad(chunk, aad);
    if (!crypto_seal(key, arena, plain, size, aad, sizeof aad, &sealed, err))
        return false;
    chunk->row_count = (int32_t)count;
    chunk->rows = (struct bytes){ sealed.at, sealed.size };
    chunk->member_ids = (struct uuid_array){ ids, count };
    return true;
}

bool roster_chunk_open(const struct roster_chunk *chunk, const struct crypto_key *key, struct arena *arena,
                       struct crypto_bytes *rows, struct error *err)
{
    uint8_t aad[AAD];

    write_aad(chunk, aad);
    return crypto_open(key, arena, chunk->rows.at, chunk->rows.size, aad, sizeof aad, rows, err);
}

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void give_back(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

ProtobufCMessage *roster_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size,
                                struct arena *arena)
{
    ProtobufCAllocator allocator = { take, give_back, arena };

    return protobuf_c_message_unpack(type, &allocator, size, bytes);
}

Alliance__V1__Member *roster_member(const struct crypto_bytes *rows, size_t *at, struct arena *arena)
{
    size_t size = 0;

    if (rows->size - *at < LENGTH)
        return NULL;
    for (size_t i = 0; i < LENGTH; i++)
        size = size << 8 | rows->at[*at + i];
    *at += LENGTH;
    if (rows->size - *at < size)
        return NULL;
    const uint8_t *bytes = rows->at + *at;
    *at += size;
    return (Alliance__V1__Member *)roster_unpack(&alliance__v1__member__descriptor, bytes, size, arena);
}
