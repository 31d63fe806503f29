/*
 * A bank's file of members: its bytes, plain or gzip, in either encoding, with a mapping or without. Every pass says
 * the same; a member that is read survives being written with our own header; nothing given is larger than the limits.
 */
#include "fuzz.h"

#include "ops/cli/member_rows.h"
#include "ops/cli/member_source.h"

#include <fcntl.h>
#include <unistd.h>

static const char mapping[] =
    "{\"rows\":\"members\",\"separator\":\";\",\"lines\":\"%s\",\"columns\":{"
    "\"member_ref\":{\"from\":\"a\",\"prefix\":\"p-\"},"
    "\"credit_limit\":{\"from\":\"b\",\"empty\":\"0\",\"money\":{\"sign\":\"$\",\"points\":3,\"units\":2,\"round\":"
    "\"down\"},"
    "\"combine\":\"sum\"},"
    "\"status\":{\"from\":\"c\",\"map\":{\"x\":\"ACTIVE\",\"y\":\"FROZEN\"},\"other\":\"\",\"combine\":\"first\"},"
    "\"card_tokens\":{\"from\":\"d\",\"tokenise\":true,\"combine\":\"list\"},"
    "\"card_expiry\":{\"from\":\"e\",\"date\":\"YYMMDD+50\",\"combine\":\"list\"},"
    "\"name\":{\"from\":[\"a\",\"c\"],\"between\":\" \",\"combine\":\"first\"}}}";

/* The files of all inputs: made once, in memory, and gone with the process. */
static struct {
    char folder[32], file[64], key[64], mapping[3][64];
} paths;

static void write_file(const char *path, const void *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CLAIM(file >= 0 && write(file, bytes, size) == (ssize_t)size);
    CLAIM(close(file) == 0);
}

static void remove_files(void)
{
    for (size_t i = 0; i < COUNT(paths.mapping); i++)
        unlink(paths.mapping[i]);
    unlink(paths.file);
    unlink(paths.key);
    rmdir(paths.folder);
}

static void make_files(void)
{
    static const char *const lines[] = { "each", "adjacent", "first" };
    char text[2048], key[64];

    strcpy(paths.folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz.XXXXXX" : "/tmp/fuzz.XXXXXX");
    CLAIM(mkdtemp(paths.folder) != NULL);
    atexit(remove_files);
    snprintf(paths.file, sizeof paths.file, "%s/file", paths.folder);
    snprintf(paths.key, sizeof paths.key, "%s/key", paths.folder);
    memset(key, '5', sizeof key);
    write_file(paths.key, key, sizeof key);
    for (size_t i = 0; i < COUNT(lines); i++) {
        snprintf(paths.mapping[i], sizeof paths.mapping[i], "%s/mapping%zu", paths.folder, i);
        snprintf(text, sizeof text, mapping, lines[i]);
        write_file(paths.mapping[i], text, strlen(text));
    }
}

static struct source_options options_of(uint8_t choice)
{
    return (struct source_options){
        .path = paths.file,
        .kind = "members",
        .columns = member_columns,
        .column_count = MEMBER_COLUMNS,
        .mapping = choice % 4 ? paths.mapping[choice % 4 - 1] : NULL,
        .encoding = choice & 4 ? "GB18030" : NULL,
        .key_file = paths.key,
        .max_mb = 1,
    };
}

/* What a good row is never like. */
static void check_row(const struct row_source *source, const Alliance__V1__Member *member)
{
    CLAIM(*member->member_ref && member->credit_limit >= 0);
    CLAIM(source->in.given <= source->in.limit);
    for (size_t i = 0; i < MEMBER_COLUMNS; i++)
        CLAIM(!rows_formula(source->row->values[i]));
}

/* Writes the values with our own header; false when a line would be longer than a file may have. */
static bool copy_row(const struct row_source *source, FILE *out)
{
    long from = ftell(out);

    rows_write(out, source->row->values, MEMBER_COLUMNS);
    for (size_t i = 0; i < MEMBER_COLUMNS; i++) {
        if (strlen(source->row->values[i]) > ROWS_FIELD_MAX)
            return false;
    }
    return ftell(out) - from <= ROWS_LINE_MAX;
}

/* The good rows as a file of their own; NULL when it cannot be read again, or nothing is good. */
static char *copy_rows(struct row_source *source, size_t *size)
{
    struct member_source members = { .source = source };
    const char *names[MEMBER_COLUMNS];
    struct arena arena = { 0 };
    enum source_next next;
    char *text = NULL;
    bool fits = true;

    FILE *out = open_memstream(&text, size);
    CLAIM(out != NULL);
    for (size_t i = 0; i < MEMBER_COLUMNS; i++)
        names[i] = member_columns[i].name;
    rows_write(out, names, MEMBER_COLUMNS);
    while ((next = member_source_next(&members, &arena)) == SOURCE_ROW || next == SOURCE_BAD) {
        CLAIM((next == SOURCE_BAD) == (source->row->err.reason != REASON_OK));
        if (next == SOURCE_ROW) {
            check_row(source, members.row->member);
            fits = copy_row(source, out) && fits;
        }
        arena_reset(&arena);
    }
    CLAIM(next == SOURCE_END);
    arena_release(&arena);
    fclose(out);
    if (fits && *size <= 1 << 20)
        return text;
    free(text);
    return NULL;
}

static bool read_totals(const struct source_options *options, struct member_totals *totals, char **copy, size_t *size)
{
    CLEANUP(row_source_close) struct row_source source;
    struct member_totals again;
    struct error err = { 0 };

    if (!row_source_open(&source, options, &err) || !member_source_totals(&source, NULL, totals, &err)) {
        CLAIM(err.reason != REASON_OK && *error_text(&err));
        return false;
    }
    CLAIM(member_source_totals(&source, NULL, &again, &err));
    CLAIM(memcmp(totals, &again, sizeof again) == 0);
    *copy = copy_rows(&source, size);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct feed feed = { bytes, size };
    struct source_options options;
    struct member_totals totals, again;
    char *copy, *second;

    if (!*paths.folder)
        make_files();
    options = options_of(feed_byte(&feed));
    write_file(paths.file, feed.at, feed.size);
    if (!read_totals(&options, &totals, &copy, &size) || !copy)
        return 0;
    options = options_of(0);
    write_file(paths.file, copy, size);
    CLAIM(read_totals(&options, &again, &second, &size));
    CLAIM(again.rows == totals.rows && again.refused == 0 && again.credit_limit_total == totals.credit_limit_total);
    CLAIM(memcmp(again.rows_sha256, totals.rows_sha256, CRYPTO_HASH) == 0);
    CLAIM(second && strcmp(second, copy) == 0);
    free(copy);
    free(second);
    return 0;
}
