#include "pay_out.h"

#include "calendar.h"
#include "pain001.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Lives in pay_out's frame. */
struct paying {
    struct close_run *run;
    const struct pay_order *order;
    struct doc_directory directory;
    struct arena arena;
    int fd; /* of the period's directory */
    struct new_file file;
};

static void paying_release(struct paying *paying)
{
    doc_directory_release(&paying->directory);
    arena_release(&paying->arena);
    new_file_release(&paying->file);
    if (paying->fd >= 0)
        close(paying->fd);
}

/* All or nothing of what is payable now. */
static bool decide(struct paying *paying, int64_t *count, struct error *err)
{
    struct close_run *run = paying->run;
    const struct pay_order *order = paying->order;

    if (!db_begin(run->db, err))
        return false;
    if (pay_store_batch(run->db, run->programme_no, order->period->text, order->execute_on, order->by, count, err) &&
        db_commit(run->db, err))
        return true;
    db_rollback(run->db);
    return false;
}

/* Under its name only when it is whole; the hash is stored after that, so a file without one is written again. */
static bool write_batch(struct paying *paying, const struct pay_batch *batch, struct error *err)
{
    struct pain001 from = { .batch = batch, .directory = &paying->directory };
    uint8_t content[CRYPTO_HASH];
    struct pay_line *lines;

    if (!pay_store_lines(paying->run->db, batch->batch_no, &paying->arena, &lines, &from.count, err))
        return false;
    from.lines = lines;
    if (!new_file_open(&paying->file, paying->fd, batch->file_name, err) || !pain001_write(&paying->file, &from, err) ||
        !new_file_finish(&paying->file, content, err))
        return false;
    close_step(paying->run);
    return new_file_publish(paying->fd, batch->file_name, err) && new_file_sync_directory(paying->fd, err) &&
           pay_store_written(paying->run->db, batch->batch_no, content, err);
}

static bool is_there(const struct paying *paying, const struct pay_batch *batch)
{
    return batch->sha256.size == CRYPTO_HASH && faccessat(paying->fd, batch->file_name, R_OK, 0) == 0;
}

static bool write_batches(struct paying *paying, FILE *out, struct error *err)
{
    struct close_run *run = paying->run;
    struct pay_batch *batches;
    size_t count;

    if (!pay_store_batches(run->db, run->programme_no, paying->order->period->text, &paying->arena, &batches, &count,
                           err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (is_there(paying, &batches[i]))
            continue;
        if (!write_batch(paying, &batches[i], err))
            return false;
        fprintf(out, "%s/%s/%s/%s\n", paying->order->statements_dir, run->programme_id, paying->order->period->text,
                batches[i].file_name);
    }
    return true;
}

/* Banks move such a day as they like, or reject the file. */
static bool check_day(struct close_run *run, struct date on, struct arena *arena, struct error *err)
{
    struct calendar calendar;
    struct date next;
    char text[DATE_TEXT], proposed[DATE_TEXT];

    if (!calendar_load(run->db, run->programme_no, arena, &calendar, err) ||
        !business_day_from(&calendar.days, on, &next, err))
        return false;
    date_format(on, text);
    date_format(next, proposed);
    return next.days == on.days ||
           error_field(err, REASON_FIELD_INVALID, "--on",
                       "%s is no business day of version %" PRId32 " of the programme's calendar; the next is %s", text,
                       calendar.version, proposed);
}

/* What is left for another day, or people would miss it. */
static bool tell_later(struct close_run *run, const struct pay_order *order, FILE *out, struct error *err)
{
    struct pay_later later;
    char day[DATE_TEXT];

    if (!pay_store_later(run->db, run->programme_no, order->period->text, order->execute_on, &later, err))
        return false;
    date_format(later.first, day);
    if (later.count > 0)
        fprintf(out, "%s: %" PRId64 " more to be paid later, the first are due on %s\n", order->period->text,
                later.count, day);
    return true;
}

bool pay_out(struct close_run *run, const struct pay_order *order, FILE *out, struct error *err)
{
    CLEANUP(paying_release) struct paying paying = { .run = run, .order = order, .fd = -1 };
    char path[PATH_MAX];
    int64_t count;
    bool issued;

    if (!pay_store_issued(run->db, run->programme_no, order->period->text, &issued, err))
        return false;
    if (!issued)
        return error_set(err, REASON_PERIOD_NOT_ISSUED, "%s must be issued before anything of it is paid",
                         order->period->text);
    if (!check_day(run, order->execute_on, &paying.arena, err))
        return false;
    snprintf(path, sizeof path, "%.3000s/%s/%s", order->statements_dir, run->programme_id, order->period->text);
    if (!new_file_directory(path, &paying.fd, err) ||
        !doc_store_directory(run->db, run->programme_no, &paying.directory, err) || !decide(&paying, &count, err))
        return false;
    close_step(run);
    fprintf(out, "%s: %" PRId64 " payments to make\n", order->period->text, count);
    return tell_later(run, order, out, err) && write_batches(&paying, out, err);
}
