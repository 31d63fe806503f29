/* tests/unit/test_redemption_limits.c -- caps, velocity and exposure, each just allowed and one past; in which order.
 */
#include "domain/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WINDOW = 1000, NOW = 100000 };

/* A member of tier 3 with 1,000 points and a hold of 10 in mind; nothing limits it. */
struct stage {
    struct account account;
    struct exchange_rules rules;
    struct terms terms;
    struct exposure exposure;
    struct exposures exposures;
    struct moment moment;
    struct redemption redemption;
    struct entry written[DECISION_ENTRIES];
    struct lot written_lots[DECISION_LOTS];
    struct entries entries;
};

static void set_stage(struct stage *stage)
{
    *stage = (struct stage){
        .account = { .bank_no = 2, .status = MEMBER_ACTIVE, .tier = 3, .available = 1000, .journal_seq = 7 },
        .rules = { .version = 3,
                   .minimum_points = 1,
                   .expiry_months = 12,
                   .rates = { { "CNY", { 1, 1 }, { 3, 2 } } },
                   .rate_count = 1 },
        .terms = { .version = 4, .commission_bp = 1000, .currency = "CNY" },
        .exposure = { 2, "CNY", 0, 0, false },
        .redemption = { .id = { { 1 } }, .bank_no = 2, .points = 10 },
    };
    stage->account.lots = (struct lots){ 1, { { { 40000 }, 0, 1000 } } };
    stage->exposures.at = &stage->exposure;
    stage->moment = (struct moment){ .now = { NOW }, .rules = &stage->rules, .terms = &stage->terms };
    stage->entries.at = stage->written;
    stage->entries.lots = stage->written_lots;
    assert_true(date_parse("2028-02-29", &stage->moment.business_date));
}

static enum reason hold(struct stage *stage)
{
    stage->entries.count = stage->entries.lot_count = 0;
    return redemption_hold(&stage->redemption, &stage->account, &stage->moment, NULL, 900, &stage->entries);
}

/* Caps: so many points were held on that day before. */
static const struct {
    const char *story;
    int32_t tier;
    struct caps caps;
    const char *held_on;
    int64_t held, points;
    enum reason expected;
} caps[] = {
    { "exactly one redemption's", 3, { 0, 10, 0, 0 }, NULL, 0, 10, REASON_OK },
    { "one past one redemption's", 3, { 0, 10, 0, 0 }, NULL, 0, 11, REASON_CAP_REDEMPTION },
    { "exactly the day's", 3, { 0, 0, 30, 0 }, "2028-02-29", 20, 10, REASON_OK },
    { "one past the day's", 3, { 0, 0, 30, 0 }, "2028-02-29", 20, 11, REASON_CAP_DAY },
    { "yesterday does not count for the day", 3, { 0, 0, 30, 0 }, "2028-02-28", 30, 30, REASON_OK },
    { "exactly the month's", 3, { 0, 0, 0, 30 }, "2028-02-01", 20, 10, REASON_OK },
    { "one past the month's", 3, { 0, 0, 0, 30 }, "2028-02-01", 20, 11, REASON_CAP_MONTH },
    { "last month does not count", 3, { 0, 0, 0, 30 }, "2028-01-31", 30, 30, REASON_OK },
    { "nor February of another year", 3, { 0, 0, 0, 30 }, "2024-02-29", 30, 30, REASON_OK },
    { "zero is no cap", 3, { 0, 0, 0, 0 }, "2028-02-29", 900, 900, REASON_OK },
    { "a cap of one tier more", 3, { 4, 1, 1, 1 }, NULL, 0, 10, REASON_OK },
    { "a cap of that very tier", 3, { 3, 1, 0, 0 }, NULL, 0, 10, REASON_CAP_REDEMPTION },
    { "of one redemption before the day", 3, { 0, 1, 1, 1 }, NULL, 0, 10, REASON_CAP_REDEMPTION },
    { "of the day before the month", 3, { 0, 0, 1, 1 }, NULL, 0, 10, REASON_CAP_DAY },
    { "caps come before what is there", 3, { 0, 0, 0, 1 }, NULL, 0, 5000, REASON_CAP_MONTH },
};

