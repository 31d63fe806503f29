-- Why:   a close adds what only it can know: postings by a party's settlement contract, and each party's position.
-- Locks: statement under an exclusive lock while its rows, few a month, are written anew.
-- Undo:  drop the new tables and columns; restore the checks, indexes and the type as 0002 and 0009 have them.
SET LOCAL lock_timeout = '10s';

-- Parties are numbered as in domain/settle_contract.h: 1 bank, 2 merchant, 3 carrier, 4 operator, 5 tax; the last two
-- have party_no 0. Nothing is NULL.

-- How one party is settled in one currency, from a business date on; never changed.
CREATE TABLE settlement_contract (
    programme_no int NOT NULL REFERENCES programme,
    party smallint NOT NULL CONSTRAINT settlement_contract_party CHECK (party BETWEEN 1 AND 5),
    party_no int NOT NULL CONSTRAINT settlement_contract_party_no CHECK ((party_no = 0) = (party >= 4)),
    currency text NOT NULL COLLATE "C" CONSTRAINT settlement_contract_currency CHECK (currency ~ '^[A-Z]{3}$'),
    version int NOT NULL CONSTRAINT settlement_contract_version CHECK (version >= 1),
    effective_from date NOT NULL,
    period_kind smallint NOT NULL CONSTRAINT settlement_contract_kind CHECK (period_kind BETWEEN 1 AND 4),
    custom_ends date[] NOT NULL, -- CUSTOM: last days of periods, ascending
    tier_from int8[] NOT NULL, -- gross of the whole period in minor units, ascending
    tier_bp int8[] NOT NULL, -- commission from there on
    min_payout_minor int8 NOT NULL,
    hold_back_bp int NOT NULL CONSTRAINT settlement_contract_hold_back CHECK (hold_back_bp BETWEEN 0 AND 10000),
    hold_back_periods int NOT NULL, -- how many periods later it is released
    fee_period_minor int8 NOT NULL,
    fee_redemption_minor int8 NOT NULL,
    tax_bp int NOT NULL CONSTRAINT settlement_contract_tax CHECK (tax_bp BETWEEN 0 AND 10000),
    tax_rounding smallint NOT NULL, -- 1 down, 2 up, 3 half to even
    tax_bearer smallint NOT NULL, -- 2 the merchant, 4 the operator
    residue_limit_minor int8 NOT NULL,
    eligibility smallint NOT NULL, -- 1 at confirmation, 2 at delivery
    confirm_days int NOT NULL,
    payment_days int NOT NULL,
    late_fee_bp int NOT NULL, -- per 30 days
    dispute_days int NOT NULL,
    freight_minor int8 NOT NULL, -- CARRIER: for each delivered shipment
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    published_by text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(), -- the database's clock, for people
    CONSTRAINT settlement_contract_pk PRIMARY KEY (programme_no, party, party_no, currency, version),
    CONSTRAINT settlement_contract_request UNIQUE (programme_no, request_id),
    CONSTRAINT settlement_contract_tiers CHECK (cardinality(tier_from) = cardinality(tier_bp) AND
                                                cardinality(tier_from) <= 8)
);

-- One statement more kind, and periods other than months.
ALTER TABLE statement
    ADD carrier_no int NOT NULL DEFAULT 0, -- CARRIER; 0 otherwise
    ADD first_day date NOT NULL DEFAULT '1970-01-01', -- 1970-01-01: calculated when all periods were months
    ADD last_day date NOT NULL DEFAULT '1970-01-01',
    DROP CONSTRAINT statement_period,
    ADD CONSTRAINT statement_period CHECK (period ~
        '^[0-9]{4}-(0[1-9]|1[0-2]|W[0-5][0-9]|[0-9]{2}-[0-9]{2}(--[0-9]{4}-[0-9]{2}-[0-9]{2})?)$'),
    DROP CONSTRAINT statement_type,
    ADD CONSTRAINT statement_type CHECK (type BETWEEN 1 AND 6),
    ADD CONSTRAINT statement_carrier CHECK ((carrier_no > 0) = (type = 5)),
    DROP CONSTRAINT statement_parties,
    ADD CONSTRAINT statement_parties UNIQUE (programme_no, period, type, bank_no, merchant_no, carrier_no, currency);
UPDATE statement SET first_day = (period || '-01')::date,
    last_day = ((period || '-01')::date + interval '1 month')::date - 1;
DROP TYPE statement_write;
CREATE TYPE statement_write AS (
    statement_id text, type smallint, bank_no int, merchant_no int, carrier_no int, currency text, confirmed_count int8,
    confirmed_points int8, reversed_count int8, reversed_points int8, gross_minor int8, commission_minor int8,
    net_minor int8, line_count int8, content_sha256 bytea, rows_root bytea);

-- Money that moves between two parties because of a period, not of a redemption. It stands on both their statements.
CREATE TABLE settlement_posting (
    programme_no int NOT NULL REFERENCES programme,
    period text NOT NULL,
    posting_no int NOT NULL CONSTRAINT settlement_posting_no CHECK (posting_no >= 1), -- 1, 2, 3, ... in the period
    currency text NOT NULL,
    kind smallint NOT NULL CONSTRAINT settlement_posting_kind CHECK (kind BETWEEN 1 AND 8), -- settlement/posting.h
    from_party smallint NOT NULL,
    from_no int NOT NULL,
    to_party smallint NOT NULL,
    to_no int NOT NULL,
    amount_minor int8 NOT NULL CONSTRAINT settlement_posting_amount CHECK (amount_minor > 0),
    bank_no int NOT NULL, -- of the pair it belongs to; 0 when to none, as is the next
    merchant_no int NOT NULL,
    refers_to text NOT NULL,
    note text NOT NULL,
    CONSTRAINT settlement_posting_pk PRIMARY KEY (programme_no, period, posting_no),
    CONSTRAINT settlement_posting_parties CHECK ((from_party, from_no) <> (to_party, to_no))
);
CREATE TYPE posting_write AS (
    posting_no int, currency text, kind smallint, from_party smallint, from_no int, to_party smallint, to_no int,
    amount_minor int8, bank_no int, merchant_no int, refers_to text, note text);

