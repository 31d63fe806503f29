/* Splits: a second member made from one, wherever the chain of steps stops; no card and no point is lost or twice. */
#include "members.h"

#include "engine/batch.h"
#include "engine/transfer.h"
#include "io/clock.h"
#include "io/crypto.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct alliance *alliance = calloc(1, sizeof *alliance);

    alliance_open(alliance);
    *state = alliance;
    return 0;
}

static int teardown(void **state)
{
    alliance_close(*state);
    free(*state);
    return 0;
}

/* A number from SQL in which %s stands for the name of a member, as often as it is there. */
static int64_t of_member(struct alliance *alliance, const char *sql, const char *name)
{
    char text[600];

    snprintf(text, sizeof text, sql, name, name);
    return alliance_count(alliance, text);
}

#define OF_PROFILE "member_profile p JOIN account a USING (bucket, member_id) WHERE a.member_ref = '%s'"

static int64_t available(struct alliance *alliance, const char *name)
{
    return of_member(alliance, "SELECT coalesce((SELECT available FROM account WHERE member_ref = '%s'), 0)", name);
}

static int64_t cards_in_table(struct alliance *alliance, const char *name)
{
    return of_member(alliance,
                     "SELECT count(*) FROM card c JOIN account a USING (member_id) WHERE a.member_ref = '%s' AND "
                     "c.member_ref = '%s'",
                     name);
}

static int64_t cards_in_profile(struct alliance *alliance, const char *name)
{
    return of_member(alliance, "SELECT coalesce((SELECT cardinality(p.card_tokens) FROM " OF_PROFILE "), 0)", name);
}

/* The text of a profile names just the cards of its list. */
static int64_t cards_in_facts(struct alliance *alliance, const char *name)
{
    return of_member(alliance,
                     "SELECT coalesce((SELECT jsonb_array_length(p.facts::jsonb -> 'cards') FROM " OF_PROFILE
                     " AND p.facts <> ''), 0)",
                     name);
}

/* What a split is made of: the texts stay where they are for as long as the test runs. */
struct making {
    struct card cards[3];
    const char *tokens[3];
    struct member_profile whole, left, moved;
    char names[3][32];
    struct split_order order;
};

static void list(const struct making *making, size_t first, size_t count, struct member_profile *profile)
{
    profile->cards = making->cards + first;
    profile->tokens = making->tokens + first;
    profile->card_count = count;
}

static void make(struct making *making, const char *first_token, const char *second)
{
    static const char *const consents[] = { "offers" };
    static const uint8_t sealed[] = "sealed, with holders", less[] = "sealed, without", of_second[] = "of the second";

    *making = (struct making){ 0 };
    for (size_t i = 0; i < COUNT(making->cards); i++) {
        snprintf(making->names[i], sizeof making->names[i], "%s-%zu", first_token, i);
        making->cards[i] = (struct card){ .token = making->names[i], .product = "gold", .status = CARD_ACTIVE };
        making->tokens[i] = making->names[i];
    }
    list(making, 0, 3, &making->whole);
    list(making, 0, 1, &making->left);
    list(making, 1, 2, &making->moved);
    making->whole.consents = making->left.consents = consents;
    making->whole.consent_count = making->left.consent_count = 1;
    making->whole.sealed = sealed;
    making->whole.sealed_size = sizeof sealed;
    making->whole.sealed_mac[0] = 1;
    making->left.sealed = less;
    making->left.sealed_size = sizeof less;
    making->left.sealed_mac[0] = 2;
    making->moved.sealed = of_second;
    making->moved.sealed_size = sizeof of_second;
    making->moved.has_phone = true;
    memset(making->moved.phone_mac, 7, sizeof making->moved.phone_mac);
    making->order = (struct split_order){
        .to_member_ref = second,
        .into = { .tier = 2, .credit = { .limit = 50 }, .profile = &making->moved },
        .changed_by = "alliance://bank/bank-a/person/paula",
        .left = &making->left,
    };
}

