-- Why:   silence binds a statement that was paid, too: those still open are found whatever became of their money.
-- Locks: statement against writes, while the index over its few rows is built.
-- Undo:  drop the index and make statement_unanswered of 0023 again.
SET LOCAL lock_timeout = '10s';

-- 2 BANK, 3 MERCHANT, 5 CARRIER: a PAIR is agreed to with its roll-ups.
DROP INDEX statement_unanswered;
CREATE INDEX statement_unanswered ON statement (programme_no, period) WHERE answered_on = '1970-01-01' AND type IN (2, 3, 5);
