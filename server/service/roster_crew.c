#include "service/roster_crew.h"

#include "engine/lanes.h"
#include "io/clock.h"

#include <time.h>

/* Behind a full queue of card spend, beside redemptions, a row waits for some hundred batches. */
static const int64_t deadline_us = INT64_C(60) * US_PER_SECOND;
enum { RENEW_S = 3 };

void crew_init(struct crew *crew, const _Atomic int64_t *held_until_us)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->home, &monotonic);
    pthread_condattr_destroy(&monotonic);
    crew->working = 0;
    crew->held_until_us = held_until_us;
}

void crew_release(struct crew *crew)
{
    pthread_cond_destroy(&crew->home);
    pthread_mutex_destroy(&crew->lock);
}

static void change(struct crew *crew, bool more)
{
    pthread_mutex_lock(&crew->lock);
    crew->working = more ? crew->working + 1 : crew->working - 1;
    if (crew->working == 0)
        pthread_cond_signal(&crew->home);
    pthread_mutex_unlock(&crew->lock);
}

static void come_home(struct command *command)
{
    change(command->owner, false);
}

void crew_send(struct crew *crew, struct lanes *lanes, struct command *command)
{
    struct error err;

    command->hash16 = member_hash16(&command->member_id);
    command->deadline_us = clock_monotonic_us() + deadline_us;
    command->held_until_us = crew->held_until_us;
    command->done = come_home;
    command->owner = crew;
    change(crew, true);
    if (lanes_submit(lanes, command, &err))
        return;
    command->answer.reason = err.reason;
    change(crew, false);
}

/* false when they are not all home in that time. */
static bool wait_a_while(struct crew *crew)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RENEW_S;
    pthread_mutex_lock(&crew->lock);
    while (crew->working > 0 && late == 0)
        late = pthread_cond_timedwait(&crew->home, &crew->lock, &until);
    bool home = crew->working == 0;
    pthread_mutex_unlock(&crew->lock);
    return home;
}

void crew_wait(struct crew *crew, void (*renew)(void *owner), void *owner)
{
    while (!wait_a_while(crew)) {
        if (renew)
            renew(owner);
    }
}

bool crew_is_passing(enum reason reason)
{
    enum status status = reason_status(reason);

    return reason != REASON_OK && (status == STATUS_UNAVAILABLE || status == STATUS_RESOURCE_EXHAUSTED ||
                                   status == STATUS_DEADLINE_EXCEEDED || status == STATUS_CANCELLED);
}
