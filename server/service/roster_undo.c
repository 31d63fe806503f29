#include "service/roster_undo.h"

#include "domain/entry.h"
#include "domain/packed.h"
#include "engine/reference.h"
#include "io/crypto.h"
#include "service/roster_rows.h"
#include "store/card_store.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW_MEMBERS = ROSTER_WINDOW * ROWS_MAX };

static bool no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "no memory for a window of a roster batch");
}

bool undo_open(struct undo_window *window, struct error *err)
{
    const struct reference *reference = reference_acquire(window->work->reference);
    const struct bank *bank = reference_bank_no(reference, window->key.bank_no);

    crew_init(&window->crew, &window->work->held_until_us);
    window->buckets = reference->buckets;
    if (bank) {
        snprintf(window->bank_id, sizeof window->bank_id, "%s", bank->id);
        window->programme_no = bank->programme_no;
    }
    reference_release(reference);
    return bank || error_set(err, REASON_TRY_AGAIN, "the bank is not known here yet");
}

void undo_close(struct undo_window *window)
{
    crew_wait(&window->crew, NULL, NULL);
    crew_release(&window->crew);
    arena_release(&window->arena);
}

/* Filling */

static bool begin_window(struct undo_window *window, struct error *err)
{
    arena_reset(&window->arena);
    window->count = 0;
    window->rows = 0;
    window->members = arena_alloc(&window->arena, WINDOW_MEMBERS * sizeof *window->members);
    return window->members || no_room(err);
}

static void name(const struct undo_window *window, struct undo_member *member, const struct uuid *member_id,
                 enum undo_part part)
{
    char step[48];

    snprintf(step, sizeof step, "roster roll back %" PRId64, window->key.batch_number);
    *member = (struct undo_member){ .member_id = *member_id, .part = part };
    member->ref = command_transfer_step(member_id, step);
}

static void add(struct undo_window *window, const struct uuid *member_id, enum undo_part part)
{
    name(window, &window->members[window->count++], member_id, part);
}

static bool take_chunk(struct undo_window *window, const struct applied_chunk *chunk, struct error *err)
{
    const Alliance__V1__RosterVerdicts *all = (const Alliance__V1__RosterVerdicts *)roster_unpack(
        &alliance__v1__roster_verdicts__descriptor, chunk->verdicts.at, chunk->verdicts.size, &window->arena);

    if (!all || chunk->member_ids.count != (size_t)chunk->row_count || all->n_verdicts != (size_t)chunk->row_count ||
        chunk->row_count > ROWS_MAX)
        return error_set(err, REASON_INTERNAL, "a chunk of a roster batch is damaged");
    for (size_t i = 0; i < all->n_verdicts; i++) {
        Alliance__V1__RowOutcome outcome = all->verdicts[i]->outcome;
        if (outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED)
            add(window, &chunk->member_ids.at[i], UNDO_CREATED);
        else if (outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CHANGED)
            add(window, &chunk->member_ids.at[i], UNDO_CHANGED);
    }
    window->rows += chunk->row_count;
    return true;
}

bool undo_fill_rows(struct undo_window *window, int64_t from_row, struct error *err)
{
    struct applied_chunk *chunks;
    size_t count;

    if (!begin_window(window, err) ||
        !applied_chunks(window->db, &window->key, from_row, ROSTER_WINDOW, &window->arena, &chunks, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (chunks[i].first_row != from_row + window->rows)
            break; /* as if it were not there: somebody will miss it */
        if (!take_chunk(window, &chunks[i], err))
            return false;
    }
    return true;
}

bool undo_fill_closings(struct undo_window *window, const struct uuid *after, struct error *err)
{
    struct roster_closing *rows;
    size_t count;

    if (!begin_window(window, err) ||
        !roster_closings(window->db, &window->key, after, false, WINDOW_MEMBERS, &window->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].done && rows[i].reason[0] == '\0')
            add(window, &rows[i].member_id, UNDO_CLOSED);
    }
    window->rows = (int64_t)count;
    if (count > 0)
        window->last_member = rows[count - 1].member_id;
    return true;
}

/* Inspecting */

