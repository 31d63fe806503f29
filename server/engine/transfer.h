/*
 * transfer.h -- points on their way from one member to another, each behind a lane of its own.
 *
 * Three commands, each idempotent: SEND takes the points off the giver into its `transfer` row, RECEIVE gives them to
 * the receiver, SETTLE closes the row, or gives the points back when the receiver would not have them. Each step is
 * submitted when the one before is answered; nothing waits. Whoever walks the same chain again, after a lost answer or
 * on another server at the same time, gets the same answers, so a chain that breaks off (a full lane, a server that
 * dies) is finished by a repeat or by transfer_recover. Points are with the giver, in the row, or with the receiver.
 *
 * A split is a transfer that makes its receiver. Its cards are in buckets of their own: once the receiver is there, and
 * before the SETTLE takes them out of the giver's profile, move_cards says whose they are now (store/card_store.h).
 */
#ifndef ENGINE_TRANSFER_H
#define ENGINE_TRANSFER_H

#include "engine/command.h"

struct db;
struct lanes;

/* Lives until done was called; it must not move. */
struct transfer {
    /* The maker's: */
    struct lanes *lanes;
    struct uuid id; /* the SEND's request_id */
    struct uuid from_member_id, to_member_id;
    int32_t programme_no, bank_no;
    struct parcel parcel;            /* of transfer_resume; transfer_begin finds it */
    const struct split_order *split; /* NULL: none; of transfer_resume; transfer_begin finds it */
    /* Of a split with cards, on a lane's thread: moves them, from another thread, and calls transfer_go_on. */
    void (*move_cards)(struct transfer *transfer);
    void (*done)(struct transfer *transfer); /* called once, on a lane's thread or the caller's */
    void *owner;
    /*
     * When done is called: the SEND's answer, or the refusal of whichever step refused. A reason that may be tried
     * again means that the chain has broken off. Of transfer_resume only the reason.
     */
    struct answer answer;
    bool ended;           /* the row is closed: received, or given back */
    enum reason received; /* what the receiver answered */
    /* transfer.c's own: */
    struct command command; /* the step under way */
};

/* The RECEIVE or SETTLE of the transfer, all but done and owner: everybody who walks the chain makes the same. */
void transfer_step(const struct transfer *transfer, enum command_kind kind, struct command *command);
/* Begins with *send, a complete SEND command, of which the ids above are taken. false (OVERLOADED): done is not called.
 */
bool transfer_begin(struct transfer *transfer, const struct command *send, struct error *err) MUST_USE;
/* Goes on behind the SEND: for a row that was left open. */
void transfer_resume(struct transfer *transfer);
/* The cards are the receiver's, err NULL; or the chain breaks off for now. */
void transfer_go_on(struct transfer *transfer, const struct error *err);
/* Says in the table of cards whose the cards of the split are; may be repeated, and does nothing when it is over. */
bool transfer_move_cards(const struct transfer *transfer, struct db *db, int32_t buckets, const char *bank_id,
                         struct error *err) MUST_USE;

/*
 * Finishes the transfers that have been open for that long, by the database's clock, and waits for them. *finished
 * counts those that ended. Two may do so at once.
 */
bool transfer_recover(struct db *db, struct lanes *lanes, int32_t buckets, int64_t older_than_us, int64_t *finished,
                      struct error *err) MUST_USE;

/* A thread that recovers every so often, on a connection of its own. */
struct transfer_recovery;
struct transfer_recovery_options {
    const char *conninfo;
    struct lanes *lanes; /* borrowed; closed after this */
    int32_t buckets;
    int64_t every_us, older_than_us;
};
bool transfer_recovery_open(const struct transfer_recovery_options *options, struct transfer_recovery **recovery,
                            struct error *err) MUST_USE;
/* Waits for the transfers at hand. NULL is fine. */
void transfer_recovery_close(struct transfer_recovery *recovery);

#endif
