/* tests/unit/test_member_restore.c -- a member is again what it was before a roster batch, or as if it had never been.
 */
#include "domain/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TODAY = 20000 };

static const struct uuid request = { { 0xdd } };

struct stage {
    struct account account;
    struct exchange_rules rules;
    struct moment moment;
    struct entry written[2 * DECISION_ENTRIES];
    struct lot written_lots[2 * DECISION_LOTS];
    struct entries entries;
};

static void set_stage(struct stage *stage)
{
    *stage = (struct stage){
        .account = { .bank_no = 2, .status = MEMBER_FROZEN, .tier = 4, .credit_limit = 50, .journal_seq = 7 },
        .rules = { .version = 3, .tier_limits = { { 2, 600 } }, .tier_limit_count = 1 },
    };
    stage->moment = (struct moment){ .business_date = { TODAY }, .rules = &stage->rules };
    stage->entries.at = stage->written;
    stage->entries.lots = stage->written_lots;
}

static void assert_written(const char *story, const struct stage *stage, const char *expected)
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
}

static const struct lots points = { 2, { { { TODAY + 9 }, 4, 70 }, { { TODAY + 40 }, 0, 5 } } };
static const struct pending_lots pending = { 1, { { { TODAY + 3 }, { TODAY + 90 }, 0, 20 } } };

static const struct {
    const char *story;
    int32_t day;
    struct member_before before;
    const char *written;
    int64_t moved, available, pending, limit;
} cases[] = {
    { "a member that was changed",
      TODAY,
      { true, MEMBER_ACTIVE, 2, 9, { 0 }, { 7 }, NULL, NULL },
      "MEMBER 0",
      0,
      0,
      0,
      9 },
    { "its limit was by tier and the rules have moved on",
      TODAY,
      { true, MEMBER_ACTIVE, 2, 500, { .by_tier = true }, { 7 }, NULL, NULL },
      "MEMBER 0, MEMBER 0",
      0,
      0,
      0,
      600 },
    { "its temporary limit has ended since",
      TODAY + 30,
      { true,
        MEMBER_ACTIVE,
        2,
        900,
        { .begun = true, .base = 9, .temporary = { 900, { TODAY - 5 }, { TODAY + 5 } } },
        { 7 },
        NULL,
        NULL },
      "MEMBER 0, MEMBER 0",
      0,
      0,
      0,
      9 },
    { "one that was closed has its points again",
      TODAY,
      { true, MEMBER_ACTIVE, 2, 9, { 0 }, { 7 }, &points, &pending },
      "REOPEN 75, REOPEN_PENDING 20, MEMBER 0",
      95,
      75,
      20,
      9 },
    { "days have passed: some are spendable, some are over",
      TODAY + 10,
      { true, MEMBER_ACTIVE, 2, 9, { 0 }, { 7 }, &points, &pending },
      "REOPEN 75, REOPEN_PENDING 20, MEMBER 0, MATURE 20, EXPIRE 70",
      95,
      25,
      0,
      9 },
};

static void a_member_is_what_it_was(void **state)
{
    static struct stage stage;
    int64_t moved;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct member_before *before = &cases[i].before;
        set_stage(&stage);
        if (before->lots)
            stage.account.status = MEMBER_CLOSED;
        stage.moment.business_date.days = cases[i].day;
        member_restore(&stage.account, &stage.moment, before, &request, &moved, &stage.entries);
        assert_written(cases[i].story, &stage, cases[i].written);
        const struct account *is = &stage.account;
        if (moved != cases[i].moved || is->available != cases[i].available || is->pending != cases[i].pending ||
            is->credit_limit != cases[i].limit || is->status != before->status || is->tier != before->tier ||
            memcmp(is->profile_hash, before->profile_hash, sizeof is->profile_hash) != 0)
            fail_msg("%s: %lld moved, %lld available", cases[i].story, (long long)moved, (long long)is->available);
        assert_false(member_is_withdrawn(is));
    }
}

/* The lots of the entry say where the points went. */
static void the_entry_names_the_lots(void **state)
{
    static struct stage stage;
    int64_t moved;

    (void)state;
    set_stage(&stage);
    member_restore(&stage.account, &stage.moment, &cases[3].before, &request, &moved, &stage.entries);
    assert_int_equal(stage.written[0].lot_count, 2);
    assert_int_equal(stage.written_lots[stage.written[0].first_lot].funding_no, 4);
    assert_int_equal(stage.written[1].pending_after, 20);
    for (size_t i = 0; i < stage.entries.count; i++)
        assert_int_equal(uuid_compare(&stage.written[i].ref, &request), 0);
}

/* Nobody can do anything with it, and the next list makes it as one that is new. */
static void who_was_never_there_is_withdrawn_and_made_again(void **state)
{
    static struct stage stage;
    const struct member_before never = { .was_there = false };
    const struct member_wish wish = { .has_tier = true, .tier = 1, .credit = { .limit = 30 }, .profile_hash = { 5 } };
    const struct member_wish closed = { .status = MEMBER_CLOSED };
    bool changed;
    int64_t moved;

    (void)state;
    set_stage(&stage);
    member_restore(&stage.account, &stage.moment, &never, &request, &moved, &stage.entries);
    assert_written("withdrawn", &stage, "MEMBER 0");
    assert_true(member_is_withdrawn(&stage.account));
    assert_int_equal(stage.account.status, MEMBER_CLOSED);
    assert_int_equal(stage.account.credit_limit + stage.account.tier, 0);
    assert_int_equal(member_close(&stage.account, &stage.moment, &request, &moved, &stage.entries),
                     REASON_MEMBER_CLOSED);
    stage.entries.count = 0;
    assert_int_equal(member_set(&stage.account, &wish, &stage.moment, &request, &changed, &moved, &stage.entries),
                     REASON_OK);
    assert_written("made again", &stage, "MEMBER 0");
    assert_true(changed);
    assert_false(member_is_withdrawn(&stage.account));
    assert_int_equal(stage.account.status, MEMBER_ACTIVE);
    assert_int_equal(stage.account.credit_limit, 30);
    /* whom somebody closed stays closed */
    assert_int_equal(member_set(&stage.account, &closed, &stage.moment, &request, &changed, &moved, &stage.entries),
                     REASON_OK);
    assert_int_equal(member_set(&stage.account, &wish, &stage.moment, &request, &changed, &moved, &stage.entries),
                     REASON_MEMBER_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_what_it_was),
        cmocka_unit_test(the_entry_names_the_lots),
        cmocka_unit_test(who_was_never_there_is_withdrawn_and_made_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
