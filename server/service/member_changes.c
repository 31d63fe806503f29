/* member_changes.c -- ListMemberChanges: the audit log of a member, oldest first, a page at a time. */
#include "service/member_handlers.h"

#include "base/text.h"
#include "io/pb_json.h"
#include "service/journal.h"
#include "service/page.h"
#include "service/shape.h"
#include "store/member_profile_store.h"

#include <alliance/v1/member_service.pb-c.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__ListMemberChangesRequest Asked;
typedef Alliance__V1__ListMemberChangesResponse Reply;
typedef Alliance__V1__MemberChange Change;
typedef Alliance__V1__MemberFacts Facts;

/* A page ends early when its rows have this many bytes of text together. */
enum { PAGE_TEXT_MAX = 1024 * 1024 };
enum { FILTERS_MAX = ID_MAX + MEMBER_REF_MAX + 8 };

/* Digits and nothing else, more than 0. */
static bool read_seq(const char *text, int64_t *seq)
{
    size_t digits = strspn(text, "0123456789");

    errno = 0;
    *seq = strtoll(text, NULL, 10);
    return digits > 0 && text[digits] == '\0' && errno == 0 && *seq > 0;
}

static bool parse(const char *text, struct arena *arena, Facts **facts, struct error *err)
{
    ProtobufCMessage *parsed = NULL;

    *facts = NULL;
    if (text_empty(text))
        return true;
    if (!pb_json_parse(&alliance__v1__member_facts__descriptor, text, strlen(text), arena, &parsed, err))
        return false;
    *facts = (Facts *)parsed;
    return true;
}

/* What the account was and what the profile was, as one. */
static bool join(const char *account, const char *profile, struct arena *arena, Facts **facts, struct error *err)
{
    Facts *rest;

    if (!parse(account, arena, facts, err) || !parse(profile, arena, &rest, err))
        return false;
    if (!*facts || !rest)
        return true;
    (*facts)->cards = rest->cards;
    (*facts)->n_cards = rest->n_cards;
    (*facts)->consents = rest->consents;
    (*facts)->n_consents = rest->n_consents;
    (*facts)->contact_fields = rest->contact_fields;
    (*facts)->n_contact_fields = rest->n_contact_fields;
    return true;
}

static Change *shape_change(struct arena *arena, const struct profile_change_row *row, struct error *err)
{
    Change *change = shape_new(arena, &alliance__v1__member_change__descriptor);

    if (!change || !(change->time = shape_instant(arena, row->at)) ||
        !(change->business_date = shape_date(arena, row->business_date))) {
        errand_no_room(err);
        return NULL;
    }
    change->seq = row->seq;
    change->changed_by = (char *)(uintptr_t)row->changed_by;
    change->batch_number = row->batch_number;
    change->profile_changed = !text_empty(row->profile_after);
    bool good = join(row->account_before, row->profile_before, arena, &change->before, err) &&
                join(row->account_after, row->profile_after, arena, &change->after, err);
    return good ? change : NULL;
}

static bool shape_page(struct errand *errand, const struct profile_change_row *rows, size_t count, Reply *reply,
                       struct error *err)
{
    reply->changes = arena_alloc(&errand->call->arena, (count + 1) * sizeof(Change *));
    if (!reply->changes)
        return errand_no_room(err);
    for (size_t i = 0; i < count; i++) {
        Change *change = shape_change(&errand->call->arena, &rows[i], err);
        if (!change)
            return false;
        reply->changes[reply->n_changes++] = change;
    }
    return true;
}

/* How many of the rows make the page: no more than asked, and no more text than fits into an answer. */
static size_t cut(const struct profile_change_row *rows, size_t count, size_t size)
{
    size_t text = 0, taken = 0;

    while (taken < count && taken < size) {
        text += strlen(rows[taken].profile_before) + strlen(rows[taken].profile_after);
        if (taken > 0 && text > PAGE_TEXT_MAX)
            break;
        taken++;
    }
    return taken;
}

static bool list_work(struct errand *errand, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    struct journal_subject subject;
    char filters[FILTERS_MAX], key[24];
    struct page page;
    int64_t after = 0;
    size_t count;
    void *fetched;

    Reply *reply = errand_reply(errand, &alliance__v1__list_member_changes_response__descriptor, err);
    if (!reply || !journal_find_subject(errand, asked->bank_id, asked->member_ref, &subject, err))
        return false;
    snprintf(filters, sizeof filters, "%s/%s", asked->bank_id, asked->member_ref);
    if (!page_read(errand->call, asked->page_size, asked->page_token, filters, &page, err))
        return false;
    if (page.after[0] != '\0' && !read_seq(page.after, &after))
        return page_refuse_token(err);
    struct profile_changes_params params = { subject.bucket, subject.member_id, after, page.size + 1 };
    if (!db_fetch(errand->db, &profile_changes, &params, &errand->call->arena, &fetched, &count, err))
        return false;
    const struct profile_change_row *rows = fetched;
    size_t taken = cut(rows, count, (size_t)page.size);
    if (taken < count) {
        snprintf(key, sizeof key, "%" PRId64, rows[taken - 1].seq);
        reply->next_page_token = page_token(errand->call, &page, key);
    }
    if (!reply->next_page_token)
        return errand_no_room(err);
    return shape_page(errand, rows, taken, reply, err);
}

bool member_list_changes(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return journal_check_member(call, asked->bank_id, asked->member_ref, err) &&
           errand_read(call, request, list_work, err);
}
