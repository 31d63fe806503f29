/* tests/unit/test_redemption.c -- each rule refuses just past its edge, the first broken one wins, entries say it all.
 */
#include "domain/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

enum { TODAY = 20000, NOW = 1000, LAPSE_AFTER = 900 };

static const struct uuid hold_id = { { 0xaa } }, member_id = { { 0xbb } }, request = { { 0xcc } };

/* A member with 100 points over on day 20100, credit of 50; rules and terms under which all is allowed. */
struct stage {
    struct account account;
    struct exchange_rules rules;
    struct terms terms;
    struct moment moment;
    struct redemption redemption;
    struct entry written[DECISION_ENTRIES];
    struct lot written_lots[DECISION_LOTS];
    struct entries entries;
};

static void set_stage(struct stage *stage)
{
    *stage = (struct stage){
        .account = { .member_id = member_id,
                     .programme_no = 1,
                     .bank_no = 2,
                     .status = MEMBER_ACTIVE,
                     .available = 100,
                     .credit_limit = 50,
                     .journal_seq = 7,
                     .lots = { 1, { { { 20100 }, 0, 100 } } } },
        .rules = { .version = 3,
                   .minimum_points = 10,
                   .expiry_months = 12,
                   .accrual = { 1, 1 },
                   .rates = { { "CNY", { 1, 1 }, { 3, 2 } } },
                   .rate_count = 1 },
        .terms = { .version = 4, .commission_bp = 1000, .currency = "CNY" },
        .redemption = { .id = hold_id,
                        .member_id = member_id,
                        .programme_no = 1,
                        .bank_no = 2,
                        .merchant_no = 5,
                        .store_no = 6,
                        .points = 60 },
    };
    stage->moment =
        (struct moment){ .now = { NOW }, .business_date = { TODAY }, .rules = &stage->rules, .terms = &stage->terms };
    stage->entries.at = stage->written;
    stage->entries.lots = stage->written_lots;
}

static enum reason hold(struct stage *stage, const struct price *price)
{
    return redemption_hold(&stage->redemption, &stage->account, &stage->moment, price, LAPSE_AFTER, &stage->entries);
}

static void set_held(struct stage *stage, int64_t points)
{
    set_stage(stage);
    stage->redemption.points = points;
    assert_int_equal(hold(stage, NULL), REASON_OK);
    stage->entries.count = 0;
}

static enum reason confirm(struct stage *stage, int64_t points, int64_t *moved)
{
    return redemption_confirm(&stage->redemption, &stage->account, &stage->moment, &request, points, moved,
                              &stage->entries);
}

static void set_confirmed(struct stage *stage, int64_t points, int64_t confirmed)
{
    int64_t moved;

    set_held(stage, points);
    assert_int_equal(confirm(stage, confirmed, &moved), REASON_OK);
    stage->entries.count = 0;
}

static enum reason reverse(struct stage *stage, int64_t points, int64_t *moved, struct settlement_amounts *amounts)
{
    return redemption_reverse(&stage->redemption, &stage->account, &stage->moment, &request, points, -1, moved, amounts,
                              &stage->entries);
}

/* What may be wrong, each alone: the order is that of reason.def. */

static void break_rules(struct stage *stage)
{
    stage->moment.rules = NULL;
}

static void break_terms(struct stage *stage)
{
    stage->moment.terms = NULL;
}

static void break_rate(struct stage *stage)
{
    memcpy(stage->terms.currency, "EUR", CURRENCY_TEXT);
}

static void break_closed(struct stage *stage)
{
    stage->account.status = MEMBER_CLOSED;
}

static void break_frozen(struct stage *stage)
{
    if (stage->account.status != MEMBER_CLOSED)
        stage->account.status = MEMBER_FROZEN;
}

static void break_minimum(struct stage *stage)
{
    stage->rules.minimum_points = stage->redemption.points + 1;
}

static void break_holds(struct stage *stage)
{
    stage->account.hold_count = OPEN_HOLDS_MAX;
}

static void break_balance(struct stage *stage)
{
    stage->account.available = stage->redemption.points - 1;
    stage->account.lots.at[0].points = stage->account.available;
    stage->account.credit_limit = 0;
}

