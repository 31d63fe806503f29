/*
 * rules_back_test.c -- BackTest: each message of the caller is answered with a piece of the month, replayed by a clerk.
 *
 * A piece is some ranges of members of one bucket; what is kept between pieces is the sums, so that memory does not
 * grow with the month. The members of a range come in order, each with all it did.
 */
#include "base/exact.h"
#include "domain/entry.h"
#include "domain/packed.h"
#include "engine/clerks.h"
#include "engine/reference.h"
#include "io/log.h"
#include "service/check.h"
#include "service/office.h"
#include "service/rules_back_test_groups.h"
#include "service/rules_document.h"
#include "service/rules_handlers.h"
#include "service/shape.h"
#include "store/back_test_store.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__BackTestRequest Asked;
typedef Alliance__V1__BackTestResponse Reply;

/*
 * A range has about as many events, a piece a few ranges when they are small. Each range reads the whole month of its
 * bucket to find its members, so that small ranges cost more than they spare the clerk.
 */
enum { RANGE_EVENTS = 60000, PREFIXES = 65536, ATTEMPTS_MAX = 33 };

/* Versions that decided then and are not in the snapshot any more. A price is of the day of the hold: some days before.
 */
enum { PAST_SETS_MAX = 64, PAST_DAYS = 32 };
static const int64_t us_per_day = INT64_C(86400) * US_PER_SECOND;
struct past_set {
    int32_t version;
    const struct rule_set *set;
};

/* Of one call; freed by rules_back_test_close. */
struct replay {
    struct clerk_job job;
    struct call *call;
    struct arena kept, row; /* the rule set; the event at hand */
    char bank_id[ID_MAX + 1];
    int32_t number, version; /* asked for; once begun those of the rule set */
    int32_t bank_no, attempts;
    int32_t range_events;
    bool begun, finished;
    bool counted;                  /* among those under way */
    int32_t bucket, range, ranges; /* the next one; 0 ranges: not counted yet */
    struct uuid member_id;         /* of the event before */
    struct merchant_groups merchants;
    struct back_test test;
    struct lots lots;
    struct past_set past[PAST_SETS_MAX];
    int32_t past_count;
    /* During a piece. */
    const struct reference *reference;
    const struct bank *bank;
};

/* Before its end is told, so that who heard of it may ask for the next one. */
static void count_off(struct replay *replay)
{
    if (replay->counted)
        atomic_fetch_sub(&replay->call->office->back_tests, 1);
    replay->counted = false;
}

void rules_back_test_close(struct call *call)
{
    struct replay *replay = call->state;

    if (!replay)
        return;
    count_off(replay);
    merchant_groups_free(&replay->merchants);
    arena_release(&replay->kept);
    arena_release(&replay->row);
    free(replay);
    call->state = NULL;
}

/* Events */

static bool broken(struct error *err, const char *what)
{
    return error_set(err, REASON_INTERNAL, "back-test: %s of a row cannot be read", what);
}

/* Where, when and who, as it was kept; spend from before rule sets were asked has its day and today's tier. */
static struct rule_case spend_case(const struct back_test_event *event)
{
    bool kept = event->spent_on.days != 0;

    return (struct rule_case){ .currency = event->currency,
                               .merchant_id = event->merchant_id,
                               .channel = event->channel,
                               .category = event->category ? event->category : CATEGORY_UNKNOWN,
                               .tier = kept ? event->tier_then : event->tier,
                               .date = kept ? event->spent_on : event->business_date };
}

static bool replay_spend(struct replay *replay, const struct back_test_event *event, struct error *err)
{
    const struct merchant *merchant = reference_merchant(replay->reference, event->merchant_id);
    struct back_test_group *group = merchant ? merchant_groups_find(&replay->merchants, merchant->no) : NULL;
    int64_t left = event->amount_minor - event->taken_minor, paid = 0;
    int64_t by_money =
        event->taken_minor > 0 ? rules_points_reversed(event->points, event->amount_minor, 0, event->taken_minor) : 0;

    if (merchant && !group)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!exact_ratio_floor(event->paid_with_points_minor, left, event->amount_minor, &paid))
        return broken(err, "the amount");
    const struct back_test_spend spend = {
        .where = spend_case(event),
        .booked = event->business_date,
        .amount_minor = left,
        .paid_with_points_minor = paid,
        .points = event->points - event->taken_points,
        .kept = event->points - event->taken_points,
        .of = event->points - by_money,
        .fixed = event->fixed_points,
    };
    back_test_spend(&replay->test, &spend, group);
    return true;
}

static const struct exchange_rules *rules_of(const struct bank *bank, int32_t version)
{
    for (size_t i = 0; i < bank->rules_count; i++) {
        if (bank->rules[i].version == version)
            return &bank->rules[i];
    }
    return NULL;
}

