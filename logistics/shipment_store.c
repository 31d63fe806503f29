#include "shipment_store.h"

#define COMMIT_OR_ROLLBACK(db, done, err) ((done) ? db_commit(db, err) : (db_rollback(db), false))

struct row_key {
    int32_t bucket;
    struct uuid id;
};
static const struct column row_key[] = { COLUMN(struct row_key, bucket), COLUMN(struct row_key, id) };

static const struct column order_columns[] = {
    COLUMN(struct shipment_order, id),           COLUMN(struct shipment_order, member_id),
    COLUMN(struct shipment_order, programme_no), COLUMN(struct shipment_order, carrier_no),
    COLUMN(struct shipment_order, merchant_no),  COLUMN(struct shipment_order, goods_no),
    COLUMN(struct shipment_order, quantity),     COLUMN(struct shipment_order, ship_to),
    COLUMN(struct shipment_order, goods_id),     COLUMN(struct shipment_order, goods_name),
    COLUMN(struct shipment_order, adapter),      COLUMN(struct shipment_order, base_url),
    COLUMN(struct shipment_order, carrier_id),
};
static const struct statement load_order =
    STATEMENT("shipment_order",
              "SELECT r.id, r.member_id, r.programme_no, c.carrier_no, r.merchant_no, r.goods_no, r.quantity, "
              "r.ship_to, g.goods_id, "
              "g.name AS goods_name, c.adapter, c.base_url, c.carrier_id "
              "FROM redemption r JOIN goods g ON g.goods_no = r.goods_no JOIN carrier c ON c.carrier_no = g.carrier_no "
              "WHERE r.bucket = $1 AND r.id = $2",
              row_key, order_columns, sizeof(struct shipment_order));

bool shipment_load_order(struct db *db, const struct outbox_lease *lease, struct arena *arena,
                         struct shipment_order *order, bool *found, struct error *err)
{
    const struct row_key key = { lease->bucket, lease->redemption_id };

    return db_fetch_one(db, &load_order, &key, arena, order, found, err);
}

