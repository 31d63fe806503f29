/* WriteRedemptions and StreamRedemptions: many writes in one message, each with the verdict it would have had alone. */
#include "house.h"

#include <alliance/v1/redemption_service.pb-c.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHOP    "merchant/shop-1"
#define SERVICE &alliance__v1__redemption_service__descriptor
#define PLACE   "'merchantId': 'shop-1', 'bankId': 'bank-a'"

typedef Alliance__V1__WriteRedemptionsRequest Writes;
typedef Alliance__V1__WriteRedemptionsResponse Verdicts;

enum { CROWD = 40 };

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 1000);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

static struct client *shop_client(struct house *house)
{
    house_ask(house, SHOP, "Ping", "{}");
    for (size_t i = 0; i < house->client_count; i++) {
        if (strcmp(house->clients[i].uri, "alliance://" SHOP) == 0)
            return house->clients[i].client;
    }
    fail_msg("the shop has no client");
    return NULL;
}

/* A message of holds, by members in turn; points 1, 2, 3, ... when they grow, else 1 each. */
struct crowd {
    Writes request;
    Alliance__V1__RedemptionWrite writes[WRITES_MAX], *pointers[WRITES_MAX];
    Alliance__V1__HoldRedemptionRequest holds[WRITES_MAX];
    char members[WRITES_MAX][40], ids[WRITES_MAX][UUID_TEXT];
};

static char shop_id[] = "shop-1", bank_id[] = "bank-a";

static struct crowd *crowd_of(const char *prefix, size_t members, size_t count, bool grow)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    assert_non_null(crowd);
    alliance__v1__write_redemptions_request__init(&crowd->request);
    crowd->request.writes = crowd->pointers;
    crowd->request.n_writes = count;
    for (size_t i = 0; i < count; i++) {
        Alliance__V1__HoldRedemptionRequest *hold = &crowd->holds[i];
        alliance__v1__redemption_write__init(&crowd->writes[i]);
        alliance__v1__hold_redemption_request__init(hold);
        strcpy(crowd->ids[i], house_id());
        snprintf(crowd->members[i], sizeof crowd->members[i], "%.9s%zu", prefix, i % members);
        hold->request_id = crowd->ids[i];
        hold->merchant_id = shop_id;
        hold->bank_id = bank_id;
        hold->member_ref = crowd->members[i];
        hold->points = grow ? (int64_t)i + 1 : 1;
        crowd->writes[i].action_case = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_HOLD;
        crowd->writes[i].hold = hold;
        crowd->pointers[i] = &crowd->writes[i];
    }
    return crowd;
}

static void good_and_bad_ones_do_not_touch_each_other(void **state)
{
    struct house *house = *state;
    const char *id = house_id(), *redeem = house_id();

    house_expect(
        house_ask(house, SHOP, "WriteRedemptions",
                  "{'writes': ["
                  "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 100}},"
                  "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'ann'}},"
                  "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 100}},"
                  "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 101}},"
                  "{'redeem': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 50}},"
                  "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'nobody', 'points': 1}},"
                  "{'hold': {'requestId': '%s', 'merchantId': 'shop-2', 'bankId': 'bank-a', 'memberRef': 'ann'}},"
                  "{},"
                  "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 851}},"
                  "{'confirm': {'requestId': '%s', 'redemptionId': 'nonsense'}},"
                  "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 2, 'lines': [{'lineId': 'a', "
                  "'points': 1}]}}"
                  "]}",
                  id, house_id(), id, id, redeem, house_id(), house_id(), house_id(), house_id(), house_id()),
        "{'verdicts': ["
        "{'receipt': {'points': '100', 'spendablePoints': '900', 'state': 'REDEMPTION_STATE_HELD'}, 'reason': ''},"
        "{'reason': 'POINTS_NOT_POSITIVE', 'detail': 'points: must be greater than zero', 'retry': false},"
        "{'receipt': {'points': '100', 'spendablePoints': '900'}},"
        "{'reason': 'REQUEST_ID_REUSED', 'detail': 'request_id was used with other content'},"
        "{'receipt': {'points': '50', 'spendablePoints': '850', 'state': 'REDEMPTION_STATE_CONFIRMED', 'gross': "
        "{'amountMinor': '35'}}},"
        "{'reason': 'MEMBER_NOT_FOUND', 'retry': false},"
        "{'reason': 'NOT_YOURS'},"
        "{'reason': 'FIELD_INVALID'},"
        "{'reason': 'INSUFFICIENT_POINTS'},"
        "{'reason': 'REDEMPTION_NOT_FOUND'},"
        "{'reason': 'FIELD_INVALID', 'detail': 'lines: must add up to points'}"
        "]}");
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '850', 'heldPoints': '100'}");
}

