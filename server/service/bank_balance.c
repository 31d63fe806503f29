/*
 * bank_balance.c -- GetBalance: the member's row and its bucket's fence, read on a clerk's connection.
 */
#include "service/bank_handlers.h"

#include "domain/packed.h"
#include "engine/command.h"
#include "engine/reference.h"
#include "service/balance.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"
#include "service/tier_standing.h"
#include "store/member_store.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <stdlib.h>
#include <string.h>

enum { PIPELINE_BUCKETS = 32 }; /* statements that db.h takes at a time */

typedef Alliance__V1__GetBalanceRequest Asked;
typedef Alliance__V1__Balance Balance;
typedef Alliance__V1__Lot Lot;
typedef Alliance__V1__PendingLot PendingLot;

static bool read_account(const struct member_account_row *row, struct account *account, struct error *err)
{
    memset(account, 0, offsetof(struct account, recent));
    account->status = row->status;
    account->tier = row->tier;
    account->tier_due = row->tier_due;
    account->available = row->available;
    account->held = row->held;
    account->pending = row->pending;
    account->credit_limit = row->credit_limit;
    account->credit_used = row->credit_used;
    return (unpack_lots(row->lots.at, row->lots.size, &account->lots) &&
            unpack_pending(row->pending_lots.at, row->pending_lots.size, &account->pending_lots) &&
            unpack_holds(row->holds.at, row->holds.size, account->holds, &account->hold_count) &&
            unpack_credit(row->credit.at, row->credit.size, &account->plan, &account->drawn)) ||
           error_set(err, REASON_INTERNAL, "a stored account is not possible");
}

static bool read_holds(struct errand *errand, int32_t bucket, const struct account *account,
                       struct balance_hold **holds, size_t *count, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct uuid ids[OPEN_HOLDS_MAX];
    struct member_holds_params params = { bucket, { ids, account->hold_count } };
    void *fetched;

    for (size_t i = 0; i < account->hold_count; i++)
        ids[i] = account->holds[i].id;
    if (!db_fetch(errand->db, &member_find_holds, &params, arena, &fetched, count, err))
        return false;
    const struct member_hold_row *rows = fetched;
    *holds = arena_alloc(arena, (*count + 1) * sizeof **holds);
    for (size_t i = 0; *holds && i < *count; i++) {
        struct balance_hold *hold = &(*holds)[i];
        hold->id = rows[i].id;
        hold->points = rows[i].points;
        hold->draws.credit = rows[i].draw_credit;
        if (!unpack_lots(rows[i].draws.at, rows[i].draws.size, &hold->draws.lots))
            return error_set(err, REASON_INTERNAL, "a stored redemption is not possible");
    }
    return *holds || errand_no_room(err);
}

static bool find_account(struct errand *errand, const struct member_key_params *key, struct member_account_row *row,
                         struct error *err)
{
    bool found;

    if (!db_fetch_one(errand->db, &member_find_account, key, &errand->call->arena, row, &found, err))
        return false;
    return found || error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
}

/* The account and its holds as of one moment. */
static bool find_with_holds(struct errand *errand, const struct member_key_params *key, struct member_account_row *row,
                            struct account *account, struct balance_hold **holds, size_t *count, struct error *err)
{
    if (!db_execute(errand->db, &member_begin_snapshot, NULL, NULL, err))
        return false;
    bool good = find_account(errand, key, row, err) && read_account(row, account, err) &&
                read_holds(errand, key->bucket, account, holds, count, err);
    db_rollback(errand->db);
    return good;
}

/* The bank's own points have no funding. Copied: the snapshot is given back before the answer is packed. */
static char *funding_id(struct arena *arena, const struct bank *bank, int32_t funding_no)
{
    const struct funding *funding = funding_no ? reference_funding_no(bank, funding_no) : NULL;

    return shape_text(arena, funding ? funding->id : "");
}

static bool reply_lots(struct arena *arena, const struct bank *bank, const struct lots *lots, Balance *balance)
{
    balance->lots = arena_alloc(arena, (lots->count + 1) * sizeof(Lot *));
    for (size_t i = 0; balance->lots && i < lots->count; i++) {
        Lot *lot = shape_new(arena, &alliance__v1__lot__descriptor);
        if (!lot || !(lot->expires_on = shape_date(arena, lots->at[i].expires_on)))
            return false;
        lot->points = lots->at[i].points;
        if (!(lot->funding_id = funding_id(arena, bank, lots->at[i].funding_no)))
            return false;
        balance->lots[balance->n_lots++] = lot;
    }
    return balance->lots != NULL;
}

