/*
 * model.h -- a second, naive telling of everything that moves points, to hold the real one against.
 *
 * Slow and plain on purpose: points lie about in heaps in no order and are looked through whenever some are needed;
 * nothing is counted that can be added up; the calendar is walked month by month. It shares with server/domain the
 * words (enum names, the structs that rules and commands come in) and not one function. Every command is decided when
 * it comes, members one by one.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "domain/rule_set.h"
#include "engine/command.h"

/* A list that grows; the items it had are kept for reuse when count goes back to 0. */
#define LIST(type)                                                                                                     \
    struct {                                                                                                           \
        type *at;                                                                                                      \
        size_t count, room;                                                                                            \
    }
void *model_grow(void *at, size_t *room, size_t count, size_t size);
/* Room for one more at the end; not cleared. */
#define LIST_ADD(list)                                                                                                 \
    ((list)->at = model_grow((list)->at, &(list)->room, (list)->count, sizeof *(list)->at),                            \
     &(list)->at[(list)->count++])

enum {
    MODEL_MEMBERS = 24,
    MODEL_BANKS = 4,
    MODEL_MERCHANTS = 4,
    MODEL_GOODS = 2,
    MODEL_GOODS_KIND = 1,
    HEAPS_MAX = LOTS_MAX + 1,
    WAITS_MAX = PENDING_MAX + 1
};

/* The good's name for rule sets; merchants' are "m1", "m2" and so on. */
#define MODEL_GOODS_ID "g1"

/* Points that end on one day and that the same parties pay for. */
struct heap {
    int32_t expires_on, funding_no;
    int64_t points;
};
struct heaps {
    size_t count;
    struct heap at[HEAPS_MAX]; /* in no order */
};

/* Points that cannot be spent yet. */
struct wait {
    int32_t matures_on, expires_on, funding_no;
    int64_t points;
};
struct waits {
    size_t count;
    struct wait at[WAITS_MAX]; /* in no order */
};

struct model_entry {
    int16_t kind;
    int32_t business_date;
    int64_t at, points, available, held, pending, credit_used, credit_limit, gross_minor, commission_minor;
    struct uuid ref, redemption_id;
    size_t first_heap, heap_count; /* of the member's entry_heaps */
};

struct model_hold {
    int64_t at, points;
    uint64_t card;
};

struct model_redemption {
    struct uuid id;
    uint8_t content[32];
    int member;
    int16_t state;
    enum reason reason;
    bool whole, one_step;
    int32_t merchant_no, store_no, goods_no, held_on, rules_version, terms_version;
    int64_t quantity;
    int64_t asked, on_hold, confirmed, reversed, held_at, lapse_at, first_lapse_at, spendable_after;
    uint64_t card;
    char currency[CURRENCY_TEXT], exposure_currency[CURRENCY_TEXT];
    int64_t gross, commission, gross_back, commission_back;
    int64_t exposure;
    int64_t lent;       /* of what is drawn */
    struct heaps drawn; /* what could still go back */
    size_t line_count;
    struct order_line lines[LINES_MAX];
};

struct model_accrual {
    struct uuid id;
    uint8_t content[32];
    int member;
    const char *transaction_ref;
    char currency[CURRENCY_TEXT];
    int64_t amount_minor, returned_minor, points, clawed, pending;
    int32_t matures_on, lot_expires, funding_no, business_date;
    int64_t at;
};

struct model_transfer {
    struct uuid id;
    int from;
    struct uuid to;
    int16_t state, status_before;
    enum reason reason;
    bool merge;
    struct heaps heaps;
    struct waits waits;
    int64_t credit;
};

/* What was answered, for ever; of everything but HOLD, REDEEM, SET_MEMBER and ACCRUE. */
struct model_operation {
    struct uuid id, member_id, redemption_id;
    uint8_t content[32];
    int32_t bucket;
    int16_t kind;
    struct answer answer;
};

/* A debt, by the day it was made on. */
struct model_debt {
    int32_t day;
    int64_t points;
};

struct model_member {
    struct uuid id;
    int32_t bank_no, bucket;
    int16_t status, tier;
    int64_t credit_limit, credit_used, expired;
    bool by_tier, other_begun;
    int64_t own_limit;            /* what holds when nothing else does */
    struct temporary_limit other; /* for a time; last 0: none */
    size_t debt_count;
    struct model_debt debts[DRAWN_DAYS_MAX + 1];
    struct heaps heaps;
    struct waits waits;
    size_t open_count;
    struct uuid open[OPEN_HOLDS_MAX]; /* the last one takes the place of one that ends */
    size_t recent_count;
    struct model_hold recent[RECENT_MAX];
    int32_t last_hold_on;
    LIST(struct model_entry) entries;
    LIST(struct heap) entry_heaps;
};

