/* tests/unit/test_member_moves.c -- pending points, clawback, corrections, transfers, merges, closing: what each
 * writes. */
#include "domain/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TODAY = 20000, OVER_ON = 20100, FUNDING = 4 };

static const struct uuid request = { { 0xcc } };

/* A member whose points, when earned today, last 100 days and more; 1 minor unit earns a point. */
struct stage {
    struct account account;
    struct exchange_rules rules;
    struct moment moment;
    struct entry written[4 * DECISION_ENTRIES];
    struct lot written_lots[4 * DECISION_LOTS];
    struct entries entries;
};

static void set_stage(struct stage *stage)
{
    *stage = (struct stage){
        .account = { .bank_no = 2, .status = MEMBER_ACTIVE, .credit_limit = 50, .journal_seq = 7 },
        .rules = { .version = 3,
                   .expiry_months = 3,
                   .accrual = { 1, 1 },
                   .rates = { { "CNY", { 1, 1 }, { 1, 1 } } },
                   .rate_count = 1 },
    };
    stage->moment = (struct moment){ .now = { 1000 }, .business_date = { TODAY }, .rules = &stage->rules };
    stage->entries.at = stage->written;
    stage->entries.lots = stage->written_lots;
}

static void add_lot(struct stage *stage, int32_t expires_on, int32_t funding_no, int64_t points)
{
    struct lot made;

    assert_int_equal(account_earn(&stage->account, points, (struct date){ expires_on }, funding_no, &made), REASON_OK);
}

/* "ACCRUE 5, CLAWBACK 3": what was written, in order. */
static void assert_written(const char *story, struct stage *stage, const char *expected)
{
    char text[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < stage->entries.count; i++) {
        const struct entry *entry = &stage->written[i];
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %lld", i ? ", " : "", entry_kind_name(entry->kind),
                              (long long)entry->points);
    }
    if (strcmp(text, expected) != 0)
        fail_msg("%s: wrote %s, not %s", story, text, expected);
    stage->entries.count = stage->entries.lot_count = 0;
}

static struct earned earn(struct stage *stage, int64_t points, bool by_event, int32_t pending_until)
{
    const struct earning earning = { .amount_minor = points,
                                     .currency = "CNY",
                                     .funding_no = FUNDING,
                                     .by_event = by_event,
                                     .pending_until = { pending_until } };
    struct earned earned;

    assert_int_equal(member_earn(&stage->account, &stage->moment, &earning, &request, &earned, &stage->entries),
                     REASON_OK);
    return earned;
}

static const struct {
    const char *story;
    int32_t pending_days;
    bool by_event;
    int32_t pending_until;
    int32_t matures_on; /* 0: spendable at once */
} earnings[] = {
    { "at once", 0, false, 0, 0 },
    { "the rules make it wait", 1, false, 0, TODAY + 1 },
    { "a day is named", 0, false, TODAY + 9, TODAY + 9 },
    { "a day named wins over the rules", 5, false, TODAY + 9, TODAY + 9 },
    { "today is at once, whatever the rules say", 5, false, TODAY, 0 },
    { "yesterday too", 5, false, TODAY - 1, 0 },
    { "an event", 0, true, 0, 2932896 },
    { "an event wins over a day", 5, true, TODAY + 9, 2932896 },
};

static void points_wait_as_told(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(earnings); i++) {
        set_stage(&stage);
        stage.rules.pending_days = earnings[i].pending_days;
        struct earned earned = earn(&stage, 10, earnings[i].by_event, earnings[i].pending_until);
        bool later = earnings[i].matures_on > 0;
        if (earned.matures_on.days != earnings[i].matures_on || earned.pending != (later ? 10 : 0) ||
            stage.account.pending != earned.pending || stage.account.available != 10 - earned.pending)
            fail_msg("%s: matures on %d", earnings[i].story, earned.matures_on.days);
        bool known = earnings[i].matures_on != 2932896;
        struct date from = { later ? earnings[i].matures_on : TODAY };
        assert_int_equal(earned.lot_expires.days, known ? rules_expiry(&stage.rules, from).days : 0);
        assert_int_equal(stage.written[0].pending_after, earned.pending);
        assert_int_equal(stage.written[0].rules_version, 3);
        assert_written(earnings[i].story, &stage, later ? "PEND 10" : "ACCRUE 10");
    }
}

