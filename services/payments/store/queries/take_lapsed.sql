-- Takes the sagas that lock_lapsed has locked: whoever had them writes nothing any more, because the fence has moved.
UPDATE payments AS p
SET lease_owner = $3, fence = p.fence + 1
FROM unnest($1::uuid[], $2::uuid[]) AS u (ledger_id, payment_id)
WHERE p.payment_id = u.payment_id AND p.ledger_id = u.ledger_id
