/*
 * redemption.h -- the life of a redemption: held, then confirmed, cancelled or lapsed; confirmed, then reversed.
 *
 * Pure. Each function decides one command over state the lane has locked: it answers a reason, and either everything is
 * changed and the entries are written, or nothing is.
 */
#ifndef DOMAIN_REDEMPTION_H
#define DOMAIN_REDEMPTION_H

#include "domain/account.h"
#include "domain/entry.h"
#include "domain/order_line.h"
#include "domain/rules.h"

/* RedemptionState of redemption_service.proto. */
enum redemption_state {
    REDEMPTION_NONE = 0, /* refused at the hold */
    REDEMPTION_HELD = 1,
    REDEMPTION_CONFIRMED = 2,
    REDEMPTION_CANCELLED = 3,
    REDEMPTION_LAPSED = 4,
    REDEMPTION_REVERSED = 5,
    REDEMPTION_STATE_COUNT
};

enum redemption_event {
    REDEMPTION_CONFIRM,
    REDEMPTION_CANCEL,
    REDEMPTION_LAPSE,
    REDEMPTION_REVERSE_PART,
    REDEMPTION_REVERSE_ALL,
    REDEMPTION_EXTEND,
    REDEMPTION_EVENT_COUNT
};

struct redemption {
    struct uuid id, member_id;
    int32_t programme_no, bank_no, merchant_no, store_no;
    int16_t state;      /* enum redemption_state */
    enum reason reason; /* why the hold was refused; REASON_OK otherwise */
    bool whole;         /* an order of goods: confirmed whole or not at all */
    bool one_step;      /* held and confirmed by one request */
    int64_t points, confirmed_points, reversed_points;
    char currency[CURRENCY_TEXT];
    struct settlement_amounts confirmed; /* of the confirmation; never changed by a reversal */
    struct settlement_amounts reversed;  /* what reversals have moved so far; positive */
    int32_t rules_version, terms_version;
    int64_t spendable_after; /* right after the hold */
    struct date business_date;
    struct instant held_at, lapse_at;
    int64_t lapse_after_us; /* as asked for: lapse_at moves when the hold is extended */
    uint64_t card;          /* as in struct recent_hold */
    char exposure_currency[CURRENCY_TEXT];
    int64_t exposure_minor; /* what it takes of its bank's exposure limit; 0 when the bank had none */
    int64_t price_minor;    /* of the whole order; 0: points without a price */
    char price_currency[CURRENCY_TEXT];
    int64_t cash_minor;       /* of the price, paid at the till beside all the points */
    struct order_lines lines; /* none for most */
    struct draws draws;       /* what could still go back; last, only the used part is ever copied */
};

/* A bucket's part of a bank's exposure limit in one currency. */
struct exposure {
    int32_t bank_no;
    char currency[CURRENCY_TEXT];
    int64_t allotted, used; /* minor units */
    bool dirty;
};
struct exposures {
    struct exposure *at;
    size_t count;
};

/* Where points are redeemed and for what, as a rule set looks at it; NULL: not known, or no good. */
struct redeem_place {
    const char *merchant_id, *goods_id;
    int32_t goods_kind;
};

/* The facts a decision is made under: from the fence, the bank's rules and the merchant's terms. */
struct moment {
    struct instant now; /* programme time */
    struct date business_date;
    const struct exchange_rules *rules; /* in force now; NULL when there are none */
    const struct terms *terms;          /* in force now; NULL when there are none or the command has no merchant */
    struct exposures *exposures;        /* of the batch; NULL when no bank at hand has a limit */
    enum reason pace;                   /* VELOCITY_TERMINAL or VELOCITY_MERCHANT when one of them is too fast */
    struct redeem_place place;          /* of what is held or confirmed */
};

/* Where entries go; the caller gives room for all that one decision can write (DECISION_...). */
struct entries {
    struct entry *at;
    size_t count;
    struct lot *lots; /* of all entries, one behind the other */
    size_t lot_count;
};
enum { DECISION_ENTRIES = 7, DECISION_LOTS = 3 * LOTS_MAX };

/* What the points were quoted for: they must still be what it costs, together with the cash. */
struct price {
    int64_t minor;
    char currency[CURRENCY_TEXT];
    int64_t cash_minor; /* less than minor; 0: all of it is paid with points */
};

/*
 * What the bank would owe for those points there and now, at most, whatever tier the member has by then; 0 when there
 * are no rules, terms or rates, or it is too much to say: then it is refused anyway.
 */
int64_t redemption_most_owed(const struct moment *moment, int64_t points);
/* What the price comes to in points for that member. AMOUNT_TOO_LARGE. There are rules, and rates for the currency. */
enum reason redemption_cost(const struct account *account, const struct moment *moment, const struct price *price,
                            int64_t *points) MUST_USE;

/* Of the hold's cash what belongs to the points that were confirmed, and of that what belongs to those given back. */
int64_t redemption_confirmed_cash(const struct redemption *redemption);
int64_t redemption_reversed_cash(const struct redemption *redemption);

/* The state after the event, or REDEMPTION_NONE when it cannot happen in that state. */
enum redemption_state redemption_next(enum redemption_state state, enum redemption_event event);

/*
 * May these points be held? redemption has id, member_id, programme, bank, merchant, store, points, card, lines and
 * one_step filled in; the rest is filled here. price is NULL for points without goods. A refusal leaves the account
 * alone and is written into the redemption. EXPOSURE_LIMIT means that this bucket's part has no room: the caller may
 * move parts between buckets and decide again.
 */
enum reason redemption_hold(struct redemption *redemption, struct account *account, const struct moment *moment,
                            const struct price *price, int64_t lapse_after_us, struct entries *entries) MUST_USE;
/* points 0 means all. *moved is what was confirmed. */
enum reason redemption_confirm(struct redemption *redemption, struct account *account, const struct moment *moment,
                               const struct uuid *ref, int64_t points, int64_t *moved,
                               struct entries *entries) MUST_USE;
/* Hold and confirm in one: both or neither. As redemption_hold; the confirmation's amounts are in the redemption. */
enum reason redemption_redeem(struct redemption *redemption, struct account *account, const struct moment *moment,
                              const struct price *price, struct entries *entries) MUST_USE;
enum reason redemption_cancel(struct redemption *redemption, struct account *account, const struct moment *moment,
                              const struct uuid *ref, struct entries *entries) MUST_USE;
/* The hold lapses at the later of its own time and now + lapse_after_us. Moves no points. */
enum reason redemption_extend(struct redemption *redemption, struct account *account, const struct moment *moment,
                              int64_t lapse_after_us) MUST_USE;
/*
 * points 0 means all that is left. line: -1, or the order line it is about. *moved is what was reversed, *amounts what
 * it takes off (positive).
 */
enum reason redemption_reverse(struct redemption *redemption, struct account *account, const struct moment *moment,
                               const struct uuid *ref, int64_t points, int line, int64_t *moved,
                               struct settlement_amounts *amounts, struct entries *entries) MUST_USE;
/* true when the hold's time is over and nothing ended it. */
bool redemption_overdue(const struct redemption *redemption, struct instant now);
/* Ends an overdue hold; the caller has checked redemption_overdue. */
void redemption_lapse(struct redemption *redemption, struct account *account, const struct moment *moment,
                      struct entries *entries);

#endif