/* Time */

static const struct {
    const char *story;
    int32_t today;
    int64_t credit_used;
    const char *written;
    int64_t available, pending;
} days[] = {
    { "nothing is due", TODAY + 4, 0, "", 7, 30 },
    { "the first matures on its day", TODAY + 5, 0, "MATURE 10", 17, 20 },
    { "both mature in one entry", TODAY + 6, 0, "MATURE 30", 37, 0 },
    { "maturing repays credit first", TODAY + 5, 8, "MATURE 10", 9, 20 },
    { "the lot is over on its day", TODAY + 50, 0, "MATURE 30, EXPIRE 7", 30, 0 },
    { "what matures and is over meanwhile expires", TODAY + 5000, 0, "MATURE 30, EXPIRE 37", 0, 0 },
};

static void time_matures_first_and_then_expires(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(days); i++) {
        set_stage(&stage);
        add_lot(&stage, TODAY + 50, 0, 7);
        earn(&stage, 10, false, TODAY + 5);
        earn(&stage, 20, false, TODAY + 6);
        stage.account.credit_used = days[i].credit_used;
        stage.entries.count = stage.entries.lot_count = 0;
        stage.moment.business_date.days = days[i].today;
        bool due = account_next_due(&stage.account).days <= days[i].today;
        assert_int_equal(member_catch_up(&stage.account, &stage.moment, &stage.entries), due);
        assert_written(days[i].story, &stage, days[i].written);
        assert_false(member_catch_up(&stage.account, &stage.moment, &stage.entries));
        if (stage.account.available != days[i].available || stage.account.pending != days[i].pending)
            fail_msg("%s: %lld %lld", days[i].story, (long long)stage.account.available,
                     (long long)stage.account.pending);
    }
}

/* 10 points wait for an event, beside 100 of another accrual that wait for the same. */
static const struct {
    const char *story;
    int64_t points;
    int16_t status;
    enum reason expected;
    int64_t moved;
} maturings[] = {
    { "all, unsaid", 0, MEMBER_ACTIVE, REASON_OK, 10 },
    { "all, said", 10, MEMBER_ACTIVE, REASON_OK, 10 },
    { "a part", 9, MEMBER_ACTIVE, REASON_OK, 9 },
    { "one past it, though others wait", 11, MEMBER_ACTIVE, REASON_BEYOND_ACCRUAL, 0 },
    { "frozen", 0, MEMBER_FROZEN, REASON_OK, 10 },
    { "closed", 0, MEMBER_CLOSED, REASON_MEMBER_CLOSED, 0 },
    { "less than nothing", -1, MEMBER_CLOSED, REASON_POINTS_NOT_POSITIVE, 0 },
    { "more than there may be", POINTS_MAX + 1, MEMBER_CLOSED, REASON_POINTS_TOO_MANY, 0 },
};

static void an_event_matures_its_own_accrual(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(maturings); i++) {
        int64_t moved;
        set_stage(&stage);
        earn(&stage, 100, true, 0);
        struct earned earned = earn(&stage, 10, true, 0);
        stage.account.status = maturings[i].status;
        stage.entries.count = stage.entries.lot_count = 0;
        enum reason reason = member_mature(&stage.account, &stage.moment, &earned, maturings[i].points, &request,
                                           &moved, &stage.entries);
        if (reason != maturings[i].expected || stage.account.available != maturings[i].moved)
            fail_msg("%s: %s", maturings[i].story, reason_name(reason));
        assert_int_equal(earned.pending, 10 - maturings[i].moved);
        assert_int_equal(stage.account.pending, 110 - maturings[i].moved);
        assert_int_equal(stage.entries.count, reason == REASON_OK);
        if (reason == REASON_OK)
            assert_int_equal(earned.lot_expires.days, rules_expiry(&stage.rules, (struct date){ TODAY }).days);
    }
}

