/*
 * dispute_store.h -- disputes, what was done about them, and what they keep of a merchant's money. The caller begins
 * and ends transactions.
 *
 * What is contested of a merchant's or a carrier's money is kept once: out of the payout of its own statement of the
 * period as far as that was not paid yet (withheld), the rest in its next statements (a row of settlement_hold). Of a
 * line's, together no more than its pair pays. Of
 * nobody else's is anything kept: the others are not paid out.
 */
#ifndef STORE_DISPUTE_STORE_H
#define STORE_DISPUTE_STORE_H

#include "store/db.h"

/*
 * What of d.withheld_minor is not paid out yet: all of it while the dispute is open; of an agreed one what was agreed,
 * until the correction has reached an issued statement of that party, and one from then on carries nothing it owes.
 */
#define DISPUTE_KEPT_OUT                                                                                               \
    "CASE WHEN d.state IN (1, 2, 5) THEN d.withheld_minor WHEN d.state = 3 AND NOT EXISTS (SELECT FROM "               \
    "settlement_correction c JOIN settlement_period taken ON taken.programme_no = c.programme_no AND taken.period = "  \
    "c.taken_period AND taken.state = 3 JOIN settlement_period since ON since.programme_no = c.programme_no AND "      \
    "since.state = 3 AND since.first_day >= taken.first_day JOIN statement t ON t.programme_no = since.programme_no "  \
    "AND t.period = since.period AND t.type = CASE d.other WHEN 2 THEN 3 ELSE 5 END AND t.merchant_no + t.carrier_no " \
    "= d.other_no AND t.currency = d.currency JOIN statement_position k ON k.statement_no = t.statement_no WHERE "     \
    "c.correction_no = d.correction_no AND c.state = 3 AND k.carried_minor >= 0) THEN LEAST(d.withheld_minor, "        \
    "d.agreed_minor) ELSE 0 END"

struct dispute_row {
    int64_t dispute_no;
    int32_t programme_no;
    const char *programme_id, *statement_id;
    const char *statement_number;      /* "": it has none */
    int64_t line_number;               /* of a PAIR; 0: a posting is contested */
    int32_t posting_no;                /* of the opener's own roll-up; 0: a line is contested */
    const char *bank_id, *merchant_id; /* of the PAIR; "" for a posting */
    const char *currency;
    int16_t opener; /* enum party_kind: BANK, MERCHANT or CARRIER */
    int32_t opener_no;
    const char *opener_id;
    int16_t other; /* enum party_kind: who answers, and pays what is agreed */
    int32_t other_no;
    const char *other_id; /* "" for the operator and tax */
    int64_t amount_minor, withheld_minor, held_minor;
    const char *reason_code, *evidence;
    struct bytes evidence_sha256, content_hash;
    int16_t state; /* enum dispute_state */
    const char *opened_by;
    struct date opened_on, expires_on;
    int64_t offered_minor;
    const char *offered_by; /* "": nobody */
    int64_t agreed_minor;
    struct date ended_on; /* 9999-12-31: not ended */
    int64_t correction_no;
    int64_t break_no; /* of a reconciliation; 0: none */
};

/* Of whom a caller may see disputes: both 0, everybody's. */
struct dispute_find_params {
    int64_t dispute_no;
    int16_t party; /* enum party_kind */
    int32_t party_no;
};
extern const struct statement dispute_find; /* returns dispute_row */
struct dispute_request_params {
    int32_t programme_no;
    struct uuid request_id;
};
extern const struct statement dispute_by_request; /* likewise */
struct dispute_list_params {
    int32_t programme_no;
    int16_t state; /* 0: any */
    int16_t party; /* as above */
    int32_t party_no;
    int64_t before; /* 0: from the newest */
    int32_t limit;
};
/* Likewise, the newest first; dispute_list_of when there is a party. */
extern const struct statement dispute_list, dispute_list_of;

/* Waits until nobody else opens disputes or makes payouts in the programme; held until the transaction ends. */
struct dispute_programme_params {
    int32_t programme_no;
};
extern const struct statement dispute_lock;

/* What stands in the way of opening one. */
struct dispute_line_params {
    int64_t statement_no;
    int64_t line_number;
    int16_t opener;
};
struct dispute_line_row {
    int64_t contested_minor; /* by the opener's disputes of the line that are open, or were agreed */
    int64_t open;            /* how many of those are open */
    bool answered;           /* the opener has agreed to its statement of the period, or was silent for its days */
    bool agreed;             /* not by silence */
};
extern const struct statement dispute_line;

struct dispute_posting_params {
    int64_t statement_no; /* a roll-up */
    int32_t posting_no;
};
struct dispute_posting_row {
    int64_t posting_minor;   /* 0: the statement has no such posting */
    int64_t contested_minor; /* by disputes of either party that are open, or were agreed */
    int64_t open;
    bool answered;
};
extern const struct statement dispute_posting;

struct dispute_open_params {
    int64_t statement_no;
    struct uuid request_id;
    struct bytes content_hash;
    int64_t line_number;
    int16_t opener;
    int64_t line_minor, amount_minor;
    const char *reason_code, *evidence;
    struct bytes evidence_sha256;
    const char *by;
    int32_t default_days; /* of a party without a contract */
    int64_t break_no;     /* 0: none */
    int32_t posting_no;   /* 0: a line is contested, else line_number is 0 */
};
extern const struct statement dispute_open;
extern const struct statement dispute_hold; /* dispute_request_params: keeps its held_minor */
/* dispute_programme_params: those with an open dispute are DISPUTED, the others again what they are without. */
extern const struct statement dispute_mark_statements, dispute_unmark_statements;

/* Does nothing unless it is in that state. */
struct dispute_put_params {
    int64_t dispute_no;
    int16_t from, state;
    int64_t offered_minor;
    const char *offered_by;
    int64_t agreed_minor, correction_no;
    bool ended;
};
extern const struct statement dispute_put;
struct dispute_step_params {
    int64_t dispute_no;
    int16_t step; /* enum dispute_step */
    const char *by;
    int64_t amount_minor;
    const char *note;
};
extern const struct statement dispute_add_step;
struct dispute_step_row {
    int16_t step;
    const char *done_by;
    int64_t amount_minor;
    const char *note;
    struct date business_date;
};
struct dispute_steps_params {
    int64_t dispute_no;
};
extern const struct statement dispute_steps; /* the oldest first */

/* Ends what was neither agreed nor escalated by its last day, the day before today at the latest. */
struct dispute_expire_params {
    int32_t programme_no;
    struct date today; /* business date */
};
extern const struct statement dispute_expire;
struct dispute_ended_params {
    int64_t dispute_no;
};
/*
 * Lets go of what an ended dispute holds, or (dispute_expire_params) those that the clock ended that day; the
 * statements from that day on have it. Their breaks end as they did: CORRECTED, REJECTED, EXPIRED.
 */
extern const struct statement dispute_release, dispute_release_expired, dispute_end_break, dispute_end_expired_breaks;

#endif
