/* recon_camt.c -- records from camt.052, 053 and 054: what was booked. */
#include "read_camt.h"
#include "recon_read.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct camt_in {
    const struct recon_file *file;
    recon_take *take;
    void *owner;
    int64_t records;
};

static bool refuse(const struct camt_in *in, int line, const char *sentence, struct error *err)
{
    return error_set(err, REASON_MESSAGE_MALFORMED, "%.60s:%d: %s", in->file->path, line, sentence);
}

/* The payer's reference names the redemption; a bank that gives none has its own. */
static const char *key_of(const struct camt_record *from)
{
    bool has = *from->end_to_end_id && strcmp(from->end_to_end_id, "NOTPROVIDED") != 0;

    return has ? from->end_to_end_id : from->reference;
}

static bool take_record(void *owner, const struct camt_record *from, struct error *err)
{
    struct camt_in *in = owner;
    struct recon_record record = { .line = from->line, .points = -1, .amount_minor = from->amount_minor };

    if (strcmp(from->status, "BOOK") != 0)
        return true; /* may still go away */
    if (++in->records > RECON_RECORDS_MAX)
        return refuse(in, from->line, "there are more than 5,000,000 records", err);
    record.date = from->booked.days ? from->booked : from->value;
    if (record.date.days == 0)
        return refuse(in, from->line, "the entry has neither BookgDt nor ValDt, so it belongs to no day", err);
    if (!text_is_currency(from->currency) || from->amount_minor < 0 || from->amount_minor > AMOUNT_MINOR_MAX)
        return refuse(in, from->line, "Amt is not an amount of a currency of three capital letters", err);
    if (strlen(key_of(from)) > RECON_KEY_MAX)
        return refuse(in, from->line, "EndToEndId is longer than 64 bytes", err);
    snprintf(record.key, sizeof record.key, "%.64s", key_of(from));
    memcpy(record.currency, from->currency, sizeof record.currency);
    record.state = from->credit != in->file->confirm_debits ? RECON_CONFIRM : RECON_REVERSE;
    return in->take(in->owner, &record, err);
}

bool recon_read_camt(const struct recon_file *file, recon_take *take, void *owner, struct error *err)
{
    struct camt_in in = { .file = file, .take = take, .owner = owner };
    struct error why = { 0 };

    if (read_camt(file->path, take_record, &in, &why))
        return true;
    /* Ours and the taker's name the file already. */
    bool named = strncmp(why.detail, file->path, strlen(file->path)) == 0 || why.reason == REASON_INTERNAL;
    return error_set(err, why.reason, "%.60s%s%.130s", named ? "" : file->path, named ? "" : ": ", error_text(&why));
}
