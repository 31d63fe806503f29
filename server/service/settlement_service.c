/*
 * settlement_service.c -- SettlementService: statements as the caller may see them. What is another party's is not
 * there.
 */
#include "service/services.h"

#include "base/text.h"
#include "domain/entry.h"
#include "domain/settle_contract.h"
#include "engine/command.h"
#include "engine/reference.h"
#include "io/crypto.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/page.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/registry_store.h"
#include "store/statement_read.h"

#include <alliance/v1/settlement_service.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__Statement Statement;
typedef Alliance__V1__StatementLine Line;
typedef Alliance__V1__ListStatementsRequest ListStatements;
typedef Alliance__V1__ListStatementLinesRequest ListLines;

enum { STATEMENT_ID_MAX = 160 };

/* 0 when it is not registered; carriers are in no lane's reference. */
static bool find_number(struct errand *errand, int32_t *no, struct error *err)
{
    const struct principal *caller = &errand->call->principal;
    const struct bank *bank = reference_bank(errand->reference, caller->id);
    const struct merchant *merchant = reference_merchant(errand->reference, caller->id);
    const struct registry_id_params id = { caller->id };
    struct registry_carrier_row carrier = { 0 };
    bool found;

    if (caller->role == ROLE_CARRIER) {
        if (!db_fetch_one(errand->db, &registry_find_carrier, &id, &errand->call->arena, &carrier, &found, err))
            return false;
        *no = found ? carrier.carrier_no : 0;
        return true;
    }
    *no = caller->role == ROLE_BANK ? (bank ? bank->no : 0) : merchant ? merchant->no : 0;
    return true;
}

bool settlement_find_caller(struct errand *errand, int16_t *kind, int32_t *no, struct error *err)
{
    static const struct {
        enum role role;
        int16_t kind;
        enum reason missing;
    } parties[] = {
        { ROLE_BANK, PARTY_BANK, REASON_BANK_NOT_FOUND },
        { ROLE_MERCHANT, PARTY_MERCHANT, REASON_MERCHANT_NOT_FOUND },
        { ROLE_CARRIER, PARTY_CARRIER, REASON_CARRIER_NOT_FOUND },
    };
    const struct principal *caller = &errand->call->principal;

    *kind = 0;
    *no = 0;
    if (caller->role == ROLE_OPERATOR)
        return true;
    if (caller->store_id[0])
        return error_set(err, REASON_NOT_YOURS,
                         "statements are the merchant's: its own certificate reads them, not a store's");
    for (size_t i = 0; i < COUNT(parties); i++) {
        if (caller->role != parties[i].role)
            continue;
        *kind = parties[i].kind;
        return find_number(errand, no, err) &&
               (*no > 0 || error_set(err, parties[i].missing, "the caller is not registered"));
    }
    return error_set(err, REASON_ROLE_NOT_ALLOWED, "%s", "");
}

/* Whose statements may be seen; all 0: everybody's. */
struct scope {
    int32_t bank_no, merchant_no, carrier_no;
};

/* A party that is not registered sees nothing, not everything. */
static bool find_scope(struct errand *errand, struct scope *scope, struct error *err)
{
    int16_t kind;
    int32_t no;

    *scope = (struct scope){ 0 };
    if (!settlement_find_caller(errand, &kind, &no, err))
        return false;
    scope->bank_no = kind == PARTY_BANK ? no : 0;
    scope->merchant_no = kind == PARTY_MERCHANT ? no : 0;
    scope->carrier_no = kind == PARTY_CARRIER ? no : 0;
    return true;
}

/* Statements */

static Alliance__V1__StatementTotals *shape_totals(struct arena *arena, const struct statement_row *row)
{
    Alliance__V1__StatementTotals *totals = shape_new(arena, &alliance__v1__statement_totals__descriptor);

    if (!totals)
        return NULL;
    totals->confirmed_count = row->confirmed_count;
    totals->confirmed_points = row->confirmed_points;
    totals->reversed_count = row->reversed_count;
    totals->reversed_points = row->reversed_points;
    totals->gross_minor = row->gross_minor;
    totals->commission_minor = row->commission_minor;
    totals->net_minor = row->net_minor;
    return totals;
}

