-- Why:   a price is paid with points and cash: what it is, and what the member pays at the till beside the points.
-- Locks: redemption, operation and their types under an exclusive lock, for a moment: no row is rewritten.
-- Undo:  drop the columns, and make the two types as in 0003.
SET LOCAL lock_timeout = '10s';

ALTER TABLE redemption
    ADD price_minor int8 NOT NULL DEFAULT 0, -- of the whole order; 0: points without a price
    ADD price_currency text NOT NULL DEFAULT '',
    ADD cash_minor int8 NOT NULL DEFAULT 0, -- of the price, when all points are confirmed
    ADD CONSTRAINT redemption_cash CHECK (cash_minor >= 0 AND (cash_minor = 0 OR cash_minor < price_minor)),
    ADD CONSTRAINT redemption_price CHECK (price_minor >= 0 AND (price_minor = 0) = (price_currency = ''));
ALTER TABLE operation ADD cash_minor int8 NOT NULL DEFAULT 0; -- of a confirmation; negative: a reversal gave it back

DROP TYPE redemption_write;
DROP TYPE operation_write;
CREATE TYPE redemption_write AS (
    id uuid, member_id uuid, programme_no int, bank_no int, merchant_no int, store_no int, terminal_id text,
    content_hash bytea, reason text, state smallint, points int8, confirmed_points int8, reversed_points int8,
    currency text, gross_minor int8, commission_minor int8, reversed_gross_minor int8, reversed_commission_minor int8,
    rules_version int, terms_version int, goods_no int, quantity int8, ship_to bytea, spendable_after int8,
    business_date date, held_at timestamptz, lapse_at timestamptz, draw_credit int8, draws bytea, lines bytea,
    card int8, lapse_after_us int8, one_step boolean, exposure_currency text, exposure_minor int8, price_minor int8,
    price_currency text, cash_minor int8);
CREATE TYPE operation_write AS (
    id uuid, member_id uuid, redemption_id uuid, kind smallint, content_hash bytea, reason text, state_after smallint,
    points int8, spendable_after int8, currency text, gross_minor int8, commission_minor int8, business_date date,
    at timestamptz, lapse_at timestamptz, cash_minor int8);
