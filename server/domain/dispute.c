#include "domain/dispute.h"

#include <string.h>

static const struct {
    enum dispute_state from;
    enum dispute_step step;
    int sides; /* enum dispute_side, or-ed */
    enum dispute_state to;
} moves[] = {
    { DISPUTE_OPEN, DISPUTE_ANSWER, SIDE_OTHER, DISPUTE_ANSWERED },
    { DISPUTE_OPEN, DISPUTE_AGREE, SIDE_OTHER, DISPUTE_AGREED },
    { DISPUTE_OPEN, DISPUTE_REJECT, SIDE_OPENER, DISPUTE_REJECTED },
    { DISPUTE_OPEN, DISPUTE_ESCALATE, SIDE_OPENER, DISPUTE_ESCALATED },
    { DISPUTE_OPEN, DISPUTE_EXPIRE, SIDE_CLOCK, DISPUTE_EXPIRED },
    { DISPUTE_ANSWERED, DISPUTE_AGREE, SIDE_OPENER | SIDE_OTHER, DISPUTE_AGREED },
    { DISPUTE_ANSWERED, DISPUTE_REJECT, SIDE_OPENER, DISPUTE_REJECTED },
    { DISPUTE_ANSWERED, DISPUTE_ESCALATE, SIDE_OPENER | SIDE_OTHER, DISPUTE_ESCALATED },
    { DISPUTE_ANSWERED, DISPUTE_EXPIRE, SIDE_CLOCK, DISPUTE_EXPIRED },
    { DISPUTE_ESCALATED, DISPUTE_DECIDE, SIDE_OPERATOR, DISPUTE_AGREED },
};

static const char *const sentences[] = {
    [DISPUTE_OPEN] = "it waits for the other party's answer",
    [DISPUTE_ANSWERED] = "it is answered: agree, let it fall or escalate it",
    [DISPUTE_AGREED] = "it ended with an agreement",
    [DISPUTE_REJECTED] = "it was rejected",
    [DISPUTE_ESCALATED] = "it waits for the operator's decision",
    [DISPUTE_EXPIRED] = "its time is over",
};

bool dispute_is_open(int state)
{
    return state == DISPUTE_OPEN || state == DISPUTE_ANSWERED || state == DISPUTE_ESCALATED;
}

static bool agree(struct dispute_life *life, enum dispute_side side, int64_t amount_minor, struct error *err)
{
    int64_t due = side == SIDE_OTHER ? life->amount_minor : life->offered_minor;

    if (amount_minor != due || due == 0)
        return error_field(err, REASON_APPROVAL_DIFFERS, "amount_minor",
                           side == SIDE_OTHER ? "must be all that is contested; a part is offered with an answer"
                                              : "must be what was offered");
    life->agreed_minor = amount_minor;
    return true;
}

/* The first word is a proposal, and may be changed by who gave it; another person's same word decides. */
static bool decide(struct dispute_life *life, int64_t amount_minor, const char *by, enum dispute_state *to,
                   struct error *err)
{
    if (!*life->offered_by || strcmp(life->offered_by, by) == 0) {
        life->offered_minor = amount_minor;
        life->offered_by = by;
        *to = DISPUTE_ESCALATED;
        return true;
    }
    if (amount_minor != life->offered_minor)
        return error_field(err, REASON_APPROVAL_DIFFERS, "amount_minor", "must be what the other person proposed");
    life->agreed_minor = amount_minor;
    *to = amount_minor > 0 ? DISPUTE_AGREED : DISPUTE_REJECTED;
    return true;
}

static bool apply(struct dispute_life *life, enum dispute_step step, enum dispute_side side, int64_t amount_minor,
                  const char *by, enum dispute_state *to, struct error *err)
{
    bool bare = step == DISPUTE_REJECT || step == DISPUTE_ESCALATE || step == DISPUTE_EXPIRE;

    if (amount_minor < 0 || amount_minor > (bare ? 0 : life->amount_minor))
        return error_field(err, REASON_FIELD_INVALID, "amount_minor",
                           bare ? "must be 0: this step has no amount" : "must be 0 to what is contested");
    if (step == DISPUTE_AGREE)
        return agree(life, side, amount_minor, err);
    if (step == DISPUTE_DECIDE)
        return decide(life, amount_minor, by, to, err);
    if (step == DISPUTE_ANSWER || step == DISPUTE_ESCALATE) { /* an offer that was not taken is none any more */
        life->offered_minor = amount_minor;
        life->offered_by = step == DISPUTE_ANSWER ? by : "";
    }
    return true;
}

bool dispute_do(struct dispute_life *life, enum dispute_step step, enum dispute_side side, int64_t amount_minor,
                const char *by, struct error *err)
{
    for (size_t i = 0; i < COUNT(moves); i++) {
        enum dispute_state to = moves[i].to;
        if (moves[i].from != (enum dispute_state)life->state || moves[i].step != step)
            continue;
        if (!(moves[i].sides & (int)side))
            return error_set(err, REASON_DISPUTE_TURN, "%s", "");
        if (!apply(life, step, side, amount_minor, by, &to, err))
            return false;
        life->state = (int16_t)to;
        return true;
    }
    return error_set(err, REASON_DISPUTE_STATE, "%s", sentences[life->state]);
}