static void break_settlement(struct stage *stage)
{
    stage->rules.rates[0].settlement = (struct ratio){ INT64_MAX, 1 };
}

static void break_quote(struct stage *stage)
{
    stage->rules.rates[0].conversion = (struct ratio){ 2, 1 };
}

static const struct flaw {
    enum reason reason;
    void (*apply)(struct stage *stage);
} hold_flaws[] = {
    { REASON_NO_RULES_IN_FORCE, break_rules },     { REASON_NO_TERMS_IN_FORCE, break_terms },
    { REASON_CURRENCY_NOT_EXCHANGED, break_rate }, { REASON_MEMBER_CLOSED, break_closed },
    { REASON_MEMBER_FROZEN, break_frozen },        { REASON_QUOTE_CHANGED, break_quote },
    { REASON_BELOW_MINIMUM, break_minimum },       { REASON_TOO_MANY_OPEN_HOLDS, break_holds },
    { REASON_INSUFFICIENT_POINTS, break_balance }, { REASON_AMOUNT_TOO_LARGE, break_settlement },
};

/* The first of reason.def among those that are broken: bit i of `broken` is flaws[i]. */
static enum reason apply_flaws(struct stage *stage, const struct flaw *flaws, size_t count, unsigned broken)
{
    enum reason first = REASON_OK;

    for (size_t i = 0; i < count; i++) {
        if (!(broken >> i & 1))
            continue;
        flaws[i].apply(stage);
        if (first == REASON_OK || flaws[i].reason < first)
            first = flaws[i].reason;
    }
    return first;
}

static void of_all_broken_rules_the_first_refuses_a_hold(void **state)
{
    const struct price price = { 60, "CNY", 0 };
    static struct stage stage;

    (void)state;
    for (unsigned broken = 0; broken < 1u << COUNT(hold_flaws); broken++) {
        set_stage(&stage);
        enum reason expected = apply_flaws(&stage, hold_flaws, COUNT(hold_flaws), broken);
        const struct account before = stage.account;
        enum reason reason = hold(&stage, &price);
        if (reason != expected)
            fail_msg("%#x broken: %s, not %s", broken, reason_name(reason), reason_name(expected));
        assert_int_equal(stage.redemption.reason, expected);
        assert_int_equal(stage.redemption.state, expected == REASON_OK ? REDEMPTION_HELD : REDEMPTION_NONE);
        assert_int_equal(stage.entries.count, expected == REASON_OK);
        if (expected != REASON_OK)
            assert_memory_equal(&stage.account, &before, sizeof before);
    }
}

static const struct {
    const char *story;
    int64_t points, credit_limit, credit_used;
    const char *price_currency; /* NULL: no goods */
    int64_t price_minor;
    enum reason expected;
} edges[] = {
    { "exactly the minimum", 10, 50, 0, NULL, 0, REASON_OK },
    { "one below the minimum", 9, 50, 0, NULL, 0, REASON_BELOW_MINIMUM },
    { "all points", 100, 0, 0, NULL, 0, REASON_OK },
    { "one more than all points", 101, 0, 0, NULL, 0, REASON_INSUFFICIENT_POINTS },
    { "all points and all credit", 150, 50, 0, NULL, 0, REASON_OK },
    { "one more than points and credit", 151, 50, 0, NULL, 0, REASON_INSUFFICIENT_POINTS },
    { "what is left of the credit", 120, 50, 30, NULL, 0, REASON_OK },
    { "one more than is left of the credit", 121, 50, 30, NULL, 0, REASON_INSUFFICIENT_POINTS },
    { "credit lowered below its use costs no points", 100, 10, 30, NULL, 0, REASON_OK },
    { "nor gives any", 101, 10, 30, NULL, 0, REASON_INSUFFICIENT_POINTS },
    { "the very price", 60, 50, 0, "CNY", 60, REASON_OK },
    { "a point less than the price", 59, 50, 0, "CNY", 60, REASON_QUOTE_CHANGED },
    { "a point more than the price", 61, 50, 0, "CNY", 60, REASON_QUOTE_CHANGED },
    { "a price in a currency without a rate", 60, 50, 0, "USD", 60, REASON_CURRENCY_NOT_EXCHANGED },
    { "a price beyond all points", 60, 50, 0, "CNY", INT64_MAX, REASON_AMOUNT_TOO_LARGE },
    { "the most points there may be", POINTS_MAX, 50, 0, NULL, 0, REASON_INSUFFICIENT_POINTS },
};

