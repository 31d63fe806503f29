/* Which of theirs is which of ours: a row a story, and rules that hold for whatever is compared. */
#include "recon_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 6 };

/* One record, written short: "C 3 100" is a confirmation of 100 on the third day; with 7 points: "C 3 100 7"; of
 * request 2: "C 3 100 2@". */
struct story {
    const char *what;
    int64_t tolerance;
    int days;
    const char *ours[MOST], *theirs[MOST];
    const char *expected; /* a letter each: ours, "|", theirs */
};

static const char letters[] =
    "?MRLASDHT"; /* by class: Matched Rounding Late Amount State Duplicate missing Here There */

static const struct story stories[] = {
    { "the same", 0, 0, { "C 3 100" }, { "C 3 100" }, "M|M" },
    { "nothing of theirs", 0, 0, { "C 3 100" }, { 0 }, "T|" },
    { "nothing of ours", 0, 0, { 0 }, { "C 3 100" }, "|H" },
    { "one minor unit more", 0, 0, { "C 3 100" }, { "C 3 101" }, "A|A" },
    { "one minor unit less, which is tolerated", 1, 0, { "C 3 100" }, { "C 3 99" }, "R|R" },
    { "one more than is tolerated", 1, 0, { "C 3 100" }, { "C 3 98" }, "A|A" },
    { "the next day", 0, 0, { "C 3 100" }, { "C 4 100" }, "L|L" },
    { "the next day, which is near", 0, 1, { "C 3 100" }, { "C 4 100" }, "M|M" },
    { "two days on, where one is near", 0, 1, { "C 3 100" }, { "C 5 100" }, "L|L" },
    { "a tolerated difference on another day is late", 2, 0, { "C 3 100" }, { "C 4 99" }, "L|L" },
    { "reversed, they say", 0, 0, { "C 3 100" }, { "R 3 100" }, "S|S" },
    { "reversed, another day and another amount: still the state", 0, 0, { "C 3 100" }, { "R 4 90" }, "S|S" },
    { "said twice", 0, 0, { "C 3 100" }, { "C 3 100", "C 3 100" }, "M|MD" },
    { "said three times", 0, 0, { "C 3 100" }, { "C 3 100", "C 3 100", "C 3 100" }, "M|MDD" },
    { "said twice, once wrong: the right one counts", 0, 0, { "C 3 100" }, { "C 3 70", "C 3 100" }, "M|DM" },
    { "two that are alike are no duplicate", 0, 0, { "R 3 10", "R 3 10" }, { "R 3 10", "R 3 10" }, "MM|MM" },
    { "a reversal that we do not know", 0, 0, { "C 3 100" }, { "C 3 100", "R 5 100" }, "M|MH" },
    { "a reversal that they do not know", 0, 0, { "C 3 100", "R 5 100" }, { "C 3 100" }, "MT|M" },
    { "the exact one before the late one", 0, 0, { "R 3 10", "R 4 10" }, { "R 4 10", "R 5 10" }, "LM|ML" },
    { "confirmed and reversed whole, both said reversed",
      0,
      0,
      { "C 3 100", "R 5 100" },
      { "R 3 100", "R 5 100" },
      "SM|SM" },
    { "two reversals in one line of theirs",
      0,
      0,
      { "C 3 100", "R 4 30", "R 5 20" },
      { "C 3 100", "R 5 50" },
      "MMM|MM" },
    { "the same, on a day that is none of theirs", 0, 0, { "R 4 30", "R 5 20" }, { "R 7 50" }, "LL|L" },
    { "some of several", 0, 0, { "R 4 30", "R 4 20", "R 4 7" }, { "R 4 37" }, "MTM|M" },
    { "no sum fits", 0, 0, { "R 4 30", "R 4 20" }, { "R 4 49" }, "AT|A" },
    { "a sum of confirmations and reversals is none", 0, 0, { "C 4 30", "R 4 20" }, { "C 4 50" }, "AT|A" },
    { "points agree", 0, 0, { "C 3 100 7" }, { "C 3 100 7" }, "M|M" },
    { "points that are not said agree", 0, 0, { "C 3 100 7" }, { "C 3 100" }, "M|M" },
    { "points differ", 0, 0, { "C 3 100 7" }, { "C 3 100 8" }, "A|A" },
    { "points of a sum", 0, 0, { "R 3 10 4", "R 3 20 5" }, { "R 3 30 9" }, "MM|M" },
    { "points of a sum differ", 0, 0, { "R 3 10 4", "R 3 20 5" }, { "R 3 30 8" }, "AA|A" },
    { "paid in two parts", 0, 0, { "C 3 100" }, { "C 3 60", "C 3 40" }, "M|MM" },
    { "in two equal parts, which are no duplicates", 0, 0, { "C 3 100" }, { "C 3 50", "C 3 50" }, "M|MM" },
    { "and one of them once more", 0, 0, { "C 3 100" }, { "C 3 50", "C 3 50", "C 3 50" }, "M|MMD" },
    { "in three parts, the last of them late", 0, 0, { "C 3 100" }, { "C 3 50", "C 4 30", "C 5 20" }, "L|LLL" },
    { "the last of them near", 0, 2, { "C 3 100" }, { "C 3 50", "C 4 30", "C 5 20" }, "M|MMM" },
    { "parts that are one minor unit short", 0, 0, { "C 3 100" }, { "C 3 50", "C 3 49" }, "A|AD" },
    { "the whole is said, and parts of it", 0, 0, { "C 3 100" }, { "C 3 40", "C 3 60", "C 3 100" }, "M|DDM" },
    { "a part is no reversal", 0, 0, { "C 3 100" }, { "C 3 60", "R 3 40" }, "A|AH" },
    { "points of parts", 0, 0, { "C 3 100 9" }, { "C 3 60 5", "C 3 40 4" }, "M|MM" },
    { "points of parts differ", 0, 0, { "C 3 100 9" }, { "C 3 60 5", "C 3 40 5" }, "A|AA" },
    { "points of a part are not said", 0, 0, { "C 3 100 9" }, { "C 3 60 5", "C 3 40" }, "M|MM" },
    { "two reversals, one in parts", 0, 0, { "R 3 10", "R 3 30" }, { "R 3 10", "R 3 12", "R 3 18" }, "MM|MMM" },
    { "a request names which one", 0, 0, { "R 3 10 1@", "R 4 10 2@" }, { "R 3 10 2@" }, "TL|L" },
    { "a request said twice", 0, 0, { "R 3 10 1@", "R 3 10 2@" }, { "R 3 10 1@", "R 3 10 1@" }, "MT|MD" },
    { "unknown, and said twice", 0, 0, { 0 }, { "C 3 100", "C 3 100" }, "|HD" },
    { "nothing owed agrees", 0, 0, { "C 3 0" }, { "C 3 0" }, "M|M" },
};

