#include "recon_correct.h"

#include "domain/settle_contract.h"
#include "io/crypto.h"
#include "recon_report.h"
#include "store/correction_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)RECON_BANK == PARTY_BANK && (int)RECON_MERCHANT == PARTY_MERCHANT, "one numbering of parties");

bool recon_remedy_of(const struct recon_break_row *row, struct recon_remedy *remedy)
{
    int64_t difference;

    if (!recon_difference(row, &difference) || difference == 0)
        return false;
    bool more = difference > 0, bank = row->party_type == RECON_BANK;
    *remedy = (struct recon_remedy){ .pays = more == bank,
                                     .minor = more ? difference : -difference,
                                     .currency = *row->our_currency ? row->our_currency : row->their_currency };
    return true;
}

/* What is wanted of one break; its texts are copies in the caller's arena. */
struct found {
    struct arena *arena;
    struct recon_break_row row;
    bool there;
};

static bool copy_text(struct arena *arena, const char **text, struct error *err)
{
    *text = arena_copy(arena, *text, strlen(*text));
    return *text || error_set(err, REASON_INTERNAL, "out of memory");
}

static bool take_row(void *owner, const void *from, struct error *err)
{
    struct found *found = owner;

    found->row = *(const struct recon_break_row *)from;
    found->there = true;
    return copy_text(found->arena, &found->row.our_currency, err) &&
           copy_text(found->arena, &found->row.their_currency, err) &&
           copy_text(found->arena, &found->row.period, err) && copy_text(found->arena, &found->row.note, err);
}

static bool find_break(struct db *db, const struct recon_correction *order, struct arena *arena,
                       struct recon_break_row *row, struct error *err)
{
    struct recon_break_filter filter = { .programme_no = order->programme_no,
                                         .break_no = order->break_no,
                                         .period = "" };
    struct found found = { .arena = arena };

    if (!recon_store_each_break(db, &filter, take_row, &found, err))
        return false;
    *row = found.row;
    return found.there || error_field(err, REASON_FIELD_INVALID, "--break",
                                      "there is no break %" PRId64 " in the programme", order->break_no);
}

/* Always the same for one break, so that a second try finds the first. */
static struct uuid request_of(const struct recon_correction *order)
{
    uint8_t hash[CRYPTO_HASH];
    char text[64];
    int n = snprintf(text, sizeof text, "recon_break/%d/%" PRId64, (int)order->programme_no, order->break_no);

    crypto_sha256(text, (size_t)n, hash);
    return uuid_v8(hash);
}

/* Who stands on the other side: the pair's other party, or the operator where none is known. */
static struct party other_party(const struct recon_break_row *row, bool operator_bears)
{
    bool bank = row->party_type == RECON_BANK;
    struct party other = { bank ? PARTY_MERCHANT : PARTY_BANK, bank ? row->merchant_no : row->bank_no };

    return operator_bears || other.no == 0 ? (struct party){ PARTY_OPERATOR, 0 } : other;
}

static bool propose(struct db *db, const struct recon_correction *order, const struct recon_break_row *row,
                    struct arena *arena, struct correction_row *correction, struct error *err)
{
    struct party party = { row->party_type, row->party_no }, other = other_party(row, order->operator_bears);
    struct recon_remedy remedy;
    char refers_to[96];

    if (!recon_remedy_of(row, &remedy))
        return error_field(err, REASON_FIELD_INVALID, "--break",
                           "there is no difference in one currency to correct; accept the break, or correct by hand");
    snprintf(refers_to, sizeof refers_to, "break %" PRId64 " of %s", order->break_no, row->period);
    struct correction asked = {
        .programme_no = order->programme_no,
        .request_id = request_of(order),
        .currency = remedy.currency,
        .kind = POSTING_ADJUSTMENT,
        .from_party = remedy.pays ? party.kind : other.kind,
        .from_no = remedy.pays ? party.no : other.no,
        .to_party = remedy.pays ? other.kind : party.kind,
        .to_no = remedy.pays ? other.no : party.no,
        .amount_minor = remedy.minor,
        .reason = order->reason,
        .refers_to = refers_to,
        .maker = order->by,
    };
    return correction_propose(db, &asked, arena, correction, err);
}

static bool propose_and_mark(struct db *db, const struct recon_correction *order, const struct recon_break_row *found,
                             struct arena *arena, struct correction_row *row, struct error *err)
{
    char note[300];
    bool done = false;

    snprintf(note, sizeof note, "%s: %s", order->by, order->reason);
    return propose(db, order, found, arena, row, err) &&
           recon_store_correct_break(db, order->break_no, row->correction_no, BREAK_CORRECTING, note, &done, err) &&
           (done || error_set(err, REASON_TRY_AGAIN, "somebody else changed the break just now; look at it again"));
}

bool recon_propose(struct db *db, const struct recon_correction *order, struct arena *arena, struct correction_row *row,
                   struct error *err)
{
    struct recon_break_row found;

    if (!find_break(db, order, arena, &found, err))
        return false;
    if (found.state != BREAK_OPEN && found.state != BREAK_DISPUTABLE && found.state != BREAK_CORRECTING)
        return error_field(err, REASON_FIELD_INVALID, "--break", "the break is %s; there is nothing to correct",
                           recon_break_state_name(found.state));
    if (!db_begin(db, err))
        return false;
    if (propose_and_mark(db, order, &found, arena, row, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

static bool find_correction(struct db *db, const struct recon_correction *order, int64_t correction_no,
                            struct arena *arena, struct correction_row *row, struct error *err)
{
    struct correction_row *rows;
    size_t count;

    /* The one just below the number above it. */
    if (!correction_list(db, order->programme_no, 0, correction_no + 1, 1, arena, &rows, &count, err))
        return false;
    if (count == 0 || rows[0].correction_no != correction_no)
        return error_set(err, REASON_INTERNAL, "correction %" PRId64 " of the break is not there", correction_no);
    *row = rows[0];
    return true;
}

static bool approve_and_mark(struct db *db, const struct recon_correction *order, const struct recon_break_row *found,
                             struct arena *arena, struct correction_row *row, struct error *err)
{
    bool done;

    if (!find_correction(db, order, found->correction_no, arena, row, err))
        return false;
    int64_t amount = row->amount_minor;
    return correction_approve(db, order->programme_no, found->correction_no, amount, order->by, arena, row, err) &&
           recon_store_correct_break(db, order->break_no, found->correction_no, BREAK_CORRECTED, found->note, &done,
                                     err);
}

bool recon_approve(struct db *db, const struct recon_correction *order, struct arena *arena, struct correction_row *row,
                   struct error *err)
{
    struct recon_break_row found;

    if (!find_break(db, order, arena, &found, err))
        return false;
    if (found.correction_no == 0)
        return error_field(err, REASON_FIELD_INVALID, "--break", "no correction is proposed for the break");
    if (!db_begin(db, err))
        return false;
    if (approve_and_mark(db, order, &found, arena, row, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}
