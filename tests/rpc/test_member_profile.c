/* What a bank says of its members beside points: cards, contact data, consents, and the log of every change. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK   "bank/bank-a"
#define PERSON "bank/bank-a/person/paula"

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

/* One member in a message of its own, and what is said of it. */
__attribute__((format(printf, 4, 5))) static void push(struct house *house, const char *party, const char *verdict,
                                                       const char *format, ...)
{
    char member[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(member, sizeof member, format, args);
    va_end(args);
    house_expect(house_push(house, party, "PushMembers", "{'bankId': 'bank-a', 'rows': [{'member': %s}]}", member),
                 "{'verdicts': [%s]}", verdict);
}

#define CREATED   "{'outcome': 'ROW_OUTCOME_CREATED'}"
#define CHANGED   "{'outcome': 'ROW_OUTCOME_CHANGED'}"
#define UNCHANGED "{'outcome': 'ROW_OUTCOME_UNCHANGED'}"

#define ANN                                                                                                            \
    "{'memberRef': 'ann', 'creditLimit': '100', 'cards': [{'token': 'tok-ann-2', 'product': 'gold', 'expiresOn': "     \
    "'2029-12-31', 'supplementary': true, 'holderName': 'Holly Holder'}, {'token': 'tok-ann-1', 'status': "            \
    "'CARD_STATUS_BLOCKED'}], 'contact': {'name': 'Ann Archer', 'phone': '+86 138-0013-8000', 'email': "               \
    "'Ann.Archer@Example.com'}, 'consents': ['offers', 'email']}"

static const struct {
    const char *story, *member, *verdict;
} wrong_rows[] = {
    { "a card number for a card's token", "{'memberRef': 'a', 'cards': [{'token': '4111111111111111'}]}",
      "{'reason': 'CARD_NUMBER_REFUSED', 'detail': 'member.cards[0].token: looks like a card number; send a token "
      "instead'}" },
    { "a card twice", "{'memberRef': 'a', 'cards': [{'token': 'tok-1111'}, {'token': 'tok-1111', 'product': 'x'}]}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.cards[1].token: is there twice'}" },
    { "a holder of a card that is the member's own",
      "{'memberRef': 'a', 'cards': [{'token': 'tok-1111', 'holderName': 'H'}]}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.cards[0].holder_name: must be empty unless supplementary is "
      "set'}" },
    { "a day there is not", "{'memberRef': 'a', 'cards': [{'token': 'tok-1111', 'expiresOn': '2026-02-30'}]}",
      "{'reason': 'FIELD_INVALID'}" },
    { "a product with a quote", "{'memberRef': 'a', 'cards': [{'token': 'tok-1111', 'product': 'a\\\"b'}]}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.cards[0].product: must be 1 to 32 letters, digits, \\\"_\\\" and "
      "\\\"-\\\"'}" },
    { "a phone of letters", "{'memberRef': 'a', 'contact': {'phone': 'call me'}}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.contact.phone: must be 5 to 20 digits, blanks, \\\"-\\\", "
      "\\\"(\\\" "
      "and \\\")\\\", with \\\"+\\\" before them or not'}" },
    { "a phone of four digits", "{'memberRef': 'a', 'contact': {'phone': '12-34'}}", "{'reason': 'FIELD_INVALID'}" },
    { "an address with two @", "{'memberRef': 'a', 'contact': {'email': 'a@b@c'}}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.contact.email: must be an address with one \\\"@\\\", at most 254 "
      "bytes'}" },
    { "a consent with a blank", "{'memberRef': 'a', 'consents': ['ok', 'no way']}",
      "{'reason': 'FIELD_INVALID', 'detail': 'member.consents[1]: must be 1 to 32 letters, digits, \\\"_\\\" and "
      "\\\"-\\\"'}" },
};

static void what_is_wrong_is_named(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(wrong_rows); i++) {
        print_message("           %s\n", wrong_rows[i].story);
        push(house, BANK, wrong_rows[i].verdict, "%s", wrong_rows[i].member);
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change"), 0);
}

/* Rows of everything a member has that look like the pattern; bytes are in hexadecimal. */
static int64_t rows_like(struct house *house, const char *pattern)
{
    char sql[1024];

    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM (SELECT a::text FROM account a UNION ALL SELECT p::text FROM member_profile p "
             "UNION ALL SELECT c::text FROM member_change c UNION ALL SELECT k::text FROM card k "
             "UNION ALL SELECT o::text FROM operation o UNION ALL SELECT j::text FROM journal j) every (row) "
             "WHERE row ~* '%s'",
             pattern);
    return house_count(house, sql);
}

static void nothing_personal_is_in_clear(struct house *house)
{
    assert_int_equal(rows_like(house, "archer|holly|13800138000|138-0013|example.com"), 0);
    /* Parts of the same in hexadecimal: "rche", "olly", "138", "xample". */
    assert_int_equal(rows_like(house, "72636865|6f6c6c79|3133382d|78616d706c65"), 0);
}

static void contact_data_is_sealed_and_a_repeat_writes_nothing(void **state)
{
    struct house *house = *state;

    push(house, BANK, CREATED, ANN);
    assert_true(rows_like(house, "tok-ann-1") > 0); /* what is not personal would be found */
    nothing_personal_is_in_clear(house);
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_profile WHERE length(sealed) > 50 AND "
                                        "length(phone_mac) = 32 AND length(email_mac) = 32"),
                     1);
    int64_t before = house_rows(house);
    push(house, BANK, UNCHANGED, ANN);
    /* Cards in another order, the same address: sealed anew it has other bytes, and is still the same. */
    push(house, BANK, UNCHANGED,
         "{'memberRef': 'ann', 'creditLimit': '100', 'cards': [{'token': 'tok-ann-1', 'status': 2}, {'token': "
         "'tok-ann-2', 'product': 'gold', 'expiresOn': '2029-12-31', 'supplementary': true, 'holderName': 'Holly "
         "Holder'}], 'contact': {'name': 'Ann Archer', 'phone': '+86 138-0013-8000', 'email': "
         "'Ann.Archer@Example.com'}, 'consents': ['email', 'offers', 'email']}");
    assert_int_equal(house_rows(house), before);
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change"), 1);
    assert_int_equal(house_count(house, "SELECT count(DISTINCT xmin::text) FROM member_profile"), 1);
    push(house, BANK, CHANGED, "{'memberRef': 'ann', 'creditLimit': '100'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_profile WHERE sealed = '' AND phone_mac = '' AND "
                                        "email_mac = '' AND card_tokens = '{}' AND facts = ''"),
                     1);
    nothing_personal_is_in_clear(house);
}

