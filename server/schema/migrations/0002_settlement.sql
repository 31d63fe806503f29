-- Why:   day close and period close: what a closed day added up to, its seals, and the statements made of sealed days.
-- Locks: none that matter; everything is new. journal_open_month waits at most two seconds for the rest partition.
-- Undo:  drop view statement_entry; drop table settlement_step, day_rollup, day_seal, statement, statement_line;
--        drop function journal_open_month. The journal is not touched, so everything can be calculated again.
--
-- Only alliance-settle writes here, under one advisory lock a programme. Nothing is NULL: 0, '' and -1 mean "none".

-- What has been done, one row a step, written in the step's own transaction: a close that was killed goes on after it.
CREATE TABLE settlement_step (
    programme_no int NOT NULL REFERENCES programme,
    step text NOT NULL CONSTRAINT settlement_step_known
        CHECK (step IN ('FENCE', 'ROLL_UP', 'SEAL', 'DAY', 'STATEMENTS', 'FILES')),
    business_date date NOT NULL, -- of a month: its first day
    bucket int NOT NULL,         -- of a FENCE; -1 otherwise
    done_at timestamptz NOT NULL DEFAULT now(), -- the database's clock, for people only
    CONSTRAINT settlement_step_pk PRIMARY KEY (programme_no, step, business_date, bucket)
);

-- Sums of a closed day's journal entries, all kinds of entry; never changed once written.
CREATE TABLE day_rollup (
    programme_no int NOT NULL REFERENCES programme,
    business_date date NOT NULL,
    bank_no int NOT NULL,
    merchant_no int NOT NULL, -- this and the next: 0 for entries without a merchant or a store
    store_no int NOT NULL,
    rules_version int NOT NULL,
    terms_version int NOT NULL,
    currency text NOT NULL,
    kind smallint NOT NULL, -- as journal.kind
    entry_count int8 NOT NULL CONSTRAINT day_rollup_count CHECK (entry_count > 0),
    points int8 NOT NULL,       -- sum of journal.points, 0 or more: the kind says the direction
    gross_minor int8 NOT NULL,  -- signed: reversals are negative
    commission_minor int8 NOT NULL,
    CONSTRAINT day_rollup_pk PRIMARY KEY (programme_no, business_date, bank_no, merchant_no, store_no, rules_version,
                                          terms_version, currency, kind)
);

-- What a closed day of one bucket consists of; empty days have a seal too.
CREATE TABLE day_seal (
    programme_no int NOT NULL REFERENCES programme,
    business_date date NOT NULL,
    bucket int NOT NULL,
    entry_count int8 NOT NULL CONSTRAINT day_seal_count CHECK (entry_count >= 0),
    points int8 NOT NULL, -- sum of journal.points
    hash bytea NOT NULL CONSTRAINT day_seal_hash CHECK (octet_length(hash) = 32), -- settlement/seal.h says of what
    CONSTRAINT day_seal_pk PRIMARY KEY (programme_no, business_date, bucket)
);

