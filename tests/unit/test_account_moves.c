/* tests/unit/test_account_moves.c -- pending lots, taking for good, giving to others, counters and recent holds. */
#include "domain/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "10:5 20/2:7": day, funding unless the bank pays, points. */
static struct lots lots_of(const char *text)
{
    struct lots lots = { .count = 0 };
    char *at;

    for (; *text; text = at) {
        struct lot *lot = &lots.at[lots.count++];
        *lot = (struct lot){ .expires_on = { (int32_t)strtol(text, &at, 10) } };
        if (*at == '/')
            lot->funding_no = (int32_t)strtol(at + 1, &at, 10);
        lot->points = strtoll(at + 1, &at, 10);
    }
    return lots;
}

static void lots_text(const struct lots *lots, char *text, size_t room)
{
    char funding[16];
    int n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < lots->count; i++) {
        funding[0] = '\0';
        if (lots->at[i].funding_no)
            snprintf(funding, sizeof funding, "/%d", lots->at[i].funding_no);
        n += snprintf(text + n, room - (size_t)n, "%s%d%s:%lld", i ? " " : "", lots->at[i].expires_on.days, funding,
                      (long long)lots->at[i].points);
    }
}

static void assert_lots(const char *story, const struct lots *lots, const char *expected)
{
    char text[256];

    lots_text(lots, text, sizeof text);
    if (strcmp(text, expected) != 0)
        fail_msg("%s: %s, not %s", story, text, expected);
}

static struct account account_with(const char *lots)
{
    struct account account = { .status = MEMBER_ACTIVE, .lots = lots_of(lots) };

    account.available = lots_points(&account.lots);
    return account;
}

/* Pending */

/* matures_on, expires_on, funding_no, points; a matures_on of 0 ends the list. */
struct pend {
    int matures_on, expires_on, funding_no;
    int64_t points;
};

static struct pending_lot lot_of(const struct pend *pend)
{
    return (struct pending_lot){ { pend->matures_on }, { pend->expires_on }, pend->funding_no, pend->points };
}

static const struct {
    const char *story;
    struct pend added[5], expected[5];
} pendings[] = {
    { "one", { { 5, 50, 0, 3 } }, { { 5, 50, 0, 3 } } },
    { "the same twice is one lot", { { 5, 50, 0, 3 }, { 5, 50, 0, 4 } }, { { 5, 50, 0, 7 } } },
    { "ascending by the day they mature", { { 6, 40, 0, 1 }, { 5, 50, 0, 2 } }, { { 5, 50, 0, 2 }, { 6, 40, 0, 1 } } },
    { "then by the day they expire", { { 5, 51, 0, 1 }, { 5, 50, 9, 2 } }, { { 5, 50, 9, 2 }, { 5, 51, 0, 1 } } },
    { "then by who pays", { { 5, 50, 2, 1 }, { 5, 50, 1, 2 } }, { { 5, 50, 1, 2 }, { 5, 50, 2, 1 } } },
    { "into the middle",
      { { 5, 50, 0, 1 }, { 7, 50, 0, 2 }, { 6, 50, 0, 3 }, { 6, 50, 0, 4 } },
      { { 5, 50, 0, 1 }, { 6, 50, 0, 7 }, { 7, 50, 0, 2 } } },
};

static void assert_pending(const char *story, const struct account *account, const struct pend *expected)
{
    int64_t sum = 0;
    size_t n = 0;

    for (; n < account->pending_lots.count; n++) {
        const struct pending_lot *lot = &account->pending_lots.at[n], wanted = lot_of(&expected[n]);
        if (lot->matures_on.days != wanted.matures_on.days || lot->expires_on.days != wanted.expires_on.days ||
            lot->funding_no != wanted.funding_no || lot->points != wanted.points)
            fail_msg("%s: lot %zu is %d %d %d %lld", story, n, lot->matures_on.days, lot->expires_on.days,
                     lot->funding_no, (long long)lot->points);
        sum += lot->points;
    }
    assert_int_equal(expected[n].matures_on, 0);
    assert_int_equal(account->pending, sum);
}

