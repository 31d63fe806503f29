/*
 * A month with everything that settlement knows -- contracts of all kinds, reserves and disputes held back, campaigns,
 * freight, corrections -- from its last open day to the bank's answers: killed anywhere and begun again, it leaves the
 * same rows, the same bytes, one number a statement and one payment a statement.
 */
#include "settled_world.h"

#include "day_close.h"
#include "issue.h"
#include "pay_out.h"
#include "pay_read.h"
#include "period_close.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Under a sanitizer each story takes several times as long: fewer of them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ENTRIES = 300, STRIDE = 6, INSTANTS = 2 };
#else
enum { ENTRIES = 900, STRIDE = 1, INSTANTS = 8 };
#endif

static char pki[] = "/tmp/settle-kill-pki.XXXXXX";
static struct world origin;
static char *kept, *files; /* what a run without trouble leaves */
static int64_t took_us;    /* by that run */

/* The month, as it lies before its last day is closed. */

static void put_contracts(struct world *world)
{
    static const struct world_contract contracts[] = {
        { .party = 2,
          .no = 1,
          .tiers = "0:300 10000:175 900000:120",
          .tax_bp = 600,
          .residue_limit = 50,
          .fee_redemption = 3,
          .eligibility = 2,
          .hold_back_bp = 1000,
          .hold_back_periods = 1 },
        { .party = 2, .no = 2, .tax_bp = 1300, .tax_rounding = 2, .tax_bearer = 4, .residue_limit = 50 },
        { .party = 2, .no = 2, .currency = "KWD", .min_payout = 100000000000 },
        { .party = 2, .no = 3, .currency = "JPY", .tax_bp = 777, .tax_rounding = 1, .residue_limit = 50 },
        { .party = 2, .no = 3, .fee_period = 5000, .hold_back_bp = 2000, .hold_back_periods = 2 },
        { .party = 1, .no = 1, .fee_period = 100000, .fee_redemption = 1, .payment_days = 7 },
        { .party = 3, .no = 1, .freight = 800 },
        { .party = 3, .no = 1, .currency = "JPY", .from = "2017-02-15", .freight = 90 },
    };

    for (size_t i = 0; i < COUNT(contracts); i++)
        world_contract(world, &contracts[i]);
}

static void put_facts(struct world *world)
{
    world_do(world, "INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) VALUES ('swift', 1, 'S', "
                    "'x', ''); INSERT INTO goods (programme_no, goods_id, merchant_no, name, kind, price_minor, "
                    "currency, carrier_no) VALUES (1, 'mug', 1, 'm', 1, 1, 'USD', 1), (1, 'cup', 1, 'c', 1, 1, 'JPY', "
                    "1)");
    world_do(world, "INSERT INTO redemption (bucket, id, member_id, programme_no, bank_no, merchant_no, store_no, "
                    "terminal_id, content_hash, reason, state, points, currency, rules_version, terms_version, "
                    "goods_no, quantity, ship_to, spendable_after, business_date, held_at, lapse_at, draw_credit) "
                    "SELECT bucket, redemption_id, member_id, 1, bank_no, 1, 1, '', '', 'OK', 2, points, currency, 1, "
                    "1, CASE currency WHEN 'USD' THEN 1 ELSE 2 END, 1, '', 0, business_date, at, at, 0 FROM journal "
                    "WHERE kind = 4 AND merchant_no = 1 AND currency IN ('USD', 'JPY') AND seq %% 2 = 0");
    world_do(world, "INSERT INTO shipment (bucket, id, programme_no, carrier_no, merchant_no, goods_no, quantity, "
                    "state, head_at) SELECT bucket, id, 1, 1, 1, goods_no, 1, CASE WHEN get_byte(uuid_send(id), 1) %% "
                    "5 = 0 THEN 4 ELSE 6 END, held_at + interval '3 hours' FROM redemption");
    world_do(world, "INSERT INTO funding (bank_no, funding_id, cost_num, cost_den, currency, content_hash) VALUES "
                    "(1, 'spring', 1, 3, 'USD', ''), (2, 'tea', 7, 10, 'KWD', ''); INSERT INTO funding_share VALUES "
                    "(1, 1, 0, 3333), (1, 2, 0, 3333), (1, 3, 2, 3334), (2, 3, 1, 10000)");
    world_do(world, "UPDATE journal SET lots = int4send(18000) || int4send((seq %% 3)::int) || int8send(points) WHERE "
                    "kind IN (3, 5, 6, 7, 8)");
    world_do(world, "INSERT INTO party_account (programme_no, party_type, party_no, currency, version, legal_name, "
                    "address, country, iban, account_number, bic, bank_name, set_by, approved_by) VALUES (1, 4, 0, '', "
                    "1, 'Operator', 'Street 1', 'DE', 'DE02120300000000202051', '', 'BYLADEM1001', '', 'a', 'b'), (1, "
                    "2, 1, '', 1, '', '', '', '', '6222-01', '', 'Bank', 'a', 'b')");
}

