/*
 * tests/model/test_lanes_model.c -- the same commands through real lanes and PostgreSQL: every verdict and, in the end,
 * every row of every table must be what the naive model says.
 *
 * Commands are submitted together, some hundred at a time, and decided by the model in the order they are given;
 * members of several buckets and three banks, earlier request ids again with equal and with other content, transfers
 * between buckets, two banks with exposure limits, rules that change on the way. ALLIANCE_MODEL_ROUNDS says how many
 * batches (by default 60, a third of that under a sanitizer), ALLIANCE_MODEL_SEED where to begin.
 */
#include "generate.h"
#include "members.h"
#include "points.h"
#include "tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ROUNDS = 20 };
#else
enum { ROUNDS = 60 };
#endif
enum {
    BATCH = 300,
    TABLES_EVERY = 10,
    NAMES = 20,
    OF_BANK_A = 12,
    THERE_AT_FIRST = 10,
    VERSIONS = 3,
    EXPOSURE = 240,
    USUAL_ROUNDS = 60
};

#define HOUR INT64_C(3600000000)

/* effective_from: days after the first, in days. */
static const struct {
    int32_t bank_no, from;
    struct exchange_rules rules;
} versions[] = {
    { 1,
      -30,
      { .version = 1,
        .minimum_points = 1,
        .expiry_months = 1,
        .accrual = { 1, 1 },
        .expiry_kind = 1,
        .rate_count = 1,
        .rates = { { "CNY", { 1, 1 }, { 7, 10 } } } } },
    { 1,
      10,
      { .version = 2,
        .minimum_points = 1,
        .expiry_months = 2,
        .reinstate_grace_days = 10,
        .accrual = { 2, 3 },
        .expiry_kind = EXPIRY_TO_THE_DAY,
        .pending_days = 2,
        .rate_count = 1,
        .rates = { { "CNY", { 1, 1 }, { 3, 4 } } },
        .caps = { { 1, 30, 60, 200 }, { 3, 0, 100, 0 } },
        .cap_count = 2,
        .tier_limits = { { 0, 10 }, { 2, 35 } },
        .tier_limit_count = 2 } },
    { 1,
      60,
      { .version = 3,
        .minimum_points = 2,
        .expiry_months = 1,
        .accrual = { 1, 1 },
        .expiry_kind = EXPIRY_FIXED_DAY,
        .expiry_month = 2,
        .expiry_day = 29,
        .rate_count = 1,
        .rates = { { "CNY", { 1, 1 }, { 1, 3 } } } } },
    { 2,
      -30,
      { .version = 1,
        .minimum_points = 1,
        .expiry_months = 1,
        .accrual = { 5, 4 },
        .expiry_kind = 1,
        .reinstate_grace_days = 3,
        .rate_count = 1,
        .rates = { { "CNY", { 1, 1 }, { 1, 1 } } },
        .member_velocity = { 20 * HOUR, 3, 60 },
        .card_velocity = { 20 * HOUR, 1, 0 } } },
    { 2,
      30,
      { .version = 2,
        .minimum_points = 1,
        .expiry_months = 1,
        .accrual = { 1, 2 },
        .expiry_kind = 1,
        .rate_count = 1,
        .rates = { { "CNY", { 1, 1 }, { 5, 2 } } },
        .member_velocity = { 20 * HOUR, 0, 50 },
        .card_velocity = { 10 * HOUR, 1, 50 },
        .caps = { { 0, 40, 0, 90 } },
        .cap_count = 1,
        .tier_limits = { { 1, 20 } },
        .tier_limit_count = 1 } },
    { 3,
      -30,
      { .version = 1,
        .minimum_points = 1,
        .expiry_months = 1,
        .accrual = { 1, 1 },
        .expiry_kind = 1,
        .rate_count = 1,
        .rates = { { "CNY", { 1, 1 }, { 2, 1 } } } } },
};

static const struct terms terms[MODEL_MERCHANTS] = {
    [1] = { .version = 1, .commission_bp = 100, .currency = "CNY" },
    [2] = { .version = 1, .commission_bp = 250, .currency = "CNY" },
};
static const struct price price = { 5, "CNY", 0 };

struct side {
    struct alliance alliance;
    struct model model;
    struct generator generator;
    struct parcel *sent;
    struct command *commands;
    struct answer *answers;
    int32_t first_day;
    int64_t met[REASON_COUNT];
};

