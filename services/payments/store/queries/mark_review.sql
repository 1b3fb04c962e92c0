-- Payments that the other side has been asked about for long are listed for a person, while asking goes on. A row that a
-- saga is just writing waits for the next time. Index: payments_open.
UPDATE payments AS p
SET review_since = now()
FROM (
	SELECT q.ledger_id, q.payment_id FROM payments AS q
	WHERE q.open AND q.lease_owner = $1 AND q.state IN (3, 4) AND q.review_since IS NULL
		AND q.create_time < now() - $2::bigint * interval '1 millisecond'
	LIMIT 1000
	FOR NO KEY UPDATE SKIP LOCKED
) AS late
WHERE p.payment_id = late.payment_id AND p.ledger_id = late.ledger_id