/* The member with its cards, as whoever claims them leaves both. */
static void make_member(struct alliance *alliance, const char *name, int64_t points, struct making *making)
{
    struct command commands[] = { command_set_member(alliance, name, 0),
                                  command_accrue(alliance, name, "start", points * 100) };
    struct error err = { 0 };
    char sql[600], card[UUID_TEXT], member[UUID_TEXT];

    commands[0].member.profile = &making->whole;
    alliance_run_all(alliance, commands, COUNT(commands));
    assert_int_equal(commands[1].answer.reason, REASON_OK);
    uuid_format(&commands[0].member_id, member);
    for (size_t i = 0; i < COUNT(making->cards); i++) {
        struct uuid id = command_card_id("bank-a", making->tokens[i]);
        uuid_format(&id, card);
        snprintf(sql, sizeof sql,
                 "INSERT INTO card (bucket, id, bank_no, member_id, member_ref, product, status, expires_on, "
                 "supplementary) VALUES (%d, '%s', %d, '%s', '%s', 'gold', 1, '1970-01-01', false)",
                 member_hash16(&id) % TEST_BUCKETS, card, alliance->bank_no, member, name);
        assert_true(db_script(alliance->db, sql, &err));
    }
}

static struct command split_of(struct alliance *alliance, const char *from, int64_t points, struct making *making)
{
    struct command send = command_set_member(alliance, from, 0);

    send.kind = COMMAND_SEND;
    send.send = (struct send_order){ .points = points,
                                     .to_member_id = command_member_id("bank-a", making->order.to_member_ref),
                                     .to_member_ref = making->order.to_member_ref,
                                     .split = &making->order };
    crypto_sha256(&points, sizeof points, send.content_hash);
    batch_profile_hash(&making->whole, making->order.hash_before);
    return send;
}

/* A walk that the test waits for, and whose cards it moves. */
struct walk {
    struct transfer transfer;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool over, cards;
};

static void on_done(struct transfer *transfer)
{
    struct walk *walk = transfer->owner;

    pthread_mutex_lock(&walk->lock);
    walk->over = true;
    pthread_cond_signal(&walk->changed);
    pthread_mutex_unlock(&walk->lock);
}

static void on_cards(struct transfer *transfer)
{
    struct walk *walk = transfer->owner;

    pthread_mutex_lock(&walk->lock);
    walk->cards = true;
    pthread_cond_signal(&walk->changed);
    pthread_mutex_unlock(&walk->lock);
}

/* true: at the cards; false: over. */
static bool wait_for(struct walk *walk)
{
    pthread_mutex_lock(&walk->lock);
    while (!walk->over && !walk->cards)
        pthread_cond_wait(&walk->changed, &walk->lock);
    bool cards = walk->cards;
    walk->cards = false;
    pthread_mutex_unlock(&walk->lock);
    return cards;
}

static struct answer walk_to_the_end(struct alliance *alliance, const struct command *send)
{
    struct walk walk = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    struct error err = { 0 };

    walk.transfer.lanes = alliance->lanes;
    walk.transfer.done = on_done;
    walk.transfer.move_cards = on_cards;
    walk.transfer.owner = &walk;
    assert_true(transfer_begin(&walk.transfer, send, &err));
    while (wait_for(&walk)) {
        assert_true(transfer_move_cards(&walk.transfer, alliance->db, TEST_BUCKETS, "bank-a", &err));
        transfer_go_on(&walk.transfer, NULL);
    }
    return walk.transfer.answer;
}

