/*
 * roster_undo.h -- members a roster batch changed, made or closed, a window of them at a time: may its part be undone,
 * and undoing it.
 *
 * Nothing may have been built on it: no later entry of the member's journal but for what time alone does, and no card
 * of it may belong to a member the batch has nothing to do with. A member is undone by one command with an id of its
 * own, so that doing it again after a crash changes nothing.
 */
#ifndef SERVICE_ROSTER_UNDO_H
#define SERVICE_ROSTER_UNDO_H

#include "engine/command.h"
#include "service/roster_crew.h"
#include "service/roster_work.h"
#include "store/roster_roll_back_store.h"

enum undo_part { UNDO_CREATED, UNDO_CHANGED, UNDO_CLOSED };

struct undo_member {
    struct uuid member_id, ref;
    enum undo_part part;
    const struct undo_row *row; /* in the window's arena; NULL: it is not there at all */
    const char *why;            /* it may not be undone; NULL: it may. In the window's arena */
    struct command command;
    struct member_before before;
    struct member_profile profile;
};

struct undo_window {
    struct roster_work *work;
    struct db *db;
    const struct roster_batch *batch; /* whose lease is renewed while lanes are waited for */
    struct roster_key key;
    char bank_id[ID_MAX + 1];
    int32_t programme_no, buckets;
    const char *changed_by; /* for the audit log */
    bool undoing;           /* the second look: whose card is with one that stays, stays too */
    struct arena arena;
    struct crew crew;
    struct undo_member *members;
    size_t count;
    int64_t rows;            /* of the batch that the window covers; 0: there are no more */
    struct uuid last_member; /* of the closings */
};

/* TRY_AGAIN when the bank is not known here yet. */
bool undo_open(struct undo_window *window, struct error *err) MUST_USE;
/* Waits for what is in the lanes. */
void undo_close(struct undo_window *window);

/* The next window: of the rows from that one on, or of the closings after that member (count 0: there are no more). */
bool undo_fill_rows(struct undo_window *window, int64_t from_row, struct error *err) MUST_USE;
bool undo_fill_closings(struct undo_window *window, const struct uuid *after, struct error *err) MUST_USE;
/* Looks at all of them: row and why. */
bool undo_inspect(struct undo_window *window, struct error *err) MUST_USE;
/*
 * Undoes those that may be. Blocks. A passing failure of any of them is *err, and then none counts; do it all again
 * later. What a lane refuses for good has its why.
 */
bool undo_do(struct undo_window *window, struct error *err) MUST_USE;

/* For roster_undo_cards.c only: stays[i] says that the batch's part of that member is not to be undone. */
bool undo_find_staying(struct undo_window *window, const struct uuid *ids, bool *stays, size_t count,
                       struct error *err) MUST_USE;
/* roster_undo_cards.c, for the other two only. Says why of those whose card is a stranger's. In a transaction. */
bool undo_check_cards(struct undo_window *window, struct error *err) MUST_USE;
/* Cards they had are theirs again, also those of another of the batch's members. */
bool undo_claim_cards(struct undo_window *window, struct error *err) MUST_USE;
/* Cards the batch gave them are theirs no longer. */
bool undo_release_cards(struct undo_window *window, struct error *err) MUST_USE;

#endif
