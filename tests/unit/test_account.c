/* tests/unit/test_account.c -- lots, holds and credit of one member; available = sum of lots after every step. */
#include "domain/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY INT64_C(1000000)

/* "12:100 40/2:5": points of each day and, unless the bank pays, each funding, in order. */
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

static bool lots_ascend(const struct lot *a, const struct lot *b)
{
    return a->expires_on.days != b->expires_on.days ? a->expires_on.days < b->expires_on.days
                                                    : a->funding_no < b->funding_no;
}

static void assert_whole(const struct account *account)
{
    int64_t sum = 0;

    assert_true(account->lots.count <= LOTS_MAX);
    for (size_t i = 0; i < account->lots.count; i++) {
        assert_true(account->lots.at[i].points > 0);
        assert_true(i == 0 || lots_ascend(&account->lots.at[i - 1], &account->lots.at[i]));
        sum += account->lots.at[i].points;
    }
    assert_true(sum == account->available);
    assert_true(account->held >= 0 && account->credit_used >= 0);
    assert_true(account_spendable(account) >= 0);
}

/* An account with lots written as in lots_text. */
static struct account account_with(const char *lots, int64_t credit_limit)
{
    struct account account = { .status = MEMBER_ACTIVE, .credit_limit = credit_limit };
    char *at;

    for (; *lots; lots = at) {
        struct lot lot = { .expires_on = { (int32_t)strtol(lots, &at, 10) } };
        if (*at == '/')
            lot.funding_no = (int32_t)strtol(at + 1, &at, 10);
        lot.points = strtoll(at + 1, &at, 10);
        account.lots.at[account.lots.count++] = lot;
        account.available += lot.points;
    }
    assert_whole(&account);
    return account;
}

static void assert_lots(const char *story, const struct account *account, const char *expected)
{
    char text[256];

    assert_whole(account);
    lots_text(&account->lots, text, sizeof text);
    if (strcmp(text, expected) != 0)
        fail_msg("%s: %s, not %s", story, text, expected);
}

static const struct {
    const char *story;
    int64_t available, credit_limit, credit_used, expected;
} spendables[] = {
    { "nothing", 0, 0, 0, 0 },
    { "points alone", 7, 0, 0, 7 },
    { "credit alone", 0, 5, 0, 5 },
    { "both", 7, 5, 2, 10 },
    { "the credit is used up", 7, 5, 5, 7 },
    { "the limit was lowered below what is used", 7, 5, 9, 7 },
    { "the limit was taken away", 0, 0, 9, 0 },
};

static void spendable_is_points_and_what_is_left_of_the_credit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(spendables); i++) {
        struct account account = { .available = spendables[i].available,
                                   .credit_limit = spendables[i].credit_limit,
                                   .credit_used = spendables[i].credit_used };
        if (account_spendable(&account) != spendables[i].expected)
            fail_msg("%s", spendables[i].story);
    }
}

static const struct {
    const char *story, *lots;
    int today;
    int64_t expired;
    const char *left;
} expiries[] = {
    { "no lots", "", 10, 0, "" },
    { "the day before it is over", "10:5 20:7", 9, 0, "10:5 20:7" },
    { "the very day", "10:5 20:7", 10, 5, "20:7" },
    { "the day after", "10:5 20:7", 11, 5, "20:7" },
    { "between the two", "10:5 20:7", 19, 5, "20:7" },
    { "all of them", "10:5 20:7", 20, 12, "" },
    { "long after", "10:5 20:7", 100000, 12, "" },
    { "days before 1970", "-20:5 -10:7", -15, 5, "-10:7" },
    { "whoever pays", "10:5 10/1:6 10/9:7 11:1", 10, 18, "11:1" },
    { "not a day early, whoever pays", "10/-1:5 10/9:7", 9, 0, "10/-1:5 10/9:7" },
};

static void earn_funded(struct account *account, int64_t points, int day, int32_t funding_no)
{
    struct lot made;

    assert_int_equal(account_earn(account, points, (struct date){ day }, funding_no, &made), REASON_OK);
}

