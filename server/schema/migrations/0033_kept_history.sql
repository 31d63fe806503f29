-- Why:   a close reads what is of its period or still open: what it costs does not grow with the months that are kept.
-- Locks: statement, statement_chunk, settlement_hold, shipment against writes, while indexes over some of their rows are built.
-- Undo:  drop the four indexes, and make statement_lines_stay as in 0018.
SET LOCAL lock_timeout = '10s';

CREATE INDEX statement_disputed ON statement (programme_no) WHERE state = 5;
CREATE INDEX statement_of_bank_last ON statement (bank_no, last_day) WHERE type = 2;
CREATE INDEX settlement_hold_of_period ON settlement_hold (programme_no, from_period) WHERE kind = 1;
CREATE INDEX shipment_delivered ON shipment (programme_no, merchant_no, head_at) WHERE state = 6;

-- '-' in shipment.freight_period: delivered when its carrier had no contract that gives freight; no period bills it.

-- As in 0018, but each statement is looked up: a join, planned for few lines, read all statements of issued periods.
CREATE OR REPLACE FUNCTION statement_lines_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_statement int8;
BEGIN
    FOR of_statement IN SELECT DISTINCT statement_no FROM changed LOOP
        IF (SELECT statement_is_issued(s.programme_no, s.period) FROM statement s WHERE s.statement_no = of_statement) THEN
            RAISE EXCEPTION 'lines of what was issued are never changed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'settlement_stays';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
