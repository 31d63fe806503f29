/* batch_load.c -- the first round trip: fences, locked accounts, and what the commands refer to. */
#include "engine/batch.h"
#include "engine/batch_review.h"
#include "engine/batch_spend.h"

#include "domain/packed.h"

#include <string.h>

/* The ids a batch asks for; arrays of 2 * BATCH_MAX in the batch's arena. */
struct wanted {
    struct uuid *members, *redemptions, *requests, *named, *accruals, *transfers, *splitting;
    size_t member_count, redemption_count, request_count, named_count, accrual_count, transfer_count, splitting_count;
    int64_t *programmes;
    size_t programme_count;
    int64_t banks[BATCH_EXPOSURES_MAX]; /* that have an exposure limit */
    size_t bank_count;
    struct spend_wanted spend;
    struct review_wanted reviews;
};

static bool wanted_init(struct wanted *wanted, struct arena *arena, size_t commands)
{
    *wanted = (struct wanted){
        .members = arena_alloc(arena, commands * sizeof(struct uuid)),
        .transfers = arena_alloc(arena, commands * sizeof(struct uuid)),
        .splitting = arena_alloc(arena, commands * sizeof(struct uuid)),
        .redemptions = arena_alloc(arena, 2 * commands * sizeof(struct uuid)),
        .requests = arena_alloc(arena, commands * sizeof(struct uuid)),
        .named = arena_alloc(arena, commands * sizeof(struct uuid)),
        .accruals = arena_alloc(arena, 2 * commands * sizeof(struct uuid)),
        .programmes = arena_alloc(arena, commands * sizeof(int64_t)),
    };
    return wanted->members && wanted->transfers && wanted->splitting && wanted->redemptions && wanted->requests &&
           wanted->named && wanted->accruals && wanted->programmes;
}

static void want_programme(struct wanted *wanted, int32_t programme_no)
{
    for (size_t i = 0; i < wanted->programme_count; i++) {
        if (wanted->programmes[i] == programme_no)
            return;
    }
    wanted->programmes[wanted->programme_count++] = programme_no;
}

/* What a kind of command needs to be decided. */
static const struct {
    bool member;     /* member_id's account */
    bool redemption; /* redemption_id's row, and its member's account */
    bool request;    /* what request_id made before: a redemption or an operation */
    bool operation;  /* what request_id made before, when that can be an operation only */
    bool accrual;    /* request_id's accrual */
    bool of_accrual; /* accrual_id's accrual */
} needs[COMMAND_KIND_COUNT] = {
    [COMMAND_SET_MEMBER] = { .member = true },
    [COMMAND_ACCRUE] = { .member = true, .operation = true, .accrual = true },
    [COMMAND_REVERSE_ACCRUAL] = { .member = true, .operation = true, .accrual = true, .of_accrual = true },
    [COMMAND_HOLD] = { .member = true, .request = true },
    [COMMAND_REDEEM] = { .member = true, .request = true },
    [COMMAND_CONFIRM] = { .redemption = true, .request = true },
    [COMMAND_CANCEL] = { .redemption = true, .request = true },
    [COMMAND_REVERSE] = { .redemption = true, .request = true },
    [COMMAND_EXTEND] = { .redemption = true, .request = true },
    [COMMAND_MATURE] = { .member = true, .request = true, .of_accrual = true },
    [COMMAND_CLAW_BACK] = { .member = true, .request = true, .of_accrual = true },
    [COMMAND_ADJUST] = { .member = true, .request = true },
    [COMMAND_REINSTATE] = { .member = true, .request = true },
    [COMMAND_SET_STATUS] = { .member = true, .request = true },
    [COMMAND_CLOSE] = { .member = true, .request = true },
    [COMMAND_SET_CREDIT_LIMIT] = { .member = true, .request = true },
    [COMMAND_SET_TEMPORARY_LIMIT] = { .member = true, .request = true },
    [COMMAND_SET_TIER] = { .member = true, .request = true },
    [COMMAND_SEND] = { .member = true, .request = true },
    [COMMAND_RECEIVE] = { .member = true, .request = true },
    [COMMAND_SETTLE] = { .member = true, .request = true },
    [COMMAND_ERASE] = { .member = true, .request = true },
    [COMMAND_RESTORE] = { .member = true, .request = true },
    [COMMAND_TIDY] = { .member = true },
    [COMMAND_LAPSE] = { .redemption = true },
};

