/* drawn_credit_list.c -- ListDrawnCredit: who has drawn what, and since when, a page at a time. */
#include "domain/packed.h"
#include "engine/reference.h"
#include "service/bank_handlers.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/page.h"
#include "service/shape.h"
#include "store/credit_store.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <inttypes.h>
#include <stdio.h>

typedef Alliance__V1__ListDrawnCreditRequest Asked;
typedef Alliance__V1__ListDrawnCreditResponse Reply;
typedef Alliance__V1__DrawnCredit Drawn;
typedef Alliance__V1__DrawnDay Day;

enum { AGE_MAX = 100000 };

/* "bucket/member_id": where a page ended. */
static bool read_key(const char *key, struct credit_list_params *params)
{
    char member[UUID_TEXT];
    int end = -1;

    return sscanf(key, "%" SCNd32 "/%36[0-9a-f-]%n", &params->bucket, member, &end) == 2 && end > 0 &&
           key[end] == '\0' && params->bucket >= 0 && uuid_parse(member, &params->after_member_id);
}

static void write_key(const struct credit_list_params *params, const struct credit_list_row *row, char *key,
                      size_t size)
{
    char member[UUID_TEXT];

    uuid_format(&row->member_id, member);
    snprintf(key, size, "%" PRId32 "/%s", params->bucket, member);
}

static bool shape_days(struct arena *arena, const struct drawn_days *drawn, Drawn *member)
{
    member->draws = arena_alloc(arena, (drawn->count + 1) * sizeof *member->draws);
    for (size_t i = 0; member->draws && i < drawn->count; i++) {
        Day *day = shape_new(arena, &alliance__v1__drawn_day__descriptor);
        if (!day || !(day->business_date = shape_date(arena, drawn->at[i].drawn_on)))
            return false;
        day->points = drawn->at[i].points;
        member->draws[member->n_draws++] = day;
    }
    return member->draws != NULL;
}

static Drawn *shape_member(struct arena *arena, const struct credit_list_row *row, struct error *err)
{
    Drawn *member = shape_new(arena, &alliance__v1__drawn_credit__descriptor);
    struct credit_plan plan;
    struct drawn_days drawn;

    if (!unpack_credit(row->credit.at, row->credit.size, &plan, &drawn) || drawn.count == 0) {
        error_set(err, REASON_INTERNAL, "drawn credit of no age");
        return NULL;
    }
    if (!member || !shape_days(arena, &drawn, member)) {
        errand_no_room(err);
        return NULL;
    }
    member->member_ref = (char *)(uintptr_t)row->member_ref; /* in the arena already */
    member->status = (Alliance__V1__MemberStatus)row->status;
    member->used_points = row->credit_used;
    member->over_limit_points = row->credit_used > row->credit_limit ? row->credit_used - row->credit_limit : 0;
    member->oldest_days = row->business_date.days - drawn.at[0].drawn_on.days;
    return member;
}

/* Bucket after bucket until the page is full; one row more than fits says that there is another page. */
static bool fill_page(struct errand *errand, struct credit_list_params *params, const struct page *page, Reply *reply,
                      struct error *err)
{
    struct arena *arena = &errand->call->arena;
    char key[PAGE_KEY_MAX + 1] = "";

    for (; params->bucket < errand->reference->buckets;
         params->bucket++, params->after_member_id = (struct uuid){ { 0 } }) {
        size_t count;
        void *fetched;
        if (call_cancelled(errand->call))
            return error_set(err, REASON_CANCELLED, "%s", "");
        params->limit = page->size - (int32_t)reply->n_members + 1;
        if (!db_fetch(errand->db, &credit_list, params, arena, &fetched, &count, err))
            return false;
        const struct credit_list_row *rows = fetched;
        for (size_t i = 0; i < count; i++) {
            if (reply->n_members == (size_t)page->size) {
                reply->next_page_token = page_token(errand->call, page, key);
                return reply->next_page_token || errand_no_room(err);
            }
            Drawn *member = shape_member(arena, &rows[i], err);
            if (!member)
                return false;
            reply->members[reply->n_members++] = member;
            write_key(params, &rows[i], key, sizeof key);
        }
    }
    return true;
}

static bool list_work(struct errand *errand, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    struct credit_list_params params = { .min_age_days = asked->min_age_days };
    char filters[ID_MAX + 16];
    struct page page;

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    snprintf(filters, sizeof filters, "%s/%" PRId32, asked->bank_id, asked->min_age_days);
    if (!page_read(errand->call, asked->page_size, asked->page_token, filters, &page, err))
        return false;
    if (page.after[0] != '\0' && !read_key(page.after, &params))
        return page_refuse_token(err);
    params.bank_no = bank->no;
    Reply *reply = errand_reply(errand, &alliance__v1__list_drawn_credit_response__descriptor, err);
    if (!reply)
        return false;
    reply->members = arena_alloc(&errand->call->arena, ((size_t)page.size + 1) * sizeof *reply->members);
    return reply->members ? fill_page(errand, &params, &page, reply, err) : errand_no_room(err);
}

bool bank_list_drawn_credit(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_range("min_age_days", asked->min_age_days, 0, AGE_MAX, err) &&
           errand_read(call, request, list_work, err);
}
