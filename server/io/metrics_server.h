/*
 * metrics_server.h -- the HTTP side of metrics.h; only metrics.c uses it.
 */
#ifndef IO_METRICS_SERVER_H
#define IO_METRICS_SERVER_H

#include "io/metrics.h"

struct metrics_server;

bool metrics_server_start(const struct metrics *metrics, const char *listen, const char *port_file,
                          metrics_health *health, void *owner, uint16_t *port, struct metrics_server **server,
                          struct error *err) MUST_USE;
/* NULL is fine. Returns when the thread has ended. */
void metrics_server_stop(struct metrics_server *server);

#endif
