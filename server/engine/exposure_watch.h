/*
 * exposure_watch.h -- tells a bank when 80, 90 or 100 percent of its exposure limit are used.
 *
 * What is used lies in parts over the buckets, which only somebody who adds them up knows; so not the lane that crosses
 * a level writes the warning but the sweeper's thread, which looks every second. A level that is crossed and left again
 * in between is not told. Any number of servers may look: a warning is written by the one that moves the level.
 */
#ifndef ENGINE_EXPOSURE_WATCH_H
#define ENGINE_EXPOSURE_WATCH_H

#include "base/error.h"

#include <stdint.h>

struct db;

/* One look at all limits; *told: warnings written. */
bool exposure_watch_run(struct db *db, int64_t *told, struct error *err) MUST_USE;

#endif
