/*
 * settlement_receivables.c -- ListReceivables: what parties were asked to pay and has not come in, and how late it is.
 */
#include "domain/ageing.h"
#include "service/check.h"
#include "service/page.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/calendar_store.h"
#include "store/receivable_store.h"

#include <stdio.h>
#include <string.h>

typedef Alliance__V1__ListReceivablesRequest List;
typedef Alliance__V1__ListReceivablesResponse Reply;
typedef Alliance__V1__Receivable Receivable;
typedef Alliance__V1__ReceivableTotal Total;

static bool shape_row(struct arena *arena, const struct receivable_row *row, struct date on, Receivable *shown)
{
    int64_t late = (int64_t)on.days - row->due_on.days;

    shown->statement_id = shape_text(arena, row->statement_id);
    shown->statement_number = shape_text(arena, row->number);
    shown->party = settlement_shape_party(arena, row->party, row->party_id);
    shown->currency_code = shape_text(arena, row->currency);
    shown->due_date = shape_date(arena, row->due_on);
    shown->days_late = (int32_t)(late > 0 ? late : 0);
    shown->age = (Alliance__V1__ReceivableAge)(ageing_of(late) + 1);
    shown->asked_minor = row->asked_minor;
    shown->received_minor = row->received_minor;
    shown->open_minor = row->asked_minor - row->received_minor;
    return shown->statement_id && shown->statement_number && shown->party && shown->currency_code && shown->due_date;
}

static bool shape_page(struct errand *errand, const struct page *page, const struct receivable_row *rows, size_t found,
                       struct date on, Reply *reply, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)page->size ? found : (size_t)page->size;
    char key[PAGE_KEY_MAX], due[DATE_TEXT];

    reply->receivables = arena_alloc(arena, (count + 1) * sizeof(Receivable *));
    for (size_t i = 0; reply->receivables && i < count; i++) {
        Receivable *shown = shape_new(arena, &alliance__v1__receivable__descriptor);
        if (!shown || !shape_row(arena, &rows[i], on, shown))
            return errand_no_room(err);
        reply->receivables[reply->n_receivables++] = shown;
    }
    if (count < found) {
        date_format(rows[count - 1].due_on, due);
        snprintf(key, sizeof key, "%s/%s", due, rows[count - 1].number);
        reply->next_page_token = page_token(errand->call, page, key);
    }
    return (reply->receivables && reply->next_page_token) || errand_no_room(err);
}

static bool shape_totals(struct errand *errand, const struct receivable_sums_params *params, Reply *reply,
                         struct error *err)
{
    struct arena *arena = &errand->call->arena;
    size_t count;
    void *rows;

    if (!db_fetch(errand->db, &receivable_sums, params, arena, &rows, &count, err))
        return false;
    reply->totals = arena_alloc(arena, (count + 1) * sizeof(Total *));
    for (size_t i = 0; reply->totals && i < count; i++) {
        const struct receivable_sum_row *row = (const struct receivable_sum_row *)rows + i;
        Total *shown = shape_new(arena, &alliance__v1__receivable_total__descriptor);
        if (!shown || !(shown->currency_code = shape_text(arena, row->currency)))
            return errand_no_room(err);
        shown->age = (Alliance__V1__ReceivableAge)(row->age + 1);
        shown->open_minor = row->open_minor;
        reply->totals[reply->n_totals++] = shown;
    }
    return reply->totals || errand_no_room(err);
}

/* "2017-02-15/B1-000002" */
static bool read_key(char *key, struct receivable_list_params *params)
{
    params->after_number = "";
    if (!*key)
        return true;
    if (strlen(key) <= DATE_TEXT || key[DATE_TEXT - 1] != '/')
        return false;
    key[DATE_TEXT - 1] = '\0';
    params->after_number = key + DATE_TEXT;
    return date_parse(key, &params->after_due);
}

static bool read_page(const struct call *call, const List *asked, char filters[128], struct page *page,
                      struct error *err)
{
    snprintf(filters, 128, "%s/%s", asked->programme_id, asked->on_date);
    return page_read(call, asked->page_size, asked->page_token, filters, page, err);
}

/* The open business date where none is asked for. */
static bool find_day(struct errand *errand, int32_t programme_no, const char *asked, struct date *on, struct error *err)
{
    const struct calendar_about_params params = { programme_no };
    struct calendar_about_row now = { 0 };
    bool found;

    if (*asked)
        return check_date("on_date", asked, on, err);
    if (!db_fetch_one(errand->db, &calendar_about, &params, &errand->call->arena, &now, &found, err))
        return false;
    *on = now.open_date;
    return true;
}

static bool list_work(struct errand *errand, struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct receivable_sums_params sums = { .ages_from = { ageing_from, COUNT(ageing_from) } };
    struct receivable_list_params params = { 0 };
    char filters[128];
    struct page page;
    size_t found;
    void *rows;

    if (!settlement_find_programme(errand, asked->programme_id, &params.programme_no, err) ||
        !settlement_find_caller(errand, &params.party, &params.party_no, err) ||
        !read_page(errand->call, asked, filters, &page, err) ||
        !find_day(errand, params.programme_no, asked->on_date, &sums.on, err))
        return false;
    if (!read_key(page.after, &params))
        return page_refuse_token(err);
    params.limit = page.size + 1;
    sums.programme_no = params.programme_no;
    sums.party = params.party;
    sums.party_no = params.party_no;
    if (!db_fetch(errand->db, &receivable_list, &params, &errand->call->arena, &rows, &found, err))
        return false;
    Reply *reply = errand_reply(errand, &alliance__v1__list_receivables_response__descriptor, err);
    if (!reply || !shape_page(errand, &page, rows, found, sums.on, reply, err) ||
        !shape_totals(errand, &sums, reply, err))
        return false;
    reply->on_date = shape_date(&errand->call->arena, sums.on);
    return reply->on_date || errand_no_room(err);
}

bool settlement_list_receivables(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const List *asked = (const List *)request;
    char filters[128];
    struct page page;
    struct date on;

    return check_id("programme_id", asked->programme_id, err) &&
           (!*asked->on_date || check_date("on_date", asked->on_date, &on, err)) &&
           read_page(call, asked, filters, &page, err) && errand_read(call, request, list_work, err);
}
