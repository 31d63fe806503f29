-- Why:   the whole redemption engine: funded and pending lots, caps, velocity, exposure, order lines, transfers, sweeps.
-- Locks: rewrites account, redemption, journal and accrual under an exclusive lock: apply it while no server runs.
-- Undo:  restore; lots of several funders cannot be told apart again.
--
-- What a lane reads and writes as one value is packed (big-endian, fixed length; domain/packed.h says the same in C):
--   lots         16 bytes each: int4 expires_on (days since 1970-01-01), int4 funding_no, int8 points
--   pending_lots 24 bytes each: int4 matures_on, int4 expires_on, int4 funding_no, int4 zero, int8 points
--   holds        24 bytes each: 16 bytes redemption id, int8 lapse_at (microseconds since 1970-01-01 UTC)
--   recent       24 bytes each: int8 held_at (microseconds), int8 points, int8 card (first 8 bytes of its token's SHA-256)
--   lines        80 bytes each: 32 bytes line_id padded with zeros, then int8 points, gross, commission, reversed points,
--                reversed gross, reversed commission
-- The views account_lot, account_pending_lot and account_hold show them to people and reports.
SET LOCAL lock_timeout = '10s';

CREATE FUNCTION packed_int4(packed bytea, at int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || encode(substr(packed, at + 1, 4), 'hex'))::bit(32)::int
$$;
CREATE FUNCTION packed_int8(packed bytea, at int) RETURNS int8 LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || encode(substr(packed, at + 1, 8), 'hex'))::bit(64)::int8
$$;
CREATE FUNCTION packed_date(packed bytea, at int) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT '1970-01-01'::date + packed_int4(packed, at)
$$;
CREATE FUNCTION packed_instant(packed bytea, at int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT 'epoch'::timestamptz + packed_int8(packed, at) * interval '1 microsecond'
$$;
CREATE FUNCTION packed_lots(packed bytea) RETURNS TABLE (expires_on date, funding_no int, points int8)
LANGUAGE sql IMMUTABLE AS $$
    SELECT packed_date(packed, at), packed_int4(packed, at + 4), packed_int8(packed, at + 8)
    FROM generate_series(0, length(packed) - 16, 16) at
$$;
CREATE FUNCTION packed_points(packed bytea) RETURNS int8 LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(sum(points), 0)::int8 FROM packed_lots(packed)
$$;

-- Who pays for points, and what one costs them. Never changed.
CREATE TABLE funding (
    funding_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- 0 stands for "the bank"
    bank_no int NOT NULL REFERENCES bank,
    funding_id text NOT NULL,
    cost_num int8 NOT NULL,
    cost_den int8 NOT NULL,
    currency text NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT funding_id_unique UNIQUE (bank_no, funding_id)
);
CREATE TABLE funding_share (
    funding_no int NOT NULL REFERENCES funding,
    funder smallint NOT NULL, -- Funder of bank_service.proto
    merchant_no int NOT NULL, -- 0 unless the funder is a merchant
    share_bp int NOT NULL CONSTRAINT funding_share_bp CHECK (share_bp BETWEEN 1 AND 10000),
    CONSTRAINT funding_share_pk PRIMARY KEY (funding_no, funder, merchant_no)
);

ALTER TABLE exchange_rules
    ADD expiry_kind smallint NOT NULL DEFAULT 1, -- ExpiryKind of bank_service.proto
    ADD expiry_month int NOT NULL DEFAULT 0, -- of FIXED_DAY
    ADD expiry_day int NOT NULL DEFAULT 0,
    ADD pending_days int NOT NULL DEFAULT 0,
    ADD member_window_us int8 NOT NULL DEFAULT 0, -- velocity: 0 for none
    ADD member_max_holds int NOT NULL DEFAULT 0,
    ADD member_max_points int8 NOT NULL DEFAULT 0,
    ADD card_window_us int8 NOT NULL DEFAULT 0,
    ADD card_max_holds int NOT NULL DEFAULT 0,
    ADD card_max_points int8 NOT NULL DEFAULT 0;
CREATE TABLE exchange_cap (
    bank_no int NOT NULL,
    version int NOT NULL,
    tier int NOT NULL, -- the lowest it is for
    per_redemption int8 NOT NULL, -- 0 for none, each
    per_day int8 NOT NULL,
    per_month int8 NOT NULL,
    CONSTRAINT exchange_cap_pk PRIMARY KEY (bank_no, version, tier),
    CONSTRAINT exchange_cap_rules FOREIGN KEY (bank_no, version) REFERENCES exchange_rules
);
ALTER TABLE terms
    ADD terminal_window_us int8 NOT NULL DEFAULT 0,
    ADD terminal_max_holds int NOT NULL DEFAULT 0,
    ADD terminal_max_points int8 NOT NULL DEFAULT 0,
    ADD merchant_window_us int8 NOT NULL DEFAULT 0,
    ADD merchant_max_holds int NOT NULL DEFAULT 0,
    ADD merchant_max_points int8 NOT NULL DEFAULT 0;

-- What each server has let through lately at a terminal or merchant, so that the others know within a second.
CREATE TABLE pace (
    server_id uuid NOT NULL, -- made at each start
    merchant_no int NOT NULL,
    terminal int8 NOT NULL, -- first 8 bytes of SHA-256 of the terminal's name; 0 for the whole merchant
    slot_at timestamptz NOT NULL, -- beginning of the part of the window that is counted, in programme time
    slot_us int8 NOT NULL, -- its length
    holds int8 NOT NULL,
    points int8 NOT NULL,
    written_at timestamptz NOT NULL, -- the database's clock
    CONSTRAINT pace_pk PRIMARY KEY (merchant_no, terminal, slot_at, slot_us, server_id)
);
CREATE INDEX pace_written ON pace (written_at);

-- A bank's exposure limit, split over the buckets: a lane takes from its own bucket's part, and moves parts when it is dry.
CREATE TABLE exposure (
    bucket int NOT NULL,
    bank_no int NOT NULL,
    currency text NOT NULL,
    limit_minor int8 NOT NULL, -- of the bank, the same in each bucket
    allotted_minor int8 NOT NULL, -- this bucket's part; all parts together are the limit
    used_minor int8 NOT NULL, -- may exceed the part when the limit was lowered
    CONSTRAINT exposure_pk PRIMARY KEY (bucket, bank_no, currency)
) WITH (fillfactor = 50);
CREATE TABLE exposure_settled (
    bank_no int NOT NULL,
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT exposure_settled_pk PRIMARY KEY (bank_no, request_id)
);

ALTER TABLE account
    ADD tier smallint NOT NULL DEFAULT 0,
    ADD pending int8 NOT NULL DEFAULT 0 CONSTRAINT account_pending CHECK (pending >= 0),
    ADD expired int8 NOT NULL DEFAULT 0 CONSTRAINT account_expired CHECK (expired >= 0), -- and not reinstated
    ADD counted_on date NOT NULL DEFAULT '1970-01-01', -- the day and month the next two count
    ADD day_points int8 NOT NULL DEFAULT 0,
    ADD month_points int8 NOT NULL DEFAULT 0,
    ADD next_due date NOT NULL DEFAULT '1970-01-01', -- first day on which a lot expires or pending points mature
    ADD lots bytea NOT NULL DEFAULT '',
    ADD pending_lots bytea NOT NULL DEFAULT '',
    ADD holds bytea NOT NULL DEFAULT '',
    ADD recent bytea NOT NULL DEFAULT '';
UPDATE account SET
    lots = coalesce((SELECT string_agg(int4send(e - '1970-01-01') || int4send(0) || int8send(p), ''::bytea ORDER BY e)
                     FROM unnest(lot_expires, lot_points) l(e, p)), ''),
    holds = coalesce((SELECT string_agg(uuid_send(i) || int8send((extract(epoch FROM l) * 1000000)::int8), ''::bytea)
                      FROM unnest(hold_ids, hold_lapses) h(i, l)), ''),
    next_due = coalesce(lot_expires[1], '9999-12-31');
ALTER TABLE account DROP lot_expires, DROP lot_points, DROP hold_ids, DROP hold_lapses;

ALTER TABLE redemption
    ADD draws bytea NOT NULL DEFAULT '', -- lots, as in account
    ADD lines bytea NOT NULL DEFAULT '',
    ADD card int8 NOT NULL DEFAULT 0, -- first 8 bytes of SHA-256 of the card token; 0 for none
    ADD lapse_after_us int8 NOT NULL DEFAULT 0, -- as asked for; lapse_at moves when the hold is extended
    ADD one_step boolean NOT NULL DEFAULT false, -- held and confirmed by one request
    ADD exposure_currency text NOT NULL DEFAULT '',
    ADD exposure_minor int8 NOT NULL DEFAULT 0; -- what it still takes of the bank's exposure limit
UPDATE redemption SET lapse_after_us = (extract(epoch FROM lapse_at - held_at) * 1000000)::int8, draws =
    coalesce((SELECT string_agg(int4send(e - '1970-01-01') || int4send(0) || int8send(p), ''::bytea ORDER BY e)
              FROM unnest(draw_expires, draw_points) l(e, p)), '');
ALTER TABLE redemption DROP draw_expires, DROP draw_points;

ALTER TABLE operation ADD lapse_at timestamptz NOT NULL DEFAULT 'epoch'; -- of an extended hold

ALTER TABLE journal
    ADD pending_after int8 NOT NULL DEFAULT 0,
    ADD lots bytea NOT NULL DEFAULT ''; -- the lots it took from or gave to

ALTER TABLE accrual
    ADD clawed_points int8 NOT NULL DEFAULT 0,
    ADD pending_points int8 NOT NULL DEFAULT 0, -- of a PENDING_EVENT accrual: not yet matured and not clawed back
    ADD lot_expires date NOT NULL DEFAULT '1970-01-01', -- of the lot it made; 1970-01-01: not known, or none
    ADD matures_on date NOT NULL DEFAULT '1970-01-01', -- 9999-12-31: when MatureAccrual says so
    ADD funding_no int NOT NULL DEFAULT 0,
    ADD CONSTRAINT accrual_clawed CHECK (clawed_points BETWEEN 0 AND points);

-- Points on their way from one member to another: gone there, not yet come here.
CREATE TABLE transfer (
    bucket int NOT NULL, -- of the member who gives
    id uuid NOT NULL, -- the request_id
    programme_no int NOT NULL,
    bank_no int NOT NULL,
    from_member_id uuid NOT NULL,
    to_member_id uuid NOT NULL,
    to_member_ref text NOT NULL,
    merge boolean NOT NULL, -- everything, and the giver is closed
    state smallint NOT NULL, -- 1 sent, 2 received, 3 given back
    reason text NOT NULL, -- why it was given back; 'OK' otherwise
    lots bytea NOT NULL,
    pending_lots bytea NOT NULL,
    credit int8 NOT NULL, -- credit used that moves along
    status_before smallint NOT NULL, -- the giver's
    sent_at timestamptz NOT NULL DEFAULT now(), -- the database's clock, for whoever finishes what was left undone
    CONSTRAINT transfer_pk PRIMARY KEY (bucket, id)
);
CREATE INDEX transfer_open ON transfer (bucket, sent_at) WHERE state = 1;

-- A correction by hand that waits for, or had, a second person.
CREATE TABLE adjustment (
    bucket int NOT NULL,
    id uuid NOT NULL, -- the request_id
    member_id uuid NOT NULL,
    programme_no int NOT NULL,
    bank_no int NOT NULL,
    member_ref text NOT NULL,
    points int8 NOT NULL,
    reason_code text NOT NULL,
    note text NOT NULL,
    funding_no int NOT NULL,
    content_hash bytea NOT NULL,
    state smallint NOT NULL, -- AdjustmentState of operator_service.proto
    proposed_by text NOT NULL,
    approved_by text NOT NULL DEFAULT '',
    proposed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT adjustment_pk PRIMARY KEY (bucket, id)
);

-- How far the daily walk over a bucket's accounts has come.
CREATE TABLE sweep (
    bucket int NOT NULL,
    programme_no int NOT NULL,
    business_date date NOT NULL, -- the day it is, or was last, about
    after_member_id uuid NOT NULL,
    finished boolean NOT NULL,
    CONSTRAINT sweep_pk PRIMARY KEY (bucket, programme_no)
);
CREATE TABLE expiry_notice (
    bucket int NOT NULL,
    bank_no int NOT NULL,
    business_date date NOT NULL, -- the day it was made on
    member_id uuid NOT NULL,
    member_ref text NOT NULL,
    expires_on date NOT NULL,
    days_ahead int NOT NULL,
    points int8 NOT NULL,
    CONSTRAINT expiry_notice_pk PRIMARY KEY (bucket, bank_no, business_date, member_id, expires_on, days_ahead)
);
CREATE UNIQUE INDEX expiry_notice_once ON expiry_notice (bucket, member_id, expires_on, days_ahead);

CREATE VIEW account_lot AS
    SELECT bucket, member_id, expires_on, funding_no, points FROM account, packed_lots(lots);
CREATE VIEW account_pending_lot AS
    SELECT bucket, member_id, packed_date(pending_lots, at) AS matures_on, packed_date(pending_lots, at + 4) AS expires_on,
           packed_int4(pending_lots, at + 8) AS funding_no, packed_int8(pending_lots, at + 16) AS points
    FROM account, generate_series(0, length(pending_lots) - 24, 24) at;
CREATE VIEW account_hold AS
    SELECT bucket, member_id, encode(substr(holds, at + 1, 16), 'hex')::uuid AS redemption_id,
           packed_instant(holds, at + 16) AS lapse_at
    FROM account, generate_series(0, length(holds) - 24, 24) at;

-- What a lane sends, anew.
DROP TYPE account_write;
DROP TYPE redemption_write;
DROP TYPE redemption_change;
DROP TYPE operation_write;
DROP TYPE accrual_write;
DROP TYPE journal_write;
CREATE TYPE account_write AS (
    member_id uuid, programme_no int, bank_no int, member_ref text, status smallint, tier smallint, available int8,
    held int8, pending int8, expired int8, credit_limit int8, credit_used int8, counted_on date, day_points int8,
    month_points int8, next_due date, journal_seq int8, chain bytea, profile_hash bytea, lots bytea, pending_lots bytea,
    holds bytea, recent bytea);
CREATE TYPE account_change AS (
    place tid, member_id uuid, status smallint, tier smallint, available int8, held int8, pending int8, expired int8,
    credit_limit int8, credit_used int8, counted_on date, day_points int8, month_points int8, next_due date,
    journal_seq int8, chain bytea, profile_hash bytea, lots bytea, pending_lots bytea, holds bytea, recent bytea);
CREATE TYPE redemption_write AS (
    id uuid, member_id uuid, programme_no int, bank_no int, merchant_no int, store_no int, terminal_id text,
    content_hash bytea, reason text, state smallint, points int8, confirmed_points int8, reversed_points int8,
    currency text, gross_minor int8, commission_minor int8, reversed_gross_minor int8, reversed_commission_minor int8,
    rules_version int, terms_version int, goods_no int, quantity int8, ship_to bytea, spendable_after int8,
    business_date date, held_at timestamptz, lapse_at timestamptz, draw_credit int8, draws bytea, lines bytea,
    card int8, lapse_after_us int8, one_step boolean, exposure_currency text, exposure_minor int8);
CREATE TYPE redemption_change AS (
    id uuid, state smallint, confirmed_points int8, reversed_points int8, currency text, gross_minor int8,
    commission_minor int8, reversed_gross_minor int8, reversed_commission_minor int8, rules_version int,
    terms_version int, lapse_at timestamptz, draw_credit int8, draws bytea, lines bytea, exposure_currency text,
    exposure_minor int8);
CREATE TYPE operation_write AS (
    id uuid, member_id uuid, redemption_id uuid, kind smallint, content_hash bytea, reason text, state_after smallint,
    points int8, spendable_after int8, currency text, gross_minor int8, commission_minor int8, business_date date,
    at timestamptz, lapse_at timestamptz);
CREATE TYPE accrual_write AS (
    id uuid, member_id uuid, bank_no int, transaction_ref text, content_hash bytea, amount_minor int8, currency text,
    transaction_time timestamptz, points int8, rules_version int, business_date date, at timestamptz,
    clawed_points int8, pending_points int8, lot_expires date, matures_on date, funding_no int);
CREATE TYPE accrual_change AS (id uuid, clawed_points int8, pending_points int8, lot_expires date);
CREATE TYPE journal_write AS (
    member_id uuid, seq int8, business_date date, at timestamptz, kind smallint, points int8, available_after int8,
    held_after int8, credit_used_after int8, credit_limit_after int8, ref uuid, redemption_id uuid, programme_no int,
    bank_no int, merchant_no int, store_no int, rules_version int, terms_version int, currency text, gross_minor int8,
    commission_minor int8, hash bytea, pending_after int8, lots bytea);
CREATE TYPE transfer_write AS (
    id uuid, programme_no int, bank_no int, from_member_id uuid, to_member_id uuid, to_member_ref text, merge boolean,
    lots bytea, pending_lots bytea, credit int8, status_before smallint);
CREATE TYPE transfer_change AS (id uuid, state smallint, reason text);
CREATE TYPE exposure_change AS (bank_no int, currency text, used_minor int8);

-- What the daily walk and the servers among themselves write.
CREATE TYPE expiry_notice_write AS (
    bank_no int, member_id uuid, member_ref text, expires_on date, days_ahead int, points int8);
CREATE TYPE pace_write AS (
    merchant_no int, terminal int8, slot_at timestamptz, slot_us int8, holds int8, points int8);
