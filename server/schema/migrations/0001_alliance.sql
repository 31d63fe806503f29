-- Why:   the first schema: parties, rules, members, redemptions, the journal, the outbox and shipments.
-- Locks: none that matter; everything is new.
-- Undo:  drop the database.
--
-- Member-scoped tables begin with bucket, so that the same SQL runs on one PostgreSQL and on a cluster distributed by it.
-- Nothing is NULL: 0, '' and the zero uuid mean "none".

CREATE TABLE installation (
    only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT installation_only_one CHECK (only_one),
    buckets int NOT NULL CONSTRAINT installation_buckets CHECK (buckets BETWEEN 1 AND 256),
    reference_version int8 NOT NULL DEFAULT 1
);

CREATE TABLE programme (
    programme_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme_id text NOT NULL CONSTRAINT programme_id_unique UNIQUE,
    time_zone text NOT NULL,
    sandbox boolean NOT NULL
);

-- What every batch holds FOR SHARE: the open day, the clock, and which reference data it must at least know.
CREATE TABLE fence (
    bucket int NOT NULL,
    programme_no int NOT NULL,
    business_date date NOT NULL,
    test_clock timestamptz NOT NULL DEFAULT 'epoch', -- 'epoch': the programme is live, its clock is now()
    reference_version int8 NOT NULL,
    CONSTRAINT fence_pk PRIMARY KEY (bucket, programme_no)
);

CREATE TABLE bank (
    bank_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_id text NOT NULL CONSTRAINT bank_id_unique UNIQUE,
    programme_no int NOT NULL REFERENCES programme,
    name text NOT NULL
);

CREATE TABLE exchange_rules (
    bank_no int NOT NULL REFERENCES bank,
    version int NOT NULL CONSTRAINT exchange_rules_version CHECK (version >= 1),
    effective_from timestamptz NOT NULL,
    minimum_points int8 NOT NULL,
    expiry_months int NOT NULL CONSTRAINT exchange_rules_expiry CHECK (expiry_months BETWEEN 1 AND 60),
    reinstate_grace_days int NOT NULL,
    accrual_num int8 NOT NULL,
    accrual_den int8 NOT NULL CONSTRAINT exchange_rules_accrual CHECK (accrual_den > 0),
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT exchange_rules_pk PRIMARY KEY (bank_no, version),
    CONSTRAINT exchange_rules_request UNIQUE (bank_no, request_id)
);

CREATE TABLE exchange_rate (
    bank_no int NOT NULL,
    version int NOT NULL,
    currency text NOT NULL CONSTRAINT exchange_rate_currency CHECK (currency ~ '^[A-Z]{3}$'),
    conversion_num int8 NOT NULL,
    conversion_den int8 NOT NULL,
    settlement_num int8 NOT NULL,
    settlement_den int8 NOT NULL,
    CONSTRAINT exchange_rate_pk PRIMARY KEY (bank_no, version, currency),
    CONSTRAINT exchange_rate_rules FOREIGN KEY (bank_no, version) REFERENCES exchange_rules
);

CREATE TABLE merchant (
    merchant_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id text NOT NULL CONSTRAINT merchant_id_unique UNIQUE,
    programme_no int NOT NULL REFERENCES programme,
    name text NOT NULL,
    webhook_url text NOT NULL DEFAULT '',
    webhook_secret bytea NOT NULL DEFAULT '', -- sealed; associated data: merchant_id
    webhook_enabled boolean NOT NULL DEFAULT false,
    content_hash bytea NOT NULL
);

CREATE TABLE store (
    store_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_no int NOT NULL REFERENCES merchant,
    store_id text NOT NULL,
    name text NOT NULL,
    CONSTRAINT store_id_unique UNIQUE (merchant_no, store_id)
);

CREATE TABLE terms (
    merchant_no int NOT NULL REFERENCES merchant,
    version int NOT NULL CONSTRAINT terms_version CHECK (version >= 1),
    effective_from timestamptz NOT NULL,
    commission_bp int NOT NULL CONSTRAINT terms_commission CHECK (commission_bp BETWEEN 0 AND 10000),
    currency text NOT NULL CONSTRAINT terms_currency CHECK (currency ~ '^[A-Z]{3}$'),
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT terms_pk PRIMARY KEY (merchant_no, version),
    CONSTRAINT terms_request UNIQUE (merchant_no, request_id)
);