static void caps_refuse_one_past_their_edge(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(caps); i++) {
        struct date held_on;
        set_stage(&stage);
        stage.account.tier = (int16_t)caps[i].tier;
        stage.rules.caps[0] = caps[i].caps;
        stage.rules.cap_count = 1;
        stage.redemption.points = caps[i].points;
        if (caps[i].held_on) {
            assert_true(date_parse(caps[i].held_on, &held_on));
            account_count(&stage.account, held_on, caps[i].held);
        }
        enum reason reason = hold(&stage);
        if (reason != caps[i].expected)
            fail_msg("%s: %s", caps[i].story, reason_name(reason));
    }
}

static void what_comes_back_makes_room_under_a_cap(void **state)
{
    static struct stage stage;
    struct redemption first;
    int64_t moved;

    (void)state;
    set_stage(&stage);
    stage.rules.caps[0] = (struct caps){ 0, 0, 10, 0 };
    stage.rules.cap_count = 1;
    assert_int_equal(hold(&stage), REASON_OK);
    first = stage.redemption;
    assert_int_equal(hold(&stage), REASON_CAP_DAY);
    assert_int_equal(redemption_confirm(&first, &stage.account, &stage.moment, &first.id, 4, &moved, &stage.entries),
                     REASON_OK);
    stage.redemption.points = 7;
    assert_int_equal(hold(&stage), REASON_CAP_DAY);
    stage.redemption.points = 6;
    assert_int_equal(hold(&stage), REASON_OK);
}

/* Velocity: holds of 10 points with card 1 at those instants before. */
static const struct {
    const char *story;
    struct velocity member, card;
    int64_t before[3]; /* 0 for none */
    uint64_t card_now;
    int64_t points;
    enum reason pace, expected;
} paces[] = {
    { "the last of so many", { WINDOW, 3, 0 }, { 0 }, { NOW - 9, NOW - 8 }, 0, 10, REASON_OK, REASON_OK },
    { "one too many", { WINDOW, 2, 0 }, { 0 }, { NOW - 9, NOW - 8 }, 0, 10, REASON_OK, REASON_VELOCITY_MEMBER },
    { "out of the window to the microsecond", { WINDOW, 1, 0 }, { 0 }, { NOW - WINDOW }, 0, 10, REASON_OK, REASON_OK },
    { "in the window by a microsecond",
      { WINDOW, 1, 0 },
      { 0 },
      { NOW - WINDOW + 1 },
      0,
      10,
      REASON_OK,
      REASON_VELOCITY_MEMBER },
    { "at this very instant", { WINDOW, 1, 0 }, { 0 }, { NOW }, 0, 10, REASON_OK, REASON_VELOCITY_MEMBER },
    { "exactly so many points", { WINDOW, 0, 30 }, { 0 }, { NOW - 9, NOW - 8 }, 0, 10, REASON_OK, REASON_OK },
    { "a point too many", { WINDOW, 0, 30 }, { 0 }, { NOW - 9, NOW - 8 }, 0, 11, REASON_OK, REASON_VELOCITY_MEMBER },
    { "one hold alone is too many points", { WINDOW, 0, 9 }, { 0 }, { 0 }, 0, 10, REASON_OK, REASON_VELOCITY_MEMBER },
    { "no maximum at all", { WINDOW, 0, 0 }, { 0 }, { NOW, NOW, NOW }, 0, 900, REASON_OK, REASON_OK },
    { "no window at all", { 0, 1, 1 }, { 0 }, { NOW, NOW, NOW }, 1, 10, REASON_OK, REASON_OK },
    { "the same card", { 0 }, { WINDOW, 1, 0 }, { NOW - 9 }, 1, 10, REASON_OK, REASON_VELOCITY_CARD },
    { "another card", { 0 }, { WINDOW, 1, 0 }, { NOW - 9 }, 2, 10, REASON_OK, REASON_OK },
    { "no card", { 0 }, { WINDOW, 1, 0 }, { NOW - 9 }, 0, 10, REASON_OK, REASON_OK },
    { "points of the same card", { 0 }, { WINDOW, 0, 19 }, { NOW - 9 }, 1, 10, REASON_OK, REASON_VELOCITY_CARD },
    { "the card's window is shorter", { WINDOW, 3, 0 }, { 10, 1, 0 }, { NOW - 10 }, 1, 10, REASON_OK, REASON_OK },
    { "the member's is the shorter one", { 10, 1, 0 }, { WINDOW, 2, 0 }, { NOW - 10 }, 1, 10, REASON_OK, REASON_OK },
    { "the member comes before its card",
      { WINDOW, 1, 0 },
      { WINDOW, 1, 0 },
      { NOW },
      1,
      10,
      REASON_OK,
      REASON_VELOCITY_MEMBER },
    { "the card comes before the terminal",
      { 0 },
      { WINDOW, 1, 0 },
      { NOW },
      1,
      10,
      REASON_VELOCITY_TERMINAL,
      REASON_VELOCITY_CARD },
    { "the terminal", { 0 }, { 0 }, { 0 }, 0, 10, REASON_VELOCITY_TERMINAL, REASON_VELOCITY_TERMINAL },
    { "the merchant comes before what is there",
      { 0 },
      { 0 },
      { 0 },
      0,
      5000,
      REASON_VELOCITY_MERCHANT,
      REASON_VELOCITY_MERCHANT },
};

