/* tests/unit/test_status.c -- an error on its way to the caller: always text, always small, always the right word. */
#include "rpc/status.h"

#include "base/text.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TRAILER_MAX = 4096 };

static void ok_has_no_trailer(void **state)
{
    struct rpc_status status = rpc_status_of(NULL);

    (void)state;
    assert_int_equal(status.code, GRPC_STATUS_OK);
    assert_false(status.detailed);
    rpc_status_release(&status);
}

static Google__Rpc__Status *unpack(const struct rpc_status *status)
{
    grpc_slice packed = status->details.value;

    assert_true(status->detailed);
    assert_int_equal(grpc_slice_str_cmp(status->details.key, "grpc-status-details-bin"), 0);
    assert_true(GRPC_SLICE_LENGTH(packed) < TRAILER_MAX);
    Google__Rpc__Status *said =
        google__rpc__status__unpack(NULL, GRPC_SLICE_LENGTH(packed), GRPC_SLICE_START_PTR(packed));
    assert_non_null(said);
    assert_int_equal(said->code, (int)status->code);
    assert_int_equal(grpc_slice_str_cmp(status->message, said->message), 0);
    return said;
}

static void every_reason_is_told_by_its_name(void **state)
{
    (void)state;
    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        struct error err = { .reason = reason };
        struct rpc_status status = rpc_status_of(&err);
        Google__Rpc__Status *said = unpack(&status);
        Google__Rpc__ErrorInfo *info =
            google__rpc__error_info__unpack(NULL, said->details[0]->value.len, said->details[0]->value.data);
        assert_int_equal(status.code, reason_status(reason));
        assert_string_equal(info->reason, reason_name(reason));
        assert_string_equal(info->domain, "alliance.v1");
        assert_string_equal(said->message, reason_text(reason));
        assert_int_equal(said->n_details, reason_retryable(reason) ? 2 : 1);
        google__rpc__error_info__free_unpacked(info, NULL);
        google__rpc__status__free_unpacked(said, NULL);
        rpc_status_release(&status);
    }
}

static void the_longest_error_is_small(void **state)
{
    struct error err = { .reason = REASON_OVERLOADED };

    (void)state;
    memset(err.detail, 'd', sizeof err.detail - 1);
    memset(err.field, 'f', sizeof err.field - 1);
    struct rpc_status status = rpc_status_of(&err);
    Google__Rpc__Status *said = unpack(&status);
    assert_int_equal(said->n_details, 3);
    assert_string_equal(said->message, err.detail);
    Google__Rpc__BadRequest *bad =
        google__rpc__bad_request__unpack(NULL, said->details[1]->value.len, said->details[1]->value.data);
    assert_string_equal(bad->field_violations[0]->field, err.field);
    google__rpc__bad_request__free_unpacked(bad, NULL);
    google__rpc__status__free_unpacked(said, NULL);
    rpc_status_release(&status);
}

/* A detail is cut to its room by bytes; half a character would make the whole trailer unreadable for the caller. */
static void a_detail_cut_in_a_character_gives_way_to_the_reasons_text(void **state)
{
    struct error err = { .reason = REASON_FIELD_INVALID, .field = "\xe4\xb8" };

    (void)state;
    memset(err.detail, 'x', sizeof err.detail - 1);
    memcpy(err.detail + sizeof err.detail - 3, "\xe4\xb8", 2);
    struct rpc_status status = rpc_status_of(&err);
    Google__Rpc__Status *said = unpack(&status);
    assert_string_equal(said->message, reason_text(REASON_FIELD_INVALID));
    assert_int_equal(said->n_details, 1);
    google__rpc__status__free_unpacked(said, NULL);
    rpc_status_release(&status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ok_has_no_trailer),
        cmocka_unit_test(every_reason_is_told_by_its_name),
        cmocka_unit_test(the_longest_error_is_small),
        cmocka_unit_test(a_detail_cut_in_a_character_gives_way_to_the_reasons_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