static void pending_points_wait_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pendings); i++) {
        struct account account = { 0 };
        for (size_t j = 0; pendings[i].added[j].matures_on; j++) {
            struct pending_lot lot = lot_of(&pendings[i].added[j]);
            assert_int_equal(account_pend(&account, &lot), REASON_OK);
        }
        assert_pending(pendings[i].story, &account, pendings[i].expected);
        assert_int_equal(account.available, 0);
    }
}

/* PENDING_MAX lots of a point, maturing on days 10, 20, 30, ... */
static struct account waiting_account(void)
{
    struct account account = { 0 };

    for (int i = 1; i <= PENDING_MAX; i++) {
        struct pending_lot lot = { { 10 * i }, { 10000 }, 0, 1 };
        assert_int_equal(account_pend(&account, &lot), REASON_OK);
    }
    return account;
}

static const struct {
    const char *story;
    struct pend added;
    enum reason expected;
} crowded[] = {
    { "a new day has no room", { 15, 10000, 0, 1 }, REASON_TOO_MANY_PENDING },
    { "another expiry has none", { 20, 10001, 0, 1 }, REASON_TOO_MANY_PENDING },
    { "another payer has none", { 20, 10000, 1, 1 }, REASON_TOO_MANY_PENDING },
    { "what joins a lot has", { 20, 10000, 0, 1 }, REASON_OK },
    { "as much as fits", { 20, 10000, 0, INT64_MAX - PENDING_MAX }, REASON_OK },
    { "one more than fits", { 20, 10000, 0, INT64_MAX - PENDING_MAX + 1 }, REASON_AMOUNT_TOO_LARGE },
    { "too large comes after too many", { 15, 10000, 0, INT64_MAX }, REASON_TOO_MANY_PENDING },
};

static void what_cannot_wait_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(crowded); i++) {
        struct account account = waiting_account(), before = account;
        struct pending_lot lot = lot_of(&crowded[i].added);
        enum reason reason = account_pend(&account, &lot);
        if (reason != crowded[i].expected)
            fail_msg("%s: %s", crowded[i].story, reason_name(reason));
        if (reason != REASON_OK)
            assert_memory_equal(&account, &before, sizeof account);
        else
            assert_int_equal(account.pending, PENDING_MAX + crowded[i].added.points);
    }
}

static void pending_points_are_found_and_taken(void **state)
{
    static const struct pend left[] = { { 5, 50, 0, 1 }, { 0 } };
    struct account account = { 0 };
    struct pending_lot here = { { 5 }, { 50 }, 0, 3 }, other_day = { { 6 }, { 50 }, 0, 4 },
                       other_expiry = { { 5 }, { 51 }, 0, 0 }, other_payer = { { 5 }, { 50 }, 1, 0 };

    (void)state;
    assert_int_equal(account_pend(&account, &here), REASON_OK);
    assert_int_equal(account_pend(&account, &other_day), REASON_OK);
    assert_int_equal(account_pending_of(&account, &here), 3);
    assert_int_equal(account_pending_of(&account, &other_day), 4);
    assert_int_equal(account_pending_of(&account, &other_expiry), 0);
    assert_int_equal(account_pending_of(&account, &other_payer), 0);
    account_unpend(&account, &here, 2);
    assert_int_equal(account_pending_of(&account, &here), 1);
    account_unpend(&account, &other_day, 4);
    assert_pending("one point is left", &account, left);
}

static const struct {
    const char *story, *lots;
    int64_t credit_used, points;
    int expires_on;
    int64_t made, credit_after;
    const char *after;
} maturings[] = {
    { "all of it", "10:5", 0, 9, 30, 9, 0, "10:5 30/2:9" },
    { "a part", "10:5", 0, 4, 30, 4, 0, "10:5 30/2:4" },
    { "to a lot of the day", "30/2:5", 0, 4, 30, 4, 0, "30/2:9" },
    { "credit used is repaid first", "10:5", 3, 4, 30, 1, 0, "10:5 30/2:1" },
    { "all of it repays", "10:5", 9, 9, 30, 0, 0, "10:5" },
    { "and leaves some to repay", "10:5", 12, 9, 30, 0, 3, "10:5" },
};