static bool reply_pending(struct arena *arena, const struct bank *bank, const struct pending_lots *lots,
                          Balance *balance)
{
    balance->pending_lots = arena_alloc(arena, (lots->count + 1) * sizeof(PendingLot *));
    for (size_t i = 0; balance->pending_lots && i < lots->count; i++) {
        PendingLot *lot = shape_new(arena, &alliance__v1__pending_lot__descriptor);
        bool by_event = lots->at[i].matures_on.days == MATURES_BY_EVENT.days;
        if (!lot || (!by_event && !(lot->matures_on = shape_date(arena, lots->at[i].matures_on))))
            return false;
        lot->points = lots->at[i].points;
        if (!(lot->funding_id = funding_id(arena, bank, lots->at[i].funding_no)))
            return false;
        balance->pending_lots[balance->n_pending_lots++] = lot;
    }
    return balance->pending_lots != NULL;
}

static bool reply_credit(struct arena *arena, const struct account *account, Balance *balance)
{
    const struct temporary_limit *temporary = &account->plan.temporary;
    Alliance__V1__TemporaryLimit *limit;

    balance->credit_by_tier = account->plan.by_tier;
    if (temporary->last.days == 0)
        return true;
    balance->temporary_limit = limit = shape_new(arena, &alliance__v1__temporary_limit__descriptor);
    if (!limit)
        return false;
    limit->points = temporary->points;
    if (temporary->first.days != 0)
        limit->first_date = shape_date(arena, temporary->first);
    limit->last_date = shape_date(arena, temporary->last);
    return limit->first_date && limit->last_date;
}

static bool reply_balance(struct errand *errand, const struct bank *bank, const struct account *account,
                          struct instant now, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    struct arena *arena = &errand->call->arena;
    Balance *balance = errand_reply(errand, &alliance__v1__balance__descriptor, err);

    if (!balance)
        return false;
    balance->bank_id = asked->bank_id;
    balance->member_ref = asked->member_ref;
    balance->available_points = account->available;
    balance->held_points = account->held;
    balance->credit_limit = account->credit_limit;
    balance->credit_used = account->credit_used;
    balance->status = (Alliance__V1__MemberStatus)account->status;
    balance->tier = account->tier;
    balance->pending_points = account->pending;
    balance->credit_left = account_spendable(account) - account->available;
    balance->time = shape_instant(arena, now);
    return (balance->time && reply_credit(arena, account, balance) &&
            reply_lots(arena, bank, &account->lots, balance) &&
            reply_pending(arena, bank, &account->pending_lots, balance)) ||
           errand_no_room(err);
}

static bool balance_work(struct errand *errand, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    struct member_key_params key = { .member_id = command_member_id(asked->bank_id, asked->member_ref) };
    struct member_account_row row;
    struct balance_hold *holds = NULL;
    struct account account;
    size_t hold_count = 0;

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    key.bucket = member_hash16(&key.member_id) % errand->reference->buckets;
    if (!find_account(errand, &key, &row, err))
        return false;
    if (!read_account(&row, &account, err))
        return false;
    if (balance_overdue(&account, row.now) && !find_with_holds(errand, &key, &row, &account, &holds, &hold_count, err))
        return false;
    if (tier_standing_is_due(&account, row.business_date) &&
        !tier_standing_apply(errand, bank, key.bucket, &key.member_id, &account, err))
        return false;
    balance_apply(&account, holds, hold_count, row.now, row.business_date,
                  rules_to_decide_by(bank->rules, bank->rules_count, row.now));
    return reply_balance(errand, bank, &account, row.now, err);
}

/* One errand of many and the member it asks for. */
struct asked {
    struct errand *errand;
    const struct bank *bank;
    int32_t bucket;
    struct uuid member_id;
};

static int by_member(const void *one, const void *other)
{
    const struct asked *a = one, *b = other;

    return a->bucket != b->bucket ? (a->bucket < b->bucket ? -1 : 1) : uuid_compare(&a->member_id, &b->member_id);
}

/* Those whose bank there is; the others are failed. */
static size_t find_members(struct errand *const *errands, size_t count, struct asked *all)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        const Asked *asked = (const Asked *)errands[i]->request;
        struct asked one = { .errand = errands[i], .bank = reference_bank(errands[i]->reference, asked->bank_id) };
        struct error err = { 0 };
        if (!one.bank) {
            error_field(&err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
            errand_fails(errands[i], &err);
            continue;
        }
        one.member_id = command_member_id(asked->bank_id, asked->member_ref);
        one.bucket = member_hash16(&one.member_id) % errands[i]->reference->buckets;
        all[found++] = one;
    }
    qsort(all, found, sizeof *all, by_member);
    return found;
}

