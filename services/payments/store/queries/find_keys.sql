-- Payments by caller and idempotency key, in whichever ledger. Locks nothing. Index: payments_key.
SELECT k.n, p.ledger_id, p.payment_id, p.body_hash, p.state, p.reason, p.version, p.create_time, p.update_time,
	p.refunded_minor, p.action_url, p.action_data
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (caller, idempotency_key, n)
JOIN payments AS p ON p.caller = k.caller AND p.idempotency_key = k.idempotency_key