static void pending_points_mature(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(maturings); i++) {
        struct account account = account_with(maturings[i].lots);
        const struct pending_lot lot = { { 5 }, { 30 }, 2, 9 };
        account.credit_used = maturings[i].credit_used;
        assert_int_equal(account_pend(&account, &lot), REASON_OK);
        /* The lot it is like may be the account's own. */
        struct lot made = account_mature(&account, account.pending_lots.at, maturings[i].points,
                                         (struct date){ maturings[i].expires_on });
        assert_lots(maturings[i].story, &account.lots, maturings[i].after);
        assert_int_equal(account.available, lots_points(&account.lots));
        assert_int_equal(account.pending, 9 - maturings[i].points);
        assert_int_equal(account.pending_lots.count, maturings[i].points < 9);
        assert_int_equal(account.credit_used, maturings[i].credit_after);
        assert_int_equal(made.points, maturings[i].made);
    }
}

/* LOTS_MAX lots of a point on days 10, 20, ...; every other one is paid by funding 1. */
static struct account full_account(void)
{
    struct account account = { .status = MEMBER_ACTIVE };
    struct lot made;

    for (int i = 1; i <= LOTS_MAX; i++)
        assert_int_equal(account_earn(&account, 1, (struct date){ 10 * i }, i % 2, &made), REASON_OK);
    return account;
}

/* Where there is no room points join a neighbour that the same parties pay for, and never expire earlier for it. */
static const struct {
    const char *story;
    int expires_on;
    int32_t funding_no;
    int joined;
    int32_t joined_funding_no;
} joins[] = {
    { "the next that the bank pays", 15, 0, 20, 0 },
    { "the next that they pay", 15, 1, 30, 1 },
    { "on the very day, but others pay: the next that they pay", 20, 1, 30, 1 },
    { "behind all: the last they pay moves", 10 * LOTS_MAX + 5, 1, 10 * LOTS_MAX + 5, 1 },
    { "nobody else has that payer: the next of all", 15, 7, 20, 0 },
    { "nobody else, behind all: the last of all moves", 10 * LOTS_MAX + 5, 7, 10 * LOTS_MAX + 5, 0 },
};

static void maturing_always_finds_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(joins); i++) {
        struct account account = full_account();
        const struct pending_lot lot = { { 5 }, { joins[i].expires_on }, joins[i].funding_no, 4 };
        assert_int_equal(account_pend(&account, &lot), REASON_OK);
        struct lot made = account_mature(&account, &lot, 4, lot.expires_on);
        assert_int_equal(account.lots.count, LOTS_MAX);
        assert_int_equal(account.available, LOTS_MAX + 4);
        assert_int_equal(lots_points(&account.lots), LOTS_MAX + 4);
        size_t grown = 0;
        while (grown < LOTS_MAX && account.lots.at[grown].points == 1)
            grown++;
        const struct lot *joined = &account.lots.at[grown];
        if (grown == LOTS_MAX || joined->points != 5 || joined->expires_on.days != joins[i].joined ||
            joined->funding_no != joins[i].joined_funding_no)
            fail_msg("%s", joins[i].story);
        assert_true(made.expires_on.days >= joins[i].expires_on);
        assert_int_equal(made.points, 4);
        assert_int_equal(made.expires_on.days, joined->expires_on.days);
        assert_int_equal(made.funding_no, joined->funding_no);
    }
}

