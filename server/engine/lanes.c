#include "engine/lanes.h"

#include "base/limits.h"
#include "engine/batch.h"
#include "engine/lane_queue.h"
#include "io/clock.h"
#include "io/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ATTEMPTS_MAX = 4, PLANS_LAST = 256, ROUNDS_MAX = 2 * BATCH_EXPOSURES_MAX };

struct lane {
    struct lanes *lanes;
    int32_t index;
    pthread_t thread;
    pthread_mutex_t lock; /* guards queue and closing */
    pthread_cond_t work;
    struct lane_queue queue;
    bool closing;
    /* The rest belongs to the thread alone. */
    struct db *db;
    bool prepared, said_down;
    uint32_t batches; /* run on this connection */
    struct batch *batch;
    int64_t swept_us;
    bool more_to_sweep; /* the last sweep found as many as it may take at a time */
};

struct lanes {
    struct lanes_options options;
    char *conninfo;
    struct lane *lane;
    int32_t started;
};

bool lanes_submit(struct lanes *lanes, struct command *command, struct error *err)
{
    struct lane *lane = &lanes->lane[command->hash16 % lanes->options.buckets % lanes->options.lanes];

    pthread_mutex_lock(&lane->lock);
    bool idle = lane->queue.waiting == 0;
    bool queued =
        !lane->closing ? lane_queue_put(&lane->queue, command, err) : error_set(err, REASON_OVERLOADED, "%s", "");
    if (queued && idle)
        pthread_cond_signal(&lane->work);
    pthread_mutex_unlock(&lane->lock);
    return queued;
}

/* Answers */

static void finish(struct command *command)
{
    command->done(command);
}

static void refuse_all(struct command *const *commands, size_t count, const struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        commands[i]->answer = (struct answer){ .reason = err->reason, .outcome = OUTCOME_REFUSED };
        finish(commands[i]);
    }
}

/* Connection */

static bool connect_lane(struct lane *lane, struct error *err)
{
    bool connected = lane->db ? db_connected(lane->db) || db_reconnect(lane->db, err)
                              : db_open(lane->lanes->conninfo, &lane->db, err);

    return connected && db_script(lane->db, lane_session_sql, err) &&
           db_prepare(lane->db, lane_statements, lane_statement_count, err);
}

static bool ready(struct lane *lane, struct error *err)
{
    if (lane->prepared && db_connected(lane->db))
        return true;
    lane->batches = 0;
    lane->prepared = connect_lane(lane, err);
    if (!lane->prepared) {
        err->reason = REASON_DATABASE_UNREACHABLE;
        if (!lane->said_down)
            LOG(LOG_ERROR, "database_down", log_int("lane", lane->index), log_text("detail", err->detail));
    } else if (lane->said_down) {
        LOG(LOG_INFO, "database_up", log_int("lane", lane->index));
    }
    lane->said_down = !lane->prepared;
    return lane->prepared;
}

/* Late */

static bool is_held(const struct command *command, int64_t now_us)
{
    return !command->held_until_us || *command->held_until_us > now_us;
}

static bool is_wanted(const struct command *command, int64_t now_us)
{
    return command->deadline_us > now_us && is_held(command, now_us);
}

/* Refuses the others; the rest is kept in order. */
static size_t keep_those(bool (*good)(const struct command *command, int64_t now_us), struct command **commands,
                         size_t count)
{
    const struct error late = { .reason = REASON_DEADLINE_PASSED };
    int64_t now_us = clock_monotonic_us();
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (good(commands[i], now_us))
            commands[kept++] = commands[i];
        else
            refuse_all(&commands[i], 1, &late);
    }
    return kept;
}

/* Running a batch */

/*
 * What may be gone on the next run: a deadlock, a lock that took too long (waited for once, or everybody behind would
 * wait as many times), a key that another server wrote at the same moment.
 */
static const struct trouble {
    const char *state;
    int attempts;
    enum reason answer; /* after the last attempt; INTERNAL: some command of the batch may be to blame */
} troubles[] = {
    { "40001", ATTEMPTS_MAX, REASON_TRY_AGAIN },
    { "40P01", ATTEMPTS_MAX, REASON_TRY_AGAIN },
    { "55P03", 1, REASON_TRY_AGAIN },
    { "23505", ATTEMPTS_MAX, REASON_INTERNAL },
};

static const struct trouble *find_trouble(const char *state)
{
    for (size_t i = 0; i < COUNT(troubles); i++) {
        if (strcmp(troubles[i].state, state) == 0)
            return &troubles[i];
    }
    return NULL;
}