__attribute__((format(printf, 3, 4))) static bool tell(struct undo_window *window, struct undo_member *member,
                                                       const char *format, ...)
{
    char text[96];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    member->why = arena_copy(&window->arena, text, strlen(text));
    return member->why != NULL;
}

/* Somebody else had closed it when the list wanted it closed: nothing of the list is in it. */
static bool is_others(const struct undo_member *member)
{
    return member->part == UNDO_CLOSED && member->row && !member->row->kept && !member->row->ours;
}

static bool judge(struct undo_window *window, struct undo_member *member)
{
    const struct undo_row *row = member->row;

    if (!row)
        return tell(window, member, "it is not there any more");
    if (row->done)
        return true;
    if (member->part != UNDO_CREATED && !row->kept)
        return tell(window, member, "what it was is not known");
    if (member->part == UNDO_CREATED && row->kept && row->was_there)
        return tell(window, member, "changed while the batch was applied");
    if (row->built_seq == 0)
        return true;
    return row->built_kind == ENTRY_MEMBER
               ? tell(window, member, "changed, entry %" PRId64, row->built_seq)
               : tell(window, member, "%s, entry %" PRId64, entry_kind_name(row->built_kind), row->built_seq);
}

static void drop_others(struct undo_window *window)
{
    size_t kept = 0;

    for (size_t i = 0; i < window->count; i++) {
        if (!is_others(&window->members[i]))
            window->members[kept++] = window->members[i];
    }
    window->count = kept;
}

