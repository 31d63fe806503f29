/*
 * alliance-server: the gRPC server. Stateless: all truth is in PostgreSQL, and any number may run on one database.
 *
 * It listens at once and answers UNAVAILABLE until the database has been read for the first time; a database that goes
 * away later is met the same way, and it recovers by itself.
 */
#include "engine/clerks.h"
#include "engine/lanes.h"
#include "engine/pace.h"
#include "engine/pace_publisher.h"
#include "engine/reference.h"
#include "engine/sweeper.h"
#include "engine/transfer.h"
#include "engine/verifier.h"
#include "io/crypto.h"
#include "io/file.h"
#include "io/log.h"
#include "io/metrics.h"
#include "io/program.h"
#include "rpc/rpc.h"
#include "service/office.h"
#include "service/roster_work.h"
#include "service/rules_document.h"
#include "service/services.h"
#include "store/db.h"
#include "store/migrate.h"
#include "telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

enum { TICK_MS = 1000, SWEEP_EVERY_US = 1000000, RECOVER_EVERY_US = 5000000, RECOVER_AFTER_US = 10000000 };

struct server {
    struct program program;
    struct crypto_key key;
    struct metrics *metrics;
    struct telemetry *telemetry;
    struct rpc_server *rpc;
    struct office office;
    struct pace *pace;
    struct pace_publisher *publisher;
    struct transfer_recovery *recovery;
    struct sweeper *sweeper; /* NULL when this server does not walk */
    struct roster_worker *roster;
    struct verifier *verifier; /* NULL when verify_every_s is 0 */
    struct db *db;             /* of the main thread: first reading, then watching for newer reference data */
    atomic_bool healthy;
};

static bool is_healthy(void *owner)
{
    return atomic_load(&((struct server *)owner)->healthy);
}

/* Takes "--migrate" out of the arguments; true when it was there. */
static bool take_flag(int *argc, char **argv, const char *flag)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) != 0)
            continue;
        memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof argv[0]);
        (*argc)--;
        return true;
    }
    return false;
}

