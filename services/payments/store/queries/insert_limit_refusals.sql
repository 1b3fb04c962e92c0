-- Why new payments of a batch were declined: a limit (measure is not 0) or a restriction.
INSERT INTO limit_refusals (ledger_id, payment_id, measure, period, limit_minor, left_minor, until)
SELECT u.ledger_id, u.payment_id, nullif(u.measure, 0), CASE WHEN u.measure <> 0 THEN u.period END,
	CASE WHEN u.measure <> 0 THEN u.limit_minor END, CASE WHEN u.measure <> 0 THEN u.left_minor END, u.until
FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[], $7::timestamptz[])
	AS u (ledger_id, payment_id, measure, period, limit_minor, left_minor, until)
