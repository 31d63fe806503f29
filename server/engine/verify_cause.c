/*
 * verify_cause.c -- what entries say of redemptions and of the requests that caused them is added up by redemption and
 * request, and compared with those rows.
 */
#include "engine/verify_walk.h"

#include "domain/redemption.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_AT_ONCE = 500 };

/* Which row stands behind an entry of that kind, and whether its points count there. Time causes some: no ref. */
static const struct {
    enum verify_cause_table table;
    bool counts;
} behind[ENTRY_KIND_COUNT] = {
    [ENTRY_ACCRUE] = { CAUSE_ACCRUAL, true },          [ENTRY_PEND] = { CAUSE_ACCRUAL, true },
    [ENTRY_CONFIRM] = { CAUSE_OPERATION, true },       [ENTRY_CANCEL] = { CAUSE_OPERATION, true },
    [ENTRY_REVERSE] = { CAUSE_OPERATION, true },       [ENTRY_MATURE] = { CAUSE_OPERATION, true },
    [ENTRY_CLAWBACK] = { CAUSE_OPERATION, true },      [ENTRY_CLAWBACK_PENDING] = { CAUSE_OPERATION, true },
    [ENTRY_ADJUST_ADD] = { CAUSE_OPERATION, true },    [ENTRY_ADJUST_TAKE] = { CAUSE_OPERATION, true },
    [ENTRY_TRANSFER_OUT] = { CAUSE_OPERATION, true },  [ENTRY_TRANSFER_IN] = { CAUSE_OPERATION, true },
    [ENTRY_TRANSFER_BACK] = { CAUSE_OPERATION, true }, [ENTRY_REINSTATE] = { CAUSE_OPERATION, true },
    [ENTRY_CLOSE] = { CAUSE_OPERATION, true },         [ENTRY_CLOSE_PENDING] = { CAUSE_OPERATION, true },
    [ENTRY_PENDING_OUT] = { CAUSE_OPERATION, true },   [ENTRY_PENDING_IN] = { CAUSE_OPERATION, true },
    [ENTRY_CREDIT_OUT] = { CAUSE_OPERATION, false },   [ENTRY_CREDIT_IN] = { CAUSE_OPERATION, false },
    [ENTRY_REOPEN] = { CAUSE_OPERATION, true },        [ENTRY_REOPEN_PENDING] = { CAUSE_OPERATION, true },
};

static void count_hold(struct verify_hold *hold, const struct entry *entry)
{
    switch ((enum entry_kind)entry->kind) {
    case ENTRY_HOLD:
        hold->holds++;
        hold->held = verify_sum(hold->held, entry->points);
        break;
    case ENTRY_CONFIRM:
        hold->confirms++;
        hold->confirmed = verify_sum(hold->confirmed, entry->points);
        hold->gross = verify_sum(hold->gross, entry->gross_minor);
        hold->commission = verify_sum(hold->commission, entry->commission_minor);
        break;
    case ENTRY_CANCEL:
    case ENTRY_LAPSE:
    case ENTRY_RELEASE:
        hold->cancels += entry->kind == ENTRY_CANCEL;
        hold->lapses += entry->kind == ENTRY_LAPSE;
        hold->returned = verify_sum(hold->returned, entry->points);
        break;
    case ENTRY_REVERSE:
        hold->reversed = verify_sum(hold->reversed, entry->points);
        hold->reversed_gross = verify_less(hold->reversed_gross, entry->gross_minor);
        hold->reversed_commission = verify_less(hold->reversed_commission, entry->commission_minor);
        break;
    default:; /* moves nothing of the redemption */
    }
}

static bool add_to_hold(struct verify *verify, const struct verify_member *member, const struct entry *entry)
{
    int64_t place = verify_map_find(&verify->hold_map, &entry->redemption_id);

    if (place < 0) {
        place = (int64_t)verify->hold_count;
        if (!verify_grow((void **)&verify->holds, &verify->hold_room, verify->hold_count, sizeof *verify->holds) ||
            !verify_map_add(&verify->hold_map, &entry->redemption_id, verify->hold_count))
            return false;
        verify->holds[verify->hold_count++] =
            (struct verify_hold){ .id = entry->redemption_id, .member = member->place, .seq = entry->seq };
    }
    count_hold(&verify->holds[place], entry);
    return true;
}

