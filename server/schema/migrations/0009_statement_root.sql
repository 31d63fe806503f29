-- Why:   a party can prove one row of a statement to a third without showing it the others.
-- Locks: statement under an exclusive lock, for a moment: no row is rewritten.
-- Undo:  drop the column, and make the type as 0002 has it.
SET LOCAL lock_timeout = '10s';

ALTER TABLE statement ADD rows_root bytea NOT NULL DEFAULT '' -- '': calculated before there were roots
    CONSTRAINT statement_rows_root CHECK (octet_length(rows_root) IN (0, 32));
DROP TYPE statement_write;
CREATE TYPE statement_write AS (
    statement_id text, type smallint, bank_no int, merchant_no int, currency text, confirmed_count int8,
    confirmed_points int8, reversed_count int8, reversed_points int8, gross_minor int8, commission_minor int8,
    net_minor int8, line_count int8, content_sha256 bytea, rows_root bytea);
