/* tests/unit/test_member.c -- what creating, changing, earning and expiry write, and when they write nothing. */
#include "domain/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

static const struct uuid request = { { 0xcc } };

struct stage {
    struct account account;
    struct exchange_rules rules;
    struct moment moment;
    struct entry written[DECISION_ENTRIES];
    struct lot written_lots[DECISION_LOTS];
    struct entries entries;
};

static void set_stage(struct stage *stage)
{
    *stage = (struct stage){
        .account = { .programme_no = 1, .bank_no = 2, .status = MEMBER_ACTIVE, .credit_limit = 50, .journal_seq = 7 },
        .rules = { .version = 3,
                   .expiry_months = 0,
                   .accrual = { 1, 10 },
                   .rates = { { "CNY", { 1, 1 }, { 1, 1 } } },
                   .rate_count = 1 },
    };
    stage->moment = (struct moment){ .now = { 1000 }, .business_date = date_of(2026, 11, 22), .rules = &stage->rules };
    stage->entries.at = stage->written;
    stage->entries.lots = stage->written_lots;
}

static const struct {
    const char *story;
    int64_t journal_seq; /* 0: the member is new */
    struct member_wish wish;
    bool changed;
} wishes[] = {
    { "as it is", 7, { .status = MEMBER_ACTIVE, .credit = { .limit = 50 }, .profile_hash = { 0 } }, false },
    { "new, even if all is as it would be",
      0,
      { .status = MEMBER_ACTIVE, .credit = { .limit = 50 }, .profile_hash = { 0 } },
      true },
    { "frozen", 7, { .status = MEMBER_FROZEN, .credit = { .limit = 50 }, .profile_hash = { 0 } }, true },
    { "a credit more", 7, { .status = MEMBER_ACTIVE, .credit = { .limit = 51 }, .profile_hash = { 0 } }, true },
    { "no credit", 7, { .status = MEMBER_ACTIVE, .credit = { .limit = 0 }, .profile_hash = { 0 } }, true },
    { "other cards", 7, { .status = MEMBER_ACTIVE, .credit = { .limit = 50 }, .profile_hash = { [31] = 1 } }, true },
};

static void a_member_becomes_what_the_bank_wants(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(wishes); i++) {
        set_stage(&stage);
        stage.account.journal_seq = wishes[i].journal_seq;
        for (int repeat = 0; repeat < 2; repeat++) {
            int64_t moved;
            bool changed;
            assert_int_equal(
                member_set(&stage.account, &wishes[i].wish, &stage.moment, &request, &changed, &moved, &stage.entries),
                REASON_OK);
            if (changed != (wishes[i].changed && repeat == 0))
                fail_msg("%s, time %d", wishes[i].story, repeat);
        }
        assert_int_equal(stage.entries.count, wishes[i].changed);
        assert_int_equal(stage.account.status, wishes[i].wish.status);
        assert_int_equal(stage.account.credit_limit, wishes[i].wish.credit.limit);
        if (!wishes[i].changed)
            continue;
        assert_int_equal(stage.written[0].kind, ENTRY_MEMBER);
        assert_int_equal(stage.written[0].points, 0);
        assert_int_equal(stage.written[0].seq, wishes[i].journal_seq + 1);
        assert_int_equal(stage.written[0].credit_limit_after, wishes[i].wish.credit.limit);
        assert_memory_equal(&stage.written[0].ref, &request, sizeof request);
    }
}

static const struct {
    const char *story;
    int16_t from, wanted; /* from 0: the member is new */
    size_t holds;
    enum reason expected;
    int16_t status;
    bool changed;
    int64_t moved;
    size_t entries;
} pushes[] = {
    { "new", 0, MEMBER_ACTIVE, 0, REASON_OK, MEMBER_ACTIVE, true, 0, 1 },
    { "new, unsaid", 0, 0, 0, REASON_OK, MEMBER_ACTIVE, true, 0, 1 },
    { "new and closed", 0, MEMBER_CLOSED, 0, REASON_OK, MEMBER_CLOSED, true, 0, 1 },
    { "unsaid leaves frozen", MEMBER_FROZEN, 0, 0, REASON_OK, MEMBER_FROZEN, false, 0, 0 },
    { "said thaws", MEMBER_FROZEN, MEMBER_ACTIVE, 0, REASON_OK, MEMBER_ACTIVE, true, 0, 1 },
    { "deceased", MEMBER_ACTIVE, MEMBER_DECEASED, 1, REASON_OK, MEMBER_DECEASED, true, 0, 1 },
    { "unsaid leaves deceased", MEMBER_DECEASED, 0, 0, REASON_OK, MEMBER_DECEASED, false, 0, 0 },
    { "a mistake is taken back", MEMBER_DECEASED, MEMBER_ACTIVE, 0, REASON_OK, MEMBER_ACTIVE, true, 0, 1 },
    { "closing takes the points", MEMBER_FROZEN, MEMBER_CLOSED, 0, REASON_OK, MEMBER_CLOSED, true, 7, 2 },
    { "but not while holds are open", MEMBER_ACTIVE, MEMBER_CLOSED, 1, REASON_HOLDS_OPEN, MEMBER_ACTIVE, false, 0, 0 },
    { "closed again", MEMBER_CLOSED, MEMBER_CLOSED, 0, REASON_OK, MEMBER_CLOSED, false, 0, 0 },
    { "nobody opens it", MEMBER_CLOSED, MEMBER_ACTIVE, 0, REASON_MEMBER_CLOSED, MEMBER_CLOSED, false, 0, 0 },
    { "nor says nothing of it", MEMBER_CLOSED, 0, 0, REASON_MEMBER_CLOSED, MEMBER_CLOSED, false, 0, 0 },
};