/* The route in a redemption_id is the member's: known to the test from an earlier hold, not to a merchant. */
static void writes_of_one_member_are_done_in_their_order(void **state)
{
    struct house *house = *state;
    json_t *earlier = house_ask(house, SHOP, "HoldRedemption",
                                "{'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 1}", house_id());
    const char *route = strchr(house_text(earlier, "redemptionId"), '.');
    const char *id = house_id();

    house_expect(house_ask(house, SHOP, "WriteRedemptions",
                           "{'writes': ["
                           "{'confirm': {'requestId': '%s', 'redemptionId': '%s%s'}},"
                           "{'hold': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 200}},"
                           "{'extend': {'requestId': '%s', 'redemptionId': '%s%s', 'lapseAfter': '3600s'}},"
                           "{'confirm': {'requestId': '%s', 'redemptionId': '%s%s', 'points': 150}},"
                           "{'cancel': {'requestId': '%s', 'redemptionId': '%s%s'}},"
                           "{'reverse': {'requestId': '%s', 'redemptionId': '%s%s', 'points': 151}},"
                           "{'reverse': {'requestId': '%s', 'redemptionId': '%s%s', 'points': 50}},"
                           "{'reverse': {'requestId': '%s', 'redemptionId': '%s%s'}}"
                           "]}",
                           house_id(), id, route, id, house_id(), id, route, house_id(), id, route, house_id(), id,
                           route, house_id(), id, route, house_id(), id, route, house_id(), id, route),
                 "{'verdicts': ["
                 "{'reason': 'REDEMPTION_NOT_FOUND'},"
                 "{'receipt': {'redemptionId': '%s%s', 'state': 'REDEMPTION_STATE_HELD', 'points': '200', "
                 "'lapseTime': '2026-01-15T12:15:00Z'}},"
                 "{'receipt': {'state': 'REDEMPTION_STATE_HELD', 'lapseTime': '2026-01-15T13:00:00Z'}},"
                 "{'receipt': {'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '150', 'spendablePoints': '849', "
                 "'gross': {'amountMinor': '105'}}},"
                 "{'reason': 'REDEMPTION_ENDED'},"
                 "{'reason': 'BEYOND_CONFIRMED'},"
                 "{'receipt': {'state': 'REDEMPTION_STATE_CONFIRMED', 'points': '50', 'gross': {'amountMinor': "
                 "'-35'}}},"
                 "{'receipt': {'state': 'REDEMPTION_STATE_REVERSED', 'points': '100', 'spendablePoints': '999', "
                 "'gross': {'amountMinor': '-70'}}}"
                 "]}",
                 id, route);
}

static json_t *do_write(struct house *house, bool among_others, const char *method, const char *action,
                        const char *request)
{
    if (!among_others)
        return house_ask(house, SHOP, method, "%s", request);
    json_t *reply = house_ask(house, SHOP, "WriteRedemptions", "{'writes': [{}, {'%s': %s}]}", action, request);
    return json_object_get(json_array_get(json_object_get(reply, "verdicts"), 1), "receipt");
}

/* What the method can be done to: something held, or for a reversal something redeemed. */
static void renew(struct house *house, const char *method, const char *hold, char redemption[80])
{
    bool redeem = strcmp(method, "ReverseRedemption") == 0;
    json_t *made =
        house_ask(house, SHOP, redeem ? "RedeemPoints" : "HoldRedemption", "{'requestId': '%s', %s}", house_id(), hold);

    snprintf(redemption, 80, "%s", house_text(made, "redemptionId"));
}

/* Every kind of write, done in one message, then repeated alone; and the other way round. */
static void what_came_one_way_may_be_repeated_the_other_way(void **state)
{
    struct house *house = *state;
    static const struct {
        const char *method, *action, *more;
        bool makes;
    } kinds[] = {
        { "HoldRedemption", "hold",
          PLACE ", 'memberRef': 'ann', 'points': 45, 'cardToken': 'card_token-1', 'lines': [{'lineId': 'a', 'points': "
                "30}, {'lineId': 'b', 'points': 15}]",
          true },
        { "ExtendHold", "extend", "'lapseAfter': '7200s'", false },
        { "ConfirmRedemption", "confirm", "'points': 30", false },
        { "ReverseRedemption", "reverse", "'lineId': 'b'", false },
        { "RedeemPoints", "redeem", PLACE ", 'memberRef': 'ann', 'points': 7", true },
        { "CancelRedemption", "cancel", "", false },
    };
    char redemption[80] = "", request[1024];

    for (size_t i = 0; i < 2 * COUNT(kinds); i++) {
        size_t kind = i / 2;
        renew(house, kinds[kind].method, kinds[0].more, redemption);
        snprintf(request, sizeof request, "{'requestId': '%s'%s%s%s%s%s}", house_id(),
                 kinds[kind].makes ? "" : ", 'redemptionId': '", kinds[kind].makes ? "" : redemption,
                 kinds[kind].makes ? "" : "'", *kinds[kind].more ? ", " : "", kinds[kind].more);
        json_t *first = do_write(house, i % 2, kinds[kind].method, kinds[kind].action, request);
        int64_t rows = house_rows(house);
        json_t *again = do_write(house, !(i % 2), kinds[kind].method, kinds[kind].action, request);
        assert_true(json_is_object(first));
        if (!json_equal(first, again))
            fail_msg("%s: %s and then %s", kinds[kind].method, json_dumps(first, 0), json_dumps(again, 0));
        assert_int_equal(house_rows(house), rows);
    }
}