CREATE TABLE carrier (
    carrier_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier_id text NOT NULL CONSTRAINT carrier_id_unique UNIQUE,
    programme_no int NOT NULL REFERENCES programme,
    name text NOT NULL,
    adapter text NOT NULL,
    base_url text NOT NULL
);

CREATE TABLE goods (
    goods_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme_no int NOT NULL REFERENCES programme,
    goods_id text NOT NULL,
    merchant_no int NOT NULL REFERENCES merchant,
    name text NOT NULL,
    kind smallint NOT NULL, -- GoodsKind of operator_service.proto
    price_minor int8 NOT NULL,
    currency text NOT NULL,
    carrier_no int NOT NULL REFERENCES carrier,
    CONSTRAINT goods_id_unique UNIQUE (programme_no, goods_id)
);

-- One row a member: everything a decision needs, locked and rewritten as one.
CREATE TABLE account (
    bucket int NOT NULL,
    member_id uuid NOT NULL, -- version 8: the first half of SHA-256(bank_id, 0, member_ref)
    programme_no int NOT NULL,
    bank_no int NOT NULL,
    member_ref text NOT NULL,
    status smallint NOT NULL, -- MemberStatus of bank_service.proto
    available int8 NOT NULL CONSTRAINT account_available CHECK (available >= 0),
    held int8 NOT NULL CONSTRAINT account_held CHECK (held >= 0),
    credit_limit int8 NOT NULL CONSTRAINT account_credit_limit CHECK (credit_limit >= 0),
    credit_used int8 NOT NULL CONSTRAINT account_credit_used CHECK (credit_used >= 0),
    journal_seq int8 NOT NULL,
    chain bytea NOT NULL, -- hash of the member's newest journal entry
    profile_hash bytea NOT NULL,
    lot_expires date[] NOT NULL, -- ascending; points of one expiry date are one lot
    lot_points int8[] NOT NULL,
    hold_ids uuid[] NOT NULL, -- open holds and when they lapse
    hold_lapses timestamptz[] NOT NULL,
    CONSTRAINT account_pk PRIMARY KEY (bucket, member_id),
    CONSTRAINT account_lots CHECK (cardinality(lot_expires) = cardinality(lot_points)),
    CONSTRAINT account_holds CHECK (cardinality(hold_ids) = cardinality(hold_lapses))
) WITH (fillfactor = 70);

CREATE TABLE member_profile (
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    card_tokens text[] NOT NULL,
    CONSTRAINT member_profile_pk PRIMARY KEY (bucket, member_id)
);

-- One row a HoldRedemption, refused ones included: its id is the request_id, so idempotency needs no second index.
CREATE TABLE redemption (
    bucket int NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    programme_no int NOT NULL,
    bank_no int NOT NULL,
    merchant_no int NOT NULL,
    store_no int NOT NULL,
    terminal_id text NOT NULL,
    content_hash bytea NOT NULL,
    reason text NOT NULL, -- 'OK', or why the hold was refused
    state smallint NOT NULL, -- RedemptionState of redemption_service.proto; 0 when refused
    points int8 NOT NULL,
    confirmed_points int8 NOT NULL DEFAULT 0,
    reversed_points int8 NOT NULL DEFAULT 0,
    currency text NOT NULL,
    gross_minor int8 NOT NULL DEFAULT 0, -- of the confirmation; never changed by a reversal
    commission_minor int8 NOT NULL DEFAULT 0,
    reversed_gross_minor int8 NOT NULL DEFAULT 0,
    reversed_commission_minor int8 NOT NULL DEFAULT 0,
    rules_version int NOT NULL,
    terms_version int NOT NULL,
    goods_no int NOT NULL,
    quantity int8 NOT NULL,
    ship_to bytea NOT NULL, -- sealed PostalAddress; associated data: the 16 bytes of id
    spendable_after int8 NOT NULL,
    business_date date NOT NULL,
    held_at timestamptz NOT NULL,
    lapse_at timestamptz NOT NULL,
    draw_expires date[] NOT NULL, -- what is still drawn and could go back: lots, first to expire first, then credit
    draw_points int8[] NOT NULL,
    draw_credit int8 NOT NULL,
    CONSTRAINT redemption_pk PRIMARY KEY (bucket, id),
    CONSTRAINT redemption_confirmed CHECK (confirmed_points BETWEEN 0 AND points),
    CONSTRAINT redemption_reversed CHECK (reversed_points BETWEEN 0 AND confirmed_points)
) WITH (fillfactor = 80);