/* One that needs to know its holds or its spend stays undone, and is done by itself. */
static void answer(const struct asked *asked, const struct member_account_row *row)
{
    struct error err = { 0 };
    struct account account;

    if (!row) {
        error_field(&err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
        errand_fails(asked->errand, &err);
        return;
    }
    if (!read_account(row, &account, &err)) {
        errand_fails(asked->errand, &err);
        return;
    }
    if (balance_overdue(&account, row->now) || tier_standing_is_due(&account, row->business_date))
        return;
    balance_apply(&account, NULL, 0, row->now, row->business_date,
                  rules_in_force(asked->bank->rules, asked->bank->rules_count, row->now));
    if (!reply_balance(asked->errand, asked->bank, &account, row->now, &err))
        errand_fails(asked->errand, &err);
}

static const struct member_account_row *find_row(const struct member_found_row *rows, size_t count,
                                                 const struct uuid *member_id)
{
    for (size_t low = 0, high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = uuid_compare(&rows[middle].member_id, member_id);
        if (order == 0)
            return &rows[middle].account;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int by_id(const void *one, const void *other)
{
    const struct member_found_row *a = one, *b = other;

    return uuid_compare(&a->member_id, &b->member_id);
}

/* Asks for all members of a bucket, each once. */
static bool ask_bucket(struct db *db, const struct asked *asked, size_t count, struct error *err)
{
    struct uuid ids[BATCH_MAX];
    struct member_keys_params params = { .bucket = asked->bucket, .member_ids = { ids, 0 } };

    for (size_t i = 0; i < count; i++) {
        if (i == 0 || uuid_compare(&asked[i].member_id, &asked[i - 1].member_id) != 0)
            ids[params.member_ids.count++] = asked[i].member_id;
    }
    return db_queue(db, &member_find_accounts, &params, err);
}

static bool answer_bucket(struct db *db, const struct asked *asked, size_t count, struct arena *arena,
                          struct error *err)
{
    void *rows;
    size_t found;

    if (!db_next(db, arena, &rows, &found, err))
        return false;
    qsort(rows, found, sizeof(struct member_found_row), by_id);
    for (size_t i = 0; i < count; i++)
        answer(&asked[i], find_row(rows, found, &asked[i].member_id));
    return true;
}

static size_t count_bucket(const struct asked *asked, size_t count)
{
    size_t same = 1;

    while (same < count && asked[same].bucket == asked->bucket)
        same++;
    return same;
}

/* A statement a bucket, PIPELINE_BUCKETS in a round trip. What a failure leaves unanswered is done by itself. */
static bool read_buckets(struct db *db, const struct asked *asked, size_t count, size_t *done, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    size_t ends[PIPELINE_BUCKETS], buckets = 0, at = 0;

    if (!db_pipeline_begin(db, err))
        return false;
    bool good = true;
    for (; good && at < count && buckets < PIPELINE_BUCKETS; ends[buckets++] = at) {
        size_t same = count_bucket(asked + at, count - at);
        good = ask_bucket(db, asked + at, same, err);
        at += same;
    }
    good = good && db_flush(db, true, err);
    for (size_t i = 0, from = 0; good && i < buckets; from = ends[i++])
        good = answer_bucket(db, asked + from, ends[i] - from, &arena, err);
    *done = at;
    return db_pipeline_end(db, err) && good;
}

static void balance_together(struct errand *const *errands, size_t count)
{
    static const struct statement *const statements[] = { &member_find_accounts };
    struct asked asked[BATCH_MAX];
    struct error ignored = { 0 }; /* whom it leaves without an answer asks again by itself, and is told */
    struct db *db = errands[0]->db;
    size_t found = find_members(errands, count, asked);
    bool good = db_prepare(db, statements, COUNT(statements), &ignored);

    for (size_t at = 0, done = 0; good && at < found; at += done)
        good = read_buckets(db, asked + at, found - at, &done, &ignored);
}

bool bank_get_balance(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_member_ref("member_ref", asked->member_ref, err) &&
           check_no_card_number("member_ref", asked->member_ref, err) &&
           errand_read_together(call, request, balance_together, balance_work, err);
}
