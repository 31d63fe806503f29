#include "recon_dispute_store.h"

#include "recon_break_store.h"

_Static_assert(RECON_CONFIRM == 1 && RECON_REVERSE == 2 && RECON_BANK == 1 && BREAK_DISPUTABLE == 2,
               "as in the queries");

struct line_params {
    int32_t programme_no;
    int16_t party_type;
    int32_t party_no;
    struct uuid redemption_id, ref;
    int32_t hash16;
    struct date first, last;
    int16_t kind; /* preferred */
};
static const struct column line_params[] = {
    COLUMN(struct line_params, programme_no), COLUMN(struct line_params, party_type),
    COLUMN(struct line_params, party_no),     COLUMN(struct line_params, redemption_id),
    COLUMN(struct line_params, ref),          COLUMN(struct line_params, hash16),
    COLUMN(struct line_params, first),        COLUMN(struct line_params, last),
    COLUMN(struct line_params, kind),
};
static const struct column line_columns[] = {
    COLUMN(struct recon_line, line_number),  COLUMN(struct recon_line, statement_no),
    COLUMN(struct recon_line, statement_id), COLUMN(struct recon_line, issued),
    COLUMN(struct recon_line, currency),     COLUMN(struct recon_line, gross_minor),
};
/* Only chunks that hold the entry's key are taken apart. */
static const struct statement find_line = STATEMENT(
    "recon_dispute_line",
    "SELECT COALESCE(l.line_number, 0) AS line_number, COALESCE(l.statement_no, 0) AS statement_no, "
    "COALESCE(l.statement_id, '') AS statement_id, COALESCE(l.issued, false) AS issued, j.currency, "
    "j.gross_minor FROM (SELECT * FROM journal WHERE programme_no = $1 AND business_date BETWEEN "
    "$7 AND $8 AND kind IN (4, 8) AND CASE $2 WHEN 1 THEN bank_no ELSE merchant_no END = $3 AND redemption_id = $4 AND "
    "($5 = '00000000-0000-0000-0000-000000000000' OR ref = $5) AND $6 IN (-1, get_byte(uuid_send(member_id), 0) * 256 "
    "+ get_byte(uuid_send(member_id), 1)) ORDER BY kind <> $9, business_date, member_id, seq LIMIT 1) j LEFT JOIN "
    "LATERAL (SELECT k.line_number, s.statement_no, s.statement_id, COALESCE(p.state = 3, false) AS issued FROM "
    "statement s JOIN statement_chunk c USING (statement_no) CROSS JOIN packed_line_keys(c.first_line, c.keys) k LEFT "
    "JOIN settlement_period p ON p.programme_no = s.programme_no AND p.period = s.period WHERE s.programme_no = $1 AND "
    "s.type = 1 AND s.bank_no = j.bank_no AND s.merchant_no = j.merchant_no AND s.currency = j.currency AND "
    "j.business_date BETWEEN s.first_day AND s.last_day AND position(int2send(j.bucket::int2) || "
    "uuid_send(j.member_id) || int8send(j.seq) IN c.keys) > 0 AND k.bucket = j.bucket AND k.member_id = j.member_id "
    "AND k.seq = j.seq AND k.business_date = j.business_date ORDER BY s.last_day DESC LIMIT 1) l ON true",
    line_params, line_columns, sizeof(struct recon_line));

enum { CONFIRMS = 4, REVERSES = 8, ELSEWHERE_DAYS = 62 }; /* enum entry_kind; as recon_store_said_elsewhere */

bool recon_store_line(struct db *db, int32_t programme_no, const struct recon_break_row *row, struct arena *arena,
                      struct recon_line *line, bool *found, struct error *err)
{
    bool ours = *row->our_currency != '\0', again = row->class == RECON_DUPLICATE;
    struct line_params params = {
        .programme_no = programme_no,
        .party_type = row->party_type,
        .party_no = row->party_no,
        .redemption_id = row->redemption_id,
        .ref = row->ref,
        .hash16 = row->hash16,
        .first = ours ? row->our_date : (struct date){ row->their_date.days - ELSEWHERE_DAYS },
        .last = ours ? row->our_date : (struct date){ row->their_date.days + ELSEWHERE_DAYS },
        .kind = again && row->their_state == RECON_REVERSE ? REVERSES : CONFIRMS,
    };

    return db_fetch_one(db, &find_line, &params, arena, line, found, err);
}

struct mark_params {
    int64_t break_no, dispute_no;
    const char *note;
};
static const struct column mark_params[] = { COLUMN(struct mark_params, break_no),
                                             COLUMN(struct mark_params, dispute_no), COLUMN(struct mark_params, note) };
static const struct statement mark_break = COMMAND_STATEMENT(
    "recon_dispute_break",
    "UPDATE recon_break SET state = 7, dispute_no = $2, note = $3 WHERE break_no = $1 AND state = 2", mark_params);

bool recon_store_dispute_break(struct db *db, int64_t break_no, int64_t dispute_no, const char *note, bool *done,
                               struct error *err)
{
    const struct mark_params params = { break_no, dispute_no, note };
    int64_t affected;

    if (!db_execute(db, &mark_break, &params, &affected, err))
        return false;
    *done = affected == 1;
    return true;
}
