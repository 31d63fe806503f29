#include "store/dispute_store.h"

#include "store/receivable_store.h"

#include "store/statement_answer_store.h"

/* Numbers of DisputeState: 1 OPEN, 2 ANSWERED and 5 ESCALATED are open; 3 AGREED, 4 REJECTED, 6 EXPIRED. Of a party: 1
 * BANK, 2 MERCHANT, 3 CARRIER. */
#define DISPUTE_COLUMNS                                                                                                \
    "SELECT d.dispute_no, d.programme_no, p.programme_id, d.statement_id, COALESCE(n.party || '-' || "                 \
    "lpad(n.number::text, greatest(6, length(n.number::text)), '0'), '') AS statement_number, d.line_number, "         \
    "d.posting_no, COALESCE(b.bank_id, '') AS bank_id, COALESCE(m.merchant_id, '') AS merchant_id, d.currency, "       \
    "d.opener, d.opener_no, COALESCE(ob.bank_id, om.merchant_id, oc.carrier_id, '') AS opener_id, d.other, "           \
    "d.other_no, COALESCE(xb.bank_id, xm.merchant_id, xc.carrier_id, '') AS other_id, d.amount_minor, "                \
    "d.withheld_minor, d.held_minor, d.reason_code, d.evidence, d.evidence_sha256, d.content_hash, d.state, "          \
    "d.opened_by, "                                                                                                    \
    "d.opened_on, d.expires_on, d.offered_minor, d.offered_by, d.agreed_minor, d.ended_on, d.correction_no, "          \
    "d.break_no FROM dispute d JOIN programme p USING (programme_no) LEFT JOIN bank b ON b.bank_no = d.bank_no LEFT "  \
    "JOIN merchant m ON m.merchant_no = d.merchant_no LEFT JOIN bank ob ON d.opener = 1 AND ob.bank_no = d.opener_no " \
    "LEFT JOIN merchant om ON d.opener = 2 AND om.merchant_no = d.opener_no LEFT JOIN carrier oc ON d.opener = 3 AND " \
    "oc.carrier_no = d.opener_no LEFT JOIN bank xb ON d.other = 1 AND xb.bank_no = d.other_no LEFT JOIN merchant xm "  \
    "ON d.other = 2 AND xm.merchant_no = d.other_no LEFT JOIN carrier xc ON d.other = 3 AND xc.carrier_no = "          \
    "d.other_no LEFT JOIN statement_number n ON n.statement_id = d.statement_id AND n.state = 1 "
/* Of a party: as opener, or as the other. */
#define SEEN_BY(kind, no)                                                                                              \
    "(" kind " = 0 OR (d.opener = " kind " AND d.opener_no = " no ") OR (d.other = " kind " AND d.other_no = " no "))"

static const struct column dispute_columns[] = {
    COLUMN(struct dispute_row, dispute_no),       COLUMN(struct dispute_row, programme_no),
    COLUMN(struct dispute_row, programme_id),     COLUMN(struct dispute_row, statement_id),
    COLUMN(struct dispute_row, statement_number), COLUMN(struct dispute_row, line_number),
    COLUMN(struct dispute_row, posting_no),       COLUMN(struct dispute_row, bank_id),
    COLUMN(struct dispute_row, merchant_id),      COLUMN(struct dispute_row, currency),
    COLUMN(struct dispute_row, opener),           COLUMN(struct dispute_row, opener_no),
    COLUMN(struct dispute_row, opener_id),        COLUMN(struct dispute_row, other),
    COLUMN(struct dispute_row, other_no),         COLUMN(struct dispute_row, other_id),
    COLUMN(struct dispute_row, amount_minor),     COLUMN(struct dispute_row, withheld_minor),
    COLUMN(struct dispute_row, held_minor),       COLUMN(struct dispute_row, reason_code),
    COLUMN(struct dispute_row, evidence),         COLUMN(struct dispute_row, evidence_sha256),
    COLUMN(struct dispute_row, content_hash),     COLUMN(struct dispute_row, state),
    COLUMN(struct dispute_row, opened_by),        COLUMN(struct dispute_row, opened_on),
    COLUMN(struct dispute_row, expires_on),       COLUMN(struct dispute_row, offered_minor),
    COLUMN(struct dispute_row, offered_by),       COLUMN(struct dispute_row, agreed_minor),
    COLUMN(struct dispute_row, ended_on),         COLUMN(struct dispute_row, correction_no),
    COLUMN(struct dispute_row, break_no),
};

