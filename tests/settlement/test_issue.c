/* From calculated to issued: two people, exactly these bytes, a signature others can verify, and no way back. */
#include "settled_world.h"

#include "issue.h"
#include "store/db.h"
#include "store/period_chain_store.h"
#include "store/period_state_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES = 44 }; /* that the manifest of the usual world names */

static char pki[128];

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

static int make_certificates(void **state)
{
    (void)state;
    snprintf(pki, sizeof pki, "/tmp/issue-pki.XXXXXX");
    assert_non_null(mkdtemp(pki));
    assert_int_equal(shell("%s/ops/pki/pki ca %s && %s/ops/pki/pki signer %s signing && %s/ops/pki/pki issue %s tls "
                           "alliance://operator/olga && mkdir %s/other && %s/ops/pki/pki ca %s/other",
                           SOURCE_DIR, pki, SOURCE_DIR, pki, SOURCE_DIR, pki, pki, SOURCE_DIR, pki),
                     0);
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    return shell("rm -rf %s", pki);
}

static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    world_put_usual(&world);
    world_settle(&world, "2017-01-31", "2017-01");
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static enum reason issue_with(struct world *world, struct close_run *run, const char *certificate, const char *chain,
                              struct period_issued *issued, struct error *err)
{
    char paths[3][160];
    struct period period;

    snprintf(paths[0], sizeof paths[0], "%s/%s.pem", pki, certificate);
    snprintf(paths[1], sizeof paths[1], "%s/%s.key", pki, certificate);
    snprintf(paths[2], sizeof paths[2], "%s/%s", pki, chain);
    struct cms_signer signer = { paths[0], paths[1], paths[2] };
    assert_true(period_parse("2017-01", &period));
    return period_issue(run, &period, world->dir, &signer, issued, err) ? REASON_OK : err->reason;
}

static enum reason issue_work(struct world *world, struct close_run *run, struct error *err)
{
    struct period_issued issued;

    return issue_with(world, run, "signing", "ca.pem", &issued, err);
}

static enum reason issue_as(struct world *world, const char *certificate, const char *chain,
                            struct period_issued *issued, struct error *err)
{
    struct close_run run = { 0 };
    struct db *db;

    *err = (struct error){ 0 };
    assert_true(db_open(world->conninfo, &db, err));
    enum reason reason =
        close_begin(&run, db, "demo", err) ? issue_with(world, &run, certificate, chain, issued, err) : err->reason;
    close_end(&run);
    db_close(db);
    return reason;
}

static enum reason issue(struct world *world, struct error *err)
{
    struct period_issued issued;

    return issue_as(world, "signing", "ca.pem", &issued, err);
}

/* As ApprovePeriod does it. */
static void approve(struct world *world)
{
    world_do(world, "UPDATE settlement_period SET state = 2, approver = 'otto', approved_at = now() WHERE state = 1");
}

/* As if December had been calculated again since: January still opens with nothing. */
static void an_opening_that_is_no_closing_is_not_issued(void **state)
{
    struct world *world = *state;
    struct error err;

    approve(world);
    world_do(world,
             "INSERT INTO statement (statement_id, programme_no, period, type, bank_no, merchant_no, currency, "
             "confirmed_count, confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, "
             "net_minor, line_count, content_sha256, calculated_at, first_day, last_day) VALUES "
             "('demo/2016-12/MERCHANT/shop-1/USD', 1, '2016-12', 3, 0, 1, 'USD', 0, 0, 0, 0, 0, 0, 0, 0, sha256('x'), "
             "now(), '2016-12-01', '2016-12-31'); INSERT INTO statement_position (statement_no, opening_minor, "
             "movement_minor, payable_minor, closing_minor, carried_minor, held_back_minor, disputed_minor, due_on) "
             "SELECT statement_no, 0, 5, 0, 5, 5, 0, 0, '2017-01-15' FROM statement WHERE period = '2016-12'");
    assert_int_equal(issue(world, &err), REASON_OPENING_DIFFERS);
    assert_string_equal(err.detail,
                        "demo/2017-01/MERCHANT/shop-1/USD opens with 0, but 2016-12 closed with 5; calculate "
                        "2017-01 again");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    approve(world);
    assert_int_equal(issue(world, &err), REASON_OK);
    /* and now December cannot become another */
    world_do(world, "UPDATE statement_position SET movement_minor = 6, closing_minor = 6, carried_minor = 6 WHERE "
                    "statement_no = (SELECT statement_no FROM statement WHERE period = '2016-12')");
    struct db *db;
    assert_true(db_open(world->conninfo, &db, &err));
    assert_false(period_chain_check(db, 1, "2016-12", &err));
    assert_int_equal(err.reason, REASON_OPENING_DIFFERS);
    assert_string_equal(err.detail,
                        "demo/2017-01/MERCHANT/shop-1/USD is issued and opens with 5, but here 2016-12 closes "
                        "with 6: bring back what it was");
    db_close(db);
}

