/*
 * roster_read.c -- batches, verdicts and closings as lists, and the release of a batch that would close many.
 */
#include "service/roster_shape.h"

#include "service/check.h"
#include "service/page.h"
#include "service/roster_rows.h"
#include "service/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__RowVerdict Verdict;

static bool check_key(const struct call *call, const char *bank_id, int64_t batch_number, int64_t least,
                      struct error *err)
{
    return check_own(call, "bank_id", bank_id, err) && check_id("bank_id", bank_id, err) &&
           check_range("batch_number", batch_number, least, INT64_MAX, err);
}

static bool find_key(struct errand *errand, const char *bank_id, int64_t batch_number, struct roster_key *key,
                     struct error *err)
{
    key->batch_number = batch_number;
    return roster_bank(errand, bank_id, &key->bank_no, err);
}

/* One */

static bool get_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__GetRosterBatchRequest *asked = (const void *)errand->request;
    struct roster_batch batch;
    struct roster_key key;

    return find_key(errand, asked->bank_id, asked->batch_number, &key, err) &&
           roster_must_find(errand, &key, false, &batch, err) && roster_reply(errand, &batch, asked->bank_id, err);
}

bool roster_get(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__GetRosterBatchRequest *asked = (const void *)request;

    return check_key(call, asked->bank_id, asked->batch_number, 0, err) && errand_read(call, request, get_work, err);
}

/* Batches: the key of a row is its number */

static bool list_page(const struct call *call, const Alliance__V1__ListRosterBatchesRequest *asked, struct page *page,
                      struct error *err)
{
    return page_read(call, asked->page_size, asked->page_token, asked->bank_id, page, err);
}

static bool read_number(const struct page *page, int64_t initial, int64_t *number, struct error *err)
{
    char *end = NULL;

    *number = page->after[0] ? strtoll(page->after, &end, 10) : initial;
    return !end || *end == '\0' || page_refuse_token(err);
}

static char *number_token(struct call *call, const struct page *page, int64_t number)
{
    char key[24];

    snprintf(key, sizeof key, "%" PRId64, number);
    return page_token(call, page, key);
}

/* Both are in order of number, the batches from the newest down. */
static bool add_roll_backs(struct errand *errand, int32_t bank_no, Alliance__V1__ListRosterBatchesResponse *reply,
                           struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct roll_back *rolls;
    size_t count;

    if (reply->n_batches == 0)
        return true;
    if (!roll_back_list(errand->db, bank_no, reply->batches[reply->n_batches - 1]->header->batch_number,
                        reply->batches[0]->header->batch_number, arena, &rolls, &count, err))
        return false;
    for (size_t i = 0; i < reply->n_batches; i++) {
        if (count > 0 && rolls[count - 1].batch_number == reply->batches[i]->header->batch_number &&
            !roster_shape_roll_back(arena, &rolls[--count], reply->batches[i]))
            return errand_no_room(err);
    }
    return true;
}

static bool list_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__ListRosterBatchesRequest *asked = (const void *)errand->request;
    struct arena *arena = &errand->call->arena;
    struct roster_batch *rows;
    struct page page;
    int64_t before;
    int32_t bank_no;
    size_t count;

    if (!list_page(errand->call, asked, &page, err) || !read_number(&page, INT64_MAX, &before, err) ||
        !roster_bank(errand, asked->bank_id, &bank_no, err) ||
        !roster_list(errand->db, bank_no, before, page.size + 1, arena, &rows, &count, err))
        return false;
    Alliance__V1__ListRosterBatchesResponse *reply =
        errand_reply(errand, &alliance__v1__list_roster_batches_response__descriptor, err);
    size_t shown = count > (size_t)page.size ? (size_t)page.size : count;
    if (!reply || !(reply->batches = arena_alloc(arena, (shown + 1) * sizeof *reply->batches)))
        return errand_no_room(err);
    for (; reply->n_batches < shown; reply->n_batches++) {
        reply->batches[reply->n_batches] = roster_shape(arena, &rows[reply->n_batches], asked->bank_id);
        if (!reply->batches[reply->n_batches])
            return errand_no_room(err);
    }
    if (!add_roll_backs(errand, bank_no, reply, err))
        return false;
    if (count > shown)
        reply->next_page_token = number_token(errand->call, &page, rows[shown - 1].batch_number);
    return reply->next_page_token || errand_no_room(err);
}

