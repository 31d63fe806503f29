#include "store/calendar_store.h"

#define CALENDAR_COLUMNS                                                                                               \
    "SELECT programme_no, version, effective_from, request_id, content_hash, published_by, published_at FROM "         \
    "calendar "

static const struct column calendar_columns[] = {
    COLUMN(struct calendar_row, programme_no),   COLUMN(struct calendar_row, version),
    COLUMN(struct calendar_row, effective_from), COLUMN(struct calendar_row, request_id),
    COLUMN(struct calendar_row, content_hash),   COLUMN(struct calendar_row, published_by),
    COLUMN(struct calendar_row, published_at),
};
static const struct column put_params[] = {
    COLUMN(struct calendar_row, programme_no),   COLUMN(struct calendar_row, version),
    COLUMN(struct calendar_row, effective_from), COLUMN(struct calendar_row, request_id),
    COLUMN(struct calendar_row, content_hash),   COLUMN(struct calendar_row, published_by),
};
const struct statement calendar_put = COMMAND_STATEMENT(
    "calendar_put",
    "INSERT INTO calendar (programme_no, version, effective_from, request_id, content_hash, published_by) VALUES ($1, "
    "$2, $3, $4, $5, $6)",
    put_params);

static const struct column day_columns[] = { COLUMN(struct calendar_day_row, on_date),
                                             COLUMN(struct calendar_day_row, working),
                                             COLUMN(struct calendar_day_row, name) };
static const struct record_type holiday_write = { "holiday_write", day_columns, COUNT(day_columns),
                                                  sizeof(struct calendar_day_row) };
static const struct column put_days_params[] = { COLUMN(struct calendar_put_days_params, programme_no),
                                                 COLUMN(struct calendar_put_days_params, version),
                                                 RECORDS(struct calendar_put_days_params, days, &holiday_write) };
const struct statement calendar_put_days =
    COMMAND_STATEMENT("calendar_put_days",
                      "INSERT INTO holiday (programme_no, version, on_date, working, name) SELECT $1, $2, d.on_date, "
                      "d.working, d.name FROM unnest($3::holiday_write[]) d",
                      put_days_params);

static const struct column request_params[] = { COLUMN(struct calendar_request_params, programme_no),
                                                COLUMN(struct calendar_request_params, request_id) };
const struct statement calendar_by_request =
    STATEMENT("calendar_by_request", CALENDAR_COLUMNS "WHERE programme_no = $1 AND request_id = $2", request_params,
              calendar_columns, sizeof(struct calendar_row));

static const struct column version_params[] = { COLUMN(struct calendar_version_params, programme_no),
                                                COLUMN(struct calendar_version_params, version) };
const struct statement calendar_find =
    STATEMENT("calendar_find",
              CALENDAR_COLUMNS "WHERE programme_no = $1 AND ($2 = 0 OR version = $2) ORDER BY version DESC LIMIT 1",
              version_params, calendar_columns, sizeof(struct calendar_row));
const struct statement calendar_list_days =
    STATEMENT("calendar_list_days",
              "SELECT on_date, working, name FROM holiday WHERE programme_no = $1 AND version = $2 ORDER BY on_date",
              version_params, day_columns, sizeof(struct calendar_day_row));

static const struct column about_params[] = { COLUMN(struct calendar_about_params, programme_no) };
static const struct column about_columns[] = {
    COLUMN(struct calendar_about_row, version),         COLUMN(struct calendar_about_row, from),
    COLUMN(struct calendar_about_row, open_date),       COLUMN(struct calendar_about_row, time_zone),
    COLUMN(struct calendar_about_row, cut_off_minutes),
};
const struct statement calendar_about = STATEMENT(
    "calendar_about",
    "SELECT COALESCE((SELECT max(version) FROM calendar WHERE programme_no = $1), 0) AS version, COALESCE((SELECT "
    "min(effective_from) FROM calendar WHERE programme_no = $1), '9999-12-31') AS from, (SELECT min(business_date) "
    "FROM fence WHERE programme_no = $1) AS open_date, time_zone, cut_off_minutes FROM programme WHERE programme_no = "
    "$1",
    about_params, about_columns, sizeof(struct calendar_about_row));

static const struct column held_columns[] = { COLUMN(struct calendar_held_row, on_date),
                                              COLUMN(struct calendar_held_row, working) };
const struct statement calendar_held =
    STATEMENT("calendar_held",
              "SELECT h.on_date, h.working FROM holiday h WHERE h.programme_no = $1 AND NOT EXISTS (SELECT FROM "
              "calendar c WHERE c.programme_no = $1 AND c.version > h.version AND c.effective_from <= h.on_date) ORDER "
              "BY h.on_date",
              about_params, held_columns, sizeof(struct calendar_held_row));
