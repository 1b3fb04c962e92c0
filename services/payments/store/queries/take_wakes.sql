-- Takes out what was put there for a worker, with who has each payment now. Locks the rows that it deletes. Index: the
-- primary key of saga_wakes, and that of payments.
DELETE FROM saga_wakes AS w
USING payments AS p
WHERE w.worker_id = $1 AND p.payment_id = w.payment_id AND p.ledger_id = w.ledger_id
RETURNING p.payment_id, p.ledger_id, p.lease_owner, w.cancel