static void each_rule_of_a_hold_has_its_edge(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(edges); i++) {
        struct price price = { .minor = edges[i].price_minor };
        set_stage(&stage);
        stage.redemption.points = edges[i].points;
        stage.account.credit_limit = edges[i].credit_limit;
        stage.account.credit_used = edges[i].credit_used;
        if (edges[i].price_currency)
            memcpy(price.currency, edges[i].price_currency, CURRENCY_TEXT);
        enum reason reason = hold(&stage, edges[i].price_currency ? &price : NULL);
        if (reason != edges[i].expected)
            fail_msg("%s: %s", edges[i].story, reason_name(reason));
    }
}

/* A price in a currency of its own without a rate is as broken as terms in one: it comes before the member. */
static void a_price_nobody_exchanges_comes_before_the_member(void **state)
{
    const struct price price = { 60, "USD", 0 };
    static struct stage stage;

    (void)state;
    set_stage(&stage);
    stage.account.status = MEMBER_CLOSED;
    assert_int_equal(hold(&stage, &price), REASON_CURRENCY_NOT_EXCHANGED);
}

static void the_last_open_hold_is_allowed_and_no_more(void **state)
{
    static struct stage stage;

    (void)state;
    set_stage(&stage);
    stage.account.hold_count = OPEN_HOLDS_MAX - 1;
    assert_int_equal(hold(&stage, NULL), REASON_OK);
    assert_int_equal(stage.account.hold_count, OPEN_HOLDS_MAX);
    stage.redemption.points = 10;
    assert_int_equal(hold(&stage, NULL), REASON_TOO_MANY_OPEN_HOLDS);
}

/* The caller fills in who and how many; whatever else was in the memory is overwritten. */
static void a_hold_fills_in_the_rest(void **state)
{
    static const enum reason outcomes[] = { REASON_OK, REASON_MEMBER_FROZEN };
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        set_stage(&stage);
        struct redemption given = stage.redemption;
        memset(&stage.redemption, 0x5a, sizeof stage.redemption);
        stage.redemption.id = given.id;
        stage.redemption.member_id = given.member_id;
        stage.redemption.merchant_no = given.merchant_no;
        stage.redemption.points = given.points;
        stage.redemption.whole = stage.redemption.one_step = false;
        stage.redemption.lines.count = 0;
        stage.account.status = outcomes[i] == REASON_OK ? MEMBER_ACTIVE : MEMBER_FROZEN;
        assert_int_equal(hold(&stage, NULL), outcomes[i]);
        const struct redemption *held = &stage.redemption;
        assert_int_equal(held->reason, outcomes[i]);
        assert_int_equal(held->state, outcomes[i] == REASON_OK ? REDEMPTION_HELD : REDEMPTION_NONE);
        assert_int_equal(held->confirmed_points + held->reversed_points, 0);
        assert_string_equal(held->currency, "");
        assert_int_equal(held->confirmed.gross_minor, 0);
        assert_int_equal(held->confirmed.commission_minor, 0);
        assert_int_equal(held->reversed.gross_minor, 0);
        assert_int_equal(held->reversed.commission_minor, 0);
        assert_int_equal(held->rules_version, 3);
        assert_int_equal(held->terms_version, 0);
        assert_int_equal(held->spendable_after, outcomes[i] == REASON_OK ? 90 : 150);
        assert_int_equal(held->business_date.days, TODAY);
        assert_int_equal(held->held_at.us, NOW);
        assert_int_equal(held->lapse_at.us, NOW + LAPSE_AFTER);
        assert_int_equal(draws_points(&held->draws), outcomes[i] == REASON_OK ? 60 : 0);
    }
}

/* States */

static const enum redemption_state after[REDEMPTION_STATE_COUNT][REDEMPTION_EVENT_COUNT] = {
    [REDEMPTION_HELD] = { [REDEMPTION_CONFIRM] = REDEMPTION_CONFIRMED,
                          [REDEMPTION_EXTEND] = REDEMPTION_HELD,
                          [REDEMPTION_CANCEL] = REDEMPTION_CANCELLED,
                          [REDEMPTION_LAPSE] = REDEMPTION_LAPSED },
    [REDEMPTION_CONFIRMED] = { [REDEMPTION_REVERSE_PART] = REDEMPTION_CONFIRMED,
                               [REDEMPTION_REVERSE_ALL] = REDEMPTION_REVERSED },
};

