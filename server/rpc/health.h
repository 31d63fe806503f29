/*
 * health.h -- grpc.health.v1: one status for the whole server, asked for by "" or by a service's name.
 */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include "rpc/internal.h"

extern const struct service health_service;

/* Serving at first. NULL when out of memory. */
struct health *health_new(void);
void health_free(struct health *health);
/* Tells the watchers. Any thread. */
void health_set(struct health *health, bool serving);
/* Not serving, and the end of every Watch, now and later, or they would hold the drain up. */
void health_drain(struct health *health);

#endif
