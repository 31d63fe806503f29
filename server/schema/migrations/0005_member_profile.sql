-- Why:   what a bank says of a member beside points: cards, contact data, consents; and who changed what, when.
-- Locks: member_profile and its type under an exclusive lock, for a moment: no row is rewritten.
-- Undo:  drop the two tables, the new columns and types, and make profile_write as 0001 has it; the audit log is then lost.
SET LOCAL lock_timeout = '10s';

ALTER TABLE member_profile
    ADD facts text NOT NULL DEFAULT '', -- MemberFacts of member_service.proto as JSON: cards, consents, which contact fields there are
    ADD sealed bytea NOT NULL DEFAULT '', -- SealedMember of member_service.proto, AES-256-GCM; '' for none
    ADD phone_mac bytea NOT NULL DEFAULT '', -- HMAC of bank and phone, for search; '' for none
    ADD email_mac bytea NOT NULL DEFAULT '';
CREATE INDEX member_profile_phone ON member_profile (bucket, phone_mac) WHERE phone_mac <> '';
CREATE INDEX member_profile_email ON member_profile (bucket, email_mac) WHERE email_mac <> '';

-- The audit log: what a member was and became. Append-only; only what is sealed is emptied, when a member is erased.
CREATE TABLE member_change (
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    seq int8 NOT NULL, -- of the newest journal entry that belongs to the change
    bank_no int NOT NULL,
    at timestamptz NOT NULL, -- programme time
    business_date date NOT NULL,
    changed_by text NOT NULL, -- URI of the principal; '' for what time does
    batch_number int8 NOT NULL, -- of the roster batch; 0 for none
    account_before text NOT NULL, -- MemberFacts as JSON: status, limits, tier; '' for a new member
    account_after text NOT NULL,
    profile_before text NOT NULL, -- likewise the rest; '' when there was nothing, or when it did not change
    profile_after text NOT NULL, -- '' when it did not change
    sealed_before bytea NOT NULL, -- '' when there was nothing, when it did not change, or when the member was erased
    CONSTRAINT member_change_pk PRIMARY KEY (bucket, member_id, seq)
);

-- Whose a card is: one member of a bank at a time. In the bucket of the card, not of the member.
CREATE TABLE card (
    bucket int NOT NULL,
    id uuid NOT NULL, -- version 8, from SHA-256("card", 0, bank_id, 0, token)
    bank_no int NOT NULL,
    member_id uuid NOT NULL,
    member_ref text NOT NULL,
    product text NOT NULL, -- as the bank calls it; '' for not said
    status smallint NOT NULL CONSTRAINT card_status CHECK (status BETWEEN 1 AND 3), -- CardStatus of bank_service.proto
    expires_on date NOT NULL, -- 1970-01-01: not said
    supplementary boolean NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(), -- the database's clock: a claim nobody followed up is void after a while
    CONSTRAINT card_pk PRIMARY KEY (bucket, id)
) WITH (fillfactor = 90);

DROP TYPE profile_write;
CREATE TYPE profile_write AS (
    member_id uuid, card_tokens text[], facts text, sealed bytea, phone_mac bytea, email_mac bytea);
CREATE TYPE member_change_write AS (
    member_id uuid, seq int8, bank_no int, at timestamptz, business_date date, changed_by text, batch_number int8,
    account_before text, account_after text, profile_known boolean, profile_before text, profile_after text,
    sealed_before bytea);
CREATE TYPE card_write AS (
    bucket int, id uuid, bank_no int, member_id uuid, member_ref text, product text, status smallint, expires_on date,
    supplementary boolean);
