/*
 * tables.c -- a row of a table and what the model knows of it are both put into one line of text; the sorted lines must
 * be the same. Days are numbers since 1970, times microseconds; lots are summed up by day and funding.
 */
#include "tables.h"

#include "members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_ROOM = 8192 };

struct lines {
    struct model *model;
    LIST(char *) text;
    const char *table;
    size_t compared;
};

/* Writing lines */

struct line {
    char text[LINE_ROOM];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    line->used += (size_t)vsnprintf(line->text + line->used, LINE_ROOM - line->used, format, arguments);
    va_end(arguments);
    assert_true(line->used < LINE_ROOM);
}

static void put_number(struct line *line, int64_t number)
{
    put(line, "|%lld", (long long)number);
}

static void put_uuid(struct line *line, const struct uuid *uuid)
{
    char text[UUID_TEXT];

    uuid_format(uuid, text);
    put(line, "|%s", text);
}

static int by_day(const void *a, const void *b)
{
    const struct heap *one = a, *two = b;

    if (one->expires_on != two->expires_on)
        return one->expires_on < two->expires_on ? -1 : 1;
    return one->funding_no < two->funding_no ? -1 : one->funding_no > two->funding_no;
}

static void put_heaps(struct line *line, const struct heap *heaps, size_t count)
{
    struct heap sorted[HEAPS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (same < n && by_day(&sorted[same], &heaps[i]) != 0)
            same++;
        if (same == n)
            sorted[n++] = (struct heap){ heaps[i].expires_on, heaps[i].funding_no, 0 };
        sorted[same].points += heaps[i].points;
    }
    qsort(sorted, n, sizeof sorted[0], by_day);
    put(line, "|");
    for (size_t i = 0; i < n; i++)
        put(line, "%s%d/%d:%lld", i ? " " : "", sorted[i].expires_on, sorted[i].funding_no,
            (long long)sorted[i].points);
}

static void add(struct lines *lines, struct line *line)
{
    char *copy = strdup(line->text);

    assert_non_null(copy);
    *LIST_ADD(&lines->text) = copy;
    line->used = 0;
}

/* What the model says, table by table */

static void model_accounts(struct lines *lines)
{
    struct line line = { .used = 0 };
    struct model *model = lines->model;

    for (int i = 0; i < (int)model->member_count; i++) {
        const struct model_member *member = &model->members[i];
        int32_t day = member->last_hold_on, due = MATURES_BY_EVENT.days;
        for (size_t k = 0; k < member->heaps.count; k++)
            due = member->heaps.at[k].expires_on < due ? member->heaps.at[k].expires_on : due;
        int32_t other = member->other_begun ? member->other.last.days + 1 : member->other.first.days;
        if (member->other.last.days && member->status != MEMBER_CLOSED && other < due)
            due = other;
        for (size_t k = 0; k < member->waits.count; k++)
            due = member->waits.at[k].matures_on < due ? member->waits.at[k].matures_on : due;
        put_uuid(&line, &member->id);
        const int64_t numbers[] = {
            member->bucket,
            member->bank_no,
            member->status,
            member->tier,
            model_available(member),
            model_held(model, i),
            model_pending(member),
            member->expired,
            member->credit_limit,
            member->credit_used,
            day,
            day ? model_points_held_on(model, i, day, day) : 0,
            day ? model_points_held_on(model, i, model_month_start(day, 0), day) : 0,
            due,
            (int64_t)member->entries.count,
        };
        for (size_t k = 0; k < COUNT(numbers); k++)
            put_number(&line, numbers[k]);
        put_heaps(&line, member->heaps.at, member->heaps.count);
        add(lines, &line);
    }
}

static void model_credit(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->member_count; i++) {
        const struct model_member *member = &lines->model->members[i];
        bool other = member->other.last.days != 0;
        if (!member->by_tier && !other && member->debt_count == 0)
            continue;
        put_uuid(&line, &member->id);
        put(&line, "|%d|%d|%lld|%lld|%d|%d", member->by_tier, member->other_begun,
            (long long)(other ? member->own_limit : 0), (long long)member->other.points, member->other.first.days,
            member->other.last.days);
        add(lines, &line);
    }
}

static void model_drawn(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->member_count; i++) {
        const struct model_member *member = &lines->model->members[i];
        for (size_t k = 0; k < member->debt_count; k++) {
            put_uuid(&line, &member->id);
            put(&line, "|%d|%lld", member->debts[k].day, (long long)member->debts[k].points);
            add(lines, &line);
        }
    }
}

