-- Accounts by id, in order, with everything about them and the hash of what they were created with. Index: accounts_pkey.
SELECT account_id, currency, normal_side, lower_limit_minor, upper_limit_minor, sequence,
	debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor,
	status, credit_line_minor, last_entry, owner, label, version, created,
	creation_hash
FROM accounts
WHERE ledger_id = $1 AND account_id = ANY ($2::uuid[])
ORDER BY account_id