static int64_t state_of(struct world *world)
{
    return world_number(world, "SELECT state FROM settlement_period WHERE period = '2017-01'");
}

static bool openssl_verifies(struct world *world)
{
    return shell("cd %s/demo/2017-01 && openssl cms -verify -binary -inform DER -in manifest.json.p7s -content "
                 "manifest.json -CAfile %s/ca.pem -out /dev/null 2>/dev/null",
                 world->dir, pki) == 0;
}

static void what_is_issued_verifies_with_the_public_chain(void **state)
{
    struct world *world = *state;
    struct period_issued issued;
    struct error err;

    assert_int_equal(issue(world, &err), REASON_PERIOD_NOT_APPROVED);
    approve(world);
    assert_int_equal(issue_as(world, "signing", "ca.pem", &issued, &err), REASON_OK);
    assert_false(issued.already);
    assert_int_equal(issued.file_count, FILES);
    assert_int_equal(state_of(world), PERIOD_ISSUED);
    assert_true(openssl_verifies(world));
    char *files = world_files(world);
    assert_int_equal(issue_as(world, "signing", "ca.pem", &issued, &err), REASON_OK);
    assert_true(issued.already);
    assert_int_equal(
        shell("ALLIANCE_DATABASE='%s' ALLIANCE_STATEMENTS_DIR=%s ALLIANCE_SIGNING_CERTIFICATE=%s/signing.pem "
              "ALLIANCE_SIGNING_KEY=%s/signing.key ALLIANCE_SIGNING_CHAIN=%s/ca.pem %s/bin/alliance-settle "
              "issue --programme demo --period 2017-01 | grep -q '2017-01 was issued before: %d files'",
              world->conninfo, world->dir, pki, pki, pki, BINARY_DIR, FILES),
        0);
    char *again = world_files(world);
    assert_string_equal(files, again);
    free(files);
    free(again);
    assert_int_equal(shell("sed -i s/demo/dema/ %s/demo/2017-01/manifest.json", world->dir), 0);
    assert_false(openssl_verifies(world));
    assert_int_equal(issue(world, &err), REASON_FILES_CHANGED);
    assert_int_equal(state_of(world), PERIOD_ISSUED);
}

/* Every file is looked at, and every one that is not as approved takes the approval away. */
static void one_changed_byte_voids_the_approval(void **state)
{
    struct world *world = *state;
    struct error err;
    char names[64][100], list[200], line[100];
    size_t count = 0;

    snprintf(list, sizeof list, "ls %s/demo/2017-01", world->dir);
    FILE *in = popen(list, "r");
    while (count < COUNT(names) && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(names[count++], sizeof names[0], "%s", line);
    }
    assert_int_equal(pclose(in), 0);
    assert_int_equal(count, FILES + 1);
    for (size_t i = 0; i < count; i++) {
        approve(world);
        assert_int_equal(state_of(world), PERIOD_APPROVED);
        assert_int_equal(shell("cd %s/demo/2017-01 && cp '%s' kept && printf 'X' | dd of='%s' bs=1 seek=9 conv=notrunc "
                               "2>/dev/null",
                               world->dir, names[i], names[i]),
                         0);
        assert_int_equal(issue(world, &err), REASON_FILES_CHANGED);
        assert_non_null(strstr(err.detail, names[i]));
        assert_int_equal(state_of(world), PERIOD_CALCULATED);
        assert_int_equal(shell("cd %s/demo/2017-01 && mv kept '%s'", world->dir, names[i]), 0);
    }
    approve(world);
    assert_int_equal(shell("rm %s/demo/2017-01/manifest.json", world->dir), 0);
    assert_int_equal(issue(world, &err), REASON_FILES_CHANGED);
    assert_int_equal(shell("test -e %s/demo/2017-01/manifest.json.p7s", world->dir) != 0, 1);
}