/* After a lost connection nobody knows what was written, and running again is safe. */
static bool may_pass(struct lane *lane, int attempt, struct error *err)
{
    if (err->reason == REASON_DATABASE_UNREACHABLE)
        return attempt < ATTEMPTS_MAX;
    const struct trouble *trouble = find_trouble(db_sqlstate(lane->db));
    if (!trouble || attempt < trouble->attempts)
        return trouble != NULL;
    err->reason = trouble->answer;
    return false;
}

/*
 * A plan made while a table was small reads all of a bucket, and a prepared plan is kept: an installation that fills up
 * would slow down with every row, until somebody analyses the table. So plans are made anew after 1, 2, 4, ... batches,
 * then after each PLANS_LAST; the planner looks at the tables' real sizes each time.
 */
static bool plans_fit(struct lane *lane, struct error *err)
{
    uint32_t batches = lane->batches++;
    bool due = batches % PLANS_LAST == 0 || (batches < PLANS_LAST && (batches & (batches - 1)) == 0);

    return !due || db_script(lane->db, "DISCARD PLANS", err);
}

/*
 * What a run can lack: fresher reference data, or room under an exposure limit, which the next run finds by itself.
 * There are no more rounds than limits, and some for the reference data.
 */
static bool provide(struct lane *lane, struct error *err)
{
    const struct batch *batch = lane->batch;

    if (batch->reference_needed > 0)
        return reference_refresh(lane->lanes->options.reference, lane->db, batch->reference_needed, err);
    return batch->lacking;
}

static bool run_once(struct lane *lane, int32_t bucket, struct command *const *commands, size_t count,
                     struct error *err)
{
    struct reference_source *source = lane->lanes->options.reference;

    lane->batch->need_count = 0;
    for (int round = 0; round <= ROUNDS_MAX; round++) {
        if (batch_run(lane->batch, lane->db, source, bucket, commands, count, err))
            return true;
        if (!provide(lane, err))
            return false;
    }
    return error_set(err, REASON_TRY_AGAIN, "the batch lacks something again and again");
}

/*
 * true when committed; otherwise *err is the last failure. Each further try may come long after the one before: what is
 * leased by another one now is refused first, and is of *count no more.
 */
static bool run_persistently(struct lane *lane, int32_t bucket, struct command **commands, size_t *count,
                             struct error *err)
{
    for (int attempt = 1; ready(lane, err); attempt++) {
        if (attempt > 1)
            *count = keep_those(is_held, commands, *count);
        if (*count == 0 || (plans_fit(lane, err) && run_once(lane, bucket, commands, *count, err)))
            return true;
        if (!may_pass(lane, attempt, err))
            return false;
    }
    return false;
}

/* The poison command gets its own error; its neighbours succeed. Depth is at most log2(BATCH_MAX). */
static void run_commands(struct lane *lane, int32_t bucket, struct command **commands, size_t count)
{
    struct error err = { 0 };

    if (run_persistently(lane, bucket, commands, &count, &err)) {
        for (size_t i = 0; i < count; i++)
            finish(commands[i]);
        return;
    }
    if (err.reason != REASON_INTERNAL || count == 1) {
        LOG(LOG_ERROR, "batch_failed", log_text("reason", reason_name(err.reason)), log_text("detail", err.detail),
            log_int("commands", (int64_t)count));
        refuse_all(commands, count, &err);
        return;
    }
    run_commands(lane, bucket, commands, count / 2);
    run_commands(lane, bucket, commands + count / 2, count - count / 2);
}

static void report(struct lane *lane, size_t count, int64_t began_us, int32_t waiting)
{
    const struct lanes_options *options = &lane->lanes->options;

    if (!options->observer)
        return;
    struct lane_report made = { lane->index, (int32_t)count, clock_monotonic_us() - began_us, waiting };
    options->observer(options->observer_owner, &made);
}

/* Taking work */

static void wait_for_work(struct lane *lane)
{
    int64_t sweep_us = lane->lanes->options.sweep_every_us;
    struct timespec until;

    if (sweep_us <= 0) {
        pthread_cond_wait(&lane->work, &lane->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + sweep_us % US_PER_SECOND * 1000;
    until.tv_sec += sweep_us / US_PER_SECOND + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&lane->work, &lane->lock, &until);
}

/* Sweeping */

static void swept(struct command *command)
{
    (void)command;
}

static struct command lapse_command(const struct overdue_row *row)
{
    return (struct command){
        .kind = COMMAND_LAPSE,
        .redemption_id = row->id,
        .member_id = row->member_id,
        .programme_no = row->programme_no,
        .bank_no = row->bank_no,
        .deadline_us = INT64_MAX,
        .done = swept,
    };
}

static void sweep_bucket(struct lane *lane, int32_t bucket)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct command commands[BATCH_MAX], *pointers[BATCH_MAX];
    struct overdue_params params = { bucket, BATCH_MAX };
    struct error err = { 0 };
    void *rows;
    size_t count;

    if (!ready(lane, &err) || !db_fetch(lane->db, &lane_find_overdue, &params, &arena, &rows, &count, &err))
        return;
    for (size_t i = 0; i < count; i++) {
        commands[i] = lapse_command(&((const struct overdue_row *)rows)[i]);
        pointers[i] = &commands[i];
    }
    if (count > 0)
        run_commands(lane, bucket, pointers, count);
    lane->more_to_sweep |= count == BATCH_MAX;
}

