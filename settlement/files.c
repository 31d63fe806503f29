#include "files.h"

#include "csv.h"
#include "digits.h"
#include "doc.h"
#include "doc_files.h"
#include "domain/entry.h"
#include "money.h"
#include "statement_json.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST "manifest.json"
#define END      "\r\n"

enum { ROW_MAX = 1000 };

bool files_open(struct files *files, const char *path, const char *programme_id, const struct period *period,
                struct doc_files *documents, struct error *err)
{
    char whole[PATH_MAX];

    *files = (struct files){ .directory = -1, .programme_id = programme_id, .period = period, .documents = documents };
    snprintf(whole, sizeof whole, "%.3000s/%s/%s", path, programme_id, period->text);
    if (!new_file_directory(whole, &files->directory, err) ||
        !new_file_open(&files->manifest, files->directory, MANIFEST, err))
        return false;
    files->listed = (struct json_out){ .file = &files->manifest };
    json_open(&files->listed, NULL, "{");
    json_text(&files->listed, "programmeId", programme_id);
    json_text(&files->listed, "period", period->text);
    json_open(&files->listed, "files", "[");
    return true;
}

void files_release(struct files *files)
{
    new_file_release(&files->csv);
    new_file_release(&files->json);
    new_file_release(&files->manifest);
    if (files->documents)
        doc_files_release(files->documents);
    if (files->directory >= 0)
        close(files->directory);
    files->directory = -1;
}

static bool begin_file(struct files *files, struct new_file *file, const struct sheet *sheet, const char *extension,
                       struct error *err)
{
    char name[SHEET_FILE_TEXT];

    sheet_file_name(sheet, files->programme_id, files->period->text, extension, name);
    return new_file_open(file, files->directory, name, err);
}

/* A finished file's row in the manifest. */
static void list_file(void *owner, const struct new_file *file, const uint8_t content[CRYPTO_HASH])
{
    struct files *files = owner;
    char hex[2 * CRYPTO_HASH + 1];

    crypto_hex(content, CRYPTO_HASH, hex);
    json_new_line(&files->listed);
    json_open(&files->listed, NULL, "{");
    json_text(&files->listed, "name", file->name);
    json_int64(&files->listed, "size", file->size);
    json_text(&files->listed, "sha256", hex);
    json_close(&files->listed, "}");
}

static bool end_file(struct files *files, struct new_file *file, uint8_t content[CRYPTO_HASH], struct error *err)
{
    if (!new_file_finish_unsynced(file, content, err))
        return false;
    list_file(files, file, content);
    return true;
}

/* Amounts of a CSV row, with their point where the currency has it. */
struct amounts {
    char gross[MONEY_TEXT], commission[MONEY_TEXT], net[MONEY_TEXT];
};

static struct amounts amounts_of(int64_t gross, int64_t commission, int64_t net, const char *currency)
{
    struct amounts amounts;

    money_format(gross, currency, amounts.gross);
    money_format(commission, currency, amounts.commission);
    money_format(net, currency, amounts.net);
    return amounts;
}

/* A row of the CSV that can be proved; text has room for its end. */
static void add_row(struct files *files, char *text, size_t size)
{
    uint8_t leaf[CRYPTO_HASH];

    merkle_leaf(text, size, leaf);
    merkle_add(&files->rows, leaf);
    memcpy(text + size, END, sizeof END);
    new_file_write(&files->csv, text, size + sizeof END - 1);
}

static void row(struct files *files, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void row(struct files *files, const char *format, ...)
{
    char text[ROW_MAX + sizeof END];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, ROW_MAX, format, args);
    va_end(args);
    files->csv.failed |= n < 0 || n >= ROW_MAX;
    add_row(files, text, strlen(text));
}

/* All files of a statement; the CSV's rows begin anew. */
static bool begin_all(struct files *files, struct sheet *sheet, const struct statement_doc *doc, const char *header,
                      struct error *err)
{
    files->rows.count = 0;
    sheet->documents = doc_files_wanted(doc);
    if (!doc_files_begin(files->documents, files->directory, doc, err) ||
        !begin_file(files, &files->csv, sheet, "csv", err) || !begin_file(files, &files->json, sheet, "json", err))
        return false;
    new_file_text(&files->csv, header);
    files->lines = (struct json_out){ .file = &files->json };
    json_open(&files->lines, NULL, "{");
    return true;
}

