-- One account with everything about it, to be changed. Index: accounts_pkey. Lock: the account's row FOR NO KEY UPDATE, after
-- its ledger's, under which alone accounts change.
SELECT account_id, currency, normal_side, lower_limit_minor, upper_limit_minor, sequence,
	debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor,
	status, credit_line_minor, last_entry, owner, label, version, created
FROM accounts
WHERE ledger_id = $1 AND account_id = $2
FOR NO KEY UPDATE
