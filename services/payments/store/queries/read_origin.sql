-- Where a payment stands, whose it is, and the state that it came from. Locks nothing. Indexes: the primary keys.
SELECT p.kind, p.state, p.version, p.fence, e.from_state
FROM payments AS p
JOIN payment_events AS e ON e.payment_id = p.payment_id AND e.ledger_id = p.ledger_id AND e.version = p.version
WHERE p.payment_id = $1 AND p.ledger_id = $2
