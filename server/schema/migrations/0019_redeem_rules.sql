-- Why:   what a redemption costs and what the bank owes for it may depend on what the merchant sells.
-- Locks: terms under an exclusive lock, for a moment: no row is rewritten.
-- Undo:  drop the column; what was settled stays.
SET LOCAL lock_timeout = '10s';

ALTER TABLE terms
    ADD category int NOT NULL DEFAULT 0 CONSTRAINT terms_category CHECK (category BETWEEN 0 AND 9999); -- ISO 18245; 0: not known
