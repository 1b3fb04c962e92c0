-- One payment. Its ledger is not known here: the primary key begins with payment_id. Locks nothing.
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time
FROM payments AS p
WHERE p.payment_id = $1
