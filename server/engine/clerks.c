#include "engine/clerks.h"

#include "store/db.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 4096, CLERKS_MAX = 32 };

struct clerks {
    char *conninfo;
    pthread_mutex_t lock; /* guards the queue and closing */
    pthread_cond_t work;
    struct clerk_job *first, **last;
    size_t waiting;
    bool closing;
    pthread_t threads[CLERKS_MAX];
    int32_t count;
};

static struct clerk_job *take(struct clerks *clerks)
{
    pthread_mutex_lock(&clerks->lock);
    while (!clerks->first && !clerks->closing)
        pthread_cond_wait(&clerks->work, &clerks->lock);
    struct clerk_job *job = clerks->first;
    if (job) {
        clerks->first = job->next;
        if (!clerks->first)
            clerks->last = &clerks->first;
        clerks->waiting--;
    }
    pthread_mutex_unlock(&clerks->lock);
    return job;
}

/* A job leaves no transaction behind; a lost connection is made anew before the next job. */
static bool ready(const struct clerks *clerks, struct db **db, struct error *err)
{
    if (!*db)
        return db_open(clerks->conninfo, db, err) &&
               db_script(*db, "SET lock_timeout = '10s'; SET timezone = 'UTC'", err);
    return db_connected(*db) ||
           (db_reconnect(*db, err) && db_script(*db, "SET lock_timeout = '10s'; SET timezone = 'UTC'", err));
}

static void *clerk_main(void *argument)
{
    struct clerks *clerks = argument;
    struct db *db = NULL;

    for (struct clerk_job *job; (job = take(clerks)) != NULL;) {
        struct error err = { 0 };
        bool good = ready(clerks, &db, &err);
        job->run(job, good ? db : NULL, &err);
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
    clerks->last = &clerks->first;
    pthread_mutex_init(&clerks->lock, NULL);
    pthread_cond_init(&clerks->work, NULL);
    for (; clerks->count < count && clerks->count < CLERKS_MAX; clerks->count++) {
        if (pthread_create(&clerks->threads[clerks->count], NULL, clerk_main, clerks) != 0)
            break;
    }
    *out = clerks;
    return clerks->count > 0 || error_set(err, REASON_INTERNAL, "no thread for a clerk");
}

bool clerks_submit(struct clerks *clerks, struct clerk_job *job, struct error *err)
{
    pthread_mutex_lock(&clerks->lock);
    bool room = clerks->waiting < JOBS_MAX;
    if (room) {
        job->next = NULL;
        *clerks->last = job;
        clerks->last = &job->next;
        clerks->waiting++;
        pthread_cond_signal(&clerks->work);
    }
    pthread_mutex_unlock(&clerks->lock);
    return room || error_set(err, REASON_OVERLOADED, "%s", "");
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