static void what_is_due_next_is_known(void **state)
{
    static const struct {
        const char *story, *lots;
        int matures_on;
        int expected;
    } rows[] = {
        { "nothing", "", 0, 2932896 },
        { "a lot", "10:5 20:1", 0, 10 },
        { "a lot before pending points", "10:5", 11, 10 },
        { "pending points before a lot", "10:5", 9, 9 },
        { "pending points alone", "", 9, 9 },
        { "those that wait for an event are never due", "", 2932896, 2932896 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct account account = account_with(rows[i].lots);
        const struct pending_lot lot = { { rows[i].matures_on }, { 30 }, 0, 1 };
        if (rows[i].matures_on)
            assert_int_equal(account_pend(&account, &lot), REASON_OK);
        if (account_next_due(&account).days != rows[i].expected)
            fail_msg("%s: %d", rows[i].story, account_next_due(&account).days);
    }
}

/* Taking */

static const struct {
    const char *story, *lots;
    int64_t points;
    const char *first; /* "": none */
    const char *taken;
    int64_t credit;
    const char *left;
} takings[] = {
    { "first to expire first", "10:5 20:7", 6, "", "10:5 20:1", 0, "20:6" },
    { "all there is", "10:5 20:7", 12, "", "10:5 20:7", 0, "" },
    { "one more is credit used", "10:5 20:7", 13, "", "10:5 20:7", 1, "" },
    { "nothing there: all credit", "", 3, "", "", 3, "" },
    { "its own lot first", "10:5 20:7 30:9", 6, "20:1", "20:6", 0, "10:5 20:1 30:9" },
    { "exactly its own lot", "10:5 20:7 30:9", 7, "20:1", "20:7", 0, "10:5 30:9" },
    { "its own lot, then the first to expire", "10:5 20:7 30:9", 9, "20:1", "20:7 10:2", 0, "10:3 30:9" },
    { "its own, all others, then credit", "10:5 20:7 30:9", 22, "20:1", "20:7 10:5 30:9", 1, "" },
    { "its own lot is gone", "10:5 20:7", 6, "25:1", "10:5 20:1", 0, "20:6" },
    { "its day is there, but others pay", "10:5 20/1:7", 6, "20:1", "10:5 20/1:1", 0, "20/1:6" },
    { "its own of two payers of a day", "20:5 20/1:7", 6, "20/1:1", "20/1:6", 0, "20:5 20/1:1" },
    { "nothing at all", "10:5", 0, "10:1", "", 0, "10:5" },
};

static void points_are_taken_for_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(takings); i++) {
        struct account account = account_with(takings[i].lots);
        struct lots first = lots_of(takings[i].first);
        struct draws taken = { .credit = 99, .lots.count = 3 };
        account.credit_used = 50; /* beyond any limit */
        account_take(&account, takings[i].points, first.count ? first.at : NULL, &taken);
        assert_lots(takings[i].story, &taken.lots, takings[i].taken);
        assert_lots(takings[i].story, &account.lots, takings[i].left);
        if (taken.credit != takings[i].credit)
            fail_msg("%s: credit %lld", takings[i].story, (long long)taken.credit);
        assert_int_equal(account.credit_used, 50 + takings[i].credit);
        assert_int_equal(account.available, lots_points(&account.lots));
        assert_int_equal(draws_points(&taken), takings[i].points);
        assert_int_equal(account.held, 0);
    }
}

static void every_lot_can_be_taken_at_once(void **state)
{
    struct account account = full_account();
    struct draws taken;
    const struct lot middle = { { 500 }, 0, 0 };

    (void)state;
    account_take(&account, LOTS_MAX + 7, &middle, &taken);
    assert_int_equal(taken.lots.count, LOTS_MAX);
    assert_int_equal(taken.lots.at[0].expires_on.days, 500);
    assert_int_equal(taken.credit, 7);
    assert_int_equal(account.lots.count + (size_t)account.available, 0);
}

/* Giving */

static void lots_of_another_member_keep_their_days_and_payers(void **state)
{
    struct account account = account_with("10:5 20/2:7");
    struct lots given = lots_of("10:1 15/2:2 20:3 20/2:4");

    (void)state;
    account.credit_used = 4;
    account_give(&account, &given);
    assert_lots("joined", &account.lots, "10:6 15/2:2 20:3 20/2:11");
    assert_int_equal(account.available, 22);
    assert_int_equal(account.credit_used, 4); /* what is given repays nothing */
}

static void a_full_account_takes_what_is_given(void **state)
{
    struct account account = full_account();
    struct lots given = { .count = 0 };

    (void)state;
    for (int i = 0; i < LOTS_MAX; i++)
        given.at[given.count++] = (struct lot){ { 10 * i + 15 }, 2, 3 };
    account_give(&account, &given);
    assert_int_equal(account.lots.count, LOTS_MAX);
    assert_int_equal(account.available, 4 * LOTS_MAX);
    assert_int_equal(lots_points(&account.lots), 4 * LOTS_MAX);
    for (size_t i = 1; i < account.lots.count; i++)
        assert_true(account.lots.at[i - 1].expires_on.days <= account.lots.at[i].expires_on.days);
}

