-- A page of a connector's payments that were created in a range of time, in any ledger, in the order of their ids; the ids
-- bound what is read. Locks nothing. Index: the primary key.
SELECT p.payment_id, p.kind, p.state, p.amount_minor, p.currency, p.create_time, p.connector, p.reason
FROM payments AS p
WHERE p.payment_id > $1 AND p.payment_id < $2 AND p.connector = $3 AND p.create_time >= $4 AND p.create_time < $5
ORDER BY p.payment_id
LIMIT $6