static const struct column find_params[] = { COLUMN(struct dispute_find_params, dispute_no),
                                             COLUMN(struct dispute_find_params, party),
                                             COLUMN(struct dispute_find_params, party_no) };
const struct statement dispute_find =
    STATEMENT("dispute_find", DISPUTE_COLUMNS "WHERE d.dispute_no = $1 AND " SEEN_BY("$2", "$3"), find_params,
              dispute_columns, sizeof(struct dispute_row));

static const struct column request_params[] = { COLUMN(struct dispute_request_params, programme_no),
                                                COLUMN(struct dispute_request_params, request_id) };
const struct statement dispute_by_request =
    STATEMENT("dispute_by_request", DISPUTE_COLUMNS "WHERE d.programme_no = $1 AND d.request_id = $2", request_params,
              dispute_columns, sizeof(struct dispute_row));

static const struct column list_params[] = {
    COLUMN(struct dispute_list_params, programme_no), COLUMN(struct dispute_list_params, state),
    COLUMN(struct dispute_list_params, party),        COLUMN(struct dispute_list_params, party_no),
    COLUMN(struct dispute_list_params, before),       COLUMN(struct dispute_list_params, limit),
};
#define OF_STATE "d.programme_no = $1 AND ($2 = 0 OR d.state = $2) AND ($5 = 0 OR d.dispute_no < $5)"
const struct statement dispute_list = STATEMENT(
    "dispute_list", DISPUTE_COLUMNS "WHERE " OF_STATE " AND $3 = 0 AND $4 = 0 ORDER BY d.dispute_no DESC LIMIT $6",
    list_params, dispute_columns, sizeof(struct dispute_row));
/* Two look-ups by index, each as long as the page. */
const struct statement dispute_list_of =
    STATEMENT("dispute_list_of",
              DISPUTE_COLUMNS "WHERE d.dispute_no IN ((SELECT d.dispute_no FROM dispute d WHERE d.opener = $3 AND "
                              "d.opener_no = $4 AND " OF_STATE " ORDER BY d.dispute_no DESC LIMIT $6) UNION (SELECT "
                              "d.dispute_no FROM dispute d WHERE d.other = $3 AND d.other_no = $4 AND " OF_STATE
                              " ORDER BY d.dispute_no DESC LIMIT $6)) ORDER BY d.dispute_no DESC LIMIT $6",
              list_params, dispute_columns, sizeof(struct dispute_row));

/* Opening */

static const struct column programme_params[] = { COLUMN(struct dispute_programme_params, programme_no) };
/* 7300419 keeps these advisory locks apart from all others in the database. */
const struct statement dispute_lock =
    COMMAND_STATEMENT("dispute_lock", "SELECT pg_advisory_xact_lock(7300419, $1)", programme_params);

static const struct column line_params[] = { COLUMN(struct dispute_line_params, statement_no),
                                             COLUMN(struct dispute_line_params, line_number),
                                             COLUMN(struct dispute_line_params, opener) };
static const struct column line_columns[] = { COLUMN(struct dispute_line_row, contested_minor),
                                              COLUMN(struct dispute_line_row, open),
                                              COLUMN(struct dispute_line_row, answered),
                                              COLUMN(struct dispute_line_row, agreed) };