static void a_push_opens_nobody_and_thaws_nobody_unasked(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(pushes); i++) {
        const struct member_wish wish = { .status = pushes[i].wanted, .credit = { .limit = 50 } };
        struct lot made;
        int64_t moved;
        bool changed;
        set_stage(&stage);
        stage.account.journal_seq = pushes[i].from ? 7 : 0;
        stage.account.status = pushes[i].from;
        stage.account.hold_count = pushes[i].holds;
        if (pushes[i].from)
            assert_int_equal(account_earn(&stage.account, 7, (struct date){ 30000 }, 0, &made), REASON_OK);
        enum reason reason =
            member_set(&stage.account, &wish, &stage.moment, &request, &changed, &moved, &stage.entries);
        if (reason != pushes[i].expected || stage.account.status != pushes[i].status || changed != pushes[i].changed ||
            moved != pushes[i].moved || stage.entries.count != pushes[i].entries)
            fail_msg("%s: %s, status %d, %lld moved, %zu entries", pushes[i].story, reason_name(reason),
                     (int)stage.account.status, (long long)moved, stage.entries.count);
    }
}

/* One entry says it all: the tier, the limit that goes with it, and later what the rules make of it. */
static void a_limit_goes_with_the_tier_and_with_time(void **state)
{
    static const struct tier_limit limits[] = { { 1, 20 }, { 5, 60 } };
    struct member_wish wish = { .has_tier = true, .tier = 4, .credit = { .by_tier = true } };
    static struct stage stage;
    int64_t moved;
    bool changed;

    (void)state;
    set_stage(&stage);
    memcpy(stage.rules.tier_limits, limits, sizeof limits);
    stage.rules.tier_limit_count = COUNT(limits);
    wish.credit.temporary = (struct temporary_limit){ 99, date_of(2026, 11, 24), date_of(2026, 11, 25) };
    assert_int_equal(member_set(&stage.account, &wish, &stage.moment, &request, &changed, &moved, &stage.entries),
                     REASON_OK);
    assert_int_equal(stage.account.credit_limit, 20);
    assert_int_equal(member_set_tier(&stage.account, &stage.moment, 5, &request, &stage.entries), REASON_OK);
    assert_int_equal(stage.account.credit_limit, 60);
    assert_false(member_catch_up(&stage.account, &stage.moment, &stage.entries));
    stage.moment.business_date = date_of(2026, 11, 24);
    assert_true(member_catch_up(&stage.account, &stage.moment, &stage.entries));
    stage.moment.business_date = date_of(2026, 11, 26);
    stage.rules.tier_limits[1].points = 61;
    assert_true(member_catch_up(&stage.account, &stage.moment, &stage.entries));
    assert_false(member_catch_up(&stage.account, &stage.moment, &stage.entries));
    static const int64_t after[] = { 20, 60, 99, 61 };
    assert_int_equal(stage.entries.count, COUNT(after));
    for (size_t i = 0; i < COUNT(after); i++) {
        assert_int_equal(stage.written[i].kind, ENTRY_MEMBER);
        assert_int_equal(stage.written[i].credit_limit_after, after[i]);
        assert_int_equal(uuid_is_zero(&stage.written[i].ref), i >= 2);
    }
}

static enum reason earn(struct stage *stage, int64_t amount_minor, const char *currency, struct earned *earned)
{
    const struct earning earning = { .amount_minor = amount_minor, .currency = currency };

    return member_earn(&stage->account, &stage->moment, &earning, &request, earned, &stage->entries);
}

