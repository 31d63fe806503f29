/*
 * `alliance redemptions run`: a file of holds, redemptions, confirms, cancels and reversals, so many calls in flight at
 * once. Workers take the earliest rows that may be sent, send those of each merchant in one call until each is
 * answered, and give them back; the batch keeps the order.
 */
#include "batch.h"
#include "cli.h"
#include "pool.h"
#include "progress.h"
#include "redemption_call.h"
#include "redemption_tally.h"
#include "requests_file.h"

#include "io/clock.h"
#include "io/refusals.h"
#include "io/rows.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PARALLEL_MAX = 64, PARALLEL_DEFAULT = 16 };

enum { ACTION, KEY, MEMBER_BANK, MEMBER, MERCHANT, STORE, POINTS, GOODS, CARD, COLUMNS };

static const struct row_column columns[COLUMNS] = {
    [ACTION] = { "action", true },     [KEY] = { "key", true },           [MEMBER_BANK] = { "member_bank", true },
    [MEMBER] = { "member_ref", true }, [MERCHANT] = { "merchant", true }, [STORE] = { "store", true },
    [POINTS] = { "points", true },     [GOODS] = { "goods_id", true },    [CARD] = { "card_token", false },
};

struct run {
    struct cli *cli;
    FILE *file, *receipts;
    struct rows rows;
    struct batch batch;
    struct requests_file requests;
    struct pool pool;
    struct refusals refusals;
    struct progress progress;
    struct redemption_tally tally;
    Alliance__V1__PostalAddress *ship_to; /* for rows with a good; NULL: none */
    /* What workers share is guarded by lock: batch, refusals, progress, tally, receipts and these. */
    pthread_mutex_t lock;
    pthread_cond_t changed;  /* a row was given back, or the run stops */
    int64_t in_flight, done; /* rows */
    int64_t parallel;
    bool stopped; /* a call failed for good: nothing more is sent */
    struct client_status failure;
};

static void release(struct run *run)
{
    batch_release(&run->batch);
    rows_close(&run->rows);
    pool_release(&run->pool);
    if (run->file)
        fclose(run->file);
    if (run->receipts)
        fclose(run->receipts);
}

static void add_row(struct run *run)
{
    const struct rows *rows = &run->rows;
    struct batch_text text = {
        .action = rows_value(rows, ACTION),
        .key = rows_value(rows, KEY),
        .bank_id = rows_value(rows, MEMBER_BANK),
        .member_ref = rows_value(rows, MEMBER),
        .merchant_id = rows_value(rows, MERCHANT),
        .store_id = rows_value(rows, STORE),
        .points = rows_value(rows, POINTS),
        .goods_id = rows_value(rows, GOODS),
        .card_token = rows_value(rows, CARD),
    };
    struct row_copy copy = { rows->lines.number, (const char **)(uintptr_t)rows->row.at, 1 };
    struct error err = { 0 };

    if (!batch_add(&run->batch, rows->lines.number, &text, &err)) {
        refusals_add_error(&run->refusals, &copy, "", &err);
        redemption_tally_add(&run->tally, text.action, reason_name(err.reason));
    }
}

static bool read_rows(struct run *run, struct error *err)
{
    enum rows_next next;

    while ((next = rows_read(&run->rows, err)) != ROWS_END) {
        if (next == ROWS_ROW) {
            add_row(run);
            continue;
        }
        refusals_add_error(&run->refusals, &(struct row_copy){ .line = run->rows.lines.number }, run->rows.text, err);
        redemption_tally_add(&run->tally, "?", reason_name(err->reason));
    }
    return batch_start(&run->batch, err);
}

static const char *points_text(const struct batch_row *row, char out[24])
{
    snprintf(out, 24, "%" PRId64, row->points);
    return row->points ? out : "";
}

/* The row as it was in the file, columns in our order. */
static void refuse(struct run *run, const struct batch_row *row, const char *reason, const char *detail)
{
    const struct batch_row *hold = &run->batch.rows[row->hold];
    const char *values[ROWS_COLUMNS_MAX] = { 0 };
    char points[24];
    const char *const by_column[COLUMNS] = {
        [ACTION] = batch_action_name(row->action),
        [KEY] = row->key,
        [MEMBER_BANK] = hold->bank_id,
        [MEMBER] = hold->member_ref,
        [MERCHANT] = hold->merchant_id,
        [STORE] = hold->store_id,
        [POINTS] = points_text(row, points),
        [GOODS] = hold->goods_id,
        [CARD] = hold->card_token,
    };

    for (size_t i = 0; i < ROWS_COLUMNS_MAX; i++)
        values[i] = "";
    for (size_t i = 0; i < COLUMNS; i++) {
        if (run->rows.place[i] >= 0)
            values[run->rows.place[i]] = by_column[i];
    }
    refusals_add(&run->refusals, &(struct row_copy){ row->line, values, 1 }, "", reason, detail);
}