static void earn(struct account *account, int64_t points, int day)
{
    earn_funded(account, points, day, 0);
}

static void lots_expire_on_their_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(expiries); i++) {
        struct account account = account_with(expiries[i].lots, 0);
        struct lots gone = { .count = 77 };
        assert_int_equal(account_expire(&account, (struct date){ expiries[i].today }, &gone), expiries[i].expired);
        assert_lots(expiries[i].story, &account, expiries[i].left);
        assert_int_equal(lots_points(&gone), expiries[i].expired);
        assert_int_equal(account.expired, expiries[i].expired);
        assert_int_equal(account_expire(&account, (struct date){ expiries[i].today }, &gone), 0);
        assert_int_equal(gone.count, 0);
        assert_int_equal(account.expired, expiries[i].expired);
    }
}

static const struct {
    const char *story, *lots;
    int64_t credit_used, points;
    int day;
    int32_t funding_no;
    int64_t made, credit_after;
    const char *after;
} earnings[] = {
    { "the first", "", 0, 5, 10, 0, 5, 0, "10:5" },
    { "to a lot of the day", "10:5", 0, 3, 10, 0, 3, 0, "10:8" },
    { "before all", "10:5 20:7", 0, 1, 5, 0, 1, 0, "5:1 10:5 20:7" },
    { "between", "10:5 20:7", 0, 1, 15, 0, 1, 0, "10:5 15:1 20:7" },
    { "after all", "10:5 20:7", 0, 1, 25, 0, 1, 0, "10:5 20:7 25:1" },
    { "somebody else pays", "10:5 20:7", 0, 1, 10, 3, 1, 0, "10:5 10/3:1 20:7" },
    { "to a lot of the day that they pay", "10:5 10/3:1", 0, 1, 10, 3, 1, 0, "10:5 10/3:2" },
    { "between two payers", "10:5 10/3:1", 0, 4, 10, 2, 4, 0, "10:5 10/2:4 10/3:1" },
    { "all goes to the credit", "10:5", 9, 8, 20, 0, 0, 1, "10:5" },
    { "exactly the credit", "10:5", 8, 8, 20, 0, 0, 0, "10:5" },
    { "one more than the credit", "10:5", 8, 9, 20, 0, 1, 0, "10:5 20:1" },
    { "credit first, whoever pays", "10:5", 8, 9, 10, 4, 1, 0, "10:5 10/4:1" },
};

static void earning_repays_credit_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(earnings); i++) {
        struct account account = account_with(earnings[i].lots, 100);
        account.credit_used = earnings[i].credit_used;
        struct lot made;
        assert_int_equal(
            account_earn(&account, earnings[i].points, (struct date){ earnings[i].day }, earnings[i].funding_no, &made),
            REASON_OK);
        assert_lots(earnings[i].story, &account, earnings[i].after);
        assert_int_equal(made.points, earnings[i].made);
        assert_int_equal(made.expires_on.days, earnings[i].day);
        assert_int_equal(made.funding_no, earnings[i].funding_no);
        assert_int_equal(account.credit_used, earnings[i].credit_after);
    }
}

static const struct {
    const char *story, *lots;
    int64_t credit_limit, points;
    const char *drawn;
    int64_t credit_drawn;
    const char *left;
} holds[] = {
    { "part of the first", "10:5 20:7", 0, 4, "10:4", 0, "10:1 20:7" },
    { "all of the first", "10:5 20:7", 0, 5, "10:5", 0, "20:7" },
    { "into the second", "10:5 20:7", 0, 6, "10:5 20:1", 0, "20:6" },
    { "all there is", "10:5 20:7", 0, 12, "10:5 20:7", 0, "" },
    { "credit comes last", "10:5 20:7", 9, 13, "10:5 20:7", 1, "" },
    { "all there is and all credit", "10:5 20:7", 9, 21, "10:5 20:7", 9, "" },
    { "credit alone", "", 9, 9, "", 9, "" },
    { "no credit while there are points", "10:5", 9, 5, "10:5", 0, "" },
    { "of one day, the bank's own first", "10:5 10/2:3 10/7:1", 0, 6, "10:5 10/2:1", 0, "10/2:2 10/7:1" },
    { "the day counts before who pays", "10/7:5 20:3", 0, 6, "10/7:5 20:1", 0, "20:2" },
};

