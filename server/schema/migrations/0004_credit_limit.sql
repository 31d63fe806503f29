-- Why:   a credit limit may follow the member's tier, and another one for a time; what is drawn of it is known by its age.
-- Locks: account under an exclusive lock while the rows that have drawn credit are rewritten: apply it while no server runs.
-- Undo:  drop the views, the column and the table, and the types as 0003 has them; limits stay as they were last.
--
-- account.credit is packed as in 0003 (domain/packed.h); empty when the limit is the member's own, for good, and nothing
-- is drawn:
--   int4 flags (1: by tier, 2: the temporary limit is in force), int4 first and int4 last business date of the temporary
--   limit (0: there is none), int8 the member's own limit beside it, int8 points of the temporary limit; then, 12 bytes
--   each, int4 business date, int8 points drawn on it and not yet repaid
SET LOCAL lock_timeout = '10s';

ALTER TABLE account ADD credit bytea NOT NULL DEFAULT '';

-- As old as the debt: the first entry after the last one that left none.
UPDATE account a SET credit = decode(repeat('00', 28), 'hex') || int4send(coalesce(
    (SELECT j.business_date FROM journal j WHERE j.bucket = a.bucket AND j.member_id = a.member_id AND j.seq > coalesce(
        (SELECT max(n.seq) FROM journal n WHERE n.bucket = a.bucket AND n.member_id = a.member_id AND n.credit_used_after = 0),
        0) ORDER BY j.seq LIMIT 1), '1970-01-01') - '1970-01-01') || int8send(credit_used)
WHERE credit_used > 0;

-- What a bank lends by tier.
CREATE TABLE exchange_tier_limit (
    bank_no int NOT NULL,
    version int NOT NULL,
    tier int NOT NULL, -- the lowest it is for
    points int8 NOT NULL CONSTRAINT exchange_tier_limit_points CHECK (points >= 0),
    CONSTRAINT exchange_tier_limit_pk PRIMARY KEY (bank_no, version, tier),
    CONSTRAINT exchange_tier_limit_rules FOREIGN KEY (bank_no, version) REFERENCES exchange_rules
);

CREATE VIEW account_credit AS
    SELECT bucket, member_id, packed_int4(credit, 0) & 1 = 1 AS by_tier, packed_int4(credit, 0) & 2 = 2 AS temporary_begun,
           packed_int8(credit, 12) AS own_limit, packed_int8(credit, 20) AS temporary_points,
           packed_date(credit, 4) AS temporary_first, packed_date(credit, 8) AS temporary_last
    FROM account WHERE credit <> '';
CREATE VIEW account_drawn AS
    SELECT bucket, member_id, packed_date(credit, at) AS drawn_on, packed_int8(credit, at + 4) AS points
    FROM account, generate_series(28, length(credit) - 12, 12) at;

DROP TYPE account_write;
DROP TYPE account_change;
CREATE TYPE account_write AS (
    member_id uuid, programme_no int, bank_no int, member_ref text, status smallint, tier smallint, available int8,
    held int8, pending int8, expired int8, credit_limit int8, credit_used int8, counted_on date, day_points int8,
    month_points int8, next_due date, journal_seq int8, chain bytea, profile_hash bytea, lots bytea, pending_lots bytea,
    holds bytea, recent bytea, credit bytea);
CREATE TYPE account_change AS (
    place tid, member_id uuid, status smallint, tier smallint, available int8, held int8, pending int8, expired int8,
    credit_limit int8, credit_used int8, counted_on date, day_points int8, month_points int8, next_due date,
    journal_seq int8, chain bytea, profile_hash bytea, lots bytea, pending_lots bytea, holds bytea, recent bytea,
    credit bytea);
