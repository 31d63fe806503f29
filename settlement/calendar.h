/*
 * calendar.h -- the programme's calendar as alliance-settle goes by it: the newest version there is.
 */
#ifndef SETTLEMENT_CALENDAR_H
#define SETTLEMENT_CALENDAR_H

#include "base/arena.h"
#include "domain/business_days.h"

struct db;

struct calendar {
    struct business_calendar days; /* the arena's */
    int32_t version;               /* the newest; 0: none was published, and every day is a business day */
};

bool calendar_load(struct db *db, int32_t programme_no, struct arena *arena, struct calendar *calendar,
                   struct error *err) MUST_USE;

#endif