static void every_pair_of_state_and_event_is_known(void **state)
{
    (void)state;
    for (enum redemption_state from = REDEMPTION_NONE; from < REDEMPTION_STATE_COUNT; from++) {
        for (enum redemption_event event = REDEMPTION_CONFIRM; event < REDEMPTION_EVENT_COUNT; event++)
            assert_int_equal(redemption_next(from, event), after[from][event]);
    }
}

static const struct {
    enum redemption_state state;
    enum reason confirm, cancel, reverse;
} answers[] = {
    { REDEMPTION_HELD, REASON_OK, REASON_OK, REASON_REDEMPTION_NOT_CONFIRMED },
    { REDEMPTION_CONFIRMED, REASON_REDEMPTION_ENDED, REASON_REDEMPTION_ENDED, REASON_OK },
    { REDEMPTION_CANCELLED, REASON_REDEMPTION_ENDED, REASON_REDEMPTION_ENDED, REASON_REDEMPTION_NOT_CONFIRMED },
    { REDEMPTION_LAPSED, REASON_HOLD_LAPSED, REASON_HOLD_LAPSED, REASON_REDEMPTION_NOT_CONFIRMED },
    { REDEMPTION_REVERSED, REASON_REDEMPTION_ENDED, REASON_REDEMPTION_ENDED, REASON_REDEMPTION_ENDED },
};

static void set_state(struct stage *stage, enum redemption_state state)
{
    struct settlement_amounts amounts;
    int64_t moved;

    set_held(stage, 60);
    if (state == REDEMPTION_CONFIRMED || state == REDEMPTION_REVERSED)
        assert_int_equal(confirm(stage, 0, &moved), REASON_OK);
    if (state == REDEMPTION_REVERSED)
        assert_int_equal(reverse(stage, 0, &moved, &amounts), REASON_OK);
    if (state == REDEMPTION_CANCELLED)
        assert_int_equal(
            redemption_cancel(&stage->redemption, &stage->account, &stage->moment, &request, &stage->entries),
            REASON_OK);
    if (state == REDEMPTION_LAPSED)
        redemption_lapse(&stage->redemption, &stage->account, &stage->moment, &stage->entries);
    stage->entries.count = 0;
    assert_int_equal(stage->redemption.state, state);
}

static void assert_answer(const char *act, size_t row, enum reason reason, enum reason expected,
                          const struct stage *stage, const struct account *before)
{
    if (reason != expected)
        fail_msg("%s in state %d: %s", act, answers[row].state, reason_name(reason));
    if (reason == REASON_OK)
        return;
    assert_int_equal(stage->entries.count, 0);
    assert_int_equal(stage->redemption.state, answers[row].state);
    assert_memory_equal(&stage->account, before, sizeof *before);
}

static void each_state_answers_each_act(void **state)
{
    static struct stage stage;
    struct settlement_amounts amounts;
    int64_t moved;

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        set_state(&stage, answers[i].state);
        struct account before = stage.account;
        assert_answer("confirm", i, confirm(&stage, 0, &moved), answers[i].confirm, &stage, &before);
        set_state(&stage, answers[i].state);
        enum reason reason =
            redemption_cancel(&stage.redemption, &stage.account, &stage.moment, &request, &stage.entries);
        assert_answer("cancel", i, reason, answers[i].cancel, &stage, &before);
        set_state(&stage, answers[i].state);
        assert_answer("reverse", i, reverse(&stage, 0, &moved, &amounts), answers[i].reverse, &stage, &before);
    }
}

/* Confirming */

static void break_held(struct stage *stage)
{
    stage->redemption.state = REDEMPTION_CANCELLED;
}

static void break_lapsed(struct stage *stage)
{
    stage->redemption.state = REDEMPTION_LAPSED;
}

static void break_part(struct stage *stage)
{
    stage->redemption.points = 59;
}