/* Corrections for February, and two disputes of January: one is still open at its end, nobody goes on with the other.
 */
static void put_claims(struct world *world)
{
    world_do(world, "INSERT INTO settlement_correction (programme_no, request_id, currency, kind, from_party, from_no, "
                    "to_party, to_no, amount_minor, reason, refers_to, state, maker, approver, business_date) VALUES "
                    "(1, gen_random_uuid(), 'USD', 7, 2, 1, 1, 1, 1234, 'twice', 'demo/2017-01', 2, 'ann', 'bob', "
                    "'2017-02-03'), (1, gen_random_uuid(), 'EUR', 8, 1, 2, 4, 0, 55, 'late', 'x', 2, 'ann', 'bob', "
                    "'2017-02-28')");
    world_do(world, "INSERT INTO dispute (programme_no, request_id, content_hash, statement_id, period, line_number, "
                    "bank_no, merchant_no, currency, opener, line_minor, amount_minor, withheld_minor, reason_code, "
                    "evidence, evidence_sha256, opened_by, opened_on, expires_on, opener_no, other, other_no) SELECT "
                    "1, gen_random_uuid(), '', statement_id, period, 1, bank_no, merchant_no, currency, 1, 900, "
                    "700, 0, 'TWICE', '', '', 'x', '2017-02-10', CASE bank_no WHEN 1 THEN date '2017-02-28' ELSE "
                    "'2017-04-01' END, bank_no, 2, merchant_no FROM statement WHERE type = 1 AND merchant_no = 1 AND "
                    "currency = 'USD' AND period = '2017-01'; "
                    "INSERT INTO settlement_hold (programme_no, merchant_no, currency, kind, amount_minor, refers_to, "
                    "begun_on) SELECT 1, 1, 'USD', 2, amount_minor, 'dispute ' || dispute_no, '2017-02-10' FROM "
                    "dispute; "
                    "UPDATE statement s SET state = 5 FROM dispute d WHERE s.statement_id = d.statement_id");
}

static void make_origin(void)
{
    struct error err;

    world_make(&origin);
    world_put_random(&origin, "2017-01", ENTRIES / 3, 7);
    world_do(&origin, "UPDATE journal SET seq = seq - 500000");
    world_put_random(&origin, "2017-02", ENTRIES, 43);
    put_contracts(&origin);
    put_facts(&origin);
    world_settle(&origin, "2017-01-31", "2017-01");
    world_do(&origin, "UPDATE settlement_period SET state = 3, approver = 'otto', issued_on = '2017-02-01', "
                      "signature_sha256 = sha256('s')");
    put_claims(&origin);
    assert_int_equal(world_close_until(&origin, "2017-02-27", &err), REASON_OK);
    world_balance(&origin);
}

/* The work, as the operator does it, from the first step: what is done already is found done. */

/* What the bank says, made from what was asked of it; the query's one value is the file. */
static bool read_from_bank(struct world *world, struct close_run *run, const char *name, const char *query,
                           struct error *err)
{
    struct world own = { .sql = PQconnectdb(world->conninfo) }; /* world->sql is the parent's */
    char *xml = world_ask(&own, "%s", query), path[128];
    struct pay_tally tally;

