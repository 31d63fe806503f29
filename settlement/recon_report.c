#include "recon_report.h"

#include "csv.h"
#include "money.h"
#include "new_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGES = 4, AGE_STEP = 30 };

void recon_report_result(const struct recon_result *result, const struct recon_order *order, FILE *out)
{
    fprintf(out, "%s %s %s: %s\n%-14s %12s %12s\n", order->side == RECON_BANK ? "bank" : "merchant", order->party_id,
            order->period->text, result->already ? "this file was compared before" : "compared", "class", "ours",
            "theirs");
    for (int i = 1; i < RECON_CLASS_COUNT; i++) {
        if (i == RECON_MATCHED || result->ours[i] || result->theirs[i])
            fprintf(out, "%-14s %12" PRId64 " %12" PRId64 "\n", recon_class_name(i), result->ours[i],
                    result->theirs[i]);
    }
    fprintf(out, "%-14s %12" PRId64 " %12" PRId64 "\n", "all", result->ours[0], result->theirs[0]);
    if (result->paired)
        fprintf(out, "%" PRId64 " breaks of two periods explain each other\n", result->paired);
}

bool recon_difference(const struct recon_break_row *row, int64_t *minor)
{
    bool both = *row->our_currency && *row->their_currency, undone = row->their_state == RECON_REVERSE;

    if (both && row->our_state != row->their_state) {
        *minor = row->our_minor < row->their_minor ? row->our_minor : row->their_minor;
        *minor = undone ? -*minor : *minor;
    } else {
        *minor = (undone ? -row->their_minor : row->their_minor) -
                 (row->our_state == RECON_REVERSE ? -row->our_minor : row->our_minor);
    }
    return !both || strcmp(row->our_currency, row->their_currency) == 0;
}

/* "2017-01-03 CONFIRM 12.34 USD", "nothing". */
static void side_text(struct date date, int state, int64_t minor, const char *currency, char *text, size_t room)
{
    char day[DATE_TEXT], amount[MONEY_TEXT];

    if (!*currency) {
        snprintf(text, room, "nothing");
        return;
    }
    date_format(date, day);
    money_format(minor, currency, amount);
    snprintf(text, room, "%s %s %s %s", day, recon_state_name(state), amount, currency);
}

void recon_report_sides(const struct recon_break_row *row, char ours[80], char theirs[80])
{
    side_text(row->our_date, row->our_state, row->our_minor, row->our_currency, ours, 80);
    side_text(row->their_date, row->their_state, row->their_minor, row->their_currency, theirs, 80);
}

/* ---- the table ---- */

struct table {
    FILE *out;
    int64_t count, ages[AGES];
};

static bool print_row(void *owner, const void *from, struct error *err)
{
    const struct recon_break_row *row = from;
    struct table *table = owner;
    char ours[80], theirs[80];
    int age = row->age_days / AGE_STEP;

    (void)err;
    side_text(row->our_date, row->our_state, row->our_minor, row->our_currency, ours, sizeof ours);
    side_text(row->their_date, row->their_state, row->their_minor, row->their_currency, theirs, sizeof theirs);
    if (table->count++ == 0)
        fprintf(table->out, "%7s %-13s %-10s %-8s %-10s %4s  %-36s %-36s %s\n", "break", "class", "state", "period",
                "party", "days", "ours", "theirs", "key");
    fprintf(table->out, "%7" PRId64 " %-13s %-10s %-8s %-10s %4d  %-36s %-36s %s\n", row->break_no,
            recon_class_name(row->class), recon_break_state_name(row->state), row->period, row->party_id,
            (int)row->age_days, ours, theirs, row->key);
    table->ages[age < 0 ? 0 : age < AGES ? age : AGES - 1]++;
    return true;
}

bool recon_report_table(struct db *db, const struct recon_break_filter *filter, FILE *out, struct error *err)
{
    struct table table = { .out = out };

    if (!recon_store_each_break(db, filter, print_row, &table, err))
        return false;
    fprintf(out,
            "%" PRId64 " breaks; days since the period's end: under 30 %" PRId64 ", under 60 %" PRId64
            ", under 90 %" PRId64 ", more %" PRId64 "\n",
            table.count, table.ages[0], table.ages[1], table.ages[2], table.ages[3]);
    return true;
}

/* ---- one ---- */

