#include "service/roster_crew.h"

#include "engine/lanes.h"
#include "io/clock.h"

static const int64_t deadline_us = INT64_C(5) * US_PER_SECOND; /* well within a lease */

void crew_init(struct crew *crew)
{
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->home, NULL);
    crew->working = 0;
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
    command->done = come_home;
    command->owner = crew;
    change(crew, true);
    if (lanes_submit(lanes, command, &err))
        return;
    command->answer.reason = err.reason;
    change(crew, false);
}

void crew_wait(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->working > 0)
        pthread_cond_wait(&crew->home, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

bool crew_is_passing(enum reason reason)
{
    enum status status = reason_status(reason);

    return reason != REASON_OK && (status == STATUS_UNAVAILABLE || status == STATUS_RESOURCE_EXHAUSTED ||
                                   status == STATUS_DEADLINE_EXCEEDED || status == STATUS_CANCELLED);
}