/* Takes the first steps of the chain and no more, as a server that dies there does: send, receive, cards, settle. */
static void take_steps(struct alliance *alliance, const struct command *send, int steps)
{
    struct transfer transfer = { .id = send->request_id,
                                 .from_member_id = send->member_id,
                                 .to_member_id = send->send.to_member_id,
                                 .programme_no = send->programme_no,
                                 .bank_no = send->bank_no,
                                 .split = send->send.split };
    struct command command = *send;
    struct error err = { 0 };

    command.send.parcel = &transfer.parcel;
    for (int step = 0; step < steps; step++) {
        if (step == 2) {
            assert_true(transfer_move_cards(&transfer, alliance->db, TEST_BUCKETS, "bank-a", &err));
            continue;
        }
        if (step > 0)
            transfer_step(&transfer, step == 1 ? COMMAND_RECEIVE : COMMAND_SETTLE, &command);
        alliance_run(alliance, &command);
        if (step == 1)
            transfer.received = command.answer.reason;
        else
            assert_int_equal(command.answer.reason, REASON_OK);
    }
}

static int64_t recover(struct alliance *alliance)
{
    int64_t finished;
    struct error err = { 0 };

    if (!transfer_recover(alliance->db, alliance->lanes, TEST_BUCKETS, 0, &finished, &err))
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    return finished;
}

static void expect_two(struct alliance *alliance, const char *first, const char *second)
{
    assert_int_equal(available(alliance, first), 60);
    assert_int_equal(available(alliance, second), 40);
    assert_int_equal(cards_in_table(alliance, first), 1);
    assert_int_equal(cards_in_table(alliance, second), 2);
    assert_int_equal(cards_in_profile(alliance, first), 1);
    assert_int_equal(cards_in_profile(alliance, second), 2);
    assert_int_equal(cards_in_facts(alliance, first), 1);
    assert_int_equal(cards_in_facts(alliance, second), 2);
    assert_int_equal(
        of_member(alliance, "SELECT count(*) FROM " OF_PROFILE " AND p.sealed = 'sealed, without\\000'", first), 1);
    assert_int_equal(of_member(alliance,
                               "SELECT count(*) FROM " OF_PROFILE " AND p.sealed = 'of the second\\000' AND "
                               "length(p.phone_mac) = 32 AND a.tier = 2 AND a.credit_limit = 50 AND a.status = 1",
                               second),
                     1);
    /* A row of the log each, by who asked for it, with the cards before and after. */
    assert_int_equal(
        of_member(
            alliance,
            "SELECT count(*) FROM member_change c JOIN account a USING (bucket, member_id) WHERE a.member_ref = "
            "'%s' AND changed_by = 'alliance://bank/bank-a/person/paula' AND "
            "jsonb_array_length(profile_before::jsonb -> 'cards') = 3 AND jsonb_array_length(profile_after::jsonb "
            "-> 'cards') = 1 AND profile_after::jsonb -> 'consents' = '[\"offers\"]'",
            first),
        1);
    assert_int_equal(
        of_member(alliance,
                  "SELECT count(*) FROM member_change c JOIN account a USING (bucket, member_id) WHERE a.member_ref = "
                  "'%s' AND changed_by = 'alliance://bank/bank-a/person/paula' AND account_before = '' AND "
                  "jsonb_array_length(profile_after::jsonb -> 'cards') = 2",
                  second),
        1);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM transfer_split"), 0);
}

static void verify_finds_nothing(struct alliance *alliance)
{
    alliance_check(alliance);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM transfer WHERE state = 1"), 0);
}

static const char *const stops[] = { "before it begins", "when the points are sent", "when the second is there",
                                     "when the cards have moved", "not at all" };

