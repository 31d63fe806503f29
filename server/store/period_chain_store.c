#include "store/period_chain_store.h"

#include <inttypes.h>

struct chain_params {
    int32_t programme_no;
    const char *period;
};
static const struct column params[] = { COLUMN(struct chain_params, programme_no),
                                        COLUMN(struct chain_params, period) };
struct chain_row {
    const char *statement_id, *before; /* the one that opens wrongly, and the period it should go on from */
    bool issued;                       /* the first is issued */
    int64_t opening_minor, closing_minor;
};
static const struct column row[] = {
    COLUMN(struct chain_row, statement_id),  COLUMN(struct chain_row, before),        COLUMN(struct chain_row, issued),
    COLUMN(struct chain_row, opening_minor), COLUMN(struct chain_row, closing_minor),
};
/* The same party and currency; one look-up a statement, by the index statement_chain. */
#define SAME                                                                                                           \
    "FROM statement o JOIN statement_position q USING (statement_no) WHERE o.type > 1 AND o.programme_no = "           \
    "s.programme_no AND o.type = s.type AND o.bank_no = s.bank_no AND o.merchant_no = s.merchant_no AND o.carrier_no " \
    "= s.carrier_no AND o.currency = s.currency AND period_kind(o.period) = period_kind(s.period) AND "
static const struct statement find_apart = STATEMENT(
    "period_chain_apart",
    "(SELECT s.statement_id, COALESCE(b.period, '') AS before, false AS issued, p.opening_minor, "
    "COALESCE(b.closing_minor, 0) AS closing_minor FROM statement s JOIN statement_position p USING (statement_no) "
    "LEFT "
    "JOIN LATERAL (SELECT o.period, q.closing_minor " SAME
    "o.last_day <= s.last_day AND (o.last_day, o.first_day) < (s.last_day, s.first_day) ORDER BY o.last_day DESC, "
    "o.first_day DESC LIMIT 1) b "
    "ON true WHERE s.programme_no = $1 AND s.period = $2 AND s.type > 1 AND p.opening_minor <> "
    "COALESCE(b.closing_minor, 0) ORDER BY s.statement_id LIMIT 1) UNION ALL "
    "(SELECT n.statement_id, s.period AS before, true AS issued, n.opening_minor, p.closing_minor FROM statement s "
    "JOIN "
    "statement_position p USING (statement_no) CROSS JOIN LATERAL (SELECT o.statement_id, o.period, "
    "q.opening_minor " SAME "o.last_day >= s.last_day AND (o.last_day, o.first_day) > "
    "(s.last_day, s.first_day) ORDER BY o.last_day, o.first_day LIMIT 1) n JOIN settlement_period x ON "
    "x.programme_no = $1 AND x.period "
    "= n.period AND x.state = 3 WHERE s.programme_no = $1 AND s.period = $2 AND s.type > 1 AND n.opening_minor <> "
    "p.closing_minor ORDER BY n.statement_id LIMIT 1) LIMIT 1",
    params, row, sizeof(struct chain_row));

bool period_chain_check(struct db *db, int32_t programme_no, const char *period, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct chain_params asked = { programme_no, period };
    struct chain_row apart;
    bool found;

    if (!db_fetch_one(db, &find_apart, &asked, &arena, &apart, &found, err))
        return false;
    if (!found)
        return true;
    if (apart.issued)
        return error_set(err, REASON_OPENING_DIFFERS,
                         "%.90s is issued and opens with %" PRId64 ", but here %.24s closes with %" PRId64
                         ": bring back what it was",
                         apart.statement_id, apart.opening_minor, apart.before, apart.closing_minor);
    return error_set(err, REASON_OPENING_DIFFERS,
                     "%.90s opens with %" PRId64 ", but %.24s closed with %" PRId64 "; calculate %.24s again",
                     apart.statement_id, apart.opening_minor, *apart.before ? apart.before : "nothing before",
                     apart.closing_minor, period);
}
