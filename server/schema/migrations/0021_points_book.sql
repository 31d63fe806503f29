-- Why:   a bank's statement shows its points: what came and went, what is outstanding by age and cost, credit drawn by age.
-- Locks: settlement_step under an exclusive lock, for a moment: one check is made wider.
-- Undo:  drop the tables and types, and the steps 'POINTS'; everything can be summed up again from the journal.
--
-- Only alliance-settle writes here, in the step POINTS of each closed day; a closed day without that step gets it with the
-- next close. What is kept for a day is never changed once written.
SET LOCAL lock_timeout = '10s';

ALTER TABLE settlement_step
    DROP CONSTRAINT settlement_step_known,
    ADD CONSTRAINT settlement_step_known CHECK (step IN ('FENCE', 'ROLL_UP', 'SEAL', 'POINTS', 'DAY', 'STATEMENTS', 'FILES'));

-- All journal entries of a bank up to the end of a day, by kind: a period is the difference of two days.
CREATE TABLE day_points (
    programme_no int NOT NULL REFERENCES programme,
    business_date date NOT NULL,
    bank_no int NOT NULL,
    kind smallint NOT NULL, -- as journal.kind
    entry_count int8 NOT NULL CONSTRAINT day_points_count CHECK (entry_count > 0),
    points int8 NOT NULL, -- sum of journal.points
    CONSTRAINT day_points_pk PRIMARY KEY (programme_no, business_date, bank_no, kind)
);

-- Points in lots, now: as the last POINTS left them. Within lots of one expiry and funding the oldest points go first.
CREATE TABLE point_lot (
    programme_no int NOT NULL REFERENCES programme,
    bank_no int NOT NULL,
    funding_no int NOT NULL, -- 0: the bank's own
    expires_on date NOT NULL,
    earned_on date NOT NULL, -- the business date they became available
    points int8 NOT NULL,
    CONSTRAINT point_lot_pk PRIMARY KEY (programme_no, bank_no, funding_no, expires_on, earned_on)
);
-- The same at the end of a day, by the age of the points.
CREATE TABLE day_lot_age (
    programme_no int NOT NULL REFERENCES programme,
    business_date date NOT NULL,
    bank_no int NOT NULL,
    funding_no int NOT NULL,
    age_class smallint NOT NULL CONSTRAINT day_lot_age_class CHECK (age_class BETWEEN 0 AND 5),
        -- 0: past their date and not yet booked as expired; else days: 1 to 30, 2 to 90, 3 to 180, 4 to 365, 5 more
    points int8 NOT NULL,
    CONSTRAINT day_lot_age_pk PRIMARY KEY (programme_no, business_date, bank_no, funding_no, age_class)
);
-- Points of lots that nobody will redeem any more: expired or closed on that day, less those reinstated.
CREATE TABLE day_lapsed (
    programme_no int NOT NULL REFERENCES programme,
    business_date date NOT NULL,
    bank_no int NOT NULL,
    funding_no int NOT NULL,
    points int8 NOT NULL,
    CONSTRAINT day_lapsed_pk PRIMARY KEY (programme_no, business_date, bank_no, funding_no)
);

-- Drawn credit of each member that has any, now, by the day it was drawn on: packed as account.credit (migration 0004).
CREATE TABLE member_drawn (
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    programme_no int NOT NULL,
    bank_no int NOT NULL,
    drawn bytea NOT NULL,
    CONSTRAINT member_drawn_pk PRIMARY KEY (bucket, member_id)
);
-- The same by bank.
CREATE TABLE drawn_day (
    programme_no int NOT NULL REFERENCES programme,
    bank_no int NOT NULL,
    drawn_on date NOT NULL,
    points int8 NOT NULL,
    CONSTRAINT drawn_day_pk PRIMARY KEY (programme_no, bank_no, drawn_on)
);
-- The same at the end of a day, by its age.
CREATE TABLE day_drawn_age (
    programme_no int NOT NULL REFERENCES programme,
    business_date date NOT NULL,
    bank_no int NOT NULL,
    age_class smallint NOT NULL CONSTRAINT day_drawn_age_class CHECK (age_class BETWEEN 1 AND 6),
        -- days: 1 to 30, 2 to 60, 3 to 90, 4 to 180, 5 to 365, 6 more
    points int8 NOT NULL,
    CONSTRAINT day_drawn_age_pk PRIMARY KEY (programme_no, business_date, bank_no, age_class)
);

-- What alliance-settle sends. Field order is that of its C column tables.
CREATE TYPE point_move_write AS (
    bank_no int, funding_no int, expires_on date, issued int8, taken int8, lapsed int8);
CREATE TYPE member_drawn_write AS (bucket int, member_id uuid, bank_no int, drawn bytea);
CREATE TYPE drawn_move_write AS (bank_no int, drawn_on date, points int8);
