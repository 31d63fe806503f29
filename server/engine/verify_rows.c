/*
 * verify_rows.c -- rows that must have entries: redemptions, requests that moved points, card transactions, transfers.
 */
#include "engine/verify_walk.h"

#include "domain/packed.h"
#include "engine/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 1000, TRANSFERS_AT_ONCE = 100 };

/* Tells of a row of a member, unless it is of a programme nobody asked about. */
static bool tell_of(struct verify *verify, struct db *db, enum verify_rule rule, const struct uuid *member_id,
                    const char *what, const struct uuid *id, struct error *err)
{
    const struct verify_member_params params = { verify->bucket, *member_id };
    struct verify_account_row account = { .member_id = *member_id };
    struct verify_member_row row = { 0 };
    char name[UUID_TEXT];
    bool found;

    arena_reset(&verify->each);
    if (!db_fetch_one(db, &verify_member, &params, &verify->each, &row, &found, err))
        return false;
    if (found && !verify_in_scope(verify, row.programme_no))
        return true;
    account.bank_no = row.bank_no;
    account.member_ref = found ? row.member_ref : "";
    uuid_format(id, name);
    verify_tell(verify, rule, &account, member_id, 0, "%s %s%s", what, name,
                found ? " has no entry" : " has no entry, its member no account");
    return true;
}

/* Redemptions and requests: their ids are of one time, so their entries are of a few days. */

struct booked {
    const struct verify_map *map;
    bool *seen;
};

static bool see_booked(void *owner, const void *row, struct error *err)
{
    const struct booked *booked = owner;
    const struct verify_booked_row *entry = row;
    int64_t by_redemption = verify_map_find(booked->map, &entry->redemption_id);
    int64_t by_ref = verify_map_find(booked->map, &entry->ref);

    (void)err;
    if (by_redemption >= 0)
        booked->seen[by_redemption] = true;
    if (by_ref >= 0)
        booked->seen[by_ref] = true;
    return true;
}

static bool find_booked(struct verify *verify, struct db *db, const struct verify_walk_row *rows, size_t count,
                        bool *seen, struct error *err)
{
    struct verify_booked_params params = { verify->bucket, { NULL, 0 }, { INT32_MAX }, { INT32_MIN } };
    struct uuid *members = arena_alloc(&verify->rows, (count + 1) * sizeof *members);
    struct booked booked = { &verify->cause_map, seen };

    if (!members)
        return verify_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].wanted)
            continue;
        if (!verify_map_add(&verify->cause_map, &rows[i].id, i))
            return verify_no_memory(err);
        members[params.members.count++] = rows[i].member_id;
        if (rows[i].business_date.days < params.first.days)
            params.first = rows[i].business_date;
        if (rows[i].business_date.days > params.last.days)
            params.last = rows[i].business_date;
    }
    params.members.at = members;
    return params.members.count == 0 || db_each(db, &verify_booked, &params, &verify->each, see_booked, &booked, err);
}

static bool walk(struct verify *verify, struct db *db, const struct statement *statement, enum verify_rule rule,
                 const char *what, bool *more, struct error *err)
{
    const struct verify_walk_params params = { verify->bucket, verify->after, ROWS_AT_ONCE };
    bool seen[ROWS_AT_ONCE] = { false }, good;
    size_t count;
    void *fetched;

    arena_reset(&verify->rows);
    if (!db_fetch(db, statement, &params, &verify->rows, &fetched, &count, err))
        return false;
    const struct verify_walk_row *rows = fetched;
    good = find_booked(verify, db, rows, count, seen, err);
    verify_map_clear(&verify->cause_map);
    for (size_t i = 0; good && i < count; i++) {
        if (rows[i].wanted && !seen[i])
            good = tell_of(verify, db, rule, &rows[i].member_id, what, &rows[i].id, err);
    }
    *more = count == ROWS_AT_ONCE;
    if (count > 0)
        verify->after = rows[count - 1].id;
    return good;
}

