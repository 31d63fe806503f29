#include "telemetry.h"

#include "io/log.h"
#include "io/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METHODS_MAX = 128, METHOD_NAME = 128, LANE_NAME = 4 };

struct telemetry {
    char method_names[METHODS_MAX][METHOD_NAME];
    char lane_names[LANES_MAX][LANE_NAME];
    const char *methods[METHODS_MAX]; /* sorted; the metrics' label values */
    size_t method_count;
    const char *reasons[REASON_COUNT];
    const char *lanes[LANES_MAX];
    struct metric *calls, *durations, *batch_sizes, *batch_times, *waiting, *database;
    struct metric *swept, *tidied, *untidied, *noticed, *warned, *sweep_buckets, *sweep_days, *pace_keys, *pace_dropped;
    struct metric *verified, *findings, *verify_finished;
    _Atomic int database_state; /* 0 unknown, 1 up, 2 down */
};

/* Upper edges in microseconds. */
static const int64_t duration_bounds[] = { 250,   500,    1000,   2500,   5000,    10000,  25000,
                                           50000, 100000, 250000, 500000, 1000000, 5000000 };
static const int64_t size_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256 };

/* Served by the transport itself; not in our tables. */
static const char *const others[] = {
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "unknown",
};

static void register_sweep(struct telemetry *telemetry, struct metrics *metrics)
{
    telemetry->swept = metrics_counter(metrics, "alliance_sweep_members_total",
                                       "Members the daily walk of this server looked at.", NULL, 0);
    telemetry->tidied = metrics_counter(metrics, "alliance_sweep_tidied_total",
                                        "Members whose lots expired or points matured in the walk.", NULL, 0);
    telemetry->untidied = metrics_counter(metrics, "alliance_sweep_failed_total",
                                          "Members the walk could not deal with; the log names them.", NULL, 0);
    telemetry->noticed =
        metrics_counter(metrics, "alliance_expiry_notices_total", "Expiry notices this server made.", NULL, 0);
    telemetry->warned = metrics_counter(metrics, "alliance_exposure_warnings_total",
                                        "Warnings of exposure limits this server made.", NULL, 0);
    telemetry->sweep_buckets = metrics_gauge(metrics, "alliance_sweep_buckets_behind",
                                             "Buckets in which a walk is not finished for the open day.", NULL, 0);
    telemetry->sweep_days = metrics_gauge(metrics, "alliance_sweep_days_behind",
                                          "Business dates the last walk has not finished; 1 is the open day.", NULL, 0);
    telemetry->pace_keys =
        metrics_gauge(metrics, "alliance_pace_keys", "Terminals and merchants whose pace this server counts.", NULL, 0);
    telemetry->pace_dropped = metrics_gauge(metrics, "alliance_pace_dropped",
                                            "Those it forgot since its start because there were too many.", NULL, 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void name_method(struct telemetry *telemetry, const char *service, const char *method)
{
    if (telemetry->method_count == METHODS_MAX)
        return;
    char *name = telemetry->method_names[telemetry->method_count];
    snprintf(name, METHOD_NAME, "%s%s%s", service, *service ? "/" : "", method);
    telemetry->methods[telemetry->method_count++] = name;
}

static void name_all(struct telemetry *telemetry, const struct service *const *services, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < services[i]->method_count; k++)
            name_method(telemetry, services[i]->descriptor->name, services[i]->methods[k].name);
    }
    for (size_t i = 0; i < COUNT(others); i++)
        name_method(telemetry, "", others[i]);
    qsort(telemetry->methods, telemetry->method_count, sizeof telemetry->methods[0], by_name);
    for (size_t i = 0; i < REASON_COUNT; i++)
        telemetry->reasons[i] = reason_name((enum reason)i);
    for (size_t i = 0; i < LANES_MAX; i++) {
        snprintf(telemetry->lane_names[i], LANE_NAME, "%u", (unsigned)i % 1000);
        telemetry->lanes[i] = telemetry->lane_names[i];
    }
}

static void register_verify(struct telemetry *telemetry, struct metrics *metrics)
{
    telemetry->verified = metrics_counter(metrics, "alliance_ledger_verified_members_total",
                                          "Members verified in the background.", NULL, 0);
    telemetry->findings =
        metrics_gauge(metrics, "alliance_ledger_findings",
                      "Rows the latest verification found changed, missing or added by hand.", NULL, 0);
    telemetry->verify_finished =
        metrics_gauge(metrics, "alliance_ledger_round_finished_timestamp",
                      "When a verification of the whole ledger was last finished, in seconds since 1970.", NULL, 0);
}

