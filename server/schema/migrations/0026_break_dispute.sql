-- Why:   a break of a reconciliation that no later file explained becomes a dispute of the statement's line, once.
-- Locks: dispute and recon_break against everything for a moment: columns with a default, a check made wider, a small index.
-- Undo:  drop index dispute_of_break; drop column break_no of dispute, dispute_no of recon_break; give recon_break_state back.
SET LOCAL lock_timeout = '10s';

ALTER TABLE dispute ADD break_no int8 NOT NULL DEFAULT 0; -- 0: a party contested by itself
CREATE UNIQUE INDEX dispute_of_break ON dispute (break_no) WHERE break_no > 0; -- one at most, whoever tries

ALTER TABLE recon_break
    ADD dispute_no int8 NOT NULL DEFAULT 0,
    DROP CONSTRAINT recon_break_state,
    ADD CONSTRAINT recon_break_state CHECK (state BETWEEN 1 AND 9), -- enum recon_break_state
    ADD CONSTRAINT recon_break_disputed CHECK (state < 7 OR dispute_no > 0);
