-- One payment. Its ledger is not known here: the primary key begins with payment_id. Locks nothing.
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.round_id, p.fee_minor, p.fee_account_id, p.refunded_minor,
	p.review_since, p.action_url, p.action_data
FROM payments AS p
WHERE p.payment_id = $1