/* Or was silent, as statement_silence will find it. */
#define SPOKEN(of, party, no)                                                                                          \
    "COALESCE(" of ".answered_on > '1970-01-01' OR (SELECT " ANSWER_UNTIL(                                             \
        "q", party, no,                                                                                                \
        "s.currency") " < (SELECT "                                                                                    \
                      "min(f.business_date) FROM fence f WHERE f.programme_no = s.programme_no) FROM "                 \
                      "settlement_period q WHERE "                                                                     \
                      "q.programme_no = s.programme_no AND q.period = s.period AND q.state = 3), false)"
/* The claims of two parties about one line go opposite ways: neither takes the other's room. */
const struct statement dispute_line = STATEMENT(
    "dispute_line",
    "SELECT m.contested_minor, m.open, " SPOKEN(
        "a", "$3::int2",
        "CASE $3::int2 WHEN 1 THEN s.bank_no ELSE s.merchant_no END") " AS answered, "
                                                                      "COALESCE(a.answered_by <> '', false) AS agreed "
                                                                      "FROM statement s CROSS JOIN LATERAL (SELECT "
                                                                      "COALESCE(sum(CASE "
                                                                      "d.state WHEN 3 THEN d.agreed_minor ELSE "
                                                                      "d.amount_minor END), 0)::int8 AS "
                                                                      "contested_minor, count(*) FILTER (WHERE "
                                                                      "d.state <> 3) AS open FROM dispute d WHERE "
                                                                      "d.statement_id = s.statement_id AND "
                                                                      "d.line_number = $2 AND d.opener = "
                                                                      "$3 AND d.state IN (1, 2, 3, 5)) m LEFT JOIN "
                                                                      "statement a ON a.programme_no = s.programme_no "
                                                                      "AND a.period = "
                                                                      "s.period AND a.currency = s.currency AND CASE "
                                                                      "$3 WHEN 1 THEN a.type = 2 AND a.bank_no = "
                                                                      "s.bank_no ELSE a.type = 3 "
                                                                      "AND a.merchant_no = s.merchant_no END WHERE "
                                                                      "s.statement_no = $1",
    line_params, line_columns, sizeof(struct dispute_line_row));

static const struct column posting_params[] = { COLUMN(struct dispute_posting_params, statement_no),
                                                COLUMN(struct dispute_posting_params, posting_no) };
static const struct column posting_columns[] = { COLUMN(struct dispute_posting_row, posting_minor),
                                                 COLUMN(struct dispute_posting_row, contested_minor),
                                                 COLUMN(struct dispute_posting_row, open),
                                                 COLUMN(struct dispute_posting_row, answered) };
/* Whoever of its two parties contests: together never more than the posting. */
const struct statement dispute_posting = STATEMENT(
    "dispute_posting",
    "SELECT COALESCE(p.amount_minor, 0) AS posting_minor, m.contested_minor, m.open, " SPOKEN(
        "s", "CASE s.type WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 END",
        "s.bank_no + s.merchant_no + s.carrier_no") " AS answered FROM statement s CROSS JOIN LATERAL (SELECT "
                                                    "COALESCE(sum(CASE d.state WHEN 3 THEN d.agreed_minor ELSE "
                                                    "d.amount_minor END), 0)::int8 AS contested_minor, "
                                                    "count(*) FILTER (WHERE d.state <> 3) AS open FROM dispute d WHERE "
                                                    "d.programme_no = s.programme_no AND d.period = "
                                                    "s.period AND d.posting_no = $2 AND d.posting_no > 0 AND d.state "
                                                    "IN (1, 2, 3, 5)) m LEFT JOIN settlement_posting p "
                                                    "ON p.programme_no = s.programme_no AND "
                                                    "p.period = s.period AND p.posting_no = $2 AND p.currency = "
                                                    "s.currency AND (CASE s.type WHEN 2 THEN 1 WHEN 3 THEN "
                                                    "2 WHEN 5 THEN 3 END, s.bank_no + s.merchant_no + s.carrier_no) IN "
                                                    "((p.from_party, p.from_no), (p.to_party, "
                                                    "p.to_no)) WHERE s.statement_no = $1",
    posting_params, posting_columns, sizeof(struct dispute_posting_row));

