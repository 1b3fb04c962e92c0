-- New payments of one batch, each with a key that a look-up of the same transaction did not find. In the order of the keys,
-- so that two replicas that race for the same keys wait for each other in one direction only.
INSERT INTO payments (ledger_id, payment_id, caller, idempotency_key, body_hash, kind, account_id, counter_id,
	remote_ledger_id, remote_account_id, remote_counter_id, parent_id, fee_account_id, amount_minor, fee_minor, currency,
	connector, instrument, reference, round_id, state, open, reason, version, create_time, update_time, lease_owner, fence)
SELECT u.ledger_id, u.payment_id, u.caller, u.idempotency_key, u.body_hash, u.kind, u.account_id, u.counter_id,
	u.remote_ledger_id, u.remote_account_id, u.remote_counter_id, u.parent_id, u.fee_account_id, u.amount_minor,
	u.fee_minor, u.currency, u.connector, u.instrument, u.reference, u.round_id, u.state, u.open, u.reason, u.version,
	u.create_time, u.create_time, $26, 1
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[],
	$10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
	$18::smallint[], $19::smallint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::timestamptz[], $24::bytea[],
	$25::boolean[])
	AS u (ledger_id, payment_id, account_id, counter_id, remote_ledger_id, remote_account_id, remote_counter_id, parent_id,
	fee_account_id, caller, idempotency_key, currency, connector, instrument, reference, round_id, reason, kind, state,
	amount_minor, fee_minor, version, create_time, body_hash, open)
ORDER BY u.caller, u.idempotency_key
