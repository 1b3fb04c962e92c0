-- Open payments that their worker has lost from memory become nobody's, so that they are taken over like those of a worker
-- that is gone. Index: the primary key.
UPDATE payments AS p
SET lease_owner = '00000000-0000-0000-0000-000000000000'
FROM unnest($1::uuid[], $2::uuid[]) AS u (ledger_id, payment_id)
WHERE p.payment_id = u.payment_id AND p.ledger_id = u.ledger_id AND p.open AND p.lease_owner = $3
