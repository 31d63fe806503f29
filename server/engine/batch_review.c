#include "engine/batch_review.h"

#include "engine/review_record.h"

static const struct rule_set *reviewing(const struct batch_account *loaded)
{
    const struct exchange_rules *rules = loaded->moment.rules;

    return rules && tier_reviews(rules->set) ? rules->set : NULL;
}

/* Reading */

bool batch_reviews_bank(const struct bank *bank)
{
    for (size_t i = 0; bank && i < bank->rules_count; i++) {
        if (tier_reviews(bank->rules[i].set))
            return true;
    }
    return false;
}

static bool is_looked_at(const struct command *command)
{
    static const bool always[COMMAND_KIND_COUNT] = { [COMMAND_ACCRUE] = true,
                                                     [COMMAND_REVERSE_ACCRUAL] = true,
                                                     [COMMAND_SET_TIER] = true,
                                                     [COMMAND_TIDY] = true,
                                                     [COMMAND_RESTORE] = true };

    return always[command->kind] || (command->kind == COMMAND_SET_MEMBER && command->member.has_tier);
}

bool batch_want_reviews(struct batch *batch, struct review_wanted *wanted, struct error *err)
{
    *wanted = (struct review_wanted){ 0 };
    for (size_t i = 0; i < batch->command_count; i++) {
        const struct command *command = batch->commands[i];
        if (!is_looked_at(command) || !batch_reviews_bank(reference_bank_no(batch->reference, command->bank_no)))
            continue;
        if (!wanted->members)
            wanted->members = arena_alloc(&batch->arena, batch->command_count * sizeof *wanted->members);
        if (!wanted->members)
            return error_set(err, REASON_INTERNAL, "out of memory");
        wanted->members[wanted->count++] = command->member_id;
    }
    return true;
}

bool batch_queue_reviews(struct batch *batch, struct db *db, const struct review_wanted *wanted, struct error *err)
{
    struct ids_params params = { batch->bucket, { wanted->members, wanted->count } };

    return wanted->count == 0 || db_queue(db, &lane_load_reviews, &params, err);
}

static bool take_review(struct batch *batch, const struct review_row *row, struct error *err)
{
    struct batch_account *loaded = batch_account(batch, &row->member_id);

    if (!loaded)
        return true;
    loaded->review = arena_alloc(&batch->arena, sizeof *loaded->review);
    if (!loaded->review)
        return error_set(err, REASON_INTERNAL, "out of memory");
    return review_from_row(row, loaded->review) ||
           error_set(err, REASON_INTERNAL, "a stored row is not possible: tier_review");
}

static bool read_reviews(struct batch *batch, struct db *db, const struct uuid *members, size_t asked,
                         struct error *err)
{
    size_t count;
    void *rows;

    if (!db_next(db, &batch->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < asked; i++) {
        struct batch_account *loaded = batch_account(batch, &members[i]);
        if (loaded)
            loaded->review_read = true;
    }
    for (size_t i = 0; i < count; i++) {
        if (!take_review(batch, &((const struct review_row *)rows)[i], err))
            return false;
    }
    return true;
}

bool batch_read_reviews(struct batch *batch, struct db *db, const struct review_wanted *wanted, struct error *err)
{
    return wanted->count == 0 || read_reviews(batch, db, wanted->members, wanted->count, err);
}

static bool is_due(const struct batch_account *loaded)
{
    return loaded->account.tier_due.days != 0 && loaded->account.tier_due.days <= loaded->moment.business_date.days;
}

/* Rules that ask for spend no more are not looked at, but what a purchase counted is still taken off. */
static struct batch_account *who_returned(struct batch *batch, const struct command *command)
{
    int place =
        command->kind == COMMAND_REVERSE_ACCRUAL ? uuid_index_find(&batch->accrual_index, &command->accrual_id) : -1;

    return place >= 0 && batch->accruals[place].row.qualifying_minor > 0 ? batch_account(batch, &command->member_id)
                                                                         : NULL;
}

static void want_one(struct review_wanted *wanted, const struct uuid *member_id)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (uuid_compare(&wanted->members[i], member_id) == 0)
            return;
    }
    wanted->members[wanted->count++] = *member_id;
}

