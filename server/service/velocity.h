/*
 * velocity.h -- how fast points may be held: the message of rules and terms, and the value decisions read.
 */
#ifndef SERVICE_VELOCITY_H
#define SERVICE_VELOCITY_H

#include "base/arena.h"
#include "domain/rules.h"

#include <alliance/v1/bank_service.pb-c.h>

enum { PLACE_HOLDS_MAX = 1000000 }; /* max_holds of a terminal's or merchant's velocity */

/* NULL is no bound. Fields are named within the message called `field`; max_holds is at most holds_max. */
bool velocity_read(const char *field, const Alliance__V1__Velocity *asked, int32_t holds_max, struct velocity *velocity,
                   struct error *err) MUST_USE;
/* *shaped is NULL for no bound. false: the arena is full. */
bool velocity_shape(struct arena *arena, const struct velocity *velocity, Alliance__V1__Velocity **shaped) MUST_USE;

#endif
