/*
 * pace_publisher.h -- tells the other servers what this one let through, and learns what they did, through table pace.
 *
 * Every exchange writes the slots that changed and reads what others wrote since the last one: two exchanges after a
 * hold (one here, one there) everybody knows of it. A database that is away only delays that.
 */
#ifndef ENGINE_PACE_PUBLISHER_H
#define ENGINE_PACE_PUBLISHER_H

#include "base/error.h"

#include <stdint.h>

struct db;
struct pace;
struct pace_publisher;

enum { PACE_EXCHANGE_EVERY_US = 400000 }; /* so that a hold is known everywhere within a second */

/* pace is borrowed. NULL when there is no memory. */
struct pace_publisher *pace_publisher_new(struct pace *pace);
/* One exchange; the publisher's thread does nothing else. Not by two threads at a time. */
bool pace_exchange(struct pace_publisher *publisher, struct db *db, struct error *err) MUST_USE;
/* Exchanges every PACE_EXCHANGE_EVERY_US on a thread. */
bool pace_publisher_start(struct pace_publisher *publisher, const char *conninfo, struct error *err) MUST_USE;
/* Ends the thread. NULL is fine. */
void pace_publisher_free(struct pace_publisher *publisher);

#endif