bool batch_load_due_reviews(struct batch *batch, struct db *db, struct error *err)
{
    struct uuid members[BATCH_MAX];
    struct review_wanted due = { members, 0 };

    for (size_t i = 0; i < batch->account_count; i++) {
        const struct batch_account *loaded = &batch->accounts[i];
        if (is_due(loaded) && !loaded->review_read && reviewing(loaded))
            members[due.count++] = loaded->account.member_id;
    }
    for (size_t i = 0; i < batch->command_count; i++) {
        const struct batch_account *loaded = who_returned(batch, batch->commands[i]);
        if (loaded && !loaded->review_read)
            want_one(&due, &loaded->account.member_id);
    }
    return due.count == 0 || (batch_queue_reviews(batch, db, &due, err) && db_flush(db, false, err) &&
                              batch_read_reviews(batch, db, &due, err));
}

/* Deciding */

/* Another tier than before, by an entry and a row of the audit log of its own. */
static bool change_tier(struct batch *batch, struct batch_account *loaded, const struct tier *judged, int32_t tier,
                        const struct uuid *ref)
{
    struct account *account = &loaded->account;
    const struct member_facts before = batch_facts(account);
    size_t changes = batch->change_count;

    if (member_set_tier(account, &loaded->moment, (int16_t)tier, ref, &batch->entries) != REASON_OK ||
        account->tier == before.tier)
        return true;
    batch->entries.at[batch->entries.count - 1].rules_version = loaded->moment.rules->version;
    loaded->dirty = true;
    batch->tier_changes[batch->tier_change_count++] = (struct tier_change_row){
        .member_id = account->member_id,
        .seq = account->journal_seq,
        .rules_version = loaded->moment.rules->version,
        .tier_before = before.tier,
        .tier_after = account->tier,
        .judged_tier = (int16_t)judged->tier,
        .currency = judged->currency,
        .spent_minor = tier_review_spent(loaded->review, judged),
        .needed_minor = judged->qualifying_minor,
        .first_day = tier_month_start(loaded->review->month - judged->period_months + 1),
    };
    if (!batch_keep_change(batch, NULL, loaded, &before, NULL))
        return false;
    if (batch->change_count > changes)
        batch->changes[batch->change_count - 1].changed_by = TIER_REVIEWER;
    return true;
}

static void set_due(struct batch_account *loaded, struct date due)
{
    loaded->dirty |= loaded->account.tier_due.days != due.days;
    loaded->account.tier_due = due;
}

/* A closed member's tier, and one for which the rules in force ask no spend, is not looked at again. */
static void let_go(struct batch_account *loaded)
{
    int32_t version = loaded->moment.rules->version;

    set_due(loaded, (struct date){ 0 });
    if (!loaded->review || loaded->review->rules_version == version)
        return;
    loaded->review->rules_version = version;
    loaded->reviewed = true;
}

static bool make_review(struct batch *batch, struct batch_account *loaded)
{
    if (!loaded->review)
        loaded->review = arena_alloc(&batch->arena, sizeof *loaded->review);
    return loaded->review != NULL;
}

/* What there is to write when a look has found something. */
struct looked {
    int32_t version, month, marks;
};
static struct looked before_looking(const struct tier_review *review)
{
    return (struct looked){ review->rules_version, review->month, review->mark_count };
}
static bool found_more(const struct tier_review *review, const struct looked *before)
{
    return review->rules_version != before->version || review->month != before->month ||
           review->mark_count != before->marks;
}

bool batch_review_time(struct batch *batch, struct batch_account *loaded)
{
    const struct rule_set *set = reviewing(loaded);
    struct account *account = &loaded->account;

    if (!loaded->moment.rules || (!loaded->review_read && !is_due(loaded)))
        return true;
    if (!set || account->status == MEMBER_CLOSED) {
        let_go(loaded);
        return true;
    }
    if (!loaded->review && account->tier == 0)
        return true;
    if (!make_review(batch, loaded))
        return false;
    const struct looked before = before_looking(loaded->review);
    const struct tier_rules rules = tier_rules_of(loaded->moment.rules);
    int32_t tier =
        tier_review_time(loaded->review, &rules, account->tier, account->tier_due, loaded->moment.business_date);
    loaded->reviewed |= found_more(loaded->review, &before);
    if (tier != account->tier &&
        !change_tier(batch, loaded, rule_set_tier(set, account->tier), tier, &(struct uuid){ { 0 } }))
        return false;
    set_due(loaded, tier_review_lost_on(loaded->review, set, account->tier));
    return true;
}

