#include "recon_dispute.h"

#include "domain/settle_contract.h"
#include "io/crypto.h"
#include "money.h"
#include "recon_correct.h"
#include "recon_dispute_store.h"
#include "recon_report.h"
#include "store/dispute_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One break on its way to a dispute; lives in recon_dispute's frame. */
struct work {
    struct db *db;
    int32_t programme_no;
    int64_t break_no;
    const char *by;
    struct arena *arena;
    struct recon_break_row found;
    struct recon_remedy remedy;
    struct recon_line line;
};

static bool refuse(struct error *err, const char *why)
{
    return error_field(err, REASON_FIELD_INVALID, "--break", "%s", why);
}

static bool check_state(const struct work *work, struct error *err)
{
    const struct recon_break_row *row = &work->found;

    if (row->state == BREAK_DISPUTABLE)
        return true;
    if (row->state == BREAK_OPEN && row->class == RECON_LATE)
        return refuse(err, "only its day differs: no money moves, so there is nothing to contest; accept it");
    if (row->state == BREAK_OPEN)
        return refuse(err, "it is looked for in the next period's file first: reconcile that, then contest it");
    return error_field(err, REASON_FIELD_INVALID, "--break", "the break is %s; there is nothing to contest",
                       recon_break_state_name(row->state));
}

/* Whom the difference is owed to. */
static int16_t opener_of(const struct work *work)
{
    int16_t party = work->found.party_type;

    if (!work->remedy.pays)
        return party;
    return party == RECON_BANK ? PARTY_MERCHANT : PARTY_BANK;
}

/* The line of the statement that the break is about. */
static bool find_line(struct work *work, struct error *err)
{
    const struct recon_break_row *row = &work->found;
    bool found = false;

    if (!recon_remedy_of(row, &work->remedy))
        return refuse(err, "there is no difference in one currency to contest; accept the break, or correct by hand");
    if (uuid_is_zero(&row->redemption_id))
        return refuse(err, "its key names no redemption, so it belongs to no line; correct or accept it");
    if (!recon_store_line(work->db, work->programme_no, row, work->arena, &work->line, &found, err))
        return false;
    if (!found)
        return refuse(err, "nobody here knows the redemption, so no statement has a line of it; correct or accept it");
    if (work->line.line_number == 0)
        return refuse(err, "the period of its line has no statement yet; close the period first");
    if (strcmp(work->line.currency, work->remedy.currency) != 0)
        return refuse(err, "its line is in another currency; correct by hand, or accept it");
    if (work->line.gross_minor < 0 && opener_of(work) == PARTY_BANK)
        return refuse(
            err, "its line is a reversal, by which the bank has got its money back; correct by hand, or accept it");
    return work->line.issued || error_field(err, REASON_STATEMENT_NOT_ISSUED, "--break", "%s", work->line.statement_id);
}

static bool check_amount(const struct work *work, struct dispute_open_params *params, struct error *err)
{
    const struct dispute_line_params about = { params->statement_no, params->line_number, params->opener };
    struct dispute_line_row line = { 0 };
    bool found;

    if (!db_fetch_one(work->db, &dispute_line, &about, work->arena, &line, &found, err))
        return false;
    if (line.agreed)
        return error_field(err, REASON_STATEMENT_CONFIRMED, "--break", "%s", work->line.statement_id);
    if (line.open >= DISPUTES_OPEN_MAX)
        return error_field(err, REASON_TOO_MANY_DISPUTES, "--break", "%s", work->line.statement_id);
    return params->amount_minor <= params->line_minor - line.contested_minor ||
           error_field(err, REASON_BEYOND_LINE, "--break", "correct it by hand instead");
}

/* Always the same for one break. */
static struct uuid request_of(const struct work *work, uint8_t hash[CRYPTO_HASH])
{
    char text[64];
    int n = snprintf(text, sizeof text, "break/%d/%" PRId64 "/dispute", (int)work->programme_no, work->break_no);

    crypto_sha256(text, (size_t)n, hash);
    return uuid_v8(hash);
}

static void describe(const struct work *work, char evidence[500])
{
    const struct recon_break_row *row = &work->found;
    char sides[2][80];

    recon_report_sides(row, sides[0], sides[1]);
    snprintf(evidence, 500,
             "reconciliation break %" PRId64 " (%s) of %s's file %.120s, line %" PRId64 ": ours %s, theirs %s",
             row->break_no, recon_class_name(row->class), row->party_id, row->file_name, row->their_line, sides[0],
             sides[1]);
}

static bool open_it(struct work *work, struct dispute_request_params *request, struct error *err)
{
    const struct recon_break_row *row = &work->found;
    const struct dispute_programme_params programme = { work->programme_no };
    char evidence[500], code[32];
    uint8_t hash[CRYPTO_HASH];

    describe(work, evidence);
    snprintf(code, sizeof code, "RECON_%s", recon_class_name(row->class));
    request->request_id = request_of(work, hash);
    struct dispute_open_params params = {
        .statement_no = work->line.statement_no,
        .request_id = request->request_id,
        .content_hash = { hash, sizeof hash },
        .line_number = work->line.line_number,
        .opener = opener_of(work),
        .line_minor = llabs(work->line.gross_minor),
        .amount_minor = work->remedy.minor,
        .reason_code = code,
        .evidence = evidence,
        .evidence_sha256 = row->file_sha256,
        .by = work->by,
        .default_days = SETTLE_DAYS_USUAL,
        .break_no = work->break_no,
    };
    return check_amount(work, &params, err) && db_execute(work->db, &dispute_open, &params, NULL, err) &&
           db_execute(work->db, &dispute_hold, request, NULL, err) &&
           db_execute(work->db, &dispute_mark_statements, &programme, NULL, err);
}

static bool mark(struct work *work, const struct dispute_row *row, struct error *err)
{
    char note[100];
    bool done = false;

    snprintf(note, sizeof note, "%.64s: dispute %" PRId64, work->by, row->dispute_no);
    return recon_store_dispute_break(work->db, work->break_no, row->dispute_no, note, &done, err) &&
           (done || error_set(err, REASON_TRY_AGAIN, "somebody else changed the break just now; look at it again"));
}

static bool contest(struct work *work, struct dispute_row *row, struct error *err)
{
    const struct dispute_programme_params programme = { work->programme_no };
    struct dispute_request_params request = { work->programme_no, { { 0 } } };
    struct dispute_find_params known = { 0 };
    bool found = false;

    /* Who waited here for another that contests the same break finds its dispute. */
    if (!db_execute(work->db, &dispute_lock, &programme, NULL, err) ||
        !recon_store_break(work->db, work->programme_no, work->break_no, work->arena, &work->found, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_FIELD_INVALID, "--break", "there is no break %" PRId64 " in the programme",
                           work->break_no);
    known.dispute_no = work->found.dispute_no;
    if (known.dispute_no > 0)
        return db_fetch_one(work->db, &dispute_find, &known, work->arena, row, &found, err);
    return check_state(work, err) && find_line(work, err) && open_it(work, &request, err) &&
           db_fetch_one(work->db, &dispute_by_request, &request, work->arena, row, &found, err) &&
           (found || error_set(err, REASON_INTERNAL, "the dispute is not there")) && mark(work, row, err);
}

bool recon_dispute(struct db *db, int32_t programme_no, int64_t break_no, const char *by, struct arena *arena,
                   struct dispute_row *row, struct error *err)
{
    struct work work = { .db = db, .programme_no = programme_no, .break_no = break_no, .by = by, .arena = arena };

    if (!db_begin(db, err))
        return false;
    if (contest(&work, row, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}
