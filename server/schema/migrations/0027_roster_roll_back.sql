-- Why:   an applied roster batch can be rolled back: what its members were is kept until the next batch is applied.
-- Locks: roster_batch under an exclusive lock, for a moment: its check and its index are made anew, over a row a batch.
-- Undo:  drop the two tables and the type, and make check and index as 0006 has them; no batch may be rolling or rolled back then.
SET LOCAL lock_timeout = '10s';

ALTER TABLE roster_batch DROP CONSTRAINT roster_batch_state,
    ADD CONSTRAINT roster_batch_state CHECK (state BETWEEN 1 AND 8); -- RosterState
DROP INDEX roster_batch_work;
CREATE INDEX roster_batch_work ON roster_batch (bank_no, batch_number) WHERE state IN (2, 5, 7);

-- What a member was before a batch changed or closed it. Of those a batch made there is nothing to keep.
CREATE TABLE roster_before (
    bank_no int NOT NULL,
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    batch_number int8 NOT NULL,
    seq int8 NOT NULL, -- of the member's newest entry when the batch was through with it
    was_there boolean NOT NULL, -- false: an earlier batch that made it was rolled back, so this one made it
    status smallint NOT NULL,
    tier smallint NOT NULL,
    credit_limit int8 NOT NULL,
    credit bytea NOT NULL, -- as in account, like the next three
    profile_hash bytea NOT NULL,
    lots bytea NOT NULL, -- of one that was closed, like the next
    pending_lots bytea NOT NULL,
    marks bytea NOT NULL, -- of its tier review, when the batch gave it another tier; '' for none kept
    profile_changed boolean NOT NULL, -- the rest is '' otherwise
    card_tokens text[] NOT NULL, -- as in member_profile, like the rest
    facts text NOT NULL,
    sealed bytea NOT NULL,
    phone_mac bytea NOT NULL,
    email_mac bytea NOT NULL,
    CONSTRAINT roster_before_pk PRIMARY KEY (bank_no, bucket, member_id, batch_number)
);
CREATE TYPE roster_before_write AS (
    bank_no int, member_id uuid, batch_number int8, seq int8, was_there boolean, status smallint, tier smallint,
    credit_limit int8, credit bytea, profile_hash bytea, lots bytea, pending_lots bytea, marks bytea,
    profile_changed boolean, profile_known boolean, card_tokens text[], facts text, sealed bytea, phone_mac bytea,
    email_mac bytea);

-- Who wants a batch rolled back and why, who agreed, and how far it is. The latest wish for each batch.
CREATE TABLE roster_roll_back (
    bank_no int NOT NULL,
    batch_number int8 NOT NULL,
    wanted_because text NOT NULL,
    requested_by text NOT NULL, -- URI of the principal
    requested_person text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(), -- the database's clock
    released_by text NOT NULL DEFAULT '',
    released_at timestamptz NOT NULL DEFAULT 'epoch',
    phase smallint NOT NULL DEFAULT 0 -- 0 wanted; 1, 2 checking rows, closings; 3, 4 undoing them; 5 done; 6 refused
        CONSTRAINT roster_roll_back_phase CHECK (phase BETWEEN 0 AND 6),
    next_row int8 NOT NULL DEFAULT 1, -- of the batch
    after_member uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- of the closings
    refused text NOT NULL DEFAULT '', -- reason word
    detail text NOT NULL DEFAULT '', -- members and what was built on them
    found int8 NOT NULL DEFAULT 0, -- how many of them were found so far
    restored int8 NOT NULL DEFAULT 0,
    withdrawn int8 NOT NULL DEFAULT 0,
    reopened int8 NOT NULL DEFAULT 0,
    points_back int8 NOT NULL DEFAULT 0,
    CONSTRAINT roster_roll_back_pk PRIMARY KEY (bank_no, batch_number)
);
