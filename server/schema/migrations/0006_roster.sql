-- Why:   a bank's member list comes in numbered batches, which are staged, checked and only then applied.
-- Locks: none on what is there.
-- Undo:  drop the tables; what batches have applied stays.
SET LOCAL lock_timeout = '10s';

CREATE TABLE roster_batch (
    bank_no int NOT NULL,
    batch_number int8 NOT NULL,
    staging_id uuid NOT NULL, -- of this use of the number: a refused batch's number is used again
    business_date date NOT NULL,
    kind smallint NOT NULL, -- RosterKind of roster_service.proto
    row_count int8 NOT NULL,
    credit_limit_total int8 NOT NULL,
    rows_sha256 bytea NOT NULL,
    max_close_share_bp int NOT NULL,
    state smallint NOT NULL CONSTRAINT roster_batch_state CHECK (state BETWEEN 1 AND 6), -- RosterState
    reason text NOT NULL DEFAULT '', -- why it was refused
    detail text NOT NULL DEFAULT '',
    pushed_by text NOT NULL, -- URI of the principal
    pushed_person text NOT NULL, -- '' when its certificate names none
    released_by text NOT NULL DEFAULT '',
    staged_rows int8 NOT NULL DEFAULT 0,
    begun_rows int8 NOT NULL DEFAULT 0, -- given to lanes, answered or not
    applied_rows int8 NOT NULL DEFAULT 0, -- with a verdict
    created int8 NOT NULL DEFAULT 0,
    changed int8 NOT NULL DEFAULT 0,
    unchanged int8 NOT NULL DEFAULT 0,
    refused int8 NOT NULL DEFAULT 0,
    members int8 NOT NULL DEFAULT 0, -- of the bank and not closed, when it was checked
    to_close int8 NOT NULL DEFAULT 0,
    closed int8 NOT NULL DEFAULT 0,
    close_refused int8 NOT NULL DEFAULT 0,
    lease_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- of the server that works on it
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    begun_at timestamptz NOT NULL DEFAULT now(), -- the database's clock
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT roster_batch_pk PRIMARY KEY (bank_no, batch_number),
    CONSTRAINT roster_batch_rows CHECK (staged_rows <= row_count AND applied_rows <= staged_rows)
) WITH (fillfactor = 50);
CREATE INDEX roster_batch_work ON roster_batch (bank_no, batch_number) WHERE state IN (2, 5);

-- Up to 500 rows of a batch, as they came in one message.
CREATE TABLE roster_chunk (
    bank_no int NOT NULL,
    batch_number int8 NOT NULL,
    first_row int8 NOT NULL,
    row_count int NOT NULL,
    credit_limit_total int8 NOT NULL,
    rows bytea NOT NULL, -- as rows_sha256 is made over them
    member_ids uuid[] NOT NULL, -- of each row; zero when it names no member
    CONSTRAINT roster_chunk_pk PRIMARY KEY (bank_no, batch_number, first_row)
);
ALTER TABLE roster_chunk ALTER rows SET STORAGE EXTERNAL, ALTER member_ids SET STORAGE EXTERNAL;

-- The verdicts of a chunk, once it is applied.
CREATE TABLE roster_verdict (
    bank_no int NOT NULL,
    batch_number int8 NOT NULL,
    first_row int8 NOT NULL,
    refused int NOT NULL, -- how many of them
    verdicts bytea NOT NULL, -- RosterVerdicts of roster_service.proto
    CONSTRAINT roster_verdict_pk PRIMARY KEY (bank_no, batch_number, first_row)
);
ALTER TABLE roster_verdict ALTER verdicts SET STORAGE EXTERNAL;

-- Rows whose member another row of the batch names too.
CREATE TABLE roster_twice (
    bank_no int NOT NULL,
    batch_number int8 NOT NULL,
    row_number int8 NOT NULL,
    other_row int8 NOT NULL,
    CONSTRAINT roster_twice_pk PRIMARY KEY (bank_no, batch_number, row_number)
);

-- Whom a full list closes.
CREATE TABLE roster_closing (
    bank_no int NOT NULL,
    batch_number int8 NOT NULL,
    member_id uuid NOT NULL,
    member_ref text NOT NULL,
    done boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '', -- why not
    CONSTRAINT roster_closing_pk PRIMARY KEY (bank_no, batch_number, member_id)
);
CREATE TYPE roster_closing_write AS (member_id uuid, reason text);
