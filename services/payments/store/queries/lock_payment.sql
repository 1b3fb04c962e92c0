-- A payment that is to be changed, if it stands where it was read. Locks the row, before anything that others may wait for with
-- it. Index: the primary key.
SELECT p.version
FROM payments AS p
WHERE p.payment_id = $1 AND p.ledger_id = $2 AND p.version = $3 AND p.fence = $4
FOR NO KEY UPDATE
