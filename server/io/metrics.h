/*
 * metrics.h -- counters, gauges and histograms in Prometheus' text format, and a small HTTP server that shows them.
 *
 * Not a store of business figures: nothing here is exact across restarts. All series exist from registration on, one
 * for each combination of the label values named then, so their number is bounded and an update is one atomic addition
 * without a lookup. Register everything, then call metrics_serve; updates are safe from any thread at any time.
 * Every function takes a NULL metric or a NULL struct metrics and does nothing: code under test needs no metrics.
 */
#ifndef IO_METRICS_H
#define IO_METRICS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct metrics;
struct metric;

enum {
    METRICS_LABELS = 2,     /* of one metric */
    METRICS_BOUNDS = 32,    /* of one histogram */
    METRICS_CELLS = 262144, /* numbers of all metrics together, 8 bytes each */
};

/* A label and every value it can have; borrowed, must outlive the metrics. */
struct metric_label {
    const char *name;
    const char *const *values;
    size_t count;
};

/* NULL when there is no memory. Owned by the caller; freed by metrics_free, which stops the server first. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* Names and help are borrowed. Owned by metrics. NULL (and so never counted) when a limit is reached. */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const struct metric_label *labels, size_t label_count);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const struct metric_label *labels, size_t label_count);
/* bounds: upper edges, inclusive, ascending; what is above the last one is counted too. */
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help, const int64_t *bounds,
                                 size_t bound_count, const struct metric_label *labels, size_t label_count);

/* first and second are indices into the values of the labels; 0 for a label there is not; out of range is ignored. */
void metric_add(struct metric *metric, size_t first, size_t second, int64_t n);
void metric_set(struct metric *metric, size_t first, size_t second, int64_t value);
void metric_observe(struct metric *metric, size_t first, size_t second, int64_t value);
/* For tests: the value of a counter or gauge, the number of observations of a histogram. */
int64_t metric_value(const struct metric *metric, size_t first, size_t second);

/* The whole text. Series with labels that are still zero are left out. */
void metrics_print(const struct metrics *metrics, FILE *out);

/* May the process be given work? Called on the server's thread. */
typedef bool metrics_health(void *owner);
/*
 * Serves GET /metrics and GET /healthz (200 "ok" or 503 "not ready") on a thread of its own. health may be NULL: always
 * healthy. The port in use is stored in *port and, when port_file is not empty, written there.
 */
bool metrics_serve(struct metrics *metrics, const char *listen, const char *port_file, metrics_health *health,
                   void *owner, uint16_t *port, struct error *err) MUST_USE;

#endif
