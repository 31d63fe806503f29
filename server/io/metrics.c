#include "io/metrics.h"

#include "io/metrics_server.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* A series is `cells` numbers in a row: one value, or a histogram's buckets, the one above all bounds, and the sum. */
struct metric {
    struct metric *next; /* in order of registration */
    enum metric_kind kind;
    const char *name, *help;
    struct metric_label labels[METRICS_LABELS];
    size_t label_count;
    int64_t bounds[METRICS_BOUNDS];
    size_t bound_count;
    size_t cells, series;
    _Atomic int64_t values[];
};

struct metrics {
    struct metric *first, **end;
    size_t cells; /* of all metrics */
    struct metrics_server *server;
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);

    if (metrics)
        metrics->end = &metrics->first;
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    metrics_server_stop(metrics->server);
    for (struct metric *metric = metrics->first, *next; metric; metric = next) {
        next = metric->next;
        free(metric);
    }
    free(metrics);
}

static struct metric *add(struct metrics *metrics, enum metric_kind kind, size_t cells,
                          const struct metric_label *labels, size_t label_count)
{
    size_t series = 1;

    if (!metrics || label_count > METRICS_LABELS)
        return NULL;
    for (size_t i = 0; i < label_count; i++)
        series *= labels[i].count;
    if (series * cells > METRICS_CELLS - metrics->cells)
        return NULL;
    struct metric *metric = calloc(1, sizeof *metric + series * cells * sizeof metric->values[0]);
    if (!metric)
        return NULL;
    metric->kind = kind;
    metric->cells = cells;
    metric->series = series;
    metric->label_count = label_count;
    for (size_t i = 0; i < label_count; i++)
        metric->labels[i] = labels[i];
    metrics->cells += series * cells;
    *metrics->end = metric;
    metrics->end = &metric->next;
    return metric;
}

static struct metric *named(struct metric *metric, const char *name, const char *help)
{
    if (metric) {
        metric->name = name;
        metric->help = help;
    }
    return metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const struct metric_label *labels, size_t label_count)
{
    return named(add(metrics, METRIC_COUNTER, 1, labels, label_count), name, help);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const struct metric_label *labels, size_t label_count)
{
    return named(add(metrics, METRIC_GAUGE, 1, labels, label_count), name, help);
}

struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help, const int64_t *bounds,
                                 size_t bound_count, const struct metric_label *labels, size_t label_count)
{
    if (bound_count > METRICS_BOUNDS)
        return NULL;
    struct metric *metric = add(metrics, METRIC_HISTOGRAM, bound_count + 2, labels, label_count);
    for (size_t i = 0; metric && i < bound_count; i++)
        metric->bounds[i] = bounds[i];
    if (metric)
        metric->bound_count = bound_count;
    return named(metric, name, help);
}

/* The first cell of a series, or NULL when an index is out of range. */
static const _Atomic int64_t *series(const struct metric *metric, size_t first, size_t second)
{
    size_t firsts = metric && metric->label_count > 0 ? metric->labels[0].count : 1;
    size_t seconds = metric && metric->label_count > 1 ? metric->labels[1].count : 1;

    if (!metric || first >= firsts || second >= seconds)
        return NULL;
    return metric->values + (first * seconds + second) * metric->cells;
}

static void bump(const _Atomic int64_t *cell, int64_t n)
{
    atomic_fetch_add_explicit((_Atomic int64_t *)cell, n, memory_order_relaxed);
}

static int64_t value_of(const _Atomic int64_t *cell)
{
    return atomic_load_explicit((_Atomic int64_t *)cell, memory_order_relaxed);
}

void metric_add(struct metric *metric, size_t first, size_t second, int64_t n)
{
    const _Atomic int64_t *cell = series(metric, first, second);

    if (cell && metric->kind != METRIC_HISTOGRAM)
        bump(cell, n);
}

void metric_set(struct metric *metric, size_t first, size_t second, int64_t value)
{
    const _Atomic int64_t *cell = series(metric, first, second);

    if (cell && metric->kind == METRIC_GAUGE)
        atomic_store_explicit((_Atomic int64_t *)cell, value, memory_order_relaxed);
}