static void pending_points_given_where_there_is_no_room_wait_longest(void **state)
{
    struct account account = waiting_account();
    struct pending_lots given = { 2, { { { 15 }, { 99 }, 0, 4 }, { { 20 }, { 10000 }, 0, 8 } } };

    (void)state;
    account_give_pending(&account, &given);
    assert_int_equal(account.pending_lots.count, PENDING_MAX);
    assert_int_equal(account.pending_lots.at[PENDING_MAX - 1].points, 5);
    assert_int_equal(account.pending_lots.at[1].points, 9);
    assert_int_equal(account.pending, PENDING_MAX + 12);
}

/* Counters of the day and the month */

static const struct {
    const char *story;
    const char *held_on[3]; /* a point, 10 points, 100 points */
    const char *given_back; /* the day of the hold that came back: 10 points; NULL for none */
    const char *today;
    int64_t day, month;
} countings[] = {
    { "nothing yet", { NULL }, NULL, "2026-01-15", 0, 0 },
    { "all of a day", { "2026-01-15", "2026-01-15", "2026-01-15" }, NULL, "2026-01-15", 111, 111 },
    { "a day later", { "2026-01-15", "2026-01-16", NULL }, NULL, "2026-01-16", 10, 11 },
    { "nothing on that day yet", { "2026-01-15", "2026-01-16", NULL }, NULL, "2026-01-17", 0, 11 },
    { "the last of a month", { "2026-01-01", "2026-01-31", NULL }, NULL, "2026-01-31", 10, 11 },
    { "the first of the next", { "2026-01-01", "2026-01-31", NULL }, NULL, "2026-02-01", 0, 0 },
    { "counted anew", { "2026-01-31", "2026-02-01", NULL }, NULL, "2026-02-01", 10, 10 },
    { "the same month of another year", { "2025-01-15", "2026-01-15", NULL }, NULL, "2026-01-15", 10, 10 },
    { "a leap day", { "2028-02-28", "2028-02-29", NULL }, NULL, "2028-02-29", 10, 11 },
    { "the day after a leap day", { "2028-02-28", "2028-02-29", NULL }, NULL, "2028-03-01", 0, 0 },
    { "the end of a year", { "2026-12-31", "2027-01-01", NULL }, NULL, "2027-01-01", 10, 10 },
    { "back on its day", { "2026-01-15", "2026-01-15", NULL }, "2026-01-15", "2026-01-15", 1, 1 },
    { "back a day later: the month's",
      { "2026-01-15", "2026-01-15", "2026-01-16" },
      "2026-01-15",
      "2026-01-16",
      100,
      101 },
    { "back with nothing held since: the month's",
      { "2026-01-15", "2026-01-15", NULL },
      "2026-01-15",
      "2026-01-16",
      0,
      1 },
    { "back a month later: nobody's",
      { "2026-01-31", "2026-01-31", "2026-02-01" },
      "2026-01-31",
      "2026-02-01",
      100,
      100 },
};

static struct date day_of(const char *text)
{
    struct date date;

    assert_true(date_parse(text, &date));
    return date;
}

static void days_and_months_are_counted(void **state)
{
    static const int64_t points[] = { 1, 10, 100 };

    (void)state;
    for (size_t i = 0; i < COUNT(countings); i++) {
        struct account account = { 0 };
        for (size_t j = 0; j < COUNT(points); j++) {
            if (countings[i].held_on[j])
                account_count(&account, day_of(countings[i].held_on[j]), points[j]);
        }
        if (countings[i].given_back)
            account_uncount(&account, day_of(countings[i].given_back), 10);
        struct date today = day_of(countings[i].today);
        if (account_day_points(&account, today) != countings[i].day ||
            account_month_points(&account, today) != countings[i].month)
            fail_msg("%s: %lld %lld", countings[i].story, (long long)account_day_points(&account, today),
                     (long long)account_month_points(&account, today));
    }
}

/* Recent holds */