static void want(struct wanted *wanted, const struct command *command)
{
    want_programme(wanted, command->programme_no);
    if (needs[command->kind].member)
        wanted->members[wanted->member_count++] = command->member_id;
    if (needs[command->kind].redemption) {
        wanted->redemptions[wanted->redemption_count++] = command->redemption_id;
        wanted->named[wanted->named_count++] = command->redemption_id;
    }
    if (needs[command->kind].request)
        wanted->redemptions[wanted->redemption_count++] = command->request_id;
    if (needs[command->kind].request || needs[command->kind].operation)
        wanted->requests[wanted->request_count++] = command->request_id;
    if (needs[command->kind].accrual)
        wanted->accruals[wanted->accrual_count++] = command->request_id;
    if (needs[command->kind].of_accrual)
        wanted->accruals[wanted->accrual_count++] = command->accrual_id;
    if (command->kind == COMMAND_SEND)
        wanted->transfers[wanted->transfer_count++] = command->request_id;
    if (command->kind == COMMAND_SEND && command->send.split)
        wanted->splitting[wanted->splitting_count++] = command->member_id;
    if (command->kind == COMMAND_SETTLE)
        wanted->transfers[wanted->transfer_count++] = command->transfer.transfer_id;
}

/* Whose limits a batch may touch: a confirmation does not say whose member it is about before it is loaded. */
static void want_exposures(struct wanted *wanted, const struct reference *reference)
{
    for (size_t i = 0; i < reference->bank_count && wanted->bank_count < BATCH_EXPOSURES_MAX; i++) {
        const struct bank *bank = &reference->banks[i];
        for (size_t k = 0; bank->has_exposure && k < wanted->programme_count; k++) {
            if (wanted->programmes[k] == bank->programme_no)
                wanted->banks[wanted->bank_count++] = bank->no;
        }
    }
}

static bool queue_ids(struct db *db, const struct statement *statement, int32_t bucket, const struct uuid *ids,
                      size_t count, struct error *err)
{
    struct ids_params params = { bucket, { ids, count } };

    return count == 0 || db_queue(db, statement, &params, err);
}

static bool queue_all(struct batch *batch, struct db *db, const struct wanted *wanted, struct error *err)
{
    struct fence_params fences = { batch->bucket, { wanted->programmes, wanted->programme_count } };
    struct accounts_params accounts = { batch->bucket,
                                        { wanted->members, wanted->member_count },
                                        { wanted->named, wanted->named_count } };

    return db_queue(db, &lane_begin, NULL, err) && db_queue(db, &lane_load_fences, &fences, err) &&
           db_queue(db, &lane_load_accounts, &accounts, err) &&
           queue_ids(db, &lane_load_redemptions, batch->bucket, wanted->redemptions, wanted->redemption_count, err) &&
           queue_ids(db, &lane_load_operations, batch->bucket, wanted->requests, wanted->request_count, err) &&
           queue_ids(db, &lane_load_accruals, batch->bucket, wanted->accruals, wanted->accrual_count, err) &&
           queue_ids(db, &lane_load_transfers, batch->bucket, wanted->transfers, wanted->transfer_count, err) &&
           queue_ids(db, &lane_load_open_splits, batch->bucket, wanted->splitting, wanted->splitting_count, err) &&
           (wanted->bank_count == 0 || batch_queue_exposures(batch, db, wanted->banks, wanted->bank_count, err)) &&
           batch_queue_spend(batch, db, &wanted->spend, err) && batch_queue_reviews(batch, db, &wanted->reviews, err) &&
           db_flush(db, false, err);
}

