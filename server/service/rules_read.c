/*
 * rules_read.c -- GetRuleSet and ListRuleSets, and how a rule set is found and shaped.
 */
#include "domain/rule_set_life.h"
#include "engine/reference.h"
#include "service/check.h"
#include "service/page.h"
#include "service/rules_document.h"
#include "service/rules_handlers.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <stdio.h>
#include <stdlib.h>

typedef Alliance__V1__RuleSet RuleSet;
typedef Alliance__V1__GetRuleSetRequest Get;
typedef Alliance__V1__ListRuleSetsRequest List;
typedef Alliance__V1__ListRuleSetsResponse Listed;

bool rules_check_key(const struct call *call, const struct rules_key *key, struct error *err)
{
    return check_own(call, "bank_id", key->bank_id, err) && check_id("bank_id", key->bank_id, err) &&
           check_range("number", key->number, 0, INT32_MAX, err) &&
           check_range("version", key->version, 0, key->number ? 0 : INT32_MAX, err);
}

/* Of the bank's programme. */
static bool find_now(struct errand *errand, struct rules_found *found, struct error *err)
{
    struct registry_no_params programme = { found->bank->programme_no };
    struct registry_now_row row;
    bool there;

    if (!db_fetch_one(errand->db, &registry_now, &programme, &errand->call->arena, &row, &there, err))
        return false;
    found->now = row.now;
    found->business_date = row.business_date;
    return true;
}

