-- Why:   spend on a card that moved to another member is told again, or comes back, under the card's token: it is still of who earned for it.
-- Locks: none; the table is new.
-- Undo:  drop table card_past; a build before this one has no use for it.
SET LOCAL lock_timeout = '10s';

-- Whose a card was before: the members it was taken from, that gave it up, or that a split moved it away from.
CREATE TABLE card_past (
    bucket int NOT NULL,
    id uuid NOT NULL, -- the card's
    member_refs text[] NOT NULL -- of the card's bank, the latest first
        CONSTRAINT card_past_members CHECK (cardinality(member_refs) BETWEEN 1 AND 8),
    CONSTRAINT card_past_pk PRIMARY KEY (bucket, id)
) WITH (fillfactor = 90);