struct create_params {
    int32_t bucket;
    struct uuid id;
    int32_t programme_no, carrier_no, merchant_no, goods_no;
    int64_t quantity;
    int16_t state;
};
static const struct column create_params[] = {
    COLUMN(struct create_params, bucket),       COLUMN(struct create_params, id),
    COLUMN(struct create_params, programme_no), COLUMN(struct create_params, carrier_no),
    COLUMN(struct create_params, merchant_no),  COLUMN(struct create_params, goods_no),
    COLUMN(struct create_params, quantity),     COLUMN(struct create_params, state),
};
static const struct statement create =
    COMMAND_STATEMENT("shipment_create",
                      "INSERT INTO shipment (bucket, id, programme_no, carrier_no, merchant_no, goods_no, quantity, "
                      "state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                      create_params);

bool shipment_create(struct db *db, int32_t bucket, const struct shipment_order *order, struct error *err)
{
    const struct create_params params = {
        bucket,          order->id,       order->programme_no, order->carrier_no, order->merchant_no,
        order->goods_no, order->quantity, SHIPMENT_CREATED,
    };

    return db_execute(db, &create, &params, NULL, err);
}

/* The answer to a booking; a shipment that is no longer CREATED keeps what it has. */
struct answer_params {
    int32_t bucket;
    struct uuid id;
    int16_t state;
    const char *waybill;
    int64_t poll_ms;
    int16_t created;
};
static const struct column answer_params[] = {
    COLUMN(struct answer_params, bucket),  COLUMN(struct answer_params, id),      COLUMN(struct answer_params, state),
    COLUMN(struct answer_params, waybill), COLUMN(struct answer_params, poll_ms), COLUMN(struct answer_params, created),
};
static const struct statement answer =
    COMMAND_STATEMENT("shipment_answer",
                      "UPDATE shipment SET state = $3, waybill = $4, next_poll_at = now() + $5 * interval '1 ms' "
                      "WHERE bucket = $1 AND id = $2 AND state = $6",
                      answer_params);

static bool record_answer(struct db *db, const struct outbox_lease *lease, enum shipment_event event,
                          const char *waybill, int64_t poll_ms, struct error *err)
{
    const struct answer_params params = {
        lease->bucket, lease->redemption_id, (int16_t)shipment_transition(SHIPMENT_CREATED, event)->to, waybill,
        poll_ms,       SHIPMENT_CREATED,
    };

    return db_execute(db, &answer, &params, NULL, err);
}

bool shipment_booked(struct db *db, const struct outbox_lease *lease, const char *waybill, int64_t poll_ms,
                     struct error *err)
{
    if (!db_begin(db, err))
        return false;
    bool done = record_answer(db, lease, SHIPMENT_IS_BOOKED, waybill, poll_ms, err) &&
                outbox_done(db, lease, OUTBOX_SHIPMENT, err);
    return COMMIT_OR_ROLLBACK(db, done, err);
}

bool shipment_refused(struct db *db, const struct outbox_lease *lease, const char *why, struct error *err)
{
    if (!db_begin(db, err))
        return false;
    bool done =
        record_answer(db, lease, SHIPMENT_IS_REFUSED, "", 0, err) && outbox_bury(db, lease, OUTBOX_SHIPMENT, why, err);
    return COMMIT_OR_ROLLBACK(db, done, err);
}

struct due_params {
    int32_t bucket;
    int64_t lease_ms;
};
static const struct column due_params[] = { COLUMN(struct due_params, bucket), COLUMN(struct due_params, lease_ms) };
static const struct column due_columns[] = {
    COLUMN(struct shipment_due, bucket),     COLUMN(struct shipment_due, id),
    COLUMN(struct shipment_due, carrier_no), COLUMN(struct shipment_due, attempts),
    COLUMN(struct shipment_due, waybill),    COLUMN(struct shipment_due, adapter),
    COLUMN(struct shipment_due, base_url),   COLUMN(struct shipment_due, carrier_id),
};
static const struct statement take_due = STATEMENT(
    "shipment_take_due",
    "UPDATE shipment s SET next_poll_at = now() + $2 * interval '1 ms' FROM carrier c "
    "WHERE s.bucket = $1 AND c.carrier_no = s.carrier_no AND s.id = ("
    "SELECT w.id FROM shipment w WHERE w.bucket = $1 AND w.state IN (2, 3, 4, 5, 7) AND w.next_poll_at <= now() "
    "ORDER BY w.next_poll_at LIMIT 1 FOR UPDATE SKIP LOCKED) "
    "RETURNING s.bucket, s.id, s.carrier_no, s.attempts, s.waybill, c.adapter, c.base_url, c.carrier_id",
    due_params, due_columns, sizeof(struct shipment_due));

bool shipment_take_due(struct db *db, int32_t bucket, int64_t lease_ms, struct arena *arena, struct shipment_due *due,
                       bool *found, struct error *err)
{
    const struct due_params params = { bucket, lease_ms };

    return db_fetch_one(db, &take_due, &params, arena, due, found, err);
}

struct head_row {
    int16_t state;
    struct instant head_at;
};
static const struct column head_columns[] = { COLUMN(struct head_row, state), COLUMN(struct head_row, head_at) };
static const struct statement lock_head = STATEMENT(
    "shipment_lock_head", "SELECT state, head_at FROM shipment WHERE bucket = $1 AND id = $2 FOR NO KEY UPDATE",
    row_key, head_columns, sizeof(struct head_row));

struct event_params {
    int32_t bucket;
    struct uuid shipment_id;
    struct bytes dedupe;
    struct instant event_at;
    int16_t state;
    const char *carrier_code, *remark;
};
static const struct column event_params[] = {
    COLUMN(struct event_params, bucket), COLUMN(struct event_params, shipment_id),
    COLUMN(struct event_params, dedupe), COLUMN(struct event_params, event_at),
    COLUMN(struct event_params, state),  COLUMN(struct event_params, carrier_code),
    COLUMN(struct event_params, remark),
};
static const struct statement insert_event =
    COMMAND_STATEMENT("shipment_insert_event",
                      "INSERT INTO shipment_event (bucket, shipment_id, dedupe, event_at, state, carrier_code, remark) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                      event_params);

static bool store_report(struct db *db, const struct shipment_due *due, const struct tracking_event *report,
                         struct error *err)
{
    uint8_t key[DEDUPE_BYTES];

    shipment_dedupe_key(due->waybill, report, key);
    const struct event_params params = {
        due->bucket,  due->id,        { key, sizeof key }, report->at, (int16_t)shipment_event_state(report->event),
        report->code, report->remark,
    };
    return db_execute(db, &insert_event, &params, NULL, err);
}

struct move_params {
    int32_t bucket;
    struct uuid id;
    int16_t state;
    struct instant head_at;
    int64_t poll_ms;
};
static const struct column move_params[] = {
    COLUMN(struct move_params, bucket),  COLUMN(struct move_params, id),      COLUMN(struct move_params, state),
    COLUMN(struct move_params, head_at), COLUMN(struct move_params, poll_ms),
};
static const struct statement move =
    COMMAND_STATEMENT("shipment_move",
                      "UPDATE shipment SET state = $3, head_at = $4, attempts = 0, "
                      "next_poll_at = now() + $5 * interval '1 ms' WHERE bucket = $1 AND id = $2",
                      move_params);

/* Within a transaction: the row is locked, then every report is stored and judged against the head. */
static bool apply(struct db *db, const struct shipment_due *due, const struct tracking_event *reports, size_t count,
                  int64_t poll_ms, enum shipment_state *state, bool *moved, struct error *err)
{
    const struct row_key key = { due->bucket, due->id };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct head_row row;
    bool found;

    if (!db_fetch_one(db, &lock_head, &key, &arena, &row, &found, err))
        return false;
    if (!found)
        return error_set(err, REASON_INTERNAL, "a leased shipment is gone");
    struct shipment_head head = { (enum shipment_state)row.state, row.head_at };
    for (size_t i = 0; i < count; i++) {
        if (!store_report(db, due, &reports[i], err))
            return false;
        shipment_advance(&head, &reports[i]);
    }
    *state = head.state;
    *moved = head.state != (enum shipment_state)row.state;
    const struct move_params params = { due->bucket, due->id, (int16_t)head.state, head.at, poll_ms };
    return db_execute(db, &move, &params, NULL, err);
}

bool shipment_record(struct db *db, const struct shipment_due *due, struct tracking_event *reports, size_t count,
                     int64_t poll_ms, enum shipment_state *state, bool *moved, struct error *err)
{
    shipment_sort(reports, count);
    if (!db_begin(db, err))
        return false;
    bool done = apply(db, due, reports, count, poll_ms, state, moved, err);
    return COMMIT_OR_ROLLBACK(db, done, err);
}

struct later_params {
    int32_t bucket;
    struct uuid id;
    int64_t delay_ms;
    int32_t failures;
};
static const struct column later_params[] = { COLUMN(struct later_params, bucket), COLUMN(struct later_params, id),
                                              COLUMN(struct later_params, delay_ms),
                                              COLUMN(struct later_params, failures) };
static const struct statement later =
    COMMAND_STATEMENT("shipment_ask_later",
                      "UPDATE shipment SET attempts = attempts + $4, next_poll_at = now() + $3 * interval '1 ms' "
                      "WHERE bucket = $1 AND id = $2",
                      later_params);

bool shipment_ask_later(struct db *db, const struct shipment_due *due, int64_t delay_ms, int32_t failures,
                        struct error *err)
{
    const struct later_params params = { due->bucket, due->id, delay_ms, failures };

    return db_execute(db, &later, &params, NULL, err);
}