static const struct column open_params[] = {
    COLUMN(struct dispute_open_params, statement_no), COLUMN(struct dispute_open_params, request_id),
    COLUMN(struct dispute_open_params, content_hash), COLUMN(struct dispute_open_params, line_number),
    COLUMN(struct dispute_open_params, opener),       COLUMN(struct dispute_open_params, line_minor),
    COLUMN(struct dispute_open_params, amount_minor), COLUMN(struct dispute_open_params, reason_code),
    COLUMN(struct dispute_open_params, evidence),     COLUMN(struct dispute_open_params, evidence_sha256),
    COLUMN(struct dispute_open_params, by),           COLUMN(struct dispute_open_params, default_days),
    COLUMN(struct dispute_open_params, break_no),     COLUMN(struct dispute_open_params, posting_no),
};
/*
 * The other party is that of the pair, or of the posting. The clock is that of the opener's contract, and ends on a
 * business day. Payable of the
 * other's own statement less what went out and what is withheld is what can be withheld; of merchants and carriers
 * only, for nobody else is paid out. Of a line no more is kept than its pair pays, less what other disputes of the pair
 * keep or got: reversals may have taken most of the line back.
 */
const struct statement dispute_open = COMMAND_STATEMENT(
    "dispute_open",
    "INSERT INTO dispute (programme_no, request_id, content_hash, statement_id, period, line_number, posting_no, "
    "bank_no, merchant_no, currency, opener, opener_no, other, other_no, line_minor, amount_minor, withheld_minor, "
    "held_minor, reason_code, evidence, evidence_sha256, opened_by, opened_on, expires_on, break_no) SELECT "
    "x.programme_no, $2, $3, x.statement_id, x.period, $4, $14, CASE WHEN $14 = 0 THEN x.bank_no ELSE 0 END, CASE WHEN "
    "$14 = 0 THEN x.merchant_no ELSE 0 END, x.currency, $5, x.opener_no, x.other, x.other_no, $6, $7, w.minor, k.minor "
    "- w.minor, $8, $9, $10, $11, f.today, business_day(x.programme_no, f.today + COALESCE((SELECT c.dispute_days FROM "
    "settlement_contract c WHERE c.programme_no = x.programme_no AND c.party = $5 AND c.party_no = x.opener_no AND "
    "c.currency = x.currency AND c.effective_from <= x.last_day ORDER BY c.version DESC LIMIT 1), $12)), $13 FROM "
    "(SELECT s.*, o.opener_no, CASE WHEN q.posting_no IS NULL THEN 3 - $5 WHEN (q.from_party, q.from_no) = ($5, "
    "o.opener_no) THEN q.to_party ELSE q.from_party END AS other, CASE WHEN q.posting_no IS NULL THEN CASE $5 WHEN 1 "
    "THEN s.merchant_no ELSE s.bank_no END WHEN (q.from_party, q.from_no) = ($5, o.opener_no) THEN q.to_no ELSE "
    "q.from_no END AS other_no FROM statement s CROSS JOIN LATERAL (SELECT CASE $5 WHEN 1 THEN s.bank_no WHEN 2 THEN "
    "s.merchant_no ELSE s.carrier_no END AS opener_no) o LEFT JOIN settlement_posting q ON q.programme_no = "
    "s.programme_no AND q.period = s.period AND q.posting_no = $14 WHERE s.statement_no = $1) x, LATERAL (SELECT "
    "min(business_date) AS today FROM fence WHERE programme_no = x.programme_no) f, LATERAL (SELECT (CASE WHEN x.other "
    "NOT IN (2, 3) THEN 0 WHEN $14 > 0 THEN $7 ELSE LEAST($7, GREATEST(0, x.net_minor - (SELECT COALESCE(sum(CASE "
    "d.state WHEN 3 THEN d.agreed_minor ELSE d.withheld_minor + d.held_minor END), 0) FROM dispute d WHERE "
    "d.statement_id = x.statement_id AND d.opener = $5 AND d.state IN (1, 2, 3, 5)))) END)::int8 AS minor) k, LATERAL "
    "(SELECT COALESCE((SELECT LEAST(k.minor, GREATEST(0, p.payable_minor - (SELECT COALESCE(sum(o.amount_minor), 0) "
    "FROM payout o WHERE o.statement_id = r.statement_id AND o.state <> 4) - (SELECT COALESCE(sum(" DISPUTE_KEPT_OUT
    "), 0) FROM dispute d WHERE d.programme_no = x.programme_no AND d.period = x.period AND d.other = x.other AND "
    "d.other_no = x.other_no AND d.currency = x.currency AND d.state IN (1, 2, 3, 5)))) FROM statement r JOIN "
    "statement_position p USING (statement_no) WHERE r.programme_no = x.programme_no AND r.period = x.period AND "
    "r.type = CASE x.other WHEN 2 THEN 3 WHEN 3 THEN 5 END AND r.merchant_no + r.carrier_no = x.other_no AND "
    "r.currency = x.currency), 0)::int8 AS minor) w",
    open_params);
