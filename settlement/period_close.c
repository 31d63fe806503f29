#include "period_close.h"

#include "base/arena.h"
#include "base/exact.h"
#include "books.h"
#include "books_store.h"
#include "close_store.h"
#include "day_store.h"
#include "doc_files.h"
#include "doc_fill.h"
#include "doc_tally.h"
#include "due.h"
#include "files.h"
#include "goods_store.h"
#include "line_store.h"
#include "numbers.h"
#include "period_check.h"
#include "period_store.h"
#include "points_book.h"
#include "points_day.h"
#include "progress.h"
#include "scope_store.h"
#include "store/db.h"
#include "store/period_state_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One period close: lives in period_close's frame. */
struct work {
    struct close_run *run;
    const struct period *period;
    struct scope scope;
    struct sheet_list sheets;
    struct books books;
    struct points_book points;
    struct goods_sums goods;
    struct files files;
    struct line_keys keys;
    struct doc_files documents;
    struct doc_source source;
    struct doc_tally tally; /* of the pair that is open, as is doc */
    struct statement_doc doc;
    size_t pair;         /* the sheet whose lines are being written */
    bool pair_open;      /* its files are open */
    struct totals lines; /* of that pair, as added up from the journal */
    int64_t line_count;  /* of all pairs so far */
};

static void work_release(struct work *work)
{
    line_keys_release(&work->keys);
    files_release(&work->files);
    books_release(&work->books);
    points_book_release(&work->points);
    goods_sums_release(&work->goods);
    doc_directory_release(&work->source.directory);
    sheet_list_release(&work->sheets);
    scope_release(&work->scope);
}

/* The lines are sorted while the seals are checked. */
static bool read_ahead(struct work *work, struct error *err)
{
    struct close_run *run = work->run;
    struct db *beside;

    return scope_load(&work->scope, run->db, run->programme_no, work->period, err) &&
           due_check(run->db, run->programme_no, &work->scope, err) && close_beside(run, &beside, err) &&
           db_begin_beside(run->db, beside, err) &&
           period_store_lines_ahead(beside, run->programme_no, &work->scope, &run->ahead, err);
}

static void end_ahead(struct close_run *run)
{
    close_stop_ahead(run);
    if (run->beside)
        db_rollback(run->beside);
}

/* A period without entries has one statement all the same; XXX is ISO 4217's "no currency". */
static bool load_sheets(struct work *work, struct error *err)
{
    static const struct sheet nothing = { .type = SHEET_OPERATOR, .currency = "XXX" };
    struct close_run *run = work->run;

    if (!period_store_sheets(run->db, run->programme_no, &work->scope, &work->sheets, err) ||
        !points_book_load(&work->points, run->db, run->programme_no, work->period, err) ||
        !points_book_need(&work->points, &work->scope, &work->sheets, err) ||
        !books_load(&work->books, run->db, run->programme_no, &work->scope, err) ||
        !books_post(&work->books, &work->sheets, err) ||
        (work->sheets.count == 0 && !sheet_list_add(&work->sheets, &nothing, err)) ||
        !books_settle(&work->books, &work->sheets, err))
        return false;
    sheet_list_count_lines(&work->sheets);
    return sheet_list_tie(&work->sheets, err) && numbers_give(work->run, work->period, &work->sheets, err);
}

static bool load_source(struct work *work, struct error *err)
{
    struct close_run *run = work->run;

    work->source.programme_id = run->programme_id;
    work->source.period = work->period;
    work->source.list = &work->sheets;
    work->source.books = &work->books;
    return doc_store_directory(run->db, run->programme_no, &work->source.directory, err) &&
           goods_store_load(&work->goods, run->db, run->programme_no, &work->scope, err);
}

static struct sheet *present_pair(struct work *work)
{
    struct sheet *sheet = &work->sheets.at[work->pair];

    return work->pair < work->sheets.count && sheet->type == SHEET_PAIR ? sheet : NULL;
}

static bool end_pair(struct work *work, struct error *err)
{
    struct sheet *pair = present_pair(work);

    if (!sheet_tie_lines(pair, &work->lines, err))
        return false;
    work->line_count += pair->line_count;
    work->lines = (struct totals){ 0 };
    work->pair++;
    work->pair_open = false;
    doc_tally_end(&work->tally, &work->doc);
    return files_pair_end(&work->files, pair, &work->doc, err);
}

