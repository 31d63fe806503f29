/* The small parts handlers are made of: balances at a time, page tokens, content hashes, addresses of partners. */
#include "service/balance.h"
#include "service/check.h"
#include "service/page.h"
#include "service/shape.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Days and seconds are small numbers here: only their order matters. */
static const struct balance_case {
    const char *story;
    int32_t today, grace;
    int64_t now_s;
    int64_t available, held, credit_used; /* expected */
    size_t lots;
} balances[] = {
    { "nothing is over", 10, 0, 99, 100, 70, 20, 2 },
    { "the hold's last microsecond has come", 10, 0, 100, 150, 0, 0, 2 },
    { "the first lot is over, with what was drawn from it", 20, 0, 100, 90, 0, 0, 1 },
    { "the same with days of grace", 20, 5, 100, 110, 0, 0, 2 },
    { "both lots are over", 31, 0, 99, 0, 70, 20, 0 },
};

/* 60 points that expire on day 20 and 40 on day 30; a hold of 70 until second 100 drew 20 of the first, 30 of the
 * second and 20 on credit. */
static void fill(struct account *account, struct balance_hold *hold)
{
    *account = (struct account){ .available = 100, .held = 70, .credit_limit = 50, .credit_used = 20 };
    account->lots.count = 2;
    account->lots.at[0] = (struct lot){ { 20 }, 0, 40 };
    account->lots.at[1] = (struct lot){ { 30 }, 0, 60 };
    account->hold_count = 1;
    account->holds[0] = (struct open_hold){ { { 1 } }, { 100 * INT64_C(1000000) } };
    *hold = (struct balance_hold){ .id = { { 1 } }, .points = 70 };
    hold->draws.credit = 20;
    hold->draws.lots.count = 2;
    hold->draws.lots.at[0] = (struct lot){ { 20 }, 0, 20 };
    hold->draws.lots.at[1] = (struct lot){ { 30 }, 0, 30 };
}

static void a_balance_at_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(balances); i++) {
        const struct balance_case *one = &balances[i];
        struct exchange_rules rules = { .expiry_months = 1, .reinstate_grace_days = one->grace };
        struct instant now = { one->now_s * US_PER_SECOND };
        struct account account;
        struct balance_hold hold;
        fill(&account, &hold);
        assert_int_equal(balance_overdue(&account, now), one->now_s >= 100);
        balance_apply(&account, &hold, 1, now, (struct date){ one->today }, &rules);
        if (account.available != one->available || account.held != one->held ||
            account.credit_used != one->credit_used || account.lots.count != one->lots)
            fail_msg("%s: available %lld held %lld credit %lld lots %zu", one->story, (long long)account.available,
                     (long long)account.held, (long long)account.credit_used, account.lots.count);
    }
}

/* What a hold has drawn is not known: then it still counts as held. */
static void an_unknown_hold_stays(void **state)
{
    struct account account;
    struct balance_hold hold;

    (void)state;
    fill(&account, &hold);
    balance_apply(&account, NULL, 0, (struct instant){ INT64_MAX }, (struct date){ 10 }, NULL);
    assert_int_equal(account.held, 70);
    assert_int_equal(account.available, 100);
}

static const struct method list = { "ListThings", ROLE_ANY, NULL, NULL },
                           other_list = { "ListOthers", ROLE_ANY, NULL, NULL };

static void a_token_goes_on_where_it_was_given(void **state)
{
    struct call call = { .method = &list, .principal = { .role = ROLE_BANK, .id = "a" } };
    struct page page = { .filters = "demo" }, read;
    struct error err;

    (void)state;
    char *token = page_token(&call, &page, "key/7");
    assert_true(page_read(&call, 0, token, "demo", &read, &err));
    assert_int_equal(read.size, PAGE_DEFAULT);
    assert_string_equal(read.after, "key/7");
    assert_true(page_read(&call, PAGE_MAX, "", "demo", &read, &err));
    assert_string_equal(read.after, "");
    /* Not with other filters, by another party, in another list, or with a character changed. */
    assert_false(page_read(&call, 0, token, "other", &read, &err));
    assert_int_equal(err.reason, REASON_PAGE_TOKEN_INVALID);
    strcpy(call.principal.id, "b");
    assert_false(page_read(&call, 0, token, "demo", &read, &err));
    strcpy(call.principal.id, "a");
    call.method = &other_list;
    assert_false(page_read(&call, 0, token, "demo", &read, &err));
    call.method = &list;
    for (size_t i = 0; token[i]; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        assert_false(page_read(&call, 0, token, "demo", &read, &err));
        token[i] = was;
    }
    assert_true(page_read(&call, 0, token, "demo", &read, &err));
    assert_false(page_read(&call, PAGE_MAX + 1, "", "demo", &read, &err));
    assert_int_equal(err.reason, REASON_FIELD_INVALID);
    arena_release(&call.arena);
}

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

