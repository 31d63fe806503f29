/* tests/unit/test_reason.c -- every word has one name, a status and a sentence; errors carry them and stay in bounds.
 */
#include "base/error.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

static bool upper_snake(const char *name)
{
    return *name >= 'A' && *name <= 'Z' && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

/* google.rpc.ErrorInfo takes at most 63 characters. */
static void names_are_words_and_unique(void **state)
{
    (void)state;
    for (enum reason a = REASON_OK; a < REASON_COUNT; a++) {
        assert_true(upper_snake(reason_name(a)) && strlen(reason_name(a)) <= 63);
        assert_int_equal(reason_by_name(reason_name(a)), a);
        for (enum reason b = REASON_OK; b < a; b++)
            assert_string_not_equal(reason_name(a), reason_name(b));
    }
}

static void every_refusal_has_a_sentence(void **state)
{
    (void)state;
    assert_string_equal(reason_text(REASON_OK), "");
    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        const char *text = reason_text(reason);
        if (strlen(text) < 10 || strlen(text) >= ERROR_DETAIL_MAX || text[strlen(text) - 1] == '.')
            fail_msg("%s: \"%s\"", reason_name(reason), text);
    }
}

static void only_ok_is_ok(void **state)
{
    (void)state;
    for (enum reason reason = REASON_OK; reason < REASON_COUNT; reason++) {
        enum status status = reason_status(reason);
        assert_true(status <= STATUS_UNAUTHENTICATED);
        assert_int_equal(status == STATUS_OK, reason == REASON_OK);
    }
}

static const struct {
    enum reason reason;
    enum status status;
    bool retryable;
} known[] = {
    { REASON_OK, STATUS_OK, false },
    { REASON_UNAUTHENTICATED, STATUS_UNAUTHENTICATED, false },
    { REASON_NOT_YOURS, STATUS_PERMISSION_DENIED, false },
    { REASON_METHOD_UNKNOWN, STATUS_UNIMPLEMENTED, false },
    { REASON_POINTS_NOT_POSITIVE, STATUS_INVALID_ARGUMENT, false },
    { REASON_MESSAGE_TOO_LARGE, STATUS_RESOURCE_EXHAUSTED, false }, /* the same message is too large again */
    { REASON_MEMBER_NOT_FOUND, STATUS_NOT_FOUND, false },
    { REASON_REQUEST_ID_REUSED, STATUS_ALREADY_EXISTS, false },
    { REASON_INSUFFICIENT_POINTS, STATUS_FAILED_PRECONDITION, false },
    { REASON_AMOUNT_TOO_LARGE, STATUS_OUT_OF_RANGE, false },
    { REASON_CLOSE_RUNNING, STATUS_ABORTED, false },
    { REASON_DOES_NOT_TIE, STATUS_DATA_LOSS, false },
    { REASON_DEADLINE_PASSED, STATUS_DEADLINE_EXCEEDED, false },
    { REASON_CANCELLED, STATUS_CANCELLED, false },
    { REASON_OVERLOADED, STATUS_RESOURCE_EXHAUSTED, true },
    { REASON_TRY_AGAIN, STATUS_UNAVAILABLE, true },
    { REASON_DATABASE_UNREACHABLE, STATUS_UNAVAILABLE, true },
    { REASON_INTERNAL, STATUS_INTERNAL, false },
};

static void statuses_are_those_of_the_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        if (reason_status(known[i].reason) != known[i].status ||
            reason_retryable(known[i].reason) != known[i].retryable)
            fail_msg("%s", reason_name(known[i].reason));
    }
}

/* A client may repeat on UNAVAILABLE whatever the word is, so each such word must allow it, and few others do. */
static void unavailable_means_try_again(void **state)
{
    (void)state;
    for (enum reason reason = REASON_OK; reason < REASON_COUNT; reason++) {
        enum status status = reason_status(reason);
        assert_true(status != STATUS_UNAVAILABLE || reason_retryable(reason));
        assert_true(!reason_retryable(reason) || status == STATUS_UNAVAILABLE || status == STATUS_RESOURCE_EXHAUSTED);
    }
}

