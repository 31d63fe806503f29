-- Why:   parties contest postings of their statements, too; whose money is kept may then be a carrier's.
-- Locks: dispute and settlement_hold against everything for a moment; both are small.
-- Undo:  delete disputes with a posting_no, and holds with a carrier_no; drop the new columns; give the checks and the key back.
SET LOCAL lock_timeout = '10s';

ALTER TABLE dispute
    ADD posting_no int NOT NULL DEFAULT 0, -- of settlement_posting; statement_id is the opener's own roll-up then
    ADD opener_no int NOT NULL DEFAULT 0,
    ADD other smallint NOT NULL DEFAULT 0, -- enum party_kind: who answers, and pays what is agreed
    ADD other_no int NOT NULL DEFAULT 0,
    DROP CONSTRAINT dispute_line,
    DROP CONSTRAINT dispute_opener;
UPDATE dispute SET other = 3 - opener, opener_no = CASE opener WHEN 1 THEN bank_no ELSE merchant_no END,
    other_no = CASE opener WHEN 1 THEN merchant_no ELSE bank_no END;
ALTER TABLE dispute
    ADD CONSTRAINT dispute_line CHECK (line_number >= 0 AND posting_no >= 0 AND (line_number > 0) <> (posting_no > 0)),
    ADD CONSTRAINT dispute_opener CHECK (opener IN (1, 2, 3)), -- bank, merchant, carrier
    ADD CONSTRAINT dispute_other CHECK (other BETWEEN 1 AND 5 AND (other, other_no) <> (opener, opener_no));
CREATE INDEX dispute_of_posting ON dispute (programme_no, period, posting_no) WHERE posting_no > 0;

ALTER TABLE settlement_hold
    ADD carrier_no int NOT NULL DEFAULT 0,
    DROP CONSTRAINT settlement_hold_merchant_no_fkey,
    ADD CONSTRAINT settlement_hold_party CHECK ((merchant_no > 0) <> (carrier_no > 0)); -- whose money it is
