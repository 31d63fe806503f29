#include "facts_store.h"

#include "base/exact.h"
#include "money.h"
#include "scope_store.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct span {
    int32_t programme_no;
    const char *period;
    struct date first, last;
    struct scope_params scope;
};
static const struct column span_params[] = { COLUMN(struct span, programme_no), COLUMN(struct span, period),
                                             COLUMN(struct span, first), COLUMN(struct span, last) };
static const struct column taken_params[] = { COLUMN(struct span, programme_no),
                                              COLUMN(struct span, period),
                                              COLUMN(struct span, first),
                                              COLUMN(struct span, last),
                                              RECORDS(struct span, scope.spans, &scope_span_type),
                                              COLUMN(struct span, scope.taken) };

static struct span span_of(int32_t programme_no, const struct books *books)
{
    return (struct span){ programme_no, books->period->text, books->period->first, books->period->last,
                          scope_params(books->scope) };
}

/* "12 delivered"; NULL when there is no room. */
static const char *counted(struct books *books, int64_t count, const char *what)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%" PRId64 " %s", count, what);

    return arena_copy(&books->arena, text, (size_t)n);
}

static bool no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

/* Freight. */

/* The day of a delivery by the programme's clock, and its carrier's contract of that day in the good's currency. */
#define DELIVERED_ON "((s.head_at - p.cut_off_minutes * interval '1 minute') AT TIME ZONE p.time_zone)::date"
#define FREIGHT                                                                                                        \
    "FROM shipment s JOIN programme p USING (programme_no) JOIN goods g USING (goods_no) CROSS JOIN LATERAL (SELECT "  \
    "c.freight_minor FROM settlement_contract c WHERE c.programme_no = s.programme_no AND c.party = 3 AND "            \
    "c.party_no = s.carrier_no AND c.currency = g.currency AND c.effective_from <= " DELIVERED_ON                      \
    " ORDER BY c.version DESC LIMIT 1) c "

/*
 * By the carrier's contract. Late reports go to the open period: a period that another of its kind follows takes no
 * more. What no contract gives freight for is taken as '-', or each close would look at all of it again: a contract
 * begins on an open day, after the delivery.
 */
static const struct statement take_freight = COMMAND_STATEMENT(
    "facts_take_freight",
    "UPDATE shipment s SET freight_period = CASE WHEN (SELECT c.freight_minor FROM goods g JOIN settlement_contract c "
    "ON "
    "c.programme_no = s.programme_no AND c.party = 3 AND c.party_no = s.carrier_no AND c.currency = g.currency WHERE "
    "g.goods_no = s.goods_no AND c.effective_from <= " DELIVERED_ON " ORDER BY c.version DESC LIMIT 1) > 0 THEN $2 "
    "ELSE '-' END FROM programme p WHERE p.programme_no = $1 AND s.programme_no = $1 AND s.state = 6 AND "
    "s.freight_period = '' AND " DELIVERED_ON " <= $4 AND $3::date <= $4 AND NOT EXISTS (SELECT FROM statement x WHERE "
    "x.programme_no = $1 AND x.type = 4 AND x.last_day > $4 AND period_kind(x.period) = period_kind($2)) AND EXISTS "
    "(SELECT FROM goods g JOIN unnest($5::period_span[]) x ON x.here AND x.party = 3 AND x.party_no = s.carrier_no AND "
    "x.currency = g.currency AND $4::date BETWEEN x.first_day AND x.last_day WHERE g.goods_no = s.goods_no) = $6",
    taken_params);

struct freight_row {
    int32_t carrier_no, merchant_no;
    const char *currency;
    int64_t shipments, each_minor, amount_minor;
};
static const struct column freight_columns[] = {
    COLUMN(struct freight_row, carrier_no), COLUMN(struct freight_row, merchant_no),
    COLUMN(struct freight_row, currency),   COLUMN(struct freight_row, shipments),
    COLUMN(struct freight_row, each_minor), COLUMN(struct freight_row, amount_minor),
};
static const struct statement sum_freight =
    STATEMENT("facts_freight",
              "SELECT s.carrier_no, s.merchant_no, g.currency, count(*) AS shipments, c.freight_minor AS "
              "each_minor, sum(c.freight_minor)::int8 AS amount_minor " FREIGHT
              "WHERE s.programme_no = $1 AND s.state = 6 AND s.freight_period = $2 AND "
              "$3::date <= $4::date GROUP BY 1, 2, 3, c.freight_minor ORDER BY 1, 2, g.currency COLLATE \"C\", "
              "c.freight_minor",
              span_params, freight_columns, sizeof(struct freight_row));

static bool post_freight(struct books *books, const struct freight_row *row, struct error *err)
{
    struct posting posting = {
        .kind = POSTING_FREIGHT,
        .from = { PARTY_MERCHANT, row->merchant_no },
        .to = { PARTY_CARRIER, row->carrier_no },
        .amount_minor = row->amount_minor,
        .merchant_no = row->merchant_no,
        .refers_to = "",
    };
    char each[MONEY_TEXT];

    snprintf(posting.currency, sizeof posting.currency, "%s", row->currency);
    money_format(row->each_minor, row->currency, each);
    return posting_note(&books->postings, &posting, err, "%" PRId64 " delivered at %s", row->shipments, each) &&
           posting_add(&books->postings, &posting, err);
}