static struct recon_item item(const char *text, int64_t no)
{
    struct recon_item item = { .no = no, .currency = "USD", .points = -1 };
    char state, mark = 0;
    long amount, extra = -1;

    sscanf(text, "%c %d %ld %ld%c", &state, &item.date.days, &amount, &extra, &mark);
    item.state = state == 'C' ? RECON_CONFIRM : RECON_REVERSE;
    item.amount_minor = amount;
    if (mark == '@')
        item.ref.bytes[0] = (uint8_t)extra;
    else
        item.points = extra;
    return item;
}

static size_t items_of(const char *const *texts, struct recon_item *items)
{
    size_t n = 0;

    for (; n < MOST && texts[n]; n++)
        items[n] = item(texts[n], (int64_t)n);
    return n;
}

static void stories_end_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++) {
        struct recon_rules rules = { stories[i].tolerance, stories[i].days };
        struct recon_item ours[MOST], theirs[MOST];
        size_t n = items_of(stories[i].ours, ours), m = items_of(stories[i].theirs, theirs), at = 0;
        char is[2 * MOST + 2];
        recon_match(&rules, ours, n, theirs, m);
        for (size_t k = 0; k < n; k++)
            is[at++] = letters[ours[k].class];
        is[at++] = '|';
        for (size_t k = 0; k < m; k++)
            is[at++] = letters[theirs[k].class];
        is[at] = '\0';
        if (strcmp(is, stories[i].expected) != 0)
            fail_msg("%s: %s, expected %s", stories[i].what, is, stories[i].expected);
    }
}

static void currencies_are_never_mixed(void **state)
{
    struct recon_rules rules = { 1000, 0 };
    struct recon_item ours[] = { item("C 3 100", 0) }, theirs[] = { item("C 3 100", 0) };

    (void)state;
    memcpy(theirs[0].currency, "JPY", sizeof "JPY");
    recon_match(&rules, ours, 1, theirs, 1);
    assert_int_equal(ours[0].class, RECON_AMOUNT);
}

/* Several are one only when not a minor unit is lost. */
static void check_sums(const struct recon_item *wholes, size_t n, const struct recon_item *parts, size_t m)
{
    for (size_t i = 0; i < n; i++) {
        int64_t sum = 0, count = 0;
        for (size_t k = 0; k < m; k++) {
            sum += parts[k].with == (int)i ? parts[k].amount_minor : 0;
            count += parts[k].with == (int)i;
        }
        if (count > 1)
            assert_int_equal(sum, wholes[i].amount_minor);
    }
}

