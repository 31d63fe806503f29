/*
 * calendar_store.h -- a programme's calendar: publishing a version, reading versions, and the days that hold. Versions
 * never change.
 */
#ifndef STORE_CALENDAR_STORE_H
#define STORE_CALENDAR_STORE_H

#include "store/db.h"

/* One version without its days. */
struct calendar_row {
    int32_t programme_no;
    int32_t version;
    struct date effective_from;
    struct uuid request_id;
    struct bytes content_hash;
    const char *published_by;
    struct instant published_at; /* ignored when it is put: the database's clock */
};
/* A day of a version that is not as its day of the week has it. */
struct calendar_day_row {
    struct date on_date;
    bool working;
    const char *name;
};

extern const struct statement calendar_put; /* takes calendar_row */
struct calendar_put_days_params {
    int32_t programme_no, version;
    struct record_array days; /* calendar_day_row */
};
extern const struct statement calendar_put_days;

struct calendar_request_params {
    int32_t programme_no;
    struct uuid request_id;
};
extern const struct statement calendar_by_request; /* returns calendar_row */

struct calendar_version_params {
    int32_t programme_no;
    int32_t version; /* calendar_find: 0 for the newest */
};
extern const struct statement calendar_find;      /* returns calendar_row */
extern const struct statement calendar_list_days; /* returns calendar_day_row, by date */

/* What a new version must come after, and what stands beside a calendar. */
struct calendar_about_params {
    int32_t programme_no;
};
struct calendar_about_row {
    int32_t version;       /* the newest; 0: none */
    struct date from;      /* the first day that any version governs; 9999-12-31: none */
    struct date open_date; /* the programme's business date */
    const char *time_zone;
    int32_t cut_off_minutes;
};
extern const struct statement calendar_about;
/* Days that hold: of the newest version that governs each, by date; no names. */
struct calendar_held_row {
    struct date on_date;
    bool working;
};
extern const struct statement calendar_held; /* takes calendar_about_params */

#endif
