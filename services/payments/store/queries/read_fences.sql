-- Where payments stand and who has them: to tell an earlier commit of ours, whose answer was lost, from a lost lease.
-- Locks nothing. Index: the primary key.
SELECT k.n, p.state, p.version, p.fence, p.lease_owner, p.update_time
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS k (ledger_id, payment_id, n)
JOIN payments AS p ON p.payment_id = k.payment_id AND p.ledger_id = k.ledger_id
