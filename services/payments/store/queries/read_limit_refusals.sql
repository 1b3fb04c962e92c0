-- Why payments were declined, where it was a limit or a restriction. Locks nothing. Index: the primary key.
SELECT k.n, coalesce(r.measure, 0), coalesce(r.period, 0), coalesce(r.limit_minor, 0), coalesce(r.left_minor, 0), r.until
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS k (ledger_id, payment_id, n)
JOIN limit_refusals AS r ON r.payment_id = k.payment_id AND r.ledger_id = k.ledger_id
