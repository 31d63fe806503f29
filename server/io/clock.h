/*
 * clock.h -- the only place where this machine's clocks are read. Rules never call it: they get their time as an
 * argument.
 *
 * Not programme time: that is the database's (see the fence). Any thread.
 */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "base/when.h"

/* The wall clock; may jump. For logs, ids and signatures. */
struct instant clock_now(void);
/* Microseconds since some fixed moment; never goes back. For deadlines and measuring. */
int64_t clock_monotonic_us(void);

#endif
