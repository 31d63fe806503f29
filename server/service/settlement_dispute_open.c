/*
 * settlement_dispute_open.c -- DisputeStatement: a line of an issued PAIR statement, or a posting of the caller's own
 * roll-up, is contested.
 */
#include "domain/settle_contract.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "service/check.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/dispute_store.h"

#include <string.h>

typedef Alliance__V1__DisputeStatementRequest Contest;

enum { EVIDENCE_MAX = 500, DISPUTE_CODE_MAX = 32 };

/* A reversal is in the bank's favour already: what it contests of it, it would get twice. */
static bool find_line(struct errand *errand, const struct statement_row *statement, int64_t number, int16_t opener,
                      int64_t *gross, struct error *err)
{
    const struct statement_lines_params params = { statement->statement_no, number - 1, number };
    size_t count;
    void *rows;

    if (!db_fetch(errand->db, &statement_list_lines, &params, &errand->call->arena, &rows, &count, err))
        return false;
    if (count == 0)
        return error_field(err, REASON_STATEMENT_LINE_NOT_FOUND, "line_number", "%s", "");
    *gross = ((const struct statement_line_row *)rows)->gross_minor;
    if (*gross < 0 && opener == PARTY_BANK)
        return error_field(err, REASON_FIELD_INVALID, "line_number",
                           "must be a confirmation: by a reversal the bank has got its money back");
    *gross = *gross < 0 ? -*gross : *gross;
    return true;
}

/* What is contested of it, or was got. */
static bool about_line(struct errand *errand, const struct statement_row *statement, struct dispute_open_params *params,
                       int64_t *contested, int64_t *open, bool *answered, struct error *err)
{
    const struct dispute_line_params about = { statement->statement_no, params->line_number, params->opener };
    struct dispute_line_row line = { 0 };
    bool found;

    if (statement->type != ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_PAIR)
        return error_field(err, REASON_FIELD_INVALID, "statement_id",
                           "must be that of a PAIR statement; of others a posting_number is contested");
    if (!find_line(errand, statement, params->line_number, params->opener, &params->line_minor, err) ||
        !db_fetch_one(errand->db, &dispute_line, &about, &errand->call->arena, &line, &found, err))
        return false;
    *contested = line.contested_minor;
    *open = line.open;
    *answered = line.answered;
    return true;
}

static bool about_posting(struct errand *errand, const struct statement_row *statement,
                          struct dispute_open_params *params, int64_t *contested, int64_t *open, bool *answered,
                          struct error *err)
{
    const struct dispute_posting_params about = { statement->statement_no, params->posting_no };
    struct dispute_posting_row posting = { 0 };
    bool found;

    if (!settlement_is_roll_up(statement, params->opener))
        return error_field(err, REASON_FIELD_INVALID, "statement_id",
                           "must be that of the caller's roll-up; of a PAIR a line_number is contested");
    if (!db_fetch_one(errand->db, &dispute_posting, &about, &errand->call->arena, &posting, &found, err))
        return false;
    if (posting.posting_minor == 0)
        return error_field(err, REASON_STATEMENT_LINE_NOT_FOUND, "posting_number", "%s", "");
    params->line_minor = posting.posting_minor;
    *contested = posting.contested_minor;
    *open = posting.open;
    *answered = posting.answered;
    return true;
}

static bool may_contest(struct errand *errand, const struct statement_row *statement,
                        struct dispute_open_params *params, struct error *err)
{
    bool answered = false, posting = params->posting_no > 0;
    int64_t contested = 0, open = 0;