bool roster_list_batches(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ListRosterBatchesRequest *asked = (const void *)request;
    struct page page;

    return check_key(call, asked->bank_id, 1, 1, err) && list_page(call, asked, &page, err) &&
           errand_read(call, request, list_work, err);
}

/* Verdicts: a page is a chunk */

struct filters {
    char text[ID_MAX + 40];
};

static bool verdicts_page(const struct call *call, const Alliance__V1__ListRosterVerdictsRequest *asked,
                          struct filters *filters, struct page *page, struct error *err)
{
    snprintf(filters->text, sizeof filters->text, "%s/%" PRId64 "/%d", asked->bank_id, asked->batch_number,
             asked->refused_only);
    return page_read(call, asked->page_size, asked->page_token, filters->text, page, err);
}

static void keep_refused(Alliance__V1__ListRosterVerdictsResponse *reply)
{
    size_t kept = 0;

    for (size_t i = 0; i < reply->n_verdicts; i++) {
        if (reply->verdicts[i]->outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED)
            reply->verdicts[kept++] = reply->verdicts[i];
    }
    reply->n_verdicts = kept;
}

static bool fill_verdicts(struct errand *errand, const struct roster_verdicts *row, const struct page *page,
                          Alliance__V1__ListRosterVerdictsResponse *reply, struct error *err)
{
    const Alliance__V1__ListRosterVerdictsRequest *asked = (const void *)errand->request;
    Alliance__V1__RosterVerdicts *all = (Alliance__V1__RosterVerdicts *)roster_unpack(
        &alliance__v1__roster_verdicts__descriptor, row->verdicts.at, row->verdicts.size, &errand->call->arena);

    if (!all)
        return errand_no_room(err);
    reply->verdicts = all->verdicts;
    reply->n_verdicts = all->n_verdicts;
    reply->next_page_token =
        number_token(errand->call, page, row->first_row + (int64_t)(all->n_verdicts ? all->n_verdicts : 1));
    if (asked->refused_only)
        keep_refused(reply);
    return reply->next_page_token || errand_no_room(err);
}

static bool verdicts_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__ListRosterVerdictsRequest *asked = (const void *)errand->request;
    struct roster_verdicts row;
    struct roster_batch batch;
    struct roster_key key;
    struct filters filters;
    struct page page;
    int64_t from;
    bool found;

    if (!verdicts_page(errand->call, asked, &filters, &page, err) || !read_number(&page, 1, &from, err) ||
        !find_key(errand, asked->bank_id, asked->batch_number, &key, err) ||
        !roster_must_find(errand, &key, false, &batch, err) ||
        !roster_next_verdicts(errand->db, &key, from, asked->refused_only, &errand->call->arena, &row, &found, err))
        return false;
    Alliance__V1__ListRosterVerdictsResponse *reply =
        errand_reply(errand, &alliance__v1__list_roster_verdicts_response__descriptor, err);
    return reply && (!found || fill_verdicts(errand, &row, &page, reply, err));
}

bool roster_list_verdicts(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ListRosterVerdictsRequest *asked = (const void *)request;
    struct filters filters;
    struct page page;

    return check_key(call, asked->bank_id, asked->batch_number, 1, err) &&
           verdicts_page(call, asked, &filters, &page, err) && errand_read(call, request, verdicts_work, err);
}

/* Closings: the key of a row is its member's id */

static bool closings_page(const struct call *call, const Alliance__V1__ListRosterClosingsRequest *asked,
                          struct filters *filters, struct page *page, struct error *err)
{
    snprintf(filters->text, sizeof filters->text, "%s/%" PRId64, asked->bank_id, asked->batch_number);
    return page_read(call, asked->page_size, asked->page_token, filters->text, page, err);
}