static char *shape_hex(struct arena *arena, const struct bytes *bytes)
{
    char *text = arena_alloc(arena, 2 * bytes->size + 1);

    if (text)
        crypto_hex(bytes->at, bytes->size, text);
    return text;
}

static Alliance__V1__StatementPosition *shape_position(struct arena *arena, const struct statement_row *row)
{
    Alliance__V1__StatementPosition *position = shape_new(arena, &alliance__v1__statement_position__descriptor);

    if (!position)
        return NULL;
    position->opening_minor = row->opening_minor;
    position->movement_minor = row->movement_minor;
    position->payable_minor = row->payable_minor;
    position->closing_minor = row->closing_minor;
    position->carried_minor = row->carried_minor;
    position->held_back_minor = row->held_back_minor;
    position->disputed_minor = row->disputed_minor;
    position->due_date = shape_date(arena, row->due_on);
    return position->due_date ? position : NULL;
}

static bool fill_statement(struct arena *arena, const struct statement_row *row, Statement *shown)
{
    shown->statement_id = shape_text(arena, row->statement_id);
    shown->programme_id = shape_text(arena, row->programme_id);
    shown->period = shape_text(arena, row->period);
    shown->type = (Alliance__V1__StatementType)row->type;
    shown->bank_id = shape_text(arena, row->bank_id);
    shown->merchant_id = shape_text(arena, row->merchant_id);
    shown->currency_code = shape_text(arena, row->currency);
    shown->state = (Alliance__V1__StatementState)row->state;
    shown->totals = shape_totals(arena, row);
    shown->line_count = row->line_count;
    shown->content_sha256 = shape_hex(arena, &row->content_sha256);
    shown->rows_root = shape_hex(arena, &row->rows_root);
    shown->calculated_time = shape_instant(arena, row->calculated_at);
    shown->carrier_id = shape_text(arena, row->carrier_id);
    shown->position = row->has_position ? shape_position(arena, row) : NULL;
    shown->statement_number = shape_text(arena, row->statement_number);
    shown->answered_by = shape_text(arena, row->answered_by);
    shown->answered_date = row->answered_on.days > 0 ? shape_date(arena, row->answered_on) : shape_text(arena, "");
    return shown->answered_by && shown->answered_date && shown->statement_number && shown->carrier_id &&
           !shown->position == !row->has_position && shown->statement_id && shown->programme_id && shown->period &&
           shown->bank_id && shown->merchant_id && shown->currency_code && shown->totals && shown->content_sha256 &&
           shown->rows_root && shown->calculated_time;
}

static bool reply_statements(struct errand *errand, const struct page *at, const struct statement_row *rows,
                             size_t found, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)at->size ? found : (size_t)at->size;
    Alliance__V1__ListStatementsResponse *reply =
        errand_reply(errand, &alliance__v1__list_statements_response__descriptor, err);

    if (!reply)
        return false;
    reply->statements = arena_alloc(arena, (count + 1) * sizeof(Statement *));
    for (size_t i = 0; reply->statements && i < count; i++) {
        Statement *shown = shape_new(arena, &alliance__v1__statement__descriptor);
        if (!shown || !fill_statement(arena, &rows[i], shown))
            return errand_no_room(err);
        reply->statements[reply->n_statements++] = shown;
    }
    if (count < found)
        reply->next_page_token = page_token(errand->call, at, rows[count - 1].statement_id);
    return (reply->statements && reply->next_page_token) || errand_no_room(err);
}

/* Everything but the page that a list depends on. */
static bool read_page(const struct call *call, const ListStatements *asked, char filters[128], struct page *page,
                      struct error *err)
{
    snprintf(filters, 128, "%s/%s/%d", asked->programme_id, asked->period, (int)asked->type);
    return page_read(call, asked->page_size, asked->page_token, filters, page, err);
}

static bool list_work(struct errand *errand, struct error *err)
{
    const ListStatements *asked = (const ListStatements *)errand->request;
    const struct programme *programme = reference_programme(errand->reference, asked->programme_id);
    char filters[128];
    struct scope scope;
    struct page page;
    size_t found;
    void *rows;

    if (!programme)
        return error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
    if (!find_scope(errand, &scope, err) || !read_page(errand->call, asked, filters, &page, err))
        return false;
    struct statement_page_params params = {
        .programme_no = programme->no,
        .period = asked->period,
        .type = (int16_t)asked->type,
        .bank_no = scope.bank_no,
        .merchant_no = scope.merchant_no,
        .carrier_no = scope.carrier_no,
        .after = page.after,
        .limit = page.size + 1,
    };
    return db_fetch(errand->db, &statement_list, &params, &errand->call->arena, &rows, &found, err) &&
           reply_statements(errand, &page, rows, found, err);
}

