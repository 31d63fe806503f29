/* tests/unit/test_principal.c -- whom a certificate's URIs name, and everything they may not look like. */
#include "rpc/principal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ID32 "0123456789abcdef0123456789abcdef"

static struct uri uri_of(const char *text)
{
    return (struct uri){ text, strlen(text) };
}

static const struct {
    const char *uri;
    enum role role; /* 0: refused */
    const char *id, *store, *terminal, *person;
} cases[] = {
    { "alliance://bank/a", ROLE_BANK, "a", "", "", "" },
    { "alliance://bank/" ID32, ROLE_BANK, ID32, "", "", "" },
    { "alliance://merchant/m-1", ROLE_MERCHANT, "m-1", "", "", "" },
    { "alliance://merchant/m-1/store/s", ROLE_MERCHANT, "m-1", "s", "", "" },
    { "alliance://merchant/m-1/store/s/terminal/9", ROLE_MERCHANT, "m-1", "s", "9", "" },
    { "alliance://carrier/c", ROLE_CARRIER, "c", "", "", "" },
    { "alliance://operator/alice", ROLE_OPERATOR, "alice", "", "", "" },
    { "alliance://channel/mall", ROLE_CHANNEL, "mall", "", "", "" },
    { "alliance://bank/a/person/li-wei", ROLE_BANK, "a", "", "", "li-wei" },
    { "alliance://bank/a/person/", 0, "", "", "", "" },
    { "alliance://bank/a/person", 0, "", "", "", "" },
    { "alliance://bank/a/person/Li", 0, "", "", "", "" },
    { "alliance://bank/a/person/li/person/wei", 0, "", "", "", "" },
    { "alliance://bank/a/person/li/terminal/9", 0, "", "", "", "" },
    { "alliance://operator/alice/person/li", 0, "", "", "", "" },
    { "alliance://merchant/m/person/li", 0, "", "", "", "" },
    { "alliance://merchant/m/store/s/person/li", 0, "", "", "", "" },
    { "alliance://bank/" ID32 "0", 0, "", "", "", "" },
    { "alliance://bank/", 0, "", "", "", "" },
    { "alliance://bank", 0, "", "", "", "" },
    { "alliance://", 0, "", "", "", "" },
    { "alliance:///a", 0, "", "", "", "" },
    { "", 0, "", "", "", "" },
    { "bank/a", 0, "", "", "", "" },
    { "alliance:/bank/a", 0, "", "", "", "" },
    { "ALLIANCE://bank/a", 0, "", "", "", "" },
    { "https://bank/a", 0, "", "", "", "" },
    { "alliance://king/a", 0, "", "", "", "" },
    { "alliance://Bank/a", 0, "", "", "", "" },
    { "alliance://banks/a", 0, "", "", "", "" },
    { "alliance://bank/A", 0, "", "", "", "" },
    { "alliance://bank/a b", 0, "", "", "", "" },
    { "alliance://bank/a%2f", 0, "", "", "", "" },
    { "alliance://bank/../a", 0, "", "", "", "" },
    { "alliance://bank/a/", 0, "", "", "", "" },
    { "alliance://bank//a", 0, "", "", "", "" },
    { "alliance://bank/a?x", 0, "", "", "", "" },
    { "alliance://bank/a#x", 0, "", "", "", "" },
    { "alliance://bank/a\n", 0, "", "", "", "" },
    { "alliance://bank/a/store/s", 0, "", "", "", "" },
    { "alliance://carrier/c/store/s", 0, "", "", "", "" },
    { "alliance://merchant/m/store", 0, "", "", "", "" },
    { "alliance://merchant/m/store/", 0, "", "", "", "" },
    { "alliance://merchant/m/shop/s", 0, "", "", "", "" },
    { "alliance://merchant/m/terminal/t", 0, "", "", "", "" },
    { "alliance://merchant/m/store/s/terminal", 0, "", "", "", "" },
    { "alliance://merchant/m/store/s/terminal/", 0, "", "", "", "" },
    { "alliance://merchant/m/store/s/till/t", 0, "", "", "", "" },
    { "alliance://merchant/m/store/s/terminal/t/x", 0, "", "", "", "" },
    { "alliance://merchant/m/store/s/terminal/t/", 0, "", "", "", "" },
};

static void each_uri_names_a_party_or_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct principal principal = { 0 };
        bool named = principal_parse(uri_of(cases[i].uri), &principal);
        if (named != (cases[i].role != 0))
            fail_msg("%s", cases[i].uri);
        assert_int_equal(principal.role, cases[i].role); /* untouched when refused */
        assert_string_equal(principal.id, cases[i].id);
        assert_string_equal(principal.store_id, cases[i].store);
        assert_string_equal(principal.terminal_id, cases[i].terminal);
        assert_string_equal(principal.person, cases[i].person);
        assert_string_equal(principal.uri, named ? cases[i].uri : "");
    }
}

static void the_size_counts_not_a_terminator(void **state)
{
    struct principal principal = { 0 };

    (void)state;
    assert_true(principal_parse((struct uri){ "alliance://bank/abc", 18 }, &principal));
    assert_string_equal(principal.id, "ab");
    assert_false(principal_parse((struct uri){ "alliance://bank/a\0b", 19 }, &principal));
    assert_false(principal_parse((struct uri){ "alliance://bank/a\0", 18 }, &principal));
}

static void the_longest_uri_fits(void **state)
{
    static const char longest[] = "alliance://merchant/" ID32 "/store/" ID32 "/terminal/" ID32;
    struct principal principal = { 0 };

    (void)state;
    assert_true(principal_parse(uri_of(longest), &principal));
    assert_string_equal(principal.uri, longest);
}

static void exactly_one_uri_may_be_ours(void **state)
{
    struct uri a = uri_of("alliance://bank/a"), b = uri_of("alliance://bank/b"), web = uri_of("https://a"),
               bad = uri_of("alliance://bank/B");
    const struct {
        struct uri uris[3];
        size_t count;
        const char *id; /* NULL: refused */
    } sets[] = {
        { { { 0 } }, 0, NULL },       { { a }, 1, "a" },         { { web }, 1, NULL },  { { web, a }, 2, "a" },
        { { a, web, web }, 3, "a" },  { { a, b }, 2, NULL },     { { a, a }, 2, NULL }, { { a, bad }, 2, NULL },
        { { bad, web, a }, 3, NULL }, { { bad, web }, 2, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct principal principal = { 0 };
        struct error err = { 0 };
        bool named = principal_of(sets[i].uris, sets[i].count, &principal, &err);
        assert_int_equal(named, sets[i].id != NULL);
        assert_string_equal(principal.id, named ? sets[i].id : "");
        assert_int_equal(err.reason, named ? REASON_OK : REASON_UNAUTHENTICATED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_uri_names_a_party_or_nobody),
        cmocka_unit_test(the_size_counts_not_a_terminator),
        cmocka_unit_test(the_longest_uri_fits),
        cmocka_unit_test(exactly_one_uri_may_be_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