static void velocity_counts_to_the_windows_edge(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(paces); i++) {
        set_stage(&stage);
        stage.rules.member_velocity = paces[i].member;
        stage.rules.card_velocity = paces[i].card;
        stage.moment.pace = paces[i].pace;
        stage.redemption.card = paces[i].card_now;
        stage.redemption.points = paces[i].points;
        for (size_t k = 0; k < COUNT(paces[i].before) && paces[i].before[k]; k++)
            assert_true(account_remember(&stage.account, &(struct recent_hold){ { paces[i].before[k] }, 10, 1 }));
        enum reason reason = hold(&stage);
        if (reason != paces[i].expected)
            fail_msg("%s: %s", paces[i].story, reason_name(reason));
    }
}

/* What was held counts, whatever became of it; a refusal does not; nothing is kept when nobody asks. */
static void holds_are_remembered_only_for_a_window(void **state)
{
    static struct stage stage;

    (void)state;
    set_stage(&stage);
    assert_int_equal(hold(&stage), REASON_OK);
    assert_int_equal(stage.account.recent.count, 0);
    stage.rules.member_velocity = (struct velocity){ WINDOW, 2, 0 };
    assert_int_equal(hold(&stage), REASON_OK);
    assert_int_equal(hold(&stage), REASON_OK);
    assert_int_equal(hold(&stage), REASON_VELOCITY_MEMBER);
    assert_int_equal(stage.account.recent.count, 2);
    assert_int_equal(
        redemption_cancel(&stage.redemption, &stage.account, &stage.moment, &stage.redemption.id, &stage.entries),
        REASON_REDEMPTION_ENDED);
    stage.moment.now.us += WINDOW;
    assert_int_equal(hold(&stage), REASON_OK);
    assert_int_equal(stage.account.recent.count, 1);
}

static void a_full_memory_of_holds_refuses(void **state)
{
    static struct stage stage;

    (void)state;
    set_stage(&stage);
    stage.rules.card_velocity = (struct velocity){ WINDOW, 1, 0 };
    for (int i = 0; i < RECENT_MAX; i++)
        assert_true(account_remember(&stage.account, &(struct recent_hold){ { NOW - 5 }, 1, 9 }));
    assert_int_equal(hold(&stage), REASON_VELOCITY_MEMBER);
}