static const struct rule_set *set_then(const struct replay *replay, const struct exchange_rules *rules)
{
    for (int32_t i = 0; !rules->set && i < replay->past_count; i++) {
        if (replay->past[i].version == rules->version)
            return replay->past[i].set;
    }
    return rules->set;
}

/* Points for a minor unit there and then; den 0: not known. A set's rule, and the tier's factor, as members have it. */
static struct ratio conversion_of(const struct replay *replay, const struct exchange_rules *rules,
                                  const struct rule_case *where)
{
    const struct currency_rate *rate = rules ? rules_rate(rules, where->currency) : NULL;
    const struct rule_set *set = rate ? set_then(replay, rules) : NULL;
    struct currency_rate there = { 0 };

    if (!rate || (rules->by_set && !set))
        return there.conversion;
    if (!set || !rule_set_rates(set, where, &there))
        return rate->conversion;
    const struct tier *tier = rule_set_tier(set, where->tier);
    if (!tier)
        return there.conversion;
    return (struct ratio){ there.conversion.num * tier->conversion.num, there.conversion.den * tier->conversion.den };
}

/* Of what is left of it: the good's price, or the most that many points bought. 0: nobody can say. */
static int64_t price_of(const struct replay *replay, const struct back_test_event *event, const struct good *good,
                        const struct rule_case *where)
{
    struct ratio conversion = conversion_of(replay, rules_of(replay->bank, event->rules_version), where);
    int64_t points = event->points - event->taken_points, price = 0;

    if (good && exact_ratio_floor(good->price_minor, event->quantity, 1, &price) &&
        exact_ratio_floor(price, points, event->held_points, &price))
        return price;
    return conversion.num && exact_ratio_floor(points, conversion.den, conversion.num, &price) ? price : 0;
}

/* NULL: not known. */
static const struct terms *terms_of(const struct merchant *merchant, int32_t version)
{
    for (size_t i = 0; merchant && i < merchant->terms_count; i++) {
        if (merchant->terms[i].version == version)
            return &merchant->terms[i];
    }
    return NULL;
}

static bool replay_redemption(struct replay *replay, const struct back_test_event *event, struct error *err)
{
    const struct merchant *merchant = reference_merchant_no(replay->reference, event->merchant_no);
    const struct good *good = event->goods_no ? reference_good_no(replay->reference, event->goods_no) : NULL;
    const struct terms *terms = terms_of(merchant, event->terms_version);
    struct back_test_group *group = merchant_groups_find(&replay->merchants, event->merchant_no);

    if (!group)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!unpack_lots(event->draws.at, event->draws.size, &replay->lots))
        return broken(err, "the draws");
    const struct rule_case where = { .currency = event->currency,
                                     .merchant_id = merchant ? merchant->id : "",
                                     .channel = "",
                                     .category = terms && terms->category ? terms->category : CATEGORY_UNKNOWN,
                                     .goods_kind = good ? good->kind : 0,
                                     .tier = event->tier,
                                     .date = event->business_date };
    const struct back_test_redemption redemption = {
        .where = where,
        .goods_id = good ? good->id : "",
        .price_minor = price_of(replay, event, good, &where),
        .points = event->points - event->taken_points,
        .cost_minor = event->amount_minor - event->taken_minor,
        .commission_minor = event->commission_minor - event->taken_commission_minor,
        .commission_bp = terms ? terms->commission_bp : 0,
        .spendable = event->spendable_after + event->held_points,
        .lots = &replay->lots,
    };

    return back_test_redeem(&replay->test, &redemption, group) ||
           error_field(err, REASON_FIELD_INVALID, "month", "has redemptions in more than %d currencies",
                       (int)BACK_TEST_CURRENCIES);
}

static bool replay_event(void *owner, const void *row, struct error *err)
{
    struct replay *replay = owner;
    const struct back_test_event *event = row;

    if (memcmp(&replay->member_id, &event->member_id, sizeof event->member_id) != 0) {
        replay->member_id = event->member_id;
        back_test_member(&replay->test, event->tier);
    }
    if (event->what == BACK_TEST_SPEND)
        return replay_spend(replay, event, err);
    if (event->what == BACK_TEST_REDEEM)
        return replay_redemption(replay, event, err);
    back_test_expire(&replay->test, event->business_date, event->points,
                     event->kind == ENTRY_CLOSE || event->kind == ENTRY_CLOSE_PENDING);
    return true;
}

/* Ranges */