static void a_chain_that_stops_anywhere_is_finished(void **state)
{
    struct alliance *alliance = *state;

    for (int steps = 0; steps < (int)COUNT(stops); steps++) {
        static struct making making;
        char first[24], second[24], token[24];
        print_message("           %s\n", stops[steps]);
        snprintf(first, sizeof first, "ann-%d", steps);
        snprintf(second, sizeof second, "two-%d", steps);
        snprintf(token, sizeof token, "token-%d", steps);
        make(&making, token, second);
        make_member(alliance, first, 100, &making);
        struct command send = split_of(alliance, first, 40, &making);
        take_steps(alliance, &send, steps);
        alliance_check(alliance);
        assert_int_equal(recover(alliance), steps > 0 && steps < 4);
        verify_finds_nothing(alliance);
        if (steps > 0)
            expect_two(alliance, first, second);
        /* The caller repeats what it never heard of, and again. */
        struct answer one = walk_to_the_end(alliance, &send), other = walk_to_the_end(alliance, &send);
        assert_int_equal(one.reason, REASON_OK);
        assert_int_equal(one.points, 40);
        assert_int_equal(one.spendable, 60);
        assert_int_equal(other.points, 40);
        assert_int_equal(other.time.us, one.time.us);
        expect_two(alliance, first, second);
        verify_finds_nothing(alliance);
        assert_int_equal(recover(alliance), 0);
    }
}

/* A card that has moved on since is not moved again by somebody who repeats what was done long ago. */
static void a_repeat_moves_no_card_again(void **state)
{
    struct alliance *alliance = *state;
    static struct making making;
    struct error err = { 0 };

    make(&making, "token", "two");
    make_member(alliance, "ann", 100, &making);
    struct command send = split_of(alliance, "ann", 40, &making);
    assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_OK);
    assert_true(db_script(alliance->db,
                          "UPDATE card SET (member_id, member_ref) = (SELECT member_id, member_ref FROM account WHERE "
                          "member_ref = 'ann')",
                          &err));
    assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_OK);
    assert_int_equal(cards_in_table(alliance, "ann"), 3);
    assert_int_equal(cards_in_profile(alliance, "ann"), 1);
}

/* The cards of the first are still in the profile: a second split could name them too. */
static void one_split_at_a_time(void **state)
{
    struct alliance *alliance = *state;
    static struct making making, other;

    make(&making, "token", "two");
    make(&other, "token", "three");
    make_member(alliance, "ann", 100, &making);
    struct command sends[] = { split_of(alliance, "ann", 40, &making), split_of(alliance, "ann", 10, &other) };
    struct parcel parcels[2];
    sends[0].send.parcel = &parcels[0];
    sends[1].send.parcel = &parcels[1];
    alliance_run_all(alliance, sends, 2); /* in one batch, or in two */
    assert_int_equal(sends[0].answer.reason, REASON_OK);
    assert_int_equal(sends[1].answer.reason, REASON_SPLIT_UNDER_WAY);
    alliance_run(alliance, &sends[1]);
    assert_int_equal(sends[1].answer.reason, REASON_SPLIT_UNDER_WAY);
    assert_int_equal(available(alliance, "ann"), 60);
    assert_int_equal(walk_to_the_end(alliance, &sends[0]).reason, REASON_OK);
    other.order.into.profile = &(struct member_profile){ 0 };
    other.order.left = &making.left;
    struct command later = split_of(alliance, "ann", 10, &other);
    batch_profile_hash(&making.left, other.order.hash_before);
    assert_int_equal(walk_to_the_end(alliance, &later).reason, REASON_OK);
    assert_int_equal(available(alliance, "ann"), 50);
    verify_finds_nothing(alliance);
}

/* Somebody has made a member of that name in the meantime: the first is as before, and so it is said each time. */
static void what_cannot_be_made_comes_back(void **state)
{
    struct alliance *alliance = *state;
    static struct making making;

    make(&making, "token", "two");
    make_member(alliance, "ann", 100, &making);
    struct command send = split_of(alliance, "ann", 40, &making), other = command_set_member(alliance, "two", 0);
    take_steps(alliance, &send, 1);
    assert_int_equal(available(alliance, "ann"), 60);
    alliance_run(alliance, &other);
    assert_int_equal(recover(alliance), 1);
    for (int i = 0; i < 2; i++) {
        verify_finds_nothing(alliance);
        assert_int_equal(available(alliance, "ann"), 100);
        assert_int_equal(available(alliance, "two"), 0);
        assert_int_equal(cards_in_table(alliance, "ann"), 3);
        assert_int_equal(cards_in_profile(alliance, "ann"), 3);
        assert_int_equal(cards_in_profile(alliance, "two"), 0);
        assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM transfer_split"), 0);
        assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_MEMBER_EXISTS);
    }
}