/* Whatever is compared: each record has a class, pairs name each other and have one class. */
static void check_answer(const struct recon_item *ours, size_t n, const struct recon_item *theirs, size_t m)
{
    for (size_t i = 0; i < n; i++) {
        assert_in_range(ours[i].class, RECON_MATCHED, RECON_MISSING_THERE);
        assert_int_equal(ours[i].with < 0, ours[i].class == RECON_MISSING_THERE);
        if (ours[i].with >= 0)
            assert_int_equal(theirs[ours[i].with].class, ours[i].class);
    }
    for (size_t i = 0; i < m; i++) {
        assert_in_range(theirs[i].class, RECON_MATCHED, RECON_MISSING_HERE);
        bool alone = theirs[i].class == RECON_MISSING_HERE || theirs[i].class == RECON_DUPLICATE;
        assert_int_equal(theirs[i].with < 0, alone);
        if (!alone) { /* it is the one that ours names, or a further part of it */
            assert_int_equal(ours[theirs[i].with].class, theirs[i].class);
            assert_true(ours[theirs[i].with].with <= (int)i);
        }
    }
    check_sums(ours, n, theirs, m);
    check_sums(theirs, m, ours, n);
}

static struct recon_item random_item(int64_t no)
{
    struct recon_item made = { .no = no, .currency = "USD", .points = -1, .date = { rand() % 4 } };

    made.state = rand() % 3 ? RECON_REVERSE : RECON_CONFIRM;
    made.amount_minor = rand() % 9;
    return made;
}

static void every_record_is_in_one_class(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 20000; round++) {
        struct recon_item ours[8], theirs[8];
        size_t n = (size_t)rand() % 8, m = (size_t)rand() % 8;
        struct recon_rules rules = { rand() % 3, rand() % 2 };
        for (size_t i = 0; i < n; i++)
            ours[i] = random_item((int64_t)i);
        for (size_t i = 0; i < m; i++)
            theirs[i] = random_item((int64_t)i);
        recon_match(&rules, ours, n, theirs, m);
        check_answer(ours, n, theirs, m);
    }
}

static void sums_are_found_within_bounds(void **state)
{
    int64_t ones[RECON_SUM_MAX + 1], few[] = { 5, 3, 8, 0 }, odd[RECON_SUM_MAX];
    bool chosen[RECON_SUM_MAX + 1] = { false };

    (void)state;
    for (size_t i = 0; i < COUNT(ones); i++)
        ones[i] = 1;
    for (size_t i = 0; i < COUNT(odd); i++)
        odd[i] = 1000001 + 2 * (int64_t)(i * i);
    assert_int_equal(recon_sum_find(few, 4, 16, false, chosen), RECON_SUM_ONE);
    assert_true(chosen[0] && chosen[1] && chosen[2] && !chosen[3]);
    assert_int_equal(recon_sum_find(few, 4, 8, false, chosen), RECON_SUM_MANY); /* 5 + 3, and 8 */
    assert_int_equal(recon_sum_find(few, 4, 8, true, chosen), RECON_SUM_ONE);
    assert_int_equal(recon_sum_find(few, 4, 9, false, chosen), RECON_SUM_NONE);
    assert_int_equal(recon_sum_find(few, 4, 17, false, chosen), RECON_SUM_NONE);
    assert_int_equal(recon_sum_find(few, 4, 0, false, chosen), RECON_SUM_NONE);
    assert_int_equal(recon_sum_find(ones, RECON_SUM_MAX + 1, 3, false, chosen), RECON_SUM_TOO_LONG);
    assert_int_equal(recon_sum_find(odd, RECON_SUM_MAX, 31000000, false, chosen),
                     RECON_SUM_TOO_LONG); /* an even sum of 31 odd ones */
}

static void keys_are_known_in_every_spelling(void **state)
{
    static const struct {
        const char *text;
        enum recon_key_kind kind;
        int32_t hash16;
    } keys[] = {
        { "0190abcd-0000-7000-8000-000000000001.00ff", RECON_KEY_REDEMPTION, 255 },
        { "0190ABCD-0000-7000-8000-000000000001.00FF", RECON_KEY_REDEMPTION, 255 },
        { "0190abcd-0000-7000-8000-000000000001", RECON_KEY_UUID, -1 },
        { "0190abcd000070008000000000000001", RECON_KEY_UUID, -1 },
        { "0190ABCD000070008000000000000001", RECON_KEY_UUID, -1 },
        { "0190abcd00007000800000000000000", RECON_KEY_OTHER, -1 },
        { "PAYOUT 2017-01-03", RECON_KEY_OTHER, -1 },
        { "", RECON_KEY_OTHER, -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct recon_key key = recon_key_of(keys[i].text);
        assert_int_equal(key.kind, keys[i].kind);
        assert_int_equal(key.hash16, keys[i].hash16);
        assert_int_equal(uuid_is_zero(&key.id), keys[i].kind == RECON_KEY_OTHER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_end_as_written),           cmocka_unit_test(currencies_are_never_mixed),
        cmocka_unit_test(every_record_is_in_one_class),     cmocka_unit_test(sums_are_found_within_bounds),
        cmocka_unit_test(keys_are_known_in_every_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
