-- A page of a ledger's payments that are not finished and have been in their state since before $3, and of those that a person
-- must look at (8: manual review); the oldest first. Tries count when they were made in this state. Locks nothing. Indexes:
-- payments_unfinished, payment_events_review, and the primary keys.
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.round_id, p.fee_minor, p.fee_account_id, p.refunded_minor,
	p.review_since, p.action_url, p.action_data,
	p.open, p.lease_owner, t.attempts, t.reason, t.try_time, t.next_time
FROM (
	(SELECT o.payment_id FROM payments AS o
		WHERE o.ledger_id = $1 AND o.open AND o.payment_id > $2 AND o.update_time < $3
		ORDER BY o.payment_id LIMIT $4)
	UNION ALL
	(SELECT DISTINCT e.payment_id FROM payment_events AS e
		JOIN payments AS r ON r.payment_id = e.payment_id AND r.ledger_id = e.ledger_id AND r.state = 8
		WHERE e.ledger_id = $1 AND e.state = 8 AND e.payment_id > $2
		ORDER BY e.payment_id LIMIT $4)
) AS stuck
JOIN payments AS p ON p.payment_id = stuck.payment_id AND p.ledger_id = $1
LEFT JOIN payment_tries AS t ON t.payment_id = p.payment_id AND t.ledger_id = p.ledger_id AND t.try_time >= p.update_time
ORDER BY p.payment_id
LIMIT $4