static void what_does_not_wait_for_an_event_does_not_mature_by_one(void **state)
{
    static struct stage stage;
    int64_t moved;

    (void)state;
    set_stage(&stage);
    struct earned at_once = earn(&stage, 10, false, 0), dated = earn(&stage, 10, false, TODAY + 9);
    struct earned by_event = earn(&stage, 10, true, 0);
    assert_int_equal(member_mature(&stage.account, &stage.moment, &at_once, 0, &request, &moved, &stage.entries),
                     REASON_NOT_PENDING);
    assert_int_equal(member_mature(&stage.account, &stage.moment, &dated, 0, &request, &moved, &stage.entries),
                     REASON_NOT_PENDING);
    assert_int_equal(member_mature(&stage.account, &stage.moment, &by_event, 0, &request, &moved, &stage.entries),
                     REASON_OK);
    assert_int_equal(member_mature(&stage.account, &stage.moment, &by_event, 0, &request, &moved, &stage.entries),
                     REASON_NOT_PENDING);
    assert_int_equal(member_mature(&stage.account, &stage.moment, &by_event, 1, &request, &moved, &stage.entries),
                     REASON_NOT_PENDING);
}

/*
 * An accrual of 10 points by an event, of which `matured` have matured; another lot of 5 ends sooner. What is clawed
 * back is taken from what waits, its own lot, the others, and then as credit used.
 */
static const struct {
    const char *story;
    int64_t matured, spent, points;
    enum reason expected;
    const char *written;
    int64_t available, pending, credit_used;
    bool others_left; /* the lot that ends sooner is whole */
} clawbacks[] = {
    { "a part of what waits", 0, 0, 4, REASON_OK, "CLAWBACK_PENDING 4", 5, 6, 0, true },
    { "all that waits", 0, 0, 0, REASON_OK, "CLAWBACK_PENDING 10", 5, 0, 0, true },
    { "what waits comes first", 6, 0, 4, REASON_OK, "CLAWBACK_PENDING 4", 11, 0, 0, true },
    { "then its own lot", 6, 0, 9, REASON_OK, "CLAWBACK_PENDING 4, CLAWBACK 5", 6, 0, 0, true },
    { "all of both", 6, 0, 0, REASON_OK, "CLAWBACK_PENDING 4, CLAWBACK 6", 5, 0, 0, true },
    { "its own lot before what ends sooner", 10, 0, 3, REASON_OK, "CLAWBACK 3", 12, 0, 0, true },
    { "the others when its own is gone", 10, 7, 10, REASON_OK, "CLAWBACK 10", 0, 0, 2, false },
    { "nothing is left: credit used", 10, 15, 0, REASON_OK, "CLAWBACK 10", 0, 0, 10, false },
    { "one past the accrual", 10, 0, 11, REASON_BEYOND_ACCRUAL, "", 15, 0, 0, true },
    { "less than nothing", 10, 0, -1, REASON_POINTS_NOT_POSITIVE, "", 15, 0, 0, true },
};

static void clawbacks_are_never_silently_lost(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(clawbacks); i++) {
        int64_t moved;
        struct draws spent;
        set_stage(&stage);
        struct earned earned = earn(&stage, 10, true, 0);
        if (clawbacks[i].matured)
            assert_int_equal(member_mature(&stage.account, &stage.moment, &earned, clawbacks[i].matured, &request,
                                           &moved, &stage.entries),
                             REASON_OK);
        add_lot(&stage, TODAY + 1, 0, 5);
        account_take(&stage.account, clawbacks[i].spent, NULL, &spent);
        stage.account.status = MEMBER_CLOSED; /* what was returned is owed all the same */
        stage.entries.count = stage.entries.lot_count = 0;
        enum reason reason = member_claw_back(&stage.account, &stage.moment, &earned, 10, clawbacks[i].points, &request,
                                              &moved, &stage.entries);
        if (reason != clawbacks[i].expected)
            fail_msg("%s: %s", clawbacks[i].story, reason_name(reason));
        assert_written(clawbacks[i].story, &stage, clawbacks[i].written);
        if (stage.account.available != clawbacks[i].available || stage.account.pending != clawbacks[i].pending ||
            stage.account.credit_used != clawbacks[i].credit_used)
            fail_msg("%s: %lld %lld %lld", clawbacks[i].story, (long long)stage.account.available,
                     (long long)stage.account.pending, (long long)stage.account.credit_used);
        bool whole = stage.account.lots.count > 0 && stage.account.lots.at[0].expires_on.days == TODAY + 1 &&
                     stage.account.lots.at[0].points == 5;
        assert_int_equal(whole, clawbacks[i].others_left);
    }
}

