/*
 * errand.h -- a call whose answer needs the database: a clerk runs it and answers.
 *
 * The handler has checked the request's shape. The work looks things up, decides, and leaves its reply in the errand;
 * it neither answers the call nor ends the transaction: errand.c does both. Not for what moves points: that is for
 * lanes.
 */
#ifndef SERVICE_ERRAND_H
#define SERVICE_ERRAND_H

#include "engine/clerks.h"
#include "service/call.h"

struct db;
struct reference;
struct errand;

/*
 * On a clerk's thread; on another's once more when the connection is lost under it, so it must bear repeating. false
 * with *err set to fail the call; true with errand->reply set to answer it.
 */
typedef bool errand_work(struct errand *errand, struct error *err);
/*
 * The same for 1 to BATCH_MAX errands at once: leaves in each a reply or, by errand_fails, why there is none. One that
 * has neither is run by itself: what is rare, and everything when a statement failed.
 */
typedef void errand_together(struct errand *const *errands, size_t count);

struct errand {
    struct clerk_job job;
    struct call *call;
    const ProtobufCMessage *request;
    errand_work *work;
    errand_together *together;
    const ProtobufCMessage *reply; /* in the call's arena */
    const struct error *failure;   /* likewise; of errands done together */
    struct db *db;
    const struct reference *reference; /* as of the start of the work; valid during it */
    int32_t attempts;                  /* errand.c's own */
    /*
     * NULL, or set by the work when something must happen elsewhere before there is an answer: called last of all, with
     * the call still held. It answers and releases the call, or has errand_resume called later, from any thread.
     */
    void (*hand_over)(struct errand *errand);
    /* Of writes: */
    bool writes;
    int32_t buckets;                      /* of the installation */
    int64_t reference_version;            /* what errand_changes made it; 0 when nothing changes */
    void (*after)(struct errand *errand); /* NULL, or set by the work: called between commit and answer */
};

/* Runs the work on a clerk's thread, outside any transaction. */
bool errand_read(struct call *call, const ProtobufCMessage *request, errand_work *work, struct error *err) MUST_USE;
/* Runs it with others that wait for the same, without making any wait: `alone` is for what `together` leaves undone. */
bool errand_read_together(struct call *call, const ProtobufCMessage *request, errand_together *together,
                          errand_work *alone, struct error *err) MUST_USE;
/* The same in a transaction, with registry_lock held: such errands run one after another. */
bool errand_write(struct call *call, const ProtobufCMessage *request, errand_work *work, struct error *err) MUST_USE;
/* An errand that was handed over goes on with that work; it was one of errand_read. */
void errand_resume(struct errand *errand, errand_work *work);
/*
 * To be called before reference data is changed, and before the time is asked for: waits for the batches under way,
 * and makes every later batch read the new version first. The second time it does nothing.
 */
bool errand_changes(struct errand *errand, struct error *err) MUST_USE;

/* Makes the reply a message of that type in the call's arena; NULL, with *err set, when there is no room. */
void *errand_reply(struct errand *errand, const ProtobufCMessageDescriptor *type, struct error *err);
/* Of errands done together: the call is to be failed. */
void errand_fails(struct errand *errand, const struct error *err);
/* Always false: the arena is full. */
bool errand_no_room(struct error *err);

#endif