-- Where a party stands; one row a statement that is not a pair's. Positive is owed to the party.
CREATE TABLE statement_position (
    statement_no int8 NOT NULL CONSTRAINT statement_position_pk PRIMARY KEY,
    opening_minor int8 NOT NULL,
    movement_minor int8 NOT NULL, -- its pairs and postings
    payable_minor int8 NOT NULL, -- what the statement asks to be paid to it, or, negative, by it
    closing_minor int8 NOT NULL,
    carried_minor int8 NOT NULL, -- the parts of closing: too little to be paid, or owed;
    held_back_minor int8 NOT NULL, -- reserves, and orders not delivered;
    disputed_minor int8 NOT NULL, -- contested
    due_on date NOT NULL,
    CONSTRAINT statement_position_moves CHECK (closing_minor = opening_minor + movement_minor - payable_minor),
    CONSTRAINT statement_position_parts CHECK (closing_minor = carried_minor + held_back_minor + disputed_minor)
);
CREATE TYPE position_write AS (
    statement_id text, opening_minor int8, movement_minor int8, payable_minor int8, closing_minor int8,
    carried_minor int8, held_back_minor int8, disputed_minor int8, due_on date);

-- A line for a period that is open, about something earlier: two people's doing.
CREATE TABLE settlement_correction (
    correction_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT settlement_correction_pk PRIMARY KEY,
    programme_no int NOT NULL REFERENCES programme,
    request_id uuid NOT NULL,
    currency text NOT NULL CONSTRAINT settlement_correction_currency CHECK (currency ~ '^[A-Z]{3}$'),
    kind smallint NOT NULL CONSTRAINT settlement_correction_kind CHECK (kind IN (7, 8)), -- ADJUSTMENT, LATE_FEE
    from_party smallint NOT NULL,
    from_no int NOT NULL,
    to_party smallint NOT NULL,
    to_no int NOT NULL,
    amount_minor int8 NOT NULL CONSTRAINT settlement_correction_amount CHECK (amount_minor > 0),
    reason text NOT NULL,
    refers_to text NOT NULL,
    state smallint NOT NULL DEFAULT 1 CONSTRAINT settlement_correction_state CHECK (state BETWEEN 1 AND 3),
        -- 1 PROPOSED, 2 APPROVED, 3 TAKEN
    maker text NOT NULL,
    approver text NOT NULL DEFAULT '',
    business_date date NOT NULL, -- the open day when it was proposed: no period that ended before takes it
    taken_period text NOT NULL DEFAULT '',
    proposed_at timestamptz NOT NULL DEFAULT now(), -- the database's clock, for people
    CONSTRAINT settlement_correction_request UNIQUE (programme_no, request_id),
    CONSTRAINT settlement_correction_parties CHECK ((from_party, from_no) <> (to_party, to_no)),
    CONSTRAINT settlement_correction_two CHECK (state = 1 OR (approver <> '' AND approver <> maker)),
    CONSTRAINT settlement_correction_taken CHECK ((state = 3) = (taken_period <> ''))
);
CREATE INDEX settlement_correction_open ON settlement_correction (programme_no, state) WHERE state < 3;
CREATE INDEX settlement_correction_period ON settlement_correction (programme_no, taken_period) WHERE state = 3;

-- A merchant's money that is kept back for a while. A period holds what began by its last day and is not released then.
CREATE TABLE settlement_hold (
    hold_no int8 GENERATED ALWAYS AS IDENTITY CONSTRAINT settlement_hold_pk PRIMARY KEY,
    programme_no int NOT NULL REFERENCES programme,
    merchant_no int NOT NULL REFERENCES merchant,
    currency text NOT NULL CONSTRAINT settlement_hold_currency CHECK (currency ~ '^[A-Z]{3}$'),
    kind smallint NOT NULL CONSTRAINT settlement_hold_kind CHECK (kind IN (1, 2)), -- 1 RESERVE, 2 DISPUTE
    amount_minor int8 NOT NULL CONSTRAINT settlement_hold_amount CHECK (amount_minor > 0),
    refers_to text NOT NULL,
    from_period text NOT NULL DEFAULT '', -- RESERVE: the period it was kept back of
    begun_on date NOT NULL, -- RESERVE: that period's last day; DISPUTE: the open day when it was opened
    release_on date NOT NULL DEFAULT '9999-12-31', -- periods whose last day is this or later hold it no more
    CONSTRAINT settlement_hold_once UNIQUE (programme_no, merchant_no, currency, kind, refers_to)
);
CREATE INDEX settlement_hold_open ON settlement_hold (programme_no, release_on);

-- Every party and currency that ever had a statement; by it a close finds what each had before, however many are kept.
CREATE TABLE settlement_account (
    programme_no int NOT NULL REFERENCES programme,
    party smallint NOT NULL,
    party_no int NOT NULL,
    currency text NOT NULL,
    CONSTRAINT settlement_account_pk PRIMARY KEY (programme_no, party, party_no, currency)
);
CREATE INDEX statement_chain ON statement (programme_no, type, bank_no, merchant_no, carrier_no, currency, last_day)
    WHERE type > 1;
