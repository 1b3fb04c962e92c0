-- The currencies of a ledger whose debits are not its credits, with sums of any size. Reads all accounts of the ledger:
-- accounts_by_ledger, or the table.
SELECT currency, format('debits %s+%s, credits %s+%s', sum(debits_posted_minor), sum(debits_pending_minor),
	sum(credits_posted_minor), sum(credits_pending_minor))
FROM accounts
WHERE ledger_id = $1 AND version >= 1
GROUP BY currency
HAVING sum(debits_posted_minor) <> sum(credits_posted_minor) OR sum(debits_pending_minor) <> sum(credits_pending_minor)
ORDER BY currency
