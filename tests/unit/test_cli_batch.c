/* A file of redemptions: which rows fit together, in which order they go, and under which request ids. */
#include "ops/cli/batch.h"
#include "ops/cli/requests_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* "hold k bank m shop points": "-" stands for an empty value. */
static bool add(struct batch *batch, int64_t line, const char *text, struct error *err)
{
    char words[7][64] = { "" };

    sscanf(text, "%63s %63s %63s %63s %63s %63s %63s", words[0], words[1], words[2], words[3], words[4], words[5],
           words[6]);
    for (size_t i = 0; i < 7; i++) {
        if (strcmp(words[i], "-") == 0)
            words[i][0] = '\0';
    }
    *err = (struct error){ 0 };
    return batch_add(batch, line,
                     &(struct batch_text){ .action = words[0],
                                           .key = words[1],
                                           .bank_id = words[2],
                                           .member_ref = words[3],
                                           .merchant_id = words[4],
                                           .store_id = "",
                                           .points = words[5],
                                           .goods_id = words[6],
                                           .card_token = "" },
                     err);
}

static const struct {
    const char *story, *before, *text, *field; /* field NULL: accepted */
} rows[] = {
    { "a hold", NULL, "hold k b m s 10", NULL },
    { "a hold without points", NULL, "hold k b m s -", "points" },
    { "a hold of none", NULL, "hold k b m s 0", "points" },
    { "a hold of too many", NULL, "hold k b m s 1000000000001", "points" },
    { "a hold without key", NULL, "hold - b m s 10", "key" },
    { "a hold without bank", NULL, "hold k - m s 10", "member_bank" },
    { "a hold without member", NULL, "hold k b - s 10", "member_ref" },
    { "a hold without merchant", NULL, "hold k b m - 10", "merchant" },
    { "another action", NULL, "refund k b m s 10", "action" },
    { "no action", NULL, "- k b m s 10", "action" },
    { "a key held twice", "hold k b m s 10", "hold k b n s 10", "key" },
    { "a redemption", NULL, "redeem k b m s 10", NULL },
    { "a redemption without points", NULL, "redeem k b m s -", "points" },
    { "a redemption of a key held", "hold k b m s 10", "redeem k b m s 10", "key" },
    { "a reversal of what was redeemed", "redeem k b m s 10", "reverse k - - - 5", NULL },
    { "a confirm of all", "hold k b m s 10", "confirm k - - - -", NULL },
    { "a confirm that says all again", "hold k b m s 10", "confirm k b m s 10", NULL },
    { "a confirm without its hold", NULL, "confirm k b m s 10", "key" },
    { "a confirm of another key", "hold k b m s 10", "confirm l b m s 10", "key" },
    { "a confirm of another member", "hold k b m s 10", "confirm k b n s 10", "member_ref" },
    { "a confirm of another bank", "hold k b m s 10", "confirm k c m s 10", "member_bank" },
    { "a confirm of another merchant", "hold k b m s 10", "confirm k b m t 10", "merchant" },
    { "a cancel", "hold k b m s 10", "cancel k - - - -", NULL },
    { "a cancel of some", "hold k b m s 10", "cancel k - - - 5", "points" },
    { "a reversal of some", "hold k b m s 10", "reverse k - - - 5", NULL },
    { "a reversal of an earlier file's", NULL, "reverse 0193a5f0-7e1c-7000-8000-000000000001.4a1f b m s -", NULL },
    { "the same without member", NULL, "reverse 0193a5f0-7e1c-7000-8000-000000000001.4a1f b - s -", "member_ref" },
    { "the same without merchant", NULL, "reverse 0193a5f0-7e1c-7000-8000-000000000001.4a1f b m - -", "merchant" },
    { "an id cut short", NULL, "reverse 0193a5f0-7e1c-7000-8000-000000000001.4a1 b m s -", "key" },
    { "twice, of an earlier file's", "reverse 0193a5f0-7e1c-7000-8000-000000000001.4a1f b m s 1",
      "reverse 0193a5f0-7e1c-7000-8000-000000000001.4a1f - - - 1", NULL },
    { "a reversal of less than none", "hold k b m s 10", "reverse k - - - -5", "points" },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(batch_release) struct batch batch = { 0 };
        struct error err;
        if (rows[i].before)
            assert_true(add(&batch, 2, rows[i].before, &err));
        int32_t count = batch.count;
        bool added = add(&batch, 3, rows[i].text, &err);
        if (added != !rows[i].field || (!added && strcmp(err.field, rows[i].field) != 0))
            fail_msg("%s: %s %s", rows[i].story, err.field, error_text(&err));
        assert_int_equal(batch.count, count + added);
    }
}

