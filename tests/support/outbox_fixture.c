#include "outbox_fixture.h"

#include "alliance/v1/redemption_service.pb-c.h"
#include "io/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("fixture: %s", error_text(err));
}

void outbox_fixture_run(struct outbox_fixture *fixture, const char *sql)
{
    struct error err = { 0 };

    must(db_script(fixture->db, sql, &err), &err);
}

struct parties {
    const char *carrier_url, *webhook_url;
    struct bytes webhook_secret;
};
static const struct column parties_params[] = { COLUMN(struct parties, carrier_url) };
static const struct statement insert_carrier =
    COMMAND_STATEMENT("fixture_carrier",
                      "INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) "
                      "VALUES ('fast', 1, 'Fast', 'generic-json', $1)",
                      parties_params);
static const struct column webhook_params[] = { COLUMN(struct parties, webhook_url),
                                                COLUMN(struct parties, webhook_secret) };
static const struct statement insert_merchant =
    COMMAND_STATEMENT("fixture_merchant",
                      "INSERT INTO merchant (merchant_id, programme_no, name, webhook_url, webhook_secret, "
                      "webhook_enabled, content_hash) VALUES ('shop', 1, 'Shop', $1, $2, true, '')",
                      webhook_params);

static void insert_parties(struct outbox_fixture *fixture, uint16_t carrier_port, uint16_t merchant_port)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    char carrier_url[64], webhook_url[64];
    struct crypto_bytes sealed;
    struct error err = { 0 };

    snprintf(carrier_url, sizeof carrier_url, "http://127.0.0.1:%u/", carrier_port ? carrier_port : 1u);
    snprintf(webhook_url, sizeof webhook_url, "http://127.0.0.1:%u/hook", merchant_port ? merchant_port : 1u);
    must(crypto_seal(&fixture->key, &arena, FIXTURE_SECRET, strlen(FIXTURE_SECRET), "shop", 4, &sealed, &err), &err);
    const struct parties parties = { carrier_url, webhook_url, { sealed.at, sealed.size } };
    must(db_execute(fixture->db, &insert_carrier, &parties, NULL, &err), &err);
    must(db_execute(fixture->db, &insert_merchant, &parties, NULL, &err), &err);
}

void outbox_fixture_make(struct outbox_fixture *fixture, uint16_t carrier_port, uint16_t merchant_port)
{
    uint8_t secret[32];
    struct error err = { 0 };

    memset(secret, 7, sizeof secret);
    crypto_key_init(&fixture->key, secret);
    database_make(fixture->conninfo);
    must(db_open(fixture->conninfo, &fixture->db, &err), &err);
    outbox_fixture_run(fixture,
                       "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('demo', 'UTC', false);"
                       "INSERT INTO bank (bank_id, programme_no, name) VALUES ('bank', 1, 'Bank')");
    insert_parties(fixture, carrier_port, merchant_port);
    outbox_fixture_run(fixture, "INSERT INTO store (merchant_no, store_id, name) VALUES (1, 'main', 'Main');"
                                "INSERT INTO goods (programme_no, goods_id, merchant_no, name, kind, price_minor, "
                                "currency, carrier_no) VALUES (1, 'kettle', 1, 'Kettle', 1, 1234, 'CNY', 1)");
}

void outbox_fixture_release(struct outbox_fixture *fixture)
{
    db_close(fixture->db);
    database_drop(fixture->conninfo);
}

static struct crypto_bytes sealed_address(struct outbox_fixture *fixture, struct arena *arena, const struct uuid *id)
{
    Alliance__V1__PostalAddress address = ALLIANCE__V1__POSTAL_ADDRESS__INIT;
    struct crypto_bytes sealed;
    struct error err = { 0 };
    uint8_t packed[256];

    address.recipient = (char[]){ "\xe6\x9d\x8e Li \"Test\"" };
    address.phone = (char[]){ "+86 10 0000 0000" };
    address.address_line = (char[]){ "1 Main Street" };
    address.city = (char[]){ "Shanghai" };
    address.country_code = (char[]){ "CN" };
    assert_true(alliance__v1__postal_address__get_packed_size(&address) <= sizeof packed);
    size_t size = alliance__v1__postal_address__pack(&address, packed);
    must(crypto_seal(&fixture->key, arena, packed, size, id->bytes, sizeof id->bytes, &sealed, &err), &err);
    return sealed;
}

