-- Which of these rounds have a settlement that stands: not declined, and not rolled back. Asked after the wager's row is
-- locked; a settlement that comes later is of a round whose wager is rolled back. Locks nothing. Index: payments_by_round.
SELECT k.n
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS k (ledger_id, round_id, n)
WHERE k.round_id <> '' AND EXISTS (
	SELECT 1 FROM payments AS p
	WHERE p.ledger_id = k.ledger_id AND p.round_id = k.round_id AND p.round_id <> '' AND p.kind = 7
		AND p.state NOT IN (7, 11, 14))
