#include "engine/routine.h"

#include "io/log.h"
#include "store/db.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct routine {
    struct routine_options options;
    char *conninfo;
    pthread_t thread;
    pthread_mutex_t lock; /* guards stopping */
    pthread_cond_t stop;
    bool stopping;
    /* The rest belongs to the thread. */
    struct db *db;
    bool ill; /* and the log says so */
};

static bool ready(struct routine *routine, struct error *err)
{
    if (routine->db && db_connected(routine->db))
        return true;
    return (routine->db ? db_reconnect(routine->db, err) : db_open(routine->conninfo, &routine->db, err)) &&
           db_script(routine->db, routine->options.session_sql, err);
}

static void say(struct routine *routine, bool good, const struct error *err)
{
    if (!good && !routine->ill)
        LOG(LOG_ERROR, "routine_failed", log_text("routine", routine->options.name), log_reason(err),
            log_text("cause", error_text(err)));
    else if (good && routine->ill)
        LOG(LOG_INFO, "routine_well", log_text("routine", routine->options.name));
    routine->ill = !good;
}

/* true when it is over. */
static bool wait_for_stop(struct routine *routine, int64_t wait_us)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_us % US_PER_SECOND * 1000;
    until.tv_sec += wait_us / US_PER_SECOND + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&routine->lock);
    while (!routine->stopping && pthread_cond_timedwait(&routine->stop, &routine->lock, &until) == 0)
        continue;
    bool stopping = routine->stopping;
    pthread_mutex_unlock(&routine->lock);
    return stopping;
}

static void *routine_main(void *argument)
{
    struct routine *routine = argument;
    int64_t wait_us;

    do {
        struct error err = { 0 };
        wait_us = 0;
        bool good = ready(routine, &err) && routine->options.run(routine->options.owner, routine->db, &wait_us, &err);
        if (!good)
            wait_us = routine->options.retry_us;
        say(routine, good, &err);
    } while (!wait_for_stop(routine, wait_us));
    return NULL;
}

static void release(struct routine *routine)
{
    pthread_cond_destroy(&routine->stop);
    pthread_mutex_destroy(&routine->lock);
    db_close(routine->db);
    free(routine->conninfo);
    free(routine);
}

bool routine_start(const struct routine_options *options, struct routine **out, struct error *err)
{
    struct routine *routine = calloc(1, sizeof *routine);
    pthread_condattr_t monotonic;

    *out = NULL;
    if (!routine || !(routine->conninfo = strdup(options->conninfo))) {
        free(routine);
        return error_set(err, REASON_INTERNAL, "out of memory");
    }
    routine->options = *options;
    pthread_mutex_init(&routine->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&routine->stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&routine->thread, NULL, routine_main, routine) != 0) {
        release(routine);
        return error_set(err, REASON_INTERNAL, "no thread for %s", options->name);
    }
    *out = routine;
    return true;
}

void routine_stop(struct routine *routine)
{
    if (!routine)
        return;
    pthread_mutex_lock(&routine->lock);
    routine->stopping = true;
    pthread_cond_signal(&routine->stop);
    pthread_mutex_unlock(&routine->lock);
    pthread_join(routine->thread, NULL);
    release(routine);
}
