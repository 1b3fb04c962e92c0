-- Open sagas of a worker that is gone. Locks their rows, and leaves those that another replica is taking. Index:
-- payments_open. The last column: how often a ledger has declined the step that the state orders (5: settling, 9: compensating),
-- which an operator then had taken again; as far as 16 bits go.
SELECT p.ledger_id, p.payment_id, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency, p.connector,
	p.instrument, p.state, p.reason, p.version, p.fence, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.fee_minor, p.fee_account_id, p.review_since,
	p.cancel_caller <> '',
	CASE WHEN p.state IN (5, 9) THEN (SELECT least(count(*), 65535) FROM payment_events AS e
		WHERE e.payment_id = p.payment_id AND e.ledger_id = p.ledger_id AND e.from_state = p.state AND e.state IN (8, 9))
		ELSE 0 END
FROM payments AS p
WHERE p.open AND p.lease_owner = $1
LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
