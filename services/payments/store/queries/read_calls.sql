-- A payment's calls to connectors, the latest of them, in the order of their ids, which are time-ordered. Locks nothing.
-- Index: the primary key.
SELECT c.call_id, c.attempt, c.step, c.action, c.reference, c.result, c.reason, c.provider_reference, c.worker_id,
	c.start_time, c.end_time
FROM (SELECT n.call_id FROM payment_calls AS n WHERE n.payment_id = $1 AND n.ledger_id = $2
	ORDER BY n.call_id DESC LIMIT $3) AS latest
JOIN payment_calls AS c ON c.payment_id = $1 AND c.ledger_id = $2 AND c.call_id = latest.call_id
ORDER BY c.call_id
