#include "engine/batch_spend.h"
#include "engine/batch_review.h"

#include "domain/earn_count.h"
#include "store/spend_store.h"

/* Points the bank has fixed are no matter of its rules, but the spend may make a tier. */
static const struct bank *bank_of(const struct batch *batch, const struct command *command)
{
    const struct bank *bank = reference_bank_no(batch->reference, command->bank_no);

    if (command->kind != COMMAND_ACCRUE || (command->accrue.fixed_points > 0 && !batch_reviews_bank(bank)))
        return NULL;
    return bank;
}

/* Which of the versions decides is not known before the fence is read, nor what caps the next one has. */
bool batch_counts_spend(const struct bank *bank)
{
    for (size_t i = 0; bank && i < bank->rules_count; i++) {
        if (bank->rules[i].set)
            return true;
    }
    return false;
}

bool batch_want_spend(struct batch *batch, struct spend_wanted *wanted, struct error *err)
{
    size_t most = batch->command_count;

    *wanted = (struct spend_wanted){ .commands = arena_alloc(&batch->arena, most * sizeof *wanted->commands),
                                     .programmes = arena_alloc(&batch->arena, most * sizeof *wanted->programmes),
                                     .times = arena_alloc(&batch->arena, most * sizeof *wanted->times),
                                     .members = arena_alloc(&batch->arena, most * sizeof *wanted->members) };
    if (!wanted->commands || !wanted->programmes || !wanted->times || !wanted->members)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < batch->command_count; i++) {
        struct command *command = batch->commands[i];
        if (!batch_counts_spend(bank_of(batch, command)))
            continue;
        if (command->accrue.fixed_points == 0)
            wanted->members[wanted->member_count++] = command->member_id;
        wanted->commands[wanted->count] = command;
        wanted->programmes[wanted->count] = command->programme_no;
        wanted->times[wanted->count++] = command->accrue.transaction_time.us;
    }
    return true;
}

bool batch_queue_spend(struct batch *batch, struct db *db, const struct spend_wanted *wanted, struct error *err)
{
    struct spend_days_params days = { { wanted->programmes, wanted->count }, { wanted->times, wanted->count } };
    struct ids_params members = { batch->bucket, { wanted->members, wanted->member_count } };

    return (wanted->count == 0 || db_queue(db, &lane_load_spend_days, &days, err)) &&
           (wanted->member_count == 0 || db_queue(db, &lane_load_earn_counts, &members, err));
}

static bool read_days(struct batch *batch, struct db *db, const struct spend_wanted *wanted, struct error *err)
{
    void *rows;
    size_t count;

    if (wanted->count == 0)
        return true;
    if (!db_next(db, &batch->arena, &rows, &count, err))
        return false;
    if (count != wanted->count)
        return error_set(err, REASON_INTERNAL, "a programme of card spend is not there");
    for (size_t i = 0; i < count; i++)
        wanted->commands[i]->accrue.spent_on = ((const struct spend_day_row *)rows)[i].spent_on;
    return true;
}

static struct earn_counts *counts_of(struct batch *batch, const struct uuid *member_id)
{
    struct batch_account *loaded = batch_account(batch, member_id);

    if (loaded && !loaded->counts)
        loaded->counts = arena_alloc(&batch->arena, sizeof *loaded->counts);
    return loaded ? loaded->counts : NULL;
}

static bool take_counts(struct batch *batch, const struct earn_count_row *row, struct error *err)
{
    struct earn_counts *counts = counts_of(batch, &row->member_id);

    if (!counts || !unpack_earn_counts(row->rules.at, row->rules.size, counts))
        return error_set(err, REASON_INTERNAL, "a stored row is not possible: earn_count");
    counts->counted_on = row->counted_on;
    counts->day_points = row->day_points;
    counts->month_points = row->month_points;
    return true;
}

bool batch_read_spend(struct batch *batch, struct db *db, const struct spend_wanted *wanted, struct error *err)
{
    void *rows = NULL;
    size_t count = 0;

    if (!read_days(batch, db, wanted, err) ||
        (wanted->member_count > 0 && !db_next(db, &batch->arena, &rows, &count, err)))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_counts(batch, &((const struct earn_count_row *)rows)[i], err))
            return false;
    }
    for (size_t i = 0; i < wanted->member_count; i++) {
        if (batch_account(batch, &wanted->members[i]) && !counts_of(batch, &wanted->members[i]))
            return error_set(err, REASON_INTERNAL, "out of memory");
    }
    return true;
}

static bool counts_to_row(struct batch *batch, const struct batch_account *loaded, struct earn_count_row *row)
{
    uint8_t *rules = arena_alloc(&batch->arena, (size_t)loaded->counts->rule_count * PACKED_EARN_COUNT);

    if (!rules)
        return false;
    *row = (struct earn_count_row){ .member_id = loaded->account.member_id,
                                    .counted_on = loaded->counts->counted_on,
                                    .day_points = loaded->counts->day_points,
                                    .month_points = loaded->counts->month_points };
    row->rules = (struct bytes){ rules, packed_earn_counts(loaded->counts, rules) };
    return true;
}

bool batch_send_spend(struct batch *batch, struct db *db, struct error *err)
{
    struct earn_count_row *rows = NULL;
    size_t count = 0;

    for (size_t i = 0; i < batch->account_count; i++) {
        const struct batch_account *loaded = &batch->accounts[i];
        if (!loaded->counted)
            continue;
        rows = rows ? rows : arena_alloc(&batch->arena, batch->account_count * sizeof *rows);
        if (!rows || !counts_to_row(batch, loaded, &rows[count++]))
            return error_set(err, REASON_INTERNAL, "out of memory");
    }
    struct write_params params = { batch->bucket, { rows, count } };
    return count == 0 || db_queue(db, &lane_put_earn_counts, &params, err);
}