#define TAKEN "{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': 'CARD_TAKEN'}"

static int64_t cards_of(struct house *house, const char *member_ref)
{
    char sql[128];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM card WHERE member_ref = '%s'", member_ref);
    return house_count(house, sql);
}

static void a_card_is_one_members_at_a_time(void **state)
{
    struct house *house = *state;

    push(house, BANK, CREATED,
         "{'memberRef': 'ann', 'cards': [{'token': 'tok-aaaa', 'product': 'gold'}], "
         "'cardTokens': ['tok-bbbb']}");
    assert_int_equal(cards_of(house, "ann"), 2);
    push(house, BANK, TAKEN, "{'memberRef': 'bob', 'cardTokens': ['tok-bbbb', 'tok-cccc']}");
    /* Refused, bob is not there, and has not kept the card that was nobody's. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 1);
    assert_int_equal(cards_of(house, "bob"), 0);
    /* The card moves: away from ann first. */
    push(house, BANK, CHANGED, "{'memberRef': 'ann', 'cards': [{'token': 'tok-aaaa', 'product': 'platinum'}]}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM card WHERE product = 'platinum' AND status = 1"), 1);
    push(house, BANK, CREATED, "{'memberRef': 'bob', 'cardTokens': ['tok-bbbb', 'tok-cccc']}");
    assert_int_equal(cards_of(house, "ann"), 1);
    assert_int_equal(cards_of(house, "bob"), 2);
    /* Another bank's card of that token is another card. */
    house_expect(
        house_push(house, "bank/bank-b", "PushMembers",
                   "{'bankId': 'bank-b', 'rows': [{'member': {'memberRef': 'ann', 'cardTokens': ['tok-bbbb']}}]}"),
        "{'verdicts': [" CREATED "]}");
    assert_int_equal(cards_of(house, "ann"), 2);
    /* A change of card keeps the points, and what is not said to be another stays. */
    int64_t before = house_rows(house);
    push(house, BANK, UNCHANGED, "{'memberRef': 'bob', 'cardTokens': ['tok-cccc', 'tok-bbbb']}");
    assert_int_equal(house_rows(house), before);
}

