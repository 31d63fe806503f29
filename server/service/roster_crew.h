/*
 * roster_crew.h -- commands that are in the lanes, and somebody who waits for all of them.
 */
#ifndef SERVICE_ROSTER_CREW_H
#define SERVICE_ROSTER_CREW_H

#include "engine/command.h"

#include <pthread.h>

struct lanes;

struct crew {
    pthread_mutex_t lock; /* guards working */
    pthread_cond_t home;
    size_t working;
    const _Atomic int64_t *held_until_us; /* for its commands; as in struct command */
};

void crew_init(struct crew *crew, const _Atomic int64_t *held_until_us);
void crew_release(struct crew *crew);
/* Gives the command to its lane. When the lane has no room, its answer is that. */
void crew_send(struct crew *crew, struct lanes *lanes, struct command *command);
/* Meanwhile, every few seconds, renew is called, unless it is NULL. */
void crew_wait(struct crew *crew, void (*renew)(void *owner), void *owner);
/* The answer is none about the row: the same will be asked again later. */
bool crew_is_passing(enum reason reason);

#endif
