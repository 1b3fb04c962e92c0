-- A page of a ledger's changes after a place and below the horizon, each with its payment. Locks nothing. Indexes:
-- payment_events_feed, and the primary key of payments.
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.round_id, p.fee_minor, p.fee_account_id, p.refunded_minor,
	p.review_since, p.action_url, p.action_data,
	e.position, e.version, e.state, e.reason, e.create_time
FROM payment_events AS e
JOIN payments AS p ON p.payment_id = e.payment_id AND p.ledger_id = e.ledger_id
WHERE e.ledger_id = $1 AND (e.position, e.payment_id, e.version) > ($2, $3, $4) AND e.position < $5
ORDER BY e.position, e.payment_id, e.version
LIMIT $6