static const struct {
    const char *story;
    int64_t before;
    size_t left;
} forgettings[] = {
    { "before all", 99, 5 },
    { "the very instant of the first", 100, 4 },
    { "two at one instant", 200, 2 },
    { "between", 250, 2 },
    { "the last", 400, 0 },
    { "long after", INT64_MAX, 0 },
    { "before all time", INT64_MIN, 5 },
};

static void holds_are_forgotten_from_the_oldest(void **state)
{
    static const int64_t instants[] = { 100, 200, 200, 300, 400 };

    (void)state;
    for (size_t i = 0; i < COUNT(forgettings); i++) {
        struct account account = { 0 };
        for (size_t j = 0; j < COUNT(instants); j++)
            assert_true(account_remember(&account, &(struct recent_hold){ { instants[j] }, (int64_t)j, j }));
        account_forget(&account, (struct instant){ forgettings[i].before }, (struct instant){ INT64_MAX });
        if (account.recent.count != forgettings[i].left)
            fail_msg("%s: %zu", forgettings[i].story, account.recent.count);
        for (size_t j = 0; j < account.recent.count; j++)
            assert_int_equal(account.recent.at[j].card, COUNT(instants) - account.recent.count + j);
    }
}

/* The clock ran ahead, and was set right between them. */
static void holds_of_a_clock_far_ahead_are_forgotten(void **state)
{
    static const int64_t instants[] = { 5000, 100, 201, 200 };
    struct account account = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(instants); i++)
        assert_true(account_remember(&account, &(struct recent_hold){ { instants[i] }, 1, 0 }));
    account_forget(&account, (struct instant){ 99 }, (struct instant){ 200 });
    assert_int_equal(account.recent.count, 2);
    assert_int_equal(account.recent.at[0].held_at.us, 100);
    assert_int_equal(account.recent.at[1].held_at.us, 200);
}

static void only_so_many_holds_are_remembered(void **state)
{
    struct account account = { 0 };

    (void)state;
    for (int64_t i = 0; i < RECENT_MAX; i++)
        assert_true(account_remember(&account, &(struct recent_hold){ { i }, 1, 0 }));
    assert_false(account_remember(&account, &(struct recent_hold){ { RECENT_MAX }, 1, 0 }));
    account_forget(&account, (struct instant){ 0 }, (struct instant){ RECENT_MAX });
    assert_true(account_remember(&account, &(struct recent_hold){ { RECENT_MAX }, 1, 0 }));
    assert_int_equal(account.recent.at[RECENT_MAX - 1].held_at.us, RECENT_MAX);
}

static void an_open_hold_is_found_by_its_id(void **state)
{
    struct account account = { 0 };
    const struct uuid one = { { 1 } }, two = { { 2 } }, three = { { 3 } };

    (void)state;
    assert_true(account_open_hold(&account, &one, (struct instant){ 11 }));
    assert_true(account_open_hold(&account, &two, (struct instant){ 22 }));
    assert_int_equal(account_find_hold(&account, &two)->lapse_at.us, 22);
    assert_null(account_find_hold(&account, &three));
    account_close_hold(&account, &one);
    assert_null(account_find_hold(&account, &one));
    assert_int_equal(account_find_hold(&account, &two)->lapse_at.us, 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pending_points_wait_in_order),
        cmocka_unit_test(what_cannot_wait_changes_nothing),
        cmocka_unit_test(pending_points_are_found_and_taken),
        cmocka_unit_test(pending_points_mature),
        cmocka_unit_test(maturing_always_finds_a_place),
        cmocka_unit_test(what_is_due_next_is_known),
        cmocka_unit_test(points_are_taken_for_good),
        cmocka_unit_test(every_lot_can_be_taken_at_once),
        cmocka_unit_test(lots_of_another_member_keep_their_days_and_payers),
        cmocka_unit_test(a_full_account_takes_what_is_given),
        cmocka_unit_test(pending_points_given_where_there_is_no_room_wait_longest),
        cmocka_unit_test(days_and_months_are_counted),
        cmocka_unit_test(holds_are_forgotten_from_the_oldest),
        cmocka_unit_test(holds_of_a_clock_far_ahead_are_forgotten),
        cmocka_unit_test(only_so_many_holds_are_remembered),
        cmocka_unit_test(an_open_hold_is_found_by_its_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
