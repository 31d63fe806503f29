#include "recon_commands.h"

#include "close_store.h"
#include "domain/settle_contract.h"
#include "money.h"
#include "recon_correct.h"
#include "recon_dispute.h"
#include "recon_report.h"
#include "recon_three.h"
#include "store/correction_store.h"
#include "store/dispute_store.h"

#include <inttypes.h>
#include <string.h>

/* What a command works with; recon_command_run's frame owns it. */
struct work {
    struct db *db;
    const struct recon_options *options;
    FILE *out;
    int32_t programme_no;
};

static bool find_party(const struct work *work, int16_t *type, int32_t *no, struct error *err)
{
    const struct recon_options *options = work->options;

    *type = options->bank ? RECON_BANK : options->merchant ? RECON_MERCHANT : 0;
    *no = 0;
    return *type == 0 || recon_store_party(work->db, work->programme_no, (enum recon_side) * type,
                                           options->bank ? options->bank : options->merchant, no, err);
}

static bool filter_of(const struct work *work, struct recon_break_filter *filter, struct error *err)
{
    const struct recon_options *options = work->options;

    *filter = (struct recon_break_filter){ .programme_no = work->programme_no,
                                           .break_no = options->break_no,
                                           .period = options->period_text ? options->period_text : "",
                                           .all = options->all };
    if (options->class && !(filter->class = (int16_t)recon_class_named(options->class)))
        return error_field(err, REASON_FIELD_INVALID, "--class", "there is no class %.30s", options->class);
    if (options->state && !(filter->state = (int16_t)recon_break_state_named(options->state)))
        return error_field(err, REASON_FIELD_INVALID, "--state", "there is no state %.30s", options->state);
    return find_party(work, &filter->party_type, &filter->party_no, err);
}

static bool run_reconcile(struct work *work, struct error *err)
{
    const struct recon_options *options = work->options;
    struct recon_order order = {
        .programme_id = options->programme,
        .period = &options->period,
        .side = options->bank ? RECON_BANK : RECON_MERCHANT,
        .party_id = options->bank ? options->bank : options->merchant,
        .read = recon_reader_named(options->format),
        .format = options->format,
        .file = { options->file, options->mapping, options->encoding, options->debits_confirm, options->max_mb },
        .rules = { options->tolerance, (int)options->days },
        .net = options->net,
    };
    struct recon_break_filter filter;
    struct recon_result result;

    if (!reconcile(work->db, &order, &result, err))
        return false;
    recon_report_result(&result, &order, work->out);
    if (!options->report)
        return true;
    return filter_of(work, &filter, err) && recon_report_csv(work->db, &filter, options->report, err);
}

static bool run_list(struct work *work, struct error *err)
{
    struct recon_break_filter filter;

    return filter_of(work, &filter, err) && recon_report_table(work->db, &filter, work->out, err) &&
           (!work->options->report || recon_report_csv(work->db, &filter, work->options->report, err));
}

static bool run_show(struct work *work, struct error *err)
{
    struct recon_break_filter filter;

    return filter_of(work, &filter, err) && recon_report_one(work->db, &filter, work->out, err);
}

static bool run_compare(struct work *work, struct error *err)
{
    const struct recon_options *options = work->options;
    struct recon_three_scope scope = { .programme_no = work->programme_no, .period = options->period.text };

    return recon_store_party(work->db, work->programme_no, RECON_BANK, options->bank, &scope.bank_no, err) &&
           recon_store_party(work->db, work->programme_no, RECON_MERCHANT, options->merchant, &scope.merchant_no,
                             err) &&
           recon_three_report(work->db, &scope, work->out, err);
}

static bool run_retry(struct work *work, struct error *err)
{
    struct recon_scope scope = { .programme_no = work->programme_no };
    int64_t paired;

    if (!find_party(work, &scope.party_type, &scope.party_no, err) ||
        !recon_store_retry(work->db, &scope, &paired, err))
        return false;
    fprintf(work->out, "%" PRId64 " breaks of two periods explain each other\n", paired);
    return true;
}

static bool run_accept(struct work *work, struct error *err)
{
    const struct recon_options *options = work->options;
    struct recon_break_filter filter;
    char note[300];
    bool done;

    snprintf(note, sizeof note, "%s: %s", options->by, options->note);
    if (!filter_of(work, &filter, err) ||
        !recon_store_end_break(work->db, work->programme_no, options->break_no, BREAK_ACCEPTED, note, &done, err))
        return false;
    if (!done)
        return error_field(err, REASON_FIELD_INVALID, "--break",
                           "only a break of the programme that is OPEN or DISPUTABLE can be accepted");
    return recon_report_one(work->db, &filter, work->out, err);
}

static void print_correction(const struct work *work, const struct correction_row *row)
{
    char amount[MONEY_TEXT];

    money_format(row->amount_minor, row->currency, amount);
    fprintf(work->out, "correction %" PRId64 " %s: %s %s pays %s %s %s %s (%s)\n", row->correction_no,
            row->state == CORRECTION_PROPOSED ? "proposed" : "approved", party_name(row->from_party), row->from_id,
            party_name(row->to_party), row->to_id, amount, row->currency, row->refers_to);
}

static bool run_correction(struct work *work, bool approve, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    const struct recon_options *options = work->options;
    struct recon_correction order = { work->programme_no, options->break_no, options->by, options->reason,
                                      options->operator_bears };
    struct correction_row row = { 0 };

    if (!(approve ? recon_approve : recon_propose)(work->db, &order, &arena, &row, err))
        return false;
    print_correction(work, &row);
    return true;
}

static bool run_correct(struct work *work, struct error *err)
{
    return run_correction(work, false, err);
}

static bool run_approve(struct work *work, struct error *err)
{
    return run_correction(work, true, err);
}

static bool run_dispute(struct work *work, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    const struct recon_options *options = work->options;
    char amount[MONEY_TEXT];
    struct dispute_row row;

    if (!recon_dispute(work->db, work->programme_no, options->break_no, options->by, &arena, &row, err))
        return false;
    money_format(row.amount_minor, row.currency, amount);
    fprintf(work->out, "dispute %" PRId64 ": %s contests %s %s of line %" PRId64 " of %s\n", row.dispute_no,
            row.opener == PARTY_BANK ? row.bank_id : row.merchant_id, amount, row.currency, row.line_number,
            row.statement_id);
    return true;
}

static bool (*const commands[RECON_COMMANDS])(struct work *work, struct error *err) = {
    [RECON_COMMAND_RECONCILE] = run_reconcile, [RECON_COMMAND_LIST] = run_list,
    [RECON_COMMAND_SHOW] = run_show,           [RECON_COMMAND_COMPARE] = run_compare,
    [RECON_COMMAND_RETRY] = run_retry,         [RECON_COMMAND_ACCEPT] = run_accept,
    [RECON_COMMAND_CORRECT] = run_correct,     [RECON_COMMAND_APPROVE] = run_approve,
    [RECON_COMMAND_DISPUTE] = run_dispute,
};

bool recon_command_run(struct db *db, const struct recon_options *options, FILE *out, struct error *err)
{
    struct work work = { .db = db, .options = options, .out = out };

    return close_store_programme(db, options->programme, &work.programme_no, err) &&
           commands[options->command](&work, err);
}