static bool broken(struct error *err, const char *what)
{
    return error_set(err, REASON_INTERNAL, "a stored row is not possible: %s", what);
}

static void take_moment(struct batch *batch, struct batch_account *loaded, const struct fence_row *fence)
{
    const struct bank *bank = reference_bank_no(batch->reference, loaded->account.bank_no);

    loaded->moment.now = fence->now;
    loaded->moment.business_date = fence->business_date;
    loaded->moment.rules = bank ? rules_to_decide_by(bank->rules, bank->rules_count, fence->now) : NULL;
    loaded->moment.exposures = &batch->exposures;
}

/* A member of a programme that no command at hand belongs to: somebody named another programme's redemption. */
static bool is_foreign(const struct batch *batch, const struct account_row *row)
{
    return batch_fence(batch, row->programme_no) == NULL;
}

static bool take_account(struct batch *batch, const struct account_row *row, struct error *err)
{
    struct batch_account *loaded = batch_add_account(batch, &row->member_id);

    if (!loaded)
        return broken(err, "more accounts than commands");
    struct account *account = &loaded->account;
    if (row->chain.size != sizeof account->chain || row->profile_hash.size != sizeof account->profile_hash ||
        !unpack_holds(row->holds.at, row->holds.size, account->holds, &account->hold_count) ||
        !unpack_lots(row->lots.at, row->lots.size, &account->lots) ||
        !unpack_pending(row->pending_lots.at, row->pending_lots.size, &account->pending_lots) ||
        !unpack_recent(row->recent.at, row->recent.size, &account->recent) ||
        !unpack_credit(row->credit.at, row->credit.size, &account->plan, &account->drawn))
        return broken(err, "account");
    account->programme_no = row->programme_no;
    account->bank_no = row->bank_no;
    account->member_ref = row->member_ref;
    account->status = row->status;
    account->tier = row->tier;
    account->available = row->available;
    account->held = row->held;
    account->pending = row->pending;
    account->expired = row->expired;
    account->credit_limit = row->credit_limit;
    account->credit_used = row->credit_used;
    account->counted_on = row->counted_on;
    account->day_points = row->day_points;
    account->month_points = row->month_points;
    account->tier_due = row->tier_due;
    account->journal_seq = row->journal_seq;
    memcpy(account->chain, row->chain.at, sizeof account->chain);
    memcpy(account->profile_hash, row->profile_hash.at, sizeof account->profile_hash);
    loaded->place = row->place;
    loaded->seq_read = row->journal_seq;
    loaded->dirty = row->next_due.days != account_next_due(account).days; /* a row somebody else wrote is set right */
    take_moment(batch, loaded, batch_fence(batch, row->programme_no));
    return true;
}

static bool take_redemption(struct batch *batch, const struct redemption_row *row, struct error *err)
{
    struct batch_redemption *loaded = batch_add_redemption(batch, &row->id);

    if (!loaded || row->content_hash.size != sizeof loaded->content_hash ||
        !unpack_lots(row->draws.at, row->draws.size, &loaded->redemption.draws.lots) ||
        !unpack_lines(row->lines.at, row->lines.size, &loaded->redemption.lines))
        return broken(err, "redemption");
    loaded->goods_no = row->goods_no;
    loaded->quantity = row->quantity;
    memcpy(loaded->content_hash, row->content_hash.at, sizeof loaded->content_hash);
    struct redemption *redemption = &loaded->redemption;
    redemption->member_id = row->member_id;
    redemption->programme_no = row->programme_no;
    redemption->bank_no = row->bank_no;
    redemption->merchant_no = row->merchant_no;
    redemption->store_no = row->store_no;
    redemption->state = row->state;
    redemption->reason = reason_by_name(row->reason);
    redemption->whole = row->goods_no != 0;
    redemption->points = row->points;
    redemption->confirmed_points = row->confirmed_points;
    redemption->reversed_points = row->reversed_points;
    memcpy(redemption->currency, row->currency, strnlen(row->currency, CURRENCY_TEXT - 1));
    redemption->confirmed = (struct settlement_amounts){ row->gross_minor, row->commission_minor };
    redemption->reversed = (struct settlement_amounts){ row->reversed_gross_minor, row->reversed_commission_minor };
    redemption->rules_version = row->rules_version;
    redemption->terms_version = row->terms_version;
    redemption->spendable_after = row->spendable_after;
    redemption->business_date = row->business_date;
    redemption->held_at = row->held_at;
    redemption->lapse_at = row->lapse_at;
    redemption->draws.credit = row->draw_credit;
    redemption->card = (uint64_t)row->card;
    redemption->lapse_after_us = row->lapse_after_us;
    redemption->one_step = row->one_step;
    memcpy(redemption->exposure_currency, row->exposure_currency, strnlen(row->exposure_currency, CURRENCY_TEXT - 1));
    redemption->exposure_minor = row->exposure_minor;
    redemption->price_minor = row->price_minor;
    memcpy(redemption->price_currency, row->price_currency, strnlen(row->price_currency, CURRENCY_TEXT - 1));
    redemption->cash_minor = row->cash_minor;
    return true;
}

