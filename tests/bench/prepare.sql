-- prepare.sql: an alliance of one bank, one merchant and :members members with three lots each, written straight into a
-- database that was just migrated. psql -v members=200000 -f prepare.sql
--
-- What it leaves is what the server itself would have left: a member's uuid and bucket are those of
-- engine/command.c, the hash of the one journal entry each member has is that of domain/entry.h, and lots, balance,
-- journal and chain agree. The one liberty: that entry brings in all three lots at once.
\set ON_ERROR_STOP on
SET maintenance_work_mem = '512MB';
SET work_mem = '512MB';
SET synchronous_commit = off;

INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('bench', 'UTC', false);
INSERT INTO fence (bucket, programme_no, business_date, reference_version)
SELECT b, 1, current_date, 1 FROM installation, generate_series(0, buckets - 1) b;
INSERT INTO bank (bank_id, programme_no, name) VALUES ('bench', 1, 'Bench');
INSERT INTO exchange_rules (bank_no, version, effective_from, minimum_points, expiry_months, reinstate_grace_days,
                            accrual_num, accrual_den, request_id, content_hash)
VALUES (1, 1, '2020-01-01', 1, 12, 0, 1, 100, gen_random_uuid(), '');
INSERT INTO exchange_rate VALUES (1, 1, 'CNY', 1, 1, 7, 10);
INSERT INTO merchant (merchant_id, programme_no, name, content_hash)
SELECT CASE n WHEN 0 THEN 'bench-shop' ELSE 'bench-shop-' || n END, 1, 'Bench shop', '' FROM generate_series(0, 63) n ORDER BY n;
INSERT INTO terms SELECT merchant_no, 1, '2020-01-01', 100, 'CNY', gen_random_uuid(), '' FROM merchant;
SELECT journal_open_month(current_date) AS opened \gset

-- A version 8 uuid of SHA-256("member", 0, bank, 0, member_ref).
CREATE FUNCTION bench_member_id(bank text, member_ref text) RETURNS uuid LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    hash bytea := sha256('\x6d656d62657200'::bytea || convert_to(bank, 'UTF8') || '\x00'::bytea
                         || convert_to(member_ref, 'UTF8'));
BEGIN
    hash := set_byte(hash, 6, get_byte(hash, 6) & 15 | 128);
    hash := set_byte(hash, 8, get_byte(hash, 8) & 63 | 128);
    RETURN encode(substr(hash, 1, 16), 'hex')::uuid;
END $$;