static bool print_one(void *owner, const void *from, struct error *err)
{
    const struct recon_break_row *row = from;
    struct table *table = owner;
    char ours[80], theirs[80], amount[MONEY_TEXT];
    int64_t difference;

    (void)err;
    table->count++;
    side_text(row->our_date, row->our_state, row->our_minor, row->our_currency, ours, sizeof ours);
    side_text(row->their_date, row->their_state, row->their_minor, row->their_currency, theirs, sizeof theirs);
    fprintf(table->out, "break        %" PRId64 "\nclass        %s\nstate        %s\nperiod       %s, %d days ago\n",
            row->break_no, recon_class_name(row->class), recon_break_state_name(row->state), row->period,
            (int)row->age_days);
    fprintf(table->out, "party        %s %s\nbank         %s\nmerchant     %s\nkey          %s\n",
            row->party_type == RECON_BANK ? "bank" : "merchant", row->party_id, row->bank_id, row->merchant_id,
            row->key);
    fprintf(table->out, "ours         %s, %" PRId64 " points\ntheirs       %s", ours, row->our_points, theirs);
    if (row->their_points >= 0)
        fprintf(table->out, ", %" PRId64 " points", row->their_points);
    if (recon_difference(row, &difference)) {
        money_format(difference, *row->our_currency ? row->our_currency : row->their_currency, amount);
        fprintf(table->out, "\ndifference   %s", amount);
    }
    fprintf(table->out, "\nfile         %s, line %" PRId64 "\nlooked for   in %d later periods\n", row->file_name,
            row->their_line, (int)row->retries);
    if (row->pair_break_no)
        fprintf(table->out, "other half   break %" PRId64 "\n", row->pair_break_no);
    if (row->correction_no)
        fprintf(table->out, "correction   %" PRId64 "\n", row->correction_no);
    if (row->dispute_no)
        fprintf(table->out, "dispute      %" PRId64 "\n", row->dispute_no);
    if (*row->note)
        fprintf(table->out, "note         %s\n", row->note);
    return true;
}

bool recon_report_one(struct db *db, const struct recon_break_filter *filter, FILE *out, struct error *err)
{
    struct table table = { .out = out };

    return recon_store_each_break(db, filter, print_one, &table, err) &&
           (table.count > 0 || error_field(err, REASON_FIELD_INVALID, "--break",
                                           "there is no break %" PRId64 " in the programme", filter->break_no));
}

/* ---- CSV ---- */

static void put_text(struct new_file *file, const char *text, const char *after)
{
    char cell[CSV_CELL_SIZE(256)];

    csv_cell(text, cell, sizeof cell);
    new_file_text(file, cell);
    new_file_text(file, after);
}

static void put_side(struct new_file *file, struct date date, int state, int64_t minor, const char *currency,
                     int64_t points)
{
    char day[DATE_TEXT], amount[MONEY_TEXT];

    if (!*currency) {
        new_file_text(file, ",,,,,");
        return;
    }
    date_format(date, day);
    money_format(minor, currency, amount);
    new_file_print(file, "%s,%s,%s,%s,", day, recon_state_name(state), amount, currency);
    if (points >= 0)
        new_file_print(file, "%" PRId64, points);
    new_file_text(file, ",");
}

static bool put_row(void *owner, const void *from, struct error *err)
{
    const struct recon_break_row *row = from;
    struct new_file *file = owner;
    char amount[MONEY_TEXT] = "";
    int64_t difference;

    (void)err;
    if (recon_difference(row, &difference))
        money_format(difference, *row->our_currency ? row->our_currency : row->their_currency, amount);
    new_file_print(file, "%" PRId64 ",%s,%s,%s,%s,%s,", row->break_no, recon_class_name(row->class),
                   recon_break_state_name(row->state), row->party_type == RECON_BANK ? "BANK" : "MERCHANT",
                   row->party_id, row->period);
    put_text(file, row->key, ",");
    put_text(file, row->bank_id, ",");
    put_text(file, row->merchant_id, ",");
    put_side(file, row->our_date, row->our_state, row->our_minor, row->our_currency, row->our_points);
    put_side(file, row->their_date, row->their_state, row->their_minor, row->their_currency, row->their_points);
    new_file_print(file, "%s,", amount);
    put_text(file, row->file_name, ",");
    new_file_print(file, "%" PRId64 ",%d,%d,%" PRId64 ",%" PRId64 ",", row->their_line, (int)row->retries,
                   (int)row->age_days, row->pair_break_no, row->correction_no);
    put_text(file, row->note, ",");
    new_file_print(file, "%" PRId64 "\r\n", row->dispute_no);
    return true;
}

static const char header[] =
    "break,class,state,party_type,party_id,period,key,bank_id,merchant_id,our_date,our_state,our_amount,our_currency,"
    "our_points,their_date,their_state,their_amount,their_currency,their_points,difference,file_name,line,retries,"
    "age_days,other_half,correction,note,dispute\r\n";

static void close_descriptor(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void free_file(struct new_file **file)
{
    if (*file)
        new_file_release(*file);
    free(*file);
}

static bool write_rows(struct db *db, const struct recon_break_filter *filter, int directory, const char *name,
                       struct error *err)
{
    CLEANUP(free_file) struct new_file *file = calloc(1, sizeof *file);
    uint8_t content[CRYPTO_HASH];

    if (!file)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!new_file_open(file, directory, name, err))
        return false;
    new_file_text(file, header);
    if (recon_store_each_break(db, filter, put_row, file, err) && new_file_finish(file, content, err))
        return new_file_publish(directory, name, err) && new_file_sync_directory(directory, err);
    new_file_discard(directory, name);
    return false;
}

static void free_text(char **text)
{
    free(*text);
}

bool recon_report_csv(struct db *db, const struct recon_break_filter *filter, const char *path, struct error *err)
{
    CLEANUP(free_text) char *folder = strdup(path);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    CLEANUP(close_descriptor) int directory = -1;

    if (!folder)
        return error_set(err, REASON_INTERNAL, "out of memory");
    directory = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || !*name || strlen(name) > NEW_FILE_NAME - 20)
        return error_field(err, REASON_FIELD_INVALID, "--report", "%.150s cannot be written", path);
    return write_rows(db, filter, directory, name, err);
}