/* The most a bank leaves unsettled, in one currency. */
struct model_exposure {
    bool limited;
    char currency[CURRENCY_TEXT];
    int64_t limit, used;
};

/* What the world is like now; the test changes it between commands. */
struct model_facts {
    int64_t now;
    int32_t today;
    enum reason pace;                                /* of terminals and merchants */
    const struct exchange_rules *rules[MODEL_BANKS]; /* by bank_no; NULL: none in force */
    const struct terms *terms[MODEL_MERCHANTS];      /* by merchant_no */
    const struct price *prices[MODEL_GOODS];         /* by goods_no, of one */
};

struct model {
    struct model_facts facts;
    int32_t buckets;
    struct model_exposure exposures[MODEL_BANKS];
    size_t member_count;
    struct model_member members[MODEL_MEMBERS];
    LIST(struct model_redemption) redemptions;
    LIST(struct model_accrual) accruals;
    LIST(struct model_transfer) transfers;
    LIST(struct model_operation) operations;
};

/* Forgets everything but the memory it has. */
void model_clear(struct model *model);
void model_release(struct model *model);
/* Decides one command as the engine should. */
void model_decide(struct model *model, const struct command *command, struct answer *answer);
/* Does what time alone does to a member. */
void model_catch_up(struct model *model, int member);

/* -1 when there is none. */
int model_member(const struct model *model, const struct uuid *id);
struct model_redemption *model_redemption(struct model *model, const struct uuid *id);
struct model_accrual *model_accrual(struct model *model, const struct uuid *id);
struct model_transfer *model_transfer(struct model *model, const struct uuid *id);
int64_t model_available(const struct model_member *member);
int64_t model_held(const struct model *model, int member);
int64_t model_pending(const struct model_member *member);
int64_t model_spendable(const struct model_member *member);
int64_t model_points_held_on(const struct model *model, int member, int32_t from, int32_t to);

/* model_points.c: heaps, days and sums. */
/* As what they were added: when there is no room they join another heap. */
struct heap heaps_add(struct heaps *heaps, struct heap heap);
/* Takes points, those that expire first; there are as many. `taken` grows by them. */
void heaps_take_first(struct heaps *heaps, int64_t points, struct heaps *taken);
int64_t heaps_points(const struct heaps *heaps);
/* -1, or the place of the heap. */
int heaps_find(const struct heaps *heaps, int32_t expires_on, int32_t funding_no);
void heaps_remove(struct heaps *heaps, int place);
int heaps_last(const struct heaps *heaps);
/* false and nothing is done when it would be one too many. */
bool waits_add(struct waits *waits, struct wait wait);
int waits_find(const struct waits *waits, int32_t matures_on, int32_t expires_on, int32_t funding_no);
void waits_remove(struct waits *waits, int place);
/* The one that waits longest. */
int waits_last(const struct waits *waits);
int64_t waits_points(const struct waits *waits);
int32_t model_month_start(int32_t day, int months);
int32_t model_expiry(const struct exchange_rules *rules, int32_t spendable_on);
/* value * num / den; false when it does not fit. rounding: -1 down, 0 half to even, 1 up. No value is negative. */
bool model_ratio(int64_t value, int64_t num, int64_t den, int rounding, int64_t *out);
/* Gives each part its share; largest remainders get one more, the first of equals first. */
void model_share(int64_t total, const int64_t *weights, size_t count, int64_t *parts);

/* model_member.c */
void model_note(struct model *model, int member, int kind, int64_t points, const struct uuid *ref,
                const struct uuid *redemption_id, const struct heaps *heaps);
/* Repays credit used; returns the rest. */
int64_t model_repay(struct model_member *member, int64_t points);
enum reason model_earn(struct model *model, int member, const struct command *command, struct answer *answer);
/* Part of a purchase was returned; *points: what that took. */
enum reason model_return(struct model *model, int member, const struct command *command, int64_t *points);
enum reason model_set_member(struct model *model, int member, const struct command *command, bool is_new, bool *changed,
                             int64_t *points);
/* The limit as tier, rules and date make it; true when it is another. One by tier stays while there are no rules. */
bool model_limit(struct model *model, int member, bool by_tier_before);
/* One of MATURE to SETTLE; *points: what was moved. *kind: what it did. */
enum reason model_operate(struct model *model, int member, const struct command *command, int64_t *points, int *kind);

/* model_redemption.c */
/* What an order of goods costs the member in points; what it says when that is not known. */
int64_t model_cost(const struct model *model, int member, const struct command *command);
enum reason model_open(struct model *model, int member, const struct command *command);
void model_lapse(struct model *model, struct model_redemption *redemption);
enum reason model_on_redemption(struct model *model, struct model_redemption *redemption, const struct command *command,
                                struct answer *answer, int *kind);

#endif