static void model_pending_lots(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->member_count; i++) {
        const struct model_member *member = &lines->model->members[i];
        for (size_t k = 0; k < member->waits.count; k++) {
            const struct wait *wait = &member->waits.at[k];
            put_uuid(&line, &member->id);
            put(&line, "|%d|%d|%d|%lld", wait->matures_on, wait->expires_on, wait->funding_no, (long long)wait->points);
            add(lines, &line);
        }
    }
}

static void model_holds(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->member_count; i++) {
        const struct model_member *member = &lines->model->members[i];
        for (size_t k = 0; k < member->open_count; k++) {
            put_uuid(&line, &member->id);
            put_uuid(&line, &member->open[k]);
            put_number(&line, model_redemption(lines->model, &member->open[k])->lapse_at);
            add(lines, &line);
        }
    }
}

static void put_money(struct line *line, const char *currency, int64_t gross, int64_t commission)
{
    put(line, "|%s|%lld|%lld", currency, (long long)gross, (long long)commission);
}

static void model_redemptions(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->redemptions.count; i++) {
        const struct model_redemption *redemption = &lines->model->redemptions.at[i];
        const struct model_member *member = &lines->model->members[redemption->member];
        put_uuid(&line, &redemption->id);
        put_uuid(&line, &member->id);
        const int64_t numbers[] = {
            member->bucket,
            member->bank_no,
            redemption->merchant_no,
            redemption->store_no,
            redemption->state,
            redemption->asked,
            redemption->confirmed,
            redemption->reversed,
            redemption->rules_version,
            redemption->terms_version,
            redemption->goods_no,
            redemption->quantity,
            redemption->spendable_after,
            redemption->held_on,
            redemption->held_at,
            redemption->lapse_at,
            redemption->lent,
            redemption->one_step,
            redemption->exposure,
        };
        for (size_t k = 0; k < COUNT(numbers); k++)
            put_number(&line, numbers[k]);
        put(&line, "|%s|%s", reason_name(redemption->reason), redemption->exposure_currency);
        put_money(&line, redemption->currency, redemption->gross, redemption->commission);
        put_number(&line, redemption->gross_back);
        put_number(&line, redemption->commission_back);
        put_number(&line, (int64_t)redemption->card);
        put_heaps(&line, redemption->drawn.at, redemption->drawn.count);
        put(&line, "|");
        for (size_t k = 0; k < redemption->line_count; k++) {
            const struct order_line *order = &redemption->lines[k];
            put(&line, "%s%s:%lld,%lld,%lld,%lld,%lld,%lld", k ? " " : "", order->id, (long long)order->points,
                (long long)order->amounts.gross_minor, (long long)order->amounts.commission_minor,
                (long long)order->reversed_points, (long long)order->reversed.gross_minor,
                (long long)order->reversed.commission_minor);
        }
        add(lines, &line);
    }
}

static void model_operations(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->operations.count; i++) {
        const struct model_operation *operation = &lines->model->operations.at[i];
        const struct answer *answer = &operation->answer;
        put_uuid(&line, &operation->id);
        put_uuid(&line, &operation->member_id);
        put_uuid(&line, &operation->redemption_id);
        put(&line, "|%d|%d|%s|%d|%lld|%lld|%lld|%lld|%d|%lld|%lld", operation->bucket, operation->kind,
            reason_name(answer->reason), answer->state, (long long)answer->points, (long long)answer->spendable,
            (long long)answer->gross_minor, (long long)answer->commission_minor, answer->business_date.days,
            (long long)answer->time.us, (long long)answer->lapse_at.us);
        add(lines, &line);
    }
}

static void model_accruals(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->accruals.count; i++) {
        const struct model_accrual *accrual = &lines->model->accruals.at[i];
        put_uuid(&line, &accrual->id);
        put_uuid(&line, &lines->model->members[accrual->member].id);
        put(&line, "|%s|%s|%lld|%lld|%lld|%lld|%lld|%d|%d|%d|%d|%lld", accrual->transaction_ref, accrual->currency,
            (long long)accrual->amount_minor, (long long)accrual->returned_minor, (long long)accrual->points,
            (long long)accrual->clawed, (long long)accrual->pending, accrual->lot_expires, accrual->matures_on,
            accrual->funding_no, accrual->business_date, (long long)accrual->at);
        add(lines, &line);
    }
}

