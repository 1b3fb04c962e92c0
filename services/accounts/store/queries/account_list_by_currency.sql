-- Accounts in one currency in a ledger after an id, in order; $7 is a status, or 0 for all. $5 and $6 are those of other lists.
-- Index: accounts_by_currency.
SELECT account_id, currency, normal_side, lower_limit_minor, upper_limit_minor, sequence,
	debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor,
	status, credit_line_minor, last_entry, owner, label, version, created
FROM accounts
WHERE ledger_id = $1 AND account_id > $2 AND currency = $3 AND ($7 = 0 OR status = $7)
ORDER BY account_id LIMIT $4