    PQfinish(own.sql);
    snprintf(path, sizeof path, "%s/%s", world->dir, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(xml, out) >= 0);
    assert_int_equal(fclose(out), 0);
    free(xml);
    return pay_read(run, path, &tally, err);
}

/* The first payment is rejected. */
static const char status_report[] =
    "SELECT '<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.11\"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>"
    "<OrgnlMsgId>P1-2017-02-1</OrgnlMsgId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>' || string_agg('<TxInfAndSts>"
    "<OrgnlEndToEndId>' || end_to_end_id || '</OrgnlEndToEndId><TxSts>' || CASE n WHEN 1 THEN 'RJCT' ELSE 'ACCP' END "
    "|| '</TxSts></TxInfAndSts>', '' ORDER BY n) || '</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>' FROM (SELECT "
    "end_to_end_id, row_number() OVER (ORDER BY end_to_end_id) AS n FROM payout WHERE attempt = 1) x";
/* All payments are booked, and what the banks owe comes in. */
static const char bookings[] =
    "SELECT '<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>1</Id><Acct>"
    "<Id><Othr><Id>1</Id></Othr></Id></Acct>' || string_agg('<Ntry><Amt Ccy=\"' || currency || '\">' || CASE currency "
    "WHEN 'JPY' THEN minor::text WHEN 'KWD' THEN (minor / 1000.0)::numeric(20, 3)::text ELSE (minor / "
    "100.0)::numeric(20, 2)::text END || '</Amt><CdtDbtInd>' || side || '</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt>"
    "<Dt>2017-05-03</Dt></BookgDt><AcctSvcrRef>' || side || id || '</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>' "
    "|| id || '</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>', '' ORDER BY side, id) || "
    "'</Stmt></BkToCstmrStmt></Document>' FROM (SELECT DISTINCT 'DBIT' AS side, end_to_end_id AS id, currency, "
    "amount_minor AS minor FROM payout UNION ALL SELECT 'CRDT', n.party || '-' || lpad(n.number::text, 6, '0'), "
    "s.currency, -p.payable_minor FROM statement s JOIN statement_position p USING (statement_no) JOIN "
    "statement_number n USING (statement_id) WHERE s.period = '2017-02' AND s.type = 2 AND p.payable_minor < 0) x";

static bool approve(struct world *world)
{
    struct world own = { .sql = PQconnectdb(world->conninfo) };

    world_do(&own, "UPDATE settlement_period SET state = 2, approver = 'otto', approved_at = '2017-03-01 09:00Z' WHERE "
                   "period = '2017-02' AND state = 1");
    PQfinish(own.sql);
    return true;
}

static bool pay(struct close_run *run, const struct period *period, const char *dir, struct error *err)
{
    const struct pay_order order = {
        .period = period, .execute_on = date_of(2017, 5, 2), .statements_dir = dir, .by = "olga"
    };
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool good = pay_out(run, &order, out, err);

    fclose(out);
    free(text);
    return good;
}

static bool issue(struct world *world, struct close_run *run, const struct period *period, struct error *err)
{
    char paths[3][64];
    struct cms_signer signer = { paths[0], paths[1], paths[2] };
    struct period_issued issued;

    snprintf(paths[0], sizeof paths[0], "%s/signing.pem", pki);
    snprintf(paths[1], sizeof paths[1], "%s/signing.key", pki);
    snprintf(paths[2], sizeof paths[2], "%s/ca.pem", pki);
    return period_issue(run, period, world->dir, &signer, &issued, err);
}

static enum reason everything(struct world *world, struct close_run *run, struct error *err)
{
    struct day_order days = { .until = date_of(2017, 2, 28) };
    struct period period;
    struct period_closed closed;

    assert_true(period_parse("2017-02", &period));
    run->maker = "olga";
    if (!day_close(run, &days, err) ||
        (!period_close(run, &period, world->dir, &closed, err) && err->reason != REASON_PERIOD_ISSUED) ||
        !approve(world) || !issue(world, run, &period, err) || !pay(run, &period, world->dir, err) ||
        !read_from_bank(world, run, "pain002.xml", status_report, err) || !pay(run, &period, world->dir, err) ||
        !read_from_bank(world, run, "camt053.xml", bookings, err))
        return err->reason;
    return REASON_OK;
}