static bool open_pair(struct work *work, struct error *err)
{
    if (work->pair_open)
        return true;
    work->pair_open = true;
    doc_tally_begin(&work->tally);
    return doc_fill(&work->source, present_pair(work), NULL, &work->doc, err) &&
           goods_sums_of(&work->goods, present_pair(work), &work->doc.goods, err) &&
           files_pair_begin(&work->files, present_pair(work), &work->doc, err);
}

/* Pairs in the roll-ups and pairs in the journal come in the same order; both must name the same ones. */
static bool find_pair(struct work *work, const struct period_line *line, struct error *err)
{
    const struct sheet *pair = present_pair(work);

    while (pair && sheet_compare_pair(pair, line->bank_id, line->merchant_id, line->currency) < 0) {
        if (!open_pair(work, err) || !end_pair(work, err))
            return false;
        pair = present_pair(work);
    }
    if (!pair || sheet_compare_pair(pair, line->bank_id, line->merchant_id, line->currency) != 0)
        return error_set(err, REASON_DOES_NOT_TIE,
                         "lines of PAIR %s %s %s: the journal has some, the daily roll-ups have none", line->bank_id,
                         line->merchant_id, line->currency);
    return open_pair(work, err);
}

static bool write_line(void *owner, const struct period_line *from, struct error *err)
{
    struct work *work = owner;
    struct sheet_line line = from->line;
    int64_t points = line.reversal ? -line.points : line.points;

    if (!find_pair(work, from, err))
        return false;
    if (!exact_sub(line.gross_minor, line.commission_minor, &line.net_minor) ||
        !totals_add_entry(&work->lines, line.reversal, points, line.gross_minor, line.commission_minor))
        return error_set(err, REASON_DOES_NOT_TIE, "the lines of PAIR %s %s %s add up to more than fits", from->bank_id,
                         from->merchant_id, from->currency);
    line.number = work->lines.confirmed_count + work->lines.reversed_count;
    files_pair_line(&work->files, present_pair(work), &work->doc, &line);
    line_keys_add(&work->keys, &from->key);
    progress_add(work->run->progress, 1);
    return doc_tally_line(&work->tally, &line, err);
}

static bool write_pairs(struct work *work, struct error *err)
{
    int64_t lines = 0;

    for (size_t i = 0; i < work->sheets.count && work->sheets.at[i].type == SHEET_PAIR; i++)
        lines += work->sheets.at[i].line_count;
    progress_begin(work->run->progress, "writing lines", lines);
    if (!period_store_each_line(work->run->ahead, write_line, work, err))
        return false;
    while (present_pair(work)) {
        if (!open_pair(work, err) || !end_pair(work, err))
            return false;
    }
    progress_end(work->run->progress);
    return true;
}

static bool write_roll_up(struct work *work, struct sheet *sheet, struct arena *arena, struct error *err)
{
    struct db *db = work->run->db;
    struct statement_doc *doc = &work->doc;

    arena_reset(arena);
    if (!doc_fill(&work->source, sheet, arena, doc, err) || !goods_sums_of(&work->goods, sheet, &doc->goods, err))
        return false;
    doc->points = points_book_has(&work->scope, sheet) ? points_book_find(&work->points, sheet->bank_no) : NULL;
    return doc_store_sums(db, sheet, false, arena, &doc->days, err) &&
           doc_store_sums(db, sheet, true, arena, &doc->stores, err) &&
           files_roll_up(&work->files, &work->sheets, &work->books, sheet, doc, err);
}

static bool write_roll_ups(struct work *work, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct close_run *run = work->run;

    if (!doc_store_begin(run->db, run->programme_no, &work->scope, err))
        return false;
    progress_begin(run->progress, "writing statements", (int64_t)(work->sheets.count - work->pair));
    for (size_t i = work->pair; i < work->sheets.count; i++) {
        if (!write_roll_up(work, &work->sheets.at[i], &arena, err))
            return false;
        progress_add(run->progress, 1);
    }
    progress_end(run->progress);
    return true;
}

