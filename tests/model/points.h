/*
 * points.h -- the points book of settlement against the accounts: after all days with entries are closed, lots, drawn
 * credit and what is outstanding must be what the accounts say.
 */
#ifndef TESTS_POINTS_H
#define TESTS_POINTS_H

#include "members.h"

/* Closes each day and month from the first entry's to the last one's; nobody runs commands any more. */
void points_compare(struct alliance *alliance);

#endif