/* Another list of cards, another address: pushed while the split is under way it counts, but for the cards that moved.
 */
static void what_is_pushed_in_between_stays(void **state)
{
    struct alliance *alliance = *state;
    static struct making making;
    static const uint8_t newer[] = "newer";

    make(&making, "token", "two");
    make_member(alliance, "ann", 100, &making);
    struct command send = split_of(alliance, "ann", 40, &making), push = command_set_member(alliance, "ann", 7);
    take_steps(alliance, &send, 2);
    struct member_profile pushed = making.whole;
    pushed.card_count = 2;
    pushed.sealed = newer;
    pushed.sealed_size = sizeof newer;
    pushed.sealed_mac[0] = 9;
    push.member.profile = &pushed;
    alliance_run(alliance, &push);
    assert_int_equal(push.answer.outcome, OUTCOME_CHANGED);
    assert_int_equal(recover(alliance), 1);
    verify_finds_nothing(alliance);
    assert_int_equal(cards_in_profile(alliance, "ann"), 1);
    assert_int_equal(cards_in_facts(alliance, "ann"), 1);
    assert_int_equal(cards_in_profile(alliance, "two"), 2);
    assert_int_equal(of_member(alliance, "SELECT count(*) FROM " OF_PROFILE " AND p.sealed = 'newer\\000'", "ann"), 1);
    /* What it is then is not known to be any list's: the next push is a change, the one after that is none. */
    push = command_set_member(alliance, "ann", 7);
    pushed.card_count = 1;
    push.member.profile = &pushed;
    alliance_run(alliance, &push);
    assert_int_equal(push.answer.outcome, OUTCOME_CHANGED);
    push = command_set_member(alliance, "ann", 7);
    push.member.profile = &pushed;
    alliance_run(alliance, &push);
    assert_int_equal(push.answer.outcome, OUTCOME_UNCHANGED);
}

/* The cards were read before somebody else changed them: nothing is begun. */
static void a_profile_that_was_another_begins_nothing(void **state)
{
    struct alliance *alliance = *state;
    static struct making making;
    struct parcel parcel;

    make(&making, "token", "two");
    make_member(alliance, "ann", 100, &making);
    struct command send = split_of(alliance, "ann", 40, &making);
    making.order.hash_before[5] ^= 1;
    send.send.parcel = &parcel;
    struct command first = send;
    alliance_run(alliance, &first);
    assert_int_equal(first.answer.reason, REASON_TRY_AGAIN);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM operation"), 0);
    making.order.hash_before[5] ^= 1;
    assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_OK);
    expect_two(alliance, "ann", "two");
}

/* A push of the profile that is left is what is there. */
static void what_is_left_is_known(void **state)
{
    struct alliance *alliance = *state;
    static struct making making;

    make(&making, "token", "two");
    make_member(alliance, "ann", 100, &making);
    struct command send = split_of(alliance, "ann", 40, &making), push = command_set_member(alliance, "ann", 0);
    assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_OK);
    push.member.profile = &making.left;
    alliance_run(alliance, &push);
    assert_int_equal(push.answer.outcome, OUTCOME_UNCHANGED);
    struct command second = command_set_member(alliance, "two", 50);
    second.member.profile = &making.moved;
    second.member.has_tier = true;
    second.member.tier = 2;
    alliance_run(alliance, &second);
    assert_int_equal(second.answer.outcome, OUTCOME_UNCHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_that_stops_anywhere_is_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(a_repeat_moves_no_card_again, setup, teardown),
        cmocka_unit_test_setup_teardown(one_split_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_made_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_pushed_in_between_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_profile_that_was_another_begins_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_is_known, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
