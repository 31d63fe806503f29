/*
 * rules_life.c -- a rule set's life: drafted, validated, approved by a second person, scheduled, or withdrawn in time.
 *
 * Scheduling writes the next version of the bank's exchange rules in the same transaction, so that what lanes decide
 * by and what is said here are one. Every step may be repeated: who did it gets the same answer.
 */
#include "domain/rule_set_life.h"

#include "engine/reference.h"
#include "io/clock.h"
#include "service/bank_rules_shape.h"
#include "service/bank_rules_write.h"
#include "service/check.h"
#include "service/office.h"
#include "service/publication.h"
#include "service/rules_document.h"
#include "service/rules_findings.h"
#include "service/rules_handlers.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <string.h>

typedef Alliance__V1__DraftRuleSetRequest Draft;
typedef Alliance__V1__ScheduleRuleSetRequest Schedule;
typedef Alliance__V1__ValidateRuleSetRequest Validate;
typedef Alliance__V1__ApproveRuleSetRequest Approve;
typedef Alliance__V1__CancelScheduledRuleSetRequest Cancel;
typedef Alliance__V1__ValidateRuleSetResponse Validated;

enum { RULE_SETS_MAX = 10000 }; /* of a bank */

static bool reply(struct errand *errand, const struct rules_found *found, struct error *err)
{
    Alliance__V1__RuleSet *shaped = rules_shape(&errand->call->arena, found->bank->id, &found->row, found->now);

    errand->reply = shaped ? &shaped->base : NULL;
    return shaped || errand_no_room(err);
}

static bool find(struct errand *errand, char *bank_id, int32_t number, struct rules_found *found, struct error *err)
{
    struct rules_key key = { bank_id, number, 0 };

    return rules_find(errand, &key, found, err);
}

static bool change(struct errand *errand, const struct rules_found *found, struct error *err)
{
    const struct rule_set_row *row = &found->row;
    struct rule_set_change_params params = {
        .bank_no = found->bank->no,
        .number = row->number,
        .state = row->state,
        .approved_by = row->approved_by,
        .approved_at = row->approved_at,
        .scheduled_by = row->scheduled_by,
        .version = row->version,
        .effective_from = row->effective_from,
        .cancelled_by = row->cancelled_by,
        .cancelled_at = row->cancelled_at,
    };

    return db_execute(errand->db, &rule_set_change, &params, NULL, err);
}

/* What the state is now, with time counted in, and what the event makes of it. */
static bool move(struct rules_found *found, enum rule_set_event event, struct error *err)
{
    struct rule_set_row *row = &found->row;
    enum rule_set_state now =
        rule_set_state_at((enum rule_set_state)row->state, row->effective_from, row->until, found->now);
    enum rule_set_state to;

    if (!rule_set_move(now, event, &to, err))
        return false;
    row->state = (int16_t)to;
    return true;
}

static bool check_named(const struct call *call, const char *bank_id, int32_t number, struct error *err)
{
    return check_own(call, "bank_id", bank_id, err) && check_id("bank_id", bank_id, err) &&
           check_range("number", number, 1, INT32_MAX, err);
}

/* Draft */

static bool read_draft(struct call *call, const Draft *asked, struct uuid *request_id, struct error *err)
{
    if (!check_own(call, "bank_id", asked->bank_id, err) || !check_id("bank_id", asked->bank_id, err) ||
        !check_set("document", asked->document, err))
        return false;
    if (!rules_document_read(asked->document, asked->bank_id, &call->arena, err))
        return check_within(err, "document");
    return check_request_id(asked->request_id, clock_now(), request_id, err);
}

static bool add_draft(struct errand *errand, const Draft *asked, struct rule_set_add_params *add, struct error *err)
{
    struct registry_no_params bank = { add->bank_no };
    struct registry_number_row last;
    bool there;

    if (!rules_document_pack(asked->document, &errand->call->arena, &add->document, err) ||
        !db_fetch_one(errand->db, &rule_set_last, &bank, &errand->call->arena, &last, &there, err))
        return false;
    if (last.no >= RULE_SETS_MAX)
        return error_set(err, REASON_RULE_SET_STATE, "the bank has %d rule sets already: no more can be kept",
                         (int)RULE_SETS_MAX);
    add->number = last.no + 1;
    return db_execute(errand->db, &rule_set_add, add, NULL, err);
}

