-- settle_bare_lines.sql: the lines of a month's pair statements, in their order, as one COPY.
COPY (
    SELECT bank_id, merchant_id, business_date, at, CASE kind WHEN 4 THEN 'CONFIRM' ELSE 'REVERSE' END,
           redemption_id || '.' || left(member_id::text, 4), ref, store_id, points, currency, gross_minor,
           commission_minor, gross_minor - commission_minor, rules_version, terms_version
    FROM journal j JOIN programme p USING (programme_no) JOIN bank USING (bank_no) JOIN merchant USING (merchant_no)
    JOIN store USING (store_no)
    WHERE p.programme_id = 'settle' AND business_date BETWEEN '2026-06-01' AND '2026-06-30' AND kind IN (4, 8)
    ORDER BY bank_id COLLATE "C", merchant_id COLLATE "C", currency COLLATE "C", business_date, at, bucket, member_id, seq
) TO STDOUT (FORMAT csv);
