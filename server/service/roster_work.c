#include "service/roster_work.h"

#include "engine/routine.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/log.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_US = 250000, RETRY_US = 1000000 };

/* Renewed with each window: so long another server waits when this one is gone without a word. */
static const int64_t lease_us = INT64_C(15) * US_PER_SECOND;

void roster_work_init(struct roster_work *work, struct lanes *lanes, struct reference_source *reference,
                      const struct crypto_key *key)
{
    *work = (struct roster_work){
        .lanes = lanes, .reference = reference, .key = key, .close_share_bp = ROSTER_CLOSE_SHARE_BP
    };
    work->lease = (struct roster_lease){ crypto_uuid_v7(clock_now()), lease_us };
}

/* What a lane has begun is over by then. */
static const int64_t margin_us = INT64_C(5) * US_PER_SECOND;

void roster_work_hold(struct roster_work *work, int64_t since_us)
{
    work->held_until_us = since_us + work->lease.duration_us - margin_us;
}

void roster_work_renew(struct roster_work *work, struct db *db, const struct roster_batch *batch)
{
    int64_t since_us = clock_monotonic_us();
    struct error err = { 0 };

    if (roster_keep(db, batch, &work->lease, &err))
        roster_work_hold(work, since_us);
    else
        LOG(LOG_WARN, "roster_lease_not_renewed", log_text("detail", error_text(&err)));
}

static bool work_on(struct roster_work *work, struct db *db, struct roster_batch *batch, struct error *err)
{
    const struct roster_key key = { batch->bank_no, batch->batch_number };
    bool done = false, more = false;

    if (batch->state == ROSTER_CHECKING)
        return roster_check(work, db, batch, err);
    if (batch->state == ROSTER_ROLLING_BACK)
        return roster_roll_back(work, db, batch, err);
    if (batch->begun_rows == 0 && !roster_forget(db, &key, &more, err))
        return false;
    if (more)
        return true;
    if (!roster_apply(work, db, batch, &done, err))
        return false;
    return !done || roster_close(work, db, batch, err);
}

bool roster_work_run(struct roster_work *work, struct db *db, bool *worked, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    int64_t since_us = clock_monotonic_us();
    struct roster_batch batch;

    if (!roster_claim(db, &work->lease, &arena, &batch, worked, err))
        return false;
    roster_work_hold(work, since_us);
    return !*worked || work_on(work, db, &batch, err);
}

bool roster_work_end(struct roster_work *work, struct db *db, struct error *err)
{
    return roster_give_back(db, &work->lease, err);
}

/* The thread */

static const char session_sql[] = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'; "
                                  "SET jit = off; SET timezone = 'UTC'";

struct roster_worker {
    struct roster_work work;
    struct routine *routine;
    char *conninfo;
};

static void close_reader(struct roster_worker *worker)
{
    db_close(worker->work.reader);
    worker->work.reader = NULL;
}

static bool open_reader(struct roster_worker *worker, struct error *err)
{
    if (worker->work.reader)
        return true;
    if (db_open(worker->conninfo, &worker->work.reader, err) && db_script(worker->work.reader, session_sql, err))
        return true;
    close_reader(worker);
    return false;
}

/* What a failure left unread of the reader's goes with its session. */
static bool run(void *owner, struct db *db, int64_t *wait_us, struct error *err)
{
    struct roster_worker *worker = owner;
    bool worked = false;

    bool good = open_reader(worker, err) && roster_work_run(&worker->work, db, &worked, err);
    if (!good)
        close_reader(worker);
    *wait_us = !good ? RETRY_US : worked ? 0 : POLL_US;
    return good || err->reason == REASON_OVERLOADED || err->reason == REASON_TRY_AGAIN;
}

bool roster_worker_open(const struct roster_work *work, const char *conninfo, struct roster_worker **out,
                        struct error *err)
{
    struct roster_worker *worker = calloc(1, sizeof *worker);
    const struct routine_options routine = {
        .name = "roster",
        .conninfo = conninfo,
        .session_sql = session_sql,
        .run = run,
        .owner = worker,
        .retry_us = RETRY_US,
    };

    *out = NULL;
    if (!worker || !(worker->conninfo = strdup(conninfo))) {
        free(worker);
        return error_set(err, REASON_INTERNAL, "out of memory");
    }
    worker->work = *work;
    if (!routine_start(&routine, &worker->routine, err)) {
        free(worker->conninfo);
        free(worker);
        return false;
    }
    *out = worker;
    return true;
}

/* When the database is not there either, the lease ends by itself. */
static void give_back(struct roster_worker *worker)
{
    struct error err;
    struct db *db = NULL;

    if (!db_open(worker->conninfo, &db, &err) || !roster_work_end(&worker->work, db, &err))
        LOG(LOG_WARN, "roster_lease_kept", log_text("detail", error_text(&err)));
    db_close(db);
}

void roster_worker_close(struct roster_worker *worker)
{
    if (!worker)
        return;
    routine_stop(worker->routine);
    close_reader(worker);
    give_back(worker);
    free(worker->conninfo);
    free(worker);
}