static void what_was_clawed_back_is_gone(void **state)
{
    static struct stage stage;
    int64_t moved;

    (void)state;
    set_stage(&stage);
    struct earned earned = earn(&stage, 10, false, 0);
    assert_int_equal(member_claw_back(&stage.account, &stage.moment, &earned, 0, 0, &request, &moved, &stage.entries),
                     REASON_BEYOND_ACCRUAL);
    assert_int_equal(member_claw_back(&stage.account, &stage.moment, &earned, 4, 5, &request, &moved, &stage.entries),
                     REASON_BEYOND_ACCRUAL);
    assert_int_equal(member_claw_back(&stage.account, &stage.moment, &earned, 4, 0, &request, &moved, &stage.entries),
                     REASON_OK);
    assert_int_equal(moved, 4);
}

/* By hand: 7 points, of which 3 have expired besides. */
static const struct {
    const char *story;
    bool reinstates;
    int64_t points;
    int16_t status;
    bool rules;
    enum reason expected;
    const char *written;
    int64_t available, credit_used, expired;
} corrections[] = {
    { "added", false, 5, MEMBER_ACTIVE, true, REASON_OK, "ADJUST_ADD 5", 12, 0, 3 },
    { "taken", false, -5, MEMBER_FROZEN, true, REASON_OK, "ADJUST_TAKE 5", 2, 0, 3 },
    { "all taken", false, -7, MEMBER_ACTIVE, true, REASON_OK, "ADJUST_TAKE 7", 0, 0, 3 },
    { "one more is credit used", false, -8, MEMBER_ACTIVE, true, REASON_OK, "ADJUST_TAKE 8", 0, 1, 3 },
    { "beyond the credit limit", false, -100, MEMBER_ACTIVE, true, REASON_OK, "ADJUST_TAKE 100", 0, 93, 3 },
    { "taking needs no rules", false, -5, MEMBER_ACTIVE, false, REASON_OK, "ADJUST_TAKE 5", 2, 0, 3 },
    { "adding does", false, 5, MEMBER_ACTIVE, false, REASON_NO_RULES_IN_FORCE, "", 7, 0, 3 },
    { "closed", false, 5, MEMBER_CLOSED, true, REASON_MEMBER_CLOSED, "", 7, 0, 3 },
    { "nothing", false, 0, MEMBER_CLOSED, true, REASON_POINTS_NOT_POSITIVE, "", 7, 0, 3 },
    { "the least of all", false, INT64_MIN, MEMBER_ACTIVE, true, REASON_POINTS_NOT_POSITIVE, "", 7, 0, 3 },
    { "too many", false, -POINTS_MAX - 1, MEMBER_ACTIVE, true, REASON_POINTS_TOO_MANY, "", 7, 0, 3 },
    { "a part reinstated", true, 2, MEMBER_ACTIVE, true, REASON_OK, "REINSTATE 2", 9, 0, 1 },
    { "all of it", true, 3, MEMBER_FROZEN, false, REASON_OK, "REINSTATE 3", 10, 0, 0 },
    { "one more than expired", true, 4, MEMBER_ACTIVE, true, REASON_BEYOND_EXPIRED, "", 7, 0, 3 },
    { "nobody reinstates a closed member", true, 4, MEMBER_CLOSED, true, REASON_MEMBER_CLOSED, "", 7, 0, 3 },
    { "nothing reinstated", true, 0, MEMBER_ACTIVE, true, REASON_POINTS_NOT_POSITIVE, "", 7, 0, 3 },
};

static void corrections_go_to_their_edge(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(corrections); i++) {
        set_stage(&stage);
        add_lot(&stage, OVER_ON, 0, 7);
        stage.account.expired = 3;
        stage.account.status = corrections[i].status;
        stage.moment.rules = corrections[i].rules ? &stage.rules : NULL;
        enum reason reason = corrections[i].reinstates
                                 ? member_reinstate(&stage.account, &stage.moment, corrections[i].points,
                                                    (struct date){ OVER_ON }, &request, &stage.entries)
                                 : member_adjust(&stage.account, &stage.moment, corrections[i].points, FUNDING,
                                                 &request, &stage.entries);
        if (reason != corrections[i].expected)
            fail_msg("%s: %s", corrections[i].story, reason_name(reason));
        assert_written(corrections[i].story, &stage, corrections[i].written);
        assert_int_equal(stage.account.available, corrections[i].available);
        assert_int_equal(stage.account.credit_used, corrections[i].credit_used);
        assert_int_equal(stage.account.expired, corrections[i].expired);
    }
}

