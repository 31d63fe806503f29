/*
 * settlement_dispute.c -- DisputeStatement, StepDispute, GetDispute, ListDisputes: a line of an issued statement is
 * contested, answered, and agreed, rejected or decided.
 */
#include "domain/dispute.h"

#include "domain/settle_contract.h"
#include "io/clock.h"
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
typedef Alliance__V1__DisputeStatementRequest Contest;
typedef Alliance__V1__StepDisputeRequest Step;
typedef Alliance__V1__ListDisputesRequest List;

enum { EVIDENCE_MAX = 500, DISPUTE_CODE_MAX = 32 };
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
    shown->held_minor = row->opener == PARTY_BANK ? row->amount_minor - row->withheld_minor : 0;
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
    return shown->programme_id && shown->statement_id && shown->bank_id && shown->merchant_id && shown->currency_code &&
           shown->reason_code && shown->evidence && shown->evidence_sha256 && shown->opened_by && shown->opened_date &&
           shown->expires_date && shown->ended_date;
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

static bool reply(struct errand *errand, const struct dispute_row *row, struct error *err)
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

    if (!settlement_find_scope(errand, &params.bank_no, &params.merchant_no, err) ||
        !db_fetch_one(errand->db, &dispute_find, &params, &errand->call->arena, row, &found, err))
        return false;
    return found || error_field(err, REASON_DISPUTE_NOT_FOUND, "dispute_number", "%s", "");
}

/* Opening */

static bool find_line(struct errand *errand, const struct statement_row *statement, int64_t number, int64_t *gross,
                      struct error *err)
{
    const struct statement_lines_params params = { statement->statement_no, number - 1, number };
    size_t count;
    void *rows;

    if (!db_fetch(errand->db, &statement_list_lines, &params, &errand->call->arena, &rows, &count, err))
        return false;
    if (count == 0)
        return error_field(err, REASON_STATEMENT_LINE_NOT_FOUND, "line_number", "%s", "");
    *gross = ((const struct statement_line_row *)rows)->gross_minor;
    *gross = *gross < 0 ? -*gross : *gross;
    return true;
}

static bool may_contest(struct errand *errand, const struct statement_row *statement,
                        struct dispute_open_params *params, struct error *err)
{
    const struct dispute_line_params about = { statement->statement_no, params->line_number, params->opener };
    struct dispute_line_row line = { 0 };
    bool found;

    if (statement->type != ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_PAIR)
        return error_field(err, REASON_FIELD_INVALID, "statement_id", "must be that of a PAIR statement");
    if (statement->state < ALLIANCE__V1__STATEMENT_STATE__STATEMENT_STATE_ISSUED)
        return error_field(err, REASON_STATEMENT_NOT_ISSUED, "statement_id", "%s", "");
    if (!find_line(errand, statement, params->line_number, &params->line_minor, err) ||
        !db_fetch_one(errand->db, &dispute_line, &about, &errand->call->arena, &line, &found, err))
        return false;
    if (line.answered)
        return error_field(err, REASON_STATEMENT_CONFIRMED, "statement_id", "%s", "");
    return params->amount_minor <= params->line_minor - line.contested_minor ||
           error_field(err, REASON_BEYOND_LINE, "amount_minor", "%s", "");
}

static bool open_it(struct errand *errand, const struct statement_row *statement,
                    const struct dispute_programme_params *programme, const struct dispute_request_params *request,
                    struct dispute_open_params *params, struct error *err)
{
    struct db *db = errand->db;

    return may_contest(errand, statement, params, err) && db_execute(db, &dispute_open, params, NULL, err) &&
           db_execute(db, &dispute_hold, request, NULL, err) &&
           db_execute(db, &dispute_mark_statements, programme, NULL, err);
}

static bool contest_work(struct errand *errand, struct error *err)
{
    const Contest *asked = (const Contest *)errand->request;
    uint8_t hash[CRYPTO_HASH], evidence[CRYPTO_HASH];
    struct statement_row statement;
    struct dispute_row row;
    bool found;

    if (!settlement_find_statement(errand, asked->statement_id, &statement, err) ||
        !shape_hash_call(errand->call, errand->request, hash, err))
        return false;
    struct dispute_open_params params = {
        .statement_no = statement.statement_no,
        .content_hash = { hash, sizeof hash },
        .line_number = asked->line_number,
        .opener = errand->call->principal.role == ROLE_BANK ? PARTY_BANK : PARTY_MERCHANT,
        .amount_minor = asked->amount_minor,
        .reason_code = asked->reason_code,
        .evidence = asked->evidence,
        .evidence_sha256 = { evidence, asked->evidence_sha256[0] ? sizeof evidence : 0 },
        .by = errand->call->principal.uri,
        .default_days = settle_contract_none((struct party){ 0 }, "").dispute_days,
    };
    struct dispute_programme_params programme;
    struct dispute_request_params request;
    if (!settlement_find_programme(errand, statement.programme_id, &programme.programme_no, err) ||
        !check_request_id(asked->request_id, clock_now(), &params.request_id, err) ||
        (params.evidence_sha256.size && !crypto_hex_decode(asked->evidence_sha256, sizeof evidence, evidence)) ||
        !db_execute(errand->db, &dispute_lock, &programme, NULL, err))
        return false;
    request = (struct dispute_request_params){ programme.programme_no, params.request_id };
    if (!db_fetch_one(errand->db, &dispute_by_request, &request, &errand->call->arena, &row, &found, err))
        return false;
    if (found && (row.content_hash.size != sizeof hash || memcmp(row.content_hash.at, hash, sizeof hash) != 0))
        return error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
    if (!found && (!open_it(errand, &statement, &programme, &request, &params, err) ||
                   !db_fetch_one(errand->db, &dispute_by_request, &request, &errand->call->arena, &row, &found, err)))
        return false;
    return found ? reply(errand, &row, err) : error_set(err, REASON_INTERNAL, "the dispute is not there");
}