bool rules_find(struct errand *errand, const struct rules_key *key, struct rules_found *found, struct error *err)
{
    struct rule_set_key_params params = { .number = key->number, .version = key->version };
    bool there;

    found->bank = reference_bank(errand->reference, key->bank_id);
    if (!found->bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    if (!find_now(errand, found, err))
        return false;
    if (!key->number && !key->version) {
        const struct exchange_rules *rules = rules_in_force(found->bank->rules, found->bank->rules_count, found->now);
        if (!rules)
            return error_set(err, REASON_NO_RULES_IN_FORCE, "%s", "");
        params.version = rules->version;
    }
    params.bank_no = found->bank->no;
    if (!db_fetch_one(errand->db, &rule_set_find, &params, &errand->call->arena, &found->row, &there, err))
        return false;
    return there || (key->number ? error_field(err, REASON_RULE_SET_NOT_FOUND, "number", "%s", "")
                                 : error_field(err, REASON_RULES_NOT_FOUND, "version", "%s", ""));
}

Alliance__V1__RuleSetDocument *rules_document_of(struct errand *errand, const struct rules_found *found,
                                                 struct error *err)
{
    struct arena *arena = &errand->call->arena;

    if (found->row.number)
        return rules_document_unpack(found->row.document, arena, err);
    for (size_t i = 0; i < found->bank->rules_count; i++) {
        if (found->bank->rules[i].version != found->row.version)
            continue;
        Alliance__V1__RuleSetDocument *shaped = rules_document_shape(&found->bank->rules[i], found->bank->id, arena);
        if (!shaped)
            errand_no_room(err);
        return shaped;
    }
    error_set(err, REASON_TRY_AGAIN, "the version was published this moment");
    return NULL;
}

/* Shaping */

/* An instant that did not come is not set. */
static bool shape_moment(struct arena *arena, struct instant at, Google__Protobuf__Timestamp **shaped)
{
    if (at.us)
        *shaped = shape_instant(arena, at);
    return !at.us || *shaped;
}

RuleSet *rules_shape(struct arena *arena, const char *bank_id, const struct rule_set_row *row, struct instant now)
{
    RuleSet *shaped = shape_new(arena, &alliance__v1__rule_set__descriptor);

    if (!shaped)
        return NULL;
    shaped->bank_id = shape_text(arena, bank_id);
    shaped->number = row->number;
    shaped->version = row->version;
    shaped->state = (Alliance__V1__RuleSetState)rule_set_state_at((enum rule_set_state)row->state, row->effective_from,
                                                                  row->until, now);
    shaped->drafted_by = shape_text(arena, row->drafted_by);
    shaped->approved_by = shape_text(arena, row->approved_by);
    shaped->scheduled_by = shape_text(arena, row->scheduled_by);
    shaped->cancelled_by = shape_text(arena, row->cancelled_by);
    bool whole = shaped->bank_id && shaped->drafted_by && shaped->approved_by && shaped->scheduled_by &&
                 shaped->cancelled_by && shape_moment(arena, row->drafted_at, &shaped->drafted_at) &&
                 shape_moment(arena, row->approved_at, &shaped->approved_at) &&
                 shape_moment(arena, row->effective_from, &shaped->effective_from) &&
                 shape_moment(arena, row->cancelled_at, &shaped->cancelled_at);
    return whole ? shaped : NULL;
}

/* Get */

static bool get_work(struct errand *errand, struct error *err)
{
    const Get *asked = (const Get *)errand->request;
    struct rules_key key = { asked->bank_id, asked->number, asked->version };
    struct rules_found found;

    if (!rules_find(errand, &key, &found, err))
        return false;
    RuleSet *shaped = rules_shape(&errand->call->arena, asked->bank_id, &found.row, found.now);
    if (!shaped)
        return errand_no_room(err);
    shaped->document = rules_document_of(errand, &found, err);
    errand->reply = &shaped->base;
    return shaped->document != NULL;
}

bool rules_get(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Get *asked = (const Get *)request;
    struct rules_key key = { asked->bank_id, asked->number, asked->version };

    return rules_check_key(call, &key, err) && errand_read(call, request, get_work, err);
}

/* List: the key is "NUMBER VERSION" of the last row */

static bool read_place(const struct page *page, struct rule_set_page_params *params, struct error *err)
{
    char end;

    if (!page->after[0] || sscanf(page->after, "%d %d%c", &params->after_number, &params->after_version, &end) == 2)
        return true;
    return page_refuse_token(err);
}

static bool read_page(const struct call *call, const List *asked, struct page *page, struct error *err)
{
    return page_read(call, asked->page_size, asked->page_token, asked->bank_id, page, err);
}

static bool shape_page(struct errand *errand, const struct rule_set_row *rows, size_t count, struct instant now,
                       Listed *listed)
{
    const List *asked = (const List *)errand->request;
    struct arena *arena = &errand->call->arena;

    listed->rule_sets = arena_alloc(arena, (count + 1) * sizeof(RuleSet *));
    for (size_t i = 0; listed->rule_sets && i < count; i++) {
        RuleSet *shaped = rules_shape(arena, asked->bank_id, &rows[i], now);
        if (!shaped)
            return false;
        listed->rule_sets[listed->n_rule_sets++] = shaped;
    }
    return listed->rule_sets != NULL;
}

static bool list_work(struct errand *errand, struct error *err)
{
    const List *asked = (const List *)errand->request;
    Listed *listed = errand_reply(errand, &alliance__v1__list_rule_sets_response__descriptor, err);
    struct rules_found found = { .bank = reference_bank(errand->reference, asked->bank_id) };
    struct rule_set_page_params params = { 0 };
    struct page page;
    void *fetched;
    size_t count;

    if (!found.bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    if (!listed || !read_page(errand->call, asked, &page, err) || !read_place(&page, &params, err) ||
        !find_now(errand, &found, err))
        return false;
    params.bank_no = found.bank->no;
    params.limit = page.size + 1;
    if (!db_fetch(errand->db, &rule_set_list, &params, &errand->call->arena, &fetched, &count, err))
        return false;
    const struct rule_set_row *rows = fetched;
    bool more = count > (size_t)page.size;
    count = more ? (size_t)page.size : count;
    if (!shape_page(errand, rows, count, found.now, listed))
        return errand_no_room(err);
    if (!more)
        return true;
    char last[32];
    snprintf(last, sizeof last, "%d %d", (int)rows[count - 1].number, (int)rows[count - 1].version);
    listed->next_page_token = page_token(errand->call, &page, last);
    return listed->next_page_token || errand_no_room(err);
}

bool rules_list(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const List *asked = (const List *)request;
    struct rules_key key = { asked->bank_id, 0, 0 };
    struct page page;

    return rules_check_key(call, &key, err) && read_page(call, asked, &page, err) &&
           errand_read(call, request, list_work, err);
}
