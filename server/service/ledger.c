/*
 * ledger.c -- VerifyLedger: each message of the caller is answered with a piece of the verification, done by a clerk.
 */
#include "service/operator_handlers.h"

#include "engine/clerks.h"
#include "engine/command.h"
#include "engine/reference.h"
#include "engine/verify.h"
#include "io/log.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"
#include "service/shape.h"

#include "base/text.h"

#include <alliance/v1/operator_service.pb-c.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__VerifyLedgerRequest Asked;
typedef Alliance__V1__VerifyLedgerResponse Reply;
typedef Alliance__V1__LedgerFinding Finding;

/* A piece ends after so many entries or steps; a call tells no more than so many findings, and counts all. */
enum { PIECE_ENTRIES = 5000, PIECE_STEPS = 32, FINDINGS_MAX = 1000, ATTEMPTS_MAX = 33 };

/* Of one call; freed by operator_verify_close. */
struct ledger {
    struct clerk_job job;
    struct call *call;
    struct verify *verify;
    bool finished, one_member;
    int64_t told; /* findings that were put into a message */
    int32_t attempts;
    /* The piece at hand; in the call's arena. */
    const struct reference *reference;
    Reply *reply;
    bool full; /* the arena is */
};

void operator_verify_close(struct call *call)
{
    struct ledger *ledger = call->state;

    if (ledger)
        verify_free(ledger->verify);
    free(ledger);
    call->state = NULL;
}

static void keep_finding(void *owner, const struct verify_finding *found)
{
    struct ledger *ledger = owner;
    struct arena *arena = &ledger->call->arena;
    const struct bank *bank = found->bank_no ? reference_bank_no(ledger->reference, found->bank_no) : NULL;

    if (ledger->told == FINDINGS_MAX || ledger->full)
        return;
    Finding *finding = shape_new(arena, &alliance__v1__ledger_finding__descriptor);
    ledger->full = !finding || !(finding->bank_id = shape_text(arena, bank ? bank->id : "")) ||
                   !(finding->member_ref = shape_text(arena, found->member_ref)) ||
                   !(finding->detail = shape_text(arena, found->detail));
    if (ledger->full)
        return;
    finding->rule = (char *)(uintptr_t)verify_rule_name(found->rule);
    finding->seq = found->seq;
    ledger->reply->findings[ledger->reply->n_findings++] = finding;
    ledger->told++;
}

static bool begin_piece(struct ledger *ledger, struct error *err)
{
    struct arena *arena = &ledger->call->arena;

    ledger->reply = shape_new(arena, &alliance__v1__verify_ledger_response__descriptor);
    if (ledger->reply)
        ledger->reply->findings = arena_alloc(arena, FINDINGS_MAX * sizeof(Finding *));
    return (ledger->reply && ledger->reply->findings) || errand_no_room(err);
}

static void end_piece(struct ledger *ledger)
{
    struct verify_progress progress = verify_progress(ledger->verify);

    ledger->reply->members = progress.members;
    ledger->reply->entries = progress.entries;
    ledger->reply->findings_total = progress.findings;
    ledger->reply->finished = ledger->finished;
}

static bool do_piece(struct ledger *ledger, struct db *db, int *steps, struct error *err)
{
    int64_t begun_at = verify_progress(ledger->verify).entries;

    for (*steps = 0; !ledger->finished && *steps < PIECE_STEPS; ++*steps) {
        struct verify_progress progress = verify_progress(ledger->verify);
        if (progress.entries - begun_at >= PIECE_ENTRIES || call_cancelled(ledger->call))
            break;
        if (!verify_step(ledger->verify, db, &ledger->finished, err))
            return false;
    }
    struct verify_progress progress = verify_progress(ledger->verify);
    if (ledger->finished && ledger->one_member && progress.members + progress.findings == 0)
        return error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
    return !ledger->full || errand_no_room(err);
}