const struct statement dispute_hold = COMMAND_STATEMENT(
    "dispute_hold",
    "INSERT INTO settlement_hold (programme_no, merchant_no, carrier_no, currency, kind, amount_minor, refers_to, "
    "begun_on, from_period) SELECT programme_no, CASE other WHEN 2 THEN other_no ELSE 0 END, CASE other WHEN 3 THEN "
    "other_no ELSE 0 END, currency, 2, held_minor, 'dispute ' || dispute_no, opened_on, period FROM dispute WHERE "
    "programme_no = $1 AND request_id = $2 AND held_minor > 0",
    request_params);

/* The PAIR statement of a line, and the roll-ups of both parties. */
#define CONTESTS                                                                                                       \
    "d.programme_no = $1 AND d.period = s.period AND d.currency = s.currency AND d.state IN (1, 2, 5) AND CASE "       \
    "WHEN s.type = 1 THEN d.statement_id = s.statement_id WHEN s.type IN (2, 3, 5) THEN (CASE s.type WHEN 2 THEN 1 "   \
    "WHEN 3 THEN 2 ELSE 3 END, s.bank_no + s.merchant_no + s.carrier_no) IN ((d.opener, d.opener_no), (d.other, "      \
    "d.other_no)) ELSE false END"
const struct statement dispute_mark_statements = COMMAND_STATEMENT(
    "dispute_mark",
    "UPDATE statement s SET state = 5 FROM dispute d WHERE s.programme_no = $1 AND s.state IN (1, 4) AND " CONTESTS,
    programme_params);
const struct statement dispute_unmark_statements = COMMAND_STATEMENT(
    "dispute_unmark",
    "UPDATE statement t SET state = x.state FROM (SELECT s.statement_no, " STATEMENT_STANDS
    " AS state FROM statement s LEFT JOIN statement_position p USING (statement_no) LEFT JOIN statement_number n ON "
    "n.statement_id = s.statement_id AND n.state = 1 WHERE s.programme_no = $1 AND s.state = 5 AND NOT EXISTS (SELECT "
    "FROM dispute d WHERE " CONTESTS ")) x WHERE t.statement_no = x.statement_no AND t.state = 5",
    programme_params);

/* Steps */

#define TODAY "(SELECT min(f.business_date) FROM fence f WHERE f.programme_no = d.programme_no)"
static const struct column put_params[] = {
    COLUMN(struct dispute_put_params, dispute_no),    COLUMN(struct dispute_put_params, from),
    COLUMN(struct dispute_put_params, state),         COLUMN(struct dispute_put_params, offered_minor),
    COLUMN(struct dispute_put_params, offered_by),    COLUMN(struct dispute_put_params, agreed_minor),
    COLUMN(struct dispute_put_params, correction_no), COLUMN(struct dispute_put_params, ended),
};
const struct statement dispute_put =
    COMMAND_STATEMENT("dispute_put",
                      "UPDATE dispute d SET state = $3, offered_minor = $4, offered_by = $5, agreed_minor = $6, "
                      "correction_no = $7, ended_on = CASE WHEN $8 THEN " TODAY " ELSE d.ended_on END WHERE "
                      "d.dispute_no = $1 AND d.state = $2",
                      put_params);