/* Four eyes are bound to the manifest's hash: another hash takes an approval away. */
static bool put_state(struct work *work, struct error *err)
{
    struct close_run *run = work->run;
    struct period_state_put_params params = {
        .programme_no = run->programme_no,
        .period = work->period->text,
        .first_day = work->period->first,
        .last_day = work->period->last,
        .maker = run->maker,
        .manifest_sha256 = { work->files.manifest_sha256, CRYPTO_HASH },
        .statement_count = (int64_t)work->sheets.count,
    };

    return db_execute(run->db, &period_state_put, &params, NULL, err);
}

static bool not_issued(struct close_run *run, const struct period *period, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct period_state_params params = { run->programme_no, period->text };
    struct period_state_row row;
    bool found;

    if (!db_fetch_one(run->db, &period_state_find, &params, &arena, &row, &found, err))
        return false;
    return !found || row.state != PERIOD_ISSUED ||
           error_set(err, REASON_PERIOD_ISSUED,
                     "%s was issued and stays as it is; what is late goes into an open period", period->text);
}

static bool store(struct work *work, struct error *err)
{
    struct close_run *run = work->run;
    int64_t stored;

    if (!period_store_put(run->db, run->programme_no, run->programme_id, work->period, &work->sheets, err) ||
        !line_store_put(run->db, run->programme_no, run->programme_id, work->period, &work->sheets, &work->keys,
                        &stored, err) ||
        !books_store_put(run->db, run->programme_no, run->programme_id, &work->books, &work->sheets, err) ||
        !numbers_cancel(run, work->period, err) || !put_state(work, err))
        return false;
    if (stored != work->line_count)
        return error_set(err, REASON_DOES_NOT_TIE, "%" PRId64 " lines were written to files, %" PRId64 " were stored",
                         work->line_count, stored);
    return close_store_record(run->db, run->programme_no, STEP_STATEMENTS, work->period->first, NO_BUCKET,
                              work->period->text, err);
}

/* All in one snapshot, and written in one transaction: what is checked is what is summed, written and stored. */
static bool calculate(struct work *work, struct date first, struct error *err)
{
    struct close_run *run = work->run;

    if (!period_store_begin(run->db, err) || !read_ahead(work, err) ||
        !period_check_seals(run, first, work->period->last, err) || !load_sheets(work, err) || !load_source(work, err))
        return false;
    close_step(run);
    if (!write_pairs(work, err) || !points_book_tie(run->db, run->programme_no, work->period, err) ||
        !write_roll_ups(work, err) || !files_end(&work->files, &work->sheets, work->books.calendar.version, err))
        return false;
    close_step(run);
    if (!store(work, err))
        return false;
    close_step(run);
    return db_commit(run->db, err);
}

static bool publish(struct work *work, struct error *err)
{
    struct close_run *run = work->run;

    close_step(run);
    if (!files_publish_sheets(&work->files, &work->sheets, err))
        return false;
    close_step(run);
    if (!files_publish_manifest(&work->files, err))
        return false;
    close_step(run);
    if (!close_store_record(run->db, run->programme_no, STEP_FILES, work->period->first, NO_BUCKET, work->period->text,
                            err))
        return false;
    close_step(run);
    return true;
}

bool period_close(struct close_run *run, const struct period *period, const char *statements_dir,
                  struct period_closed *closed, struct error *err)
{
    CLEANUP(work_release) struct work work = { .run = run, .period = period, .files = { .directory = -1 } };
    struct date first;

    if (!not_issued(run, period, err) || !period_check_days(run, period, &first, err) ||
        !points_days(run, period->last, err) ||
        !files_open(&work.files, statements_dir, run->programme_id, period, &work.documents, err) ||
        !line_keys_open(&work.keys, work.files.directory, err))
        return false;
    bool good = calculate(&work, first, err);
    end_ahead(run); /* before what it was given is released */
    if (!good) {
        db_rollback(run->db);
        files_discard(&work.files, &work.sheets);
        return false;
    }
    *closed = (struct period_closed){ .statement_count = (int64_t)work.sheets.count, .line_count = work.line_count };
    memcpy(closed->manifest_sha256, work.files.manifest_sha256, CRYPTO_HASH);
    return publish(&work, err);
}
