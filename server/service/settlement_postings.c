/*
 * settlement_postings.c -- ListStatementPostings: what a close added to a party's statement beside its pairs.
 */
#include "domain/settle_contract.h"
#include "service/check.h"
#include "service/page.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__ListStatementPostingsRequest List;
typedef Alliance__V1__SettlementPosting Posting;

static bool shape_posting(struct arena *arena, const struct statement_posting_row *row, Posting *shown)
{
    shown->posting_number = row->posting_no;
    shown->kind = (Alliance__V1__PostingKind)row->kind;
    shown->from = settlement_shape_party(arena, row->from_party, row->from_id);
    shown->to = settlement_shape_party(arena, row->to_party, row->to_id);
    shown->amount_minor = row->amount_minor;
    shown->bank_id = shape_text(arena, row->bank_id);
    shown->merchant_id = shape_text(arena, row->merchant_id);
    shown->refers_to = shape_text(arena, row->refers_to);
    shown->note = shape_text(arena, row->note);
    return shown->from && shown->to && shown->bank_id && shown->merchant_id && shown->refers_to && shown->note;
}

static bool reply_list(struct errand *errand, const struct page *page, const struct statement_posting_row *rows,
                       size_t found, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)page->size ? found : (size_t)page->size;
    Alliance__V1__ListStatementPostingsResponse *reply =
        errand_reply(errand, &alliance__v1__list_statement_postings_response__descriptor, err);
    char key[16];

    if (!reply)
        return false;
    reply->postings = arena_alloc(arena, (count + 1) * sizeof(Posting *));
    for (size_t i = 0; reply->postings && i < count; i++) {
        Posting *shown = shape_new(arena, &alliance__v1__settlement_posting__descriptor);
        if (!shown || !shape_posting(arena, &rows[i], shown))
            return errand_no_room(err);
        reply->postings[reply->n_postings++] = shown;
    }
    if (count < found) {
        snprintf(key, sizeof key, "%d", (int)rows[count - 1].posting_no);
        reply->next_page_token = page_token(errand->call, page, key);
    }
    return (reply->postings && reply->next_page_token) || errand_no_room(err);
}

static bool read_key(const char *key, int32_t *after)
{
    size_t digits = strspn(key, "0123456789");

    *after = (int32_t)strtol(key, NULL, 10);
    return digits <= 9 && key[digits] == '\0';
}

static bool list_work(struct errand *errand, struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct statement_postings_params params;
    struct statement_row statement;
    struct page page;
    size_t found;
    void *rows;

    if (!settlement_find_statement(errand, asked->statement_id, &statement, err) ||
        !page_read(errand->call, asked->page_size, asked->page_token, asked->statement_id, &page, err))
        return false;
    if (statement.type == ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_PAIR)
        return error_field(err, REASON_FIELD_INVALID, "statement_id",
                           "must not be that of a PAIR statement: it has lines, its parties' have postings");
    params = (struct statement_postings_params){ .statement_no = statement.statement_no, .limit = page.size + 1 };
    if (!read_key(page.after, &params.after))
        return page_refuse_token(err);
    return db_fetch(errand->db, &statement_list_postings, &params, &errand->call->arena, &rows, &found, err) &&
           reply_list(errand, &page, rows, found, err);
}

bool settlement_list_postings(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const List *asked = (const List *)request;
    struct page page;

    return settlement_check_statement_id(asked->statement_id, err) &&
           page_read(call, asked->page_size, asked->page_token, asked->statement_id, &page, err) &&
           errand_read(call, request, list_work, err);
}