/* Pairs: a row a line. */

bool files_pair_begin(struct files *files, struct sheet *pair, const struct statement_doc *doc, struct error *err)
{
    if (!begin_all(files, pair, doc,
                   "line_number,business_date,time,kind,redemption_id,request_id,store_id,points,currency,gross,"
                   "commission,net,rules_version,terms_version" END,
                   err))
        return false;
    json_open(&files->lines, "lines", "[");
    return true;
}

/* Cells of a row, by hand: a month has millions of them, and printf would take as long as all the rest. */

static char *comma(char *at)
{
    *at = ',';
    return at + 1;
}

static char *text_cell(char *at, const char *text)
{
    return comma(stpcpy(at, text));
}

static char *number_cell(char *at, int64_t number)
{
    return comma(digits_int64(number, at));
}

static char *money_cell(char *at, int64_t minor, const char *currency)
{
    money_format(minor, currency, at);
    return comma(at + strlen(at));
}

static char *uuid_cell(char *at, const struct uuid *uuid)
{
    uuid_format(uuid, at);
    return comma(at + UUID_TEXT - 1);
}

/* "UUID.ab12": the first bytes of the member say where the redemption lies. */
static char *redemption_cell(char *at, const struct sheet_line *line)
{
    char member[2 * 2 + 1];

    crypto_hex(line->member_id.bytes, 2, member);
    at = uuid_cell(at, &line->redemption_id);
    at[-1] = '.';
    return text_cell(at, member);
}

static char *line_cells(char *at, const struct sheet *pair, const struct sheet_line *line)
{
    at = number_cell(at, line->number);
    date_format(line->business_date, at);
    at = comma(at + DATE_TEXT - 1);
    instant_format(line->at, at);
    at = comma(at + strlen(at));
    at = text_cell(at, entry_kind_name(line->reversal ? ENTRY_REVERSE : ENTRY_CONFIRM));
    at = uuid_cell(redemption_cell(at, line), &line->request_id);
    csv_cell(line->store_id, at, CSV_CELL_SIZE(ID_MAX));
    at = number_cell(comma(at + strlen(at)), line->points);
    at = text_cell(at, pair->currency);
    at = money_cell(at, line->gross_minor, pair->currency);
    at = money_cell(at, line->commission_minor, pair->currency);
    at = money_cell(at, line->net_minor, pair->currency);
    return digits_int64(line->terms_version, number_cell(at, line->rules_version));
}

void files_pair_line(struct files *files, const struct sheet *pair, const struct statement_doc *doc,
                     const struct sheet_line *line)
{
    char text[ROW_MAX + sizeof END];
    _Static_assert(ROW_MAX > CSV_CELL_SIZE(ID_MAX) + 2 * UUID_TEXT + INSTANT_TEXT + 3 * MONEY_TEXT + 6 * DIGITS_TEXT,
                   "a line's cells fit");

    add_row(files, text, (size_t)(line_cells(text, pair, line) - text));
    json_new_line(&files->lines);
    statement_json_line(&files->lines, line);
    doc_files_line(files->documents, doc, line);
}

static void pair_totals_row(struct files *files, const struct sheet *pair)
{
    const struct totals *totals = &pair->totals;
    struct amounts amounts =
        amounts_of(totals->gross_minor, totals->commission_minor, totals->net_minor, pair->currency);

    new_file_print(&files->csv, "TOTAL,%s,,,,,,%" PRId64 ",%s,%s,%s,%s,," END, pair->number,
                   totals->confirmed_points - totals->reversed_points, pair->currency, amounts.gross,
                   amounts.commission, amounts.net);
}

/* The CSV is hashed first: the others tell its hash. */
static bool end_all(struct files *files, struct sheet *sheet, const struct statement_doc *doc, struct error *err)
{
    uint8_t content[CRYPTO_HASH];

    merkle_root(&files->rows, sheet->rows_root);
    if (!end_file(files, &files->csv, sheet->content, err))
        return false;
    statement_json_goods(&files->lines, doc);
    statement_json_kept(&files->lines, doc);
    json_new_line(&files->lines);
    statement_json(&files->lines, "statement", sheet, files->programme_id, files->period->text);
    json_close(&files->lines, "}");
    new_file_text(&files->json, "\n");
    return end_file(files, &files->json, content, err) && doc_files_end(files->documents, doc, list_file, files, err);
}

