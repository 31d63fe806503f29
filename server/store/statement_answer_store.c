#include "store/statement_answer_store.h"

/* Numbers of StatementState and StatementType: 1 as its period (3: issued), 4 CONFIRMED, 6 PAID; 2 BANK, 3 MERCHANT. */
static const struct column confirm_params[] = { COLUMN(struct statement_confirm_params, statement_no),
                                                COLUMN(struct statement_confirm_params, by) };
const struct statement statement_confirm = COMMAND_STATEMENT(
    "statement_confirm",
    "UPDATE statement s SET state = GREATEST(s.state, 4), answered_by = $2, answered_on = (SELECT min(f.business_date) "
    "FROM fence f WHERE f.programme_no = s.programme_no) FROM settlement_period p WHERE s.statement_no = $1 AND "
    "s.state IN (1, 6) AND s.answered_on = '1970-01-01' AND p.programme_no = s.programme_no AND p.period = s.period "
    "AND p.state = 3 AND NOT EXISTS (SELECT FROM dispute d WHERE d.programme_no = s.programme_no AND d.period = "
    "s.period AND d.currency = s.currency AND d.state IN (1, 2, 5) AND (CASE s.type WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 "
    "END, s.bank_no + s.merchant_no + s.carrier_no) IN ((d.opener, d.opener_no), (d.other, d.other_no)))",
    confirm_params);

static const struct column silence_params[] = { COLUMN(struct statement_silence_params, programme_no),
                                                COLUMN(struct statement_silence_params, today) };
const struct statement statement_silence = COMMAND_STATEMENT(
    "statement_silence",
    "UPDATE statement s SET state = GREATEST(s.state, 4), answered_on = $2 WHERE s.programme_no = $1 AND s.answered_on "
    "= "
    "'1970-01-01' AND s.state IN (1, 6) AND s.type IN (2, 3, 5) AND (SELECT " ANSWER_UNTIL(
        "p", "CASE s.type WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 END", "s.bank_no + s.merchant_no + s.carrier_no",
        "s.currency") " FROM settlement_period p WHERE p.programme_no = $1 AND p.period = s.period AND p.state = 3) < "
                      "$2::date",
    silence_params);
