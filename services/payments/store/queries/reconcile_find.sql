-- Payments by their ids, in any ledger. Locks nothing. Index: the primary key.
SELECT p.payment_id, p.kind, p.state, p.amount_minor, p.currency, p.create_time, p.connector, p.reason
FROM payments AS p
WHERE p.payment_id = ANY($1)
