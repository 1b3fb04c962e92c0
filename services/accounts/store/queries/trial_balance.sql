-- Sums of a ledger by currency: as a bigint, which is the greatest when it cannot hold the sum, and as text of any size. Reads
-- all accounts of the ledger: accounts_by_ledger, or the table.
SELECT currency, account_count,
	LEAST(debits_posted, 9223372036854775807)::bigint AS debits_posted_minor,
	LEAST(credits_posted, 9223372036854775807)::bigint AS credits_posted_minor,
	LEAST(debits_pending, 9223372036854775807)::bigint AS debits_pending_minor,
	LEAST(credits_pending, 9223372036854775807)::bigint AS credits_pending_minor,
	debits_posted::text, credits_posted::text, debits_pending::text, credits_pending::text
FROM (
	SELECT currency, count(account_id) AS account_count,
		sum(debits_posted_minor) AS debits_posted, sum(credits_posted_minor) AS credits_posted,
		sum(debits_pending_minor) AS debits_pending, sum(credits_pending_minor) AS credits_pending
	FROM accounts
	WHERE ledger_id = $1 AND version >= 1
	GROUP BY currency
) AS sums
ORDER BY currency
