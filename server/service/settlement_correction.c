/*
 * settlement_correction.c -- ProposeCorrection, ApproveCorrection, ListCorrections: what was settled wrongly is put
 * right in the open period, by two people.
 */
#include "domain/settle_contract.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/page.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/correction_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef Alliance__V1__Correction Correction;
typedef Alliance__V1__ProposeCorrectionRequest Propose;
typedef Alliance__V1__ApproveCorrectionRequest Approve;
typedef Alliance__V1__ListCorrectionsRequest List;

static bool shape_correction(struct arena *arena, const struct correction_row *row, const char *programme_id,
                             Correction *shown)
{
    shown->correction_number = row->correction_no;
    shown->programme_id = shape_text(arena, programme_id);
    shown->kind = (Alliance__V1__PostingKind)row->kind;
    shown->from = settlement_shape_party(arena, row->from_party, row->from_id);
    shown->to = settlement_shape_party(arena, row->to_party, row->to_id);
    shown->currency_code = shape_text(arena, row->currency);
    shown->amount_minor = row->amount_minor;
    shown->reason = shape_text(arena, row->reason);
    shown->refers_to = shape_text(arena, row->refers_to);
    shown->state = (Alliance__V1__CorrectionState)row->state;
    shown->proposed_by = shape_text(arena, row->maker);
    shown->approved_by = shape_text(arena, row->approver);
    shown->business_date = shape_date(arena, row->business_date);
    shown->taken_period = shape_text(arena, row->taken_period);
    return shown->programme_id && shown->from && shown->to && shown->currency_code && shown->reason &&
           shown->refers_to && shown->proposed_by && shown->approved_by && shown->business_date && shown->taken_period;
}

static bool reply(struct errand *errand, const struct correction_row *row, const char *programme_id, struct error *err)
{
    Correction *shown = errand_reply(errand, &alliance__v1__correction__descriptor, err);

    return shown && (shape_correction(&errand->call->arena, row, programme_id, shown) || errand_no_room(err));
}

static bool propose_work(struct errand *errand, struct error *err)
{
    const Propose *asked = (const Propose *)errand->request;
    struct correction correction = {
        .currency = asked->amount->currency_code,
        .kind = asked->kind ? (int16_t)asked->kind : POSTING_ADJUSTMENT,
        .from_party = (int16_t)asked->from->kind,
        .to_party = (int16_t)asked->to->kind,
        .amount_minor = asked->amount->amount_minor,
        .reason = asked->reason,
        .refers_to = asked->refers_to,
        .maker = errand->call->principal.id,
    };
    struct correction_row row;

    return settlement_find_programme(errand, asked->programme_id, &correction.programme_no, err) &&
           settlement_find_party(errand, correction.programme_no, "from.id", asked->from, &correction.from_no, err) &&
           settlement_find_party(errand, correction.programme_no, "to.id", asked->to, &correction.to_no, err) &&
           check_request_id(asked->request_id, clock_now(), &correction.request_id, err) &&
           correction_propose(errand->db, &correction, &errand->call->arena, &row, err) &&
           reply(errand, &row, asked->programme_id, err);
}

bool settlement_propose_correction(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Propose *asked = (const Propose *)request;
    struct uuid id;

    return check_request_id(asked->request_id, clock_now(), &id, err) &&
           check_id("programme_id", asked->programme_id, err) && settlement_check_party("from", asked->from, err) &&
           settlement_check_party("to", asked->to, err) &&
           check_money("amount", asked->amount, AMOUNT_MINOR_MAX, err) &&
           check_text("reason", asked->reason, 1, CORRECTION_TEXT_MAX, err) &&
           check_text("refers_to", asked->refers_to, 1, CORRECTION_TEXT_MAX, err) &&
           errand_read(call, request, propose_work, err);
}

static bool approve_work(struct errand *errand, struct error *err)
{
    const Approve *asked = (const Approve *)errand->request;
    struct correction_row row;
    int32_t programme_no;

    return settlement_find_programme(errand, asked->programme_id, &programme_no, err) &&
           correction_approve(errand->db, programme_no, asked->correction_number, asked->amount_minor,
                              errand->call->principal.id, &errand->call->arena, &row, err) &&
           reply(errand, &row, asked->programme_id, err);
}

bool settlement_approve_correction(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Approve *asked = (const Approve *)request;

    return check_id("programme_id", asked->programme_id, err) &&
           check_range("correction_number", asked->correction_number, 1, INT64_MAX, err) &&
           errand_read(call, request, approve_work, err);
}

/* List */

static bool read_page(const struct call *call, const List *asked, char filters[64], struct page *page,
                      struct error *err)
{
    snprintf(filters, 64, "%s/%d", asked->programme_id, (int)asked->state);
    return page_read(call, asked->page_size, asked->page_token, filters, page, err);
}

static bool read_key(const char *key, int64_t *before)
{
    int end = -1;

    *before = 0;
    return !*key || (sscanf(key, "%18" SCNd64 "%n", before, &end) == 1 && end > 0 && key[end] == '\0' && *before > 0);
}

static bool reply_list(struct errand *errand, const struct page *page, const struct correction_row *rows, size_t found,
                       struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)page->size ? found : (size_t)page->size;
    Alliance__V1__ListCorrectionsResponse *reply =
        errand_reply(errand, &alliance__v1__list_corrections_response__descriptor, err);
    char key[24];

    if (!reply)
        return false;
    reply->corrections = arena_alloc(arena, (count + 1) * sizeof *reply->corrections);
    for (size_t i = 0; reply->corrections && i < count; i++) {
        Correction *shown = shape_new(arena, &alliance__v1__correction__descriptor);
        if (!shown || !shape_correction(arena, &rows[i], asked->programme_id, shown))
            return errand_no_room(err);
        reply->corrections[reply->n_corrections++] = shown;
    }
    if (count < found) {
        snprintf(key, sizeof key, "%" PRId64, rows[count - 1].correction_no);
        reply->next_page_token = page_token(errand->call, page, key);
    }
    return (reply->corrections && reply->next_page_token) || errand_no_room(err);
}

static bool list_work(struct errand *errand, struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct correction_row *rows;
    char filters[64];
    struct page page;
    int32_t programme_no;
    int64_t before;
    size_t found;

    if (!settlement_find_programme(errand, asked->programme_id, &programme_no, err) ||
        !read_page(errand->call, asked, filters, &page, err))
        return false;
    if (!read_key(page.after, &before))
        return page_refuse_token(err);
    return correction_list(errand->db, programme_no, (int16_t)asked->state, before, page.size + 1, &errand->call->arena,
                           &rows, &found, err) &&
           reply_list(errand, &page, rows, found, err);
}

bool settlement_list_corrections(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const List *asked = (const List *)request;
    char filters[64];
    struct page page;

    return check_id("programme_id", asked->programme_id, err) && check_range("state", asked->state, 0, 3, err) &&
           read_page(call, asked, filters, &page, err) && errand_read(call, request, list_work, err);
}
