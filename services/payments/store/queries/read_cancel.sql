-- Who wants a payment called off. Locks nothing. Index: the primary key.
SELECT p.cancel_caller, p.cancel_time
FROM payments AS p
WHERE p.payment_id = $1 AND p.ledger_id = $2 AND p.cancel_caller <> ''
