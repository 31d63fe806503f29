#include "pay_commands.h"

#include "base/exact.h"
#include "money.h"
#include "pay_out.h"
#include "pay_read.h"
#include "pay_store.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static bool run_payout(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                       struct error *err)
{
    const struct passwd *user = getpwuid(geteuid());
    struct pay_order order = {
        .period = &options->period,
        .execute_on = options->on,
        .statements_dir = options->out ? options->out : statements_dir,
        .by = options->by ? options->by
              : user      ? user->pw_name
                          : "unknown",
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

/* Days late, as columns. */
static const struct {
    const char *name;
    int32_t from; /* days after the due date */
} ages[] = { { "NOT DUE", INT32_MIN }, { "1-30", 1 }, { "31-60", 31 }, { "61-90", 61 }, { "OVER 90", 91 } };

static size_t age_of(int32_t days)
{
    size_t age = 0;

    for (size_t i = 1; i < COUNT(ages); i++) {
        if (days >= ages[i].from)
            age = i;
    }
    return age;
}

static void show_aged(const struct pay_aged *of, struct date on, FILE *out)
{
    char due[DATE_TEXT], asked[MONEY_TEXT], open[MONEY_TEXT];
    int32_t days = on.days - of->due_on.days;

    date_format(of->due_on, due);
    money_format(of->asked_minor, of->currency, asked);
    money_format(of->asked_minor - of->received_minor, of->currency, open);
    fprintf(out, "%-16s  %-24s  %s  %6" PRId32 "  %-7s  %16s  %16s  %s\n", of->number, of->party_id, due,
            days > 0 ? days : 0, ages[age_of(days)].name, asked, open, of->currency);
}

/* One line a currency, in the order they first come, with what is open by age. */
static bool show_sums(const struct pay_aged *aged, size_t count, struct date on, FILE *out, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        int64_t sums[COUNT(ages)] = { 0 };
        char text[MONEY_TEXT];
        size_t first = 0;
        while (strcmp(aged[first].currency, aged[i].currency) != 0)
            first++;
        if (first != i)
            continue;
        for (size_t k = i; k < count; k++) {
            int64_t *sum = &sums[age_of(on.days - aged[k].due_on.days)];
            if (strcmp(aged[k].currency, aged[i].currency) == 0 &&
                !exact_add(*sum, aged[k].asked_minor - aged[k].received_minor, sum))
                return error_set(err, REASON_DOES_NOT_TIE, "what is open in %s does not fit", aged[i].currency);
        }
        fprintf(out, "%s:", aged[i].currency);
        for (size_t age = 0; age < COUNT(ages); age++) {
            money_format(sums[age], aged[i].currency, text);
            fprintf(out, "  %s %s", ages[age].name, text);
        }
        fputc('\n', out);
    }
    return true;
}

static bool run_ageing(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                       struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct pay_aged *aged;
    size_t count;

    (void)statements_dir;
    if (!pay_store_aged(run->db, run->programme_no, &arena, &aged, &count, err))
        return false;
    fprintf(out, "%-16s  %-24s  %-10s  %6s  %-7s  %16s  %16s  %s\n", "STATEMENT", "PARTY", "DUE", "DAYS", "AGE",
            "ASKED", "OPEN", "CUR");
    for (size_t i = 0; i < count; i++)
        show_aged(&aged[i], options->on, out);
    return show_sums(aged, count, options->on, out, err);
}

bool pay_command_run(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                     struct error *err)
{
    static bool (*const runs[PAY_COMMANDS])(
        struct close_run *, const struct pay_options *, const char *, FILE *,
        struct error *) = { [PAY_PAYOUT] = run_payout, [PAY_READ] = run_read, [PAY_AGEING] = run_ageing };

    return runs[options->command](run, options, statements_dir, out, err);
}