/* It was brought up to date with the account, unless there was none. */
static void look(struct batch_account *loaded)
{
    const struct tier_rules rules = tier_rules_of(loaded->moment.rules);

    tier_review_look(loaded->review, &rules, loaded->account.tier, loaded->moment.business_date);
    loaded->reviewed = true;
}

/* Of a member this batch has made there was nothing to read. */
bool batch_review_ready(struct batch *batch, struct batch_account *loaded)
{
    if (!loaded || !reviewing(loaded) || !(loaded->review_read || loaded->is_new))
        return true;
    return make_review(batch, loaded);
}

static struct tier_spend spend_of(const struct accrual_row *row)
{
    return (struct tier_spend){ row->currency, row->earn_rule, row->amount_minor, row->paid_with_points_minor };
}

void batch_review_spend(struct batch *batch, const struct command *command, struct batch_account *loaded)
{
    struct accrual_row *row = &batch->accruals[batch->accrual_count - 1].row;
    const struct rule_set *set = reviewing(loaded);
    const struct tier_spend spend = spend_of(row);

    if (!set || !loaded->review)
        return;
    row->qualifying_minor = tier_qualifying(set, &spend);
    if (row->qualifying_minor == 0)
        return;
    look(loaded);
    tier_review_add(loaded->review, set, tier_spend_month(row->spent_on, row->business_date), row->currency,
                    row->qualifying_minor);
    const struct tier *reached = tier_review_reached(loaded->review, set);
    if (reached && reached->tier > loaded->account.tier &&
        !change_tier(batch, loaded, reached, reached->tier, &command->request_id))
        batch->out_of_memory = true;
    set_due(loaded, tier_review_lost_on(loaded->review, set, loaded->account.tier));
}

/* What counted then counts less now, whatever the rules are by now. */
void batch_review_return(const struct command *command, struct batch_account *loaded, const struct accrual_row *row)
{
    const struct rule_set *set = reviewing(loaded);
    int64_t part = command->spend_back.amount_minor;

    if (!loaded->review || row->qualifying_minor == 0)
        return;
    if (set)
        look(loaded);
    tier_review_add(loaded->review, set, tier_spend_month(row->spent_on, row->business_date), row->currency,
                    -rules_points_reversed(row->qualifying_minor, row->amount_minor, row->reversed_minor - part, part));
    loaded->reviewed = true;
    if (set)
        set_due(loaded, tier_review_lost_on(loaded->review, set, loaded->account.tier));
}

void batch_review_word(struct batch_account *loaded)
{
    const struct rule_set *set = reviewing(loaded);
    int16_t tier = loaded->account.tier;

    if (!set || !loaded->review || loaded->account.status == MEMBER_CLOSED)
        return;
    look(loaded);
    tier_review_say(loaded->review, set, tier);
    set_due(loaded, tier_review_lost_on(loaded->review, set, tier));
}

/* A tier it has again may be due; a closed one is let go of by whoever looks next. */
void batch_review_restored(struct batch_account *loaded)
{
    const struct rule_set *set = reviewing(loaded);

    if (!set || !loaded->review || loaded->account.status == MEMBER_CLOSED)
        return;
    look(loaded);
    set_due(loaded, tier_review_lost_on(loaded->review, set, loaded->account.tier));
}

/* Writing */

static bool send_rows(struct batch *batch, struct db *db, struct error *err)
{
    struct review_row *rows = NULL;
    size_t count = 0;

    for (size_t i = 0; i < batch->account_count; i++) {
        const struct batch_account *loaded = &batch->accounts[i];
        if (!loaded->reviewed)
            continue;
        rows = rows ? rows : arena_alloc(&batch->arena, batch->account_count * sizeof *rows);
        if (!rows || !review_to_row(&batch->arena, &loaded->account.member_id, loaded->review, &rows[count++]))
            return error_set(err, REASON_INTERNAL, "out of memory");
    }
    struct write_params params = { batch->bucket, { rows, count } };
    return count == 0 || db_queue(db, &lane_put_reviews, &params, err);
}

bool batch_send_reviews(struct batch *batch, struct db *db, struct error *err)
{
    struct write_params changes = { batch->bucket, { batch->tier_changes, batch->tier_change_count } };

    return send_rows(batch, db, err) &&
           (batch->tier_change_count == 0 || db_queue(db, &lane_insert_tier_changes, &changes, err));
}
