-- Why:   who has not answered an issued statement in the days of its contract has agreed; those still open are found at once.
-- Locks: statement against writes, while the index over its few rows is built.
-- Undo:  drop the index.
SET LOCAL lock_timeout = '10s';

-- 2 BANK, 3 MERCHANT, 5 CARRIER: a PAIR is agreed to with its roll-ups.
CREATE INDEX statement_unanswered ON statement (programme_no, period) WHERE state = 1 AND type IN (2, 3, 5);