-- One party's, or pair's, month in one currency. The numbers are those of Statement in settlement_service.proto.
CREATE TABLE statement (
    statement_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT statement_pk PRIMARY KEY, -- never shown
    statement_id text NOT NULL COLLATE "C" CONSTRAINT statement_id_unique UNIQUE,
    programme_no int NOT NULL REFERENCES programme,
    period text NOT NULL CONSTRAINT statement_period CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    type smallint NOT NULL CONSTRAINT statement_type CHECK (type BETWEEN 1 AND 4), -- StatementType
    bank_no int NOT NULL,     -- PAIR and BANK; 0 otherwise
    merchant_no int NOT NULL, -- PAIR and MERCHANT; 0 otherwise
    currency text NOT NULL CONSTRAINT statement_currency CHECK (currency ~ '^[A-Z]{3}$'), -- XXX: nothing happened
    state smallint NOT NULL DEFAULT 1 CONSTRAINT statement_state CHECK (state = 1), -- StatementState
    confirmed_count int8 NOT NULL CONSTRAINT statement_confirmed_count CHECK (confirmed_count >= 0),
    confirmed_points int8 NOT NULL CONSTRAINT statement_confirmed_points CHECK (confirmed_points >= 0),
    reversed_count int8 NOT NULL CONSTRAINT statement_reversed_count CHECK (reversed_count >= 0),
    reversed_points int8 NOT NULL CONSTRAINT statement_reversed_points CHECK (reversed_points >= 0),
    gross_minor int8 NOT NULL, -- confirmed minus reversed, so it may be negative; the same for the next two
    commission_minor int8 NOT NULL,
    net_minor int8 NOT NULL,
    line_count int8 NOT NULL CONSTRAINT statement_line_count CHECK (line_count >= 0), -- roll-ups: of pairs
    content_sha256 bytea NOT NULL CONSTRAINT statement_content CHECK (octet_length(content_sha256) = 32), -- of the CSV
    calculated_at timestamptz NOT NULL, -- the database's clock; kept when a later run finds the same
    CONSTRAINT statement_parties UNIQUE (programme_no, period, type, bank_no, merchant_no, currency),
    CONSTRAINT statement_net CHECK (net_minor = gross_minor - commission_minor),
    CONSTRAINT statement_bank CHECK ((bank_no > 0) = (type IN (1, 2))),
    CONSTRAINT statement_merchant CHECK ((merchant_no > 0) = (type IN (1, 3)))
);
-- Lists are in order of statement_id, for the operator and for one party.
CREATE INDEX statement_of_programme ON statement (programme_no, statement_id);
CREATE INDEX statement_of_bank ON statement (bank_no, statement_id) WHERE bank_no > 0;
CREATE INDEX statement_of_merchant ON statement (merchant_no, statement_id) WHERE merchant_no > 0;

-- Which journal entries a PAIR statement consists of: pointers only, the facts stay in the journal.
-- Numbered in order of (business_date, at, bucket, member_id, seq).
CREATE TABLE statement_line (
    statement_no int8 NOT NULL,
    line_number int8 NOT NULL CONSTRAINT statement_line_number CHECK (line_number >= 1),
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    seq int8 NOT NULL,
    business_date date NOT NULL,
    CONSTRAINT statement_line_pk PRIMARY KEY (statement_no, line_number)
);

-- A statement's lines as StatementLine shows them. Ask by statement_no and a range of line_number:
-- each line is then one look-up by the journal's primary key.
-- redemption_id as callers know it is '<redemption_id>.<first two bytes of member_id, hexadecimal>'.
CREATE VIEW statement_entry AS
SELECT l.statement_no, l.line_number, l.business_date, j.at, j.kind, j.member_id, j.redemption_id,
       j.ref AS request_id, COALESCE(s.store_id, '') AS store_id,
       CASE j.kind WHEN 8 THEN -j.points ELSE j.points END AS points,
       j.gross_minor, j.commission_minor, j.gross_minor - j.commission_minor AS net_minor,
       j.rules_version, j.terms_version
FROM statement_line l
JOIN journal j ON j.bucket = l.bucket AND j.member_id = l.member_id AND j.seq = l.seq
    AND j.business_date = l.business_date
LEFT JOIN store s ON s.store_no = j.store_no;

-- What alliance-settle sends: one array of these a statement, in binary. Field order is that of its C column table.
CREATE TYPE statement_write AS (
    statement_id text, type smallint, bank_no int, merchant_no int, currency text, confirmed_count int8,
    confirmed_points int8, reversed_count int8, reversed_points int8, gross_minor int8, commission_minor int8,
    net_minor int8, line_count int8, content_sha256 bytea);

-- Gives the month of that day its own part of the journal, so that a close reads one month, however many are kept.
-- True when the month has one afterwards. False is no harm: the entries then lie in journal_rest, which finds a day by
-- its block range index. It is false when journal_rest has entries of that month already or is busy for two seconds.
CREATE FUNCTION journal_open_month(day date) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    part text := 'journal_' || to_char(day, 'YYYY_MM');
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN true;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF journal FOR VALUES FROM (%L) TO (%L)', part, first,
                   (first + interval '1 month')::date);
    RETURN true;
EXCEPTION
    WHEN check_violation OR lock_not_available OR duplicate_table THEN
        RETURN false;
END $$;
