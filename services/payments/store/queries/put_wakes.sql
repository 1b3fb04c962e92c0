-- For the workers that have these payments, unless it is $2, in the order of the keys, so that two that put the same wait for
-- each other in one direction only. Index: the primary key of payments.
INSERT INTO saga_wakes (worker_id, ledger_id, payment_id)
SELECT DISTINCT p.lease_owner, p.ledger_id, p.payment_id
FROM unnest($1::uuid[]) AS u (payment_id)
JOIN payments AS p ON p.payment_id = u.payment_id
WHERE p.open AND p.lease_owner <> $2
ORDER BY p.lease_owner, p.payment_id
ON CONFLICT (worker_id, payment_id, ledger_id) DO NOTHING