static void model_journal(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->member_count; i++) {
        const struct model_member *member = &lines->model->members[i];
        for (size_t k = 0; k < member->entries.count; k++) {
            const struct model_entry *entry = &member->entries.at[k];
            put_uuid(&line, &member->id);
            const int64_t numbers[] = {
                (int64_t)k + 1,       entry->kind,    entry->points,      entry->available,
                entry->held,          entry->pending, entry->credit_used, entry->credit_limit,
                entry->business_date, entry->at,      entry->gross_minor, entry->commission_minor,
            };
            for (size_t n = 0; n < COUNT(numbers); n++)
                put_number(&line, numbers[n]);
            put_uuid(&line, &entry->ref);
            put_uuid(&line, &entry->redemption_id);
            put_heaps(&line, member->entry_heaps.at + entry->first_heap, entry->heap_count);
            add(lines, &line);
        }
    }
}

static void model_transfers(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (size_t i = 0; i < lines->model->transfers.count; i++) {
        const struct model_transfer *transfer = &lines->model->transfers.at[i];
        const struct model_member *giver = &lines->model->members[transfer->from];
        put_uuid(&line, &transfer->id);
        put_uuid(&line, &giver->id);
        put_uuid(&line, &transfer->to);
        put(&line, "|%d|%d|%d|%d|%s|%lld|%lld", giver->bucket, transfer->merge, transfer->state,
            transfer->status_before, reason_name(transfer->reason), (long long)transfer->credit,
            (long long)waits_points(&transfer->waits));
        put_heaps(&line, transfer->heaps.at, transfer->heaps.count);
        add(lines, &line);
    }
}

/* All parts of a bank's limit together. */
static void model_exposures(struct lines *lines)
{
    struct line line = { .used = 0 };

    for (int32_t bank_no = 0; bank_no < MODEL_BANKS; bank_no++) {
        const struct model_exposure *exposure = &lines->model->exposures[bank_no];
        if (!exposure->limited)
            continue;
        put(&line, "|%d|%s|%lld|%lld|%lld", bank_no, exposure->currency, (long long)exposure->limit,
            (long long)exposure->limit, (long long)exposure->used);
        add(lines, &line);
    }
}

/* What PostgreSQL says */

#define DAY(column) "(" column " - '1970-01-01'::date)"
#define US(column)  "(extract(epoch FROM " column ") * 1000000)::int8"
#define LOTS(column)                                                                                                   \
    "(SELECT coalesce(string_agg(d || '/' || f || ':' || p, ' ' ORDER BY d, f), '') FROM (SELECT expires_on - "        \
    "'1970-01-01'::date AS d, funding_no AS f, sum(points) AS p FROM packed_lots(" column ") GROUP BY 1, 2) x)"
/* The order lines of a redemption, as domain/packed.h has them. */
#define LINES                                                                                                          \
    "(SELECT coalesce(string_agg(convert_from(rtrim(substr(lines, at + 1, 32), '\\x00'::bytea), 'UTF8') || ':' || "    \
    "concat_ws(',', packed_int8(lines, at + 32), packed_int8(lines, at + 40), packed_int8(lines, at + 48), "           \
    "packed_int8(lines, at + 56), packed_int8(lines, at + 64), packed_int8(lines, at + 72)), ' ' ORDER BY at), '') "   \
    "FROM generate_series(0, length(lines) - 80, 80) at)"
#define BUSINESS_DATE DAY("business_date")
#define HELD_AT       US("held_at")
#define LAPSE_AT      US("lapse_at")
#define DRAWS         LOTS("draws")
#define ROWS(from, ...)                                                                                                \
    "SELECT text FROM (SELECT '|' || concat_ws('|', " __VA_ARGS__ ") AS text FROM " from ") q "                        \
    "ORDER BY text COLLATE \"C\""

