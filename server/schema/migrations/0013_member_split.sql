-- Why:   a member can be split in two: what the second one is to be is kept until it is there.
-- Locks: none that anybody waits for: a new table.
-- Undo:  let the splits under way end (the table is empty then), and drop the table and its types.
SET LOCAL lock_timeout = '10s';

-- What a transfer that makes its receiver needs beside the points; deleted when the transfer is over.
CREATE TABLE transfer_split (
    bucket int NOT NULL, -- the transfer's
    id uuid NOT NULL, -- the transfer's
    changed_by text NOT NULL, -- URI of the principal who asked for it
    tier smallint NOT NULL, -- of the second member, like all that follows
    by_tier boolean NOT NULL,
    credit_limit int8 NOT NULL,
    temporary_points int8 NOT NULL,
    temporary_first date NOT NULL,
    temporary_last date NOT NULL, -- 1970-01-01: there is no temporary limit
    card_tokens text[] NOT NULL, -- the cards that move
    facts text NOT NULL, -- as in member_profile, like the next three
    sealed bytea NOT NULL,
    phone_mac bytea NOT NULL,
    email_mac bytea NOT NULL,
    profile_hash bytea NOT NULL,
    hash_before bytea NOT NULL, -- profile_hash of the first member when the split began
    left_sealed bytea NOT NULL, -- what is sealed of the first member without holders of the cards that move
    left_hash bytea NOT NULL, -- profile_hash of the first member without those cards
    CONSTRAINT transfer_split_pk PRIMARY KEY (bucket, id)
);

CREATE TYPE transfer_split_write AS (
    id uuid, changed_by text, tier smallint, by_tier boolean, credit_limit int8, temporary_points int8,
    temporary_first date, temporary_last date, card_tokens text[], facts text, sealed bytea, phone_mac bytea,
    email_mac bytea, profile_hash bytea, hash_before bytea, left_sealed bytea, left_hash bytea);
CREATE TYPE transfer_split_end AS (id uuid, member_id uuid, received boolean, same boolean);
