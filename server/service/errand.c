#include "service/errand.h"

#include "engine/reference.h"
#include "io/log.h"
#include "service/office.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <string.h>

enum { ATTEMPTS_MAX = 33 }; /* every clerk's connection may have been cut */

bool errand_no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "the answer is larger than its limit");
}

void *errand_reply(struct errand *errand, const ProtobufCMessageDescriptor *type, struct error *err)
{
    ProtobufCMessage *reply = shape_new(&errand->call->arena, type);

    errand->reply = reply;
    if (!reply)
        errand_no_room(err);
    return reply;
}

static bool lock_registry(struct errand *errand, struct error *err)
{
    struct registry_version_row row = { 0 };
    bool found;

    if (!db_fetch_one(errand->db, &registry_lock, NULL, &errand->call->arena, &row, &found, err))
        return false;
    errand->buckets = row.buckets;
    return found || error_set(err, REASON_DATABASE_UNREACHABLE, "%s", "");
}

bool errand_changes(struct errand *errand, struct error *err)
{
    struct registry_version_row row = { 0 };
    bool found;

    if (errand->reference_version)
        return true;
    if (!db_fetch_one(errand->db, &registry_bump, NULL, &errand->call->arena, &row, &found, err))
        return false;
    for (int32_t bucket = 0; bucket < row.buckets; bucket++) {
        struct registry_fence_params params = { bucket, row.reference_version };
        if (!db_execute(errand->db, &registry_bump_fences, &params, NULL, err))
            return false;
    }
    errand->reference_version = row.reference_version;
    return true;
}

static bool work_in_transaction(struct errand *errand, struct error *err)
{
    if (!db_begin(errand->db, err))
        return false;
    if (lock_registry(errand, err) && errand->work(errand, err) && db_commit(errand->db, err))
        return true;
    db_rollback(errand->db);
    return false;
}

/* The caller finds what it wrote. Were this to fail, the snapshot would follow a second later. */
static void refresh(struct errand *errand)
{
    struct error ignored = { 0 };

    if (errand->reference_version &&
        !reference_refresh(errand->call->office->reference, errand->db, errand->reference_version, &ignored))
        errand->reference_version = 0;
}

/* What another transaction was in the way of may be tried again. */
static void soften(struct errand *errand, struct error *err)
{
    static const char *const passing[] = { "40001", "40P01", "55P03" };

    for (size_t i = 0; err->reason == REASON_INTERNAL && i < COUNT(passing); i++) {
        if (strcmp(db_sqlstate(errand->db), passing[i]) == 0)
            error_set(err, REASON_TRY_AGAIN, "%s", "");
    }
}

/* A writer looks at the newest reference data: what another server registered a moment ago can be built on. */
static bool work(struct errand *errand, struct error *err)
{
    struct reference_source *source = errand->call->office->reference;

    if (errand->writes && !reference_poll(source, errand->db, err))
        return false;
    errand->reference = reference_acquire(source);
    bool good = errand->writes ? work_in_transaction(errand, err) : errand->work(errand, err);
    reference_release(errand->reference);
    if (!good)
        soften(errand, err);
    return good;
}

/* What went wrong inside is said here and to nobody else: it names statements and constraints. */
static void fail(struct call *call, const struct error *err)
{
    const struct error inside = { .reason = REASON_INTERNAL };

    if (err->reason == REASON_INTERNAL)
        LOG(LOG_ERROR, "errand", log_text("method", call->method->name), log_text("detail", error_text(err)));
    call_fail(call, err->reason == REASON_INTERNAL ? &inside : err);
}

/*
 * A connection may have been cut while nobody used it. Registering the same again is no harm, so the errand is run
 * again: by a clerk whose connection is good, or who makes it anew first. A database that is down ends this.
 */
static bool again(struct errand *errand, const struct error *err)
{
    struct error ignored;

    if (err->reason != REASON_DATABASE_UNREACHABLE || ++errand->attempts == ATTEMPTS_MAX)
        return false;
    errand->reply = NULL;
    errand->after = NULL;
    errand->hand_over = NULL;
    errand->reference_version = 0;
    return clerks_submit(errand->call->office->clerks, &errand->job, &ignored);
}

