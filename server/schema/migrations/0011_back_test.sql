-- Why:   a back-test reads what a bank's members earned and redeemed in a month; without these it would read all months.
-- Locks: accrual and redemption in SHARE mode while each is read once (BRIN: seconds for tens of millions of rows).
-- Undo:  drop both indexes.
SET LOCAL lock_timeout = '10s';

-- Rows of one day lie together because they are only ever appended.
CREATE INDEX accrual_day ON accrual USING brin (business_date) WITH (pages_per_range = 16);
CREATE INDEX redemption_day ON redemption USING brin (business_date) WITH (pages_per_range = 16);
