-- Why:   card spend makes tiers: at once when it reaches one, and a tier that is no longer reached ends after its grace.
-- Locks: account, accrual and their types under an exclusive lock, for a moment: no row is rewritten. The tables are new.
-- Undo:  drop the tables and the columns, and make the types as 0004 and 0012 have them; the tiers members have stay.
SET LOCAL lock_timeout = '10s';

-- What a member spent, by month, and when which tier was last reached: domain/tier_review.h. Only members of banks whose
-- rule set has tiers with qualifying spend have a row, once they have spent or have a tier.
CREATE TABLE tier_review (
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    rules_version int NOT NULL, -- by whose tiers it was looked at last
    month date NOT NULL, -- that it is brought up to: its first day, as of all months here
    months date[] NOT NULL, -- that have spend, each with a currency and an amount
    currencies text[] NOT NULL,
    amounts int8[] NOT NULL, -- minor units
    mark_tiers int8[] NOT NULL, -- tiers that were reached,
    mark_months date[] NOT NULL, -- and the last month of it; of the year 9999: for good
    mark_aheads date[] NOT NULL, -- and what that will be if nothing more is spent
    CONSTRAINT tier_review_pk PRIMARY KEY (bucket, member_id),
    CONSTRAINT tier_review_months CHECK (cardinality(months) = cardinality(currencies) AND cardinality(months) = cardinality(amounts)),
    CONSTRAINT tier_review_marks CHECK (cardinality(mark_tiers) = cardinality(mark_months) AND cardinality(mark_tiers) = cardinality(mark_aheads))
) WITH (fillfactor = 70);
CREATE TYPE tier_review_write AS (
    member_id uuid, rules_version int, month date, months date[], currencies text[], amounts int8[], mark_tiers int8[],
    mark_months date[], mark_aheads date[]);

-- A tier that a review gave or took away; append-only.
CREATE TABLE tier_change (
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    seq int8 NOT NULL, -- of the journal entry
    rules_version int NOT NULL,
    tier_before smallint NOT NULL,
    tier_after smallint NOT NULL,
    judged_tier smallint NOT NULL, -- of the rule set: the one that was reached, or is no longer
    currency text NOT NULL, -- of the next two
    spent_minor int8 NOT NULL, -- in its period
    needed_minor int8 NOT NULL,
    first_day date NOT NULL, -- of that period
    CONSTRAINT tier_change_pk PRIMARY KEY (bucket, member_id, seq)
);
CREATE TYPE tier_change_write AS (
    member_id uuid, seq int8, rules_version int, tier_before smallint, tier_after smallint, judged_tier smallint,
    currency text, spent_minor int8, needed_minor int8, first_day date);

ALTER TABLE account ADD tier_due date NOT NULL DEFAULT '1970-01-01'; -- from when on the tier is to be looked at; 1970-01-01: no day
ALTER TABLE accrual ADD qualifying_minor int8 NOT NULL DEFAULT 0; -- of amount_minor, that counted for the tier

DROP TYPE account_write;
DROP TYPE account_change;
CREATE TYPE account_write AS (
    member_id uuid, programme_no int, bank_no int, member_ref text, status smallint, tier smallint, available int8,
    held int8, pending int8, expired int8, credit_limit int8, credit_used int8, counted_on date, day_points int8,
    month_points int8, next_due date, journal_seq int8, chain bytea, profile_hash bytea, lots bytea, pending_lots bytea,
    holds bytea, recent bytea, credit bytea, tier_due date);
CREATE TYPE account_change AS (
    place tid, member_id uuid, status smallint, tier smallint, available int8, held int8, pending int8, expired int8,
    credit_limit int8, credit_used int8, counted_on date, day_points int8, month_points int8, next_due date,
    journal_seq int8, chain bytea, profile_hash bytea, lots bytea, pending_lots bytea, holds bytea, recent bytea,
    credit bytea, tier_due date);

DROP TYPE accrual_write;
CREATE TYPE accrual_write AS (
    id uuid, member_id uuid, bank_no int, transaction_ref text, content_hash bytea, amount_minor int8, currency text,
    transaction_time timestamptz, points int8, rules_version int, business_date date, at timestamptz,
    clawed_points int8, pending_points int8, lot_expires date, matures_on date, funding_no int, reversed_minor int8,
    fixed_points boolean, category int, place text, merchant_id text, channel text, paid_with_points_minor int8,
    spent_on date, tier smallint, earn_rule text, qualifying_minor int8);