-- The sweeper's list.
CREATE INDEX redemption_open ON redemption (bucket, lapse_at) WHERE state = 1;

-- Confirm, cancel, reverse: one row a request, with the answer it got.
CREATE TABLE operation (
    bucket int NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    redemption_id uuid NOT NULL,
    kind smallint NOT NULL, -- as journal.kind
    content_hash bytea NOT NULL,
    reason text NOT NULL,
    state_after smallint NOT NULL,
    points int8 NOT NULL,
    spendable_after int8 NOT NULL,
    currency text NOT NULL,
    gross_minor int8 NOT NULL,
    commission_minor int8 NOT NULL,
    business_date date NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT operation_pk PRIMARY KEY (bucket, id)
);

-- One row a card transaction that earned; its id is made of (bank_id, transaction_ref), so it earns once, for ever.
CREATE TABLE accrual (
    bucket int NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    bank_no int NOT NULL,
    transaction_ref text NOT NULL,
    content_hash bytea NOT NULL,
    amount_minor int8 NOT NULL,
    currency text NOT NULL,
    transaction_time timestamptz NOT NULL,
    points int8 NOT NULL,
    rules_version int NOT NULL,
    business_date date NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT accrual_pk PRIMARY KEY (bucket, id)
);

-- Append-only: one row a movement; hash = SHA-256(the member's previous hash, this entry).
CREATE TABLE journal (
    bucket int NOT NULL,
    member_id uuid NOT NULL,
    seq int8 NOT NULL, -- 1, 2, 3, ... within the member
    business_date date NOT NULL,
    at timestamptz NOT NULL, -- programme time
    kind smallint NOT NULL, -- enum entry_kind of domain/entry.h
    points int8 NOT NULL, -- signed as the member's available points move; see domain/entry.h
    available_after int8 NOT NULL,
    held_after int8 NOT NULL,
    credit_used_after int8 NOT NULL,
    credit_limit_after int8 NOT NULL,
    ref uuid NOT NULL, -- the request that caused it
    redemption_id uuid NOT NULL,
    programme_no int NOT NULL,
    bank_no int NOT NULL,
    merchant_no int NOT NULL,
    store_no int NOT NULL,
    rules_version int NOT NULL,
    terms_version int NOT NULL,
    currency text NOT NULL,
    gross_minor int8 NOT NULL, -- CONFIRM: positive; REVERSE: negative
    commission_minor int8 NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT journal_pk PRIMARY KEY (bucket, member_id, seq, business_date)
) PARTITION BY RANGE (business_date);
-- Months get a partition of their own when a programme opens them; nothing is lost when one is missing.
CREATE TABLE journal_rest PARTITION OF journal DEFAULT;
-- Entries of one day lie together in the heap because they are only ever appended.
CREATE INDEX journal_day ON journal USING brin (business_date) WITH (pages_per_range = 16);

-- What must be told to somebody outside; written with the movement that causes it. Times here are the database's clock.
CREATE TABLE outbox (
    bucket int NOT NULL,
    id uuid NOT NULL, -- the request that caused it; the receiver's deduplication key
    topic smallint NOT NULL, -- 1 webhook to the merchant, 2 shipment with the carrier
    programme_no int NOT NULL,
    merchant_no int NOT NULL,
    redemption_id uuid NOT NULL,
    state smallint NOT NULL DEFAULT 1, -- 1 waiting, 2 done, 3 dead letter
    attempts int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz NOT NULL DEFAULT 'epoch',
    last_error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT outbox_pk PRIMARY KEY (bucket, id, topic)
) WITH (fillfactor = 80);
CREATE INDEX outbox_waiting ON outbox (bucket, topic, next_attempt_at) WHERE state = 1;

CREATE TABLE shipment (
    bucket int NOT NULL,
    id uuid NOT NULL, -- the redemption's id
    programme_no int NOT NULL,
    carrier_no int NOT NULL,
    merchant_no int NOT NULL,
    goods_no int NOT NULL,
    quantity int8 NOT NULL,
    state smallint NOT NULL, -- ShipmentState of operator_service.proto
    waybill text NOT NULL DEFAULT '',
    head_at timestamptz NOT NULL DEFAULT 'epoch', -- time of the event that set the state
    attempts int NOT NULL DEFAULT 0,
    next_poll_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT shipment_pk PRIMARY KEY (bucket, id)
);
CREATE INDEX shipment_to_poll ON shipment (bucket, next_poll_at) WHERE state IN (2, 3, 4, 5, 7);

CREATE TABLE shipment_event (
    bucket int NOT NULL,
    shipment_id uuid NOT NULL,
    dedupe bytea NOT NULL, -- SHA-256 of waybill, time, code and remark
    event_at timestamptz NOT NULL,
    state smallint NOT NULL,
    carrier_code text NOT NULL,
    remark text NOT NULL,
    CONSTRAINT shipment_event_pk PRIMARY KEY (bucket, shipment_id, dedupe)
);

-- What a lane sends: one array of each of these a statement, in binary. Field order is that of the C column tables.
CREATE TYPE account_write AS (
    member_id uuid, programme_no int, bank_no int, member_ref text, status smallint, available int8, held int8,
    credit_limit int8, credit_used int8, journal_seq int8, chain bytea, profile_hash bytea, lot_expires date[],
    lot_points int8[], hold_ids uuid[], hold_lapses timestamptz[]);
CREATE TYPE profile_write AS (member_id uuid, card_tokens text[]);
CREATE TYPE redemption_write AS (
    id uuid, member_id uuid, programme_no int, bank_no int, merchant_no int, store_no int, terminal_id text,
    content_hash bytea, reason text, state smallint, points int8, confirmed_points int8, reversed_points int8,
    currency text, gross_minor int8, commission_minor int8, reversed_gross_minor int8, reversed_commission_minor int8,
    rules_version int, terms_version int, goods_no int, quantity int8, ship_to bytea, spendable_after int8,
    business_date date, held_at timestamptz, lapse_at timestamptz, draw_expires date[], draw_points int8[],
    draw_credit int8);
CREATE TYPE redemption_change AS (
    id uuid, state smallint, confirmed_points int8, reversed_points int8, currency text, gross_minor int8,
    commission_minor int8, reversed_gross_minor int8, reversed_commission_minor int8, rules_version int,
    terms_version int, draw_expires date[], draw_points int8[], draw_credit int8);
CREATE TYPE operation_write AS (
    id uuid, member_id uuid, redemption_id uuid, kind smallint, content_hash bytea, reason text, state_after smallint,
    points int8, spendable_after int8, currency text, gross_minor int8, commission_minor int8, business_date date,
    at timestamptz);
CREATE TYPE accrual_write AS (
    id uuid, member_id uuid, bank_no int, transaction_ref text, content_hash bytea, amount_minor int8, currency text,
    transaction_time timestamptz, points int8, rules_version int, business_date date, at timestamptz);
CREATE TYPE journal_write AS (
    member_id uuid, seq int8, business_date date, at timestamptz, kind smallint, points int8, available_after int8,
    held_after int8, credit_used_after int8, credit_limit_after int8, ref uuid, redemption_id uuid, programme_no int,
    bank_no int, merchant_no int, store_no int, rules_version int, terms_version int, currency text, gross_minor int8,
    commission_minor int8, hash bytea);
CREATE TYPE outbox_write AS (id uuid, topic smallint, programme_no int, merchant_no int, redemption_id uuid);
