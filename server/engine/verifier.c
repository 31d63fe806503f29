#include "engine/verifier.h"

#include "engine/routine.h"
#include "engine/verify.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/log.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_US = 10000000 };

struct verifier {
    struct verifier_options options;
    struct routine *routine;
    /* The rest belongs to the thread. */
    struct verify *verify; /* the round under way; NULL between two */
    int64_t round_began_us;
    int64_t members; /* of the round, as last reported */
    struct verifier_report report;
    int64_t findings_before; /* of the last whole round */
    uint64_t known[VERIFIER_REMEMBERED];
    size_t known_count;
};

struct verifier *verifier_new(const struct verifier_options *options)
{
    struct verifier *verifier = calloc(1, sizeof *verifier);

    if (verifier)
        verifier->options = *options;
    return verifier;
}

bool verifier_start(struct verifier *verifier, const char *conninfo, struct error *err)
{
    const struct routine_options options = {
        .name = "verifier",
        .conninfo = conninfo,
        .session_sql = "SET lock_timeout = '10s'; SET timezone = 'UTC'",
        .run = verifier_run,
        .owner = verifier,
        .retry_us = RETRY_US,
    };

    return routine_start(&options, &verifier->routine, err);
}

void verifier_free(struct verifier *verifier)
{
    if (!verifier)
        return;
    routine_stop(verifier->routine);
    verify_free(verifier->verify);
    free(verifier);
}

/* The same finding of a later round, or of a bucket that was walked anew, is no news. */
static bool is_new(struct verifier *verifier, const struct verify_finding *finding)
{
    uint8_t hash[CRYPTO_HASH];
    uint64_t mark;

    if (verifier->known_count == VERIFIER_REMEMBERED)
        return false;
    crypto_sha256_two(&finding->member_id, sizeof finding->member_id, finding->detail, strlen(finding->detail), hash);
    memcpy(&mark, hash, sizeof mark);
    mark ^= (uint64_t)finding->rule << 56 ^ (uint64_t)finding->seq;
    for (size_t i = 0; i < verifier->known_count; i++) {
        if (verifier->known[i] == mark)
            return false;
    }
    verifier->known[verifier->known_count++] = mark;
    return true;
}

/* No balances: the log is not the place for them. */
static void note(void *owner, const struct verify_finding *finding)
{
    if (is_new(owner, finding))
        LOG(LOG_ERROR, "ledger_finding", log_text("rule", verify_rule_name(finding->rule)),
            log_text("what", verify_rule_text(finding->rule)), log_int("bank_no", finding->bank_no),
            log_uuid("member", &finding->member_id), log_int("seq", finding->seq));
}

static bool begin_round(struct verifier *verifier, struct error *err)
{
    const struct verify_scope scope = { .buckets = verifier->options.buckets };

    if (!verifier->verify)
        verifier->verify = verify_new(&scope, note, verifier);
    if (!verifier->verify)
        return error_set(err, REASON_INTERNAL, "out of memory");
    verifier->round_began_us = clock_monotonic_us();
    verifier->members = 0;
    return true;
}

/* Progress may go back: a bucket that failed is walked anew. */
static void report(struct verifier *verifier, bool finished)
{
    struct verify_progress progress = verify_progress(verifier->verify);
    struct verifier_report *made = &verifier->report;

    made->members = progress.members > verifier->members ? progress.members - verifier->members : 0;
    verifier->members += made->members;
    if (finished) {
        verifier->findings_before = progress.findings;
        made->round_finished = clock_now();
    }
    made->findings = progress.findings > verifier->findings_before ? progress.findings : verifier->findings_before;
    if (verifier->options.observer)
        verifier->options.observer(verifier->options.observer_owner, made);
}

static void end_round(struct verifier *verifier)
{
    struct verify_progress progress = verify_progress(verifier->verify);

    LOG(LOG_INFO, "ledger_verified", log_int("members", progress.members), log_int("entries", progress.entries),
        log_int("findings", progress.findings));
    verify_free(verifier->verify);
    verifier->verify = NULL;
}

static int64_t rest_after(int64_t step_us)
{
    int64_t rest = step_us * VERIFIER_REST;

    return rest > VERIFIER_REST_MIN_US ? rest : VERIFIER_REST_MIN_US;
}

bool verifier_run(void *owner, struct db *db, int64_t *wait_us, struct error *err)
{
    struct verifier *verifier = owner;
    bool finished;

    if (!verifier->verify && !begin_round(verifier, err))
        return false;
    int64_t began_us = clock_monotonic_us();
    if (!verify_step(verifier->verify, db, &finished, err))
        return false;
    int64_t now_us = clock_monotonic_us();
    report(verifier, finished);
    *wait_us = rest_after(now_us - began_us);
    if (!finished)
        return true;
    end_round(verifier);
    int64_t left_us = verifier->round_began_us + verifier->options.every_us - now_us;
    if (left_us > *wait_us)
        *wait_us = left_us;
    return true;
}