static void what_expires_first_is_drawn_first(void **state)
{
    char text[256];

    (void)state;
    for (size_t i = 0; i < COUNT(holds); i++) {
        struct account account = account_with(holds[i].lots, holds[i].credit_limit);
        struct draws draws = { .credit = 99, .lots.count = 3 };
        account_hold(&account, holds[i].points, &draws);
        assert_lots(holds[i].story, &account, holds[i].left);
        lots_text(&draws.lots, text, sizeof text);
        if (strcmp(text, holds[i].drawn) != 0 || draws.credit != holds[i].credit_drawn)
            fail_msg("%s: drew %s and %lld", holds[i].story, text, (long long)draws.credit);
        assert_int_equal(draws_points(&draws), holds[i].points);
        assert_int_equal(account.held, holds[i].points);
        assert_int_equal(account.credit_used, holds[i].credit_drawn);
        assert_int_equal(account_spendable(&account),
                         account.available + holds[i].credit_limit - holds[i].credit_drawn);
    }
}

/* Every row: 10:5 20:7 and credit of 9, of which `held` were held; then `earned` came in on day 30; then points go
 * back on day `today`. New lots end on day 99. */
static const struct {
    const char *story;
    int64_t held, earned, back;
    int today, grace_days;
    int64_t forfeited, credit_after;
    const char *lots_after, *draws_after;
} returns[] = {
    { "all of it", 12, 0, 12, 5, 0, 0, 0, "10:5 20:7", "" },
    { "a point goes to the lot that expires last", 12, 0, 1, 5, 0, 0, 0, "20:1", "10:5 20:6" },
    { "a whole lot", 12, 0, 7, 5, 0, 0, 0, "20:7", "10:5" },
    { "into the first lot", 12, 0, 8, 5, 0, 0, 0, "10:1 20:7", "10:4" },
    { "credit goes back first", 15, 0, 2, 5, 0, 0, 1, "", "10:5 20:7 +1" },
    { "exactly the credit", 15, 0, 3, 5, 0, 0, 0, "", "10:5 20:7" },
    { "credit, then the last lot", 15, 0, 4, 5, 0, 0, 0, "20:1", "10:5 20:6" },
    { "what is still there grows again", 6, 0, 6, 5, 0, 0, 0, "10:5 20:7", "" },
    { "repaid credit is a new lot", 15, 3, 3, 5, 0, 0, 0, "99:3", "10:5 20:7" },
    { "half repaid, half a new lot", 15, 2, 3, 5, 0, 0, 0, "99:2", "10:5 20:7" },
    { "repaid and more: all of it", 15, 8, 15, 5, 0, 0, 0, "10:5 20:7 30:5 99:3", "" },
    { "the day before the first is over", 12, 0, 12, 9, 0, 0, 0, "10:5 20:7", "" },
    { "the very day: forfeited", 12, 0, 12, 10, 0, 5, 0, "20:7", "" },
    { "the very day: grace", 12, 0, 12, 10, 1, 0, 0, "11:5 20:7", "" },
    { "both are over", 12, 0, 12, 20, 0, 12, 0, "", "" },
    { "both are over: one lot of grace", 12, 0, 12, 20, 30, 0, 0, "50:12", "" },
    { "grace ends with a lot that is there", 12, 6, 12, 20, 10, 0, 0, "30:18", "" },
    { "grace for the part that is over", 12, 0, 8, 15, 90, 0, 0, "20:7 105:1", "10:4" },
    { "credit does not expire", 15, 0, 15, 20, 0, 12, 0, "", "" },
};

