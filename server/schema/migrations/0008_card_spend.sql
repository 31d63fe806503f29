-- Why:   card spend may earn points the bank fixes itself, says where it happened, and is taken back by part.
-- Locks: account for account nothing; accrual and its two types under an exclusive lock, for a moment: no row is rewritten.
-- Undo:  drop the columns and the types as 0003 has them; which parts were taken back is then no longer known.
SET LOCAL lock_timeout = '10s';

ALTER TABLE accrual
    ADD reversed_minor int8 NOT NULL DEFAULT 0, -- of amount_minor, taken back by the bank's own reversals
    ADD fixed_points boolean NOT NULL DEFAULT false, -- the bank said how many points, not the rules
    ADD category int NOT NULL DEFAULT 0, -- merchant category code of ISO 18245; 0: not known
    ADD place text NOT NULL DEFAULT '', -- where the card was used, in the bank's words
    ADD CONSTRAINT accrual_reversed CHECK (reversed_minor BETWEEN 0 AND amount_minor);

DROP TYPE accrual_write;
DROP TYPE accrual_change;
CREATE TYPE accrual_write AS (
    id uuid, member_id uuid, bank_no int, transaction_ref text, content_hash bytea, amount_minor int8, currency text,
    transaction_time timestamptz, points int8, rules_version int, business_date date, at timestamptz,
    clawed_points int8, pending_points int8, lot_expires date, matures_on date, funding_no int, reversed_minor int8,
    fixed_points boolean, category int, place text);
CREATE TYPE accrual_change AS (
    id uuid, clawed_points int8, pending_points int8, lot_expires date, reversed_minor int8);
