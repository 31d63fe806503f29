/*
 * settlement_dispute.c -- StepDispute, GetDispute, ListDisputes: what is contested is answered, and agreed, rejected or
 * decided.
 */
#include "domain/dispute.h"

#include "domain/settle_contract.h"
#include "io/crypto.h"
#include "service/check.h"
#include "service/page.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/correction_store.h"
#include "store/dispute_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef Alliance__V1__Dispute Dispute;
typedef Alliance__V1__StepDisputeRequest Step;
typedef Alliance__V1__ListDisputesRequest List;

enum { NOTE_MAX = 500 };
static const int32_t never = 2932896; /* 9999-12-31 as days since 1970 */

_Static_assert(DISPUTE_AGREED == 3 && DISPUTE_REJECTED == 4 && DISPUTE_ESCALATED == 5 && DISPUTE_EXPIRED == 6,
               "queries of the store name these numbers");

/* Shown */

static char *hex_of(struct arena *arena, struct bytes bytes)
{
    char *text = arena_alloc(arena, 2 * bytes.size + 1);

    if (text)
        crypto_hex(bytes.at, bytes.size, text);
    return text;
}

static bool shape_dispute(struct arena *arena, const struct dispute_row *row, Dispute *shown)
{
    shown->dispute_number = row->dispute_no;
    shown->programme_id = shape_text(arena, row->programme_id);
    shown->statement_id = shape_text(arena, row->statement_id);
    shown->line_number = row->line_number;
    shown->opener = (Alliance__V1__PartyKind)row->opener;
    shown->bank_id = shape_text(arena, row->bank_id);
    shown->merchant_id = shape_text(arena, row->merchant_id);
    shown->currency_code = shape_text(arena, row->currency);
    shown->amount_minor = row->amount_minor;
    shown->withheld_minor = row->withheld_minor;
    shown->held_minor = row->held_minor;
    shown->reason_code = shape_text(arena, row->reason_code);
    shown->evidence = shape_text(arena, row->evidence);
    shown->evidence_sha256 = hex_of(arena, row->evidence_sha256);
    shown->state = (Alliance__V1__DisputeState)row->state;
    shown->opened_by = shape_text(arena, row->opened_by);
    shown->opened_date = shape_date(arena, row->opened_on);
    shown->expires_date = shape_date(arena, row->expires_on);
    shown->offered_minor = row->offered_minor;
    shown->agreed_minor = row->agreed_minor;
    shown->ended_date = row->ended_on.days < never ? shape_date(arena, row->ended_on) : shape_text(arena, "");
    shown->correction_number = row->correction_no;
    shown->break_number = row->break_no;
    shown->posting_number = row->posting_no;
    shown->opener_party = settlement_shape_party(arena, row->opener, row->opener_id);
    shown->other_party = settlement_shape_party(arena, row->other, row->other_id);
    return shown->programme_id && shown->statement_id && shown->bank_id && shown->merchant_id && shown->currency_code &&
           shown->reason_code && shown->evidence && shown->evidence_sha256 && shown->opened_by && shown->opened_date &&
           shown->expires_date && shown->ended_date && shown->opener_party && shown->other_party;
}

static bool shape_steps(struct arena *arena, const struct dispute_step_row *rows, size_t count, Dispute *shown)
{
    shown->steps = arena_alloc(arena, (count + 1) * sizeof *shown->steps);
    for (size_t i = 0; shown->steps && i < count; i++) {
        Alliance__V1__DisputeEvent *step = shape_new(arena, &alliance__v1__dispute_event__descriptor);
        if (!step)
            return false;
        step->step = (Alliance__V1__DisputeStep)rows[i].step;
        step->done_by = shape_text(arena, rows[i].done_by);
        step->amount_minor = rows[i].amount_minor;
        step->note = shape_text(arena, rows[i].note);
        step->business_date = shape_date(arena, rows[i].business_date);
        if (!step->done_by || !step->note || !step->business_date)
            return false;
        shown->steps[shown->n_steps++] = step;
    }
    return shown->steps;
}

static bool read_steps(struct errand *errand, int64_t dispute_no, struct dispute_step_row **steps, size_t *count,
                       struct error *err)
{
    const struct dispute_steps_params params = { dispute_no };
    void *rows;

    if (!db_fetch(errand->db, &dispute_steps, &params, &errand->call->arena, &rows, count, err))
        return false;
    *steps = rows;
    return true;
}

bool settlement_reply_dispute(struct errand *errand, const struct dispute_row *row, struct error *err)
{
    struct dispute_step_row *steps;
    size_t count;

    if (!read_steps(errand, row->dispute_no, &steps, &count, err))
        return false;
    Dispute *shown = errand_reply(errand, &alliance__v1__dispute__descriptor, err);
    return shown && ((shape_dispute(&errand->call->arena, row, shown) &&
                      shape_steps(&errand->call->arena, steps, count, shown)) ||
                     errand_no_room(err));
}

