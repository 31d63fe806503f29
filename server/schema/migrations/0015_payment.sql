-- Why:   parties are paid: where to, what was asked of the bank, and what the bank said became of it.
-- Locks: none that anybody waits for: new tables.
-- Undo:  drop all of them.
SET LOCAL lock_timeout = '10s';

-- Versions: the newest approved one of a party and currency counts. Rows only gain their approval, so that it is known who
-- set what.
CREATE TABLE party_account (
    programme_no int NOT NULL REFERENCES programme,
    party_type smallint NOT NULL CONSTRAINT party_account_type CHECK (party_type BETWEEN 1 AND 5),
    party_no int NOT NULL, -- bank_no, merchant_no, carrier_no; 0: operator, tax office
    currency text NOT NULL CONSTRAINT party_account_currency CHECK (currency ~ '^([A-Z]{3})?$'), -- '': any other
    version int NOT NULL CONSTRAINT party_account_version CHECK (version >= 1),
    legal_name text NOT NULL,
    address text NOT NULL,
    country text NOT NULL CONSTRAINT party_account_country CHECK (country ~ '^([A-Z]{2})?$'),
    iban text NOT NULL,           -- '' when there is an account number
    account_number text NOT NULL, -- '' when there is an IBAN
    bic text NOT NULL,
    bank_name text NOT NULL,
    files int NOT NULL DEFAULT 0, -- bits: 1 bill, 2 fixed width; further files its statements come with
    set_by text NOT NULL,
    approved_by text NOT NULL DEFAULT '', -- '': waits for a second person
    set_at timestamptz NOT NULL DEFAULT now(), -- the database's clock, for people
    CONSTRAINT party_account_two_people CHECK (approved_by <> set_by),
    CONSTRAINT party_account_pk PRIMARY KEY (programme_no, party_type, party_no, currency, version),
    CONSTRAINT party_account_one CHECK (iban = '' OR account_number = '')
);

-- A pain.001: what the bank was asked to pay in one go.
CREATE TABLE payout_batch (
    batch_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT payout_batch_pk PRIMARY KEY,
    programme_no int NOT NULL REFERENCES programme,
    message_id text NOT NULL CONSTRAINT payout_batch_message UNIQUE, -- GrpHdr/MsgId
    period text NOT NULL,
    execute_on date NOT NULL,
    payment_count int NOT NULL CONSTRAINT payout_batch_count CHECK (payment_count > 0),
    file_name text NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT payout_batch_hash CHECK (octet_length(sha256) IN (0, 32)), -- '': not written yet
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- A payment of what a statement says, with the account as it was. A rejected one stays; the next attempt is a new row.
CREATE TABLE payout (
    statement_id text NOT NULL COLLATE "C",
    attempt int NOT NULL CONSTRAINT payout_attempt CHECK (attempt >= 1),
    batch_no int8 NOT NULL CONSTRAINT payout_batch_exists REFERENCES payout_batch,
    programme_no int NOT NULL,
    end_to_end_id text NOT NULL COLLATE "C", -- the statement's number
    party_type smallint NOT NULL,
    party_no int NOT NULL,
    currency text NOT NULL,
    amount_minor int8 NOT NULL CONSTRAINT payout_amount CHECK (amount_minor > 0),
    account_version int NOT NULL, -- of party_account; 0: none, the party's own id was given
    state smallint NOT NULL CONSTRAINT payout_state CHECK (state BETWEEN 1 AND 4), -- SENT ACCEPTED PAID REJECTED
    reason text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payout_pk PRIMARY KEY (statement_id, attempt)
);
CREATE UNIQUE INDEX payout_once ON payout (statement_id) WHERE state <> 4;
CREATE INDEX payout_of_number ON payout (programme_no, end_to_end_id, attempt);

-- What a bank's file said of a payment or a receipt. The same file again adds nothing.
CREATE TABLE payment_notice (
    programme_no int NOT NULL REFERENCES programme,
    file_sha256 bytea NOT NULL,
    line int NOT NULL, -- of the file
    part int NOT NULL, -- counts records that begin on one line
    file_kind text NOT NULL CONSTRAINT payment_notice_kind CHECK (file_kind IN ('PAIN002', 'CAMT')),
    end_to_end_id text NOT NULL COLLATE "C",
    status text NOT NULL,
    reason text NOT NULL,
    currency text NOT NULL, -- '': of a pain.002
    amount_minor int8 NOT NULL, -- credits positive
    booked date NOT NULL, -- 1970-01-01: not said
    reference text NOT NULL, -- the bank's
    outcome text NOT NULL, -- what was done about it, a word
    read_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payment_notice_pk PRIMARY KEY (programme_no, file_sha256, line, part)
);
CREATE INDEX payment_notice_of ON payment_notice (programme_no, end_to_end_id);
-- A booking that comes in a camt.054 and again in a camt.053 is one.
CREATE UNIQUE INDEX payment_notice_once ON payment_notice (programme_no, reference, end_to_end_id, amount_minor, currency)
    WHERE file_kind = 'CAMT' AND reference <> '' AND outcome <> 'TWICE';
