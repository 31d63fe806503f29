-- Why:   a party contests a line of an issued statement; what is contested is not paid until it is decided.
-- Locks: payout against writes, for an index over its few rows; everything else is new.
-- Undo:  drop table dispute_step, dispute; drop index payout_part; drop column part of payout; make payout_once again.
SET LOCAL lock_timeout = '10s';

-- A line that a party contests. What was said stands in dispute_step.
CREATE TABLE dispute (
    dispute_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT dispute_pk PRIMARY KEY,
    programme_no int NOT NULL REFERENCES programme,
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL, -- of the request
    statement_id text NOT NULL COLLATE "C", -- a PAIR statement
    period text NOT NULL,
    line_number int8 NOT NULL CONSTRAINT dispute_line CHECK (line_number >= 1),
    bank_no int NOT NULL,
    merchant_no int NOT NULL,
    currency text NOT NULL,
    opener smallint NOT NULL CONSTRAINT dispute_opener CHECK (opener IN (1, 2)), -- 1 the bank, 2 the merchant
    line_minor int8 NOT NULL CONSTRAINT dispute_line_minor CHECK (line_minor > 0), -- the line's gross, without its sign
    amount_minor int8 NOT NULL CONSTRAINT dispute_amount CHECK (amount_minor BETWEEN 1 AND line_minor),
    -- Of the merchant's money, when the bank contests: what is kept out of the payout of the period's own statement. The
    -- rest was paid or on its way already and is a row of settlement_hold.
    withheld_minor int8 NOT NULL CONSTRAINT dispute_withheld CHECK (withheld_minor BETWEEN 0 AND amount_minor),
    reason_code text NOT NULL,
    evidence text NOT NULL,
    evidence_sha256 bytea NOT NULL CONSTRAINT dispute_evidence CHECK (octet_length(evidence_sha256) IN (0, 32)),
    state smallint NOT NULL DEFAULT 1 CONSTRAINT dispute_state CHECK (state BETWEEN 1 AND 6), -- domain/dispute.h
    opened_by text NOT NULL,
    opened_on date NOT NULL, -- the open business date
    expires_on date NOT NULL, -- the last day to answer, agree or escalate
    offered_minor int8 NOT NULL DEFAULT 0, -- by the other party, or proposed by an operator once it is escalated
    offered_by text NOT NULL DEFAULT '',
    agreed_minor int8 NOT NULL DEFAULT 0,
    ended_on date NOT NULL DEFAULT '9999-12-31',
    correction_no int8 NOT NULL DEFAULT 0, -- of an agreed one
    CONSTRAINT dispute_request UNIQUE (programme_no, request_id),
    CONSTRAINT dispute_agreed CHECK (agreed_minor BETWEEN 0 AND amount_minor AND (agreed_minor > 0) = (state = 3)),
    CONSTRAINT dispute_corrected CHECK ((correction_no > 0) = (state = 3)),
    CONSTRAINT dispute_ended CHECK ((ended_on < '9999-12-31') = (state IN (3, 4, 6)))
);
CREATE INDEX dispute_of_line ON dispute (statement_id, line_number);
CREATE INDEX dispute_open ON dispute (programme_no, period) WHERE state IN (1, 2, 5);

-- What was done and said, by whom; append-only.
CREATE TABLE dispute_step (
    step_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT dispute_step_pk PRIMARY KEY,
    dispute_no int8 NOT NULL REFERENCES dispute,
    step smallint NOT NULL CONSTRAINT dispute_step_step CHECK (step BETWEEN 1 AND 6), -- domain/dispute.h
    done_by text NOT NULL, -- '': the clock
    amount_minor int8 NOT NULL,
    note text NOT NULL,
    business_date date NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now() -- the database's clock, for people
);
CREATE INDEX dispute_step_of ON dispute_step (dispute_no, step_no);

-- What a dispute kept out of a payout is paid when it ends: a statement is paid in parts.
DROP INDEX payout_once;
ALTER TABLE payout ADD part int NOT NULL DEFAULT 1 CONSTRAINT payout_part_number CHECK (part >= 1);
CREATE UNIQUE INDEX payout_part ON payout (statement_id, part) WHERE state <> 4;