/* 60 of 61, or of the 59 that break_part leaves. */
static void break_whole(struct stage *stage)
{
    stage->redemption.whole = true;
    if (stage->redemption.points == 60)
        stage->redemption.points = 61;
}

static const struct flaw confirm_flaws[] = {
    { REASON_NO_RULES_IN_FORCE, break_rules },     { REASON_NO_TERMS_IN_FORCE, break_terms },
    { REASON_CURRENCY_NOT_EXCHANGED, break_rate }, { REASON_MEMBER_CLOSED, break_closed },
    { REASON_MEMBER_FROZEN, break_frozen },        { REASON_REDEMPTION_ENDED, break_held },
    { REASON_HOLD_LAPSED, break_lapsed },          { REASON_BEYOND_HOLD, break_part },
    { REASON_GOODS_NOT_DIVISIBLE, break_whole },   { REASON_AMOUNT_TOO_LARGE, break_settlement },
};

static void of_all_broken_rules_the_first_refuses_a_confirmation(void **state)
{
    static struct stage stage;
    int64_t moved = -1;

    (void)state;
    for (unsigned broken = 1; broken < 1u << COUNT(confirm_flaws); broken++) {
        if ((broken & 0x60) == 0x60)
            continue; /* a hold has ended in one way */
        set_held(&stage, 60);
        enum reason expected = apply_flaws(&stage, confirm_flaws, COUNT(confirm_flaws), broken);
        const struct account before = stage.account;
        enum reason reason = confirm(&stage, 60, &moved);
        if (reason != expected)
            fail_msg("%#x broken: %s, not %s", broken, reason_name(reason), reason_name(expected));
        assert_int_equal(stage.entries.count, 0);
        assert_int_equal(moved, -1);
        assert_int_equal(stage.redemption.confirmed_points, 0);
        assert_memory_equal(&stage.account, &before, sizeof before);
    }
}

/* The rules at the confirmation count, not those of the hold, and no minimum applies to a part. */
static void a_confirmation_freezes_the_terms_of_its_moment(void **state)
{
    static struct stage stage;
    int64_t moved;

    (void)state;
    set_held(&stage, 60);
    stage.rules.version = 8;
    stage.rules.minimum_points = 1000;
    stage.rules.rates[0].settlement = (struct ratio){ 5, 2 };
    stage.terms.version = 9;
    assert_int_equal(confirm(&stage, 5, &moved), REASON_OK);
    assert_int_equal(moved, 5);
    assert_int_equal(stage.redemption.rules_version, 8);
    assert_int_equal(stage.redemption.terms_version, 9);
    assert_string_equal(stage.redemption.currency, "CNY");
    assert_int_equal(stage.redemption.confirmed.gross_minor, 12); /* 12.5: half to even */
    assert_int_equal(stage.redemption.confirmed.commission_minor, 1);
}

/* Entries */

enum act { ACT_HOLD, ACT_CONFIRM, ACT_CANCEL, ACT_LAPSE, ACT_REVERSE };