static void of_two_in_one_message_the_first_gets_the_card(void **state)
{
    struct house *house = *state;

    house_expect(
        house_push(house, BANK, "PushMembers",
                   "{'bankId': 'bank-a', 'rows': [{'member': {'memberRef': 'ann', 'cardTokens': ['tok-aaaa']}}, "
                   "{'member': {'memberRef': 'bob', 'creditLimit': '5'}}, {'member': {'memberRef': 'cid', "
                   "'cardTokens': ['tok-aaaa', 'tok-cccc']}}, {'member': {'memberRef': 'ann', 'cardTokens': "
                   "['tok-dddd']}}]}"),
        "{'verdicts': [" CREATED ", " CREATED ", " TAKEN ", " CHANGED "]}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM card"), 1);
    assert_int_equal(cards_of(house, "ann"), 1);
    /* Both changes of one batch are in the log, the second with what the first made. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change WHERE profile_before LIKE '%tok-aaaa%' AND "
                                        "profile_after LIKE '%tok-dddd%'"),
                     1);
}

#define MEMBER(ref, cards) "{'member': {'memberRef': '" ref "', 'cardTokens': [" cards "]}}"

/* Three members of a card each, then a message of three rows, and whose the cards are then. */
static const struct {
    const char *story, *rows, *verdicts, *owners;
} moves[] = {
    { "the giver first", MEMBER("ann", "") ", " MEMBER("bob", "'tok-aaaa', 'tok-bbbb'"), CHANGED ", " CHANGED,
      "bob bob cid" },
    { "the taker first", MEMBER("bob", "'tok-aaaa', 'tok-bbbb'") ", " MEMBER("ann", ""), CHANGED ", " CHANGED,
      "bob bob cid" },
    { "two swap", MEMBER("bob", "'tok-aaaa'") ", " MEMBER("ann", "'tok-bbbb'"), CHANGED ", " CHANGED, "bob ann cid" },
    { "three in a ring", MEMBER("ann", "'tok-bbbb'") ", " MEMBER("bob", "'tok-cccc'") ", " MEMBER("cid", "'tok-aaaa'"),
      CHANGED ", " CHANGED ", " CHANGED, "cid ann bob" },
    { "to a new member", MEMBER("dot", "'tok-aaaa'") ", " MEMBER("ann", ""), CREATED ", " CHANGED, "dot bob cid" },
    { "two want it",
      MEMBER("bob", "'tok-aaaa', 'tok-bbbb'") ", " MEMBER("cid", "'tok-aaaa', 'tok-cccc'") ", " MEMBER("ann", ""),
      CHANGED ", " TAKEN ", " CHANGED, "bob bob cid" },
    { "the giver keeps it in a second row",
      MEMBER("bob", "'tok-aaaa'") ", " MEMBER("ann", "") ", " MEMBER("ann", "'tok-aaaa'"),
      TAKEN ", " CHANGED ", " CHANGED, "ann bob cid" },
    { "the giver is refused, and so is who relies on it", MEMBER("bob", "'tok-aaaa'") ", " MEMBER("ann", "'tok-cccc'"),
      TAKEN ", " TAKEN, "ann bob cid" },
};

