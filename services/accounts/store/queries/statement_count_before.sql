-- How many of an account's first $3 entries were made before a moment: halving, since they never go back in time.
-- Indexes: transfers_debit_sequence and transfers_credit_sequence, one of each a step.
WITH RECURSIVE search (least, most) AS (
	SELECT 0::bigint, $3::bigint
	UNION ALL
	SELECT CASE WHEN entry.created < $4 THEN step.middle ELSE step.least END,
		CASE WHEN entry.created < $4 THEN step.most ELSE step.middle - 1 END
	FROM (SELECT least, most, most - (most - least) / 2 AS middle FROM search WHERE least < most) AS step
	CROSS JOIN LATERAL (
		SELECT created FROM transfers
		WHERE ledger_id = $1 AND debit_account_id = $2 AND debit_sequence = step.middle
		UNION ALL
		SELECT created FROM transfers
		WHERE ledger_id = $1 AND credit_account_id = $2 AND credit_sequence = step.middle
		LIMIT 1
	) AS entry
)
SELECT least FROM search WHERE least = most