static void sweep_when_due(struct lane *lane)
{
    const struct lanes_options *options = &lane->lanes->options;
    int64_t now_us = clock_monotonic_us();

    if (options->sweep_every_us <= 0 || (now_us - lane->swept_us < options->sweep_every_us && !lane->more_to_sweep))
        return;
    lane->swept_us = now_us;
    lane->more_to_sweep = false;
    for (int32_t bucket = lane->index; bucket < options->buckets; bucket += options->lanes)
        sweep_bucket(lane, bucket);
}

static void *lane_main(void *argument)
{
    struct lane *lane = argument;
    struct command *commands[BATCH_MAX];

    for (;;) {
        int32_t bucket = 0, waiting;

        pthread_mutex_lock(&lane->lock);
        if (lane->queue.waiting == 0 && !lane->closing && !lane->more_to_sweep)
            wait_for_work(lane);
        size_t count = lane_queue_take(&lane->queue, &bucket, commands);
        bool over = count == 0 && lane->closing;
        waiting = lane->queue.waiting;
        pthread_mutex_unlock(&lane->lock);
        if (over)
            return NULL;
        int64_t began_us = clock_monotonic_us();
        count = keep_those(is_wanted, commands, count);
        if (count > 0) {
            run_commands(lane, bucket, commands, count);
            report(lane, count, began_us, waiting);
        }
        sweep_when_due(lane);
    }
}

static bool lane_start(struct lanes *lanes, int32_t index)
{
    struct lane *lane = &lanes->lane[index];
    pthread_condattr_t monotonic;

    lane->lanes = lanes;
    lane->index = index;
    lane->batch = batch_new();
    if (lane->batch)
        lane->batch->pace = lanes->options.pace;
    lane_queue_init(&lane->queue, index, lanes->options.lanes, lanes->options.buckets);
    lane->queue.in_order = lanes->options.in_order;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return lane->batch && pthread_create(&lane->thread, NULL, lane_main, lane) == 0;
}

static bool lanes_make(const struct lanes_options *options, struct lanes **out)
{
    struct lanes *lanes = calloc(1, sizeof *lanes);

    *out = lanes;
    if (!lanes)
        return false;
    lanes->options = *options;
    lanes->conninfo = strdup(options->conninfo);
    lanes->lane = calloc((size_t)options->lanes, sizeof *lanes->lane);
    if (!lanes->conninfo || !lanes->lane)
        return false;
    for (; lanes->started < options->lanes; lanes->started++) {
        if (!lane_start(lanes, lanes->started))
            return false;
    }
    return true;
}

struct reference_source *lanes_reference(const struct lanes *lanes)
{
    return lanes->options.reference;
}

bool lanes_open(const struct lanes_options *options, struct lanes **out, struct error *err)
{
    *out = NULL;
    if (options->buckets < 1 || options->buckets > BUCKETS_MAX || options->lanes < 1 ||
        options->lanes > options->buckets || options->lanes > LANES_MAX)
        return error_set(err, REASON_SETTING_INVALID, "lanes must be 1 to the number of buckets, which is %d",
                         (int)options->buckets);
    if (lanes_make(options, out))
        return true;
    lanes_close(*out);
    *out = NULL;
    return error_set(err, REASON_INTERNAL, "no memory or thread for a lane");
}

static void lane_end(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->closing = true;
    pthread_cond_signal(&lane->work);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->thread, NULL);
    pthread_cond_destroy(&lane->work);
    pthread_mutex_destroy(&lane->lock);
    db_close(lane->db);
    batch_free(lane->batch);
}

void lanes_close(struct lanes *lanes)
{
    if (!lanes)
        return;
    for (int32_t i = 0; i < lanes->started; i++)
        lane_end(&lanes->lane[i]);
    free(lanes->lane);
    free(lanes->conninfo);
    free(lanes);
}
