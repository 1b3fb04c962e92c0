-- History of the payments that the same transaction has written.
INSERT INTO payment_events (ledger_id, payment_id, version, from_state, state, reason, create_time)
SELECT u.ledger_id, u.payment_id, u.version, u.from_state, u.state, u.reason, u.create_time
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::smallint[], $6::text[], $7::timestamptz[])
	AS u (ledger_id, payment_id, version, from_state, state, reason, create_time)
