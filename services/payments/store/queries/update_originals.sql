-- What was given back of payments whose rows the same transaction has locked. Index: the primary key.
UPDATE payments AS p
SET claimed_minor = u.claimed_minor, refunded_minor = u.refunded_minor, state = u.state, version = u.version,
	update_time = greatest(p.update_time, u.update_time)
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[], $7::timestamptz[])
	AS u (ledger_id, payment_id, claimed_minor, refunded_minor, state, version, update_time)
WHERE p.payment_id = u.payment_id AND p.ledger_id = u.ledger_id