static void test_members_wait_for_themselves_only(void **state)
{
    CLEANUP(batch_release) struct batch batch = { 0 };
    struct error err;
    struct batch_row *first, *second, *third;

    (void)state;
    assert_true(add(&batch, 2, "hold k1 b m s 10", &err));
    assert_true(add(&batch, 3, "confirm k1 - - - -", &err));
    assert_true(add(&batch, 4, "hold k2 b m s 10", &err)); /* the same member, another key: in order too */
    assert_true(add(&batch, 5, "hold k3 b n s 10", &err));
    assert_true(add(&batch, 6, "hold k4 c m s 10", &err)); /* the same name at another bank: another member */
    assert_true(batch_start(&batch, &err));
    assert_int_equal((first = batch_take(&batch))->line, 2);
    assert_int_equal((second = batch_take(&batch))->line, 5);
    assert_int_equal((third = batch_take(&batch))->line, 6);
    assert_null(batch_take(&batch));
    batch_done(&batch, second);
    batch_done(&batch, third);
    assert_null(batch_take(&batch));
    batch_done(&batch, first);
    assert_int_equal((first = batch_take(&batch))->line, 3);
    assert_int_equal(batch.rows[first->hold].line, 2);
    assert_null(batch_take(&batch));
    batch_done(&batch, first);
    assert_int_equal((first = batch_take(&batch))->line, 4);
    batch_done(&batch, first);
    assert_null(batch_take(&batch));
}

/* Many rows, many in flight, ended in a scrambled order: each once, a member's always in the file's order. */
static void test_order_holds_with_many(void **state)
{
    enum { ROWS = 5000, MEMBERS = 97, FLIGHT = 16 };
    CLEANUP(batch_release) struct batch batch = { 0 };
    struct batch_row *flight[FLIGHT];
    int64_t latest[MEMBERS] = { 0 };
    size_t flying = 0, taken = 0, random = 1;
    struct error err;

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        char text[64];
        snprintf(text, sizeof text, "hold k%d b m%d s 10", i, i * 31 % MEMBERS);
        assert_true(add(&batch, i + 2, text, &err));
    }
    assert_true(batch_start(&batch, &err));
    while (taken < ROWS || flying > 0) {
        struct batch_row *row = flying < FLIGHT ? batch_take(&batch) : NULL;
        random = random * 6364136223846793005u + 1442695040888963407u;
        if (row) {
            long member = strtol(row->member_ref + 1, NULL, 10);
            assert_true(latest[member] < row->line);
            latest[member] = INT64_MAX; /* nothing more of this member until it is done */
            flight[flying++] = row;
            taken++;
            continue;
        }
        assert_true(flying > 0);
        size_t i = (random >> 33) % flying;
        latest[strtol(flight[i]->member_ref + 1, NULL, 10)] = flight[i]->line;
        batch_done(&batch, flight[i]);
        flight[i] = flight[--flying];
    }
    assert_int_equal(taken, ROWS);
}

static void test_an_empty_batch(void **state)
{
    CLEANUP(batch_release) struct batch batch = { 0 };
    struct error err;

    (void)state;
    assert_true(batch_start(&batch, &err));
    assert_null(batch_take(&batch));
}

static void test_request_ids_repeat(void **state)
{
    static const uint8_t seed[BATCH_SEED] = "0123456789abcde", other[BATCH_SEED] = "x";
    struct instant instant = { INT64_C(1483228800123000) };
    struct uuid a = batch_request_id(instant, seed, 2), b = batch_request_id(instant, seed, 2);
    struct uuid c = batch_request_id(instant, seed, 3), d = batch_request_id(instant, other, 2);

    (void)state;
    assert_int_equal(uuid_compare(&a, &b), 0);
    assert_int_not_equal(uuid_compare(&a, &c), 0);
    assert_int_not_equal(uuid_compare(&a, &d), 0);
    assert_int_equal(uuid_version(&a), 7);
    assert_int_equal(uuid_v7_time(&a).us, instant.us);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool open_requests(const char *path, struct requests_file *requests, int64_t now_us, bool *made,
                          struct error *err)
{
    FILE *file = fopen(path, "r");
    bool opened = requests_file_open(requests, path, file, (struct instant){ now_us }, made, err);

    assert_int_equal(ftell(file), 0);
    fclose(file);
    return opened;
}

static void test_the_side_file_is_made_once(void **state)
{
    char path[] = "/tmp/batch.XXXXXX", side[64];
    struct requests_file first = { 0 }, again = { 0 };
    struct error err = { 0 };
    bool made;

    (void)state;
    close(mkstemp(path));
    write_text(path, "action,key\nhold,k\n");
    snprintf(side, sizeof side, "%s.requests", path);
    assert_true(open_requests(path, &first, 1483228800000000, &made, &err) && made);
    assert_true(open_requests(path, &again, 1483228900000000, &made, &err) && !made);
    assert_int_equal(again.instant.us, 1483228800000000);
    assert_memory_equal(again.seed, first.seed, BATCH_SEED);

    write_text(path, "action,key\nhold,l\n"); /* other content: line 2 is another request now */
    assert_false(open_requests(path, &again, 1483228900000000, &made, &err));
    assert_non_null(strstr(error_text(&err), "changed"));
    write_text(side, "instant=2017-01-01T00:00:00Z\nseed=00\n");
    assert_false(open_requests(path, &again, 1483228900000000, &made, &err));
    assert_non_null(strstr(error_text(&err), "damaged"));
    unlink(side);
    assert_true(open_requests(path, &again, 1483228900000000, &made, &err) && made);
    assert_memory_not_equal(again.seed, first.seed, BATCH_SEED);
    unlink(side);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_members_wait_for_themselves_only),
        cmocka_unit_test(test_order_holds_with_many),
        cmocka_unit_test(test_an_empty_batch),
        cmocka_unit_test(test_request_ids_repeat),
        cmocka_unit_test(test_the_side_file_is_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