static void a_card_moves_within_a_message_in_any_order(void **state)
{
    for (size_t i = 0; i < COUNT(moves); i++) {
        struct house *house = *state;
        print_message("           %s\n", moves[i].story);
        house_expect(house_push(house, BANK, "PushMembers", "{'bankId': 'bank-a', 'rows': [%s, %s, %s]}",
                                MEMBER("ann", "'tok-aaaa'"), MEMBER("bob", "'tok-bbbb'"), MEMBER("cid", "'tok-cccc'")),
                     "{'verdicts': [" CREATED ", " CREATED ", " CREATED "]}");
        house_expect(house_push(house, BANK, "PushMembers", "{'bankId': 'bank-a', 'rows': [%s]}", moves[i].rows),
                     "{'verdicts': [%s]}", moves[i].verdicts);
        static const char *const tokens[] = { "tok-aaaa", "tok-bbbb", "tok-cccc" };
        for (size_t k = 0; k < COUNT(tokens); k++) {
            char owner[4] = { 0 };
            memcpy(owner, moves[i].owners + 4 * k, 3);
            house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'cardToken': '%s'}", tokens[k]),
                         "{'memberRefs': ['%s']}", owner);
            house_expect(house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': '%s'}", owner),
                         "{'memberRef': '%s'}", owner);
        }
        /* Each profile lists just the cards that are the member's. */
        assert_int_equal(house_count(house, "SELECT count(*) FROM (SELECT a.member_ref, unnest(p.card_tokens) FROM "
                                            "member_profile p JOIN account a USING (bucket, member_id)) x"),
                         3);
        teardown(state);
        setup(state);
    }
}

static void a_claim_nobody_followed_up_is_void_after_a_while(void **state)
{
    struct house *house = *state;

    push(house, BANK, CREATED, "{'memberRef': 'ann', 'cardTokens': ['tok-aaaa']}");
    /* As a server leaves it that dies between claim and lane. */
    house_sql(house, "UPDATE card SET member_id = gen_random_uuid(), member_ref = 'gone'");
    push(house, BANK, TAKEN, "{'memberRef': 'bob', 'cardTokens': ['tok-aaaa']}");
    house_sql(house, "UPDATE card SET claimed_at = claimed_at - interval '3 minutes'");
    push(house, BANK, CREATED, "{'memberRef': 'bob', 'cardTokens': ['tok-aaaa']}");
    assert_int_equal(cards_of(house, "bob"), 1);
    /* However old, a card its owner's profile lists is the owner's, until the owner is closed. */
    house_sql(house, "UPDATE card SET claimed_at = claimed_at - interval '3 minutes'");
    push(house, BANK, TAKEN, "{'memberRef': 'cid', 'cardTokens': ['tok-aaaa']}");
    house_ask(house, BANK, "CloseMember", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'bob'}", house_id());
    push(house, BANK, CREATED, "{'memberRef': 'cid', 'cardTokens': ['tok-aaaa']}");
    assert_int_equal(cards_of(house, "cid"), 1);
}

static void a_member_is_shown_and_only_its_bank_sees_what_is_personal(void **state)
{
    struct house *house = *state;

    push(house, BANK, CREATED, ANN);
    house_expect(
        house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
        "{'memberRef': 'ann', 'facts': {'status': 'MEMBER_STATUS_ACTIVE', 'creditLimit': '100', 'tier': 0, "
        "'cards': [{'token': 'tok-ann-1', 'status': 'CARD_STATUS_BLOCKED', 'holderName': ''}, {'token': "
        "'tok-ann-2', 'product': 'gold', 'status': 'CARD_STATUS_ACTIVE', 'expiresOn': '2029-12-31', "
        "'supplementary': true, 'holderName': ''}], 'consents': ['email', 'offers'], 'contactFields': ['name', "
        "'phone', 'email']}}");
    json_t *with = house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann', 'withContact': true}");
    house_expect(with, "{'contact': {'name': 'Ann Archer', 'phone': '+86 138-0013-8000', 'email': "
                       "'Ann.Archer@Example.com'}, 'facts': {'cards': [{'holderName': ''}, {'holderName': 'Holly "
                       "Holder'}]}}");
    json_t *without = house_ask(house, "operator/olga", "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann'}");
    assert_null(json_object_get(without, "contact"));
    house_refused(house, "operator/olga", "GetMember", REASON_ROLE_NOT_ALLOWED, "with_contact",
                  "{'bankId': 'bank-a', 'memberRef': 'ann', 'withContact': true}");
    house_refused(house, "bank/bank-b", "GetMember", REASON_NOT_YOURS, "bank_id",
                  "{'bankId': 'bank-a', 'memberRef': 'ann'}");
    house_refused(house, BANK, "GetMember", REASON_MEMBER_NOT_FOUND, "member_ref",
                  "{'bankId': 'bank-a', 'memberRef': 'bob'}");
    /* Moved to another row, what was sealed does not open. */
    push(house, BANK, CREATED, "{'memberRef': 'bob', 'contact': {'name': 'Bob'}}");
    house_sql(house, "UPDATE member_profile p SET sealed = (SELECT sealed FROM member_profile WHERE phone_mac <> '') "
                     "WHERE phone_mac = ''");
    house_refused(house, BANK, "GetMember", REASON_INTERNAL, NULL,
                  "{'bankId': 'bank-a', 'memberRef': 'bob', 'withContact': true}");
}