    if (!(posting ? about_posting : about_line)(errand, statement, params, &contested, &open, &answered, err))
        return false;
    if (statement->state < ALLIANCE__V1__STATEMENT_STATE__STATEMENT_STATE_ISSUED)
        return error_field(err, REASON_STATEMENT_NOT_ISSUED, "statement_id", "%s", "");
    if (answered)
        return error_field(err, REASON_STATEMENT_CONFIRMED, "statement_id", "%s", "");
    if (open >= DISPUTES_OPEN_MAX)
        return error_field(err, REASON_TOO_MANY_DISPUTES, posting ? "posting_number" : "line_number", "%s", "");
    return params->amount_minor <= params->line_minor - contested ||
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

/* The dispute of that request: the one there is, or a new one. */
static bool open_once(struct errand *errand, const struct statement_row *statement,
                      const struct dispute_programme_params *programme, struct dispute_open_params *params,
                      struct error *err)
{
    const struct dispute_request_params request = { programme->programme_no, params->request_id };
    struct arena *arena = &errand->call->arena;
    struct dispute_row row;
    bool found;

    if (!db_execute(errand->db, &dispute_lock, programme, NULL, err) ||
        !db_fetch_one(errand->db, &dispute_by_request, &request, arena, &row, &found, err))
        return false;
    if (found && (row.content_hash.size != params->content_hash.size ||
                  memcmp(row.content_hash.at, params->content_hash.at, params->content_hash.size) != 0))
        return error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
    if (!found && (!open_it(errand, statement, programme, &request, params, err) ||
                   !db_fetch_one(errand->db, &dispute_by_request, &request, arena, &row, &found, err)))
        return false;
    return found ? settlement_reply_dispute(errand, &row, err)
                 : error_set(err, REASON_INTERNAL, "the dispute is not there");
}

static bool contest_work(struct errand *errand, struct error *err)
{
    const Contest *asked = (const Contest *)errand->request;
    uint8_t hash[CRYPTO_HASH], evidence[CRYPTO_HASH];
    struct dispute_programme_params programme = { 0 };
    struct statement_row statement;
    int16_t kind;
    int32_t no;

    if (!settlement_find_caller(errand, &kind, &no, err) ||
        !settlement_find_statement(errand, asked->statement_id, &statement, err) ||
        !shape_hash_call(errand->call, errand->request, hash, err))
        return false;
    struct dispute_open_params params = {
        .statement_no = statement.statement_no,
        .content_hash = { hash, sizeof hash },
        .line_number = asked->line_number,
        .posting_no = (int32_t)asked->posting_number,
        .opener = kind,
        .amount_minor = asked->amount_minor,
        .reason_code = asked->reason_code,
        .evidence = asked->evidence,
        .evidence_sha256 = { evidence, asked->evidence_sha256[0] ? sizeof evidence : 0 },
        .by = errand->call->principal.uri,
        .default_days = SETTLE_DAYS_USUAL,
    };
    return settlement_find_programme(errand, statement.programme_id, &programme.programme_no, err) &&
           check_request_id(asked->request_id, clock_now(), &params.request_id, err) &&
           (!params.evidence_sha256.size || crypto_hex_decode(asked->evidence_sha256, sizeof evidence, evidence)) &&
           open_once(errand, &statement, &programme, &params, err);
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

/* A line or a posting. */
static bool check_place(const Contest *asked, struct error *err)
{
    if (asked->posting_number == 0)
        return check_range("line_number", asked->line_number, 1, INT64_MAX - 1000, err);
    return check_range("posting_number", asked->posting_number, 1, INT32_MAX, err) &&
           (asked->line_number == 0 ||
            error_field(err, REASON_FIELD_INVALID, "line_number", "must be 0 when a posting_number is contested"));
}

bool settlement_dispute_statement(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Contest *asked = (const Contest *)request;
    struct uuid id;

    return check_request_id(asked->request_id, clock_now(), &id, err) &&
           settlement_check_statement_id(asked->statement_id, err) && check_place(asked, err) &&
           check_range("amount_minor", asked->amount_minor, 1, AMOUNT_MINOR_MAX, err) &&
           check_code(asked->reason_code, err) && check_text("evidence", asked->evidence, 1, EVIDENCE_MAX, err) &&
           check_hash(asked->evidence_sha256, err) && errand_write(call, request, contest_work, err);
}
