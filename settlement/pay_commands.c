#include "pay_commands.h"

#include "domain/ageing.h"
#include "late_fees.h"
#include "money.h"
#include "pay_out.h"
#include "pay_read.h"
#include "sheet.h"
#include "store/receivable_store.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

/* The person who asks. */
static const char *asks(const struct pay_options *options)
{
    const struct passwd *user = options->by ? NULL : getpwuid(geteuid());

    return options->by ? options->by : user ? user->pw_name : "unknown";
}

static bool run_payout(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                       struct error *err)
{
    struct pay_order order = {
        .period = &options->period,
        .execute_on = options->on,
        .statements_dir = options->out ? options->out : statements_dir,
        .by = asks(options),
    };

    return pay_out(run, &order, out, err);
}

static bool run_read(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                     struct error *err)
{
    struct pay_tally tally;

    (void)statements_dir;
    if (!pay_read(run, options->file, &tally, err))
        return false;
    fprintf(out,
            "%" PRId64 " records, %" PRId64 " known before: %" PRId64 " payouts accepted, %" PRId64 " paid, %" PRId64
            " rejected or returned; %" PRId64 " receipts; %" PRId64 " match nothing\n",
            tally.records, tally.before, tally.accepted, tally.paid, tally.rejected, tally.received, tally.other);
    return true;
}

static void show_aged(const struct receivable_row *of, struct date on, FILE *out)
{
    char due[DATE_TEXT], asked[MONEY_TEXT], open[MONEY_TEXT];
    int32_t days = on.days - of->due_on.days;

    date_format(of->due_on, due);
    money_format(of->asked_minor, of->currency, asked);
    money_format(of->asked_minor - of->received_minor, of->currency, open);
    fprintf(out, "%-16s  %-24s  %s  %6" PRId32 "  %-7s  %16s  %16s  %s\n", of->number, of->party_id, due,
            days > 0 ? days : 0, ageing_name(ageing_of(days)), asked, open, of->currency);
}

/* By the page: there may be many. */
static bool show_all(struct close_run *run, struct date on, FILE *out, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct receivable_list_params params = { .programme_no = run->programme_no, .after_number = "", .limit = PAGE_MAX };
    char after[SHEET_NUMBER_TEXT];
    size_t count;
    void *fetched;

    do {
        arena_reset(&arena);
        if (!db_fetch(run->db, &receivable_list, &params, &arena, &fetched, &count, err))
            return false;
        const struct receivable_row *rows = fetched;
        for (size_t i = 0; i < count; i++)
            show_aged(&rows[i], on, out);
        if (count > 0) {
            snprintf(after, sizeof after, "%s", rows[count - 1].number);
            params.after_due = rows[count - 1].due_on;
            params.after_number = after;
        }
    } while (count == PAGE_MAX);
    return true;
}

/* One line a currency, with what is open by age. */
static bool show_sums(struct close_run *run, struct date on, FILE *out, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    const struct receivable_sums_params params = { .programme_no = run->programme_no,
                                                   .on = on,
                                                   .ages_from = { ageing_from, COUNT(ageing_from) } };
    const struct receivable_sum_row *sums;
    char text[MONEY_TEXT];
    size_t count;
    void *rows;

    if (!db_fetch(run->db, &receivable_sums, &params, &arena, &rows, &count, err))
        return false;
    sums = rows;
    for (size_t i = 0; i < count;) {
        const char *currency = sums[i].currency;
        fprintf(out, "%s:", currency);
        for (int age = 0; age < AGEING_COUNT; age++) {
            bool here = i < count && strcmp(sums[i].currency, currency) == 0 && sums[i].age == age;
            money_format(here ? sums[i].open_minor : 0, currency, text);
            fprintf(out, "  %s %s", ageing_name((enum ageing)age), text);
            i += here;
        }
        fputc('\n', out);
    }
    return true;
}

static bool run_ageing(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                       struct error *err)
{
    (void)statements_dir;
    fprintf(out, "%-16s  %-24s  %-10s  %6s  %-7s  %16s  %16s  %s\n", "STATEMENT", "PARTY", "DUE", "DAYS", "AGE",
            "ASKED", "OPEN", "CUR");
    return show_all(run, options->on, out, err) && show_sums(run, options->on, out, err);
}

static bool run_late_fees(struct close_run *run, const struct pay_options *options, const char *statements_dir,
                          FILE *out, struct error *err)
{
    const struct late_order order = { options->on, options->propose, asks(options) };

    (void)statements_dir;
    return late_fees(run, &order, out, err);
}

bool pay_command_run(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                     struct error *err)
{
    static bool (*const runs[PAY_COMMANDS])(struct close_run *, const struct pay_options *, const char *, FILE *,
                                            struct error *) = {
        [PAY_PAYOUT] = run_payout, [PAY_READ] = run_read, [PAY_AGEING] = run_ageing, [PAY_LATE_FEES] = run_late_fees
    };

    return runs[options->command](run, options, statements_dir, out, err);
}