static void members_are_found_within_their_bank(void **state)
{
    struct house *house = *state;

    push(house, BANK, CREATED, ANN);
    push(house, BANK, CREATED, "{'memberRef': 'abe', 'contact': {'phone': '+8613800138000'}}");
    push(house, BANK, CREATED, "{'memberRef': 'cid', 'contact': {'phone': '+8613800138001'}}");
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'phone': '86 (138) 0013 8000'}"),
                 "{'memberRefs': ['abe', 'ann']}");
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'email': 'ANN.archer@example.COM'}"),
                 "{'memberRefs': ['ann']}");
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'email': 'bob@example.com'}"),
                 "{'memberRefs': []}");
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'cardToken': 'tok-ann-2'}"),
                 "{'memberRefs': ['ann'], 'card': {'token': 'tok-ann-2', 'product': 'gold', 'expiresOn': '2029-12-31', "
                 "'supplementary': true}}");
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'cardToken': 'tok-ann-3'}"),
                 "{'memberRefs': []}");
    house_expect(house_ask(house, "bank/bank-b", "FindMember", "{'bankId': 'bank-b', 'phone': '+8613800138000'}"),
                 "{'memberRefs': []}");
    house_refused(house, "bank/bank-b", "FindMember", REASON_NOT_YOURS, "bank_id",
                  "{'bankId': 'bank-a', 'phone': '+8613800138000'}");
    house_refused(house, "operator/olga", "FindMember", REASON_ROLE_NOT_ALLOWED, NULL,
                  "{'bankId': 'bank-a', 'phone': '+8613800138000'}");
    house_refused(house, BANK, "FindMember", REASON_FIELD_INVALID, "phone", "{'bankId': 'bank-a'}");
    house_refused(house, BANK, "FindMember", REASON_FIELD_INVALID, "phone",
                  "{'bankId': 'bank-a', 'phone': '12345', 'email': 'a@b'}");
    house_refused(house, BANK, "FindMember", REASON_CARD_NUMBER_REFUSED, "card_token",
                  "{'bankId': 'bank-a', 'cardToken': '4111111111111111'}");
}