static void numbers_and_names_that_are_none(void **state)
{
    static const char *const none[] = { "", "ok", "OKAY", "INSUFFICIENT", "INSUFFICIENT_POINTS ", "REASON_OK" };

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(reason_by_name(none[i]), REASON_COUNT);
    assert_string_equal(reason_name(REASON_COUNT), "INTERNAL");
    assert_string_equal(reason_name((enum reason) - 1), "INTERNAL");
    assert_int_equal(reason_status((enum reason)100000), STATUS_INTERNAL);
}

static const struct {
    int status;
    const char *name;
} status_names[] = {
    { 0, "OK" },
    { 1, "CANCELLED" },
    { 2, "UNKNOWN" },
    { 3, "INVALID_ARGUMENT" },
    { 4, "DEADLINE_EXCEEDED" },
    { 5, "NOT_FOUND" },
    { 6, "ALREADY_EXISTS" },
    { 7, "PERMISSION_DENIED" },
    { 8, "RESOURCE_EXHAUSTED" },
    { 9, "FAILED_PRECONDITION" },
    { 10, "ABORTED" },
    { 11, "OUT_OF_RANGE" },
    { 12, "UNIMPLEMENTED" },
    { 13, "INTERNAL" },
    { 14, "UNAVAILABLE" },
    { 15, "DATA_LOSS" },
    { 16, "UNAUTHENTICATED" },
    { 17, "UNKNOWN" },
    { -1, "UNKNOWN" },
    { INT32_MAX, "UNKNOWN" },
};

static void statuses_have_the_names_of_grpc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(status_names); i++)
        assert_string_equal(status_name(status_names[i].status), status_names[i].name);
}

static void an_error_says_its_detail_or_its_reason(void **state)
{
    struct error err = { .field = "left over", .detail = "left over" };

    (void)state;
    assert_false(error_set(&err, REASON_TRY_AGAIN, "%s", ""));
    assert_int_equal(err.reason, REASON_TRY_AGAIN);
    assert_string_equal(err.field, "");
    assert_string_equal(error_text(&err), reason_text(REASON_TRY_AGAIN));
    assert_false(error_field(&err, REASON_FIELD_INVALID, "rows[3].points", "must be at most %d", 5));
    assert_string_equal(err.field, "rows[3].points");
    assert_string_equal(error_text(&err), "must be at most 5");
    assert_false(error_set(&err, REASON_INTERNAL, "again"));
    assert_string_equal(err.field, "");
}

/* Callers get detail and field as protobuf strings, which must be UTF-8: a cut may not leave half a character. */
static void what_is_too_long_is_cut_between_characters(void **state)
{
    char text[2 * ERROR_DETAIL_MAX];
    struct error err;

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        text[sizeof text - 1] = '\0';
        error_field(&err, REASON_FIELD_INVALID, text, "%s", text);
        assert_true(text_utf8(err.detail, strlen(err.detail)));
        assert_true(text_utf8(err.field, strlen(err.field)));
        assert_true(strlen(err.detail) >= ERROR_DETAIL_MAX - 4 && strlen(err.field) >= ERROR_FIELD_MAX - 4);
        assert_memory_equal(err.detail, text, strlen(err.detail));
    }
}

static void what_just_fits_is_whole(void **state)
{
    char text[ERROR_DETAIL_MAX];
    struct error err;

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 4, "\xe7\xa7\xaf", 4);
    error_set(&err, REASON_INTERNAL, "%s", text);
    assert_string_equal(err.detail, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_words_and_unique),
        cmocka_unit_test(every_refusal_has_a_sentence),
        cmocka_unit_test(only_ok_is_ok),
        cmocka_unit_test(statuses_are_those_of_the_list),
        cmocka_unit_test(unavailable_means_try_again),
        cmocka_unit_test(numbers_and_names_that_are_none),
        cmocka_unit_test(statuses_have_the_names_of_grpc),
        cmocka_unit_test(an_error_says_its_detail_or_its_reason),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
        cmocka_unit_test(what_just_fits_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
