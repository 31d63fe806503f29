#include "engine/pace_publisher.h"

#include "engine/pace.h"
#include "engine/pace_count.h"
#include "engine/routine.h"
#include "io/clock.h"
#include "io/crypto.h"

#include <stdlib.h>

enum { ROUNDS_MAX = 64 /* writes of one exchange; what is left waits for the next */ };

/* Rows become visible a little after the time they carry: so much is read again. */
static const int64_t overlap_us = INT64_C(5) * US_PER_SECOND;
/* The longest window, and a minute for clocks that differ. */
static const int64_t prune_age_us = (INT64_C(86400) + 60) * US_PER_SECOND;

struct pace_publisher {
    struct pace *pace;
    struct uuid server_id;
    struct instant since; /* what others wrote from then on is not read yet */
    struct routine *routine;
    struct pace_row rows[PACE_WRITE_MAX];
};

struct pace_publisher *pace_publisher_new(struct pace *pace)
{
    struct pace_publisher *publisher = calloc(1, sizeof *publisher);

    if (publisher) {
        publisher->pace = pace;
        publisher->server_id = crypto_uuid_v7(clock_now());
    }
    return publisher;
}

/*
 * What failed, perhaps only after it was done, is written again: totals may be. So is what took long: others may have
 * read past the time it carries before they could see it.
 */
static bool write_some(struct pace_publisher *publisher, struct db *db, size_t *count, struct error *err)
{
    int64_t began_us = clock_monotonic_us();

    *count = pace_collect(publisher->pace, publisher->rows, PACE_WRITE_MAX);
    bool good = *count == 0 || pace_store_write(db, &publisher->server_id, PACE_SLOTS, publisher->rows, *count, err);
    if (!good || clock_monotonic_us() - began_us > overlap_us / 2)
        pace_collect_again(publisher->pace, publisher->rows, *count);
    return good;
}

static bool write_changes(struct pace_publisher *publisher, struct db *db, struct error *err)
{
    size_t count = PACE_WRITE_MAX;

    for (int round = 0; round < ROUNDS_MAX && count == PACE_WRITE_MAX; round++) {
        if (!write_some(publisher, db, &count, err))
            return false;
    }
    return true;
}

static bool learn(void *owner, const void *row, struct error *err)
{
    (void)err;
    pace_learn(owner, row);
    return true;
}

/* The clock is read first: what is written meanwhile is read next time. A clock that is set back is followed. */
static bool read_others(struct pace_publisher *publisher, struct db *db, struct error *err)
{
    struct instant now;

    if (pace_wants_all(publisher->pace))
        publisher->since = (struct instant){ 0 };
    if (!pace_store_clock(db, &now, err) ||
        !pace_store_read(db, &publisher->server_id, publisher->since, learn, publisher->pace, err))
        return false;
    publisher->since.us = now.us - overlap_us;
    return true;
}

bool pace_exchange(struct pace_publisher *publisher, struct db *db, struct error *err)
{
    return write_changes(publisher, db, err) && read_others(publisher, db, err) &&
           pace_store_prune(db, prune_age_us, NULL, err);
}

static bool run(void *owner, struct db *db, int64_t *wait_us, struct error *err)
{
    *wait_us = PACE_EXCHANGE_EVERY_US;
    return pace_exchange(owner, db, err);
}

bool pace_publisher_start(struct pace_publisher *publisher, const char *conninfo, struct error *err)
{
    const struct routine_options options = { .name = "pace",
                                             .conninfo = conninfo,
                                             .session_sql = pace_session_sql,
                                             .run = run,
                                             .owner = publisher,
                                             .retry_us = PACE_EXCHANGE_EVERY_US };

    return routine_start(&options, &publisher->routine, err);
}

void pace_publisher_free(struct pace_publisher *publisher)
{
    if (!publisher)
        return;
    routine_stop(publisher->routine);
    free(publisher);
}