static void points_go_back_in_the_reverse_order(void **state)
{
    char text[256];

    (void)state;
    for (size_t i = 0; i < COUNT(returns); i++) {
        struct account account = account_with("10:5 20:7", 9);
        struct draws draws;
        const struct give_back_terms terms = { { returns[i].today }, returns[i].grace_days, { 99 } };
        account_hold(&account, returns[i].held, &draws);
        if (returns[i].earned)
            earn(&account, returns[i].earned, 30);
        int64_t before = account.available;
        struct lots grown;
        struct give_back given = account_release(&account, &draws, returns[i].back, &terms, &grown);
        assert_lots(returns[i].story, &account, returns[i].lots_after);
        lots_text(&draws.lots, text, sizeof text);
        if (draws.credit)
            snprintf(text + strlen(text), 32, " +%lld", (long long)draws.credit);
        if (strcmp(text, returns[i].draws_after) != 0 || given.forfeited != returns[i].forfeited ||
            given.returned != returns[i].back || account.credit_used != returns[i].credit_after)
            fail_msg("%s: still drawn %s, forfeited %lld, credit %lld", returns[i].story, text,
                     (long long)given.forfeited, (long long)account.credit_used);
        assert_int_equal(account.held, returns[i].held - returns[i].back);
        assert_int_equal(draws_points(&draws), returns[i].held - returns[i].back);
        assert_int_equal(lots_points(&grown), account.available - before);
    }
}

/* Points go back to the funder they were drawn from, and grace does not change who pays. */
static const struct {
    const char *story;
    int64_t back;
    int today, grace_days;
    const char *lots_after, *grown;
} funded[] = {
    { "the last drawn first", 4, 5, 0, "20/3:4 30:1", "20/3:4" },
    { "over two funders of a day", 8, 5, 0, "20:1 20/3:7 30:1", "20/3:7 20:1" },
    { "all of it", 13, 5, 0, "10/2:5 20:1 20/3:7 30:1", "20/3:7 20:1 10/2:5" },
    { "what has expired is gone, whoever pays", 13, 10, 0, "20:1 20/3:7 30:1", "20/3:7 20:1" },
    { "grace keeps who pays", 13, 10, 5, "15/2:5 20:1 20/3:7 30:1", "20/3:7 20:1 15/2:5" },
    { "grace of several ends on one day", 13, 20, 10, "30:2 30/2:5 30/3:7", "30/3:7 30:1 30/2:5" },
};

static void points_go_back_to_who_pays_for_them(void **state)
{
    char text[256];

    (void)state;
    for (size_t i = 0; i < COUNT(funded); i++) {
        struct account account = account_with("10/2:5 20:1 20/3:7 30:1", 0);
        struct draws draws;
        struct lots grown;
        const struct give_back_terms terms = { { funded[i].today }, funded[i].grace_days, { 99 } };
        account_hold(&account, 13, &draws);
        account_release(&account, &draws, funded[i].back, &terms, &grown);
        assert_lots(funded[i].story, &account, funded[i].lots_after);
        lots_text(&grown, text, sizeof text);
        if (strcmp(text, funded[i].grown) != 0)
            fail_msg("%s: %s grew, not %s", funded[i].story, text, funded[i].grown);
    }
}

static void restoring_leaves_held_alone(void **state)
{
    struct account account = account_with("10:5 20:7", 0);
    struct draws draws, other;
    const struct give_back_terms terms = { { 5 }, 0, { 99 } };

    (void)state;
    account_hold(&account, 4, &draws);
    account_spend(&account, 4);
    account_hold(&account, 3, &other);
    struct lots grown;
    struct give_back given = account_restore(&account, &draws, 4, &terms, &grown);
    assert_int_equal(given.returned, 4);
    assert_int_equal(account.held, 3);
    assert_lots("restored", &account, "10:4 20:5");
}

/* LOTS_MAX lots of a point on days 10, 20, 30, ... */
static struct account full_account(void)
{
    struct account account = { .status = MEMBER_ACTIVE };