static bool has_freight(const struct books *books)
{
    for (size_t i = 0; i < books->scope->contract_count; i++) {
        if (books->scope->contracts[i].party.kind == PARTY_CARRIER)
            return true;
    }
    return false;
}

bool facts_store_freight(struct db *db, int32_t programme_no, struct books *books, struct error *err)
{
    struct span span = span_of(programme_no, books);
    size_t count;
    void *rows;

    if (!has_freight(books))
        return true;
    if (!db_execute(db, &take_freight, &span, NULL, err) ||
        !db_fetch(db, &sum_freight, &span, &books->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!post_freight(books, (const struct freight_row *)rows + i, err))
            return false;
    }
    return true;
}

/* Campaigns. */

struct share_row {
    int32_t bank_no, funding_no;
    const char *funding_id, *currency;
    int64_t points, cost_num, cost_den;
    int16_t funder;
    int32_t merchant_no, share_bp;
};
static const struct column share_columns[] = {
    COLUMN(struct share_row, bank_no),  COLUMN(struct share_row, funding_no), COLUMN(struct share_row, funding_id),
    COLUMN(struct share_row, currency), COLUMN(struct share_row, points),     COLUMN(struct share_row, cost_num),
    COLUMN(struct share_row, cost_den), COLUMN(struct share_row, funder),     COLUMN(struct share_row, merchant_no),
    COLUMN(struct share_row, share_bp),
};
/* A funding's shares are settled by the periods of its bank. 3 HOLD takes; 5 CANCEL, 6 LAPSE, 7 RELEASE and 8 REVERSE
 * give back. Not read unless a funder is not the bank. */
static const struct statement get_shares = STATEMENT(
    "facts_campaigns",
    "SELECT f.bank_no, f.funding_no, f.funding_id, f.currency, d.points, f.cost_num, f.cost_den, s.funder, "
    "s.merchant_no, s.share_bp FROM (SELECT l.funding_no, sum(CASE j.kind WHEN 3 THEN l.points ELSE -l.points END)"
    "::int8 AS points FROM journal j CROSS JOIN LATERAL packed_lots(j.lots) l WHERE j.programme_no = $1 AND "
    "j.business_date BETWEEN $3 AND $4 AND j.kind IN (3, 5, 6, 7, 8) AND l.funding_no > 0 AND length($2) > 0 AND "
    "EXISTS (SELECT FROM funding_share s JOIN funding f USING (funding_no) JOIN bank b USING (bank_no) WHERE s.funder "
    "<> 1 AND b.programme_no = $1) GROUP BY 1) d JOIN funding f USING (funding_no) JOIN funding_share s USING "
    "(funding_no) ORDER BY f.bank_no, f.funding_no, s.funder, s.merchant_no",
    span_params, share_columns, sizeof(struct share_row));

static struct party funder_of(const struct share_row *row)
{
    static const int16_t kinds[] = { 0, PARTY_BANK, PARTY_OPERATOR, PARTY_MERCHANT };
    int16_t kind = kinds[row->funder >= 1 && row->funder <= 3 ? row->funder : 1];

    return (struct party){ kind, kind == PARTY_BANK ? row->bank_no : kind == PARTY_MERCHANT ? row->merchant_no : 0 };
}

/* "40.00 % of 37.50 (5000 points at 3/4)"; of a later share "100.00 % less 60.00 % of ..." */
static bool explain_share(struct books *books, const struct share_row *row, int64_t bp, int64_t cost_minor,
                          struct posting *posting, struct error *err)
{
    char until[PERCENT_TEXT], before[PERCENT_TEXT], cost[MONEY_TEXT];

    percent_format(bp, until);
    percent_format(bp - row->share_bp, before);
    money_format(cost_minor, posting->currency, cost);
    return posting_note(&books->postings, posting, err, "%s%s%s of %s (%" PRId64 " points at %" PRId64 "/%" PRId64 ")",
                        until, bp == row->share_bp ? "" : " less ", bp == row->share_bp ? "" : before, cost,
                        row->points, row->cost_num, row->cost_den);
}

/* Shares of one funding come one after another: each takes its part of the whole's cost up to there. */
static bool post_share(struct books *books, const struct share_row *row, int64_t *bp, int64_t *before,
                       struct error *err)
{
    struct posting posting = { .kind = POSTING_CAMPAIGN_SHARE,
                               .from = funder_of(row),
                               .to = { PARTY_BANK, row->bank_no },
                               .bank_no = row->bank_no,
                               .merchant_no = row->merchant_no,
                               .refers_to = row->funding_id };
    int64_t cost, until;