static void every_change_is_in_the_log(void **state)
{
    struct house *house = *state;

    push(house, BANK, CREATED, "{'memberRef': 'ann', 'creditLimit': '100', 'cardTokens': ['tok-1111']}");
    push(house, PERSON, CHANGED, "{'memberRef': 'ann', 'creditLimit': '50', 'status': 2, 'cardTokens': ['tok-1111']}");
    push(house, BANK, UNCHANGED, "{'memberRef': 'ann', 'creditLimit': '50', 'status': 2, 'cardTokens': ['tok-1111']}");
    house_ask(house, PERSON, "SetTier", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'tier': 3}",
              house_id());
    push(house, BANK, CHANGED,
         "{'memberRef': 'ann', 'creditLimit': '50', 'status': 2, 'cardTokens': ['tok-2222'], 'consents': ['offers'], "
         "'contact': {'phone': '12345'}}");
    json_t *reply = house_ask(house, BANK, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'ann'}");
    house_expect(
        reply,
        "{'nextPageToken': '', 'changes': ["
        "{'seq': '1', 'businessDate': '2026-01-15', 'time': '2026-01-15T12:00:00Z', 'changedBy': "
        "'alliance://bank/bank-a', 'batchNumber': '0', 'profileChanged': true, 'after': {'status': "
        "'MEMBER_STATUS_ACTIVE', 'creditLimit': '100', 'cards': [{'token': 'tok-1111'}]}}, "
        "{'seq': '2', 'changedBy': 'alliance://bank/bank-a/person/paula', 'profileChanged': false, 'before': "
        "{'status': "
        "'MEMBER_STATUS_ACTIVE', 'creditLimit': '100', 'cards': []}, 'after': {'status': 'MEMBER_STATUS_FROZEN', "
        "'creditLimit': '50'}}, "
        "{'seq': '3', 'changedBy': 'alliance://bank/bank-a/person/paula', 'before': {'tier': 0}, 'after': {'tier': "
        "3}}, "
        "{'seq': '4', 'profileChanged': true, 'before': {'cards': [{'token': 'tok-1111'}], 'consents': [], "
        "'contactFields': []}, 'after': {'cards': [{'token': 'tok-2222'}], 'consents': ['offers'], 'contactFields': "
        "['phone']}}]}");
    assert_null(json_object_get(json_array_get(json_object_get(reply, "changes"), 0), "before"));
    json_t *first =
        house_ask(house, BANK, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageSize': 3}");
    assert_int_equal(json_array_size(json_object_get(first, "changes")), 3);
    house_expect(house_ask(house, "operator/olga", "ListMemberChanges",
                           "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageSize': 1000}"),
                 "{'nextPageToken': ''}");
    house_expect(house_ask(house, BANK, "ListMemberChanges",
                           "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageSize': 3, 'pageToken': '%s'}",
                           house_text(first, "nextPageToken")),
                 "{'changes': [{'seq': '4'}], 'nextPageToken': ''}");
    house_refused(house, "bank/bank-b", "ListMemberChanges", REASON_NOT_YOURS, "bank_id",
                  "{'bankId': 'bank-a', 'memberRef': 'ann'}");
    /* Each row of the log is of an entry of the journal. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change c JOIN journal j USING (bucket, member_id, "
                                        "seq) WHERE j.at = c.at"),
                     4);
}

#define ERASE "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann'}"

static void an_erased_member_leaves_nothing_personal(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    push(house, BANK, CREATED, ANN);
    push(house, BANK, CHANGED,
         "{'memberRef': 'ann', 'creditLimit': '100', 'cardTokens': ['tok-ann-1'], 'contact': "
         "{'name': 'Ann Other', 'phone': '555 1234'}, 'consents': ['offers']}");
    push(house, BANK, CREATED, "{'memberRef': 'bob', 'contact': {'phone': '555 1234'}}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change WHERE sealed_before <> ''"), 1);
    house_refused(house, "bank/bank-b", "EraseMember", REASON_NOT_YOURS, "bank_id", ERASE, house_id());
    house_refused(house, "operator/olga", "EraseMember", REASON_ROLE_NOT_ALLOWED, NULL, ERASE, house_id());
    house_ask(house, BANK, "EraseMember", ERASE, id);
    int64_t before = house_rows(house);
    house_ask(house, BANK, "EraseMember", ERASE, id); /* the same again */
    assert_int_equal(house_rows(house), before);
    /* Of ann nothing is left that is sealed or searched by; of bob it is. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change WHERE sealed_before <> ''"), 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_profile WHERE sealed <> '' OR phone_mac <> '' OR "
                                        "email_mac <> ''"),
                     1);
    house_expect(house_ask(house, BANK, "FindMember", "{'bankId': 'bank-a', 'phone': '5551234'}"),
                 "{'memberRefs': ['bob']}");
    json_t *left = house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann', 'withContact': true}");
    assert_null(json_object_get(left, "contact"));
    house_expect(left, "{'facts': {'creditLimit': '100', 'cards': [{'token': 'tok-ann-1'}], 'consents': ['offers'], "
                       "'contactFields': []}}");
    house_expect(house_ask(house, BANK, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'changes': [{'seq': '1'}, {'seq': '2'}, {'seq': '3', 'profileChanged': true, 'before': {'cards': "
                 "[{'token': 'tok-ann-1'}], 'consents': ['offers'], 'contactFields': ['name', 'phone']}, 'after': "
                 "{'cards': [{'token': 'tok-ann-1'}], 'consents': ['offers'], 'contactFields': []}}]}");
    /* The bank may still say the same of it, and say something personal again. */
    push(house, BANK, CHANGED,
         "{'memberRef': 'ann', 'creditLimit': '100', 'cardTokens': ['tok-ann-1'], 'consents': "
         "['offers'], 'contact': {'name': 'Ann'}}");
    house_expect(house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann', 'withContact': true}"),
                 "{'contact': {'name': 'Ann'}}");
    house_refused(house, BANK, "EraseMember", REASON_MEMBER_NOT_FOUND, NULL,
                  "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'zoe'}", house_id());
}

