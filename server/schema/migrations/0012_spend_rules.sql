-- Why:   card spend earns by the bank's rule set: where and how it was made decides, and caps of a day and a month.
-- Locks: accrual and its type under an exclusive lock, for a moment: no row is rewritten. The table is new.
-- Undo:  drop the table, the columns and the type as 0008 has it; what was earned stays.
SET LOCAL lock_timeout = '10s';

-- What a member earned by the rules on the day, and in its month, that was counted last. Only members of banks whose
-- rule set has such caps have a row.
CREATE TABLE earn_count (
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    counted_on date NOT NULL,
    day_points int8 NOT NULL,
    month_points int8 NOT NULL CONSTRAINT earn_count_month CHECK (month_points >= day_points AND day_points >= 0),
    rules bytea NOT NULL, -- 48 bytes a rule with caps: 32 bytes name padded with zeros, int8 day, int8 month points
    CONSTRAINT earn_count_pk PRIMARY KEY (bucket, member_id)
) WITH (fillfactor = 80);
CREATE TYPE earn_count_write AS (member_id uuid, counted_on date, day_points int8, month_points int8, rules bytea);

ALTER TABLE accrual
    ADD merchant_id text NOT NULL DEFAULT '', -- of the alliance, as the bank said
    ADD channel text NOT NULL DEFAULT '',     -- in the bank's words
    ADD paid_with_points_minor int8 NOT NULL DEFAULT 0, -- of amount_minor
    ADD spent_on date NOT NULL DEFAULT '1970-01-01',    -- day of transaction_time in the programme's time zone; 1970-01-01: not asked for
    ADD tier smallint NOT NULL DEFAULT 0,               -- the member's then
    ADD earn_rule text NOT NULL DEFAULT '';             -- of the rule set, that decided; '' for none

DROP TYPE accrual_write;
CREATE TYPE accrual_write AS (
    id uuid, member_id uuid, bank_no int, transaction_ref text, content_hash bytea, amount_minor int8, currency text,
    transaction_time timestamptz, points int8, rules_version int, business_date date, at timestamptz,
    clawed_points int8, pending_points int8, lot_expires date, matures_on date, funding_no int, reversed_minor int8,
    fixed_points boolean, category int, place text, merchant_id text, channel text, paid_with_points_minor int8,
    spent_on date, tier smallint, earn_rule text);