static bool draft_work(struct errand *errand, struct error *err)
{
    const Draft *asked = (const Draft *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    uint8_t hash[CRYPTO_HASH];
    struct rule_set_add_params add = { .content_hash = { hash, CRYPTO_HASH },
                                       .drafted_by = errand->call->principal.person };
    struct rule_set_request_row made;
    struct registry_now_row now;
    struct rules_found found;
    bool repeated, there;

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    struct registry_no_params programme = { bank->programme_no };
    add.bank_no = bank->no;
    if (!uuid_parse(asked->request_id, &add.request_id))
        return error_field(err, REASON_REQUEST_ID_INVALID, "request_id", "%s", "");
    shape_forget_unknown(&asked->document->base);
    struct rule_set_request_params request = { bank->no, add.request_id };
    if (!shape_hash_call(errand->call, errand->request, hash, err) ||
        !db_fetch_one(errand->db, &rule_set_find_request, &request, &errand->call->arena, &made, &repeated, err) ||
        !db_fetch_one(errand->db, &registry_now, &programme, &errand->call->arena, &now, &there, err))
        return false;
    add.drafted_at = now.now;
    if (repeated && (made.content_hash.size != CRYPTO_HASH || memcmp(made.content_hash.at, hash, CRYPTO_HASH) != 0))
        return error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
    if (!repeated && !add_draft(errand, asked, &add, err))
        return false;
    return find(errand, asked->bank_id, repeated ? made.number : add.number, &found, err) && reply(errand, &found, err);
}

bool rules_draft(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    struct uuid request_id;

    return read_draft(call, (const Draft *)request, &request_id, err) && errand_write(call, request, draft_work, err);
}

/* Validate */

static const struct rule_set *read_set(struct errand *errand, const struct rules_found *found, struct error *err)
{
    Alliance__V1__RuleSetDocument *document = rules_document_of(errand, found, err);

    return document ? rules_document_read(document, found->bank->id, &errand->call->arena, err) : NULL;
}

/* Nobody edits a document, so what was found without a lock still holds now. */
static bool mark_validated(struct errand *errand, struct error *err)
{
    const Validate *asked = (const Validate *)errand->request;
    struct rules_found found;

    if (!find(errand, asked->bank_id, asked->number, &found, err))
        return false;
    if (found.row.state == RULE_SET_DRAFT && (!move(&found, RULE_SET_VALIDATE, err) || !change(errand, &found, err)))
        return false;
    Validated *answer = errand_reply(errand, &alliance__v1__validate_rule_set_response__descriptor, err);
    if (!answer)
        return false;
    answer->rule_set = rules_shape(&errand->call->arena, found.bank->id, &found.row, found.now);
    return answer->rule_set || errand_no_room(err);
}

static void go_on_writing(struct errand *errand)
{
    errand->writes = true;
    errand_resume(errand, mark_validated);
}

/* The proof may take long, and other changes of reference data do not wait for it. */
static bool validate_work(struct errand *errand, struct error *err)
{
    const Validate *asked = (const Validate *)errand->request;
    struct rules_found found;

    if (!find(errand, asked->bank_id, asked->number, &found, err))
        return false;
    const struct rule_set *set = read_set(errand, &found, err);
    Validated *answer = errand_reply(errand, &alliance__v1__validate_rule_set_response__descriptor, err);
    if (!set || !answer || !rules_findings(errand, set, answer, err))
        return false;
    if (answer->findings_total == 0 && found.row.state == RULE_SET_DRAFT)
        errand->hand_over = go_on_writing;
    answer->rule_set = rules_shape(&errand->call->arena, found.bank->id, &found.row, found.now);
    return answer->rule_set || errand_no_room(err);
}

bool rules_validate(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Validate *asked = (const Validate *)request;

    return check_named(call, asked->bank_id, asked->number, err) && errand_read(call, request, validate_work, err);
}

/* Approve */

static bool approve_work(struct errand *errand, struct error *err)
{
    const Approve *asked = (const Approve *)errand->request;
    const char *person = errand->call->principal.person;
    struct rules_found found;

    if (!find(errand, asked->bank_id, asked->number, &found, err) ||
        !check_second_person(errand->call, found.row.drafted_by, err))
        return false;
    if (strcmp(found.row.approved_by, person) == 0)
        return reply(errand, &found, err);
    if (!move(&found, RULE_SET_APPROVE, err))
        return false;
    found.row.approved_by = person;
    found.row.approved_at = found.now;
    return change(errand, &found, err) && reply(errand, &found, err);
}

bool rules_approve(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Approve *asked = (const Approve *)request;

    return check_named(call, asked->bank_id, asked->number, err) && errand_write(call, request, approve_work, err);
}

/* Schedule */

/* A name of its own: the bank may have published rules with the id of the draft's request. */
static struct uuid version_id(const struct uuid *drafted)
{
    static const char what[] = "rule-set";
    uint8_t text[sizeof what + sizeof drafted->bytes], hash[CRYPTO_HASH];

    memcpy(text, what, sizeof what);
    memcpy(text + sizeof what, drafted->bytes, sizeof drafted->bytes);
    crypto_sha256(text, sizeof text, hash);
    return uuid_v8(hash);
}

/* The next version, as publishing makes it. */
static bool add_version(struct errand *errand, struct rules_found *found, struct instant from, struct error *err)
{
    struct publication publication = { .find = &registry_find_rules,
                                       .last = &registry_last_rules,
                                       .owner = found->bank->no,
                                       .programme_no = found->bank->programme_no,
                                       .request_id = version_id(&found->row.request_id),
                                       .asked = &from };
    const struct rule_set *set = read_set(errand, found, err);

    if (!set)
        return false;
    if (found->row.content_hash.size == CRYPTO_HASH)
        memcpy(publication.hash, found->row.content_hash.at, CRYPTO_HASH);
    if (!publication_decide(errand, &publication, err))
        return false;
    struct exchange_rules rules = set->rules;
    rules.version = publication.version;
    rules.effective_from = publication.effective_from;
    found->row.version = rules.version;
    found->row.effective_from = rules.effective_from;
    return publication.repeated || bank_rules_write(errand, &publication, &rules, err);
}

static bool schedule_work(struct errand *errand, struct error *err)
{
    const Schedule *asked = (const Schedule *)errand->request;
    struct instant from;
    struct rules_found found;

    /* Programme time is asked for after the batches under way have ended. */
    if (!errand_changes(errand, err) || !find(errand, asked->bank_id, asked->number, &found, err) ||
        !check_timestamp("effective_from", asked->effective_from, &from, err))
        return false;
    if (found.row.state == RULE_SET_SCHEDULED && found.row.effective_from.us == from.us)
        return reply(errand, &found, err);
    if (!move(&found, RULE_SET_SCHEDULE, err))
        return false;
    int64_t lead_s = errand->call->office->rules_lead_s;
    if (from.us < found.now.us + lead_s * US_PER_SECOND)
        return error_field(err, REASON_EFFECTIVE_TOO_EARLY, "effective_from",
                           "must be at least %lld s after the programme's present time", (long long)lead_s);
    found.row.scheduled_by = errand->call->principal.person;
    return add_version(errand, &found, from, err) && change(errand, &found, err) && reply(errand, &found, err);
}

bool rules_schedule(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Schedule *asked = (const Schedule *)request;
    struct instant from;

    return check_named(call, asked->bank_id, asked->number, err) &&
           check_set("effective_from", asked->effective_from, err) &&
           check_timestamp("effective_from", asked->effective_from, &from, err) &&
           errand_write(call, request, schedule_work, err);
}

/* Cancel */

static bool cancel_work(struct errand *errand, struct error *err)
{
    const Cancel *asked = (const Cancel *)errand->request;
    struct rules_found found;

    if (!errand_changes(errand, err) || !find(errand, asked->bank_id, asked->number, &found, err))
        return false;
    if (found.row.state == RULE_SET_CANCELLED)
        return reply(errand, &found, err);
    if (!move(&found, RULE_SET_CANCEL, err))
        return false;
    found.row.cancelled_by = errand->call->principal.person;
    found.row.cancelled_at = found.now;
    struct rule_set_cancel_params version = { found.bank->no, found.row.version };
    return db_execute(errand->db, &rule_set_cancel_version, &version, NULL, err) && change(errand, &found, err) &&
           reply(errand, &found, err);
}

bool rules_cancel(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Cancel *asked = (const Cancel *)request;

    return check_named(call, asked->bank_id, asked->number, err) && errand_write(call, request, cancel_work, err);
}