    for (int i = 1; i <= LOTS_MAX; i++)
        earn(&account, 1, 10 * i);
    assert_int_equal(account.lots.count, LOTS_MAX);
    return account;
}

static const struct {
    const char *story;
    int64_t credit_used, points;
    int day;
    int32_t funding_no;
    enum reason expected;
} crowded[] = {
    { "a new day has no room", 0, 5, 15, 0, REASON_TOO_MANY_LOTS },
    { "nor has one before all", 0, 5, 1, 0, REASON_TOO_MANY_LOTS },
    { "nor one after all", 0, 5, 10 * LOTS_MAX + 1, 0, REASON_TOO_MANY_LOTS },
    { "a day that is there has", 0, 5, 20, 0, REASON_OK },
    { "but not for somebody else's points", 0, 5, 20, 1, REASON_TOO_MANY_LOTS },
    { "the last day has", 0, 5, 10 * LOTS_MAX, 0, REASON_OK },
    { "what only repays credit needs none", 5, 5, 15, 0, REASON_OK },
    { "credit and a point more needs one", 5, 6, 15, 0, REASON_TOO_MANY_LOTS },
    { "too large where there is a lot", 0, INT64_MAX, 20, 0, REASON_AMOUNT_TOO_LARGE },
    { "too large comes after too many", 0, INT64_MAX, 15, 0, REASON_TOO_MANY_LOTS },
};

static void a_full_account_is_left_alone_by_a_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(crowded); i++) {
        struct account account = full_account();
        account.credit_used = crowded[i].credit_used;
        struct account before = account;
        struct lot made;
        enum reason reason =
            account_earn(&account, crowded[i].points, (struct date){ crowded[i].day }, crowded[i].funding_no, &made);
        if (reason != crowded[i].expected)
            fail_msg("%s: %s", crowded[i].story, reason_name(reason));
        assert_whole(&account);
        if (reason != REASON_OK)
            assert_memory_equal(&account, &before, sizeof account);
    }
}

/* One lot was emptied by the hold and its place taken by another day; the points that come back find no room. */
static const struct {
    const char *story;
    int drawn_day, taken_by, today, grace_days;
    int joined; /* the day their lot has afterwards */
    int64_t points;
} joins[] = {
    { "they join the next to expire", 10, 15, 5, 0, 15, 2 },
    { "their own day is still there", 10, 10, 5, 0, 10, 2 },
    { "grace puts them between two", 10, 25, 12, 1, 20, 2 },
    { "grace puts them behind all: the last moves", 10, 25, 12, 100000, 100012, 2 },
};

static void points_given_back_always_find_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(joins); i++) {
        struct account account = full_account();
        struct draws draws;
        const struct give_back_terms terms = { { joins[i].today }, joins[i].grace_days, { 99 } };
        account_hold(&account, 1, &draws);
        assert_int_equal(draws.lots.at[0].expires_on.days, joins[i].drawn_day);
        earn(&account, 1, joins[i].taken_by);
        assert_int_equal(account.lots.count, LOTS_MAX);
        struct lots grown;
        struct give_back given = account_release(&account, &draws, 1, &terms, &grown);
        assert_int_equal(grown.count, 1);
        assert_int_equal(grown.at[0].expires_on.days, joins[i].joined);
        assert_int_equal(grown.at[0].points, 1);
        assert_int_equal(given.forfeited, 0);
        assert_whole(&account);
        assert_int_equal(account.lots.count, LOTS_MAX);
        assert_int_equal(account.available, LOTS_MAX + 1);
        size_t at = 0;
        while (at < LOTS_MAX && account.lots.at[at].points == 1)
            at++;
        if (at == LOTS_MAX || account.lots.at[at].expires_on.days != joins[i].joined ||
            account.lots.at[at].points != joins[i].points)
            fail_msg("%s", joins[i].story);
    }
}

