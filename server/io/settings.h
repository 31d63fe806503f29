/*
 * settings.h -- what an installation can choose, from one table: parser, --help and the sample file come from it.
 *
 * A value is the table's default, or the settings file's, or that of the environment variable ALLIANCE_<NAME>, which
 * wins. Unknown names and bad values are refused: a misspelt setting never silently keeps its default. One file serves
 * all programs; each reads what concerns it. Filled once by main before threads start, then read-only.
 */
#ifndef IO_SETTINGS_H
#define IO_SETTINGS_H

#include "base/error.h"

#include <stdint.h>
#include <stdio.h>

enum settings_program {
    SETTINGS_SERVER = 1,
    SETTINGS_MERCHANTS = 2,
    SETTINGS_LOGISTICS = 4,
    SETTINGS_SETTLE = 8,
};

enum { SETTINGS_TEXT = 512, SETTINGS_HOST = 64 };

struct settings {
    char database[SETTINGS_TEXT];
    int64_t buckets;
    int64_t lanes;
    int64_t clerks;
    char listen[SETTINGS_TEXT];
    char port_file[SETTINGS_TEXT];
    char tls_ca[SETTINGS_TEXT];
    char tls_cert[SETTINGS_TEXT];
    char tls_key[SETTINGS_TEXT];
    char metrics_listen[SETTINGS_TEXT];
    char metrics_port_file[SETTINGS_TEXT];
    int64_t drain_grace_ms;
    int64_t max_in_flight;
    char log_level[SETTINGS_TEXT];
    char data_key_file[SETTINGS_TEXT];
    bool allow_loopback_partners;
    int64_t worker_poll_ms;
    int64_t http_timeout_ms;
    int64_t tracking_poll_ms;
    int64_t retry_base_ms;
    int64_t attempts_max;
    char statements_dir[SETTINGS_TEXT];
    char signing_certificate[SETTINGS_TEXT];
    char signing_key[SETTINGS_TEXT];
    char signing_chain[SETTINGS_TEXT];
    int64_t hold_default_s;
    int64_t adjust_limit_points;
    int64_t rules_lead_s;
    int64_t roster_close_share_bp;
    int64_t sweep_rate;
    int64_t verify_every_s;
};

/* Every setting at its default. */
void settings_init(struct settings *settings);
/* Defaults, then the file (NULL or "" for none), then environ; then what the program cannot do without is required. */
bool settings_load(struct settings *settings, enum settings_program program, const char *path,
                   struct error *err) MUST_USE;
/* The steps of settings_load, for tests. lines is a stream that is read to its end; name is shown in errors. */
bool settings_read(struct settings *settings, FILE *lines, const char *name, struct error *err) MUST_USE;
bool settings_read_environment(struct settings *settings, char *const *environment, struct error *err) MUST_USE;
bool settings_check(const struct settings *settings, enum settings_program program, struct error *err) MUST_USE;

/* One paragraph a setting of the program. */
void settings_help(FILE *out, enum settings_program program);
/* The sample file, which is committed as ops/alliance.conf.sample. */
void settings_sample(FILE *out);

/* "127.0.0.1:8080" or "[::1]:0" into its parts; false for anything else. */
bool settings_split_address(const char *address, char host[SETTINGS_HOST], uint16_t *port) MUST_USE;

#endif
