-- settle_accounts.sql: accounts for the month of settle_prepare.sql, one a bucket and bank, that hold what its journal leaves
-- outstanding: a close compares the two.
\set ON_ERROR_STOP on
INSERT INTO account (bucket, member_id, programme_no, bank_no, member_ref, status, available, held, credit_limit, credit_used,
                     journal_seq, chain, profile_hash)
SELECT bucket, md5(bucket || 'of' || bank_no)::uuid, programme_no, bank_no, 'all', 1, greatest(points, 0), 0, 0,
       greatest(-points, 0), 0, '', ''
FROM (SELECT bucket, programme_no, bank_no, sum(CASE kind WHEN 8 THEN points ELSE -points END)::int8 AS points
      FROM journal JOIN programme USING (programme_no) WHERE programme_id = 'settle' GROUP BY 1, 2, 3) x;
