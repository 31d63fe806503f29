/*
 * pace_store.h -- what each server has let through lately at a terminal or merchant, for the other servers.
 *
 * A server writes its own rows only, and reads those of the others added up. Rows are of use for the length of a
 * velocity window, which is at most a day; nothing is lost but a little strictness when they are gone.
 */
#ifndef STORE_PACE_STORE_H
#define STORE_PACE_STORE_H

#include "store/db.h"

enum {
    PACE_WRITE_MAX = 2048, /* rows of one pace_store_write */
    PACE_PRUNE_MAX = 2000, /* rows deleted by one pace_store_prune */
};

/* How many holds and points in the slot_us microseconds from slot_at (programme time). */
struct pace_row {
    int32_t merchant_no;
    int64_t terminal; /* first 8 bytes of SHA-256 of its name, never 0; 0: the whole merchant */
    struct instant slot_at;
    int64_t slot_us, holds, points;
};

/* What a connection needs: these rows are not worth waiting for a disk, nor for a lock. */
extern const char pace_session_sql[];

/* The database's clock. */
bool pace_store_clock(struct db *db, struct instant *now, struct error *err) MUST_USE;
/*
 * These totals replace the server's older ones. Rows of the same keys that begin more than `slots` slots earlier are
 * deleted.
 */
bool pace_store_write(struct db *db, const struct uuid *server_id, int64_t slots, const struct pace_row *rows,
                      size_t count, struct error *err) MUST_USE;
/* Every slot some other server wrote after that instant, as the total of all other servers. */
bool pace_store_read(struct db *db, const struct uuid *server_id, struct instant since, db_row_handler *each,
                     void *owner, struct error *err) MUST_USE;
/* Deletes some of what was written more than age_us ago. */
bool pace_store_prune(struct db *db, int64_t age_us, int64_t *deleted, struct error *err) MUST_USE;

#endif
