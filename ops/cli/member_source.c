#include "member_source.h"

#include "member_rows.h"

#include "io/digest.h"

enum source_next member_source_next(struct member_source *members, struct arena *arena)
{
    struct row_source *source = members->source;
    enum source_next next = row_source_next(source);

    members->row = NULL;
    if (next != SOURCE_ROW)
        return next;
    members->row = member_read(source->row->values, members->row_number + 1, arena, &source->row->err);
    if (!members->row) {
        row_source_place(source, &source->row->err);
        return SOURCE_BAD;
    }
    members->row_number++;
    return SOURCE_ROW;
}

/* What one pass gathers. */
struct totalling {
    struct digest digest;
    struct arena arena;
};

static void release(struct totalling *work)
{
    digest_release(&work->digest);
    arena_release(&work->arena);
}

static bool add(struct totalling *work, const Alliance__V1__Member *member, struct member_totals *totals,
                struct error *err)
{
    size_t size = protobuf_c_message_get_packed_size(&member->base);
    uint8_t *bytes = arena_alloc(&work->arena, size + 1);
    const uint8_t head[] = { (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size };

    if (!bytes)
        return error_set(err, REASON_INTERNAL, "out of memory");
    protobuf_c_message_pack(&member->base, bytes);
    digest_add(&work->digest, head, sizeof head);
    digest_add(&work->digest, bytes, size);
    totals->rows++;
    totals->credit_limit_total += member->credit_limit; /* at most 5,000,000 of at most 10^12: it fits */
    return true;
}

bool member_source_totals(struct row_source *source, struct refusals *refusals, struct member_totals *totals,
                          struct error *err)
{
    CLEANUP(release) struct totalling work = { 0 };
    struct member_source members = { .source = source };
    enum source_next next;

    *totals = (struct member_totals){ 0 };
    digest_begin(&work.digest);
    while ((next = member_source_next(&members, &work.arena)) == SOURCE_ROW || next == SOURCE_BAD) {
        const struct source_row *row = source->row;
        if (next == SOURCE_ROW && !add(&work, members.row->member, totals, err))
            return false;
        totals->refused += next == SOURCE_BAD;
        if (next == SOURCE_BAD && refusals)
            refusals_add_error(refusals, &row->copy, row->text, &row->err);
        arena_reset(&work.arena);
    }
    if (next == SOURCE_BROKEN)
        return row_source_broken(source, err);
    digest_end(&work.digest, totals->rows_sha256);
    return row_source_rewind(source, err);
}