/* Exposure: 10 points are 15 fen; the bucket's part has that many of them used. */
static const struct {
    const char *story;
    int64_t allotted, used;
    int32_t bank_no;
    const char *currency;
    enum reason expected;
    int64_t used_after, taken;
} exposures[] = {
    { "exactly what is left", 100, 85, 2, "CNY", REASON_OK, 100, 15 },
    { "one past it", 100, 86, 2, "CNY", REASON_EXPOSURE_LIMIT, 86, 0 },
    { "no part at all", 0, 0, 2, "CNY", REASON_EXPOSURE_LIMIT, 0, 0 },
    { "a limit lowered below what is used", 10, 90, 2, "CNY", REASON_EXPOSURE_LIMIT, 90, 0 },
    { "another bank's limit", 0, 0, 3, "CNY", REASON_OK, 0, 0 },
    { "a limit in another currency", 0, 0, 2, "USD", REASON_OK, 0, 0 },
};

static void exposure_has_room_for_exactly_what_is_left(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(exposures); i++) {
        set_stage(&stage);
        stage.exposure = (struct exposure){ exposures[i].bank_no, "", exposures[i].allotted, exposures[i].used, false };
        memcpy(stage.exposure.currency, exposures[i].currency, CURRENCY_TEXT);
        stage.exposures.count = 1;
        stage.moment.exposures = &stage.exposures;
        enum reason reason = hold(&stage);
        if (reason != exposures[i].expected || stage.exposure.used != exposures[i].used_after ||
            stage.redemption.exposure_minor != exposures[i].taken)
            fail_msg("%s: %s, used %lld", exposures[i].story, reason_name(reason), (long long)stage.exposure.used);
        assert_int_equal(stage.exposure.dirty, exposures[i].taken > 0);
        assert_string_equal(stage.redemption.exposure_currency, exposures[i].taken ? "CNY" : "");
    }
}

/* 100 points held at 3/2: 150. What a part costs, what a reversal frees, and that a lapse frees it all. */
static void exposure_follows_the_redemption(void **state)
{
    static struct stage stage;
    struct settlement_amounts amounts;
    int64_t moved;

    (void)state;
    set_stage(&stage);
    stage.exposure.allotted = 1000;
    stage.exposures.count = 1;
    stage.moment.exposures = &stage.exposures;
    stage.redemption.points = 100;
    struct redemption *redemption = &stage.redemption;
    assert_int_equal(hold(&stage), REASON_OK);
    assert_int_equal(stage.exposure.used, 150);
    assert_int_equal(
        redemption_confirm(redemption, &stage.account, &stage.moment, &redemption->id, 61, &moved, &stage.entries),
        REASON_OK);
    assert_int_equal(stage.exposure.used, 92); /* 91.5 */
    assert_int_equal(redemption_reverse(redemption, &stage.account, &stage.moment, &redemption->id, 1, -1, &moved,
                                        &amounts, &stage.entries),
                     REASON_OK);
    assert_int_equal(stage.exposure.used, 91);
    assert_int_equal(redemption_reverse(redemption, &stage.account, &stage.moment, &redemption->id, 0, -1, &moved,
                                        &amounts, &stage.entries),
                     REASON_OK);
    assert_int_equal(stage.exposure.used, 0);
    assert_int_equal(redemption->exposure_minor, 0);
    redemption->id.bytes[0]++;
    assert_int_equal(hold(&stage), REASON_OK);
    redemption_lapse(redemption, &stage.account, &stage.moment, &stage.entries);
    assert_int_equal(stage.exposure.used, 0);
}

