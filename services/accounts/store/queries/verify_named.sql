-- Accounts after an id that a ledger's transfers name, in order, and whether the ledger has them.
-- Indexes: transfers_debit_sequence, transfers_credit_sequence, accounts_pkey.
WITH RECURSIVE named AS (
	SELECT $2::uuid AS account_id, 0 AS number
	UNION ALL
	SELECT LEAST(
		(SELECT debit_account_id FROM transfers WHERE ledger_id = $1 AND debit_account_id > named.account_id
		ORDER BY debit_account_id LIMIT 1),
		(SELECT credit_account_id FROM transfers WHERE ledger_id = $1 AND credit_account_id > named.account_id
		ORDER BY credit_account_id LIMIT 1)), number + 1
	FROM named
	WHERE account_id IS NOT NULL AND number < $3::int
)
SELECT n.account_id, EXISTS (SELECT FROM accounts WHERE ledger_id = $1 AND account_id = n.account_id)
FROM named AS n
WHERE number > 0 AND n.account_id IS NOT NULL
ORDER BY n.account_id