/* What is due at the till, or given back, is said by how much of the redemption was reversed before. */
static void note_cash(const struct verify *verify, struct verify_cause *cause, const struct entry *entry)
{
    int64_t place =
        uuid_is_zero(&entry->redemption_id) ? -1 : verify_map_find(&verify->hold_map, &entry->redemption_id);

    if (place < 0 || (entry->kind != ENTRY_CONFIRM && entry->kind != ENTRY_REVERSE))
        return;
    cause->kind = (enum entry_kind)entry->kind;
    cause->hold = (size_t)place;
    cause->reversed = verify->holds[place].reversed;
    cause->reversed_before = verify_less(cause->reversed, cause->kind == ENTRY_REVERSE ? entry->points : 0);
}

static bool add_to_cause(struct verify *verify, const struct verify_member *member, const struct entry *entry)
{
    int64_t place = verify_map_find(&verify->cause_map, &entry->ref);

    if (place < 0) {
        place = (int64_t)verify->cause_count;
        if (!verify_grow((void **)&verify->causes, &verify->cause_room, verify->cause_count, sizeof *verify->causes) ||
            !verify_map_add(&verify->cause_map, &entry->ref, verify->cause_count))
            return false;
        verify->causes[verify->cause_count++] = (struct verify_cause){ .ref = entry->ref,
                                                                       .table = behind[entry->kind].table,
                                                                       .member = member->place,
                                                                       .seq = entry->seq,
                                                                       .hold = SIZE_MAX };
    }
    struct verify_cause *cause = &verify->causes[place];
    if (behind[entry->kind].counts)
        cause->points = verify_sum(cause->points, entry->points);
    cause->gross = verify_sum(cause->gross, entry->gross_minor);
    cause->commission = verify_sum(cause->commission, entry->commission_minor);
    note_cash(verify, cause, entry);
    return true;
}

bool verify_cause_add(struct verify *verify, const struct verify_member *member, const struct entry *entry)
{
    bool known = entry->kind >= ENTRY_MEMBER && entry->kind < ENTRY_KIND_COUNT;
    bool one_step = !uuid_is_zero(&entry->redemption_id) && uuid_compare(&entry->ref, &entry->redemption_id) == 0;

    if (!uuid_is_zero(&entry->redemption_id) && !add_to_hold(verify, member, entry))
        return false;
    return !known || one_step || uuid_is_zero(&entry->ref) || behind[entry->kind].table == CAUSE_NONE ||
           add_to_cause(verify, member, entry);
}

/* Rows against what was added up */

static const struct verify_account_row *account_at(const struct verify *verify, size_t member)
{
    return member < verify->account_count ? &verify->accounts[member] : NULL;
}