static bool read_rows(struct undo_window *window, struct undo_member *members, size_t wanted, struct error *err)
{
    int64_t *buckets = arena_alloc(&window->arena, wanted * sizeof *buckets);
    struct uuid *ids = arena_alloc(&window->arena, wanted * sizeof *ids),
                *refs = arena_alloc(&window->arena, wanted * sizeof *refs);
    size_t count;
    void *rows;

    if (!buckets || !ids || !refs)
        return no_room(err);
    for (size_t i = 0; i < wanted; i++) {
        ids[i] = members[i].member_id;
        refs[i] = members[i].ref;
        buckets[i] = member_hash16(&ids[i]) % window->buckets;
    }
    const struct undo_params params = {
        window->key.bank_no, window->key.batch_number, { buckets, wanted }, { ids, wanted }, { refs, wanted }
    };
    if (!db_fetch(window->db, &undo_find, &params, &window->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct undo_row *row = &((const struct undo_row *)rows)[i];
        members[row->place].row = row;
    }
    return true;
}

static bool inspect(struct undo_window *window, struct error *err)
{
    if (!db_execute(window->db, &card_plans, NULL, NULL, err) ||
        !read_rows(window, window->members, window->count, err))
        return false;
    drop_others(window);
    for (size_t i = 0; i < window->count; i++) {
        if (!judge(window, &window->members[i]))
            return no_room(err);
    }
    return undo_check_cards(window, err);
}

bool undo_find_staying(struct undo_window *window, const struct uuid *ids, bool *stays, size_t count, struct error *err)
{
    struct undo_member *members = arena_alloc(&window->arena, count * sizeof *members);

    if (!members)
        return no_room(err);
    for (size_t i = 0; i < count; i++)
        name(window, &members[i], &ids[i], UNDO_CREATED);
    if (!read_rows(window, members, count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (members[i].row && members[i].row->kept && members[i].row->was_there)
            members[i].part = UNDO_CHANGED;
        if (!judge(window, &members[i]))
            return no_room(err);
        stays[i] = members[i].why != NULL;
    }
    return true;
}

bool undo_inspect(struct undo_window *window, struct error *err)
{
    if (window->count == 0)
        return true;
    if (!db_begin(window->db, err))
        return false;
    bool good = inspect(window, err);
    db_rollback(window->db); /* nothing was written */
    return good;
}

/* Undoing */

static bool unpack_points(struct undo_window *window, struct undo_member *member, struct error *err)
{
    const struct undo_row *row = member->row;
    struct lots *lots = row->lots.size ? arena_alloc(&window->arena, sizeof *lots) : NULL;
    struct pending_lots *pending = row->pending_lots.size ? arena_alloc(&window->arena, sizeof *pending) : NULL;

    if ((row->lots.size && !lots) || (row->pending_lots.size && !pending))
        return no_room(err);
    if ((lots && !unpack_lots(row->lots.at, row->lots.size, lots)) ||
        (pending && !unpack_pending(row->pending_lots.at, row->pending_lots.size, pending)))
        return error_set(err, REASON_INTERNAL, "a stored row is not possible: roster_before");
    member->before.lots = lots;
    member->before.pending_lots = pending;
    return true;
}

static bool unpack_before(struct undo_window *window, struct undo_member *member, struct error *err)
{
    const struct undo_row *row = member->row;
    struct member_before *before = &member->before;
    struct drawn_days drawn;

    *before = (struct member_before){ .was_there = row->kept && row->was_there };
    if (!before->was_there)
        return true;
    before->status = row->status;
    before->tier = row->tier;
    before->credit_limit = row->credit_limit;
    if (row->profile_hash.size != sizeof before->profile_hash ||
        !unpack_credit(row->credit.at, row->credit.size, &before->plan, &drawn))
        return error_set(err, REASON_INTERNAL, "a stored row is not possible: roster_before");
    memcpy(before->profile_hash, row->profile_hash.at, sizeof before->profile_hash);
    return unpack_points(window, member, err);
}

static bool take_mac(struct bytes mac, uint8_t out[32])
{
    if (mac.size != 32)
        return false;
    memcpy(out, mac.at, 32);
    return true;
}

/* What was never there has an empty one. */
static const struct member_profile *profile_of(struct undo_member *member)
{
    const struct undo_row *row = member->row;
    struct member_profile *profile = &member->profile;

    *profile = (struct member_profile){ .facts = NULL };
    if (!member->before.was_there)
        return profile;
    if (!row->profile_changed)
        return NULL;
    profile->tokens = row->card_tokens.at;
    profile->card_count = row->card_tokens.count;
    profile->sealed = row->sealed.at;
    profile->sealed_size = row->sealed.size;
    profile->facts = row->facts;
    profile->hash = member->before.profile_hash;
    profile->has_phone = take_mac(row->phone_mac, profile->phone_mac);
    profile->has_email = take_mac(row->email_mac, profile->email_mac);
    return profile;
}

static bool make_command(struct undo_window *window, struct undo_member *member, struct error *err)
{
    const struct undo_row *row = member->row;
    struct command *command = &member->command;

    if (!unpack_before(window, member, err))
        return false;
    *command = (struct command){
        .kind = COMMAND_RESTORE,
        .request_id = member->ref,
        .member_id = member->member_id,
        .programme_no = window->programme_no,
        .bank_no = window->key.bank_no,
        .member_ref = row->member_ref,
        .changed_by = window->changed_by,
        .batch_number = window->key.batch_number,
        .restore = { .before = &member->before,
                     .profile = profile_of(member),
                     .has_marks = !member->before.was_there || row->marks.size > 0,
                     .marks = row->marks.at,
                     .marks_size = row->marks.size,
                     .seq = row->journal_seq },
    };
    crypto_sha256(&member->ref, sizeof member->ref, command->content_hash);
    return true;
}

static void renew(void *owner)
{
    struct undo_window *window = owner;

    roster_work_renew(window->work, window->db, window->batch);
}

static bool send(struct undo_window *window, struct error *err)
{
    bool good = true;

    for (size_t i = 0; good && i < window->count; i++) {
        struct undo_member *member = &window->members[i];
        if (member->why)
            continue;
        good = make_command(window, member, err);
        if (good)
            crew_send(&window->crew, window->work->lanes, &member->command);
    }
    crew_wait(&window->crew, renew, window);
    return good;
}

static bool take_answers(struct undo_window *window, struct error *err)
{
    for (size_t i = 0; i < window->count; i++) {
        struct undo_member *member = &window->members[i];
        enum reason reason = member->command.answer.reason;
        if (member->why || reason == REASON_OK)
            continue;
        if (crew_is_passing(reason))
            return error_set(err, reason, "%s", "");
        if (!tell(window, member, "%s", reason_name(reason)))
            return no_room(err);
    }
    return true;
}

bool undo_do(struct undo_window *window, struct error *err)
{
    return undo_claim_cards(window, err) && send(window, err) && take_answers(window, err) &&
           undo_release_cards(window, err);
}
