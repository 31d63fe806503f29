#include "engine/clerks.h"

#include "base/limits.h"
#include "store/db.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 4096, CLERKS_MAX = 32, PLANS_LAST = 1024 };

/* Jobs in the order in which they came. */
struct jobs {
    struct clerk_job *first, **last;
};

struct clerks {
    char *conninfo;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;
    struct jobs alone, together;
    size_t waiting;
    bool gathering; /* a clerk is at the jobs that are done together: the others leave it what comes meanwhile */
    bool closing;
    pthread_t threads[CLERKS_MAX];
    int32_t count;
};

/* What a clerk has taken. */
struct load {
    struct clerk_job *jobs[BATCH_MAX];
    size_t count;
    bool together;
};

static void append(struct jobs *jobs, struct clerk_job *job)
{
    job->next = NULL;
    *jobs->last = job;
    jobs->last = &job->next;
}

static void take_first(struct jobs *jobs, struct load *load)
{
    load->jobs[load->count++] = jobs->first;
    jobs->first = jobs->first->next;
    if (!jobs->first)
        jobs->last = &jobs->first;
}

static bool can_gather(const struct clerks *clerks)
{
    return clerks->together.first && !clerks->gathering;
}

/* The caller holds the lock. */
static void gather(struct clerks *clerks, struct load *load)
{
    struct jobs *jobs = &clerks->together;

    clerks->gathering = load->together = true;
    do
        take_first(jobs, load);
    while (jobs->first && load->count < BATCH_MAX && jobs->first->run_together == load->jobs[0]->run_together);
}

/* The load was done, if there was one; takes another. false when there will be none. */
static bool take(struct clerks *clerks, struct load *load)
{
    bool turn = load->together; /* of those that are done alone */

    pthread_mutex_lock(&clerks->lock);
    if (load->together)
        clerks->gathering = false;
    load->count = 0;
    load->together = false;
    while (!clerks->alone.first && !can_gather(clerks) && !clerks->closing)
        pthread_cond_wait(&clerks->work, &clerks->lock);
    if (can_gather(clerks) && !(turn && clerks->alone.first))
        gather(clerks, load);
    else if (clerks->alone.first)
        take_first(&clerks->alone, load);
    clerks->waiting -= load->count;
    if (can_gather(clerks)) /* this one could not have both */
        pthread_cond_signal(&clerks->work);
    pthread_mutex_unlock(&clerks->lock);
    return load->count > 0;
}

/* A change of reference data holds what every lane needs: a server that is stopped in one, or is gone, gives it back.
 */
static const char session_sql[] =
    "SET lock_timeout = '10s'; SET timezone = 'UTC'; SET idle_in_transaction_session_timeout = '5s'";

/* A job leaves no transaction behind; a lost connection is made anew before the next job. */
static bool ready(const struct clerks *clerks, struct db **db, struct error *err)
{
    if (!*db)
        return db_open(clerks->conninfo, db, err) && db_script(*db, session_sql, err);
    return db_connected(*db) || (db_reconnect(*db, err) && db_script(*db, session_sql, err));
}

/*
 * As in a lane: a plan that was made while a table was small would be kept while it grows, so plans are made anew after
 * 1, 2, 4, ... loads, then after each PLANS_LAST. A failure shows in the job.
 */
static void refresh_plans(struct db *db, uint32_t loads)
{
    struct error ignored;

    if (loads % PLANS_LAST == 0 || (loads < PLANS_LAST && (loads & (loads - 1)) == 0))
        (void)!db_script(db, "DISCARD PLANS", &ignored);
}

static void *clerk_main(void *argument)
{
    struct clerks *clerks = argument;
    struct load load = { .count = 0 };
    struct db *db = NULL;

    for (uint32_t loads = 1; take(clerks, &load); loads++) {
        struct error err = { 0 };
        bool good = ready(clerks, &db, &err);
        if (good)
            refresh_plans(db, loads);
        if (load.together)
            load.jobs[0]->run_together(load.jobs, load.count, good ? db : NULL, &err);
        else
            load.jobs[0]->run(load.jobs[0], good ? db : NULL, &err);
    }
    db_close(db);
    return NULL;
}

bool clerks_open(const char *conninfo, int32_t count, struct clerks **out, struct error *err)
{
    struct clerks *clerks = calloc(1, sizeof *clerks);

    *out = NULL;
    if (!clerks || !(clerks->conninfo = strdup(conninfo))) {
        free(clerks);
        return error_set(err, REASON_INTERNAL, "out of memory");
    }
    clerks->alone.last = &clerks->alone.first;
    clerks->together.last = &clerks->together.first;
    pthread_mutex_init(&clerks->lock, NULL);
    pthread_cond_init(&clerks->work, NULL);
    for (; clerks->count < count && clerks->count < CLERKS_MAX; clerks->count++) {
        if (pthread_create(&clerks->threads[clerks->count], NULL, clerk_main, clerks) != 0)
            break;
    }
    if (clerks->count > 0) {
        *out = clerks;
        return true;
    }
    clerks_close(clerks);
    return error_set(err, REASON_INTERNAL, "no thread for a clerk");
}

static bool submit(struct clerks *clerks, struct jobs *jobs, struct clerk_job *job, struct error *err)
{
    pthread_mutex_lock(&clerks->lock);
    bool room = clerks->waiting < JOBS_MAX;
    if (room) {
        bool wake = jobs == &clerks->alone || (!jobs->first && !clerks->gathering);
        append(jobs, job);
        clerks->waiting++;
        if (wake)
            pthread_cond_signal(&clerks->work);
    }
    pthread_mutex_unlock(&clerks->lock);
    return room || error_set(err, REASON_OVERLOADED, "%s", "");
}

bool clerks_submit(struct clerks *clerks, struct clerk_job *job, struct error *err)
{
    return submit(clerks, &clerks->alone, job, err);
}

bool clerks_submit_together(struct clerks *clerks, struct clerk_job *job, struct error *err)
{
    return submit(clerks, &clerks->together, job, err);
}

void clerks_close(struct clerks *clerks)
{
    if (!clerks)
        return;
    pthread_mutex_lock(&clerks->lock);
    clerks->closing = true;
    pthread_cond_broadcast(&clerks->work);
    pthread_mutex_unlock(&clerks->lock);
    for (int32_t i = 0; i < clerks->count; i++)
        pthread_join(clerks->threads[i], NULL);
    pthread_cond_destroy(&clerks->work);
    pthread_mutex_destroy(&clerks->lock);
    free(clerks->conninfo);
    free(clerks);
}
