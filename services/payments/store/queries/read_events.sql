-- A payment's history, the latest of it. Locks nothing. Index: the primary key.
SELECT e.version, e.state, e.reason, e.create_time, e.worker_id, e.operator, e.evidence, e.position
FROM (SELECT n.version, n.state, n.reason, n.create_time, n.worker_id, n.operator, n.evidence, n.position
	FROM payment_events AS n WHERE n.payment_id = $1 AND n.ledger_id = $2 ORDER BY n.version DESC LIMIT $3) AS e
ORDER BY e.version