static void all_lots_can_be_drawn_and_given_back(void **state)
{
    struct account account = full_account(), before = account;
    struct draws draws;
    const struct give_back_terms terms = { { 5 }, 0, { 99 } };

    (void)state;
    account_hold(&account, LOTS_MAX, &draws);
    assert_lots("nothing is left", &account, "");
    assert_int_equal(draws.lots.count, LOTS_MAX);
    struct lots grown;
    account_release(&account, &draws, LOTS_MAX, &terms, &grown);
    assert_memory_equal(&account.lots, &before.lots, sizeof account.lots);
    assert_int_equal(grown.count, LOTS_MAX);
}

/* Every lot and credit that was repaid meanwhile: one more than a list of lots holds, and no point goes unsaid. */
static void what_is_given_back_is_said_to_the_last_point(void **state)
{
    static const int new_expiries[] = { 99, 10, 10 * LOTS_MAX, 10 * LOTS_MAX + 7 };

    (void)state;
    for (size_t i = 0; i < COUNT(new_expiries); i++) {
        struct account account = full_account();
        struct draws draws;
        struct lots grown;
        const struct give_back_terms terms = { { 5 }, 0, { new_expiries[i] } };
        account.credit_limit = 5;
        account_hold(&account, LOTS_MAX + 5, &draws);
        earn(&account, 5, 40000); /* repays it all */
        account_release(&account, &draws, LOTS_MAX + 5, &terms, &grown);
        assert_whole(&account);
        assert_int_equal(account.available, LOTS_MAX + 5);
        assert_int_equal(lots_points(&grown), LOTS_MAX + 5);
    }
}

static void what_does_not_fit_is_not_earned(void **state)
{
    struct account account = account_with("10:5", 0);
    struct lot made;

    (void)state;
    assert_int_equal(account_earn(&account, INT64_MAX - 4, (struct date){ 10 }, 0, &made), REASON_AMOUNT_TOO_LARGE);
    assert_lots("untouched", &account, "10:5");
    earn(&account, INT64_MAX - 5, 10);
    assert_whole(&account);
}

static void open_holds_are_counted_and_found(void **state)
{
    struct account account = { 0 };
    struct uuid id = { { 7 } };

    (void)state;
    for (uint8_t i = 0; i < OPEN_HOLDS_MAX; i++) {
        id.bytes[15] = i;
        assert_true(account_open_hold(&account, &id, (struct instant){ i }));
    }
    id.bytes[15] = OPEN_HOLDS_MAX;
    assert_false(account_open_hold(&account, &id, (struct instant){ 0 }));
    account_close_hold(&account, &id); /* not there */
    assert_int_equal(account.hold_count, OPEN_HOLDS_MAX);
    for (int i = 0; i < OPEN_HOLDS_MAX; i++) {
        id.bytes[15] = (uint8_t)(i * 5 % OPEN_HOLDS_MAX); /* each once, in no order */
        account_close_hold(&account, &id);
        account_close_hold(&account, &id);
        assert_int_equal(account.hold_count, OPEN_HOLDS_MAX - 1 - i);
        for (size_t j = 0; j < account.hold_count; j++) {
            assert_int_equal(account.holds[j].lapse_at.us, account.holds[j].id.bytes[15]);
            assert_true(uuid_compare(&account.holds[j].id, &id) != 0);
        }
    }
}

/* A small generator of our own, so that a seed means the same on every machine. */
static uint32_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

static int64_t below(uint64_t *seed, int64_t n)
{
    return n > 0 ? next(seed) % n : 0;
}

enum { OPEN = 6 };

/* What a member had is somewhere: available, held, spent, expired, forfeited; less what is owed to the bank. */
struct world {
    struct account account;
    struct draws draws[OPEN];
    struct lots gone;
    bool spent[OPEN];
    int64_t held[OPEN], redeemed, earned, expired, forfeited;
    struct date today;
};

static void step_earn(struct world *world, uint64_t *seed, int64_t points)
{
    struct date expires_on = { world->today.days + 1 + (int32_t)below(seed, 200) };
    struct lot made;

    if (account_earn(&world->account, points, expires_on, (int32_t)below(seed, 3), &made) == REASON_OK)
        world->earned += points;
}