    *bp += row->share_bp;
    if (!exact_ratio_half_even(row->points, row->cost_num, row->cost_den, &cost) ||
        !exact_ratio_half_even(cost, *bp, 10000, &until))
        return error_set(err, REASON_DOES_NOT_TIE, "the cost of %s does not fit", row->funding_id);
    posting.amount_minor = until - *before;
    *before = until;
    snprintf(posting.currency, sizeof posting.currency, "%s", row->currency);
    return party_is(posting.from, posting.to) ||
           (explain_share(books, row, *bp, cost, &posting, err) && posting_add(&books->postings, &posting, err));
}

bool facts_store_campaigns(struct db *db, int32_t programme_no, struct books *books, struct error *err)
{
    struct span span = span_of(programme_no, books);
    int64_t bp = 0, before = 0;
    size_t count;
    void *fetched;

    if (!db_fetch(db, &get_shares, &span, &books->arena, &fetched, &count, err))
        return false;
    const struct share_row *rows = fetched;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || rows[i].funding_no != rows[i - 1].funding_no)
            bp = before = 0;
        struct party bank = { PARTY_BANK, rows[i].bank_no };
        if (scope_has(books->scope, bank, rows[i].currency, books->period->last) &&
            !post_share(books, &rows[i], &bp, &before, err))
            return false;
    }
    return true;
}

/* Not delivered. */

struct undelivered_row {
    int32_t merchant_no;
    const char *currency;
    int64_t orders, net_minor;
};
static const struct column undelivered_columns[] = {
    COLUMN(struct undelivered_row, merchant_no),
    COLUMN(struct undelivered_row, currency),
    COLUMN(struct undelivered_row, orders),
    COLUMN(struct undelivered_row, net_minor),
};
/*
 * Of the days that periods of this kind settle, whenever they were. Returned ones count, too, until they are reversed.
 * An order that is not handed to its carrier yet has no shipment (topic 2, waiting). Each redemption is looked up, and
 * its entries not before it: a join could read all that are kept.
 */
static const struct statement get_undelivered = STATEMENT(
    "facts_undelivered",
    "SELECT w.merchant_no, j.currency, count(DISTINCT w.id) AS orders, sum(j.gross_minor - j.commission_minor)::int8 "
    "AS net_minor FROM (SELECT DISTINCT ON (party_no, currency) party_no, currency, eligibility FROM "
    "settlement_contract WHERE programme_no = $1 AND party = 2 AND effective_from <= $4 AND length($2) > 0 AND "
    "$3::date "
    "<= $4 ORDER BY party_no, currency, version DESC) c JOIN LATERAL (SELECT s.merchant_no, s.bucket, s.id FROM "
    "shipment s WHERE s.programme_no = $1 AND s.merchant_no = c.party_no AND s.state <> 6 UNION SELECT s.merchant_no, "
    "s.bucket, s.id FROM shipment s JOIN programme p USING (programme_no) WHERE s.programme_no = $1 AND s.merchant_no "
    "= c.party_no AND s.state = 6 AND s.head_at >= ($4 + 1)::timestamp AT TIME ZONE p.time_zone + p.cut_off_minutes * "
    "interval '1 minute' UNION SELECT o.merchant_no, o.bucket, o.redemption_id FROM outbox o WHERE o.state = 1 AND "
    "o.topic = 2 AND o.programme_no = $1 AND o.merchant_no = c.party_no) w ON true CROSS JOIN LATERAL (SELECT "
    "o.bucket, o.id, o.member_id, "
    "o.business_date FROM redemption o WHERE o.bucket = w.bucket AND o.id = w.id LIMIT 1) r JOIN journal j ON j.bucket "
    "= r.bucket AND j.member_id = r.member_id AND j.redemption_id "
    "= r.id AND j.kind IN (4, 8) AND j.business_date BETWEEN r.business_date AND $4 AND j.currency = c.currency LEFT "
    "JOIN unnest($5::period_span[]) x ON x.party = 2 AND x.party_no = j.merchant_no AND x.currency = j.currency AND "
    "j.business_date BETWEEN x.first_day AND x.last_day WHERE c.eligibility = 2 AND " SCOPE_TAKES(
        "$6") "GROUP BY 1, 2 "
              "ORDER BY 1, j.currency COLLATE \"C\"",
    taken_params, undelivered_columns, sizeof(struct undelivered_row));

bool facts_store_undelivered(struct db *db, int32_t programme_no, struct books *books, struct error *err)
{
    struct span span = span_of(programme_no, books);
    size_t count;
    void *rows;

    if (!db_fetch(db, &get_undelivered, &span, &books->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct undelivered_row *row = (const struct undelivered_row *)rows + i;
        struct keep keep = { .kind = KEEP_UNDELIVERED,
                             .merchant_no = row->merchant_no,
                             .currency = row->currency,
                             .amount_minor = row->net_minor,
                             .refers_to = counted(books, row->orders, "orders") };
        if (!keep.refers_to)
            return no_room(err);
        if (row->net_minor != 0 && !books_keep(books, &keep, err))
            return false;
    }
    return true;
}