/* What is left, and how it should be. */

/* All rows of a close and what follows it; numbers of batches may have gaps, for a killed one takes its with it. */
static char *all_kept(struct world *world)
{
    char *of_close = world_kept(world), *whole = NULL;
    char *of_money = world_ask(
        world, "SELECT row FROM (SELECT 1 AS n, (to_jsonb(p) - '{calculated_at,issued_at,signature_sha256}'::text[])"
               "::text AS row FROM settlement_period p UNION ALL SELECT 2, (to_jsonb(p) - '{batch_no,changed_at}'"
               "::text[])::text || b.message_id FROM payout p JOIN payout_batch b USING (batch_no) UNION ALL SELECT 3, "
               "(to_jsonb(b) - '{batch_no,made_at}'::text[])::text FROM payout_batch b UNION ALL SELECT 4, "
               "(to_jsonb(n) - '{notice_no,read_at}'::text[])::text FROM payment_notice n UNION ALL SELECT 5, "
               "to_jsonb(d)::text FROM dispute d UNION ALL SELECT 6, (dispute_no, step, amount_minor, "
               "business_date)::text FROM dispute_step UNION ALL SELECT 7, (bucket, id, freight_period)::text FROM "
               "shipment) x ORDER BY n, row");
    size_t size;
    FILE *out = open_memstream(&whole, &size);

    assert_true(fprintf(out, "%s%s", of_close, of_money) > 0);
    fclose(out);
    free(of_close);
    free(of_money);
    return whole;
}

/* A signature has a random part, and verified when the period was issued. */
static char *all_files(struct world *world)
{
    char path[128];

    snprintf(path, sizeof path, "%s/demo/2017-02/manifest.json.p7s", world->dir);
    assert_int_equal(unlink(path), 0);
    return world_files(world);
}

/* The first line that differs says more than two texts of a megabyte. */
static void assert_same(const char *text, const char *right, const char *story)
{
    const char *line = text, *right_line = right;

    for (; *text == *right; text++, right++) {
        if (*text == '\0')
            return;
        if (*text == '\n') {
            line = text + 1;
            right_line = right + 1;
        }
    }
    fail_msg("%s: there is\n%.*s\nbut should be\n%.*s", story, (int)strcspn(line, "\n"), line,
             (int)strcspn(right_line, "\n"), right_line);
}

static void assert_right_outcome(struct world *world, const char *story)
{
    char *kept_now = all_kept(world), *files_now = all_files(world);

    assert_same(kept_now, kept, story);
    assert_same(files_now, files, story);
    free(kept_now);
    free(files_now);
}