static void step_hold(struct world *world, uint64_t *seed, int at)
{
    int64_t points = 1 + below(seed, account_spendable(&world->account) + (next(seed) % 3 == 0 ? 0 : -1));

    if (draws_points(&world->draws[at]) > 0 || points > account_spendable(&world->account))
        return;
    account_hold(&world->account, points, &world->draws[at]);
    world->held[at] = points;
    world->spent[at] = false;
}

static void step_give_back(struct world *world, uint64_t *seed, int at)
{
    int64_t drawn = draws_points(&world->draws[at]);
    int64_t points = next(seed) % 2 ? drawn : 1 + below(seed, drawn);
    struct give_back_terms terms = { world->today, (int32_t)below(seed, 3) * 7, { world->today.days + 40 } };

    if (drawn == 0)
        return;
    struct lots grown;
    struct give_back given = (world->spent[at] ? account_restore : account_release)(&world->account, &world->draws[at],
                                                                                    points, &terms, &grown);
    world->redeemed -= world->spent[at] ? points : 0;
    world->held[at] -= world->spent[at] ? 0 : points;
    world->forfeited += given.forfeited;
    assert_int_equal(draws_points(&world->draws[at]), drawn - points);
}

static void step_spend(struct world *world, int at)
{
    if (draws_points(&world->draws[at]) == 0 || world->spent[at])
        return;
    account_spend(&world->account, world->held[at]);
    world->redeemed += world->held[at];
    world->held[at] = 0;
    world->spent[at] = true;
}

static void step(struct world *world, uint64_t *seed)
{
    int at = (int)below(seed, OPEN);
    int64_t points = 1 + below(seed, next(seed) % 4 ? 5 : MANY);

    switch (next(seed) % 6) {
    case 0:
        step_earn(world, seed, points);
        break;
    case 1:
        step_hold(world, seed, at);
        break;
    case 2:
        step_give_back(world, seed, at);
        break;
    case 3:
        step_spend(world, at);
        break;
    case 4:
        world->today.days += (int32_t)below(seed, 3);
        world->expired += account_expire(&world->account, world->today, &world->gone);
        break;
    case 5:
        world->account.credit_limit = below(seed, 2) * below(seed, MANY);
        break;
    }
}

static void assert_nothing_is_lost(const struct world *world)
{
    int64_t held = 0;

    assert_whole(&world->account);
    for (int i = 0; i < OPEN; i++)
        held += world->held[i];
    assert_true(held == world->account.held);
    assert_true(world->earned == world->account.available - world->account.credit_used + held + world->redeemed +
                                     world->expired + world->forfeited);
}

static void long_random_lives_lose_nothing(void **state)
{
    static struct world world;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t chance = seed;
        world = (struct world){ .today = { 20000 } };
        for (int i = 0; i < 5000; i++) {
            step(&world, &chance);
            assert_nothing_is_lost(&world);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spendable_is_points_and_what_is_left_of_the_credit),
        cmocka_unit_test(lots_expire_on_their_day),
        cmocka_unit_test(earning_repays_credit_first),
        cmocka_unit_test(what_expires_first_is_drawn_first),
        cmocka_unit_test(points_go_back_in_the_reverse_order),
        cmocka_unit_test(points_go_back_to_who_pays_for_them),
        cmocka_unit_test(restoring_leaves_held_alone),
        cmocka_unit_test(a_full_account_is_left_alone_by_a_refusal),
        cmocka_unit_test(points_given_back_always_find_a_place),
        cmocka_unit_test(all_lots_can_be_drawn_and_given_back),
        cmocka_unit_test(what_is_given_back_is_said_to_the_last_point),
        cmocka_unit_test(what_does_not_fit_is_not_earned),
        cmocka_unit_test(open_holds_are_counted_and_found),
        cmocka_unit_test(long_random_lives_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
