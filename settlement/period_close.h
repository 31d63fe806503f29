/*
 * period_close.h -- makes a period's statements from its sealed days, and their files.
 *
 * Everything is calculated from the journal and the days' roll-ups, which must tie; what was frozen on an entry is only
 * added up, never calculated again. Run again, it finds the same and leaves the same bytes.
 */
#ifndef SETTLEMENT_PERIOD_CLOSE_H
#define SETTLEMENT_PERIOD_CLOSE_H

#include "close.h"
#include "domain/period.h"

#include <stdint.h>

struct period_closed {
    int64_t statement_count;
    int64_t line_count;
    uint8_t manifest_sha256[32];
};

/*
 * The run is one that close_begin has begun; statements_dir is DIR of files.h.
 * DAY_NOT_SEALED names the first missing day, PERIOD_CHANGED the bucket and day, DOES_NOT_TIE the two figures; then
 * nothing is stored and no file changes.
 */
bool period_close(struct close_run *run, const struct period *period, const char *statements_dir,
                  struct period_closed *closed, struct error *err) MUST_USE;

#endif