/* HoldRedemption and RedeemPoints take the same request; under one request_id they are not the same. */
static void a_hold_repeated_as_a_redemption_is_another_request(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    house_ask(house, SHOP, "HoldRedemption", "{'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 10}", id);
    house_expect(house_ask(house, SHOP, "WriteRedemptions",
                           "{'writes': [{'redeem': {'requestId': '%s', " PLACE ", 'memberRef': 'ann', 'points': 10}}]}",
                           id),
                 "{'verdicts': [{'reason': 'REQUEST_ID_REUSED'}]}");
}

static void make_crowd(struct house *house)
{
    char name[40];

    for (int i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "crowd-%d", i);
        house_member(house, name, 100000);
    }
}

static void assert_each_is_its_own(const struct crowd *crowd, const Verdicts *response)
{
    assert_int_equal(response->n_verdicts, crowd->request.n_writes);
    for (size_t i = 0; i < response->n_verdicts; i++) {
        const Alliance__V1__RedemptionVerdict *verdict = response->verdicts[i];
        if (!verdict->receipt)
            fail_msg("write %zu: %s", i, verdict->reason);
        assert_int_equal(verdict->receipt->points, crowd->holds[i].points);
        assert_memory_equal(verdict->receipt->redemption_id, crowd->ids[i], UUID_TEXT - 1);
    }
}

