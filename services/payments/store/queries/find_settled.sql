-- Which of these rounds have a settlement that stands, to the account that wagered: not declined, and not rolled back. Others
-- may play the same round, and what they won is no reason to keep anybody's stake. Asked after the wager's row is locked; a
-- settlement that comes later is of a round whose wager is rolled back. Locks nothing. Index: payments_settled.
SELECT k.n
FROM unnest($1::uuid[], $2::text[], $3::uuid[]) WITH ORDINALITY AS k (ledger_id, round_id, account_id, n)
WHERE k.round_id <> '' AND EXISTS (
	SELECT 1 FROM payments AS p
	WHERE p.round_id = k.round_id AND p.account_id = k.account_id AND p.ledger_id = k.ledger_id AND p.kind = 7
		AND p.state NOT IN (7, 11, 14))