bool files_pair_end(struct files *files, struct sheet *pair, const struct statement_doc *doc, struct error *err)
{
    pair_totals_row(files, pair);
    json_close(&files->lines, "]");
    return end_all(files, pair, doc, err);
}

/* Roll-ups: a row a pair, a posting, a part of the position. */

/* What stands in front of a row's amounts; kept is a column of its own. */
struct account_row {
    const char *bank_id, *merchant_id, *entry, *text;
    int64_t amount;
    bool keeps; /* the amount is a part of the closing position, not a movement */
};

static void account_row(struct files *files, const struct sheet *roll_up, const struct account_row *of)
{
    char bank[CSV_CELL_SIZE(ID_MAX)], merchant[CSV_CELL_SIZE(ID_MAX)], text[CSV_CELL_SIZE(POSTING_TEXT)];
    char amount[MONEY_TEXT];

    csv_cell(of->bank_id, bank, sizeof bank);
    csv_cell(of->merchant_id, merchant, sizeof merchant);
    csv_cell(of->text, text, sizeof text);
    money_format(of->amount, roll_up->currency, amount);
    row(files, "%s,%s,,,,,%s,,,,%s,%s,%s,%s", bank, merchant, roll_up->currency, of->entry, text,
        of->keeps ? "" : amount, of->keeps ? amount : "");
}

static void sums_row(const char *bank_id, const char *merchant_id, const struct sheet *sheet, const char *entry,
                     int64_t amount, char text[ROW_MAX])
{
    const struct totals *t = &sheet->totals;
    char bank[CSV_CELL_SIZE(ID_MAX)], merchant[CSV_CELL_SIZE(ID_MAX)], moved[MONEY_TEXT];
    struct amounts amounts = amounts_of(t->gross_minor, t->commission_minor, t->net_minor, sheet->currency);

    csv_cell(bank_id, bank, sizeof bank);
    csv_cell(merchant_id, merchant, sizeof merchant);
    money_format(amount, sheet->currency, moved);
    snprintf(text, ROW_MAX, "%s,%s,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,%s,%s,%s,%s,,%s,%s", bank,
             merchant, t->confirmed_count, t->confirmed_points, t->reversed_count, t->reversed_points, sheet->currency,
             amounts.gross, amounts.commission, amounts.net, entry, moved, sheet->type == SHEET_PAIR ? "" : moved);
}

static void pair_rows(struct files *files, const struct sheet_list *list, const struct sheet *roll_up)
{
    char text[ROW_MAX];

    json_open(&files->lines, "pairs", "[");
    for (size_t i = 0; i < list->count && list->at[i].type == SHEET_PAIR; i++) {
        const struct sheet *pair = &list->at[i];
        if (!sheet_covers(roll_up, pair))
            continue;
        sums_row(pair->bank_id, pair->merchant_id, pair, "PAIR", sheet_movement(roll_up, &pair->totals), text);
        row(files, "%s", text);
        json_new_line(&files->lines);
        statement_json(&files->lines, NULL, pair, files->programme_id, files->period->text);
    }
    json_close(&files->lines, "]");
}

static void posting_rows(struct files *files, const struct books *books, const struct sheet *roll_up)
{
    json_new_line(&files->lines);
    json_open(&files->lines, "postings", "[");
    for (size_t i = 0; i < books->postings.count; i++) {
        const struct posting *posting = &books->postings.at[i];
        struct account_row of = { books_id(books, (struct party){ PARTY_BANK, posting->bank_no }),
                                  books_id(books, (struct party){ PARTY_MERCHANT, posting->merchant_no }),
                                  posting_name(posting->kind),
                                  *posting->refers_to ? posting->refers_to : posting->note,
                                  posting_for(posting, sheet_party(roll_up)),
                                  false };
        if (of.amount == 0 || strcmp(posting->currency, roll_up->currency) != 0)
            continue;
        account_row(files, roll_up, &of);
        json_new_line(&files->lines);
        statement_json_posting(&files->lines, books, posting, (int64_t)i + 1, of.amount);
    }
    json_close(&files->lines, "]");
}