#define TELL(rule, what, ...)                                                                                          \
    verify_tell(verify, VERIFY_##rule, account_at(verify, (what)->member), NULL, (what)->seq, __VA_ARGS__)

static int16_t state_of(const struct verify_hold *hold)
{
    if (hold->confirms > 0)
        return hold->reversed == hold->confirmed ? REDEMPTION_REVERSED : REDEMPTION_CONFIRMED;
    return hold->cancels > 0 ? REDEMPTION_CANCELLED : hold->lapses > 0 ? REDEMPTION_LAPSED : REDEMPTION_HELD;
}

static void compare(struct verify *verify, const struct verify_hold *hold, const char *what, int64_t row,
                    int64_t entries)
{
    if (row != entries)
        TELL(REDEMPTION_DIFFERS, hold, "its %s is %" PRId64 ", its entries say %" PRId64, what, row, entries);
}

static void check_draws(struct verify *verify, const struct verify_hold *hold, const struct verify_redemption_row *row)
{
    int64_t drawn = verify_sum(row->drawn, row->draw_credit), expected = 0;

    if (row->state == REDEMPTION_HELD)
        expected = row->points;
    else if (row->state == REDEMPTION_CONFIRMED)
        expected = verify_less(row->confirmed_points, row->reversed_points);
    if (drawn != expected)
        TELL(DRAWS_DIFFER, hold, "its draws are %" PRId64 " points, not %" PRId64, drawn, expected);
}

static void compare_redemption(struct verify *verify, const struct verify_hold *hold,
                               const struct verify_redemption_row *row)
{
    const struct verify_account_row *account = account_at(verify, hold->member);

    if (account && uuid_compare(&row->member_id, &account->member_id) != 0)
        TELL(REDEMPTION_DIFFERS, hold, "it belongs to another member");
    compare(verify, hold, "state", row->state, state_of(hold));
    compare(verify, hold, "number of points", row->points, hold->held);
    compare(verify, hold, "number of confirmed points", row->confirmed_points, hold->confirmed);
    compare(verify, hold, "number of reversed points", row->reversed_points, hold->reversed);
    compare(verify, hold, "gross", row->gross_minor, hold->gross);
    compare(verify, hold, "commission", row->commission_minor, hold->commission);
    compare(verify, hold, "reversed gross", row->reversed_gross_minor, hold->reversed_gross);
    compare(verify, hold, "reversed commission", row->reversed_commission_minor, hold->reversed_commission);
    check_draws(verify, hold, row);
}

/* Each hold once, ended at most once, and what ended it accounts for all of it. */
static void check_life(struct verify *verify, const struct verify_hold *hold)
{
    int32_t endings = hold->confirms + hold->cancels + hold->lapses;

    if (hold->holds != 1)
        TELL(REDEMPTION_DIFFERS, hold, "it was held %d times", hold->holds);
    if (endings > 1)
        TELL(HOLD_ENDED_TWICE, hold, "confirmed %d, cancelled %d, lapsed %d times", hold->confirms, hold->cancels,
             hold->lapses);
    else if (endings == 1 && verify_sum(hold->confirmed, hold->returned) != hold->held)
        TELL(REDEMPTION_DIFFERS, hold, "%" PRId64 " points were held, %" PRId64 " confirmed and %" PRId64 " given back",
             hold->held, hold->confirmed, hold->returned);
    if (hold->reversed > hold->confirmed)
        TELL(REVERSED_BEYOND, hold, "%" PRId64 " points were reversed of %" PRId64, hold->reversed, hold->confirmed);
    if (endings == 0 && hold->member < verify->account_count) {
        struct verify_member *member = &verify->members[hold->member];
        member->open_holds++;
        member->open_points = verify_sum(member->open_points, hold->held);
    }
}

static bool check_holds(struct verify *verify, struct db *db, struct error *err)
{
    struct uuid ids[IDS_AT_ONCE];

    for (size_t from = 0; from < verify->hold_count; from += IDS_AT_ONCE) {
        size_t n = verify->hold_count - from < IDS_AT_ONCE ? verify->hold_count - from : IDS_AT_ONCE, count;
        const struct verify_ids_params params = { verify->bucket, { ids, n } };
        bool there[IDS_AT_ONCE] = { false };
        void *rows;
        for (size_t i = 0; i < n; i++)
            ids[i] = verify->holds[from + i].id;
        arena_reset(&verify->each);
        if (!db_fetch(db, &verify_redemptions, &params, &verify->each, &rows, &count, err))
            return false;
        const struct verify_redemption_row *found = rows;
        for (size_t i = 0; i < count; i++) {
            size_t place = (size_t)verify_map_find(&verify->hold_map, &found[i].id);
            there[place - from] = true;
            verify->holds[place].cash = found[i].cash_minor;
            compare_redemption(verify, &verify->holds[place], &found[i]);
        }
        for (size_t i = 0; i < n; i++) {
            if (!there[i])
                TELL(REDEMPTION_MISSING, &verify->holds[from + i], "its redemption is not there");
            check_life(verify, &verify->holds[from + i]);
        }
    }
    return true;
}

/* Of the redemption's cash what belongs to the request: due, or given back (negative). */
static int64_t cash_of(const struct verify *verify, const struct verify_cause *cause)
{
    const struct verify_hold *hold = cause->hold == SIZE_MAX ? NULL : &verify->holds[cause->hold];

    if (!hold || hold->cash == 0)
        return 0;
    struct redemption redemption = { .cash_minor = hold->cash,
                                     .points = hold->held,
                                     .confirmed_points = hold->confirmed,
                                     .reversed_points = cause->reversed_before };
    if (cause->kind == ENTRY_CONFIRM)
        return redemption_confirmed_cash(&redemption);
    int64_t before = redemption_reversed_cash(&redemption);
    redemption.reversed_points = cause->reversed;
    return verify_less(before, redemption_reversed_cash(&redemption));
}

static void compare_operation(struct verify *verify, const struct verify_cause *cause,
                              const struct verify_operation_row *row)
{
    const struct verify_account_row *account = account_at(verify, cause->member);

    if (strcmp(row->reason, "OK") != 0)
        TELL(OPERATION_DIFFERS, cause, "the request's stored answer is a refusal");
    else if (account && uuid_compare(&row->member_id, &account->member_id) != 0)
        TELL(OPERATION_DIFFERS, cause, "the request belongs to another member");
    else if (row->points != cause->points)
        TELL(OPERATION_DIFFERS, cause, "the request moved %" PRId64 " points, its entries %" PRId64, row->points,
             cause->points);
    else if (row->gross_minor != cause->gross || row->commission_minor != cause->commission)
        TELL(OPERATION_DIFFERS, cause, "the request's gross is %" PRId64 ", its entries' %" PRId64, row->gross_minor,
             cause->gross);
    else if (row->cash_minor != cash_of(verify, cause))
        TELL(OPERATION_DIFFERS, cause, "the request's cash is %" PRId64 ", its part of the redemption's is %" PRId64,
             row->cash_minor, cash_of(verify, cause));
}

static void compare_accrual(struct verify *verify, const struct verify_cause *cause,
                            const struct verify_accrual_row *row)
{
    const struct verify_account_row *account = account_at(verify, cause->member);

    if (account && uuid_compare(&row->member_id, &account->member_id) != 0)
        TELL(ACCRUAL_DIFFERS, cause, "the card transaction belongs to another member");
    else if (row->points != cause->points)
        TELL(ACCRUAL_DIFFERS, cause, "the card transaction earned %" PRId64 " points, its entries %" PRId64,
             row->points, cause->points);
}

/* A slice of the causes: how many of that table, with their places. */
static size_t slice(const struct verify *verify, enum verify_cause_table table, size_t *from, struct uuid *ids,
                    size_t *places)
{
    size_t n = 0;

    for (; *from < verify->cause_count && n < IDS_AT_ONCE; ++*from) {
        if (verify->causes[*from].table != table)
            continue;
        ids[n] = verify->causes[*from].ref;
        places[n++] = *from;
    }
    return n;
}

/* What is found is struck off by clearing its table. */
static bool check_slice(struct verify *verify, struct db *db, enum verify_cause_table table,
                        const struct verify_ids_params *params, struct error *err)
{
    const struct statement *statement = table == CAUSE_ACCRUAL ? &verify_accruals : &verify_operations;
    size_t count;
    void *rows;

    arena_reset(&verify->each);
    if (!db_fetch(db, statement, params, &verify->each, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct verify_accrual_row *accrual = (const struct verify_accrual_row *)rows + i;
        const struct verify_operation_row *operation = (const struct verify_operation_row *)rows + i;
        const struct uuid *id = table == CAUSE_ACCRUAL ? &accrual->id : &operation->id;
        struct verify_cause *cause = &verify->causes[verify_map_find(&verify->cause_map, id)];
        if (table == CAUSE_ACCRUAL)
            compare_accrual(verify, cause, accrual);
        else
            compare_operation(verify, cause, operation);
        cause->table = CAUSE_NONE;
    }
    return true;
}

static bool check_causes(struct verify *verify, struct db *db, enum verify_cause_table table, struct error *err)
{
    struct uuid ids[IDS_AT_ONCE];
    size_t places[IDS_AT_ONCE], n;

    for (size_t from = 0; (n = slice(verify, table, &from, ids, places)) > 0;) {
        const struct verify_ids_params params = { verify->bucket, { ids, n } };
        if (!check_slice(verify, db, table, &params, err))
            return false;
        for (size_t i = 0; i < n; i++) {
            const struct verify_cause *cause = &verify->causes[places[i]];
            if (cause->table == CAUSE_ACCRUAL)
                TELL(ACCRUAL_MISSING, cause, "the card transaction that caused it is not there");
            else if (cause->table == CAUSE_OPERATION)
                TELL(OPERATION_MISSING, cause, "the request that caused it is not there");
        }
    }
    return true;
}

bool verify_cause_check(struct verify *verify, struct db *db, struct error *err)
{
    return check_holds(verify, db, err) && check_causes(verify, db, CAUSE_OPERATION, err) &&
           check_causes(verify, db, CAUSE_ACCRUAL, err);
}