/* Closing, sending */

static const struct {
    const char *story;
    bool merge;
    int16_t status;
    size_t holds;
    int64_t points;
    enum reason expected;
    const char *written;
} sendings[] = {
    { "all points", false, MEMBER_ACTIVE, 0, 7, REASON_OK, "TRANSFER_OUT 7" },
    { "one more: credit is not given away", false, MEMBER_ACTIVE, 0, 8, REASON_INSUFFICIENT_POINTS, "" },
    { "open holds do not matter", false, MEMBER_ACTIVE, 1, 1, REASON_OK, "TRANSFER_OUT 1" },
    { "frozen", false, MEMBER_FROZEN, 1, 8, REASON_MEMBER_FROZEN, "" },
    { "closed", false, MEMBER_CLOSED, 1, 8, REASON_MEMBER_CLOSED, "" },
    { "deceased", false, MEMBER_DECEASED, 1, 8, REASON_MEMBER_DECEASED, "" },
    { "nothing", false, MEMBER_CLOSED, 1, 0, REASON_POINTS_NOT_POSITIVE, "" },
    { "a merge takes everything", true, MEMBER_ACTIVE, 0, 0, REASON_OK,
      "TRANSFER_OUT 7, PENDING_OUT 10, CREDIT_OUT 3, MEMBER 0" },
    { "of a frozen member too", true, MEMBER_FROZEN, 0, 0, REASON_OK,
      "TRANSFER_OUT 7, PENDING_OUT 10, CREDIT_OUT 3, MEMBER 0" },
    { "but not while holds are open", true, MEMBER_ACTIVE, 1, 0, REASON_HOLDS_OPEN, "" },
    { "nor of a closed one", true, MEMBER_CLOSED, 1, 0, REASON_MEMBER_CLOSED, "" },
};

static void set_giver(struct stage *stage)
{
    set_stage(stage);
    add_lot(stage, OVER_ON, FUNDING, 7);
    earn(stage, 10, false, TODAY + 5);
    stage->account.credit_used = 3;
    stage->entries.count = stage->entries.lot_count = 0;
}

static void what_is_sent_leaves_and_comes_back_whole(void **state)
{
    static struct stage stage;
    static struct parcel parcel;

    (void)state;
    for (size_t i = 0; i < COUNT(sendings); i++) {
        int64_t moved, back;
        set_giver(&stage);
        stage.account.status = sendings[i].status;
        stage.account.hold_count = sendings[i].holds;
        struct account before = stage.account;
        enum reason reason = member_send(&stage.account, &stage.moment, sendings[i].points, sendings[i].merge, &request,
                                         &parcel, &moved, &stage.entries);
        if (reason != sendings[i].expected)
            fail_msg("%s: %s", sendings[i].story, reason_name(reason));
        assert_written(sendings[i].story, &stage, sendings[i].written);
        if (reason != REASON_OK) {
            assert_memory_equal(&stage.account, &before, sizeof before);
            continue;
        }
        assert_int_equal(stage.account.status, sendings[i].merge ? MEMBER_CLOSED : sendings[i].status);
        assert_int_equal(stage.account.available, 7 - lots_points(&parcel.lots));
        member_take_back(&stage.account, &stage.moment, &parcel, &request, &back, &stage.entries);
        assert_int_equal(back, moved);
        assert_int_equal(stage.account.status, before.status);
        assert_int_equal(stage.account.available, before.available);
        assert_int_equal(stage.account.pending, before.pending);
        assert_int_equal(stage.account.credit_used, before.credit_used);
        assert_memory_equal(stage.account.lots.at, before.lots.at, before.lots.count * sizeof before.lots.at[0]);
        assert_int_equal(stage.account.pending_lots.at[0].matures_on.days, TODAY + 5);
    }
}

