-- Whether a caller has at most $3 payments in a ledger. Locks nothing. Index: payments_key.
SELECT count(*) <= $3 FROM (SELECT 1 FROM payments AS p WHERE p.caller = $2 AND p.ledger_id = $1 LIMIT $3::bigint + 1) AS first