static const struct {
    const char *story;
    bool rules;
    int16_t status;
    int64_t credit_used, amount_minor;
    enum reason expected;
    int64_t points, available_after, credit_used_after;
} earnings[] = {
    { "ten for a point", true, MEMBER_ACTIVE, 0, 109, REASON_OK, 10, 10, 0 },
    { "a frozen member earns", true, MEMBER_FROZEN, 0, 10, REASON_OK, 1, 1, 0 },
    { "credit first", true, MEMBER_ACTIVE, 4, 109, REASON_OK, 10, 6, 0 },
    { "all to the credit", true, MEMBER_ACTIVE, 40, 109, REASON_OK, 10, 0, 30 },
    { "less than a point", true, MEMBER_ACTIVE, 0, 9, REASON_OK, 0, 0, 0 },
    { "no rules", false, MEMBER_ACTIVE, 0, 109, REASON_NO_RULES_IN_FORCE, -1, 0, 0 },
    { "closed", true, MEMBER_CLOSED, 0, 109, REASON_MEMBER_CLOSED, -1, 0, 0 },
    { "deceased", true, MEMBER_DECEASED, 0, 109, REASON_MEMBER_DECEASED, -1, 0, 0 },
    { "no rules come before closed", false, MEMBER_CLOSED, 0, 9, REASON_NO_RULES_IN_FORCE, -1, 0, 0 },
    { "closed, whatever it would earn", true, MEMBER_CLOSED, 0, 9, REASON_MEMBER_CLOSED, -1, 0, 0 },
    { "too much", true, MEMBER_ACTIVE, 0, INT64_MAX, REASON_AMOUNT_TOO_LARGE, -1, 0, 0 },
};

static void spending_earns_points(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(earnings); i++) {
        struct earned earned;
        set_stage(&stage);
        stage.moment.rules = earnings[i].rules ? &stage.rules : NULL;
        stage.account.status = earnings[i].status;
        stage.account.credit_used = earnings[i].credit_used;
        enum reason reason = earn(&stage, earnings[i].amount_minor, "CNY", &earned);
        if (reason != earnings[i].expected || (reason == REASON_OK && earned.points != earnings[i].points))
            fail_msg("%s: %s %lld", earnings[i].story, reason_name(reason), (long long)earned.points);
        assert_int_equal(stage.account.available, earnings[i].available_after);
        assert_int_equal(stage.account.credit_used, earnings[i].credit_used_after);
        bool moved = reason == REASON_OK && earned.points > 0;
        assert_int_equal(stage.entries.count, moved);
        if (!moved)
            continue;
        const struct entry *entry = &stage.written[0];
        assert_int_equal(entry->kind, ENTRY_ACCRUE);
        assert_int_equal(entry->points, earned.points);
        assert_int_equal(entry->seq, 8);
        assert_int_equal(entry->available_after, earnings[i].available_after);
        assert_int_equal(entry->credit_used_after, earnings[i].credit_used_after);
        assert_int_equal(entry->rules_version, 3);
        assert_memory_equal(&entry->ref, &request, sizeof request);
    }
}

static void a_currency_without_a_rate_earns_nothing(void **state)
{
    static struct stage stage;
    struct earned earned;

    (void)state;
    set_stage(&stage);
    assert_int_equal(earn(&stage, 100, "USD", &earned), REASON_CURRENCY_NOT_EXCHANGED);
    assert_int_equal(stage.entries.count, 0);
}

/* Earned in November, spendable to its last day: over on December 1, and written once. */
static void points_expire_once_on_their_day(void **state)
{
    static struct stage stage;
    struct earned earned;

    (void)state;
    set_stage(&stage);
    assert_int_equal(earn(&stage, 100, "CNY", &earned), REASON_OK);
    stage.entries.count = 0;
    stage.moment.business_date = date_of(2026, 11, 30);
    assert_false(member_catch_up(&stage.account, &stage.moment, &stage.entries));
    stage.moment.business_date = date_of(2026, 12, 1);
    assert_true(member_catch_up(&stage.account, &stage.moment, &stage.entries));
    assert_false(member_catch_up(&stage.account, &stage.moment, &stage.entries));
    assert_int_equal(stage.entries.count, 1);
    assert_int_equal(stage.written[0].kind, ENTRY_EXPIRE);
    assert_int_equal(stage.written[0].points, 10);
    assert_int_equal(stage.written[0].available_after, 0);
    assert_true(uuid_is_zero(&stage.written[0].ref));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_becomes_what_the_bank_wants),
        cmocka_unit_test(a_push_opens_nobody_and_thaws_nobody_unasked),
        cmocka_unit_test(a_limit_goes_with_the_tier_and_with_time),
        cmocka_unit_test(spending_earns_points),
        cmocka_unit_test(a_currency_without_a_rate_earns_nothing),
        cmocka_unit_test(points_expire_once_on_their_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