/* What makes up the closing position; a part that is nothing has no row. */
static void kept_rows(struct files *files, const struct books *books, const struct sheet *roll_up)
{
    struct account_row carried = { "", "", "CARRIED", "", roll_up->position.carried_minor, true };

    if (carried.amount != 0)
        account_row(files, roll_up, &carried);
    for (size_t i = 0; i < books->keep_count; i++) {
        const struct keep *keep = &books->keeps[i];
        struct account_row of = { "", "", keep_name(keep->kind), keep->refers_to, keep->amount_minor, true };
        if (keep_is_of(keep, roll_up))
            account_row(files, roll_up, &of);
    }
}

bool files_roll_up(struct files *files, const struct sheet_list *list, const struct books *books, struct sheet *roll_up,
                   const struct statement_doc *doc, struct error *err)
{
    const struct position *position = &roll_up->position;
    struct account_row opening = { "", "", "OPENING", "", position->opening_minor, false };
    struct account_row paid = { "", "", "PAYABLE", "", -position->payable_minor, false };
    char text[ROW_MAX];

    if (!begin_all(files, roll_up, doc,
                   "bank_id,merchant_id,confirmed_count,confirmed_points,reversed_count,reversed_points,currency,gross,"
                   "commission,net,entry,refers_to,amount,kept" END,
                   err))
        return false;
    account_row(files, roll_up, &opening);
    pair_rows(files, list, roll_up);
    posting_rows(files, books, roll_up);
    account_row(files, roll_up, &paid);
    kept_rows(files, books, roll_up);
    if (doc->points && !statement_json_points(&files->lines, doc->points, roll_up->currency, err))
        return false;
    sums_row("TOTAL", roll_up->number, roll_up, "CLOSING", position->closing_minor, text);
    new_file_print(&files->csv, "%s" END, text);
    return end_all(files, roll_up, doc, err);
}

/* Publishing. */

/* The n-th extension of a statement's files; NULL past the last. */
static const char *extension(const struct sheet *sheet, size_t n)
{
    static const char *const always[] = { "csv", "json" };

    if (n < COUNT(always))
        return always[n];
    n -= COUNT(always);
    for (size_t i = 0; i < DOC_WRITERS; i++) {
        if ((sheet->documents & 1u << i) && n-- == 0)
            return doc_writers[i]->extension;
    }
    return NULL;
}

/* The first that fails ends it. */
static bool each_file(struct files *files, const struct sheet_list *list,
                      bool (*act)(int directory, const char *name, struct error *err), struct error *err)
{
    char name[SHEET_FILE_TEXT];

    for (size_t i = 0; i < list->count; i++) {
        for (size_t n = 0; extension(&list->at[i], n); n++) {
            sheet_file_name(&list->at[i], files->programme_id, files->period->text, extension(&list->at[i], n), name);
            if (!act(files->directory, name, err))
                return false;
        }
    }
    return true;
}

bool files_end(struct files *files, const struct sheet_list *list, int32_t calendar_version, struct error *err)
{
    if (!each_file(files, list, new_file_sync, err))
        return false;
    json_close(&files->listed, "]");
    if (calendar_version > 0)
        json_int32(&files->listed, "calendarVersion", calendar_version);
    json_close(&files->listed, "}");
    new_file_text(&files->manifest, "\n");
    return new_file_finish(&files->manifest, files->manifest_sha256, err);
}

bool files_publish_sheets(struct files *files, const struct sheet_list *list, struct error *err)
{
    unlinkat(files->directory, MANIFEST, 0); /* an older one must not name files that are being replaced */
    return new_file_sync_directory(files->directory, err) && each_file(files, list, new_file_publish, err) &&
           new_file_sync_directory(files->directory, err);
}

bool files_publish_manifest(struct files *files, struct error *err)
{
    return new_file_publish(files->directory, MANIFEST, err) && new_file_sync_directory(files->directory, err);
}

static bool discard(int directory, const char *name, struct error *err)
{
    (void)err;
    new_file_discard(directory, name);
    return true;
}

void files_discard(struct files *files, const struct sheet_list *list)
{
    struct error ignored;

    if (files->directory < 0)
        return;
    new_file_discard(files->directory, MANIFEST);
    (void)!each_file(files, list, discard, &ignored);
}