/* 60 of 100 points held (or 120, with 20 of credit) on day 20000; the points are over on day 20100. */
static const struct {
    const char *story;
    int64_t held;
    enum act act;
    int64_t points; /* 0 is all; for ACT_REVERSE all held were confirmed */
    int32_t today;
    struct {
        int16_t kind;
        int64_t points, available, held, credit_used, gross_minor, commission_minor;
    } written[3];
} stories[] = {
    { "a hold", 60, ACT_HOLD, 0, TODAY, { { ENTRY_HOLD, 60, 40, 60, 0, 0, 0 } } },
    { "a hold on credit", 120, ACT_HOLD, 0, TODAY, { { ENTRY_HOLD, 120, 0, 120, 20, 0, 0 } } },
    { "a confirmation", 60, ACT_CONFIRM, 0, TODAY, { { ENTRY_CONFIRM, 60, 40, 0, 0, 90, 9 } } },
    { "all, said in points", 60, ACT_CONFIRM, 60, TODAY, { { ENTRY_CONFIRM, 60, 40, 0, 0, 90, 9 } } },
    { "a part",
      60,
      ACT_CONFIRM,
      50,
      TODAY,
      { { ENTRY_RELEASE, 10, 50, 50, 0, 0, 0 }, { ENTRY_CONFIRM, 50, 50, 0, 0, 75, 8 } } },
    { "a part: credit goes back first",
      120,
      ACT_CONFIRM,
      90,
      TODAY,
      { { ENTRY_RELEASE, 30, 10, 90, 0, 0, 0 }, { ENTRY_CONFIRM, 90, 10, 0, 0, 135, 14 } } },
    { "a part, the rest is over",
      60,
      ACT_CONFIRM,
      50,
      20100,
      { { ENTRY_RELEASE, 10, 50, 50, 0, 0, 0 },
        { ENTRY_FORFEIT, 10, 40, 50, 0, 0, 0 },
        { ENTRY_CONFIRM, 50, 40, 0, 0, 75, 8 } } },
    { "a cancellation", 60, ACT_CANCEL, 0, TODAY, { { ENTRY_CANCEL, 60, 100, 0, 0, 0, 0 } } },
    { "a cancellation on credit", 120, ACT_CANCEL, 0, TODAY, { { ENTRY_CANCEL, 120, 100, 0, 0, 0, 0 } } },
    { "a cancellation of what is over",
      120,
      ACT_CANCEL,
      0,
      20100,
      { { ENTRY_CANCEL, 120, 100, 0, 0, 0, 0 }, { ENTRY_FORFEIT, 100, 0, 0, 0, 0, 0 } } },
    { "a lapse", 60, ACT_LAPSE, 0, TODAY, { { ENTRY_LAPSE, 60, 100, 0, 0, 0, 0 } } },
    { "a lapse of what is over",
      60,
      ACT_LAPSE,
      0,
      20101,
      /* What was good on the hold's own day goes back, whenever somebody looks; member_expire takes it then. */
      { { ENTRY_LAPSE, 60, 100, 0, 0, 0, 0 } } },
    { "a reversal", 60, ACT_REVERSE, 0, TODAY, { { ENTRY_REVERSE, 60, 100, 0, 0, -90, -9 } } },
    { "a part reversed", 60, ACT_REVERSE, 7, TODAY, { { ENTRY_REVERSE, 7, 47, 0, 0, -10, -1 } } },
    { "a point reversed", 60, ACT_REVERSE, 1, TODAY, { { ENTRY_REVERSE, 1, 41, 0, 0, -1, 0 } } },
    { "a reversal of what is over",
      60,
      ACT_REVERSE,
      20,
      20100,
      { { ENTRY_REVERSE, 20, 60, 0, 0, -30, -3 }, { ENTRY_FORFEIT, 20, 40, 0, 0, 0, 0 } } },
};

static enum reason play(struct stage *stage, size_t row)
{
    struct settlement_amounts amounts;
    int64_t moved;

    stage->moment.business_date.days = stories[row].today;
    switch (stories[row].act) {
    case ACT_HOLD:
        set_stage(stage);
        stage->redemption.points = stories[row].held;
        return hold(stage, NULL);
    case ACT_CONFIRM:
        return confirm(stage, stories[row].points, &moved);
    case ACT_CANCEL:
        return redemption_cancel(&stage->redemption, &stage->account, &stage->moment, &request, &stage->entries);
    case ACT_LAPSE:
        redemption_lapse(&stage->redemption, &stage->account, &stage->moment, &stage->entries);
        return REASON_OK;
    case ACT_REVERSE:
        return reverse(stage, stories[row].points, &moved, &amounts);
    }
    return REASON_INTERNAL;
}

/* seq counts on from what the account had, and every entry names the redemption, its parties and what caused it. */
static void assert_common(const struct stage *stage, const struct entry *entry, size_t row, int64_t first_seq,
                          size_t place)
{
    bool own = stories[row].act == ACT_HOLD || stories[row].act == ACT_LAPSE;

    assert_int_equal(entry->seq, first_seq + (int64_t)place);
    assert_memory_equal(&entry->member_id, &member_id, sizeof member_id);
    assert_memory_equal(&entry->redemption_id, &hold_id, sizeof hold_id);
    assert_memory_equal(&entry->ref, own ? &hold_id : &request, sizeof request);
    assert_int_equal(entry->programme_no * 1000 + entry->bank_no * 100 + entry->merchant_no * 10 + entry->store_no,
                     1256);
    assert_int_equal(entry->at.us, NOW);
    assert_int_equal(entry->business_date.days, stories[row].today);
    assert_int_equal(entry->credit_limit_after, 50);
    assert_int_equal(entry->rules_version, 3);
    bool money = entry->kind == ENTRY_CONFIRM || entry->kind == ENTRY_REVERSE;
    assert_string_equal(entry->currency, money ? "CNY" : "");
    if (money)
        assert_int_equal(entry->terms_version, stage->terms.version);
}