/* The same bytes keep the approval, others take it away. */
static void a_calculation_with_another_outcome_voids_the_approval(void **state)
{
    struct world *world = *state;
    struct error err;

    approve(world);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    assert_int_equal(state_of(world), PERIOD_APPROVED);
    world_do(world, "UPDATE store SET store_id = 's9' WHERE store_id = 's1'");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    assert_int_equal(state_of(world), PERIOD_CALCULATED);
    assert_int_equal(issue(world, &err), REASON_PERIOD_NOT_APPROVED);
}

static void an_issued_period_stays_as_it_is(void **state)
{
    static const char *const attempts[] = {
        "UPDATE statement SET gross_minor = gross_minor + 1, net_minor = net_minor + 1",
        "DELETE FROM statement",
        "DELETE FROM statement_chunk",
        "UPDATE statement_chunk SET keys = set_byte(keys, 25, get_byte(keys, 25) + 1)",
        "INSERT INTO statement_chunk SELECT statement_no, 501, 1, convert_to(repeat('x', 30), 'UTF8') FROM statement",
        "UPDATE settlement_period SET state = 1, approver = '', signature_sha256 = ''",
        "DELETE FROM settlement_period",
    };
    struct world *world = *state;
    struct error err;

    approve(world);
    assert_int_equal(issue(world, &err), REASON_OK);
    char *kept = world_kept(world), *files = world_files(world);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_PERIOD_ISSUED);
    for (size_t i = 0; i < COUNT(attempts); i++) {
        PGresult *result = PQexec(world->sql, attempts[i]);
        if (PQresultStatus(result) != PGRES_FATAL_ERROR ||
            strcmp(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME), "settlement_stays") != 0)
            fail_msg("%s: %s", attempts[i], PQresultErrorMessage(result));
        PQclear(result);
    }
    char *kept_again = world_kept(world), *files_again = world_files(world);
    assert_string_equal(kept, kept_again);
    assert_string_equal(files, files_again);
    char *all[] = { kept, files, kept_again, files_again };
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]);
    world_settle(world, "2017-02-28", "2017-02");
    assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_period"), 2);
}

/* Whatever step it dies at, the next run ends the work, and a signature that was published stays. */
static void killed_anywhere_it_is_issued_once(void **state)
{
    struct world *world = *state;
    struct error err;

    approve(world);
    assert_true(world_killed_after(world, 1, issue_work));
    assert_int_equal(state_of(world), PERIOD_APPROVED);
    assert_true(world_killed_after(world, 2, issue_work));
    assert_int_equal(state_of(world), PERIOD_APPROVED);
    assert_true(openssl_verifies(world));
    char *files = world_files(world);
    assert_true(world_killed_after(world, 3, issue_work));
    assert_int_equal(state_of(world), PERIOD_ISSUED);
    assert_int_equal(issue(world, &err), REASON_OK);
    char *again = world_files(world);
    assert_string_equal(files, again);
    free(files);
    free(again);
}

/* What would not verify elsewhere is not published. */
static void a_certificate_that_is_not_for_signing_signs_nothing(void **state)
{
    struct world *world = *state;
    struct period_issued issued;
    struct error err;

    approve(world);
    assert_int_equal(issue_as(world, "tls", "ca.pem", &issued, &err), REASON_SETTING_INVALID);
    assert_int_equal(issue_as(world, "signing", "other/ca.pem", &issued, &err), REASON_SETTING_INVALID);
    assert_int_equal(issue_as(world, "nobody", "ca.pem", &issued, &err), REASON_SETTING_INVALID);
    assert_non_null(strstr(err.detail, "nobody.pem"));
    assert_int_equal(state_of(world), PERIOD_APPROVED);
    assert_int_equal(shell("test -e %s/demo/2017-01/manifest.json.p7s", world->dir) != 0, 1);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(an_opening_that_is_no_closing_is_not_issued),
        STORY(what_is_issued_verifies_with_the_public_chain),
        STORY(one_changed_byte_voids_the_approval),
        STORY(a_calculation_with_another_outcome_voids_the_approval),
        STORY(an_issued_period_stays_as_it_is),
        STORY(killed_anywhere_it_is_issued_once),
        STORY(a_certificate_that_is_not_for_signing_signs_nothing),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