/* Another's dispute is not there. */
static bool find(struct errand *errand, int64_t dispute_no, struct dispute_row *row, struct error *err)
{
    struct dispute_find_params params = { .dispute_no = dispute_no };
    bool found;

    if (!settlement_find_caller(errand, &params.party, &params.party_no, err) ||
        !db_fetch_one(errand->db, &dispute_find, &params, &errand->call->arena, row, &found, err))
        return false;
    return found || error_field(err, REASON_DISPUTE_NOT_FOUND, "dispute_number", "%s", "");
}

/* Steps */

/* The operator answers for itself and for tax until it is asked to decide; then, two of its people do. */
static bool side_of(struct errand *errand, const struct dispute_row *row, enum dispute_side *side, struct error *err)
{
    bool answers = row->other == PARTY_OPERATOR || row->other == PARTY_TAX;
    int16_t kind;
    int32_t no;

    if (!settlement_find_caller(errand, &kind, &no, err))
        return false;
    if (kind == 0)
        *side = answers && row->state != DISPUTE_ESCALATED ? SIDE_OTHER : SIDE_OPERATOR;
    else
        *side = kind == row->opener && no == row->opener_no ? SIDE_OPENER : SIDE_OTHER;
    return true;
}

/* From the other party to the opener, in the open period; two wanted it: who offered or opened, and who agreed. */
static bool correct(struct errand *errand, const struct dispute_row *row, const struct dispute_life *life,
                    const char *first, int64_t *correction_no, struct error *err)
{
    char text[64], refers_to[CORRECTION_TEXT_MAX + 1], reason[96];
    uint8_t hash[CRYPTO_HASH];
    struct correction_row made;

    int n = snprintf(text, sizeof text, "dispute/%d/%" PRId64, (int)row->programme_no, row->dispute_no);
    crypto_sha256(text, (size_t)n, hash);
    snprintf(refers_to, sizeof refers_to, "%.120s %s %" PRId64,
             *row->statement_number ? row->statement_number : row->statement_id, row->posting_no ? "posting" : "line",
             row->posting_no ? row->posting_no : row->line_number);
    snprintf(reason, sizeof reason, "dispute %" PRId64 ": %.40s", row->dispute_no, row->reason_code);
    const struct correction correction = { .programme_no = row->programme_no,
                                           .request_id = uuid_v8(hash),
                                           .currency = row->currency,
                                           .kind = POSTING_ADJUSTMENT,
                                           .from_party = row->other,
                                           .from_no = row->other_no,
                                           .to_party = row->opener,
                                           .to_no = row->opener_no,
                                           .amount_minor = life->agreed_minor,
                                           .reason = reason,
                                           .refers_to = refers_to,
                                           .maker = first };
    struct arena *arena = &errand->call->arena;
    if (!correction_propose(errand->db, &correction, arena, &made, err) ||
        !correction_approve(errand->db, row->programme_no, made.correction_no, life->agreed_minor,
                            errand->call->principal.uri, arena, &made, err))
        return false;
    *correction_no = made.correction_no;
    return true;
}

static bool is_repeated(const struct dispute_step_row *steps, size_t count, const Step *asked, const char *by)
{
    const struct dispute_step_row *last = count ? &steps[count - 1] : NULL;

    return last && last->step == (int16_t)asked->step && last->amount_minor == asked->amount_minor &&
           strcmp(last->done_by, by) == 0;
}

static bool put(struct errand *errand, const struct dispute_row *row, const struct dispute_life *life,
                int64_t correction_no, struct error *err)
{
    const Step *asked = (const Step *)errand->request;
    bool ended = !dispute_is_open(life->state);
    const struct dispute_programme_params programme = { row->programme_no };
    const struct dispute_put_params params = { row->dispute_no,  row->state,         life->state,   life->offered_minor,
                                               life->offered_by, life->agreed_minor, correction_no, ended };
    const struct dispute_step_params step = { row->dispute_no, (int16_t)asked->step, errand->call->principal.uri,
                                              asked->amount_minor, asked->note };
    const struct dispute_ended_params this = { row->dispute_no };
    int64_t changed;

    if (!db_execute(errand->db, &dispute_put, &params, &changed, err))
        return false;
    if (changed == 0) /* its clock ran out just now */
        return error_set(err, REASON_TRY_AGAIN, "%s", "");
    return db_execute(errand->db, &dispute_add_step, &step, NULL, err) &&
           (!ended || (db_execute(errand->db, &dispute_release, &this, NULL, err) &&
                       db_execute(errand->db, &dispute_end_break, &this, NULL, err) &&
                       db_execute(errand->db, &dispute_unmark_statements, &programme, NULL, err)));
}

