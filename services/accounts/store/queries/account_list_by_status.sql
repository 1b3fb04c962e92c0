-- Accounts of one status but active in a ledger after an id, in order; $3 is a currency, $6 a label, or '' for all. $5 is that of
-- another list. Index: accounts_by_status.
SELECT account_id, currency, normal_side, lower_limit_minor, upper_limit_minor, sequence,
	debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor,
	status, credit_line_minor, last_entry, owner, label, version, created
FROM accounts
WHERE ledger_id = $1 AND account_id > $2 AND ($3 = '' OR currency = $3) AND ($6 = '' OR label = $6)
	AND status = $7 AND status > 1
ORDER BY account_id LIMIT $4