void metric_observe(struct metric *metric, size_t first, size_t second, int64_t value)
{
    const _Atomic int64_t *cell = series(metric, first, second);
    size_t bucket = 0;

    if (!cell || metric->kind != METRIC_HISTOGRAM)
        return;
    while (bucket < metric->bound_count && value > metric->bounds[bucket])
        bucket++;
    bump(cell + bucket, 1);
    bump(cell + metric->bound_count + 1, value);
}

static int64_t observations(const struct metric *metric, const _Atomic int64_t *cell)
{
    int64_t count = 0;

    for (size_t i = 0; i <= metric->bound_count; i++)
        count += value_of(cell + i);
    return count;
}

int64_t metric_value(const struct metric *metric, size_t first, size_t second)
{
    const _Atomic int64_t *cell = series(metric, first, second);

    if (!cell)
        return 0;
    return metric->kind == METRIC_HISTOGRAM ? observations(metric, cell) : value_of(cell);
}

static void print_label(FILE *out, const char *name, const char *value, const char *separator)
{
    fprintf(out, "%s%s=\"", separator, name);
    for (; *value; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else
            fprintf(out, "%s%c", strchr("\\\"", *value) ? "\\" : "", *value);
    }
    fputc('"', out);
}

/* name suffix {labels,le="..."}; le may be NULL. */
static void print_name(FILE *out, const struct metric *metric, const char *suffix, const size_t at[METRICS_LABELS],
                       const char *le)
{
    const char *separator = "{";

    fprintf(out, "%s%s", metric->name, suffix);
    for (size_t i = 0; i < metric->label_count; i++, separator = ",")
        print_label(out, metric->labels[i].name, metric->labels[i].values[at[i]], separator);
    if (le)
        print_label(out, "le", le, separator);
    fputs(le || metric->label_count ? "} " : " ", out);
}

static void print_histogram(FILE *out, const struct metric *metric, const size_t at[METRICS_LABELS],
                            const _Atomic int64_t *cell)
{
    int64_t below = 0;
    char le[24];

    for (size_t i = 0; i <= metric->bound_count; i++) {
        below += value_of(cell + i);
        if (i < metric->bound_count)
            snprintf(le, sizeof le, "%" PRId64, metric->bounds[i]);
        print_name(out, metric, "_bucket", at, i < metric->bound_count ? le : "+Inf");
        fprintf(out, "%" PRId64 "\n", below);
    }
    print_name(out, metric, "_sum", at, NULL);
    fprintf(out, "%" PRId64 "\n", value_of(cell + metric->bound_count + 1));
    print_name(out, metric, "_count", at, NULL);
    fprintf(out, "%" PRId64 "\n", below);
}

static void print_series(FILE *out, const struct metric *metric, size_t index)
{
    size_t seconds = metric->label_count > 1 ? metric->labels[1].count : 1;
    const size_t at[METRICS_LABELS] = { index / seconds, index % seconds };
    const _Atomic int64_t *cell = metric->values + index * metric->cells;

    if (metric->label_count > 0 && metric_value(metric, at[0], at[1]) == 0)
        return;
    if (metric->kind == METRIC_HISTOGRAM) {
        print_histogram(out, metric, at, cell);
        return;
    }
    print_name(out, metric, "", at, NULL);
    fprintf(out, "%" PRId64 "\n", value_of(cell));
}

void metrics_print(const struct metrics *metrics, FILE *out)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };

    for (const struct metric *metric = metrics ? metrics->first : NULL; metric; metric = metric->next) {
        fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name, kinds[metric->kind]);
        for (size_t i = 0; i < metric->series; i++)
            print_series(out, metric, i);
    }
}

bool metrics_serve(struct metrics *metrics, const char *listen, const char *port_file, metrics_health *health,
                   void *owner, uint16_t *port, struct error *err)
{
    return metrics_server_start(metrics, listen, port_file, health, owner, port, &metrics->server, err);
}
