-- settle_bare_sums.sql: what a month's statements add up, as one aggregate over the journal.
SELECT bank_no, merchant_no, store_no, currency, kind, count(*), sum(points), sum(gross_minor), sum(commission_minor)
FROM journal JOIN programme USING (programme_no)
WHERE programme_id = 'settle' AND business_date BETWEEN '2026-06-01' AND '2026-06-30' AND kind IN (4, 8)
GROUP BY bank_no, merchant_no, store_no, currency, kind ORDER BY 1, 2, 3, 4, 5;
