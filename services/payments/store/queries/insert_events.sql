-- History of the payments that the same transaction has written. A position is this transaction's number: whoever writes a
-- change knew the one before when it began, so that positions follow versions; where it did not, as for what others give back
-- of a payment (6 succeeded, 13 partly refunded), it is at least that of the change before.
INSERT INTO payment_events (ledger_id, payment_id, version, from_state, state, reason, create_time, worker_id, position)
SELECT u.ledger_id, u.payment_id, u.version, u.from_state, u.state, u.reason, u.create_time, $8,
	CASE WHEN u.from_state IN (6, 13)
		THEN greatest(pg_current_xact_id()::text::bigint, (SELECT max(b.position) FROM payment_events AS b
			WHERE b.payment_id = u.payment_id AND b.ledger_id = u.ledger_id))
		ELSE pg_current_xact_id()::text::bigint END
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::smallint[], $6::text[], $7::timestamptz[])
	AS u (ledger_id, payment_id, version, from_state, state, reason, create_time)
