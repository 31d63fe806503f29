/* alliance-merchants: reads its settings, connects, and works until it is asked to stop. */
#include "webhook_worker.h"

#include "io/log.h"
#include "io/program.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { RECONNECT_MS = 1000 };

struct merchants_program {
    struct program program;
    struct crypto_key key;
    struct metrics *metrics;
    struct merchants_metrics counters;
    struct db *db;
    struct merchants merchants;
    bool working;         /* merchants is ready */
    _Atomic bool healthy; /* read by the metrics thread */
};

static bool is_healthy(void *owner)
{
    return atomic_load(&((struct merchants_program *)owner)->healthy);
}

static bool should_stop(void *owner)
{
    return program_stopping(owner, 0);
}

/* Whatever is missing of connection and worker; false is tried again later. */
static bool prepare(struct merchants_program *self, struct error *err)
{
    const struct settings *settings = &self->program.settings;
    const struct merchants_options options = {
        .http_timeout_ms = settings->http_timeout_ms,
        .retry_base_ms = settings->retry_base_ms,
        .attempts_max = (int32_t)settings->attempts_max,
        .allow_loopback = settings->allow_loopback_partners,
    };

    if (!self->db && !db_open(settings->database, &self->db, err))
        return false;
    if (!db_connected(self->db) && !db_reconnect(self->db, err))
        return false;
    if (!self->working) {
        self->working = merchants_init(&self->merchants, self->db, &self->key, &options, &self->counters, err);
        if (!self->working)
            merchants_release(&self->merchants);
    }
    return self->working;
}

/* Every failure that reaches this is the database's: said once, then tried again. */
static void work(struct merchants_program *self)
{
    int64_t wait_ms = 0;

    while (!program_stopping(&self->program, wait_ms)) {
        struct error err = { 0 };
        size_t handled = 0;
        bool good =
            prepare(self, &err) && merchants_round(&self->merchants, should_stop, &self->program, &handled, &err);
        if (!good && (atomic_exchange(&self->healthy, false) || wait_ms == 0))
            LOG(LOG_ERROR, "database", log_reason(&err), log_text("cause", error_text(&err)));
        if (good && !atomic_exchange(&self->healthy, true))
            LOG(LOG_INFO, "working");
        wait_ms = !good ? RECONNECT_MS : handled ? 0 : self->program.settings.worker_poll_ms;
    }
}

static bool serve_metrics(struct merchants_program *self, struct error *err)
{
    const struct settings *settings = &self->program.settings;
    uint16_t port;

    self->metrics = metrics_new();
    if (!self->metrics)
        return error_set(err, REASON_INTERNAL, "no memory for metrics");
    merchants_register(&self->counters, self->metrics);
    return metrics_serve(self->metrics, settings->metrics_listen, settings->metrics_port_file, is_healthy, self, &port,
                         err);
}

static void end(struct merchants_program *self)
{
    metrics_free(self->metrics);
    merchants_release(&self->merchants);
    db_close(self->db);
    crypto_key_clear(&self->key);
    program_end(&self->program);
}

int main(int argc, char **argv)
{
    static struct merchants_program self;
    struct error err = { 0 };

    enum program_start start = program_start(
        &self.program, SETTINGS_MERCHANTS, "tells merchants by webhook what happened to their redemptions", argc, argv);
    if (start != PROGRAM_RUN)
        return start == PROGRAM_DONE ? EXIT_SUCCESS : 2;
    bool good = crypto_key_load(self.program.settings.data_key_file, &self.key, &err) && serve_metrics(&self, &err);
    if (good)
        work(&self);
    else
        LOG(LOG_ERROR, "start", log_reason(&err), log_text("cause", error_text(&err)));
    end(&self);
    return good ? EXIT_SUCCESS : 2;
}
