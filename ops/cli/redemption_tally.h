/*
 * redemption_tally.h -- how many rows ended how, by action and reason. One thread at a time.
 */
#ifndef CLI_REDEMPTION_TALLY_H
#define CLI_REDEMPTION_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TALLY_MAX = 256 };

struct redemption_tally {
    struct {
        char action[16], reason[64];
        int64_t count;
    } entries[TALLY_MAX];
    size_t count;
};

/* An action that is none of ours is counted as "?". */
void redemption_tally_add(struct redemption_tally *tally, const char *action, const char *reason);
/* A table, or a JSON list. */
void redemption_tally_write(const struct redemption_tally *tally, bool json, FILE *out);

#endif