static const struct {
    const char *table, *sql;
    void (*model)(struct lines *lines);
} tables[] = {
    { "account",
      ROWS("account", "member_id, bucket, bank_no, status, tier, available, held, pending, expired, credit_limit, "
                      "credit_used, " DAY("counted_on") ", day_points, month_points, " DAY(
                          "next_due") ", journal_seq, " LOTS("lots")),
      model_accounts },
    { "account_pending_lot",
      ROWS("account_pending_lot", "member_id, " DAY("matures_on") ", " DAY("expires_on") ", funding_no, points"),
      model_pending_lots },
    { "account_credit",
      ROWS("account_credit", "member_id, by_tier::int, temporary_begun::int, own_limit, temporary_points, " DAY(
                                 "temporary_first") ", " DAY("temporary_last")),
      model_credit },
    { "account_drawn", ROWS("account_drawn", "member_id, " DAY("drawn_on") ", points"), model_drawn },
    { "account_hold", ROWS("account_hold", "member_id, redemption_id, " US("lapse_at")), model_holds },
    { "redemption",
      ROWS("redemption",
           "id, member_id, bucket, bank_no, merchant_no, store_no, state, points, confirmed_points, "
           "reversed_points, rules_version, terms_version, goods_no, quantity, spendable_after, " BUSINESS_DATE
           ", " HELD_AT ", " LAPSE_AT ", draw_credit, one_step::int, exposure_minor, reason, "
           "exposure_currency, currency, gross_minor, commission_minor, reversed_gross_minor, "
           "reversed_commission_minor, card, " DRAWS ", " LINES),
      model_redemptions },
    { "operation",
      ROWS("operation", "id, member_id, redemption_id, bucket, kind, reason, state_after, points, spendable_after, "
                        "gross_minor, commission_minor, " DAY("business_date") ", " US("at") ", " US("lapse_at")),
      model_operations },
    { "accrual",
      ROWS("accrual", "id, member_id, transaction_ref, currency, amount_minor, reversed_minor, points, clawed_points, "
                      "pending_points, " DAY("lot_expires") ", " DAY("matures_on") ", funding_no, " DAY(
                          "business_date") ", " US("at")),
      model_accruals },
    { "journal",
      ROWS("journal", "member_id, seq, kind, points, available_after, held_after, pending_after, credit_used_after, "
                      "credit_limit_after, " DAY("business_date") ", " US("at") ", gross_minor, commission_minor, "
                                                                                "ref, redemption_id, " LOTS("lots")),
      model_journal },
    { "transfer",
      ROWS(
          "transfer",
          "id, from_member_id, to_member_id, bucket, merge::int, state, status_before, reason, credit, (SELECT "
          "coalesce(sum(packed_int8(pending_lots, at + 16)), 0) FROM generate_series(0, length(pending_lots) - 24, 24) "
          "at), " LOTS("lots")),
      model_transfers },
    { "exposure",
      ROWS("(SELECT bank_no, currency, max(limit_minor) AS most, sum(allotted_minor) AS allotted, sum(used_minor) AS "
           "used FROM exposure GROUP BY 1, 2) x",
           "bank_no, currency, most, allotted, used"),
      model_exposures },
};

struct text_row {
    const char *text;
};

static bool compare_row(void *owner, const void *row, struct error *err)
{
    struct lines *lines = owner;
    const char *theirs = ((const struct text_row *)row)->text;

    (void)err;
    if (lines->compared == lines->text.count)
        fail_msg("%s: a row that the model does not know:\n%s", lines->table, theirs);
    if (strcmp(theirs, lines->text.at[lines->compared]) != 0)
        fail_msg("%s: \n%s\nthe model says\n%s", lines->table, theirs, lines->text.at[lines->compared]);
    lines->compared++;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A statement is known by its address for as long as the connection lives. */
static struct statement statements[COUNT(tables)];

static void compare_table(struct model *model, struct db *db, size_t which)
{
    static const struct column columns[] = { COLUMN(struct text_row, text) };
    statements[which] = (struct statement){ tables[which].table, tables[which].sql,      NULL, 0, columns,
                                            COUNT(columns),      sizeof(struct text_row) };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct lines lines = { .model = model, .table = tables[which].table };
    struct error err = { 0 };

    tables[which].model(&lines);
    if (lines.text.count > 0)
        qsort(lines.text.at, lines.text.count, sizeof lines.text.at[0], by_text);
    if (!db_each(db, &statements[which], NULL, &arena, compare_row, &lines, &err))
        fail_msg("%s: %s", tables[which].table, error_text(&err));
    if (lines.compared < lines.text.count)
        fail_msg("%s: no such row: %s", tables[which].table, lines.text.at[lines.compared]);
    for (size_t i = 0; i < lines.text.count; i++)
        free(lines.text.at[i]);
    free(lines.text.at);
}

void tables_compare(struct model *model, const char *conninfo)
{
    struct error err = { 0 };
    struct db *db;

    if (!db_open(conninfo, &db, &err) || !db_script(db, "SET timezone = 'UTC'", &err))
        fail_msg("%s", error_text(&err));
    for (size_t i = 0; i < COUNT(tables); i++)
        compare_table(model, db, i);
    db_close(db);
}