static void a_thousand_of_many_members(void **state)
{
    struct house *house = *state;
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct crowd *crowd = crowd_of("crowd-", CROWD, WRITES_MAX, true);
    ProtobufCMessage *reply;
    struct error err = { 0 };

    make_crowd(house);
    for (int round = 0; round < 2; round++) {
        if (!client_call(shop_client(house), SERVICE, "WriteRedemptions", &crowd->request.base, HOUSE_TIMEOUT_MS,
                         &arena, &reply, &err))
            fail_msg("%s", error_text(&err));
        assert_each_is_its_own(crowd, (const Verdicts *)reply);
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption"), WRITES_MAX);
    assert_int_equal(house_count(house, "SELECT sum(held) FROM account"), WRITES_MAX * (WRITES_MAX + 1) / 2);
    free(crowd);
}

static struct client_stream *open_stream(struct house *house, int64_t timeout_ms)
{
    struct client_stream *stream;
    struct error err = { 0 };

    if (!client_stream_open(shop_client(house), SERVICE, "StreamRedemptions", timeout_ms, &stream, &err))
        fail_msg("%s", error_text(&err));
    return stream;
}

static void a_stream_answers_message_by_message(void **state)
{
    struct house *house = *state;
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client_stream *stream = open_stream(house, HOUSE_TIMEOUT_MS);
    struct client_status status;
    ProtobufCMessage *reply;

    make_crowd(house);
    /* All are sent before the first is answered: they wait their turn. */
    struct crowd *sent[5];
    for (size_t i = 0; i < COUNT(sent); i++) {
        sent[i] = crowd_of("crowd-", CROWD, 1 + 37 * i, true);
        assert_true(client_stream_send(stream, &sent[i]->request.base));
    }
    for (size_t i = 0; i < COUNT(sent); i++) {
        assert_true(
            client_stream_receive(stream, &alliance__v1__write_redemptions_response__descriptor, &arena, &reply));
        assert_each_is_its_own(sent[i], (const Verdicts *)reply);
        free(sent[i]);
    }
    assert_true(client_stream_half_close(stream));
    assert_true(client_stream_finish(stream, &status));
}

static void an_empty_message_ends_the_stream(void **state)
{
    house_push_refused(*state, SHOP, "StreamRedemptions", REASON_FIELD_INVALID, "writes", "{}");
    house_push_refused(*state, "bank/bank-a", "StreamRedemptions", REASON_ROLE_NOT_ALLOWED, NULL, "{'writes': [{}]}");
}

/* Whether the writes were done nobody was told; sent again, each is done once. */
static void a_caller_that_goes_away_repeats_and_loses_nothing(void **state)
{
    struct house *house = *state;
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client_status status;
    ProtobufCMessage *reply;
    struct error err = { 0 };

    make_crowd(house);
    struct crowd *crowd = crowd_of("crowd-", CROWD, WRITES_MAX, true);
    struct client_stream *stream = open_stream(house, HOUSE_TIMEOUT_MS);
    assert_true(client_stream_send(stream, &crowd->request.base));
    client_stream_cancel(stream);
    assert_false(client_stream_finish(stream, &status));
    assert_int_equal(status.code, STATUS_CANCELLED);
    /* A deadline that may pass before, in the middle or after. */
    (void)!client_call_status(shop_client(house), SERVICE, "WriteRedemptions", &crowd->request.base, 5, &arena, &reply,
                              &status);
    if (!client_call(shop_client(house), SERVICE, "WriteRedemptions", &crowd->request.base, HOUSE_TIMEOUT_MS, &arena,
                     &reply, &err))
        fail_msg("%s", error_text(&err));
    assert_each_is_its_own(crowd, (const Verdicts *)reply);
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption"), WRITES_MAX);
    free(crowd);
}

/* Overload: more than a lane's queue takes, while its batch waits for a lock. */

enum { MESSAGES = 7, FULL = 3, FLOOD_TIMEOUT_MS = 120000 };

struct flood {
    struct crowd *crowds[MESSAGES];
    int answered;
    size_t refused; /* for now */
};

static size_t refused_for_now(const Verdicts *response)
{
    size_t count = 0;

    assert_int_equal(response->n_verdicts, WRITES_MAX);
    for (size_t i = 0; i < response->n_verdicts; i++) {
        const char *reason = response->verdicts[i]->reason;
        /* TRY_AGAIN: on a machine so slow that the lane waited for the lock as long as it may. */
        bool later = strcmp(reason, "OVERLOADED") == 0 || strcmp(reason, "TRY_AGAIN") == 0;
        assert_int_equal(response->verdicts[i]->retry, later);
        count += later;
    }
    return count;
}

static void wave_answered(void *owner, const struct client_result *result)
{
    struct flood *flood = owner;

    assert_int_equal(result->status->code, STATUS_OK);
    Verdicts *response = alliance__v1__write_redemptions_response__unpack(NULL, result->size, result->bytes);
    assert_non_null(response);
    flood->refused += refused_for_now(response);
    alliance__v1__write_redemptions_response__free_unpacked(response, NULL);
    flood->answered++;
}

/* The member's part of it, which is full long before the whole. */
static void what_a_full_lane_refuses_may_be_sent_again(void **state)
{
    struct house *house = *state;
    struct client *client = shop_client(house);
    const struct client_method *method;
    struct flood *flood = calloc(1, sizeof *flood);
    uint8_t *packed = malloc(MESSAGE_MAX);
    struct error err = { 0 };

    assert_true(flood && packed);
    house_member(house, "flood0", 100);
    house_sql(house, "BEGIN; LOCK TABLE account IN SHARE MODE");
    assert_true(client_method(client, "/alliance.v1.RedemptionService/WriteRedemptions", &method, &err));
    for (int i = 0; i < MESSAGES; i++) {
        flood->crowds[i] = crowd_of("flood", 1, WRITES_MAX, false);
        size_t size = protobuf_c_message_pack(&flood->crowds[i]->request.base, packed);
        assert_true(client_start(client, method, packed, size, FLOOD_TIMEOUT_MS, wave_answered, flood, &err));
    }
    /* What finds the queue full is answered although nothing moves; several may share what room there was. */
    while (flood->answered < FULL)
        client_poll(client, 100);
    assert_int_equal(flood->refused, flood->answered * WRITES_MAX);
    house_sql(house, "COMMIT");
    while (flood->answered < MESSAGES)
        client_poll(client, 100);
    /* 32 open holds are all a member may have: whatever came through, and none of what was refused for now. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE state = 1"), 32);
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption"),
                     (int64_t)(MESSAGES * WRITES_MAX - flood->refused));
    for (int i = 0; i < MESSAGES; i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        ProtobufCMessage *reply;
        if (!client_call(client, SERVICE, "WriteRedemptions", &flood->crowds[i]->request.base, FLOOD_TIMEOUT_MS, &arena,
                         &reply, &err))
            fail_msg("%s", error_text(&err));
        assert_int_equal(refused_for_now((const Verdicts *)reply), 0);
        free(flood->crowds[i]);
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption"), MESSAGES * WRITES_MAX);
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE state = 1"), 32);
    free(flood);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_and_bad_ones_do_not_touch_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_of_one_member_are_done_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_one_way_may_be_repeated_the_other_way, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hold_repeated_as_a_redemption_is_another_request, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thousand_of_many_members, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stream_answers_message_by_message, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_message_ends_the_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(a_caller_that_goes_away_repeats_and_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_full_lane_refuses_may_be_sent_again, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