/* One row each of all that may be wrong together: whoever comes first in reason.def is told. */
static void the_first_limit_broken_is_told(void **state)
{
    static const enum reason order[] = { REASON_CAP_REDEMPTION,      REASON_CAP_DAY,       REASON_CAP_MONTH,
                                         REASON_VELOCITY_MEMBER,     REASON_VELOCITY_CARD, REASON_VELOCITY_TERMINAL,
                                         REASON_INSUFFICIENT_POINTS, REASON_EXPOSURE_LIMIT };
    static struct stage stage;

    (void)state;
    for (unsigned broken = 0; broken < 1u << COUNT(order); broken++) {
        enum reason expected = REASON_OK;
        set_stage(&stage);
        stage.rules.cap_count = 1;
        stage.rules.caps[0] = (struct caps){ 0, broken & 1 ? 9 : 0, broken & 2 ? 9 : 0, broken & 4 ? 9 : 0 };
        stage.redemption.card = 1;
        stage.rules.member_velocity = (struct velocity){ WINDOW, 0, broken & 8 ? 9 : 0 };
        stage.rules.card_velocity = (struct velocity){ WINDOW, 0, broken & 16 ? 9 : 0 };
        stage.moment.pace = broken & 32 ? REASON_VELOCITY_TERMINAL : REASON_OK;
        stage.account.available = stage.account.lots.at[0].points = broken & 64 ? 9 : 1000;
        stage.exposure.allotted = broken & 128 ? 14 : 15;
        stage.exposures.count = 1;
        stage.moment.exposures = &stage.exposures;
        for (size_t i = COUNT(order); i > 0; i--)
            expected = broken >> (i - 1) & 1 ? order[i - 1] : expected;
        enum reason reason = hold(&stage);
        if (reason != expected)
            fail_msg("%#x broken: %s, not %s", broken, reason_name(reason), reason_name(expected));
        assert_int_equal(stage.account.held, reason == REASON_OK ? 10 : 0);
    }
}

/* One step */

static void redeeming_is_a_hold_and_its_confirmation(void **state)
{
    static struct stage stage;

    (void)state;
    set_stage(&stage);
    stage.account.hold_count = OPEN_HOLDS_MAX; /* it opens none, so there may be any number */
    struct redemption *redemption = &stage.redemption;
    assert_int_equal(redemption_redeem(redemption, &stage.account, &stage.moment, NULL, &stage.entries), REASON_OK);
    assert_int_equal(redemption->state, REDEMPTION_CONFIRMED);
    assert_int_equal(redemption->confirmed_points, 10);
    assert_int_equal(redemption->confirmed.gross_minor, 15);
    assert_int_equal(redemption->spendable_after, 990);
    assert_int_equal(stage.account.held, 0);
    assert_int_equal(stage.account.hold_count, OPEN_HOLDS_MAX);
    assert_int_equal(stage.entries.count, 2);
    assert_int_equal(stage.written[0].kind, ENTRY_HOLD);
    assert_int_equal(stage.written[1].kind, ENTRY_CONFIRM);
    assert_int_equal(stage.written[1].gross_minor, 15);
}

static void a_refused_redeeming_leaves_all_as_it_was(void **state)
{
    static struct stage stage;

    (void)state;
    set_stage(&stage);
    stage.redemption.points = 1001;
    struct account before = stage.account;
    assert_int_equal(redemption_redeem(&stage.redemption, &stage.account, &stage.moment, NULL, &stage.entries),
                     REASON_INSUFFICIENT_POINTS);
    assert_memory_equal(&stage.account, &before, sizeof before);
    assert_int_equal(stage.redemption.state, REDEMPTION_NONE);
    assert_int_equal(stage.redemption.reason, REASON_INSUFFICIENT_POINTS);
    assert_int_equal(stage.entries.count, 0);
}

/* Extending a hold that lapses at NOW + 900. */
static const struct {
    const char *story;
    int16_t status;
    int64_t lapse_after;
    enum reason expected;
    int64_t lapse_at;
} extensions[] = {
    { "later", MEMBER_ACTIVE, 901, REASON_OK, NOW + 901 },
    { "to the same instant", MEMBER_ACTIVE, 900, REASON_OK, NOW + 900 },
    { "never earlier", MEMBER_ACTIVE, 1, REASON_OK, NOW + 900 },
    { "frozen", MEMBER_FROZEN, 901, REASON_MEMBER_FROZEN, NOW + 900 },
    { "closed", MEMBER_CLOSED, 901, REASON_MEMBER_CLOSED, NOW + 900 },
};

