/*
 * pay_store.h -- SQL of payments: what is to be paid, batches, payouts, what banks said, what is still owed.
 *
 * The caller has the programme's lock, and begins and ends transactions. payout.state only ever grows:
 */
#ifndef SETTLEMENT_PAY_STORE_H
#define SETTLEMENT_PAY_STORE_H

#include "base/arena.h"
#include "domain/period.h"
#include "store/db.h"

enum payout_state { PAYOUT_SENT = 1, PAYOUT_ACCEPTED = 2, PAYOUT_PAID = 3, PAYOUT_REJECTED = 4 };

/* Is the period issued? *found false: it was never calculated. */
bool pay_store_issued(struct db *db, int32_t programme_no, const char *period, bool *issued,
                      struct error *err) MUST_USE;
/*
 * Makes a batch of what statements of the period ask for that are due by that day, without what is on its way or paid,
 * and without what a bank contests of a merchant's: that is paid, as a part of its own, when the dispute has ended.
 * *count 0: there was none, and no batch was made.
 */
bool pay_store_batch(struct db *db, int32_t programme_no, const char *period, struct date execute_on, const char *by,
                     int64_t *count, struct error *err) MUST_USE;

/* How many statements of the period are to be paid out and are due only after that day, and when the first of them is.
 */
struct pay_later {
    int64_t count;
    struct date first; /* 9999-12-31: none */
};
bool pay_store_later(struct db *db, int32_t programme_no, const char *period, struct date on, struct pay_later *later,
                     struct error *err) MUST_USE;

struct pay_batch {
    int64_t batch_no;
    const char *message_id, *file_name;
    struct date execute_on;
    struct bytes sha256; /* empty: the file was not finished */
};
/* The batches of a period, in the arena, by number. */
bool pay_store_batches(struct db *db, int32_t programme_no, const char *period, struct arena *arena,
                       struct pay_batch **batches, size_t *count, struct error *err) MUST_USE;

struct pay_line {
    const char *number;
    int32_t attempt;
    int16_t party_type;
    int32_t party_no;
    const char *currency;
    int64_t amount_minor;
};
/* Of a batch, by currency and number. */
bool pay_store_lines(struct db *db, int64_t batch_no, struct arena *arena, struct pay_line **lines, size_t *count,
                     struct error *err) MUST_USE;
bool pay_store_written(struct db *db, int64_t batch_no, const uint8_t sha256[32], struct error *err) MUST_USE;

/* Something a bank said. */
struct pay_notice {
    int32_t programme_no;
    struct bytes file_sha256;
    int32_t line, part;
    const char *file_kind; /* "PAIN002", "CAMT" */
    const char *end_to_end_id, *status, *reason, *currency;
    int64_t amount_minor; /* credits positive */
    struct date booked;
    const char *reference, *outcome;
};
/* *added false: it is known already. */
bool pay_store_notice(struct db *db, const struct pay_notice *notice, bool *added, struct error *err) MUST_USE;

/* Moves payouts on: of one number, or with number "" of a whole message; message "" for the newest attempt. */
struct pay_move {
    int32_t programme_no;
    const char *message_id, *number;
    int16_t state; /* enum payout_state */
    int16_t below; /* only from states less than that */
    const char *reason;
    const char *currency; /* "": any; else this currency and amount only */
    int64_t amount_minor;
};
bool pay_store_move(struct db *db, const struct pay_move *move, int64_t *moved, struct error *err) MUST_USE;
/*
 * Statements follow: paid when their payout is, or when what came in covers what they ask for; open again when not, and
 * DISPUTED when they are contested. Takes dispute_lock.
 */
bool pay_store_follow(struct db *db, int32_t programme_no, struct error *err) MUST_USE;
/* Is the number that of a statement that asks to be paid by its party, and in that currency? */
bool pay_store_owed(struct db *db, int32_t programme_no, const char *number, const char *currency, bool *owed,
                    struct error *err) MUST_USE;

#endif