static void write_receipt(struct run *run, const struct batch_row *row, const struct redemption_answer *answer)
{
    char line[24], points[24], request_id[UUID_TEXT];
    struct uuid uuid = batch_request_id(run->requests.instant, run->requests.seed, row->line);
    const char *fields[] = { line,          batch_action_name(row->action), row->key,
                             request_id,    answer->redemption_id,          points,
                             answer->reason };

    if (!run->receipts)
        return;
    snprintf(line, sizeof line, "%" PRId64, row->line);
    snprintf(points, sizeof points, "%" PRId64, answer->points);
    uuid_format(&uuid, request_id);
    rows_write(run->receipts, fields, COUNT(fields));
}

/* With the lock held. */
static void take_answer(struct run *run, struct batch_row *row, const struct redemption_answer *answer)
{
    bool good = answer->outcome == REDEMPTION_DONE;

    run->done++;
    redemption_tally_add(&run->tally, batch_action_name(row->action), answer->reason);
    write_receipt(run, row, answer);
    if (!good)
        refuse(run, row, answer->reason, answer->detail);
    else if (batch_makes(row->action))
        row->redemption_id = arena_copy(&run->batch.arena, answer->redemption_id, strlen(answer->redemption_id));
    progress_step(&run->progress, run->done, run->done);
}

/* Rows that one worker took together: a quarter of a megabyte, on its stack. */
struct share {
    struct batch_row *rows[REDEMPTION_CALL_ROWS];
    struct redemption_call calls[REDEMPTION_CALL_ROWS];
    struct redemption_answer answers[REDEMPTION_CALL_ROWS];
    size_t count;
};

/* Of one merchant's rows, from `first` on. Without the lock: they are this worker's, and their holds were answered. */
static void call_merchant(struct run *run, struct share *share, size_t first, size_t count)
{
    struct redemption_answer *answers = &share->answers[first];
    struct redemption_sender sender = { .timeout_ms = run->cli->timeout_ms, .attempts = run->cli->attempts };
    struct pool_entry *entry;
    struct error err = { 0 };

    if (!pool_borrow(&run->pool, share->calls[first].hold->merchant_id, &entry, &err)) {
        for (size_t i = 0; i < count; i++)
            redemption_refused(&answers[i], reason_name(err.reason), error_text(&err));
        return;
    }
    sender.client = entry->client;
    redemption_call(&sender, &share->calls[first], answers, count);
    pool_return(&run->pool, entry);
}

/* With the lock held: what was answered is given back; the first failure stops the run. */
static void give_back(struct run *run, struct share *share, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const struct redemption_answer *answer = &share->answers[i];
        if (answer->outcome == REDEMPTION_FAILED) {
            if (!run->stopped)
                run->failure = answer->failure;
            run->stopped = true;
            continue;
        }
        take_answer(run, share->rows[i], answer);
        batch_done(&run->batch, share->rows[i]);
    }
    pthread_cond_broadcast(&run->changed);
}

static size_t same_merchant(const struct share *share, size_t first)
{
    const char *merchant = share->calls[first].hold->merchant_id;
    size_t count = 1;

    while (first + count < share->count && strcmp(share->calls[first + count].hold->merchant_id, merchant) == 0)
        count++;
    return count;
}

/* With the lock held but for the calls. What is left when the run stops is sent when it is run again. */
static void do_share(struct run *run, struct share *share)
{
    run->in_flight += (int64_t)share->count;
    for (size_t first = 0, count; first < share->count && !run->stopped; first += count) {
        count = same_merchant(share, first);
        pthread_mutex_unlock(&run->lock);
        call_merchant(run, share, first, count);
        pthread_mutex_lock(&run->lock);
        give_back(run, share, first, count);
    }
    run->in_flight -= (int64_t)share->count;
    pthread_cond_broadcast(&run->changed);
}

struct placed {
    struct batch_row *row;
    const char *merchant_id;
};

/* By merchant, and of one merchant in the file's order. */
static int by_merchant(const void *a, const void *b)
{
    const struct placed *one = a, *other = b;
    int order = strcmp(one->merchant_id, other->merchant_id);

    return order ? order : (one->row->line > other->row->line) - (one->row->line < other->row->line);
}

static void set_calls(struct run *run, struct placed *placed, size_t count, struct share *share)
{
    qsort(placed, count, sizeof *placed, by_merchant);
    *share = (struct share){ .count = count };
    for (size_t i = 0; i < count; i++) {
        struct batch_row *row = share->rows[i] = placed[i].row;
        share->calls[i] = (struct redemption_call){
            .row = row,
            .hold = &run->batch.rows[row->hold],
            .request_id = batch_request_id(run->requests.instant, run->requests.seed, row->line),
            .ship_to = run->ship_to,
        };
    }
}