/* What went wrong inside is for the log alone. */
static void fail(struct call *call, const struct error *err)
{
    const struct error inside = { .reason = REASON_INTERNAL };

    if (err->reason == REASON_INTERNAL)
        LOG(LOG_ERROR, "verify_ledger", log_text("detail", error_text(err)));
    call_fail(call, err->reason == REASON_INTERNAL ? &inside : err);
}

/* A connection may have been cut while nobody used it: while nothing was done yet another clerk may try. */
static bool again(struct ledger *ledger, int steps, const struct error *err)
{
    struct error ignored;

    return steps == 0 && err->reason == REASON_DATABASE_UNREACHABLE && ++ledger->attempts < ATTEMPTS_MAX &&
           clerks_submit(ledger->call->office->clerks, &ledger->job, &ignored);
}

/* On a clerk's thread. The next message may be handled as soon as this one is written. */
static void run_piece(struct clerk_job *job, struct db *db, struct error *err)
{
    struct ledger *ledger = (struct ledger *)(void *)job;
    struct call *call = ledger->call;
    int steps = 0;

    ledger->reference = reference_acquire(call->office->reference);
    bool good = db && begin_piece(ledger, err) && do_piece(ledger, db, &steps, err);
    reference_release(ledger->reference);
    if (good) {
        end_piece(ledger);
        call_write(call, &ledger->reply->base);
    } else if (db && again(ledger, steps, err)) {
        return;
    } else {
        fail(call, err);
    }
    call_release(call);
}

static bool find_scope(const struct call *call, const Asked *asked, struct verify_scope *scope, struct error *err)
{
    const struct reference *reference = reference_acquire(call->office->reference);
    const struct programme *programme = reference_programme(reference, asked->programme_id);
    const struct bank *bank = text_empty(asked->bank_id) ? NULL : reference_bank(reference, asked->bank_id);
    bool good = true;

    if (!programme)
        good = error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
    else if (!text_empty(asked->bank_id) && (!bank || bank->programme_no != programme->no))
        good = error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "the programme has no such bank");
    if (good)
        *scope = (struct verify_scope){ .buckets = reference->buckets, .programme_no = programme->no };
    if (good && bank)
        scope->member_id = command_member_id(asked->bank_id, asked->member_ref);
    reference_release(reference);
    return good;
}

static bool check_asked(const Asked *asked, struct error *err)
{
    if (!check_id("programme_id", asked->programme_id, err) || !check_id_or_none("bank_id", asked->bank_id, err))
        return false;
    if (text_empty(asked->bank_id) != text_empty(asked->member_ref))
        return error_field(err, REASON_FIELD_INVALID, text_empty(asked->bank_id) ? "bank_id" : "member_ref",
                           "bank_id and member_ref are set together, or neither");
    return text_empty(asked->member_ref) || check_member_ref("member_ref", asked->member_ref, err);
}

static bool begin(struct call *call, const Asked *asked, struct error *err)
{
    struct verify_scope scope;

    if (!office_is_open(call->office, err) || !check_asked(asked, err) || !find_scope(call, asked, &scope, err))
        return false;
    struct ledger *ledger = call->state = calloc(1, sizeof *ledger);
    if (ledger)
        ledger->verify = verify_new(&scope, keep_finding, ledger);
    if (!ledger || !ledger->verify)
        return error_set(err, REASON_INTERNAL, "out of memory");
    ledger->job.run = run_piece;
    ledger->call = call;
    ledger->one_member = !uuid_is_zero(&scope.member_id);
    return true;
}

bool operator_verify_ledger(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    struct ledger *ledger = call->state;
    const Asked *asked = (const Asked *)request;

    if (!request) {
        call_finish(call);
        return true;
    }
    if (!ledger && !begin(call, asked, err))
        return false;
    if (ledger && !(text_empty(asked->programme_id) && text_empty(asked->bank_id) && text_empty(asked->member_ref)))
        return error_field(err, REASON_FIELD_INVALID, "programme_id", "must be empty after the first message");
    ledger = call->state;
    ledger->attempts = 0;
    call_hold(call);
    if (clerks_submit(call->office->clerks, &ledger->job, err))
        return true;
    call_release(call);
    return false;
}