/* 7 available of which 3 more are held: what a second member can get of a first. */
static const struct {
    const char *story;
    int16_t status;
    int64_t points;
    enum reason expected;
    const char *written;
} splits[] = {
    { "all points", MEMBER_ACTIVE, 7, REASON_OK, "TRANSFER_OUT 7" },
    { "a part", MEMBER_ACTIVE, 1, REASON_OK, "TRANSFER_OUT 1" },
    { "cards alone", MEMBER_ACTIVE, 0, REASON_OK, "" },
    { "one that is held", MEMBER_ACTIVE, 8, REASON_HOLDS_OPEN, "" },
    { "all that are held", MEMBER_ACTIVE, 10, REASON_HOLDS_OPEN, "" },
    { "more than there are", MEMBER_ACTIVE, 11, REASON_INSUFFICIENT_POINTS, "" },
    { "less than nothing", MEMBER_CLOSED, -1, REASON_POINTS_NOT_POSITIVE, "" },
    { "too many", MEMBER_CLOSED, POINTS_MAX + 1, REASON_POINTS_TOO_MANY, "" },
    { "closed", MEMBER_CLOSED, 11, REASON_MEMBER_CLOSED, "" },
    { "deceased", MEMBER_DECEASED, 11, REASON_MEMBER_DECEASED, "" },
    { "frozen", MEMBER_FROZEN, 11, REASON_MEMBER_FROZEN, "" },
};

static void a_split_takes_what_is_not_held(void **state)
{
    static struct stage stage;
    static struct parcel parcel;

    (void)state;
    for (size_t i = 0; i < COUNT(splits); i++) {
        int64_t moved, back;
        set_giver(&stage);
        stage.account.status = splits[i].status;
        stage.account.held = 3;
        stage.account.hold_count = 1;
        struct account before = stage.account;
        enum reason reason =
            member_split(&stage.account, &stage.moment, splits[i].points, &request, &parcel, &moved, &stage.entries);
        if (reason != splits[i].expected)
            fail_msg("%s: %s", splits[i].story, reason_name(reason));
        assert_written(splits[i].story, &stage, splits[i].written);
        assert_int_equal(moved, reason == REASON_OK ? splits[i].points : 0);
        if (reason != REASON_OK) {
            assert_memory_equal(&stage.account, &before, sizeof before);
            continue;
        }
        assert_int_equal(stage.account.available, 7 - splits[i].points);
        assert_int_equal(stage.account.pending, before.pending);
        assert_int_equal(stage.account.credit_used, before.credit_used);
        assert_int_equal(lots_points(&parcel.lots), splits[i].points);
        member_take_back(&stage.account, &stage.moment, &parcel, &request, &back, &stage.entries);
        assert_int_equal(back, moved);
        assert_int_equal(stage.account.available, before.available);
        assert_int_equal(stage.account.status, MEMBER_ACTIVE);
    }
}

static void the_receiver_gets_it_all_or_nothing(void **state)
{
    static struct stage giver, receiver;
    static struct parcel parcel;
    int64_t moved, received;

    (void)state;
    set_giver(&giver);
    earn(&giver, 4, true, 0);
    assert_int_equal(member_send(&giver.account, &giver.moment, 0, true, &request, &parcel, &moved, &giver.entries),
                     REASON_OK);
    set_stage(&receiver);
    receiver.account.status = MEMBER_CLOSED;
    assert_int_equal(
        member_receive(&receiver.account, &receiver.moment, &parcel, &request, &received, &receiver.entries),
        REASON_MEMBER_CLOSED);
    assert_int_equal(receiver.entries.count, 0);
    receiver.account.status = MEMBER_FROZEN;
    assert_int_equal(
        member_receive(&receiver.account, &receiver.moment, &parcel, &request, &received, &receiver.entries),
        REASON_OK);
    assert_int_equal(moved, 21);
    assert_int_equal(received, moved);
    /* What waited for an event of the giver's matures with the merge; credit used comes along and is repaid by it. */
    assert_written("a merge arrives", &receiver, "TRANSFER_IN 7, PENDING_IN 14, CREDIT_IN 3, MATURE 4");
    assert_int_equal(receiver.account.available, 8);
    assert_int_equal(receiver.account.pending, 10);
    assert_int_equal(receiver.account.credit_used, 0);
    assert_int_equal(account_find_hold(&receiver.account, &request) == NULL, 1);
}