static bool take_operation(struct batch *batch, const struct operation_row *row, struct error *err)
{
    struct batch_operation *loaded = &batch->operations[batch->operation_count];

    if (row->content_hash.size != sizeof batch->commands[0]->content_hash)
        return broken(err, "operation");
    *loaded = (struct batch_operation){ .row = *row };
    uuid_index_add(&batch->operation_index, &row->id, (int)batch->operation_count++);
    return true;
}

static bool take_accrual(struct batch *batch, const struct accrual_row *row, struct error *err)
{
    struct batch_accrual *loaded = &batch->accruals[batch->accrual_count];

    if (row->content_hash.size != sizeof batch->commands[0]->content_hash)
        return broken(err, "accrual");
    *loaded = (struct batch_accrual){ .row = *row };
    uuid_index_add(&batch->accrual_index, &row->id, (int)batch->accrual_count++);
    return true;
}

static bool take_transfer(struct batch *batch, const struct transfer_row *row, struct error *err)
{
    if (uuid_index_find(&batch->transfer_index, &row->id) >= 0) /* a split is found by its own id, and by its member */
        return true;
    if (batch->transfer_count == COUNT(batch->transfers) - BATCH_MAX) /* leaves room for what the commands begin */
        return broken(err, "more splits under way than commands");
    batch->transfers[batch->transfer_count] = (struct batch_transfer){ .row = *row };
    uuid_index_add(&batch->transfer_index, &row->id, (int)batch->transfer_count++);
    return true;
}

static bool next_rows(struct batch *batch, struct db *db, size_t asked, void **rows, size_t *count, struct error *err)
{
    *count = 0;
    return asked == 0 || db_next(db, &batch->arena, rows, count, err);
}

static bool read_accounts(struct batch *batch, struct db *db, struct error *err)
{
    void *rows = NULL;
    size_t count;
    bool good = next_rows(batch, db, 1, &rows, &count, err);

    for (size_t i = 0; good && i < count; i++) {
        const struct account_row *row = &((const struct account_row *)rows)[i];
        good = is_foreign(batch, row) || take_account(batch, row, err);
    }
    return good;
}

/* Of the next five: a statement that would have asked for nothing was not sent. */
static bool read_redemptions(struct batch *batch, struct db *db, size_t asked, struct error *err)
{
    void *rows = NULL;
    size_t count;
    bool good = next_rows(batch, db, asked, &rows, &count, err);

    for (size_t i = 0; good && i < count; i++)
        good = take_redemption(batch, &((const struct redemption_row *)rows)[i], err);
    return good;
}

static bool read_operations(struct batch *batch, struct db *db, size_t asked, struct error *err)
{
    void *rows = NULL;
    size_t count;
    bool good = next_rows(batch, db, asked, &rows, &count, err);

    for (size_t i = 0; good && i < count; i++)
        good = take_operation(batch, &((const struct operation_row *)rows)[i], err);
    return good;
}

