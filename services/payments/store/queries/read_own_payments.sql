-- The same for what one caller has asked for. Locks nothing. Index: payments_key, whose first column is the caller.
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.round_id, p.fee_minor, p.fee_account_id, p.refunded_minor,
	p.review_since, p.action_url, p.action_data
FROM payments AS p
WHERE p.ledger_id = $1 AND p.payment_id < $2 AND ($3 = 0 OR p.state = $3) AND p.caller = $5
ORDER BY p.payment_id DESC
LIMIT $4