static bool fill_closings(struct arena *arena, const struct roster_closing *rows, size_t count,
                          Alliance__V1__ListRosterClosingsResponse *reply)
{
    reply->closings = arena_alloc(arena, (count + 1) * sizeof *reply->closings);
    if (!reply->closings)
        return false;
    for (size_t i = 0; i < count; i++) {
        Alliance__V1__RosterClosing *closing = shape_new(arena, &alliance__v1__roster_closing__descriptor);
        if (!closing)
            return false;
        closing->member_ref = (char *)(uintptr_t)rows[i].member_ref; /* in the same arena */
        closing->done = rows[i].done;
        closing->reason = (char *)(uintptr_t)rows[i].reason;
        reply->closings[reply->n_closings++] = closing;
    }
    return true;
}

static bool closings_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__ListRosterClosingsRequest *asked = (const void *)errand->request;
    struct arena *arena = &errand->call->arena;
    char last[UUID_TEXT];
    struct roster_closing *rows;
    struct roster_batch batch;
    struct uuid after = { { 0 } };
    struct filters filters;
    struct roster_key key;
    struct page page;
    size_t count;

    if (!closings_page(errand->call, asked, &filters, &page, err) ||
        (page.after[0] && !uuid_parse(page.after, &after) && !page_refuse_token(err)) ||
        !find_key(errand, asked->bank_id, asked->batch_number, &key, err) ||
        !roster_must_find(errand, &key, false, &batch, err) ||
        !roster_closings(errand->db, &key, &after, false, page.size + 1, arena, &rows, &count, err))
        return false;
    Alliance__V1__ListRosterClosingsResponse *reply =
        errand_reply(errand, &alliance__v1__list_roster_closings_response__descriptor, err);
    size_t shown = count > (size_t)page.size ? (size_t)page.size : count;
    if (!reply || !fill_closings(arena, rows, shown, reply))
        return errand_no_room(err);
    if (count > shown) {
        uuid_format(&rows[shown - 1].member_id, last);
        reply->next_page_token = page_token(errand->call, &page, last);
    }
    return reply->next_page_token || errand_no_room(err);
}

bool roster_list_closings(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ListRosterClosingsRequest *asked = (const void *)request;
    struct filters filters;
    struct page page;

    return check_key(call, asked->bank_id, asked->batch_number, 1, err) &&
           closings_page(call, asked, &filters, &page, err) && errand_read(call, request, closings_work, err);
}

/* Release */

static bool may_decide(const struct call *call, const Alliance__V1__ReleaseRosterBatchRequest *asked,
                       const struct roster_batch *batch, struct error *err)
{
    if (asked->rows_sha256.len != batch->rows_sha256.size ||
        memcmp(asked->rows_sha256.data, batch->rows_sha256.at, batch->rows_sha256.size) != 0)
        return error_field(err, REASON_APPROVAL_DIFFERS, "rows_sha256", "%s", "");
    return check_second_person(call, asked->refuse ? "" : batch->pushed_person, err);
}

static bool release_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__ReleaseRosterBatchRequest *asked = (const void *)errand->request;
    int16_t state = asked->refuse ? ROSTER_REFUSED : ROSTER_APPLYING;
    const char *who = errand->call->principal.uri;
    struct roster_batch batch;
    struct roster_key key;
    bool released;

    if (!find_key(errand, asked->bank_id, asked->batch_number, &key, err) ||
        !roster_must_find(errand, &key, true, &batch, err) || !may_decide(errand->call, asked, &batch, err) ||
        !roster_release(errand->db, &key, state, who, &released, err))
        return false;
    bool again = batch.released_by[0] && asked->refuse == (batch.state == ROSTER_REFUSED);
    if (!released && !again)
        return error_field(err, REASON_ROSTER_BATCH_STATE, "batch_number", "it does not wait for a release");
    return roster_must_find(errand, &key, false, &batch, err) && roster_reply(errand, &batch, asked->bank_id, err);
}

bool roster_release_batch(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__ReleaseRosterBatchRequest *asked = (const void *)request;

    return check_key(call, asked->bank_id, asked->batch_number, 1, err) &&
           errand_write(call, request, release_work, err);
}
