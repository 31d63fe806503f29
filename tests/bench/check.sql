-- check.sql: what must be true of every row once the load is over. One line a broken rule: how many rows break it.
SELECT 'members whose lots are not what is available: ' || count(*) FROM account
WHERE available <> packed_points(lots) HAVING count(*) > 0
UNION ALL
SELECT 'members with an empty lot: ' || count(*) FROM account_lot WHERE points <= 0 HAVING count(*) > 0
UNION ALL
SELECT 'members whose open holds are not what is held: ' || count(*) FROM account a
LEFT JOIN (SELECT bucket, member_id, sum(points) AS points, count(*) AS holds FROM redemption WHERE state = 1
           GROUP BY bucket, member_id) r USING (bucket, member_id)
WHERE (a.held, length(a.holds) / 24) <> (coalesce(r.points, 0), coalesce(r.holds, 0)) HAVING count(*) > 0
UNION ALL
SELECT 'redemptions whose draws are not their points: ' || count(*) FROM redemption
WHERE state = 1 AND points <> draw_credit + packed_points(draws)
HAVING count(*) > 0
UNION ALL
SELECT 'members whose journal has a gap or ends elsewhere: ' || count(*) FROM account a
LEFT JOIN (SELECT bucket, member_id, count(*) AS entries, max(seq) AS newest FROM journal
           GROUP BY bucket, member_id) j USING (bucket, member_id)
WHERE (a.journal_seq, a.journal_seq) IS DISTINCT FROM (j.entries, j.newest) HAVING count(*) > 0
UNION ALL
SELECT 'members whose newest entry says something else: ' || count(*) FROM account a
JOIN journal j ON j.bucket = a.bucket AND j.member_id = a.member_id AND j.seq = a.journal_seq
WHERE (j.available_after, j.held_after, j.credit_used_after, j.hash) <> (a.available, a.held, a.credit_used, a.chain)
HAVING count(*) > 0
UNION ALL
SELECT 'entries whose hash is not that of the one before and themselves: ' || count(*)
FROM (SELECT *, lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER (PARTITION BY bucket, member_id ORDER BY seq) AS chain
      FROM journal) j
WHERE hash <> sha256(
    chain || bench_entry_bytes(member_id, seq, business_date, at, kind, points, available_after, held_after,
                               credit_used_after, credit_limit_after, ref, redemption_id, programme_no, bank_no,
                               merchant_no, store_no, rules_version, terms_version, currency, gross_minor,
                               commission_minor)
    || CASE WHEN pending_after = 0 AND lots = '' THEN '' ELSE int8send(pending_after) || lots END)
HAVING count(*) > 0
UNION ALL
SELECT 'points made or lost: ' || x FROM (
    SELECT (SELECT sum(available + held + pending - credit_used) FROM account)
           - (SELECT sum(CASE kind WHEN 2 THEN points WHEN 3 THEN 0 WHEN 4 THEN -points ELSE NULL END) FROM journal) AS x) s
WHERE x <> 0
UNION ALL
SELECT 'members of the rival whose lots or holds are not what they should be: ' || count(*) FROM rival_account a
LEFT JOIN (SELECT bucket, member_id, sum(points) AS points, count(*) AS holds FROM rival_redemption WHERE state = 1
           GROUP BY bucket, member_id) r USING (bucket, member_id)
WHERE a.available <> (SELECT coalesce(sum(p), 0) FROM unnest(lot_points) p)
   OR (a.held, cardinality(a.hold_ids)) <> (coalesce(r.points, 0), coalesce(r.holds, 0)) HAVING count(*) > 0;
