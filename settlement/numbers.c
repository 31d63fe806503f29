#include "numbers.h"

#include "base/arena.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct draw_params {
    int32_t programme_no;
    const char *period;
    struct text_array ids, parties;
};
static const struct column draw_columns[] = { COLUMN(struct draw_params, programme_no),
                                              COLUMN(struct draw_params, period), COLUMN(struct draw_params, ids),
                                              COLUMN(struct draw_params, parties) };
/* Each is looked up: a join could read the numbers of all periods that are kept. */
static const struct statement draw = COMMAND_STATEMENT(
    "numbers_draw",
    "INSERT INTO statement_number (party, number, statement_id, programme_no, period) SELECT n.party, "
    "COALESCE((SELECT max(o.number) FROM statement_number o WHERE o.party = n.party), 0) + row_number() OVER "
    "(PARTITION BY n.party ORDER BY n.ordinality), n.id, $1, $2 FROM unnest($3::text[], $4::text[]) WITH ORDINALITY "
    "n(id, party, ordinality) WHERE (SELECT g.number FROM statement_number g WHERE g.statement_id = n.id AND "
    "g.state = 1) IS NULL",
    draw_columns);

struct ids_params {
    struct text_array ids;
};
struct number_row {
    const char *party;
    int64_t number;
};
static const struct column ids_columns[] = { COLUMN(struct ids_params, ids) };
static const struct column number_columns[] = { COLUMN(struct number_row, party), COLUMN(struct number_row, number) };
static const struct statement read_drawn =
    STATEMENT("numbers_read",
              "SELECT g.party, g.number FROM unnest($1::text[]) WITH ORDINALITY n(id, ordinality) CROSS JOIN LATERAL "
              "(SELECT party, number FROM statement_number WHERE statement_id = n.id AND state = 1 LIMIT 1) g ORDER BY "
              "n.ordinality",
              ids_columns, number_columns, sizeof(struct number_row));

struct period_params {
    int32_t programme_no;
    const char *period;
};
static const struct column period_columns[] = { COLUMN(struct period_params, programme_no),
                                                COLUMN(struct period_params, period) };
static const struct statement cancel =
    COMMAND_STATEMENT("numbers_cancel",
                      "UPDATE statement_number n SET state = 2 WHERE n.programme_no = $1 AND n.period = $2 AND "
                      "n.state = 1 AND NOT EXISTS (SELECT FROM statement s WHERE s.statement_id = n.statement_id AND "
                      "s.programme_no = $1 AND s.period = $2)",
                      period_columns);

enum { CHUNK = 500, PARTY_TEXT = 26 };

static void name_party(const struct sheet *sheet, int32_t programme_no, char text[PARTY_TEXT])
{
    if (sheet->type == SHEET_PAIR)
        snprintf(text, PARTY_TEXT, "P%" PRId32 ".%" PRId32, sheet->bank_no, sheet->merchant_no);
    else if (sheet->type == SHEET_BANK)
        snprintf(text, PARTY_TEXT, "B%" PRId32, sheet->bank_no);
    else if (sheet->type == SHEET_MERCHANT)
        snprintf(text, PARTY_TEXT, "M%" PRId32, sheet->merchant_no);
    else if (sheet->type == SHEET_CARRIER)
        snprintf(text, PARTY_TEXT, "C%" PRId32, sheet->carrier_no);
    else
        snprintf(text, PARTY_TEXT, "%c%" PRId32, *sheet_type_name(sheet->type), programme_no);
}

static bool give_chunk(const struct close_run *run, const struct period *period, struct sheet *sheets, size_t count,
                       struct arena *arena, struct error *err)
{
    char ids[CHUNK][SHEET_ID_TEXT], parties[CHUNK][PARTY_TEXT];
    const char *id_at[CHUNK], *party_at[CHUNK];
    void *rows;
    size_t found;

    for (size_t i = 0; i < count; i++) {
        sheet_id(&sheets[i], run->programme_id, period->text, ids[i]);
        name_party(&sheets[i], run->programme_no, parties[i]);
        id_at[i] = ids[i];
        party_at[i] = parties[i];
    }
    struct draw_params drawing = { run->programme_no, period->text, { id_at, count }, { party_at, count } };
    struct ids_params reading = { { id_at, count } };
    if (!db_execute(run->db, &draw, &drawing, NULL, err) ||
        !db_fetch(run->db, &read_drawn, &reading, arena, &rows, &found, err))
        return false;
    if (found != count)
        return error_set(err, REASON_INTERNAL, "%zu statements have %zu numbers", count, found);
    for (size_t i = 0; i < count; i++) {
        const struct number_row *row = (const struct number_row *)rows + i;
        snprintf(sheets[i].number, sizeof sheets[i].number, "%s-%06" PRId64, row->party, row->number);
    }
    return true;
}

bool numbers_give(const struct close_run *run, const struct period *period, struct sheet_list *list, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };

    for (size_t i = 0; i < list->count; i += CHUNK) {
        size_t count = list->count - i < CHUNK ? list->count - i : CHUNK;
        arena_reset(&arena);
        if (!give_chunk(run, period, list->at + i, count, &arena, err))
            return false;
    }
    return true;
}

bool numbers_cancel(const struct close_run *run, const struct period *period, struct error *err)
{
    struct period_params params = { run->programme_no, period->text };

    return db_execute(run->db, &cancel, &params, NULL, err);
}