static void each_act_writes_its_entries(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++) {
        if (stories[i].act == ACT_REVERSE)
            set_confirmed(&stage, stories[i].held, 0);
        else
            set_held(&stage, stories[i].held);
        int64_t first_seq = stories[i].act == ACT_HOLD ? 8 : stage.account.journal_seq + 1;
        assert_int_equal(play(&stage, i), REASON_OK);
        size_t n = 0;
        for (; n < COUNT(stories[i].written) && stories[i].written[n].kind; n++) {
            const struct entry *entry = &stage.written[n];
            assert_common(&stage, entry, i, first_seq, n);
            if (entry->kind != stories[i].written[n].kind || entry->points != stories[i].written[n].points ||
                entry->available_after != stories[i].written[n].available ||
                entry->held_after != stories[i].written[n].held ||
                entry->credit_used_after != stories[i].written[n].credit_used ||
                entry->gross_minor != stories[i].written[n].gross_minor ||
                entry->commission_minor != stories[i].written[n].commission_minor)
                fail_msg("%s, entry %zu: %s %lld, available %lld, held %lld, credit %lld, gross %lld, commission %lld",
                         stories[i].story, n, entry_kind_name(entry->kind), (long long)entry->points,
                         (long long)entry->available_after, (long long)entry->held_after,
                         (long long)entry->credit_used_after, (long long)entry->gross_minor,
                         (long long)entry->commission_minor);
        }
        assert_int_equal(stage.entries.count, n);
        assert_int_equal(stage.account.journal_seq, first_seq + (int64_t)n - 1);
        const struct entry *last = &stage.written[n - 1];
        assert_int_equal(last->available_after, stage.account.available);
        assert_int_equal(last->held_after, stage.account.held);
    }
}

/* Points that move leave one account for another: posted by kind alone, entries explain every after-value. */
static void entries_balance(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++) {
        int64_t ledger[LEDGER_COUNT] = { 0 }, sum = 0;
        if (stories[i].act == ACT_REVERSE)
            set_confirmed(&stage, stories[i].held, 0);
        else
            set_held(&stage, stories[i].held);
        ledger[LEDGER_HELD] = stories[i].act == ACT_HOLD ? 0 : stage.account.held;
        ledger[LEDGER_SPENDABLE] =
            stories[i].act == ACT_HOLD ? 100 : stage.account.available - stage.account.credit_used;
        int64_t before = ledger[LEDGER_HELD] + ledger[LEDGER_SPENDABLE];
        assert_int_equal(play(&stage, i), REASON_OK);
        for (size_t j = 0; j < stage.entries.count; j++) {
            enum ledger_account from, to;
            entry_accounts(stage.written[j].kind, &from, &to);
            ledger[from] -= stage.written[j].points;
            ledger[to] += stage.written[j].points;
            assert_int_equal(ledger[LEDGER_HELD], stage.written[j].held_after);
            assert_int_equal(ledger[LEDGER_SPENDABLE],
                             stage.written[j].available_after - stage.written[j].credit_used_after);
        }
        for (enum ledger_account account = LEDGER_NONE; account < LEDGER_COUNT; account++)
            sum += ledger[account];
        assert_int_equal(sum, before);
    }
}

/* Reversing */

static const struct {
    const char *story;
    int64_t confirmed, points;
    enum reason expected;
    int64_t moved;
    enum redemption_state state;
} reversals[] = {
    { "all of it, unsaid", 60, 0, REASON_OK, 60, REDEMPTION_REVERSED },
    { "all of it, said", 60, 60, REASON_OK, 60, REDEMPTION_REVERSED },
    { "all but one", 60, 59, REASON_OK, 59, REDEMPTION_CONFIRMED },
    { "one", 60, 1, REASON_OK, 1, REDEMPTION_CONFIRMED },
    { "one too many", 60, 61, REASON_BEYOND_CONFIRMED, -1, REDEMPTION_CONFIRMED },
    { "what was held but not confirmed", 40, 60, REASON_BEYOND_CONFIRMED, -1, REDEMPTION_CONFIRMED },
    { "all that was confirmed of it", 40, 0, REASON_OK, 40, REDEMPTION_REVERSED },
};

