#include "domain/rule_set_life.h"

static const struct {
    enum rule_set_state from;
    enum rule_set_event event;
    enum rule_set_state to;
} moves[] = {
    { RULE_SET_DRAFT, RULE_SET_VALIDATE, RULE_SET_VALIDATED },
    { RULE_SET_VALIDATED, RULE_SET_APPROVE, RULE_SET_APPROVED },
    { RULE_SET_APPROVED, RULE_SET_SCHEDULE, RULE_SET_SCHEDULED },
    { RULE_SET_SCHEDULED, RULE_SET_CANCEL, RULE_SET_CANCELLED },
};

static const char *const sentences[] = {
    [RULE_SET_DRAFT] = "it is a draft: validate it first",
    [RULE_SET_VALIDATED] = "it is validated: a second person must approve it first",
    [RULE_SET_APPROVED] = "it is approved: schedule it first",
    [RULE_SET_SCHEDULED] = "it is scheduled already",
    [RULE_SET_ACTIVE] = "it is in force: supersede it by another one",
    [RULE_SET_SUPERSEDED] = "it was in force and is superseded",
    [RULE_SET_CANCELLED] = "it was cancelled: draft another one",
};

enum rule_set_state rule_set_state_at(enum rule_set_state kept, struct instant from, struct instant until,
                                      struct instant now)
{
    if (kept != RULE_SET_SCHEDULED || now.us < from.us)
        return kept;
    return now.us < until.us ? RULE_SET_ACTIVE : RULE_SET_SUPERSEDED;
}

bool rule_set_move(enum rule_set_state from, enum rule_set_event event, enum rule_set_state *to, struct error *err)
{
    for (size_t i = 0; i < COUNT(moves); i++) {
        if (moves[i].from == from && moves[i].event == event) {
            *to = moves[i].to;
            return true;
        }
    }
    return error_set(err, REASON_RULE_SET_STATE, "%s", sentences[from]);
}
