-- How often payments have been tried in vain, in the order of their keys, so that two that write the same wait for each other
-- in one direction only; by the worker that has them. Index: the primary key of payments.
INSERT INTO payment_tries (ledger_id, payment_id, attempts, reason, try_time, next_time)
SELECT u.ledger_id, u.payment_id, u.attempts, u.reason, u.try_time, u.next_time
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[])
	AS u (ledger_id, payment_id, attempts, reason, try_time, next_time)
JOIN payments AS p ON p.payment_id = u.payment_id AND p.ledger_id = u.ledger_id AND p.lease_owner = $7
ORDER BY u.payment_id
ON CONFLICT (payment_id, ledger_id) DO UPDATE
SET attempts = excluded.attempts, reason = excluded.reason, try_time = excluded.try_time, next_time = excluded.next_time
