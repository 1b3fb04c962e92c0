-- The same of one caller ($7), who has few payments: found by them, and not among everybody's changes. Locks nothing.
-- Indexes: payments_key, and the primary key of payment_events.
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.round_id, p.fee_minor, p.fee_account_id, p.refunded_minor,
	p.review_since, p.action_url, p.action_data,
	e.position, e.version, e.state, e.reason, e.create_time
FROM payments AS p
JOIN payment_events AS e ON e.payment_id = p.payment_id AND e.ledger_id = p.ledger_id
WHERE p.caller = $7 AND e.ledger_id = $1 AND (e.position, e.payment_id, e.version) > ($2, $3, $4) AND e.position < $5
ORDER BY e.position, e.payment_id, e.version
LIMIT $6
