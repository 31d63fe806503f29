/* A CSV file. Every row that is read and written again is read as the same values. */
#include "fuzz.h"

#include "io/rows.h"

static FILE *open_bytes(const void *bytes, size_t size)
{
    FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");

    CLAIM(file != NULL);
    return file;
}

static void free_text(char **text)
{
    free(*text);
}

/* The row below a header of as many columns. */
static char *write_row(const struct rows *rows, size_t *size)
{
    const char *names[ROWS_COLUMNS_MAX];
    char storage[ROWS_COLUMNS_MAX][8], *text = NULL;
    FILE *out = open_memstream(&text, size);

    CLAIM(out != NULL);
    for (size_t i = 0; i < rows->row.count; i++) {
        snprintf(storage[i], sizeof storage[i], "c%zu", i);
        names[i] = storage[i];
    }
    rows_write(out, names, rows->row.count);
    rows_write(out, (const char *const *)rows->row.at, rows->row.count);
    fclose(out);
    return text;
}

static bool all_empty(const struct rows *rows)
{
    return rows->row.count == 1 && !rows->row.at[0][0]; /* a blank line, which is no row */
}

static void survives(const struct rows *rows)
{
    size_t size;
    CLEANUP(free_text) char *text = write_row(rows, &size);
    FILE *file = open_bytes(text, size);
    struct rows again;
    struct error err = { 0 };

    if (!all_empty(rows) && size <= ROWS_LINE_MAX) {
        CLAIM(rows_open(&again, file, NULL, 0, &err));
        CLAIM(rows_read(&again, &err) == ROWS_ROW && again.row.count == rows->row.count);
        for (size_t i = 0; i < rows->row.count; i++)
            CLAIM(strcmp(again.row.at[i], rows->row.at[i]) == 0);
        CLAIM(rows_read(&again, &err) == ROWS_END);
        rows_close(&again);
    }
    fclose(file);
}

static const struct row_column columns[] = { { "member_ref", true }, { "points", false } };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct feed feed = { bytes, size };
    bool named = feed_byte(&feed) % 2;
    struct rows rows;
    struct error err = { 0 };
    enum rows_next next;

    if (feed.size == 0)
        return 0;
    FILE *file = open_bytes(feed.at, feed.size);
    if (rows_open(&rows, file, named ? columns : NULL, named ? COUNT(columns) : 0, &err)) {
        while ((next = rows_read(&rows, &err)) != ROWS_END) {
            if (next == ROWS_ROW)
                survives(&rows);
            for (size_t i = 0; i < rows.column_count; i++)
                CLAIM(next == ROWS_ROW || !*rows_value(&rows, i));
        }
    }
    rows_close(&rows);
    fclose(file);
    return 0;
}