static void days_on_the_way_count_when_it_comes_back(void **state)
{
    static struct stage stage;
    static struct parcel parcel;
    int64_t moved;

    (void)state;
    set_giver(&stage);
    assert_int_equal(member_send(&stage.account, &stage.moment, 0, true, &request, &parcel, &moved, &stage.entries),
                     REASON_OK);
    stage.entries.count = stage.entries.lot_count = 0;
    stage.moment.business_date.days = OVER_ON;
    member_take_back(&stage.account, &stage.moment, &parcel, &request, &moved, &stage.entries);
    assert_written("late", &stage, "TRANSFER_BACK 7, PENDING_IN 10, CREDIT_IN 3, MEMBER 0, MATURE 10, EXPIRE 7");
    assert_int_equal(stage.account.available, 7); /* of the 10 that matured, less the credit they repaid */
}

static void a_member_closes_once_and_loses_all_but_its_debt(void **state)
{
    static struct stage stage;
    int64_t moved;

    (void)state;
    set_giver(&stage);
    stage.account.hold_count = 1;
    assert_int_equal(member_close(&stage.account, &stage.moment, &request, &moved, &stage.entries), REASON_HOLDS_OPEN);
    assert_int_equal(moved, 0);
    stage.account.hold_count = 0;
    assert_int_equal(member_close(&stage.account, &stage.moment, &request, &moved, &stage.entries), REASON_OK);
    assert_int_equal(moved, 17);
    assert_written("closed", &stage, "CLOSE 7, CLOSE_PENDING 10, MEMBER 0");
    assert_int_equal(stage.account.available + stage.account.pending, 0);
    assert_int_equal(stage.account.credit_used, 3);
    assert_int_equal(member_close(&stage.account, &stage.moment, &request, &moved, &stage.entries),
                     REASON_MEMBER_CLOSED);
}

typedef enum reason setter(struct account *account, const struct moment *moment, int64_t value,
                           struct entries *entries);

static enum reason set_status(struct account *account, const struct moment *moment, int64_t value,
                              struct entries *entries)
{
    return member_set_status(account, moment, (int16_t)value, &request, entries);
}

static enum reason set_limit(struct account *account, const struct moment *moment, int64_t value,
                             struct entries *entries)
{
    return member_set_credit_limit(account, moment, value, &request, entries);
}

static enum reason set_tier(struct account *account, const struct moment *moment, int64_t value,
                            struct entries *entries)
{
    return member_set_tier(account, moment, (int16_t)value, &request, entries);
}

static void a_change_is_written_and_what_is_so_already_is_not(void **state)
{
    static const struct {
        setter *set;
        int64_t same, other;
    } rows[] = { { set_status, MEMBER_ACTIVE, MEMBER_FROZEN }, { set_limit, 50, 0 }, { set_tier, 0, TIER_MAX } };
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_stage(&stage);
        assert_int_equal(rows[i].set(&stage.account, &stage.moment, rows[i].same, &stage.entries), REASON_OK);
        assert_written("the same", &stage, "");
        assert_int_equal(rows[i].set(&stage.account, &stage.moment, rows[i].other, &stage.entries), REASON_OK);
        assert_written("another", &stage, "MEMBER 0");
        stage.account.status = MEMBER_CLOSED;
        assert_int_equal(rows[i].set(&stage.account, &stage.moment, rows[i].same, &stage.entries),
                         REASON_MEMBER_CLOSED);
        assert_int_equal(stage.account.status, MEMBER_CLOSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_wait_as_told),
        cmocka_unit_test(time_matures_first_and_then_expires),
        cmocka_unit_test(an_event_matures_its_own_accrual),
        cmocka_unit_test(what_does_not_wait_for_an_event_does_not_mature_by_one),
        cmocka_unit_test(clawbacks_are_never_silently_lost),
        cmocka_unit_test(what_was_clawed_back_is_gone),
        cmocka_unit_test(corrections_go_to_their_edge),
        cmocka_unit_test(what_is_sent_leaves_and_comes_back_whole),
        cmocka_unit_test(a_split_takes_what_is_not_held),
        cmocka_unit_test(the_receiver_gets_it_all_or_nothing),
        cmocka_unit_test(days_on_the_way_count_when_it_comes_back),
        cmocka_unit_test(a_member_closes_once_and_loses_all_but_its_debt),
        cmocka_unit_test(a_change_is_written_and_what_is_so_already_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