/* As the transport unpacks: into the call's arena. */
static void hash(struct call *call, const void *bytes, size_t size, uint8_t out[CRYPTO_HASH])
{
    ProtobufCAllocator allocator = { from_arena, keep, &call->arena };
    ProtobufCMessage *message =
        protobuf_c_message_unpack(&alliance__v1__get_balance_request__descriptor, &allocator, size, bytes);
    struct error err;

    assert_non_null(message);
    assert_true(shape_hash_call(call, message, out, &err));
}

static void the_same_content_has_the_same_hash(void **state)
{
    struct call call = { .method = &list, .principal = { .role = ROLE_BANK, .id = "a" } };
    static const char one[] = "\x0a\x01x\x12\x01y", turned[] = "\x12\x01y\x0a\x01x",
                      more[] = "\x0a\x01x\x12\x01y\x78\x05", different[] = "\x0a\x01x\x12\x01z";
    uint8_t first[CRYPTO_HASH], second[CRYPTO_HASH];

    (void)state;
    hash(&call, one, sizeof one - 1, first);
    hash(&call, turned, sizeof turned - 1, second);
    assert_memory_equal(first, second, CRYPTO_HASH);
    hash(&call, more, sizeof more - 1, second); /* a field of a later version */
    assert_memory_equal(first, second, CRYPTO_HASH);
    hash(&call, different, sizeof different - 1, second);
    assert_memory_not_equal(first, second, CRYPTO_HASH);
    call.method = &other_list;
    hash(&call, one, sizeof one - 1, second);
    assert_memory_not_equal(first, second, CRYPTO_HASH);
    call.method = &list;
    call.principal.role = ROLE_MERCHANT;
    hash(&call, one, sizeof one - 1, second);
    assert_memory_not_equal(first, second, CRYPTO_HASH);
    arena_release(&call.arena);
}

static const struct {
    const char *url;
    bool always, on_this_machine;
} urls[] = {
    { "https://shop.example", true, true },
    { "https://shop.example:8443/hook?x=1", true, true },
    { "http://shop.example/hook", false, false },
    { "http://127.0.0.1:8080/hook", false, true },
    { "http://localhost", false, true },
    { "http://[::1]:1/", false, true },
    { "http://localhost.shop.example/", false, false },
    { "http://127.0.0.1@shop.example/", false, false },
    { "https://user@shop.example/", false, false },
    { "https://", false, false },
    { "https:///hook", false, false },
    { "https://shop.example/a b", false, false },
    { "https://shop.example/\r\nX: y", false, false },
    { "ftp://shop.example", false, false },
    { "file:///etc/passwd", false, false },
    { "", false, false },
};

static void partners_are_reached_safely(void **state)
{
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        if (check_url("url", urls[i].url, false, &err) != urls[i].always ||
            check_url("url", urls[i].url, true, &err) != urls[i].on_this_machine)
            fail_msg("%s", urls[i].url);
    }
}

static void the_time_in_a_request_id_has_edges(void **state)
{
    static const uint8_t random[10] = { 0 };
    static const int64_t day = INT64_C(86400) * US_PER_SECOND;
    struct instant now = { INT64_C(1767225600) * US_PER_SECOND };
    const struct {
        int64_t us;
        bool good;
    } ages[] = { { 0, true },
                 { -35 * day, true },
                 { -35 * day - 1000, false },
                 { INT64_C(300) * US_PER_SECOND, true },
                 { INT64_C(300) * US_PER_SECOND + 1000, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(ages); i++) {
        struct uuid made = uuid_v7((struct instant){ now.us + ages[i].us }, random), read;
        char text[UUID_TEXT];
        struct error err = { 0 };
        uuid_format(&made, text);
        assert_int_equal(check_request_id(text, now, &read, &err), ages[i].good);
        assert_int_equal(err.reason, ages[i].good ? REASON_OK : REASON_REQUEST_ID_TIME);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_balance_at_a_time),
        cmocka_unit_test(an_unknown_hold_stays),
        cmocka_unit_test(a_token_goes_on_where_it_was_given),
        cmocka_unit_test(the_same_content_has_the_same_hash),
        cmocka_unit_test(partners_are_reached_safely),
        cmocka_unit_test(the_time_in_a_request_id_has_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