struct confirmation {
    struct uuid redemption_id, id;
    struct bytes ship_to;
    int16_t topic;
};
static const struct column redemption_params[] = { COLUMN(struct confirmation, redemption_id),
                                                   COLUMN(struct confirmation, ship_to) };
static const struct statement insert_redemption = COMMAND_STATEMENT(
    "fixture_redemption",
    "INSERT INTO redemption (bucket, id, member_id, programme_no, bank_no, merchant_no, store_no, terminal_id, "
    "content_hash, reason, state, points, confirmed_points, currency, gross_minor, rules_version, terms_version, "
    "goods_no, quantity, ship_to, spendable_after, business_date, held_at, lapse_at, draw_credit) "
    "VALUES (1, $1, 'abcd0000-0000-8000-8000-000000000001', 1, 1, 1, 1, '', '', 'OK', 2, 500, 500, 'CNY', "
    "1234, 1, 1, 1, 2, $2, 0, '2026-11-22', '2026-11-22T01:00:00Z', '2026-11-22T02:00:00Z', 0)",
    redemption_params);
static const struct column operation_params[] = { COLUMN(struct confirmation, id),
                                                  COLUMN(struct confirmation, redemption_id) };
static const struct statement insert_operation = COMMAND_STATEMENT(
    "fixture_operation",
    "INSERT INTO operation (bucket, id, member_id, redemption_id, kind, content_hash, reason, state_after, points, "
    "spendable_after, currency, gross_minor, commission_minor, business_date, at) VALUES (1, $1, "
    "'abcd0000-0000-8000-8000-000000000001', $2, 4, '', 'OK', 2, 500, 0, 'CNY', 1234, 12, '2026-11-22', "
    "'2026-11-22T01:02:03Z')",
    operation_params);
static const struct column outbox_params[] = { COLUMN(struct confirmation, id), COLUMN(struct confirmation, topic),
                                               COLUMN(struct confirmation, redemption_id) };
static const struct statement insert_outbox =
    COMMAND_STATEMENT("fixture_outbox",
                      "INSERT INTO outbox (bucket, id, topic, programme_no, merchant_no, redemption_id) "
                      "VALUES (1, $1, $2, 1, 1, $3)",
                      outbox_params);

struct uuid outbox_fixture_redemption(const struct uuid *outbox_id)
{
    struct uuid id = *outbox_id;

    id.bytes[15] ^= 0xff;
    return id;
}

struct uuid outbox_fixture_confirm(struct outbox_fixture *fixture, enum outbox_topic topic)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct uuid id = crypto_uuid_v7(clock_now()), redemption_id = outbox_fixture_redemption(&id);
    struct crypto_bytes sealed = sealed_address(fixture, &arena, &redemption_id);
    const struct confirmation row = { redemption_id, id, { sealed.at, sealed.size }, (int16_t)topic };
    struct error err = { 0 };

    must(db_execute(fixture->db, &insert_redemption, &row, NULL, &err), &err);
    must(db_execute(fixture->db, &insert_operation, &row, NULL, &err), &err);
    must(db_execute(fixture->db, &insert_outbox, &row, NULL, &err), &err);
    return id;
}

void outbox_fixture_hurry(struct outbox_fixture *fixture)
{
    outbox_fixture_run(fixture, "UPDATE outbox SET next_attempt_at = 'epoch', leased_until = 'epoch';"
                                "UPDATE shipment SET next_poll_at = 'epoch'");
}

static const struct column state_params[] = { COLUMN(struct confirmation, id) };
static const struct column state_columns[] = { COLUMN(struct outbox_state, state),
                                               COLUMN(struct outbox_state, attempts),
                                               COLUMN(struct outbox_state, last_error) };
static const struct statement read_state =
    STATEMENT("fixture_state", "SELECT state, attempts, last_error FROM outbox WHERE bucket = 1 AND id = $1",
              state_params, state_columns, sizeof(struct outbox_state));

struct outbox_state outbox_fixture_state(struct outbox_fixture *fixture, const struct uuid *outbox_id,
                                         struct arena *arena)
{
    const struct confirmation key = { .id = *outbox_id };
    struct outbox_state state;
    struct error err = { 0 };
    bool found;

    must(db_fetch_one(fixture->db, &read_state, &key, arena, &state, &found, &err), &err);
    assert_true(found);
    return state;
}
