#include "close.h"

#include "close_store.h"
#include "rows_ahead.h"
#include "store/db.h"

#include <stdio.h>

bool close_begin(struct close_run *run, struct db *db, const char *programme_id, struct error *err)
{
    struct lock_holder holder = { 0 };
    bool taken = false;

    run->db = db;
    if (!close_store_programme(db, programme_id, &run->programme_no, err) ||
        !close_store_lock(db, run->programme_no, programme_id, &taken, &holder, err))
        return false;
    if (!taken)
        return error_set(
            err, REASON_CLOSE_RUNNING,
            "\"%.64s\" (database session %d) is at work on this programme; wait until it ends, then repeat",
            holder.name, (int)holder.pid);
    snprintf(run->programme_id, sizeof run->programme_id, "%s", programme_id);
    return true;
}

bool close_beside(struct close_run *run, struct db **beside, struct error *err)
{
    if (!run->beside &&
        (!db_open_beside(run->db, &run->beside, err) || !close_store_name_session(run->beside, run->programme_id, err)))
        return false;
    *beside = run->beside;
    return true;
}

void close_stop_ahead(struct close_run *run)
{
    rows_ahead_stop(run->ahead);
    run->ahead = NULL;
}

void close_end(struct close_run *run)
{
    close_stop_ahead(run);
    db_close(run->beside);
    run->beside = NULL;
    if (run->programme_no > 0 && db_connected(run->db))
        close_store_unlock(run->db, run->programme_no);
    run->programme_no = 0;
}

void close_step(struct close_run *run)
{
    run->steps++;
    if (run->stepped)
        run->stepped(run->steps);
}
