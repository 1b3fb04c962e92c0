-- What is to be given back, or was: locked before anything else of the transaction, in the order of their ids, so that no two
-- transactions wait for each other. One that is open is another saga's, and not locked: it is not returned. Index: the
-- primary key.
SELECT 1::bigint AS n, p.payment_id, p.ledger_id, p.kind, p.state, p.version, p.account_id, p.counter_id, p.fee_account_id,
	p.fee_minor, p.amount_minor, p.claimed_minor, p.refunded_minor, p.currency, p.connector, p.round_id
FROM unnest($1::uuid[], $2::uuid[]) AS k (ledger_id, payment_id)
JOIN payments AS p ON p.payment_id = k.payment_id AND p.ledger_id = k.ledger_id
WHERE NOT p.open
ORDER BY p.payment_id
FOR NO KEY UPDATE OF p