static void must_end(struct world *world, const char *story)
{
    if (world_killed_after(world, 0, everything))
        fail_msg("%s: killed by nobody", story);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int learn_the_right_outcome(void **state)
{
    struct world world;
    char command[320];

    (void)state;
    assert_non_null(mkdtemp(pki));
    snprintf(command, sizeof command, SOURCE_DIR "/ops/pki/pki ca %s && " SOURCE_DIR "/ops/pki/pki signer %s signing",
             pki, pki);
    assert_int_equal(system(command), 0);
    make_origin();
    world_copy(&world, &origin);
    took_us = now_us();
    must_end(&world, "undisturbed");
    took_us = now_us() - took_us;
    kept = all_kept(&world);
    files = all_files(&world);
    /* the month had everything: postings of all kinds, all that is kept, and payments of both fates
     */
    assert_int_equal(
        world_number(&world, "SELECT count(DISTINCT kind) FROM settlement_posting WHERE period = '2017-02'"), 8);
    assert_true(world_number(&world, "SELECT min(n) FROM (SELECT count(*) FILTER (WHERE held_back_minor > 0) AS n FROM "
                                     "statement_position UNION ALL SELECT count(*) FILTER (WHERE carried_minor > 0) "
                                     "FROM statement_position UNION ALL SELECT count(*) FILTER (WHERE disputed_minor "
                                     "<> 0) FROM statement_position UNION ALL SELECT count(*) FROM settlement_hold "
                                     "WHERE kind = 1 AND release_on <= '2017-02-28' UNION ALL SELECT count(*) FROM "
                                     "dispute WHERE state = 6 UNION ALL SELECT count(*) FROM settlement_correction "
                                     "WHERE state = 3 UNION ALL SELECT count(*) FROM payout WHERE state = 4 UNION ALL "
                                     "SELECT count(*) FROM payment_notice WHERE outcome = 'RECEIPT') x") > 0);
    assert_true(world_number(&world, "SELECT count(*) FROM payout WHERE state = 3") > 3);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM payout WHERE state NOT IN (3, 4)"), 0);
    world_drop(&world);
    return 0;
}

static int forget(void **state)
{
    char command[64];

    (void)state;
    world_drop(&origin);
    snprintf(command, sizeof command, "rm -rf %s", pki);
    assert_int_equal(system(command), 0);
    free(kept);
    free(files);
    return 0;
}

/* Numbers of a party are 1, 2, 3, ..., none is cancelled, and no part of a statement is paid twice. */
static void assert_counted(struct world *world)
{
    assert_int_equal(world_number(world, "SELECT count(*) FROM (SELECT FROM statement_number GROUP BY party HAVING "
                                         "max(number) <> count(*) OR max(state) > 1) x"),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement s WHERE (SELECT count(*) FROM "
                                         "statement_number n WHERE n.statement_id = s.statement_id) <> 1"),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM (SELECT FROM payout WHERE state <> 4 GROUP BY "
                                         "statement_id HAVING count(*) > 1) x"),
                     0);
}

static void killed_after_any_step_it_goes_on(void **state)
{
    bool killed = true;

    (void)state;
    for (int step = 1; killed; step += STRIDE) {
        struct world world;
        char story[32];
        snprintf(story, sizeof story, "killed after step %d", step);
        world_copy(&world, &origin);
        killed = world_killed_after(&world, step, everything);
        must_end(&world, story);
        assert_counted(&world);
        assert_right_outcome(&world, story);
        world_drop(&world);
        assert_true(killed || step > 20); /* 8 of the day, 7 of the period, 3 of the issue, payments */
    }
}

/* The instants are spread over the time that the undisturbed run took; which statement that hits is the machine's. */
static void killed_at_any_instant_it_goes_on(void **state)
{
    int kills = 0;

    (void)state;
    for (int i = 0; i < INSTANTS; i++) {
        struct world world;
        char story[64];
        int64_t us = took_us * (2 * i + 1) / (2 * INSTANTS);
        snprintf(story, sizeof story, "killed after %lld of %lld us", (long long)us, (long long)took_us);
        world_copy(&world, &origin);
        kills += world_killed_at(&world, us, everything);
        must_end(&world, story);
        assert_counted(&world);
        assert_right_outcome(&world, story);
        world_drop(&world);
    }
    assert_true(kills > 0);
}

/* Killed again and again, a step further each time. */
static void killed_at_every_try_it_comes_to_its_end(void **state)
{
    struct world world;
    int tries = 0;

    (void)state;
    world_copy(&world, &origin);
    while (world_killed_after(&world, 3 + tries % 3, everything) && tries < 40)
        tries++;
    must_end(&world, "killed at every try");
    assert_true(tries > 3);
    assert_counted(&world);
    assert_right_outcome(&world, "killed at every try");
    world_drop(&world);
}

static void several_at_once_leave_what_one_leaves(void **state)
{
    pid_t children[3];
    struct world world;
    int status;

    (void)state;
    world_copy(&world, &origin);
    for (size_t i = 0; i < COUNT(children); i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(world_killed_after(&world, 0, everything) ? 1 : 0);
    }
    for (size_t i = 0; i < COUNT(children); i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_counted(&world);
    assert_right_outcome(&world, "three at once");
    world_drop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_after_any_step_it_goes_on),
        cmocka_unit_test(killed_at_any_instant_it_goes_on),
        cmocka_unit_test(killed_at_every_try_it_comes_to_its_end),
        cmocka_unit_test(several_at_once_leave_what_one_leaves),
    };

    return cmocka_run_group_tests(tests, learn_the_right_outcome, forget);
}
