-- Sums of a ledger by currency; a sum that a bigint cannot hold is null. Reads all accounts of the ledger: accounts_by_ledger,
-- or the table.
SELECT currency, account_count,
	CASE WHEN debits_posted <= 9223372036854775807 THEN debits_posted::bigint END AS debits_posted_minor,
	CASE WHEN credits_posted <= 9223372036854775807 THEN credits_posted::bigint END AS credits_posted_minor,
	CASE WHEN debits_pending <= 9223372036854775807 THEN debits_pending::bigint END AS debits_pending_minor,
	CASE WHEN credits_pending <= 9223372036854775807 THEN credits_pending::bigint END AS credits_pending_minor
FROM (
	SELECT currency, count(account_id) AS account_count,
		sum(debits_posted_minor) AS debits_posted, sum(credits_posted_minor) AS credits_posted,
		sum(debits_pending_minor) AS debits_pending, sum(credits_pending_minor) AS credits_pending
	FROM accounts
	WHERE ledger_id = $1 AND version >= 1
	GROUP BY currency
) AS sums
ORDER BY currency