static bool walk_accruals(struct verify *verify, struct db *db, bool *more, struct error *err)
{
    const struct verify_walk_params params = { verify->bucket, verify->after, ROWS_AT_ONCE };
    size_t count;
    void *fetched;

    arena_reset(&verify->rows);
    if (!db_fetch(db, &verify_walk_accruals, &params, &verify->rows, &fetched, &count, err))
        return false;
    const struct verify_accrual_walk_row *rows = fetched;
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].booked &&
            !tell_of(verify, db, VERIFY_ACCRUAL_UNBOOKED, &rows[i].member_id, "card transaction", &rows[i].id, err))
            return false;
    }
    *more = count == ROWS_AT_ONCE;
    if (count > 0)
        verify->after = rows[count - 1].id;
    return true;
}

/* Transfers */

/* Points by what they are: available, pending, credit used. */
struct parts {
    int64_t points[3];
};
struct moves {
    struct parts out, in, back;
    int64_t closed; /* what of it closed days left in clearing.transfer */
};

static const struct {
    int16_t kind;
    int part;
    int sign; /* of what it puts into clearing.transfer */
} transfer_kinds[] = {
    { ENTRY_TRANSFER_OUT, 0, 1 },   { ENTRY_PENDING_OUT, 1, 1 }, { ENTRY_CREDIT_OUT, 2, -1 },
    { ENTRY_TRANSFER_IN, 0, -1 },   { ENTRY_PENDING_IN, 1, -1 }, { ENTRY_CREDIT_IN, 2, 1 },
    { ENTRY_TRANSFER_BACK, 0, -1 },
};

static bool add_moves(struct verify *verify, struct db *db, int32_t programme_no,
                      const struct verify_moved_params *params, struct parts *parts, int64_t *closed, struct error *err)
{
    const struct verify_programme *programme = verify_programme_of(verify, programme_no);
    size_t count;
    void *fetched;

    arena_reset(&verify->each);
    if (!db_fetch(db, &verify_moved, params, &verify->each, &fetched, &count, err))
        return false;
    const struct verify_moved_row *rows = fetched;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < COUNT(transfer_kinds); k++) {
            if (transfer_kinds[k].kind != rows[i].kind)
                continue;
            int64_t *part = &parts->points[transfer_kinds[k].part];
            *part = verify_sum(*part, rows[i].points);
            if (programme && rows[i].business_date.days < programme->open_from.days)
                *closed =
                    verify_sum(*closed, transfer_kinds[k].sign > 0 ? rows[i].points : verify_less(0, rows[i].points));
        }
    }
    return true;
}

static bool read_moves(struct verify *verify, struct db *db, const struct verify_transfer_row *row, struct moves *moves,
                       struct error *err)
{
    int32_t to_bucket = member_hash16(&row->to_member_id) % verify->scope.buckets;
    const struct verify_moved_params out = { verify->bucket, row->from_member_id, row->id };
    const struct verify_moved_params in = { to_bucket, row->to_member_id, command_transfer_step(&row->id, "receive") };
    const struct verify_moved_params back = { verify->bucket, row->from_member_id,
                                              command_transfer_step(&row->id, "settle") };

    return add_moves(verify, db, row->programme_no, &out, &moves->out, &moves->closed, err) &&
           add_moves(verify, db, row->programme_no, &in, &moves->in, &moves->closed, err) &&
           add_moves(verify, db, row->programme_no, &back, &moves->back, &moves->closed, err);
}

