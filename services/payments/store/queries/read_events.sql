-- A payment's history. Locks nothing. Index: the primary key.
SELECT e.version, e.state, e.reason, e.create_time, e.worker_id, e.operator, e.evidence, e.position
FROM payment_events AS e
WHERE e.payment_id = $1 AND e.ledger_id = $2
ORDER BY e.version