static const struct column step_params[] = { COLUMN(struct dispute_step_params, dispute_no),
                                             COLUMN(struct dispute_step_params, step),
                                             COLUMN(struct dispute_step_params, by),
                                             COLUMN(struct dispute_step_params, amount_minor),
                                             COLUMN(struct dispute_step_params, note) };
const struct statement dispute_add_step =
    COMMAND_STATEMENT("dispute_add_step",
                      "INSERT INTO dispute_step (dispute_no, step, done_by, amount_minor, note, business_date) SELECT "
                      "d.dispute_no, $2, $3, $4, $5, " TODAY " FROM dispute d WHERE d.dispute_no = $1",
                      step_params);

static const struct column steps_params[] = { COLUMN(struct dispute_steps_params, dispute_no) };
static const struct column step_columns[] = { COLUMN(struct dispute_step_row, step),
                                              COLUMN(struct dispute_step_row, done_by),
                                              COLUMN(struct dispute_step_row, amount_minor),
                                              COLUMN(struct dispute_step_row, note),
                                              COLUMN(struct dispute_step_row, business_date) };
/* An operator may change its proposal for long: the last words are enough. */
const struct statement dispute_steps =
    STATEMENT("dispute_steps",
              "SELECT step, done_by, amount_minor, note, business_date FROM (SELECT * FROM dispute_step WHERE "
              "dispute_no = $1 ORDER BY step_no DESC LIMIT 100) newest ORDER BY step_no",
              steps_params, step_columns, sizeof(struct dispute_step_row));

static const struct column expire_params[] = { COLUMN(struct dispute_expire_params, programme_no),
                                               COLUMN(struct dispute_expire_params, today) };
const struct statement dispute_expire = COMMAND_STATEMENT(
    "dispute_expire",
    "WITH ended AS (UPDATE dispute SET state = 6, ended_on = $2 WHERE programme_no = $1 AND state IN (1, 2) AND "
    "expires_on < $2 RETURNING dispute_no) INSERT INTO dispute_step (dispute_no, step, done_by, amount_minor, note, "
    "business_date) SELECT dispute_no, 6, '', 0, '', $2 FROM ended",
    expire_params);
static const struct column ended_params[] = { COLUMN(struct dispute_ended_params, dispute_no) };
#define ONE     "d.dispute_no = $1 AND d.state IN (3, 4, 6)"
#define EXPIRED "d.programme_no = $1 AND d.state = 6 AND d.ended_on = $2"
#define RELEASE                                                                                                        \
    "UPDATE settlement_hold h SET release_on = d.ended_on FROM dispute d WHERE h.programme_no = d.programme_no AND "   \
    "h.kind = 2 AND h.refers_to = 'dispute ' || d.dispute_no AND h.release_on = '9999-12-31' AND "
const struct statement dispute_release = COMMAND_STATEMENT("dispute_release", RELEASE ONE, ended_params);
const struct statement dispute_release_expired =
    COMMAND_STATEMENT("dispute_release_expired", RELEASE EXPIRED, expire_params);
/* Numbers of recon_break.state: 7 DISPUTED, 4 CORRECTED, 8 REJECTED, 9 EXPIRED. */
#define END_BREAKS                                                                                                     \
    "UPDATE recon_break b SET state = CASE d.state WHEN 3 THEN 4 WHEN 4 THEN 8 ELSE 9 END, correction_no = "           \
    "d.correction_no FROM dispute d WHERE d.break_no > 0 AND b.break_no = d.break_no AND b.state = 7 AND "
const struct statement dispute_end_break = COMMAND_STATEMENT("dispute_end_break", END_BREAKS ONE, ended_params);
const struct statement dispute_end_expired_breaks =
    COMMAND_STATEMENT("dispute_end_expired_breaks", END_BREAKS EXPIRED, expire_params);
