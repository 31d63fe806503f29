/*
 * verify.h -- is the ledger what it must be? A walk over everything that moves points, which finds rows that were
 * changed, taken away or added behind the server's back.
 *
 * The walk goes bucket by bucket and, within one, over members in order of their ids, then over redemptions, requests,
 * card transactions and transfers: a step is one range of these, read in one snapshot, so that it needs bounded memory
 * and a running server neither disturbs it nor is disturbed. What is read over several steps (a day's sums, transfers
 * under way) is compared for closed days only, which change no more. It writes nothing.
 */
#ifndef ENGINE_VERIFY_H
#define ENGINE_VERIFY_H

#include "base/error.h"
#include "base/limits.h"
#include "base/uuid.h"

#include <stdint.h>

struct db;
struct verify;

enum verify_rule {
#define VERIFY_RULE(name, text) VERIFY_##name,
#include "engine/verify_rule.def"
#undef VERIFY_RULE
    VERIFY_RULE_COUNT
};
/* "CHAIN_BROKEN", and its sentence. */
const char *verify_rule_name(enum verify_rule rule);
const char *verify_rule_text(enum verify_rule rule);

struct verify_finding {
    enum verify_rule rule;
    int32_t bank_no; /* 0: of no bank, or not known */
    struct uuid member_id;
    char member_ref[MEMBER_REF_MAX + 1]; /* "" when there is no account */
    int64_t seq;                         /* of the entry, or 0 */
    char detail[160];                    /* what is there and what should be; holds balances: not for logs */
};
/* On the thread that walks. */
typedef void verify_found(void *owner, const struct verify_finding *finding);

struct verify_scope {
    int32_t buckets;       /* of the installation */
    int32_t programme_no;  /* 0: all of them */
    struct uuid member_id; /* not zero: this member only, and only what hangs on its journal */
};

struct verify_progress {
    int64_t members, entries, findings;
};

/* NULL when out of memory. Owned by the caller. */
struct verify *verify_new(const struct verify_scope *scope, verify_found *found, void *owner);
void verify_free(struct verify *verify);
/*
 * One step on a connection that is outside any transaction, and is so afterwards. *finished says that there is nothing
 * left. After a failure the walk goes on at the beginning of the bucket, so what it found there may be told again.
 */
bool verify_step(struct verify *verify, struct db *db, bool *finished, struct error *err) MUST_USE;
struct verify_progress verify_progress(const struct verify *verify);

#endif
