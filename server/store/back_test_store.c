#include "store/back_test_store.h"

static const struct column open_params[] = { COLUMN(struct back_test_open_params, programme_no) };
static const struct column open_row[] = { COLUMN(struct back_test_open_row, open_from) };
const struct statement back_test_open =
    STATEMENT("back_test_open",
              "SELECT min(business_date) AS open_from FROM fence WHERE programme_no = $1 "
              "HAVING count(*) > 0",
              open_params, open_row, sizeof(struct back_test_open_row));

static const struct column count_params[] = {
    COLUMN(struct back_test_count_params, bucket),
    COLUMN(struct back_test_count_params, bank_no),
    COLUMN(struct back_test_count_params, first),
    COLUMN(struct back_test_count_params, last),
};
static const struct column count_row[] = { COLUMN(struct back_test_count_row, events) };
const struct statement back_test_count =
    STATEMENT("back_test_count",
              "SELECT (SELECT count(*) FROM accrual WHERE bucket = $1 AND bank_no = $2 AND business_date BETWEEN $3 "
              "AND $4) + (SELECT count(*) FROM redemption WHERE bucket = $1 AND bank_no = $2 AND business_date BETWEEN "
              "$3 AND $4) AS events",
              count_params, count_row, sizeof(struct back_test_count_row));

static const struct column events_params[] = {
    COLUMN(struct back_test_events_params, bucket), COLUMN(struct back_test_events_params, bank_no),
    COLUMN(struct back_test_events_params, from),   COLUMN(struct back_test_events_params, to),
    COLUMN(struct back_test_events_params, first),  COLUMN(struct back_test_events_params, last),
};
static const struct column event_row[] = {
    COLUMN(struct back_test_event, member_id),
    COLUMN(struct back_test_event, tier),
    COLUMN(struct back_test_event, tier_then),
    COLUMN(struct back_test_event, what),
    COLUMN(struct back_test_event, kind),
    COLUMN(struct back_test_event, business_date),
    COLUMN(struct back_test_event, rules_version),
    COLUMN(struct back_test_event, currency),
    COLUMN(struct back_test_event, points),
    COLUMN(struct back_test_event, taken_points),
    COLUMN(struct back_test_event, amount_minor),
    COLUMN(struct back_test_event, taken_minor),
    COLUMN(struct back_test_event, commission_minor),
    COLUMN(struct back_test_event, taken_commission_minor),
    COLUMN(struct back_test_event, fixed_points),
    COLUMN(struct back_test_event, category),
    COLUMN(struct back_test_event, merchant_id),
    COLUMN(struct back_test_event, channel),
    COLUMN(struct back_test_event, paid_with_points_minor),
    COLUMN(struct back_test_event, spent_on),
    COLUMN(struct back_test_event, merchant_no),
    COLUMN(struct back_test_event, terms_version),
    COLUMN(struct back_test_event, goods_no),
    COLUMN(struct back_test_event, quantity),
    COLUMN(struct back_test_event, held_points),
    COLUMN(struct back_test_event, spendable_after),
    COLUMN(struct back_test_event, draws),
};

#define OF_THE_MONTH                                                                                                   \
    "WHERE bucket = $1 AND bank_no = $2 AND member_id BETWEEN $3 AND $4 AND business_date BETWEEN $5 AND $6"
#define SPENT                                                                                                          \
    "SELECT member_id, at, 1::int2 AS what, 0::int2 AS kind, id, business_date, tier AS tier_then, rules_version, "    \
    "currency, points, clawed_points AS taken_points, amount_minor, reversed_minor AS taken_minor, "                   \
    "0::int8 AS commission_minor, 0::int8 AS taken_commission_minor, fixed_points, category, merchant_id, channel, "   \
    "paid_with_points_minor, spent_on, 0 AS merchant_no, 0 AS terms_version, 0 AS goods_no, 0::int8 AS quantity, "     \
    "0::int8 AS held_points, 0::int8 AS spendable_after, ''::bytea AS draws FROM accrual " OF_THE_MONTH
#define REDEEMED                                                                                                       \
    "SELECT member_id, held_at, 2::int2, 0::int2, id, business_date, 0::int2, rules_version, currency, "               \
    "confirmed_points, reversed_points, gross_minor, reversed_gross_minor, commission_minor, "                         \
    "reversed_commission_minor, false, 0, '', '', 0, 'epoch'::date, merchant_no, terms_version, goods_no, quantity, "  \
    "points, spendable_after, draws FROM redemption " OF_THE_MONTH " AND confirmed_points > reversed_points"
/* EXPIRE, FORFEIT, CLOSE, CLOSE_PENDING of domain/entry.h; a closing that was rolled back (REOPEN) is none. */
#define GONE                                                                                                           \
    "SELECT member_id, at, 3::int2, kind, ref, business_date, 0::int2, rules_version, '', points, 0, 0, 0, 0, 0, "     \
    "false, 0, '', '', 0, 'epoch'::date, 0, 0, 0, 0, 0, 0, ''::bytea FROM journal " OF_THE_MONTH                       \
    " AND (kind IN (9, 10) OR (kind IN (21, 22) AND NOT EXISTS (SELECT FROM journal r WHERE r.bucket = "               \
    "journal.bucket "                                                                                                  \
    "AND r.member_id = journal.member_id AND r.seq > journal.seq AND r.kind IN (27, 28))))"

const struct statement back_test_events = STATEMENT(
    "back_test_events",
    "SELECT e.member_id, a.tier, e.tier_then, e.what, e.kind, e.business_date, e.rules_version, e.currency, e.points, "
    "e.taken_points, e.amount_minor, e.taken_minor, e.commission_minor, e.taken_commission_minor, "
    "e.fixed_points, e.category, e.merchant_id, e.channel, e.paid_with_points_minor, e.spent_on, e.merchant_no, "
    "e.terms_version, e.goods_no, e.quantity, e.held_points, "
    "e.spendable_after, e.draws FROM (" SPENT " UNION ALL " REDEEMED " UNION ALL " GONE
    ") e JOIN account a ON a.bucket = $1 AND a.member_id = e.member_id "
    "ORDER BY e.member_id, e.at, e.what, e.kind, e.id",
    events_params, event_row, sizeof(struct back_test_event));