static bool read_accruals(struct batch *batch, struct db *db, size_t asked, struct error *err)
{
    void *rows = NULL;
    size_t count;
    bool good = next_rows(batch, db, asked, &rows, &count, err);

    for (size_t i = 0; good && i < count; i++)
        good = take_accrual(batch, &((const struct accrual_row *)rows)[i], err);
    return good;
}

static bool read_transfers(struct batch *batch, struct db *db, size_t asked, struct error *err)
{
    void *rows = NULL;
    size_t count;
    bool good = next_rows(batch, db, asked, &rows, &count, err);

    for (size_t i = 0; good && i < count; i++)
        good = take_transfer(batch, &((const struct transfer_row *)rows)[i], err);
    return good;
}

static bool read_fences(struct batch *batch, struct db *db, struct error *err)
{
    void *rows;

    if (!db_next(db, &batch->arena, &rows, &batch->fence_count, err))
        return false;
    batch->fences = rows;
    for (size_t i = 0; i < batch->fence_count; i++) {
        if (batch->fences[i].reference_version > batch->reference->version)
            batch->reference_needed = batch->fences[i].reference_version;
    }
    return batch->reference_needed == 0 || error_set(err, REASON_TRY_AGAIN, "the reference data is not fresh enough");
}

/*
 * Overdue holds of the accounts at hand, so that what they reserve is free again before anything is decided. false when
 * there are more than a batch takes.
 */
static bool find_overdue(struct batch *batch, struct uuid *ids, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < batch->account_count; i++) {
        const struct batch_account *loaded = &batch->accounts[i];
        for (size_t k = 0; k < loaded->account.hold_count; k++) {
            const struct open_hold *hold = &loaded->account.holds[k];
            if (hold->lapse_at.us > loaded->moment.now.us || batch_redemption(batch, &hold->id))
                continue;
            if (*count == BATCH_OVERDUE_MAX)
                return false;
            ids[(*count)++] = hold->id;
        }
    }
    return true;
}

/* Too many are no fault of a command: as one, INTERNAL makes the lane run the halves, and one member's holds do fit. */
static bool load_overdue(struct batch *batch, struct db *db, struct error *err)
{
    struct uuid ids[BATCH_OVERDUE_MAX];
    size_t count;

    if (!find_overdue(batch, ids, &count))
        return error_set(err, REASON_INTERNAL, "more overdue holds than a batch takes");
    return count == 0 || (queue_ids(db, &lane_load_redemptions, batch->bucket, ids, count, err) &&
                          db_flush(db, false, err) && read_redemptions(batch, db, count, err));
}

bool batch_load(struct batch *batch, struct db *db, struct error *err)
{
    struct wanted wanted;

    if (!wanted_init(&wanted, &batch->arena, batch->command_count))
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < batch->command_count; i++)
        want(&wanted, batch->commands[i]);
    want_exposures(&wanted, batch->reference);
    return batch_want_spend(batch, &wanted.spend, err) && batch_want_reviews(batch, &wanted.reviews, err) &&
           queue_all(batch, db, &wanted, err) && db_next(db, NULL, NULL, NULL, err) && read_fences(batch, db, err) &&
           read_accounts(batch, db, err) && read_redemptions(batch, db, wanted.redemption_count, err) &&
           read_operations(batch, db, wanted.request_count, err) &&
           read_accruals(batch, db, wanted.accrual_count, err) &&
           read_transfers(batch, db, wanted.transfer_count, err) &&
           read_transfers(batch, db, wanted.splitting_count, err) &&
           (wanted.bank_count == 0 || batch_read_exposures(batch, db, err)) &&
           batch_read_spend(batch, db, &wanted.spend, err) && batch_read_reviews(batch, db, &wanted.reviews, err) &&
           load_overdue(batch, db, err) && batch_load_due_reviews(batch, db, err);
}
