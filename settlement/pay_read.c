#include "pay_read.h"

#include "io/digest.h"
#include "pay_store.h"
#include "read_camt.h"
#include "read_pain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BELOW_ANY = PAYOUT_REJECTED, BELOW_PAID = PAYOUT_PAID };

/* Lives in pay_read's frame. */
struct reading {
    struct close_run *run;
    struct pay_tally *tally;
    uint8_t sha256[CRYPTO_HASH];
    int line, part;
};

static void clean_up_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* The file's hash, and whether it speaks of a pain.002 at its beginning. */
static bool look_at(const char *path, uint8_t sha256[CRYPTO_HASH], bool *pain, struct error *err)
{
    CLEANUP(clean_up_file) FILE *in = fopen(path, "re");
    CLEANUP(digest_release) struct digest digest = { 0 };
    char piece[16 * 1024 + 1];
    size_t n;

    if (!in)
        return error_set(err, REASON_FIELD_INVALID, "cannot read %.120s: %s", path, strerror(errno));
    *pain = false;
    digest_begin(&digest);
    for (bool first = true; (n = fread(piece, 1, sizeof piece - 1, in)) > 0; first = false) {
        piece[n] = '\0';
        *pain |= first && strstr(piece, "xsd:pain.002.");
        digest_add(&digest, piece, n);
    }
    digest_end(&digest, sha256);
    return !ferror(in) || error_set(err, REASON_FIELD_INVALID, "cannot read %.120s", path);
}

static struct pay_notice notice_of(struct reading *reading, int line, const char *kind)
{
    reading->part = line == reading->line ? reading->part + 1 : 0;
    reading->line = line;
    reading->tally->records++;
    return (struct pay_notice){
        .programme_no = reading->run->programme_no,
        .file_sha256 = { reading->sha256, CRYPTO_HASH },
        .line = line,
        .part = reading->part,
        .file_kind = kind,
        .currency = "",
        .reference = "",
        .outcome = "NO_CHANGE",
    };
}

/* Counts it, or says that it was counted before. */
static bool keep(struct reading *reading, const struct pay_notice *notice, bool *added, struct error *err)
{
    if (!pay_store_notice(reading->run->db, notice, added, err))
        return false;
    reading->tally->before += !*added;
    return true;
}

/* pain.002 */

static const struct {
    const char *status;
    int16_t state, below;
} statuses[] = {
    { "ACTC", PAYOUT_ACCEPTED, BELOW_PAID }, { "ACCP", PAYOUT_ACCEPTED, BELOW_PAID },
    { "ACSP", PAYOUT_ACCEPTED, BELOW_PAID }, { "ACWC", PAYOUT_ACCEPTED, BELOW_PAID },
    { "ACSC", PAYOUT_PAID, BELOW_ANY },      { "ACCC", PAYOUT_PAID, BELOW_ANY },
    { "RJCT", PAYOUT_REJECTED, BELOW_PAID }, { "CANC", PAYOUT_REJECTED, BELOW_PAID },
};

static void count(struct pay_tally *tally, int16_t state, int64_t moved)
{
    int64_t *const sums[] = {
        [PAYOUT_ACCEPTED] = &tally->accepted, [PAYOUT_PAID] = &tally->paid, [PAYOUT_REJECTED] = &tally->rejected
    };

    *sums[state] += moved;
}

static bool take_status(void *owner, const struct pain_record *record, struct error *err)
{
    struct reading *reading = owner;
    struct pay_notice notice = notice_of(reading, record->line, "PAIN002");
    struct pay_move move = {
        reading->run->programme_no, record->message_id, record->end_to_end_id, 0, 0, record->reason, "", 0
    };
    int64_t moved = 0;
    bool added;

    for (size_t i = 0; i < COUNT(statuses) && move.state == 0; i++) {
        if (strcmp(statuses[i].status, record->status) == 0) {
            move.state = statuses[i].state;
            move.below = statuses[i].below;
        }
    }
    notice.end_to_end_id = record->end_to_end_id;
    notice.status = record->status;
    notice.reason = record->reason;
    notice.outcome = move.state ? "STATUS" : "NO_CHANGE";
    if (!keep(reading, &notice, &added, err))
        return false;
    if (!added || move.state == 0 || !*move.message_id)
        return true;
    if (!pay_store_move(reading->run->db, &move, &moved, err))
        return false;
    count(reading->tally, move.state, moved);
    reading->tally->other += moved == 0;
    return true;
}

/* camt */

/* Money that left for a payout, or that came back. */
static bool move_booked(struct reading *reading, const struct camt_record *record, struct error *err)
{
    struct pay_move move = { reading->run->programme_no,
                             "",
                             record->end_to_end_id,
                             record->credit ? PAYOUT_REJECTED : PAYOUT_PAID,
                             BELOW_ANY,
                             record->credit ? (*record->reason ? record->reason : "RETURNED") : "",
                             record->currency,
                             record->amount_minor };
    int64_t moved;

    if (!pay_store_move(reading->run->db, &move, &moved, err))
        return false;
    count(reading->tally, move.state, moved);
    reading->tally->other += moved == 0;
    return true;
}

static bool take_booking(void *owner, const struct camt_record *record, struct error *err)
{
    struct reading *reading = owner;
    struct pay_notice notice = notice_of(reading, record->line, "CAMT");
    bool owed, added;

    if (strcmp(record->status, "BOOK") != 0 || !*record->end_to_end_id)
        return true; /* announced only, or nobody's: not ours to match */
    if (!pay_store_owed(reading->run->db, reading->run->programme_no, record->end_to_end_id, record->currency, &owed,
                        err))
        return false;
    notice.end_to_end_id = record->end_to_end_id;
    notice.status = record->status;
    notice.reason = record->reason;
    notice.currency = record->currency;
    notice.amount_minor = record->credit ? record->amount_minor : -record->amount_minor;
    notice.booked = record->booked;
    notice.reference = record->reference;
    notice.outcome = owed ? "RECEIPT" : "BOOKING";
    if (!keep(reading, &notice, &added, err))
        return false;
    if (!added)
        return true;
    reading->tally->received += owed;
    return owed || move_booked(reading, record, err);
}

bool pay_read(struct close_run *run, const char *path, struct pay_tally *tally, struct error *err)
{
    struct reading reading = { .run = run, .tally = tally, .line = -1 };
    bool pain, good;

    *tally = (struct pay_tally){ 0 };
    if (!look_at(path, reading.sha256, &pain, err) || !db_begin(run->db, err))
        return false;
    good = (pain ? read_pain(path, take_status, &reading, err) : read_camt(path, take_booking, &reading, err)) &&
           pay_store_follow(run->db, run->programme_no, err) && db_commit(run->db, err);
    if (!good)
        db_rollback(run->db);
    return good;
}
