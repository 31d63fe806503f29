-- Why:   a counterparty's file is compared with the journal; what does not agree is kept until somebody has dealt with it.
-- Locks: none that anybody waits for; everything is new.
-- Undo:  drop table recon_break, recon_run; drop type recon_line_write, recon_found_write.
SET LOCAL lock_timeout = '10s';

-- One row a file that was read for a period; the newest of a party and period is the one that counts.
CREATE TABLE recon_run (
    run_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT recon_run_pk PRIMARY KEY,
    programme_no int NOT NULL REFERENCES programme,
    party_type smallint NOT NULL CONSTRAINT recon_run_party CHECK (party_type IN (1, 2)), -- 1 bank, 2 merchant
    party_no int NOT NULL,
    period text NOT NULL,
    first_date date NOT NULL, -- of the period; both belong to it
    last_date date NOT NULL,
    file_name text NOT NULL,
    file_sha256 bytea NOT NULL,
    settings text NOT NULL, -- with other settings the same file says something else
    our_counts int8[] NOT NULL,   -- records by class, the first is class 0
    their_counts int8[] NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now() -- the database's clock, for people only
);
CREATE INDEX recon_run_of_party ON recon_run (programme_no, party_type, party_no, period, run_no);

-- One row a record, or a pair of records, that do not agree. What lacks is 0, '' and 'epoch'.
CREATE TABLE recon_break (
    break_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT recon_break_pk PRIMARY KEY,
    programme_no int NOT NULL REFERENCES programme,
    party_type smallint NOT NULL,
    party_no int NOT NULL,
    period text NOT NULL,
    period_end date NOT NULL,
    fingerprint bytea NOT NULL, -- SHA-256 of what it is about: read again, it is the same break
    run_no int8 NOT NULL REFERENCES recon_run,      -- that found it
    last_run_no int8 NOT NULL REFERENCES recon_run, -- that last found it
    class smallint NOT NULL CONSTRAINT recon_break_class CHECK (class BETWEEN 2 AND 8),
    state smallint NOT NULL CONSTRAINT recon_break_state CHECK (state BETWEEN 1 AND 6), -- enum recon_break_state
    key text NOT NULL, -- as the file has it; ours when theirs lacks
    redemption_id uuid NOT NULL,
    hash16 int NOT NULL, -- of its member; -1 not known
    ref uuid NOT NULL, -- the request of our entry
    bank_no int NOT NULL,
    merchant_no int NOT NULL,
    our_date date NOT NULL,
    our_state smallint NOT NULL, -- 1 CONFIRM, 2 REVERSE
    our_minor int8 NOT NULL,
    our_points int8 NOT NULL,
    our_currency text NOT NULL,
    their_date date NOT NULL,
    their_state smallint NOT NULL,
    their_minor int8 NOT NULL,
    their_points int8 NOT NULL, -- -1: not said
    their_currency text NOT NULL,
    their_line int8 NOT NULL,
    retries int NOT NULL DEFAULT 0, -- later periods' files it was looked for in
    retried_until date NOT NULL DEFAULT 'epoch', -- the last day of the last of them
    pair_break_no int8 NOT NULL DEFAULT 0, -- the break of another period that was the other half
    correction_no int8 NOT NULL DEFAULT 0,
    note text NOT NULL DEFAULT '',
    opened_at timestamptz NOT NULL DEFAULT now(), -- the database's clock, for people only
    CONSTRAINT recon_break_once UNIQUE (programme_no, party_type, party_no, period, fingerprint)
);
CREATE INDEX recon_break_open ON recon_break (programme_no, party_type, party_no, redemption_id) WHERE state IN (1, 2);

CREATE TYPE recon_line_write AS (
    no int8, line int8, key text, key_kind smallint, uid uuid, hash int, day date, state smallint, amount int8,
    currency text, points int8, party text);
CREATE TYPE recon_found_write AS (class smallint, our_no int8, their_no int8);
