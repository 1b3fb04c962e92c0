-- Open payments of one worker that have not changed for a while, by id, after a given one: to be compared with what it has in
-- memory. Locks nothing. Index: payments_open.
SELECT p.ledger_id, p.payment_id
FROM payments AS p
WHERE p.open AND p.lease_owner = $1 AND p.payment_id > $2 AND p.update_time < now() - $3::bigint * interval '1 millisecond'
ORDER BY p.payment_id
LIMIT $4