static int migrate_and_say(const struct settings *settings)
{
    struct error err = { 0 };
    struct db *db;
    bool good = db_open(settings->database, &db, &err) && migrate(db, (int)settings->buckets, &err);

    db_close(db);
    if (good)
        printf("the schema is up to date\n");
    else
        fprintf(stderr, "alliance-server: %s: %s\n", reason_name(err.reason), error_text(&err));
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Every connection is a descriptor; the gRPC core's listener dies of running out of them. */
static void allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool serve_metrics(struct server *server, struct error *err)
{
    const struct settings *settings = &server->program.settings;
    uint16_t port;

    server->metrics = metrics_new();
    server->telemetry = server->metrics ? telemetry_new(server->metrics, services, service_count) : NULL;
    if (!server->telemetry)
        return error_set(err, REASON_INTERNAL, "no memory for metrics");
    return metrics_serve(server->metrics, settings->metrics_listen, settings->metrics_port_file, is_healthy, server,
                         &port, err);
}

static bool listen_for_calls(struct server *server, struct error *err)
{
    const struct settings *settings = &server->program.settings;
    const struct rpc_options options = {
        .address = settings->listen,
        .ca_file = settings->tls_ca,
        .cert_file = settings->tls_cert,
        .key_file = settings->tls_key,
        .in_flight_max = (int)settings->max_in_flight,
        .on_done = telemetry_call,
        .owner = server->telemetry,
        .on_core_log = telemetry_core,
    };

    server->office.data_key = &server->key;
    server->office.hold_default_us = settings->hold_default_s * US_PER_SECOND;
    server->office.adjust_limit_points = settings->adjust_limit_points;
    server->office.rules_lead_s = settings->rules_lead_s;
    server->office.allow_loopback_partners = settings->allow_loopback_partners;
    if (!rpc_server_open(&options, services, service_count, &server->office, &server->rpc, err))
        return false;
    rpc_server_set_serving(server->rpc, false);
    if (!rpc_server_start(server->rpc, err))
        return false;
    LOG(LOG_INFO, "listening", log_int("port", rpc_server_port(server->rpc)));
    return true;
}

/* After the first look at the database: whoever waits for this finds a server that does its work, if it can. */
static bool announce(struct server *server, struct error *err)
{
    const char *file = server->program.settings.port_file;

    sd_notify(0, "READY=1");
    return file[0] == '\0' || file_write_port(file, (uint16_t)rpc_server_port(server->rpc), err);
}

/* A server knows what the others let through before its own first hold. */
static bool open_pace(struct server *server, struct error *err)
{
    if (server->publisher)
        return true;
    if (!server->pace)
        server->pace = pace_new();
    struct pace_publisher *publisher = server->pace ? pace_publisher_new(server->pace) : NULL;
    if (!publisher)
        return error_set(err, REASON_INTERNAL, "no memory for pace");
    if (pace_exchange(publisher, server->db, err) &&
        pace_publisher_start(publisher, server->program.settings.database, err)) {
        server->publisher = publisher;
        return true;
    }
    pace_publisher_free(publisher);
    return false;
}

static bool open_recovery(struct server *server, int32_t buckets, struct error *err)
{
    const struct transfer_recovery_options options = {
        .conninfo = server->program.settings.database,
        .lanes = server->office.lanes,
        .buckets = buckets,
        .every_us = RECOVER_EVERY_US,
        .older_than_us = RECOVER_AFTER_US,
    };

    return server->recovery || transfer_recovery_open(&options, &server->recovery, err);
}

static bool open_sweeper(struct server *server, struct error *err)
{
    const struct settings *settings = &server->program.settings;
    const struct sweeper_options options = {
        .conninfo = settings->database,
        .lanes = server->office.lanes,
        .members_per_second = settings->sweep_rate,
        .observer = telemetry_sweep,
        .observer_owner = server->telemetry,
    };

    return server->sweeper || settings->sweep_rate == 0 || sweeper_open(&options, &server->sweeper, err);
}

static bool open_roster(struct server *server, struct error *err)
{
    struct roster_work work;

    roster_work_init(&work, server->office.lanes, server->office.reference, &server->key);
    work.close_share_bp = server->program.settings.roster_close_share_bp;
    return server->roster || roster_worker_open(&work, server->program.settings.database, &server->roster, err);
}

static bool open_verifier(struct server *server, int32_t buckets, struct error *err)
{
    const struct settings *settings = &server->program.settings;
    const struct verifier_options options = {
        .buckets = buckets,
        .every_us = settings->verify_every_s * US_PER_SECOND,
        .observer = telemetry_verify,
        .observer_owner = server->telemetry,
    };

    if (server->verifier || settings->verify_every_s == 0)
        return true;
    struct verifier *verifier = verifier_new(&options);
    if (!verifier)
        return error_set(err, REASON_INTERNAL, "no memory for the verifier");
    if (!verifier_start(verifier, settings->database, err)) {
        verifier_free(verifier);
        return false;
    }
    server->verifier = verifier;
    return true;
}

static bool open_engine(struct server *server, struct error *err)
{
    const struct settings *settings = &server->program.settings;
    struct office *office = &server->office;

    if (!office->reference && !reference_open(server->db, rules_document_compile, &office->reference, err))
        return false;
    if (!open_pace(server, err))
        return false;
    const struct reference *reference = reference_acquire(office->reference);
    struct lanes_options lanes = {
        .conninfo = settings->database,
        .buckets = reference->buckets,
        .lanes = settings->lanes < reference->buckets ? (int32_t)settings->lanes : reference->buckets,
        .reference = office->reference,
        .pace = server->pace,
        .sweep_every_us = SWEEP_EVERY_US,
        .observer = telemetry_batch,
        .observer_owner = server->telemetry,
    };
    reference_release(reference);
    return (office->lanes || lanes_open(&lanes, &office->lanes, err)) &&
           (office->clerks || clerks_open(settings->database, (int32_t)settings->clerks, &office->clerks, err)) &&
           open_recovery(server, lanes.buckets, err) && open_sweeper(server, err) && open_roster(server, err) &&
           open_verifier(server, lanes.buckets, err);
}

/* Once a second: the first reading of the database, or a look at whether there is newer reference data. */
static void tick(struct server *server)
{
    struct error err = { 0 };
    bool good = server->db ? db_connected(server->db) || db_reconnect(server->db, &err)
                           : db_open(server->program.settings.database, &server->db, &err);

    if (good && !atomic_load(&server->office.open)) {
        good = open_engine(server, &err);
        atomic_store(&server->office.open, good);
    } else if (good) {
        good = reference_poll(server->office.reference, server->db, &err);
    }
    if (atomic_exchange(&server->healthy, good) != good)
        rpc_server_set_serving(server->rpc, good);
    telemetry_database(server->telemetry, good, &err);
    if (server->pace)
        telemetry_pace(server->telemetry, pace_figures(server->pace));
}

static bool run(struct server *server, struct error *err)
{
    tick(server);
    bool good = announce(server, err);
    while (good && !program_stopping(&server->program, TICK_MS))
        tick(server);
    sd_notify(0, "STOPPING=1");
    LOG(LOG_INFO, "draining", log_int("in_flight", rpc_server_stats(server->rpc).in_flight));
    rpc_server_drain(server->rpc, server->program.settings.drain_grace_ms);
    return good;
}

/* Lanes and clerks go on until the last call is over. */
static void end(struct server *server)
{
    rpc_server_close(server->rpc);
    verifier_free(server->verifier);
    roster_worker_close(server->roster);
    sweeper_close(server->sweeper);
    transfer_recovery_close(server->recovery);
    lanes_close(server->office.lanes);
    pace_publisher_free(server->publisher);
    pace_free(server->pace);
    clerks_close(server->office.clerks);
    reference_close(server->office.reference);
    db_close(server->db);
    metrics_free(server->metrics);
    telemetry_free(server->telemetry);
    crypto_key_clear(&server->key);
    program_end(&server->program);
}

int main(int argc, char **argv)
{
    static struct server server;
    struct error err = { 0 };
    bool only_migrate = take_flag(&argc, argv, "--migrate");
    enum program_start start = program_start(
        &server.program, SETTINGS_SERVER,
        "the gRPC server of the points alliance; with --migrate it only brings the schema up to date", argc, argv);

    if (start != PROGRAM_RUN)
        return start == PROGRAM_DONE ? EXIT_SUCCESS : 2;
    if (only_migrate)
        return migrate_and_say(&server.program.settings);
    allow_many_files();
    bool good = crypto_key_load(server.program.settings.data_key_file, &server.key, &err) &&
                serve_metrics(&server, &err) && listen_for_calls(&server, &err) && run(&server, &err);
    if (!good)
        LOG(LOG_ERROR, "start", log_reason(&err), log_text("cause", error_text(&err)));
    end(&server);
    if (good)
        LOG(LOG_INFO, "stopped");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
