#include "engine/verify_walk.h"

#include "store/member_store.h"

#include "domain/redemption_id.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *text;
} rules[VERIFY_RULE_COUNT] = {
#define VERIFY_RULE(name, text) [VERIFY_##name] = { #name, text },
#include "engine/verify_rule.def"
#undef VERIFY_RULE
};

const char *verify_rule_name(enum verify_rule rule)
{
    return rule < VERIFY_RULE_COUNT ? rules[rule].name : "?";
}

const char *verify_rule_text(enum verify_rule rule)
{
    return rule < VERIFY_RULE_COUNT ? rules[rule].text : "?";
}

bool verify_no_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

bool verify_grow(void **at, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? *room * 2 : 256;
    void *grown = realloc(*at, more * size);
    if (!grown)
        return false;
    *at = grown;
    *room = more;
    return true;
}

bool verify_in_scope(const struct verify *verify, int32_t programme_no)
{
    return verify->scope.programme_no == 0 || verify->scope.programme_no == programme_no;
}

struct verify_programme *verify_programme_of(struct verify *verify, int32_t programme_no)
{
    for (size_t i = 0; i < verify->programme_count; i++) {
        if (verify->programmes[i].programme_no == programme_no)
            return &verify->programmes[i];
    }
    return NULL;
}

void verify_tell(struct verify *verify, enum verify_rule rule, const struct verify_account_row *account,
                 const struct uuid *member_id, int64_t seq, const char *format, ...)
{
    struct verify_finding finding = { .rule = rule, .seq = seq };
    va_list args;

    if (account) {
        finding.bank_no = account->bank_no;
        finding.member_id = account->member_id;
        snprintf(finding.member_ref, sizeof finding.member_ref, "%s", account->member_ref ? account->member_ref : "");
    } else if (member_id) {
        finding.member_id = *member_id;
    }
    va_start(args, format);
    vsnprintf(finding.detail, sizeof finding.detail, format, args);
    va_end(args);
    verify->progress.findings++;
    verify->found(verify->owner, &finding);
}

struct verify *verify_new(const struct verify_scope *scope, verify_found *found, void *owner)
{
    struct verify *verify = calloc(1, sizeof *verify);

    if (!verify)
        return NULL;
    verify->scope = *scope;
    verify->found = found;
    verify->owner = owner;
    if (!uuid_is_zero(&scope->member_id))
        verify->bucket = member_hash16(&scope->member_id) % scope->buckets;
    return verify;
}

void verify_free(struct verify *verify)
{
    if (!verify)
        return;
    arena_release(&verify->rows);
    arena_release(&verify->each);
    verify_map_release(&verify->day_map);
    verify_map_release(&verify->hold_map);
    verify_map_release(&verify->cause_map);
    free(verify->programmes);
    free(verify->programmes_at_bucket);
    free(verify->days);
    free(verify->holds);
    free(verify->causes);
    free(verify);
}

struct verify_progress verify_progress(const struct verify *verify)
{
    return verify->progress;
}

/* Which days are closed is asked once: what is closed by then will never change. */
static bool load_programmes(struct verify *verify, struct db *db, struct error *err)
{
    size_t count;
    void *fetched;

    if (!db_fetch(db, &verify_programmes, NULL, &verify->rows, &fetched, &count, err))
        return false;
    const struct verify_programme_row *rows = fetched;
    verify->programmes = calloc(count + 1, sizeof *verify->programmes);
    verify->programmes_at_bucket = calloc(count + 1, sizeof *verify->programmes_at_bucket);
    if (!verify->programmes || !verify->programmes_at_bucket)
        return verify_no_memory(err);
    for (size_t i = 0; i < count; i++)
        verify->programmes[i] = (struct verify_programme){ rows[i].programme_no, rows[i].open_from, 0, 0 };
    verify->programme_count = count;
    memcpy(verify->programmes_at_bucket, verify->programmes, count * sizeof *verify->programmes);
    return true;
}

static void forget_bucket(struct verify *verify)
{
    verify->phase = PHASE_MEMBERS;
    verify->after = (struct uuid){ { 0 } };
    verify->day_count = 0;
    verify_map_clear(&verify->day_map);
}

/* What was added up in this bucket so far is forgotten, and it is walked anew. */
static void rewind_bucket(struct verify *verify)
{
    forget_bucket(verify);
    verify->hold_count = verify->cause_count = 0;
    verify_map_clear(&verify->hold_map);
    verify_map_clear(&verify->cause_map);
    verify->progress = verify->at_bucket;
    if (verify->programmes)
        memcpy(verify->programmes, verify->programmes_at_bucket, verify->programme_count * sizeof *verify->programmes);
}

static void check_transfer_sums(struct verify *verify)
{
    for (size_t i = 0; i < verify->programme_count; i++) {
        const struct verify_programme *programme = &verify->programmes[i];
        char text[DATE_TEXT];
        date_format(programme->open_from, text);
        if (verify_in_scope(verify, programme->programme_no) && programme->walked != programme->accounted)
            verify_tell(verify, VERIFY_TRANSFER_SUM, NULL, NULL, 0,
                        "before %s the entries leave %" PRId64 " points in clearing.transfer, the transfers %" PRId64,
                        text, programme->walked, programme->accounted);
    }
}

static void next_bucket(struct verify *verify)
{
    forget_bucket(verify);
    verify->at_bucket = verify->progress;
    memcpy(verify->programmes_at_bucket, verify->programmes, verify->programme_count * sizeof *verify->programmes);
    if (++verify->bucket < verify->scope.buckets)
        return;
    verify->finished = true;
    check_transfer_sums(verify);
}

static void next_phase(struct verify *verify)
{
    bool one = !uuid_is_zero(&verify->scope.member_id);

    verify->after = (struct uuid){ { 0 } };
    if (one)
        verify->finished = true;
    else if (++verify->phase == PHASE_COUNT)
        next_bucket(verify);
}

static bool step(struct verify *verify, struct db *db, bool *more, struct error *err)
{
    if (!verify->begun && !load_programmes(verify, db, err))
        return false;
    verify->begun = true;
    return verify->phase == PHASE_MEMBERS ? verify_range_step(verify, db, more, err)
                                          : verify_rows_step(verify, db, more, err);
}

bool verify_step(struct verify *verify, struct db *db, bool *finished, struct error *err)
{
    bool more = false;

    if (!verify->finished) {
        if (!db_execute(db, &member_begin_snapshot, NULL, NULL, err))
            return false;
        bool good = step(verify, db, &more, err);
        db_rollback(db);
        if (!good) {
            rewind_bucket(verify);
            return false;
        }
        if (!more)
            next_phase(verify);
    }
    *finished = verify->finished;
    return true;
}
