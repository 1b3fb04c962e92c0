-- What new payments of a batch have to do with what is used.
INSERT INTO limit_claims (ledger_id, payment_id, person_id, currency, measure, day_start, week_start, month_start,
	amount_minor, state)
SELECT u.ledger_id, u.payment_id, u.person_id, u.currency, u.measure, DATE '1970-01-01' + u.day_start::integer,
	DATE '1970-01-01' + u.week_start::integer, DATE '1970-01-01' + u.month_start::integer, u.amount_minor, u.state
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::bigint[], $7::bigint[], $8::bigint[],
	$9::bigint[], $10::smallint[])
	AS u (ledger_id, payment_id, person_id, currency, measure, day_start, week_start, month_start, amount_minor, state)
