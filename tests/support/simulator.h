/*
 * simulator.h -- child processes for tests: the simulators under tests/simulators, and our own programs.
 *
 * Every function fails the running test when something goes wrong. A child dies with the test that made it.
 */
#ifndef SUPPORT_SIMULATOR_H
#define SUPPORT_SIMULATOR_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct simulator {
    pid_t pid; /* 0: not running */
    uint16_t port;
    char port_file[64];
};

/* Starts tests/simulators/NAME with these arguments (ends with NULL) and waits until it listens. port 0: any. */
void simulator_start(struct simulator *simulator, const char *name, uint16_t port, const char *const *arguments);
/* SIGTERM, and waits. Stopping what does not run is fine. */
void simulator_stop(struct simulator *simulator);
/* What it answers to GET path; to be released with json_decref. */
json_t *simulator_get(const struct simulator *simulator, const char *path);

/*
 * Starts a program of ours with these settings as environment ("ALLIANCE_X=y", ends with NULL) and waits until it has
 * written port_file of simulator (to be named in the settings by program_port_file).
 */
void program_port_file(struct simulator *program);
void program_launch(struct simulator *program, const char *path, const char *const *environment);
/* SIGTERM; the exit status, which must come within 20 seconds. */
int program_terminate(struct simulator *program);

#endif
