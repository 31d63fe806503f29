-- Why:   statements of days, weeks and custom periods beside those of months: each contract says which it is settled by.
-- Locks: ACCESS EXCLUSIVE on settlement_step for its new primary key (a row a step and day), and SHARE ROW EXCLUSIVE on
--        settlement_hold for what is contested now.
-- Undo:  drop function period_kind; drop type period_span; delete from settlement_step where period is no month, drop its
--        primary key, add it without the column, drop the column.

-- The kind a period's name says, numbered as enum period_kind in server/domain/period.h; '' is from before the kinds.
CREATE FUNCTION period_kind(period text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE length(period) WHEN 10 THEN 1 WHEN 8 THEN 2 WHEN 22 THEN 4 ELSE 3 END::smallint $$;

-- Days of a party and currency that a close of other periods than months takes, or that a close of a month leaves out.
CREATE TYPE period_span AS (
    party smallint, party_no int, currency text, first_day date, last_day date, here boolean);

-- Two periods may begin on one day.
ALTER TABLE settlement_step ADD period text NOT NULL DEFAULT ''; -- of STATEMENTS and FILES
ALTER TABLE settlement_step DROP CONSTRAINT settlement_step_pk,
    ADD CONSTRAINT settlement_step_pk PRIMARY KEY (programme_no, step, business_date, bucket, period);
UPDATE settlement_step SET period = to_char(business_date, 'YYYY-MM') WHERE step IN ('STATEMENTS', 'FILES');

-- Contested money belongs to the periods of the statement that is contested, as a reserve belongs to its own.
UPDATE settlement_hold h SET from_period = d.period FROM dispute d
    WHERE h.kind = 2 AND h.programme_no = d.programme_no AND h.refers_to = 'dispute ' || d.dispute_no;
