-- Accounts with one label in a ledger after an id, in order; $3 is a currency, or '' for all, $7 a status, or 0 for all. $5 is
-- that of another list. Index: accounts_by_label.
SELECT account_id, currency, normal_side, lower_limit_minor, upper_limit_minor, sequence,
	debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor,
	status, credit_line_minor, last_entry, owner, label, version, created
FROM accounts
WHERE ledger_id = $1 AND account_id > $2 AND ($3 = '' OR currency = $3) AND label = $6 AND label <> ''
	AND ($7 = 0 OR status = $7)
ORDER BY account_id LIMIT $4