static bool check_period(const char *period, struct error *err)
{
    struct period ignored;

    return text_empty(period) || period_parse(period, &ignored) ||
           error_field(err, REASON_FIELD_INVALID, "period", "must be " PERIOD_SHAPES ", or empty for all");
}

static bool list_statements(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const ListStatements *asked = (const ListStatements *)request;
    char filters[128];
    struct page page;

    return check_id("programme_id", asked->programme_id, err) && check_period(asked->period, err) &&
           check_range("type", asked->type, 0, ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_TAX, err) &&
           read_page(call, asked, filters, &page, err) && errand_read(call, request, list_work, err);
}

bool settlement_find_statement(struct errand *errand, const char *statement_id, struct statement_row *row,
                               struct error *err)
{
    struct statement_id_params params = { .statement_id = statement_id };
    struct scope scope;
    bool found;

    if (!find_scope(errand, &scope, err))
        return false;
    params.bank_no = scope.bank_no;
    params.merchant_no = scope.merchant_no;
    params.carrier_no = scope.carrier_no;
    if (!db_fetch_one(errand->db, &statement_find, &params, &errand->call->arena, row, &found, err))
        return false;
    return found || error_field(err, REASON_STATEMENT_NOT_FOUND, "statement_id", "%s", "");
}

bool settlement_reply_statement(struct errand *errand, const struct statement_row *row, struct error *err)
{
    Statement *shown = errand_reply(errand, &alliance__v1__statement__descriptor, err);

    return shown && (fill_statement(&errand->call->arena, row, shown) || errand_no_room(err));
}

static bool get_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__GetStatementRequest *asked = (const Alliance__V1__GetStatementRequest *)errand->request;
    struct statement_row row;

    return settlement_find_statement(errand, asked->statement_id, &row, err) &&
           settlement_reply_statement(errand, &row, err);
}

bool settlement_check_statement_id(const char *statement_id, struct error *err)
{
    return text_is_ref(statement_id, STATEMENT_ID_MAX, "-/") ||
           error_field(err, REASON_FIELD_INVALID, "statement_id", "must be as ListStatements gives it");
}

static bool get_statement(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__GetStatementRequest *asked = (const Alliance__V1__GetStatementRequest *)request;

    return settlement_check_statement_id(asked->statement_id, err) && errand_read(call, request, get_work, err);
}

/* Lines */

static bool fill_line(struct arena *arena, const struct statement_line_row *row, Line *line)
{
    char redemption_id[REDEMPTION_ID_TEXT], request_id[UUID_TEXT];

    redemption_id_format(&row->redemption_id, member_hash16(&row->member_id), redemption_id);
    uuid_format(&row->request_id, request_id);
    line->line_number = row->line_number;
    line->business_date = shape_date(arena, row->business_date);
    line->time = shape_instant(arena, row->at);
    line->kind = shape_text(arena, entry_kind_name(row->kind));
    line->redemption_id = shape_text(arena, redemption_id);
    line->request_id = shape_text(arena, request_id);
    line->store_id = shape_text(arena, row->store_id);
    line->points = row->points;
    line->gross_minor = row->gross_minor;
    line->commission_minor = row->commission_minor;
    line->net_minor = row->net_minor;
    line->rules_version = row->rules_version;
    line->terms_version = row->terms_version;
    return line->business_date && line->time && line->kind && line->redemption_id && line->request_id && line->store_id;
}

