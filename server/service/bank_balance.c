/*
 * bank_balance.c -- GetBalance: the member's row and its bucket's fence, read on a clerk's connection.
 */
#include "service/bank_handlers.h"

#include "engine/command.h"
#include "engine/reference.h"
#include "service/balance.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"
#include "store/member_store.h"

#include <alliance/v1/bank_service.pb-c.h>

typedef Alliance__V1__GetBalanceRequest Asked;
typedef Alliance__V1__Balance Balance;
typedef Alliance__V1__Lot Lot;

static void read_lots(const struct date_array *expires, const struct int64_array *points, struct lots *lots)
{
    for (size_t i = 0; i < expires->count && i < points->count && lots->count < LOTS_MAX; i++)
        lots->at[lots->count++] = (struct lot){ expires->at[i], points->at[i] };
}

static void read_account(const struct member_account_row *row, struct account *account)
{
    *account = (struct account){
        .status = row->status,
        .available = row->available,
        .held = row->held,
        .credit_limit = row->credit_limit,
        .credit_used = row->credit_used,
    };
    read_lots(&row->lot_expires, &row->lot_points, &account->lots);
    for (size_t i = 0; i < row->hold_ids.count && i < row->hold_lapses.count && i < OPEN_HOLDS_MAX; i++)
        account->holds[account->hold_count++] = (struct open_hold){ row->hold_ids.at[i], row->hold_lapses.at[i] };
}

static bool read_holds(struct errand *errand, int32_t bucket, const struct member_account_row *account,
                       struct balance_hold **holds, size_t *count, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct member_holds_params params = { bucket, account->hold_ids };
    void *fetched;

    if (!db_fetch(errand->db, &member_find_holds, &params, arena, &fetched, count, err))
        return false;
    const struct member_hold_row *rows = fetched;
    *holds = arena_alloc(arena, (*count + 1) * sizeof **holds);
    for (size_t i = 0; *holds && i < *count; i++) {
        (*holds)[i].id = rows[i].id;
        (*holds)[i].points = rows[i].points;
        (*holds)[i].draws.credit = rows[i].draw_credit;
        read_lots(&rows[i].draw_expires, &rows[i].draw_points, &(*holds)[i].draws.lots);
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
                            struct balance_hold **holds, size_t *count, struct error *err)
{
    if (!db_execute(errand->db, &member_begin_snapshot, NULL, NULL, err))
        return false;
    bool good = find_account(errand, key, row, err) && read_holds(errand, key->bucket, row, holds, count, err);
    db_rollback(errand->db);
    return good;
}

static bool reply_lots(struct arena *arena, const struct lots *lots, Balance *balance)
{
    balance->lots = arena_alloc(arena, (lots->count + 1) * sizeof(Lot *));
    for (size_t i = 0; balance->lots && i < lots->count; i++) {
        Lot *lot = shape_new(arena, &alliance__v1__lot__descriptor);
        if (!lot || !(lot->expires_on = shape_date(arena, lots->at[i].expires_on)))
            return false;
        lot->points = lots->at[i].points;
        balance->lots[balance->n_lots++] = lot;
    }
    return balance->lots != NULL;
}

static bool reply_balance(struct errand *errand, const struct account *account, struct instant now, struct error *err)
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
    balance->time = shape_instant(arena, now);
    return (balance->time && reply_lots(arena, &account->lots, balance)) || errand_no_room(err);
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
    read_account(&row, &account);
    if (balance_overdue(&account, row.now)) {
        if (!find_with_holds(errand, &key, &row, &holds, &hold_count, err))
            return false;
        read_account(&row, &account);
    }
    balance_apply(&account, holds, hold_count, row.now, row.business_date,
                  rules_in_force(bank->rules, bank->rules_count, row.now));
    return reply_balance(errand, &account, row.now, err);
}

bool bank_get_balance(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_member_ref("member_ref", asked->member_ref, err) &&
           check_no_card_number("member_ref", asked->member_ref, err) && errand_read(call, request, balance_work, err);
}