static bool check_code(const char *code, struct error *err)
{
    size_t n = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return (n >= 1 && n <= DISPUTE_CODE_MAX && code[n] == '\0') ||
           error_field(err, REASON_FIELD_INVALID, "reason_code", "must be 1 to %d capital letters, digits and \"_\"",
                       DISPUTE_CODE_MAX);
}

static bool check_hash(const char *text, struct error *err)
{
    uint8_t hash[CRYPTO_HASH];

    return !*text || (strlen(text) == 2 * sizeof hash && crypto_hex_decode(text, sizeof hash, hash)) ||
           error_field(err, REASON_FIELD_INVALID, "evidence_sha256", "must be 64 hexadecimal digits, or empty");
}

bool settlement_dispute_statement(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Contest *asked = (const Contest *)request;
    struct uuid id;

    return check_request_id(asked->request_id, clock_now(), &id, err) &&
           settlement_check_statement_id(asked->statement_id, err) &&
           check_range("line_number", asked->line_number, 1, INT64_MAX - 1000, err) &&
           check_range("amount_minor", asked->amount_minor, 1, AMOUNT_MINOR_MAX, err) &&
           check_code(asked->reason_code, err) && check_text("evidence", asked->evidence, 1, EVIDENCE_MAX, err) &&
           check_hash(asked->evidence_sha256, err) && errand_write(call, request, contest_work, err);
}

/* Steps */

static enum dispute_side side_of(const struct call *call, const struct dispute_row *row)
{
    if (call->principal.role == ROLE_OPERATOR)
        return SIDE_OPERATOR;
    return (call->principal.role == ROLE_BANK) == (row->opener == PARTY_BANK) ? SIDE_OPENER : SIDE_OTHER;
}

/* From the other party to the opener, in the open period; two wanted it: who offered or opened, and who agreed. */
static bool correct(struct errand *errand, const struct dispute_row *row, const struct dispute_life *life,
                    const char *first, int64_t *correction_no, struct error *err)
{
    const struct party bank = { PARTY_BANK, row->bank_no }, merchant = { PARTY_MERCHANT, row->merchant_no };
    const struct party to = row->opener == PARTY_BANK ? bank : merchant,
                       from = row->opener == PARTY_BANK ? merchant : bank;
    char text[64], refers_to[CORRECTION_TEXT_MAX + 1], reason[96];
    uint8_t hash[CRYPTO_HASH];
    struct correction_row made;

    int n = snprintf(text, sizeof text, "dispute/%d/%" PRId64, (int)row->programme_no, row->dispute_no);
    crypto_sha256(text, (size_t)n, hash);
    snprintf(refers_to, sizeof refers_to, "%.120s line %" PRId64,
             *row->statement_number ? row->statement_number : row->statement_id, row->line_number);
    snprintf(reason, sizeof reason, "dispute %" PRId64 ": %.40s", row->dispute_no, row->reason_code);
    const struct correction correction = { .programme_no = row->programme_no,
                                           .request_id = uuid_v8(hash),
                                           .currency = row->currency,
                                           .kind = POSTING_ADJUSTMENT,
                                           .from_party = (int16_t)from.kind,
                                           .from_no = from.no,
                                           .to_party = (int16_t)to.kind,
                                           .to_no = to.no,
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
    int64_t changed;

    if (!db_execute(errand->db, &dispute_put, &params, &changed, err))
        return false;
    if (changed == 0) /* its clock ran out just now */
        return error_set(err, REASON_TRY_AGAIN, "%s", "");
    return db_execute(errand->db, &dispute_add_step, &step, NULL, err) &&
           (!ended || (db_execute(errand->db, &dispute_release, &programme, NULL, err) &&
                       db_execute(errand->db, &dispute_end_breaks, &programme, NULL, err) &&
                       db_execute(errand->db, &dispute_unmark_statements, &programme, NULL, err)));
}

static bool do_step(struct errand *errand, const struct dispute_row *row, struct error *err)
{
    const Step *asked = (const Step *)errand->request;
    const struct call *call = errand->call;
    enum dispute_side side = side_of(call, row);
    struct dispute_life life = { row->state, row->amount_minor, row->offered_minor, row->offered_by, 0 };
    int64_t correction_no = 0;

    if (!dispute_do(&life, (enum dispute_step)asked->step, side, asked->amount_minor, call->principal.uri, err))
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
    return reply(errand, &row, err);
}

bool settlement_step_dispute(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Step *asked = (const Step *)request;
    bool says = asked->step == ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_ANSWER ||
                asked->step == ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_DECIDE;

    return check_range("dispute_number", asked->dispute_number, 1, INT64_MAX, err) &&
           check_range("step", asked->step, DISPUTE_ANSWER, DISPUTE_DECIDE, err) &&
           check_text("note", asked->note, says ? 1 : 0, EVIDENCE_MAX, err) &&
           errand_write(call, request, step_work, err);
}

static bool get_work(struct errand *errand, struct error *err)
{
    struct dispute_row row;

    return find(errand, ((const Alliance__V1__GetDisputeRequest *)errand->request)->dispute_number, &row, err) &&
           reply(errand, &row, err);
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
        !settlement_find_scope(errand, &params.bank_no, &params.merchant_no, err) ||
        !read_page(errand->call, asked, filters, &page, err))
        return false;
    if (!read_key(page.after, &params.before))
        return page_refuse_token(err);
    params.limit = page.size + 1;
    return db_fetch(errand->db, &dispute_list, &params, &errand->call->arena, &rows, &found, err) &&
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
