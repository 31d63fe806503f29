/*
 * `alliance redemptions run`: a file of holds, confirms, cancels and reversals, so many in flight at once. Workers take
 * the earliest row that may be sent, send it until it is answered, and give it back; the batch keeps the order.
 */
#include "batch.h"
#include "cli.h"
#include "pool.h"
#include "progress.h"
#include "redemption_call.h"
#include "redemption_tally.h"
#include "refusals.h"
#include "requests_file.h"
#include "rows.h"

#include "io/clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

enum { PARALLEL_MAX = 64, PARALLEL_DEFAULT = 16 };

enum { ACTION, KEY, MEMBER_BANK, MEMBER, MERCHANT, STORE, POINTS, GOODS, COLUMNS };

static const struct row_column columns[COLUMNS] = {
    [ACTION] = { "action", true },     [KEY] = { "key", true },           [MEMBER_BANK] = { "member_bank", true },
    [MEMBER] = { "member_ref", true }, [MERCHANT] = { "merchant", true }, [STORE] = { "store", true },
    [POINTS] = { "points", true },     [GOODS] = { "goods_id", true },
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
    pthread_cond_t changed; /* a row was given back, or the run stops */
    int64_t in_flight, done;
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
    };
    struct row_copy copy = { rows->lines.number, (const char **)(uintptr_t)rows->row.at };
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
        refusals_add_error(&run->refusals, &(struct row_copy){ .line = run->rows.lines.number }, run->rows.lines.text,
                           err);
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
    };

    for (size_t i = 0; i < ROWS_COLUMNS_MAX; i++)
        values[i] = "";
    for (size_t i = 0; i < COLUMNS; i++)
        values[run->rows.place[i]] = by_column[i];
    refusals_add(&run->refusals, &(struct row_copy){ row->line, values }, "", reason, detail);
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
    else if (row->action == BATCH_HOLD)
        row->redemption_id = arena_copy(&run->batch.arena, answer->redemption_id, strlen(answer->redemption_id));
    progress_step(&run->progress, run->done, run->done);
}

/* Without the lock: the row is this worker's until it is given back, and its hold was answered before. */
static void do_row(struct run *run, const struct batch_row *row, struct redemption_answer *answer)
{
    struct redemption_call call = {
        .row = row,
        .hold = &run->batch.rows[row->hold],
        .request_id = batch_request_id(run->requests.instant, run->requests.seed, row->line),
        .ship_to = run->ship_to,
        .timeout_ms = run->cli->timeout_ms,
        .attempts = run->cli->attempts,
    };
    struct pool_entry *entry;
    struct error err = { 0 };

    if (!pool_borrow(&run->pool, call.hold->merchant_id, &entry, &err)) {
        redemption_refused(answer, reason_name(err.reason), error_text(&err));
        return;
    }
    redemption_call(&call, entry->client, answer);
    pool_return(&run->pool, entry);
}

/* With the lock held: a row to do, or NULL when there is no more to come. */
static struct batch_row *next_row(struct run *run)
{
    for (;;) {
        struct batch_row *row = run->stopped ? NULL : batch_take(&run->batch);
        if (row || run->stopped || run->in_flight == 0)
            return row;
        pthread_cond_wait(&run->changed, &run->lock);
    }
}

static void *work(void *with)
{
    struct run *run = with;
    struct batch_row *row;

    pthread_mutex_lock(&run->lock);
    while ((row = next_row(run))) {
        struct redemption_answer answer = { 0 };
        run->in_flight++;
        pthread_mutex_unlock(&run->lock);
        do_row(run, row, &answer);
        pthread_mutex_lock(&run->lock);
        run->in_flight--;
        if (answer.outcome == REDEMPTION_FAILED) {
            run->failure = answer.failure;
            run->stopped = true;
        } else {
            take_answer(run, row, &answer);
            batch_done(&run->batch, row);
        }
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

static void work_together(struct run *run, size_t parallel)
{
    pthread_t threads[PARALLEL_MAX];
    size_t started = 0;

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
    int64_t parallel;

    if (!cli_whole(cli, OPTION_PARALLEL, 1, PARALLEL_MAX, PARALLEL_DEFAULT, &parallel))
        return OUTCOME_USAGE;
    if (!read_address(&run))
        return OUTCOME_FAILED;
    if (!open_file(&run, &err) || !open_receipts(&run, &err))
        return cli_fail(cli, &err);
    refusals_init(&run.refusals, cli->arguments.at[0], &run.rows.header, cli->err);
    if (!read_rows(&run, &err))
        return cli_fail(cli, &err);
    work_together(&run, (size_t)parallel);
    return conclude(&run);
}