/* The errand lives in the call's arena: nothing of it is touched after the call is released. */
static void run(struct clerk_job *job, struct db *db, struct error *err)
{
    struct errand *errand = (struct errand *)(void *)job;
    struct call *call = errand->call;

    errand->db = db;
    if (db && call_cancelled(call)) {
        error_set(err, REASON_CANCELLED, "%s", "");
        call_fail(call, err);
    } else if (db && work(errand, err)) {
        refresh(errand);
        if (errand->after)
            errand->after(errand);
        if (errand->hand_over) {
            errand->hand_over(errand);
            return; /* it may be over by now */
        }
        call_reply(call, errand->reply);
    } else if (db && again(errand, err)) {
        return; /* it may be over by now */
    } else {
        fail(call, err);
    }
    call_release(call);
}

void errand_fails(struct errand *errand, const struct error *err)
{
    struct error *failure = arena_alloc(&errand->call->arena, sizeof *failure);

    if (failure) /* otherwise it is run by itself and meets the same */
        *failure = *err;
    errand->failure = failure;
}

/* The call is answered and released, or its errand is on its way to be run by itself. */
static void settle(struct errand *errand)
{
    struct call *call = errand->call;
    struct error err;

    if (errand->failure) {
        fail(call, errand->failure);
    } else if (errand->reply) {
        call_reply(call, errand->reply);
    } else if (clerks_submit(call->office->clerks, &errand->job, &err)) {
        return;
    } else {
        fail(call, &err);
    }
    call_release(call);
}

static void refuse_all(struct clerk_job *const *jobs, size_t count, const struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct call *call = ((struct errand *)(void *)jobs[i])->call;
        fail(call, err);
        call_release(call);
    }
}

/* All errands of one office, as all jobs of its clerks are. */
static void run_together(struct clerk_job *const *jobs, size_t count, struct db *db, struct error *err)
{
    struct errand *errands[BATCH_MAX] = { NULL };

    if (!db) {
        refuse_all(jobs, count, err);
        return;
    }
    for (size_t i = 0; i < count; i++)
        errands[i] = (struct errand *)(void *)jobs[i];
    const struct reference *reference = reference_acquire(errands[0]->call->office->reference);
    for (size_t i = 0; i < count; i++) {
        errands[i]->db = db;
        errands[i]->reference = reference;
    }
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && errands[to]->together == errands[from]->together;)
            to++;
        errands[from]->together(&errands[from], to - from);
    }
    reference_release(reference);
    for (size_t i = 0; i < count; i++)
        settle(errands[i]);
}

/* In the call's arena; the call is held until it is answered. */
static struct errand *new_errand(struct call *call, const ProtobufCMessage *request, errand_work *task,
                                 struct error *err)
{
    if (!office_is_open(call->office, err))
        return NULL;
    struct errand *errand = arena_alloc(&call->arena, sizeof *errand);
    if (!errand) {
        errand_no_room(err);
        return NULL;
    }
    *errand = (struct errand){
        .job = { .run = run, .run_together = run_together }, .call = call, .request = request, .work = task
    };
    call_hold(call);
    return errand;
}

static bool submitted(struct call *call, bool good)
{
    if (!good)
        call_release(call);
    return good;
}

static bool start(struct call *call, const ProtobufCMessage *request, errand_work *task, bool writes, struct error *err)
{
    struct errand *errand = new_errand(call, request, task, err);

    if (!errand)
        return false;
    errand->writes = writes;
    return submitted(call, clerks_submit(call->office->clerks, &errand->job, err));
}

bool errand_read(struct call *call, const ProtobufCMessage *request, errand_work *work_of_it, struct error *err)
{
    return start(call, request, work_of_it, false, err);
}

bool errand_read_together(struct call *call, const ProtobufCMessage *request, errand_together *together,
                          errand_work *alone, struct error *err)
{
    struct errand *errand = new_errand(call, request, alone, err);

    if (!errand)
        return false;
    errand->together = together;
    return submitted(call, clerks_submit_together(call->office->clerks, &errand->job, err));
}

bool errand_write(struct call *call, const ProtobufCMessage *request, errand_work *work_of_it, struct error *err)
{
    return start(call, request, work_of_it, true, err);
}

void errand_resume(struct errand *errand, errand_work *work_of_it)
{
    struct call *call = errand->call;
    struct error err;

    errand->work = work_of_it;
    errand->hand_over = NULL;
    errand->attempts = 0;
    if (clerks_submit(call->office->clerks, &errand->job, &err))
        return;
    call_fail(call, &err);
    call_release(call);
}