#define ORDER                                                                                                          \
    "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': '%s', 'merchantId': 'shop-1', 'points': '%d', 'goodsId': "   \
    "'kettle', 'quantity': 1, 'shipTo': {'recipient': 'Ann', 'phone': '555', 'addressLine': 'Road 1', 'city': 'X', "   \
    "'postalCode': '1', 'countryCode': 'CN'}}"

/* Orders of ann: cancelled, delivered, on its way, confirmed and not booked, held, refused; and one of bob's. */
static void addresses_are_erased_once_their_parcels_arrived(void **state)
{
    static const struct {
        const char *who;
        bool cancelled, confirmed;
        int shipment; /* its state; 0: there is none */
    } orders[] = {
        { "ann", true, false, 0 },  { "ann", false, true, 6 }, { "ann", false, true, 4 }, { "ann", false, true, 0 },
        { "ann", false, false, 0 }, { "ann", false, true, 9 }, { "bob", false, true, 6 },
    };
    struct house *house = *state;
    char sql[600];

    house_member(house, "ann", 10000);
    house_member(house, "bob", 10000);
    for (size_t i = 0; i < COUNT(orders); i++) {
        json_t *held = house_ask(house, "merchant/shop-1", "HoldRedemption", ORDER, house_id(), orders[i].who, 500);
        const char *id = house_text(held, "redemptionId");
        if (orders[i].cancelled)
            house_ask(house, "merchant/shop-1", "CancelRedemption", "{'requestId': '%s', 'redemptionId': '%s'}",
                      house_id(), id);
        if (orders[i].confirmed)
            house_ask(house, "merchant/shop-1", "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s'}",
                      house_id(), id);
        snprintf(sql, sizeof sql,
                 "INSERT INTO shipment (bucket, id, programme_no, carrier_no, merchant_no, goods_no, quantity, state) "
                 "SELECT bucket, id, programme_no, 1, merchant_no, goods_no, quantity, %d FROM redemption WHERE id = "
                 "left('%s', 36)::uuid AND %d > 0",
                 orders[i].shipment, id, orders[i].shipment);
        house_sql(house, sql);
    }
    house_refused(house, "merchant/shop-1", "HoldRedemption", REASON_INSUFFICIENT_POINTS, NULL,
                  "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', 'points': "
                  "'50000', 'goodsId': 'kettle', 'quantity': 100, 'shipTo': {'recipient': 'Ann', 'phone': '555', "
                  "'addressLine': 'Road 1', 'city': 'X', 'postalCode': '1', 'countryCode': 'CN'}}",
                  house_id());
    /* No parcel will ever need that of a refused one. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE ship_to <> ''"), COUNT(orders));
    house_ask(house, BANK, "EraseMember", ERASE, house_id());
    /* On its way, not booked yet, and held; and bob's. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption WHERE ship_to <> ''"), 4);
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption r JOIN account a USING (bucket, member_id) "
                                        "WHERE a.member_ref = 'ann' AND ship_to <> ''"),
                     3);
    house_sql(house, "UPDATE shipment SET state = 6");
    house_ask(house, BANK, "EraseMember", ERASE, house_id());
    assert_int_equal(house_count(house, "SELECT count(*) FROM redemption r JOIN account a USING (bucket, member_id) "
                                        "WHERE a.member_ref = 'ann' AND ship_to <> ''"),
                     2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(contact_data_is_sealed_and_a_repeat_writes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_card_is_one_members_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(of_two_in_one_message_the_first_gets_the_card, setup, teardown),
        cmocka_unit_test_setup_teardown(a_card_moves_within_a_message_in_any_order, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_are_erased_once_their_parcels_arrived, setup, teardown),
        cmocka_unit_test_setup_teardown(a_claim_nobody_followed_up_is_void_after_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(a_member_is_shown_and_only_its_bank_sees_what_is_personal, setup, teardown),
        cmocka_unit_test_setup_teardown(members_are_found_within_their_bank, setup, teardown),
        cmocka_unit_test_setup_teardown(every_change_is_in_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(an_erased_member_leaves_nothing_personal, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