static void a_hold_is_extended_and_never_shortened(void **state)
{
    static struct stage stage;

    (void)state;
    for (size_t i = 0; i < COUNT(extensions); i++) {
        set_stage(&stage);
        assert_int_equal(hold(&stage), REASON_OK);
        stage.account.status = extensions[i].status;
        enum reason reason =
            redemption_extend(&stage.redemption, &stage.account, &stage.moment, extensions[i].lapse_after);
        if (reason != extensions[i].expected || stage.redemption.lapse_at.us != extensions[i].lapse_at ||
            stage.account.holds[0].lapse_at.us != extensions[i].lapse_at)
            fail_msg("%s: %s %lld", extensions[i].story, reason_name(reason), (long long)stage.redemption.lapse_at.us);
        assert_int_equal(stage.entries.count, 1); /* the hold's own */
    }
}

/* Points that no caller can ask for. */
static void points_out_of_range_are_refused_before_anything_else(void **state)
{
    static const struct {
        int64_t points;
        enum reason opens, parts;
    } rows[] = {
        { 0, REASON_POINTS_NOT_POSITIVE, REASON_OK },
        { -1, REASON_POINTS_NOT_POSITIVE, REASON_POINTS_NOT_POSITIVE },
        { INT64_MIN, REASON_POINTS_NOT_POSITIVE, REASON_POINTS_NOT_POSITIVE },
        { POINTS_MAX, REASON_INSUFFICIENT_POINTS, REASON_BEYOND_HOLD },
        { POINTS_MAX + 1, REASON_POINTS_TOO_MANY, REASON_POINTS_TOO_MANY },
        { INT64_MAX, REASON_POINTS_TOO_MANY, REASON_POINTS_TOO_MANY },
    };
    static struct stage stage;
    struct settlement_amounts amounts;
    int64_t moved;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_stage(&stage);
        stage.redemption.points = rows[i].points;
        stage.rules.member_velocity = (struct velocity){ WINDOW, 0, 100 };
        if (rows[i].points == POINTS_MAX)
            stage.rules.member_velocity.window_us = 0;
        assert_int_equal(hold(&stage), rows[i].opens);
        set_stage(&stage);
        struct redemption *redemption = &stage.redemption;
        assert_int_equal(hold(&stage), REASON_OK);
        assert_int_equal(redemption_confirm(redemption, &stage.account, &stage.moment, &redemption->id, rows[i].points,
                                            &moved, &stage.entries),
                         rows[i].parts);
        set_stage(&stage);
        assert_int_equal(redemption_redeem(redemption, &stage.account, &stage.moment, NULL, &stage.entries), REASON_OK);
        enum reason expected = rows[i].parts == REASON_BEYOND_HOLD ? REASON_BEYOND_CONFIRMED : rows[i].parts;
        assert_int_equal(redemption_reverse(redemption, &stage.account, &stage.moment, &redemption->id, rows[i].points,
                                            -1, &moved, &amounts, &stage.entries),
                         expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_refuse_one_past_their_edge),
        cmocka_unit_test(what_comes_back_makes_room_under_a_cap),
        cmocka_unit_test(velocity_counts_to_the_windows_edge),
        cmocka_unit_test(holds_are_remembered_only_for_a_window),
        cmocka_unit_test(a_full_memory_of_holds_refuses),
        cmocka_unit_test(exposure_has_room_for_exactly_what_is_left),
        cmocka_unit_test(exposure_follows_the_redemption),
        cmocka_unit_test(the_first_limit_broken_is_told),
        cmocka_unit_test(redeeming_is_a_hold_and_its_confirmation),
        cmocka_unit_test(a_refused_redeeming_leaves_all_as_it_was),
        cmocka_unit_test(a_hold_is_extended_and_never_shortened),
        cmocka_unit_test(points_out_of_range_are_refused_before_anything_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