static void run_sql(struct side *side, const char *sql)
{
    struct error err = { 0 };

    if (!db_script(side->alliance.db, sql, &err))
        fail_msg("%s: %s", sql, error_text(&err));
}

static void put_version(struct side *side, size_t which)
{
    const struct exchange_rules *rules = &versions[which].rules;
    const struct velocity *member = &rules->member_velocity, *card = &rules->card_velocity;
    const struct ratio *settlement = &rules->rates[0].settlement;
    int32_t bank_no = versions[which].bank_no;
    char sql[2048];

    snprintf(sql, sizeof sql,
             "INSERT INTO exchange_rules (bank_no, version, effective_from, minimum_points, expiry_months, "
             "reinstate_grace_days, accrual_num, accrual_den, request_id, content_hash, expiry_kind, expiry_month, "
             "expiry_day, pending_days, member_window_us, member_max_holds, member_max_points, card_window_us, "
             "card_max_holds, card_max_points) VALUES (%d, %d, '1970-01-01'::timestamptz + interval '%d days', %lld, "
             "%d, %d, %lld, %lld, gen_random_uuid(), '', %d, %d, %d, %d, %lld, %d, %lld, %lld, %d, %lld);"
             "INSERT INTO exchange_rate VALUES (%d, %d, 'CNY', 1, 1, %lld, %lld)",
             bank_no, rules->version, side->first_day + versions[which].from, (long long)rules->minimum_points,
             rules->expiry_months, rules->reinstate_grace_days, (long long)rules->accrual.num,
             (long long)rules->accrual.den, rules->expiry_kind, rules->expiry_month, rules->expiry_day,
             rules->pending_days, (long long)member->window_us, member->max_holds, (long long)member->max_points,
             (long long)card->window_us, card->max_holds, (long long)card->max_points, bank_no, rules->version,
             (long long)settlement->num, (long long)settlement->den);
    run_sql(side, sql);
    for (int32_t i = 0; i < rules->cap_count; i++) {
        const struct caps *caps = &rules->caps[i];
        snprintf(sql, sizeof sql, "INSERT INTO exchange_cap VALUES (%d, %d, %d, %lld, %lld, %lld)", bank_no,
                 rules->version, caps->tier, (long long)caps->per_redemption, (long long)caps->per_day,
                 (long long)caps->per_month);
        run_sql(side, sql);
    }
}

static void put_tier_limits(struct side *side, size_t which)
{
    const struct exchange_rules *rules = &versions[which].rules;
    char sql[256];

    for (int32_t i = 0; i < rules->tier_limit_count; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO exchange_tier_limit VALUES (%d, %d, %d, %lld)", versions[which].bank_no,
                 rules->version, rules->tier_limits[i].tier, (long long)rules->tier_limits[i].points);
        run_sql(side, sql);
    }
}

static void set_up(struct side *side)
{
    char sql[512];

    run_sql(side,
            "DELETE FROM exchange_rate; DELETE FROM exchange_rules; UPDATE goods SET price_minor = 5;"
            "INSERT INTO bank (bank_id, programme_no, name) VALUES ('bank-b', 1, 'Bank B'), ('bank-c', 1, 'Bank C')");
    for (size_t i = 0; i < COUNT(versions); i++) {
        put_version(side, i);
        put_tier_limits(side, i);
    }
    snprintf(
        sql, sizeof sql,
        "INSERT INTO exposure SELECT b, k, 'CNY', %d, %d, 0 FROM generate_series(0, %d) b, generate_series(2, 3) k;"
        "UPDATE installation SET reference_version = 2; UPDATE fence SET reference_version = 2",
        EXPOSURE, EXPOSURE / TEST_BUCKETS, TEST_BUCKETS - 1);
    run_sql(side, sql);
    side->model.exposures[2] = side->model.exposures[3] = (struct model_exposure){ true, "CNY", EXPOSURE, 0 };
}

static void facts_of_now(struct side *side)
{
    struct model_facts *facts = &side->model.facts;

    for (size_t i = 0; i < COUNT(versions); i++) {
        if ((side->first_day + versions[i].from) * INT64_C(86400000000) <= facts->now)
            facts->rules[versions[i].bank_no] = &versions[i].rules;
    }
}

