/*
 * exposure_warnings.c -- ListExposureWarnings: when levels of a bank's exposure limit were reached.
 */
#include "service/bank_handlers.h"

#include "engine/reference.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/page.h"
#include "service/shape.h"
#include "store/exposure_store.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef Alliance__V1__ListExposureWarningsRequest Asked;
typedef Alliance__V1__ListExposureWarningsResponse Reply;
typedef Alliance__V1__ExposureWarning Warning;

enum { KEY_TEXT = 24 };

static Warning *shape_warning(struct arena *arena, const struct exposure_warning_row *row)
{
    Warning *warning = shape_new(arena, &alliance__v1__exposure_warning__descriptor);

    if (!warning)
        return NULL;
    warning->level = row->level;
    warning->used = shape_money(arena, row->currency, row->used_minor);
    warning->limit = shape_money(arena, row->currency, row->limit_minor);
    warning->business_date = shape_date(arena, row->business_date);
    warning->time = shape_instant(arena, row->at);
    return warning->used && warning->limit && warning->business_date && warning->time ? warning : NULL;
}

/* The number of the last warning of the page before. */
static bool read_key(const char *key, int64_t *before_no)
{
    int end = -1;

    return sscanf(key, "%18" SCNd64 "%n", before_no, &end) == 1 && end > 0 && key[end] == '\0' && *before_no > 0;
}

static bool fill_page(struct errand *errand, const struct exposure_warnings_params *params, const struct page *page,
                      Reply *reply, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    char key[KEY_TEXT];
    size_t count;
    void *fetched;

    if (!db_fetch(errand->db, &exposure_warnings, params, arena, &fetched, &count, err))
        return false;
    const struct exposure_warning_row *rows = fetched;
    reply->warnings = arena_alloc(arena, (count + 1) * sizeof *reply->warnings);
    for (size_t i = 0; reply->warnings && i < count && i < (size_t)page->size; i++) {
        Warning *warning = shape_warning(arena, &rows[i]);
        if (!warning)
            return errand_no_room(err);
        reply->warnings[reply->n_warnings++] = warning;
    }
    if (reply->warnings && count > (size_t)page->size) {
        snprintf(key, sizeof key, "%" PRId64, rows[page->size - 1].warning_no);
        reply->next_page_token = page_token(errand->call, page, key);
    }
    return (reply->warnings && reply->next_page_token) || errand_no_room(err);
}

static bool list_work(struct errand *errand, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    struct exposure_warnings_params params = { .before_no = INT64_MAX };
    struct page page;

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    if (!page_read(errand->call, asked->page_size, asked->page_token, asked->bank_id, &page, err))
        return false;
    if (page.after[0] != '\0' && !read_key(page.after, &params.before_no))
        return page_refuse_token(err);
    params.bank_no = bank->no;
    params.limit = page.size + 1; /* one more says that there is another page */
    Reply *reply = errand_reply(errand, &alliance__v1__list_exposure_warnings_response__descriptor, err);
    return reply && fill_page(errand, &params, &page, reply, err);
}

bool bank_list_exposure_warnings(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           errand_read(call, request, list_work, err);
}
