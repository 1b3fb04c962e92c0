-- Calls to connectors, with the changes that they led to; one that an earlier attempt has written stays as it is. What a worker
-- has called for a payment that it has lost led to nothing. Index: the primary key of payments.
INSERT INTO payment_calls (ledger_id, payment_id, call_id, attempt, step, action, reference, result, reason,
	provider_reference, start_time, end_time, worker_id)
SELECT u.ledger_id, u.payment_id, u.call_id, u.attempt, u.step, u.action, u.reference, u.result, u.reason,
	u.provider_reference, u.start_time, u.end_time, $13
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::smallint[], $7::text[], $8::text[], $9::text[],
	$10::text[], $11::timestamptz[], $12::timestamptz[])
	AS u (ledger_id, payment_id, call_id, attempt, step, action, reference, result, reason, provider_reference, start_time,
	end_time)
JOIN payments AS p ON p.payment_id = u.payment_id AND p.ledger_id = u.ledger_id AND p.lease_owner = $13
ON CONFLICT (payment_id, call_id, ledger_id) DO NOTHING
