#include "late_fees.h"

#include "domain/settle_contract.h"
#include "late_fee_store.h"
#include "money.h"
#include "store/calendar_store.h"
#include "store/correction_store.h"

#include <inttypes.h>
#include <string.h>

struct tally {
    int64_t all, before, now;
};

/* "31-60" */
static void days_of(const struct late_fee_row *row, char text[32])
{
    int64_t first = (int64_t)(row->span - 1) * LATE_FEE_DAYS;

    snprintf(text, 32, "%" PRId64 "-%" PRId64, first + 1, first + LATE_FEE_DAYS);
}

static const char *state_name(int state)
{
    static const char *const names[] = { "-", "PROPOSED", "APPROVED", "TAKEN" };

    return names[state > 0 && state < (int)COUNT(names) ? state : 0];
}

static void show(const struct late_fee_row *row, int64_t unpaid, int64_t fee, FILE *out)
{
    char days[32], begins[DATE_TEXT], open[MONEY_TEXT], disputed[MONEY_TEXT], cost[MONEY_TEXT], correction[48] = "-";

    days_of(row, days);
    date_format(row->begins, begins);
    money_format(unpaid, row->currency, open);
    money_format(row->disputed_minor, row->currency, disputed);
    money_format(fee, row->currency, cost);
    if (row->correction_no > 0)
        snprintf(correction, sizeof correction, "%" PRId64 " %s", row->correction_no, state_name(row->state));
    fprintf(out, "%-16s  %-24s  %-9s  %s  %16s  %16s  %5" PRId32 "  %16s  %s  %s\n", row->number, row->party_id, days,
            begins, open, disputed, row->late_fee_bp, cost, row->currency, correction);
}

static bool propose(struct close_run *run, const struct late_order *order, struct late_fee_row *row, int64_t unpaid,
                    int64_t fee, struct arena *arena, struct error *err)
{
    char refers_to[CORRECTION_TEXT_MAX + 32], reason[CORRECTION_TEXT_MAX], days[32], open[MONEY_TEXT];
    struct correction_row made;

    days_of(row, days);
    money_format(unpaid, row->currency, open);
    snprintf(refers_to, sizeof refers_to, "%s days %s", row->statement_id, days);
    snprintf(reason, sizeof reason, "days %s late: %" PRId32 " bp of %s %s", days, row->late_fee_bp, open,
             row->currency);
    struct correction asked = {
        .programme_no = run->programme_no,
        .request_id = row->request_id,
        .currency = row->currency,
        .kind = POSTING_LATE_FEE,
        .from_party = row->party,
        .from_no = row->party_no,
        .to_party = PARTY_OPERATOR,
        .amount_minor = fee,
        .reason = reason,
        .refers_to = refers_to,
        .maker = order->by,
    };
    if (!correction_propose(run->db, &asked, arena, &made, err))
        return false;
    row->correction_no = made.correction_no;
    row->state = made.state;
    return true;
}

/* A fee that was proposed stays as it was, also when less turns out to have been unpaid. */
static bool charge(struct close_run *run, const struct late_order *order, struct late_fee_row *row, int64_t *charged,
                   struct arena *arena, struct tally *tally, FILE *out, struct error *err)
{
    const struct late_span span = { row->asked_minor, row->received_minor, row->disputed_minor, *charged,
                                    row->late_fee_bp };
    bool before = row->correction_no > 0;
    int64_t unpaid, fee;

    if (!late_fee_of(&span, &unpaid, &fee, err))
        return false;
    fee = before ? row->proposed_minor : fee;
    if (fee == 0)
        return true;
    if (!before && order->propose && !propose(run, order, row, unpaid, fee, arena, err))
        return false;
    *charged += fee;
    tally->all++;
    tally->before += before;
    tally->now += !before && order->propose;
    show(row, unpaid, fee, out);
    return true;
}

static bool check_day(struct close_run *run, const struct late_order *order, struct arena *arena, struct error *err)
{
    const struct calendar_about_params params = { run->programme_no };
    struct calendar_about_row now = { 0 };
    char open[DATE_TEXT];
    bool found;

    if (!order->propose)
        return true;
    if (!db_fetch_one(run->db, &calendar_about, &params, arena, &now, &found, err))
        return false;
    date_format(now.open_date, open);
    return order->as_of.days <= now.open_date.days ||
           error_field(err, REASON_FIELD_INVALID, "--as-of",
                       "must not be later than %s, the open business date, when fees are proposed", open);
}

bool late_fees(struct close_run *run, const struct late_order *order, FILE *out, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct late_fee_row *rows;
    struct tally tally = { 0 };
    int64_t charged = 0;
    size_t count;

    if (!check_day(run, order, &arena, err) ||
        !late_fee_store_spans(run->db, run->programme_no, order->as_of, &arena, &rows, &count, err))
        return false;
    fprintf(out, "%-16s  %-24s  %-9s  %-10s  %16s  %16s  %5s  %16s  %s  %s\n", "STATEMENT", "PARTY", "DAYS LATE",
            "FROM", "UNPAID", "DISPUTED", "BP", "FEE", "CUR", "CORRECTION");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(rows[i].statement_id, rows[i - 1].statement_id) != 0)
            charged = 0;
        if (!charge(run, order, &rows[i], &charged, &arena, &tally, out, err))
            return false;
    }
    fprintf(out, "%" PRId64 " late fees: %" PRId64 " proposed before, %" PRId64 " now, %" PRId64 " not yet\n",
            tally.all, tally.before, tally.now, tally.all - tally.before - tally.now);
    return true;
}
