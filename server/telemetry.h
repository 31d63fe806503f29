/*
 * telemetry.h -- what the server says of itself: one log line a call, and the metrics of calls, lanes and database.
 *
 * Not for business figures. Any thread may report.
 */
#ifndef SERVER_TELEMETRY_H
#define SERVER_TELEMETRY_H

#include "base/error.h"
#include "engine/lanes.h"
#include "engine/pace.h"
#include "engine/sweeper.h"
#include "engine/verifier.h"
#include "rpc/rpc.h"

struct metrics;
struct telemetry;

/* Registers everything with metrics, which is borrowed; methods are those of the services. NULL when out of memory. */
struct telemetry *telemetry_new(struct metrics *metrics, const struct service *const *services, size_t count);
void telemetry_free(struct telemetry *telemetry);

/* rpc_options.on_done, lanes_options.observer: owner is the telemetry. */
void telemetry_call(void *owner, const struct rpc_done *done);
void telemetry_batch(void *owner, const struct lane_report *report);
/* sweeper_options.observer. */
void telemetry_sweep(void *owner, const struct sweep_report *report);
void telemetry_pace(struct telemetry *telemetry, struct pace_figures figures);
/* verifier_options.observer */
void telemetry_verify(void *owner, const struct verifier_report *report);
/* Logs a change only. */
void telemetry_database(struct telemetry *telemetry, bool up, const struct error *err);
/* rpc_options.on_core_log. */
void telemetry_core(const char *message);

#endif