/* With the lock held: the earliest rows that may be sent, no more than leave something for the other workers. */
static bool take_share(struct run *run, struct share *share)
{
    struct placed placed[REDEMPTION_CALL_ROWS];
    size_t fair = (size_t)(run->batch.ready_count / run->parallel) + 1, count = 0;
    struct batch_row *row;

    while (count < REDEMPTION_CALL_ROWS && count < fair && (row = batch_take(&run->batch)) != NULL)
        placed[count++] = (struct placed){ row, run->batch.rows[row->hold].merchant_id };
    if (count > 0)
        set_calls(run, placed, count, share);
    return count > 0;
}

/* With the lock held: false when there is no more to come. */
static bool next_share(struct run *run, struct share *share)
{
    for (;;) {
        if (run->stopped)
            return false;
        if (take_share(run, share))
            return true;
        if (run->in_flight == 0)
            return false;
        pthread_cond_wait(&run->changed, &run->lock);
    }
}

static void *work(void *with)
{
    struct run *run = with;
    struct share share;

    pthread_mutex_lock(&run->lock);
    while (next_share(run, &share))
        do_share(run, &share);
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

static void work_together(struct run *run)
{
    pthread_t threads[PARALLEL_MAX];
    size_t started = 0, parallel = (size_t)run->parallel;

    progress_start(&run->progress, "redemptions", run->batch.count, cli_option(run->cli, OPTION_PROGRESS) != NULL);
    while (started + 1 < parallel && pthread_create(&threads[started], NULL, work, run) == 0)
        started++;
    work(run);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    progress_end(&run->progress, run->done);
}

static bool open_receipts(struct run *run, struct error *err)
{
    const char *path = cli_option(run->cli, OPTION_RECEIPTS);

    if (!path)
        return true;
    run->receipts = fopen(path, "we");
    if (!run->receipts)
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be written", path);
    fputs("line,action,key,request_id,redemption_id,points,reason\n", run->receipts);
    return true;
}

static bool open_file(struct run *run, struct error *err)
{
    const char *path = run->cli->arguments.at[0];
    char profiles[CONNECTION_TEXT];
    struct error why = { 0 };
    bool made;

    if (!connection_profiles(profiles))
        return error_set(err, REASON_SETTING_INVALID, "ALLIANCE_HOME is too long");
    const char *folder = cli_option(run->cli, OPTION_PROFILES_DIR);
    run->file = fopen(path, "re");
    if (!run->file)
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read", path);
    if (!requests_file_open(&run->requests, path, run->file, clock_now(), &made, err) ||
        !pool_init(&run->pool, folder ? folder : profiles, err))
        return false;
    if (!made)
        fprintf(run->cli->err, "%s.requests is there: the same requests are repeated\n", path);
    return rows_open(&run->rows, run->file, columns, COLUMNS, &why) ||
           error_set(err, why.reason, "%.80s:1: %.110s", path, error_text(&why));
}

static bool read_address(struct run *run)
{
    const char *path = cli_option(run->cli, OPTION_SHIP_TO);
    ProtobufCMessage *address = NULL;

    if (path && !cli_read_json(run->cli, path, &alliance__v1__postal_address__descriptor, &address))
        return false;
    run->ship_to = (Alliance__V1__PostalAddress *)address;
    return true;
}

static enum outcome conclude(struct run *run)
{
    bool kept = refusals_close(&run->refusals);

    if (run->receipts && (ferror(run->receipts) || fflush(run->receipts) != 0))
        kept = false;
    redemption_tally_write(&run->tally, cli_option(run->cli, OPTION_JSON) != NULL, run->cli->out);
    if (run->stopped) {
        cli_fail_status(run->cli, &run->failure);
        fprintf(run->cli->err, "run the same command again: it repeats the same requests\n");
    }
    if (!kept)
        fprintf(run->cli->err, "error: the refused rows or the receipts could not be written\n");
    if (run->stopped || !kept)
        return OUTCOME_FAILED;
    bool forgiven = run->refusals.count == 0 || cli_option(run->cli, OPTION_ALLOW_REFUSED);
    return forgiven ? OUTCOME_DONE : OUTCOME_REFUSED;
}

enum outcome redemptions_run(struct cli *cli)
{
    CLEANUP(release)
    struct run run = { .cli = cli, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    struct error err = { 0 };

    if (!cli_whole(cli, OPTION_PARALLEL, 1, PARALLEL_MAX, PARALLEL_DEFAULT, &run.parallel))
        return OUTCOME_USAGE;
    if (!read_address(&run))
        return OUTCOME_FAILED;
    if (!open_file(&run, &err) || !open_receipts(&run, &err))
        return cli_fail(cli, &err);
    refusals_init(&run.refusals, cli->arguments.at[0], &run.rows.header, cli->err);
    if (!read_rows(&run, &err))
        return cli_fail(cli, &err);
    work_together(&run);
    return conclude(&run);
}