static bool reply_lines(struct errand *errand, const struct page *at, const struct statement_row *statement,
                        const struct statement_line_row *rows, size_t count, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    char last[24] = "";
    Alliance__V1__ListStatementLinesResponse *reply =
        errand_reply(errand, &alliance__v1__list_statement_lines_response__descriptor, err);

    if (!reply)
        return false;
    reply->lines = arena_alloc(arena, (count + 1) * sizeof(Line *));
    for (size_t i = 0; reply->lines && i < count; i++) {
        Line *line = shape_new(arena, &alliance__v1__statement_line__descriptor);
        if (!line || !fill_line(arena, &rows[i], line))
            return errand_no_room(err);
        reply->lines[reply->n_lines++] = line;
    }
    if (count && rows[count - 1].line_number < statement->line_count) {
        snprintf(last, sizeof last, "%lld", (long long)rows[count - 1].line_number);
        reply->next_page_token = page_token(errand->call, at, last);
    }
    return (reply->lines && reply->next_page_token) || errand_no_room(err);
}

/* The number of the last line shown, 0 at the start; false for what no line has as its number. */
static bool read_line_number(const char *key, int64_t *number)
{
    size_t digits = strspn(key, "0123456789");

    *number = strtoll(key, NULL, 10);
    return digits <= 18 && key[digits] == '\0';
}

static bool lines_work(struct errand *errand, struct error *err)
{
    const ListLines *asked = (const ListLines *)errand->request;
    struct statement_row statement;
    struct page page;
    int64_t after;
    size_t count;
    void *rows;

    if (!settlement_find_statement(errand, asked->statement_id, &statement, err) ||
        !page_read(errand->call, asked->page_size, asked->page_token, asked->statement_id, &page, err))
        return false;
    if (statement.type != ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_PAIR)
        return error_field(err, REASON_FIELD_INVALID, "statement_id", "must be that of a PAIR statement");
    if (!read_line_number(page.after, &after))
        return page_refuse_token(err);
    struct statement_lines_params params = { statement.statement_no, after, after + page.size };
    return db_fetch(errand->db, &statement_list_lines, &params, &errand->call->arena, &rows, &count, err) &&
           reply_lines(errand, &page, &statement, rows, count, err);
}

static bool list_lines(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const ListLines *asked = (const ListLines *)request;
    struct page page;

    return settlement_check_statement_id(asked->statement_id, err) &&
           page_read(call, asked->page_size, asked->page_token, asked->statement_id, &page, err) &&
           errand_read(call, request, lines_work, err);
}

enum { PARTIES = ROLE_BANK | ROLE_MERCHANT | ROLE_CARRIER, READERS = ROLE_OPERATOR | PARTIES };

static const struct method methods[] = {
    { "ListStatements", READERS, list_statements, NULL },
    { "GetStatement", READERS, get_statement, NULL },
    { "ListStatementLines", ROLE_OPERATOR | ROLE_BANK | ROLE_MERCHANT, list_lines, NULL },
    { "PublishSettlementContract", ROLE_OPERATOR, settlement_publish_contract, NULL },
    { "ListSettlementContracts", ROLE_OPERATOR, settlement_list_contracts, NULL },
    { "ProposeCorrection", ROLE_OPERATOR, settlement_propose_correction, NULL },
    { "ApproveCorrection", ROLE_OPERATOR, settlement_approve_correction, NULL },
    { "ListCorrections", ROLE_OPERATOR, settlement_list_corrections, NULL },
    { "SetPartyAccount", ROLE_OPERATOR, settlement_set_account, NULL },
    { "ApprovePartyAccount", ROLE_OPERATOR, settlement_approve_account, NULL },
    { "ListPartyAccounts", READERS, settlement_list_accounts, NULL },
    { "ApprovePeriod", ROLE_OPERATOR, settlement_approve_period, NULL },
    { "ListPeriods", ROLE_OPERATOR, settlement_list_periods, NULL },
    { "ConfirmStatement", PARTIES, settlement_confirm_statement, NULL },
    { "DisputeStatement", PARTIES, settlement_dispute_statement, NULL },
    { "StepDispute", READERS, settlement_step_dispute, NULL },
    { "GetDispute", READERS, settlement_get_dispute, NULL },
    { "ListDisputes", READERS, settlement_list_disputes, NULL },
    { "ListStatementPostings", READERS, settlement_list_postings, NULL },
    { "PublishCalendar", ROLE_OPERATOR, settlement_publish_calendar, NULL },
    { "GetCalendar", READERS, settlement_get_calendar, NULL },
    { "ListReceivables", READERS, settlement_list_receivables, NULL },
};
const struct service settlement_service = { &alliance__v1__settlement_service__descriptor, methods, COUNT(methods) };
