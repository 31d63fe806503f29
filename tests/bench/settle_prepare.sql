-- settle_prepare.sql: a programme of two banks and 300 merchants whose month has :redemptions confirmations, and a
-- reversal for every fiftieth, to be closed by alliance-settle. Written into the database that holds are measured on, as
-- a programme of its own. Its sandbox clock stands a day after the month, so that every day of it is over.
-- psql -v redemptions=10000000 -f settle_prepare.sql
\set ON_ERROR_STOP on

INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('settle', 'UTC', true);
INSERT INTO fence (bucket, programme_no, business_date, test_clock, reference_version)
SELECT b, (SELECT programme_no FROM programme WHERE programme_id = 'settle'), '2026-06-01', '2026-07-02', 1
FROM installation, generate_series(0, buckets - 1) b;
INSERT INTO bank (bank_id, programme_no, name)
SELECT 'settle-bank-' || n, programme_no, 'Bank ' || n FROM programme, generate_series(1, 2) n WHERE programme_id = 'settle';
INSERT INTO merchant (merchant_id, programme_no, name, content_hash)
SELECT 'settle-shop-' || n, programme_no, 'Shop ' || n, '' FROM programme, generate_series(1, 300) n
WHERE programme_id = 'settle' ORDER BY n;
INSERT INTO store (merchant_no, store_id, name)
SELECT merchant_no, 'store-' || s, 'Store ' || s FROM merchant, generate_series(1, 3) s
WHERE merchant_id LIKE 'settle-shop-%' ORDER BY merchant_no, s;
INSERT INTO terms SELECT merchant_no, 1, '2020-01-01', 250, 'CNY', gen_random_uuid(), '' FROM merchant
WHERE merchant_id LIKE 'settle-shop-%';
SELECT journal_open_month('2026-06-01') AS opened \gset

-- Each second entry of the month, from the first or the second on: two sessions load it together, in the order of its
-- time, as lanes write it; the journal's index by day lives on that order. Money is what the lanes would have frozen: 0.7
-- fen a point; commission 2.5 % of it.
CREATE FUNCTION bench_settle_rows(first int8, redemptions int8) RETURNS SETOF journal LANGUAGE sql STABLE AS $$
    SELECT (get_byte(uuid_send(m.id), 0) << 8 | get_byte(uuid_send(m.id), 1)) % buckets, m.id, n, d.at::date, d.at,
           (CASE WHEN n % 51 = 0 THEN 8 ELSE 4 END)::smallint, points, 1000000, 0, 0, 0, m.ref, m.redemption,
           programme_no, bank_0 + (n % 2)::int, merchant_0 + shop, store_0 + shop * 3 + (n % 3)::int, 1, 1, 'CNY',
           side * (points * 7 / 10), side * (points * 7 / 400), sha256(int8send(n)), 0, ''::bytea
    FROM installation,
         (SELECT programme_no FROM programme WHERE programme_id = 'settle') g,
         (SELECT min(bank_no) AS bank_0 FROM bank WHERE bank_id LIKE 'settle-bank-%') b,
         (SELECT min(merchant_no) AS merchant_0 FROM merchant WHERE merchant_id LIKE 'settle-shop-%') h,
         (SELECT min(store_no) AS store_0 FROM store JOIN merchant USING (merchant_no)
          WHERE merchant_id LIKE 'settle-shop-%') s,
         generate_series(first, redemptions * 51 / 50, 2) n,
         LATERAL (SELECT md5('member' || n % 1000003)::uuid AS id, md5('request' || n)::uuid AS ref,
                         md5('redemption' || n)::uuid AS redemption) m,
         LATERAL (SELECT '2026-06-01 00:00:00+00'::timestamptz + interval '30 days' * (n::float8 / (redemptions * 51 / 50 + 1)) AS at) d,
         LATERAL (SELECT (n * 7919 % 300)::int AS shop) q,
         LATERAL (SELECT 100 + n % 9901 AS points, CASE WHEN n % 51 = 0 THEN -1 ELSE 1 END AS side) p
$$;
