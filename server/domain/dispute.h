/*
 * dispute.h -- the life of a dispute about a line of a statement, as rows: which step may follow which, and whose it
 * is. Pure.
 *
 * One party of the line opens it, the other answers and may offer a part. The other grants the whole, or the opener
 * takes the offer or lets its claim fall; else one of them takes it to the operator, of whom two people decide. What
 * nobody agreed on nor escalated by its last day expires: the statement's figure stands.
 */
#ifndef DOMAIN_DISPUTE_H
#define DOMAIN_DISPUTE_H

#include "base/error.h"

#include <stdint.h>

/* DisputeState and DisputeStep of settlement_service.proto. */
enum dispute_state {
    DISPUTE_OPEN = 1,
    DISPUTE_ANSWERED,
    DISPUTE_AGREED,
    DISPUTE_REJECTED,
    DISPUTE_ESCALATED,
    DISPUTE_EXPIRED,
};
enum dispute_step {
    DISPUTE_ANSWER = 1,
    DISPUTE_AGREE,
    DISPUTE_REJECT,
    DISPUTE_ESCALATE,
    DISPUTE_DECIDE,
    DISPUTE_EXPIRE,
};
enum dispute_side { SIDE_OPENER = 1, SIDE_OTHER = 2, SIDE_OPERATOR = 4, SIDE_CLOCK = 8 };

struct dispute_life {
    int16_t state;        /* enum dispute_state */
    int64_t amount_minor; /* contested, more than 0 */
    int64_t offered_minor;
    const char *offered_by; /* "": nobody */
    int64_t agreed_minor;
};

/*
 * The step of that side, for that amount: ANSWER offers it, 0 to all; AGREE agrees to it: all for the other party, what
 * was offered for the opener; DECIDE grants it, 0 to all, and waits until a second person `by` says the same. REJECT,
 * ESCALATE and EXPIRE have none. Changes *life, or nothing with DISPUTE_STATE, DISPUTE_TURN, APPROVAL_DIFFERS or
 * FIELD_INVALID. Agreed to or decided with 0 is REJECTED.
 */
bool dispute_do(struct dispute_life *life, enum dispute_step step, enum dispute_side side, int64_t amount_minor,
                const char *by, struct error *err) MUST_USE;
/* Neither agreed nor rejected nor expired: its money is kept. */
bool dispute_is_open(int state);

#endif