static void tell_time(struct side *side)
{
    char instant[INSTANT_TEXT], date[DATE_TEXT];

    instant_format((struct instant){ side->model.facts.now }, instant);
    date_format((struct date){ side->model.facts.today }, date);
    alliance_clock(&side->alliance, instant);
    alliance_business_date(&side->alliance, date);
    facts_of_now(side);
}

/* The members of banks B and C are all of one bucket: what a limit has room for then depends on their order alone. */
static void name_members(struct generator *generator)
{
    int bucket = -1, tried = 0;

    for (size_t name = 0; name < NAMES; name++) {
        generator->name[name].bank_no = name < OF_BANK_A ? 1 : 2 + (int32_t)(name % 2);
        do {
            snprintf(generator->name[name].ref, sizeof generator->name[name].ref, "m%d", tried++);
            generator->name[name].id =
                command_member_id(generator->bank_ids[generator->name[name].bank_no], generator->name[name].ref);
            if (name == OF_BANK_A)
                bucket = member_hash16(&generator->name[name].id) % TEST_BUCKETS;
        } while (name > OF_BANK_A && member_hash16(&generator->name[name].id) % TEST_BUCKETS != bucket);
    }
}

static void prepare(struct side *side, uint64_t seed)
{
    static const char *const bank_ids[MODEL_BANKS] = { "", "bank-a", "bank-b", "bank-c" };
    struct generator *g = &side->generator;
    struct date first;

    assert_true(date_parse("2028-01-15", &first));
    side->first_day = first.days;
    side->model.buckets = TEST_BUCKETS;
    side->model.facts = (struct model_facts){ .now = first.days * INT64_C(86400000000) + 12 * HOUR,
                                              .today = first.days,
                                              .terms = { NULL, &terms[1], &terms[2] },
                                              .prices = { NULL, &price } };
    *g = (struct generator){ .seed = seed,
                             .model = &side->model,
                             .bank_ids = bank_ids,
                             .names = NAMES,
                             .merchants = 2,
                             .goods = 1,
                             .fundings = 3,
                             .id_time_us = INT64_C(1768478400000000),
                             .repeats = true,
                             .texts = calloc(GENERATED_MAX, sizeof *g->texts),
                             .transactions = calloc(TRANSACTIONS_MAX, sizeof *g->transactions) };
    side->sent = calloc(GENERATED_MAX, sizeof *side->sent);
    side->commands = calloc(BATCH, sizeof *side->commands);
    side->answers = calloc(BATCH, sizeof *side->answers);
    assert_true(g->texts && g->transactions && side->sent && side->commands && side->answers);
    for (size_t i = 0; i < GENERATED_MAX; i++)
        g->texts[i].sent = &side->sent[i];
    name_members(g);
}

static void release(struct side *side)
{
    model_release(&side->model);
    free(side->generator.earlier.at);
    free(side->generator.texts);
    free(side->generator.transactions);
    free(side->sent);
    free(side->commands);
    free(side->answers);
    free(side);
}

#define SAME(what, field)                                                                                              \
    do {                                                                                                               \
        if ((int64_t)ours->field != (int64_t)theirs->field)                                                            \
            fail_msg("round %zu, command %zu of %zu, kind %d: %s is %lld, the model says %lld", round, i, count,       \
                     (int)side->commands[i].kind, what, (long long)ours->field, (long long)theirs->field);             \
    } while (0)

static void compare_answers(struct side *side, size_t round, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct answer *ours = &side->commands[i].answer, *theirs = &side->answers[i];
        if (ours->reason != theirs->reason)
            fail_msg("round %zu, command %zu of %zu, kind %d: %s, the model says %s", round, i, count,
                     (int)side->commands[i].kind, reason_name(ours->reason), reason_name(theirs->reason));
        side->met[ours->reason]++;
        SAME("the outcome", outcome);
        SAME("the state", state);
        SAME("what was moved", points);
        SAME("spendable", spendable);
        SAME("gross", gross_minor);
        SAME("commission", commission_minor);
        SAME("the date", business_date.days);
        SAME("the time", time.us);
        SAME("when it lapses", lapse_at.us);
    }
}

/*
 * Holds that lapse free room under a limit, and a batch lets those of its members lapse first, whoever comes first in
 * it. What is in a batch is a matter of time; so time does its work before the round.
 */
