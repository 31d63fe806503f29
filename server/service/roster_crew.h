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
};

void crew_init(struct crew *crew);
void crew_release(struct crew *crew);
/* Gives the command to its lane. When the lane has no room, its answer is that. */
void crew_send(struct crew *crew, struct lanes *lanes, struct command *command);
void crew_wait(struct crew *crew);
/* The answer is none about the row: the same will be asked again later. */
bool crew_is_passing(enum reason reason);

#endif