static void register_all(struct telemetry *telemetry, struct metrics *metrics)
{
    const struct metric_label by_method[] = { { "method", telemetry->methods, telemetry->method_count },
                                              { "reason", telemetry->reasons, REASON_COUNT } };
    const struct metric_label by_lane = { "lane", telemetry->lanes, LANES_MAX };

    telemetry->calls = metrics_counter(metrics, "alliance_calls_total", "Finished calls.", by_method, 2);
    telemetry->durations =
        metrics_histogram(metrics, "alliance_call_duration_microseconds", "From a call's arrival to its end.",
                          duration_bounds, COUNT(duration_bounds), by_method, 1);
    telemetry->batch_sizes = metrics_histogram(metrics, "alliance_lane_batch_commands", "Commands of one transaction.",
                                               size_bounds, COUNT(size_bounds), NULL, 0);
    telemetry->batch_times =
        metrics_histogram(metrics, "alliance_lane_batch_microseconds", "From a batch's beginning to its commit.",
                          duration_bounds, COUNT(duration_bounds), NULL, 0);
    telemetry->waiting = metrics_gauge(metrics, "alliance_lane_waiting_commands",
                                       "Commands left in the queue after a batch.", &by_lane, 1);
    telemetry->database = metrics_gauge(metrics, "alliance_database_up", "1 while the database answers.", NULL, 0);
}

struct telemetry *telemetry_new(struct metrics *metrics, const struct service *const *services, size_t count)
{
    struct telemetry *telemetry = calloc(1, sizeof *telemetry);

    if (!telemetry)
        return NULL;
    name_all(telemetry, services, count);
    register_all(telemetry, metrics);
    register_sweep(telemetry, metrics);
    register_verify(telemetry, metrics);
    return telemetry;
}

void telemetry_free(struct telemetry *telemetry)
{
    free(telemetry);
}

static size_t method_index(const struct telemetry *telemetry, const char *method)
{
    const char *const *found =
        bsearch(&method, telemetry->methods, telemetry->method_count, sizeof telemetry->methods[0], by_name);

    return found ? (size_t)(found - telemetry->methods) : METHODS_MAX;
}

void telemetry_call(void *owner, const struct rpc_done *done)
{
    struct telemetry *telemetry = owner;
    size_t method = method_index(telemetry, done->method);

    metric_add(telemetry->calls, method, done->reason, 1);
    metric_observe(telemetry->durations, method, 0, done->duration_us);
    LOG(LOG_INFO, "call", log_text("method", done->method), log_text("principal", done->principal),
        log_text("peer", done->peer), log_text("status", status_name((int)done->status)),
        log_text("reason", reason_name(done->reason)), log_int("us", done->duration_us));
}

void telemetry_batch(void *owner, const struct lane_report *report)
{
    struct telemetry *telemetry = owner;

    metric_observe(telemetry->batch_sizes, 0, 0, report->commands);
    metric_observe(telemetry->batch_times, 0, 0, report->duration_us);
    metric_set(telemetry->waiting, (size_t)report->lane, 0, report->waiting);
}

void telemetry_sweep(void *owner, const struct sweep_report *report)
{
    struct telemetry *telemetry = owner;

    metric_add(telemetry->swept, 0, 0, report->done.walked);
    metric_add(telemetry->tidied, 0, 0, report->done.tidied);
    metric_add(telemetry->untidied, 0, 0, report->done.failed);
    metric_add(telemetry->noticed, 0, 0, report->done.noticed);
    metric_add(telemetry->warned, 0, 0, report->warned);
    metric_set(telemetry->sweep_buckets, 0, 0, report->buckets_behind);
    metric_set(telemetry->sweep_days, 0, 0, report->days_behind);
}

void telemetry_verify(void *owner, const struct verifier_report *report)
{
    struct telemetry *telemetry = owner;

    metric_add(telemetry->verified, 0, 0, report->members);
    metric_set(telemetry->findings, 0, 0, report->findings);
    metric_set(telemetry->verify_finished, 0, 0, report->round_finished.us / US_PER_SECOND);
}

void telemetry_pace(struct telemetry *telemetry, struct pace_figures figures)
{
    metric_set(telemetry->pace_keys, 0, 0, figures.keys);
    metric_set(telemetry->pace_dropped, 0, 0, figures.dropped);
}

void telemetry_database(struct telemetry *telemetry, bool up, const struct error *err)
{
    int state = up ? 1 : 2;

    if (atomic_exchange(&telemetry->database_state, state) == state)
        return;
    metric_set(telemetry->database, 0, 0, up);
    if (up)
        LOG(LOG_INFO, "database_up");
    else
        LOG(LOG_ERROR, "database_down", log_reason(err), log_text("cause", error_text(err)));
}

void telemetry_core(const char *message)
{
    LOG(LOG_WARN, "grpc", log_text("message", message));
}