static void tidy_members(struct side *side)
{
    size_t count = 0;

    for (size_t name = OF_BANK_A; name < NAMES; name++) {
        if (model_member(&side->model, &side->generator.name[name].id) >= 0)
            generate_tidy(&side->generator, &side->commands[count++], name);
    }
    for (size_t i = 0; i < count; i++)
        model_decide(&side->model, &side->commands[i], &side->answers[i]);
    if (count > 0)
        alliance_run_all(&side->alliance, side->commands, count);
}

/* As much more for every bucket, as the operator would. */
static void raise_limits(struct side *side)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "UPDATE exposure SET limit_minor = limit_minor + %d, allotted_minor = allotted_minor + %d", EXPOSURE,
             EXPOSURE / TEST_BUCKETS);
    run_sql(side, sql);
    for (int bank_no = 0; bank_no < MODEL_BANKS; bank_no++)
        side->model.exposures[bank_no].limit += side->model.exposures[bank_no].limited ? EXPOSURE : 0;
}

static void run_round(struct side *side, size_t round)
{
    struct generator *g = &side->generator;
    size_t count = 1 + (size_t)chance(g, chance(g, 4) ? BATCH : 8);

    if (chance(g, 2))
        generate_time(g);
    tell_time(side);
    tidy_members(side);
    g->transfers_known = side->model.transfers.count;
    for (size_t i = 0; i < count; i++) {
        if (round == 0 && i < THERE_AT_FIRST)
            generate_set_member(g, &side->commands[i], i < THERE_AT_FIRST - 3 ? i : OF_BANK_A + i - 7);
        else
            generate(g, &side->commands[i]);
        model_decide(&side->model, &side->commands[i], &side->answers[i]);
    }
    alliance_run_all(&side->alliance, side->commands, count);
    compare_answers(side, round, count);
    if (round % TABLES_EVERY == TABLES_EVERY - 1) {
        tables_compare(&side->model, side->alliance.conninfo);
        raise_limits(side);
    }
}

static int64_t number_from(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoll(text, NULL, 10) : otherwise;
}

/* What a run of that length meets, whatever the seed. */
static const enum reason usual[] = {
    REASON_REQUEST_ID_REUSED,
    REASON_TRANSACTION_REUSED,
    REASON_MEMBER_CLOSED,
    REASON_MEMBER_FROZEN,
    REASON_MEMBER_DECEASED,
    REASON_HOLD_LAPSED,
    REASON_REDEMPTION_ENDED,
    REASON_NOT_PENDING,
    REASON_BEYOND_ACCRUAL,
    REASON_REDEMPTION_NOT_CONFIRMED,
    REASON_INSUFFICIENT_POINTS,
    REASON_EXPOSURE_LIMIT,
    REASON_VELOCITY_MEMBER,
    REASON_VELOCITY_CARD,
    REASON_BEYOND_HOLD,
    REASON_BEYOND_CONFIRMED,
    REASON_MEMBER_NOT_FOUND,
    REASON_REDEMPTION_NOT_FOUND,
    REASON_POINTS_NOT_POSITIVE,
    REASON_POINTS_TOO_MANY,
    REASON_CURRENCY_NOT_EXCHANGED,
};

static void lanes_and_tables_agree_with_the_naive_telling(void **state)
{
    struct side *side = calloc(1, sizeof *side);
    size_t rounds = (size_t)number_from("ALLIANCE_MODEL_ROUNDS", ROUNDS);
    int64_t commands = 0;

    (void)state;
    assert_non_null(side);
    prepare(side, (uint64_t)number_from("ALLIANCE_MODEL_SEED", 1));
    alliance_open(&side->alliance);
    set_up(side);
    for (size_t round = 0; round < rounds; round++)
        run_round(side, round);
    tables_compare(&side->model, side->alliance.conninfo);
    alliance_check(&side->alliance);
    points_compare(&side->alliance);
    alliance_close(&side->alliance);
    for (size_t reason = 0; reason < REASON_COUNT; reason++)
        commands += side->met[reason];
    print_message("%zu rounds, %lld commands, %lld of them done\n", rounds, (long long)commands,
                  (long long)side->met[REASON_OK]);
    for (size_t i = 0; rounds >= USUAL_ROUNDS && i < COUNT(usual); i++) {
        if (side->met[usual[i]] == 0)
            fail_msg("%s was not met", reason_name(usual[i]));
    }
    assert_true(side->met[REASON_OK] > commands / 4);
    release(side);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lanes_and_tables_agree_with_the_naive_telling) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
