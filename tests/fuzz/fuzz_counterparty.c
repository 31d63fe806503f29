/*
 * What banks and merchants send to be settled with: CSV in our columns and by two mappings, BAI2, MT940, camt.053 as
 * records of reconciliation, and pain.002. The first byte says which. A file that is taken is taken the same again.
 */
#include "fuzz.h"

#include "read_pain.h"
#include "recon_read.h"

#include <unistd.h>

/* Of everything that was given out, in order. */
struct taken {
    int64_t count;
    uint64_t mark;
};
static char path[64];

static void forget(void)
{
    unlink(path);
}

static void put_file(const uint8_t *bytes, size_t size)
{
    if (!*path) {
        CLAIM(access("ops/mappings/recon-bank.json", R_OK) == 0 &&
              access("ops/mappings/recon-merchant.json", R_OK) == 0);
        snprintf(path, sizeof path, "/tmp/fuzz-counterparty-%d", (int)getpid());
        atexit(forget);
    }
    FILE *file = fopen(path, "we");
    CLAIM(file != NULL && fwrite(bytes, 1, size, file) == size);
    CLAIM(fclose(file) == 0);
}

static void mark(struct taken *taken, const char *text)
{
    for (; *text; text++)
        taken->mark = (taken->mark ^ (uint8_t)*text) * 1099511628211u;
    taken->mark++;
}

static bool take_record(void *owner, const struct recon_record *record, struct error *err)
{
    struct taken *taken = owner;

    (void)err;
    CLAIM(record->amount_minor >= 0 && record->points >= -1 && record->line > 0);
    CLAIM(record->state == RECON_CONFIRM || record->state == RECON_REVERSE);
    CLAIM(strlen(record->currency) == 3 && strlen(record->key) <= RECON_KEY_MAX);
    taken->count++;
    taken->mark = taken->mark * 31 + (uint64_t)record->amount_minor + (uint64_t)record->date.days;
    mark(taken, record->key);
    mark(taken, record->party);
    return true;
}

static bool take_status(void *owner, const struct pain_record *record, struct error *err)
{
    struct taken *taken = owner;

    (void)err;
    CLAIM(*record->status && strlen(record->text) < PAIN_TEXT && record->line >= 0);
    taken->count++;
    mark(taken, record->end_to_end_id);
    mark(taken, record->status);
    mark(taken, record->text);
    return true;
}

static bool read_once(uint8_t kind, struct taken *taken, struct error *err)
{
    static const struct {
        const char *format, *mapping;
    } kinds[] = { { "csv", NULL },
                  { "csv", "ops/mappings/recon-bank.json" },
                  { "csv", "ops/mappings/recon-merchant.json" },
                  { "bai2", NULL },
                  { "mt940", NULL },
                  { "camt053", NULL },
                  { "pain002", NULL } };
    size_t i = kind % COUNT(kinds);
    struct recon_file file = {
        .path = path, .mapping = kinds[i].mapping, .confirm_debits = (kind & 0x80) != 0, .max_mb = 1
    };

    *taken = (struct taken){ 0 };
    *err = (struct error){ 0 };
    return i + 1 == COUNT(kinds) ? read_pain(path, take_status, taken, err)
                                 : recon_reader_named(kinds[i].format)(&file, take_record, taken, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct feed feed = { bytes, size };
    struct taken first, second;
    struct error err, again;
    uint8_t kind = feed_byte(&feed);

    put_file(feed.at, feed.size);
    bool good = read_once(kind, &first, &err);
    /* A file that is not taken is at fault, never the reader; what is wrong is said. */
    CLAIM(good || ((reason_status(err.reason) == STATUS_INVALID_ARGUMENT || err.reason == REASON_DOES_NOT_TIE) &&
                   *error_text(&err)));
    CLAIM(read_once(kind, &second, &again) == good && again.reason == err.reason);
    CLAIM(first.count == second.count && first.mark == second.mark);
    return 0;
}
