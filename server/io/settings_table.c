#include "io/settings_table.h"

#include "base/limits.h"

/* clang-format off */
#define TEXT(name, kind, initial, secret, programs, required, help) \
    { #name, kind, offsetof(struct settings, name), initial, 0, 0, secret, programs, required, help }
#define NUMBER(name, kind, initial, min, max, programs, help) \
    { #name, kind, offsetof(struct settings, name), initial, min, max, false, programs, 0, help }

enum {
    SERVER = SETTINGS_SERVER,
    WORKERS = SETTINGS_MERCHANTS | SETTINGS_LOGISTICS,
    SERVING = SERVER | WORKERS,
    ALL = SERVING | SETTINGS_SETTLE,
};

const struct setting settings_table[] = {
    TEXT(database, SETTING_TEXT, "", true, ALL, ALL,
         "How to reach PostgreSQL, as libpq takes it, such as: host=/run/postgresql dbname=alliance user=alliance."),
    NUMBER(buckets, SETTING_INT, "4", 1, BUCKETS_MAX, SERVER,
           "Into how many buckets members are divided; fixed when the database is first migrated."),
    NUMBER(lanes, SETTING_INT, "2", 1, LANES_MAX, SERVER,
           "How many threads write points, each with a database connection; no more than buckets help."),
    NUMBER(clerks, SETTING_INT, "2", 1, 32, SERVER,
           "How many threads read and register, each with a database connection."),
    TEXT(listen, SETTING_ADDRESS, "127.0.0.1:0", false, SERVER, SERVER,
         "Where gRPC is served; port 0 chooses a free one."),
    TEXT(port_file, SETTING_PATH, "", false, SERVER, 0,
         "File the chosen gRPC port is written to once the server is ready; empty for none."),
    TEXT(tls_ca, SETTING_PATH, "", false, SERVER, SERVER,
         "PEM file of the authorities whose client certificates are accepted."),
    TEXT(tls_cert, SETTING_PATH, "", false, SERVER, SERVER, "PEM file of the server's certificate chain."),
    TEXT(tls_key, SETTING_PATH, "", false, SERVER, SERVER, "PEM file of the server's private key."),
    TEXT(metrics_listen, SETTING_ADDRESS, "127.0.0.1:0", false, SERVING, SERVING,
         "Where /metrics and /healthz are served over HTTP; port 0 chooses a free one."),
    TEXT(metrics_port_file, SETTING_PATH, "", false, SERVING, 0,
         "File the chosen metrics port is written to; empty for none."),
    NUMBER(drain_grace_ms, SETTING_DURATION_MS, "10000", 0, 600000, SERVER,
           "How long calls in flight may take to finish after SIGTERM."),
    NUMBER(max_in_flight, SETTING_INT, "4096", 1, 100000, SERVER,
           "How many calls may be in the works at a time; more are told to come back."),
    TEXT(log_level, SETTING_LEVEL, "info", false, ALL, ALL, "The least level that is logged."),
    TEXT(data_key_file, SETTING_PATH, "", false, SERVING, SERVING,
         "File of 64 hexadecimal digits, readable by its owner only, with the key that seals personal data."),
    NUMBER(allow_loopback_partners, SETTING_BOOL, "false", 0, 0, SERVING,
           "Whether carriers and webhooks may be plain http on this machine; for trials only."),
    NUMBER(worker_poll_ms, SETTING_DURATION_MS, "500", 10, 60000, WORKERS,
           "How long a worker without work waits before it looks again."),
    NUMBER(http_timeout_ms, SETTING_DURATION_MS, "15000", 100, 60000, WORKERS,
           "The most one HTTP exchange with a partner may take."),
    NUMBER(tracking_poll_ms, SETTING_DURATION_MS, "1800000", 10, 86400000, SETTINGS_LOGISTICS,
           "How long to wait before a carrier is asked about the same parcel again."),
    NUMBER(retry_base_ms, SETTING_DURATION_MS, "5000", 1, 3600000, WORKERS,
           "The longest wait after the first failure; it grows with each further one, as the partner's schedule says."),
    NUMBER(attempts_max, SETTING_INT, "10", 1, 1000, WORKERS,
           "How often something is sent to a partner before it is put aside for a person to look at."),
    TEXT(statements_dir, SETTING_PATH, "", false, SETTINGS_SETTLE, SETTINGS_SETTLE,
         "Directory that statement files are written to."),
    TEXT(signing_certificate, SETTING_PATH, "", false, SETTINGS_SETTLE, 0,
         "PEM file of the certificate that signs a period's manifest when it is issued; empty: nothing can be issued."),
    TEXT(signing_key, SETTING_PATH, "", false, SETTINGS_SETTLE, 0, "PEM file of its private key."),
    TEXT(signing_chain, SETTING_PATH, "", false, SETTINGS_SETTLE, 0,
         "PEM file of the authorities that vouch for it, the root among them; whoever verifies needs the root."),
    NUMBER(hold_default_s, SETTING_INT, "900", 1, 2592000, SERVER,
           "Seconds a hold lives when the caller does not say."),
    NUMBER(adjust_limit_points, SETTING_INT, "10000", 0, POINTS_MAX, SERVER,
           "The most points an operator may correct alone; more waits for a second operator's approval."),
    NUMBER(rules_lead_s, SETTING_INT, "3600", 0, 31536000, SERVER,
           "Seconds of programme time a bank's rule set must be scheduled ahead, at least."),
    NUMBER(roster_close_share_bp, SETTING_INT, "100", 1, 10000, SERVER,
           "The most members a full list may close without a second person's release, in hundredths of a percent of the members, where the batch itself does not say."),
    NUMBER(sweep_rate, SETTING_INT, "2000", 0, 1000000, SERVER,
           "How many members a second the daily walk (expiry, maturing, notices) may look at; 0: this server does not walk."),
    NUMBER(verify_every_s, SETTING_INT, "86400", 0, 2592000, SERVER,
           "Seconds from one verification of the whole ledger to the next, done slowly in the background; 0: this server does none."),
};
/* clang-format on */
const size_t settings_count = COUNT(settings_table);
_Static_assert(COUNT(settings_table) <= SETTINGS_MAX, "raise SETTINGS_MAX");
