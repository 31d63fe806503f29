-- back_test.sql: a month that is over, :entries of card spend and redemptions, nine to one, of a tenth as many members,
-- written straight into a database that prepare.sql made. psql -v entries=1000000 -f back_test.sql
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET work_mem = '256MB';

SELECT (date_trunc('month', min(business_date)) - interval '1 month')::date AS first FROM fence \gset

CREATE TEMP TABLE back_test_member AS
SELECT bucket, member_id, bank_no, programme_no, row_number() OVER () AS m FROM account LIMIT greatest(:entries / 10, 1);

INSERT INTO accrual (bucket, id, member_id, bank_no, transaction_ref, content_hash, amount_minor, currency, transaction_time,
                     points, rules_version, business_date, at, category)
SELECT bucket, gen_random_uuid(), member_id, bank_no, 'back-test', '', amount, 'CNY', day, amount / 100, 1, day,
       day + (m % 86400) * interval '1 second', (ARRAY[5411, 5812, 5999, 6011, 0])[m % 5 + 1]
FROM (SELECT *, (:'first'::date + (3 * n + m % 3)::int) AS day, 1000 + (m * 7919 + n * 104729) % 50000 AS amount
      FROM back_test_member, generate_series(0, 8) n) spent
ORDER BY day;

INSERT INTO redemption (bucket, id, member_id, programme_no, bank_no, merchant_no, store_no, terminal_id, content_hash, reason,
                        state, points, confirmed_points, currency, gross_minor, commission_minor, rules_version, terms_version,
                        goods_no, quantity, ship_to, spendable_after, business_date, held_at, lapse_at, draw_credit, draws)
SELECT bucket, gen_random_uuid(), member_id, programme_no, bank_no, m % 64 + 1, 0, 'back-test', '', 'OK', 2, points, points, 'CNY',
       points * 7 / 10, points * 7 / 1000, 1, 1, 0, 0, '', 5000, day, day + interval '1 day', day + interval '1 day', 0,
       int4send(day + 200 - '1970-01-01'::date) || int4send(0) || int8send(points)
FROM (SELECT *, (:'first'::date + (m % 28)::int) AS day, 100 + m * 7919 % 900 AS points FROM back_test_member) redeemed
ORDER BY day;

ANALYZE accrual;
ANALYZE redemption;
SELECT to_char(:'first'::date, 'YYYY-MM');