/* The first two bytes of a member's id are spread evenly; the last range ends with the last id there can be. */
static void range_bounds(const struct replay *replay, struct back_test_events_params *params)
{
    int32_t from = (int32_t)((int64_t)PREFIXES * replay->range / replay->ranges);
    int32_t to = (int32_t)((int64_t)PREFIXES * (replay->range + 1) / replay->ranges) - 1;

    memset(&params->from, 0, sizeof params->from);
    memset(&params->to, 0xff, sizeof params->to);
    params->from.bytes[0] = (uint8_t)(from >> 8);
    params->from.bytes[1] = (uint8_t)from;
    params->to.bytes[0] = (uint8_t)(to >> 8);
    params->to.bytes[1] = (uint8_t)to;
}

static bool count_ranges(struct replay *replay, struct db *db, struct error *err)
{
    const struct back_test_count_params params = { replay->bucket, replay->bank_no, replay->test.first,
                                                   replay->test.last };
    struct back_test_count_row row;
    bool found;

    if (!db_fetch_one(db, &back_test_count, &params, &replay->row, &row, &found, err))
        return false;
    int64_t ranges = 1 + row.events / replay->range_events;
    replay->ranges = (int32_t)(ranges < PREFIXES ? ranges : PREFIXES);
    replay->range = 0;
    return true;
}

static bool replay_range(struct replay *replay, struct db *db, struct error *err)
{
    struct back_test_events_params params = {
        .bucket = replay->bucket, .bank_no = replay->bank_no, .first = replay->test.first, .last = replay->test.last
    };

    if (replay->ranges == 0 && !count_ranges(replay, db, err))
        return false;
    range_bounds(replay, &params);
    if (!db_each(db, &back_test_events, &params, &replay->row, replay_event, replay, err))
        return false;
    if (++replay->range == replay->ranges) {
        replay->ranges = 0;
        replay->bucket++;
    }
    return true;
}

static bool replay_piece(struct replay *replay, struct db *db, struct error *err)
{
    int64_t entries = replay->test.entries;

    while (replay->bucket < replay->reference->buckets && replay->test.entries - entries < replay->range_events &&
           !call_cancelled(replay->call)) {
        if (!replay_range(replay, db, err))
            return false;
    }
    replay->finished = replay->bucket == replay->reference->buckets;
    if (replay->finished)
        back_test_end(&replay->test);
    return true;
}

/* Beginning */

/* Only what is closed in every bucket is compared with what was. */
static bool check_over(const struct replay *replay, struct db *db, int32_t programme_no, struct error *err)
{
    const struct back_test_open_params params = { programme_no };
    struct arena *arena = &replay->call->arena;
    struct back_test_open_row row;
    bool found;

    if (!db_fetch_one(db, &back_test_open, &params, arena, &row, &found, err))
        return false;
    return (found && replay->test.last.days < row.open_from.days) ||
           error_field(err, REASON_FIELD_INVALID, "month", "must be over: the programme's days are open from then on");
}

static bool was_in_force(const struct replay *replay, size_t i)
{
    const struct bank *bank = replay->bank;
    int64_t from = (replay->test.first.days - PAST_DAYS) * us_per_day,
            until = (replay->test.last.days + 2) * us_per_day;

    return bank->rules[i].effective_from.us < until &&
           (i + 1 == bank->rules_count || bank->rules[i + 1].effective_from.us >= from);
}

/* The newest of them when there are more than can be kept: prices by the others are not known. */
static bool read_past(struct replay *replay, struct errand *errand, struct error *err)
{
    for (size_t i = replay->bank->rules_count; i-- > 0 && replay->past_count < PAST_SETS_MAX;) {
        const struct exchange_rules *rules = &replay->bank->rules[i];
        struct rules_key key = { replay->bank_id, 0, rules->version };
        struct rules_found found;
        if (!rules->by_set || rules->set || !was_in_force(replay, i))
            continue;
        if (!rules_find(errand, &key, &found, err))
            return false;
        Alliance__V1__RuleSetDocument *document = rules_document_of(errand, &found, err);
        struct past_set *past = &replay->past[replay->past_count++];
        past->version = rules->version;
        past->set = document ? rules_document_read(document, replay->bank_id, &replay->kept, err) : NULL;
        if (!past->set)
            return false;
    }
    return true;
}

static bool begin_replay(struct replay *replay, struct db *db, struct error *err)
{
    struct errand errand = { .call = replay->call, .db = db, .reference = replay->reference };
    struct rules_key key = { replay->bank_id, replay->number, replay->version };
    struct rules_found found;

    if (!rules_find(&errand, &key, &found, err) || !check_over(replay, db, found.bank->programme_no, err) ||
        !read_past(replay, &errand, err))
        return false;
    Alliance__V1__RuleSetDocument *document = rules_document_of(&errand, &found, err);
    replay->test.set = document ? rules_document_read(document, replay->bank_id, &replay->kept, err) : NULL;
    replay->bank_no = found.bank->no;
    replay->number = found.row.number;
    replay->version = found.row.version;
    replay->begun = replay->test.set != NULL;
    return replay->begun;
}

/* Answering */