CREATE FUNCTION bench_bucket(member_id uuid, buckets int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT (get_byte(uuid_send(member_id), 0) << 8 | get_byte(uuid_send(member_id), 1)) % buckets
$$;

-- entry_encode of domain/entry.c, and the hash of an entry that owes no money and names no lots.
-- STABLE, because extract is: declared IMMUTABLE it would not be inlined, and each call would parse it anew.
CREATE FUNCTION bench_entry_bytes(
    member_id uuid, seq int8, business_date date, at timestamptz, kind smallint, points int8, available int8, held int8,
    credit_used int8, credit_limit int8, ref uuid, redemption_id uuid, programme_no int, bank_no int, merchant_no int,
    store_no int, rules_version int, terms_version int, currency text, gross int8, commission int8)
RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT uuid_send(member_id) || int8send(seq) || int4send(business_date - '1970-01-01'::date)
           || int8send((extract(epoch FROM at) * 1000000)::int8) || int2send(kind) || int8send(points)
           || int8send(available) || int8send(held) || int8send(credit_used) || int8send(credit_limit)
           || uuid_send(ref) || uuid_send(redemption_id) || int4send(programme_no) || int4send(bank_no)
           || int4send(merchant_no) || int4send(store_no) || int4send(rules_version) || int4send(terms_version)
           || substr(convert_to(currency, 'UTF8') || '\x00000000'::bytea, 1, 4) || int8send(gross) || int8send(commission)
$$;
CREATE FUNCTION bench_entry_hash(
    chain bytea, member_id uuid, seq int8, business_date date, at timestamptz, kind smallint, points int8,
    available int8, held int8, credit_used int8, credit_limit int8, ref uuid, redemption_id uuid, programme_no int,
    bank_no int, merchant_no int, store_no int, rules_version int) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(chain || uuid_send(member_id) || int8send(seq) || int4send(business_date - '1970-01-01'::date)
                  || int8send((extract(epoch FROM at) * 1000000)::int8) || int2send(kind) || int8send(points)
                  || int8send(available) || int8send(held) || int8send(credit_used) || int8send(credit_limit)
                  || uuid_send(ref) || uuid_send(redemption_id) || int4send(programme_no) || int4send(bank_no)
                  || int4send(merchant_no) || int4send(store_no) || int4send(rules_version)
                  || '\x00000000000000000000000000000000000000000000'::bytea || '\x0000'::bytea)
$$;

CREATE TEMP TABLE made AS
SELECT bench_bucket(id, buckets) AS bucket, id AS member_id, member_ref,
       ARRAY[15, 1000, 1000000]::int8[] AS lot_points
FROM installation, generate_series(0, :members - 1) n,
     LATERAL (SELECT 'member-' || n AS member_ref, bench_member_id('bench', 'member-' || n) AS id) m;

INSERT INTO journal (bucket, member_id, seq, business_date, at, kind, points, available_after, held_after,
                     credit_used_after, credit_limit_after, ref, redemption_id, programme_no, bank_no, merchant_no,
                     store_no, rules_version, terms_version, currency, gross_minor, commission_minor, hash)
SELECT bucket, member_id, 1, current_date, now(), 2, 1001015, 1001015, 0, 0, 0, zero, zero, 1, 1, 0, 0, 1, 0, '',
       0, 0, bench_entry_hash(decode(repeat('00', 32), 'hex'), member_id, 1, current_date, now(), 2::smallint, 1001015,
                              1001015, 0, 0, 0, zero, zero, 1, 1, 0, 0, 1)
FROM made, (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS zero) z ORDER BY bucket, member_id;

INSERT INTO account (bucket, member_id, programme_no, bank_no, member_ref, status, available, held, credit_limit,
                     credit_used, journal_seq, chain, profile_hash, next_due, lots)
SELECT m.bucket, m.member_id, 1, 1, member_ref, 1, 1001015, 0, 0, 0, 1, j.hash, sha256(''), current_date + 30,
       (SELECT string_agg(int4send(d + days - '1970-01-01') || int4send(0) || int8send(p), ''::bytea)
        FROM (SELECT current_date AS d) t, unnest(ARRAY[30, 90, 365], lot_points) l(days, p))
FROM made m JOIN journal j ON j.bucket = m.bucket AND j.member_id = m.member_id AND j.seq = 1
ORDER BY m.bucket, m.member_id;

-- The rival's own tables: the same rows, with lots, holds and draws as arrays, which is how one would write it in the
-- database.
CREATE TABLE rival_account (LIKE account INCLUDING ALL);
ALTER TABLE rival_account SET (fillfactor = 70);
ALTER TABLE rival_account DROP lots, DROP holds, ADD lot_expires date[] NOT NULL, ADD lot_points int8[] NOT NULL,
    ADD hold_ids uuid[] NOT NULL, ADD hold_lapses timestamptz[] NOT NULL;
INSERT INTO rival_account (bucket, member_id, programme_no, bank_no, member_ref, status, available, held, credit_limit,
                           credit_used, journal_seq, chain, profile_hash, next_due, lot_expires, lot_points, hold_ids,
                           hold_lapses)
SELECT a.bucket, a.member_id, programme_no, bank_no, a.member_ref, status, available, held, credit_limit, credit_used,
       journal_seq, chain, profile_hash, next_due, ARRAY[current_date + 30, current_date + 90, current_date + 365],
       lot_points, '{}', '{}'
FROM account a JOIN made m USING (bucket, member_id) ORDER BY a.bucket, a.member_id;
CREATE TABLE rival_redemption (LIKE redemption INCLUDING ALL);
ALTER TABLE rival_redemption SET (fillfactor = 80);
ALTER TABLE rival_redemption DROP draws, ADD draw_expires date[] NOT NULL, ADD draw_points int8[] NOT NULL;
CREATE TABLE rival_journal (LIKE journal INCLUDING ALL) PARTITION BY RANGE (business_date);
CREATE TABLE rival_journal_rest PARTITION OF rival_journal DEFAULT;
ALTER TABLE rival_journal DROP lots, ADD lot_expires date[] NOT NULL DEFAULT '{}', ADD lot_points int8[] NOT NULL DEFAULT '{}';
INSERT INTO rival_journal (bucket, member_id, seq, business_date, at, kind, points, available_after, held_after,
                           credit_used_after, credit_limit_after, ref, redemption_id, programme_no, bank_no, merchant_no,
                           store_no, rules_version, terms_version, currency, gross_minor, commission_minor, hash)
SELECT bucket, member_id, seq, business_date, at, kind, points, available_after, held_after, credit_used_after,
       credit_limit_after, ref, redemption_id, programme_no, bank_no, merchant_no, store_no, rules_version, terms_version,
       currency, gross_minor, commission_minor, hash
FROM journal ORDER BY bucket, member_id;
VACUUM ANALYZE;
CHECKPOINT;