static bool same(const struct parts *a, const struct parts *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* What must have happened by its state; the receiver's part may be ahead of a transfer that is on its way. */
static const char *transfer_fault(const struct verify_transfer_row *row, const struct parts *sent,
                                  const struct moves *moves)
{
    const struct parts none = { { 0 } };
    bool came = same(&moves->in, sent), went_back = same(&moves->back, sent);
    bool came_not = same(&moves->in, &none), went_not_back = same(&moves->back, &none);

    if (!same(&moves->out, sent))
        return "what the giver's entries took off is not what the transfer carries";
    if (row->state == TRANSFER_SENT)
        return went_not_back && (came || came_not) ? NULL : "it is on its way, but its entries say otherwise";
    if (row->state == TRANSFER_RECEIVED)
        return came && went_not_back ? NULL : "it is received, but its entries say otherwise";
    if (row->state == TRANSFER_GIVEN_BACK)
        return went_back && came_not ? NULL : "it is given back, but its entries say otherwise";
    return "its state is none a transfer has";
}

static bool sent_parts(const struct verify_transfer_row *row, struct parts *sent)
{
    struct pending_lots pending;
    struct lots lots;

    *sent = (struct parts){ { 0, 0, row->credit } };
    if (!unpack_lots(row->lots.at, row->lots.size, &lots) ||
        !unpack_pending(row->pending_lots.at, row->pending_lots.size, &pending))
        return false;
    for (size_t i = 0; i < lots.count; i++)
        sent->points[0] = verify_sum(sent->points[0], lots.at[i].points);
    for (size_t i = 0; i < pending.count; i++)
        sent->points[1] = verify_sum(sent->points[1], pending.at[i].points);
    return true;
}

static bool check_transfer(struct verify *verify, struct db *db, const struct verify_transfer_row *row,
                           struct error *err)
{
    struct verify_programme *programme = verify_programme_of(verify, row->programme_no);
    const struct verify_account_row giver = { .member_id = row->from_member_id, .bank_no = row->bank_no };
    struct moves moves = { 0 };
    struct parts sent;
    char name[UUID_TEXT];

    if (!verify_in_scope(verify, row->programme_no))
        return true;
    if (!read_moves(verify, db, row, &moves, err))
        return false;
    if (programme)
        programme->accounted = verify_sum(programme->accounted, moves.closed);
    const char *fault = sent_parts(row, &sent) ? transfer_fault(row, &sent, &moves) : "its lots are cut";
    uuid_format(&row->id, name);
    if (fault)
        verify_tell(verify, VERIFY_TRANSFER_DIFFERS, &giver, NULL, 0, "transfer %s: %s", name, fault);
    return true;
}

static bool walk_transfers(struct verify *verify, struct db *db, bool *more, struct error *err)
{
    const struct verify_walk_params params = { verify->bucket, verify->after, TRANSFERS_AT_ONCE };
    size_t count;
    void *fetched;

    arena_reset(&verify->rows);
    if (!db_fetch(db, &verify_walk_transfers, &params, &verify->rows, &fetched, &count, err))
        return false;
    const struct verify_transfer_row *rows = fetched;
    for (size_t i = 0; i < count; i++) {
        if (!check_transfer(verify, db, &rows[i], err))
            return false;
    }
    *more = count == TRANSFERS_AT_ONCE;
    if (count > 0)
        verify->after = rows[count - 1].id;
    return true;
}

bool verify_rows_step(struct verify *verify, struct db *db, bool *more, struct error *err)
{
    *more = false;
    switch (verify->phase) {
    case PHASE_SEALS:
        return verify_seal_step(verify, db, err);
    case PHASE_REDEMPTIONS:
        return walk(verify, db, &verify_walk_redemptions, VERIFY_REDEMPTION_UNBOOKED, "redemption", more, err);
    case PHASE_OPERATIONS:
        return walk(verify, db, &verify_walk_operations, VERIFY_OPERATION_UNBOOKED, "request", more, err);
    case PHASE_ACCRUALS:
        return walk_accruals(verify, db, more, err);
    case PHASE_TRANSFERS:
        return walk_transfers(verify, db, more, err);
    case PHASE_MEMBERS:
    case PHASE_COUNT:
        break;
    }
    return true;
}
