-- settle_again.sql: opens the month of settle_prepare.sql again, as if it had never been closed.
\set ON_ERROR_STOP on
SELECT programme_no FROM programme WHERE programme_id = 'settle' \gset
BEGIN;
DELETE FROM statement_chunk USING statement WHERE statement_chunk.statement_no = statement.statement_no AND programme_no = :programme_no;
DELETE FROM statement WHERE programme_no = :programme_no;
DELETE FROM day_rollup WHERE programme_no = :programme_no;
DELETE FROM day_seal WHERE programme_no = :programme_no;
DELETE FROM day_points WHERE programme_no = :programme_no;
DELETE FROM point_lot WHERE programme_no = :programme_no;
DELETE FROM day_lot_age WHERE programme_no = :programme_no;
DELETE FROM day_lapsed WHERE programme_no = :programme_no;
DELETE FROM member_drawn WHERE programme_no = :programme_no;
DELETE FROM drawn_day WHERE programme_no = :programme_no;
DELETE FROM day_drawn_age WHERE programme_no = :programme_no;
DELETE FROM settlement_step WHERE programme_no = :programme_no;
UPDATE fence SET business_date = '2026-06-01' WHERE programme_no = :programme_no;
COMMIT;
VACUUM statement_chunk, statement, day_rollup, day_seal, settlement_step;
CHECKPOINT;