static bool do_step(struct errand *errand, const struct dispute_row *row, struct error *err)
{
    const Step *asked = (const Step *)errand->request;
    const struct call *call = errand->call;
    enum dispute_side side;
    struct dispute_life life = { row->state, row->amount_minor, row->offered_minor, row->offered_by, 0 };
    const struct dispute_programme_params programme = { row->programme_no };
    int64_t correction_no = 0;

    /* What is paid meanwhile waits: one of the two must see the other. */
    if (!db_execute(errand->db, &dispute_lock, &programme, NULL, err) || !side_of(errand, row, &side, err) ||
        !dispute_do(&life, (enum dispute_step)asked->step, side, asked->amount_minor, call->principal.uri, err))
        return false;
    const char *first = side == SIDE_OTHER ? row->opened_by : row->offered_by;
    return (life.state != DISPUTE_AGREED || correct(errand, row, &life, first, &correction_no, err)) &&
           put(errand, row, &life, correction_no, err);
}

static bool step_work(struct errand *errand, struct error *err)
{
    const Step *asked = (const Step *)errand->request;
    struct dispute_step_row *steps;
    struct dispute_row row;
    size_t count;

    if (!find(errand, asked->dispute_number, &row, err) || !read_steps(errand, row.dispute_no, &steps, &count, err))
        return false;
    if (!is_repeated(steps, count, asked, errand->call->principal.uri) &&
        (!do_step(errand, &row, err) || !find(errand, asked->dispute_number, &row, err)))
        return false;
    return settlement_reply_dispute(errand, &row, err);
}

bool settlement_step_dispute(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Step *asked = (const Step *)request;
    bool says = asked->step == ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_ANSWER ||
                asked->step == ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_DECIDE;

    return check_range("dispute_number", asked->dispute_number, 1, INT64_MAX, err) &&
           check_range("step", asked->step, DISPUTE_ANSWER, DISPUTE_DECIDE, err) &&
           check_text("note", asked->note, says ? 1 : 0, NOTE_MAX, err) && errand_write(call, request, step_work, err);
}

static bool get_work(struct errand *errand, struct error *err)
{
    struct dispute_row row;

    return find(errand, ((const Alliance__V1__GetDisputeRequest *)errand->request)->dispute_number, &row, err) &&
           settlement_reply_dispute(errand, &row, err);
}

bool settlement_get_dispute(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return check_range("dispute_number", ((const Alliance__V1__GetDisputeRequest *)request)->dispute_number, 1,
                       INT64_MAX, err) &&
           errand_read(call, request, get_work, err);
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

static bool reply_list(struct errand *errand, const struct page *page, const struct dispute_row *rows, size_t found,
                       struct error *err)
{
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)page->size ? found : (size_t)page->size;
    Alliance__V1__ListDisputesResponse *reply =
        errand_reply(errand, &alliance__v1__list_disputes_response__descriptor, err);
    char key[24];

    if (!reply)
        return false;
    reply->disputes = arena_alloc(arena, (count + 1) * sizeof(Dispute *));
    for (size_t i = 0; reply->disputes && i < count; i++) {
        Dispute *shown = shape_new(arena, &alliance__v1__dispute__descriptor);
        if (!shown || !shape_dispute(arena, &rows[i], shown))
            return errand_no_room(err);
        reply->disputes[reply->n_disputes++] = shown;
    }
    if (count < found) {
        snprintf(key, sizeof key, "%" PRId64, rows[count - 1].dispute_no);
        reply->next_page_token = page_token(errand->call, page, key);
    }
    return (reply->disputes && reply->next_page_token) || errand_no_room(err);
}

static bool list_work(struct errand *errand, struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct dispute_list_params params = { .state = (int16_t)asked->state };
    char filters[64];
    struct page page;
    size_t found;
    void *rows;

    if (!settlement_find_programme(errand, asked->programme_id, &params.programme_no, err) ||
        !settlement_find_caller(errand, &params.party, &params.party_no, err) ||
        !read_page(errand->call, asked, filters, &page, err))
        return false;
    if (!read_key(page.after, &params.before))
        return page_refuse_token(err);
    params.limit = page.size + 1;
    return db_fetch(errand->db, params.party ? &dispute_list_of : &dispute_list, &params, &errand->call->arena, &rows,
                    &found, err) &&
           reply_list(errand, &page, rows, found, err);
}

bool settlement_list_disputes(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const List *asked = (const List *)request;
    char filters[64];
    struct page page;

    return check_id("programme_id", asked->programme_id, err) &&
           check_range("state", asked->state, 0, DISPUTE_EXPIRED, err) && read_page(call, asked, filters, &page, err) &&
           errand_read(call, request, list_work, err);
}