static const Reply *shape_reply(struct replay *replay, struct error *err)
{
    Reply *reply = shape_new(&replay->call->arena, &alliance__v1__back_test_response__descriptor);

    if (!reply) {
        errand_no_room(err);
        return NULL;
    }
    reply->entries = replay->test.entries;
    reply->finished = replay->finished;
    if (!replay->finished)
        return reply;
    reply->number = replay->number;
    reply->version = replay->version;
    if (back_test_shape(&replay->call->arena, replay->reference, &replay->test, &replay->merchants, reply))
        return reply;
    errand_no_room(err);
    return NULL;
}

/* What went wrong inside is for the log alone. */
static void fail(struct call *call, const struct error *err)
{
    const struct error inside = { .reason = REASON_INTERNAL };

    if (err->reason == REASON_INTERNAL)
        LOG(LOG_ERROR, "back_test", log_text("detail", error_text(err)));
    call_fail(call, err->reason == REASON_INTERNAL ? &inside : err);
}

/* A connection may have been cut while nobody used it: while nothing was counted yet another clerk may try. */
static bool again(struct replay *replay, int64_t entries, const struct error *err)
{
    struct error ignored;

    return replay->test.entries == entries && err->reason == REASON_DATABASE_UNREACHABLE &&
           ++replay->attempts < ATTEMPTS_MAX && clerks_submit(replay->call->office->clerks, &replay->job, &ignored);
}

/* On a clerk's thread. The next message may be handled as soon as this one is written. */
static void run_piece(struct clerk_job *job, struct db *db, struct error *err)
{
    struct replay *replay = (struct replay *)(void *)job;
    struct call *call = replay->call;
    int64_t entries = replay->test.entries;
    const Reply *reply = NULL;

    replay->reference = reference_acquire(call->office->reference);
    replay->bank = reference_bank(replay->reference, replay->bank_id);
    if (db && !replay->bank)
        error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    else if (db && (replay->begun || begin_replay(replay, db, err)) && replay_piece(replay, db, err))
        reply = shape_reply(replay, err);
    reference_release(replay->reference);
    if (!reply && db && again(replay, entries, err))
        return;
    if (!reply || replay->finished)
        count_off(replay);
    if (reply)
        call_write(call, &reply->base);
    else
        fail(call, err);
    call_release(call);
}

static bool read_month(const char *month, struct back_test *test, struct error *err)
{
    char day[DATE_TEXT + 8];

    snprintf(day, sizeof day, "%.7s-01", month);
    if (strlen(month) != 7 || !date_parse(day, &test->first) || test->first.days > date_of(9999, 11, 30).days)
        return error_field(err, REASON_FIELD_INVALID, "month", "must be a month as YYYY-MM");
    test->last = (struct date){ date_month_start(test->first, 1).days - 1 };
    return true;
}

static bool begin(struct call *call, const Asked *asked, struct error *err)
{
    struct rules_key key = { asked->bank_id, asked->number, asked->version };
    struct back_test month;

    if (!office_is_open(call->office, err) || !rules_check_key(call, &key, err) ||
        !read_month(asked->month, &month, err))
        return false;
    if (atomic_fetch_add(&call->office->back_tests, 1) >= BACK_TESTS_MAX) {
        atomic_fetch_sub(&call->office->back_tests, 1);
        return error_set(err, REASON_OVERLOADED, "%d back-tests are under way", (int)BACK_TESTS_MAX);
    }
    struct replay *replay = call->state = calloc(1, sizeof *replay);
    if (!replay) {
        atomic_fetch_sub(&call->office->back_tests, 1);
        return error_set(err, REASON_INTERNAL, "out of memory");
    }
    replay->job.run = run_piece;
    replay->call = call;
    replay->counted = true;
    replay->test.first = month.first;
    replay->test.last = month.last;
    replay->range_events = call->office->back_test_events ? call->office->back_test_events : RANGE_EVENTS;
    replay->number = asked->number;
    replay->version = asked->version;
    strcpy(replay->bank_id, asked->bank_id); /* an id */
    return true;
}

bool rules_back_test(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    struct replay *replay = call->state;
    const Asked *asked = (const Asked *)request;

    if (!request) {
        call_finish(call);
        return true;
    }
    if (!replay && !begin(call, asked, err))
        return false;
    if (replay && !(text_empty(asked->bank_id) && text_empty(asked->month) && !asked->number && !asked->version))
        return error_field(err, REASON_FIELD_INVALID, "bank_id", "must be empty after the first message");
    if (replay && replay->finished)
        return error_field(err, REASON_FIELD_INVALID, "bank_id", "the back-test is finished: end the stream");
    replay = call->state;
    replay->attempts = 0;
    call_hold(call);
    if (clerks_submit(call->office->clerks, &replay->job, err))
        return true;
    call_release(call);
    return false;
}