static void a_reversal_gives_back_what_was_confirmed(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(reversals); i++) {
        struct settlement_amounts amounts;
        int64_t moved = -1;
        set_confirmed(&stage, 60, reversals[i].confirmed);
        enum reason reason = reverse(&stage, reversals[i].points, &moved, &amounts);
        if (reason != reversals[i].expected || moved != reversals[i].moved ||
            stage.redemption.state != (int16_t)reversals[i].state)
            fail_msg("%s: %s %lld", reversals[i].story, reason_name(reason), (long long)moved);
    }
}

/* A frozen or closed member gets points back; rules and terms of today do not matter. */
static void a_reversal_uses_the_facts_of_the_confirmation(void **state)
{
    static struct stage stage;
    struct settlement_amounts first, second, third;
    int64_t moved;

    (void)state;
    set_confirmed(&stage, 60, 0);
    stage.rules.rates[0].settlement = (struct ratio){ 100, 1 };
    stage.terms.commission_bp = 9999;
    stage.moment.terms = NULL;
    stage.account.status = MEMBER_CLOSED;
    assert_int_equal(reverse(&stage, 7, &moved, &first), REASON_OK);
    assert_int_equal(reverse(&stage, 7, &moved, &second), REASON_OK);
    assert_int_equal(reverse(&stage, 0, &moved, &third), REASON_OK);
    assert_int_equal(moved, 46);
    assert_int_equal(first.gross_minor, 10);  /* 10.5 */
    assert_int_equal(second.gross_minor, 11); /* 21 less 10 */
    assert_int_equal(third.gross_minor, 69);
    assert_int_equal(first.commission_minor + second.commission_minor + third.commission_minor, 9);
    assert_int_equal(stage.account.available, 100);
    assert_int_equal(stage.redemption.confirmed.gross_minor, 90);
}

static const struct {
    const char *story;
    enum redemption_state state;
    int64_t lapse_at, now;
    bool overdue;
} dues[] = {
    { "a moment before", REDEMPTION_HELD, 1000, 999, false },
    { "the very moment", REDEMPTION_HELD, 1000, 1000, true },
    { "long after", REDEMPTION_HELD, 1000, INT64_MAX, true },
    { "confirmed in time", REDEMPTION_CONFIRMED, 1000, 2000, false },
    { "cancelled in time", REDEMPTION_CANCELLED, 1000, 2000, false },
    { "lapsed already", REDEMPTION_LAPSED, 1000, 2000, false },
    { "never held", REDEMPTION_NONE, 1000, 2000, false },
};

static void a_hold_is_overdue_from_its_very_moment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dues); i++) {
        const struct redemption redemption = { .state = (int16_t)dues[i].state, .lapse_at = { dues[i].lapse_at } };
        if (redemption_overdue(&redemption, (struct instant){ dues[i].now }) != dues[i].overdue)
            fail_msg("%s", dues[i].story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_all_broken_rules_the_first_refuses_a_hold),
        cmocka_unit_test(each_rule_of_a_hold_has_its_edge),
        cmocka_unit_test(a_price_nobody_exchanges_comes_before_the_member),
        cmocka_unit_test(the_last_open_hold_is_allowed_and_no_more),
        cmocka_unit_test(a_hold_fills_in_the_rest),
        cmocka_unit_test(every_pair_of_state_and_event_is_known),
        cmocka_unit_test(each_state_answers_each_act),
        cmocka_unit_test(of_all_broken_rules_the_first_refuses_a_confirmation),
        cmocka_unit_test(a_confirmation_freezes_the_terms_of_its_moment),
        cmocka_unit_test(each_act_writes_its_entries),
        cmocka_unit_test(entries_balance),
        cmocka_unit_test(a_reversal_gives_back_what_was_confirmed),
        cmocka_unit_test(a_reversal_uses_the_facts_of_the_confirmation),
        cmocka_unit_test(a_hold_is_overdue_from_its_very_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
