-- New payments of one batch, each with a key that a look-up of the same transaction did not find. In the order of the keys,
-- so that two replicas that race for the same keys wait for each other in one direction only.
INSERT INTO payments (ledger_id, payment_id, caller, idempotency_key, body_hash, kind, account_id, counter_id,
	amount_minor, currency, connector, instrument, reference, state, open, reason, version, create_time, update_time,
	lease_owner, fence)
SELECT u.ledger_id, u.payment_id, u.caller, u.idempotency_key, u.body_hash, u.kind, u.account_id, u.counter_id,
	u.amount_minor, u.currency, u.connector, u.instrument, u.reference, u.state, u.open, u.reason, u.version,
	u.create_time, u.create_time, $19, 1
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::smallint[], $7::uuid[], $8::uuid[],
	$9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::smallint[], $15::boolean[], $16::text[],
	$17::bigint[], $18::timestamptz[])
	AS u (ledger_id, payment_id, caller, idempotency_key, body_hash, kind, account_id, counter_id, amount_minor,
	currency, connector, instrument, reference, state, open, reason, version, create_time)
ORDER BY u.caller, u.idempotency_key
