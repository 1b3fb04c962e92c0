-- Open sagas of a worker that is gone. Locks their rows, and leaves those that another replica is taking. Index:
-- payments_open.
SELECT p.ledger_id, p.payment_id, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency, p.connector,
	p.instrument, p.state, p.reason, p.version, p.fence, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.fee_minor, p.fee_account_id, p.review_since,
	p.cancel_caller <> ''
FROM payments AS p
WHERE p.open AND p.lease_owner = $1
LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
